//! The one interpreter of plans: observe, decide, write, and again until nothing is left to write.

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize as _;
use serde_json::Value;

use super::basis::Listed;
use super::client::{EventBody, RequestError};
use super::controller::Context;
use super::decided::{Decided, Told};
use super::difference::difference;
use super::metrics::Where;
use super::news::News;
use super::observe::GatherContext;
use super::queue::{Key, Kind};
use govcloud_api::record::RecordStatus;
use govcloud_api::resources;
use govcloud_domain::cloud_event;
use govcloud_domain::plan::{Precondition, RequiredReads, Step, Target, Write};

/// Rounds of observe, decide and write after which a key is given back to the queue.
const ROUNDS: usize = 24;

/// How long after a wrong clock was seen it is looked at again.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(30);

/// Writes of one step that are under way at once.
const WRITES_AT_ONCE: usize = 16;

/// Whether anything was written, after which the record is looked at once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    /// Nothing differed.
    Reached,
    /// Something was written.
    Ahead,
}

/// The record behind a key, as a target.
#[must_use]
pub fn record_target(key: &Key) -> Target {
    let resource = match key.kind {
        Kind::Application => resources::CLOUD_APPLICATION,
        Kind::Grant => resources::RESOURCE_GRANT,
        Kind::Change => resources::CHANGE_REQUEST,
        Kind::Decommission => resources::DECOMMISSION,
        Kind::Region => resources::REGION,
    };
    Target::namespaced(resource, key.namespace(), key.name())
}

/// The key of a record that is a target.
fn key_of(target: &Target) -> Option<Key> {
    let kind = Kind::ALL.into_iter().find(|k| k.as_str() == target.resource.kind)?;
    Some(Key::new(kind, &target.namespace, &target.name))
}

impl Context {
    /// Brings one record to where it should be now. Returns when to look again.
    ///
    /// # Errors
    /// The request that did not go through, after which the key is tried again later.
    pub async fn reconcile(
        &self,
        key: &Key,
        trouble: Option<String>,
    ) -> Result<Option<Timestamp>, RequestError> {
        let mut told = Told::default();
        let result = self.rounds(key, trouble, &mut told).await;
        told.say(&tracing::Span::current());
        result
    }

    /// Observes, decides and writes until nothing is left to write.
    async fn rounds(
        &self,
        key: &Key,
        trouble: Option<String>,
        told: &mut Told,
    ) -> Result<Option<Timestamp>, RequestError> {
        if let Some(seconds) = self.skew.intolerable() {
            "ClockSkewed".clone_into(&mut told.decision);
            self.report_skew(key, seconds).await?;
            return Ok(self.clock.now().checked_add(LOOK_AGAIN).ok());
        }
        let mut with = GatherContext { guard: self.guard(), anew: None, trouble };
        let mut asked = Vec::new();
        for _ in 0..ROUNDS {
            let now = self.clock.now();
            let Some(decided) = self.decide(key, &with, now) else {
                "Malformed".clone_into(&mut told.decision);
                return self.report_malformed(key).await.map(|()| None);
            };
            told.note(&decided);
            if decided.meta.deleting {
                return Ok(None);
            }
            if let Some(anew) = decided.reread {
                self.verify(anew, key).await?;
                with.anew = Some(anew);
                continue;
            }
            let unasked = self.unasked(key, &mut asked);
            if !unasked.is_empty() && self.differs(&decided, key) {
                self.read_all(unasked.iter(), key).await?;
                continue;
            }
            match self.carry_out(&decided, key).await {
                Ok(Rest::Reached) => return Ok(decided.wake),
                Ok(Rest::Ahead) => with = GatherContext { guard: self.guard(), anew: None, trouble: None },
                Err(RequestError::Stale(why)) => {
                    tracing::debug!(%why, "what was read is stale; reading anew");
                    self.reread(key).await?;
                    with = GatherContext { guard: self.guard(), anew: None, trouble: Some(why) };
                }
                Err(e @ RequestError::Refused(_)) if with.trouble.is_none() => {
                    // Said in the record's conditions, by deciding once more with what went wrong.
                    self.record_trouble(key, &e, with.anew).await;
                    return Err(e);
                }
                Err(e) => return Err(e),
            }
        }
        Err(RequestError::Transient("no rest after many rounds; trying again later".to_owned()))
    }

