//! Gauges of records, Regions and volumes: counted anew at each scrape, from the tally of each cached object.
//!
//! Every replica shows the same numbers: take the maximum over replicas, never the sum.
//!
//! | file | subject |
//! |---|---|
//! | [`tally`] | facts of one object |
//! | [`count`] | the sums |
//! | [`labels`] | labels |
//! | [`show`] | the gauges |

use std::time::Instant;

use jiff::Timestamp;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

use crate::cluster_state::ClusterState;

mod count;
mod labels;
mod show;
mod tally;

use count::Census;
pub use tally::{Tally, exit_tally, record_tally, region_tally, volume_tally};

/// Counts the cached state and registers the gauges.
pub(super) fn register(to: &mut Registry, state: &ClusterState, now: Timestamp) {
    let begun = Instant::now();
    let census = Census::take(state, now);
    show::register(to, census, now);
    to.register_with_unit(
        "census_duration",
        "Duration of this count",
        Unit::Seconds,
        ConstGauge::new(begun.elapsed().as_secs_f64()),
    );
}
