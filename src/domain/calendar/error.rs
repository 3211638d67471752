//! Defects of a calendar, in both languages.

use crate::bilingual::bilingual;
use crate::bilingual::{Bilingual, bilingual_errors};
use jiff::civil::Date;

/// Defect that makes a WorkCalendar unusable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CalendarError {
    /// No year is published at all.
    NoYears,
    /// Two entries for one year.
    YearTwice {
        /// The year.
        year: i32,
    },
    /// A year before China's present zone rules (1992) or beyond what dates can hold.
    YearOutOfRange {
        /// The year.
        year: i32,
    },
    /// A date listed under another year.
    OutsideYear {
        /// The date.
        date: Date,
        /// The year it is listed under.
        year: i32,
    },
    /// A holiday that ends before it begins.
    Backwards {
        /// The holiday.
        name: String,
        /// Its first day.
        from: Date,
        /// Its last day.
        to: Date,
    },
    /// A make-up workday on a day that is worked anyway.
    MakeUpOnWeekday {
        /// The date.
        date: Date,
    },
    /// One date both off and worked.
    HolidayAndMakeUp {
        /// The date.
        date: Date,
        /// The holiday.
        name: String,
    },
}

impl CalendarError {
    /// Wording: the defect and the allowed values.
    #[must_use]
    pub fn text(&self) -> Bilingual {
        match self {
            Self::NoYears => Bilingual::new("日历没有任何年份", "the calendar holds no year"),
            Self::YearTwice { year } => {
                bilingual!("{year} 年重复出现", "year {year} appears twice")
            }
            Self::YearOutOfRange { year } => {
                bilingual!("年份 {year} 不在 1992–9998 之间", "year {year} is not between 1992 and 9998")
            }
            Self::OutsideYear { date, year } => {
                let own = date.year();
                bilingual!(
                    "{date} 不在 {year} 年之内；请写在 {own} 年之下（跨年的假期分写在两年之下）",
                    "{date} is not within the year {year}; enter it under {own} (a holiday across the turn of the year is entered under both)"
                )
            }
            Self::Backwards { name, from, to } => bilingual!(
                "“{name}”的开始日 {from} 晚于结束日 {to}",
                "{name} begins on {from}, after its end {to}"
            ),
            Self::MakeUpOnWeekday { date } => bilingual!(
                "调休上班日 {date} 不是周六或周日",
                "make-up workday {date} is neither Saturday nor Sunday"
            ),
            Self::HolidayAndMakeUp { date, name } => bilingual!(
                "{date} 既放假（“{name}”）又上班",
                "{date} is both a holiday ({name}) and a make-up workday"
            ),
        }
    }
}

bilingual_errors!(CalendarError);
