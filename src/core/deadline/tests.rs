//! A deadline's life, clause by clause.

use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;
use crate::core::calendar::tests::{at, cn, cn_spec};

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// Art. 13: three working days for the provider; notified on Thursday 24 September 2026, due on the 30th.
fn provision() -> Deadline {
    Deadline::open(Obligation::Provision, Party::Provider, 13, 3, at("2026-09-24T10:00"), &cn())
}

/// Art. 14: thirty working days for the department, across the turn of the year.
fn go_live() -> Deadline {
    Deadline::open(Obligation::GoLive, Party::Department, 14, 30, at("2026-12-01T10:00"), &cn())
}

/// The shipped calendar with `year` changed, or added empty, at revision 2.
fn edited(year: i32, change: impl FnOnce(&mut crate::api::work_calendar::WorkYear)) -> Calendar {
    use crate::api::work_calendar::WorkYear;
    let mut spec = cn_spec();
    if !spec.years.iter().any(|y| y.year == year) {
        spec.years.push(WorkYear { year, notice: None, holidays: vec![], make_up_workdays: vec![] });
    }
    change(spec.years.iter_mut().find(|y| y.year == year).unwrap());
    Calendar::new("cn", 2, &spec).unwrap()
}

fn off(from: &str, to: &str) -> crate::api::work_calendar::Holiday {
    crate::api::work_calendar::Holiday {
        name: "节".into(),
        from: from.parse().unwrap(),
        to: Some(to.parse().unwrap()),
    }
}

/// The revision that takes Tuesday 29 September 2026 off.
fn later_by_one() -> Calendar {
    edited(2026, |year| year.holidays.push(off("2026-09-29", "2026-09-29")))
}

fn kinds(deadline: &mut Deadline, now: &str) -> Vec<NoticeKind> {
    deadline.tick(at(now), &cn()).iter().map(|notice| notice.kind).collect()
}

#[test]
fn a_deadline_opens_with_its_last_lawful_day() {
    let d = provision();
    assert_eq!(d.due_date.to_string(), "2026-09-30");
    assert_eq!(d.due_at.to_string(), "2026-09-30T16:00:00Z");
    assert_eq!((d.provisional, d.calendar.as_str()), (false, "cn@1"));
    insta::assert_yaml_snapshot!(d);
}

#[test]
fn without_a_change_of_the_calendar_nothing_changes() {
    let mut d = provision();
    for now in ["2026-09-25T00:00", "2020-01-01T00:00", "2031-01-01T00:00"] {
        assert_eq!(d.recompute(&cn(), at(now)), None);
        assert_eq!(d, provision(), "a clock that is wrong moves no deadline");
    }
}

#[test]
fn publishing_the_year_settles_a_provisional_date() {
    let mut d = go_live();
    assert_eq!((d.due_date.0, d.provisional), (day("2027-01-12"), true));
    let published = edited(2027, |year| year.holidays.push(off("2027-01-01", "2027-01-03")));
    let moved = d.recompute(&published, at("2026-12-10T10:00")).unwrap();
    assert_eq!((moved.old, moved.new), (day("2027-01-12"), day("2027-01-13")));
    assert_eq!((moved.was_provisional, moved.provisional, moved.applied), (true, false, true));
    assert_eq!(moved.why, MovedBy::YearPublished);
    assert_eq!(moved.revision, "cn@2");
    assert_eq!((d.due_date.0, d.due_at.to_string().as_str()), (day("2027-01-13"), "2027-01-13T16:00:00Z"));
    assert_eq!(d.recompute(&published, at("2026-12-11T10:00")), None, "once");
}

#[test]
fn publishing_the_year_confirms_a_date_that_stays() {
    let mut d = go_live();
    let moved = d.recompute(&edited(2027, |_| {}), at("2026-12-10T10:00")).unwrap();
    assert_eq!((moved.old, moved.new, d.provisional), (day("2027-01-12"), day("2027-01-12"), false));
}

#[test]
fn a_new_revision_that_changes_nothing_is_noted_without_an_entry() {
    let mut d = provision();
    assert_eq!(d.recompute(&edited(2027, |_| {}), at("2026-09-25T10:00")), None);
    assert_eq!(d, Deadline { calendar: "cn@2".into(), ..provision() });
}

#[test]
fn an_edited_calendar_moves_an_open_date() {
    let mut d = provision();
    let moved = d.recompute(&later_by_one(), at("2026-09-28T10:00")).unwrap();
    assert_eq!((moved.new, &moved.why), (day("2026-10-08"), &MovedBy::CalendarEdited));
    let back = d.recompute(&cn(), at("2026-09-28T10:00")).unwrap();
    assert_eq!((back.old, back.new), (day("2026-10-08"), day("2026-09-30")));
}

