//! What a store is made of: a slot for each object, found by name and by tag.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Bound;
use std::sync::Arc;

use super::Held;
use super::asked::{Deletions, Since};
use super::packed::{Packed, Packer};
use govcloud_domain::tenancy::Letter;

/// Slots that a store grows by.
const SLOTS: usize = 1024;

/// One object: its key, and what of it is held.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) key: Arc<str>,
    /// Nothing as long as it is warm and has not been packed.
    pub(super) packed: Option<Packed>,
    pub(super) version: u64,
    /// What it says, as one number.
    pub(super) letter: Letter,
    pub(super) epoch: u32,
    /// The second of the store's life in which the API server answered with this version; zero where only the watch
    /// told of it.
    pub(super) answered: u32,
}

/// All slots of a store, and the ways to them.
#[derive(Debug, Default)]
pub(super) struct Inner {
    pub(super) names: BTreeMap<Arc<str>, u32>,
    pub(super) slots: Vec<Option<Slot>>,
    pub(super) free: Vec<u32>,
    /// Hash of a tag, and what bears it. What is found is asked whether it really does.
    pub(super) by_tag: BTreeSet<(u64, u32)>,
    pub(super) gone: HashSet<String>,
    pub(super) packer: Packer,
    /// Bytes of all that is packed.
    pub(super) packed: usize,
    /// The list that was begun last.
    pub(super) epoch: u32,
    /// The last list of which something has come, so that what is asked for from now on is answered later than it.
    pub(super) listed: u32,
    /// The last list that was complete.
    pub(super) completed: u32,
    pub(super) deletions: Deletions,
    pub(super) synced: bool,
}

impl Inner {
    pub(super) fn slot(&self, id: u32) -> Option<&Slot> {
        self.slots.get(id as usize)?.as_ref()
    }

    /// The keys that begin so, in order, with their slots.
    pub(super) fn within<'a>(&'a self, from: &'a str) -> impl Iterator<Item = (&'a str, u32)> {
        let on = self.names.range::<str, _>((Bound::Included(from), Bound::Unbounded));
        on.map(|(key, id)| (&**key, *id)).take_while(move |(key, _)| key.starts_with(from))
    }

    pub(super) fn slot_mut(&mut self, id: u32) -> Option<&mut Slot> {
        self.slots.get_mut(id as usize)?.as_mut()
    }

    /// Whether news of an object tells nothing new; what the watch tells, its list then knows of as well.
    pub(super) fn knows(&mut self, path: &str, uid: &str, version: u64, since: Option<Since>) -> bool {
        if since.is_none() {
            self.listed = self.epoch;
        }
        let gone = self.gone.contains(uid) || since.is_some_and(|since| self.deletions.tell_of(uid, since));
        let listed = self.listed(since);
        let Some(id) = self.names.get(path).copied() else {
            // A list that was complete since would have named it, or the watch tells of it in a moment.
            return gone || listed < self.completed;
        };
        match self.slot_mut(id) {
            Some(slot) if slot.version >= version => {
                slot.epoch = slot.epoch.max(listed);
                true
            }
            _ => gone,
        }
    }

    /// The last list that is certainly older than news of an object, or that brings them.
    pub(super) fn listed(&self, since: Option<Since>) -> u32 {
        since.map_or(self.epoch, |since| since.list)
    }

    /// Packs what is in a slot, if it is not yet.
    pub(super) fn pack<T: Held>(&mut self, id: u32, object: &T) {
        if self.slot(id).is_some_and(|slot| slot.packed.is_none()) {
            let packed = self.packer.pack(&object.pack());
            self.packed += packed.len();
            if let Some(slot) = self.slot_mut(id) {
                slot.packed = Some(packed);
            }
        }
    }

    /// Moves names and tags into as few nodes as they need: what comes in one after the other in the order of its names
    /// leaves half of each node empty.
    pub(super) fn compact(&mut self) {
        self.names = std::mem::take(&mut self.names).into_iter().collect();
        self.by_tag = std::mem::take(&mut self.by_tag).into_iter().collect();
    }

    pub(super) fn insert(&mut self, slot: Slot) -> u32 {
        let id = self.free.pop().unwrap_or_else(|| {
            if self.slots.len() == self.slots.capacity() {
                // Not twice as many: a store grows to its size and stays there.
                self.slots.reserve_exact(SLOTS);
            }
            self.slots.push(None);
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        self.names.insert(slot.key.clone(), id);
        self.slots[id as usize] = Some(slot);
        id
    }
}
