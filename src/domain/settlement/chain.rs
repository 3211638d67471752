//! Chain of one application: what was in force from when to when, and where the records do not join (Art. 13, 15, 16).
//!
//! Each change states the quotas before and after it. The chain holds if each `before` is what the one before it left, and
//! the last `after` is what the grant has. A change that was deleted leaves a joint that does not fit.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::export::{ApplicationRecord, ChangeRecord, ChargeUntil, ExitRecord, Quotas};
use super::gap::{Gap, GapReason};
use super::period::seconds;
use super::state::{Amounts, amounts};

/// Amounts of an application's namespaces, by entry.
pub(super) type Snapshot = BTreeMap<String, Arc<Amounts>>;

/// Name of the first state of a month, where the records before it are gone.
const OPENING: &str = "opening";

/// A state and what brought it about.
pub(super) struct Event {
    /// Instant from which it was in force.
    pub at: i64,
    /// State after it.
    pub after: Snapshot,
    name: String,
    before: Option<Snapshot>,
}

/// The events of one application, by time.
pub(super) struct Chain<'a> {
    /// The events.
    pub events: Vec<Event>,
    /// End of the charge, if the application exits.
    pub end: Option<i64>,
    record: &'a ApplicationRecord,
    granted: Option<Snapshot>,
    gaps: Vec<Gap>,
}

/// A joint that does not fit: from when to when nobody knows what was in force.
struct Break {
    since: i64,
    until: Option<i64>,
    gap: Gap,
}

impl<'a> Chain<'a> {
    /// Reads the chain of a record. Where it is broken at `start` or before, it resumes from the state that the month
    /// opened with.
    pub fn read(
        record: &'a ApplicationRecord,
        charge_until: ChargeUntil,
        opening: Option<&Snapshot>,
        start: i64,
    ) -> Self {
        let mut chain = Self { events: Vec::new(), end: None, record, granted: None, gaps: Vec::new() };
        chain.end = record.exit.as_ref().and_then(|exit| chain.end_of_charge(exit, charge_until));
        chain.granted = record.granted.as_ref().and_then(|quotas| chain.snapshot("ResourceGrant", quotas));
        if let Some(at) = record.provisioned_at {
            let after = chain.snapshot("CloudApplication", &record.approved).unwrap_or_default();
            chain.events.push(Event {
                at: seconds(at),
                after,
                name: "CloudApplication".to_owned(),
                before: None,
            });
        }
        for (at, change) in dated(&record.changes) {
            let before = Some(chain.snapshot(&change.name, &change.before).unwrap_or_default());
            let after = chain.snapshot(&change.name, &change.after).unwrap_or_default();
            chain.events.push(Event { at, after, name: change.name.clone(), before });
        }
        chain.resume(opening, start);
        chain
    }

    /// Gaps of the chain between two instants.
    pub fn gaps(&self, start: i64, end: i64) -> Vec<Gap> {
        let within = |b: &Break| b.since < end && b.until.is_none_or(|until| until > start);
        let mut gaps: Vec<Gap> = self.breaks().into_iter().filter(within).map(|b| b.gap).collect();
        if !gaps.is_empty() {
            let undated = self.record.changes.iter().filter(|change| change.applied_at.is_none());
            gaps.extend(undated.map(|change| self.gap(GapReason::ChangeUndated, [&*change.name])));
        }
        if self.end.is_none_or(|end| end > start) {
            gaps.extend(self.gaps.iter().cloned());
        }
        gaps
    }

    /// Begins with the opening state where the records before it do not say what was in force.
    fn resume(&mut self, opening: Option<&Snapshot>, start: i64) {
        let unknown = !self.is_started() || self.breaks().iter().any(|b| b.since <= start);
        let Some(after) = opening.filter(|_| unknown) else { return };
        self.events.retain(|event| event.at > start);
        let opened = Event { at: start, after: after.clone(), name: OPENING.to_owned(), before: None };
        self.events.insert(0, opened);
    }

    /// Returns true if the first state is not the result of a change.
    fn is_started(&self) -> bool {
        self.events.first().is_some_and(|event| event.before.is_none())
    }

    fn breaks(&self) -> Vec<Break> {
        let mut breaks = Vec::new();
        if !self.is_started() && (!self.record.changes.is_empty() || self.record.exit.is_some()) {
            let until = self.events.first().map(|event| event.at).or(self.end);
            breaks.push(Break { since: i64::MIN, until, gap: self.gap(GapReason::StartUnknown, []) });
        }
        for pair in self.events.windows(2) {
            let (last, next) = (&pair[0], &pair[1]);
            if next.before.as_ref() != Some(&last.after) {
                let gap = self.gap(GapReason::ChangeMissing, [&*last.name, &*next.name]);
                breaks.push(Break { since: last.at, until: Some(next.at), gap });
            }
        }
        if let Some(last) = self.events.last() {
            let gap = match &self.granted {
                None => Some(self.gap(GapReason::GrantMissing, [])),
                Some(granted) if *granted != last.after => {
                    Some(self.gap(GapReason::ChangeMissing, [&*last.name, "ResourceGrant"]))
                }
                Some(_) => None,
            };
            breaks.extend(gap.map(|gap| Break { since: last.at, until: self.end, gap }));
        }
        breaks
    }

    /// End of the charge by the rule of the Region.
    fn end_of_charge(&mut self, exit: &ExitRecord, rule: ChargeUntil) -> Option<i64> {
        let end_of_use = exit.quiesced_at.or(exit.reclaiming_since);
        let end = match rule {
            ChargeUntil::EndOfUse => end_of_use,
            ChargeUntil::Reclaimed => exit.ended_at.into_iter().chain(exit.reclaim_due_at).min(),
        };
        if end.is_none() && exit.ended_at.is_some() {
            let gap = self.gap(GapReason::EndUnknown, [&*exit.name]);
            self.gaps.push(gap);
        }
        end.or(exit.ended_at).map(seconds)
    }

    fn snapshot(&mut self, name: &str, quotas: &Quotas) -> Option<Snapshot> {
        let mut snapshot = Snapshot::new();
        for (entry, quota) in quotas {
            match amounts(quota) {
                Ok(amounts) => {
                    snapshot.insert(entry.clone(), Arc::new(amounts));
                }
                Err(key) => {
                    let gap = self.gap(GapReason::QuotaUnreadable, [name, &**entry, &*key]);
                    self.gaps.push(gap);
                    return None;
                }
            }
        }
        Some(snapshot)
    }

    pub(super) fn gap<const N: usize>(&self, reason: GapReason, names: [&str; N]) -> Gap {
        Gap {
            reason,
            application: self.record.name.clone(),
            application_uid: self.record.uid.clone(),
            names: names.map(str::to_owned).to_vec(),
        }
    }
}

/// Changes with a time, by time, each once.
fn dated(changes: &[ChangeRecord]) -> Vec<(i64, &ChangeRecord)> {
    let mut dated: Vec<_> =
        changes.iter().filter_map(|change| Some((seconds(change.applied_at?), change))).collect();
    dated.sort_by(|a, b| (a.0, &a.1.uid).cmp(&(b.0, &b.1.uid)));
    dated.dedup_by(|a, b| a.1 == b.1);
    dated
}
