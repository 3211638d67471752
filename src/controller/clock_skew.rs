//! Difference between this machine's clock and the API server's, from the `Date` header of responses that come anyway.
//!
//! Above a minute no step that depends on time is taken (design, section 4): a deadline counted by a wrong
//! clock would be wrong for good. The median of the last responses counts, so that one wrong `Date`, such as one of
//! several API servers may send, changes nothing. Records report a skew only when it lasts, and always the same number.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use kube::client::DynBody;

use super::clock::Clock;
use super::connection;
use super::metrics::{Measuring, Requests};

/// Skew in seconds above which steps that depend on time are held.
pub const TOLERATED_SECONDS: i64 = 60;

/// Responses whose median is the skew: two wrong ones among five change nothing.
const RESPONSES: usize = 5;

/// Time after which a skew is reported on the records that it holds up.
const LASTING: Duration = Duration::from_secs(30);

/// The skew as measured so far. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Skew(Arc<Mutex<Measured>>);

#[derive(Debug, Default)]
struct Measured {
    /// Seconds ahead, of the last responses.
    last: VecDeque<i64>,
    /// Since when the skew is intolerable, and its seconds at that time.
    intolerable: Option<(Instant, i64)>,
}

impl Measured {
    /// The median; of two, the one that is nearer to zero.
    fn seconds(&self) -> Option<i64> {
        let mut sorted: Vec<i64> = self.last.iter().copied().collect();
        sorted.sort_unstable();
        let middle = sorted.len() / 2;
        let upper = *sorted.get(middle)?;
        let lower = if sorted.len().is_multiple_of(2) { sorted[middle - 1] } else { upper };
        Some(if lower.abs() < upper.abs() { lower } else { upper })
    }
}

impl Skew {
    fn locked<R>(&self, f: impl FnOnce(&mut Measured) -> R) -> R {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Seconds that this machine's clock is ahead of the API server's; `None` before the first response.
    pub fn seconds(&self) -> Option<i64> {
        self.locked(|m| m.seconds())
    }

    /// The skew in seconds while it is more than is tolerated, as it was when that began: decide nothing.
    pub fn intolerable(&self) -> Option<i64> {
        self.locked(|m| m.intolerable.map(|(_, seconds)| seconds))
    }

    /// Returns true if the skew has been intolerable for so long that records report it.
    pub fn is_lasting(&self) -> bool {
        self.is_lasting_at(Instant::now())
    }

    fn is_lasting_at(&self, now: Instant) -> bool {
        self.locked(|m| m.intolerable.is_some_and(|(since, _)| now.duration_since(since) >= LASTING))
    }

    /// Takes in one `Date` header (RFC 9110) that was received at `raw`.
    fn observe(&self, date: &str, raw: Timestamp) {
        let Ok(server) = jiff::fmt::rfc2822::parse(date) else { return };
        self.locked(|m| {
            m.last.truncate(RESPONSES - 1);
            m.last.push_front(raw.as_second() - server.timestamp().as_second());
            let intolerable = m.seconds().filter(|seconds| seconds.abs() > TOLERATED_SECONDS);
            m.intolerable = intolerable.map(|seconds| m.intolerable.unwrap_or((Instant::now(), seconds)));
        });
    }
}

/// A client whose responses are read for the API server's time, and whose requests are counted.
///
/// # Errors
/// The configuration is not usable.
pub fn client(
    config: kube::Config,
    clock: Clock,
    skew: Skew,
    requests: Requests,
) -> kube::Result<kube::Client> {
    let observe = move |response: http::Response<Box<DynBody>>| {
        if let Some(date) = response.headers().get(http::header::DATE).and_then(|d| d.to_str().ok()) {
            skew.observe(date, clock.raw());
        }
        response
    };
    let reading = tower::util::MapResponseLayer::new(observe);
    Ok(connection::builder(config)?.with_layer(&reading).with_layer(&Measuring(requests)).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes in a response at a machine's time that is ahead by so many seconds.
    fn observe(skew: &Skew, ahead: i64) {
        let server: Timestamp = "2026-11-23T13:59:55Z".parse().unwrap();
        let raw = Timestamp::from_second(server.as_second() + ahead).unwrap();
        skew.observe("Mon, 23 Nov 2026 13:59:55 GMT", raw);
    }

    #[test]
    fn a_day_ahead_is_intolerable_and_a_second_is_not() {
        let skew = Skew::default();
        assert_eq!((skew.seconds(), skew.intolerable()), (None, None));
        observe(&skew, 1);
        assert_eq!((skew.seconds(), skew.intolerable()), (Some(1), None));
        (0..RESPONSES).for_each(|_| observe(&skew, 86_400));
        assert_eq!(skew.intolerable(), Some(86_400));
        skew.observe("not a date", Timestamp::UNIX_EPOCH);
        assert_eq!(skew.seconds(), Some(86_400), "an unreadable date is not taken in");
        let first = Skew::default();
        observe(&first, -86_400);
        assert_eq!(first.intolerable(), Some(-86_400), "a process that starts wrong decides nothing");
    }

    #[test]
    fn wrong_dates_of_one_api_server_among_three_change_nothing() {
        let skew = Skew::default();
        for round in 0..20 {
            for ahead in [0, 1, 120] {
                observe(&skew, ahead);
                assert_eq!(skew.intolerable(), None, "round {round}");
            }
        }
    }

    #[test]
    fn only_a_lasting_skew_is_reported_and_always_as_the_same_number() {
        let (skew, now) = (Skew::default(), Instant::now());
        for ahead in [90, 91, 92, 91, 93] {
            observe(&skew, ahead);
            assert_eq!((skew.intolerable(), skew.is_lasting()), (Some(90), false));
        }
        let later = now + LASTING + Duration::from_secs(60);
        observe(&skew, 95);
        assert_eq!((skew.intolerable(), skew.is_lasting_at(later)), (Some(90), true));
        (0..RESPONSES).for_each(|_| observe(&skew, 0));
        assert_eq!((skew.intolerable(), skew.is_lasting_at(later)), (None, false));
    }
}
