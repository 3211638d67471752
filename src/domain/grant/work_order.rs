//! The work order: the one ResourceGrant that says exactly what was approved (Art. 13, 15). The operator writes it,
//! or the provider applies it as `kubectl govcloud grant render` prints it.

use govcloud_api::grant::{
    ApplicationRef, ApprovalKind, ApprovalRef, GrantedNamespace, ResourceGrant, ResourceGrantSpec,
};
use govcloud_api::quota::NamespaceQuota;
use govcloud_api::record::Decision;
use govcloud_api::tenancy::Access;

/// The application that a work order is for.
#[derive(Clone, Copy, Debug)]
pub struct For<'a> {
    /// Its filing namespace.
    pub namespace: &'a str,
    /// Its name, which is the grant's too.
    pub name: &'a str,
    /// Its UID.
    pub uid: &'a str,
    /// Code of its Region.
    pub region: &'a str,
}

/// The work order that carries an approval out. `access` is that of a change, where one replaced the application's.
#[must_use]
pub fn work_order(
    application: For<'_>,
    approved: ApprovalRef,
    namespaces: Vec<GrantedNamespace>,
    access: Option<Vec<Access>>,
) -> ResourceGrant {
    let For { namespace, name, uid, region } = application;
    let application = ApplicationRef { name: name.to_owned(), uid: uid.to_owned() };
    let spec = ResourceGrantSpec { region: region.to_owned(), application, approved, namespaces, access };
    let mut grant = ResourceGrant::new(name, spec);
    grant.metadata.namespace = Some(namespace.to_owned());
    grant
}

/// The reference of a work order to the decision that it carries out.
#[must_use]
pub fn approval(kind: ApprovalKind, name: &str, uid: &str, decision: &Decision) -> ApprovalRef {
    ApprovalRef {
        kind,
        name: name.to_owned(),
        uid: uid.to_owned(),
        generation: decision.generation,
        digest: decision.digest.clone(),
    }
}

/// The namespaces of an application's first work order: as applied for, on the Region's first storage class.
#[must_use]
pub fn as_applied_for(namespaces: &[NamespaceQuota], class: Option<&String>) -> Vec<GrantedNamespace> {
    let granted = |n: &NamespaceQuota| GrantedNamespace {
        name: n.name.clone(),
        quota: n.quota.clone(),
        storage_class: class.cloned(),
        existing: n.existing.clone(),
    };
    namespaces.iter().map(granted).collect()
}
