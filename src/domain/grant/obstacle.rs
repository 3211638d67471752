//! Obstacles: what keeps an order from being carried out until people have looked into it (design, section 5; S3).

use crate::bilingual::bilingual;
use crate::finding::Finding;
use crate::reason::Reason;
use crate::record::ReadyState;
use crate::tenancy::{NamespaceReport, NamespaceState};
use govcloud_api::grant::ResourceGrantSpec;

/// The Region of the grant does not exist.
pub(super) fn unknown_region(spec: &ResourceGrantSpec) -> ReadyState {
    ReadyState::from(&Finding::UnknownRegion(spec.region.clone()))
}

/// The state of a grant whose namespace is an obstacle.
pub(super) fn obstacle(namespace: &NamespaceReport) -> ReadyState {
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
            ReadyState::from(&Finding::NamespaceTaken(name.clone(), uid.clone().unwrap_or_default()))
        }
    }
}
