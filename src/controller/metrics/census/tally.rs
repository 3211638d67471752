//! Facts that gauges and lists need of each object: taken once for each version of it.

use govcloud_api::condition::{Condition, ConditionStatus};
use govcloud_api::deadline::Party;
use govcloud_api::decommission::{Decommission, Outcome};
use govcloud_api::filed::Filed;
use govcloud_api::keys;
use govcloud_api::region::{Region, RetainedVolume};
use govcloud_api::time::Instant;
use govcloud_domain::deadline::Running;
use govcloud_domain::quantity::Quantity;
use govcloud_domain::record::durations;
use govcloud_domain::tenancy::volumes::is_unclaimed;
use jiff::Timestamp;

use crate::cache::{Object, text};
use crate::metrics::events::verdict;

/// Facts of one object.
#[derive(Debug)]
pub enum Tally {
    /// Nothing is counted of it.
    None,
    /// A record that is filed on an application.
    Record(RecordTally),
    /// A Region.
    Region(RegionTally),
    /// A volume of an application.
    Volume(VolumeTally),
}

/// Phase and reason of a record that does not fit its schema.
const MALFORMED: &str = "Malformed";

/// Phase of a record that the operator has not seen yet.
const NEW: &str = "New";

/// Facts of a record.
#[derive(Debug)]
pub struct RecordTally {
    /// Region as written; `None` where that cannot be read.
    pub region: Option<Box<str>>,
    /// Phase.
    pub phase: &'static str,
    /// The party that is waited on, and since when.
    pub waits: Option<(Party, Option<Timestamp>)>,
    /// Verdict of the decision; `void` for an invalid one.
    pub verdict: Option<&'static str>,
    /// Reason of `Stalled=True`.
    pub stalled: Option<Box<Stalled>>,
    /// Obligations that are owed.
    pub clocks: Box<[Running]>,
    /// Volumes in its certificate.
    pub certified: Option<Certified>,
}

/// Reason and beginning of `Stalled=True`.
#[derive(Debug)]
pub struct Stalled {
    /// Reason.
    pub reason: Box<str>,
    /// Beginning.
    pub since: Option<Timestamp>,
}

/// Volumes of a certificate by their outcome.
#[derive(Clone, Copy, Debug)]
pub struct Certified {
    /// End of the exit.
    pub ended_at: Instant,
    /// Destroyed volumes.
    pub destroyed: u16,
    /// Retained volumes.
    pub retained: u16,
    /// Volumes that were handed over.
    pub handed_over: u16,
    /// Volumes that were to be retained and are lost.
    pub lost: u16,
}

/// Facts of a Region.
#[derive(Debug)]
pub struct RegionTally {
    /// Name of its calendar; `None` where the Region does not fit its schema.
    pub calendar: Option<Box<str>>,
    /// Reason of `Stalled=True`.
    pub stalled: Option<Stalled>,
}

/// Facts of a volume of an application.
#[derive(Debug)]
pub struct VolumeTally {
    /// Region by its label.
    pub region: Option<Box<str>>,
    /// State.
    pub state: VolumeState,
    /// Size in bytes.
    pub bytes: i64,
    /// The volume as its Region lists it, where it is retained.
    pub retained: Option<RetainedVolume>,
}

/// State of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
pub enum VolumeState {
    /// Its application has exited, and the department had it retained (Art. 23).
    Retained,
    /// A claim is bound to it.
    Bound,
    /// Its claim is gone, its application is not.
    Unclaimed,
    /// Any other phase.
    Other,
}

/// Facts of a record of any kind.
pub fn record_tally<K: Filed>(object: &Object) -> Tally {
    Tally::Record(match object.read::<K>() {
        Ok(record) => of_record(&record),
        Err(_) => RecordTally {
            phase: MALFORMED,
            stalled: Some(Box::new(Stalled { reason: MALFORMED.into(), since: object.meta().created_at })),
            ..unseen(None)
        },
    })
}

