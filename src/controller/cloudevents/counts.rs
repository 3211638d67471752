//! Counters of CloudEvents.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use strum::{EnumIter, IntoEnumIterator, IntoStaticStr};

/// Result of an attempt to deliver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Outcome {
    /// The sink accepted it.
    Delivered,
    /// The sink did not accept it; it is retried.
    Retried,
    /// The sink will never accept it; it is skipped.
    Refused,
    /// The timeline dropped it, or the record was deleted, before the sink accepted it.
    Lost,
}

/// The counters.
#[derive(Clone, Debug)]
pub struct Counts {
    events: Family<[(&'static str, &'static str); 1], Counter>,
    pending: Gauge,
}

impl Default for Counts {
    fn default() -> Self {
        let counts = Self { events: Family::default(), pending: Gauge::default() };
        // Shown from the start: a series that begins at 1 has no increase.
        for outcome in Outcome::iter() {
            counts.count(outcome, 0);
        }
        counts
    }
}

impl Counts {
    /// Puts them on a registry.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("cloudevents", "Attempts to deliver a CloudEvent, by result", self.events.clone());
        registry.register(
            "cloudevents_pending",
            "Records with events that the sink has not accepted yet",
            self.pending.clone(),
        );
    }

    /// So many attempts had this result.
    pub fn count(&self, outcome: Outcome, times: u64) {
        self.events.get_or_create(&[("result", outcome.into())]).inc_by(times);
    }

    /// So many records have something to send.
    pub fn pending(&self, records: usize) {
        self.pending.set(i64::try_from(records).unwrap_or(i64::MAX));
    }
}
