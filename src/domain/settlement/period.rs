//! Months and days of a bill. Every day is a day in China, which has one zone and no summer time, so that each has
//! 86,400 seconds.

use std::fmt;
use std::str::FromStr;

pub use govcloud_api::region::Proration;
use govcloud_api::time::Instant;
use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::calendar::end_of;

/// Seconds in a day.
pub const DAY: i64 = 86_400;

/// A civil month, written `2026-10`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    first: Date,
}

impl Month {
    /// The month of a day.
    pub fn of(day: Date) -> Self {
        Self { first: day.first_of_month() }
    }

    /// The month after; the last month that a date can have is its own.
    #[must_use]
    pub fn next(self) -> Self {
        Self::of(self.first.last_of_month().tomorrow().unwrap_or(self.first))
    }

    /// The year that it is in.
    pub fn year(self) -> i16 {
        self.first.year()
    }

    /// The month before; the first month that a date can have is its own.
    #[must_use]
    pub fn before(self) -> Self {
        Self::of(self.first.yesterday().unwrap_or(self.first))
    }

    /// Its days.
    pub fn days(self) -> Days {
        Days { from: self.first, to: self.first.last_of_month() }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.first.year(), self.first.month())
    }
}

impl FromStr for Month {
    type Err = jiff::Error;

    /// Reads what [`fmt::Display`] writes.
    fn from_str(text: &str) -> Result<Self, jiff::Error> {
        let month = Self::of(Date::strptime("%Y-%m-%d", format!("{text}-01"))?);
        if month.to_string() == text {
            return Ok(month);
        }
        Err(jiff::Error::from_args(format_args!("{text:?} is not written YYYY-MM")))
    }
}

impl Serialize for Month {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Month {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// Days in a row, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
}

impl Days {
    /// 00:00 of the first day, in seconds.
    pub fn start(self) -> i64 {
        self.from.yesterday().map_or(i64::MIN, |eve| end_of(eve).as_second())
    }

    /// 24:00 of the last day, in seconds.
    pub fn end(self) -> i64 {
        end_of(self.to).as_second()
    }

    /// The days, one by one.
    pub fn iter(self) -> impl Iterator<Item = Date> {
        std::iter::successors(Some(self.from), |day| day.tomorrow().ok())
            .take_while(move |day| *day <= self.to)
    }
}

/// The time that is charged, by the rule of the Region.
pub trait Charged {
    /// Seconds of `days` that are charged for what was in force in `[since, until)`. By the day, they are whole days.
    fn charged(self, since: i64, until: Option<i64>, days: Days) -> i64;
}

impl Charged for Proration {
    fn charged(self, since: i64, until: Option<i64>, days: Days) -> i64 {
        let (start, end) = (days.start(), days.end());
        let until = until.unwrap_or(i64::MAX);
        match self {
            Self::Exact => (until.min(end) - since.max(start)).max(0),
            Self::Daily => {
                let count = (end - start) / DAY;
                // Days whose 24:00 is before an instant. The last one within `days` is at `end`, the first one a day
                // after `start`.
                let ended_before =
                    |at: i64| (at.clamp(start, end + 1) - 1 - start).div_euclid(DAY).clamp(0, count);
                (ended_before(until) - ended_before(since)).max(0) * DAY
            }
        }
    }
}

/// Whole seconds of an instant.
pub(super) fn seconds(at: Instant) -> i64 {
    at.timestamp().as_second()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn october() -> Days {
        "2026-10".parse::<Month>().unwrap().days()
    }

    #[test]
    fn a_month_is_a_month_in_china() {
        let days = october();
        assert_eq!((days.from, days.to), (date(2026, 10, 1), date(2026, 10, 31)));
        let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_second();
        assert_eq!(days.start(), at("2026-09-30T16:00:00Z"));
        assert_eq!(days.end(), at("2026-10-31T16:00:00Z"));
        assert_eq!(days.iter().count(), 31);
    }

    #[test]
    fn a_month_is_written_one_way() {
        assert_eq!("2024-02".parse::<Month>().unwrap().to_string(), "2024-02");
        assert_eq!("2026-01".parse::<Month>().unwrap().before().to_string(), "2025-12");
        for wrong in ["2026-1", "2026-13", "2026-00", "202610", "2026-10-01", "", "26-10"] {
            assert!(wrong.parse::<Month>().is_err(), "{wrong}");
        }
    }

    /// The day of opening counts, the day of recovery does not; midnight belongs to the day that ends.
    #[test]
    fn art_26_a_day_costs_what_is_in_force_at_its_end() {
        let days = october();
        let at = |day: i64, second: i64| days.start() + (day - 1) * DAY + second;
        for (since, until, counted) in [
            (at(1, 0), None, 31),
            (at(31, 1), None, 1),
            (at(31, DAY), None, 1),
            (at(32, 1), None, 0),
            (at(5, 60), Some(at(5, 120)), 0),
            (at(5, DAY), Some(at(6, 1)), 1),
            (at(5, 0), Some(at(6, 0)), 1),
            (at(1, -DAY), Some(at(10, 12 * 3600)), 9),
            (at(1, 0), Some(at(31, DAY)), 30),
            (at(1, 0), Some(at(31, DAY + 1)), 31),
        ] {
            assert_eq!(Proration::Daily.charged(since, until, days), counted * DAY, "{since} {until:?}");
        }
    }

    proptest! {
        /// B1, B6: an interval that is cut anywhere, and days that are cut at any midnight, are charged once.
        #[test]
        fn b1_parts_add_up(
            from in -40_i64..75, to in -40_i64..75, cut in -40_i64..75, second in 0..DAY, day in 1_i8..31, exact in any::<bool>(),
        ) {
            let proration = if exact { Proration::Exact } else { Proration::Daily };
            let days = october();
            let at = |day: i64| days.start() + day * DAY + if day % 3 == 0 { 0 } else { second };
            let mut ends = [at(from), at(cut), at(to)];
            ends.sort_unstable();
            let [since, cut, until] = ends;
            let whole = proration.charged(since, Some(until), days);
            let parts = proration.charged(since, Some(cut), days) + proration.charged(cut, Some(until), days);
            prop_assert_eq!(whole, parts);
            let first = Days { from: days.from, to: date(2026, 10, day) };
            let second = Days { from: date(2026, 10, day + 1), to: days.to };
            let split = proration.charged(since, Some(until), first) + proration.charged(since, Some(until), second);
            prop_assert_eq!(whole, split);
        }

        /// The count by arithmetic is the count day by day.
        #[test]
        fn days_are_counted_as_if_one_by_one(since in -200_000_i64..3_000_000, length in 0_i64..3_000_000) {
            let days = october();
            let (since, until) = (days.start() + since, days.start() + since + length);
            let in_force = |day: &Date| (since..until).contains(&end_of(*day).as_second());
            let counted = i64::try_from(days.iter().filter(in_force).count()).unwrap();
            prop_assert_eq!(Proration::Daily.charged(since, Some(until), days), counted * DAY);
        }
    }
}
