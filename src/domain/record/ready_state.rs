//! How a record stands, and the standings that every kind knows.

use super::super::decision::PolicyIntegrity;
use super::super::finding::{Bilingual, Finding};
use govcloud_api::record::RecordStatus;

/// How a record stands, as `Ready`, `Reconciling` and `Stalled` say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadyState {
    /// At rest as it should be.
    Ready(&'static str, Bilingual),
    /// On its way, or waiting for somebody's act.
    Reconciling(&'static str, Bilingual),
    /// Somebody must mend something first.
    Stalled(&'static str, Bilingual),
}

impl ReadyState {
    /// What holds a record up that waits for its decision, if anything does.
    #[must_use]
    pub fn before_decision(
        findings: &[Finding],
        status: &RecordStatus,
        guard: &PolicyIntegrity,
    ) -> Option<Self> {
        let void = status.decision.as_ref().is_some_and(|d| d.void.is_some());
        let finding = findings.first().map(|f| Self::Stalled(f.reason(), f.text()));
        finding.or_else(|| Self::guard_open(guard)).or_else(|| void.then(Self::decision_void))
    }

    /// The policies that guard decisions do not stand: no gate opens (design, section 3).
    #[must_use]
    pub fn guard_open(guard: &PolicyIntegrity) -> Option<Self> {
        let PolicyIntegrity::Violated(why) = guard else { return None };
        let list = why.join(", ");
        let text = Bilingual::new(
            format!("审批策略不完整,此间的审核意见无效,任何关口均不放行:{list}"),
            format!(
                "the approval policies are not in place; decisions made meanwhile are void and no gate opens: {list}"
            ),
        );
        Some(Self::Stalled("GuardOpen", text))
    }

    /// The decision that stands does not count.
    #[must_use]
    pub fn decision_void() -> Self {
        let text =
            Bilingual::new("审核意见无效,待重新审核", "the decision does not count; it must be made anew");
        Self::Stalled("DecisionVoid", text)
    }

    /// The spec is another than the one that was approved (S7).
    #[must_use]
    pub fn spec_altered() -> Self {
        let text = Bilingual::new(
            "批准后申请内容被改动,停止办理;恢复为批准时的内容后继续",
            "the spec was altered after its approval; nothing is done from it until it is again as approved",
        );
        Self::Stalled("SpecAltered", text)
    }

    /// The API server refused a write.
    #[must_use]
    pub fn write_refused(why: &str) -> Self {
        let text = Bilingual::new(format!("写入被拒:{why}"), format!("a write was refused: {why}"));
        Self::Stalled("WriteRefused", text)
    }
}
