//! Gauges of records, deadlines and volumes: counted anew at each scrape, from all cached objects.
//!
//! Nothing is added up over time: a sum that is kept by adding and subtracting is wrong for good after one mistake.
//! Every replica shows the same; take the maximum over replicas, never the sum.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use govcloud_api::compliance::ComplianceRecord;
use govcloud_api::condition::{Condition, ConditionStatus, ConditionType};
use govcloud_api::deadline::{Deadline, Party};
use govcloud_api::decommission::Decommission;
use govcloud_api::filed::Filed;
use govcloud_api::inspection::Inspection;
use govcloud_api::keys;
use govcloud_api::region::Region;
use govcloud_api::statement::Statement;
use govcloud_domain::calendar::{Calendar, china_date, end_of};
use govcloud_domain::deadline::DeadlineClock;
use govcloud_domain::quantity::Quantity;
use govcloud_domain::reason::Reason;
use govcloud_domain::record::durations;
use govcloud_domain::tenancy::volumes::is_unclaimed;
use jiff::Timestamp;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};
use strum::IntoStaticStr;

use crate::cache::{Object, text};
use crate::cluster_state::ClusterState;
use crate::kinds::Kind;

mod gauges;

use gauges::{
    ByCalendar, ByCompliance, ByDeadline, ByOutcome, ByParty, ByPhase, ByReason, ByRegion, ByState, ByVerdict,
};

/// Phase and reason of a record that does not fit its schema.
const MALFORMED: &str = "Malformed";

/// Phase of a record that the operator has not seen yet.
const NEW: &str = "New";

/// Counts the cluster state at `now`, and registers the gauges.
pub(super) fn register(to: &mut Registry, state: &ClusterState, now: Timestamp) {
    let begun = Instant::now();
    gauges::register(to, Census::take(state, now), now);
    to.register_with_unit(
        "state_count_duration",
        "Duration of the count of records, deadlines and volumes for this scrape",
        Unit::Seconds,
        ConstGauge::new(begun.elapsed().as_secs_f64()),
    );
}

/// Number of objects, and since when the oldest of them.
#[derive(Clone, Copy, Debug, Default)]
struct Group {
    count: i64,
    since: Option<Timestamp>,
}

impl Group {
    fn add(&mut self, since: Option<Timestamp>) {
        self.count += 1;
        self.since = [self.since, since].into_iter().flatten().min();
    }
}

/// Running deadlines of one label.
#[derive(Clone, Copy, Debug, Default)]
struct Deadlines {
    open: i64,
    overdue: i64,
    provisional: i64,
    least_left: Option<i32>,
    most_late: i32,
}

/// Volumes that nobody uses.
#[derive(Clone, Copy, Debug, Default)]
struct Idle {
    volumes: i64,
    bytes: i64,
}

/// State of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
enum VolumeState {
    /// Its application has exited, and the department had it retained (Art. 23).
    Retained,
    /// A claim is bound to it.
    Bound,
    /// Its claim is gone, its application is not.
    Unclaimed,
    /// Any other phase.
    Other,
}

/// The counts of one scrape.
#[derive(Debug, Default)]
pub struct Census {
    now: Timestamp,
    /// The Regions that exist, with their calendars.
    regions: BTreeMap<String, Option<Arc<Calendar>>>,
    phases: BTreeMap<ByPhase, i64>,
    waiting: BTreeMap<ByParty, Group>,
    stalled: BTreeMap<ByReason, Group>,
    deadlines: BTreeMap<ByDeadline, Deadlines>,
    decided: BTreeMap<ByVerdict, i64>,
    certificates: BTreeMap<ByRegion, i64>,
    over_budget: BTreeMap<ByRegion, i64>,
    outcomes: BTreeMap<ByOutcome, i64>,
    compliance: BTreeMap<ByCompliance, i64>,
    volumes: BTreeMap<ByState, i64>,
    retained: BTreeMap<ByRegion, Idle>,
    unclaimed: BTreeMap<ByRegion, Idle>,
    /// The end of the last year that each calendar in use holds.
    published: BTreeMap<ByCalendar, Timestamp>,
}

impl Census {
    /// Counts the cluster state. Regions come first: their codes are labels, and their calendars count days.
    fn take(state: &ClusterState, now: Timestamp) -> Self {
        let mut census = Self { now, ..Self::default() };
        for object in state.store(Kind::Region).all() {
            census.region(&object, state);
        }
        for kind in Kind::all() {
            state.store(kind).all().iter().for_each(|object| (kind.spec().count)(&mut census, object));
        }
        census
    }

