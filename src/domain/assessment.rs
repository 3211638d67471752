//! Assessment: of the provider (Art. 27), and of a department's requests and use of resources (Art. 29).
//!
//! The operator takes the facts once the period is over. The authority scores each criterion of the Region's scheme. The
//! assessed party may object for some working days; an objection is answered before anything is published. Publication
//! (通报) is the authority's decision `approved`, by another person than who scored, and it is final.

use std::sync::Arc;

use govcloud_api::assessment::{Assessment, AssessmentPhase as Phase, AssessmentStatus, Disclosure, Subject};
use govcloud_api::deadline::Party;
use govcloud_api::record::Verdict;
use govcloud_api::region::Scheme;
use jiff::{SignedDuration, Timestamp};

use crate::calendar::end_of;
use crate::deadline::DeadlineClock as _;
use crate::decision;
use crate::digest::digest_of;
use crate::finding::Finding;
use crate::lifecycle_event::LifecycleEvent;
use crate::plan::{Plan, RequiredReads};
use crate::record::{Actor, ClosedReason, Meta, OPERATOR, StatusBuilder};
use crate::region_context::{RegionContext, Reread};
use crate::settlement::period::Days;
use crate::utilization::{self, MOST_ROWS, MeasuredNamespace, UseReadings};

pub mod facts;
mod finding;
mod ready_state;
pub mod scores;

pub use facts::{MaintenanceSeen, RecordView};
pub use finding::AssessmentFinding;

/// Wait after the end of a period until its facts are taken: what happened at its end is recorded by then, and Prometheus
/// has received its last samples.
pub const SETTLES: SignedDuration = SignedDuration::from_hours(1);

/// State of the reading of use.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum UseState {
    /// The operator has no Prometheus.
    #[default]
    Off,
    /// It was not read yet.
    Pending,
    /// It cannot be read, and why.
    Failed(String),
    /// It was read.
    Read(Arc<UseReadings>),
}

/// Objects that are read to decide on an assessment.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Metadata of the record.
    pub meta: Meta,
    /// The record.
    pub record: Arc<Assessment>,
    /// Its Region.
    pub region_context: RegionContext,
    /// Records of the assessed party; empty unless [`wants_facts`].
    pub records: Vec<RecordView>,
    /// Namespaces whose use is asked for; empty unless [`wants_use`].
    pub namespaces: Vec<MeasuredNamespace>,
    /// State of the reading of their use.
    pub measured: UseState,
}

/// Days of an assessment's period.
#[must_use]
pub fn period(record: &Assessment) -> Days {
    let period = record.spec.period;
    Days { from: period.from.0, to: period.to.0 }
}

/// Instant from which the facts of an assessment are taken.
#[must_use]
pub fn facts_due_at(record: &Assessment) -> Timestamp {
    let end = end_of(period(record).to);
    end.checked_add(SETTLES).unwrap_or(end)
}

/// Returns true if the facts of an assessment are to be taken: once its period is over, and anew where use is asked for
/// that they do not hold.
#[must_use]
pub fn wants_facts(record: &Assessment, now: Timestamp) -> bool {
    let status = record.status.as_ref();
    let over = status.and_then(|s| s.phase).is_some_and(Phase::is_over);
    let facts = status.and_then(|s| s.facts.as_ref());
    let complete = facts.is_some_and(|f| f.utilization.is_some() || !record.spec.measure_use);
    !over && !complete && now >= facts_due_at(record)
}

/// Returns true if the use of namespaces is to be read for an assessment.
#[must_use]
pub fn wants_use(record: &Assessment, now: Timestamp) -> bool {
    record.spec.measure_use && wants_facts(record, now)
}

/// Decides on an assessment.
#[must_use]
pub fn decide(seen: &Observed, now: Timestamp) -> Plan<AssessmentStatus> {
    let unseen = AssessmentStatus::default();
    let stored = seen.record.status.as_ref().unwrap_or(&unseen);
    let (builder, status) = StatusBuilder::split(stored, seen.meta.generation, now);
    let article = seen.record.spec.subject.article();
    let mut evaluation = Evaluation { seen, now, builder, status, article };
    evaluation.builder.record_filing(&seen.meta, Party::Authority, article);
    let phase = evaluation.verify_decision(stored.phase);
    let mut findings = Vec::new();
    if !phase.is_some_and(Phase::is_over) {
        evaluation.take_facts();
        evaluation.follow_objection();
        evaluation.disclose();
        findings = evaluation.findings();
        evaluation.builder.set_valid_condition(&findings);
        if let Err(Reread(reads)) = evaluation.review() {
            return Plan::reread(reads, stored.clone());
        }
    } else if evaluation.altered() {
        evaluation.builder.record_alteration(article);
    }
    evaluation.builder.run_clocks(seen.region_context.calendar());
    evaluation.set_ready_conditions(&findings);
    let Evaluation { builder, status, .. } = evaluation;
    builder.finish(status, stored, Vec::new(), article)
}

