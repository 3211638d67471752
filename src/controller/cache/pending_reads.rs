//! Requests under way. An answer shows the cluster at the time at which it was given, and the watch may have gone on
//! since (`docs/decisions/0054-*`).
//!
//! A 404 is about the object that was known when the request began: one that came meanwhile exists. An answered object
//! counts for nothing once the watch has reported its deletion, or once a list completed that would have held it.

use std::collections::{BTreeMap, VecDeque};

/// State of a store when a request began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadToken {
    /// The last list of which a page had been applied.
    pub(super) list: u32,
    /// Deletions that the watch had reported.
    pub(super) deletions: u64,
    /// Version under which the object was known; zero where it was not.
    pub(super) version: u64,
}

/// Deletions reported by the watch, for as long as an older request is under way.
#[derive(Debug, Default)]
pub(super) struct Deletions {
    count: u64,
    /// Requests under way, by the count at which they began.
    pending: BTreeMap<u64, usize>,
    /// UIDs with the count of each, in order.
    uids: VecDeque<(u64, String)>,
}

impl Deletions {
    pub(super) fn record(&mut self, uid: &str) {
        self.count += 1;
        if !self.pending.is_empty() {
            self.uids.push_back((self.count, uid.to_owned()));
        }
    }

    /// Returns true if the object of this UID was deleted since the request began.
    pub(super) fn contains(&self, uid: &str, token: ReadToken) -> bool {
        self.uids.iter().rev().take_while(|(n, _)| *n > token.deletions).any(|(_, deleted)| deleted == uid)
    }

    /// A request begins.
    pub(super) fn begin(&mut self) -> u64 {
        *self.pending.entry(self.count).or_default() += 1;
        self.count
    }

    /// The request that began at this count has ended.
    pub(super) fn end(&mut self, begun: u64) {
        if let Some(n) = self.pending.get_mut(&begun) {
            *n -= 1;
            if *n == 0 {
                self.pending.remove(&begun);
            }
        }
        let oldest = self.pending.keys().next().copied().unwrap_or(self.count);
        while self.uids.front().is_some_and(|(n, _)| *n <= oldest) {
            self.uids.pop_front();
        }
    }

    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.uids.len() + self.pending.len()
    }
}
