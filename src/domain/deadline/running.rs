//! A deadline that is still owed, as far as telling the time needs it: small enough to be held for every record.

use jiff::{Timestamp, civil::Date};

use super::super::calendar::{Calendar, china_date};
use govcloud_api::deadline::{Deadline, Obligation, Party};

/// A clock that runs or is paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Running {
    /// Obligation.
    pub obligation: Obligation,
    /// Party that owes it.
    pub party: Party,
    /// True if the period reaches into a year that the calendar does not hold.
    pub provisional: bool,
    /// The last lawful day, in China.
    pub due_date: Date,
    /// The day on which the period began; it does not count.
    started_on: Date,
    /// The first instant that is late.
    due_at: Timestamp,
    /// Start of the pause, while the clock is paused.
    stopped_at: Option<Timestamp>,
}

impl Running {
    /// The clock of a deadline; `None` when nothing is owed any more.
    pub fn of(deadline: &Deadline) -> Option<Self> {
        let stopped = deadline.pauses.last().filter(|pause| pause.to.is_none());
        (!deadline.is_over()).then(|| Self {
            obligation: deadline.obligation,
            party: deadline.party,
            provisional: deadline.provisional,
            due_date: deadline.due_date.0,
            started_on: china_date(deadline.started_at.into()),
            due_at: deadline.due_at.timestamp(),
            stopped_at: stopped.map(|pause| pause.from.into()),
        })
    }

    /// Time on the clock at `now`; a paused clock does not go on.
    fn shows(&self, now: Timestamp) -> Timestamp {
        self.stopped_at.map_or(now, |at| at.min(now))
    }

    /// Returns true if the period ended. A clock that was stopped in time cannot run out; one that had run out before
    /// it was stopped stays overdue.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.shows(now) >= self.due_at
    }

    /// Working days left, today included; 0 when the period is over.
    ///
    /// On the last day 1 is left. The start day is not part of the period. While the clock is paused the
    /// number does not change.
    pub fn remaining_working_days(&self, now: Timestamp, calendar: &Calendar) -> i32 {
        let eve = china_date(self.shows(now)).yesterday().unwrap_or(Date::MIN);
        calendar.count(eve.max(self.started_on), self.due_date)
    }
}