    /// Adds a Region. It shows zero idle volumes, and no statement over its budget, until one is counted.
    fn region(&mut self, object: &Object, state: &ClusterState) {
        let code = object.name().to_owned();
        let region = object.read::<Region>().ok();
        let name = region.as_ref().map(|r| r.spec.calendar.clone());
        let calendar = name.as_ref().and_then(|name| state.calendar(name).ok());
        if let (Some(calendar), Some(last)) = (name, calendar.as_deref().and_then(last_published)) {
            self.published.insert(ByCalendar { calendar }, last);
        }
        if let Some(status) = region.and_then(|r| r.status) {
            self.conditions(Kind::Region.as_str(), &code, &status.conditions);
            for deadline in status.deadlines.iter().filter(|d| !d.is_over()) {
                self.deadline(deadline, &code, calendar.as_deref());
            }
        }
        let by_region = ByRegion { region: code.clone() };
        self.retained.entry(by_region.clone()).or_default();
        self.unclaimed.entry(by_region.clone()).or_default();
        self.over_budget.entry(by_region).or_default();
        self.regions.insert(code, calendar);
    }

    /// Label and calendar of a Region. One that does not exist is `unknown`: no label holds text that people write.
    fn at(&self, code: Option<&str>) -> (String, Option<Arc<Calendar>>) {
        match code.and_then(|code| self.regions.get_key_value(code)) {
            Some((code, calendar)) => (code.clone(), calendar.clone()),
            None => ("unknown".to_owned(), None),
        }
    }

    /// Adds a record that is filed on an application.
    pub fn record<K: Filed>(&mut self, object: &Object) {
        let kind = object.kind.as_str();
        let record = object.read::<K>().ok();
        let (region, calendar) = self.at(record.as_ref().map(Filed::region));
        let phase = record.as_ref().map_or(MALFORMED, |r| r.phase().unwrap_or(NEW));
        *self.phases.entry(ByPhase { region: region.clone(), kind, phase }).or_default() += 1;
        let Some(record) = record else {
            return self.stalled(kind, &region, MALFORMED, object.meta().created_at);
        };
        let Some(status) = record.record() else { return };
        if !record.is_over() {
            self.conditions(kind, &region, &status.conditions);
            if status.waiting_on != Party::None {
                let label = ByParty { region: region.clone(), kind, party: status.waiting_on.into() };
                self.waiting.entry(label).or_default().add(durations::waits_since(status));
            }
        }
        for deadline in status.deadlines.iter().filter(|d| !d.is_over()) {
            self.deadline(deadline, &region, calendar.as_deref());
        }
        if let Some(decision) = &status.decision {
            let verdict = if decision.void.is_some() { "void" } else { decision.verdict.into() };
            *self.decided.entry(ByVerdict { region, kind, verdict }).or_default() += 1;
        }
    }

    /// Adds a compliance record, with its state.
    pub fn compliance(&mut self, object: &Object) {
        self.record::<ComplianceRecord>(object);
        let Ok(record) = object.read::<ComplianceRecord>() else { return };
        let conditions = record.status.iter().flat_map(|s| &s.record.conditions);
        let current = conditions.into_iter().find(|c| c.type_ == ConditionType::Current.as_ref());
        let Some(state) = current.and_then(|c| c.reason.parse::<Reason>().ok()) else { return };
        let (region, _) = self.at(Some(&record.spec.region));
        let label = ByCompliance { region, document: record.spec.type_.into(), state: state.into() };
        *self.compliance.entry(label).or_default() += 1;
    }

    /// Adds an inspection, with the clocks of its findings.
    pub fn inspection(&mut self, object: &Object) {
        self.record::<Inspection>(object);
        let Ok(inspection) = object.read::<Inspection>() else { return };
        let (region, calendar) = self.at(Some(&inspection.spec.region));
        let findings = inspection.status.iter().flat_map(|s| &s.findings);
        for finding in findings.filter(|f| !f.deadline.is_over()) {
            self.deadline(&finding.deadline, &region, calendar.as_deref());
        }
    }

