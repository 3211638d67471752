//! What lies around a record: the regions, and the calendars that their clocks run by.

use std::collections::BTreeMap;

use jiff::Timestamp;
use kube::CustomResourceExt;
use serde::Serialize;
use serde_json::Value;

use super::calendar;
use super::error::CliError;
use super::output::Lang;
use super::record::Record;
use super::session::Session;
use super::words;
use govcloud_api::deadline::{Deadline, Party};
use govcloud_api::region::Region;
use govcloud_api::work_calendar::WorkCalendar;
use govcloud_domain::calendar::{Calendar, china_date};
use govcloud_domain::deadline::DeadlineClock;

/// Regions by code, and calendars by name.
pub(super) struct Almanac {
    pub(super) regions: BTreeMap<String, Region>,
    calendars: BTreeMap<String, Calendar>,
    shipped: Calendar,
}

impl Almanac {
    /// Reads them from the cluster, as far as the caller may.
    pub(super) async fn read(session: &Session) -> Result<Self, CliError> {
        let regions = session.list_raw(&Region::api_resource()).await.unwrap_or_default();
        let calendars = session.list_raw(&WorkCalendar::api_resource()).await.unwrap_or_default();
        Self::of(regions, calendars)
    }

    /// The same from objects that were read.
    pub(super) fn of(regions: Vec<Value>, calendars: Vec<Value>) -> Result<Self, CliError> {
        let shipped = calendar::shipped().map_err(|e| CliError::failed(e.to_string()))?;
        let regions = regions.into_iter().filter_map(|v| serde_json::from_value::<Region>(v).ok());
        let calendars = calendars.into_iter().filter_map(|v| serde_json::from_value::<WorkCalendar>(v).ok());
        let usable = |c: WorkCalendar| {
            let name = c.metadata.name?;
            let calendar = Calendar::new(&name, c.metadata.generation.unwrap_or_default(), &c.spec).ok()?;
            Some((name, calendar))
        };
        Ok(Self {
            regions: regions.filter_map(|r| Some((r.metadata.name.clone()?, r))).collect(),
            calendars: calendars.filter_map(usable).collect(),
            shipped,
        })
    }

    /// The calendar of a region; the shipped one where the cluster's cannot be read.
    pub(super) fn calendar(&self, region: &str) -> &Calendar {
        let name = self.regions.get(region).map(|r| r.spec.calendar.as_str());
        name.and_then(|n| self.calendars.get(n)).unwrap_or(&self.shipped)
    }

    /// What a region's authority is called.
    pub(super) fn authority(&self, region: &str) -> String {
        self.regions.get(region).map_or_else(|| "-".to_owned(), |r| r.spec.authority.clone())
    }
}

/// How a deadline stands against the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Remaining {
    /// Working days left, today included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) working_days_left: Option<i32>,
    /// Working days late.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) working_days_late: Option<i32>,
    /// The date rests on a year whose holidays are not published.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) provisional: bool,
}

impl Remaining {
    /// Of a clock that runs.
    pub(super) fn of(deadline: &Deadline, calendar: &Calendar, now: Timestamp) -> Self {
        let late = deadline.is_overdue(now).then(|| calendar.count(deadline.due_date.0, china_date(now)));
        let left = late.is_none().then(|| deadline.remaining_working_days(now, calendar));
        Self { working_days_left: left, working_days_late: late, provisional: deadline.provisional }
    }

    /// Of the act that a record waits for, where a clock runs for it.
    pub(super) fn of_record(record: &Record, calendar: &Calendar, now: Timestamp) -> Option<Self> {
        let due = record.life.due_date.as_deref()?;
        let running = |d: &&Deadline| !d.is_over() && !d.is_paused() && d.due_date.to_string() == due;
        let clock =
            record.life.deadlines.iter().filter(running).max_by_key(|d| d.party == record.life.waiting_on)?;
        Some(Self::of(clock, calendar, now))
    }

    /// In words.
    pub(super) fn text(self, lang: Lang) -> String {
        let days = match (self.working_days_late, self.working_days_left) {
            (Some(0), _) => words::late_today(lang),
            (Some(1), _) => words::late_one(lang),
            (Some(n), _) => words::late(lang, n),
            (None, Some(1)) => words::left_one(lang),
            (None, Some(n)) => words::left(lang, n),
            (None, None) => String::new(),
        };
        if self.provisional { format!("{days}({})", words::provisional(lang)) } else { days }
    }
}

/// Whom a record waits on, in words.
pub(super) fn party(lang: Lang, party: Party) -> &'static str {
    lang.pick(party.zh(), party.en())
}
