//! `calendar`: end of a period, month view, number of working days. Works without a cluster, on the built-in calendar or a file.

use std::{fs, io, io::Write, path::PathBuf};

use clap::{Args, Subcommand};
use jiff::civil::Date;
use kube::core::TypeMeta;
use serde::{Serialize, de::DeserializeOwned};

use super::output::{self, Format, Lang};
use govcloud_api::time::{CivilDate, Instant};
use govcloud_api::work_calendar::WorkCalendar;
use govcloud_domain::calendar::{Calendar, CalendarError};

mod month;
mod text;

/// The built-in calendar.
const BUILT_IN: &str = include_str!("../../config/calendars/cn.yaml");
/// Longest period in working days, as in the API.
const MAX_WORKING_DAYS: i64 = 1000;

/// 工作日历 / working days
#[derive(Args, Debug)]
pub struct CalendarCommand {
    #[command(subcommand)]
    query: CalendarQuery,
    /// 使用此 WorkCalendar 文件，不用内置日历 / use this WorkCalendar file instead of the built-in one
    #[arg(long, global = true, value_name = "CALENDAR.yaml")]
    file: Option<PathBuf>,
    /// 输出格式 / output format
    #[arg(short, long, global = true, value_enum)]
    output: Option<Format>,
    /// 语言，默认取自环境 / language, default from the locale
    #[arg(long, global = true, value_enum)]
    lang: Option<Lang>,
}

// Values are parsed here and not by clap, so that each invalid one is reported in one line.
#[derive(Subcommand, Debug)]
enum CalendarQuery {
    /// 期限何时届满 / compute the end of a period
    Due {
        /// 起算日（当日不计）/ first day, not counted
        #[arg(long, value_name = "YYYY-MM-DD", allow_hyphen_values = true)]
        from: String,
        /// 工作日数 / length in working days
        #[arg(long, value_name = "N", allow_hyphen_values = true)]
        working_days: String,
    },
    /// 月历，标出放假（休）和调休上班（班）/ show a month with days off (H) and make-up workdays (W)
    Show {
        /// 月份 / the month
        #[arg(value_name = "YYYY-MM", allow_hyphen_values = true)]
        month: String,
    },
    /// 两日之间的工作日数 / count the working days between two days
    Count {
        /// 起算日（当日不计）/ first day, not counted
        #[arg(long, value_name = "YYYY-MM-DD", allow_hyphen_values = true)]
        from: String,
        /// 末日（当日计入）/ last day, counted
        #[arg(long, value_name = "YYYY-MM-DD", allow_hyphen_values = true)]
        to: String,
    },
}

/// Error of `calendar`. Each is one line; the exit code is 2.
#[derive(Debug, thiserror::Error)]
pub enum CalendarCliError {
    /// Not a date.
    #[error("“{0}”不是 YYYY-MM-DD 形式的日期 / {0:?} is not a date written YYYY-MM-DD")]
    Date(String),
    /// Not a month.
    #[error("“{0}”不是 YYYY-MM 形式的月份 / {0:?} is not a month written YYYY-MM")]
    Month(String),
    /// Not a number of working days.
    #[error(
        "工作日数须为 0 至 {MAX_WORKING_DAYS} 的整数，不能是“{0}” / \
         working days must be a whole number from 0 to {MAX_WORKING_DAYS}, not {0:?}"
    )]
    WorkingDays(String),
    /// The span ends before it begins.
    #[error("末日 {to} 早于起算日 {from} / {to} is before {from}")]
    Backwards {
        /// First day.
        from: Date,
        /// Last day.
        to: Date,
    },
    /// A year that the calendar does not hold.
    #[error(
        "日历 {calendar} 没有 {year} 年的数据（现有 {held}） / \
         calendar {calendar} has no data for the year {year} (it holds {held})"
    )]
    YearWithoutData {
        /// The calendar.
        calendar: String,
        /// The requested year.
        year: i16,
        /// The years it has.
        held: String,
    },
    /// The file cannot be read.
    #[error("无法读取 {file} / cannot read {file}: {source}")]
    Unreadable {
        /// The file.
        file: String,
        /// Cause.
        source: io::Error,
    },
    /// The file is not a WorkCalendar.
    #[error("{file} 不是有效的 WorkCalendar / {file} is not a WorkCalendar: {why}")]
    NotACalendar {
        /// The file.
        file: String,
        /// Cause, in one line.
        why: String,
    },
    /// The calendar contradicts itself.
    #[error("{file} 有误 / {file} is wrong: {source}")]
    Unsound {
        /// The file.
        file: String,
        /// The contradiction.
        source: CalendarError,
    },
    /// The answer cannot be written.
    #[error("无法输出 / cannot write: {0}")]
    Output(#[from] io::Error),
}

/// Answer to `due`. The field names are an interface.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DueAnswer {
    from: CivilDate,
    working_days: u32,
    due_date: CivilDate,
    due_at: Instant,
    provisional: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CountAnswer {
    from: CivilDate,
    to: CivilDate,
    working_days: i32,
}

