//! Months that are hand-checked: leap years, prices of every period, and changes on the edges of days.

use super::super::export::{ExitRecord, ManualRecord};
use super::super::gap::RemarkReason;
use super::*;

fn exit(quiesced: Option<&str>, reclaiming: &str, due: &str, ended: &str) -> Option<ExitRecord> {
    Some(ExitRecord {
        name: "travel-exit".to_owned(),
        quiesced_at: quiesced.map(at),
        reclaiming_since: Some(at(reclaiming)),
        reclaim_due_at: Some(at(due)),
        ended_at: Some(at(ended)),
    })
}

fn pair(unit_days: &str, amount: &str) -> (String, String) {
    (unit_days.to_owned(), amount.to_owned())
}

/// The bill with one price for a core.
fn priced(month: &str, per: Period, price: &str) -> Export {
    let mut export = export(month, vec![travel("2020-10-01 09:00")]);
    export.editions[0].items = vec![item("cpu", "requests.cpu", "1", per, price)];
    export
}

#[test]
fn art_26_the_day_of_opening_counts() {
    // 8 cores × 18 days × 30.00 ÷ 31 = 139.3548…
    assert_eq!(line(&export("2026-10", vec![travel("2026-10-14 10:00")])), pair("144", "139.35"));
}

#[test]
fn art_26_a_full_month_costs_the_price() {
    for month in ["2026-10", "2026-11", "2024-02", "2023-02"] {
        assert_eq!(line(&priced(month, Period::Month, "30.00")).1, "240.00", "{month}");
    }
}

#[test]
fn a_year_price_is_divided_by_the_days_of_the_year() {
    assert_eq!(line(&priced("2024-02", Period::Year, "366.00")).1, "232.00", "8 × 29");
    assert_eq!(line(&priced("2023-02", Period::Year, "365.00")).1, "224.00", "8 × 28");
    let months = (1..=12).map(|month| line(&priced(&format!("2024-{month:02}"), Period::Year, "366")).1);
    let hundredths = months.map(|amount| amount.replace('.', "").parse::<i64>().unwrap());
    assert_eq!(hundredths.sum::<i64>(), 8 * 36_600);
}

#[test]
fn a_day_and_an_hour_have_their_price() {
    assert_eq!(line(&priced("2026-10", Period::Day, "1.25")).1, "310.00", "8 × 31 × 1.25");
    assert_eq!(line(&priced("2026-10", Period::Hour, "0.05")).1, "297.60", "8 × 31 × 24 × 0.05");
}

#[test]
fn a_new_edition_in_the_month_has_a_line_of_its_own() {
    let mut export = export("2026-10", vec![travel("2020-10-01 09:00")]);
    let cores = item("cpu", "requests.cpu", "1", Period::Month, "31.00");
    export.editions.push(edition("henan-2026b", "2026-10-16", vec![cores]));
    let lines = lines(&export);
    let of = |edition: &str| lines[&("travel".to_owned(), edition.to_owned(), "cpu".to_owned())].clone();
    assert_eq!(of("henan-2020"), pair("120", "116.13"), "8 × 15 × 30 ÷ 31");
    assert_eq!(of("henan-2026b"), pair("128", "128.00"), "8 × 16 × 31 ÷ 31");
    let statement = settled(&export).statement;
    assert_eq!(statement.total.to_string(), "244.13");
    assert_eq!(statement.editions.len(), 2);
}

#[test]
fn a_change_counts_from_its_own_day_on() {
    let mut record = travel("2020-10-01 09:00");
    record.changes.push(change("enlarge", "2026-10-20 23:59", cpu("8"), cpu("16")));
    record.granted = Some(cpu("16"));
    assert_eq!(line(&export("2026-10", vec![record.clone()])).0, "344", "8 × 19 + 16 × 12");
    // By seconds: one minute of the 20th at 16 cores.
    let mut export = export("2026-10", vec![record]);
    export.proration = Proration::Exact;
    assert_eq!(line(&export), pair("60481/180", "325.17"), "8 × 31 + 8 × (11 + 1 ÷ 1440)");
}

