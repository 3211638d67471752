//! The operator's clock: the system's, plus an offset that only tests set.
//!
//! Server timestamps of records are shifted by the same offset when they are read, so that a test which moves
//! the clock moves the whole state (design, section 4). Clock skew is measured on raw time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// Longest sleep before the wall clock is read again: a suspended machine, or a clock that was set, delays what is due by
/// no more than this.
const RECHECK: Duration = Duration::from_mins(5);

/// A clock that tests can set ahead.
#[derive(Clone, Debug)]
pub struct Clock {
    offset_ms: Arc<AtomicI64>,
    error_ms: i64,
    moved: watch::Sender<i64>,
    recheck: Duration,
}

impl Default for Clock {
    fn default() -> Self {
        Self { offset_ms: Arc::default(), error_ms: 0, moved: watch::Sender::new(0), recheck: RECHECK }
    }
}

impl Clock {
    /// A clock that goes wrong by so much, as a machine's may. For tests.
    pub fn wrong_by(error: SignedDuration) -> Self {
        Self { error_ms: i64::try_from(error.as_millis()).unwrap_or(0), ..Self::default() }
    }

    /// The machine's time, right or wrong: only skew is measured on it.
    pub fn raw(&self) -> Timestamp {
        let now = Timestamp::now();
        now.saturating_add(SignedDuration::from_millis(self.error_ms)).unwrap_or(now)
    }

    /// The operator's now.
    pub fn now(&self) -> Timestamp {
        self.shift(self.raw())
    }

    /// A raw instant, such as the API server's, on this clock.
    pub fn shift(&self, raw: Timestamp) -> Timestamp {
        raw.saturating_add(SignedDuration::from_millis(self.offset_ms.load(Ordering::Relaxed))).unwrap_or(raw)
    }

    /// Sets the clock so that it reads `to` now. For tests.
    pub fn set(&self, to: Timestamp) {
        let offset = to.duration_since(self.raw()).as_millis();
        self.offset_ms.store(i64::try_from(offset).unwrap_or(0), Ordering::Relaxed);
        self.moved.send_modify(|n| *n += 1);
    }

    /// Sleeps until this clock reads `at`, or a test moves the clock.
    pub async fn reach(&self, at: Timestamp) {
        let mut moved = self.moved.subscribe();
        while let Ok(left) = Duration::try_from(at.duration_since(self.now()))
            && !left.is_zero()
        {
            tokio::select! {
                () = tokio::time::sleep(left.min(self.recheck)) => {}
                _ = moved.changed() => return,
            }
        }
    }

    /// Resolves when the clock is moved.
    pub async fn moved(&self) {
        let _ = self.moved.subscribe().changed().await;
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    /// Steps the wall clock without notice, as NTP or the end of a suspend does.
    fn step(clock: &Clock, by: SignedDuration) {
        clock.offset_ms.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::Relaxed);
    }

    #[tokio::test]
    async fn a_step_of_the_wall_clock_is_noticed_at_the_next_recheck() {
        let clock = Clock { recheck: Duration::from_millis(1), ..Clock::default() };
        let due = clock.now() + SignedDuration::from_hours(72);
        let reached = clock.reach(due);
        tokio::pin!(reached);
        assert!(reached.as_mut().now_or_never().is_none());
        step(&clock, SignedDuration::from_hours(71));
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert!(reached.as_mut().now_or_never().is_none(), "an hour is left");
        step(&clock, SignedDuration::from_hours(2));
        reached.await;
        assert_eq!(Clock::default().recheck, Duration::from_mins(5));
    }

    #[tokio::test]
    async fn a_past_instant_is_reached_at_once_and_a_moved_clock_ends_the_wait() {
        let clock = Clock::default();
        clock.reach(clock.now() - SignedDuration::from_secs(1)).await;
        let moved = async { clock.set(clock.now()) };
        tokio::join!(clock.reach(clock.now() + SignedDuration::from_hours(1)), moved);
    }
}