impl CalendarCommand {
    /// Writes the answer to `out`.
    ///
    /// # Errors
    /// An invalid value, a year without data, a file that is not a calendar, or `out` failing.
    pub fn run(self, out: &mut impl Write) -> Result<(), CalendarCliError> {
        let lang = self.lang.unwrap_or_else(|| Lang::of_locale(|name| std::env::var(name).ok()));
        // The arguments are parsed first: they are wrong more often than the file.
        match self.query {
            CalendarQuery::Due { from, working_days } => {
                let (from, days) = (date(&from)?, working_day_count(&working_days)?);
                let calendar = calendar(self.file)?;
                due(&calendar, from, days, self.output, lang, out)
            }
            CalendarQuery::Show { month } => {
                let first = first_of(&month)?;
                let calendar = calendar(self.file)?;
                require_year(&calendar, first.year())?;
                month::show(&calendar, first, self.output, lang, out)
            }
            CalendarQuery::Count { from, to } => {
                let (from, to) = (date(&from)?, date(&to)?);
                if to < from {
                    return Err(CalendarCliError::Backwards { from, to });
                }
                let calendar = calendar(self.file)?;
                count(&calendar, from, to, self.output, lang, out)
            }
        }
    }
}

fn due(
    calendar: &Calendar,
    from: Date,
    days: u32,
    output: Option<Format>,
    lang: Lang,
    out: &mut impl Write,
) -> Result<(), CalendarCliError> {
    require_year(calendar, from.year())?;
    let due = calendar.due_from(from, days);
    let answer = DueAnswer {
        from: from.into(),
        working_days: days,
        due_date: due.date.into(),
        due_at: due.at.into(),
        provisional: due.provisional,
    };
    match output {
        Some(format) => write(&answer, format, out),
        None => Ok(text::due(calendar, from, days, &due, lang, out)?),
    }
}

fn count(
    calendar: &Calendar,
    from: Date,
    to: Date,
    output: Option<Format>,
    lang: Lang,
    out: &mut impl Write,
) -> Result<(), CalendarCliError> {
    for year in from.year()..=to.year() {
        require_year(calendar, year)?;
    }
    let answer = CountAnswer { from: from.into(), to: to.into(), working_days: calendar.count(from, to) };
    match output {
        Some(format) => write(&answer, format, out),
        None => Ok(text::count(from, to, answer.working_days, lang, out)?),
    }
}

/// Reads the calendar in `file`, or the built-in one.
fn calendar(file: Option<PathBuf>) -> Result<Calendar, CalendarCliError> {
    let (file, text) = match file {
        None => ("cn".to_owned(), BUILT_IN.to_owned()),
        Some(path) => {
            let file = path.display().to_string();
            match fs::read_to_string(&path) {
                Ok(text) => (file, text),
                Err(source) => return Err(CalendarCliError::Unreadable { file, source }),
            }
        }
    };
    let not_a_calendar = |why: String| CalendarCliError::NotACalendar { file: file.clone(), why };
    // A file of another kind is reported as such, not by its first unknown field.
    let types: TypeMeta = parse(&text).map_err(not_a_calendar)?;
    if types.kind != "WorkCalendar" || types.api_version != "govcloud.dev/v1alpha1" {
        return Err(not_a_calendar(format!("kind: {}, apiVersion: {}", types.kind, types.api_version)));
    }
    let read: WorkCalendar = parse(&text).map_err(not_a_calendar)?;
    let name = read.metadata.name.unwrap_or_default();
    Calendar::new(&name, read.metadata.generation.unwrap_or_default(), &read.spec)
        .map_err(|source| CalendarCliError::Unsound { file, source })
}

fn require_year(calendar: &Calendar, year: i16) -> Result<(), CalendarCliError> {
    if calendar.years().any(|known| known == year) {
        return Ok(());
    }
    let years: Vec<String> = calendar.years().map(|year| year.to_string()).collect();
    let name = calendar.stamp().split('@').next().unwrap_or_default().to_owned();
    Err(CalendarCliError::YearWithoutData { calendar: name, year, held: years.join(" ") })
}

fn date(text: &str) -> Result<Date, CalendarCliError> {
    text.parse::<CivilDate>().map(Date::from).map_err(|_| CalendarCliError::Date(text.to_owned()))
}

fn first_of(month: &str) -> Result<Date, CalendarCliError> {
    date(&format!("{month}-01")).map_err(|_| CalendarCliError::Month(month.to_owned()))
}

fn working_day_count(text: &str) -> Result<u32, CalendarCliError> {
    text.parse::<i64>()
        .ok()
        .filter(|days| (0..=MAX_WORKING_DAYS).contains(days))
        .and_then(|days| u32::try_from(days).ok())
        .ok_or_else(|| CalendarCliError::WorkingDays(text.to_owned()))
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_saphyr::from_str(text).map_err(|error| {
        let why = error.without_snippet().to_string();
        why.split_whitespace().collect::<Vec<_>>().join(" ")
    })
}

fn write(answer: &impl Serialize, format: Format, out: &mut impl Write) -> Result<(), CalendarCliError> {
    Ok(output::write(answer, format, out)?)
}

/// Returns the built-in calendar.
///
/// # Errors
/// A defect of the build.
pub(super) fn built_in() -> Result<Calendar, CalendarCliError> {
    calendar(None)
}

#[cfg(test)]
mod tests;
