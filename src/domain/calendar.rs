//! Working days as the law counts them, over the days that a WorkCalendar publishes.
//!
//! - The day on which a period starts does not count (民法典 201); it ends at 24:00 of its last day, and a
//!   last day that is a day off gives way to the next working day (203).
//! - Weekends and holidays are skipped; make-up workdays (调休) count.
//! - In a year that the calendar does not hold, Monday to Friday count and the result is provisional. So it is on the
//!   last days of December until the next year is published, whose notice may change them.
//!
//! Every day is a day in China, which has been at UTC+8 without summer time since 15 September 1991 and
//! has one zone. The offset is therefore a constant here, and no zone data or setting of the host has a say.

use jiff::{
    Timestamp,
    civil::{Date, Time, Weekday},
    tz::Offset,
};

use govcloud_api::work_calendar::WorkCalendarSpec;

mod error;
mod turn_of_year;
mod year;

pub use error::CalendarError;
use turn_of_year::is_open_until_next_year;
use year::Year;

/// UTC+8, the offset of Asia/Shanghai (see above).
pub const CHINA: Offset = Offset::constant(8);
/// Opening of desks, and with it the time for warnings.
pub const DESK_OPENS: Time = Time::constant(9, 0, 0, 0);
/// Closing of desks; this instant is already outside.
pub const DESK_CLOSES: Time = Time::constant(17, 30, 0, 0);

/// One day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day<'a> {
    /// Kind of the day.
    pub kind: DayKind<'a>,
    /// True if no notice that is still to come changes it. In an unknown year only weekends are told from weekdays.
    pub known: bool,
}

impl Day<'_> {
    /// Returns true if the day counts in a period.
    pub fn is_working(&self) -> bool {
        matches!(self.kind, DayKind::Working | DayKind::MakeUp)
    }
}

/// Kind of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayKind<'a> {
    /// An ordinary working day.
    Working,
    /// A Saturday or Sunday without further arrangement.
    Weekend,
    /// A day off under this name.
    Holiday(&'a str),
    /// A Saturday or Sunday worked in exchange.
    MakeUp,
}

/// The end of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The last lawful day.
    pub date: Date,
    /// 24:00 of that day: the first instant that is late.
    pub at: Timestamp,
    /// True if a counted day is not known yet ([`Calendar::knows`]).
    pub provisional: bool,
}

/// The published years, prepared for counting.
#[derive(Clone, Debug)]
pub struct Calendar {
    stamp: String,
    /// Ascending by year.
    years: Vec<Year>,
}

impl Calendar {
    /// Prepares `spec`, the calendar `name` at `revision` (its `metadata.generation`).
    ///
    /// # Errors
    /// Violations of the CRD's rules, for calendars that did not pass an API server: a year twice or out of
    /// range, a date outside its year, a holiday that ends before it begins, a make-up workday on a weekday
    /// or on a holiday.
    pub fn new(name: &str, revision: i64, spec: &WorkCalendarSpec) -> Result<Self, CalendarError> {
        let mut years = spec.years.iter().map(Year::new).collect::<Result<Vec<_>, _>>()?;
        years.sort_by_key(|year| year.number);
        if let Some(pair) = years.windows(2).find(|pair| pair[0].number == pair[1].number) {
            return Err(CalendarError::YearTwice { year: pair[0].number.into() });
        }
        if years.is_empty() {
            return Err(CalendarError::NoYears);
        }
        Ok(Self { stamp: format!("{name}@{revision}"), years })
    }

    /// `name@revision`, which every deadline computed from this calendar carries.
    pub fn stamp(&self) -> &str {
        &self.stamp
    }

    /// The published years, ascending.
    pub fn years(&self) -> impl Iterator<Item = i16> {
        self.years.iter().map(|year| year.number)
    }

    /// The notice that published `year`, where recorded.
    pub fn notice(&self, year: i16) -> Option<&str> {
        self.year(year)?.notice.as_deref()
    }

    /// Returns true if the year of `date` is published, and the next one as well where its notice may change the day:
    /// at the end of December.
    pub fn knows(&self, date: Date) -> bool {
        let settled = !is_open_until_next_year(date) || self.year(date.year().saturating_add(1)).is_some();
        self.year(date.year()).is_some() && settled
    }

    /// The same calendar as it was before `year` and later ones were published, with what the notice for `year` says of
    /// December.
    pub(crate) fn before(&self, year: i16) -> Self {
        let earlier = self.years.iter().filter(|y| y.number < year).cloned();
        let with_plain_end = |y: Year| if y.number + 1 == year { y.with_plain_end() } else { y };
        Self { stamp: self.stamp.clone(), years: earlier.map(with_plain_end).collect() }
    }

