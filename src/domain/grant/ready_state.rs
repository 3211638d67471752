//! What can be wrong with a tenant namespace (design, section 5).

use super::LiveNamespace;
use crate::bilingual::bilingual;
use crate::finding::Finding;
use crate::reason::Reason;
use crate::record::ReadyState;

/// The namespace is another's, or was replaced (design, section 5).
pub(super) fn taken(name: &str, live: Option<&LiveNamespace>) -> ReadyState {
    let uid = live.map(|n| n.uid.clone()).unwrap_or_default();
    let finding = Finding::NamespaceTaken(name.to_owned(), uid);
    ReadyState::Stalled(finding.reason(), finding.text())
}

/// The namespace is being deleted outside an exit.
pub(super) fn terminating(name: &str) -> ReadyState {
    ReadyState::Stalled(
        Reason::NamespaceTerminating,
        bilingual!("命名空间 {name} 正在被删除", "namespace {name} is being deleted"),
    )
}

/// A namespace that was made is gone: it is not made again behind the department's back (S3).
pub(super) fn lost(name: &str) -> ReadyState {
    ReadyState::Stalled(
        Reason::NamespaceLost,
        bilingual!(
            "命名空间 {name} 已不存在；不会自动重建，请主管部门与使用部门核实",
            "namespace {name} is gone; it is not made again by itself. The authority and the department must look into it"
        ),
    )
}
