//! What the operator counts, as OpenMetrics: one subject a file.
//!
//! | file | subject | kind |
//! |---|---|---|
//! | [`work`] | reconciles and the queue | counted as it happens |
//! | [`requests`] | requests to the API server, writes, watches | counted as it happens |
//! | [`events`] | what happened in lives: decisions, obligations met | counted as it is recorded |
//! | [`census`] | how many records stand where, who is waited on, clocks, volumes | counted anew from the image of the cluster at each scrape |
//! | [`process`] | build, leadership, guard, clock skew, memory | read at each scrape |
//!
//! What happened is a counter, from the process's start; what is, is a gauge that every replica shows alike.
//! Labels are bounded: kinds, parties, obligations, reasons and events are enums, regions are those that exist.

use jiff::Timestamp;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::cloudevents::counts::Counts;
use super::cluster_state::ClusterState;
use super::queue::QueueStats as QueueStanding;
use govcloud_domain::decision::PolicyIntegrity;

mod census;
mod events;
mod process;
mod requests;
mod work;

pub use census::{Tally, exit_tally, record_tally, region_tally, volume_tally};
pub use events::Where;
pub use requests::{Measured, Measuring, Requests};

/// The content type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What is counted as it happens, and what is held to count the rest. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    /// Reconciles.
    pub work: work::Work,
    /// Requests, writes, watches.
    pub requests: Requests,
    /// Lives.
    pub events: events::Events,
    /// CloudEvents.
    pub cloudevents: Counts,
}

/// What is read at a scrape.
#[derive(Clone, Debug)]
pub struct Scrape<'a> {
    /// The image of the cluster.
    pub state: &'a ClusterState,
    /// The queue.
    pub queue: QueueStanding,
    /// How long keys waited in it.
    pub waits: &'a Histogram,
    /// Seconds that this machine's clock is ahead of the API server's, once measured.
    pub skew: Option<i64>,
    /// What the guard says.
    pub guard: &'a PolicyIntegrity,
    /// Whether this replica leads.
    pub leads: bool,
    /// The operator's now.
    pub now: Timestamp,
}

impl Metrics {
    /// The text of `/metrics`.
    ///
    /// Gauges are registered anew each time, so that two scrapes at once never see each other's half.
    #[must_use]
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
