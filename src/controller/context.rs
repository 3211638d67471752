//! State and services that all tasks of the controller share.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use govcloud_domain::integrity::PolicyIntegrity;
use govcloud_domain::plan::{Write, WriteFailure};
use govcloud_domain::seal::Seal;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use crate::cache::CacheUpdate;
use crate::client::Requests;
use crate::clock::Clock;
use crate::clock_skew::Skew;
use crate::cloudevents::Outbox;
use crate::cluster_state::ClusterState;
use crate::dependencies::dependents;
use crate::key::Key;
use crate::kinds::{Kind, Priority};
use crate::metrics::Metrics;
use crate::queue::Queue;

/// State and services of the controller.
pub struct Context {
    /// Requests to the API server.
    pub requests: Requests,
    /// Cached state of the cluster.
    pub state: ClusterState,
    /// Keys to reconcile.
    pub queue: Queue,
    /// The time.
    pub clock: Clock,
    /// Difference between that time and the API server's.
    pub skew: Skew,
    /// Counters of `/metrics`.
    pub metrics: Metrics,
    /// Name of this replica, for Events and the lease.
    pub identity: String,
    /// Number of first lists that completed.
    pub progress: watch::Sender<u64>,
    /// True while this replica leads and acts.
    pub leads: AtomicBool,
    /// Records with news for the CloudEvents sink.
    pub outbox: Arc<Outbox>,
    /// Optional kinds that the cluster serves now.
    served: Mutex<BTreeSet<Kind>>,
    pub(crate) integrity: watch::Receiver<PolicyIntegrity>,
    seal: watch::Receiver<Seal>,
    failures: Mutex<HashMap<Key, Failure>>,
    altered: Mutex<HashMap<Key, Altered>>,
}

/// Results that the policy guard publishes. The seal comes before the integrity that it belongs to.
#[derive(Clone, Debug)]
pub struct PublishedPolicies {
    /// Integrity of the admission policies.
    pub integrity: watch::Receiver<PolicyIntegrity>,
    /// The operator's seal.
    pub seal: watch::Receiver<Seal>,
}

impl PublishedPolicies {
    /// Nothing was published yet.
    #[cfg(test)]
    pub(crate) fn unknown() -> Self {
        let (_, integrity) = watch::channel(PolicyIntegrity::Unknown);
        let (_, seal) = watch::channel(Seal::default());
        Self { integrity, seal }
    }
}

/// Failures of one key in a row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Failure {
    pub(crate) times: u32,
    /// Refusal of its last write by the API server, where that is what failed.
    pub(crate) refusal: Option<WriteFailure>,
}

/// Writes of one key that did not stay, and when they are made again.
#[derive(Clone, Debug)]
struct Altered {
    writes: Vec<Write>,
    until: Timestamp,
}

/// Wait before a write is made again that did not stay.
const ALTERED_RETRY: SignedDuration = SignedDuration::from_secs(60);

impl Context {
    /// A context of a client, a clock and what the policy guard publishes.
    pub fn new(
        client: kube::Client,
        clock: Clock,
        skew: Skew,
        policies: PublishedPolicies,
        identity: String,
    ) -> Self {
        let PublishedPolicies { integrity, seal } = policies;
        Self {
            requests: Requests::new(client),
            state: ClusterState::default(),
            queue: Queue::new(clock.clone()),
            clock,
            skew,
            metrics: Metrics::default(),
            identity,
            progress: watch::Sender::new(0),
            leads: AtomicBool::new(false),
            outbox: Arc::default(),
            served: Mutex::default(),
            integrity,
            seal,
            failures: Mutex::default(),
            altered: Mutex::default(),
        }
    }

    /// Adds an outbox for a CloudEvents sink.
    pub fn with_outbox(self, outbox: Arc<Outbox>) -> Self {
        Self { outbox, ..self }
    }

    /// Integrity of the admission policies now.
    pub fn integrity(&self) -> PolicyIntegrity {
        self.integrity.borrow().clone()
    }

    /// The operator's seal in the present period.
    pub fn seal(&self) -> Seal {
        self.seal.borrow().clone()
    }

    /// Returns true once every cache is complete and the policies were checked.
    pub fn is_ready(&self) -> bool {
        self.state.is_synced() && self.integrity() != PolicyIntegrity::Unknown
    }

    /// Notes that the cluster serves an optional kind, or no longer does.
    pub(crate) fn set_served(&self, kind: Kind, served: bool) {
        let mut kinds = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        match served {
            true => kinds.insert(kind),
            false => kinds.remove(&kind),
        };
    }

    /// Optional kinds that the cluster serves and that could not be listed: an exit cannot read them either.
    pub fn unlisted(&self) -> Vec<Kind> {
        let served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        served.iter().copied().filter(|kind| !self.state.store(*kind).is_synced()).collect()
    }

    /// Applies an update and enqueues the records that depend on it. A standby's queue takes nothing: a new leader
    /// enqueues every record.
    pub(crate) fn observe(&self, kind: Kind, update: CacheUpdate) {
        let changes = self.state.apply(kind, update, &self.clock);
        if self.queue.is_active() {
            self.enqueue(kind, dependents(&self.state, &changes));
        }
    }

    /// Enqueues keys with the priority of the kind whose change they follow from.
    pub(crate) fn enqueue(&self, changed: Kind, keys: impl IntoIterator<Item = Key>) {
        match changed.spec().priority {
            Priority::High => self.queue.add(keys),
            Priority::Low => self.queue.add_low(keys),
        }
    }

    pub(crate) fn failure(&self, key: &Key) -> Failure {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned().unwrap_or_default()
    }

    pub(crate) fn set_failure(&self, key: &Key, failure: Option<Failure>) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        match failure {
            Some(f) => drop(failures.insert(key.clone(), f)),
            None => drop(failures.remove(key)),
        }
    }

    /// The writes of a key that did not stay and are not due again.
    pub(crate) fn held_writes(&self, key: &Key) -> Vec<Write> {
        let mut altered = self.altered.lock().unwrap_or_else(PoisonError::into_inner);
        match altered.get(key) {
            Some(held) if held.until > self.clock.now() => held.writes.clone(),
            Some(_) => {
                altered.remove(key);
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    /// Holds writes that did not stay. Returns when they are due again; those that are held already are due as before.
    pub(crate) fn hold_writes(&self, key: &Key, writes: Vec<Write>) -> Timestamp {
        let now = self.clock.now();
        let mut altered = self.altered.lock().unwrap_or_else(PoisonError::into_inner);
        let until = altered.get(key).map(|held| held.until).filter(|until| *until > now);
        let until = until.unwrap_or_else(|| now.saturating_add(ALTERED_RETRY).unwrap_or(Timestamp::MAX));
        altered.insert(key.clone(), Altered { writes, until });
        until
    }
}
