//! The count of what was really tried.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

static SCENARIOS: AtomicUsize = AtomicUsize::new(0);
static ENDINGS: AtomicUsize = AtomicUsize::new(0);
static VOLUMES: AtomicUsize = AtomicUsize::new(0);
static REQUESTS: AtomicUsize = AtomicUsize::new(0);
static WITHDRAWN: AtomicUsize = AtomicUsize::new(0);
static COMPLETED: AtomicUsize = AtomicUsize::new(0);

/// A scenario came to its end.
pub fn scenario() {
    SCENARIOS.fetch_add(1, Relaxed);
}

/// An application's end was checked.
pub fn ended(volumes: usize, requests: usize) {
    ENDINGS.fetch_add(1, Relaxed);
    VOLUMES.fetch_add(volumes, Relaxed);
    REQUESTS.fetch_add(requests, Relaxed);
}

/// A race between a withdrawal and the operator was decided.
pub fn raced(withdrawn: bool) {
    if withdrawn { &WITHDRAWN } else { &COMPLETED }.fetch_add(1, Relaxed);
}

/// Says it all.
pub fn print(of: usize, took: std::time::Duration) {
    println!(
        "exit: {} of {of} scenarios in {took:.0?}; {} endings, {} volumes compared byte for byte, {} destructive requests with preconditions and consent; {} races: {} withdrawn, {} completed",
        SCENARIOS.load(Relaxed),
        ENDINGS.load(Relaxed),
        VOLUMES.load(Relaxed),
        REQUESTS.load(Relaxed),
        WITHDRAWN.load(Relaxed) + COMPLETED.load(Relaxed),
        WITHDRAWN.load(Relaxed),
        COMPLETED.load(Relaxed),
    );
}
