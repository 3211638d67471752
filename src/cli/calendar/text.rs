//! Texts of `calendar`, in Chinese and English.

use std::io::{self, Write};

use jiff::civil::{Date, Weekday};

use super::Lang;
use govcloud_domain::calendar::{Calendar, DayKind, Due};

/// Writes the end of a period, with the holidays and make-up workdays in it.
pub(super) fn due(
    calendar: &Calendar,
    from: Date,
    days: u32,
    due: &Due,
    lang: Lang,
    out: &mut impl Write,
) -> io::Result<()> {
    let (weekday, last) = (weekday(due.date, lang), due.date);
    match lang {
        Lang::Zh => {
            writeln!(out, "届满  {last}（{weekday}）24:00")?;
            writeln!(out, "起算  {from}（当日不计），{days} 个工作日")?;
        }
        Lang::En => {
            writeln!(out, "due      {last} ({weekday}) 24:00, China time")?;
            let unit = if days == 1 { "working day" } else { "working days" };
            writeln!(out, "start    {from} (not counted), {days} {unit}")?;
        }
    }
    for span in spans(calendar, from, last) {
        writeln!(out, "{}", span.line(lang))?;
    }
    note(due.provisional, lang, out)
}

/// Writes the number of working days between two days.
pub(super) fn count(
    from: Date,
    to: Date,
    days: i32,
    provisional: bool,
    lang: Lang,
    out: &mut impl Write,
) -> io::Result<()> {
    match lang {
        Lang::Zh => writeln!(out, "{from}（不计）至 {to}（计入）：{days} 个工作日")?,
        Lang::En => {
            let unit = if days == 1 { "working day" } else { "working days" };
            writeln!(out, "{from} (not counted) to {to} (counted): {days} {unit}")?;
        }
    }
    note(provisional, lang, out)
}

/// Writes that a notice which is still to come may change the answer.
fn note(provisional: bool, lang: Lang, out: &mut impl Write) -> io::Result<()> {
    match lang {
        _ if !provisional => Ok(()),
        Lang::Zh => writeln!(
            out,
            "暂定  所及日期的节假日安排尚未全部公布（12 月末以下一年度通知为准），公布后重新计算"
        ),
        Lang::En => writeln!(
            out,
            "note     provisional: not all holidays that count are published yet (the end of December follows the next year's notice)"
        ),
    }
}

/// Consecutive holidays or make-up workdays.
pub(super) struct DaySpan<'a> {
    from: Date,
    to: Date,
    /// The holiday's name; `None` for make-up workdays.
    holiday: Option<&'a str>,
}

impl DaySpan<'_> {
    fn line(&self, lang: Lang) -> String {
        let days = self.days(lang);
        match (lang, self.holiday) {
            (Lang::Zh, Some(name)) => format!("放假  {days} {name}"),
            (Lang::Zh, None) => format!("上班  {days} 调休"),
            (Lang::En, Some(name)) => format!("off      {days} {}", holiday(name, lang)),
            (Lang::En, None) => format!("worked   {days} make-up workday"),
        }
    }

    /// Formats an entry of the legend of a month.
    pub(super) fn legend(&self, lang: Lang) -> String {
        let what = match (lang, self.holiday) {
            (_, Some(name)) => holiday(name, lang),
            (Lang::Zh, None) => "调休上班",
            (Lang::En, None) => "make-up workday",
        };
        format!("{} {} {what}", mark(self.holiday.is_some(), lang), self.days(lang))
    }

    fn days(&self, lang: Lang) -> String {
        let join = if lang == Lang::Zh { "至" } else { "to" };
        if self.from == self.to { self.from.to_string() } else { format!("{} {join} {}", self.from, self.to) }
    }
}

/// Lists the holidays and make-up workdays after `from` up to `to`.
pub(super) fn spans(calendar: &Calendar, from: Date, to: Date) -> Vec<DaySpan<'_>> {
    let mut spans: Vec<DaySpan<'_>> = Vec::new();
    let mut date = from;
    while date < to {
        date = date.tomorrow().unwrap_or(Date::MAX);
        let holiday = match calendar.day(date).kind {
            DayKind::Holiday(name) => Some(name),
            DayKind::MakeUp => None,
            DayKind::Working | DayKind::Weekend => continue,
        };
        match spans.last_mut() {
            Some(last) if last.holiday == holiday && last.to.tomorrow().ok() == Some(date) => last.to = date,
            _ => spans.push(DaySpan { from: date, to: date, holiday }),
        }
    }
    spans
}

/// Returns the mark of a day off (`true`) or a make-up workday (`false`).
pub(super) fn mark(off: bool, lang: Lang) -> &'static str {
    match (lang, off) {
        (Lang::Zh, true) => "休",
        (Lang::Zh, false) => "班",
        (Lang::En, true) => "H",
        (Lang::En, false) => "W",
    }
}

/// Translates the seven statutory holidays (全国年节及纪念日放假办法) in English; other names as published.
fn holiday(name: &str, lang: Lang) -> &str {
    match (lang, name) {
        (Lang::Zh, name) => name,
        (Lang::En, "元旦") => "New Year's Day",
        (Lang::En, "春节") => "Spring Festival",
        (Lang::En, "清明节") => "Tomb-Sweeping Day",
        (Lang::En, "劳动节") => "Labour Day",
        (Lang::En, "端午节") => "Dragon Boat Festival",
        (Lang::En, "中秋节") => "Mid-Autumn Festival",
        (Lang::En, "国庆节") => "National Day",
        (Lang::En, name) => name,
    }
}

fn weekday(date: Date, lang: Lang) -> &'static str {
    match (date.weekday(), lang) {
        (Weekday::Monday, Lang::Zh) => "星期一",
        (Weekday::Tuesday, Lang::Zh) => "星期二",
        (Weekday::Wednesday, Lang::Zh) => "星期三",
        (Weekday::Thursday, Lang::Zh) => "星期四",
        (Weekday::Friday, Lang::Zh) => "星期五",
        (Weekday::Saturday, Lang::Zh) => "星期六",
        (Weekday::Sunday, Lang::Zh) => "星期日",
        (Weekday::Monday, Lang::En) => "Monday",
        (Weekday::Tuesday, Lang::En) => "Tuesday",
        (Weekday::Wednesday, Lang::En) => "Wednesday",
        (Weekday::Thursday, Lang::En) => "Thursday",
        (Weekday::Friday, Lang::En) => "Friday",
        (Weekday::Saturday, Lang::En) => "Saturday",
        (Weekday::Sunday, Lang::En) => "Sunday",
    }
}
