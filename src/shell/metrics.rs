//! What the operator counts, as OpenMetrics. Labels are bounded: kinds, regions, obligations, parties.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use super::cloudevents::counts::Counts;
use super::queue::Kind;
use super::world::World;
use crate::api::deadline::Deadline;
use crate::core::decision::Guard;

/// Labels of what is counted by kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByKind {
    kind: &'static str,
    result: &'static str,
}

/// Labels of what is counted by kind only.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindOnly {
    kind: &'static str,
}

/// Labels of a clock.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
struct ByClock {
    region: String,
    obligation: String,
    party: String,
}

/// What the operator counts.
pub struct Metrics {
    registry: Registry,
    reconciles: Family<ByKind, Counter>,
    seconds: Family<KindOnly, Histogram>,
    queued: Gauge,
    skew: Gauge,
    sealed: Gauge,
    overdue: Family<ByClock, Gauge>,
    remaining: Family<ByClock, Gauge>,
    /// CloudEvents.
    pub cloudevents: Counts,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("govcloud");
        let seconds = Family::<KindOnly, Histogram>::new_with_constructor(|| {
            Histogram::new(exponential_buckets(0.0005, 2.0, 16))
        });
        let m = Self {
            reconciles: Family::default(),
            seconds,
            queued: Gauge::default(),
            skew: Gauge::default(),
            sealed: Gauge::default(),
            overdue: Family::default(),
            remaining: Family::default(),
            cloudevents: Counts::default(),
            registry: Registry::default(),
        };
        registry.register("reconcile", "Reconciles by kind and result", m.reconciles.clone());
        registry.register("reconcile_duration_seconds", "How long reconciles take", m.seconds.clone());
        registry.register("queue_length", "Records that wait for their turn", m.queued.clone());
        registry.register(
            "clock_skew_seconds",
            "How far this machine's clock is ahead of the API server's",
            m.skew.clone(),
        );
        registry.register("guard_sealed", "1 while every policy stands as shipped, else 0", m.sealed.clone());
        registry.register("deadline_overdue", "Obligations that are overdue now", m.overdue.clone());
        registry.register(
            "deadline_remaining_workdays",
            "Fewest working days left of any open obligation",
            m.remaining.clone(),
        );
        m.cloudevents.register(&mut registry);
        Self { registry, ..m }
    }
}

impl Metrics {
    /// One reconcile ended.
    pub fn reconciled(&self, kind: Kind, took: Duration, ok: bool) {
        self.reconciles
            .get_or_create(&ByKind { kind: kind.as_str(), result: if ok { "ok" } else { "error" } })
            .inc();
        self.seconds.get_or_create(&KindOnly { kind: kind.as_str() }).observe(took.as_secs_f64());
    }

    /// The text of `/metrics`.
    #[must_use]
    pub fn text(
        &self,
        world: &World,
        queued: usize,
        skew: Option<i64>,
        guard: &Guard,
        now: Timestamp,
    ) -> String {
        self.queued.set(i64::try_from(queued).unwrap_or(i64::MAX));
        self.skew.set(skew.unwrap_or(0));
        self.sealed.set(i64::from(matches!(guard, Guard::Sealed { .. })));
        self.count_deadlines(world, now);
        let mut text = String::new();
        // Writing into a String does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    /// Counts the clocks of every record by region, obligation and party.
    fn count_deadlines(&self, world: &World, now: Timestamp) {
        let mut clocks: BTreeMap<ByClock, (i64, i64)> = BTreeMap::new();
        let mut count = |region: &str, deadlines: &[Deadline]| {
            let Some(view) = world.region(region) else { return };
            let Ok(calendar) = &view.calendar else { return };
            for d in deadlines.iter().filter(|d| !d.is_over()) {
                let label = ByClock {
                    region: region.to_owned(),
                    obligation: format!("{:?}", d.obligation),
                    party: format!("{:?}", d.party),
                };
                let left = i64::from(d.remaining_working_days(now, calendar));
                let entry = clocks.entry(label).or_insert((0, i64::MAX));
                entry.0 += i64::from(d.is_overdue(now));
                entry.1 = entry.1.min(left);
            }
        };
        for r in world.applications.all() {
            if let Ok(a) = &r.typed {
                count(&a.spec.region, a.status.as_ref().map_or(&[], |s| &s.record.deadlines));
            }
        }
        for r in world.changes.all() {
            if let Ok(c) = &r.typed {
                count(&c.spec.region, c.status.as_ref().map_or(&[], |s| &s.record.deadlines));
            }
        }
        for r in world.decommissions.all() {
            if let Ok(d) = &r.typed {
                count(&d.spec.region, d.status.as_ref().map_or(&[], |s| &s.record.deadlines));
            }
        }
        self.overdue.clear();
        self.remaining.clear();
        for (label, (overdue, left)) in clocks {
            self.overdue.get_or_create(&label).set(overdue);
            self.remaining.get_or_create(&label).set(left);
        }
    }
}
