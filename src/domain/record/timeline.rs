//! The bounded timeline: past its bound, routine entries are dropped, and never what decides or is owed (S12).

use govcloud_api::record::{RecordStatus, TimelineEntry};

use super::TIMELINE_MAX;
use crate::lifecycle_event::EventKind;

/// Appends an entry, and drops one where the timeline is full.
pub(super) fn append(status: &mut RecordStatus, entry: TimelineEntry) {
    while status.timeline.len() >= TIMELINE_MAX {
        drop_one(status);
    }
    status.timeline.push(entry);
}

/// Drops the entry that matters least. Entries before it keep their place in words: their position no longer tells it.
fn drop_one(status: &mut RecordStatus) {
    let at = least(&status.timeline);
    let dropped = status.timeline_dropped.get_or_insert(0);
    for (before, index) in status.timeline[..at].iter_mut().zip(0..).skip(1) {
        before.place.get_or_insert(index + *dropped);
    }
    *dropped += 1;
    status.timeline.remove(at);
}

/// Weight of an entry, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    /// Tells of the way, and nothing rests on it.
    Routine,
    /// Counts until another of its kind comes.
    Superseded,
    /// A clock: counts until another one of its kind and article comes.
    Clock,
    /// A decision, an act or an omission.
    Kept,
}

fn weight(entry: &TimelineEntry) -> Weight {
    use EventKind as E;
    let Ok(kind) = entry.event.parse::<EventKind>() else { return Weight::Superseded };
    match kind {
        E::Amended | E::PhaseChanged | E::HalfLeft | E::LastDay => Weight::Routine,
        E::Resubmitted
        | E::Returned
        | E::DecisionVoid
        | E::DecisionCleared
        | E::NamespacesFound
        | E::ExitBegun
        | E::ExitEnded
        | E::Refused
        | E::Restricted
        | E::BelowUse
        | E::UseFell
        | E::InventoryPublished
        | E::InventoryChanged
        | E::InventoryAsConsented
        | E::RemovalAnnounced
        | E::Consented
        | E::ConsentVoid
        | E::HandedOver
        | E::LossAcknowledged
        | E::MaintenanceScheduled
        | E::NoticeShort
        | E::MaintenanceStarted
        | E::MaintenanceReported
        | E::MaintenanceGone
        | E::Scored
        | E::BillComputed
        | E::BillIncomplete
        | E::Confirmed
        | E::ConfirmationVoid
        | E::ObjectionWithdrawn
        | E::BudgetExceeded
        | E::DeadlineMoved
        | E::DeadlineKept => Weight::Superseded,
        E::ClockStarted | E::Met | E::Overdue => Weight::Clock,
        E::Submitted
        | E::Recorded
        | E::Expired
        | E::FindingsIssued
        | E::Responded
        | E::Approved
        | E::Rejected
        | E::SpecAltered
        | E::Withdrawn
        | E::WithdrawnTooLate
        | E::Overtaken
        | E::Notified
        | E::Provisioned
        | E::Reattached
        | E::Adopted
        | E::Enforced
        | E::GrantTakenOver
        | E::WentLive
        | E::Reported
        | E::Exited
        | E::GrantReceived
        | E::InForce
        | E::Released
        | E::Applied
        | E::FactsTaken
        | E::Objected
        | E::ObjectionAnswered
        | E::ObjectionPeriodEnded
        | E::Published
        | E::StatementMade
        | E::Settled
        | E::Reclaiming
        | E::Reclaimed => Weight::Kept,
    }
}

/// Index of the entry that matters least, and of those the oldest. Never the first, and never the last of a kind that
/// something rests on.
fn least(timeline: &[TimelineEntry]) -> usize {
    let superseded = |at: usize, entry: &TimelineEntry| {
        timeline[at + 1..].iter().any(|l| l.event == entry.event && l.article == entry.article)
    };
    let droppable = |(at, entry): (usize, &TimelineEntry)| {
        let weight = weight(entry);
        let may = weight == Weight::Routine || (weight != Weight::Kept && superseded(at, entry));
        may.then_some((weight, at))
    };
    let candidates = timeline.iter().enumerate().skip(1).filter_map(droppable);
    candidates.min().map_or(1, |(_, at)| at)
}

#[cfg(test)]
mod tests {
    use govcloud_api::deadline::Obligation;
    use govcloud_api::record::Verdict;
    use jiff::Timestamp;
    use proptest::prelude::*;
    use strum::IntoEnumIterator as _;

    use super::super::{OPERATOR, StatusBuilder};
    use super::*;
    use crate::lifecycle_event::LifecycleEvent;

