//! One lane for each department; lanes take turns.

use std::collections::{HashMap, VecDeque};

use super::Key;

/// Keys by the namespace that they were filed in.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    lanes: HashMap<String, VecDeque<Key>>,
    turns: VecDeque<String>,
}

impl Lanes {
    /// Adds a key at the end of its lane.
    pub(super) fn push_back(&mut self, key: Key) {
        self.lane(&key).push_back(key);
    }

    /// Adds a key at the head of its lane.
    pub(super) fn push_front(&mut self, key: Key) {
        self.lane(&key).push_front(key);
    }

    fn lane(&mut self, key: &Key) -> &mut VecDeque<Key> {
        let lane = self.lanes.entry(key.namespace().to_owned()).or_default();
        if lane.is_empty() {
            self.turns.push_back(key.namespace().to_owned());
        }
        lane
    }

    /// Removes the first key that is still `queued` of the next lane that is `free`; other lanes keep their turn.
    pub(super) fn pop(&mut self, free: impl Fn(&str) -> bool, queued: impl Fn(&Key) -> bool) -> Option<Key> {
        let mut at = 0;
        while let Some(name) = self.turns.get(at) {
            if !free(name) {
                at += 1;
                continue;
            }
            let lane = self.lanes.get_mut(name)?;
            while lane.front().is_some_and(|key| !queued(key)) {
                lane.pop_front();
            }
            let key = lane.pop_front();
            let empty = lane.is_empty();
            let name = self.turns.remove(at)?;
            if empty {
                self.lanes.remove(&name);
            } else {
                self.turns.push_back(name);
            }
            if key.is_some() {
                return key;
            }
        }
        None
    }
}