    /// Adds an exit, with its certificate.
    pub fn exit(&mut self, object: &Object) {
        self.record::<Decommission>(object);
        let Ok(exit) = object.read::<Decommission>() else { return };
        let Some(certificate) = exit.status.and_then(|s| s.certificate) else { return };
        let (region, _) = self.at(Some(&exit.spec.region));
        for volume in certificate.volumes {
            let label = ByOutcome { region: region.clone(), outcome: volume.outcome.into() };
            *self.outcomes.entry(label).or_default() += 1;
        }
        *self.certificates.entry(ByRegion { region }).or_default() += 1;
    }

    /// Adds a statement; an open one also if the year's fees are above the department's ceiling (Art. 7).
    pub fn statement(&mut self, object: &Object) {
        self.record::<Statement>(object);
        let Ok(statement) = object.read::<Statement>() else { return };
        let mut conditions = statement.status.iter().flat_map(|status| &status.record.conditions);
        let above = |c: &Condition| c.type_ == "WithinBudget" && c.status == ConditionStatus::False;
        let over = !statement.is_over() && conditions.any(above);
        let (region, _) = self.at(Some(&statement.spec.region));
        *self.over_budget.entry(ByRegion { region }).or_default() += i64::from(over);
    }

    /// Adds what is stalled, by its conditions.
    fn conditions(&mut self, kind: &'static str, region: &str, conditions: &[Condition]) {
        let stalled = conditions.iter().find(|c| c.type_ == "Stalled" && c.status == ConditionStatus::True);
        if let Some(c) = stalled {
            self.stalled(kind, region, &c.reason, Some(c.last_transition_time.timestamp()));
        }
    }

    fn stalled(&mut self, kind: &'static str, region: &str, reason: &str, since: Option<Timestamp>) {
        let label = ByReason { region: region.to_owned(), kind, reason: reason.to_owned() };
        self.stalled.entry(label).or_default().add(since);
    }

    fn deadline(&mut self, deadline: &Deadline, region: &str, calendar: Option<&Calendar>) {
        let (obligation, party) = (deadline.obligation.into(), deadline.party.into());
        let label = ByDeadline { region: region.to_owned(), obligation, party };
        let (deadlines, overdue) = (self.deadlines.entry(label).or_default(), deadline.is_overdue(self.now));
        deadlines.open += 1;
        deadlines.provisional += i64::from(deadline.provisional);
        deadlines.overdue += i64::from(overdue);
        let Some(calendar) = calendar else { return };
        let left = deadline.remaining_working_days(self.now, calendar);
        deadlines.least_left = Some(deadlines.least_left.map_or(left, |least| least.min(left)));
        if overdue {
            let late = calendar.count(deadline.due_date.0, china_date(self.now));
            deadlines.most_late = deadlines.most_late.max(late);
        }
    }

    /// Adds a volume of an application.
    pub fn volume(&mut self, object: &Object) {
        let value = object.value();
        let label = |key: &str| value["metadata"]["labels"][key].as_str();
        if label(keys::APPLICATION_UID).is_none() {
            return;
        }
        let state = match value["status"]["phase"].as_str() {
            _ if label(keys::RETAINED).is_some() => VolumeState::Retained,
            Some("Bound") => VolumeState::Bound,
            Some(phase) if is_unclaimed(phase) => VolumeState::Unclaimed,
            _ => VolumeState::Other,
        };
        let (region, _) = self.at(label(keys::REGION));
        let idle = match state {
            VolumeState::Retained => Some(&mut self.retained),
            VolumeState::Unclaimed => Some(&mut self.unclaimed),
            VolumeState::Bound | VolumeState::Other => None,
        };
        if let Some(idle) = idle {
            let nanos = text(&value, "/spec/capacity/storage").parse::<Quantity>().map_or(0, Quantity::nanos);
            let bytes = i64::try_from(nanos / 1_000_000_000).unwrap_or(i64::MAX);
            let idle = idle.entry(ByRegion { region: region.clone() }).or_default();
            idle.volumes += 1;
            idle.bytes = idle.bytes.saturating_add(bytes);
        }
        *self.volumes.entry(ByState { region, state: state.into() }).or_default() += 1;
    }
}

/// The end of the last published year, in China.
fn last_published(calendar: &Calendar) -> Option<Timestamp> {
    let year = calendar.years().last()?;
    Some(end_of(jiff::civil::Date::new(year, 12, 31).ok()?))
}
