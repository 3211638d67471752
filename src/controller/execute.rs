//! Carrying out a decision: its writes in order, and the status with its Events.

use futures::future::join_all;
use govcloud_api::deadline::Party;
use govcloud_api::record::{RecordStatus, WaitingFor};
use govcloud_domain::finding::Finding;
use govcloud_domain::kubernetes_event::{self, KubernetesEvent};
use govcloud_domain::plan::{Precondition, Step, Target, Write};
use govcloud_domain::record::{Meta, ReadyState, StatusBuilder};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize as _;
use serde_json::Value;

use crate::client::{EventBody, RequestError};
use crate::context::Context;
use crate::decision::Decision;
use crate::difference::difference;
use crate::key::Key;
use crate::kinds::Kind;
use crate::metrics::Where;
use crate::reconciler::Outcome;

/// Requests of one step that are under way at once.
const WRITES_AT_ONCE: usize = 16;

/// The key of a record that is a target.
fn key_of(target: &Target) -> Option<Key> {
    let kind = Kind::of(target.resource).filter(|k| k.spec().record.is_some())?;
    Some(Key::new(kind, &target.namespace, &target.name))
}

impl Context {
    /// Carries out the steps; a decision without steps writes its status. When the process ends, the rest is left to the next
    /// leader.
    pub(crate) async fn carry_out(&self, decision: &Decision, key: &Key) -> Result<Outcome, RequestError> {
        if decision.steps.is_empty() {
            return self.write_status(decision, key).await;
        }
        for Step::Write(writes) in &decision.steps {
            for chunk in writes.chunks(WRITES_AT_ONCE) {
                if self.queue.is_closed() {
                    return Ok(Outcome::Changed);
                }
                let results = join_all(chunk.iter().map(|w| self.write(w, key))).await;
                results.into_iter().collect::<Result<(), _>>()?;
            }
        }
        Ok(Outcome::Changed)
    }

    /// One write. Another record that it writes is deferred meanwhile, so that it is decided on with the response.
    async fn write(&self, write: &Write, key: &Key) -> Result<(), RequestError> {
        let other = key_of(write.target()).filter(|other| other != key);
        let deferred = other.and_then(|other| self.queue.defer(other));
        let result = self.send(write, key).await;
        drop(deferred);
        result
    }

    async fn send(&self, write: &Write, key: &Key) -> Result<(), RequestError> {
        let target = write.target();
        let pending = self.state.begin_read(target);
        let answer = self.requests.write(write).await;
        self.metrics.requests.wrote(write, &answer);
        match answer {
            Ok(object) => {
                // Whatever fails next, the record has come further: its backoff begins anew.
                self.set_failure(key, None);
                if let (Some(kind), Some(pending)) = (Kind::of(target.resource), pending) {
                    let update = match (object, write) {
                        (Some(object), _) => pending.answered(object),
                        (None, Write::Delete(_, deleted)) => pending.gone(&deleted.uid),
                        (None, _) => return Ok(()),
                    };
                    self.enqueue_next(self.state.update(kind, update, &self.clock), key);
                }
                Ok(())
            }
            Err(RequestError::Stale(why)) => {
                self.read(target, key).await?;
                Err(RequestError::Stale(why))
            }
            Err(e) => {
                tracing::warn!(resource = target.resource.plural, namespace = target.namespace, name = target.name, error = %e, "a write failed");
                Err(e)
            }
        }
    }

    /// Returns true if anything is to be written.
    pub(crate) fn is_change(&self, decision: &Decision, key: &Key) -> bool {
        !decision.steps.is_empty() || self.status_difference(decision, key).is_some()
    }

