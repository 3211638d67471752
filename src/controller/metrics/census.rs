//! Gauges of records, deadlines and volumes: counted anew at each scrape, from the tallies of all cached objects.
//!
//! Nothing is added up over time: a sum that is kept by adding and subtracting is wrong for good after one mistake.
//! Every replica shows the same; take the maximum over replicas, never the sum.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

use crate::cluster_state::ClusterState;
use crate::kinds::Kind;
use govcloud_domain::calendar::{Calendar, china_date, end_of};
use govcloud_domain::deadline::Running;

mod gauges;
mod tally;

use gauges::{
    ByCalendar, ByDeadline, ByOutcome, ByParty, ByPhase, ByReason, ByRegion, ByState, ByVerdict, Text,
};
use tally::{Certified, RecordTally, RegionTally, Stalled, VolumeState, VolumeTally};

pub use tally::{Tally, exit_tally, record_tally, region_tally, volume_tally};

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
#[derive(Clone, Copy, Debug)]
struct Deadlines {
    open: i64,
    overdue: i64,
    provisional: i64,
    least_left: i32,
    most_late: i32,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self { open: 0, overdue: 0, provisional: 0, least_left: i32::MAX, most_late: 0 }
    }
}

/// Volumes that nobody uses.
#[derive(Clone, Copy, Debug, Default)]
struct Idle {
    volumes: i64,
    bytes: i64,
}

/// The counts of one scrape.
#[derive(Debug, Default)]
struct Census {
    phases: BTreeMap<ByPhase, i64>,
    waiting: BTreeMap<ByParty, Group>,
    stalled: BTreeMap<ByReason, Group>,
    deadlines: BTreeMap<ByDeadline, Deadlines>,
    decided: BTreeMap<ByVerdict, i64>,
    certificates: BTreeMap<ByRegion, i64>,
    outcomes: BTreeMap<ByOutcome, i64>,
    volumes: BTreeMap<ByState, i64>,
    retained: BTreeMap<ByRegion, Idle>,
    unclaimed: BTreeMap<ByRegion, Idle>,
    /// The end of the last year that each calendar in use holds.
    published: BTreeMap<ByCalendar, Timestamp>,
}

/// The label and the calendar of a Region.
#[derive(Clone, Debug)]
struct KnownRegion {
    label: Text,
    calendar: Option<Arc<Calendar>>,
}

/// The Regions that exist.
#[derive(Debug)]
struct Regions {
    known: HashMap<Box<str>, KnownRegion>,
    unknown: KnownRegion,
}

impl Default for Regions {
    fn default() -> Self {
        let unknown = KnownRegion { label: Text("unknown".into()), calendar: None };
        Self { known: HashMap::new(), unknown }
    }
}

impl Regions {
    fn get(&self, code: Option<&str>) -> &KnownRegion {
        code.and_then(|code| self.known.get(code)).unwrap_or(&self.unknown)
    }
}

impl Census {
    /// Counts the cluster state. Regions come first: their codes are labels, and their calendars count days.
    fn take(state: &ClusterState, now: Timestamp) -> Self {
        let (mut census, mut regions) = (Self::default(), Regions::default());
        for object in state.store(Kind::Region).all() {
            if let Tally::Region(tally) = object.tally() {
                let region = census.region(object.name(), tally, state);
                regions.known.insert(object.name().into(), region);
            }
        }
        for kind in Kind::all() {
            for object in state.store(kind).all() {
                match object.tally() {
                    Tally::Record(record) => {
                        census.record(kind.as_str(), record, regions.get(record.region.as_deref()), now);
                    }
                    Tally::Volume(volume) => census.volume(volume, regions.get(volume.region.as_deref())),
                    Tally::Region(_) | Tally::None => {}
                }
            }
        }
        census
    }

