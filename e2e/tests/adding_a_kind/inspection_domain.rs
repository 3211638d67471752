//! Inspection (Art. 25).

use std::sync::Arc;

use govcloud_api::inspection::{Inspection, InspectionPhase, InspectionStatus};
use jiff::Timestamp;

use crate::plan::Plan;
use crate::record::{Meta, StatusBuilder};
use crate::region_context::RegionContext;

/// Everything that a decision on an inspection reads.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Identity.
    pub meta: Meta,
    /// The record.
    pub record: Arc<Inspection>,
    /// Its Region.
    pub region_context: RegionContext,
}

/// Decides on an inspection.
#[must_use]
pub fn decide(seen: &Observed, now: Timestamp) -> Plan<InspectionStatus> {
    let stored = seen.record.status.clone().unwrap_or_default();
    let mut builder = StatusBuilder::begin(&stored.record, seen.meta.generation, now);
    builder.valid(&seen.region_context.findings(&seen.record.spec.region));
    let (record, events, wake) = builder.end(&stored.record);
    let phase = stored.phase.or(Some(InspectionPhase::Submitted));
    Plan::settle(InspectionStatus { phase, record }, events, wake)
}
