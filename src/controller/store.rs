//! One kind's image of the cluster: what the watch says, and what our own writes answered, whichever is newer.
//!
//! Reading one's own writes is what keeps a second look from writing again (S9, S11). A write's answer
//! enters here at once; a watch event that is older than what is here is dropped.
//!
//! What is not being worked on is held packed ([`packed`]): a cloud has thousands of records, of which a few
//! are looked at in any minute. What came in or was looked at just now is held as it is ([`warm`]), and packed when it
//! has been left alone for a while: a record that is written of five times in a second is packed once.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

mod asked;
mod glimpse;
mod names;
mod packed;
mod slots;
mod warm;

pub use asked::Since;
pub use glimpse::Glimpse;
use names::named;
pub use names::{Name, path, split};
use slots::{Inner, Slot};
use warm::Warm;

use govcloud_domain::tenancy::Letter;

/// What a store needs to know of what it holds.
pub trait Held: Send + Sync + Sized + 'static {
    /// Namespace and name.
    fn name(&self) -> Name;
    /// UID.
    fn uid(&self) -> &str;
    /// resourceVersion; comparable as a number since Kubernetes 1.35, and in practice before.
    fn version(&self) -> u64;
    /// Words to find it by.
    fn tags(&self) -> &[String];
    /// What it says, as one number, where it is compared with what it should be.
    fn letter(&self) -> Letter {
        Letter::default()
    }
    /// The bytes that it can be made of again.
    fn pack(&self) -> Vec<u8>;
    /// Makes it of the bytes that [`Held::pack`] gave.
    fn unpack(bytes: &[u8]) -> Self;
}

/// One kind's image of the cluster.
#[derive(Debug)]
pub struct Store<T> {
    inner: RwLock<Inner>,
    warm: Mutex<Warm<T>>,
    hashes: RandomState,
    born: Instant,
}