    /// Adds a Region. It shows zero idle volumes until one is counted.
    fn region(&mut self, code: &str, tally: &RegionTally, state: &ClusterState) -> KnownRegion {
        let label = Text(code.into());
        let calendar = tally.calendar.as_ref().and_then(|name| state.calendar(name).ok());
        if let (Some(name), Some(last)) = (&tally.calendar, calendar.as_deref().and_then(last_published)) {
            self.published.insert(ByCalendar { calendar: Text(name.as_ref().into()) }, last);
        }
        if let Some(stalled) = &tally.stalled {
            self.stalled(Kind::Region.as_str(), &label, stalled);
        }
        let by_region = ByRegion { region: label.clone() };
        self.retained.entry(by_region.clone()).or_default();
        self.unclaimed.entry(by_region).or_default();
        KnownRegion { label, calendar }
    }

    fn record(&mut self, kind: &'static str, tally: &RecordTally, at: &KnownRegion, now: Timestamp) {
        let region = || at.label.clone();
        *self.phases.entry(ByPhase { region: region(), kind, phase: tally.phase }).or_default() += 1;
        if let Some((party, since)) = tally.waits {
            let label = ByParty { region: region(), kind, party: party.into() };
            self.waiting.entry(label).or_default().add(since);
        }
        if let Some(verdict) = tally.verdict {
            *self.decided.entry(ByVerdict { region: region(), kind, verdict }).or_default() += 1;
        }
        if let Some(stalled) = &tally.stalled {
            self.stalled(kind, &at.label, stalled);
        }
        for deadline in &tally.clocks {
            self.deadline(deadline, at, now);
        }
        if let Some(certified) = tally.certified {
            self.certificate(certified, &at.label);
        }
    }

    fn stalled(&mut self, kind: &'static str, region: &Text, stalled: &Stalled) {
        let reason = Text(stalled.reason.as_ref().into());
        let label = ByReason { region: region.clone(), kind, reason };
        self.stalled.entry(label).or_default().add(stalled.since);
    }

    fn deadline(&mut self, deadline: &Running, at: &KnownRegion, now: Timestamp) {
        let (obligation, party) = (deadline.obligation.into(), deadline.party.into());
        let label = ByDeadline { region: at.label.clone(), obligation, party };
        let deadlines = self.deadlines.entry(label).or_default();
        deadlines.open += 1;
        deadlines.provisional += i64::from(deadline.provisional);
        deadlines.overdue += i64::from(deadline.is_overdue(now));
        let Some(calendar) = at.calendar.as_deref() else { return };
        deadlines.least_left = deadlines.least_left.min(deadline.remaining_working_days(now, calendar));
        if deadline.is_overdue(now) {
            let late = calendar.count(deadline.due_date, china_date(now));
            deadlines.most_late = deadlines.most_late.max(late);
        }
    }

    fn certificate(&mut self, certified: Certified, region: &Text) {
        *self.certificates.entry(ByRegion { region: region.clone() }).or_default() += 1;
        let Certified { ended_at: _, destroyed, retained, handed_over, lost } = certified;
        let counts =
            [("Destroyed", destroyed), ("Retained", retained), ("HandedOver", handed_over), ("Lost", lost)];
        for (outcome, volumes) in counts.into_iter().filter(|(_, volumes)| *volumes > 0) {
            let label = ByOutcome { region: region.clone(), outcome };
            *self.outcomes.entry(label).or_default() += i64::from(volumes);
        }
    }

    fn volume(&mut self, volume: &VolumeTally, at: &KnownRegion) {
        let region = at.label.clone();
        let idle = match volume.state {
            VolumeState::Retained => Some(&mut self.retained),
            VolumeState::Unclaimed => Some(&mut self.unclaimed),
            VolumeState::Bound | VolumeState::Other => None,
        };
        if let Some(idle) = idle {
            let idle = idle.entry(ByRegion { region: region.clone() }).or_default();
            idle.volumes += 1;
            idle.bytes = idle.bytes.saturating_add(volume.bytes);
        }
        *self.volumes.entry(ByState { region, state: volume.state.into() }).or_default() += 1;
    }
}

/// The end of the last published year, in China.
fn last_published(calendar: &Calendar) -> Option<Timestamp> {
    let year = calendar.years().last()?;
    Some(end_of(jiff::civil::Date::new(year, 12, 31).ok()?))
}