/// An assessment that is being decided on.
struct Evaluation<'a> {
    seen: &'a Observed,
    now: Timestamp,
    builder: StatusBuilder,
    status: AssessmentStatus,
    article: i32,
}

impl<'a> Evaluation<'a> {
    fn subject(&self) -> Subject {
        self.seen.record.spec.subject
    }

    /// Scheme of the Region for this subject.
    fn scheme(&self) -> Option<&'a Scheme> {
        let rules = self.seen.region_context.region.as_ref()?.spec().assessment.as_ref()?;
        match self.subject() {
            Subject::Provider => rules.provider.as_ref(),
            Subject::Department => rules.department.as_ref(),
        }
    }

    /// Verifies the recorded decision. Without a valid one the assessment is as before its review.
    fn verify_decision(&mut self, phase: Option<Phase>) -> Option<Phase> {
        self.builder.verify_decision(&self.seen.meta, &self.seen.region_context, self.article);
        let decided = matches!(phase, Some(Phase::Published | Phase::Rejected));
        if !decided || !self.builder.undecided() {
            return phase;
        }
        self.status.published_at = None;
        self.status.phase = None;
        None
    }

    /// Takes the facts, once the period is over and the use that was asked for was read.
    fn take_facts(&mut self) {
        let record = &self.seen.record;
        if !wants_facts(record, self.now) {
            self.builder.wake = Some(facts_due_at(record)).filter(|at| *at > self.now);
            return;
        }
        let Some(region) = &self.seen.region_context.region else { return };
        let rule = region.spec().assessment.as_ref().and_then(|rules| rules.low_use.as_ref());
        let used = match (&self.seen.measured, record.spec.measure_use) {
            (_, false) => None,
            (UseState::Read(readings), true) if self.rows() <= MOST_ROWS => {
                Some(utilization::utilization(&self.seen.namespaces, period(record), readings, rule))
            }
            (_, true) => return,
        };
        let facts = facts::take(self.subject(), period(record), self.now, &self.seen.records, used);
        let event = LifecycleEvent::FactsTaken(facts.digest.clone());
        self.builder.record_event(event, OPERATOR, Some(self.article));
        self.status.facts = Some(facts);
    }

    /// Number of rows that the use of the namespaces takes.
    fn rows(&self) -> usize {
        utilization::rows(self.seen.namespaces.len(), period(&self.seen.record))
    }

    /// Follows the right to object: an objection and its answer are recorded, and the right lapses.
    fn follow_objection(&mut self) {
        let (spec, right) = (&self.seen.record.spec, self.subject().objection());
        let article = Some(self.article);
        if let (Some(objection), None) = (&spec.objection, self.status.objected_at) {
            self.status.objected_at = Some(self.now.into());
            self.builder.drop_clock(right, ClosedReason::Objected);
            let objected = LifecycleEvent::Objected(objection.reason.clone());
            self.builder.record_event(objected, Actor::unnamed(self.subject().party()), article);
        }
        if let (Some(answer), Some(_), None) =
            (&spec.answer, self.status.objected_at, self.status.answered_at)
        {
            self.status.answered_at = Some(self.now.into());
            let answered = LifecycleEvent::ObjectionAnswered(answer.text.clone());
            self.builder.record_event(answered, Actor::unnamed(Party::Authority), article);
        }
        if self.builder.clock(right).is_some_and(|clock| clock.is_overdue(self.now)) {
            self.builder.drop_clock(right, ClosedReason::NotObjected);
            self.builder.record_event(LifecycleEvent::ObjectionPeriodEnded, OPERATOR, article);
        }
    }

    /// Computes the total, and shows facts and scores to the assessed party, which may object from then on. Where scores
    /// change before it objected, it may object to the new ones for as long.
    fn disclose(&mut self) {
        let spec = &self.seen.record.spec;
        let right = self.subject().objection();
        let scheme = self.scheme();
        let total = scheme.and_then(|scheme| scores::total(scheme, &spec.scores));
        self.status.total = total.map(scores::written);
        self.status.coefficient =
            scheme.zip(total).and_then(|(scheme, total)| scores::coefficient(scheme, total));
        if self.status.objected_at.is_some() || self.builder.returned_and_unanswered() {
            return;
        }
        let facts = self.status.facts.as_ref().map(|facts| facts.digest.clone());
        let shown = total.zip(facts).and_then(|(total, facts)| digest_of(&(facts, total, &spec.scores)).ok());
        if shown == self.status.disclosed.as_ref().map(|disclosed| disclosed.digest.clone()) {
            return;
        }
        let Some((region, calendar)) = self.seen.region_context.counting() else { return };
        self.builder.drop_clock(right, ClosedReason::ScoresChanged);
        self.status.disclosed = shown.map(|digest| Disclosure { at: self.now.into(), digest });
        let (Some(_), Some(total), Some(rules)) = (&self.status.disclosed, total, &region.assessment) else {
            return;
        };
        self.builder.start_clock(right, rules.objection_working_days, self.now, calendar);
        let scored = LifecycleEvent::Scored(scores::written(total));
        self.builder.record_event(scored, OPERATOR, Some(self.article));
    }

    /// Everything that keeps it from being published.
    fn findings(&self) -> Vec<Finding> {
        use AssessmentFinding as F;
        let spec = &self.seen.record.spec;
        let mut found = Vec::new();
        match self.scheme() {
            None => found.push(F::SchemeMissing(spec.region.clone(), spec.subject)),
            Some(scheme) => {
                let unknown = scores::unknown(scheme, &spec.scores);
                found.extend((!unknown.is_empty()).then_some(F::UnknownCriterion(unknown)));
            }
        }
        found.extend(self.facts_finding());
        if let (Some(scheme), Some(_)) = (self.scheme(), &self.status.facts) {
            let missing = scores::missing(scheme, &spec.scores);
            found.extend((!missing.is_empty()).then_some(F::ScoresMissing(missing)));
        }
        let right = self.builder.clock(spec.subject.objection());
        let runs = right.filter(|clock| !clock.is_over());
        found.extend(runs.map(|clock| F::ObjectionPeriod(clock.due_date.0)));
        if self.status.objected_at.is_some() && self.status.answered_at.is_none() {
            found.push(F::ObjectionUnanswered);
        }
        let region = self.seen.region_context.findings(&spec.region);
        region.into_iter().chain(found.into_iter().map(Finding::Assessment)).collect()
    }

    /// What keeps the facts from being taken.
    fn facts_finding(&self) -> Option<AssessmentFinding> {
        use AssessmentFinding as F;
        let record = &self.seen.record;
        let facts = self.status.facts.as_ref();
        if facts.is_some_and(|facts| facts.utilization.is_some() || !record.spec.measure_use) {
            return None;
        }
        if record.spec.measure_use && self.seen.measured == UseState::Off {
            return Some(F::UseNotConfigured);
        }
        if self.now < facts_due_at(record) {
            return Some(F::PeriodRunning(record.spec.period.to.0));
        }
        match &self.seen.measured {
            _ if self.rows() > MOST_ROWS => Some(F::UseTooLong(self.rows())),
            UseState::Failed(why) if record.spec.measure_use => Some(F::UseUnavailable(why.clone())),
            _ => Some(F::FactsPending),
        }
    }

    /// Review by the authority: `approved` publishes.
    fn review(&mut self) -> Result<(), Reread> {
        let right = self.subject().objection();
        let decided = self.builder.decided(Verdict::Approved) || self.builder.decided(Verdict::Rejected);
        if self.seen.meta.withdrawn() && !decided {
            self.builder.drop_clock(right, ClosedReason::Withdrawn);
            let withdrawn = LifecycleEvent::PhaseChanged(Phase::Withdrawn.into());
            self.builder.record_event(withdrawn, Actor::unnamed(Party::Authority), Some(self.article));
            self.status.phase = Some(Phase::Withdrawn);
            return Ok(());
        }
        if self.builder.take_decision(&self.seen.meta, &self.seen.region_context, self.article) {
            self.seen.region_context.require(RequiredReads::REFERENCES)?;
        }
        if self.builder.decided(Verdict::Rejected) {
            self.builder.drop_clock(right, ClosedReason::Rejected);
            self.status.phase = Some(Phase::Rejected);
        } else if decision::approved(&self.builder.status, &self.seen.meta.digest).is_some() {
            self.status.phase = Some(Phase::Published);
            self.status.published_at = Some(self.now.into());
            let published = LifecycleEvent::Published(self.status.total.clone().unwrap_or_default());
            self.builder.record_event(published, OPERATOR, Some(self.article));
        } else {
            self.status.phase = Some(self.open_phase());
        }
        Ok(())
    }

    /// Phase of an assessment without a final decision.
    fn open_phase(&self) -> Phase {
        let clock = self.builder.clock(self.subject().objection());
        if self.builder.returned_and_unanswered() {
            Phase::Returned
        } else if self.facts_finding().is_some() {
            Phase::Collecting
        } else if self.status.objected_at.is_some() && self.status.answered_at.is_none() {
            Phase::Answering
        } else if self.status.total.is_none() {
            Phase::Scoring
        } else if clock.is_some_and(|clock| !clock.is_over()) {
            Phase::Objection
        } else {
            Phase::AwaitingDecision
        }
    }

    /// Returns true if the spec changed after it was published (S7).
    fn altered(&self) -> bool {
        self.builder.altered(&self.seen.meta)
    }
}

#[cfg(test)]
mod tests;
