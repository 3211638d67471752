//! One published year: its holidays and make-up workdays.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::{CalendarError, DayKind, is_open_until_next_year, is_weekend};
use govcloud_api::work_calendar::{Holiday, WorkYear};

/// A year's days. Monday to Friday are working days, but for the holidays.
#[derive(Clone, Debug)]
pub(super) struct Year {
    pub(super) number: i16,
    pub(super) notice: Option<String>,
    make_up: BTreeSet<Date>,
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
        let mut year = Self { number, notice: entry.notice.clone(), make_up: BTreeSet::new(), holidays };
        for day in &entry.make_up_workdays {
            let day = within(day.0, number)?;
            if !is_weekend(day) {
                return Err(CalendarError::MakeUpOnWeekday { date: day });
            }
            if let Some(name) = year.holiday(day) {
                return Err(CalendarError::HolidayAndMakeUp { date: day, name: name.into() });
            }
            year.make_up.insert(day);
        }
        Ok(year)
    }

    pub(super) fn kind(&self, date: Date) -> DayKind<'_> {
        if self.make_up.contains(&date) {
            return DayKind::MakeUp;
        }
        match self.holiday(date) {
            Some(name) => DayKind::Holiday(name),
            None if is_weekend(date) => DayKind::Weekend,
            None => DayKind::Working,
        }
    }

    /// The same year with plain weekdays where the notice for the next one may have changed it.
    pub(super) fn with_plain_end(mut self) -> Self {
        self.make_up.retain(|day| !is_open_until_next_year(*day));
        self.holidays.retain(|span| !is_open_until_next_year(span.from));
        for span in &mut self.holidays {
            while span.to > span.from && is_open_until_next_year(span.to) {
                span.to = span.to.yesterday().unwrap_or(span.from);
            }
        }
        self
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
