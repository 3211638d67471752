//! One kind's image of the cluster: what the watch says, and what our own writes answered, whichever is newer.
//!
//! Reading one's own writes is what keeps a second look from writing again (S9, S11). A write's answer
//! enters here at once; a watch event that is older than what is here is dropped.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, RwLock};

/// Namespace (empty if cluster-scoped) and name.
pub type Name = (String, String);

/// What a store needs to know of what it holds.
pub trait Held: Send + Sync + 'static {
    /// Namespace and name.
    fn name(&self) -> Name;
    /// UID.
    fn uid(&self) -> &str;
    /// resourceVersion; comparable as a number since Kubernetes 1.35, and in practice before.
    fn version(&self) -> u64;
    /// Words to find it by.
    fn tags(&self) -> Vec<String>;
}

#[derive(Debug)]
struct Slot<T> {
    object: Arc<T>,
    epoch: u64,
}

#[derive(Debug)]
struct Inner<T> {
    slots: BTreeMap<Name, Slot<T>>,
    by_tag: HashMap<String, BTreeSet<Name>>,
    gone: HashSet<String>,
    epoch: u64,
    synced: bool,
}

/// One kind's image of the cluster.
#[derive(Debug)]
pub struct Store<T>(RwLock<Inner<T>>);

impl<T> Default for Store<T> {
    fn default() -> Self {
        Self(RwLock::new(Inner {
            slots: BTreeMap::new(),
            by_tag: HashMap::new(),
            gone: HashSet::new(),
            epoch: 0,
            synced: false,
        }))
    }
}

/// What a change to a store changed.
#[derive(Debug)]
pub struct Changed<T> {
    /// As it was.
    pub old: Option<Arc<T>>,
    /// As it is.
    pub new: Option<Arc<T>>,
}

impl<T: Held> Inner<T> {
    fn put(&mut self, object: Arc<T>) -> Option<Changed<T>> {
        if self.gone.contains(object.uid()) {
            return None;
        }
        let name = object.name();
        let epoch = self.epoch;
        if let Some(slot) = self.slots.get_mut(&name)
            && slot.object.version() >= object.version()
        {
            slot.epoch = epoch;
            return None;
        }
        let old = self.take(&name);
        for tag in object.tags() {
            self.by_tag.entry(tag).or_default().insert(name.clone());
        }
        self.slots.insert(name, Slot { object: object.clone(), epoch });
        Some(Changed { old, new: Some(object) })
    }

    fn take(&mut self, name: &Name) -> Option<Arc<T>> {
        let slot = self.slots.remove(name)?;
        for tag in slot.object.tags() {
            if let Some(names) = self.by_tag.get_mut(&tag) {
                names.remove(name);
                if names.is_empty() {
                    self.by_tag.remove(&tag);
                }
            }
        }
        Some(slot.object)
    }
}

