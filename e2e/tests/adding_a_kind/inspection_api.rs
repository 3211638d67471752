//! Inspection: an inspection of a system on the cloud (Art. 25).

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::record::RecordStatus;

/// 检查: an inspection of one system.
#[derive(CustomResource, Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq)]
#[kube(
    group = "govcloud.dev",
    version = "v1alpha1",
    kind = "Inspection",
    plural = "inspections",
    namespaced,
    shortname = "insp",
    category = "govcloud",
    status = "InspectionStatus",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct InspectionSpec {
    /// Code of the Region.
    #[schemars(length(max = 12))]
    pub region: String,
    /// Name of the application.
    #[schemars(length(max = 63))]
    pub application: String,
}

/// Phase of an inspection.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq, IntoStaticStr)]
pub enum InspectionPhase {
    /// Filed.
    Submitted,
    /// Closed.
    Closed,
}

impl InspectionPhase {
    /// Returns true at the end.
    #[must_use]
    pub fn is_over(self) -> bool {
        self == Self::Closed
    }
}

/// State of an inspection.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct InspectionStatus {
    /// Phase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<InspectionPhase>,
    /// State that every record has.
    #[serde(flatten)]
    pub record: RecordStatus,
}

crate::filed::filed!(Inspection: InspectionStatus);
