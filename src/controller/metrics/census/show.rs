//! What was counted, as gauges. They are made anew for each scrape: a label of which there are none any more is gone.

use std::collections::BTreeMap;
use std::hash::Hash;

use jiff::Timestamp;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use super::count::{Census, Clocks, Group, Idle};
use super::labels::{ByClock, ByRegion};

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

/// Registers a census that was taken at `now`.
pub(super) fn register(to: &mut Registry, census: Census, now: Timestamp) {
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
    register_idle(
        to,
        "retained_volumes",
        "Volumes that outlived their applications on the department's word",
        &census.retained,
    );
    register_idle(to, "unclaimed_volumes", "Volumes of applications whose claim is gone", &census.unclaimed);
    to.register_with_unit(
        "calendar_published_until_timestamp",
        "The end of the last year that a calendar in use holds, in seconds since 1970",
        Unit::Seconds,
        gauges(census.published.into_iter().map(|(calendar, until)| (calendar, until.as_second()))),
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

/// Volumes that nobody uses: how many, and how large.
fn register_idle(to: &mut Registry, name: &str, what: &str, idle: &BTreeMap<ByRegion, Idle>) {
    to.register(name, what, gauges(idle.iter().map(|(l, i)| (l.clone(), i.volumes))));
    to.register(
        format!("{name}_capacity_bytes"),
        format!("{what}: their size"),
        gauges(idle.iter().map(|(l, i)| (l.clone(), i.bytes))),
    );
}
