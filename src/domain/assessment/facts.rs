//! Facts of an assessment, from what the records of the period say of the assessed party.

use std::collections::BTreeMap;

use govcloud_api::assessment::{Facts, MaintenanceFact, ObligationFact, Subject};
use govcloud_api::change::{MaintenanceOutcome, MaintenanceResult, Window};
use govcloud_api::deadline::{Deadline, Obligation};
use govcloud_api::utilization::Utilization;
use jiff::Timestamp;
use serde_json::Value;

use crate::calendar::china_date;
use crate::deadline::DeadlineClock as _;
use crate::digest::digest_of;
use crate::settlement::period::Days;

/// A record, as far as facts are taken from it.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordView {
    /// Kind.
    pub kind: &'static str,
    /// Filing namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Its clocks.
    pub deadlines: Vec<Deadline>,
    /// Set for maintenance that was approved.
    pub maintenance: Option<MaintenanceSeen>,
}

/// Approved maintenance.
#[derive(Clone, Debug, PartialEq)]
pub struct MaintenanceSeen {
    /// Its window.
    pub window: Window,
    /// Its outcome, once reported.
    pub outcome: Option<MaintenanceOutcome>,
    /// True if the notice to those affected was late.
    pub notice_late: bool,
}

/// Facts of a period. What was due in it counts, whenever it began.
#[must_use]
pub fn take(
    subject: Subject,
    period: Days,
    as_of: Timestamp,
    records: &[RecordView],
    utilization: Option<Utilization>,
) -> Facts {
    let obligations = obligations(subject, period, as_of, records);
    let reports = obligations.iter().filter(|fact| is_report(fact.obligation));
    let mut facts = Facts {
        as_of: as_of.into(),
        records: i32::try_from(records.len()).unwrap_or(i32::MAX),
        overdue_reports: reports.map(|fact| fact.unmet).sum(),
        obligations,
        maintenance: (subject == Subject::Provider).then(|| maintenance(period, records)),
        utilization,
        digest: String::new(),
    };
    facts.digest = digest(&facts);
    facts
}

/// Digest of facts, over all fields but itself.
#[must_use]
pub fn digest(facts: &Facts) -> String {
    let mut value = serde_json::to_value(facts).unwrap_or_default();
    value.as_object_mut().and_then(|fields| fields.remove("digest"));
    // A `Value` always has a canonical form.
    digest_of::<Value>(&value).unwrap_or_default()
}

fn is_report(obligation: Obligation) -> bool {
    matches!(obligation, Obligation::GoLiveReport | Obligation::MaintenanceReport)
}

/// The state of an obligation that was due.
enum Kept {
    OnTime,
    Late,
    Unmet,
}

/// Whether and how an obligation was kept; `None` where it was not due: it fell away in time, or its clock stands.
fn kept(deadline: &Deadline, as_of: Timestamp) -> Option<Kept> {
    match (deadline.met_at, deadline.closed_at) {
        (Some(_), _) if deadline.working_days_late.is_none() => Some(Kept::OnTime),
        (Some(_), _) => Some(Kept::Late),
        // It fell away after it was missed.
        (None, Some(_)) => deadline.notified.overdue.map(|_| Kept::Unmet),
        (None, None) => deadline.is_overdue(as_of).then_some(Kept::Unmet),
    }
}

fn obligations(
    subject: Subject,
    period: Days,
    as_of: Timestamp,
    records: &[RecordView],
) -> Vec<ObligationFact> {
    let mut facts: BTreeMap<&'static str, ObligationFact> = BTreeMap::new();
    for record in records {
        let due =
            |d: &&Deadline| d.party == subject.party() && (period.from..=period.to).contains(&d.due_date.0);
        for deadline in record.deadlines.iter().filter(due) {
            let Some(kept) = kept(deadline, as_of) else { continue };
            let name: &'static str = deadline.obligation.into();
            count(facts.entry(name).or_insert_with(|| nothing(deadline)), deadline, &kept, record);
        }
    }
    facts.into_values().collect()
}

fn nothing(deadline: &Deadline) -> ObligationFact {
    ObligationFact {
        obligation: deadline.obligation,
        party: deadline.party,
        due: 0,
        on_time: 0,
        late: 0,
        unmet: 0,
        worst_working_days_late: None,
        worst_record: None,
    }
}

/// Counts one obligation.
fn count(fact: &mut ObligationFact, deadline: &Deadline, kept: &Kept, record: &RecordView) {
    fact.due += 1;
    match kept {
        Kept::OnTime => return fact.on_time += 1,
        Kept::Late => fact.late += 1,
        Kept::Unmet => fact.unmet += 1,
    }
    let late = deadline.working_days_late.unwrap_or(0);
    if fact.worst_working_days_late.is_none_or(|worst| late > worst) {
        fact.worst_working_days_late = Some(late);
        fact.worst_record = Some(format!("{} {}/{}", record.kind, record.namespace, record.name));
    }
}

/// Maintenance whose window began in the period.
fn maintenance(period: Days, records: &[RecordView]) -> MaintenanceFact {
    let began =
        |m: &&MaintenanceSeen| (period.from..=period.to).contains(&china_date(m.window.start.timestamp()));
    let mut fact = MaintenanceFact::default();
    for seen in records.iter().filter_map(|record| record.maintenance.as_ref()).filter(began) {
        let outcome = seen.outcome.as_ref();
        let result = outcome.map(|outcome| outcome.result);
        fact.windows += 1;
        fact.outside_window += i32::from(outcome.is_some_and(|o| o.ended_at > seen.window.end));
        fact.notices_late += i32::from(seen.notice_late);
        fact.rolled_back += i32::from(result == Some(MaintenanceResult::RolledBack));
        fact.failed += i32::from(result == Some(MaintenanceResult::Failed));
        fact.unreported += i32::from(outcome.is_none());
    }
    fact
}
