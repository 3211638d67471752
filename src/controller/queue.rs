//! The work queue: what is to be looked at, by whom and when.
//!
//! Fair between departments (S10): each filing namespace has a lane, lanes take turns, and none occupies more than
//! its share of the workers. What somebody did just now goes before what merely fell due: a midnight on which
//! thousands of deadlines end, or a new calendar, keeps nobody waiting. What the operator began it brings to its end
//! before it begins the next of the same department. A key is queued once, never runs twice at a time, and runs again if
//! it was touched while running.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use tokio::sync::Notify;

use super::clock::Clock;

mod lanes;
#[cfg(test)]
mod tests;

pub use crate::key::{Key, path, split_path};
use crate::kinds::Kind;
use lanes::Lanes;

/// Keys that are worked on at once, at most.
pub const WORKERS: usize = 32;

/// Of these, how many for one department while nobody else asks for anything.
const ALONE: usize = 8;

/// Of these, how many for one department while others ask as well: its bulk work goes on, and they find a worker free
/// and an API server that answers.
const SHARE: usize = 1;

/// How long a department counts as one that asks after it had a turn.
const ASKING: Duration = Duration::from_secs(10);

/// Of these, how many for what fell due, while the rest is kept for what is asked.
const DUE_AT_ONCE: usize = 16;

/// While both wait, one turn in so many is for what fell due.
const DUE_TURN: u64 = 4;

/// Keys that there is room for while none waits.
const ROOM: usize = 64;

/// How long what many exits change in a Region is gathered: it tells of the volumes that it keeps, all of which are
/// counted for that, and is written once for many of them.
const GATHER: SignedDuration = SignedDuration::from_secs(5);

/// Why a key is to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cause {
    /// A time was reached, or what many records rest on changed.
    Due,
    /// Somebody did something to this record.
    Asked,
}

#[derive(Debug, Default)]
struct State {
    asked: Lanes,
    due: Lanes,
    queued: HashMap<Key, (Instant, Cause)>,
    added: u64,
    taken: u64,
    running: HashMap<Key, Cause>,
    /// Not to be taken yet: their records are being written.
    held: HashSet<Key>,
    /// Touched while running or held.
    touched: HashSet<Key>,
    /// When each department last had a turn for what it asked, as long as that is not long ago.
    asking: HashMap<String, Instant>,
    /// Touched while running, and to be looked at a while later.
    gathered: HashSet<Key>,
    /// Touched, and waiting for others to touch them as well.
    gathering: HashSet<Key>,
    timers: BTreeSet<(Timestamp, Key)>,
    timer_of: BTreeMap<Key, Timestamp>,
}

/// Where in its lane a key is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// At its end.
    Last,
    /// At its head.
    Next,
}

impl State {
    fn add(&mut self, key: Key, cause: Cause, place: Place) {
        if self.running.contains_key(&key) || self.held.contains(&key) {
            self.touched.insert(key);
            return;
        }
        let since = match self.queued.get(&key) {
            Some((_, before)) if *before >= cause => return,
            Some((since, _)) => *since,
            None => {
                self.added += 1;
                Instant::now()
            }
        };
        // What waited as due and is asked for now keeps its old place as well: it is passed over there.
        self.queued.insert(key.clone(), (since, cause));
        let lanes = match cause {
            Cause::Asked => &mut self.asked,
            Cause::Due => &mut self.due,
        };
        match place {
            Place::Last => lanes.push(key),
            Place::Next => lanes.push_next(key),
        }
    }

    /// Adds a key that may wait for others to touch it as well.
    fn gather(&mut self, key: Key, now: Timestamp) {
        if self.running.contains_key(&key) {
            self.gathered.insert(key);
        } else if !self.queued.contains_key(&key) {
            self.set_timer(key.clone(), now.saturating_add(GATHER).unwrap_or(now));
            self.gathering.insert(key);
        }
    }

