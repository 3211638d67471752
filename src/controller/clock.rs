//! The operator's clock: the system's, plus an offset that only tests set.
//!
//! Server timestamps of records are shifted by the same offset when they are read, so that a test which moves
//! the clock moves the whole state (design, section 4). Clock skew is measured on raw time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// A clock that tests can set ahead.
#[derive(Clone, Debug)]
pub struct Clock {
    offset_ms: Arc<AtomicI64>,
    error_ms: i64,
    moved: watch::Sender<i64>,
}

impl Default for Clock {
    fn default() -> Self {
        Self { offset_ms: Arc::default(), error_ms: 0, moved: watch::Sender::new(0) }
    }
}

impl Clock {
    /// A clock that goes wrong by so much, as a machine's may. For tests.
    #[must_use]
    pub fn wrong_by(error: SignedDuration) -> Self {
        Self { error_ms: i64::try_from(error.as_millis()).unwrap_or(0), ..Self::default() }
    }

    /// What the machine says, right or wrong: only skew is measured on it.
    #[must_use]
    pub fn raw(&self) -> Timestamp {
        let now = Timestamp::now();
        now.saturating_add(SignedDuration::from_millis(self.error_ms)).unwrap_or(now)
    }

    /// The operator's now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.shift(self.raw())
    }

    /// A raw instant, such as the API server's, on this clock.
    #[must_use]
    pub fn shift(&self, raw: Timestamp) -> Timestamp {
        raw.saturating_add(SignedDuration::from_millis(self.offset_ms.load(Ordering::Relaxed))).unwrap_or(raw)
    }

    /// Sets the clock so that it reads `to` now. For tests.
    pub fn set(&self, to: Timestamp) {
        let offset = to.duration_since(self.raw()).as_millis();
        self.offset_ms.store(i64::try_from(offset).unwrap_or(0), Ordering::Relaxed);
        self.moved.send_modify(|n| *n += 1);
    }

    /// Sleeps until this clock reads `at`, or the clock is moved.
    pub async fn reach(&self, at: Timestamp) {
        let mut moved = self.moved.subscribe();
        let left = at.duration_since(self.now());
        let Ok(left) = std::time::Duration::try_from(left) else { return };
        tokio::select! {
            () = tokio::time::sleep(left) => {}
            _ = moved.changed() => {}
        }
    }

    /// Resolves when the clock is moved.
    pub async fn moved(&self) {
        let _ = self.moved.subscribe().changed().await;
    }
}
