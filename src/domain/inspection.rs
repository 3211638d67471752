//! Inspection: findings of the authority, answers of the inspected party, and the decision that closes it (Art. 25).

use std::sync::Arc;

use jiff::{Timestamp, ToSpan as _};

use super::calendar::{Calendar, china_date, end_of};
use super::deadline::DeadlineClock as _;
use super::decision;
use super::finding::{Bilingual, Finding};
use super::lifecycle_event::LifecycleEvent;
use super::plan::{Plan, RequiredReads};
use super::reason::Reason;
use super::record::{Actor, Meta, OPERATOR, PauseReason, ReadyState, StatusBuilder};
use super::region_context::{RegionContext, Reread};
use crate::bilingual::bilingual;
use govcloud_api::deadline::{Deadline, Obligation, Party};
use govcloud_api::inspection::{
    FindingStatus, Inspection, InspectionFinding, InspectionPhase as Phase, InspectionStatus,
};
use govcloud_api::period::Period;
use govcloud_api::record::{Verdict, WaitingFor};
use govcloud_api::time::CivilDate;

/// The article that asks for everything here.
const ARTICLE: i32 = 25;

/// Objects that are read to decide on an inspection.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Metadata of the record.
    pub meta: Meta,
    /// The inspection.
    pub record: Arc<Inspection>,
    /// Its Region.
    pub region_context: RegionContext,
}

/// Decides on an inspection.
#[must_use]
pub fn decide(seen: &Observed, now: Timestamp) -> Plan<InspectionStatus> {
    let unseen = InspectionStatus::default();
    let stored = seen.record.status.as_ref().unwrap_or(&unseen);
    let (builder, status) = StatusBuilder::split(stored, seen.meta.generation, now);
    let party = Party::from(seen.record.spec.inspected);
    let mut evaluation = Evaluation { seen, now, builder, status, party };
    let filed = LifecycleEvent::FindingsIssued(seen.record.spec.findings.len());
    evaluation.builder.record_filing_as(filed, &seen.meta, Party::Authority, ARTICLE);
    evaluation.builder.verify_decision(&seen.meta, &seen.region_context, ARTICLE);
    let findings = seen.region_context.findings(&seen.record.spec.region);
    evaluation.builder.set_valid_condition(&findings);
    if let Err(Reread(reads)) = evaluation.advance() {
        return Plan::reread(reads, stored.clone());
    }
    evaluation.run_clocks();
    evaluation.set_ready_conditions(&findings);
    let Evaluation { builder, status, .. } = evaluation;
    builder.finish(status, stored, Vec::new(), ARTICLE)
}

/// An inspection that is being decided on.
struct Evaluation<'a> {
    seen: &'a Observed,
    now: Timestamp,
    builder: StatusBuilder,
    status: InspectionStatus,
    party: Party,
}

