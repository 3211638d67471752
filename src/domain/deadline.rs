//! Lifecycle of a deadline: opened, moved, paused, met or closed, and reported (design section 4).
//!
//! A deadline lives in status. Nothing here acts on one that is late: no approval by silence, no lapse.
//! Every function that moves `dueDate` returns a [`Moved`] for the timeline (S8). `now` is an argument, and
//! where a date is due depends on the start, the pauses and the calendar alone, never on `now`.

use jiff::{Timestamp, civil::Date};

use super::calendar::{Calendar, Due, china_date};
use govcloud_api::{
    deadline::{Deadline, Notified, Obligation, Party, Pause},
    period::Period,
    time::CivilDate,
};

mod report;
mod wording;

pub use report::{DeadlineReports, Notice, NoticeKind};
pub use wording::{named_en, named_zh, numeral};

/// Most pauses that one deadline stores; the schema's bound.
pub const MAX_PAUSES: usize = 100;

/// A due date that moved, or that would have moved were the obligation not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Whose date it is.
    pub obligation: Obligation,
    /// Part of the record that is owed.
    pub item: Option<String>,
    /// The last lawful day before.
    pub old: Date,
    /// The last lawful day from now on; only recorded, not in force, if `applied` is false.
    pub new: Date,
    /// True if the old date was provisional.
    pub was_provisional: bool,
    /// True if the new one is.
    pub provisional: bool,
    /// Cause of the move.
    pub why: MovedBy,
    /// Calendar and revision that the new date was computed with, `name@revision`.
    pub revision: String,
    /// False where the obligation was already met or closed: recorded, not reopened.
    pub applied: bool,
}

/// Cause of a moved due date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MovedBy {
    /// A year that was unknown is published: the first one.
    YearPublished(i16),
    /// Days already published were changed, or another calendar applies.
    CalendarEdited,
    /// Another party was waited on.
    Waited {
        /// Party that was waited on.
        on: Party,
        /// Awaited act.
        reason: String,
        /// Working days by which the date moved.
        working_days: i32,
    },
}

/// Fulfilment of an obligation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Met {
    /// Working days late; `None` if in time.
    pub working_days_late: Option<i32>,
    /// Movements that came with it, because the clock was standing still.
    pub moved: Vec<Moved>,
}

/// The rules of a [`Deadline`]: opened, moved, paused, met or closed (design, section 4).
pub trait DeadlineClock {
    /// Opens the clock of `obligation`: `working_days` from `started_at` on.
    fn open(obligation: Obligation, working_days: i32, started_at: Timestamp, calendar: &Calendar) -> Self;

    /// Counts a calendar period before the working days. A last day that is a day off gives way to the next working day
    /// (民法典 203).
    fn after_period(self, period: Period, calendar: &Calendar) -> Self;

    /// Compares the date with what `calendar` says now. Called on every visit; without a change of the
    /// calendar it changes nothing.
    ///
    /// A met or closed obligation keeps its date, and a changed one is reported once, as recorded. If a date
    /// that was reported overdue moves beyond `now`, the obligation is in time again, and a later failure
    /// is reported again.
    fn recompute(&mut self, calendar: &Calendar, now: Timestamp) -> Option<Moved>;

    /// Stops the clock at `at`, because `waiting_on` is being waited on.
    ///
    /// Waiting on the party of the obligation itself stops nothing. If another party than before is waited
    /// on, the interval before ends, and what it moved is returned. Intervals are kept up to the schema's
    /// bound; past it those within one day, which move no date, make room first, and then the clock runs on.
    fn pause(&mut self, at: Timestamp, waiting_on: Party, reason: &str, calendar: &Calendar) -> Vec<Moved>;

    /// Starts the clock again at `at`. The date moves by the working days that began meanwhile.
    ///
    /// Returns the movements for the timeline: none if no working day passed, and one more if the calendar
    /// had changed too.
    fn resume(&mut self, at: Timestamp, calendar: &Calendar) -> Vec<Moved>;

    /// Records that the obligation was met at `at`. `None` if it was over before.
    fn meet(&mut self, at: Timestamp, calendar: &Calendar) -> Option<Met>;

    /// Records that the obligation fell away at `at`. True unless it was over before.
    fn close(&mut self, at: Timestamp, reason: &str) -> bool;

    /// Returns true if the period ended unmet. A clock that was stopped in time cannot run out; one that had run out
    /// before it was stopped stays overdue.
    fn is_overdue(&self, now: Timestamp) -> bool;

