//! Ready conditions of a statement, and the awaited party.

use super::{Bilingual, Evaluation, Finding, Obligation, Party, Phase, ReadyState, Reason};
use crate::bilingual::bilingual;
use govcloud_api::record::WaitingFor;

impl Evaluation<'_> {
    /// Sets the awaited act and the ready conditions. `writes` says that the digest is being written.
    pub(super) fn set_ready_conditions(&mut self, writes: bool) {
        let objected = self.status.objection.is_some();
        let invalid = self.builder.invalid_decision();
        let (party, act, clock) = match self.phase() {
            Phase::Open | Phase::Returned => (Party::None, Some(WaitingFor::Records), None),
            Phase::AwaitingConfirmation if objected => {
                (Party::Authority, Some(WaitingFor::Decision), Some(Obligation::Settle))
            }
            Phase::AwaitingConfirmation => {
                (Party::Department, Some(WaitingFor::Confirmation), Some(Obligation::Confirm))
            }
            Phase::AwaitingDecision if invalid => (Party::Authority, Some(WaitingFor::NewDecision), None),
            Phase::AwaitingDecision => {
                (Party::Authority, Some(WaitingFor::Decision), Some(Obligation::Settle))
            }
            Phase::Settled | Phase::Voided => (Party::None, None, None),
        };
        self.builder.wait_on(party, act, clock);
        let state = self.ready_state(writes);
        self.builder.set_ready_conditions(&state);
    }

    fn ready_state(&self, writes: bool) -> ReadyState {
        let context = &self.seen.region_context;
        if let Some(failure) = context.trouble.as_ref().filter(|_| writes) {
            return ReadyState::write_failed(failure);
        }
        if self.phase() == Phase::Settled && self.builder.altered(&self.seen.meta) {
            return ReadyState::spec_altered();
        }
        if self.is_over() {
            return over(self.phase());
        }
        let before = ReadyState::before_decision(&[], &self.builder.status, context);
        let finding = self.findings.iter().find(|finding| **finding != Finding::NotConfirmed);
        let finding = finding.map(|finding| match finding {
            Finding::MonthBeforeOpen(_) => ReadyState::Reconciling(finding.reason(), finding.text()),
            other => ReadyState::from(other),
        });
        before.or(finding).unwrap_or_else(|| self.waiting())
    }

    /// State of a statement that waits for somebody's act.
    fn waiting(&self) -> ReadyState {
        match (self.phase(), &self.status.objection) {
            (Phase::AwaitingConfirmation, None) => ReadyState::Reconciling(
                Reason::AwaitingConfirmation,
                Bilingual::new("等待使用部门核对确认", "awaiting the department's confirmation"),
            ),
            (Phase::AwaitingConfirmation | Phase::AwaitingDecision, Some(objection)) => {
                let reason = &objection.reason;
                let text = bilingual!(
                    "服务提供方有异议，等待主管部门审核：{reason}",
                    "the provider objects, awaiting the authority's decision: {reason}"
                );
                ReadyState::Reconciling(Reason::Objected, text)
            }
            (Phase::AwaitingDecision, None) => ReadyState::Reconciling(
                Reason::AwaitingDecision,
                Bilingual::new("等待主管部门结算", "awaiting the authority's settlement"),
            ),
            (Phase::Returned, _) => ReadyState::Reconciling(
                Reason::Returned,
                Bilingual::new(
                    "已退回；相关记录更正后重新计算",
                    "returned; the bill is computed anew once the records are put right",
                ),
            ),
            (Phase::Open, _) => ReadyState::Reconciling(
                Reason::Applying,
                Bilingual::new("正在计算账单", "the bill is being computed"),
            ),
            (phase @ (Phase::Settled | Phase::Voided), _) => over(phase),
        }
    }
}

/// State at the end.
fn over(phase: Phase) -> ReadyState {
    match phase {
        Phase::Voided => ReadyState::Stalled(
            Reason::Rejected,
            Bilingual::new(
                "主管部门不同意，本月未结算",
                "rejected by the authority; the month is not settled",
            ),
        ),
        _ => ReadyState::Ready(Reason::Settled, Bilingual::new("已结算", "settled")),
    }
}
