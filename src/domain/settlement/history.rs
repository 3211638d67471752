//! History of a department: for each namespace, which quota was in force from when to when (Art. 13, 15, 16, 26).
//!
//! A namespace is followed by its UID, whichever record has it, so that no day of it is charged twice. Records come in any
//! order, and a record twice is one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::chain::{Chain, Snapshot};
use super::export::{ApplicationRecord, ChargeUntil, NamespaceRecord};
use super::gap::{Gap, GapReason, Remark, RemarkReason};
use super::period::{Charged as _, Days, Proration, seconds};
use super::state::{Amounts, NamespaceInForce, State, amounts, texts};
use govcloud_api::quota::Quota;

/// Application that a namespace is charged to.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Subject {
    pub name: String,
    pub uid: String,
    pub outside_budget: bool,
}

impl Subject {
    pub fn of(record: &ApplicationRecord) -> Self {
        Self { name: record.name.clone(), uid: record.uid.clone(), outside_budget: record.outside_budget }
    }
}

/// One quota of one namespace, in force in `[since, until)`.
#[derive(Debug)]
pub(super) struct Interval {
    pub namespace_uid: String,
    pub entry: String,
    pub subject: Arc<Subject>,
    pub since: i64,
    pub until: Option<i64>,
    pub amounts: Arc<Amounts>,
    took_back: bool,
}

/// Records and the days that are looked at.
#[derive(Clone, Copy)]
pub(super) struct Window<'a> {
    pub applications: &'a [ApplicationRecord],
    pub opening: Option<&'a State>,
    pub charge_until: ChargeUntil,
    pub days: Days,
}

/// The intervals of a department, by namespace and time, and what is unknown of them.
#[derive(Debug, Default)]
pub(super) struct History {
    pub intervals: Vec<Interval>,
    pub gaps: BTreeSet<Gap>,
    pub remarks: BTreeSet<Remark>,
}

