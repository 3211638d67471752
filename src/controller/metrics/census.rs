//! How things stand: counted anew at each scrape, from what was noted of each record when it last changed.
//!
//! A stock cannot be kept by adding and taking away without once being wrong for good, so it is counted.
//! Objects are held packed; to unpack all of them for a count would cost a second of a large cloud. So what
//! counting needs of each is held beside, by its resourceVersion
//! (`docs/decisions/0042-a-scrape-unpacks-what-changed.md`).
//! Every replica shows the same; take the maximum over replicas, never the sum.
//!
//! | file | subject |
//! |---|---|
//! | [`memo`] | what was made of each object, while it stays what it is |
//! | [`tally`] | what counting needs of a record, a Region, a volume |
//! | [`count`] | the sums |
//! | [`labels`] | by what they are told apart |
//! | [`show`] | the gauges |

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use jiff::Timestamp;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

use crate::cluster_state::ClusterState;

mod count;
mod labels;
mod memo;
mod show;
mod tally;

use count::Census;
use memo::{Memo, Words};
use tally::{Held, Setting, Tally};

/// What is held between scrapes. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<Mutex<Tallies>>);

/// One tally for each object that is counted.
#[derive(Debug, Default)]
struct Tallies {
    words: Words,
    regions: Memo<Setting>,
    applications: Memo<Tally>,
    grants: Memo<Tally>,
    changes: Memo<Tally>,
    exits: Memo<Tally>,
    volumes: Memo<Option<Held>>,
}

impl Tallies {
    /// Looks at what changed since the last time, once.
    fn refresh(&mut self, state: &ClusterState) {
        let Self { words, regions, applications, grants, changes, exits, volumes } = self;
        regions.refresh(&state.regions, |r| Setting::of(r, words));
        applications.refresh(&state.applications, |r| Tally::of(r, words));
        grants.refresh(&state.grants, |r| Tally::of(r, words));
        changes.refresh(&state.changes, |r| Tally::of(r, words));
        exits.refresh(&state.decommissions, |r| Tally::of_exit(r, words));
        volumes.refresh(&state.volumes, |v| Held::of(v, words));
        words.prune();
    }
}

impl Counter {
    /// Counts the image of the cluster and registers what was counted.
    pub(super) fn register(&self, to: &mut Registry, state: &ClusterState, now: Timestamp) {
        let begun = Instant::now();
        let census = {
            let mut tallies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            tallies.refresh(state);
            Census::take(&tallies, state, now)
        };
        show::register(to, census, now);
        to.register_with_unit(
            "census_duration",
            "How long this count took",
            Unit::Seconds,
            ConstGauge::new(begun.elapsed().as_secs_f64()),
        );
    }
}
