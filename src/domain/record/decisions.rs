//! The decision on a record: taken from its annotations, sealed, and verified at every visit (Art. 12; S1, S7).

use super::{Actor, Meta, StatusBuilder};
use crate::bilingual::Bilingual;
use crate::decision::{self, DecisionVerdict, InvalidDecision, Subject};
use crate::lifecycle_event::LifecycleEvent;
use crate::region_context::RegionContext;
use govcloud_api::deadline::{Obligation, Party};
use govcloud_api::record::{Decision, Verdict};

impl StatusBuilder {
    /// Makes sure that the operator recorded the decision that status has. One that it did not record is invalid,
    /// whatever else status says: somebody wrote it while the policies were not in place.
    pub fn verify_decision(&mut self, meta: &Meta, context: &RegionContext, article: i32) {
        let seal = &context.seal;
        let Some(recorded) = self.status.decision.as_mut().filter(|d| d.void.is_none()) else { return };
        if !seal.has_key() || seal.wrote(&meta.uid, recorded) {
            return;
        }
        let valid = seal.vouches_for(&meta.uid, recorded);
        let why = InvalidDecision::NotSealed;
        recorded.void = (!valid).then(|| why.stored());
        recorded.seal = seal.of_decision(&meta.uid, recorded);
        if !valid {
            let by = Actor::of_annotation(&recorded.by);
            self.record_event(LifecycleEvent::DecisionVoid(why.text()), by, Some(article));
        }
    }

    /// Evaluates the decision annotations and records a new decision (Art. 12). Returns true if the decision changed.
    pub fn take_decision(&mut self, meta: &Meta, context: &RegionContext, article: i32) -> bool {
        let subject = Subject { found: &self.found, existing: &self.existing, ..meta.subject(self.in_order) };
        let verdict = decision::rule(subject, &self.status, context.policies(), self.now);
        match &verdict {
            DecisionVerdict::New(d, None) => {
                let at = d.at.timestamp();
                if let Some(calendar) = context.calendar() {
                    self.meet(Obligation::Review, at, calendar);
                }
                let event = LifecycleEvent::decided(d.verdict, d.opinion.clone());
                self.record_event_at(event, Actor::person(&d.by, Party::Authority), Some(article), at);
                self.record_decision(meta, context, d);
            }
            DecisionVerdict::New(d, Some(why)) => {
                let by = Actor::of_annotation(&d.by);
                self.record_event(LifecycleEvent::DecisionVoid(why.text()), by, Some(article));
                self.record_decision(meta, context, d);
            }
            DecisionVerdict::Cleared => {
                self.status.decision = None;
                let authority = Actor::unnamed(Party::Authority);
                self.record_event(LifecycleEvent::DecisionCleared, authority, Some(article));
            }
            DecisionVerdict::Undecided
            | DecisionVerdict::Recorded
            | DecisionVerdict::SpecAltered
            | DecisionVerdict::Wait => {}
        }
        if self.decided(Verdict::Approved) || self.decided(Verdict::Rejected) {
            // No other decision follows, and its own seal vouches for it.
            self.status.period_seal = None;
        } else if context.intact() {
            self.status.period_seal = context.seal.of_period(&meta.uid);
        }
        matches!(verdict, DecisionVerdict::New(..) | DecisionVerdict::Cleared)
    }

    /// Marks the recorded decision as invalid, for a reason that only its kind knows.
    pub fn void_decision(&mut self, meta: &Meta, context: &RegionContext, why: &Bilingual, article: i32) {
        let Some(recorded) = self.status.decision.as_mut() else { return };
        recorded.void = Some(why.stored(1000));
        recorded.seal = context.seal.of_decision(&meta.uid, recorded);
        let by = Actor::of_annotation(&recorded.by);
        self.record_event(LifecycleEvent::DecisionVoid(why.clone()), by, Some(article));
    }

    /// Records a decision under the operator's seal.
    fn record_decision(&mut self, meta: &Meta, context: &RegionContext, decision: &Decision) {
        let seal = context.seal.of_decision(&meta.uid, decision);
        self.status.decision = Some(Decision { seal, ..decision.clone() });
    }
}
