//! Errors of `calendar`.

use std::{fmt, io};

use govcloud_domain::bilingual::Bilingual;
use govcloud_domain::calendar::CalendarError;
use jiff::civil::Date;

use super::MAX_WORKING_DAYS;
use crate::error::CliError;
use crate::output::Lang;

/// Error of `calendar`. Each is one line; the exit code is 2.
#[derive(Debug)]
pub enum CalendarCliError {
    /// Not a date.
    Date(String),
    /// Not a month.
    Month(String),
    /// Not a number of working days.
    WorkingDays(String),
    /// The span ends before it begins: first day, last day.
    Backwards(Date, Date),
    /// A year that the calendar does not hold: the calendar, the year, the years it has.
    YearWithoutData(String, i16, String),
    /// The file cannot be read.
    Unreadable(String, io::Error),
    /// The file is not a WorkCalendar; the cause, in one line.
    NotACalendar(String, String),
    /// The calendar contradicts itself.
    Unsound(String, CalendarError),
    /// The answer cannot be written.
    Output(io::Error),
}

impl CalendarCliError {
    /// Wording: the defect and the allowed values.
    fn text(&self) -> Bilingual {
        let (zh, en) = match self {
            Self::Date(given) => (
                format!("“{given}”不是 YYYY-MM-DD 形式的日期"),
                format!("{given:?} is not a date written YYYY-MM-DD"),
            ),
            Self::Month(given) => (
                format!("“{given}”不是 YYYY-MM 形式的月份"),
                format!("{given:?} is not a month written YYYY-MM"),
            ),
            Self::WorkingDays(given) => (
                format!("工作日数须为 0 至 {MAX_WORKING_DAYS} 的整数，不能是“{given}”"),
                format!("working days must be a whole number from 0 to {MAX_WORKING_DAYS}, not {given:?}"),
            ),
            Self::Backwards(from, to) => {
                (format!("末日 {to} 早于起算日 {from}"), format!("{to} is before {from}"))
            }
            Self::YearWithoutData(calendar, year, held) => (
                format!("日历 {calendar} 没有 {year} 年的数据（现有 {held}）"),
                format!("calendar {calendar} has no data for the year {year} (it holds {held})"),
            ),
            Self::Unreadable(file, why) => {
                (format!("无法读取 {file}：{why}"), format!("cannot read {file}: {why}"))
            }
            Self::NotACalendar(file, why) => (
                format!("{file} 不是有效的 WorkCalendar：{why}"),
                format!("{file} is not a WorkCalendar: {why}"),
            ),
            Self::Unsound(file, why) => {
                let Bilingual { zh, en } = why.text();
                (format!("{file} 有误：{zh}"), format!("{file} is wrong: {en}"))
            }
            Self::Output(why) => (format!("无法输出：{why}"), format!("cannot write: {why}")),
        };
        Bilingual::new(zh, en)
    }

    /// The same for the user, in one language.
    pub(crate) fn into_cli(self, lang: Lang) -> CliError {
        match self {
            Self::Output(e) => CliError::Output(e),
            other => {
                let Bilingual { zh, en } = other.text();
                CliError::Usage(lang.pick(zh, en))
            }
        }
    }
}

impl fmt::Display for CalendarCliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

impl std::error::Error for CalendarCliError {}

impl From<io::Error> for CalendarCliError {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}