    /// How many keys wait: for a turn, or for others to touch them as well.
    fn waiting(&self) -> usize {
        self.queued.len() + self.gathering.len()
    }

    /// Sets a key's timer, unless it fires before anyway.
    fn set_timer(&mut self, key: Key, at: Timestamp) {
        if self.timer_of.get(&key).is_none_or(|before| at < *before) {
            self.clear_timer(&key);
            self.timer_of.insert(key.clone(), at);
            self.timers.insert((at, key));
        }
    }

    /// The next key, and how long it waited.
    fn take(&mut self) -> Option<(Key, Duration)> {
        let due_first = (self.taken + 1).is_multiple_of(DUE_TURN);
        let order = if due_first { [Cause::Due, Cause::Asked] } else { [Cause::Asked, Cause::Due] };
        let (key, cause) = order.into_iter().find_map(|cause| Some((self.of(cause)?, cause)))?;
        // A turn counts when it was taken: a worker that found nothing does not use up another's.
        self.taken += 1;
        if cause == Cause::Asked {
            self.asking.retain(|_, since| since.elapsed() < ASKING);
            self.asking.insert(key.namespace().to_owned(), Instant::now());
        }
        let since = self.queued.remove(&key);
        if self.queued.is_empty() {
            // A start queues everything there is, once.
            self.queued.shrink_to(ROOM);
        }
        self.running.insert(key.clone(), cause);
        Some((key, since.map_or(Duration::ZERO, |(s, _)| s.elapsed())))
    }

    /// The next key of a cause, of a department that has not got its share.
    fn of(&mut self, cause: Cause) -> Option<Key> {
        let due = self.running.values().filter(|c| **c == Cause::Due).count();
        if cause == Cause::Due && due >= DUE_AT_ONCE {
            return None;
        }
        let mut shares: HashMap<&str, usize> = HashMap::new();
        for key in self.running.keys() {
            *shares.entry(key.namespace()).or_default() += 1;
        }
        let others = |lane: &str| self.asking.iter().any(|(l, at)| l != lane && at.elapsed() < ASKING);
        let share = |lane: &str| if others(lane) { SHARE } else { ALONE };
        let free = |lane: &str| shares.get(lane).is_none_or(|n| *n < share(lane));
        let waits = |key: &Key| self.queued.get(key).is_some_and(|(_, c)| *c == cause);
        match cause {
            Cause::Asked => self.asked.pop(free, waits),
            Cause::Due => self.due.pop(free, waits),
        }
    }

    fn stats(&self) -> QueueStats {
        let oldest = self.queued.values().map(|(since, _)| *since).min();
        QueueStats {
            length: self.waiting(),
            running: self.running.len(),
            timers: self.timers.len(),
            added: self.added,
            oldest: oldest.map_or(Duration::ZERO, |since| since.elapsed()),
        }
    }

    fn clear_timer(&mut self, key: &Key) {
        self.gathering.remove(key);
        if let Some((key, at)) = self.timer_of.remove_entry(key) {
            self.timers.remove(&(at, key));
        }
    }

    fn fire(&mut self, now: Timestamp) {
        while let Some((at, _)) = self.timers.first() {
            if *at > now {
                break;
            }
            if let Some((_, key)) = self.timers.pop_first() {
                self.timer_of.remove(&key);
                self.gathering.remove(&key);
                self.add(key, Cause::Due, Place::Last);
            }
        }
    }
}

/// How the queue stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueStats {
    /// Keys that wait for their turn.
    pub length: usize,
    /// Keys that are worked on.
    pub running: usize,
    /// Keys that are due again at some later time.
    pub timers: usize,
    /// Keys added since the beginning.
    pub added: u64,
    /// How long the key that waits longest has waited; zero where none waits.
    pub oldest: Duration,
}

/// The work queue.
#[derive(Debug)]
pub struct Queue {
    /// How long keys waited for their turn, in seconds.
    pub waits: Histogram,
    state: Mutex<State>,
    changed: Notify,
    clock: Clock,
}

