//! What can be wrong with a calendar, in both languages of those who read it.

use jiff::civil::Date;

/// Why a WorkCalendar cannot be counted with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// No year is published at all.
    #[error("日历没有任何年份 / the calendar holds no year")]
    NoYears,
    /// Two entries for one year.
    #[error("{year} 年重复出现 / year {year} appears twice")]
    YearTwice {
        /// The year.
        year: i32,
    },
    /// A year before China's present zone rules (1992) or beyond what dates can hold.
    #[error("年份 {year} 不在 1992–9998 之间 / year {year} is not between 1992 and 9998")]
    YearOutOfRange {
        /// The year.
        year: i32,
    },
    /// A date listed under another year.
    #[error("{date} 不在 {year} 年之内 / {date} is not within the year {year}")]
    OutsideYear {
        /// The date.
        date: Date,
        /// The year it is listed under.
        year: i32,
    },
    /// A holiday that ends before it begins.
    #[error("“{name}”的开始日 {from} 晚于结束日 {to} / {name} begins on {from}, after its end {to}")]
    Backwards {
        /// The holiday.
        name: String,
        /// Its first day.
        from: Date,
        /// Its last day.
        to: Date,
    },
    /// A make-up workday on a day that is worked anyway.
    #[error("调休上班日 {date} 不是周六或周日 / make-up workday {date} is neither Saturday nor Sunday")]
    MakeUpOnWeekday {
        /// The date.
        date: Date,
    },
    /// One date both off and worked.
    #[error("{date} 既放假(“{name}”)又上班 / {date} is both a holiday ({name}) and a make-up workday")]
    HolidayAndMakeUp {
        /// The date.
        date: Date,
        /// The holiday.
        name: String,
    },
}
