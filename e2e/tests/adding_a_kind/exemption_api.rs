//! Exemption: an exemption of a system from a rule (Art. 30).

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::record::RecordStatus;

/// 豁免: an exemption of one system.
#[derive(CustomResource, Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq)]
#[kube(
    group = "govcloud.dev",
    version = "v1alpha1",
    kind = "Exemption",
    plural = "exemptions",
    namespaced,
    shortname = "exem",
    category = "govcloud",
    status = "ExemptionStatus",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct ExemptionSpec {
    /// Code of the Region.
    #[schemars(length(max = 12))]
    pub region: String,
    /// Name of the application.
    #[schemars(length(max = 63))]
    pub application: String,
}

/// Phase of an exemption.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq, IntoStaticStr)]
pub enum ExemptionPhase {
    /// Filed.
    Submitted,
    /// Closed.
    Closed,
}

impl ExemptionPhase {
    /// Returns true at the end.
    #[must_use]
    pub fn is_over(self) -> bool {
        self == Self::Closed
    }
}

/// State of an exemption.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ExemptionStatus {
    /// Phase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<ExemptionPhase>,
    /// State that every record has.
    #[serde(flatten)]
    pub record: RecordStatus,
}

crate::filed::filed!(Exemption: ExemptionStatus);
