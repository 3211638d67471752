//! Duties: what a party owes as compliance records, and how often. Each duty has a clock on its subject: the Region for the
//! platform, the application for a department (design, section 4).

use jiff::Timestamp;
use jiff::civil::Date;
use strum::IntoEnumIterator as _;

use crate::calendar::{Calendar, end_of};
use crate::deadline::DeadlineClock as _;
use crate::lifecycle_event::LifecycleEvent;
use crate::record::{ClosedReason, OPERATOR, StatusBuilder};
use govcloud_api::compliance::{
    ComplianceDuty, CompliancePhase, ComplianceRecord, ComplianceType, DutyParty, MetDuty,
};
use govcloud_api::deadline::{Deadline, Obligation, Party};
use govcloud_api::period::Period;

/// A compliance record that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The record, as the status of its subject names it.
    pub met: MetDuty,
    /// Since when it counts.
    pub recorded_at: Timestamp,
}

impl Evidence {
    /// The record as evidence; `None` where it does not count.
    #[must_use]
    pub fn of(record: &ComplianceRecord) -> Option<Self> {
        let status = record.status.as_ref().filter(|s| s.phase == Some(CompliancePhase::Recorded))?;
        let metadata = &record.metadata;
        let met = MetDuty {
            type_: record.spec.type_,
            namespace: metadata.namespace.clone().unwrap_or_default(),
            record: metadata.name.clone().unwrap_or_default(),
            uid: metadata.uid.clone().unwrap_or_default(),
            issued_on: record.spec.issued_on,
        };
        Some(Self { met, recorded_at: status.recorded_at?.timestamp() })
    }

    /// Place among the records of one kind: the latest by date of issue is the one in force.
    #[must_use]
    pub fn order(&self) -> (Date, Timestamp, &str) {
        (self.met.issued_on.0, self.recorded_at, &self.met.uid)
    }
}

/// The duties of one party at one subject.
#[derive(Clone, Copy, Debug)]
pub struct Duties<'a> {
    /// Duties of the Region, of whichever party.
    pub of_region: &'a [ComplianceDuty],
    /// The party.
    pub party: DutyParty,
    /// Records about the subject that count.
    pub evidence: &'a [Evidence],
    /// Begin of the duties: the clock of a first record starts here.
    pub since: Timestamp,
}

impl Duties<'_> {
    /// Starts, meets and ends the clocks; `met` lists the records that met the duties last.
    ///
    /// A duty is met by a later document than the last one that met it. One that is returned afterwards starts no clock
    /// anew: the record itself waits for its correction.
    pub fn keep(&self, builder: &mut StatusBuilder, met: &mut Vec<MetDuty>, calendar: &Calendar) {
        let (of_region, party) = (self.of_region, self.party);
        let own = || of_region.iter().filter(move |d| d.party == party);
        for type_ in ComplianceType::iter().filter(|t| own().all(|d| d.type_ != *t)) {
            builder.drop_clock(type_.obligation(), ClosedReason::NoLongerOwed);
            met.retain(|m| m.type_ != type_);
        }
        for duty in own() {
            self.keep_one(duty, builder, met, calendar);
        }
        met.sort_by_key(|m| m.type_);
    }

    fn keep_one(
        &self,
        duty: &ComplianceDuty,
        builder: &mut StatusBuilder,
        met: &mut Vec<MetDuty>,
        calendar: &Calendar,
    ) {
        let obligation = duty.type_.obligation();
        let of_type = self.evidence.iter().filter(|e| e.met.type_ == duty.type_);
        let latest = of_type.max_by(|a, b| a.order().cmp(&b.order()));
        let known = met.iter().find(|m| m.type_ == duty.type_).cloned();
        let is_new = |e: &&Evidence| {
            known.as_ref().is_none_or(|k| k.uid != e.met.uid && k.issued_on <= e.met.issued_on)
        };
        if let Some(new) = latest.filter(is_new) {
            builder.meet(obligation, new.recorded_at, calendar);
            met.retain(|m| m.type_ != duty.type_);
            met.push(new.met.clone());
            if let Some(every) = &duty.every {
                start(builder, duty, every, begin_of(new.met.issued_on.0), calendar);
            }
            return;
        }
        let runs = builder.clock(obligation).is_some_and(|d| !d.is_over());
        match (known, duty.every.as_ref(), duty.first.as_ref().or(duty.every.as_ref())) {
            // It became recurring, or was owed again.
            (Some(known), Some(every), _) if !runs => {
                start(builder, duty, every, begin_of(known.issued_on.0), calendar);
            }
            (None, _, Some(first)) if !runs => start(builder, duty, first, self.since, calendar),
            _ => {}
        }
    }
}

/// 00:00 in China of a day.
fn begin_of(date: Date) -> Timestamp {
    end_of(date.yesterday().unwrap_or(date))
}

/// Starts the clock of a duty, in place of an earlier one.
fn start(
    builder: &mut StatusBuilder,
    duty: &ComplianceDuty,
    period: &Period,
    from: Timestamp,
    calendar: &Calendar,
) {
    let (obligation, party) = (duty.type_.obligation(), Party::from(duty.party));
    let clock = Deadline::open(obligation, duty.working_days, from, calendar);
    let clock = clock.after_period(period.clone(), calendar);
    let clock = Deadline { party, article: duty.type_.article(party), ..clock };
    let started = LifecycleEvent::ClockStarted(obligation, party, clock.due_date.0, clock.provisional);
    builder.record_event(started, OPERATOR, Some(clock.article));
    builder.status.deadlines.retain(|d| d.obligation != obligation);
    builder.status.deadlines.push(clock);
}

/// Ends the clocks of all duties, because their subject is gone.
pub fn end_all(builder: &mut StatusBuilder) {
    for type_ in ComplianceType::iter() {
        builder.drop_clock(type_.obligation(), ClosedReason::Exited);
    }
}

/// The duty that its party was warned of or missed, and that is due first.
#[must_use]
pub fn pressing(builder: &StatusBuilder) -> Option<Obligation> {
    let of_duty = |d: &&Deadline| ComplianceType::iter().any(|t| t.obligation() == d.obligation);
    let warned = |d: &&Deadline| !d.is_over() && !d.notified.is_empty();
    let clocks = builder.status.deadlines.iter().filter(of_duty).filter(warned);
    clocks.min_by_key(|d| d.due_date.0).map(|d| d.obligation)
}

#[cfg(test)]
mod tests;
