//! Ready conditions of a change, and the awaited party.

use super::Evaluation;
use crate::finding::{Bilingual, Finding};
use crate::reason::Reason;
use crate::record::ReadyState;
use govcloud_api::application::ApplicationPhase;
use govcloud_api::change::ChangePhase as Phase;
use govcloud_api::deadline::{Obligation, Party};
use govcloud_api::record::WaitingFor;

impl Evaluation<'_> {
    /// Sets the awaited act and the ready conditions.
    pub(super) fn set_ready_conditions(&mut self, findings: &[Finding]) {
        let phase = self.status.phase.unwrap_or(Phase::Submitted);
        let below = if phase == Phase::Applying { self.below_use() } else { Vec::new() };
        let decided = matches!(phase, Phase::Applying | Phase::Scheduled | Phase::InProgress);
        let (party, act, clock) = match phase {
            Phase::Submitted if !findings.is_empty() => (self.filer(), Some(WaitingFor::Correction), None),
            Phase::Submitted if self.builder.invalid_decision() => {
                (Party::Authority, Some(WaitingFor::NewDecision), None)
            }
            Phase::Submitted => (Party::Authority, Some(WaitingFor::Decision), Some(Obligation::Review)),
            Phase::Returned => (self.filer(), Some(WaitingFor::Correction), None),
            _ if decided && self.altered() => (Party::Authority, Some(WaitingFor::Investigation), None),
            Phase::Applying if self.application_phase() >= Some(ApplicationPhase::Exiting) => {
                (Party::None, Some(WaitingFor::Decommission), None)
            }
            Phase::Applying if !below.is_empty() => (Party::Department, Some(WaitingFor::ReduceUse), None),
            Phase::Applying => (Party::Provider, Some(WaitingFor::Change), Some(Obligation::Change)),
            Phase::Scheduled => (Party::Provider, Some(WaitingFor::Maintenance), None),
            Phase::InProgress => {
                (Party::Provider, Some(WaitingFor::MaintenanceReport), Some(Obligation::MaintenanceReport))
            }
            Phase::Rejected | Phase::Withdrawn | Phase::Completed => (Party::None, None, None),
        };
        self.builder.wait_on(party, act, clock);
        let held = match phase {
            Phase::Submitted => {
                ReadyState::before_decision(findings, &self.builder.status, &self.seen.region_context)
            }
            _ if decided && self.altered() => Some(ReadyState::spec_altered()),
            Phase::Applying => Some(self.applying(&below)),
            _ => None,
        };
        self.builder.set_ready_conditions(&held.unwrap_or_else(|| state(phase)));
    }

    /// Phase of the application.
    pub(super) fn application_phase(&self) -> Option<ApplicationPhase> {
        self.seen.application.as_ref()?.1.status.as_ref()?.phase
    }

    /// Filing party: the department, or the provider for maintenance.
    fn filer(&self) -> Party {
        if self.maintenance.is_some() { Party::Provider } else { Party::Department }
    }
}

/// Ready state in each phase.
fn state(phase: Phase) -> ReadyState {
    match phase {
        Phase::Submitted => ReadyState::Reconciling(
            Reason::AwaitingDecision,
            Bilingual::new("等待主管部门审核", "awaiting the authority's review"),
        ),
        Phase::Returned => ReadyState::Reconciling(
            Reason::Returned,
            Bilingual::new("已退回，等待补正", "returned; awaiting correction"),
        ),
        Phase::Rejected => ReadyState::Stalled(
            Reason::Rejected,
            Bilingual::new("主管部门不同意", "rejected by the authority"),
        ),
        Phase::Withdrawn => ReadyState::Stalled(Reason::Withdrawn, Bilingual::new("已撤回", "withdrawn")),
        Phase::Applying => {
            ReadyState::Reconciling(Reason::Applying, Bilingual::new("正在变更", "being carried out"))
        }
        Phase::Scheduled => ReadyState::Reconciling(
            Reason::Scheduled,
            Bilingual::new("已批准，等待窗口（第十八条）", "approved; waits for its window (Art. 18)"),
        ),
        Phase::InProgress => ReadyState::Reconciling(
            Reason::InProgress,
            Bilingual::new(
                "平台调整实施中，等待结果报告",
                "maintenance is under way; its outcome is awaited",
            ),
        ),
        Phase::Completed => ReadyState::Ready(Reason::Completed, Bilingual::new("已办结", "completed")),
    }
}