/// Opening state by application, then by namespace.
type Opened<'a> = BTreeMap<&'a str, Vec<(&'a NamespaceInForce, Arc<Amounts>)>>;

impl History {
    pub fn of(window: Window) -> Self {
        let mut history = Self::default();
        let opened = opened(window.opening);
        let applications = history.distinct(window.applications);
        for record in applications.values() {
            history.application(record, opened.get(&*record.uid), window);
        }
        history.without_record(&opened, &applications, window.days.start());
        history.one_record_a_time(window);
        history.join();
        history.compare(&opened, window);
        history
    }

    /// State at an instant. What came into force at it is in the state.
    pub fn state(&self, at: i64) -> Vec<NamespaceInForce> {
        let in_force = self.in_force(at).map(|interval| NamespaceInForce {
            namespace_uid: interval.namespace_uid.clone(),
            entry: interval.entry.clone(),
            application: interval.subject.name.clone(),
            application_uid: interval.subject.uid.clone(),
            outside_budget: interval.subject.outside_budget,
            quota: texts(&interval.amounts),
        });
        in_force.collect()
    }

    /// Records what was opened and closed within a day, and therefore costs nothing.
    pub fn note_brief(&mut self, proration: Proration, days: Days) {
        for namespace in self.intervals.chunk_by(|a, b| a.namespace_uid == b.namespace_uid) {
            let (Some(first), Some(last)) = (namespace.first(), namespace.last()) else { continue };
            let within = first.since > days.start() && last.until.is_some_and(|until| until <= days.end());
            if within && namespace.iter().all(|i| proration.charged(i.since, i.until, days) == 0) {
                self.remarks.insert(remark(RemarkReason::WithinOneDay, last));
            }
        }
    }

    fn in_force(&self, at: i64) -> impl Iterator<Item = &Interval> {
        self.intervals.iter().filter(move |i| i.since <= at && i.until.is_none_or(|until| until > at))
    }

    /// Records by UID.
    fn distinct<'a>(&mut self, records: &'a [ApplicationRecord]) -> BTreeMap<&'a str, &'a ApplicationRecord> {
        let mut distinct = BTreeMap::new();
        for record in records {
            let known = *distinct.entry(&*record.uid).or_insert(record);
            if !std::ptr::eq(known, record) && sorted(known) != sorted(record) {
                self.gaps.insert(gap(GapReason::RecordTwice, &Subject::of(record), []));
            }
        }
        distinct
    }

    fn application(
        &mut self,
        record: &ApplicationRecord,
        opened: Option<&Vec<(&NamespaceInForce, Arc<Amounts>)>>,
        window: Window,
    ) {
        let days = window.days;
        let opening: Option<Snapshot> = opened.map(|namespaces| {
            namespaces.iter().map(|(n, amounts)| (n.entry.clone(), amounts.clone())).collect()
        });
        let chain = Chain::read(record, window.charge_until, opening.as_ref(), days.start());
        self.gaps.extend(chain.gaps(days.start(), days.end()));
        let subject = Arc::new(Subject::of(record));
        for (at, event) in chain.events.iter().enumerate() {
            let next = chain.events.get(at + 1).map(|next| next.at);
            let until = next.into_iter().chain(chain.end).min();
            for (entry, amounts) in &event.after {
                let Some(namespace) = namespace(record, entry) else {
                    let within = event.at < days.end() && until.is_none_or(|until| until > days.start());
                    self.gaps.extend(within.then(|| chain.gap(GapReason::NamespaceUnknown, [&**entry])));
                    continue;
                };
                self.intervals.push(Interval {
                    namespace_uid: namespace.uid.clone(),
                    entry: entry.clone(),
                    subject: subject.clone(),
                    since: event.at,
                    until,
                    amounts: amounts.clone(),
                    took_back: namespace.took_back,
                });
            }
        }
    }

    /// Namespaces of the opening state whose application has no record any more go on until another one takes them back.
    fn without_record(&mut self, opened: &Opened, records: &BTreeMap<&str, &ApplicationRecord>, start: i64) {
        for (_, namespaces) in opened.iter().filter(|(uid, _)| !records.contains_key(**uid)) {
            for (namespace, amounts) in namespaces {
                let subject = Arc::new(Subject {
                    name: namespace.application.clone(),
                    uid: namespace.application_uid.clone(),
                    outside_budget: namespace.outside_budget,
                });
                match taken_back(records, &namespace.namespace_uid) {
                    Some(at) if at <= start => continue,
                    Some(_) => {}
                    None => {
                        self.gaps.insert(gap(GapReason::RecordMissing, &subject, []));
                    }
                }
                self.intervals.push(Interval {
                    namespace_uid: namespace.namespace_uid.clone(),
                    entry: namespace.entry.clone(),
                    subject,
                    since: start,
                    until: None,
                    amounts: amounts.clone(),
                    took_back: false,
                });
            }
        }
    }

    /// Ends each interval of a namespace where the next one begins.
    fn one_record_a_time(&mut self, window: Window) {
        let (start, end) = (window.days.start(), window.days.end());
        self.intervals.sort_by(|a, b| order(a).cmp(&order(b)));
        for at in 1..self.intervals.len() {
            let (before, after) = self.intervals.split_at_mut(at);
            let (one, other) = (&mut before[at - 1], &after[0]);
            if one.namespace_uid != other.namespace_uid || one.until.is_some_and(|until| until <= other.since)
            {
                continue;
            }
            let within = other.since < end && one.until.is_none_or(|until| until > start);
            if within && one.subject.uid != other.subject.uid && !other.took_back {
                let names = [&*one.namespace_uid, &*one.subject.name];
                self.gaps.insert(gap(GapReason::NamespaceTwice, &other.subject, names));
            }
            one.until = Some(other.since);
        }
        self.intervals.retain(|i| i.until.is_none_or(|until| until > i.since));
        for namespace in self.intervals.chunk_by(|a, b| a.namespace_uid == b.namespace_uid) {
            if let Some(first) = namespace.first().filter(|first| first.took_back && first.since > start) {
                let names = [&*first.namespace_uid];
                self.gaps.insert(gap(GapReason::PredecessorUnknown, &first.subject, names));
            }
        }
    }

    /// Makes one interval of two that adjoin with the same quota.
    fn join(&mut self) {
        self.intervals.dedup_by(|next, last| {
            let joins = last.namespace_uid == next.namespace_uid
                && last.until == Some(next.since)
                && last.subject.uid == next.subject.uid
                && last.amounts == next.amounts;
            if joins {
                last.until = next.until;
            }
            joins
        });
    }

    /// Remarks on what was in force at the start by the records, and was not by the opening state, or the other way round.
    fn compare(&mut self, opened: &Opened, window: Window) {
        if window.opening.is_none() {
            return;
        }
        let mut opening: BTreeMap<&str, (&NamespaceInForce, &Amounts)> =
            opened.values().flatten().map(|(n, amounts)| (&*n.namespace_uid, (*n, &**amounts))).collect();
        let mut differ = BTreeSet::new();
        for interval in self.in_force(window.days.start()) {
            let same = opening.remove(&*interval.namespace_uid).is_some_and(|(namespace, amounts)| {
                namespace.application_uid == interval.subject.uid && *amounts == *interval.amounts
            });
            if !same {
                differ.insert(remark(RemarkReason::OpeningDiffers, interval));
            }
        }
        differ.extend(opening.into_values().map(|(namespace, _)| Remark {
            reason: RemarkReason::OpeningDiffers,
            application: namespace.application.clone(),
            namespace_uid: namespace.namespace_uid.clone(),
            item: String::new(),
        }));
        self.remarks.extend(differ);
    }
}

