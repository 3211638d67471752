//! The work queue: which record is reconciled next, and when.
//!
//! Fair between departments (S10): each filing namespace has a lane, lanes take turns, and no department occupies more
//! than its share of the workers. High priority (somebody acted on the record) goes before low (a time was reached, or
//! settings that many records share changed). A key is queued once, never runs twice at a time, and runs again if it was
//! added while it ran. A standby's queue takes nothing: its leader's start adds every record.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use tokio::sync::Notify;

use super::clock::Clock;

mod lanes;
#[cfg(test)]
mod tests;

use crate::key::Key;
use crate::kinds::Priority;
use lanes::Lanes;

/// Keys that are reconciled at once. Workers wait for the API server; more of them would only queue there. One department
/// gets a quarter while it is the only one, and one worker while others are active; low priority gets half.
pub const WORKERS: usize = 32;

/// A department counts as active for so long after its last key of high priority was taken: the steps of one provision
/// have gaps, in which another department's flood must not take its workers back.
const ACTIVE: Duration = Duration::from_secs(10);

/// Position in its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Back,
    Front,
}

/// A key that must not be taken now.
#[derive(Clone, Copy, Debug)]
struct Busy {
    /// The priority that it was taken with; `None` where it is deferred.
    running: Option<Priority>,
    /// It was added meanwhile.
    again: bool,
    /// It was added meanwhile, to be debounced for so long.
    debounce: Option<SignedDuration>,
}

/// Stage of the queue's life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    /// Another replica leads: nothing is added.
    #[default]
    Standby,
    Active,
    /// The process ends: nothing is added or taken.
    Closed,
}

#[derive(Debug, Default)]
struct State {
    mode: Mode,
    high: Lanes,
    low: Lanes,
    queued: HashMap<Key, (Instant, Priority)>,
    busy: HashMap<Key, Busy>,
    added: u64,
    /// When a key of each department was last taken with high priority, as long as that makes it active.
    active: HashMap<String, Instant>,
    timers: BTreeSet<(Timestamp, Key)>,
    timer_of: HashMap<Key, Timestamp>,
    /// Keys whose timer is their debounce: they wait as the queued ones do.
    debounced: HashSet<Key>,
}

impl State {
    fn add(&mut self, key: Key, priority: Priority, place: Place, now: Instant) {
        if self.mode != Mode::Active {
            return;
        }
        if let Some(busy) = self.busy.get_mut(&key) {
            busy.again = true;
            return;
        }
        let since = match self.queued.get(&key) {
            Some((_, before)) if *before == Priority::High || *before == priority => return,
            Some((since, _)) => *since,
            None => {
                self.added += 1;
                now
            }
        };
        // A key that moves up from low to high stays in its old lane as well, where it is skipped.
        self.queued.insert(key.clone(), (since, priority));
        let lanes = if priority == Priority::High { &mut self.high } else { &mut self.low };
        match place {
            Place::Back => lanes.push_back(key),
            Place::Front => lanes.push_front(key),
        }
    }

    /// Adds a key after a while, once for everybody who adds it until then.
    fn debounce(&mut self, key: Key, wait: SignedDuration, time: Timestamp) {
        if self.mode != Mode::Active {
            return;
        }
        if let Some(busy) = self.busy.get_mut(&key) {
            busy.debounce = Some(wait);
        } else if !self.queued.contains_key(&key) {
            self.set_timer(key.clone(), time.saturating_add(wait).unwrap_or(time));
            self.debounced.insert(key);
        }
    }

    fn running(&self) -> impl Iterator<Item = (&Key, Priority)> {
        self.busy.iter().filter_map(|(key, busy)| Some((key, busy.running?)))
    }

    /// Sets a key's timer, unless it fires before anyway.
    fn set_timer(&mut self, key: Key, at: Timestamp) {
        if self.timer_of.get(&key).is_none_or(|before| at < *before) {
            self.clear_timer(&key);
            self.timer_of.insert(key.clone(), at);
            self.timers.insert((at, key));
        }
    }

    fn clear_timer(&mut self, key: &Key) {
        self.debounced.remove(key);
        if let Some((key, at)) = self.timer_of.remove_entry(key) {
            self.timers.remove(&(at, key));
        }
    }

