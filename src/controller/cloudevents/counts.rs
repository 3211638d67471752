//! What is counted of CloudEvents.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// What became of a try to deliver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The sink took it.
    Delivered,
    /// The sink did not take it; it is tried again.
    Retried,
    /// The sink will never take it; it is passed over.
    Refused,
    /// The timeline's bound, or the record's removal, was faster than the sink.
    Lost,
}

/// Labels.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByOutcome {
    result: &'static str,
}

/// What is counted.
#[derive(Clone, Debug)]
pub struct Counts {
    events: Family<ByOutcome, Counter>,
    pending: Gauge,
}

impl Default for Counts {
    fn default() -> Self {
        let counts = Self { events: Family::default(), pending: Gauge::default() };
        // Shown from the start: a series that begins at 1 has no increase.
        for outcome in [Outcome::Delivered, Outcome::Retried, Outcome::Refused, Outcome::Lost] {
            counts.count(outcome, 0);
        }
        counts
    }
}

impl Counts {
    /// Puts them on a registry.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "cloudevents",
            "CloudEvents by what became of a try to deliver",
            self.events.clone(),
        );
        registry.register(
            "cloudevents_pending",
            "Records that have events which the sink has not taken yet",
            self.pending.clone(),
        );
    }

    /// So many tries ended so.
    pub fn count(&self, outcome: Outcome, times: u64) {
        let result = match outcome {
            Outcome::Delivered => "delivered",
            Outcome::Retried => "retried",
            Outcome::Refused => "refused",
            Outcome::Lost => "lost",
        };
        self.events.get_or_create(&ByOutcome { result }).inc_by(times);
    }

    /// So many records have something to send.
    pub fn pending(&self, records: usize) {
        self.pending.set(i64::try_from(records).unwrap_or(i64::MAX));
    }
}
