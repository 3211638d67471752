//! `calendar`: end of a period, month view, number of working days. Works without a cluster, on the built-in calendar or a
//! file, and with one on the calendar that its deadlines are counted in.

use std::{fs, io::Write, path::PathBuf};

use clap::{Args, Subcommand};
use jiff::civil::Date;
use kube::core::TypeMeta;
use serde::{Serialize, de::DeserializeOwned};

use super::error::CliError;
use super::output::{self, Format, Lang};
use super::session::Session;
use govcloud_api::region::Region;
use govcloud_api::time::{CivilDate, Instant};
use govcloud_api::work_calendar::WorkCalendar;
use govcloud_domain::calendar::Calendar;

mod error;
mod month;
mod text;

pub use error::CalendarCliError;

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
    /// 使用集群中的此 WorkCalendar / use this WorkCalendar of the cluster
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "file")]
    calendar: Option<String>,
    /// 使用集群中此区域的日历 / use the calendar of this Region of the cluster
    #[arg(long, global = true, value_name = "CODE", conflicts_with_all = ["file", "calendar"])]
    region: Option<String>,
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

/// A calendar to count in, with its source.
pub(super) struct Chosen {
    calendar: Calendar,
    source: Source,
}

/// Source of a calendar.
pub(super) enum Source {
    /// This plugin.
    BuiltIn,
    /// A file.
    File(String),
    /// The cluster.
    Cluster,
}

impl Chosen {
    /// Names the calendar and its source.
    fn named(&self, lang: Lang) -> String {
        let stamp = self.calendar.stamp();
        match &self.source {
            Source::BuiltIn => {
                let name = stamp.split('@').next().unwrap_or_default();
                lang.pick(format!("{name}（插件内置）"), format!("{name}, built into this plugin"))
            }
            Source::File(file) => file.clone(),
            Source::Cluster => lang.pick(format!("{stamp}（集群）"), format!("{stamp}, from the cluster")),
        }
    }

    /// The same for scripts.
    fn origin(&self) -> Origin {
        let calendar = self.calendar.stamp().split('@').next().unwrap_or_default().to_owned();
        Origin { calendar, built_in: matches!(self.source, Source::BuiltIn) }
    }
}

/// The calendar that an answer was counted in.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Origin {
    calendar: String,
    built_in: bool,
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
    #[serde(flatten)]
    origin: Origin,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CountAnswer {
    from: CivilDate,
    to: CivilDate,
    working_days: i32,
    provisional: bool,
    #[serde(flatten)]
    origin: Origin,
}

impl CalendarCommand {
    /// Writes the answer to `out`, counted in the built-in calendar or a file.
    ///
    /// # Errors
    /// An invalid value, a year without data, a file that is not a calendar, or `out` failing.
    pub fn run(self, out: &mut impl Write) -> Result<(), CalendarCliError> {
        let lang = self.lang();
        // The arguments are parsed first: they are wrong more often than the file.
        let question = self.query.parse()?;
        question.answer(&calendar(self.file)?, self.output, lang, out)
    }

    /// Language of the answer.
    pub(super) fn lang(&self) -> Lang {
        self.lang.unwrap_or_else(|| Lang::of_locale(|name| std::env::var(name).ok()))
    }

    /// Returns true if the calendar is one of the cluster.
    pub(super) fn asks_cluster(&self) -> bool {
        self.calendar.is_some() || self.region.is_some()
    }

    /// Writes the answer to `out`, counted in a calendar of the cluster.
    ///
    /// # Errors
    /// As [`CalendarCommand::run`], and a Region or WorkCalendar that does not exist, or that the caller may not read.
    pub(super) async fn run_on(self, session: &Session, out: &mut impl Write) -> Result<(), CliError> {
        let lang = self.lang();
        let question = self.query.parse().map_err(|e| e.into_cli(lang))?;
        let name = match (self.calendar, &self.region) {
            (Some(name), _) => name,
            (None, Some(code)) => session.read::<Region>(code).await?.spec.calendar,
            (None, None) => String::new(),
        };
        let read: WorkCalendar = session.read(&name).await?;
        let calendar = Calendar::new(&name, read.metadata.generation.unwrap_or_default(), &read.spec)
            .map_err(|why| CalendarCliError::Unsound(name, why).into_cli(lang))?;
        let chosen = Chosen { calendar, source: Source::Cluster };
        question.answer(&chosen, self.output, lang, out).map_err(|e| e.into_cli(lang))
    }
}

/// A question whose values were read.
enum Question {
    /// The end of so many working days.
    Due(Date, u32),
    /// The month that begins on this day.
    Show(Date),
    /// Working days between two days.
    Count(Date, Date),
}

