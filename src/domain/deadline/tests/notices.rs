//! Reports about deadlines: their time and number.

use super::*;

#[test]
fn warnings_come_at_half_and_on_the_last_day_at_the_desk_and_once() {
    let mut d = provision();
    for (now, expected) in [
        ("2026-09-24T11:00", None), // the start day
        ("2026-09-26T10:00", None), // a holiday
        ("2026-09-28T10:00", None), // three days left
        ("2026-09-29T08:59", None),
        ("2026-09-29T09:00", Some(NoticeKind::Half)),
        ("2026-09-29T09:01", None),
        ("2026-09-30T00:00", None), // at night
        ("2026-09-30T09:00", Some(NoticeKind::LastDay)),
        ("2026-09-30T12:00", None),
        ("2026-09-30T23:59", None),
        ("2026-10-01T00:00", Some(NoticeKind::Overdue)), // at once, on a holiday, at midnight
        ("2026-10-08T10:00", None),
        ("2026-12-08T10:00", None),
    ] {
        assert_eq!(kinds(&mut d, now), Vec::from_iter(expected), "{now}");
        // As after a restart: the status is all there is.
        d = serde_json::from_value(serde_json::to_value(&d).unwrap()).unwrap();
    }
}

#[test]
fn half_of_thirty_days_is_fifteen_left() {
    let mut d = Deadline::open(Obligation::GoLive, 30, at("2026-03-02T10:00"), &cn());
    let half = cn().add(day("2026-03-02"), 16);
    let eve = cn().add(day("2026-03-02"), 15);
    assert!(kinds(&mut d, &format!("{eve}T10:00")).is_empty());
    let notices = d.tick(at(&format!("{half}T10:00")), &cn());
    assert_eq!((notices[0].kind, notices[0].remaining), (NoticeKind::Half, 15));
}

#[test]
fn short_periods_warn_on_their_last_day_alone() {
    for n in [1, 2] {
        let mut d = Deadline::open(Obligation::Change, n, at("2026-03-02T10:00"), &cn());
        let mut all = Vec::new();
        for hour in 10..24 * 4 {
            let now = at("2026-03-02T00:00").checked_add(SignedDuration::from_hours(hour)).unwrap();
            all.extend(d.tick(now, &cn()).into_iter().map(|notice| notice.kind));
        }
        assert_eq!(all, [NoticeKind::LastDay, NoticeKind::Overdue], "{n}");
    }
}

#[test]
fn after_downtime_only_overdue_is_reported_with_the_true_instant() {
    let mut d = provision();
    let notices = d.tick(at("2026-10-12T10:00"), &cn());
    assert_eq!(notices.len(), 1);
    assert_eq!(notices[0].kind, NoticeKind::Overdue);
    assert_eq!(notices[0].due_at, at("2026-10-01T00:00"));
    assert_eq!(notices[0].working_days_late, Some(4));
    assert_eq!(d.working_days_late, Some(4));
    assert_eq!((d.notified.half, d.notified.last_day), (None, None), "what was not reported is not marked");
    assert!(kinds(&mut d, "2026-10-12T10:01").is_empty());
}

#[test]
fn after_downtime_the_last_day_replaces_the_half() {
    let mut d = provision();
    assert_eq!(kinds(&mut d, "2026-09-30T10:00"), [NoticeKind::LastDay]);
    assert!(kinds(&mut d, "2026-09-30T10:01").is_empty());
}

/// Overdue is reported and nothing else: the obligation stays open, unmet and undecided.
#[test]
fn silence_neither_approves_nor_lapses() {
    let review = Deadline::open(Obligation::Review, 5, at("2026-03-02T10:00"), &cn());
    let mut d = review.clone();
    let mut now = at("2026-03-02T10:00");
    for _ in 0..24 * 365 {
        now = now.checked_add(SignedDuration::from_hours(1)).unwrap();
        d.tick(now, &cn());
        assert_eq!(d.recompute(&cn(), now), None);
    }
    let expected = Deadline { notified: d.notified, working_days_late: d.working_days_late, ..review };
    assert_eq!(d, expected);
    assert!(!d.is_over() && d.is_overdue(now));
}

#[test]
fn remaining_days_include_today_and_exclude_the_start() {
    let d = provision();
    for (now, left) in [
        ("2026-09-20T10:00", 3), // a clock that is behind
        ("2026-09-24T10:00", 3),
        ("2026-09-25T10:00", 3),
        ("2026-09-28T23:59", 3),
        ("2026-09-29T00:00", 2),
        ("2026-09-30T23:59", 1),
        ("2026-10-01T00:00", 0),
    ] {
        assert_eq!(d.remaining_working_days(at(now), &cn()), left, "{now}");
    }
}

#[test]
fn the_next_wake_is_the_next_report() {
    let mut d = provision();
    for expected in ["2026-09-29T09:00", "2026-09-30T09:00", "2026-10-01T00:00"] {
        let wake = d.next_wake(at("2026-09-24T10:00"), &cn()).unwrap();
        assert_eq!(wake, at(expected));
        assert_eq!(d.tick(wake, &cn()).len(), 1);
    }
    assert_eq!(d.next_wake(at("2026-10-01T00:00"), &cn()), None);
    assert_eq!(provision().next_wake(at("2026-11-01T03:00"), &cn()), Some(at("2026-11-01T03:00")), "at once");
    let evening = at("2026-09-30T18:00");
    assert_eq!(provision().next_wake(evening, &cn()), Some(at("2026-10-01T00:00")), "too late to warn");
}

proptest! {
    /// Sleeping until the next wake misses nothing, and every wake has something to report.
    #[test]
    fn sleeping_until_the_next_wake_loses_nothing(d in opened(), step in 13_i64..300) {
        let (mut watched, mut slept) = (d.clone(), d.clone());
        let mut now = d.started_at.timestamp();
        let mut reports = 0;
        while let Some(wake) = slept.next_wake(now, &cn()) {
            prop_assert!(wake >= now);
            // Whoever looks more often sees nothing before.
            let mut look = now;
            while look < wake {
                prop_assert!(watched.tick(look, &cn()).is_empty(), "{look} before {wake}");
                look = look.checked_add(SignedDuration::from_mins(step)).unwrap();
            }
            prop_assert_eq!(watched.tick(wake, &cn()).len(), 1);
            prop_assert_eq!(slept.tick(wake, &cn()).len(), 1);
            now = wake;
            reports += 1;
        }
        prop_assert!((1..=3).contains(&reports));
        prop_assert_eq!(watched, slept);
    }
}
