//! One published year, as a set of bits for counting and a list of names for people.

use jiff::civil::{Date, date};

use super::{CalendarError, DayKind, is_weekend};
use govcloud_api::work_calendar::{Holiday, WorkYear};

/// A year's days. A set bit is a working day; bit 0 is 1 January.
#[derive(Clone, Debug)]
pub(super) struct Year {
    pub(super) number: i16,
    pub(super) notice: Option<String>,
    working: [u64; 6],
    holidays: Vec<Span>,
}

#[derive(Clone, Debug)]
struct Span {
    name: String,
    from: Date,
    to: Date,
}

impl Year {
    pub(super) fn new(entry: &WorkYear) -> Result<Self, CalendarError> {
        let number = i16::try_from(entry.year)
            .ok()
            .filter(|year| (1992..=9998).contains(year))
            .ok_or(CalendarError::YearOutOfRange { year: entry.year })?;
        let holidays =
            entry.holidays.iter().map(|holiday| span(holiday, number)).collect::<Result<Vec<_>, _>>()?;
        let mut year = Self { number, notice: entry.notice.clone(), working: [0; 6], holidays };
        year.mark_weekdays();
        for day in &entry.make_up_workdays {
            let day = within(day.0, number)?;
            if !is_weekend(day) {
                return Err(CalendarError::MakeUpOnWeekday { date: day });
            }
            if let Some(name) = year.holiday(day) {
                return Err(CalendarError::HolidayAndMakeUp { date: day, name: name.into() });
            }
            year.mark(day);
        }
        Ok(year)
    }

    pub(super) fn is_working(&self, date: Date) -> bool {
        let (word, bit) = place(date);
        self.working[word] & bit != 0
    }

    /// The `n`-th working day from `first` on, `first` included; else how many are wanted of the years after.
    /// `n` is at least 1. Whole words of days are counted at a time.
    pub(super) fn nth_from(&self, first: Date, n: u32) -> Result<Date, u32> {
        let mut left = n;
        for (word, mut days) in self.words_from(first) {
            let working = days.count_ones();
            if working >= left {
                for _ in 1..left {
                    days &= days - 1;
                }
                let day = word * 64 + days.trailing_zeros() as usize;
                let day = i16::try_from(day + 1).unwrap_or(i16::MAX);
                return first.with().day_of_year(day).build().map_err(|_| 0);
            }
            left -= working;
        }
        Err(left)
    }

    /// Working days from `first` to `last`, both included, both in this year.
    pub(super) fn working_between(&self, first: Date, last: Date) -> i32 {
        let (end, bit) = place(last);
        let days = self.words_from(first).take_while(|(word, _)| *word <= end);
        let counted = days.map(|(word, days)| if word == end { days & (bit | (bit - 1)) } else { days });
        counted.map(|days| days.count_ones().cast_signed()).sum()
    }

    /// The words of days from `first` on, without the days before it.
    fn words_from(&self, first: Date) -> impl Iterator<Item = (usize, u64)> {
        let (start, bit) = place(first);
        let words = self.working.iter().copied().enumerate().skip(start);
        words.map(move |(word, days)| (word, if word == start { days & !(bit - 1) } else { days }))
    }

    pub(super) fn kind(&self, date: Date) -> DayKind<'_> {
        match (self.is_working(date), is_weekend(date)) {
            (true, false) => DayKind::Working,
            (true, true) => DayKind::MakeUp,
            (false, _) => self.holiday(date).map_or(DayKind::Weekend, DayKind::Holiday),
        }
    }

    /// Monday to Friday by counting, then the holidays taken out: a calendar is prepared for every decision.
    fn mark_weekdays(&mut self) {
        let first = date(self.number, 1, 1);
        let monday_is_zero = first.weekday().to_monday_zero_offset();
        for day in 0..first.days_in_year() {
            if (i16::from(monday_is_zero) + day) % 7 < 5 {
                let day = usize::from(day.unsigned_abs());
                self.working[day / 64] |= 1 << (day % 64);
            }
        }
        for span in &self.holidays {
            for day in span.from.day_of_year()..=span.to.day_of_year() {
                let day = usize::from(day.unsigned_abs() - 1);
                self.working[day / 64] &= !(1 << (day % 64));
            }
        }
    }

    fn mark(&mut self, date: Date) {
        let (word, bit) = place(date);
        self.working[word] |= bit;
    }

    fn holiday(&self, date: Date) -> Option<&str> {
        self.holidays.iter().find(|span| (span.from..=span.to).contains(&date)).map(|span| span.name.as_str())
    }
}

fn span(holiday: &Holiday, year: i16) -> Result<Span, CalendarError> {
    let from = within(holiday.from.0, year)?;
    let to = within(holiday.to.unwrap_or(holiday.from).0, year)?;
    if from > to {
        return Err(CalendarError::Backwards { name: holiday.name.clone(), from, to });
    }
    Ok(Span { name: holiday.name.clone(), from, to })
}

fn within(date: Date, year: i16) -> Result<Date, CalendarError> {
    if date.year() == year { Ok(date) } else { Err(CalendarError::OutsideYear { date, year: year.into() }) }
}

fn place(date: Date) -> (usize, u64) {
    let day = date.day_of_year().unsigned_abs() - 1;
    (usize::from(day / 64), 1 << (day % 64))
}