    /// Whether anything is to be written.
    fn differs(&self, decided: &Decided, key: &Key) -> bool {
        !decided.steps.is_empty() || self.difference(decided, key).is_some()
    }

    /// The status as it should be, and what of it is to be written; `None` where nothing is.
    fn difference<'a>(&self, decided: &'a Decided, key: &Key) -> Option<(&'a Value, Value)> {
        let status = decided.status.as_ref()?;
        Some((status, difference(&self.stored_status(key), status)?))
    }

    /// Writes the record's status as it is with this trouble, on what was read for the write that was refused.
    async fn record_trouble(&self, key: &Key, error: &RequestError, anew: Option<RequiredReads>) {
        let with = GatherContext { guard: self.guard(), anew, trouble: Some(error.to_string()) };
        let now = self.clock.now();
        if let Some(decided) = self.decide(key, &with, now)
            && let Err(e) = self.record(&decided, key).await
        {
            tracing::warn!(error = %e, "the trouble could not be recorded");
        }
    }

    /// Executes the steps; at the end, or where a step says so, the status is written with its Events.
    async fn carry_out(&self, decided: &Decided, key: &Key) -> Result<Rest, RequestError> {
        if decided.steps.is_empty() {
            return self.record(decided, key).await;
        }
        for step in &decided.steps {
            match step {
                Step::Record => {
                    self.record(decided, key).await?;
                }
                Step::Write(writes) => self.write_all(writes, key).await?,
            }
        }
        Ok(Rest::Ahead)
    }

    /// Writes that do not depend on each other, side by side.
    async fn write_all(&self, writes: &[Write], key: &Key) -> Result<(), RequestError> {
        for some in writes.chunks(WRITES_AT_ONCE) {
            let results = join_all(some.iter().map(|w| self.write(w, key))).await;
            results.into_iter().collect::<Result<(), _>>()?;
        }
        Ok(())
    }

    async fn write(&self, write: &Write, key: &Key) -> Result<(), RequestError> {
        let held = key_of(write.target()).filter(|other| other != key && self.queue.hold(other));
        let result = self.send(write, key).await;
        if let Some(other) = held {
            self.queue.release(&other);
        }
        result
    }

    async fn send(&self, write: &Write, key: &Key) -> Result<(), RequestError> {
        let target = write.target();
        let asking = self.state.ask(target);
        let answer = self.requests.write(write).await;
        self.metrics.requests.wrote(write, &answer);
        match answer {
            Ok(object) => {
                let deleted =
                    if let Write::Delete(_, this) = write { Some(asking.gone(&this.uid)) } else { None };
                self.learn(target, object.map_or(deleted, |object| asking.answered(object)), key);
                Ok(())
            }
            Err(RequestError::Stale(why)) => {
                self.read(target, key).await?;
                Err(RequestError::Stale(why))
            }
            Err(e) => {
                tracing::warn!(resource = target.resource.plural, namespace = target.namespace, name = target.name, error = %e, "a write did not go through");
                Err(e)
            }
        }
    }

    /// Takes in what the API server answered to a write, and goes on with everything else that it concerns.
    pub(super) fn learn(&self, target: &Target, news: Option<News>, key: &Key) {
        self.queue.go_on(self.told(target, news, key));
    }

    /// Reads one object with quorum into the image of the cluster, and queues everything else that it concerns.
    pub(super) async fn read(&self, target: &Target, key: &Key) -> Result<(), RequestError> {
        let asking = self.state.ask(target);
        let answer = self.requests.get(target).await?;
        let news = answer.map_or_else(|| asking.absent(), |object| asking.answered(object));
        self.look_at(target.resource.plural, self.told(target, news, key));
        Ok(())
    }

    /// Takes in news of a target; what else than this key it concerns.
    pub(super) fn told(&self, target: &Target, news: Option<News>, key: &Key) -> impl Iterator<Item = Key> {
        let touched = news.map(|news| self.state.tell(target.resource.plural, news, &self.clock));
        touched.into_iter().flatten().filter(move |k| k != key)
    }

    /// Makes sure that a decision on this key rests on what the API server itself says.
    async fn verify(&self, anew: RequiredReads, key: &Key) -> Result<(), RequestError> {
        let unknown = |t: &Target| !self.state.answered_just_now(t.resource.plural, &t.namespace, &t.name);
        let own = record_target(key);
        match anew {
            RequiredReads::Beside => self.reread_basis(key, |t| *t != own && unknown(t)).await,
            RequiredReads::Basis => self.reread_basis(key, unknown).await,
            RequiredReads::Reclaim => {
                self.reread_basis(key, unknown).await?;
                self.reread_storage(key, unknown, Listed::No).await
            }
            RequiredReads::Removal => {
                self.reread_basis(key, unknown).await?;
                self.reread_storage(key, unknown, Listed::Yes).await
            }
            RequiredReads::End => self.reread_storage(key, |_| true, Listed::Yes).await,
            RequiredReads::Everything => self.reread(key).await,
        }
    }

    /// Reads everything anew that a decision on this key rests on.
    async fn reread(&self, key: &Key) -> Result<(), RequestError> {
        self.reread_basis(key, |_| true).await?;
        self.reread_storage(key, |_| true, Listed::Yes).await
    }

    /// Reads those of the records anew that a decision on this key rests on.
    async fn reread_basis(&self, key: &Key, which: impl Fn(&Target) -> bool) -> Result<(), RequestError> {
        self.read_all(self.basis(key).iter().filter(|t| which(t)), key).await
    }

    pub(super) async fn read_all(
        &self,
        targets: impl Iterator<Item = &Target>,
        key: &Key,
    ) -> Result<(), RequestError> {
        let read = join_all(targets.map(|target| self.read(target, key))).await;
        read.into_iter().collect()
    }

    /// Writes the status where it differs, with one Event for each thing that happened (S12).
    async fn record(&self, decided: &Decided, key: &Key) -> Result<Rest, RequestError> {
        let Some((status, difference)) = self.difference(decided, key) else { return Ok(Rest::Reached) };
        self.announce(decided, status).await?;
        let precondition = Precondition {
            uid: decided.meta.uid.clone(),
            resource_version: decided.meta.resource_version.clone(),
        };
        let asking = self.state.ask(&decided.about);
        let answer = self.requests.status(&decided.about, &precondition, &difference).await;
        self.metrics.requests.wrote_status(decided.about.resource.plural, &answer);
        match answer {
            Ok(object) => {
                self.count_happenings(decided, status, key);
                self.learn(&decided.about, asking.answered(object), key);
                Ok(Rest::Ahead)
            }
            Err(RequestError::Stale(why)) => {
                self.read(&decided.about, key).await?;
                Err(RequestError::Stale(why))
            }
            Err(e) => Err(e),
        }
    }

    /// Counts what a status that was just written tells of.
    fn count_happenings(&self, decided: &Decided, status: &Value, key: &Key) {
        if decided.events.is_empty() {
            return;
        }
        // A Region has no happenings; every other kind's status holds what all records hold.
        let Ok(status) = RecordStatus::deserialize(status) else { return };
        let region = self.state.region_of(key);
        let calendar = region.as_ref().and_then(|r| r.calendar.as_deref().ok());
        let code = region.as_ref().map_or("unknown", |r| r.code());
        self.metrics.events.recorded(
            Where { kind: key.kind, region: code, calendar },
            &decided.events,
            &status,
        );
    }

    /// One Event for each thing that happened, named so that a repeated try writes none twice (S9).
    async fn announce(&self, decided: &Decided, status: &Value) -> Result<(), RequestError> {
        let before = status["timeline"].as_array().map_or(0, Vec::len).saturating_sub(decided.events.len());
        let dropped = status["timelineDropped"].as_u64().unwrap_or(0);
        let events = decided.events.iter().enumerate().map(|(i, h)| {
            let place = before as u64 + dropped + i as u64;
            let id = cloud_event::id(&decided.meta.uid, place, h.event());
            let mut stem = decided.about.name.clone();
            stem.truncate(200);
            EventBody {
                name: format!("{stem}.{id}"),
                about: &decided.about,
                uid: &decided.meta.uid,
                reason: h.event(),
                warning: h.is_warning(),
                note: h.text().to_string(),
                at: Timestamp::now(),
                instance: &self.identity,
            }
        });
        let events: Vec<_> = events.collect();
        let results = join_all(events.iter().map(|e| self.requests.event(e))).await;
        results.into_iter().collect()
    }
}
