//! Region (Art. 4, 5, 30): whether it can be used, and why not.

use jiff::Timestamp;

use super::finding::Bilingual;
use super::ground::RegionView;
use super::plan::Plan;
use super::record::{Life, Standing};
use crate::api::record::RecordStatus;
use crate::api::region::RegionStatus;

/// Judges a region by itself and by what it refers to.
#[must_use]
pub fn decide(seen: &RegionView, now: Timestamp) -> Plan<RegionStatus> {
    let stored = seen.region.status.clone().unwrap_or_default();
    let as_record = RecordStatus { conditions: stored.conditions.clone(), ..RecordStatus::default() };
    let mut life = Life::begin(&as_record, seen.region.metadata.generation.unwrap_or(0), now);
    let findings = seen.findings();
    let standing = match findings.first() {
        None => Standing::Ready("Ready", Bilingual::new("可受理申请", "applications can be filed")),
        Some(first) => Standing::Stalled(
            first.reason(),
            Bilingual::new(
                findings.iter().map(|f| f.text().zh).collect::<Vec<_>>().join(";"),
                findings.iter().map(|f| f.text().en).collect::<Vec<_>>().join("; "),
            ),
        ),
    };
    life.stand(&standing);
    let status = RegionStatus {
        observed_generation: seen.region.metadata.generation,
        conditions: life.status.conditions,
    };
    Plan::settle(status, Vec::new(), None)
}