#[test]
fn a_change_at_midnight_is_of_the_day_that_ends() {
    let mut record = travel("2020-10-01 09:00");
    record.changes.push(change("enlarge", "2026-10-20 00:00", cpu("8"), cpu("16")));
    record.granted = Some(cpu("16"));
    assert_eq!(line(&export("2026-10", vec![record])).0, "352", "8 × 18 + 16 × 13");
}

#[test]
fn art_16_the_day_of_recovery_does_not_count() {
    let mut record = travel("2020-10-01 09:00");
    record.exit = exit(None, "2026-10-10 09:00", "2026-10-14 00:00", "2026-10-12 15:00");
    assert_eq!(line(&export("2026-10", vec![record.clone()])).0, "72", "8 × 9");
    // Use ended before reclaiming began.
    record.exit = exit(Some("2026-10-08 17:00"), "2026-10-10 09:00", "2026-10-14 00:00", "2026-10-12 15:00");
    assert_eq!(line(&export("2026-10", vec![record])).0, "56", "8 × 7");
}

#[test]
fn art_16_what_the_provider_is_late_is_not_charged() {
    let mut record = travel("2020-10-01 09:00");
    let bill = |record: &ApplicationRecord| {
        let mut export = export("2026-10", vec![record.clone()]);
        export.charge_until = ChargeUntil::Reclaimed;
        line(&export).0
    };
    record.exit = exit(None, "2026-10-10 09:00", "2026-10-14 00:00", "2026-10-12 15:00");
    assert_eq!(bill(&record), "88", "8 × 11: reclaimed in time on the 12th");
    record.exit = exit(None, "2026-10-10 09:00", "2026-10-14 00:00", "2026-10-25 15:00");
    assert_eq!(bill(&record), "96", "8 × 12: due at 24:00 of the 13th, which is the day of recovery");
}

#[test]
fn art_26_opened_and_closed_within_a_day_costs_nothing_and_is_listed() {
    let mut record = travel("2026-10-14 09:00");
    record.exit = exit(None, "2026-10-14 17:00", "2026-10-20 00:00", "2026-10-15 09:00");
    let statement = settled(&export("2026-10", vec![record])).statement;
    assert!(statement.lines.is_empty() && statement.is_complete());
    let remarks: Vec<_> = statement.remarks.iter().map(|r| (r.reason, &*r.namespace_uid)).collect();
    assert_eq!(remarks, [(RemarkReason::WithinOneDay, "n1")]);
}

#[test]
fn one_resource_has_one_name() {
    let mut record = travel("2020-10-01 09:00");
    record.approved = Quotas::from([("prod".to_owned(), quota(&[("cpu", "7500m")]))]);
    record.granted = Some(cpu("7.5"));
    let mut export = export("2026-10", vec![record]);
    assert_eq!(line(&export), pair("465/2", "225.00"));
    export.editions[0].items = vec![item("cpu", "cpu", "500m", Period::Month, "15.00")];
    assert_eq!(line(&export), pair("465", "225.00"));
}

#[test]
fn a_priced_key_without_a_limit_is_listed() {
    let mut export = export("2026-10", vec![travel("2020-10-01 09:00")]);
    export.editions[0].items.push(item("memory", "memory", "1Gi", Period::Month, "10.00"));
    export.editions[0].items.push(item("entrances", "services.loadbalancers", "1", Period::Month, "100.00"));
    let statement = settled(&export).statement;
    assert_eq!(statement.lines.len(), 1, "{:?}", statement.lines);
    let remarks: Vec<_> = statement.remarks.iter().map(|r| (r.reason, &*r.item)).collect();
    assert_eq!(remarks, [(RemarkReason::Unbounded, "memory")], "entrances are none unless granted");
    assert!(statement.is_complete());
}

