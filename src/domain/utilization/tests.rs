//! Days that count, months that are unknown, and sensors that are broken.

use govcloud_api::utilization::MeasuredResource::{Cpu, Memory};
use proptest::prelude::*;

use super::*;

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn september() -> Days {
    Days { from: date("2026-09-01"), to: date("2026-09-30") }
}

fn quarter() -> Days {
    Days { from: date("2026-07-01"), to: date("2026-09-30") }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn namespace(name: &str) -> MeasuredNamespace {
    let live_at = Some(at("2026-01-05T01:00:00Z"));
    MeasuredNamespace { application: "travel".to_owned(), namespace: name.to_owned(), live_at }
}

fn sampled(mean: f64, coverage: f64) -> Sampled {
    Sampled { mean, p95: mean * 2.0, coverage }
}

/// Readings of every day of a period: real use, requests and quota, with the coverage of real use by the day's number.
fn steady(name: &str, period: Days, real: f64, coverage: impl Fn(usize) -> f64) -> UseReadings {
    let mut readings = UseReadings::new(at("2026-10-01T00:00:00Z"));
    for (number, day) in period.iter().enumerate() {
        readings.add(name, Cpu, day, Measure::Real, sampled(real, coverage(number)));
        readings.add(name, Cpu, day, Measure::Requests, sampled(4.0, 1.0));
        readings.add(name, Cpu, day, Measure::Quota, sampled(8.0, 1.0));
    }
    readings
}

fn cpu_of(readings: &UseReadings, period: Days, rule: Option<&LowUseRule>) -> (MonthUse, Utilization) {
    let found = utilization(&[namespace("prod")], period, readings, rule);
    let row = found.months.iter().rfind(|row| row.resource == Cpu).unwrap().clone();
    (row, found)
}

#[test]
fn three_ratios_are_kept_apart() {
    let (row, found) = cpu_of(&steady("prod", september(), 1.0, |_| 1.0), september(), None);
    let ratios = [row.applied, row.used, row.used_p95, row.dense];
    assert_eq!(ratios.map(Option::unwrap), ["0.5000", "0.1250", "0.2500", "0.2500"]);
    assert_eq!((row.result, row.days, row.counting_days), (MeasuredResult::Measured, 30, 30));
    assert_eq!((row.month.as_str(), row.coverage.len()), ("2026-09", 30));
    assert!(found.suspect.is_empty() && found.low.is_empty());
}

#[test]
fn a_day_below_nine_tenths_does_not_count_and_24_days_are_no_month() {
    for (bad, counting, result) in
        [(5, 25, MeasuredResult::Measured), (6, 24, MeasuredResult::InsufficientData)]
    {
        let readings = steady("prod", september(), 1.0, |n| if n < bad { 0.899 } else { 0.9 });
        let (row, _) = cpu_of(&readings, september(), None);
        assert_eq!((row.counting_days, row.result), (counting, result));
        assert_eq!(row.used.is_some(), result == MeasuredResult::Measured, "unknown is not 0");
        assert_eq!(row.applied.as_deref(), Some("0.5000"), "requests and quota were covered");
        assert_eq!((row.coverage[0], row.coverage[29]), (89, 90));
    }
}

#[test]
fn what_is_absent_is_never_0() {
    let nothing = UseReadings::default();
    let found = utilization(&[namespace("prod")], september(), &nothing, None);
    assert!(found.suspect.is_empty(), "nothing was read; no sensor read 0");
    for row in &found.months {
        assert_eq!(row.result, MeasuredResult::InsufficientData);
        assert!(row.applied.is_none() && row.used.is_none() && row.used_p95.is_none() && row.dense.is_none());
    }
    assert_eq!(verdict(&found).1, Reason::InsufficientData);
}

#[test]
fn a_zero_everywhere_is_the_sensors_and_a_zero_somewhere_is_use() {
    let idle = steady("prod", september(), 0.0, |_| 1.0);
    let (row, found) = cpu_of(&idle, september(), None);
    assert_eq!((row.result, row.used), (MeasuredResult::SensorSuspect, None));
    assert_eq!(row.applied.as_deref(), Some("0.5000"), "the quota is another sensor");
    assert_eq!((found.suspect.as_slice(), verdict(&found).1), ([Cpu].as_slice(), Reason::SensorSuspect));

    let mut beside = idle;
    beside.add("test", Cpu, date("2026-09-01"), Measure::Real, sampled(0.1, 1.0));
    let (row, found) = cpu_of(&beside, september(), None);
    assert_eq!((row.result, row.used.as_deref()), (MeasuredResult::Measured, Some("0.0000")));
    assert!(found.suspect.is_empty());
}

#[test]
fn worse_never_overwrites_better() {
    let day = date("2026-09-01");
    let mut readings = UseReadings::default();
    for (mean, coverage) in [(1.0, 0.5), (2.0, 0.95), (9.0, 0.6), (9.0, 0.95)] {
        readings.add("prod", Memory, day, Measure::Real, sampled(mean, coverage));
    }
    assert_eq!(readings.day("prod", Memory, day).real, Some(sampled(2.0, 0.95)));
    assert_eq!(readings.day("prod", Cpu, day), DayReading::default());
}

#[test]
fn low_use_is_reported_for_systems_that_were_live_all_the_time() {
    let rule = LowUseRule { resource: Cpu, ratio: UseRatio::UsedP95, below: "0.10".to_owned(), months: 3 };
    let low = steady("prod", quarter(), 0.2, |_| 1.0);
    let (_, found) = cpu_of(&low, quarter(), Some(&rule));
    let [one] = found.low.as_slice() else { panic!("{:?}", found.low) };
    assert_eq!((one.namespace.as_str(), one.highest.as_str(), one.months), ("prod", "0.0500", 3));

    let young = MeasuredNamespace { live_at: Some(at("2026-07-02T00:00:00Z")), ..namespace("prod") };
    let unborn = MeasuredNamespace { live_at: None, ..namespace("prod") };
    for other in [young, unborn] {
        assert!(utilization(&[other], quarter(), &low, Some(&rule)).low.is_empty());
    }
    let busy = steady("prod", quarter(), 0.4, |_| 1.0);
    assert!(cpu_of(&busy, quarter(), Some(&rule)).1.low.is_empty(), "0.1000 is not below 0.10");
    let gaps = steady("prod", quarter(), 0.2, |n| if n < 10 { 0.5 } else { 1.0 });
    assert!(cpu_of(&gaps, quarter(), Some(&rule)).1.low.is_empty(), "one month is not known");
    let long = LowUseRule { months: 4, ..rule };
    assert!(cpu_of(&low, quarter(), Some(&long)).1.low.is_empty(), "the period has three months");
}

#[test]
fn rows_are_counted_before_anything_is_read() {
    assert_eq!((rows(1, quarter()), rows(2, september())), (9, 6));
    let year = Days { from: date("2026-01-01"), to: date("2026-12-31") };
    assert!(rows(28, year) <= MOST_ROWS && rows(29, year) > MOST_ROWS);
}

#[test]
fn a_day_is_read_at_16_00_utc() {
    assert_eq!(window_end(date("2026-09-30")), at("2026-09-30T16:00:00Z"));
}

proptest! {
    /// Whatever is read: a ratio is there only where 25 days count, and coverage is never rounded up.
    #[test]
    fn no_ratio_without_25_days(coverages in proptest::collection::vec(0.0_f64..=1.0, 30), real in 0.01_f64..8.0) {
        let (row, _) = cpu_of(&steady("prod", september(), real, |n| coverages[n]), september(), None);
        let counting = coverages.iter().filter(|c| **c >= COVERED).count();
        prop_assert_eq!(row.counting_days, count(counting));
        prop_assert_eq!(row.used.is_some(), counting >= LEAST_DAYS);
        for (shown, coverage) in row.coverage.iter().zip(&coverages) {
            prop_assert!(f64::from(*shown) <= coverage * 100.0 && f64::from(shown + 1) > coverage * 100.0);
        }
    }
}