    fn builder() -> StatusBuilder {
        StatusBuilder::begin(&RecordStatus::default(), 1, Timestamp::UNIX_EPOCH)
    }

    fn has(builder: &StatusBuilder, event: &str) -> usize {
        builder.status.timeline.iter().filter(|e| e.event == event).count()
    }

    /// The authority's opinion stays, however often the department amends.
    #[test]
    fn s12_amendments_push_no_opinion_out() {
        let mut b = builder();
        b.record_event(LifecycleEvent::Submitted, OPERATOR, Some(11));
        let opinion = Some("补交项目批复".to_owned());
        b.record_event(LifecycleEvent::decided(Verdict::Returned, opinion), OPERATOR, Some(12));
        for generation in 2..422 {
            b.record_event(LifecycleEvent::Amended(generation), OPERATOR, Some(11));
        }
        let timeline = &b.status.timeline;
        assert_eq!((timeline.len(), b.status.timeline_dropped), (TIMELINE_MAX, Some(166)));
        assert_eq!((timeline[0].event.as_str(), timeline[1].event.as_str()), ("Submitted", "Returned"));
        assert!(timeline[1].message.contains("补交项目批复"));
        assert_eq!(timeline[1].place, Some(1), "its position does not tell its place any more");
    }

    /// 256 receipts: the approval, the consent and what was missed are still there.
    #[test]
    fn s12_receipts_push_no_approval_out() {
        let mut b = builder();
        b.record_event(LifecycleEvent::Submitted, OPERATOR, Some(16));
        b.record_event(LifecycleEvent::Consented("sha256:0".to_owned()), OPERATOR, Some(23));
        b.record_event(LifecycleEvent::decided(Verdict::Approved, None), OPERATOR, Some(16));
        b.record_event(LifecycleEvent::Met(Obligation::Review, None), OPERATOR, Some(12));
        for volume in 0..256 {
            b.record_event(LifecycleEvent::HandedOver(volume.to_string()), OPERATOR, Some(28));
        }
        assert_eq!(
            ["Submitted", "Consented", "Approved", "Met"].map(|event| has(&b, event)),
            [1, 1, 1, 1],
            "{:?}",
            b.status.timeline.iter().take(6).map(|e| &e.event).collect::<Vec<_>>()
        );
    }

    fn entry(event: &str, article: i32) -> TimelineEntry {
        TimelineEntry {
            at: Timestamp::UNIX_EPOCH.into(),
            actor: String::new(),
            party: None,
            event: event.to_owned(),
            article: Some(article),
            message: String::new(),
            place: None,
        }
    }

    proptest! {
        /// Whatever happens and however often: the first entry stays, and so does the last of every kind on which
        /// something rests. Places are as they were counted.
        #[test]
        fn s12_what_decides_or_is_owed_is_never_dropped(
            events in proptest::collection::vec((0..EventKind::iter().count(), 0_usize..40), 1..40),
        ) {
            let kinds: Vec<EventKind> = EventKind::iter().collect();
            let (mut status, mut all) = (RecordStatus::default(), Vec::new());
            for (kind, times) in events {
                for _ in 0..=times {
                    let article = i32::try_from(kind % 3).unwrap();
                    let next = TimelineEntry { message: all.len().to_string(), ..entry(kinds[kind].as_ref(), article) };
                    append(&mut status, next.clone());
                    all.push(next);
                }
            }
            let kept = &status.timeline;
            prop_assert_eq!(&kept[0].message, "0");
            prop_assert_eq!(kept.len() as i32 + status.timeline_dropped.unwrap_or(0), all.len() as i32);
            let few = all.iter().filter(|e| weight(e) == Weight::Kept).count() < TIMELINE_MAX / 2;
            for (at, entry) in all.iter().enumerate().filter(|_| few) {
                let last = !all[at + 1..].iter().any(|l| l.event == entry.event && l.article == entry.article);
                let owed = weight(entry) == Weight::Kept || (weight(entry) != Weight::Routine && last);
                prop_assert!(!owed || kept.iter().any(|k| k.message == entry.message), "{:?} is gone", entry);
            }
            let value = serde_json::to_value(&status).unwrap();
            let timeline = crate::cloud_event::Timeline::of(&value);
            for (place, entry) in all.iter().enumerate() {
                let found = timeline.entry(place as u64).map(|e| e.message);
                let stays = kept.iter().any(|k| k.message == entry.message);
                prop_assert_eq!(found, stays.then(|| entry.message.clone()));
            }
        }
    }
}