    /// Returns the day of `date`.
    pub fn day(&self, date: Date) -> Day<'_> {
        let year = self.year(date.year());
        let kind = match year {
            Some(year) => year.kind(date),
            None if is_weekend(date) => DayKind::Weekend,
            None => DayKind::Working,
        };
        Day { kind, known: self.knows(date) }
    }

    /// Returns true if `date` counts in a period.
    pub fn is_working(&self, date: Date) -> bool {
        self.day(date).is_working()
    }

    /// The end of a period of `n` working days that starts at `start`.
    ///
    /// With `n` = 0 the period ends on its first day, or on the next working day if that is a day off.
    pub fn due(&self, start: Timestamp, n: u32) -> Due {
        self.due_from(china_date(start), n)
    }

    /// [`Calendar::due`] for a period that starts at any time of the day `start`.
    pub fn due_from(&self, start: Date, n: u32) -> Due {
        let mut date = self.add(start, n);
        while !self.is_working(date) && date < Date::MAX {
            date = next(date);
        }
        Due { date, at: end_of(date), provisional: !self.knows_all(start, date) }
    }

    /// The `n`-th working day after `date`, and `date` itself for 0. `date` does not count.
    ///
    /// Beyond the year 9999 there are no dates; the last one stands for all of them.
    pub fn add(&self, date: Date, n: u32) -> Date {
        let (mut date, mut left) = (date, n);
        while left > 0 && date < Date::MAX {
            date = next(date);
            left -= u32::from(self.is_working(date));
        }
        date
    }

    /// The `n`-th working day before `date`, and `date` itself for 0.
    pub fn back(&self, date: Date, n: u32) -> Date {
        let (mut date, mut left) = (date, n);
        while left > 0 && date > Date::MIN {
            date = date.yesterday().unwrap_or(Date::MIN);
            left -= u32::from(self.is_working(date));
        }
        date
    }

    /// Working days after `from` up to and including `to`; 0 if `to` is not after `from`.
    ///
    /// Convention as for [`Calendar::add`]: `count(d, add(d, n)) == n`.
    pub fn count(&self, from: Date, to: Date) -> i32 {
        let (mut date, mut days) = (from, 0);
        while date < to {
            date = next(date);
            days += i32::from(self.is_working(date));
        }
        days
    }

    /// Returns true if people are at their desks: 09:00 to 17:30 of a working day in China.
    pub fn at_desk(&self, now: Timestamp) -> bool {
        let local = CHINA.to_datetime(now);
        (DESK_OPENS..DESK_CLOSES).contains(&local.time()) && self.is_working(local.date())
    }

    /// The first instant from `now` on at which people are at their desks: `now` itself if they are.
    pub fn next_at_desk(&self, now: Timestamp) -> Timestamp {
        if self.at_desk(now) {
            return now;
        }
        let local = CHINA.to_datetime(now);
        let today = local.date();
        if local.time() < DESK_OPENS && self.is_working(today) {
            return desk_opens(today);
        }
        desk_opens(self.add(today, 1))
    }

    fn year(&self, number: i16) -> Option<&Year> {
        self.years.binary_search_by_key(&number, |year| year.number).ok().map(|at| &self.years[at])
    }

    /// Returns true if every day after `start` up to and including `end` is known. The start day has no part in the
    /// count, so it need not be known, unless nothing follows it.
    pub fn knows_all(&self, start: Date, end: Date) -> bool {
        let first = if start < end { next(start) } else { start };
        (first.year()..=end.year()).all(|year| self.year(year).is_some()) && self.knows(end)
    }
}

/// The day in China at `at`.
pub fn china_date(at: Timestamp) -> Date {
    CHINA.to_datetime(at).date()
}

/// 24:00 in China of `date`: the first instant after it.
pub fn end_of(date: Date) -> Timestamp {
    date.tomorrow().map_or(Timestamp::MAX, |day| instant(day, Time::midnight()))
}

/// 09:00 in China of `date`.
pub fn desk_opens(date: Date) -> Timestamp {
    instant(date, DESK_OPENS)
}

fn instant(date: Date, time: Time) -> Timestamp {
    // Only a few hours at the two ends of jiff's range of dates have no instant.
    let fallback = if date.year() < 0 { Timestamp::MIN } else { Timestamp::MAX };
    CHINA.to_timestamp(date.to_datetime(time)).unwrap_or(fallback)
}

fn next(date: Date) -> Date {
    date.tomorrow().unwrap_or(Date::MAX)
}

fn is_weekend(date: Date) -> bool {
    matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

#[cfg(test)]
mod properties;
#[cfg(test)]
pub(crate) mod tests;
