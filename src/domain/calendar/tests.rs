//! Values to hold, each against the published notices.

use std::sync::LazyLock;

use jiff::civil::date;

use super::*;
use govcloud_api::{
    time::CivilDate,
    work_calendar::{Holiday, WorkCalendar, WorkYear},
};

/// Read once: the tests ask for it some hundred thousand times.
static SPEC: LazyLock<WorkCalendarSpec> = LazyLock::new(|| {
    let text = include_str!("../../../config/calendars/cn.yaml");
    serde_saphyr::from_str::<WorkCalendar>(text).unwrap().spec
});
static CN: LazyLock<Calendar> = LazyLock::new(|| Calendar::new("cn", 1, &SPEC).unwrap());

/// The calendar that ships, at revision 1.
pub(crate) fn cn() -> Calendar {
    CN.clone()
}

pub(crate) fn cn_spec() -> WorkCalendarSpec {
    SPEC.clone()
}

/// `2026-09-24T10:00`, in China.
pub(crate) fn at(text: &str) -> Timestamp {
    CHINA.to_timestamp(text.parse().unwrap()).unwrap()
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

#[test]
fn periods_end_as_the_law_counts_them() {
    for (start, n, expected) in [
        ("2026-09-24", 3, "2026-09-30"),  // Mid-Autumn between
        ("2026-09-30", 3, "2026-10-10"),  // National Day; Saturday the 10th is worked
        ("2026-02-13", 3, "2026-02-25"),  // Saturday the 14th is worked, then Spring Festival
        ("2025-01-24", 3, "2025-02-05"),  // Sunday the 26th is worked
        ("2020-08-26", 30, "2020-10-13"), // the day the measures were issued
        ("2024-02-08", 1, "2024-02-09"),  // New Year's Eve 2024 was no public holiday
        ("2020-01-23", 1, "2020-02-03"),  // the festival was extended to 2 February
        ("2023-12-29", 1, "2024-01-02"),  // across two published years
        ("2026-09-19", 1, "2026-09-20"),  // started on a Saturday, due on a worked Sunday
    ] {
        let due = cn().due_from(day(start), n);
        assert_eq!(due.date, day(expected), "{start} + {n}");
        assert!(!due.provisional, "{start} + {n}");
    }
}

#[test]
fn a_period_ends_at_24_00_in_china() {
    let due = cn().due(at("2026-09-24T10:00"), 3);
    assert_eq!(due.at.to_string(), "2026-09-30T16:00:00Z");
}

#[test]
fn the_start_day_is_the_day_in_china_from_its_first_to_its_last_second() {
    for start in ["2026-09-23T16:00:00Z", "2026-09-24T15:59:59Z", "2026-09-24T23:59:59+08:00"] {
        assert_eq!(cn().due(start.parse().unwrap(), 3).date, day("2026-09-30"), "{start}");
    }
    assert_eq!(cn().due("2026-09-28T15:59:59Z".parse().unwrap(), 3).date, day("2026-10-08"));
    assert_eq!(cn().due("2026-09-28T16:00:00Z".parse().unwrap(), 3).date, day("2026-10-09"));
    assert_eq!(cn().due("2026-09-23T15:59:59Z".parse().unwrap(), 3).date, day("2026-09-29"));
}

#[test]
fn a_period_into_an_unpublished_year_is_provisional() {
    let due = cn().due_from(day("2026-12-30"), 3);
    assert_eq!((due.date, due.provisional), (day("2027-01-04"), true), "1 January counts as a plain Friday");
    assert!(cn().due_from(day("2026-12-30"), 1).provisional, "31 December follows the notice for 2027");
    assert!(cn().due_from(day("2027-06-01"), 1).provisional);
    assert!(!cn().due_from(day("2026-12-24"), 2).provisional, "28 December is known");
    assert!(cn().due_from(day("2026-12-24"), 3).provisional, "29 December is not");
    assert!(!cn().due_from(day("2025-12-24"), 3).provisional, "2026 is published");
    assert!(!cn().due_from(day("2019-12-31"), 1).provisional, "the start day does not count");
    assert!(cn().due_from(day("2019-12-31"), 0).provisional, "unless it is all there is");
}

#[test]
fn a_gap_between_published_years_is_seen() {
    let mut spec = cn_spec();
    spec.years.retain(|year| year.year != 2024);
    let calendar = Calendar::new("cn", 2, &spec).unwrap();
    assert!(calendar.due_from(day("2023-12-01"), 300).provisional);
    assert!(!cn().due_from(day("2023-12-01"), 300).provisional);
}

#[test]
fn a_period_of_no_days_ends_on_a_working_day() {
    assert_eq!(cn().due_from(day("2026-09-24"), 0).date, day("2026-09-24"));
    assert_eq!(cn().due_from(day("2026-10-01"), 0).date, day("2026-10-08"), "民法典 203");
}

#[test]
fn days_are_told_apart() {
    let cn = cn();
    let kind = |text| cn.day(day(text)).kind;
    assert_eq!(kind("2026-09-24"), DayKind::Working);
    assert_eq!(kind("2026-09-25"), DayKind::Holiday("中秋节"));
    assert_eq!(kind("2026-09-27"), DayKind::Holiday("中秋节"), "a Sunday within");
    assert_eq!(kind("2026-09-20"), DayKind::MakeUp);
    assert_eq!(kind("2026-09-19"), DayKind::Weekend);
    assert_eq!(kind("2024-12-31"), DayKind::Working, "day 366");
    assert!(cn.day(day("2026-12-28")).known && cn.day(day("2025-12-31")).known);
    assert!(!cn.day(day("2026-12-29")).known && !cn.day(day("2026-12-31")).known);
    let unknown = cn.day(day("2027-01-01"));
    assert_eq!((unknown.kind, unknown.known), (DayKind::Working, false));
    assert_eq!(cn.day(day("2027-01-02")).kind, DayKind::Weekend);
    for date in date(2026, 1, 1).series(jiff::Span::new().days(1)).take(365) {
        assert_eq!(cn.day(date).is_working(), cn.is_working(date), "{date}");
    }
}

/// 2026: 261 weekdays, less 19 of them off, and 6 make-up workdays are 248.
#[test]
fn years_have_as_many_working_days_as_published() {
    let totals: Vec<i32> =
        (2020..=2026).map(|year| cn().count(date(year - 1, 12, 31), date(year, 12, 31))).collect();
    assert_eq!(totals, [249, 250, 249, 249, 251, 248, 248]);
}

#[test]
fn counting_excludes_the_first_day_and_includes_the_last() {
    let cn = cn();
    assert_eq!(cn.count(day("2026-09-24"), day("2026-09-30")), 3);
    assert_eq!(cn.count(day("2026-09-24"), day("2026-09-24")), 0);
    assert_eq!(cn.count(day("2026-09-30"), day("2026-09-24")), 0);
    assert_eq!(cn.back(day("2026-09-30"), 3), day("2026-09-24"));
    assert_eq!(cn.back(day("2026-10-10"), 3), day("2026-09-30"));
}

#[test]
fn desks_are_open_from_nine_to_half_past_five_on_working_days_in_china() {
    let cn = cn();
    for (time, open) in [
        ("2026-09-24T08:59:59", false),
        ("2026-09-24T09:00:00", true),
        ("2026-09-24T17:29:59", true),
        ("2026-09-24T17:30:00", false),
        ("2026-09-25T10:00:00", false),
        ("2026-09-20T10:00:00", true),
        ("2026-09-19T10:00:00", false),
    ] {
        assert_eq!(cn.at_desk(at(time)), open, "{time}");
    }
    for (now, next) in [
        ("2026-09-24T10:00", "2026-09-24T10:00"),
        ("2026-09-24T03:00", "2026-09-24T09:00"),
        ("2026-09-24T17:30", "2026-09-28T09:00"),
        ("2026-10-03T12:00", "2026-10-08T09:00"),
    ] {
        assert_eq!(cn.next_at_desk(at(now)), at(next), "{now}");
    }
}

#[test]
fn the_ends_of_time_stop_the_count_instead_of_failing() {
    assert_eq!(cn().add(date(9999, 12, 1), 1000), Date::MAX);
    assert_eq!(cn().back(date(-9999, 1, 10), 1000), Date::MIN);
    assert_eq!(cn().due(Timestamp::MAX, 5).at, Timestamp::MAX);
    cn().next_at_desk(Timestamp::MAX);
    cn().next_at_desk(Timestamp::MIN);
}

#[test]
fn the_calendar_names_itself_its_years_and_their_notices() {
    assert_eq!(Calendar::new("cn", 7, &cn_spec()).unwrap().stamp(), "cn@7");
    assert_eq!(cn().years().collect::<Vec<_>>(), (2020..=2026).collect::<Vec<_>>());
    assert_eq!(cn().notice(2026), Some("国办发明电〔2025〕7号"));
    assert_eq!(cn().notice(2027), None);
}

fn year(year: i32, holidays: &[(&str, Option<&str>)], make_up: &[&str]) -> WorkYear {
    let parse = |text: &&str| CivilDate(day(text));
    WorkYear {
        year,
        notice: None,
        holidays: holidays
            .iter()
            .map(|(from, to)| Holiday { name: "节".into(), from: parse(from), to: to.as_ref().map(parse) })
            .collect(),
        make_up_workdays: make_up.iter().map(parse).collect(),
    }
}

fn refused(years: Vec<WorkYear>) -> String {
    Calendar::new("x", 1, &WorkCalendarSpec { years }).unwrap_err().to_string()
}

#[test]
fn a_calendar_that_cannot_be_right_is_refused_in_both_languages() {
    let messages = [
        refused(vec![]),
        refused(vec![year(2026, &[], &[]), year(2026, &[], &[])]),
        refused(vec![year(1991, &[], &[])]),
        refused(vec![year(70_000, &[], &[])]),
        refused(vec![year(2026, &[("2025-12-31", None)], &[])]),
        refused(vec![year(2026, &[("2026-12-31", Some("2027-01-01"))], &[])]),
        refused(vec![year(2026, &[("2026-10-07", Some("2026-10-01"))], &[])]),
        refused(vec![year(2026, &[], &["2025-09-20"])]),
        refused(vec![year(2026, &[], &["2026-09-21"])]),
        refused(vec![year(2026, &[("2026-10-10", None)], &["2026-10-10"])]),
    ];
    insta::assert_snapshot!(messages.join("\n"));
}
