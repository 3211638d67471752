//! Month view, Monday first.

use std::io::{self, Write};

use jiff::civil::Date;
use serde::Serialize;

use super::{CalendarCliError, Format, Lang, text};
use govcloud_api::time::CivilDate;
use govcloud_domain::calendar::{Calendar, DayKind};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Month {
    month: String,
    working_days: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<String>,
    days: Vec<MonthDay>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MonthDay {
    date: CivilDate,
    kind: &'static str,
    working: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

/// Writes the month that begins on `first`, whose year the calendar holds.
pub(super) fn show(
    calendar: &Calendar,
    first: Date,
    output: Option<Format>,
    lang: Lang,
    out: &mut impl Write,
) -> Result<(), CalendarCliError> {
    match output {
        Some(format) => super::write(&month(calendar, first), format, out),
        None => Ok(grid(calendar, first, lang, out)?),
    }
}

fn month(calendar: &Calendar, first: Date) -> Month {
    let days = days(first).map(|date| {
        let day = calendar.day(date);
        let (kind, name) = match day.kind {
            DayKind::Working => ("Working", None),
            DayKind::Weekend => ("Weekend", None),
            DayKind::Holiday(name) => ("Holiday", Some(name.to_owned())),
            DayKind::MakeUp => ("MakeUp", None),
        };
        MonthDay { date: date.into(), kind, working: day.is_working(), name }
    });
    Month {
        month: first.strftime("%Y-%m").to_string(),
        working_days: working_days(calendar, first),
        notice: calendar.notice(first.year()).map(str::to_owned),
        days: days.collect(),
    }
}

/// Writes the month as a grid. Every cell is five columns wide: a two-digit day, a mark of two columns (a Chinese character is as wide as
/// two digits), and a space.
fn grid(calendar: &Calendar, first: Date, lang: Lang, out: &mut impl Write) -> io::Result<()> {
    let total = working_days(calendar, first);
    let (title, week) = match lang {
        Lang::Zh => (
            format!("{} 年 {} 月  工作日 {total} 天", first.year(), first.month()),
            ["一", "二", "三", "四", "五", "六", "日"],
        ),
        Lang::En => (
            format!("{}, {total} working days", first.strftime("%B %Y")),
            ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"],
        ),
    };
    writeln!(out, "{title}")?;
    writeln!(out, "{}", week.join("   "))?;
    let indent = usize::from(first.weekday().to_monday_zero_offset().unsigned_abs());
    let mut line = " ".repeat(5 * indent);
    for date in days(first) {
        line.push_str(&format!("{:2}{} ", date.day(), sign(calendar, date, lang)));
        if date.weekday() == jiff::civil::Weekday::Sunday || date == first.last_of_month() {
            writeln!(out, "{}", line.trim_end())?;
            line.clear();
        }
    }
    let eve = first.yesterday().unwrap_or(first);
    for span in text::spans(calendar, eve, first.last_of_month()) {
        writeln!(out, "{}", span.legend(lang))?;
    }
    match (calendar.notice(first.year()), lang) {
        (Some(notice), Lang::Zh) => writeln!(out, "依据 {notice}"),
        (Some(notice), Lang::En) => writeln!(out, "Published in {notice}"),
        (None, _) => Ok(()),
    }
}

/// Returns the mark of a day, two columns wide.
fn sign(calendar: &Calendar, date: Date, lang: Lang) -> &'static str {
    match (calendar.day(date).kind, lang) {
        (DayKind::Working | DayKind::Weekend, _) => "  ",
        (DayKind::Holiday(_), Lang::Zh) => text::mark(true, lang),
        (DayKind::MakeUp, Lang::Zh) => text::mark(false, lang),
        (DayKind::Holiday(_), Lang::En) => "H ",
        (DayKind::MakeUp, Lang::En) => "W ",
    }
}

fn days(first: Date) -> impl Iterator<Item = Date> {
    first.series(jiff::Span::new().days(1)).take_while(move |date| date.month() == first.month())
}

fn working_days(calendar: &Calendar, first: Date) -> i32 {
    days(first).map(|date| i32::from(calendar.is_working(date))).sum()
}
