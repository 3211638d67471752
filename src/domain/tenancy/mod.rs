//! The objects of a tenant: what an accepted grant becomes in the cluster (Art. 13), what access falls to on
//! the way out (Art. 16), and how drift from it is seen. One file per object.
//!
//! No object here has ownerReferences or finalizers: a record that is gone destroys nothing (S3).

use std::collections::BTreeMap;

pub mod access;
mod canonical;
pub mod drift;
mod letter;
pub mod limits;
pub mod namespace;
pub mod network;
pub mod object;
mod owner;
pub mod quota;
pub mod quota_delta;
mod storage_inventory;
pub mod volume_source;
pub mod volumes;

pub use access::{Access, AccessList, Role, SubjectKind};
pub use drift::{drift, extra, must_replace, removal_patch};
pub use letter::Letter;
pub use limits::{ContainerLimits, Limits};
pub use namespace::{Ownership, OwnershipLabels, PodSecurity, ownership};
pub use object::{Content, LiveObject, ObjectRef, TenantObject, Whole};
pub use owner::Owner;

/// UID of the CloudApplication. What carries it is ours (design, section 5); policy lets only the operator set it.
pub const LABEL_APPLICATION_UID: &str = "govcloud.dev/application-uid";
/// Name of the CloudApplication, as a label value.
pub const LABEL_APPLICATION: &str = "govcloud.dev/application";
/// The filing namespace, which stands for the department (使用部门).
pub const LABEL_DEPARTMENT: &str = "govcloud.dev/department";
/// GB/T 2260 code of the Region.
pub const LABEL_REGION: &str = "govcloud.dev/region";
/// Name of the entry in `spec.namespaces`.
pub const LABEL_ENTRY: &str = "govcloud.dev/entry";
/// Who keeps the object as it is.
pub const LABEL_MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// Value of [`LABEL_MANAGED_BY`], and the field manager of every apply.
pub const MANAGER: &str = "govcloud-operator";
/// On the tenant namespace: the storage classes a PVC may name, sorted, separated by commas. Policy reads it
/// through `namespaceObject` (S5); no quota can forbid a class that is not known beforehand.
pub const ANNOTATION_STORAGE_CLASSES: &str = "govcloud.dev/storage-classes";

/// One namespace of one application, with all that its objects follow from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tenant<'a> {
    /// The application that it belongs to.
    pub owner: &'a Owner<'a>,
    /// Name of the entry in `spec.namespaces`.
    pub entry: &'a str,
    /// Name of the tenant namespace ([`crate::names::tenant_namespace`]).
    pub namespace: &'a str,
    /// UID of the tenant namespace, once recorded. The apply then carries it, so that a namespace that was
    /// replaced behind our back is neither adopted nor created anew.
    pub namespace_uid: Option<&'a str>,
    /// What was granted, by quota key.
    pub quota: &'a BTreeMap<String, String>,
    /// The Region's level of Pod Security.
    pub pod_security: &'a PodSecurity<'a>,
    /// Storage classes a PVC may name.
    pub storage_classes: &'a [String],
    /// The Region's limits per container, if it has any.
    pub limit_range: Option<Limits<'a>>,
    /// Who may do what.
    pub access: &'a AccessList<'a>,
    /// Where in its life the namespace is.
    pub stage: Stage,
}

/// How far a tenant namespace is on its way out (design, section 6, step 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// In use.
    Active,
    /// Data is copied out: no new claims, everything else as it was, on the department's time.
    HandingOver,
    /// Awaits reclaim: no new claims, no new pods, everyone may only look. Running pods are left alone.
    Quiesced,
}

/// Every object of the tenant in the order it is applied: the namespace, what limits it, then who may enter.
pub fn desired<'a>(tenant: &Tenant<'a>) -> Vec<TenantObject<'a>> {
    each(tenant).collect()
}

/// The same, one after the other.
pub fn each<'a>(tenant: &Tenant<'a>) -> impl Iterator<Item = TenantObject<'a>> + use<'a> {
    let bounds = [Content::Namespace, Content::ResourceQuota].into_iter();
    let limits = tenant.limit_range.into_iter().map(Content::LimitRange);
    let network = network::rules().iter().map(Content::NetworkPolicy);
    let access = tenant.access.roles(tenant.stage).map(Content::RoleBinding);
    object::objects(tenant, bounds.chain(limits).chain(network).chain(access))
}

/// Whether a label is one of those that every object of a tenant carries.
fn is_label(key: &str) -> bool {
    matches!(
        key,
        LABEL_MANAGED_BY
            | LABEL_APPLICATION
            | LABEL_APPLICATION_UID
            | LABEL_DEPARTMENT
            | LABEL_ENTRY
            | LABEL_REGION
    )
}

/// Whether it is one of the kinds that the objects of a tenant are of.
#[must_use]
pub fn is_kind(kind: &str) -> bool {
    kind == "Namespace" || drift::REMOVABLE.contains(&kind)
}

#[cfg(test)]
mod tests;
