//! The controller's end: which assessments may ask for use, and what was read for each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use govcloud_domain::assessment::UseState;
use tokio::sync::Notify;

use crate::key::Key;
use crate::kinds::Kind;

/// Assessments that may ask for use, and the state of each reading by the record's UID.
#[derive(Debug, Default)]
pub struct UseStore {
    enabled: AtomicBool,
    touched: Mutex<BTreeSet<Key>>,
    states: Mutex<BTreeMap<String, UseState>>,
    changed: Notify,
}

impl UseStore {
    /// Notes that there is a Prometheus to read.
    pub fn enable(&self) {
        self.enabled.store(true, Ordering::Relaxed);
    }

    /// State of the reading for a record.
    pub fn of(&self, uid: &str) -> UseState {
        let state = self.states.lock().unwrap_or_else(PoisonError::into_inner).get(uid).cloned();
        let unread = || if self.enabled.load(Ordering::Relaxed) { UseState::Pending } else { UseState::Off };
        state.unwrap_or_else(unread)
    }

    /// Sets the state of the reading for a record.
    pub fn set(&self, uid: &str, state: UseState) {
        self.states.lock().unwrap_or_else(PoisonError::into_inner).insert(uid.to_owned(), state);
    }

    /// Forgets what was read for a record.
    pub(super) fn forget(&self, uid: &str) {
        self.states.lock().unwrap_or_else(PoisonError::into_inner).remove(uid);
    }

    /// A record was reconciled: it may ask for use.
    pub fn mark(&self, key: &Key) {
        if key.kind == Kind::Assessment && self.enabled.load(Ordering::Relaxed) {
            self.touched.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone());
            self.changed.notify_one();
        }
    }

    /// Waits until a record was marked.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Takes all marked records.
    pub(super) fn take(&self) -> BTreeSet<Key> {
        std::mem::take(&mut *self.touched.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_without_a_prometheus_marks_nothing() {
        let store = UseStore::default();
        let key = Key::new(Kind::Assessment, "dept", "2026-q3");
        store.mark(&key);
        assert!(store.take().is_empty() && store.of("uid") == UseState::Off);
        store.enable();
        store.mark(&Key::new(Kind::Application, "dept", "travel"));
        store.mark(&key);
        assert_eq!((store.take(), store.of("uid")), (BTreeSet::from([key]), UseState::Pending));
        store.set("uid", UseState::Failed("no answer".to_owned()));
        assert_eq!(store.of("uid"), UseState::Failed("no answer".to_owned()));
        store.forget("uid");
        assert_eq!(store.of("uid"), UseState::Pending);
    }
}
