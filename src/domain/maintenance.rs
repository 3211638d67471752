//! Platform maintenance (Art. 18): an approved plan, notice ahead to those affected, a report after.
//!
//! Here is the provider's side, the ChangeRequest; what an affected application is told is in [`notice`].

use jiff::Timestamp;

use super::calendar::{Calendar, china_date, end_of};
use super::change::Observed;
use super::finding::{Bilingual, Finding};
use super::lifecycle_event::LifecycleEvent;
use super::record::{OPERATOR, StatusBuilder};
use govcloud_api::change::{
    ChangePhase as Phase, ChangeRequest, ChangeRequestStatus, MaintenanceOutcome, PlatformMaintenance,
};
use govcloud_api::condition::ConditionStatus;
use govcloud_api::deadline::{Obligation, Party};

pub mod notice;

/// Working days after the window within which the provider reports the outcome.
pub const REPORT_WORKING_DAYS: i32 = 1;

/// The outcome as it is told.
fn reported(name: &str, outcome: &MaintenanceOutcome) -> LifecycleEvent {
    LifecycleEvent::MaintenanceReported(name.to_owned(), outcome.result, outcome.summary.clone())
}

/// Whether it is approved maintenance whose end was not reported: others plan around it.
#[must_use]
pub fn is_ahead(change: &ChangeRequest) -> bool {
    change.status.as_ref().and_then(|s| s.phase).is_some_and(Phase::is_ahead)
}

/// What is wrong with a maintenance plan by more than itself alone (Art. 18).
pub fn findings(
    seen: &Observed,
    plan: &PlatformMaintenance,
    status: &ChangeRequestStatus,
    now: Timestamp,
) -> Vec<Finding> {
    let mut found: Vec<Finding> =
        seen.affected_missing.iter().cloned().map(Finding::AffectedMissing).collect();
    if status.phase.is_some_and(|p| p.is_ahead() || p == Phase::Completed) {
        return found;
    }
    if let (Some(region), Some(calendar)) = (&seen.ground.region, seen.ground.calendar()) {
        let days = region.spec().working_days.maintenance_notice;
        let notice = calendar.due(now, u32::try_from(days).unwrap_or(0));
        if plan.window.start.timestamp() < notice.at {
            found.push(Finding::WindowTooNear(calendar_day_after(notice.date), days));
        }
    }
    found
}

/// When the window becomes too near for the notice, if nobody decides before: the judgement changes then.
#[must_use]
pub fn too_near_at(plan: &PlatformMaintenance, days: i32, calendar: &Calendar) -> Timestamp {
    let first_day = china_date(plan.window.start.timestamp());
    let last_chance = calendar.back(first_day, u32::try_from(days).unwrap_or(0)).yesterday();
    end_of(last_chance.unwrap_or(first_day))
}

/// The day after a date, as people write it.
fn calendar_day_after(date: jiff::civil::Date) -> String {
    date.tomorrow().unwrap_or(date).to_string()
}

/// Approved: those affected can be told, at once (Art. 18). An approval that the operator saw too late for the
/// notice period, because it was down, stands all the same; that the notice was short is said.
pub fn schedule(seen: &Observed, now: Timestamp, life: &mut StatusBuilder, status: &mut ChangeRequestStatus) {
    let Some(plan) = &seen.record.spec.platform_maintenance else { return };
    let late = findings(seen, plan, status, now).into_iter().find_map(|f| match f {
        Finding::WindowTooNear(_, days) => Some(days),
        _ => None,
    });
    status.phase = Some(Phase::Scheduled);
    let (start, end) = (plan.window.start.timestamp(), plan.window.end.timestamp());
    life.record_event(
        LifecycleEvent::MaintenanceScheduled(seen.meta.name.clone(), start, end, plan.impact),
        OPERATOR,
        Some(18),
    );
    if let Some(days) = late {
        life.record_event(LifecycleEvent::NoticeShort(days), OPERATOR, Some(18));
    }
    life.wake = Some(start).filter(|s| *s > now);
}

/// Follows a scheduled maintenance through its window to the provider's report.
pub fn follow(seen: &Observed, now: Timestamp, life: &mut StatusBuilder, status: &mut ChangeRequestStatus) {
    let Some(plan) = &seen.record.spec.platform_maintenance else { return };
    let (start, end) = (plan.window.start.timestamp(), plan.window.end.timestamp());
    if status.phase == Some(Phase::Scheduled) {
        if now < start {
            life.wake = Some(start);
            return;
        }
        status.phase = Some(Phase::InProgress);
        life.record_event_at(
            LifecycleEvent::MaintenanceStarted(seen.meta.name.clone()),
            "provider",
            Some(18),
            start,
        );
    }
    let Some(calendar) = seen.ground.calendar() else { return };
    if now >= end {
        life.start_clock(Obligation::MaintenanceReport, Party::Provider, REPORT_WORKING_DAYS, end, calendar);
    }
    match &seen.record.spec.maintenance_outcome {
        // What has not ended yet is no outcome: it is taken when that time has come.
        Some(outcome) if outcome.ended_at.timestamp() > now => {
            life.wake = Some(outcome.ended_at.timestamp());
        }
        Some(outcome) => {
            status.phase = Some(Phase::Completed);
            status.applied_at = Some(outcome.ended_at);
            life.record_event(reported(&seen.meta.name, outcome), "provider", Some(18));
            life.meet(Obligation::MaintenanceReport, now, calendar);
        }
        None if now < end => life.wake = Some(end),
        None => {}
    }
}

/// Shows approved maintenance whose window overlaps this one's for the same application, before and after the decision.
pub fn show_overlaps(seen: &Observed, phase: Option<Phase>, life: &mut StatusBuilder) {
    let Some(plan) = &seen.record.spec.platform_maintenance else { return };
    let ahead = matches!(
        phase,
        None | Some(Phase::Submitted | Phase::Returned | Phase::Scheduled | Phase::InProgress)
    );
    let mut texts = Vec::new();
    for (name, other) in seen.maintenances.iter().filter(|_| ahead) {
        let Some(other) = &other.spec.platform_maintenance else { continue };
        if plan.window.overlaps(&other.window) && plan.affects.meets(&other.affects) {
            let (start, end) = (other.window.start.timestamp(), other.window.end.timestamp());
            texts.push(LifecycleEvent::MaintenanceScheduled(name.clone(), start, end, other.impact).text());
        }
    }
    if texts.is_empty() {
        if life.is("WindowOverlaps") {
            let none = Bilingual::new("窗口与其他调整不重叠", "no other window overlaps");
            life.condition("WindowOverlaps", ConditionStatus::False, "None", &none);
        }
        return;
    }
    let list = Bilingual::list(&texts);
    let text = Bilingual::new(
        format!("同一应用的窗口重叠:{}", list.zh),
        format!("windows for the same application overlap: {}", list.en),
    );
    life.condition("WindowOverlaps", ConditionStatus::True, "WindowsOverlap", &text);
}
