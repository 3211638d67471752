//! The count itself: sums over tallies.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use super::Tallies;
use super::labels::{
    ByCalendar, ByClock, ByOutcome, ByParty, ByPhase, ByReason, ByRegion, ByState, ByVerdict, Shared,
};
use super::tally::{Fates, Held, Setting, Stalled, State, Tally};
use crate::cluster_state::ClusterState;
use crate::queue::Kind;
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

/// A region as far as labels and clocks need it.
struct RegionContext {
    code: Shared,
    calendar: Option<Arc<Calendar>>,
}

/// The regions that exist.
struct Grounds {
    known: HashMap<Arc<str>, RegionContext>,
    unknown: RegionContext,
}

impl Grounds {
    fn at(&self, code: Option<&Arc<str>>) -> &RegionContext {
        code.and_then(|c| self.known.get(c)).unwrap_or(&self.unknown)
    }
}

impl Census {
    /// Counts at `now` what the tallies say.
    pub(super) fn take(tallies: &Tallies, state: &ClusterState, now: Timestamp) -> Self {
        let mut census = Self::default();
        let grounds = census.settings(tallies, state);
        let of_kinds = [
            (Kind::Application, &tallies.applications),
            (Kind::Grant, &tallies.grants),
            (Kind::Change, &tallies.changes),
            (Kind::Decommission, &tallies.exits),
        ];
        for (kind, of_kind) in of_kinds {
            for tally in of_kind.iter() {
                census.record(kind.as_str(), tally, grounds.at(tally.region.as_ref()), now);
            }
        }
        for volume in tallies.volumes.iter().flatten() {
            census.volume(volume, grounds.at(volume.region.as_ref()).code.clone());
        }
        census
    }

    /// The Regions: those that cannot be used count as stalled, and each keeps no volume until one is found.
    fn settings(&mut self, tallies: &Tallies, state: &ClusterState) -> Grounds {
        let unknown = RegionContext { code: Shared("unknown".into()), calendar: None };
        let mut known = HashMap::new();
        for Setting { code, calendar, stalled } in tallies.regions.iter() {
            let region = Shared(code.clone());
            let prepared = calendar.as_ref().and_then(|name| state.calendar(name).ok());
            if let (Some(name), Some(last)) = (calendar, prepared.as_deref().and_then(last_published)) {
                self.published.insert(ByCalendar { calendar: Shared(name.clone()) }, last);
            }
            if let Some(stalled) = stalled {
                self.stalled(Kind::Region.as_str(), &region, stalled);
            }
            self.retained.entry(ByRegion { region: region.clone() }).or_default();
            self.unclaimed.entry(ByRegion { region: region.clone() }).or_default();
            known.insert(code.clone(), RegionContext { code: region, calendar: prepared });
        }
        Grounds { known, unknown }
    }

    fn record(&mut self, kind: &'static str, tally: &Tally, ground: &RegionContext, now: Timestamp) {
        let region = &ground.code;
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
            self.clock(clock, ground, now);
        }
        if let Some(fates) = tally.certified {
            self.certificate(fates, region);
        }
    }

    fn stalled(&mut self, kind: &'static str, region: &Shared, stalled: &Stalled) {
        let label = ByReason { region: region.clone(), kind, reason: Shared(stalled.reason.clone()) };
        self.stalled.entry(label).or_default().add(stalled.since);
    }

    fn clock(&mut self, clock: &Running, ground: &RegionContext, now: Timestamp) {
        let (obligation, party) = (clock.obligation.into(), clock.party.into());
        let label = ByClock { region: ground.code.clone(), obligation, party };
        let clocks = self.clocks.entry(label).or_default();
        clocks.open += 1;
        clocks.provisional += i64::from(clock.provisional);
        clocks.overdue += i64::from(clock.is_overdue(now));
        let Some(calendar) = ground.calendar.as_deref() else { return };
        clocks.least_left = clocks.least_left.min(clock.remaining_working_days(now, calendar));
        if clock.is_overdue(now) {
            let late = calendar.count(clock.due_date, china_date(now));
            clocks.most_late = clocks.most_late.max(late);
        }
    }

    fn certificate(&mut self, fates: Fates, region: &Shared) {
        *self.certificates.entry(ByRegion { region: region.clone() }).or_default() += 1;
        let Fates { destroyed, retained, handed_over } = fates;
        for (outcome, volumes) in
            [("Destroyed", destroyed), ("Retained", retained), ("HandedOver", handed_over)]
        {
            if volumes > 0 {
                *self.fates.entry(ByOutcome { region: region.clone(), outcome }).or_default() +=
                    i64::from(volumes);
            }
        }
    }

    fn volume(&mut self, volume: &Held, region: Shared) {
        let idle = match volume.state {
            State::Retained => Some(&mut self.retained),
            State::Unclaimed => Some(&mut self.unclaimed),
            State::Bound | State::Other => None,
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