fn order(interval: &Interval) -> (&str, i64, &Subject) {
    (&interval.namespace_uid, interval.since, &interval.subject)
}

fn namespace<'a>(record: &'a ApplicationRecord, entry: &str) -> Option<&'a NamespaceRecord> {
    record.namespaces.iter().find(|namespace| namespace.entry == entry && !namespace.uid.is_empty())
}

/// Instant at which a record took a namespace back.
fn taken_back(records: &BTreeMap<&str, &ApplicationRecord>, namespace_uid: &str) -> Option<i64> {
    let took = |record: &&ApplicationRecord| {
        record.namespaces.iter().any(|namespace| namespace.took_back && namespace.uid == namespace_uid)
    };
    let mut takers = records.values().copied().filter(took);
    takers.find_map(|record| record.provisioned_at).map(seconds)
}

fn gap<const N: usize>(reason: GapReason, subject: &Subject, names: [&str; N]) -> Gap {
    Gap {
        reason,
        application: subject.name.clone(),
        application_uid: subject.uid.clone(),
        names: names.map(str::to_owned).to_vec(),
    }
}

fn remark(reason: RemarkReason, interval: &Interval) -> Remark {
    Remark {
        reason,
        application: interval.subject.name.clone(),
        namespace_uid: interval.namespace_uid.clone(),
        item: String::new(),
    }
}

/// A record whose lists have one order.
fn sorted(record: &ApplicationRecord) -> ApplicationRecord {
    let mut record = record.clone();
    record.changes.sort_by(|a, b| (a.applied_at, &a.uid).cmp(&(b.applied_at, &b.uid)));
    record.changes.dedup();
    record.namespaces.sort_by(|a, b| (&a.entry, &a.uid).cmp(&(&b.entry, &b.uid)));
    record.namespaces.dedup();
    record
}

/// The namespaces of a state by application. A state is the operator's own, so an amount in it that is no number was put
/// there by hand: it is nothing, and the digest differs.
fn opened(opening: Option<&State>) -> Opened<'_> {
    let mut opened = Opened::new();
    for namespace in opening.into_iter().flat_map(|state| &state.namespaces) {
        let amounts = amounts(&Quota(namespace.quota.clone())).unwrap_or_default();
        opened.entry(&*namespace.application_uid).or_default().push((namespace, Arc::new(amounts)));
    }
    opened
}