    /// Working days left, today included; 0 when the period is over, or nothing is owed any more.
    ///
    /// On the last day 1 is left. The start day is not part of the period. While the clock is paused the
    /// number does not change.
    fn remaining_working_days(&self, now: Timestamp, calendar: &Calendar) -> i32;
}

impl DeadlineClock for Deadline {
    fn open(obligation: Obligation, working_days: i32, started_at: Timestamp, calendar: &Calendar) -> Self {
        let due = calendar.due(started_at, period(working_days));
        Self {
            obligation,
            party: obligation.party(),
            article: obligation.article(),
            working_days,
            started_at: started_at.into(),
            due_date: due.date.into(),
            due_at: due.at.into(),
            provisional: due.provisional,
            calendar: calendar.stamp().to_owned(),
            period: None,
            item: None,
            pauses: Vec::new(),
            met_at: None,
            closed_at: None,
            closed_reason: None,
            working_days_late: None,
            notified: Notified::default(),
        }
    }

    fn after_period(mut self, period: Period, calendar: &Calendar) -> Self {
        self.period = Some(period);
        let due = computed(&self, calendar);
        (self.due_date, self.due_at, self.provisional) = (due.date.into(), due.at.into(), due.provisional);
        self
    }

    fn recompute(&mut self, calendar: &Calendar, now: Timestamp) -> Option<Moved> {
        let due = computed(self, calendar);
        let compared = self.calendar == calendar.stamp();
        let same = due.date == self.due_date.0 && due.provisional == self.provisional;
        if same || (self.is_over() && compared) {
            // Not a movement: the entry only learns which revision confirmed it.
            self.calendar = calendar.stamp().to_owned();
            return None;
        }
        let why = published(self, &due, calendar).map_or(MovedBy::CalendarEdited, MovedBy::YearPublished);
        Some(move_due(self, due, why, calendar, now))
    }

    fn pause(&mut self, at: Timestamp, waiting_on: Party, reason: &str, calendar: &Calendar) -> Vec<Moved> {
        let same = self.pauses.last().is_some_and(|p| p.to.is_none() && p.waiting_on == waiting_on);
        if self.is_over() || same || waiting_on == self.party || waiting_on == Party::None {
            return Vec::new();
        }
        let moved = self.resume(at, calendar);
        if self.pauses.len() >= MAX_PAUSES {
            self.pauses.retain(|p| p.to.is_none_or(|to| china_date(to.into()) != china_date(p.from.into())));
        }
        if self.pauses.len() < MAX_PAUSES {
            // Never before the start or into the interval before, whatever the clock of the host says.
            let earliest = self.pauses.last().and_then(|p| p.to).unwrap_or(self.started_at);
            let from = earliest.max(at.into());
            self.pauses.push(Pause {
                from,
                to: None,
                waiting_on,
                reason: reason.chars().take(1024).collect(),
            });
        }
        moved
    }

    fn resume(&mut self, at: Timestamp, calendar: &Calendar) -> Vec<Moved> {
        if self.is_over() || !self.is_paused() {
            return Vec::new();
        }
        let mut moved: Vec<Moved> = self.recompute(calendar, at).into_iter().collect();
        let Some(last) = self.pauses.last_mut() else { return moved };
        last.to = Some(last.from.max(at.into()));
        let (on, reason) = (last.waiting_on, last.reason.clone());
        let due = computed(self, calendar);
        if due.date != self.due_date.0 || due.provisional != self.provisional {
            let working_days = calendar.count(self.due_date.0, due.date);
            moved.push(move_due(self, due, MovedBy::Waited { on, reason, working_days }, calendar, at));
        }
        join_last(&mut self.pauses);
        moved
    }

    fn meet(&mut self, at: Timestamp, calendar: &Calendar) -> Option<Met> {
        if self.is_over() {
            return None;
        }
        let moved = self.resume(at, calendar);
        self.met_at = Some(at.into());
        self.working_days_late = late_at(self, at, calendar);
        Some(Met { working_days_late: self.working_days_late, moved })
    }

    fn close(&mut self, at: Timestamp, reason: &str) -> bool {
        if self.is_over() {
            return false;
        }
        self.closed_at = Some(at.into());
        self.closed_reason = Some(reason.chars().take(1024).collect());
        true
    }

    fn is_overdue(&self, now: Timestamp) -> bool {
        !self.is_over() && shown(self, now) >= self.due_at.timestamp()
    }

