//! A clock stands still while another party is waited on.

use super::*;

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
        full.pause(crate::calendar::desk_opens(from), Party::Authority, "x", &cn());
        full.resume(crate::calendar::desk_opens(cn().add(from, 1)), &cn());
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
fn meeting_while_stopped_counts_the_wait_first() {
    let mut d = provision();
    d.pause(at("2026-09-30T10:00"), Party::Department, "等待同意", &cn());
    let met = d.meet(at("2026-10-09T10:00"), &cn()).unwrap();
    assert_eq!((met.working_days_late, met.moved.len()), (None, 1));
    assert!(!d.is_paused());
}

proptest! {
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
