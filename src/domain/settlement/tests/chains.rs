//! Holes in the records, and what the state of the month before makes up for (Art. 13, 15, 16).

use super::super::export::{EarlierMonth, ExitRecord};
use super::super::gap::RemarkReason;
use super::super::state::State;
use super::*;

/// Eight cores, enlarged twice in September and October.
fn enlarged() -> ApplicationRecord {
    let mut record = travel("2026-08-03 09:00");
    record.changes = vec![
        change("first", "2026-09-10 09:00", cpu("8"), cpu("16")),
        change("second", "2026-10-10 09:00", cpu("16"), cpu("32")),
    ];
    record.granted = Some(cpu("32"));
    record
}

/// State at the end of September by complete records.
fn opening() -> State {
    settled(&export("2026-09", vec![enlarged()])).closing
}

fn october(record: ApplicationRecord, opening: Option<State>) -> Export {
    Export { opening, ..export("2026-10", vec![record]) }
}

/// 16 cores for 9 days, and 32 for 22.
const WHOLE: &str = "848";

#[test]
fn a_complete_chain_needs_no_opening_state() {
    let without = october(enlarged(), None);
    assert_eq!(line(&without).0, WHOLE);
    let with = october(enlarged(), Some(opening()));
    assert_eq!(line(&with).0, WHOLE);
    assert!(settled(&with).statement.remarks.is_empty());
    assert_eq!(settled(&with).statement.opening, Some(opening().digest()));
    assert_eq!(settled(&with).closing, settled(&without).closing);
}

#[test]
fn a_deleted_change_is_a_gap_and_nothing_can_be_confirmed() {
    let mut record = enlarged();
    record.changes.remove(1);
    let export = october(record, None);
    assert_eq!(gaps(&export), ["ChangeMissing first ResourceGrant"]);
    assert_eq!(settled(&export).statement.digest, None);
    assert!(!settled(&export).statement.is_complete());
}

#[test]
fn the_opening_state_stands_for_changes_that_were_deleted_since() {
    let mut record = enlarged();
    record.changes.remove(0);
    assert_eq!(gaps(&october(record.clone(), None)), ["ChangeMissing CloudApplication second"]);
    let export = october(record, Some(opening()));
    assert!(gaps(&export).is_empty());
    assert_eq!(line(&export).0, WHOLE);
}

#[test]
fn a_change_of_a_later_month_does_not_matter_yet() {
    let mut record = enlarged();
    record.changes.push(change("third", "2026-11-02 09:00", cpu("32"), cpu("64")));
    // The fourth was deleted.
    record.granted = Some(cpu("128"));
    assert_eq!(line(&october(record.clone(), None)).0, WHOLE);
    assert!(gaps(&october(record.clone(), None)).is_empty());
    assert_eq!(
        gaps(&Export { month: "2026-11".parse().unwrap(), ..october(record, None) }),
        ["ChangeMissing third ResourceGrant"]
    );
}

#[test]
fn a_change_that_lost_its_time_is_named() {
    let mut record = enlarged();
    record.changes[1].applied_at = None;
    assert_eq!(gaps(&october(record, None)), ["ChangeMissing first ResourceGrant", "ChangeUndated second"]);
}

#[test]
fn a_grant_that_is_gone_is_a_gap() {
    let mut record = enlarged();
    record.granted = None;
    assert_eq!(gaps(&october(record.clone(), None)), ["GrantMissing"]);
    // After its exit the application is of no interest.
    record.exit = Some(ExitRecord {
        name: "travel-exit".to_owned(),
        quiesced_at: None,
        reclaiming_since: Some(at("2026-10-20 09:00")),
        reclaim_due_at: None,
        ended_at: Some(at("2026-10-20 18:00")),
    });
    assert!(gaps(&Export { month: "2026-11".parse().unwrap(), ..october(record, None) }).is_empty());
}

#[test]
fn a_start_or_an_end_without_a_time_is_a_gap() {
    let mut record = enlarged();
    record.provisioned_at = None;
    assert_eq!(gaps(&october(record.clone(), None)), Vec::<String>::new(), "known since September");
    assert_eq!(
        gaps(&Export { month: "2026-09".parse().unwrap(), ..october(record, None) }),
        ["StartUnknown"]
    );
    let mut record = travel("2026-08-03 09:00");
    record.exit = Some(ExitRecord {
        name: "travel-exit".to_owned(),
        quiesced_at: None,
        reclaiming_since: None,
        reclaim_due_at: None,
        ended_at: Some(at("2026-10-20 18:00")),
    });
    assert_eq!(gaps(&october(record, None)), ["EndUnknown travel-exit"]);
}

#[test]
fn an_application_that_is_not_provisioned_costs_nothing() {
    let mut record = travel("2026-08-03 09:00");
    (record.provisioned_at, record.granted) = (None, None);
    let statement = settled(&october(record, None)).statement;
    assert!(statement.is_complete() && statement.lines.is_empty());
}

