//! One kind's cache: the watch's objects and the answers to the operator's own requests, whichever is newer.
//!
//! kube's reflector store holds what its watch delivered and nothing else. Here the answer to a write enters at once, so
//! that a second decision does not write again (S9, S11); a watch event that is older than the cache is dropped; and an
//! answer that arrives late is checked against what the watch reported meanwhile ([`pending_reads`]).

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

mod object;
mod pending_reads;
mod shared_texts;
mod trimmed;

pub use object::{Object, text};
use pending_reads::Deletions;
pub use pending_reads::ReadToken;
pub use shared_texts::SharedTexts;
pub use trimmed::TrimmedObject;

use crate::clock::Clock;
use crate::index::IndexKey;
use crate::key::path;
use crate::kinds::Kind;

/// A change to the cluster as it was learnt.
#[derive(Debug)]
pub enum CacheUpdate {
    /// The watch delivered an object, in a list or as an event.
    Observed(TrimmedObject),
    /// The API server answered a quorum read or a write with an object.
    Answered(TrimmedObject, ReadToken),
    /// The watch reported a deletion.
    Deleted(TrimmedObject),
    /// The API server answered that no object of this namespace and name exists.
    Missing(String, String, ReadToken),
    /// The API server answered that the object of this namespace, name and UID is gone.
    Gone(String, String, String),
    /// The watch begins a list.
    ListStarted,
    /// The list is complete: objects that it did not hold are gone.
    ListCompleted,
}

/// A changed object.
#[derive(Clone, Debug)]
pub struct Change {
    /// Its kind.
    pub kind: Kind,
    /// Before; `None` where it is new.
    pub old: Option<Arc<Object>>,
    /// After; `None` where it is gone.
    pub new: Option<Arc<Object>>,
}

impl Change {
    /// The object before and after, as far as it exists.
    pub fn both(&self) -> impl Iterator<Item = &Arc<Object>> {
        [&self.old, &self.new].into_iter().flatten()
    }

    /// Returns true if an object appeared or went away.
    pub fn changes_existence(&self) -> bool {
        self.old.is_some() != self.new.is_some()
    }

    /// Returns true unless both versions exist and have this in common.
    pub fn differs<T: PartialEq>(&self, of: impl Fn(&Object) -> T) -> bool {
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => of(old) != of(new),
            _ => true,
        }
    }
}

/// An object with what the cache knows of it.
#[derive(Debug)]
struct Entry {
    object: Arc<Object>,
    /// The last list that certainly held it, or will hold it.
    list: u32,
    /// Second of the store's lifetime in which the API server itself answered with this version; zero where it did not.
    answered: u32,
    /// Hashes of its index keys.
    index: Box<[u64]>,
}

#[derive(Debug, Default)]
struct Inner {
    objects: BTreeMap<Arc<str>, Entry>,
    /// Hash of an index key, with the path of an object that it finds. Two keys of one store have the same 64-bit keyed
    /// hash with a chance of one in ten million at a million keys; an object found in error is one record queued too many,
    /// and decisions read the fields themselves.
    index: BTreeSet<(u64, Arc<str>)>,
    /// UIDs that the API server said are gone and that the watch has not reported yet.
    gone: HashSet<String>,
    deletions: Deletions,
    /// The list that was begun last.
    list: u32,
    /// The last list of which something was applied.
    applied_list: u32,
    /// The last list that completed.
    completed_list: u32,
    synced: bool,
}

impl Inner {
    /// Returns true if an object tells nothing new: the cache has it at least as new, or it is gone.
    fn is_known(&mut self, path: &str, uid: &str, version: u64, token: Option<ReadToken>) -> bool {
        if token.is_none() {
            self.applied_list = self.list;
        }
        let gone = self.gone.contains(uid) || token.is_some_and(|t| self.deletions.contains(uid, t));
        let list = self.list_of(token);
        let completed = self.completed_list;
        match self.objects.get_mut(path) {
            // A list completed since would have held it, or the watch reports it in a moment.
            None => gone || list < completed,
            Some(entry) if entry.object.version >= version => {
                entry.list = entry.list.max(list);
                true
            }
            Some(_) => gone,
        }
    }

    /// The last list that is certainly older than an object that is learnt of, or that delivers it.
    fn list_of(&self, token: Option<ReadToken>) -> u32 {
        token.map_or(self.list, |t| t.list)
    }

