//! The one controller of all kinds: takes a key, has it reconciled, and puts it back with its next time.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tracing::Instrument;

use super::client::{RequestError, Requests};
use super::clock::Clock;
use super::clock_skew::Skew;
use super::cloudevents::Outbox;
use super::cluster_state::ClusterState;
use super::metrics::Metrics;
use super::queue::{Key, Queue, WORKERS};
use super::snapshots;
use super::watches::{self, LISTS_AT_ONCE, WATCHED};
use govcloud_domain::decision::PolicyIntegrity;

/// How long what was looked at is held unpacked, at least.
const COOLING: Duration = Duration::from_secs(3);

/// Longest wait between two tries.
const PATIENCE: Duration = Duration::from_secs(60);

/// Everything that touches the state, in one hand.
pub struct Context {
    /// Requests to the API server.
    pub requests: Requests,
    /// The image of the cluster.
    pub state: ClusterState,
    /// What is to be looked at.
    pub queue: Queue,
    /// The time.
    pub clock: Clock,
    /// How far that time is from the API server's.
    pub skew: Skew,
    /// Counts for `/metrics`.
    pub metrics: Metrics,
    /// Who this is, for Events and the lease.
    pub identity: String,
    /// How many first lists are complete, and more.
    pub progress: watch::Sender<u64>,
    /// Whether this replica leads and acts.
    pub leads: AtomicBool,
    /// Where news of records is noted for the CloudEvents sink.
    pub outbox: Arc<Outbox>,
    guard: watch::Receiver<PolicyIntegrity>,
    failures: Mutex<HashMap<Key, Failure>>,
}

/// How often a key failed in a row, and why the last time.
#[derive(Clone, Debug)]
struct Failure {
    times: u32,
    why: String,
}

impl Context {
    /// A context on a client, a clock and the guard's word.
    #[must_use]
    pub fn new(
        client: kube::Client,
        clock: Clock,
        skew: Skew,
        guard: watch::Receiver<PolicyIntegrity>,
        identity: String,
    ) -> Self {
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
            guard,
            failures: Mutex::default(),
        }
    }

    /// The same, with news of records noted for a sink.
    #[must_use]
    pub fn telling(self, outbox: Arc<Outbox>) -> Self {
        Self { outbox, ..self }
    }

    /// What the guard says now.
    #[must_use]
    pub fn guard(&self) -> PolicyIntegrity {
        self.guard.borrow().clone()
    }

    /// Whether the image of the cluster is complete and the guard has looked.
    #[must_use]
    pub fn ready(&self) -> bool {
        self.state.all_synced() && self.guard() != PolicyIntegrity::Unknown
    }

    fn failure(&self, key: &Key) -> Option<Failure> {
        self.failures.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get(key).cloned()
    }

    fn set_failure(&self, key: &Key, failure: Option<Failure>) {
        let mut failures = self.failures.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match failure {
            Some(f) => drop(failures.insert(key.clone(), f)),
            None => drop(failures.remove(key)),
        }
    }

    /// Works on one key.
    async fn work(&self, key: &Key) {
        let before = self.failure(key);
        let span = tracing::info_span!(
            "reconcile",
            kind = key.kind.as_str(),
            namespace = key.namespace(),
            name = key.name(),
            uid = tracing::field::Empty,
            decision = tracing::field::Empty,
            phase = tracing::field::Empty,
            writes = tracing::field::Empty,
            error = tracing::field::Empty,
            otel.status_code = tracing::field::Empty,
        );
        let started = std::time::Instant::now();
        let result =
            self.reconcile(key, before.as_ref().map(|f| f.why.clone())).instrument(span.clone()).await;
        if let Err(e) = &result {
            span.record("error", tracing::field::display(e));
            span.record("otel.status_code", "ERROR");
        }
        self.metrics.work.reconciled(key.kind, started.elapsed(), result.is_ok());
        let wake = match result {
            Ok(wake) => {
                self.set_failure(key, None);
                wake
            }
            Err(e) => Some(self.again(key, before.map_or(0, |f| f.times), &e)),
        };
        self.queue.done(key, wake);
        self.outbox.look(key);
    }

    /// When a key that failed is tried again: later each time, never more than a minute.
    fn again(&self, key: &Key, times: u32, error: &RequestError) -> Timestamp {
        let wait = Duration::from_millis(200).saturating_mul(1 << times.min(10)).min(PATIENCE);
        tracing::warn!(kind = key.kind.as_str(), namespace = key.namespace(), name = key.name(), %error, again_in = ?wait, "reconcile failed");
        self.set_failure(key, Some(Failure { times: times + 1, why: error.to_string() }));
        let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::from_secs(60));
        self.clock.now().saturating_add(wait).unwrap_or(Timestamp::MAX)
    }

    /// Looks at what news of a resource concerns. Behind what is asked, where many records rest on it.
    pub(super) fn look_at(&self, resource: &str, keys: impl IntoIterator<Item = Key>) {
        match resource {
            "regions" | "workcalendars" | "servicecatalogs" | "storageclasses" => self.queue.add_due(keys),
            _ => self.queue.add(keys),
        }
    }

    /// Looks at everything there is.
    pub fn look_at_everything(&self) {
        self.queue.add_due(self.state.everything());
    }
}

/// Starts the watches and waits until the image of the cluster is complete.
pub async fn synchronise(context: &Arc<Context>, tasks: &mut JoinSet<()>) {
    let mut progress = context.progress.subscribe();
    let turns = Arc::new(Semaphore::new(LISTS_AT_ONCE));
    for what in WATCHED {
        tasks.spawn(watches::watch(context.clone(), what, turns.clone()));
    }
    tasks.spawn(snapshots::watch(context.clone()));
    tasks.spawn(cool(context.clone()));
    while !context.state.all_synced() {
        if progress.changed().await.is_err() {
            return;
        }
    }
}

/// Packs what was left alone, for as long as the operator runs.
async fn cool(context: Arc<Context>) {
    let mut rounds = tokio::time::interval(COOLING);
    rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        context.state.cool();
    }
}

/// Works until it is dropped. The image of the cluster must be complete.
pub async fn run(context: Arc<Context>) {
    let mut guard = context.guard.clone();
    while *guard.borrow_and_update() == PolicyIntegrity::Unknown {
        if guard.changed().await.is_err() {
            return;
        }
    }
    context.look_at_everything();
    let mut workers = JoinSet::new();
    for _ in 0..WORKERS {
        let context = context.clone();
        workers.spawn(async move {
            loop {
                let key = context.queue.next().await;
                context.work(&key).await;
            }
        });
    }
    loop {
        if guard.changed().await.is_err() {
            return;
        }
        context.look_at_everything();
    }
}
