//! Orders: the tenant namespaces that an application must have, and their contents.

use std::borrow::Cow;
use std::collections::BTreeMap;

use govcloud_api::adoption::{ExistingRef, Facet};
use govcloud_api::keys;
use govcloud_api::region::{Allowed, ContainerLimits, Network, PodSecurity};
use govcloud_api::tenancy::{Access, Restriction};
use serde::{Deserialize, Serialize};

use crate::names::label_value;

/// Everything that must be in force for one application. Complete: whatever carries it out looks up no record.
/// A namespace or volume that it does not name is left as it is (S3). An unknown field is refused, never ignored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TenancyOrder {
    /// The application.
    pub application: ApplicationIdentity,
    /// Digest of the approved spec that is carried out (S1).
    pub approved: String,
    /// Namespaces that must be there.
    pub namespaces: Vec<NamespaceOrder>,
    /// Access to every one of them (Art. 19).
    pub access: Vec<Access>,
    /// Pod Security level (Art. 20).
    pub pod_security: PodSecurity,
    /// Names that pods, claims and Ingresses may use; of host names, those of the department alone.
    #[serde(default, skip_serializing_if = "Allowed::is_empty")]
    pub allowed: Allowed,
    /// Kubernetes version whose definition of that level counts.
    pub pod_security_version: String,
    /// Container defaults and bounds. Absent where the Region's contradict each other: a LimitRange is left as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_range: Option<ContainerLimits>,
    /// Traffic that the Region allows (Art. 20, 21).
    #[serde(default, skip_serializing_if = "Network::is_empty")]
    pub network: Network,
    /// True while an exit reclaims: namespaces may be gone, and volumes follow their disposition (Art. 16, 23).
    pub reclaiming: bool,
    /// UIDs of volumes that an approved exit destroys, and which are therefore not protected (S2, S5).
    pub released_volumes: Vec<String>,
}

/// An application as tenant objects name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApplicationIdentity {
    /// Name of the CloudApplication.
    pub name: String,
    /// UID of the CloudApplication.
    pub uid: String,
    /// Namespace that it is filed in, which stands for the department (使用部门).
    pub filing_namespace: String,
    /// GB/T 2260 code of the Region.
    pub region: String,
}

/// One tenant namespace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NamespaceOrder {
    /// Entry of the application's `spec.namespaces`.
    pub entry: String,
    /// Name of the Namespace.
    pub name: String,
    /// UID of the Namespace, once recorded. One with another UID is neither adopted nor written to (S3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// Granted amounts by quota key (S1).
    pub quota: BTreeMap<String, String>,
    /// Quota keys that are counted and not limited, because an approved change will limit them: it waits where less would
    /// be allowed than is used (Art. 15).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counted: Vec<String>,
    /// Storage classes that a PVC may name (S5).
    pub storage_classes: Vec<String>,
    /// Restriction by an exit (Art. 16).
    pub restriction: Restriction,
    /// The namespace that an earlier record left, where the authority let this application take it back (S3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub take_back: Option<TakeBack>,
    /// The running system's namespace that is adopted, in place of a new one (Art. 3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adoption: Option<AdoptionOrder>,
}

/// Adoption of a running system's namespace, as far as it is to go now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdoptionOrder {
    /// The namespace, as approved.
    pub existing: ExistingRef,
    /// Step that it has reached.
    pub step: AdoptionStep,
    /// Facet up to which the rules are enforced; none while it is observed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enforced: Option<Facet>,
    /// Quota keys that are counted and not limited: more is used than was granted, or it is not known yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counted: Vec<String>,
}

/// Steps of an adoption.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AdoptionStep {
    /// Not approved for this namespace: it is left alone.
    Waits,
    /// Its volumes are set to `Retain` and labelled, then it is labelled, and nothing else.
    Mark,
    /// Objects are added in it, and what others put there is left alone.
    Furnish,
}

/// An existing namespace of an earlier record of the same name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TakeBack {
    /// UID of the Namespace.
    pub uid: String,
    /// UID of the earlier CloudApplication.
    pub from: String,
}

impl ApplicationIdentity {
    /// Labels that name the application on tenant objects and volumes.
    pub(super) fn labels(&self) -> [(&'static str, Cow<'_, str>); 4] {
        let Self { name, uid, filing_namespace, region } = self;
        [
            (keys::APPLICATION, label_value(name)),
            (keys::APPLICATION_UID, Cow::Borrowed(uid)),
            (keys::DEPARTMENT, label_value(filing_namespace)),
            (keys::REGION, label_value(region)),
        ]
    }
}
