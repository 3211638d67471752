//! Charges: what each application owes for each item (Art. 26). Exact; nothing is rounded here.
//!
//! The days of a bill fall into spans with one edition and one month. In a span, a charge is
//! `unit-days × price ÷ days of the price`, so that a full month costs the price itself.

use std::collections::{BTreeMap, BTreeSet};

use bigdecimal::num_bigint::BigInt;
use govcloud_api::catalog::Period;
use jiff::civil::Date;

use super::catalog::{Basis, Edition, Editions, Item, NANO};
use super::export::{ApplicationRecord, ManualRecord};
use super::gap::{Gap, GapReason, Remark, RemarkReason};
use super::history::{History, Interval, Subject};
use super::money::Fraction;
use super::period::{Charged as _, Days, Month, Proration};
use crate::quantity::Quantity;

/// What one application owes for one item under one edition.
pub(super) struct Charge<'a> {
    pub subject: &'a Subject,
    pub item: &'a Item,
    pub edition: &'a Edition,
    /// Units times days.
    pub unit_days: Fraction,
    /// Days that the price is for.
    pub of_days: Fraction,
}

impl Charge<'_> {
    /// The amount, exact.
    pub fn exact(&self) -> Fraction {
        &self.unit_days * self.item.price.exact() / &self.of_days
    }
}

/// Days in a row with one edition, in one month.
pub(super) struct Span<'a> {
    pub days: Days,
    pub edition: Option<&'a Edition>,
}

/// Charges, and what was found on the way.
#[derive(Default)]
pub(super) struct Charges<'a> {
    pub charges: Vec<Charge<'a>>,
    pub gaps: BTreeSet<Gap>,
    pub remarks: BTreeSet<Remark>,
}

/// One application in one span.
struct Metered<'m> {
    intervals: &'m [&'m Interval],
    /// Seconds of each interval that are charged.
    seconds: Vec<i64>,
    /// Recorded quantities that reach into the span.
    manual: Vec<&'m ManualRecord>,
    days: Days,
    proration: Proration,
}

/// Spans of some days.
pub(super) fn spans(days: Days, editions: &Editions) -> Vec<Span<'_>> {
    let mut spans: Vec<Span<'_>> = Vec::new();
    for day in days.iter() {
        let edition = editions.on(day);
        let goes_on = |span: &&mut Span<'_>| {
            Month::of(span.days.to) == Month::of(day)
                && span.edition.map(|e| &e.name) == edition.map(|e| &e.name)
        };
        match spans.last_mut().filter(goes_on) {
            Some(span) => span.days.to = day,
            None => spans.push(Span { days: Days { from: day, to: day }, edition }),
        }
    }
    spans
}

/// Charges of every application, by name, UID, span and code of the item.
pub(super) fn charges<'a>(
    history: &'a History,
    subjects: &'a BTreeMap<&'a str, Subject>,
    manual: &'a [ManualRecord],
    spans: &[Span<'a>],
    proration: Proration,
) -> Charges<'a> {
    let mut by_subject: BTreeMap<&'a Subject, (Vec<&Interval>, BTreeSet<&ManualRecord>)> = BTreeMap::new();
    let mut charges = Charges::default();
    for interval in &history.intervals {
        by_subject.entry(&*interval.subject).or_default().0.push(interval);
    }
    for record in manual {
        match subjects.get(&*record.application_uid) {
            Some(subject) => {
                by_subject.entry(subject).or_default().1.insert(record);
            }
            None => charges.unusable(record, ""),
        }
    }
    for (subject, (intervals, manual)) in &by_subject {
        for span in spans {
            let metered = Metered::of(intervals, manual, span.days, proration);
            charges.add(subject, &metered, span.edition);
        }
    }
    charges
}

impl<'a> Charges<'a> {
    /// Adds the charges of one application in one span.
    fn add(&mut self, subject: &'a Subject, metered: &Metered, edition: Option<&'a Edition>) {
        if metered.manual.is_empty() && metered.seconds.iter().all(|seconds| *seconds == 0) {
            return;
        }
        let Some(edition) = edition else {
            let names = vec![metered.days.from.to_string(), metered.days.to.to_string()];
            self.gaps.insert(Gap::general(GapReason::NoEdition, names));
            return;
        };
        for record in &metered.manual {
            let item = edition.items.iter().find(|i| i.code == record.item && i.basis == Basis::Manual);
            if item.is_none() || manual_units(record).is_none() {
                self.unusable(record, &subject.name);
            }
        }
        for item in &edition.items {
            self.note_unbounded(subject, metered, item);
            let total = metered.total(item);
            if total != BigInt::ZERO {
                let (unit_days, of_days) =
                    (item.unit_days(total), days_of_price(item.per, metered.days.from));
                self.charges.push(Charge { subject, item, edition, unit_days, of_days });
            }
        }
    }

