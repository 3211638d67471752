//! Calendar periods beside working days (民法典 201 to 203).

use super::*;
use govcloud_api::period::Period;

fn clock(period: &str, working_days: i32, from: &str) -> Deadline {
    let clock = Deadline::open(Obligation::Drill, working_days, at(from), &cn());
    clock.after_period(Period(period.to_owned()), &cn())
}

#[test]
fn a_period_ends_on_its_day_and_a_day_off_gives_way() {
    for (period, days, from, due) in [
        ("P30D", 0, "2026-03-03T10:00", "2026-04-02"),
        // 1 to 7 October are holidays.
        ("P30D", 0, "2026-09-01T10:00", "2026-10-08"),
        ("P1M", 0, "2026-05-15T10:00", "2026-06-15"),
        // A Saturday.
        ("P1M", 0, "2026-02-28T10:00", "2026-03-30"),
        ("P1M", 5, "2026-05-15T10:00", "2026-06-23"),
    ] {
        let d = clock(period, days, from);
        assert_eq!(d.due_date.0, day(due), "{period} and {days} from {from}");
    }
}

#[test]
fn a_period_into_an_unpublished_year_is_provisional_and_follows_its_publication() {
    let mut d = clock("P1Y", 0, "2026-03-03T10:00");
    assert_eq!((d.due_date.0, d.provisional), (day("2027-03-03"), true));
    let published = edited(2027, |year| year.holidays.push(off("2027-03-03", "2027-03-04")));
    let moved = d.recompute(&published, at("2026-12-10T10:00")).unwrap();
    assert_eq!((moved.new, d.due_date.0, d.provisional), (day("2027-03-05"), day("2027-03-05"), false));
}

#[test]
fn a_long_period_is_warned_of_fifteen_working_days_ahead_and_not_at_half() {
    let d = clock("P6M", 0, "2026-03-03T10:00");
    let first = d.next_wake(at("2026-03-04T10:00"), &cn()).unwrap();
    let mut warned = d.clone();
    let notice = warned.tick(first, &cn()).pop().unwrap();
    assert_eq!((notice.kind, notice.remaining, notice.by_period), (NoticeKind::Half, 15, true));
    assert!(notice.zh().contains("期限将近") && notice.en().contains("due soon"), "{}", notice.en());
    assert_eq!(warned.next_wake(first, &cn()).map(crate::calendar::china_date), Some(d.due_date.0));
}

#[test]
fn the_item_of_a_clock_is_in_its_reports() {
    let mut d = Deadline { item: Some("net-2".to_owned()), ..provision() };
    let notice = d.tick(d.due_at.timestamp(), &cn()).pop().unwrap();
    assert!(notice.zh().contains("net-2") && notice.en().contains("of net-2"), "{}", notice.zh());
}
