//! Regions and the calendars of their deadlines.

use std::collections::BTreeMap;

use jiff::Timestamp;
use kube::CustomResourceExt;
use serde::Serialize;
use serde_json::Value;

use super::calendar;
use super::error::CliError;
use super::messages;
use super::output::Lang;
use super::record::Record;
use super::session::Session;
use govcloud_api::deadline::Deadline;
use govcloud_api::region::Region;
use govcloud_api::work_calendar::WorkCalendar;
use govcloud_domain::calendar::{Calendar, china_date};
use govcloud_domain::deadline::DeadlineClock;

/// Regions by code, and calendars by name.
pub(super) struct RegionCalendars {
    /// Regions by code.
    pub(super) regions: BTreeMap<String, Region>,
    calendars: BTreeMap<String, Calendar>,
    built_in: Calendar,
}

impl RegionCalendars {
    /// Reads them from the cluster. What the caller may not list is left out.
    pub(super) async fn read(session: &Session) -> Result<Self, CliError> {
        let regions = session.list_raw(&Region::api_resource()).await.unwrap_or_default();
        let calendars = session.list_raw(&WorkCalendar::api_resource()).await.unwrap_or_default();
        Self::from_objects(regions, calendars)
    }

    /// Builds them from objects.
    pub(super) fn from_objects(regions: Vec<Value>, calendars: Vec<Value>) -> Result<Self, CliError> {
        let built_in = calendar::built_in().map_err(|e| e.into_cli(Lang::En))?;
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
            built_in,
        })
    }

    /// Returns the calendar of a region, or the built-in one if that cannot be read.
    pub(super) fn calendar(&self, region: &str) -> &Calendar {
        let name = self.regions.get(region).map(|r| r.spec.calendar.as_str());
        name.and_then(|n| self.calendars.get(n)).unwrap_or(&self.built_in)
    }

    /// Returns the name of a region's authority.
    pub(super) fn authority(&self, region: &str) -> String {
        self.regions.get(region).map_or_else(|| "-".to_owned(), |r| r.spec.authority.clone())
    }
}

/// Remaining time of a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Remaining {
    /// Working days left, today included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) working_days_left: Option<i32>,
    /// Working days overdue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) working_days_late: Option<i32>,
    /// True if the date depends on a year without published holidays.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) provisional: bool,
}

impl Remaining {
    /// Computes it for a running deadline.
    pub(super) fn of_deadline(deadline: &Deadline, calendar: &Calendar, now: Timestamp) -> Self {
        let late = deadline.is_overdue(now).then(|| calendar.count(deadline.due_date.0, china_date(now)));
        let left = late.is_none().then(|| deadline.remaining_working_days(now, calendar));
        Self { working_days_left: left, working_days_late: late, provisional: deadline.provisional }
    }

    /// Computes it for the act that a record waits for, if a deadline runs for it.
    pub(super) fn of_record(record: &Record, calendar: &Calendar, now: Timestamp) -> Option<Self> {
        let due = record.status.due_date.as_deref()?;
        let running = |d: &&Deadline| !d.is_over() && !d.is_paused() && d.due_date.to_string() == due;
        let clock = record
            .deadlines()
            .into_iter()
            .filter(running)
            .max_by_key(|d| d.party == record.status.waiting_on)?;
        Some(Self::of_deadline(clock, calendar, now))
    }

    /// Formats it.
    pub(super) fn text(self, lang: Lang) -> String {
        let days = match (self.working_days_late, self.working_days_left) {
            (Some(0), _) => messages::late_today(lang),
            (Some(1), _) => messages::late_one(lang),
            (Some(n), _) => messages::late(lang, n),
            (None, Some(1)) => messages::left_one(lang),
            (None, Some(n)) => messages::left(lang, n),
            (None, None) => String::new(),
        };
        if self.provisional { messages::provisional(lang, days) } else { days }
    }
}