#[test]
fn a_recreated_calendar_with_the_same_stamp_is_still_compared() {
    let mut d = provision();
    let mut spec = cn_spec();
    spec.years.last_mut().unwrap().holidays.push(off("2026-09-29", "2026-09-29"));
    let same_stamp = Calendar::new("cn", 1, &spec).unwrap();
    assert!(d.recompute(&same_stamp, at("2026-09-28T10:00")).is_some());
}

#[test]
fn a_met_obligation_is_not_reopened_and_the_change_is_recorded_once() {
    let mut met = provision();
    met.meet(at("2026-09-29T12:00"), &cn()).unwrap();
    let before = met.clone();
    let moved = met.recompute(&later_by_one(), at("2026-10-01T10:00")).unwrap();
    assert_eq!((moved.old, moved.new, moved.applied), (day("2026-09-30"), day("2026-10-08"), false));
    assert_eq!(met, Deadline { calendar: "cn@2".into(), ..before });
    assert_eq!(met.recompute(&later_by_one(), at("2026-10-02T10:00")), None);
    assert!(met.tick(at("2026-11-01T10:00"), &cn()).is_empty());
}

#[test]
fn a_closed_obligation_is_never_moved_met_or_reported() {
    let mut d = provision();
    assert!(d.close(at("2026-09-28T10:00"), "申请已撤回"));
    assert!(!d.close(at("2026-09-28T11:00"), "again"));
    assert_eq!(d.meet(at("2026-09-29T10:00"), &cn()), None);
    assert!(!d.recompute(&later_by_one(), at("2026-10-01T10:00")).unwrap().applied);
    assert_eq!(d.due_date.0, day("2026-09-30"));
    assert!(kinds(&mut d, "2026-10-20T10:00").is_empty());
    assert_eq!(d.next_wake(at("2026-09-28T12:00"), &cn()), None);
    assert!(!d.is_overdue(at("2026-10-20T10:00")));
    assert_eq!(d.remaining_working_days(at("2026-09-28T12:00"), &cn()), 0);
    assert_eq!(d.closed_reason.as_deref(), Some("申请已撤回"));
}

#[test]
fn overdue_that_an_edit_puts_in_time_again_can_be_reported_again() {
    let mut d = provision();
    assert_eq!(kinds(&mut d, "2026-10-01T00:00"), [NoticeKind::Overdue]);
    d.recompute(&later_by_one(), at("2026-10-01T08:00")).unwrap();
    assert_eq!((d.notified.overdue, d.working_days_late), (None, None));
    let notice = d.tick(at("2026-10-09T00:00"), &later_by_one()).remove(0);
    assert_eq!((notice.kind, notice.due_date), (NoticeKind::Overdue, day("2026-10-08")));
}

#[test]
fn the_date_moves_by_the_working_days_spent_waiting() {
    let mut d = provision();
    assert!(d.pause(at("2026-09-28T15:00"), Party::Department, "等待同意", &cn()).is_empty());
    assert!(d.is_paused());
    let moved = d.resume(at("2026-09-30T09:00"), &cn());
    let waited = MovedBy::Waited { on: Party::Department, reason: "等待同意".into(), working_days: 2 };
    assert_eq!(moved.len(), 1);
    assert_eq!((moved[0].old, moved[0].new, &moved[0].why), (day("2026-09-30"), day("2026-10-09"), &waited));
    assert_eq!(d.due_date.0, day("2026-10-09"));
    assert_eq!(d.recompute(&cn(), at("2026-09-30T10:00")), None, "pauses are part of the computed date");
}

#[test]
fn waiting_within_a_day_moves_nothing() {
    let mut d = provision();
    d.pause(at("2026-09-28T09:00"), Party::Department, "用量", &cn());
    assert!(d.resume(at("2026-09-28T17:00"), &cn()).is_empty());
    assert_eq!((d.due_date.0, d.pauses.len()), (day("2026-09-30"), 1));
    assert!(d.resume(at("2026-09-29T17:00"), &cn()).is_empty(), "it runs already");
}

#[test]
fn waiting_over_days_off_moves_nothing() {
    let mut d = provision();
    d.pause(at("2026-09-25T09:00"), Party::Department, "用量", &cn());
    assert!(d.resume(at("2026-09-27T09:00"), &cn()).is_empty());
}

#[test]
fn waiting_on_its_own_party_or_on_nobody_stops_no_clock() {
    let mut d = provision();
    d.pause(at("2026-09-28T09:00"), Party::Provider, "x", &cn());
    d.pause(at("2026-09-28T09:00"), Party::None, "x", &cn());
    assert_eq!(d, provision());
}

