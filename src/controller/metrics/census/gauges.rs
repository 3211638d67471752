//! The gauges of one scrape, and their labels. No label holds text that people write: a Region that does not exist is
//! `unknown`.

use std::collections::BTreeMap;
use std::hash::Hash;

use jiff::Timestamp;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use super::{Census, Deadlines, Group, Idle};

labels! {
    ByPhase { region: String, kind: &'static str, phase: &'static str }
    ByParty { region: String, kind: &'static str, party: &'static str }
    ByReason { region: String, kind: &'static str, reason: String }
    ByDeadline { region: String, obligation: &'static str, party: &'static str }
    ByVerdict { region: String, kind: &'static str, verdict: &'static str }
    ByRegion { region: String }
    ByOutcome { region: String, outcome: &'static str }
    ByState { region: String, state: &'static str }
    ByCalendar { calendar: String }
    ByCompliance { region: String, document: &'static str, state: &'static str }
}

/// A family of gauges.
fn gauges<L: Clone + Hash + Eq>(counted: impl IntoIterator<Item = (L, i64)>) -> Family<L, Gauge> {
    let family = Family::<L, Gauge>::default();
    for (label, value) in counted {
        family.get_or_create(&label).set(value);
    }
    family
}

/// Numbers by label, and the age in seconds of the oldest.
fn grouped<L: Clone + Hash + Eq>(
    groups: BTreeMap<L, Group>,
    now: Timestamp,
) -> (Family<L, Gauge>, Family<L, Gauge>) {
    let age = |g: &Group| g.since.map_or(0, |s| (now.as_second() - s.as_second()).max(0));
    let ages = gauges(groups.iter().map(|(l, g)| (l.clone(), age(g))));
    (gauges(groups.into_iter().map(|(l, g)| (l, g.count))), ages)
}

/// Registers a census that was taken at `now`.
pub(super) fn register(to: &mut Registry, census: Census, now: Timestamp) {
    to.register("records", "Records, by region, kind and phase", gauges(census.phases));
    let (waiting, ages) = grouped(census.waiting, now);
    to.register("waiting", "Records that wait for an action, by party", waiting);
    to.register_with_unit(
        "waiting_oldest",
        "Time that the oldest of these records has waited for the party",
        Unit::Seconds,
        ages,
    );
    let (stalled, ages) = grouped(census.stalled, now);
    to.register(
        "stalled",
        "Open records and Regions that need a fix before they continue, by reason",
        stalled,
    );
    to.register_with_unit(
        "stalled_oldest",
        "Time that the oldest of these has been stalled",
        Unit::Seconds,
        ages,
    );
    register_deadlines(to, census.deadlines);
    to.register(
        "decided",
        "Records with a decision, by verdict; void is an invalid one",
        gauges(census.decided),
    );
    to.register("certificates", "Completed exits with a certificate", gauges(census.certificates));
    to.register(
        "statements_over_budget",
        "Open statements of departments whose fees of the year are above their budget ceiling",
        gauges(census.over_budget),
    );
    to.register("certified_volumes", "Volumes in these certificates, by outcome", gauges(census.outcomes));
    to.register(
        "compliance_records",
        "Compliance records, by document and state; an Expired one has no successor",
        gauges(census.compliance),
    );
    to.register("volumes", "Volumes of applications, by state", gauges(census.volumes));
    register_idle(
        to,
        "retained_volumes",
        "Volumes that were retained at an exit, as the department consented",
        &census.retained,
    );
    register_idle(
        to,
        "unclaimed_volumes",
        "Volumes of active applications whose claim was deleted",
        &census.unclaimed,
    );
    to.register_with_unit(
        "calendar_published_until_timestamp",
        "End of the last published year of a calendar in use, in seconds since 1970",
        Unit::Seconds,
        gauges(census.published.into_iter().map(|(calendar, until)| (calendar, until.as_second()))),
    );
}

fn register_deadlines(to: &mut Registry, deadlines: BTreeMap<ByDeadline, Deadlines>) {
    let each = |f: fn(&Deadlines) -> Option<i64>| {
        gauges(deadlines.iter().filter_map(|(l, d)| Some((l.clone(), f(d)?))).collect::<Vec<_>>())
    };
    to.register("deadline_open", "Open obligations", each(|d| Some(d.open)));
    to.register("deadline_overdue", "Overdue obligations", each(|d| Some(d.overdue)));
    to.register(
        "deadline_overdue_workdays",
        "Working days that the latest of these obligations is overdue",
        each(|d| Some(i64::from(d.most_late))),
    );
    to.register(
        "deadline_remaining_workdays",
        "Working days left until the first of these obligations is due",
        each(|d| d.least_left.map(i64::from)),
    );
    to.register(
        "deadline_provisional",
        "Open obligations whose due date depends on a year that is not published",
        each(|d| Some(d.provisional)),
    );
}

/// Number and size of volumes that nobody uses.
fn register_idle(to: &mut Registry, name: &str, help: &str, idle: &BTreeMap<ByRegion, Idle>) {
    to.register(name, help, gauges(idle.iter().map(|(l, i)| (l.clone(), i.volumes))));
    to.register(
        format!("{name}_capacity_bytes"),
        format!("{help}: capacity"),
        gauges(idle.iter().map(|(l, i)| (l.clone(), i.bytes))),
    );
}