impl CalendarQuery {
    fn parse(&self) -> Result<Question, CalendarCliError> {
        match self {
            Self::Due { from, working_days } => {
                Ok(Question::Due(date(from)?, working_day_count(working_days)?))
            }
            Self::Show { month } => Ok(Question::Show(first_of(month)?)),
            Self::Count { from, to } => {
                let (from, to) = (date(from)?, date(to)?);
                if to < from {
                    Err(CalendarCliError::Backwards(from, to))
                } else {
                    Ok(Question::Count(from, to))
                }
            }
        }
    }
}

impl Question {
    fn answer(
        &self,
        chosen: &Chosen,
        output: Option<Format>,
        lang: Lang,
        out: &mut impl Write,
    ) -> Result<(), CalendarCliError> {
        match *self {
            Self::Due(from, days) => due(chosen, from, days, output, lang, out)?,
            Self::Show(first) => {
                require_year(&chosen.calendar, first.year())?;
                month::show(&chosen.calendar, first, output, lang, out)?;
            }
            Self::Count(from, to) => count(chosen, from, to, output, lang, out)?,
        }
        match (output, lang) {
            (Some(_), _) => Ok(()),
            (None, Lang::Zh) => Ok(writeln!(out, "日历  {}", chosen.named(lang))?),
            (None, Lang::En) => Ok(writeln!(out, "calendar {}", chosen.named(lang))?),
        }
    }
}

fn due(
    chosen: &Chosen,
    from: Date,
    days: u32,
    output: Option<Format>,
    lang: Lang,
    out: &mut impl Write,
) -> Result<(), CalendarCliError> {
    let calendar = &chosen.calendar;
    require_year(calendar, from.year())?;
    let due = calendar.due_from(from, days);
    let answer = DueAnswer {
        from: from.into(),
        working_days: days,
        due_date: due.date.into(),
        due_at: due.at.into(),
        provisional: due.provisional,
        origin: chosen.origin(),
    };
    match output {
        Some(format) => write(&answer, format, out),
        None => Ok(text::due(calendar, from, days, &due, lang, out)?),
    }
}

fn count(
    chosen: &Chosen,
    from: Date,
    to: Date,
    output: Option<Format>,
    lang: Lang,
    out: &mut impl Write,
) -> Result<(), CalendarCliError> {
    let calendar = &chosen.calendar;
    for year in from.year()..=to.year() {
        require_year(calendar, year)?;
    }
    let working_days = calendar.count(from, to);
    let provisional = from < to && !calendar.knows_all(from, to);
    let answer =
        CountAnswer { from: from.into(), to: to.into(), working_days, provisional, origin: chosen.origin() };
    match output {
        Some(format) => write(&answer, format, out),
        None => Ok(text::count(from, to, working_days, provisional, lang, out)?),
    }
}

/// Reads the calendar in `file`, or the built-in one.
fn calendar(file: Option<PathBuf>) -> Result<Chosen, CalendarCliError> {
    let (file, text, source) = match file {
        None => ("cn".to_owned(), BUILT_IN.to_owned(), Source::BuiltIn),
        Some(path) => {
            let file = path.display().to_string();
            match fs::read_to_string(&path) {
                Ok(text) => (file.clone(), text, Source::File(file)),
                Err(why) => return Err(CalendarCliError::Unreadable(file, why)),
            }
        }
    };
    let not_a_calendar = |why: String| CalendarCliError::NotACalendar(file.clone(), why);
    // A file of another kind is reported as such, not by its first unknown field.
    let types: TypeMeta = parse(&text).map_err(not_a_calendar)?;
    if types.kind != "WorkCalendar" || types.api_version != "govcloud.dev/v1alpha1" {
        return Err(not_a_calendar(format!("kind: {}, apiVersion: {}", types.kind, types.api_version)));
    }
    let read: WorkCalendar = parse(&text).map_err(not_a_calendar)?;
    let name = read.metadata.name.unwrap_or_default();
    let calendar = Calendar::new(&name, read.metadata.generation.unwrap_or_default(), &read.spec)
        .map_err(|why| CalendarCliError::Unsound(file, why))?;
    Ok(Chosen { calendar, source })
}

fn require_year(calendar: &Calendar, year: i16) -> Result<(), CalendarCliError> {
    if calendar.years().any(|known| known == year) {
        return Ok(());
    }
    let years: Vec<String> = calendar.years().map(|year| year.to_string()).collect();
    let name = calendar.stamp().split('@').next().unwrap_or_default().to_owned();
    Err(CalendarCliError::YearWithoutData(name, year, years.join(" ")))
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
    calendar(None).map(|chosen| chosen.calendar)
}

#[cfg(test)]
mod tests;