    fn remove(&mut self, path: &str) -> Option<Arc<Object>> {
        let (path, entry) = self.objects.remove_entry(path)?;
        for hash in entry.index {
            self.index.remove(&(hash, path.clone()));
        }
        Some(entry.object)
    }

    fn remove_if(&mut self, path: &str, uid: &str) -> Option<Arc<Object>> {
        if &*self.objects.get(path)?.object.uid != uid {
            return None;
        }
        self.remove(path)
    }
}

/// One kind's cache.
#[derive(Debug)]
pub struct Store {
    kind: Kind,
    inner: RwLock<Inner>,
    hashes: RandomState,
    born: Instant,
    texts: SharedTexts,
}

impl Store {
    /// An empty store. Texts are shared with other stores.
    pub fn new(kind: Kind, texts: SharedTexts) -> Self {
        Self { kind, inner: RwLock::default(), hashes: RandomState::new(), born: Instant::now(), texts }
    }

    fn write<R>(&self, f: impl FnOnce(&mut Inner) -> R) -> R {
        f(&mut self.inner.write().unwrap_or_else(PoisonError::into_inner))
    }

    fn read<R>(&self, f: impl FnOnce(&Inner) -> R) -> R {
        f(&self.inner.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Applies an update. Returns what changed.
    pub fn apply(&self, update: CacheUpdate, clock: &Clock) -> Vec<Change> {
        let changed = |old, new| Change { kind: self.kind, old, new };
        match update {
            CacheUpdate::Observed(object) => self.put(object, None, clock).into_iter().collect(),
            CacheUpdate::Answered(object, token) => {
                let path = path(object.namespace(), object.name());
                let version = object.version();
                let change = self.put(object, Some(token), clock);
                self.record_answer(&path, version);
                change.into_iter().collect()
            }
            CacheUpdate::Deleted(object) => {
                let path = path(object.namespace(), object.name());
                let old = self.write(|s| {
                    s.gone.remove(object.uid());
                    s.deletions.record(object.uid());
                    s.remove_if(&path, object.uid())
                });
                old.map(|old| changed(Some(old), None)).into_iter().collect()
            }
            CacheUpdate::Missing(namespace, name, token) => {
                let old = self.write(|s| {
                    let path = path(&namespace, &name);
                    // A later version, or another object of the name: the watch reports what becomes of it.
                    s.objects.get(path.as_str()).filter(|e| e.object.version == token.version)?;
                    let old = s.remove(&path)?;
                    s.gone.insert(old.uid.to_string());
                    Some(old)
                });
                old.map(|old| changed(Some(old), None)).into_iter().collect()
            }
            CacheUpdate::Gone(namespace, name, uid) => {
                let old = self.write(|s| {
                    let old = s.remove_if(&path(&namespace, &name), &uid)?;
                    s.gone.insert(uid);
                    Some(old)
                });
                old.map(|old| changed(Some(old), None)).into_iter().collect()
            }
            CacheUpdate::ListStarted => {
                self.write(|s| s.list += 1);
                Vec::new()
            }
            CacheUpdate::ListCompleted => {
                self.complete_list().into_iter().map(|old| changed(Some(old), None)).collect()
            }
        }
    }

    fn put(&self, object: TrimmedObject, token: Option<ReadToken>, clock: &Clock) -> Option<Change> {
        let path = path(object.namespace(), object.name());
        // Most events repeat the answer to a write of the operator's own: they are dropped unread.
        if self.write(|s| s.is_known(&path, object.uid(), object.version(), token)) {
            return None;
        }
        let object = Object::new(self.kind, object, clock, &self.texts);
        let keys = (self.kind.spec().index)(&object);
        let index: Box<[u64]> = keys.iter().map(|key| self.hashes.hash_one(key)).collect();
        self.write(|s| {
            if s.is_known(&path, &object.uid, object.version, token) {
                return None;
            }
            let known = s.objects.get_key_value(path.as_str());
            let (path, before) = known.map_or_else(|| (path.into(), 0), |(p, e)| (p.clone(), e.list));
            let list = before.max(s.list_of(token));
            let old = s.remove(&path);
            let object = Arc::new(object.sharing(path.clone()));
            s.index.extend(index.iter().map(|hash| (*hash, path.clone())));
            s.objects.insert(path, Entry { object: object.clone(), list, answered: 0, index });
            Some(Change { kind: self.kind, old, new: Some(object) })
        })
    }

    fn complete_list(&self) -> Vec<Arc<Object>> {
        self.write(|s| {
            s.gone.clear();
            (s.applied_list, s.completed_list) = (s.list, s.list);
            s.synced = true;
            let list = s.list;
            let lost = s.objects.iter().filter(|(_, e)| e.list < list).map(|(path, _)| path.clone());
            let lost: Vec<Arc<str>> = lost.collect();
            lost.iter().filter_map(|path| s.remove(path)).collect()
        })
    }

    /// A request about an object begins, whose answer will be applied.
    pub fn begin_read(&self, namespace: &str, name: &str) -> ReadToken {
        self.write(|s| {
            let known = s.objects.get(path(namespace, name).as_str());
            let version = known.map_or(0, |e| e.object.version);
            ReadToken { list: s.applied_list, deletions: s.deletions.begin(), version }
        })
    }

    /// The request has ended, answered or not.
    pub fn end_read(&self, token: ReadToken) {
        self.write(|s| s.deletions.end(token.deletions));
    }

    fn record_answer(&self, path: &str, version: u64) {
        let second = self.second();
        self.write(|s| {
            if let Some(entry) = s.objects.get_mut(path).filter(|e| e.object.version == version) {
                entry.answered = second;
            }
        });
    }

    /// Returns true if the API server itself answered with the cached version, in this second or the last
    /// (`docs/decisions/0047-*`).
    pub fn is_recent_answer(&self, namespace: &str, name: &str) -> bool {
        let second = self.second();
        self.read(|s| {
            let entry = s.objects.get(path(namespace, name).as_str());
            entry.is_some_and(|e| e.answered > 0 && e.answered + 1 >= second)
        })
    }

    /// Second of the store's lifetime, counted from one.
    fn second(&self) -> u32 {
        u32::try_from(self.born.elapsed().as_secs()).unwrap_or(u32::MAX - 2) + 1
    }

    /// Returns true once the first list is complete.
    pub fn is_synced(&self) -> bool {
        self.read(|s| s.synced)
    }

    /// One object.
    pub fn get(&self, namespace: &str, name: &str) -> Option<Arc<Object>> {
        self.read(|s| s.objects.get(path(namespace, name).as_str()).map(|e| e.object.clone()))
    }

    /// The objects of an index key, in order of namespace and name.
    pub fn find(&self, key: &IndexKey) -> Vec<Arc<Object>> {
        let hash = self.hashes.hash_one(key);
        let empty: Arc<str> = "".into();
        self.read(|s| {
            let from = s.index.range((hash, empty)..).take_while(|(h, _)| *h == hash);
            from.filter_map(|(_, path)| s.objects.get(path)).map(|e| e.object.clone()).collect()
        })
    }

    /// Everything in a namespace, in order of name.
    pub fn in_namespace(&self, namespace: &str) -> Vec<Arc<Object>> {
        let from = path(namespace, "");
        self.read(|s| {
            let on = s.objects.range::<str, _>((Bound::Included(from.as_str()), Bound::Unbounded));
            let inside = on.take_while(|(path, _)| path.starts_with(from.as_str()));
            inside.map(|(_, e)| e.object.clone()).collect()
        })
    }

    /// Everything, in order of namespace and name. The lock is held for one object at a time, and what is applied meanwhile may
    /// be missed: it is reported by itself.
    pub fn walk(&self) -> impl Iterator<Item = Arc<Object>> + '_ {
        let mut before: Arc<str> = "".into();
        std::iter::from_fn(move || {
            let (path, object) = self.read(|s| {
                let behind = (Bound::Excluded(&*before), Bound::Unbounded);
                let (path, entry) = s.objects.range::<str, _>(behind).next()?;
                Some((path.clone(), entry.object.clone()))
            })?;
            before = path;
            Some(object)
        })
    }

    /// Everything, in order of namespace and name.
    pub fn all(&self) -> Vec<Arc<Object>> {
        self.read(|s| s.objects.values().map(|e| e.object.clone()).collect())
    }

    /// Number of objects, and the bytes of their JSON.
    pub fn size(&self) -> (usize, usize) {
        self.read(|s| (s.objects.len(), s.objects.values().map(|e| e.object.size()).sum()))
    }

    /// Number of deletions and requests that are remembered for answers under way.
    #[cfg(test)]
    pub fn remembered(&self) -> usize {
        self.read(|s| s.deletions.remembered())
    }
}

#[cfg(test)]
mod tests;
