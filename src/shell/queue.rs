//! The work queue: what is to be looked at, by whom and when.
//!
//! Fair between departments (S10): each filing namespace has a lane, and lanes take turns. A key is
//! queued once, never runs twice at a time, and runs again if it was touched while running.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use tokio::sync::Notify;

use super::clock::Clock;

/// Kinds that are reconciled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// CloudApplication.
    Application,
    /// ResourceGrant.
    Grant,
    /// ChangeRequest.
    Change,
    /// Decommission.
    Decommission,
    /// Region.
    Region,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Application, Self::Grant, Self::Change, Self::Decommission, Self::Region];

    /// Name of the kind as manifests have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Application => "CloudApplication",
            Self::Grant => "ResourceGrant",
            Self::Change => "ChangeRequest",
            Self::Decommission => "Decommission",
            Self::Region => "Region",
        }
    }
}

/// What is to be looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace; empty for a Region.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Key {
    /// A key.
    pub fn new(kind: Kind, namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { kind, namespace: namespace.into(), name: name.into() }
    }
}

#[derive(Debug, Default)]
struct State {
    lanes: HashMap<String, VecDeque<Key>>,
    turns: VecDeque<String>,
    queued: HashMap<Key, Instant>,
    added: u64,
    running: HashSet<Key>,
    touched: HashSet<Key>,
    timers: BTreeSet<(Timestamp, Key)>,
    timer_of: BTreeMap<Key, Timestamp>,
}

impl State {
    fn add(&mut self, key: Key) {
        if self.running.contains(&key) {
            self.touched.insert(key);
        } else if !self.queued.contains_key(&key) {
            self.queued.insert(key.clone(), Instant::now());
            self.added += 1;
            let lane = self.lanes.entry(key.namespace.clone()).or_default();
            if lane.is_empty() {
                self.turns.push_back(key.namespace.clone());
            }
            lane.push_back(key);
        }
    }

    /// The next key, and how long it waited.
    fn take(&mut self) -> Option<(Key, Duration)> {
        let lane_name = self.turns.pop_front()?;
        let lane = self.lanes.get_mut(&lane_name)?;
        let key = lane.pop_front()?;
        if lane.is_empty() {
            self.lanes.remove(&lane_name);
        } else {
            self.turns.push_back(lane_name);
        }
        let since = self.queued.remove(&key);
        self.running.insert(key.clone());
        Some((key, since.map_or(Duration::ZERO, |s| s.elapsed())))
    }

    /// Lanes are in order of arrival, so that the oldest of each is at its front.
    fn standing(&self) -> Standing {
        let fronts = self.lanes.values().filter_map(VecDeque::front).filter_map(|k| self.queued.get(k));
        Standing {
            length: self.queued.len(),
            running: self.running.len(),
            timers: self.timers.len(),
            added: self.added,
            oldest: fronts.min().map_or(Duration::ZERO, Instant::elapsed),
        }
    }

    fn clear_timer(&mut self, key: &Key) {
        if let Some(at) = self.timer_of.remove(key) {
            self.timers.remove(&(at, key.clone()));
        }
    }

    fn fire(&mut self, now: Timestamp) {
        while let Some((at, _)) = self.timers.first() {
            if *at > now {
                break;
            }
            if let Some((_, key)) = self.timers.pop_first() {
                self.timer_of.remove(&key);
                self.add(key);
            }
        }
    }
}

/// How the queue stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
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

    /// Adds keys that are to be looked at now.
    pub fn add(&self, keys: impl IntoIterator<Item = Key>) {
        self.locked(|s| keys.into_iter().for_each(|k| s.add(k)));
        self.changed.notify_one();
    }

    /// How many keys wait for their turn.
    #[must_use]
    pub fn len(&self) -> usize {
        self.locked(|s| s.queued.len())
    }

    /// How the queue stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.locked(|s| s.standing())
    }

    /// Whether nothing waits and nothing runs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.locked(|s| s.queued.is_empty() && s.running.is_empty())
    }

    /// The next key; it counts as running until [`Queue::done`].
    pub async fn next(&self) -> Key {
        loop {
            let now = self.clock.now();
            let (key, more, timer) = self.locked(|s| {
                s.fire(now);
                let key = s.take();
                (key, !s.turns.is_empty(), s.timers.first().map(|(at, _)| *at))
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

    /// The key has been looked at; it is due again at `wake`, if given, and at once if it was touched meanwhile.
    pub fn done(&self, key: &Key, wake: Option<Timestamp>) {
        self.locked(|s| {
            s.running.remove(key);
            s.clear_timer(key);
            if s.touched.remove(key) {
                s.add(key.clone());
            }
            if let Some(at) = wake {
                s.timer_of.insert(key.clone(), at);
                s.timers.insert((at, key.clone()));
            }
        });
        self.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(ns: &str, n: usize) -> Key {
        Key::new(Kind::Application, ns, format!("a{n}"))
    }

    #[tokio::test]
    async fn a_flood_from_one_department_delays_another_by_one_turn() {
        let q = Queue::new(Clock::default());
        q.add((0..1000).map(|n| key("flood", n)));
        q.add([key("quiet", 0)]);
        let first = [q.next().await, q.next().await];
        assert!(first.iter().any(|k| k.namespace == "quiet"), "{first:?}");
    }

    #[tokio::test]
    async fn a_key_never_runs_twice_at_a_time_and_runs_again_when_touched() {
        let q = Queue::new(Clock::default());
        q.add([key("a", 0), key("a", 0)]);
        let k = q.next().await;
        q.add([k.clone()]);
        assert_eq!(q.len(), 0, "a running key is not queued");
        q.done(&k, None);
        assert_eq!(q.next().await, k);
        q.done(&k, None);
        assert!(q.is_empty());
    }

    #[tokio::test]
    async fn the_queue_says_how_it_stands() {
        let q = Queue::new(Clock::default());
        q.add([key("a", 0), key("a", 0), key("b", 1)]);
        let k = q.next().await;
        let standing = q.standing();
        assert_eq!((standing.length, standing.running, standing.added), (1, 1, 2));
        assert!(standing.oldest > Duration::ZERO, "the other one waits");
        q.done(&k, Some(Timestamp::MAX));
        q.done(&q.next().await, None);
        assert_eq!((q.standing().timers, q.standing().oldest), (1, Duration::ZERO));
        assert_eq!(q.waits.count(), 2);
    }

    #[tokio::test]
    async fn a_timer_fires_when_the_clock_is_moved_past_it() {
        let clock = Clock::default();
        let q = Queue::new(clock.clone());
        q.add([key("a", 0)]);
        let k = q.next().await;
        let at = clock.now().saturating_add(jiff::SignedDuration::from_hours(1000)).unwrap();
        q.done(&k, Some(at));
        clock.set(at);
        assert_eq!(q.next().await, k);
    }
}
