//! Exemption (Art. 30).

use std::sync::Arc;

use govcloud_api::exemption::{Exemption, ExemptionPhase, ExemptionStatus};
use jiff::Timestamp;

use crate::plan::Plan;
use crate::record::{Meta, StatusBuilder};
use crate::region_context::RegionContext;

/// Everything that a decision on an exemption reads.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Identity.
    pub meta: Meta,
    /// The record.
    pub record: Arc<Exemption>,
    /// Its Region.
    pub region_context: RegionContext,
}

/// Decides on an exemption.
#[must_use]
pub fn decide(seen: &Observed, now: Timestamp) -> Plan<ExemptionStatus> {
    let unseen = ExemptionStatus::default();
    let stored = seen.record.status.as_ref().unwrap_or(&unseen);
    let (mut builder, mut status) = StatusBuilder::split(stored, seen.meta.generation, now);
    builder.set_valid_condition(&seen.region_context.findings(&seen.record.spec.region));
    status.phase = status.phase.or(Some(ExemptionPhase::Submitted));
    builder.finish(status, stored, Vec::new(), 25)
}
