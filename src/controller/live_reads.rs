//! Live reads: quorum GETs and LISTs that a decision rests on before it acts (ARCHITECTURE.md; S1, S4).

use std::collections::BTreeSet;

use futures::future::join_all;
use govcloud_domain::plan::{RequiredReads, Target};

use crate::cache::CacheUpdate;
use crate::client::RequestError;
use crate::context::Context;
use crate::dependencies::live_targets;
use crate::key::Key;
use crate::kinds::{Kind, Live};

impl Context {
    /// Reads what a decision requires. An object that the API server answered with just now counts as read, unless the
    /// decision requires fresh reads (`docs/decisions/0047-*`).
    pub(crate) async fn read_required(&self, key: &Key, reads: RequiredReads) -> Result<(), RequestError> {
        let recent = |t: &Target| {
            let store = Kind::of(t.resource).map(|kind| self.state.store(kind));
            !reads.fresh && store.is_some_and(|s| s.is_recent_answer(&t.namespace, &t.name))
        };
        let mut first: BTreeSet<Target> = BTreeSet::new();
        if reads.own {
            first.insert(Target::from(key));
        }
        if reads.references {
            first.extend(self.live_targets(key, Live::Reference));
            if !reads.own {
                first.remove(&Target::from(key));
            }
        }
        self.read_all(first.iter().filter(|t| !recent(t)), key).await?;
        if reads.storage {
            let namespaces = self.live_targets(key, Live::Namespace);
            self.read_all(namespaces.iter().filter(|t| !recent(t)), key).await?;
        }
        if reads.contents {
            // A namespace that does not exist holds nothing.
            let exists = |t: &&Target| self.state.get(Kind::Namespace, "", &t.namespace).is_some();
            let contents = self.live_targets(key, Live::Contents);
            let lists = contents.iter().filter(exists).map(|t| self.list(t, key));
            join_all(lists).await.into_iter().collect::<Result<(), _>>()?;
        }
        if reads.storage {
            let volumes = self.live_targets(key, Live::Volume);
            self.read_all(volumes.iter().filter(|t| !recent(t)), key).await?;
        }
        Ok(())
    }

    /// Reads everything that a decision on a key may rest on.
    pub(crate) async fn read_everything(&self, key: &Key) -> Result<(), RequestError> {
        self.read_required(key, RequiredReads::EVERYTHING).await
    }

    fn live_targets(&self, key: &Key, live: Live) -> BTreeSet<Target> {
        self.state.object(key).map(|record| live_targets(&self.state, &record, live)).unwrap_or_default()
    }

    /// Reads objects side by side, all of them though one fails: what was read is there for the next try, which comes sooner
    /// the fewer tries fail in a row.
    pub(crate) async fn read_all(
        &self,
        targets: impl IntoIterator<Item = &Target>,
        key: &Key,
    ) -> Result<(), RequestError> {
        join_all(targets.into_iter().map(|target| self.read(target, key))).await.into_iter().collect()
    }

    /// Reads one object into the cache and enqueues the other records that depend on it.
    pub(crate) async fn read(&self, target: &Target, key: &Key) -> Result<(), RequestError> {
        let pending = self.state.begin_read(target);
        let answer = self.requests.get(target).await?;
        if let (Some(kind), Some(pending)) = (Kind::of(target.resource), pending) {
            let update = answer.map_or_else(|| pending.missing(), |object| pending.answered(object));
            self.enqueue_others(kind, self.state.update(kind, update, &self.clock), key);
        }
        Ok(())
    }

    /// Lists the objects of a kind in a namespace into the cache.
    async fn list(&self, target: &Target, key: &Key) -> Result<(), RequestError> {
        let Some(kind) = Kind::of(target.resource) else { return Ok(()) };
        // Taken before the request: an object that the watch reports meanwhile is not lost for missing in the list.
        let known = self.state.store(kind).in_namespace(&target.namespace);
        let Some(pending) = self.state.begin_read(target) else { return Ok(()) };
        let found = self.requests.list(target).await?;
        let lost = known.iter().filter(|k| !found.iter().any(|f| *f.uid() == *k.uid));
        let gone = |o: &std::sync::Arc<crate::cache::Object>| {
            CacheUpdate::Gone(o.namespace().to_owned(), o.name().to_owned(), o.uid.to_string())
        };
        let mut updates: Vec<CacheUpdate> = lost.map(gone).collect();
        updates.extend(found.into_iter().map(|object| pending.answered(object)));
        for update in updates {
            self.enqueue_others(kind, self.state.update(kind, update, &self.clock), key);
        }
        Ok(())
    }
}
