//! Kubernetes Events of a record: one for each status write, with every lifecycle event that it records (S12, decision 0086).

use serde_json::Value;

use crate::bilingual::Bilingual;
use crate::cloud_event::{self, Timeline};
use crate::lifecycle_event::{EventKind, LifecycleEvent};

/// Most bytes of a note; the API server refuses more than 1024.
const NOTE_MAX: usize = 1000;

/// An Event, as far as it follows from the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubernetesEvent {
    /// Last part of its name: a repeated write of the same lifecycle events finds it taken (S9).
    pub id: String,
    /// `reason`: the main step.
    pub reason: &'static str,
    /// True for a Warning, false for Normal.
    pub warning: bool,
    /// `note`: the wording of every lifecycle event.
    pub note: String,
}

/// A lifecycle event with the name of its timeline entry.
type Recorded<'a> = (&'a LifecycleEvent, String);

/// The Events of the lifecycle events that a status records last: one, or more where a note cannot hold them all.
///
/// An entry that a full timeline dropped at once has no Event: it was routine.
#[must_use]
pub fn of_status(uid: &str, status: &Value, recorded: &[LifecycleEvent]) -> Vec<KubernetesEvent> {
    let timeline = Timeline::of(status);
    let before = timeline.end().saturating_sub(recorded.len() as u64);
    let stored = recorded.iter().zip(before..).filter_map(|(event, place)| {
        let id = cloud_event::id(uid, place, &timeline.entry(place)?);
        Some((event, id))
    });
    let mut notes: Vec<Vec<Recorded<'_>>> = Vec::new();
    for next in stored {
        match notes.last_mut().filter(|note| fits(note, next.0)) {
            Some(note) => note.push(next),
            None => notes.push(vec![next]),
        }
    }
    notes.iter().map(|recorded| event(recorded)).collect()
}

/// Returns true if one more wording fits whole into a note.
fn fits(note: &[Recorded<'_>], next: &LifecycleEvent) -> bool {
    wording(note.iter().map(|(event, _)| *event).chain([next])).to_string().len() <= NOTE_MAX
}

/// The wordings of some lifecycle events, language by language.
fn wording<'a>(events: impl Iterator<Item = &'a LifecycleEvent>) -> Bilingual {
    let (zh, en): (Vec<String>, Vec<String>) =
        events.map(|event| event.note()).map(|note| (note.zh, note.en)).unzip();
    Bilingual::new(zh.join("；"), en.join("; "))
}

/// The Event of lifecycle events whose wording fits into one note.
fn event(recorded: &[Recorded<'_>]) -> KubernetesEvent {
    let events = || recorded.iter().map(|(event, _)| *event);
    let ids: Vec<&str> = recorded.iter().map(|(_, id)| id.as_str()).collect();
    KubernetesEvent {
        id: cloud_event::id_of_all(&ids),
        reason: main_step(events()),
        warning: events().any(LifecycleEvent::is_warning),
        note: wording(events()).stored(NOTE_MAX),
    }
}

/// Weight of a lifecycle event among those of one status write, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    /// Follows from another one.
    Consequence,
    /// Moves the record on.
    Main,
    /// Calls for attention.
    Warning,
}

fn step(event: &LifecycleEvent) -> Step {
    use EventKind as E;
    let consequence = matches!(
        EventKind::from(event),
        E::Notified | E::ClockStarted | E::DeadlineMoved | E::DeadlineKept | E::Met | E::Reattached
    );
    match (event.is_warning(), consequence) {
        (true, _) => Step::Warning,
        (false, true) => Step::Consequence,
        (false, false) => Step::Main,
    }
}

/// The word of the main step: of what weighs most, the last.
fn main_step<'a>(events: impl Iterator<Item = &'a LifecycleEvent>) -> &'static str {
    events.max_by_key(|event| step(event)).map_or("", LifecycleEvent::event)
}

#[cfg(test)]
mod tests {
    use govcloud_api::deadline::{Obligation, Party};
    use govcloud_api::record::RecordStatus;
    use jiff::Timestamp;
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;
    use crate::record::{OPERATOR, StatusBuilder, TIMELINE_MAX};

    /// The status that records some lifecycle events after others, and its Events.
    fn recorded(before: &[LifecycleEvent], events: &[LifecycleEvent]) -> (Value, Vec<KubernetesEvent>) {
        let record = |stored: &RecordStatus, events: &[LifecycleEvent]| {
            let mut builder = StatusBuilder::begin(stored, 1, Timestamp::UNIX_EPOCH);
            for event in events {
                builder.record_event(event.clone(), OPERATOR, Some(13));
            }
            builder.status
        };
        let status = record(&record(&RecordStatus::default(), before), events);
        let status = serde_json::to_value(status).unwrap();
        let written = of_status("u-1", &status, events);
        (status, written)
    }

    fn clock_started() -> LifecycleEvent {
        LifecycleEvent::ClockStarted(Obligation::Provision, Party::Provider, date(2026, 3, 16), false)
    }

