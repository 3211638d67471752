//! Reports about deadlines: each once, warnings only while people are at their desks.

use jiff::{Timestamp, civil::Date};

use govcloud_api::deadline::{Deadline, Obligation, Party};

use super::{DeadlineClock, late_at};
use crate::calendar::{Calendar, china_date, desk_opens};

/// A report that is due now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Kind of the report.
    pub kind: NoticeKind,
    /// About what.
    pub obligation: Obligation,
    /// Part of the record that is owed.
    pub item: Option<String>,
    /// True if a calendar period counts: its first warning does not wait for half of it.
    pub by_period: bool,
    /// Party that has to act.
    pub party: Party,
    /// The article that sets the period.
    pub article: i32,
    /// The last lawful day.
    pub due_date: Date,
    /// The first instant that is late. True also when the report itself comes late.
    pub due_at: Timestamp,
    /// True if the date rests on an unpublished year.
    pub provisional: bool,
    /// Working days left, today included.
    pub remaining: i32,
    /// Working days late, for [`NoticeKind::Overdue`].
    pub working_days_late: Option<i32>,
}

/// The kinds of report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoticeKind {
    /// Half of the period is over when this day is.
    Half,
    /// One working day is left: this one.
    LastDay,
    /// The period is over.
    Overdue,
}

/// Reports about a [`Deadline`].
pub trait DeadlineReports {
    /// The reports that are due at `now`, marked in `notified` as made.
    ///
    /// Overdue is reported at any hour. Warnings wait for the desk, never come on the start day, and are
    /// dropped once a more urgent report was made.
    fn tick(&mut self, now: Timestamp, calendar: &Calendar) -> Vec<Notice>;

    /// The report of [`DeadlineReports::tick`] that needs no calendar: the period ended by the stored date. The working
    /// days late are counted once there is a calendar again.
    fn tick_without_calendar(&mut self, now: Timestamp) -> Option<Notice>;

    /// Instant at which [`Deadline::tick`] reports next, if nothing else happens: `now` if at once.
    fn next_wake(&self, now: Timestamp, calendar: &Calendar) -> Option<Timestamp>;
}

impl DeadlineReports for Deadline {
    fn tick(&mut self, now: Timestamp, calendar: &Calendar) -> Vec<Notice> {
        if self.notified.overdue.is_some() && self.working_days_late.is_none() && self.is_overdue(now) {
            self.working_days_late = late_at(self, now, calendar);
        }
        let Some(kind) = pending(self, now, calendar) else { return Vec::new() };
        let made = Some(now.into());
        match kind {
            NoticeKind::Half => self.notified.half = made,
            NoticeKind::LastDay => self.notified.last_day = made,
            NoticeKind::Overdue => {
                self.notified.overdue = made;
                self.working_days_late = late_at(self, now, calendar);
            }
        }
        let late = if kind == NoticeKind::Overdue { self.working_days_late } else { None };
        vec![notice(self, kind, self.remaining_working_days(now, calendar), late)]
    }

    fn tick_without_calendar(&mut self, now: Timestamp) -> Option<Notice> {
        if !self.is_overdue(now) || self.notified.overdue.is_some() {
            return None;
        }
        self.notified.overdue = Some(now.into());
        Some(notice(self, NoticeKind::Overdue, 0, None))
    }

    fn next_wake(&self, now: Timestamp, calendar: &Calendar) -> Option<Timestamp> {
        if pending(self, now, calendar).is_some() {
            return Some(now);
        }
        if self.is_over() || self.is_paused() || self.notified.overdue.is_some() {
            return None;
        }
        let due_at = self.due_at.timestamp();
        let warnings = [
            half_pending(self).then(|| half_day(self, calendar)).flatten(),
            last_day_pending(self).then_some(self.due_date.0),
        ];
        let first_day = calendar.add(china_date(self.started_at.into()), 1);
        let warning = warnings
            .into_iter()
            .flatten()
            .map(|day| calendar.next_at_desk(now.max(desk_opens(day.max(first_day)))))
            .filter(|at| *at < due_at);
        warning.chain([due_at]).min()
    }
}

/// A report about a deadline.
fn notice(deadline: &Deadline, kind: NoticeKind, remaining: i32, working_days_late: Option<i32>) -> Notice {
    Notice {
        kind,
        obligation: deadline.obligation,
        item: deadline.item.clone(),
        by_period: deadline.period.is_some(),
        party: deadline.party,
        article: deadline.article,
        due_date: deadline.due_date.0,
        due_at: deadline.due_at.into(),
        provisional: deadline.provisional,
        remaining,
        working_days_late,
    }
}

/// The one report that is due at `now`, the most urgent first.
fn pending(deadline: &Deadline, now: Timestamp, calendar: &Calendar) -> Option<NoticeKind> {
    if deadline.is_overdue(now) {
        return deadline.notified.overdue.is_none().then_some(NoticeKind::Overdue);
    }
    let started = china_date(now) > china_date(deadline.started_at.into());
    // A stopped clock warns nobody, whenever it was stopped.
    if deadline.is_over() || deadline.is_paused() || !started || !calendar.at_desk(now) {
        return None;
    }
    let left = deadline.remaining_working_days(now, calendar);
    if left <= 1 {
        return last_day_pending(deadline).then_some(NoticeKind::LastDay);
    }
    (half_pending(deadline) && left <= half(deadline, calendar)).then_some(NoticeKind::Half)
}

fn half_pending(deadline: &Deadline) -> bool {
    deadline.notified.half.is_none() && last_day_pending(deadline)
}

fn last_day_pending(deadline: &Deadline) -> bool {
    deadline.notified.last_day.is_none() && deadline.notified.overdue.is_none()
}

/// Most working days left at the first warning about a calendar period: nobody is warned half a year ahead.
const WARNING_MAX: i32 = 15;

/// Working days left on the day of the first warning, in which half of the period passes: 2 of 3, 3 of 5, 15 of 30.
fn half(deadline: &Deadline, calendar: &Calendar) -> i32 {
    if deadline.period.is_none() {
        return (deadline.working_days + 1) / 2;
    }
    let whole = calendar.count(china_date(deadline.started_at.into()), deadline.due_date.0);
    ((whole + 1) / 2).min(WARNING_MAX)
}

/// The day in which half passes; `None` for periods so short that it is the last one.
fn half_day(deadline: &Deadline, calendar: &Calendar) -> Option<Date> {
    let before_last = u32::try_from(half(deadline, calendar) - 1).ok().filter(|days| *days > 0)?;
    Some(calendar.back(deadline.due_date.0, before_last))
}