#[test]
fn each_party_waited_on_has_its_own_interval_and_entry() {
    let mut d = provision();
    d.pause(at("2026-09-24T12:00"), Party::Department, "用量", &cn());
    d.pause(at("2026-09-24T13:00"), Party::Department, "用量", &cn());
    assert_eq!(d.pauses.len(), 1, "the same wait is not begun twice");
    let first = d.pause(at("2026-09-28T12:00"), Party::Authority, "裁定", &cn());
    assert_eq!((first[0].old, first[0].new), (day("2026-09-30"), day("2026-10-08")));
    assert_eq!(d.recompute(&cn(), at("2026-09-28T13:00")), None, "nothing moves while it stands still");
    let second = d.resume(at("2026-09-29T12:00"), &cn());
    assert_eq!((second[0].old, second[0].new), (day("2026-10-08"), day("2026-10-09")));
    assert_eq!(d.pauses.len(), 2);
    assert_eq!(d.pauses[0].to, Some(d.pauses[1].from));
}

#[test]
fn waiting_that_flaps_within_days_is_stored_as_one_interval() {
    let mut d = provision();
    for (from, to) in [("28T09", "28T10"), ("28T11", "29T09"), ("29T10", "30T09")] {
        d.pause(at(&format!("2026-09-{from}:00")), Party::Department, "用量", &cn());
        d.resume(at(&format!("2026-09-{to}:00")), &cn());
    }
    assert_eq!((d.pauses.len(), d.due_date.0), (1, day("2026-10-09")));
    assert_eq!(d.recompute(&cn(), at("2026-09-30T10:00")), None);
}

#[test]
fn the_stored_intervals_are_bounded() {
    let mut d = go_live();
    for minute in 0..400_i64 {
        let now = at("2026-12-02T09:00").checked_add(SignedDuration::from_mins(minute)).unwrap();
        let party = if minute % 2 == 0 { Party::Authority } else { Party::Provider };
        d.pause(now, party, "flap", &cn());
    }
    assert!(d.pauses.len() <= MAX_PAUSES && d.is_paused());
    let mut full = go_live();
    for n in 0..150_u32 {
        let from = cn().add(day("2026-12-01"), 2 * n);
        full.pause(super::super::calendar::desk_opens(from), Party::Authority, "x", &cn());
        full.resume(super::super::calendar::desk_opens(cn().add(from, 1)), &cn());
    }
    assert_eq!((full.pauses.len(), full.is_paused()), (MAX_PAUSES, false));
}

#[test]
fn a_host_clock_that_jumps_back_makes_no_negative_interval() {
    let mut d = provision();
    d.pause(at("2026-09-20T09:00"), Party::Department, "x", &cn());
    assert_eq!(d.pauses[0].from, d.started_at, "never before the start");
    d.resume(at("2026-09-19T09:00"), &cn());
    assert_eq!(d.pauses[0].to, Some(d.started_at));
    assert_eq!(d.due_date.0, day("2026-09-30"));
}

#[test]
fn a_stopped_clock_does_not_run_out() {
    let mut d = provision();
    d.pause(at("2026-09-30T23:59"), Party::Department, "等待同意", &cn());
    assert!(!d.is_overdue(at("2026-10-20T10:00")));
    assert!(kinds(&mut d, "2026-10-20T10:00").is_empty());
    assert_eq!(d.next_wake(at("2026-10-20T10:00"), &cn()), None);
    assert_eq!(d.remaining_working_days(at("2026-10-20T10:00"), &cn()), 1, "it stands still as well");
    d.resume(at("2026-10-20T10:00"), &cn());
    assert_eq!(d.due_date.0, day("2026-10-20"), "the rest of that day is left");
}

#[test]
fn what_was_missed_stays_missed_though_later_waiting_is_not_blamed_on_the_party() {
    let mut d = provision();
    d.pause(at("2026-10-09T10:00"), Party::Department, "x", &cn());
    assert!(d.is_overdue(at("2026-10-09T11:00")));
    assert_eq!(kinds(&mut d, "2026-10-09T11:00"), [NoticeKind::Overdue], "also while it stands still");
    assert!(d.resume(at("2026-10-13T10:00"), &cn()).is_empty());
    assert_eq!(d.due_date.0, day("2026-09-30"));
    // 8, 9, 10, 12, 13 and 14 October, less 10, 12 and 13 spent waiting.
    let met = d.meet(at("2026-10-14T10:00"), &cn()).unwrap();
    assert_eq!(met.working_days_late, Some(3));
}

