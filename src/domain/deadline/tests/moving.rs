//! An open date follows its calendar, one that is settled does not.

use super::*;

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
    assert_eq!(moved.why, MovedBy::YearPublished(2027));
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
fn a_met_deadline_is_not_reopened_and_its_move_is_recorded_once() {
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

/// The year 2018 as its own notice has it, here without its days off; and with what the notice for 2019 says of both.
fn turn_of_2018() -> (Calendar, Calendar) {
    use govcloud_api::work_calendar::{WorkCalendarSpec, WorkYear};
    let year = |year, holidays, make_up: &[&str]| WorkYear {
        year,
        notice: None,
        holidays,
        make_up_workdays: make_up.iter().map(|d| d.parse().unwrap()).collect(),
    };
    let unpublished = WorkCalendarSpec { years: vec![year(2018, vec![], &[])] };
    let published = WorkCalendarSpec {
        years: vec![
            year(2018, vec![off("2018-12-30", "2018-12-31")], &["2018-12-29"]),
            year(2019, vec![off("2019-01-01", "2019-01-01")], &[]),
        ],
    };
    (Calendar::new("cn", 1, &unpublished).unwrap(), Calendar::new("cn", 2, &published).unwrap())
}

/// The notice for 2019 made Saturday 29 December 2018 a workday and took the 31st off: one end comes forward, another back.
#[test]
fn december_moves_in_both_directions_when_the_next_year_is_published() {
    let (before, after) = turn_of_2018();
    let opened = |days| Deadline::open(Obligation::Change, days, at("2018-12-27T10:00"), &before);
    for (days, old, new) in
        [(1, "2018-12-28", "2018-12-28"), (2, "2018-12-31", "2018-12-29"), (3, "2019-01-01", "2019-01-02")]
    {
        let mut d = opened(days);
        assert_eq!((d.due_date.0, d.provisional), (day(old), days > 1), "{days}");
        let moved = d.recompute(&after, at("2018-12-28T10:00"));
        assert_eq!((d.due_date.0, d.provisional), (day(new), false), "{days}");
        let Some(moved) = moved else { continue };
        assert_eq!((moved.old, moved.new, &moved.why), (day(old), day(new), &MovedBy::YearPublished(2019)));
        assert!(
            moved.en().contains(old)
                && moved.en().contains(new)
                && moved.zh().contains("2019 年节假日安排已公布")
        );
    }
    // An obligation met under the old date is not reopened.
    let mut met = opened(2);
    met.meet(at("2018-12-31T09:00"), &before).unwrap();
    let moved = met.recompute(&after, at("2019-01-03T10:00")).unwrap();
    assert_eq!((moved.applied, met.working_days_late, met.due_date.0), (false, None, day("2018-12-31")));
}

/// A day off that is taken back is no publication, also where it comes in the same revision as one.
#[test]
fn a_day_off_that_is_taken_back_is_called_so() {
    let with_a_day_off = later_by_one();
    let start = at("2026-09-24T10:00");
    let mut d = Deadline::open(Obligation::Provision, 3, start, &with_a_day_off);
    let moved = d.recompute(&cn(), at("2026-09-25T10:00")).unwrap();
    assert_eq!(moved.why, MovedBy::CalendarEdited);
    assert!(moved.en().contains("fewer days off") && moved.zh().contains("放假减少"), "{}", moved.en());
    let day_off = edited(2026, |year| year.holidays.push(off("2026-12-08", "2026-12-08")));
    let mut d = Deadline::open(Obligation::GoLive, 30, at("2026-12-01T10:00"), &day_off);
    assert!(d.provisional);
    let moved = d.recompute(&edited(2027, |_| {}), at("2026-12-10T10:00")).unwrap();
    assert_eq!((moved.provisional, &moved.why), (false, &MovedBy::CalendarEdited), "2027 came with it");
}
