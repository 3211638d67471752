//! The reconciler of all records: takes keys from the queue, decides, and carries out, until nothing is left to write.

use std::sync::Arc;
use std::time::{Duration, Instant};

use govcloud_domain::integrity::PolicyIntegrity;
use govcloud_domain::plan::{RequiredReads, Target, Write, WriteFailure};
use govcloud_domain::tenancy::unkept;
use jiff::{SignedDuration, Timestamp};
use tokio::task::coop::consume_budget;
use tokio::task::yield_now;
use tracing::Instrument;

use crate::client::RequestError;
use crate::context::{Context, Failure};
use crate::decision::{Decision, GatherContext};
use crate::key::Key;
use crate::kinds::Kind;
use crate::queue::WORKERS;
use crate::supervision::{Tasks, catch_panic};

/// Longest wait between two tries of a key.
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);

/// Rounds of deciding and writing after which a key is given back to the queue.
const ROUNDS: usize = 24;

/// Wait before a record is decided again that the clock's skew held up.
const SKEW_RETRY: SignedDuration = SignedDuration::from_secs(30);

/// Starts the workers, once the caches are complete.
pub fn start(context: &Arc<Context>, tasks: &mut Tasks) {
    tasks.spawn("enqueue after policy checks", enqueue_on_integrity(context.clone()));
    for n in 0..WORKERS {
        tasks.spawn(format!("worker {n}"), work(context.clone()));
    }
}

/// Enqueues every record after the first check of the policies, and whenever its result changes.
async fn enqueue_on_integrity(context: Arc<Context>) {
    let mut integrity = context.integrity.clone();
    loop {
        if *integrity.borrow_and_update() != PolicyIntegrity::Unknown {
            context.enqueue_all().await;
        }
        if integrity.changed().await.is_err() {
            return;
        }
    }
}

/// Reconciles one key after another, once the policies have been checked. When the process ends it waits.
async fn work(context: Arc<Context>) {
    let mut integrity = context.integrity.clone();
    if integrity.wait_for(|integrity| *integrity != PolicyIntegrity::Unknown).await.is_err() {
        return;
    }
    while let Some(key) = context.queue.next().await {
        context.work(&key).await;
        // Decisions without a request never wait. Without a yield the first worker would make all of them after a start, as
        // tokio keeps a task that it woke on its own thread: all of 1,000 applications 0.38 s after the LISTs, not 0.25 s.
        // After each, and not when the budget of 128 is spent: tokio looks at its sockets after 61 tasks, and an answer
        // would wait for as many times 128 decisions.
        yield_now().await;
    }
    std::future::pending().await
}

/// Fields of a reconcile's span: each is recorded once, for OTLP sends a repeated one twice.
#[derive(Default)]
struct SpanFields {
    uid: String,
    decision: String,
    phase: String,
    writes: usize,
}

impl SpanFields {
    fn observe(&mut self, decision: &Decision) {
        self.uid.clone_from(&decision.meta.uid);
        self.decision = decision.ready.as_deref().unwrap_or("None").to_owned();
        self.phase = decision.phase.unwrap_or("None").to_owned();
        self.writes += decision.writes();
    }

    /// Records all of them at once: logs format a span's fields anew with each.
    fn record(&self, span: &tracing::Span) {
        tracing::record_all!(
            span,
            uid = (!self.uid.is_empty()).then_some(&*self.uid),
            decision = (!self.decision.is_empty()).then_some(&*self.decision),
            phase = (!self.phase.is_empty()).then_some(&*self.phase),
            writes = self.writes
        );
    }
}

/// Result of carrying out one decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nothing differed.
    NoChange,
    /// Something was written: the record is decided on once more.
    Changed,
}

impl Context {
    /// Enqueues every record: with high priority, and before all others, those that somebody waits for. The workers begin meanwhile.
    async fn enqueue_all(&self) {
        self.queue.add(self.state.unanswered());
        for key in self.state.record_keys() {
            self.queue.add_low([key]);
            consume_budget().await;
        }
    }

    /// Reconciles one key and gives it back to the queue with the time of its next decision.
    async fn work(&self, key: &Key) {
        let before = self.failure(key);
        let reconcile = self.reconcile(key, before.refusal);
        self.work_on(key, reconcile).await;
    }

