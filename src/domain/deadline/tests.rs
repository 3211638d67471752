//! A deadline's life, clause by clause.

use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;
use crate::calendar::tests::{at, cn, cn_spec};

mod moving;
mod notices;
mod periods;
mod waiting;

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// Art. 13: three working days for the provider; notified on Thursday 24 September 2026, due on the 30th.
fn provision() -> Deadline {
    Deadline::open(Obligation::Provision, 3, at("2026-09-24T10:00"), &cn())
}

/// Art. 14: thirty working days for the department, across the turn of the year.
fn go_live() -> Deadline {
    Deadline::open(Obligation::GoLive, 30, at("2026-12-01T10:00"), &cn())
}

/// The shipped calendar with `year` changed, or added empty, at revision 2.
fn edited(year: i32, change: impl FnOnce(&mut govcloud_api::work_calendar::WorkYear)) -> Calendar {
    use govcloud_api::work_calendar::WorkYear;
    let mut spec = cn_spec();
    if !spec.years.iter().any(|y| y.year == year) {
        spec.years.push(WorkYear { year, notice: None, holidays: vec![], make_up_workdays: vec![] });
    }
    change(spec.years.iter_mut().find(|y| y.year == year).unwrap());
    Calendar::new("cn", 2, &spec).unwrap()
}

fn off(from: &str, to: &str) -> govcloud_api::work_calendar::Holiday {
    govcloud_api::work_calendar::Holiday {
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
        Deadline::open(Obligation::GoLive, n, start, &cn())
    })
}