    /// The status as it should be, and the merge patch to it; `None` where nothing differs.
    fn status_difference<'a>(&self, decision: &'a Decision, key: &Key) -> Option<(&'a Value, Value)> {
        let status = decision.status.as_ref()?;
        Some((status, difference(&self.stored_status(key), status)?))
    }

    fn stored_status(&self, key: &Key) -> Value {
        self.state.object(key).and_then(|o| o.status()).unwrap_or_default()
    }

    /// Writes the status where it differs, after the Event of the lifecycle events that it records (S12).
    pub(crate) async fn write_status(&self, decision: &Decision, key: &Key) -> Result<Outcome, RequestError> {
        let Some((status, patch)) = self.status_difference(decision, key) else {
            return Ok(Outcome::NoChange);
        };
        self.write_events(decision, status, key).await?;
        self.patch_status(&decision.meta, key, &patch).await?;
        self.count_events(decision, status, key);
        Ok(Outcome::Changed)
    }

    /// Patches a status under its precondition and applies the answer.
    async fn patch_status(&self, meta: &Meta, key: &Key, patch: &Value) -> Result<(), RequestError> {
        let target = Target::from(key);
        let precondition =
            Precondition { uid: meta.uid.clone(), resource_version: meta.resource_version.clone() };
        let pending = self.state.begin_read(&target);
        let answer = self.requests.status(&target, &precondition, patch).await;
        self.metrics.requests.wrote_status(target.resource.plural, &answer);
        match answer {
            Ok(object) => {
                self.set_failure(key, None);
                if let Some(pending) = pending {
                    let update = pending.answered(object);
                    self.enqueue_next(self.state.update(key.kind, update, &self.clock), key);
                }
                Ok(())
            }
            Err(RequestError::Stale(why)) => {
                self.read(&target, key).await?;
                Err(RequestError::Stale(why))
            }
            Err(e) => Err(e),
        }
    }

    /// Counts the lifecycle events of a status that was just written.
    fn count_events(&self, decision: &Decision, status: &Value, key: &Key) {
        let Ok(status) = RecordStatus::deserialize(status) else { return };
        if decision.events.is_empty() {
            return;
        }
        let region = self.state.region_of(key);
        let calendar = region.as_ref().and_then(|r| r.calendar.as_deref().ok());
        let code = region.as_ref().map_or("unknown", |r| r.code());
        let of = Where { kind: key.kind, region: code, calendar };
        self.metrics.events.recorded(of, &decision.events, &status);
    }

    /// Writes the Event of the lifecycle events that a status records, under a name that a repeated try finds taken (S9);
    /// several where a note cannot hold them all.
    ///
    /// An Event that the API server refuses, by a quota or in a terminating namespace, holds no status up: the timeline
    /// has the entries.
    async fn write_events(&self, decision: &Decision, status: &Value, key: &Key) -> Result<(), RequestError> {
        let about = Target::from(key);
        let mut stem = about.name.clone();
        stem.truncate(200);
        let events = kubernetes_event::of_status(&decision.meta.uid, status, &decision.events);
        let body = |event: KubernetesEvent| EventBody {
            name: format!("{stem}.{}", event.id),
            about: &about,
            uid: &decision.meta.uid,
            reason: event.reason,
            warning: event.warning,
            note: event.note,
            at: Timestamp::now(),
            instance: &self.identity,
        };
        let events: Vec<_> = events.into_iter().map(body).collect();
        for chunk in events.chunks(WRITES_AT_ONCE) {
            for result in join_all(chunk.iter().map(|e| self.requests.event(e))).await {
                match result {
                    Err(e @ (RequestError::Refused(_) | RequestError::Stale(_))) => {
                        tracing::warn!(namespace = about.namespace, name = about.name, error = %e, "an Event was refused");
                    }
                    other => other?,
                }
            }
        }
        Ok(())
    }

    /// Reports on a record that it does not fit its schema (S10).
    pub(crate) async fn report_malformed(&self, key: &Key) -> Result<(), RequestError> {
        let Some((meta, Some(why))) = self.identity_of(key) else { return Ok(()) };
        let finding = Finding::Malformed(why);
        let wait = |builder: &mut StatusBuilder| {
            builder.set_valid_condition(std::slice::from_ref(&finding));
            builder.wait_on(Party::Department, Some(WaitingFor::Correction), None);
        };
        self.report(key, &meta, &finding, self.clock.now(), wait).await
    }

    /// Reports on a record that nothing is decided while this machine's clock is wrong (ARCHITECTURE.md, clocks).
    pub(crate) async fn report_skew(&self, key: &Key, seconds: i64) -> Result<(), RequestError> {
        let filed = key.kind.filed().and_then(|_| self.identity_of(key));
        let Some((meta, None)) = filed else { return Ok(()) };
        let right = self.clock.now().saturating_sub(SignedDuration::from_secs(seconds));
        let right = right.unwrap_or(Timestamp::MAX);
        self.report(key, &meta, &Finding::ClockSkewed(seconds), right, |_| {}).await
    }

    /// Reports on a record that the API server refuses a read without which nothing is decided.
    pub(crate) async fn report_refused_read(
        &self,
        key: &Key,
        error: &RequestError,
    ) -> Result<(), RequestError> {
        let RequestError::Refused(_) = error else { return Ok(()) };
        let Some((meta, None)) = self.identity_of(key) else { return Ok(()) };
        let finding = Finding::ReadRefused(error.to_string());
        self.report(key, &meta, &finding, self.clock.now(), |_| {}).await
    }

    /// Identity of a record, and why it does not fit its schema if it does not.
    fn identity_of(&self, key: &Key) -> Option<(Meta, Option<String>)> {
        let object = self.state.object(key)?;
        let schema = key.kind.spec().record.as_ref()?.schema_error;
        Some((object.meta(), schema(&object)))
    }

    /// Writes a finding into the conditions of a record, and decides nothing.
    async fn report(
        &self,
        key: &Key,
        meta: &Meta,
        finding: &Finding,
        now: Timestamp,
        more: impl FnOnce(&mut StatusBuilder),
    ) -> Result<(), RequestError> {
        let old: RecordStatus = serde_json::from_value(self.stored_status(key)).unwrap_or_default();
        let mut builder = StatusBuilder::begin(&old, meta.generation, now);
        builder.set_ready_conditions(&ReadyState::Stalled(finding.reason(), finding.text()));
        more(&mut builder);
        let (status, _, _) = builder.end(&old);
        let as_json = |s: &RecordStatus| serde_json::to_value(s).unwrap_or_default();
        // Fields that this version cannot read stay as they are.
        match difference(&as_json(&old), &as_json(&status)) {
            Some(patch) => self.patch_status(meta, key, &patch).await,
            None => Ok(()),
        }
    }
}