    #[test]
    fn s12_one_event_for_an_approval_its_notice_and_its_clock() {
        use LifecycleEvent as L;
        let (_, written) = recorded(&[L::Submitted], &[L::Approved(None), L::Notified, clock_started()]);
        let [event] = written.as_slice() else { panic!("{written:?}") };
        assert_eq!((event.reason, event.warning), ("Approved", false));
        assert_eq!(
            event.note,
            "同意；已通知政务云服务提供方；云资源开通：政务云服务提供方须于 2026-03-16 前完成 / approved; the provider was notified; provisioning: due from the provider by 2026-03-16"
        );
    }

    #[test]
    fn the_reason_is_the_main_step() {
        use LifecycleEvent as L;
        let met = || L::Met(Obligation::Provision, None);
        let reason = |events: &[L]| {
            let (_, written) = recorded(&[], events);
            (written[0].reason, written[0].warning)
        };
        assert_eq!(reason(&[L::GrantReceived, L::InForce("travel".into())]), ("InForce", false));
        assert_eq!(reason(&[L::Provisioned, met(), clock_started()]), ("Provisioned", false));
        assert_eq!(reason(&[L::Provisioned, L::Reattached("prod".into())]), ("Provisioned", false));
        assert_eq!(reason(&[L::ConsentVoid, L::InventoryPublished("d".into(), 2)]), ("ConsentVoid", true));
        assert_eq!(reason(&[clock_started()]), ("ClockStarted", false));
    }

    #[test]
    fn s12_a_wording_longer_than_a_note_has_an_event_of_its_own() {
        use LifecycleEvent as L;
        let long = L::Refused("x".repeat(3000));
        let (status, written) = recorded(&[], &[L::GrantReceived, long, L::Released]);
        let reasons: Vec<&str> = written.iter().map(|e| e.reason).collect();
        assert_eq!(reasons, ["GrantReceived", "Refused", "Released"]);
        assert!(written.iter().all(|e| e.note.len() <= NOTE_MAX), "{written:?}");
        let entry = Timeline::of(&status).entry(0).unwrap();
        assert_eq!(written[0].id, cloud_event::id("u-1", 0, &entry), "alone, it is named as its CloudEvent");
    }

    /// An Event of other lifecycle events may stand already, from a decision whose status was not written.
    #[test]
    fn s9_other_lifecycle_events_are_another_event() {
        use LifecycleEvent as L;
        let id = |events: &[L]| recorded(&[L::Submitted], events).1[0].id.clone();
        let approved = [L::Approved(None), L::Notified];
        assert_eq!(id(&approved), id(&approved));
        let others = [L::Approved(None), L::Notified, clock_started()];
        assert_ne!(id(&approved), id(&others));
        assert_ne!(id(&approved), id(&approved[..1]));
    }

    fn some_event() -> impl Strategy<Value = LifecycleEvent> {
        use LifecycleEvent as L;
        prop_oneof![
            Just(L::Submitted),
            Just(L::Notified),
            (0_i64..9).prop_map(L::Amended),
            "[一-十 a/]{0,300}".prop_map(L::ExitBegun),
            "[一-十 a/]{0,90}".prop_map(|o| L::Approved(Some(o))),
        ]
    }

    proptest! {
        /// Every lifecycle event that the timeline keeps is whole in exactly one note, in order; no note is too long.
        #[test]
        fn s12_no_lifecycle_event_is_lost(
            before in 0_usize..TIMELINE_MAX,
            events in proptest::collection::vec(some_event(), 1..40),
        ) {
            let (status, written) = recorded(&vec![LifecycleEvent::Notified; before], &events);
            let timeline = Timeline::of(&status);
            let first = timeline.end() - events.len() as u64;
            let kept = events.iter().zip(first..).filter(|(_, place)| timeline.entry(*place).is_some());
            let mut left: Vec<Bilingual> = kept.map(|(event, _)| event.note()).collect();
            for event in &written {
                prop_assert!(event.note.len() <= NOTE_MAX);
                let whole = (1..=left.len()).rev().find(|n| {
                    let (zh, en): (Vec<_>, Vec<_>) =
                        left[..*n].iter().map(|t| (t.zh.clone(), t.en.clone())).unzip();
                    Bilingual::new(zh.join("；"), en.join("; ")).to_string() == event.note
                });
                // One that is longer than a note is cut, and stands alone.
                let cut = left.first().is_some_and(|t| t.stored(NOTE_MAX) == event.note).then_some(1);
                let Some(found) = whole.or(cut) else { return Err(TestCaseError::fail(format!("{event:?}"))) };
                left.drain(..found);
            }
            prop_assert!(left.is_empty(), "in no note: {left:?}");
            let ids: std::collections::BTreeSet<&str> = written.iter().map(|e| e.id.as_str()).collect();
            prop_assert_eq!(ids.len(), written.len());
        }
    }
}