    /// Runs one reconcile to its end, a panic included, and gives its key back to the queue.
    async fn work_on(
        &self,
        key: &Key,
        reconcile: impl Future<Output = Result<Option<Timestamp>, RequestError>>,
    ) {
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
        let started = Instant::now();
        let result = catch_panic(reconcile.instrument(span.clone())).await.unwrap_or_else(|panicked| {
            self.metrics.work.panicked(key.kind);
            Err(RequestError::Transient(panicked.to_string()))
        });
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
            Err(e) => Some(self.back_off(key, self.failure(key).times, &e)),
        };
        self.queue.done(key, wake);
        self.outbox.mark(key);
        self.state.use_readings.mark(key);
    }

    /// Records a failure. Returns the time of the next try: later after each.
    fn back_off(&self, key: &Key, times: u32, error: &RequestError) -> Timestamp {
        let wait = Duration::from_millis(200).saturating_mul(1 << times.min(10)).min(LONGEST_BACKOFF);
        tracing::warn!(kind = key.kind.as_str(), namespace = key.namespace(), name = key.name(), %error, again_in = ?wait, "reconcile failed");
        let refused = matches!(error, RequestError::Refused(_));
        let refusal = refused.then(|| WriteFailure::Refused(error.to_string()));
        self.set_failure(key, Some(Failure { times: times + 1, refusal }));
        let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::from_secs(60));
        self.clock.now().saturating_add(wait).unwrap_or(Timestamp::MAX)
    }

    /// Brings one record to its desired state. Returns the time of its next decision.
    ///
    /// `refusal` is the API server's refusal of the last write of this key. Only a refusal is reported in the status:
    /// what may pass by itself is tried again (`docs/decisions/0049-*`).
    ///
    /// # Errors
    /// The request that failed; the key is tried again later.
    pub async fn reconcile(
        &self,
        key: &Key,
        refusal: Option<WriteFailure>,
    ) -> Result<Option<Timestamp>, RequestError> {
        let mut fields = SpanFields::default();
        let result = match self.skew.intolerable() {
            Some(seconds) => self.hold_for_skew(key, seconds, &mut fields).await,
            None => self.rounds(key, refusal, &mut fields).await,
        };
        fields.record(&tracing::Span::current());
        result
    }

    async fn rounds(
        &self,
        key: &Key,
        refusal: Option<WriteFailure>,
        fields: &mut SpanFields,
    ) -> Result<Option<Timestamp>, RequestError> {
        let mut with = self.undecided(refusal);
        let mut confirmed: Vec<Target> = Vec::new();
        let mut made = self.held_writes(key);
        for _ in 0..ROUNDS {
            if self.queue.is_closed() {
                return Ok(None);
            }
            let Some(mut decision) = self.decide(key, &with, self.clock.now()) else {
                "Malformed".clone_into(&mut fields.decision);
                return self.report_malformed(key).await.map(|()| None);
            };
            fields.observe(&decision);
            if decision.meta.deleting {
                return Ok(None);
            }
            if let Some(reads) = decision.reads {
                self.read_or_report(key, reads).await?;
                with.reads = Some(reads);
                continue;
            }
            if !self.is_change(&decision, key) {
                return Ok(decision.wake);
            }
            if self.confirm_missing(key, &mut confirmed).await? {
                continue;
            }
            let repeated = decision.take_repeated(&made);
            if !repeated.is_empty() && decision.steps.is_empty() {
                let paths = self.unkept_paths(&repeated);
                if !paths.is_empty() {
                    return self.report_altered(key, repeated, paths, &with).await.map(Some);
                }
                // It stayed: a list that was under way hid it.
                self.read_everything(key).await?;
                with = self.undecided(None);
                continue;
            }
            match self.carry_out(&decision, key).await {
                Ok(Outcome::NoChange) => return Ok(decision.wake),
                Ok(Outcome::Changed) => {
                    made.extend(decision.repeatable().cloned());
                    with = self.undecided(None);
                }
                Err(RequestError::Stale(why)) => {
                    tracing::debug!(%why, "a write was based on stale objects; they are read again");
                    self.read_everything(key).await?;
                    with = self.undecided(None);
                }
                Err(e @ RequestError::Refused(_)) => {
                    self.record_refusal(key, &e, &with).await;
                    return Err(e);
                }
                Err(e) => return Err(e),
            }
        }
        Err(RequestError::Transient(format!("not at rest after {ROUNDS} rounds")))
    }

    /// Circumstances of a decision for which nothing was read yet.
    fn undecided(&self, failure: Option<WriteFailure>) -> GatherContext {
        GatherContext { integrity: self.integrity(), seal: self.seal(), reads: None, failure }
    }

    /// Decides nothing while the clock is off. Returns the time of the next look.
    async fn hold_for_skew(
        &self,
        key: &Key,
        seconds: i64,
        fields: &mut SpanFields,
    ) -> Result<Option<Timestamp>, RequestError> {
        "ClockSkewed".clone_into(&mut fields.decision);
        if self.skew.is_lasting() {
            self.report_skew(key, seconds).await?;
        }
        Ok(self.clock.now().checked_add(SKEW_RETRY).ok())
    }

    /// Makes the reads that a decision requires. A refused one is reported on the record.
    async fn read_or_report(&self, key: &Key, reads: RequiredReads) -> Result<(), RequestError> {
        let read = self.read_required(key, reads).await;
        if let Err(e) = &read {
            self.report_refused_read(key, e).await?;
        }
        read
    }

    /// Reads the missing references of a record that were not read before. Returns true if there were any.
    async fn confirm_missing(&self, key: &Key, confirmed: &mut Vec<Target>) -> Result<bool, RequestError> {
        let missing = self.state.missing_references(key);
        let missing: Vec<Target> = missing.into_iter().filter(|t| !confirmed.contains(t)).collect();
        self.read_all(&missing, key).await?;
        confirmed.extend(missing.iter().cloned());
        Ok(!missing.is_empty())
    }

    /// Gathers and decides. `None` where there is nothing to decide on.
    pub(crate) fn decide(&self, key: &Key, with: &GatherContext, now: Timestamp) -> Option<Decision> {
        let record = key.kind.spec().record.as_ref()?;
        (record.decide)(&self.state, key, with, now)
    }

    /// Records a refusal in the conditions, by deciding once more with it: at every try, as a write that is refused for long
    /// holds no status up.
    async fn record_refusal(&self, key: &Key, error: &RequestError, with: &GatherContext) {
        let refusal = WriteFailure::Refused(error.to_string());
        let with = GatherContext { failure: Some(refusal), ..with.clone() };
        if let Some(decision) = self.decide(key, &with, self.clock.now())
            && let Err(e) = self.write_status(&decision, key).await
        {
            tracing::warn!(error = %e, "the refusal could not be recorded");
        }
    }

    /// Paths at which the cached objects read otherwise than was written.
    fn unkept_paths(&self, writes: &[Write]) -> String {
        let live =
            |target: &Target| self.state.get(Kind::of(target.resource)?, &target.namespace, &target.name);
        let paths = |write: &Write| live(write.target()).map(|object| unkept(write, &object.value()));
        writes.iter().filter_map(paths).flatten().collect::<Vec<String>>().join("; ")
    }

    /// Records in the conditions that writes did not stay, by deciding once more with that, and holds them for a while: whoever
    /// alters them would do so again. Returns the time of the next decision.
    async fn report_altered(
        &self,
        key: &Key,
        repeated: Vec<Write>,
        paths: String,
        with: &GatherContext,
    ) -> Result<Timestamp, RequestError> {
        tracing::warn!(
            kind = key.kind.as_str(),
            namespace = key.namespace(),
            name = key.name(),
            paths,
            "what is written does not stay"
        );
        let until = self.hold_writes(key, repeated);
        let with = GatherContext { failure: Some(WriteFailure::Altered(paths)), ..with.clone() };
        let decision = self.decide(key, &with, self.clock.now());
        let wake = decision.as_ref().and_then(|decision| decision.wake);
        if let Some(decision) = decision {
            self.write_status(&decision, key).await?;
        }
        Ok(wake.map_or(until, |wake| wake.min(until)))
    }

    /// Enqueues records other than this one that depend on what its own writes changed, before others of their department.
    pub(crate) fn enqueue_next(&self, keys: Vec<Key>, key: &Key) {
        self.queue.requeue_front(keys.into_iter().filter(|k| k != key));
    }

    /// Enqueues records other than this one that depend on what it read.
    pub(crate) fn enqueue_others(&self, read: Kind, keys: Vec<Key>, key: &Key) {
        self.enqueue(read, keys.into_iter().filter(|k| k != key));
    }
}

#[cfg(test)]
mod altered;
#[cfg(test)]
mod refused;

#[cfg(test)]
mod tests;
