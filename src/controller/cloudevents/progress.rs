//! Progress of deliveries: the next entry of each record, and the records that may be sent from now. No I/O.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use jiff::Timestamp;
use tokio::time::Instant;

use super::super::key::Key;

/// Requests that run at once.
const AT_ONCE: usize = 8;

/// Shortest and longest wait before another try, before jitter.
const WAITS: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

fn backoff() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(WAITS.0)
        .with_max_delay(WAITS.1)
        .without_max_times()
        .with_jitter()
        .build()
}

fn next_wait(backoff: &mut Option<ExponentialBackoff>) -> Duration {
    backoff.get_or_insert_with(self::backoff).next().unwrap_or(WAITS.1)
}

/// Progress of one record.
#[derive(Debug)]
struct RecordProgress {
    uid: String,
    next: u64,
    open_since: Option<Timestamp>,
    tries: Option<ExponentialBackoff>,
}

/// Progress of every record.
#[derive(Debug, Default)]
pub struct Progress {
    records: HashMap<Key, RecordProgress>,
    ready: VecDeque<Key>,
    waiting: BTreeSet<(Instant, Key)>,
    busy: BTreeSet<Key>,
    open: BTreeSet<Key>,
    paused: Option<Instant>,
    pauses: Option<ExponentialBackoff>,
}

impl Progress {
    /// A record of which everything up to `next` is delivered.
    pub fn begin(&mut self, key: Key, uid: &str, next: u64) {
        let record = RecordProgress { uid: uid.to_owned(), next, open_since: None, tries: None };
        self.records.insert(key, record);
    }

    /// A record's timeline now ends at `end`: new entries will be sent. Returns 1 if an entry of an earlier record of
    /// this name, now gone, was never sent.
    pub fn observe(&mut self, key: &Key, uid: &str, end: u64, recorded: Timestamp) -> u64 {
        let mut lost = 0;
        if self.records.get(key).is_some_and(|p| p.uid != uid) {
            lost = self.remove(key);
        }
        if !self.records.contains_key(key) {
            self.begin(key.clone(), uid, 0);
        }
        let Some(record) = self.records.get_mut(key) else { return lost };
        if record.next < end && self.open.insert(key.clone()) {
            record.open_since = Some(recorded);
            if !self.busy.contains(key) {
                self.ready.push_back(key.clone());
            }
        }
        lost
    }

    /// A record is gone. Returns 1 if an entry of it was never sent.
    pub fn remove(&mut self, key: &Key) -> u64 {
        self.records.remove(key);
        self.ready.retain(|k| k != key);
        self.waiting.retain(|(_, k)| k != key);
        u64::from(self.open.remove(key))
    }

    /// The next record to send from, unless the sink is paused or all slots are in use.
    pub fn start(&mut self, now: Instant) -> Option<(Key, u64)> {
        if self.busy.len() >= self.at_once() || self.paused.is_some_and(|until| now < until) {
            return None;
        }
        while let Some((at, _)) = self.waiting.first() {
            if *at > now {
                break;
            }
            self.ready.extend(self.waiting.pop_first().map(|(_, key)| key));
        }
        let key = self.ready.pop_front()?;
        let next = self.records.get(&key)?.next;
        self.busy.insert(key.clone());
        Some((key, next))
    }

    /// One at a time while the sink is in trouble.
    fn at_once(&self) -> usize {
        if self.paused.is_some() { 1 } else { AT_ONCE }
    }

    /// A request ended. `None` if its record is gone; a new record of its name may begin now.
    fn ended(&mut self, key: &Key, uid: &str) -> Option<&mut RecordProgress> {
        self.busy.remove(key);
        let record = self.records.get_mut(key)?;
        if record.uid == uid {
            return Some(record);
        }
        if self.open.contains(key) {
            self.ready.push_back(key.clone());
        }
        None
    }

    /// Everything of this record up to `next` is delivered; its timeline ends at `end`.
    pub fn done(&mut self, key: &Key, uid: &str, next: u64, end: u64) {
        let Some(record) = self.ended(key, uid) else { return };
        record.next = next;
        record.tries = None;
        if next < end {
            self.ready.push_back(key.clone());
        } else {
            record.open_since = None;
            self.open.remove(key);
        }
    }

    /// The sink works: the pause ends.
    pub fn resume(&mut self) {
        self.paused = None;
        self.pauses = None;
    }

    /// The sink did not accept an entry: its record is retried later, and the sink is paused. Returns true if the sink
    /// worked until now.
    pub fn retry(&mut self, key: &Key, uid: &str, now: Instant, pause: Option<Duration>) -> bool {
        let first = self.pauses.is_none();
        if self.paused.is_none_or(|until| until <= now) {
            self.paused = Some(now + pause.unwrap_or_else(|| next_wait(&mut self.pauses)));
            self.pauses.get_or_insert_with(backoff);
        }
        self.later(key, uid, now);
        first
    }

    /// A request ended by a fault of this process and not of the sink: only its record is tried again later.
    pub fn failed(&mut self, key: &Key, now: Instant) {
        let uid = self.records.get(key).map(|record| record.uid.clone()).unwrap_or_default();
        self.later(key, &uid, now);
    }

