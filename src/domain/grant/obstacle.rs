//! Obstacles: what keeps an order from being carried out until people have looked into it (design, section 5; S3).

use super::Observed;
use crate::adoption::obstacles;
use crate::bilingual::bilingual;
use crate::existing_namespace::ExistingNamespace;
use crate::finding::Finding;
use crate::reason::Reason;
use crate::record::ReadyState;
use crate::tenancy::{NamespaceReport, NamespaceState, TenancyOrder};
use govcloud_api::grant::ResourceGrantSpec;

/// The Region of the grant does not exist.
pub(super) fn unknown_region(spec: &ResourceGrantSpec) -> ReadyState {
    ReadyState::from(&Finding::UnknownRegion(spec.region.clone()))
}

/// The state of a grant whose namespace is an obstacle.
pub(super) fn obstacle(seen: &Observed, order: &TenancyOrder, namespace: &NamespaceReport) -> ReadyState {
    let NamespaceReport { name, uid, state, .. } = namespace;
    match state {
        NamespaceState::Terminating => ReadyState::Stalled(
            Reason::NamespaceTerminating,
            bilingual!("命名空间 {name} 正在被删除", "namespace {name} is being deleted"),
        ),
        NamespaceState::Lost => ReadyState::Stalled(
            Reason::NamespaceLost,
            bilingual!(
                "命名空间 {name} 已不存在；不会自动重建，请主管部门与使用部门核实",
                "namespace {name} is gone; it is not made again by itself. The authority and the department must look into it"
            ),
        ),
        NamespaceState::Taken
        | NamespaceState::InForce
        | NamespaceState::QuotaPending
        | NamespaceState::Drifted
        | NamespaceState::Released => {
            let taken = || Finding::NamespaceTaken(name.clone(), uid.clone().unwrap_or_default());
            ReadyState::from(&not_adopted(seen, order, namespace).unwrap_or_else(taken))
        }
    }
}

/// Why a running system's namespace cannot be adopted, although that was approved: it changed since (Art. 3).
fn not_adopted(seen: &Observed, order: &TenancyOrder, namespace: &NamespaceReport) -> Option<Finding> {
    let ordered = order.namespaces.iter().find(|ordered| ordered.name == namespace.name)?;
    let live = seen.namespaces.iter().find(|live| live.name() == namespace.name)?;
    let found = ExistingNamespace::read(&live.namespace.object);
    let asked = &ordered.adoption.as_ref()?.existing;
    let found = obstacles(asked, Some(&found), &order.application.uid);
    found.into_iter().next().map(Finding::Adoption)
}
