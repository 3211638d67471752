//! Ready conditions of an assessment, and the awaited party.

use govcloud_api::assessment::AssessmentPhase as Phase;
use govcloud_api::condition::ConditionType;
use govcloud_api::deadline::{Obligation, Party};
use govcloud_api::record::WaitingFor;

use super::Evaluation;
use crate::bilingual::Bilingual;
use crate::finding::Finding;
use crate::reason::Reason;
use crate::record::ReadyState;
use crate::utilization;

impl Evaluation<'_> {
    /// Sets the awaited act, the ready conditions, and what became of measuring use.
    pub(super) fn set_ready_conditions(&mut self, findings: &[Finding]) {
        let phase = self.status.phase.unwrap_or(Phase::Collecting);
        let mends: Vec<Finding> = findings.iter().filter(|finding| !is_wait(finding)).cloned().collect();
        let (party, act, clock) = match self.awaited(phase) {
            _ if self.altered() => (Party::Authority, Some(WaitingFor::Investigation), None),
            _ if !mends.is_empty() => (Party::Authority, Some(WaitingFor::Correction), None),
            awaited => awaited,
        };
        self.builder.wait_on(party, act, clock);
        let open = !phase.is_over();
        let held = match open {
            true => ReadyState::before_decision(&mends, &self.builder.status, &self.seen.region_context),
            false => self.altered().then(ReadyState::spec_altered),
        };
        let waits = findings.iter().find(|finding| open && is_wait(finding));
        let waits = waits.filter(|_| phase != Phase::Returned);
        let waits = waits.map(|finding| ReadyState::Reconciling(finding.reason(), finding.text()));
        self.builder.set_ready_conditions(&held.or(waits).unwrap_or_else(|| state(phase)));
        if let Some(measured) = self.status.facts.as_ref().and_then(|facts| facts.utilization.as_ref()) {
            let (status, reason, text) = utilization::verdict(measured);
            self.builder.condition(ConditionType::UseMeasured, status, reason, &text);
        }
    }

    /// Party and act that a phase waits for, with its clock.
    fn awaited(&self, phase: Phase) -> (Party, Option<WaitingFor>, Option<Obligation>) {
        let subject = self.seen.record.spec.subject;
        match phase {
            Phase::Collecting => (Party::None, Some(WaitingFor::Facts), None),
            Phase::Scoring => (Party::Authority, Some(WaitingFor::Scores), None),
            Phase::Objection => (subject.party(), Some(WaitingFor::Objection), Some(subject.objection())),
            Phase::Answering => (Party::Authority, Some(WaitingFor::ObjectionAnswer), None),
            Phase::AwaitingDecision if self.builder.invalid_decision() => {
                (Party::Authority, Some(WaitingFor::NewDecision), None)
            }
            Phase::AwaitingDecision => (Party::Authority, Some(WaitingFor::Decision), None),
            Phase::Returned => (Party::Authority, Some(WaitingFor::Correction), None),
            Phase::Published | Phase::Rejected | Phase::Withdrawn => (Party::None, None, None),
        }
    }
}

fn is_wait(finding: &Finding) -> bool {
    matches!(finding, Finding::Assessment(of) if of.is_wait())
}

/// Ready state in each phase, where no finding says more.
fn state(phase: Phase) -> ReadyState {
    match phase {
        Phase::Collecting => ReadyState::Reconciling(
            Reason::FactsPending,
            Bilingual::new("正在采集考评事实", "the facts of the period are being taken"),
        ),
        Phase::Scoring => ReadyState::Reconciling(
            Reason::ScoresMissing,
            Bilingual::new("等待主管部门评分", "awaiting the authority's scores"),
        ),
        Phase::Objection => ReadyState::Reconciling(
            Reason::ObjectionPeriod,
            Bilingual::new("异议期内", "the assessed party may object"),
        ),
        Phase::Answering => ReadyState::Reconciling(
            Reason::ObjectionUnanswered,
            Bilingual::new("等待主管部门答复异议", "awaiting the authority's answer to the objection"),
        ),
        Phase::AwaitingDecision => ReadyState::Reconciling(
            Reason::AwaitingDecision,
            Bilingual::new("等待主管部门通报", "awaiting the authority's decision to publish"),
        ),
        Phase::Returned => ReadyState::Reconciling(
            Reason::Returned,
            Bilingual::new("已退回，等待改正", "returned; awaiting correction"),
        ),
        Phase::Published => {
            ReadyState::Ready(Reason::Published, Bilingual::new("考评结果已通报", "published"))
        }
        Phase::Rejected => {
            ReadyState::Stalled(Reason::Rejected, Bilingual::new("不予通报", "not to be published"))
        }
        Phase::Withdrawn => ReadyState::Stalled(Reason::Withdrawn, Bilingual::new("已撤回", "withdrawn")),
    }
}
