//! Corrections: a settled month never changes, and a later one makes up for it (Art. 26).

use super::super::export::{EarlierMonth, ExitRecord};
use super::*;

fn exited(at_time: &str) -> ApplicationRecord {
    let mut record = travel("2026-08-03 09:00");
    record.exit = Some(ExitRecord {
        name: "travel-exit".to_owned(),
        quiesced_at: None,
        reclaiming_since: Some(at(at_time)),
        reclaim_due_at: None,
        ended_at: Some(at(at_time)),
    });
    record
}

/// The month after some, computed from other records.
fn next(month: &str, last: &Export, applications: Vec<ApplicationRecord>) -> Export {
    let settlement = settled(last);
    let mut earlier = last.earlier.clone();
    earlier.push(EarlierMonth::of(&settlement.statement, last.opening.clone()));
    Export { opening: Some(settlement.closing), earlier, ..export(month, applications) }
}

fn corrected(export: &Export) -> Vec<String> {
    let corrections = settled(export).statement.corrections.into_iter();
    corrections
        .map(|c| format!("{} {} {} → {}: {}", c.month, c.item, c.settled, c.recomputed, c.amount))
        .collect()
}

#[test]
fn art_26_an_exit_that_was_recorded_late_is_paid_back() {
    let september = export("2026-09", vec![travel("2026-08-03 09:00")]);
    let october = next("2026-10", &september, vec![exited("2026-09-21 09:00")]);
    let statement = settled(&october).statement;
    assert_eq!(corrected(&october), ["2026-09 cpu 240.00 → 160.00: -80.00"]);
    assert!(statement.lines.is_empty() && statement.is_complete());
    assert_eq!(statement.total.to_string(), "-80.00");
    // Once is enough, also for later months.
    let november = next("2026-11", &october, vec![exited("2026-09-21 09:00")]);
    assert!(corrected(&november).is_empty());
    let december = next("2026-12", &november, vec![exited("2026-09-11 09:00")]);
    assert_eq!(corrected(&december), ["2026-09 cpu 160.00 → 80.00: -80.00"]);
}

#[test]
fn what_was_not_charged_is_charged_later() {
    let september = export("2026-09", Vec::new());
    let october = next("2026-10", &september, vec![travel("2026-09-16 09:00")]);
    assert_eq!(corrected(&october), ["2026-09 cpu 0.00 → 120.00: 120.00"]);
    assert_eq!(settled(&october).statement.total.to_string(), "360.00");
}

#[test]
fn what_was_settled_stands_where_the_record_is_gone_or_incomplete() {
    let september = export("2026-09", vec![travel("2026-08-03 09:00")]);
    assert!(corrected(&next("2026-10", &september, Vec::new())).is_empty());
    let mut incomplete = exited("2026-09-21 09:00");
    incomplete.approved = cpu("4");
    assert!(corrected(&next("2026-10", &september, vec![incomplete])).is_empty());
}

#[test]
fn a_price_that_was_billed_by_does_not_change() {
    let september = export("2026-09", vec![travel("2026-08-03 09:00")]);
    let mut october = next("2026-10", &september, vec![travel("2026-08-03 09:00")]);
    october.editions[0].items[0].price = "31.00".to_owned();
    assert_eq!(gaps(&october), ["EditionChanged henan-2020 2026-09"]);
    let mut new = october.editions[0].clone();
    (new.name, new.effective_from) = ("henan-2026".to_owned(), "2026-10-01".parse().unwrap());
    october.editions = vec![september.editions[0].clone(), new];
    assert!(gaps(&october).is_empty() && corrected(&october).is_empty());
    assert_eq!(settled(&october).statement.total.to_string(), "248.00");
}

#[test]
fn records_that_say_the_same_correct_nothing() {
    let september = export("2026-09", vec![travel("2026-08-03 09:00")]);
    let october = next("2026-10", &september, vec![travel("2026-08-03 09:00")]);
    assert!(corrected(&october).is_empty());
    assert!(settled(&october).statement.is_complete());
}
