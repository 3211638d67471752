//! What is asked for while the watch goes on: an answer tells how things stood when it was given, and much may have been
//! taken in by the time it arrives.
//!
//! That an object is not there says something only of the object that was known when it was asked for: one that came
//! meanwhile is there. And that an object is there says nothing once the watch has told of its deletion, or once a list has been
//! complete that would have named it (`docs/decisions/0054-answers-arrive-late.md`).

use std::collections::{BTreeMap, VecDeque};

use super::{Changed, Held, Name, Store, path};

/// When something was asked for, by what the watch had told by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Since {
    /// The last list of which a page had come.
    pub(super) list: u32,
    /// How many deletions it had told of.
    deletions: u64,
    /// The version by which the object was known; zero where it was not.
    version: u64,
}

/// What the watch said was deleted, as long as an answer that was asked for before may still arrive.
#[derive(Debug, Default)]
pub(super) struct Deletions {
    count: u64,
    /// How many requests are under way, by the count at which they began.
    under_way: BTreeMap<u64, usize>,
    /// UIDs, with the count that each of them made, in order.
    uids: VecDeque<(u64, String)>,
}

impl Deletions {
    /// The watch says that the object of this UID was deleted.
    pub(super) fn note(&mut self, uid: &str) {
        self.count += 1;
        if !self.under_way.is_empty() {
            self.uids.push_back((self.count, uid.to_owned()));
        }
    }

    /// Whether the object of this UID was deleted since.
    pub(super) fn tell_of(&self, uid: &str, since: Since) -> bool {
        self.uids.iter().rev().take_while(|(n, _)| *n > since.deletions).any(|(_, deleted)| deleted == uid)
    }

    fn begin(&mut self) -> u64 {
        *self.under_way.entry(self.count).or_default() += 1;
        self.count
    }

    fn end(&mut self, begun: u64) {
        if let Some(n) = self.under_way.get_mut(&begun) {
            *n -= 1;
            if *n == 0 {
                self.under_way.remove(&begun);
            }
        }
        let oldest = self.under_way.keys().next().copied().unwrap_or(self.count);
        while self.uids.front().is_some_and(|(n, _)| *n <= oldest) {
            self.uids.pop_front();
        }
    }
}

impl<T: Held> Store<T> {
    /// A request about an object begins, whose answer is to be taken in.
    pub fn begin_asking(&self, namespace: &str, name: &str) -> Since {
        self.write(|s| {
            let known = s.names.get(path(namespace, name).as_str()).and_then(|id| s.slot(*id));
            let version = known.map_or(0, |slot| slot.version);
            Since { list: s.listed, deletions: s.deletions.begin(), version }
        })
    }

    /// It has ended, answered or not.
    pub fn end_asking(&self, since: Since) {
        self.write(|s| s.deletions.end(since.deletions));
    }

    /// The API server answered that there is none: the object that was known when it was asked for is gone. Another one, or
    /// a later version of it, came meanwhile: of what became of that, the watch tells.
    pub fn absent(&self, name: &Name, since: Since) -> Option<Changed<T>> {
        self.write(|s| {
            let path = path(&name.0, &name.1);
            let slot = s.names.get(path.as_str()).and_then(|id| s.slot(*id))?;
            if slot.version != since.version {
                return None;
            }
            let old = self.take(s, &path)?;
            s.gone.insert(old.uid().to_owned());
            Some(Changed { old: Some(old), new: None })
        })
    }

    /// The API server itself answered with this version, to a read or to a write of ours.
    pub fn answered(&self, namespace: &str, name: &str, version: u64) {
        let second = self.second();
        self.write(|s| {
            let id = s.names.get(path(namespace, name).as_str()).copied();
            if let Some(slot) = id.and_then(|id| s.slot_mut(id)).filter(|slot| slot.version == version) {
                slot.answered = second;
            }
        });
    }

    /// Whether the API server itself answered with what is known, this second or the last.
    pub fn answered_just_now(&self, namespace: &str, name: &str) -> bool {
        let second = self.second();
        self.read(|s| {
            let id = s.names.get(path(namespace, name).as_str()).copied();
            id.and_then(|id| s.slot(id)).is_some_and(|slot| slot.answered > 0 && slot.answered + 1 >= second)
        })
    }

    /// Which second of the store's life this is, from one on.
    fn second(&self) -> u32 {
        u32::try_from(self.born.elapsed().as_secs()).unwrap_or(u32::MAX - 2) + 1
    }

    /// How many deletions are remembered for requests that are under way, and how many of these there are.
    #[cfg(test)]
    pub fn remembered(&self) -> usize {
        self.read(|s| s.deletions.uids.len() + s.deletions.under_way.len())
    }
}
