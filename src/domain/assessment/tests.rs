//! Facts: what counts in a period, for whom, and with which denominator.

use govcloud_api::change::{MaintenanceOutcome, MaintenanceResult, Window};
use govcloud_api::deadline::{Deadline, Notified, Obligation};
use govcloud_api::time::{CivilDate, Instant};

use super::*;

fn date(text: &str) -> CivilDate {
    text.parse().unwrap()
}

fn instant(text: &str) -> Instant {
    text.parse().unwrap()
}

fn quarter() -> Days {
    Days { from: date("2026-07-01").0, to: date("2026-09-30").0 }
}

/// A clock that is due at the end of a day.
fn deadline(obligation: Obligation, due: &str) -> Deadline {
    Deadline {
        obligation,
        party: obligation.party(),
        article: obligation.article(),
        period: None,
        item: None,
        working_days: 3,
        started_at: instant("2026-06-01T01:00:00Z"),
        due_date: date(due),
        due_at: end_of(date(due).0).into(),
        provisional: false,
        calendar: "cn@1".to_owned(),
        pauses: Vec::new(),
        met_at: None,
        closed_at: None,
        closed_reason: None,
        working_days_late: None,
        notified: Notified::default(),
    }
}

fn met(obligation: Obligation, due: &str, late: Option<i32>) -> Deadline {
    let met_at = Some(instant("2026-08-01T01:00:00Z"));
    Deadline { met_at, working_days_late: late, ..deadline(obligation, due) }
}

fn view(name: &str, deadlines: Vec<Deadline>) -> RecordView {
    let (kind, namespace) = ("CloudApplication", "dept".to_owned());
    RecordView { kind, namespace, name: name.to_owned(), deadlines, maintenance: None }
}

fn taken(subject: Subject, records: &[RecordView]) -> govcloud_api::assessment::Facts {
    facts::take(subject, quarter(), "2026-09-30T17:00:00Z".parse().unwrap(), records, None)
}

#[test]
fn what_was_due_in_the_period_counts_by_party_with_its_denominator() {
    let provision = Obligation::Provision;
    let records = [
        view(
            "in-time",
            vec![met(provision, "2026-07-01", None), met(Obligation::GoLive, "2026-08-01", None)],
        ),
        view("late", vec![met(provision, "2026-09-30", Some(4))]),
        view("later", vec![met(provision, "2026-08-03", Some(7))]),
        view("never", vec![deadline(provision, "2026-09-29")]),
        view("before", vec![met(provision, "2026-06-30", Some(90))]),
        view("after", vec![met(provision, "2026-10-01", Some(90))]),
    ];
    let facts = taken(Subject::Provider, &records);
    let [fact] = facts.obligations.as_slice() else { panic!("{:?}", facts.obligations) };
    assert_eq!((fact.due, fact.on_time, fact.late, fact.unmet), (4, 1, 2, 1));
    assert_eq!(fact.worst_working_days_late, Some(7));
    assert_eq!(fact.worst_record.as_deref(), Some("CloudApplication dept/later"));
    assert_eq!((facts.records, facts.overdue_reports), (6, 0));

    let facts = taken(Subject::Department, &records);
    let [fact] = facts.obligations.as_slice() else { panic!("{:?}", facts.obligations) };
    assert_eq!((fact.obligation, fact.due, fact.on_time), (Obligation::GoLive, 1, 1));
    assert!(facts.maintenance.is_none() && fact.worst_record.is_none());
}

#[test]
fn what_stands_or_fell_away_in_time_was_not_due() {
    let provision = Obligation::Provision;
    let stopped = govcloud_api::deadline::Pause {
        from: instant("2026-07-01T01:00:00Z"),
        to: None,
        waiting_on: Party::Department,
        reason: "Consent".to_owned(),
    };
    let closed_at = Some(instant("2026-08-01T01:00:00Z"));
    let dropped = Deadline { closed_at, ..deadline(provision, "2026-08-03") };
    let notified = Notified { overdue: closed_at, ..Notified::default() };
    let missed = Deadline { notified, working_days_late: Some(2), ..dropped.clone() };
    let stands = Deadline { pauses: vec![stopped], ..deadline(provision, "2026-08-03") };
    assert!(
        taken(Subject::Provider, &[view("a", vec![dropped]), view("b", vec![stands])]).obligations.is_empty()
    );
    let facts = taken(Subject::Provider, &[view("c", vec![missed])]);
    assert_eq!(
        (facts.obligations[0].due, facts.obligations[0].unmet),
        (1, 1),
        "it was missed before it fell away"
    );
}

#[test]
fn a_report_that_did_not_come_is_counted_as_such() {
    let records = [
        view("a", vec![deadline(Obligation::GoLiveReport, "2026-08-03")]),
        view(
            "b",
            vec![
                met(Obligation::GoLiveReport, "2026-08-03", Some(1)),
                deadline(Obligation::GoLive, "2026-08-03"),
            ],
        ),
    ];
    assert_eq!(taken(Subject::Department, &records).overdue_reports, 1);
}

#[test]
fn maintenance_is_told_by_its_window_notice_and_outcome() {
    let maintenance = |start: &str, end: &str, outcome: Option<(MaintenanceResult, &str)>, notice_late| {
        let outcome = outcome.map(|(result, at)| MaintenanceOutcome {
            result,
            ended_at: instant(at),
            summary: "完成".to_owned(),
        });
        let window = Window { start: instant(start), end: instant(end) };
        let maintenance = Some(MaintenanceSeen { window, outcome, notice_late });
        RecordView { maintenance, ..view("m", Vec::new()) }
    };
    let (start, end) = ("2026-07-10T14:00:00Z", "2026-07-10T18:00:00Z");
    let records = [
        maintenance(start, end, Some((MaintenanceResult::Succeeded, end)), false),
        maintenance(start, end, Some((MaintenanceResult::RolledBack, "2026-07-10T18:00:01Z")), true),
        maintenance(start, end, Some((MaintenanceResult::Failed, "2026-07-10T17:00:00Z")), false),
        maintenance(start, end, None, false),
        // 2026-10-01 00:00 in China.
        maintenance("2026-09-30T16:00:00Z", "2026-09-30T18:00:00Z", None, true),
    ];
    let fact = taken(Subject::Provider, &records).maintenance.unwrap();
    assert_eq!((fact.windows, fact.unreported), (4, 1));
    assert_eq!((fact.outside_window, fact.notices_late, fact.rolled_back, fact.failed), (1, 1, 1, 1));
}

#[test]
fn a_digest_covers_every_fact_and_not_itself() {
    let facts = taken(Subject::Provider, &[view("a", vec![met(Obligation::Provision, "2026-08-03", None)])]);
    assert!(facts.digest.starts_with("sha256:") && facts.digest == facts::digest(&facts));
    let mut other = facts.clone();
    other.digest.clear();
    assert_eq!(facts::digest(&other), facts.digest);
    other.obligations[0].on_time = 0;
    assert_ne!(facts::digest(&other), facts.digest);
}
