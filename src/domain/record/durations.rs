//! Durations so far, counted from the record: for reports, never for decisions.

use jiff::Timestamp;

use super::super::calendar::{Calendar, china_date};
use crate::lifecycle_event::EventKind;
use govcloud_api::deadline::Deadline;
use govcloud_api::record::{RecordStatus, TimelineEntry};

/// Kind of a timeline entry.
fn kind(entry: &TimelineEntry) -> Option<EventKind> {
    entry.event.parse().ok()
}

/// Returns true if an entry only reports on a clock and changes nobody's turn.
fn is_of_clock(entry: &TimelineEntry) -> bool {
    use EventKind::{ClockStarted, DeadlineKept, DeadlineMoved, HalfLeft, LastDay, Met, Overdue};
    matches!(
        kind(entry),
        Some(ClockStarted | DeadlineMoved | DeadlineKept | HalfLeft | LastDay | Overdue | Met)
    )
}

/// Returns true if an entry puts the record before the authority.
fn is_submission(entry: &TimelineEntry) -> bool {
    use EventKind::{Amended, Consented, Resubmitted, Submitted};
    matches!(kind(entry), Some(Submitted | Resubmitted | Amended | Consented))
}

/// Start of the present wait: the last entry of the timeline that is not about a clock.
#[must_use]
pub fn waits_since(status: &RecordStatus) -> Option<Timestamp> {
    let last = status.timeline.iter().rev().find(|e| !is_of_clock(e));
    last.map(|e| e.at.timestamp())
}

/// Working days that the authority took for the recorded decision: from the day on which the record was
/// last put before it, which does not count, to the day of the decision. `None` without a decision.
#[must_use]
pub fn days_to_decide(status: &RecordStatus, calendar: &Calendar) -> Option<i32> {
    let decided = status.decision.as_ref()?.at.timestamp();
    let before = |e: &&TimelineEntry| is_submission(e) && e.at.timestamp() <= decided;
    let begun = status.timeline.iter().rev().find(before)?.at.timestamp();
    Some(calendar.count(china_date(begun), china_date(decided)))
}

/// Working days that a met obligation took, less those spent waiting on another party. `None` while it is open.
#[must_use]
pub fn days_taken(deadline: &Deadline, calendar: &Calendar) -> Option<i32> {
    let met = deadline.met_at?.timestamp();
    let waited: i32 = deadline
        .pauses
        .iter()
        .filter_map(|p| Some(calendar.count(china_date(p.from.into()), china_date(p.to?.into()))))
        .sum();
    Some((calendar.count(china_date(deadline.started_at.into()), china_date(met)) - waited).max(0))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn calendar() -> Calendar {
        let shipped = include_str!("../../../config/calendars/cn.yaml");
        let read: govcloud_api::work_calendar::WorkCalendar = serde_saphyr::from_str(shipped).unwrap();
        Calendar::new("cn", 1, &read.spec).unwrap()
    }

    fn entry(at: &str, event: &str) -> serde_json::Value {
        json!({ "at": at, "actor": "a", "event": event })
    }

    #[test]
    fn clock_events_do_not_change_waits_since() {
        let status: RecordStatus = serde_json::from_value(json!({ "timeline": [
            entry("2026-11-02T01:00:00Z", "Submitted"),
            entry("2026-11-02T01:00:00Z", "ClockStarted"),
            entry("2026-11-05T01:00:00Z", "HalfLeft"),
        ] }))
        .unwrap();
        assert_eq!(waits_since(&status), Some("2026-11-02T01:00:00Z".parse().unwrap()));
        assert_eq!(waits_since(&RecordStatus::default()), None);
    }

    #[test]
    fn days_to_decide_counts_from_the_last_submission() {
        let decision = json!({
            "verdict": "Approved", "by": "b", "at": "2026-10-09T08:00:00Z", "atSource": "Observed",
            "generation": 2, "digest": "d",
        });
        let status: RecordStatus = serde_json::from_value(json!({ "decision": decision, "timeline": [
            entry("2026-09-01T01:00:00Z", "Submitted"),
            entry("2026-09-04T01:00:00Z", "Returned"),
            entry("2026-09-29T01:00:00Z", "Resubmitted"),
            entry("2026-10-09T08:00:00Z", "Approved"),
        ] }))
        .unwrap();
        // 30 September, then the holiday of 1 to 7 October, then the 8th and the 9th.
        assert_eq!(days_to_decide(&status, &calendar()), Some(3));
    }

    #[test]
    fn days_taken_leaves_out_pauses() {
        let deadline = |pauses: serde_json::Value| -> Deadline {
            serde_json::from_value(json!({
                "obligation": "Change", "party": "Provider", "article": 15, "workingDays": 3,
                "startedAt": "2026-11-02T01:00:00Z", "dueDate": "2026-11-05", "dueAt": "2026-11-05T16:00:00Z",
                "provisional": false, "calendar": "cn@1", "metAt": "2026-11-10T01:00:00Z", "pauses": pauses,
            }))
            .unwrap()
        };
        let paused = json!([{ "from": "2026-11-03T01:00:00Z", "to": "2026-11-06T01:00:00Z",
            "waitingOn": "Department", "reason": "ReduceUse" }]);
        assert_eq!(days_taken(&deadline(json!([])), &calendar()), Some(6));
        assert_eq!(days_taken(&deadline(paused), &calendar()), Some(3));
    }
}