impl<T: Held> Store<T> {
    fn write<R>(&self, f: impl FnOnce(&mut Inner<T>) -> R) -> R {
        f(&mut self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    fn read<R>(&self, f: impl FnOnce(&Inner<T>) -> R) -> R {
        f(&self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Takes in an object from the watch, a read or a write's answer. `None` if nothing newer was learnt.
    pub fn put(&self, object: T) -> Option<Changed<T>> {
        self.write(|s| s.put(Arc::new(object)))
    }

    /// The watch says that an object is gone.
    pub fn deleted(&self, object: &T) -> Option<Changed<T>> {
        self.write(|s| {
            s.gone.remove(object.uid());
            let current = s.slots.get(&object.name())?;
            if current.object.uid() != object.uid() {
                return None;
            }
            s.take(&object.name()).map(|old| Changed { old: Some(old), new: None })
        })
    }

    /// A read or a delete's answer says that the object of this UID is gone.
    pub fn gone(&self, name: &Name, uid: &str) -> Option<Changed<T>> {
        self.write(|s| {
            if s.slots.get(name)?.object.uid() != uid {
                return None;
            }
            s.gone.insert(uid.to_owned());
            s.take(name).map(|old| Changed { old: Some(old), new: None })
        })
    }

    /// The watch begins a new list.
    pub fn begin(&self) {
        self.write(|s| s.epoch += 1);
    }

    /// The watch's list is complete: what it did not name is gone.
    pub fn complete(&self) -> Vec<Changed<T>> {
        self.write(|s| {
            s.synced = true;
            s.gone.clear();
            let epoch = s.epoch;
            let old: Vec<Name> =
                s.slots.iter().filter(|(_, slot)| slot.epoch < epoch).map(|(n, _)| n.clone()).collect();
            old.iter().filter_map(|n| s.take(n)).map(|o| Changed { old: Some(o), new: None }).collect()
        })
    }

    /// Whether the first list is complete.
    pub fn synced(&self) -> bool {
        self.read(|s| s.synced)
    }

    /// One object.
    pub fn get(&self, namespace: &str, name: &str) -> Option<Arc<T>> {
        self.read(|s| s.slots.get(&(namespace.to_owned(), name.to_owned())).map(|s| s.object.clone()))
    }

    /// Everything under a tag, in order of name.
    pub fn tagged(&self, tag: &str) -> Vec<Arc<T>> {
        self.read(|s| {
            let names = s.by_tag.get(tag).into_iter().flatten();
            names.filter_map(|n| s.slots.get(n)).map(|s| s.object.clone()).collect()
        })
    }

    /// Everything in a namespace, in order of name.
    pub fn within(&self, namespace: &str) -> Vec<Arc<T>> {
        let from = (namespace.to_owned(), String::new());
        self.read(|s| {
            s.slots
                .range(from..)
                .take_while(|((ns, _), _)| ns == namespace)
                .map(|(_, s)| s.object.clone())
                .collect()
        })
    }

    /// Everything.
    pub fn all(&self) -> Vec<Arc<T>> {
        self.read(|s| s.slots.values().map(|s| s.object.clone()).collect())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.read(|s| s.slots.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Thing(&'static str, &'static str, u64, Vec<&'static str>);

    impl Held for Thing {
        fn name(&self) -> Name {
            ("ns".into(), self.0.into())
        }
        fn uid(&self) -> &str {
            self.1
        }
        fn version(&self) -> u64 {
            self.2
        }
        fn tags(&self) -> Vec<String> {
            self.3.iter().map(ToString::to_string).collect()
        }
    }

    #[test]
    fn an_older_watch_event_does_not_undo_our_own_write() {
        let s = Store::default();
        assert!(s.put(Thing("a", "u", 5, vec!["x"])).is_some());
        assert!(s.put(Thing("a", "u", 7, vec!["y"])).is_some(), "our write's answer");
        assert!(s.put(Thing("a", "u", 6, vec!["x"])).is_none(), "the watch lags behind");
        assert!(s.put(Thing("a", "u", 7, vec!["y"])).is_none(), "and catches up: no news");
        assert_eq!((s.tagged("x").len(), s.tagged("y").len()), (0, 1));
    }

    #[test]
    fn what_we_deleted_stays_gone_until_the_watch_says_so_too() {
        let s = Store::default();
        s.put(Thing("a", "u", 5, vec![]));
        assert!(s.gone(&("ns".into(), "a".into()), "u").is_some());
        assert!(s.put(Thing("a", "u", 6, vec![])).is_none());
        assert!(s.deleted(&Thing("a", "u", 6, vec![])).is_none());
        assert!(s.put(Thing("a", "v", 8, vec![])).is_some(), "another object of that name is news");
    }

    #[test]
    fn a_new_list_drops_what_it_does_not_name_but_keeps_what_was_written_meanwhile() {
        let s = Store::default();
        s.put(Thing("old", "1", 1, vec![]));
        s.put(Thing("kept", "2", 2, vec![]));
        s.begin();
        s.put(Thing("kept", "2", 2, vec![]));
        s.put(Thing("written", "3", 9, vec![]));
        let lost = s.complete();
        assert_eq!(lost.len(), 1);
        assert_eq!(s.len(), 2);
        assert!(s.synced());
    }
}