    fn remaining_working_days(&self, now: Timestamp, calendar: &Calendar) -> i32 {
        if self.is_over() {
            return 0;
        }
        let eve = china_date(shown(self, now)).yesterday().unwrap_or(Date::MIN);
        calendar.count(eve.max(china_date(self.started_at.into())), self.due_date.0)
    }
}

/// Time on the clock at `now`; a paused clock does not go on.
fn shown(deadline: &Deadline, now: Timestamp) -> Timestamp {
    let paused = deadline.pauses.last().filter(|pause| pause.to.is_none());
    paused.map_or(now, |pause| now.min(pause.from.into()))
}

/// Working days late at `at`, less those spent waiting on another party; `None` if in time.
fn late_at(deadline: &Deadline, at: Timestamp, calendar: &Calendar) -> Option<i32> {
    if at < deadline.due_at.timestamp() {
        return None;
    }
    let waits = deadline.pauses.iter().filter(|pause| pause.from >= deadline.due_at);
    let ended = |pause: &Pause| pause.to.map_or(at, Into::into).min(at);
    let waited: i32 =
        waits.map(|pause| calendar.count(china_date(pause.from.into()), china_date(ended(pause)))).sum();
    Some((calendar.count(deadline.due_date.0, china_date(at)) - waited).max(0))
}

/// The end of the period by `calendar`: its length, and the working days that ended pauses add.
///
/// A pause that began when the period was over adds nothing: what was missed stays missed.
fn computed(deadline: &Deadline, calendar: &Calendar) -> Due {
    let mut days = period(deadline.working_days);
    let start = china_date(deadline.started_at.into());
    let start = deadline.period.as_ref().map_or(start, |p| p.after(start).unwrap_or(Date::MAX));
    let mut due = calendar.due_from(start, days);
    for pause in &deadline.pauses {
        let Some(to) = pause.to else { break };
        if pause.from.timestamp() >= due.at {
            break;
        }
        let waited = calendar.count(china_date(pause.from.into()), china_date(to.into()));
        days = days.saturating_add(period(waited));
        due = calendar.due_from(start, days);
    }
    due
}

/// The year whose publication alone explains that a provisional date is now `due`: without it and the years after,
/// `calendar` says what is stored. `None` where days that were published before have changed too.
fn published(deadline: &Deadline, due: &Due, calendar: &Calendar) -> Option<i16> {
    let last = due.date.max(deadline.due_date.0).year().saturating_add(1);
    let mut years = china_date(deadline.started_at.into()).year()..=last;
    let explains = |year: &i16| {
        let before = computed(deadline, &calendar.before(*year));
        calendar.years().any(|y| y == *year) && before.provisional && before.date == deadline.due_date.0
    };
    years.rfind(|year| deadline.provisional && explains(year))
}

/// Makes one interval of the last two if the second began on the day on which the first ended, for the
/// same reason: they count the same working days, under any calendar.
fn join_last(pauses: &mut Vec<Pause>) {
    let [.., first, second] = pauses.as_mut_slice() else { return };
    let joins = first.to.is_some_and(|to| china_date(to.into()) == china_date(second.from.into()));
    if joins && first.waiting_on == second.waiting_on && first.reason == second.reason {
        first.to = second.to;
        pauses.pop();
    }
}

/// Moves the due date, unless the obligation is over: then the movement is only recorded.
fn move_due(deadline: &mut Deadline, due: Due, why: MovedBy, calendar: &Calendar, now: Timestamp) -> Moved {
    let applied = !deadline.is_over();
    let moved = Moved {
        obligation: deadline.obligation,
        item: deadline.item.clone(),
        old: deadline.due_date.0,
        new: due.date,
        was_provisional: deadline.provisional,
        provisional: due.provisional,
        why,
        revision: calendar.stamp().to_owned(),
        applied,
    };
    deadline.calendar.clone_from(&moved.revision);
    if applied {
        deadline.due_date = CivilDate(due.date);
        deadline.due_at = due.at.into();
        deadline.provisional = due.provisional;
        if !deadline.is_overdue(now) {
            deadline.notified.overdue = None;
            deadline.working_days_late = None;
        }
    }
    moved
}

/// A count of working days; the schema keeps it from being negative.
fn period(days: i32) -> u32 {
    u32::try_from(days).unwrap_or(0)
}

#[cfg(test)]
mod tests;