    fn fire(&mut self, time: Timestamp, now: Instant) {
        while self.timers.first().is_some_and(|(at, _)| *at <= time)
            && let Some((_, key)) = self.timers.pop_first()
        {
            self.timer_of.remove(&key);
            self.debounced.remove(&key);
            self.add(key, Priority::Low, Place::Back, now);
        }
    }

    /// The next key, and how long it waited. One worker is always for low priority, so that it is never starved.
    fn take(&mut self, now: Instant) -> Option<(Key, Duration)> {
        let low = self.running().filter(|(_, priority)| *priority == Priority::Low).count();
        let order = match low {
            0 => &[Priority::Low, Priority::High][..],
            n if n < WORKERS / 2 => &[Priority::High, Priority::Low],
            _ => &[Priority::High],
        };
        let (key, priority) =
            order.iter().find_map(|priority| Some((self.pop(*priority, now)?, *priority)))?;
        if priority == Priority::High {
            self.active.retain(|_, last| now.duration_since(*last) < ACTIVE);
            self.active.insert(key.namespace().to_owned(), now);
        }
        let since = self.queued.remove(&key);
        self.busy.insert(key.clone(), Busy { running: Some(priority), again: false, debounce: None });
        Some((key, since.map_or(Duration::ZERO, |(since, _)| now.duration_since(since))))
    }

    /// The next key of a priority, of a department that has not got its share of the workers.
    fn pop(&mut self, priority: Priority, now: Instant) -> Option<Key> {
        let mut workers: HashMap<&str, usize> = HashMap::new();
        for (key, _) in self.busy.iter().filter(|(_, busy)| busy.running.is_some()) {
            *workers.entry(key.namespace()).or_default() += 1;
        }
        let is_active = |last: &Instant| now.duration_since(*last) < ACTIVE;
        let others = |lane: &str| self.active.iter().any(|(l, last)| l != lane && is_active(last));
        let share = |lane: &str| if others(lane) { 1 } else { WORKERS / 4 };
        let free = |lane: &str| workers.get(lane).is_none_or(|n| *n < share(lane));
        let queued = |key: &Key| self.queued.get(key).is_some_and(|(_, p)| *p == priority);
        let lanes = if priority == Priority::High { &mut self.high } else { &mut self.low };
        lanes.pop(free, queued)
    }

    fn stats(&self, now: Instant) -> QueueStats {
        let oldest = self.queued.values().map(|(since, _)| now.duration_since(*since)).max();
        QueueStats {
            length: self.queued.len() + self.debounced.len(),
            running: self.running().count(),
            timers: self.timers.len(),
            added: self.added,
            oldest: oldest.unwrap_or_default(),
        }
    }

    /// The key may be taken again; it is added where it was added meanwhile.
    fn settle(&mut self, key: &Key, place: Place, time: Timestamp, now: Instant) {
        let Some(busy) = self.busy.remove(key) else { return };
        if let Some(wait) = busy.debounce {
            self.debounce(key.clone(), wait, time);
        }
        if busy.again {
            self.add(key.clone(), Priority::High, place, now);
        }
    }
}

/// Figures of the queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueStats {
    /// Keys that wait for a worker, debounced ones included.
    pub length: usize,
    /// Keys that are being reconciled.
    pub running: usize,
    /// Keys that are due at a later time.
    pub timers: usize,
    /// Keys added since the process began to lead.
    pub added: u64,
    /// Time that the oldest waiting key has waited; zero where none waits.
    pub oldest: Duration,
}

/// The work queue.
#[derive(Debug)]
pub struct Queue {
    /// Time that keys waited for a worker, in seconds.
    pub waits: Histogram,
    state: Mutex<State>,
    changed: Notify,
    settled: Notify,
    clock: Clock,
}

impl Queue {
    /// An empty queue of a standby.
    pub fn new(clock: Clock) -> Self {
        let waits = Histogram::new(exponential_buckets(0.001, 4.0, 10));
        Self { waits, state: Mutex::default(), changed: Notify::new(), settled: Notify::new(), clock }
    }

    fn locked<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        f(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, f: impl FnOnce(&mut State)) {
        self.locked(f);
        self.changed.notify_one();
    }

    /// This replica leads: keys are taken in from now on.
    pub fn activate(&self) {
        self.change(|s| s.mode = Mode::Active);
    }

