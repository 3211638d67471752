//! How far this machine's clock is from the API server's: from the `Date` header of answers that come anyway.
//!
//! Above a minute no step that depends on time is taken (design, section 4): a deadline counted by a wrong
//! clock would be wrong for good.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use kube::client::DynBody;

use super::clock::Clock;
use super::connection;
use super::metrics::{Measuring, Requests};

/// Skew in seconds above which steps that depend on time are held.
pub const TOLERATED_SECONDS: i64 = 60;

/// Not measured yet.
const UNKNOWN: i64 = i64::MIN;

/// The skew that was measured last.
#[derive(Clone, Debug)]
pub struct Skew(Arc<AtomicI64>);

impl Default for Skew {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(UNKNOWN)))
    }
}

impl Skew {
    /// Seconds that this machine's clock is ahead of the API server's; `None` before the first answer.
    #[must_use]
    pub fn seconds(&self) -> Option<i64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|s| *s != UNKNOWN)
    }

    /// The skew, where it is more than is tolerated.
    #[must_use]
    pub fn intolerable(&self) -> Option<i64> {
        self.seconds().filter(|s| s.abs() > TOLERATED_SECONDS)
    }

    /// Takes in one `Date` header (RFC 9110) that was received at `raw`.
    fn note(&self, date: &str, raw: Timestamp) {
        if let Ok(server) = jiff::fmt::rfc2822::parse(date) {
            self.0.store(raw.as_second() - server.timestamp().as_second(), Ordering::Relaxed);
        }
    }
}

/// A client whose answers are read for the API server's time, and whose requests are counted.
///
/// # Errors
/// The configuration is not usable.
pub fn client(
    config: kube::Config,
    clock: Clock,
    skew: Skew,
    requests: Requests,
) -> kube::Result<kube::Client> {
    let note = move |answer: http::Response<Box<DynBody>>| {
        if let Some(date) = answer.headers().get(http::header::DATE).and_then(|d| d.to_str().ok()) {
            skew.note(date, clock.raw());
        }
        answer
    };
    let reading = tower::util::MapResponseLayer::new(note);
    Ok(connection::builder(config)?.with_layer(&reading).with_layer(&Measuring(requests)).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ahead_is_seen_and_a_second_is_tolerated() {
        let skew = Skew::default();
        assert_eq!((skew.seconds(), skew.intolerable()), (None, None));
        skew.note("Mon, 23 Nov 2026 13:59:55 GMT", "2026-11-23T13:59:56Z".parse().unwrap());
        assert_eq!((skew.seconds(), skew.intolerable()), (Some(1), None));
        skew.note("Mon, 23 Nov 2026 13:59:55 GMT", "2026-11-24T13:59:55Z".parse().unwrap());
        assert_eq!(skew.intolerable(), Some(86_400));
        skew.note("not a date", "2026-11-24T13:59:55Z".parse().unwrap());
        assert_eq!(skew.intolerable(), Some(86_400), "nonsense is not taken in");
    }
}
