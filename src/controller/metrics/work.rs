//! Reconciles, and the queue.

use std::time::Duration;

use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::kinds::Kind;
use crate::queue::QueueStats;

labels! {
    ByResult { kind: &'static str, result: &'static str }
    ByKind { kind: &'static str }
}

/// Reconciles.
#[derive(Clone, Debug)]
pub struct Work {
    reconciles: Family<ByResult, Counter>,
    panics: Family<ByKind, Counter>,
    seconds: Family<ByKind, Histogram, fn() -> Histogram>,
}

impl Default for Work {
    fn default() -> Self {
        let seconds: fn() -> Histogram = || Histogram::new(exponential_buckets(0.0005, 2.0, 16));
        let work = Self {
            reconciles: Family::default(),
            panics: Family::default(),
            seconds: Family::new_with_constructor(seconds),
        };
        // Shown from the start: a series that begins at 1 has no increase.
        for kind in Kind::records().map(Kind::as_str) {
            for result in ["ok", "error"] {
                drop(work.reconciles.get_or_create(&ByResult { kind, result }));
            }
            drop(work.panics.get_or_create(&ByKind { kind }));
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

    /// One reconcile panicked.
    pub fn panicked(&self, kind: Kind) {
        self.panics.get_or_create(&ByKind { kind: kind.as_str() }).inc();
    }

    pub(super) fn register(&self, to: &mut Registry, queue: &QueueStats, waits: &Histogram) {
        let count = |n: usize| ConstGauge::new(i64::try_from(n).unwrap_or(i64::MAX));
        to.register("reconcile", "Finished reconciles, by kind and result", self.reconciles.clone());
        to.register(
            "reconcile_panics",
            "Reconciles that panicked; the record is retried with backoff",
            self.panics.clone(),
        );
        to.register_with_unit(
            "reconcile_duration",
            "Duration of a reconcile, including its requests",
            Unit::Seconds,
            self.seconds.clone(),
        );
        to.register("queue_length", "Records that wait for a worker; 0 on a standby", count(queue.length));
        to.register("queue_running", "Records that are being reconciled", count(queue.running));
        to.register("queue_timers", "Records that are due at a later time", count(queue.timers));
        to.register("queue_adds", "Records added to the queue", ConstCounter::new(queue.added));
        to.register_with_unit(
            "queue_oldest",
            "Time that the oldest record in the queue has waited; 0 if none waits, and on a standby",
            Unit::Seconds,
            ConstGauge::new(queue.oldest.as_secs_f64()),
        );
        to.register_with_unit(
            "queue_wait",
            "Time that a record waited for a worker",
            Unit::Seconds,
            waits.clone(),
        );
    }
}