/// Facts of an exit, with its certificate.
pub fn exit_tally(object: &Object) -> Tally {
    let Tally::Record(tally) = record_tally::<Decommission>(object) else { return Tally::None };
    let status = object.read::<Decommission>().ok().and_then(|d| d.status);
    let certified = status.and_then(|s| s.certificate).map(|c| {
        let count = |outcome| {
            u16::try_from(c.volumes.iter().filter(|v| v.outcome == outcome).count()).unwrap_or(u16::MAX)
        };
        Certified {
            ended_at: c.ended_at,
            destroyed: count(Outcome::Destroyed),
            retained: count(Outcome::Retained),
            handed_over: count(Outcome::HandedOver),
            lost: count(Outcome::Lost),
        }
    });
    Tally::Record(RecordTally { certified, ..tally })
}

fn of_record<K: Filed>(record: &K) -> RecordTally {
    let region = Some(record.region().into());
    let Some(status) = record.record() else { return unseen(region) };
    let over = record.is_over();
    let clocks: Vec<Running> = status.deadlines.iter().filter_map(Running::of).collect();
    let decided = |d: &govcloud_api::record::Decision| {
        if d.void.is_some() { "void" } else { verdict(d.verdict) }
    };
    RecordTally {
        phase: record.phase().unwrap_or(NEW),
        waits: (status.waiting_on != Party::None && !over)
            .then(|| (status.waiting_on, durations::waits_since(status))),
        verdict: status.decision.as_ref().map(decided),
        stalled: stalled(&status.conditions).filter(|_| !over).map(Box::new),
        clocks: clocks.into(),
        ..unseen(region)
    }
}

/// Facts of a record that the operator has not seen yet.
fn unseen(region: Option<Box<str>>) -> RecordTally {
    let clocks = Box::default();
    RecordTally { region, phase: NEW, waits: None, verdict: None, stalled: None, clocks, certified: None }
}

fn stalled(conditions: &[Condition]) -> Option<Stalled> {
    let stalled = conditions.iter().find(|c| c.type_ == "Stalled" && c.status == ConditionStatus::True)?;
    let since = Some(stalled.last_transition_time.timestamp());
    Some(Stalled { reason: stalled.reason.as_str().into(), since })
}

/// Facts of a Region.
pub fn region_tally(object: &Object) -> Tally {
    let Ok(region) = object.read::<Region>() else {
        return Tally::Region(RegionTally { calendar: None, stalled: None });
    };
    Tally::Region(RegionTally {
        calendar: Some(region.spec.calendar.as_str().into()),
        stalled: region.status.as_ref().and_then(|s| stalled(&s.conditions)),
    })
}

/// Facts of a volume; none of one that is no application's.
pub fn volume_tally(object: &Object) -> Tally {
    let value = object.value();
    let label = |key: &str| value["metadata"]["labels"][key].as_str();
    let Some(application_uid) = label(keys::APPLICATION_UID) else { return Tally::None };
    let state = match value["status"]["phase"].as_str() {
        _ if label(keys::RETAINED).is_some() => VolumeState::Retained,
        Some("Bound") => VolumeState::Bound,
        Some(phase) if is_unclaimed(phase) => VolumeState::Unclaimed,
        _ => VolumeState::Other,
    };
    let capacity = text(&value, "/spec/capacity/storage");
    let nanos = capacity.parse::<Quantity>().map_or(0, Quantity::nanos);
    let owned = |key: &str| label(key).unwrap_or_default().to_owned();
    let retained = (state == VolumeState::Retained).then(|| RetainedVolume {
        volume_uid: object.uid.to_string(),
        volume: object.name().to_owned(),
        capacity,
        namespace: owned(keys::DEPARTMENT),
        application: owned(keys::APPLICATION),
        application_uid: application_uid.to_owned(),
        since: None,
        decommission: None,
    });
    Tally::Volume(VolumeTally {
        region: label(keys::REGION).map(Into::into),
        state,
        bytes: i64::try_from(nanos / 1_000_000_000).unwrap_or(i64::MAX),
        retained,
    })
}