#[test]
fn art_26_units_outside_the_budget_are_summed_apart() {
    let mut outside = travel("2026-10-30 09:00");
    (outside.name, outside.uid, outside.outside_budget) = ("museum".to_owned(), "a2".to_owned(), true);
    outside.namespaces[0].uid = "n2".to_owned();
    let statement = settled(&export("2026-10", vec![travel("2020-10-01 09:00"), outside])).statement;
    let sums = [&statement.in_budget, &statement.outside_budget, &statement.total].map(ToString::to_string);
    assert_eq!(sums, ["240.00", "15.48", "255.48"], "8 × 2 × 30 ÷ 31 = 15.4838…");
}

#[test]
fn items_by_namespace_by_application_and_by_hand() {
    let mut record = travel("2020-10-01 09:00");
    record.namespaces.push(NamespaceRecord {
        entry: "test".to_owned(),
        uid: "n2".to_owned(),
        took_back: false,
    });
    let mut both = cpu("8");
    both.insert("test".to_owned(), quota(&[("requests.cpu", "1")]));
    record.changes.push(change("add-test", "2026-10-22 09:00", cpu("8"), both.clone()));
    record.granted = Some(both);
    let mut export = export("2026-10", vec![record]);
    let plain = |code: &str, basis, price: &str| ItemRecord {
        basis,
        resource: None,
        class: ItemClass::Human,
        ..item(code, "", "1", Period::Day, price)
    };
    export.editions[0].items = vec![
        plain("namespace", Basis::PerNamespace, "2.00"),
        plain("operation", Basis::PerApplication, "3.00"),
        plain("expert", Basis::Manual, "1000.00"),
    ];
    export.manual.push(ManualRecord {
        application_uid: "a1".to_owned(),
        item: "expert".to_owned(),
        from: "2026-09-29".parse().unwrap(),
        to: "2026-10-02".parse().unwrap(),
        units: "1.5".to_owned(),
    });
    let lines = lines(&export);
    let of = |item: &str| lines[&("travel".to_owned(), "henan-2020".to_owned(), item.to_owned())].clone();
    assert_eq!(of("namespace"), pair("41", "82.00"), "31 + 10 days");
    assert_eq!(of("operation"), pair("31", "93.00"));
    assert_eq!(of("expert"), pair("3", "3000.00"), "1.5 on 2 days of October");
    assert!(gaps(&export).is_empty());
    export.manual[0].item = "cpu".to_owned();
    assert_eq!(gaps(&export), ["ManualUnusable cpu 2026-09-29"]);
}

#[test]
fn a_statement_reads_back_from_its_json() {
    let export = export("2026-10", vec![travel("2026-10-14 10:00")]);
    let settlement = settled(&export);
    let read: Export = serde_json::from_str(&serde_json::to_string(&export).unwrap()).unwrap();
    assert_eq!(read, export);
    let json = serde_json::to_string(&settlement.statement).unwrap();
    let statement: super::super::statement::Statement = serde_json::from_str(&json).unwrap();
    assert_eq!(statement, settlement.statement);
    assert_eq!(statement.digest, Some(statement.digest_of_content()));
    assert_eq!(statement.closing, settlement.closing.digest());
}

#[test]
fn the_example_of_the_documentation_reads() {
    let page = include_str!("../export.rs");
    let (_, example) = page.split_once("//! ```json\n").unwrap();
    let (example, _) = example.split_once("//! ```\n").unwrap();
    let export: Export = serde_json::from_str(&example.replace("//! ", "")).unwrap();
    assert!(gaps(&export).is_empty());
    // 8 × 6 + 16 × 12 = 240 core-days, and 2.5 days of a person.
    let amounts: Vec<_> = lines(&export).into_values().collect();
    assert_eq!(amounts, [pair("240", "232.26"), pair("5/2", "2500.00")]);
}
