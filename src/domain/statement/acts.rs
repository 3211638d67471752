//! What people do with a published bill: the department confirms its digest, the provider objects, the authority decides
//! (Art. 6, 26).

use super::{
    ARTICLE, Act, Actor, Clock, ClockChange, ClosedReason, Evaluation, Finding, LifecycleEvent, Obligation,
    Party, PauseReason, Phase, Progress, Refusal, Reread, Signed,
};
use crate::plan::RequiredReads;
use govcloud_api::keys;
use govcloud_api::record::Verdict;
use govcloud_api::statement::{Confirmation, Objection};

/// Most characters of a reason; the schema says the same.
const REASON_MAX: usize = 4096;

impl Evaluation<'_> {
    /// Takes what is annotated on the published bill.
    pub(super) fn act(&mut self) -> Result<(), Reread> {
        if self.is_published() {
            self.take_confirmation();
            self.take_objection();
        }
        if self.builder.take_decision(&self.seen.meta, &self.seen.region_context, ARTICLE) {
            self.seen.region_context.require(RequiredReads::REFERENCES)?;
        }
        self.take_verdict();
        Ok(())
    }

    /// Returns true if status has the bill whose digest the spec names: acts are on that bill.
    fn is_published(&self) -> bool {
        let digest = self.status.bill.as_ref().and_then(|bill| bill.digest.as_ref());
        digest.is_some() && digest == self.seen.record.spec.digest.as_ref()
    }

    fn annotation(&self, key: &str) -> Option<&String> {
        self.seen.meta.annotations.get(key).filter(|value| !value.trim().is_empty())
    }

    /// The department's confirmation, of exactly the present digest.
    fn take_confirmation(&mut self) {
        if self.status.confirmation.is_some() {
            return;
        }
        let (Some(named), Some(current)) =
            (self.annotation(keys::CONFIRM).cloned(), self.seen.record.spec.digest.clone())
        else {
            return;
        };
        let by = self.annotation(keys::CONFIRMED_BY).cloned().unwrap_or_default();
        let by: String = by.chars().take(512).collect();
        match self.apply(&Act::Confirm(Signed { digest: named.clone(), by: by.clone() })) {
            Ok(()) => {
                let event = LifecycleEvent::Confirmed(named);
                self.builder.record_event(event, Actor::person(&by, Party::Department), Some(6));
            }
            Err(Refusal::AnotherDigest { .. }) => {
                let named = named.chars().take(80).collect();
                self.findings.push(Finding::OtherDigest(named, current));
            }
            Err(_) => {}
        }
    }

    /// The provider's objection, which stands until it is removed.
    fn take_objection(&mut self) {
        let reason = self.annotation(keys::OBJECTION).map(|r| r.chars().take(REASON_MAX).collect::<String>());
        let by = self.annotation(keys::OBJECTED_BY).cloned().unwrap_or_default();
        let by: String = by.chars().take(512).collect();
        let known = self.status.objection.as_ref().map(|objection| objection.reason.clone());
        match (reason, known) {
            (Some(reason), None) if self.apply(&Act::Object { reason: reason.clone() }).is_ok() => {
                let actor = Actor::person(&by, Party::Provider);
                self.builder.record_event(LifecycleEvent::Objected(reason), actor, Some(ARTICLE));
            }
            (Some(reason), Some(known)) if known != reason => {
                let at = self.now.into();
                self.status.objection = Some(Objection { reason: reason.clone(), by: by.clone(), at });
                let actor = Actor::person(&by, Party::Provider);
                self.builder.record_event(LifecycleEvent::Objected(reason), actor, Some(ARTICLE));
            }
            (None, Some(_)) if self.apply(&Act::WithdrawObjection).is_ok() => {
                let actor = Actor::unnamed(Party::Provider);
                self.builder.record_event(LifecycleEvent::ObjectionWithdrawn, actor, Some(ARTICLE));
            }
            _ => {}
        }
    }

    /// Carries the recorded decision out, if it is on this generation and was not carried out before.
    fn take_verdict(&mut self) {
        let Some(decision) = self.builder.status.decision.clone() else { return };
        let answered = decision.generation != self.seen.meta.generation || self.phase() == Phase::Returned;
        if decision.void.is_some() || answered {
            return;
        }
        let digest = self.seen.record.spec.digest.clone().unwrap_or_default();
        let signed = Signed { digest, by: decision.by.clone() };
        match self.apply(&Act::Decide(decision.verdict, signed)) {
            Ok(()) if decision.verdict == Verdict::Approved => {
                let bill = self.status.bill.as_ref();
                let (total, currency) =
                    bill.map(|b| (b.total.clone(), b.currency.clone())).unwrap_or_default();
                let actor = Actor::person(&decision.by, Party::Authority);
                self.builder.record_event(LifecycleEvent::Settled(total, currency), actor, Some(ARTICLE));
            }
            Ok(()) => {}
            Err(refusal) => {
                let (meta, context) = (&self.seen.meta, &self.seen.region_context);
                self.builder.void_decision(meta, context, &refusal.text(), ARTICLE);
            }
        }
    }

    /// The state that the state machine knows.
    pub(super) fn progress(&self) -> Progress {
        let confirmed = self.status.confirmation.as_ref();
        Progress {
            phase: self.phase(),
            digest: self.status.bill.as_ref().and_then(|bill| bill.digest.clone()),
            confirmed: confirmed.map(|c| Signed { digest: c.digest.clone(), by: c.by.clone() }),
            objection: self.status.objection.as_ref().map(|o| o.reason.clone()),
            settled: None,
        }
    }

    /// Carries an act out, with what it does to the clocks.
    ///
    /// # Errors
    /// If the act is not allowed. Nothing changes then.
    pub(super) fn apply(&mut self, act: &Act) -> Result<(), Refusal> {
        let (next, clocks) = self.progress().act(act)?;
        self.status.phase = Some(next.phase);
        let at = self.now.into();
        self.status.confirmation = next.confirmed.map(|signed| match self.status.confirmation.take() {
            Some(known) if known.digest == signed.digest => known,
            _ => Confirmation { digest: signed.digest, by: signed.by, at },
        });
        let by = self.annotation(keys::OBJECTED_BY).cloned().unwrap_or_default();
        self.status.objection = next.objection.map(|reason| match self.status.objection.take() {
            Some(known) => known,
            None => Objection { reason, by: by.chars().take(512).collect(), at },
        });
        for change in clocks {
            self.change_clock(change);
        }
        Ok(())
    }

    fn change_clock(&mut self, change: ClockChange) {
        let Some(calendar) = self.seen.region_context.calendar() else { return };
        match change {
            // `keep_clocks` opens what the phase asks for, late too where there was no calendar.
            ClockChange::Open(_) => {}
            ClockChange::Pause(clock) => {
                self.builder.pause(obligation(clock), Party::Authority, PauseReason::Objection, calendar);
            }
            ClockChange::Resume(clock) => self.builder.resume(obligation(clock), calendar),
            ClockChange::Meet(clock) => self.builder.meet(obligation(clock), self.now, calendar),
            ClockChange::Close(clock) => {
                self.builder.drop_clock(obligation(clock), ClosedReason::BillSuperseded);
            }
        }
    }

    /// Runs the clocks that the phase asks for.
    pub(super) fn keep_clocks(&mut self) {
        let Some((settings, calendar)) = self.counting() else { return };
        let (confirm, settle) = (settings.confirm_working_days, settings.settle_working_days);
        let objection = self.status.objection.is_some();
        match self.phase() {
            Phase::AwaitingConfirmation => {
                self.builder.run_clock(Obligation::Confirm, confirm, calendar);
                if objection {
                    let party = Party::Authority;
                    self.builder.pause(Obligation::Confirm, party, PauseReason::Objection, calendar);
                    self.builder.run_clock(Obligation::Settle, settle, calendar);
                }
            }
            Phase::AwaitingDecision => self.builder.run_clock(Obligation::Settle, settle, calendar),
            Phase::Open | Phase::Returned | Phase::Settled | Phase::Voided => {}
        }
    }
}

fn obligation(clock: Clock) -> Obligation {
    match clock {
        Clock::Confirm => Obligation::Confirm,
        Clock::Settle => Obligation::Settle,
    }
}