impl Evaluation<'_> {
    /// Takes decision and answers. Nothing but an approval closes an inspection.
    fn advance(&mut self) -> Result<(), Reread> {
        self.start_clocks();
        let meta = &self.seen.meta;
        if self.builder.take_decision(meta, &self.seen.region_context, ARTICLE) {
            self.seen.region_context.require(RequiredReads::REFERENCES)?;
            self.take_return();
        }
        let closed = decision::approved(&self.builder.status, &meta.digest).map(|d| d.at.timestamp());
        if let Some(at) = closed {
            self.close(at);
            return Ok(());
        }
        self.status.closed_at = None;
        self.take_responses();
        self.keep_clocks();
        let unanswered = self.unanswered().count();
        self.status.unanswered = Some(i32::try_from(unanswered).unwrap_or(i32::MAX));
        let wanting = self.status.returned.is_some_and(|n| self.total() <= n);
        self.status.phase = Some(match unanswered {
            0 => Phase::AwaitingDecision,
            _ if wanting => Phase::Returned,
            _ => Phase::Rectifying,
        });
        Ok(())
    }

    /// Starts the clock of each finding, from the filing on.
    fn start_clocks(&mut self) {
        let Some(calendar) = self.seen.region_context.calendar() else { return };
        let from = self.seen.meta.created_at.map_or(self.now, |c| c.min(self.now));
        for finding in &self.seen.record.spec.findings {
            if self.status.findings.iter().any(|f| f.id == finding.id) {
                continue;
            }
            let deadline = clock(finding, self.party, from, calendar);
            self.status.findings.push(FindingStatus { id: finding.id.clone(), responses: 0, deadline });
        }
    }

    /// Records what lay before the authority when it returned the answers: all of them where it decided on the present
    /// generation, else those that were seen before.
    fn take_return(&mut self) {
        let Some(decision) = self.builder.status.decision.as_ref() else { return };
        if decision.verdict != Verdict::Returned || decision.void.is_some() {
            return;
        }
        let present = decision.generation >= self.seen.meta.generation;
        let all = i32::try_from(self.seen.record.spec.responses.len()).unwrap_or(i32::MAX);
        self.status.returned = Some(if present { all } else { self.total() });
    }

    /// Number of answers that were seen.
    fn total(&self) -> i32 {
        self.status.findings.iter().map(|f| f.responses).sum()
    }

    /// Records answers that were added.
    fn take_responses(&mut self) {
        for finding in &mut self.status.findings {
            let given = self.seen.record.spec.responses.iter().filter(|r| r.finding == finding.id).count();
            let given = i32::try_from(given).unwrap_or(i32::MAX);
            for _ in finding.responses..given {
                let responded = LifecycleEvent::Responded(finding.id.clone());
                self.builder.record_event(responded, Actor::unnamed(self.party), Some(ARTICLE));
            }
            finding.responses = given;
        }
    }

    /// Findings that the inspected party has to answer. A new answer after a return brings all that were ever answered
    /// before the authority again.
    fn unanswered(&self) -> impl Iterator<Item = &FindingStatus> {
        let wanting = self.status.returned.is_some_and(|n| self.total() <= n);
        self.status.findings.iter().filter(move |f| f.responses == 0 || wanting)
    }

    /// A clock stands while the authority is waited on, and runs on while the inspected party is.
    fn keep_clocks(&mut self) {
        let Some(calendar) = self.seen.region_context.calendar() else { return };
        let open: Vec<String> = self.unanswered().map(|f| f.id.clone()).collect();
        for finding in &mut self.status.findings {
            let moved = if open.contains(&finding.id) {
                finding.deadline.resume(self.now, calendar)
            } else {
                finding.deadline.pause(self.now, Party::Authority, PauseReason::Decision.as_ref(), calendar)
            };
            self.builder.moved(moved);
        }
    }

    /// 办结: the authority is satisfied.
    fn close(&mut self, at: Timestamp) {
        if self.status.phase == Some(Phase::Closed) {
            return;
        }
        self.take_responses();
        self.status.phase = Some(Phase::Closed);
        self.status.closed_at = Some(at.into());
        self.status.unanswered = None;
        let Some(calendar) = self.seen.region_context.calendar() else { return };
        let mut latest = None;
        for finding in &mut self.status.findings {
            if let Some(met) = finding.deadline.meet(at, calendar) {
                latest = latest.max(met.working_days_late);
                self.builder.moved(met.moved);
            }
        }
        let met = LifecycleEvent::Met(Obligation::Rectification, latest);
        self.builder.record_event_at(met, OPERATOR, Some(ARTICLE), at);
    }

    /// Runs the clocks of the findings as those of a record.
    fn run_clocks(&mut self) {
        let of_record = std::mem::take(&mut self.builder.status.deadlines);
        self.builder.status.deadlines = self.status.findings.iter().map(|f| f.deadline.clone()).collect();
        self.builder.run_clocks(self.seen.region_context.calendar());
        let run = std::mem::replace(&mut self.builder.status.deadlines, of_record);
        for (finding, deadline) in self.status.findings.iter_mut().zip(run) {
            finding.deadline = deadline;
        }
    }

    /// Sets the awaited act and the ready conditions.
    fn set_ready_conditions(&mut self, findings: &[Finding]) {
        let phase = self.status.phase.unwrap_or(Phase::Rectifying);
        let (party, act) = match phase {
            _ if self.builder.invalid_decision() => (Party::Authority, Some(WaitingFor::NewDecision)),
            Phase::Rectifying | Phase::Returned => (self.party, Some(WaitingFor::Rectification)),
            Phase::AwaitingDecision => (Party::Authority, Some(WaitingFor::Decision)),
            Phase::Closed => (Party::None, None),
        };
        self.builder.wait_on(party, act, None);
        if act == Some(WaitingFor::Rectification) {
            let due = self.unanswered().map(|f| f.deadline.due_date.0).min();
            self.builder.status.due_date = due.map(|d| d.to_string());
        }
        let held = match phase {
            Phase::Closed => None,
            _ => ReadyState::before_decision(findings, &self.builder.status, &self.seen.region_context),
        };
        let state = held.unwrap_or_else(|| self.state(phase));
        self.builder.set_ready_conditions(&state);
    }

    /// Ready state in each phase.
    fn state(&self, phase: Phase) -> ReadyState {
        let open = self.status.unanswered.unwrap_or(0);
        match phase {
            Phase::Rectifying => ReadyState::Reconciling(
                Reason::Rectifying,
                bilingual!(
                    "{open} 项问题待整改答复（第二十五条）",
                    "{open} findings await their answers (Art. 25)"
                ),
            ),
            Phase::Returned => ReadyState::Reconciling(
                Reason::Returned,
                Bilingual::new(
                    "整改答复被退回，期限继续计算",
                    "the answers were returned; the periods run on",
                ),
            ),
            Phase::AwaitingDecision => ReadyState::Reconciling(
                Reason::AwaitingDecision,
                Bilingual::new(
                    "已全部答复，等待主管部门核查（第二十五条）",
                    "every finding is answered; awaiting the authority (Art. 25)",
                ),
            ),
            Phase::Closed => ReadyState::Ready(
                Reason::Closed,
                Bilingual::new("整改到位，已办结", "put right, and closed by the authority"),
            ),
        }
    }
}

