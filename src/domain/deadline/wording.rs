//! The sentences about deadlines, in Chinese and English, in one place.

use super::{Moved, MovedBy, Notice, NoticeKind};
use govcloud_api::deadline::Obligation;

/// The obligation in Chinese, with the part of the record that is owed.
#[must_use]
pub fn named_zh(obligation: Obligation, item: Option<&String>) -> String {
    item.map_or_else(|| obligation.zh().to_owned(), |item| format!("{} {item}", obligation.zh()))
}

/// The same in English.
#[must_use]
pub fn named_en(obligation: Obligation, item: Option<&String>) -> String {
    item.map_or_else(|| obligation.en().to_owned(), |item| format!("{} of {item}", obligation.en()))
}

impl Moved {
    /// One sentence for the timeline, in Chinese.
    pub fn zh(&self) -> String {
        let Self { obligation, item, old, new, provisional, revision, applied, .. } = self;
        let why = match &self.why {
            MovedBy::YearPublished(year) => format!("{year} 年节假日安排已公布"),
            MovedBy::CalendarEdited if new < old => "工作日历已变更，放假减少或调休上班增加".to_owned(),
            MovedBy::CalendarEdited if new > old => "工作日历已变更，放假增加或调休上班减少".to_owned(),
            MovedBy::CalendarEdited => "工作日历已变更".to_owned(),
            MovedBy::Waited { on, reason, working_days } => {
                format!("等待{} {working_days} 个工作日（{reason}）", on.zh())
            }
        };
        let date =
            if old == new { format!("期限 {new} 不变") } else { format!("期限由 {old} 改为 {new}") };
        let mark = if *provisional { "，暂定" } else { "" };
        let effect = if *applied { "" } else { "；事项已办结，仅作记录" };
        format!("{}：{date}{mark}：{why}（日历 {revision}）{effect}", named_zh(*obligation, item.as_ref()))
    }

    /// One sentence for the timeline, in English.
    pub fn en(&self) -> String {
        let Self { obligation, item, old, new, provisional, revision, applied, .. } = self;
        let why = match &self.why {
            MovedBy::YearPublished(year) => format!("the holidays of {year} were published"),
            MovedBy::CalendarEdited if new < old => {
                "the calendar was changed: fewer days off, or more make-up workdays".to_owned()
            }
            MovedBy::CalendarEdited if new > old => {
                "the calendar was changed: more days off, or fewer make-up workdays".to_owned()
            }
            MovedBy::CalendarEdited => "the calendar was changed".to_owned(),
            MovedBy::Waited { on, reason, working_days } => {
                format!("waited on the {} for {} ({reason})", on.en(), days(*working_days))
            }
        };
        let date = if old == new {
            format!("due date {new} stays")
        } else {
            format!("due date moved from {old} to {new}")
        };
        let mark = if *provisional { ", provisional" } else { "" };
        let effect = if *applied { "" } else { "; the obligation is over, recorded only" };
        format!("{}: {date}{mark}: {why} (calendar {revision}){effect}", named_en(*obligation, item.as_ref()))
    }
}

impl Notice {
    /// One sentence for the party, in Chinese.
    pub fn zh(&self) -> String {
        let Self { obligation, item, party, article, due_date, remaining, .. } = self;
        let what =
            format!("{}（第{}条，{}）", named_zh(*obligation, item.as_ref()), numeral(*article), party.zh());
        let mark = if self.provisional { "（暂定）" } else { "" };
        match self.kind {
            NoticeKind::Half if self.by_period => {
                format!("{what}期限将近：截止 {due_date}{mark}，含今日还剩 {remaining} 个工作日")
            }
            NoticeKind::Half => {
                format!("{what}期限已近半：截止 {due_date}{mark}，含今日还剩 {remaining} 个工作日")
            }
            NoticeKind::LastDay => format!("{what}期限仅剩 1 个工作日：截止 {due_date}{mark} 24:00"),
            NoticeKind::Overdue => {
                let late = self.working_days_late.map(|late| format!("，已超 {late} 个工作日"));
                format!("{what}已逾期：应于 {due_date}{mark} 24:00 前完成{}", late.unwrap_or_default())
            }
        }
    }

    /// One sentence for the party, in English.
    pub fn en(&self) -> String {
        let Self { obligation, item, party, article, due_date, remaining, .. } = self;
        let what = format!("{} (Art. {article}, {})", named_en(*obligation, item.as_ref()), party.en());
        let mark = if self.provisional { " (provisional)" } else { "" };
        match self.kind {
            NoticeKind::Half if self.by_period => {
                format!("{what}: due soon, by {due_date}{mark}, {} left", days(*remaining))
            }
            NoticeKind::Half => {
                format!(
                    "{what}: about half of the period is over, due {due_date}{mark}, {} left",
                    days(*remaining)
                )
            }
            NoticeKind::LastDay => format!("{what}: one working day left, due {due_date}{mark} 24:00"),
            NoticeKind::Overdue => {
                let late = self.working_days_late.map(|late| format!(", {} late", days(late)));
                format!("{what}: overdue, was due {due_date}{mark} 24:00{}", late.unwrap_or_default())
            }
        }
    }
}

/// Chinese numeral of an article, 1 to 99.
#[must_use]
pub fn numeral(n: i32) -> String {
    const DIGITS: [&str; 10] = ["", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
    let digit = |d: i32| usize::try_from(d).ok().and_then(|d| DIGITS.get(d)).copied().unwrap_or_default();
    match (n / 10, n % 10) {
        (0, units) => digit(units).to_owned(),
        (1, units) => format!("十{}", digit(units)),
        (tens, units) => format!("{}十{}", digit(tens), digit(units)),
    }
}

fn days(count: i32) -> String {
    if count == 1 { "1 working day".to_owned() } else { format!("{count} working days") }
}
