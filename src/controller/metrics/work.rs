//! Reconciles and the queue they come from.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::kinds::Kind;
use crate::queue::QueueStats;

/// Labels of what is counted by kind and result.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByResult {
    kind: &'static str,
    result: &'static str,
}

/// Labels of what is counted by kind only.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByKind {
    kind: &'static str,
}

/// Reconciles.
#[derive(Clone, Debug)]
pub struct Work {
    reconciles: Family<ByResult, Counter>,
    seconds: Family<ByKind, Histogram, fn() -> Histogram>,
    panics: Family<ByKind, Counter>,
}

impl Default for Work {
    fn default() -> Self {
        let seconds: fn() -> Histogram = || Histogram::new(exponential_buckets(0.0005, 2.0, 16));
        let work = Self {
            reconciles: Family::default(),
            seconds: Family::new_with_constructor(seconds),
            panics: Family::default(),
        };
        // Shown from the start: a series that begins at 1 has no increase.
        for kind in Kind::records().map(Kind::as_str) {
            drop(work.panics.get_or_create(&ByKind { kind }));
            for result in ["ok", "error"] {
                drop(work.reconciles.get_or_create(&ByResult { kind, result }));
            }
        }
        work
    }
}

impl Work {
    /// One reconcile ended.
    pub fn reconciled(&self, kind: Kind, took: Duration, ok: bool) {
        let result = if ok { "ok" } else { "error" };
        self.reconciles.get_or_create(&ByResult { kind: kind.as_str(), result }).inc();
        self.seconds.get_or_create(&ByKind { kind: kind.as_str() }).observe(took.as_secs_f64());
    }

    /// A reconcile panicked: a defect.
    pub fn panicked(&self, kind: Kind) {
        self.panics.get_or_create(&ByKind { kind: kind.as_str() }).inc();
    }

    pub(super) fn register(&self, to: &mut Registry, queue: &QueueStats, waits: &Histogram) {
        let count = |n: usize| ConstGauge::new(i64::try_from(n).unwrap_or(i64::MAX));
        to.register("reconcile", "Reconciles that ended, by kind and result", self.reconciles.clone());
        to.register(
            "reconcile_panics",
            "Reconciles that panicked: a defect; the key is tried again",
            self.panics.clone(),
        );
        to.register_with_unit(
            "reconcile_duration",
            "How long a reconcile takes, its requests included",
            Unit::Seconds,
            self.seconds.clone(),
        );
        to.register(
            "queue_length",
            "Records that wait for their turn, and Regions that wait a few seconds for more to count",
            count(queue.length),
        );
        to.register("queue_running", "Records that are worked on", count(queue.running));
        to.register("queue_timers", "Records that are due again at some later time", count(queue.timers));
        to.register("queue_adds", "Records put into the queue", ConstCounter::new(queue.added));
        to.register_with_unit(
            "queue_oldest",
            "How long the record that waits longest has waited for its turn; 0 where none waits",
            Unit::Seconds,
            ConstGauge::new(queue.oldest.as_secs_f64()),
        );
        to.register_with_unit(
            "queue_wait",
            "How long a record waited for its turn",
            Unit::Seconds,
            waits.clone(),
        );
    }
}