#[test]
fn meeting_fixes_the_lateness() {
    for (met_at, late) in [
        ("2026-09-24T10:00", None),
        ("2026-09-30T23:59:59", None),
        ("2026-10-01T00:00", Some(0)),
        ("2026-10-08T09:00", Some(1)),
        ("2026-10-12T09:00", Some(4)),
    ] {
        let mut d = provision();
        assert_eq!(d.meet(at(met_at), &cn()).unwrap().working_days_late, late, "{met_at}");
        assert_eq!((d.met_at, d.working_days_late), (Some(at(met_at).into()), late));
        assert_eq!(d.meet(at("2026-12-01T09:00"), &cn()), None, "once");
        assert!(!d.is_overdue(at("2026-12-01T09:00")));
    }
}

#[test]
fn meeting_while_stopped_counts_the_wait_first() {
    let mut d = provision();
    d.pause(at("2026-09-30T10:00"), Party::Department, "等待同意", &cn());
    let met = d.meet(at("2026-10-09T10:00"), &cn()).unwrap();
    assert_eq!((met.working_days_late, met.moved.len()), (None, 1));
    assert!(!d.is_paused());
}

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
    let mut d = Deadline::open(Obligation::GoLive, Party::Department, 14, 30, at("2026-03-02T10:00"), &cn());
    let half = cn().add(day("2026-03-02"), 16);
    let eve = cn().add(day("2026-03-02"), 15);
    assert!(kinds(&mut d, &format!("{eve}T10:00")).is_empty());
    let notices = d.tick(at(&format!("{half}T10:00")), &cn());
    assert_eq!((notices[0].kind, notices[0].remaining), (NoticeKind::Half, 15));
}

#[test]
fn short_periods_warn_on_their_last_day_alone() {
    for n in [1, 2] {
        let mut d = Deadline::open(Obligation::Change, Party::Provider, 15, n, at("2026-03-02T10:00"), &cn());
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
    let review = Deadline::open(Obligation::Review, Party::Authority, 12, 5, at("2026-03-02T10:00"), &cn());
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

#[test]
fn the_sentences_are_as_recorded() {
    let mut d = provision();
    let mut lines = Vec::new();
    for now in ["2026-09-29T09:00", "2026-09-30T09:00", "2026-10-09T00:00"] {
        lines.extend(d.tick(at(now), &cn()).iter().flat_map(|notice| [notice.zh(), notice.en()]));
    }
    let mut paused = provision();
    paused.pause(at("2026-09-28T15:00"), Party::Department, "用量超过申请配额", &cn());
    let mut moved = paused.resume(at("2026-09-30T09:00"), &cn());
    moved.extend(go_live().recompute(&edited(2027, |_| {}), at("2026-12-10T10:00")));
    moved.extend(provision().recompute(&later_by_one(), at("2026-09-28T10:00")));
    let mut closed = provision();
    closed.close(at("2026-09-28T10:00"), "x");
    moved.extend(closed.recompute(&later_by_one(), at("2026-09-30T11:00")));
    lines.extend(moved.iter().flat_map(|moved| [moved.zh(), moved.en()]));
    insta::assert_snapshot!(lines.join("\n"));
}

fn opened() -> impl Strategy<Value = Deadline> {
    (0_i64..60 * 24 * 720, 0..40_i32).prop_map(|(minutes, n)| {
        let start = at("2025-06-01T00:00").checked_add(SignedDuration::from_mins(minutes)).unwrap();
        Deadline::open(Obligation::GoLive, Party::Department, 14, n, start, &cn())
    })
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

    /// However the waiting was cut up, the date is the start, the period and the days waited.
    #[test]
    fn waiting_moves_by_exactly_the_days_waited(d in opened(), gaps in prop::collection::vec(0_i64..6000, 0..12)) {
        let mut d = d;
        let mut now = d.started_at.timestamp();
        let mut waited = 0;
        for (n, minutes) in gaps.into_iter().enumerate() {
            let from = now;
            now = now.checked_add(SignedDuration::from_mins(minutes)).unwrap();
            if n % 2 == 0 && from < d.due_at.timestamp() {
                d.pause(from, Party::Authority, "x", &cn());
                d.resume(now, &cn());
                waited += cn().count(china_date(from), china_date(now));
            }
        }
        let expected = cn().due(d.started_at.into(), period(d.working_days + waited));
        prop_assert_eq!((d.due_date.0, d.due_at.timestamp()), (expected.date, expected.at));
        prop_assert_eq!(d.recompute(&cn(), now), None);
    }
}
