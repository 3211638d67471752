//! One kind's image of the cluster: what the watch says, and what our own writes answered, whichever is newer.
//!
//! Reading one's own writes is what keeps a second look from writing again (S9, S11). A write's answer
//! enters here at once; a watch event that is older than what is here is dropped.
//!
//! What is not being worked on is held packed ([`packed`]): a cloud has thousands of records, of which a few
//! are looked at in any minute. The last ones that were looked at are held as they are as well.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

mod packed;

use packed::{Dictionary, Packed};

/// Namespace (empty if cluster-scoped) and name.
pub type Name = (String, String);

/// Objects of one kind that are held unpacked beside their packed form.
const HOT: usize = 64;

/// What a store needs to know of what it holds.
pub trait Held: Send + Sync + Sized + 'static {
    /// Namespace and name.
    fn name(&self) -> Name;
    /// UID.
    fn uid(&self) -> &str;
    /// resourceVersion; comparable as a number since Kubernetes 1.35, and in practice before.
    fn version(&self) -> u64;
    /// Words to find it by.
    fn tags(&self) -> Vec<String>;
    /// Gives away the bytes that it can be made of again.
    fn pack(&mut self) -> Vec<u8>;
    /// Makes it of the bytes that [`Held::pack`] gave.
    fn unpack(bytes: &[u8]) -> Self;
}

#[derive(Debug)]
struct Slot {
    key: Arc<str>,
    packed: Packed,
    version: u64,
    epoch: u32,
}

/// The objects that were looked at last.
#[derive(Debug)]
struct Hot<T> {
    held: HashMap<u32, Arc<T>>,
    order: VecDeque<u32>,
}

impl<T: Held> Hot<T> {
    fn hold(&mut self, id: u32, object: &Arc<T>) {
        if self.held.insert(id, object.clone()).is_none() {
            self.order.push_back(id);
            if self.order.len() > HOT
                && let Some(oldest) = self.order.pop_front()
            {
                self.held.remove(&oldest);
            }
        }
    }

    fn let_go(&mut self, id: u32) {
        if self.held.remove(&id).is_some() {
            self.order.retain(|i| *i != id);
        }
    }
}

#[derive(Debug)]
struct Inner {
    names: BTreeMap<Arc<str>, u32>,
    slots: Vec<Option<Slot>>,
    free: Vec<u32>,
    /// Hash of a tag, and what bears it. What is found is asked whether it really does.
    by_tag: BTreeSet<(u64, u32)>,
    gone: HashSet<String>,
    dictionary: Dictionary,
    epoch: u32,
    synced: bool,
}

/// One kind's image of the cluster.
#[derive(Debug)]
pub struct Store<T> {
    inner: RwLock<Inner>,
    hot: Mutex<Hot<T>>,
    hashes: RandomState,
}

