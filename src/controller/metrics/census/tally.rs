//! What counting needs of each object: small, because one is held for every record and volume.

use std::sync::Arc;

use jiff::Timestamp;

use super::memo::Words;
use crate::cluster_state::{Plain, Record};
use crate::metrics::events::verdict;
use govcloud_api::condition::{Condition, ConditionStatus};
use govcloud_api::deadline::Party;
use govcloud_api::decommission::{Decommission, Outcome};
use govcloud_api::filed::Filed;
use govcloud_api::keys;
use govcloud_api::region::Region;
use govcloud_domain::deadline::Running;
use govcloud_domain::quantity::Quantity;
use govcloud_domain::record::durations;
use govcloud_domain::tenancy::volumes::is_unclaimed;

/// A record that does not fit its schema, as phase and as reason.
const MALFORMED: &str = "Malformed";

/// A record as it is counted.
#[derive(Debug)]
pub(super) struct Tally {
    /// Region as written; `None` where that cannot be read.
    pub(super) region: Option<Arc<str>>,
    /// Where it stands.
    pub(super) phase: &'static str,
    /// Whom it waits on, and since when.
    pub(super) waits: Option<(Party, Option<Timestamp>)>,
    /// What was decided, or that it does not count.
    pub(super) verdict: Option<&'static str>,
    /// Why somebody must mend it first.
    pub(super) stalled: Option<Box<Stalled>>,
    /// What is owed.
    pub(super) clocks: Box<[Running]>,
    /// Volumes in its certificate.
    pub(super) certified: Option<Fates>,
}

/// Why something is stalled, and since when.
#[derive(Debug)]
pub(super) struct Stalled {
    pub(super) reason: Arc<str>,
    pub(super) since: Option<Timestamp>,
}

/// How many volumes had each outcome.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fates {
    pub(super) destroyed: u16,
    pub(super) retained: u16,
    pub(super) handed_over: u16,
}

impl Tally {
    /// Of a record of any kind.
    pub(super) fn of<K: Filed>(record: &Record<K>, words: &mut Words) -> Self {
        let Ok(filed) = record.typed() else {
            let stalled = Stalled { reason: words.share(MALFORMED), since: record.meta.created_at };
            return Self { phase: MALFORMED, stalled: Some(stalled.into()), ..Self::unseen(None) };
        };
        let region = Some(words.share(filed.region()));
        let Some(status) = filed.record() else { return Self::unseen(region) };
        let over = filed.is_over();
        let clocks: Vec<Running> = status.deadlines.iter().filter_map(Running::of).collect();
        let verdict = |d: &govcloud_api::record::Decision| {
            if d.void.is_some() { "void" } else { verdict(d.verdict) }
        };
        Self {
            phase: filed.phase().unwrap_or(NEW),
            waits: (status.waiting_on != Party::None && !over)
                .then(|| (status.waiting_on, durations::waits_since(status))),
            verdict: status.decision.as_ref().map(verdict),
            stalled: Stalled::of(&status.conditions, words).filter(|_| !over).map(Box::new),
            clocks: clocks.into(),
            ..Self::unseen(region)
        }
    }

    /// Of an exit, with its certificate.
    pub(super) fn of_exit(record: &Record<Decommission>, words: &mut Words) -> Self {
        let status = record.typed().ok().and_then(|d| d.status.as_ref());
        let certificate = status.and_then(|s| s.certificate.as_ref());
        let certified = certificate.map(|c| {
            let mut fates = Fates::default();
            for fate in &c.volumes {
                *match fate.outcome {
                    Outcome::Destroyed => &mut fates.destroyed,
                    Outcome::Retained => &mut fates.retained,
                    Outcome::HandedOver => &mut fates.handed_over,
                } += 1;
            }
            fates
        });
        Self { certified, ..Self::of(record, words) }
    }

    /// Of a record that the operator has not seen yet.
    fn unseen(region: Option<Arc<str>>) -> Self {
        let clocks = Box::default();
        Self { region, phase: NEW, waits: None, verdict: None, stalled: None, clocks, certified: None }
    }
}

/// The phase of a record that the operator has not seen yet.
const NEW: &str = "New";

impl Stalled {
    /// From the condition that says so.
    fn of(conditions: &[Condition], words: &mut Words) -> Option<Self> {
        let stalled =
            conditions.iter().find(|c| c.type_ == "Stalled" && c.status == ConditionStatus::True)?;
        let since = Some(stalled.last_transition_time.timestamp());
        Some(Self { reason: words.share(&stalled.reason), since })
    }
}

/// A Region as far as counting needs it.
#[derive(Debug)]
pub(super) struct Setting {
    /// Its code.
    pub(super) code: Arc<str>,
    /// Name of its calendar, where it can be read.
    pub(super) calendar: Option<Arc<str>>,
    /// Why it cannot be used.
    pub(super) stalled: Option<Stalled>,
}

impl Setting {
    /// Of a Region.
    pub(super) fn of(record: &Record<Region>, words: &mut Words) -> Self {
        let code = words.share(&record.meta.name);
        let Ok(region) = record.typed() else { return Self { code, calendar: None, stalled: None } };
        let conditions = region.status.as_ref().map_or(&[][..], |s| &s.conditions);
        let stalled = Stalled::of(conditions, words);
        Self { code, calendar: Some(words.share(&region.spec.calendar)), stalled }
    }
}

/// A volume of an application as it is counted.
#[derive(Debug)]
pub(super) struct Held {
    /// Region by its label.
    pub(super) region: Option<Arc<str>>,
    /// How it is held.
    pub(super) state: State,
    /// Its size in whole bytes.
    pub(super) bytes: i64,
}

/// How a volume is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
pub(super) enum State {
    /// It outlived its application, on the department's word (Art. 23).
    Retained,
    /// A claim has it.
    Bound,
    /// Its claim is gone; its application lives on.
    Unclaimed,
    /// Neither: it is on its way.
    Other,
}

impl Held {
    /// Of a volume; `None` of one that is no application's.
    pub(super) fn of(volume: &Plain, words: &mut Words) -> Option<Self> {
        let labels = &volume.value()["metadata"]["labels"];
        labels[keys::APPLICATION_UID].as_str()?;
        let state = match volume.value()["status"]["phase"].as_str() {
            _ if labels[keys::RETAINED].is_string() => State::Retained,
            Some("Bound") => State::Bound,
            Some(phase) if is_unclaimed(phase) => State::Unclaimed,
            _ => State::Other,
        };
        let capacity = volume.value().pointer("/spec/capacity/storage").and_then(|c| c.as_str());
        let nanos = capacity.and_then(|c| c.parse::<Quantity>().ok()).map_or(0, Quantity::nanos);
        Some(Self {
            region: labels[keys::REGION].as_str().map(|r| words.share(r)),
            state,
            bytes: i64::try_from(nanos / 1_000_000_000).unwrap_or(i64::MAX),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::mem::size_of;

    use super::*;

    #[test]
    fn what_is_held_for_each_record_is_small() {
        println!(
            "a tally: {} bytes, a clock: {}, a volume: {}",
            size_of::<Tally>(),
            size_of::<Running>(),
            size_of::<Option<Held>>()
        );
        assert!(size_of::<Tally>() <= 128);
        assert!(size_of::<Running>() <= 64);
        assert!(size_of::<Option<Held>>() <= 32);
    }
}
