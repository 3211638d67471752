//! Time that a life has taken so far, counted from what its record holds: for reports, never for decisions.

use jiff::Timestamp;

use super::super::calendar::{Calendar, china_date};
use govcloud_api::deadline::Deadline;
use govcloud_api::record::RecordStatus;

/// Timeline events that only report on a clock: they do not change whose turn it is.
const OF_CLOCKS: [&str; 7] =
    ["ClockStarted", "DeadlineMoved", "DeadlineKept", "HalfLeft", "LastDay", "Overdue", "Met"];

/// Timeline events that put a record before the authority: filed, corrected, or consented to.
const BEFORE_THE_AUTHORITY: [&str; 4] = ["Submitted", "Resubmitted", "Amended", "Consented"];

/// Since when the record waits as it does: the last entry of its timeline that is not about a clock.
#[must_use]
pub fn waits_since(status: &RecordStatus) -> Option<Timestamp> {
    let last = status.timeline.iter().rev().find(|e| !OF_CLOCKS.contains(&e.event.as_str()));
    last.map(|e| e.at.timestamp())
}

/// Working days that the authority took for the decision that stands: from the day on which the record was
/// last put before it, which does not count, to the day of the decision. `None` without a decision.
#[must_use]
pub fn days_to_decide(status: &RecordStatus, calendar: &Calendar) -> Option<i32> {
    let decided = status.decision.as_ref()?.at.timestamp();
    let before = |e: &&govcloud_api::record::TimelineEntry| {
        BEFORE_THE_AUTHORITY.contains(&e.event.as_str()) && e.at.timestamp() <= decided
    };
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
    fn a_clock_that_starts_or_warns_does_not_change_since_when_somebody_is_waited_on() {
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
    fn a_decision_took_the_working_days_since_the_last_correction() {
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
    fn waiting_on_another_party_is_not_taken_by_the_one_who_owes() {
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
