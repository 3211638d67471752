//! ResourceGrant: the work order to the provider and what is granted (Art. 13).

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::adoption::{Adoption, ExistingRef};
use super::quota::Quota;
use super::record::RecordStatus;
use super::tenancy::Access;
pub use super::tenancy::Restriction;
use super::tenancy::TenantNamespace;
use super::time::Instant;

/// 开通工单: exactly what was approved, from which the tenant objects are made. Named as its application.
#[derive(CustomResource, Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq)]
#[kube(
    group = "govcloud.dev",
    version = "v1alpha1",
    kind = "ResourceGrant",
    plural = "resourcegrants",
    namespaced,
    shortname = "grant",
    category = "govcloud",
    status = "ResourceGrantStatus",
    derive = "PartialEq",
    doc = "开通工单: what was approved and is granted (Art. 13). Written by the operator, or by the provider where the Region says ProviderApplied.",
    validation = Rule::new("self.metadata.name == self.spec.application.name").message("工单须与其申请同名 / a grant bears its application's name"),
    printcolumn(name = "Region", type_ = "string", json_path = ".spec.region"),
    printcolumn(name = "Approved-By", type_ = "string", json_path = ".spec.approved.kind"),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Waiting-On", type_ = "string", json_path = ".status.waitingOn"),
    printcolumn(name = "For", type_ = "string", json_path = ".status.waitingFor"),
    printcolumn(name = "Until", type_ = "string", json_path = ".status.dueDate"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].message", priority = 1)
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.region == oldSelf.region").message("所属区域不能更改 / the region cannot change"),
    validation = Rule::new("self.application.name == oldSelf.application.name").message("工单不能转给别的申请 / a grant cannot be moved to another application"),
)]
pub struct ResourceGrantSpec {
    /// Code of the Region; immutable.
    #[schemars(length(max = 64))]
    #[x_kube(validation = Rule::new("self.matches('^[1-9][0-9]{5}$')").message("须为六位行政区划代码（GB/T 2260），如 410000 / must be the six-digit GB/T 2260 code of a region, such as 410000"))]
    pub region: String,
    /// The application that it is for. The name is immutable; the UID changes where a recreated record took its namespaces back.
    pub application: ApplicationRef,
    /// The approval that it carries out.
    pub approved: ApprovalRef,
    /// Granted namespaces.
    #[schemars(length(min = 1, max = 64), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub namespaces: Vec<GrantedNamespace>,
    /// Access to those namespaces, since a change replaced that of the application; absent before (Art. 15).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32), extend("x-kubernetes-list-type" = "atomic"))]
    pub access: Option<Vec<Access>>,
}

/// A CloudApplication by name and UID.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationRef {
    /// Name, in the same namespace.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// UID.
    #[schemars(length(min = 1, max = 64))]
    pub uid: String,
}

/// Which kind of record an approval is on.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub enum ApprovalKind {
    /// The application itself.
    CloudApplication,
    /// A resource adjustment.
    ChangeRequest,
}

/// An approved record, down to the very spec.
#[derive(Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalRef {
    /// Its kind.
    pub kind: ApprovalKind,
    /// Its name, in the same namespace.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// Its UID.
    #[schemars(length(min = 1, max = 64))]
    pub uid: String,
    /// The generation that was decided on.
    pub generation: i64,
    /// Digest of the spec that was decided on (`status.decision.digest`).
    #[schemars(length(max = 128))]
    #[x_kube(validation = Rule::new("self.matches('^sha256:[0-9a-f]{64}$')").message("须照抄记录的 status.decision.digest / copy it from the record's status.decision.digest"))]
    pub digest: String,
}

/// Grant for one namespace.
#[derive(Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct GrantedNamespace {
    /// Entry name.
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')").message("须为小写字母、数字和连字符，首尾不得为连字符，如 prod / lower-case letters, digits and hyphens, none of them at either end, such as prod"))]
    pub name: String,
    /// Hard limits by ResourceQuota key.
    pub quota: Quota,
    /// StorageClass that the provider assigns; one of the Region's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub storage_class: Option<String>,
    /// The existing namespace that is adopted for this entry, as approved (Art. 3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub existing: Option<ExistingRef>,
}

/// Phase of a grant.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq, IntoStaticStr)]
pub enum GrantPhase {
    /// Waits for the approval that it names.
    Pending,
    /// Is not what was approved; nothing is made from it.
    Refused,
    /// Tenant objects are being made.
    Applying,
    /// In force.
    Active,
    /// The application has exited.
    Released,
}

impl GrantPhase {
    /// Returns true if the grant is at its end.
    #[must_use]
    pub fn is_over(self) -> bool {
        self == Self::Released
    }
}

/// A grant as it was carried out.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ResourceGrantStatus {
    /// Phase of the grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<GrantPhase>,
    /// Fields that every record has.
    #[serde(flatten)]
    pub record: RecordStatus,
    /// The approval that is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_force: Option<ApprovalRef>,
    /// Since when it is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_force_since: Option<Instant>,
    /// End of the grant: the application has exited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released_at: Option<Instant>,
    /// Granted namespaces that are in force.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub granted: Vec<GrantedNamespace>,
    /// Access that is in force, where a change replaced that of the application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32), extend("x-kubernetes-list-type" = "atomic"))]
    pub access: Option<Vec<Access>>,
    /// The tenant namespaces, by entry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["entry"]))]
    pub namespaces: Vec<TenantNamespace>,
    /// Progress of the adoption; absent where no namespace is adopted (Art. 3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adoption: Option<Adoption>,
    /// Restriction of the tenant namespaces by an exit.
    #[serde(default)]
    pub restriction: Restriction,
    /// Digest of the differences while the grant is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 80))]
    pub refusal_digest: Option<String>,
}

crate::filed::filed!(ResourceGrant: ResourceGrantStatus);