impl<T> Default for Store<T> {
    fn default() -> Self {
        Self {
            inner: RwLock::default(),
            warm: Mutex::default(),
            hashes: RandomState::new(),
            born: Instant::now(),
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

impl<T: Held> Store<T> {
    fn write<R>(&self, f: impl FnOnce(&mut Inner) -> R) -> R {
        f(&mut self.inner.write().unwrap_or_else(PoisonError::into_inner))
    }

    fn read<R>(&self, f: impl FnOnce(&Inner) -> R) -> R {
        f(&self.inner.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn warm(&self) -> MutexGuard<'_, Warm<T>> {
        self.warm.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The object in a slot: as it is held, else unpacked. The store is locked meanwhile.
    fn object(&self, inner: &Inner, id: u32) -> Option<Arc<T>> {
        if let Some(object) = self.warm().get(id) {
            return Some(object);
        }
        let packed = inner.slot(id)?.packed.as_ref()?;
        Some(Arc::new(T::unpack(&inner.packer.dictionary().unpack(packed))))
    }

    /// Whether news of an object tells nothing new: something at least as new is known, or it is gone. `since` is when it
    /// was asked for; nothing where the watch tells of it.
    pub fn knows(&self, namespace: &str, name: &str, uid: &str, version: u64, since: Option<Since>) -> bool {
        self.write(|s| s.knows(&path(namespace, name), uid, version, since))
    }

    /// Takes in an object that the watch told of, or that was answered to what was asked `since` then. `None` if nothing
    /// newer was learnt.
    pub fn put(&self, object: T, since: Option<Since>) -> Option<Changed<T>> {
        let (namespace, name) = object.name();
        let path = path(&namespace, &name);
        if self.write(|s| s.knows(&path, object.uid(), object.version(), since)) {
            return None;
        }
        // Read of its text before the store is locked.
        let letter = object.letter();
        let object = Arc::new(object);
        self.write(|s| {
            if s.knows(&path, object.uid(), object.version(), since) {
                return None;
            }
            // What is known by this name already goes on under the same text, which timers share.
            let known = s.names.get_key_value(path.as_str()).map(|(known, _)| known.clone());
            let before = s.names.get(path.as_str()).and_then(|id| s.slot(*id)).map_or(0, |slot| slot.epoch);
            let epoch = before.max(s.listed(since));
            let old = self.take(s, &path);
            let id = s.insert(Slot {
                key: known.unwrap_or_else(|| path.into()),
                packed: None,
                version: object.version(),
                letter,
                epoch,
                answered: 0,
            });
            for tag in object.tags() {
                s.by_tag.insert((self.hashes.hash_one(tag), id));
            }
            if !s.synced {
                // The first list brings everything there is; nobody looks at it before it is complete.
                s.pack(id, &*object);
            } else if let Some((cold, object)) = self.warm().hold(id, &object) {
                s.pack(cold, &*object);
            }
            Some(Changed { old, new: Some(object) })
        })
    }

    fn take(&self, s: &mut Inner, key: &str) -> Option<Arc<T>> {
        let id = s.names.get(key).copied()?;
        let object = self.object(s, id)?;
        for tag in object.tags() {
            s.by_tag.remove(&(self.hashes.hash_one(tag), id));
        }
        s.names.remove(key);
        let packed = s.slots[id as usize].take().and_then(|slot| slot.packed);
        s.packed -= packed.map_or(0, |p| p.len());
        s.free.push(id);
        self.warm().let_go(id);
        Some(object)
    }

    /// The watch says that an object is gone.
    pub fn deleted(&self, object: &T) -> Option<Changed<T>> {
        let (namespace, name) = object.name();
        self.write(|s| {
            s.gone.remove(object.uid());
            s.deletions.note(object.uid());
            self.take_if(s, &path(&namespace, &name), object.uid())
        })
    }

    /// The API server answered that the object of this UID is gone.
    pub fn gone(&self, name: &Name, uid: &str) -> Option<Changed<T>> {
        self.write(|s| {
            let changed = self.take_if(s, &path(&name.0, &name.1), uid)?;
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
            s.gone.clear();
            (s.listed, s.completed) = (s.epoch, s.epoch);
            if !std::mem::replace(&mut s.synced, true) {
                s.compact();
            }
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
            let id = s.names.get(path(namespace, name).as_str()).copied()?;
            self.looked_at(s, id)
        })
    }

    /// The object in a slot, which is held as it is from now on for a while.
    fn looked_at(&self, s: &Inner, id: u32) -> Option<Arc<T>> {
        let object = self.object(s, id)?;
        self.warm().touch(id, &object);
        Some(object)
    }

    /// Packs what was not looked at since the time before the last, and gives back what it was packed with. To be called
    /// now and then.
    pub fn cool(&self) {
        let cold = self.warm().next_round();
        for id in cold {
            self.write(|s| {
                if let Some(object) = self.warm().let_go_if_cold(id) {
                    s.pack(id, &*object);
                }
            });
        }
        self.write(|s| s.packer.rest());
    }

    /// Everything under a tag, in order of name.
    pub fn tagged(&self, tag: &str) -> Vec<Arc<T>> {
        let mut found: Vec<Arc<T>> = self.read(|s| {
            let ids = Self::ids(s, self.hashes.hash_one(tag));
            ids.filter_map(|id| self.looked_at(s, id)).filter(|o| o.tags().iter().any(|t| t == tag)).collect()
        });
        found.sort_by_cached_key(|object| object.name());
        found
    }

    /// The names of everything under a tag, in order; without unpacking anything.
    pub fn names_tagged(&self, tag: &str) -> Vec<Name> {
        self.paths_tagged(tag).iter().filter_map(|path| named(path)).collect()
    }

    /// The same as paths, which are those that the store has.
    pub fn paths_tagged(&self, tag: &str) -> Vec<Arc<str>> {
        let mut paths: Vec<Arc<str>> = self.read(|s| {
            let ids = Self::ids(s, self.hashes.hash_one(tag));
            ids.filter_map(|id| s.slot(id)).map(|slot| slot.key.clone()).collect()
        });
        paths.sort();
        paths
    }

    /// The key and the version of everything under a tag, in order of name; without unpacking anything.
    pub fn versions_tagged(&self, tag: &str) -> Vec<(Arc<str>, u64)> {
        let mut versions: Vec<(Arc<str>, u64)> = self.read(|s| {
            let slots = Self::ids(s, self.hashes.hash_one(tag)).filter_map(|id| s.slot(id));
            slots.map(|slot| (slot.key.clone(), slot.version)).collect()
        });
        versions.sort();
        versions
    }

    fn ids(s: &Inner, hash: u64) -> impl Iterator<Item = u32> {
        s.by_tag.range((hash, 0)..=(hash, u32::MAX)).map(|(_, id)| *id)
    }

    /// Everything in a namespace, in order of name.
    pub fn within(&self, namespace: &str) -> Vec<Arc<T>> {
        let from = path(namespace, "");
        self.read(|s| s.within(&from).filter_map(|(_, id)| self.looked_at(s, id)).collect())
    }

    /// Everything in a namespace, in order of name; without unpacking anything.
    pub fn glimpses(&self, namespace: &str) -> Vec<Glimpse<T>> {
        let from = path(namespace, "");
        let glimpse = |s: &Inner, name: &str, id: u32| {
            let slot = s.slot(id)?;
            let (name, letter) = (name.to_owned(), slot.letter);
            if let Some(object) = self.warm().get(id) {
                return Some(Glimpse::of(name, letter, object));
            }
            Some(Glimpse::of_packed(name, letter, slot.packed.clone()?, s.packer.dictionary().clone()))
        };
        self.read(|s| s.within(&from).filter_map(|(key, id)| glimpse(s, &key[from.len()..], id)).collect())
    }

    /// Everything, in order of name. Each object is unpacked when it is asked for, and not held.
    pub fn all(&self) -> impl Iterator<Item = Arc<T>> {
        self.paths().into_iter().filter_map(|path| self.peek(&path))
    }

    /// The names of everything, in order; without unpacking anything.
    pub fn names(&self) -> Vec<Name> {
        self.read(|s| s.names.keys().filter_map(|path| named(path)).collect())
    }

    /// The same as paths, which are those that the store has.
    pub fn paths(&self) -> Vec<Arc<str>> {
        self.read(|s| s.names.keys().cloned().collect())
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

    /// Bytes of all that is held packed, and of what it is packed against.
    pub fn packed_bytes(&self) -> usize {
        self.read(|s| s.packed + s.packer.dictionary().len())
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

#[cfg(test)]
mod tests;
