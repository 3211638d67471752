//! Region (Art. 4, 5, 30): its findings, the volumes that it retains of exited applications (Art. 23), its filing
//! namespaces, of which those with open records are marked, and what the provider owes for its platform (Art. 17, 21, 24).

use std::sync::Arc;

use jiff::Timestamp;

use super::compliance::duty::{Duties, Evidence};
use super::filing::{self, FilingNamespace, Holding};
use super::finding::{Bilingual, Finding};
use super::plan::{Plan, Step, Write, WriteFailure};
use super::quantity::Quantity;
use super::record::{ReadyState, StatusBuilder};
use super::region_context::RegionView;
use crate::reason::Reason;
use govcloud_api::compliance::DutyParty;
use govcloud_api::record::RecordStatus;
use govcloud_api::region::{RegionStatus, RetainedVolume, RetainedVolumes};

pub mod months;

pub use months::{BilledEdition, DepartmentMonths};

/// Most retained volumes that a status lists; the schema says the same.
pub const RETAINED_MAX: usize = 64;

/// Objects that are read to decide on a region.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The region with what it refers to.
    pub view: Arc<RegionView>,
    /// The volumes that outlived their applications here.
    pub retained: Vec<Arc<RetainedVolume>>,
    /// Its filing namespaces, with what each holds.
    pub filing: Vec<(FilingNamespace, Holding)>,
    /// The months of its departments, where it settles.
    pub months: Vec<DepartmentMonths>,
    /// Its editions of the service catalogue that statements were computed by.
    pub billed: Vec<BilledEdition>,
    /// Compliance records about its platform that count.
    pub evidence: Vec<Evidence>,
    /// Failure of the last write.
    pub trouble: Option<WriteFailure>,
}

/// Judges a region by itself and by what it refers to, lists what it keeps and where records are filed, and marks the
/// namespaces with open records.
#[must_use]
pub fn decide(seen: &Observed, now: Timestamp) -> Plan<RegionStatus> {
    let Observed { view, retained, filing, months, billed, evidence, trouble } = seen;
    let stored = view.region.status.clone().unwrap_or_default();
    let as_record = RecordStatus {
        conditions: stored.conditions.clone(),
        deadlines: stored.deadlines.clone(),
        timeline: stored.timeline.clone(),
        timeline_dropped: stored.timeline_dropped,
        ..RecordStatus::default()
    };
    let mut builder = StatusBuilder::begin(&as_record, view.region.metadata.generation.unwrap_or(0), now);
    let findings = view.findings();
    let texts: Vec<Bilingual> = findings.iter().map(Finding::text).collect();
    let state = match (findings.first(), trouble) {
        (Some(first), _) => ReadyState::Stalled(first.reason(), Bilingual::list(&texts)),
        (None, Some(failure)) => ReadyState::write_failed(failure),
        (None, None) => {
            ReadyState::Ready(Reason::Ready, Bilingual::new("可受理申请", "applications can be filed"))
        }
    };
    builder.set_ready_conditions(&state);
    let mut compliance = stored.compliance;
    let calendar = view.calendar.as_deref().ok();
    if let Some(calendar) = calendar {
        let (of_region, party) = (&view.spec().compliance, DutyParty::Provider);
        Duties { of_region, party, evidence, since: now }.keep(&mut builder, &mut compliance, calendar);
    }
    builder.run_clocks(calendar);
    let StatusBuilder { status: own, events, wake, .. } = builder;
    let (filing_namespaces, left_out) = filing::listed(filing);
    let status = RegionStatus {
        observed_generation: view.region.metadata.generation,
        conditions: own.conditions,
        retained_volumes: list(retained),
        filing_namespaces,
        filing_namespaces_not_listed: (left_out > 0).then(|| number(left_out)),
        deadlines: own.deadlines,
        compliance,
        timeline: own.timeline,
        timeline_dropped: own.timeline_dropped,
    };
    let mut writes = marks(filing);
    // A namespace is written once a step: its second mark comes with the next decision.
    if writes.is_empty() {
        writes.extend(months::writes(view, months, now));
    }
    writes.extend(billed.iter().filter_map(BilledEdition::mark));
    let steps = if writes.is_empty() { Vec::new() } else { vec![Step::Write(writes)] };
    let wake = [wake, months::next(view, now)].into_iter().flatten().min();
    Plan { steps, ..Plan::settle(status, events, wake) }
}

/// The marks that are to be set or taken off.
fn marks(filing: &[(FilingNamespace, Holding)]) -> Vec<Write> {
    filing.iter().filter_map(|(namespace, holding)| namespace.mark(*holding == Holding::Open)).collect()
}

/// A number of a status.
fn number(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

/// The list of a status: how many, how much, and those kept longest, in an order that does not depend on who asks.
fn list(volumes: &[Arc<RetainedVolume>]) -> Option<RetainedVolumes> {
    if volumes.is_empty() {
        return None;
    }
    let count = volumes.len();
    let mut volumes: Vec<&RetainedVolume> = volumes.iter().map(|v| &**v).collect();
    let capacity = volumes.iter().filter_map(|v| v.capacity.parse::<Quantity>().ok());
    let capacity = capacity.reduce(|a, b| a.checked_add(b).unwrap_or(a));
    // Whose record was archived has been kept longest.
    volumes.sort_by(|a, b| (a.since, &a.volume_uid).cmp(&(b.since, &b.volume_uid)));
    volumes.truncate(RETAINED_MAX);
    Some(RetainedVolumes {
        count: number(count),
        capacity: capacity.map_or_else(|| "0".to_owned(), |c| c.to_string()),
        not_listed: (count > volumes.len()).then(|| number(count - volumes.len())),
        volumes: volumes.into_iter().cloned().collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume(n: usize, since: Option<&str>) -> Arc<RetainedVolume> {
        Arc::new(RetainedVolume {
            volume_uid: format!("uid-{n:03}"),
            volume: format!("pv-{n}"),
            capacity: "10Gi".to_owned(),
            namespace: "dept".to_owned(),
            application: "travel".to_owned(),
            application_uid: "a".to_owned(),
            decommission: since.map(|_| "exit".to_owned()),
            since: since.map(|s| s.parse::<Timestamp>().unwrap().into()),
        })
    }

    #[test]
    fn no_retained_volume_is_no_list() {
        assert_eq!(list(&[]), None);
    }

    #[test]
    fn the_longest_retained_volumes_are_listed_and_the_rest_counted() {
        let all: Vec<_> = (0..70).rev().map(|n| volume(n, Some("2026-06-01T00:00:00Z"))).collect();
        let mut with_old = all.clone();
        with_old.push(volume(99, Some("2025-06-01T00:00:00Z")));
        with_old.push(volume(98, None));
        let listed = list(&with_old).unwrap();
        assert_eq!((listed.count, listed.not_listed, listed.capacity.as_str()), (72, Some(8), "720Gi"));
        let uids: Vec<&str> = listed.volumes.iter().take(3).map(|v| v.volume_uid.as_str()).collect();
        assert_eq!(uids, ["uid-098", "uid-099", "uid-000"]);
        with_old.reverse();
        assert_eq!(list(&with_old).unwrap(), listed, "whatever the order in which they are read");
        assert_eq!(list(&all).unwrap().volumes.len(), RETAINED_MAX);
    }
}
