//! How things stand: counted anew from the image of the cluster at each scrape, in one pass over the records.
//!
//! A stock cannot be kept by adding and taking away without once being wrong for good, so it is counted.
//! Every replica shows the same; take the maximum over replicas, never the sum.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::Arc;

use jiff::Timestamp;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use serde::de::DeserializeOwned;

use super::events::{obligation, verdict};
use crate::api::application::ApplicationPhase;
use crate::api::change::ChangePhase;
use crate::api::condition::{Condition, ConditionStatus};
use crate::api::deadline::{Deadline, Party};
use crate::api::decommission::{Decommission, DecommissionPhase, Outcome};
use crate::api::grant::GrantPhase;
use crate::api::keys;
use crate::api::record::RecordStatus;
use crate::core::calendar::{Calendar, china_date, end_of};
use crate::core::record::spent;
use crate::shell::queue::Kind;
use crate::shell::store::Store;
use crate::shell::world::{Record, World};

/// A region's code, or `unknown` for one that does not exist: what people write never becomes a label.
type Region = Arc<str>;

/// A text that many labels share.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Shared(Region);

impl EncodeLabelValue for Shared {
    fn encode(&self, encoder: &mut LabelValueEncoder) -> Result<(), std::fmt::Error> {
        EncodeLabelValue::encode(&&*self.0, encoder)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
struct ByPhase {
    region: Shared,
    kind: &'static str,
    phase: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
struct ByParty {
    region: Shared,
    kind: &'static str,
    party: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
struct ByReason {
    region: Shared,
    kind: &'static str,
    reason: Shared,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
struct ByClock {
    region: Shared,
    obligation: &'static str,
    party: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
struct ByVerdict {
    region: Shared,
    kind: &'static str,
    verdict: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
struct ByRegion {
    region: Shared,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
struct ByOutcome {
    region: Shared,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
struct ByState {
    region: Shared,
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
struct ByCalendar {
    calendar: String,
}

/// How many, and since when the first of them.
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

/// The clocks of one label that run.
#[derive(Clone, Copy, Debug)]
struct Clocks {
    open: i64,
    overdue: i64,
    provisional: i64,
    least_left: i32,
    most_late: i32,
}

impl Default for Clocks {
    fn default() -> Self {
        Self { open: 0, overdue: 0, provisional: 0, least_left: i32::MAX, most_late: 0 }
    }
}

/// What is counted in the pass.
#[derive(Default)]
struct Census {
    phases: BTreeMap<ByPhase, i64>,
    waiting: BTreeMap<ByParty, Group>,
    stalled: BTreeMap<ByReason, Group>,
    clocks: BTreeMap<ByClock, Clocks>,
    decided: BTreeMap<ByVerdict, i64>,
    certificates: BTreeMap<ByRegion, i64>,
    fates: BTreeMap<ByOutcome, i64>,
    volumes: BTreeMap<ByState, i64>,
}

/// A region as far as counting needs it.
struct Ground {
    code: Shared,
    calendar: Option<Arc<Calendar>>,
}

/// The regions that exist, read once a scrape.
struct Grounds {
    known: HashMap<String, Ground>,
    unknown: Ground,
    reasons: HashMap<String, Shared>,
}

impl Grounds {
    fn of(world: &World) -> Self {
        let ground = |code: &str| Ground {
            code: Shared(code.into()),
            calendar: world.region(code).and_then(|r| r.calendar.clone().ok()),
        };
        let codes = world.regions.names();
        let known = codes.into_iter().map(|(_, code)| (code.clone(), ground(&code))).collect();
        let unknown = Ground { code: Shared("unknown".into()), calendar: None };
        Self { known, unknown, reasons: HashMap::new() }
    }

    fn at(&self, code: &str) -> &Ground {
        self.known.get(code).unwrap_or(&self.unknown)
    }

    fn reason(&mut self, reason: &str) -> Shared {
        if let Some(known) = self.reasons.get(reason) {
            return known.clone();
        }
        let shared = Shared(reason.into());
        self.reasons.insert(reason.to_owned(), shared.clone());
        shared
    }
}

/// A record as the census sees it.
struct Entry<'a> {
    kind: Kind,
    region: &'a str,
    phase: &'static str,
    over: bool,
    status: Option<&'a RecordStatus>,
}

/// A party as labels spell it.
const fn party(p: Party) -> &'static str {
    match p {
        Party::Department => "Department",
        Party::Authority => "Authority",
        Party::Provider => "Provider",
        Party::None => "None",
    }
}

impl Census {
    fn take(world: &World, now: Timestamp) -> Self {
        let mut census = Self::default();
        let mut grounds = Grounds::of(world);
        census.applications(world, &mut grounds, now);
        census.grants(world, &mut grounds, now);
        census.changes(world, &mut grounds, now);
        census.exits(world, &mut grounds, now);
        census.settings(world, &mut grounds);
        census.volumes(world, &grounds);
        census
    }

    fn applications(&mut self, world: &World, grounds: &mut Grounds, now: Timestamp) {
        use ApplicationPhase as P;
        self.each(&world.applications, Kind::Application, grounds, now, |a| {
            let status = a.status.as_ref();
            let (phase, over) = match status.and_then(|s| s.phase) {
                None => ("New", false),
                Some(P::Submitted) => ("Submitted", false),
                Some(P::Returned) => ("Returned", false),
                Some(P::Rejected) => ("Rejected", true),
                Some(P::Withdrawn) => ("Withdrawn", true),
                Some(P::Provisioning) => ("Provisioning", false),
                Some(P::Provisioned) => ("Provisioned", false),
                Some(P::Live) => ("Live", false),
                Some(P::Exiting) => ("Exiting", false),
                Some(P::Exited) => ("Exited", true),
            };
            let status = status.map(|s| &s.record);
            Entry { kind: Kind::Application, region: &a.spec.region, phase, over, status }
        });
    }

    fn grants(&mut self, world: &World, grounds: &mut Grounds, now: Timestamp) {
        use GrantPhase as P;
        self.each(&world.grants, Kind::Grant, grounds, now, |g| {
            let status = g.status.as_ref();
            let (phase, over) = match status.and_then(|s| s.phase) {
                None => ("New", false),
                Some(P::Pending) => ("Pending", false),
                Some(P::Refused) => ("Refused", false),
                Some(P::Applying) => ("Applying", false),
                Some(P::Active) => ("Active", false),
                Some(P::Released) => ("Released", true),
            };
            let status = status.map(|s| &s.record);
            Entry { kind: Kind::Grant, region: &g.spec.region, phase, over, status }
        });
    }

    fn changes(&mut self, world: &World, grounds: &mut Grounds, now: Timestamp) {
        use ChangePhase as P;
        self.each(&world.changes, Kind::Change, grounds, now, |c| {
            let status = c.status.as_ref();
            let (phase, over) = match status.and_then(|s| s.phase) {
                None => ("New", false),
                Some(P::Submitted) => ("Submitted", false),
                Some(P::Returned) => ("Returned", false),
                Some(P::Rejected) => ("Rejected", true),
                Some(P::Withdrawn) => ("Withdrawn", true),
                Some(P::Applying) => ("Applying", false),
                Some(P::Scheduled) => ("Scheduled", false),
                Some(P::InProgress) => ("InProgress", false),
                Some(P::Completed) => ("Completed", true),
            };
            let status = status.map(|s| &s.record);
            Entry { kind: Kind::Change, region: &c.spec.region, phase, over, status }
        });
    }

    fn exits(&mut self, world: &World, grounds: &mut Grounds, now: Timestamp) {
        use DecommissionPhase as P;
        self.each(&world.decommissions, Kind::Decommission, grounds, now, |d| {
            let status = d.status.as_ref();
            let (phase, over) = match status.and_then(|s| s.phase) {
                None => ("New", false),
                Some(P::Inventory) => ("Inventory", false),
                Some(P::AwaitingConsent) => ("AwaitingConsent", false),
                Some(P::AwaitingDecision) => ("AwaitingDecision", false),
                Some(P::HandingOver) => ("HandingOver", false),
                Some(P::Reclaiming) => ("Reclaiming", false),
                Some(P::Completed) => ("Completed", true),
                Some(P::Rejected) => ("Rejected", true),
                Some(P::Withdrawn) => ("Withdrawn", true),
            };
            let status = status.map(|s| &s.record);
            Entry { kind: Kind::Decommission, region: &d.spec.region, phase, over, status }
        });
        for r in world.decommissions.all() {
            if let Ok(d) = &r.typed {
                self.certificate(d, grounds);
            }
        }
    }

    /// Counts every record of a kind, those that do not fit the schema as stalled.
    fn each<K: DeserializeOwned + Send + Sync + 'static>(
        &mut self,
        store: &Store<Record<K>>,
        kind: Kind,
        grounds: &mut Grounds,
        now: Timestamp,
        entry: impl Fn(&K) -> Entry<'_>,
    ) {
        for r in store.all() {
            match &r.typed {
                Ok(k) => self.record(&entry(k), grounds, now),
                Err(_) => {
                    let region = grounds.unknown.code.clone();
                    let phase = ByPhase { region: region.clone(), kind: kind.as_str(), phase: "Malformed" };
                    *self.phases.entry(phase).or_default() += 1;
                    let reason = grounds.reason("Malformed");
                    let label = ByReason { region, kind: kind.as_str(), reason };
                    self.stalled.entry(label).or_default().add(r.meta.created_at);
                }
            }
        }
    }

    fn record(&mut self, e: &Entry<'_>, grounds: &mut Grounds, now: Timestamp) {
        let kind = e.kind.as_str();
        let region = grounds.at(e.region).code.clone();
        let phase = ByPhase { region: region.clone(), kind, phase: e.phase };
        *self.phases.entry(phase).or_default() += 1;
        let Some(status) = e.status else { return };
        if status.waiting_on != Party::None && !e.over {
            let label = ByParty { region: region.clone(), kind, party: party(status.waiting_on) };
            self.waiting.entry(label).or_default().add(spent::waits_since(status));
        }
        if let Some(d) = &status.decision {
            let verdict = if d.void.is_some() { "void" } else { verdict(d.verdict) };
            *self.decided.entry(ByVerdict { region: region.clone(), kind, verdict }).or_default() += 1;
        }
        if let Some(c) = stalled(&status.conditions).filter(|_| !e.over) {
            let label = ByReason { region: region.clone(), kind, reason: grounds.reason(&c.reason) };
            self.stalled.entry(label).or_default().add(Some(c.last_transition_time.timestamp()));
        }
        for d in status.deadlines.iter().filter(|d| !d.is_over()) {
            let calendar = grounds.at(e.region).calendar.as_deref();
            self.clock(d, &region, calendar, now);
        }
    }

    fn clock(&mut self, d: &Deadline, region: &Shared, calendar: Option<&Calendar>, now: Timestamp) {
        let label =
            ByClock { region: region.clone(), obligation: obligation(d.obligation), party: party(d.party) };
        let clocks = self.clocks.entry(label).or_default();
        clocks.open += 1;
        clocks.provisional += i64::from(d.provisional);
        clocks.overdue += i64::from(d.is_overdue(now));
        let Some(calendar) = calendar else { return };
        clocks.least_left = clocks.least_left.min(d.remaining_working_days(now, calendar));
        if d.is_overdue(now) {
            let late = calendar.count(d.due_date.0, china_date(now));
            clocks.most_late = clocks.most_late.max(late);
        }
    }

    fn certificate(&mut self, d: &Decommission, grounds: &Grounds) {
        let Some(certificate) = d.status.as_ref().and_then(|s| s.certificate.as_ref()) else { return };
        let region = grounds.at(&d.spec.region).code.clone();
        *self.certificates.entry(ByRegion { region: region.clone() }).or_default() += 1;
        for fate in &certificate.volumes {
            let outcome = match fate.outcome {
                Outcome::Destroyed => "Destroyed",
                Outcome::Retained => "Retained",
                Outcome::HandedOver => "HandedOver",
            };
            *self.fates.entry(ByOutcome { region: region.clone(), outcome }).or_default() += 1;
        }
    }

    /// Regions that cannot be used count as stalled.
    fn settings(&mut self, world: &World, grounds: &mut Grounds) {
        for r in world.regions.all() {
            let Ok(region) = &r.typed else { continue };
            let conditions = region.status.as_ref().map_or(&[][..], |s| &s.conditions);
            if let Some(c) = stalled(conditions) {
                let code = grounds.at(&r.meta.name).code.clone();
                let label =
                    ByReason { region: code, kind: Kind::Region.as_str(), reason: grounds.reason(&c.reason) };
                self.stalled.entry(label).or_default().add(Some(c.last_transition_time.timestamp()));
            }
        }
    }

    /// The volumes of applications, by how they are held.
    fn volumes(&mut self, world: &World, grounds: &Grounds) {
        let of_owner: HashMap<String, Shared> = world
            .applications
            .all()
            .filter_map(|a| {
                let spec = &a.typed.as_ref().ok()?.spec;
                Some((a.meta.uid.clone(), grounds.at(&spec.region).code.clone()))
            })
            .collect();
        for v in world.volumes.all() {
            let label = |key: &str| v.value["metadata"]["labels"][key].as_str();
            let Some(owner) = label(keys::APPLICATION_UID) else { continue };
            let state = match v.value["status"]["phase"].as_str() {
                _ if label(keys::RETAINED).is_some() => "Retained",
                Some("Bound") => "Bound",
                Some("Released" | "Failed") => "Unclaimed",
                _ => "Other",
            };
            let region = of_owner.get(owner).unwrap_or(&grounds.unknown.code).clone();
            *self.volumes.entry(ByState { region, state }).or_default() += 1;
        }
    }
}

/// The condition that says that a record is stalled.
fn stalled(conditions: &[Condition]) -> Option<&Condition> {
    conditions.iter().find(|c| c.type_ == "Stalled" && c.status == ConditionStatus::True)
}

/// A family of gauges from what was counted.
fn gauges<L: Clone + Hash + Eq>(counted: impl IntoIterator<Item = (L, i64)>) -> Family<L, Gauge> {
    let family = Family::<L, Gauge>::default();
    for (label, value) in counted {
        family.get_or_create(&label).set(value);
    }
    family
}

/// How many there are by label, and the age in seconds of the oldest.
fn grouped<L: Clone + Hash + Eq>(
    groups: BTreeMap<L, Group>,
    now: Timestamp,
) -> (Family<L, Gauge>, Family<L, Gauge>) {
    let age = |g: &Group| g.since.map_or(0, |s| (now.as_second() - s.as_second()).max(0));
    let ages = gauges(groups.iter().map(|(l, g)| (l.clone(), age(g))));
    (gauges(groups.into_iter().map(|(l, g)| (l, g.count))), ages)
}

/// Counts the image of the cluster and registers what was counted.
pub(super) fn register(to: &mut Registry, world: &World, now: Timestamp) {
    let begun = std::time::Instant::now();
    let census = Census::take(world, now);
    to.register("records", "Records, by region, kind and phase", gauges(census.phases));
    let (waiting, ages) = grouped(census.waiting, now);
    to.register("waiting", "Records that wait for somebody's act, by party", waiting);
    to.register_with_unit(
        "waiting_oldest",
        "How long the record that waits longest has waited for this party",
        Unit::Seconds,
        ages,
    );
    let (stalled, ages) = grouped(census.stalled, now);
    to.register("stalled", "Open records, and regions, that somebody must mend first, by reason", stalled);
    to.register_with_unit(
        "stalled_oldest",
        "How long the first of these has been stalled",
        Unit::Seconds,
        ages,
    );
    register_clocks(to, census.clocks);
    to.register("decided", "Records on which a decision stands, by verdict", gauges(census.decided));
    to.register("certificates", "Certificates of exit that stand", gauges(census.certificates));
    to.register(
        "certified_volumes",
        "Volumes in the certificates that stand, by what became of them",
        gauges(census.fates),
    );
    to.register("volumes", "Volumes of applications, by how they are held", gauges(census.volumes));
    register_calendars(to, world);
    to.register_with_unit(
        "census_duration",
        "How long this count took",
        Unit::Seconds,
        prometheus_client::metrics::gauge::ConstGauge::new(begun.elapsed().as_secs_f64()),
    );
}

fn register_clocks(to: &mut Registry, clocks: BTreeMap<ByClock, Clocks>) {
    let each = |f: fn(&Clocks) -> Option<i64>| {
        gauges(clocks.iter().filter_map(|(l, c)| Some((l.clone(), f(c)?))).collect::<Vec<_>>())
    };
    to.register("deadline_open", "Obligations that are owed now", each(|c| Some(c.open)));
    to.register("deadline_overdue", "Obligations that are overdue now", each(|c| Some(c.overdue)));
    to.register(
        "deadline_overdue_workdays",
        "Most working days that any of these is late",
        each(|c| Some(i64::from(c.most_late))),
    );
    to.register(
        "deadline_remaining_workdays",
        "Fewest working days left of any of these",
        each(|c| (c.least_left != i32::MAX).then_some(i64::from(c.least_left))),
    );
    to.register(
        "deadline_provisional",
        "Open obligations whose date depends on a year that is not published",
        each(|c| Some(c.provisional)),
    );
}

/// Until when each calendar that a region uses is published without a gap, from this year on.
fn register_calendars(to: &mut Registry, world: &World) {
    let mut until = BTreeMap::new();
    for r in world.regions.all() {
        let Some(view) = world.region(&r.meta.name) else { continue };
        if let Ok(calendar) = &view.calendar
            && let Some(last) = last_published(calendar)
        {
            until.insert(ByCalendar { calendar: view.spec().calendar.clone() }, last.as_second());
        }
    }
    to.register_with_unit(
        "calendar_published_until_timestamp",
        "The end of the last year that a calendar in use holds, in seconds since 1970",
        Unit::Seconds,
        gauges(until),
    );
}

/// The end in China of the last published year.
fn last_published(calendar: &Calendar) -> Option<Timestamp> {
    let year = calendar.years().last()?;
    Some(end_of(jiff::civil::Date::new(year, 12, 31).ok()?))
}