impl Queue {
    /// An empty queue on a clock.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        let waits = Histogram::new(exponential_buckets(0.001, 4.0, 10));
        Self { waits, state: Mutex::default(), changed: Notify::new(), clock }
    }

    fn locked<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        f(&mut self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Adds keys that somebody's act touched. A Region, touched by each exit below it, is gathered for a while.
    pub fn add(&self, keys: impl IntoIterator<Item = Key>) {
        self.ask(keys, Place::Last);
    }

    /// Adds keys that a write of the operator's own touched: what was begun is brought to its end before the next of the
    /// same department is begun.
    pub fn go_on(&self, keys: impl IntoIterator<Item = Key>) {
        self.ask(keys, Place::Next);
    }

    fn ask(&self, keys: impl IntoIterator<Item = Key>, place: Place) {
        let now = self.clock.now();
        self.locked(|s| {
            for key in keys {
                match key.kind {
                    Kind::Region => s.gather(key, now),
                    _ => s.add(key, Cause::Asked, place),
                }
            }
        });
        self.changed.notify_one();
    }

    /// Adds keys that rest on what changed or began: they wait behind what is asked.
    pub fn add_due(&self, keys: impl IntoIterator<Item = Key>) {
        self.locked(|s| keys.into_iter().for_each(|k| s.add(k, Cause::Due, Place::Last)));
        self.changed.notify_one();
    }

    /// How many keys wait for their turn.
    #[must_use]
    pub fn len(&self) -> usize {
        self.locked(|s| s.waiting())
    }

    /// How the queue stands.
    #[must_use]
    pub fn stats(&self) -> QueueStats {
        self.locked(|s| s.stats())
    }

    /// Whether nothing waits and nothing runs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.locked(|s| s.waiting() == 0 && s.running.is_empty())
    }

    /// The next key; it counts as running until [`Queue::done`].
    pub async fn next(&self) -> Key {
        loop {
            let now = self.clock.now();
            let (key, more, timer) = self.locked(|s| {
                s.fire(now);
                let key = s.take();
                (key, !s.queued.is_empty(), s.timers.first().map(|(at, _)| *at))
            });
            if let Some((key, waited)) = key {
                if more {
                    self.changed.notify_one();
                }
                self.waits.observe(waited.as_secs_f64());
                return key;
            }
            match timer {
                Some(at) => tokio::select! {
                    () = self.changed.notified() => {}
                    () = self.clock.reach(at) => {}
                },
                None => self.changed.notified().await,
            }
        }
    }

    /// Holds a key back while its record is being written, so that it is looked at with what the API server answers and
    /// not with what the watch tells of it before. Says whether it is held; where it waits or runs already it is not.
    pub fn hold(&self, key: &Key) -> bool {
        self.locked(|s| {
            let free = !s.running.contains_key(key) && !s.queued.contains_key(key);
            free && s.held.insert(key.clone())
        })
    }

    /// Lets go of a key that was held; it is looked at now if it was touched meanwhile.
    pub fn release(&self, key: &Key) {
        self.locked(|s| {
            s.held.remove(key);
            if s.touched.remove(key) {
                s.add(key.clone(), Cause::Asked, Place::Next);
            }
        });
        self.changed.notify_one();
    }

    /// The key has been looked at; it is due again at `wake`, if given, and at once if it was touched meanwhile.
    pub fn done(&self, key: &Key, wake: Option<Timestamp>) {
        let now = self.clock.now();
        self.locked(|s| {
            s.running.remove(key);
            s.clear_timer(key);
            if let Some(at) = wake {
                s.set_timer(key.clone(), at);
            }
            if s.gathered.remove(key) {
                s.gather(key.clone(), now);
            }
            if s.touched.remove(key) {
                s.add(key.clone(), Cause::Asked, Place::Last);
            }
        });
        self.changed.notify_one();
    }
}
