//! A lane for each department; lanes take turns.

use std::collections::{HashMap, VecDeque};

use super::Key;

/// Keys by the namespace that they were filed in.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    of: HashMap<String, VecDeque<Key>>,
    turns: VecDeque<String>,
}

impl Lanes {
    /// Puts a key at the end of its lane.
    pub(super) fn push(&mut self, key: Key) {
        self.lane(&key).push_back(key);
    }

    /// Puts a key at the head of its lane.
    pub(super) fn push_next(&mut self, key: Key) {
        self.lane(&key).push_front(key);
    }

    fn lane(&mut self, key: &Key) -> &mut VecDeque<Key> {
        let lane = self.of.entry(key.namespace().to_owned()).or_default();
        if lane.is_empty() {
            self.turns.push_back(key.namespace().to_owned());
        }
        lane
    }

    /// Takes the first key that still `waits` of the next lane that is `free`; lanes that are not keep their turn.
    pub(super) fn pop(&mut self, free: impl Fn(&str) -> bool, waits: impl Fn(&Key) -> bool) -> Option<Key> {
        let mut at = 0;
        while let Some(name) = self.turns.get(at) {
            if !free(name) {
                at += 1;
                continue;
            }
            let lane = self.of.get_mut(name)?;
            while lane.front().is_some_and(|key| !waits(key)) {
                lane.pop_front();
            }
            let key = lane.pop_front();
            let empty = lane.is_empty();
            let name = self.turns.remove(at)?;
            if empty {
                self.of.remove(&name);
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