#[test]
fn a_lost_record_is_a_gap_until_its_namespaces_are_taken_back() {
    let lost = Export { opening: Some(opening()), ..export("2026-10", Vec::new()) };
    assert_eq!(gaps(&lost), ["RecordMissing"]);
    let mut refiled = travel("2026-10-12 09:00");
    refiled.uid = "a2".to_owned();
    refiled.namespaces[0].took_back = true;
    let export = Export { applications: vec![refiled.clone()], ..lost };
    assert!(gaps(&export).is_empty());
    let statement = settled(&export).statement;
    let billed: Vec<_> = statement.lines.iter().map(|l| (&*l.application_uid, &*l.unit_days)).collect();
    assert_eq!(billed, [("a1", "176"), ("a2", "160")], "16 × 11 by the opening state, then 8 × 20");
    // Without the opening state nobody knows the time before.
    let export = Export { opening: None, ..export };
    assert_eq!(gaps(&export), ["PredecessorUnknown n1"]);
    // A month later it is a record like any other.
    let export = Export { month: "2026-11".parse().unwrap(), ..export };
    assert!(gaps(&export).is_empty());
    assert_eq!(line(&export).0, "240");
}

#[test]
fn art_26_two_records_are_not_charged_for_one_namespace() {
    let mut other = travel("2026-10-12 09:00");
    other.uid = "a2".to_owned();
    let export = export("2026-10", vec![travel("2026-10-01 09:00"), other.clone()]);
    assert_eq!(gaps(&export), ["NamespaceTwice n1 travel"]);
    let days: Vec<_> = settled(&export).statement.lines.into_iter().map(|l| l.unit_days).collect();
    assert_eq!(days, ["88", "160"], "11 days of one, 20 of the other");
    // Two different records with one UID.
    other.uid = "a1".to_owned();
    let export = Export { applications: vec![travel("2026-10-01 09:00"), other], ..export };
    assert_eq!(gaps(&export), ["RecordTwice"]);
}

#[test]
fn an_entry_needs_its_namespace_and_a_quota_its_numbers() {
    let mut record = travel("2026-08-03 09:00");
    record.namespaces.clear();
    assert_eq!(gaps(&october(record, None)), ["NamespaceUnknown prod"]);
    let mut record = travel("2026-08-03 09:00");
    record.granted = Some(cpu("many"));
    let found = gaps(&october(record, None));
    assert!(found.contains(&"QuotaUnreadable ResourceGrant prod requests.cpu".to_owned()), "{found:?}");
}

#[test]
fn records_that_differ_from_the_opening_state_are_remarked() {
    let mut record = enlarged();
    record.provisioned_at = Some(at("2026-10-05 09:00"));
    record.changes.clear();
    record.granted = Some(cpu("8"));
    let statement = settled(&october(record, Some(opening()))).statement;
    let remarks: Vec<_> = statement.remarks.iter().map(|r| r.reason).collect();
    assert_eq!(remarks, [RemarkReason::OpeningDiffers]);
    assert_eq!(statement.lines[0].unit_days, "216", "complete records count: 8 × 27");
}

#[test]
fn only_the_state_of_the_month_before_opens_a_month() {
    let good = october(enlarged(), Some(opening()));
    for wrong in [
        State { department: "dept-health".to_owned(), ..opening() },
        State { region: "410100".to_owned(), ..opening() },
        State { at: at("2026-09-01 00:00"), ..opening() },
    ] {
        let export = Export { opening: Some(wrong), ..good.clone() };
        assert_eq!(gaps(&export), ["OpeningForeign"]);
    }
    let september = settled(&export("2026-09", vec![enlarged()])).statement;
    let earlier = vec![EarlierMonth::of(&september, None)];
    let chained = Export { earlier: earlier.clone(), ..good.clone() };
    assert!(gaps(&chained).is_empty());
    let mut altered = opening();
    altered.namespaces[0].quota.insert("requests.cpu".to_owned(), "4".to_owned());
    assert_eq!(gaps(&Export { opening: Some(altered), ..chained.clone() }), ["ChainBroken 2026-09"]);
    assert_eq!(gaps(&Export { opening: None, ..chained }), ["ChainBroken 2026-09"]);
    // A month that is settled is not computed again.
    let again = Export { month: "2026-09".parse().unwrap(), opening: None, earlier, ..good };
    assert_eq!(gaps(&again), ["MonthSettled 2026-09"]);
}

#[test]
fn every_day_in_use_needs_an_edition() {
    let mut export = export("2026-10", vec![travel("2026-10-05 09:00")]);
    export.editions[0].effective_from = "2026-10-09".parse().unwrap();
    assert_eq!(gaps(&export), ["NoEdition 2026-10-01 2026-10-08"]);
    export.editions.clear();
    assert_eq!(gaps(&export), ["NoEdition 2026-10-01 2026-10-31"]);
    export.applications.clear();
    assert!(gaps(&export).is_empty(), "nothing is in use");
}
