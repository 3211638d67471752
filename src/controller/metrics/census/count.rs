//! The count: sums over the tallies of all objects.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use super::labels::{
    ByCalendar, ByClock, ByOutcome, ByParty, ByPhase, ByReason, ByRegion, ByState, ByVerdict, Shared,
};
use super::tally::{Certified, RecordTally, Stalled, Tally, VolumeState, VolumeTally};
use crate::cluster_state::ClusterState;
use crate::kinds::Kind;
use govcloud_domain::calendar::{Calendar, china_date, end_of};
use govcloud_domain::deadline::Running;

/// How many, and since when the first of them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Group {
    pub(super) count: i64,
    pub(super) since: Option<Timestamp>,
}

impl Group {
    fn add(&mut self, since: Option<Timestamp>) {
        self.count += 1;
        self.since = [self.since, since].into_iter().flatten().min();
    }
}

/// The clocks of one label that run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clocks {
    pub(super) open: i64,
    pub(super) overdue: i64,
    pub(super) provisional: i64,
    pub(super) least_left: i32,
    pub(super) most_late: i32,
}

impl Default for Clocks {
    fn default() -> Self {
        Self { open: 0, overdue: 0, provisional: 0, least_left: i32::MAX, most_late: 0 }
    }
}

/// Volumes that nobody uses.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Idle {
    pub(super) volumes: i64,
    pub(super) bytes: i64,
}

/// What is counted.
#[derive(Debug, Default)]
pub(super) struct Census {
    pub(super) phases: BTreeMap<ByPhase, i64>,
    pub(super) waiting: BTreeMap<ByParty, Group>,
    pub(super) stalled: BTreeMap<ByReason, Group>,
    pub(super) clocks: BTreeMap<ByClock, Clocks>,
    pub(super) decided: BTreeMap<ByVerdict, i64>,
    pub(super) certificates: BTreeMap<ByRegion, i64>,
    pub(super) fates: BTreeMap<ByOutcome, i64>,
    pub(super) volumes: BTreeMap<ByState, i64>,
    pub(super) retained: BTreeMap<ByRegion, Idle>,
    pub(super) unclaimed: BTreeMap<ByRegion, Idle>,
    /// The end of the last year that each calendar in use holds.
    pub(super) published: BTreeMap<ByCalendar, Timestamp>,
}

/// A Region as far as labels and clocks need it.
struct Setting {
    code: Shared,
    calendar: Option<Arc<Calendar>>,
}

/// The Regions that exist.
struct Settings {
    known: HashMap<Box<str>, Setting>,
    unknown: Setting,
}

impl Settings {
    fn of(&self, code: Option<&str>) -> &Setting {
        code.and_then(|c| self.known.get(c)).unwrap_or(&self.unknown)
    }
}

impl Census {
    /// Counts the cached state at `now`.
    pub(super) fn take(state: &ClusterState, now: Timestamp) -> Self {
        let mut census = Self::default();
        let settings = census.settings(state);
        for kind in Kind::all() {
            for object in state.store(kind).all() {
                match object.tally() {
                    Tally::Record(tally) => {
                        census.record(kind.as_str(), tally, settings.of(tally.region.as_deref()), now);
                    }
                    Tally::Volume(tally) => {
                        census.volume(tally, settings.of(tally.region.as_deref()).code.clone());
                    }
                    Tally::Region(_) | Tally::None => {}
                }
            }
        }
        census
    }

    /// The Regions: those that cannot be used count as stalled, and each keeps no volume until one is found.
    fn settings(&mut self, state: &ClusterState) -> Settings {
        let unknown = Setting { code: Shared("unknown".into()), calendar: None };
        let mut known = HashMap::new();
        for object in state.store(Kind::Region).all() {
            let Tally::Region(tally) = object.tally() else { continue };
            let region = Shared(object.name().into());
            let prepared = tally.calendar.as_ref().and_then(|name| state.calendar(name).ok());
            if let (Some(name), Some(last)) = (&tally.calendar, prepared.as_deref().and_then(last_published))
            {
                self.published.insert(ByCalendar { calendar: Shared(name.as_ref().into()) }, last);
            }
            if let Some(stalled) = &tally.stalled {
                self.stalled(Kind::Region.as_str(), &region, stalled);
            }
            self.retained.entry(ByRegion { region: region.clone() }).or_default();
            self.unclaimed.entry(ByRegion { region: region.clone() }).or_default();
            known.insert(object.name().into(), Setting { code: region, calendar: prepared });
        }
        Settings { known, unknown }
    }

    fn record(&mut self, kind: &'static str, tally: &RecordTally, setting: &Setting, now: Timestamp) {
        let region = &setting.code;
        *self.phases.entry(ByPhase { region: region.clone(), kind, phase: tally.phase }).or_default() += 1;
        if let Some((party, since)) = tally.waits {
            let label = ByParty { region: region.clone(), kind, party: party.into() };
            self.waiting.entry(label).or_default().add(since);
        }
        if let Some(verdict) = tally.verdict {
            *self.decided.entry(ByVerdict { region: region.clone(), kind, verdict }).or_default() += 1;
        }
        if let Some(stalled) = &tally.stalled {
            self.stalled(kind, region, stalled);
        }
        for clock in &tally.clocks {
            self.clock(clock, setting, now);
        }
        if let Some(certified) = tally.certified {
            self.certificate(certified, region);
        }
    }

    fn stalled(&mut self, kind: &'static str, region: &Shared, stalled: &Stalled) {
        let label = ByReason { region: region.clone(), kind, reason: Shared(stalled.reason.as_ref().into()) };
        self.stalled.entry(label).or_default().add(stalled.since);
    }

    fn clock(&mut self, clock: &Running, setting: &Setting, now: Timestamp) {
        let (obligation, party) = (clock.obligation.into(), clock.party.into());
        let label = ByClock { region: setting.code.clone(), obligation, party };
        let clocks = self.clocks.entry(label).or_default();
        clocks.open += 1;
        clocks.provisional += i64::from(clock.provisional);
        clocks.overdue += i64::from(clock.is_overdue(now));
        let Some(calendar) = setting.calendar.as_deref() else { return };
        clocks.least_left = clocks.least_left.min(clock.remaining_working_days(now, calendar));
        if clock.is_overdue(now) {
            let late = calendar.count(clock.due_date, china_date(now));
            clocks.most_late = clocks.most_late.max(late);
        }
    }

    fn certificate(&mut self, certified: Certified, region: &Shared) {
        *self.certificates.entry(ByRegion { region: region.clone() }).or_default() += 1;
        let Certified { destroyed, retained, handed_over, .. } = certified;
        for (outcome, volumes) in
            [("Destroyed", destroyed), ("Retained", retained), ("HandedOver", handed_over)]
        {
            if volumes > 0 {
                *self.fates.entry(ByOutcome { region: region.clone(), outcome }).or_default() +=
                    i64::from(volumes);
            }
        }
    }

    fn volume(&mut self, volume: &VolumeTally, region: Shared) {
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

/// The end in China of the last published year.
fn last_published(calendar: &Calendar) -> Option<Timestamp> {
    let year = calendar.years().last()?;
    Some(end_of(jiff::civil::Date::new(year, 12, 31).ok()?))
}
