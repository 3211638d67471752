//! Ready state of a record, and the states that every kind knows.

use super::super::finding::{Bilingual, Finding};
use super::super::integrity::PolicyIntegrity;
use crate::bilingual::bilingual;
use crate::integrity::PolicyViolation;
use crate::plan::WriteFailure;
use crate::reason::Reason;
use crate::region_context::RegionContext;
use govcloud_api::record::RecordStatus;

/// State of a record, as `Ready`, `Reconciling` and `Stalled` report it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadyState {
    /// At rest as it should be.
    Ready(Reason, Bilingual),
    /// On its way, or waiting for somebody's act.
    Reconciling(Reason, Bilingual),
    /// Waiting for somebody to correct something.
    Stalled(Reason, Bilingual),
}

impl From<&Finding> for ReadyState {
    fn from(finding: &Finding) -> Self {
        Self::Stalled(finding.reason(), finding.text())
    }
}

impl ReadyState {
    /// Obstacle of a record that waits for its decision, if there is one.
    #[must_use]
    pub fn before_decision(
        findings: &[Finding],
        status: &RecordStatus,
        context: &RegionContext,
    ) -> Option<Self> {
        let invalid = status.decision.as_ref().is_some_and(|d| d.void.is_some());
        let finding = findings.first().map(Self::from);
        finding
            .or_else(|| Self::policies_violated(&context.integrity))
            .or_else(|| invalid.then(Self::decision_invalid))
    }

    /// State while the admission policies are missing or altered: approvals do not count (design, section 3).
    #[must_use]
    pub fn policies_violated(integrity: &PolicyIntegrity) -> Option<Self> {
        let PolicyIntegrity::Violated(why) = integrity else { return None };
        let texts: Vec<Bilingual> = why.iter().map(PolicyViolation::text).collect();
        let Bilingual { zh, en } = Bilingual::list(&texts);
        let text = bilingual!(
            "审批策略不完整，此间的审核结论无效，审批一律不生效：{zh}",
            "the approval policies are incomplete; decisions made meanwhile are invalid: {en}"
        );
        Some(Self::Stalled(Reason::PolicyIntegrityViolated, text))
    }

    /// State of a record with an invalid decision.
    #[must_use]
    pub fn decision_invalid() -> Self {
        let text =
            Bilingual::new("审核结论无效，待重新审核", "the decision is invalid; it must be made anew");
        Self::Stalled(Reason::DecisionVoid, text)
    }

    /// State of a record whose spec changed after its approval (S7).
    #[must_use]
    pub fn spec_altered() -> Self {
        let text = Bilingual::new(
            "批准后申请内容被改动，停止办理；恢复为批准时的内容后继续",
            "the spec was altered after its approval; nothing is done from it until it is again as approved",
        );
        Self::Stalled(Reason::SpecAltered, text)
    }

    /// State after a write was refused, or did not stay.
    #[must_use]
    pub fn write_failed(failure: &WriteFailure) -> Self {
        match failure {
            WriteFailure::Refused(why) => {
                let Bilingual { zh, en } = Bilingual::of_refusal(why);
                let text = bilingual!("写入被拒：{zh}", "a write was refused: {en}");
                Self::Stalled(Reason::WriteRefused, text)
            }
            WriteFailure::Altered(paths) => Self::Stalled(
                Reason::WriteAltered,
                bilingual!(
                    "写入的内容被其他策略或者程序改动，未能保持：{paths}；每分钟重新写入一次",
                    "what is written does not stay, for another policy or controller alters it: {paths}; it is written again once a minute"
                ),
            ),
        }
    }
}