    fn later(&mut self, key: &Key, uid: &str, now: Instant) {
        if let Some(record) = self.ended(key, uid) {
            let wait = next_wait(&mut record.tries);
            self.waiting.insert((now + wait, key.clone()));
        }
    }

    /// The next instant at which a record can be sent.
    pub fn wake(&self, now: Instant) -> Option<Instant> {
        let due = if self.ready.is_empty() { self.waiting.first().map(|(at, _)| *at)? } else { now };
        // A running request ends the wait for a free slot.
        (self.busy.len() < self.at_once()).then(|| self.paused.map_or(due, |until| due.max(until)))
    }

    /// Records that have something to send.
    pub fn pending(&self) -> usize {
        self.open.len()
    }

    /// The instant at which the oldest undelivered entry was recorded; `now` if all are delivered.
    pub fn open_since(&self, now: Timestamp) -> Timestamp {
        self.open.iter().filter_map(|k| self.records.get(k)?.open_since).min().map_or(now, |at| at.min(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::Kind;

    fn key(name: &str) -> Key {
        Key::new(Kind::Application, "dept", name)
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("an instant")
    }

    #[test]
    fn a_record_is_sent_in_order_and_one_at_a_time() {
        let (mut p, now) = (Progress::default(), Instant::now());
        p.observe(&key("a"), "u", 3, at(10));
        assert_eq!(p.start(now), Some((key("a"), 0)));
        assert_eq!(p.start(now), None, "one request a record");
        p.observe(&key("a"), "u", 4, at(20));
        assert_eq!(p.start(now), None, "a new entry does not start a second one");
        for next in 1..4 {
            p.done(&key("a"), "u", next, 4);
            assert_eq!(p.open_since(at(99)), at(10), "open since the first");
            assert_eq!(p.start(now), Some((key("a"), next)));
        }
        p.done(&key("a"), "u", 4, 4);
        assert_eq!((p.start(now), p.pending(), p.open_since(at(99))), (None, 0, at(99)));
    }

    #[test]
    fn a_sink_in_trouble_is_asked_by_one_and_later_each_time() {
        let (mut p, mut now) = (Progress::default(), Instant::now());
        for name in 0..20 {
            p.observe(&key(&name.to_string()), "u", 1, at(10));
        }
        let started: Vec<_> = std::iter::from_fn(|| p.start(now)).collect();
        assert_eq!(started.len(), AT_ONCE);
        let firsts = started.iter().filter(|(k, _)| p.retry(k, "u", now, None)).count();
        assert_eq!(firsts, 1, "the first failure is reported once");
        let mut tries = 0;
        let begin = now;
        while now < begin + Duration::from_secs(600) {
            now = p.wake(now).expect("something waits");
            let started: Vec<_> = std::iter::from_fn(|| p.start(now)).collect();
            assert!(started.len() <= 1, "one at a time");
            for (k, _) in started {
                tries += 1;
                assert!(!p.retry(&k, "u", now, None));
            }
        }
        assert!((8..60).contains(&tries), "{tries} tries in ten minutes of a dead sink");
        p.resume();
        now += Duration::from_secs(61);
        assert_eq!(std::iter::from_fn(|| p.start(now)).count(), AT_ONCE, "and all goes on");
    }

    #[test]
    fn a_request_that_panicked_is_retried_and_disturbs_no_other_record() {
        let (mut p, now) = (Progress::default(), Instant::now());
        p.observe(&key("a"), "u", 1, at(10));
        p.observe(&key("b"), "u", 1, at(10));
        assert_eq!(p.start(now), Some((key("a"), 0)));
        p.failed(&key("a"), now);
        assert_eq!(p.start(now), Some((key("b"), 0)), "the sink is not paused");
        assert_eq!(p.start(now), None);
        assert_eq!(p.start(p.wake(now).unwrap()), Some((key("a"), 0)), "never dropped");
        p.remove(&key("a"));
        p.failed(&key("a"), now);
        assert_eq!(p.pending(), 1);
    }

    #[test]
    fn a_sink_that_asks_to_be_left_alone_is() {
        let (mut p, now) = (Progress::default(), Instant::now());
        p.observe(&key("a"), "u", 1, at(10));
        p.start(now);
        p.retry(&key("a"), "u", now, Some(Duration::from_secs(120)));
        assert_eq!(p.start(now + Duration::from_secs(119)), None);
        assert_eq!(p.wake(now), Some(now + Duration::from_secs(120)));
        assert_eq!(p.start(now + Duration::from_secs(120)), Some((key("a"), 0)));
    }

    #[test]
    fn a_namesake_begins_anew_and_what_was_not_sent_is_counted() {
        let (mut p, now) = (Progress::default(), Instant::now());
        p.begin(key("a"), "old", 5);
        assert_eq!(p.observe(&key("a"), "old", 6, at(10)), 0);
        assert_eq!(p.start(now), Some((key("a"), 5)));
        assert_eq!(p.observe(&key("a"), "new", 1, at(20)), 1);
        assert_eq!(p.start(now), None, "the old one's request is still under way");
        p.done(&key("a"), "old", 6, 6);
        assert_eq!(p.start(now), Some((key("a"), 0)), "the new one is not taken for the old");
    }
}
