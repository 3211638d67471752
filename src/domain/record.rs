//! Status parts that every record shares: conditions, awaited party, clocks, timeline.
//!
//! Each kind's `decide` begins a [`StatusBuilder`] from the stored status, records events and conditions in it, and
//! finishes it into a [`Plan`].

use jiff::Timestamp;

use super::decision;
use super::finding::{Bilingual, Finding};
use super::lifecycle_event::LifecycleEvent;
use super::plan::{Plan, Step};
use super::reason::Reason;
use govcloud_api::condition::{Condition, ConditionStatus, ConditionType};
use govcloud_api::deadline::{Obligation, Party};
use govcloud_api::filed::FiledStatus;
use govcloud_api::record::{RecordStatus, TimelineEntry, Verdict, WaitingFor};

mod actor;
mod clocks;
mod decisions;
pub mod durations;
mod meta;
mod ready_state;
mod timeline;

pub use actor::{Actor, OPERATOR};
pub use clocks::{ClosedReason, PauseReason};
pub use meta::{Meta, is_unanswered};
pub use ready_state::ReadyState;

/// Most entries that a timeline holds; the schema says the same.
pub const TIMELINE_MAX: usize = 256;

/// Status of a record while it is being decided on.
#[derive(Clone, Debug)]
pub struct StatusBuilder {
    /// The new status.
    pub status: RecordStatus,
    /// Events of this decision.
    pub events: Vec<LifecycleEvent>,
    /// Next wake-up.
    pub wake: Option<Timestamp>,
    /// UIDs of the namespaces that an earlier record left behind.
    pub found: Vec<String>,
    /// UIDs of the running systems' namespaces that it asks to adopt.
    pub existing: Vec<String>,
    generation: i64,
    now: Timestamp,
    in_order: bool,
}

impl StatusBuilder {
    /// Begins from a stored status; returns the kind's own part beside it.
    #[must_use]
    pub fn split<S: FiledStatus>(stored: &S, generation: i64, now: Timestamp) -> (Self, S) {
        let mut status = stored.clone();
        (Self::rewriting(std::mem::take(status.record_mut()), generation, now), status)
    }

    /// Begins from the part that every record shares.
    #[must_use]
    pub fn begin(stored: &RecordStatus, generation: i64, now: Timestamp) -> Self {
        Self::rewriting(stored.clone(), generation, now)
    }

    /// Begins on a copy of that part.
    #[must_use]
    pub fn rewriting(stored: RecordStatus, generation: i64, now: Timestamp) -> Self {
        let valid =
            |c: &Condition| c.type_ == ConditionType::Valid.as_ref() && c.status == ConditionStatus::True;
        let in_order =
            stored.conditions.iter().any(|c| valid(c) && c.observed_generation == Some(generation));
        Self {
            status: stored,
            events: Vec::new(),
            wake: None,
            found: Vec::new(),
            existing: Vec::new(),
            generation,
            now,
            in_order,
        }
    }

    /// Returns true on the first visit.
    #[must_use]
    pub fn first_visit(&self) -> bool {
        self.status.observed_at.is_none()
    }

    /// Records an event in the timeline, and as an Event (S12).
    pub fn record_event(&mut self, event: LifecycleEvent, actor: Actor, article: Option<i32>) {
        self.record_event_at(event, actor, article, self.now);
    }

    /// Records an event that happened at another instant than now.
    pub fn record_event_at(
        &mut self,
        event: LifecycleEvent,
        actor: Actor,
        article: Option<i32>,
        at: Timestamp,
    ) {
        let Actor { name, party } = actor;
        let entry = TimelineEntry {
            at: at.into(),
            actor: name.into_owned(),
            party,
            event: event.event().to_owned(),
            article,
            message: event.text().stored(2000),
            place: None,
        };
        timeline::append(&mut self.status, entry);
        self.events.push(event);
    }

    /// Sets one condition; `lastTransitionTime` moves only when its status does.
    pub fn condition(
        &mut self,
        type_: ConditionType,
        status: ConditionStatus,
        reason: Reason,
        message: &Bilingual,
    ) {
        let mut next = Condition {
            type_: type_.as_ref().to_owned(),
            status,
            observed_generation: Some(self.generation),
            last_transition_time: self.now.into(),
            reason: reason.to_string(),
            message: message.one_line().stored(8000),
        };
        match self.status.conditions.iter_mut().find(|c| c.type_ == type_.as_ref()) {
            Some(c) => {
                if c.status == next.status {
                    next.last_transition_time = c.last_transition_time;
                }
                *c = next;
            }
            None => self.status.conditions.push(next),
        }
    }

