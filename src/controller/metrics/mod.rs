//! Metrics of the operator as OpenMetrics: one subject a file.
//!
//! | file | subject | kind |
//! |---|---|---|
//! | [`work`] | reconciles and the queue | counters |
//! | [`requests`] | requests to the API server, writes, watches | counters |
//! | [`events`] | lifecycle events: decisions, obligations met | counters, when they are recorded |
//! | [`census`] | records by phase and party, deadlines, volumes | gauges, counted from the cache at each scrape |
//! | [`process`] | build, leadership, policy integrity, clock skew, memory | gauges, read at each scrape |
//!
//! Events are counters, from the process's start. State is a gauge, the same on every replica.
//! Labels are bounded: kinds, parties, obligations, reasons and events are enums, regions are those that exist.

use jiff::Timestamp;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::cloudevents::counts::Counts;
use super::cluster_state::ClusterState;
use super::queue::QueueStats;
use govcloud_domain::integrity::PolicyIntegrity;

/// Types of label sets.
macro_rules! labels {
    ($($name:ident { $($label:ident: $type:ty),+ })+) => {$(
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, prometheus_client::encoding::EncodeLabelSet)]
        pub(super) struct $name {
            $(pub(super) $label: $type),+
        }
    )+};
}

mod census;
mod events;
mod process;
mod requests;
mod work;

pub use census::Census;
pub use events::Where;
pub use requests::{Measured, Measuring, Requests};

/// The content type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Counters. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    /// Reconciles.
    pub work: work::Work,
    /// Requests, writes, watches.
    pub requests: Requests,
    /// Lifecycle events.
    pub events: events::Events,
    /// CloudEvents.
    pub cloudevents: Counts,
}

/// Everything that is read at a scrape.
#[derive(Clone, Debug)]
pub struct Scrape<'a> {
    /// The cluster state.
    pub state: &'a ClusterState,
    /// The queue.
    pub queue: QueueStats,
    /// Time that keys waited in it.
    pub waits: &'a Histogram,
    /// Seconds that this machine's clock is ahead of the API server's, once measured.
    pub skew: Option<i64>,
    /// Result of the policy guard's last check.
    pub integrity: &'a PolicyIntegrity,
    /// True if this replica leads.
    pub leads: bool,
    /// The operator's now.
    pub now: Timestamp,
}

impl Metrics {
    /// The text of `/metrics`.
    ///
    /// Gauges are registered anew each time, so that two scrapes at once never see each other's half.
    pub fn text(&self, scrape: &Scrape<'_>) -> String {
        let mut all = Registry::default();
        process::register_process(&mut all);
        let own = all.sub_registry_with_prefix("govcloud");
        process::register(own, scrape);
        self.work.register(own, &scrape.queue, scrape.waits);
        self.requests.register(own, scrape.state);
        self.events.register(own);
        self.cloudevents.register(own);
        census::register(own, scrape.state, scrape.now);
        let mut text = String::with_capacity(64 * 1024);
        // Writing into a String does not fail.
        let _ = encode(&mut text, &all);
        text
    }
}