    /// Records namespaces whose quota does not bound a priced key.
    fn note_unbounded(&mut self, subject: &Subject, metered: &Metered, item: &Item) {
        if item.basis != Basis::Granted {
            return;
        }
        for (interval, seconds) in metered.intervals.iter().zip(&metered.seconds) {
            if *seconds > 0 && !interval.amounts.contains_key(&item.key) {
                self.remarks.insert(Remark {
                    reason: RemarkReason::Unbounded,
                    application: subject.name.clone(),
                    namespace_uid: interval.namespace_uid.clone(),
                    item: item.code.clone(),
                });
            }
        }
    }

    /// Records a quantity that cannot be billed.
    fn unusable(&mut self, record: &ManualRecord, application: &str) {
        self.gaps.insert(Gap {
            reason: GapReason::ManualUnusable,
            application: application.to_owned(),
            application_uid: record.application_uid.clone(),
            names: vec![record.item.clone(), record.from.to_string()],
        });
    }
}

impl<'m> Metered<'m> {
    fn of(
        intervals: &'m [&'m Interval],
        manual: &BTreeSet<&'m ManualRecord>,
        days: Days,
        proration: Proration,
    ) -> Self {
        let seconds = intervals.iter().map(|i| proration.charged(i.since, i.until, days)).collect();
        let manual = manual.iter().copied().filter(|record| manual_seconds(record, days) > 0).collect();
        Self { intervals, seconds, manual, days, proration }
    }

    /// Sum of nano units times seconds that an item is charged for.
    fn total(&self, item: &Item) -> BigInt {
        match item.basis {
            Basis::Granted => self.sum(|interval| interval.amounts.get(&item.key).copied().unwrap_or(0)),
            Basis::PerNamespace => self.sum(|_| NANO),
            Basis::PerApplication => {
                let in_force = union(self.intervals).into_iter();
                let charged = in_force.map(|(since, until)| self.proration.charged(since, until, self.days));
                BigInt::from(NANO) * charged.sum::<i64>()
            }
            Basis::Manual => {
                let records = self.manual.iter().filter(|record| record.item == item.code);
                records
                    .map(|r| BigInt::from(manual_units(r).unwrap_or(0)) * manual_seconds(r, self.days))
                    .sum()
            }
        }
    }

    fn sum(&self, amount: impl Fn(&Interval) -> i128) -> BigInt {
        let charged = self.intervals.iter().zip(&self.seconds).filter(|(_, seconds)| **seconds > 0);
        charged.map(|(interval, seconds)| BigInt::from(amount(interval)) * *seconds).sum()
    }
}

/// Times in which any of the namespaces was in force.
fn union(intervals: &[&Interval]) -> Vec<(i64, Option<i64>)> {
    let mut times: Vec<_> = intervals.iter().map(|i| (i.since, i.until)).collect();
    times.sort_unstable();
    let mut union: Vec<(i64, Option<i64>)> = Vec::new();
    for (since, until) in times {
        match union.last_mut().filter(|(_, last)| last.is_none_or(|last| last >= since)) {
            Some((_, last)) => *last = last.zip(until).map(|(a, b)| a.max(b)),
            None => union.push((since, until)),
        }
    }
    union
}

/// Days that a price is for, at a day: those of its month or year, or a 24th of one.
fn days_of_price(per: Period, day: Date) -> Fraction {
    let whole = |days: i64| Fraction::from_integer(days.into());
    match per {
        Period::Hour => Fraction::new(1.into(), 24.into()),
        Period::Day => whole(1),
        Period::Month => whole(day.days_in_month().into()),
        Period::Year => whole(day.days_in_year().into()),
    }
}

/// Nano units of a recorded quantity; `None` if it is no number of zero or more.
fn manual_units(record: &ManualRecord) -> Option<i128> {
    let units: Quantity = record.units.parse().ok()?;
    (!units.is_negative()).then(|| units.nanos())
}

/// Seconds of the days that a recorded quantity shares with a span.
fn manual_seconds(record: &ManualRecord, days: Days) -> i64 {
    let shared = Days { from: days.from.max(record.from.0), to: days.to.min(record.to.0) };
    (shared.end() - shared.start()).max(0)
}

/// Applications with a record, by UID.
pub(super) fn subjects(records: &[ApplicationRecord]) -> BTreeMap<&str, Subject> {
    records.iter().map(|record| (&*record.uid, Subject::of(record))).collect()
}