    /// Returns true if keys are taken in.
    pub fn is_active(&self) -> bool {
        self.locked(|s| s.mode == Mode::Active)
    }

    /// Returns true if the process ends: a reconcile sends no further write.
    pub fn is_closed(&self) -> bool {
        self.locked(|s| s.mode == Mode::Closed)
    }

    /// Takes no more keys, and waits until those that run are done.
    pub async fn drain(&self) {
        self.change(|s| s.mode = Mode::Closed);
        loop {
            let settled = self.settled.notified();
            if self.locked(|s| s.running().next().is_none()) {
                return;
            }
            settled.await;
        }
    }

    /// Adds keys with high priority: somebody acted on them. Some kinds are debounced.
    pub fn add(&self, keys: impl IntoIterator<Item = Key>) {
        self.add_high(keys, Place::Back);
    }

    /// Adds keys that a write of the operator's own affects at the head of their lane: what was begun is finished before
    /// the next record of the same department is begun.
    pub fn requeue_front(&self, keys: impl IntoIterator<Item = Key>) {
        self.add_high(keys, Place::Front);
    }

    fn add_high(&self, keys: impl IntoIterator<Item = Key>, place: Place) {
        let (time, now) = (self.clock.now(), Instant::now());
        self.change(|s| {
            for key in keys {
                match key.kind.spec().record.as_ref().and_then(|r| r.debounce) {
                    Some(wait) => s.debounce(key, wait, time),
                    None => s.add(key, Priority::High, place, now),
                }
            }
        });
    }

    /// Adds keys with low priority: settings that many records share changed, or the process began to lead.
    pub fn add_low(&self, keys: impl IntoIterator<Item = Key>) {
        let now = Instant::now();
        self.change(|s| keys.into_iter().for_each(|key| s.add(key, Priority::Low, Place::Back, now)));
    }

    /// Figures of the queue.
    pub fn stats(&self) -> QueueStats {
        self.locked(|s| s.stats(Instant::now()))
    }

    /// Takes the next key, which runs until [`Queue::done`]; `None` once the queue is closed.
    pub async fn next(&self) -> Option<Key> {
        loop {
            let (time, now) = (self.clock.now(), Instant::now());
            let (mode, key, more, timer) = self.locked(|s| {
                s.fire(time, now);
                let key = if s.mode == Mode::Active { s.take(now) } else { None };
                (s.mode, key, !s.queued.is_empty(), s.timers.first().map(|(at, _)| *at))
            });
            if mode == Mode::Closed || key.is_some() && more {
                self.changed.notify_one();
            }
            if let Some((key, waited)) = key {
                self.waits.observe(waited.as_secs_f64());
                return Some(key);
            }
            if mode == Mode::Closed {
                return None;
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

    /// Defers a key while its record is being written, so that it is reconciled with the API server's response and not
    /// with an earlier watch event. `None` where it waits or runs already.
    pub fn defer(&self, key: Key) -> Option<Deferred<'_>> {
        let deferred = self.locked(|s| {
            let free = !s.busy.contains_key(&key) && !s.queued.contains_key(&key);
            free.then(|| s.busy.insert(key.clone(), Busy { running: None, again: false, debounce: None }))
        });
        deferred.map(|_| Deferred { queue: self, key })
    }

    /// The key has been reconciled. It is due again at `wake`, if given, and now if it was added meanwhile.
    pub fn done(&self, key: &Key, wake: Option<Timestamp>) {
        let (time, now) = (self.clock.now(), Instant::now());
        self.change(|s| {
            s.clear_timer(key);
            if let Some(at) = wake {
                s.set_timer(key.clone(), at);
            }
            s.settle(key, Place::Back, time, now);
        });
        self.settled.notify_waiters();
    }
}

/// A key that is deferred until this is dropped. It is then next in its lane, if it was added meanwhile.
#[derive(Debug)]
pub struct Deferred<'a> {
    queue: &'a Queue,
    key: Key,
}

impl Drop for Deferred<'_> {
    fn drop(&mut self) {
        let (time, now) = (self.queue.clock.now(), Instant::now());
        self.queue.change(|s| s.settle(&self.key, Place::Front, time, now));
    }
}
