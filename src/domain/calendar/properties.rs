//! Properties of every day, every period and every calendar.

use jiff::civil::date;
use proptest::prelude::*;

use super::{tests::cn_spec, *};
use govcloud_api::time::CivilDate;
use govcloud_api::work_calendar::{Holiday, WorkYear};

/// Days around the published years, and some beyond both ends.
fn days() -> impl Strategy<Value = Date> {
    (0_i64..12 * 365).prop_map(|n| date(2018, 1, 1).checked_add(jiff::Span::new().days(n)).unwrap())
}

/// The shipped calendar with any of its years withheld.
fn calendars() -> impl Strategy<Value = Calendar> {
    (1_u8..128).prop_map(|mask| {
        let mut spec = cn_spec();
        spec.years.retain(|year| mask & (1 << (year.year - 2020)) != 0);
        Calendar::new("cn", 1, &spec).unwrap()
    })
}

/// Year of a notice, and what it made of the December before: days off from and to, and workdays.
type Notice = (i16, Option<(i8, i8)>, &'static [i8]);

/// Calendars before and after each notice that reached into the December before its year, as those notices were.
fn published() -> impl Strategy<Value = (i16, Calendar, Calendar)> {
    let notices: [Notice; 5] = [
        (2007, None, &[30, 31]),
        (2008, Some((30, 31)), &[29]),
        (2012, None, &[31]),
        (2019, Some((30, 31)), &[29]),
        (2023, Some((31, 31)), &[]),
    ];
    proptest::sample::select(notices.to_vec()).prop_map(|(year, off, worked)| {
        let plain = |year: i16| WorkYear {
            year: year.into(),
            notice: None,
            holidays: vec![],
            make_up_workdays: vec![],
        };
        let december = |day| CivilDate(date(year - 1, 12, day));
        let off = off.map(|(from, to)| Holiday {
            name: "元旦".into(),
            from: december(from),
            to: Some(december(to)),
        });
        let first = CivilDate(date(year, 1, 1));
        let touched = WorkYear {
            holidays: off.into_iter().collect(),
            make_up_workdays: worked.iter().map(|day| december(*day)).collect(),
            ..plain(year - 1)
        };
        let next = WorkYear {
            holidays: vec![Holiday { name: "元旦".into(), from: first, to: None }],
            ..plain(year)
        };
        let before = WorkCalendarSpec { years: vec![plain(year - 1)] };
        let after = WorkCalendarSpec { years: vec![touched, next, plain(year + 1)] };
        (year, Calendar::new("cn", 1, &before).unwrap(), Calendar::new("cn", 2, &after).unwrap())
    })
}

proptest! {
    /// No notice from 2007 to 2026 moved an end that was called final before it.
    #[test]
    fn what_is_final_is_moved_by_no_notice((year, before, after) in published(), back in 1_i64..60, n in 1_u32..30) {
        let start = date(year, 1, 1).checked_sub(jiff::Span::new().days(back)).unwrap();
        let (was, is) = (before.due_from(start, n), after.due_from(start, n));
        prop_assert!(was.provisional || was.date == is.date, "{start} + {n}: {} and {}", was.date, is.date);
        prop_assert!(!is.provisional);
    }

    /// Without its next year, a calendar says what it said before that was published.
    #[test]
    fn a_publication_can_be_taken_back((year, before, after) in published(), back in 1_i64..60, n in 1_u32..30) {
        let start = date(year, 1, 1).checked_sub(jiff::Span::new().days(back)).unwrap();
        prop_assert_eq!(after.before(year).due_from(start, n), before.due_from(start, n));
    }

    #[test]
    fn a_later_start_is_never_due_earlier(c in calendars(), a in days(), b in days(), n in 0_u32..60) {
        let (first, second) = (a.min(b), a.max(b));
        prop_assert!(c.due_from(first, n).date <= c.due_from(second, n).date);
    }

    #[test]
    fn a_longer_period_is_due_later(c in calendars(), start in days(), n in 1_u32..60) {
        prop_assert!(c.due_from(start, n).date < c.due_from(start, n + 1).date);
        prop_assert!(c.due_from(start, 0).date <= c.due_from(start, n).date);
    }

    #[test]
    fn adding_m_then_n_is_adding_both(c in calendars(), start in days(), m in 0_u32..60, n in 0_u32..60) {
        prop_assert_eq!(c.add(c.add(start, m), n), c.add(start, m + n));
    }

    #[test]
    fn counting_what_was_added_returns_it(c in calendars(), start in days(), n in 0_u32..90) {
        prop_assert_eq!(c.count(start, c.add(start, n)), i32::try_from(n).unwrap());
    }

    #[test]
    fn going_back_undoes_adding(c in calendars(), start in days(), n in 0_u32..90) {
        prop_assume!(c.is_working(start));
        prop_assert_eq!(c.back(c.add(start, n), n), start);
    }

    #[test]
    fn counts_over_adjoining_spans_add_up(c in calendars(), mut d in proptest::array::uniform3(days())) {
        d.sort();
        prop_assert_eq!(c.count(d[0], d[1]) + c.count(d[1], d[2]), c.count(d[0], d[2]));
    }

    #[test]
    fn days_are_counted_as_if_one_by_one(c in calendars(), a in days(), b in days(), n in 0_u32..400) {
        let (mut day, mut left) = (a, n);
        while left > 0 {
            day = next(day);
            left -= u32::from(c.is_working(day));
        }
        prop_assert_eq!(c.add(a, n), day);
        let (from, to) = (a.min(b), a.max(b));
        let between = from.series(jiff::Span::new().days(1)).skip(1).take_while(|d| *d <= to);
        prop_assert_eq!(c.count(from, to), i32::try_from(between.filter(|d| c.is_working(*d)).count()).unwrap());
    }

    #[test]
    fn a_due_day_is_a_working_day(c in calendars(), start in days(), n in 0_u32..60) {
        prop_assert!(c.is_working(c.due_from(start, n).date));
    }

    #[test]
    fn the_hour_of_the_start_does_not_matter(c in calendars(), start in days(), second in 0_i64..86_400, n in 0_u32..60) {
        let midnight = CHINA.to_timestamp(start.to_datetime(Time::midnight())).unwrap();
        let later = midnight.checked_add(jiff::SignedDuration::from_secs(second)).unwrap();
        prop_assert_eq!(c.due(later, n), c.due_from(start, n));
        prop_assert_eq!(c.due(midnight, n), c.due_from(start, n));
    }

    #[test]
    fn provisional_means_that_some_counted_day_is_unknown(c in calendars(), start in days(), n in 1_u32..60) {
        let due = c.due_from(start, n);
        let unknown = start
            .series(jiff::Span::new().days(1))
            .skip(1)
            .take_while(|day| *day <= due.date)
            .any(|day| !c.knows(day));
        prop_assert_eq!(due.provisional, unknown);
    }

    #[test]
    fn the_next_desk_hour_is_the_first(c in calendars(), start in days(), second in 0_i64..86_400) {
        let now = CHINA.to_timestamp(start.to_datetime(Time::midnight())).unwrap();
        let now = now.checked_add(jiff::SignedDuration::from_secs(second)).unwrap();
        let next = c.next_at_desk(now);
        prop_assert!(c.at_desk(next) && next >= now);
        let before = next.checked_sub(jiff::SignedDuration::from_secs(1)).unwrap();
        prop_assert!(next == now || !c.at_desk(before));
    }
}