impl<T> Default for Store<T> {
    fn default() -> Self {
        Self {
            inner: RwLock::new(Inner {
                names: BTreeMap::new(),
                slots: Vec::new(),
                free: Vec::new(),
                by_tag: BTreeSet::new(),
                gone: HashSet::new(),
                dictionary: Dictionary::default(),
                epoch: 0,
                synced: false,
            }),
            hot: Mutex::new(Hot { held: HashMap::new(), order: VecDeque::new() }),
            hashes: RandomState::new(),
        }
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

/// Namespace and name as one key: in the order of namespaces, and of names within one.
fn key(namespace: &str, name: &str) -> String {
    format!("{namespace}\0{name}")
}

impl Inner {
    fn slot(&self, id: u32) -> Option<&Slot> {
        self.slots.get(id as usize)?.as_ref()
    }

    fn slot_mut(&mut self, id: u32) -> Option<&mut Slot> {
        self.slots.get_mut(id as usize)?.as_mut()
    }

    fn insert(&mut self, slot: Slot) -> u32 {
        let id = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        self.names.insert(slot.key.clone(), id);
        self.slots[id as usize] = Some(slot);
        id
    }
}

impl<T: Held> Store<T> {
    fn write<R>(&self, f: impl FnOnce(&mut Inner) -> R) -> R {
        f(&mut self.inner.write().unwrap_or_else(PoisonError::into_inner))
    }

    fn read<R>(&self, f: impl FnOnce(&Inner) -> R) -> R {
        f(&self.inner.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn hot(&self) -> MutexGuard<'_, Hot<T>> {
        self.hot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The object in a slot: as it is held, else unpacked. The store is locked meanwhile.
    fn object(&self, inner: &Inner, id: u32) -> Option<Arc<T>> {
        if let Some(object) = self.hot().held.get(&id) {
            return Some(object.clone());
        }
        let slot = inner.slot(id)?;
        Some(Arc::new(T::unpack(&inner.dictionary.unpack(&slot.packed))))
    }

    /// Whether something at least as new is known; the watch's list then knows of it as well.
    pub fn knows(&self, namespace: &str, name: &str, uid: &str, version: u64) -> bool {
        self.write(|s| {
            let epoch = s.epoch;
            let Some(id) = s.names.get(key(namespace, name).as_str()).copied() else {
                return s.gone.contains(uid);
            };
            match s.slot_mut(id) {
                Some(slot) if slot.version >= version => {
                    slot.epoch = epoch;
                    true
                }
                _ => s.gone.contains(uid),
            }
        })
    }

    /// Takes in an object from the watch, a read or a write's answer. `None` if nothing newer was learnt.
    pub fn put(&self, mut object: T) -> Option<Changed<T>> {
        let (namespace, name) = object.name();
        if self.knows(&namespace, &name, object.uid(), object.version()) {
            return None;
        }
        let bytes = object.pack();
        let object = Arc::new(object);
        self.write(|s| {
            let epoch = s.epoch;
            let key = key(&namespace, &name);
            if let Some(id) = s.names.get(key.as_str()).copied()
                && let Some(slot) = s.slot_mut(id)
                && slot.version >= object.version()
            {
                slot.epoch = epoch;
                return None;
            }
            let old = self.take(s, &key);
            let packed = s.dictionary.pack(&bytes);
            let id = s.insert(Slot { key: key.into(), packed, version: object.version(), epoch });
            for tag in object.tags() {
                s.by_tag.insert((self.hashes.hash_one(&tag), id));
            }
            self.hot().hold(id, &object);
            Some(Changed { old, new: Some(object) })
        })
    }

    fn take(&self, s: &mut Inner, key: &str) -> Option<Arc<T>> {
        let id = s.names.get(key).copied()?;
        let object = self.object(s, id)?;
        for tag in object.tags() {
            s.by_tag.remove(&(self.hashes.hash_one(&tag), id));
        }
        s.names.remove(key);
        s.slots[id as usize] = None;
        s.free.push(id);
        self.hot().let_go(id);
        Some(object)
    }

    /// The watch says that an object is gone.
    pub fn deleted(&self, object: &T) -> Option<Changed<T>> {
        let (namespace, name) = object.name();
        self.write(|s| {
            s.gone.remove(object.uid());
            self.take_if(s, &key(&namespace, &name), object.uid())
        })
    }

    /// A read or a delete's answer says that the object of this UID is gone.
    pub fn gone(&self, name: &Name, uid: &str) -> Option<Changed<T>> {
        self.write(|s| {
            let changed = self.take_if(s, &key(&name.0, &name.1), uid)?;
            s.gone.insert(uid.to_owned());
            Some(changed)
        })
    }

    fn take_if(&self, s: &mut Inner, key: &str, uid: &str) -> Option<Changed<T>> {
        let id = s.names.get(key).copied()?;
        if self.object(s, id)?.uid() != uid {
            return None;
        }
        self.take(s, key).map(|old| Changed { old: Some(old), new: None })
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
            let old =
                s.slots.iter().flatten().filter(|slot| slot.epoch < s.epoch).map(|slot| slot.key.clone());
            let old: Vec<Arc<str>> = old.collect();
            old.iter().filter_map(|k| self.take(s, k)).map(|o| Changed { old: Some(o), new: None }).collect()
        })
    }

    /// Whether the first list is complete.
    pub fn synced(&self) -> bool {
        self.read(|s| s.synced)
    }

    /// One object.
    pub fn get(&self, namespace: &str, name: &str) -> Option<Arc<T>> {
        self.read(|s| {
            let id = s.names.get(key(namespace, name).as_str()).copied()?;
            let object = self.object(s, id)?;
            self.hot().hold(id, &object);
            Some(object)
        })
    }

    /// Everything under a tag, in order of name.
    pub fn tagged(&self, tag: &str) -> Vec<Arc<T>> {
        let mut found: Vec<Arc<T>> = self.read(|s| {
            let ids = Self::ids(s, self.hashes.hash_one(tag));
            ids.filter_map(|id| self.object(s, id)).filter(|o| o.tags().iter().any(|t| t == tag)).collect()
        });
        found.sort_by_cached_key(|object| object.name());
        found
    }

    /// The names of everything under a tag, in order; without unpacking anything.
    pub fn names_tagged(&self, tag: &str) -> Vec<Name> {
        let mut keys: Vec<Name> = self.read(|s| {
            let ids = Self::ids(s, self.hashes.hash_one(tag));
            ids.filter_map(|id| s.slot(id)).filter_map(|slot| split(&slot.key)).collect()
        });
        keys.sort();
        keys
    }

    fn ids(s: &Inner, hash: u64) -> impl Iterator<Item = u32> {
        s.by_tag.range((hash, 0)..=(hash, u32::MAX)).map(|(_, id)| *id)
    }

    /// Everything in a namespace, in order of name.
    pub fn within(&self, namespace: &str) -> Vec<Arc<T>> {
        let from = key(namespace, "");
        self.read(|s| {
            let ids = s
                .names
                .range::<str, _>((Bound::Included(from.as_str()), Bound::Unbounded))
                .take_while(|(k, _)| k.starts_with(&from));
            ids.filter_map(|(_, id)| self.object(s, *id)).collect()
        })
    }

    /// Everything, in order of name. Each object is unpacked when it is asked for, and not held.
    pub fn all(&self) -> impl Iterator<Item = Arc<T>> {
        self.names().into_iter().filter_map(|(namespace, name)| self.peek(&key(&namespace, &name)))
    }

    /// The names of everything, in order; without unpacking anything.
    pub fn names(&self) -> Vec<Name> {
        self.read(|s| s.names.keys().filter_map(|k| split(k)).collect())
    }

    /// The key and the version of everything, in order of name; without unpacking anything.
    pub fn versions(&self) -> Vec<(Arc<str>, u64)> {
        self.read(|s| {
            let slots = s.names.values().filter_map(|id| s.slot(*id));
            slots.map(|slot| (slot.key.clone(), slot.version)).collect()
        })
    }

    /// The object of a key that [`Store::versions`] gave. It is not held unpacked for having been looked at.
    pub fn peek(&self, key: &str) -> Option<Arc<T>> {
        self.read(|s| self.object(s, s.names.get(key).copied()?))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.read(|s| s.names.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Namespace and name of a key.
fn split(key: &str) -> Option<Name> {
    key.split_once('\0').map(|(namespace, name)| (namespace.to_owned(), name.to_owned()))
}

#[cfg(test)]
mod tests;