/// Clock of a finding: working days from the filing, or a last day that the authority named. One that was over at the filing
/// counts from the day before it.
fn clock(finding: &InspectionFinding, party: Party, filed: Timestamp, calendar: &Calendar) -> Deadline {
    let open = |days, from| Deadline::open(Obligation::Rectification, days, from, calendar);
    let clock = match finding.due_date {
        Some(CivilDate(last)) => {
            let from = filed.min(end_of(last.saturating_sub(2.days())));
            let days = (last - china_date(from)).get_days();
            open(0, from).after_period(Period::days(days), calendar)
        }
        None => open(finding.working_days.unwrap_or(0), filed),
    };
    Deadline { party, item: Some(finding.id.clone()), ..clock }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The schema takes a period of 1 to 9999 days.
    #[test]
    fn art_25_a_named_last_day_may_be_over_or_years_ahead() {
        let calendar = crate::calendar::tests::cn();
        let filed = "2026-06-10T02:00:00Z".parse().unwrap();
        for (last, days) in [
            ("2026-05-12", 1),
            ("2026-06-09", 1),
            ("2026-06-10", 1),
            ("2026-06-11", 1),
            ("2026-06-12", 2),
            ("2035-06-12", 3289),
        ] {
            let finding: InspectionFinding = serde_json::from_value(serde_json::json!({
                "id": "1", "severity": "Low", "article": 24, "text": "t", "dueDate": last,
            }))
            .unwrap();
            let clock = clock(&finding, Party::Department, filed, &calendar);
            assert_eq!(clock.period, Some(Period::days(days)), "{last}");
            assert_eq!(clock.due_date.0.to_string(), last);
        }
    }
}
