//! Rules of the lease, without a request: from when a replica may take it, and until when its holder may act (decision 0087).
//!
//! Every time counts on the monotonic clock of one machine. A standby counts from when it first observed a version, and a
//! leader from before it sent the request that made it: clocks of two machines need not agree.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use serde_json::{Value, json};
use tokio::time::Instant;

/// Seconds for which nobody else takes the lease after a renewal was observed.
pub const DURATION_SECONDS: u64 = 15;

/// Time after a renewal at which the next one is due.
pub const RENEWAL: Duration = Duration::from_secs(10);

/// Time after a renewal for which its sender leads. The rest of [`DURATION_SECONDS`] is for its last writes to arrive.
pub const TERM: Duration = Duration::from_secs(14);

/// One version of the lease, and when this replica observed it first. The lease need not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// `metadata.resourceVersion`.
    pub version: Option<String>,
    /// `spec.leaseTransitions`.
    pub transitions: i32,
    holder: Option<String>,
    duration: Duration,
    since: Instant,
}

impl Observed {
    /// Observes a version now, after another one.
    pub fn next(before: Option<&Self>, lease: Option<&Lease>, now: Instant) -> Self {
        let version = lease.and_then(|lease| lease.metadata.resource_version.clone());
        let spec = lease.and_then(|lease| lease.spec.clone()).unwrap_or_default();
        let seconds = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        Self {
            since: before.filter(|before| before.version == version).map_or(now, |before| before.since),
            version,
            transitions: spec.lease_transitions.unwrap_or_default(),
            holder: spec.holder_identity.filter(|holder| !holder.is_empty()),
            duration: Duration::from_secs(seconds.unwrap_or(DURATION_SECONDS)),
        }
    }

    /// The time from which a replica of this name may take it. A restarted container keeps its name, and with it the lease.
    pub fn free_at(&self, identity: &str) -> Instant {
        match &self.holder {
            Some(holder) if holder != identity => self.since + self.duration,
            _ => self.since,
        }
    }
}

/// The leader's hold on the lease, from the request that took or renewed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The version that the request made.
    pub version: String,
    sent: Instant,
}

impl Hold {
    /// The hold by a request that was sent then, and answered with this lease.
    pub fn new(lease: &Lease, sent: Instant) -> Self {
        Self { version: lease.metadata.resource_version.clone().unwrap_or_default(), sent }
    }

    /// The time at which it is to be renewed.
    pub fn renewal_at(&self) -> Instant {
        self.sent + RENEWAL
    }

    /// The time from which the holder leads no longer, unless it was renewed.
    pub fn ends_at(&self) -> Instant {
        self.sent + TERM
    }
}

/// The spec of a lease that a replica takes.
pub fn taken(identity: &str, transitions: i32, now: Timestamp) -> Value {
    let now = format!("{now:.6}");
    json!({
        "holderIdentity": identity,
        "leaseDurationSeconds": DURATION_SECONDS,
        "acquireTime": now,
        "renewTime": now,
        "leaseTransitions": transitions.saturating_add(1),
    })
}

/// The changes by which its holder renews it.
pub fn renewed(now: Timestamp) -> Value {
    json!({ "renewTime": format!("{now:.6}") })
}

/// The changes by which its holder releases it: whoever waits may take it at once.
pub fn released() -> Value {
    json!({ "holderIdentity": null, "leaseDurationSeconds": null, "acquireTime": null, "renewTime": null })
}

#[cfg(test)]
mod tests;