    /// Records a change of phase that no other event explains (S12).
    pub fn record_phase<P: PartialEq + Into<&'static str>>(
        &mut self,
        old: Option<P>,
        new: Option<P>,
        article: i32,
    ) {
        if old != new && self.events.is_empty() {
            let phase = new.map_or("", Into::into);
            self.record_event(LifecycleEvent::PhaseChanged(phase), OPERATOR, Some(article));
        }
    }

    /// Returns true if the spec is not the one that was approved: the policies did not hold (S7).
    #[must_use]
    pub fn altered(&self, meta: &Meta) -> bool {
        self.decided(Verdict::Approved) && decision::approved(&self.status, &meta.digest).is_none()
    }

    /// Records an altered spec once; nothing more is done from it (S1).
    pub fn record_alteration(&mut self, article: i32) {
        if !self.stalled_for(Reason::SpecAltered) {
            self.record_event(LifecycleEvent::SpecAltered, OPERATOR, Some(article));
        }
    }

    /// Returns true if the record was stalled for this reason at the last visit.
    #[must_use]
    pub fn stalled_for(&self, reason: Reason) -> bool {
        stalled(&self.status).is_some_and(|c| c.reason == reason.as_ref())
    }

    /// Returns true if there is no valid decision.
    #[must_use]
    pub fn undecided(&self) -> bool {
        self.status.decision.as_ref().is_none_or(|d| d.void.is_some())
    }

    /// Returns true if the recorded decision is invalid.
    #[must_use]
    pub fn invalid_decision(&self) -> bool {
        self.status.decision.as_ref().is_some_and(|d| d.void.is_some())
    }

    /// Returns true if a condition was set before.
    #[must_use]
    pub fn has_condition(&self, type_: ConditionType) -> bool {
        self.status.conditions.iter().any(|c| c.type_ == type_.as_ref())
    }

    /// Returns true if a condition is True.
    #[must_use]
    pub fn is(&self, type_: ConditionType) -> bool {
        self.status.conditions.iter().any(|c| c.type_ == type_.as_ref() && c.status == ConditionStatus::True)
    }

    /// Sets `Valid` from the findings (Art. 12): a record without any is valid.
    pub fn set_valid_condition(&mut self, findings: &[Finding]) {
        match findings.first() {
            None => self.condition(
                ConditionType::Valid,
                ConditionStatus::True,
                Reason::Valid,
                &Bilingual::new("材料齐全，符合要求", "complete and in order"),
            ),
            Some(first) => {
                let texts: Vec<Bilingual> = findings.iter().map(Finding::text).collect();
                let list = Bilingual::list(&texts);
                self.condition(ConditionType::Valid, ConditionStatus::False, first.reason(), &list);
            }
        }
    }

    /// Sets `Ready`, `Reconciling` and `Stalled`.
    pub fn set_ready_conditions(&mut self, state: &ReadyState) {
        use ConditionStatus::{False, True};
        let (ready, reconciling, stalled, reason, text) = match state {
            ReadyState::Ready(r, t) => (True, False, False, *r, t),
            ReadyState::Reconciling(r, t) => (False, True, False, *r, t),
            ReadyState::Stalled(r, t) => (False, False, True, *r, t),
        };
        self.condition(ConditionType::Ready, ready, reason, text);
        self.condition(ConditionType::Reconciling, reconciling, reason, text);
        self.condition(ConditionType::Stalled, stalled, reason, text);
    }

    /// Sets the awaited party and act, and the due date of the clock that runs for it.
    pub fn wait_on(&mut self, party: Party, act: Option<WaitingFor>, clock: Option<Obligation>) {
        self.status.waiting_on = party;
        self.status.waiting_for = act;
        let running = clock.and_then(|o| self.clock(o)).filter(|d| !d.is_over() && !d.is_paused());
        self.status.due_date = running.map(|d| d.due_date.to_string());
    }

    /// Records that the approval was published to the provider.
    pub fn record_notice(&mut self, article: i32) {
        self.status.notified_at = Some(self.now.into());
        self.record_event(LifecycleEvent::Notified, OPERATOR, Some(article));
    }

    /// The instant from which the provider's period counts.
    #[must_use]
    pub fn notified_at(&self) -> Timestamp {
        self.status.notified_at.map_or(self.now, |t| t.timestamp())
    }

    /// Records the withdrawal by the department and drops the review clock.
    pub fn record_withdrawal(&mut self) {
        self.drop_clock(Obligation::Review, ClosedReason::Withdrawn);
        self.record_event(LifecycleEvent::Withdrawn, Actor::unnamed(Party::Department), None);
    }

    /// Records filing, amendment and correction before an approval (Art. 11, 12). A generation that differs only in
    /// [`LATER_FIELDS`](super::digest::LATER_FIELDS) is no amendment: each of those is recorded by itself.
    pub fn record_filing(&mut self, meta: &Meta, party: Party, article: i32) {
        let by = || Actor::person(meta.requested_by(), party);
        let seen = self.status.observed_generation.unwrap_or(0);
        let digest = self.status.spec_digest.replace(meta.digest.clone());
        let later = digest.is_some_and(|d| d == meta.digest);
        // A status that only reports why nothing could be decided is no first visit.
        if self.first_visit() || self.status.timeline.is_empty() {
            let at = meta.created_at.filter(|c| *c <= self.now).unwrap_or(self.now);
            self.record_event_at(LifecycleEvent::Submitted, by(), Some(article), at);
        } else if seen != meta.generation && !later {
            match self.status.decision.as_ref().map(|d| (d.verdict, d.void.is_some())) {
                None => self.record_event(LifecycleEvent::Amended(meta.generation), by(), Some(article)),
                Some((Verdict::Returned, false)) => {
                    self.record_event(LifecycleEvent::Resubmitted(meta.generation), by(), Some(article))
                }
                Some(_) => {}
            }
        }
    }

    /// Records the filing of a record that does not change but in later fields, under an event of its own.
    pub fn record_filing_as(&mut self, event: LifecycleEvent, meta: &Meta, party: Party, article: i32) {
        self.status.spec_digest = Some(meta.digest.clone());
        if self.first_visit() || self.status.timeline.is_empty() {
            let at = meta.created_at.filter(|c| *c <= self.now).unwrap_or(self.now);
            self.record_event_at(event, Actor::person(meta.requested_by(), party), Some(article), at);
        }
    }

    /// Returns true if a returned record was not answered by a new generation yet (Art. 12).
    #[must_use]
    pub fn returned_and_unanswered(&self) -> bool {
        self.status.decision.as_ref().is_some_and(|d| {
            d.void.is_none() && d.verdict == Verdict::Returned && d.generation >= self.generation
        })
    }

    /// Returns true if the recorded decision is valid and has this verdict.
    #[must_use]
    pub fn decided(&self, verdict: Verdict) -> bool {
        self.status.decision.as_ref().is_some_and(|d| d.void.is_none() && d.verdict == verdict)
    }

    /// Finishes into a plan: the phase is recorded, and the shared part goes back into the kind's status.
    #[must_use]
    pub fn finish<S: FiledStatus>(
        mut self,
        mut status: S,
        stored: &S,
        steps: Vec<Step>,
        article: i32,
    ) -> Plan<S> {
        self.record_phase(stored.phase(), status.phase(), article);
        let (record, events, wake) = self.end(stored.record());
        *status.record_mut() = record;
        Plan { reread: None, steps, status, events, wake }
    }

    /// Finishes the shared part: `observedGeneration`, and `observedAt` where anything else changed.
    #[must_use]
    pub fn end(mut self, stored: &RecordStatus) -> (RecordStatus, Vec<LifecycleEvent>, Option<Timestamp>) {
        self.status.observed_generation = Some(self.generation);
        if self.status != *stored || stored.observed_at.is_none() {
            self.status.observed_at = Some(self.now.into());
        }
        (self.status, self.events, self.wake)
    }
}

/// The condition `Stalled`, where it is True.
#[must_use]
pub fn stalled(status: &RecordStatus) -> Option<&Condition> {
    let stalled =
        |c: &&Condition| c.type_ == ConditionType::Stalled.as_ref() && c.status == ConditionStatus::True;
    status.conditions.iter().find(stalled)
}
