//! Platform maintenance (Art. 18): an approved plan, notice ahead to those affected, a report after.

use jiff::Timestamp;

use super::change::Observed;
use super::finding::Finding;
use super::happening::Happening;
use super::record::Life;
use crate::api::change::{ChangePhase as Phase, ChangeRequestStatus, PlatformMaintenance};
use crate::api::deadline::{Obligation, Party};

/// Working days after the window within which the provider reports the outcome.
pub const REPORT_WORKING_DAYS: i32 = 1;

/// The applications that a maintenance affects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Affected {
    /// Those that exist in the region: `namespace/name`.
    pub found: Vec<String>,
    /// Those that are named but do not exist there.
    pub missing: Vec<String>,
}

/// What is wrong with a maintenance plan by more than itself alone (Art. 18).
pub fn findings(
    seen: &Observed,
    plan: &PlatformMaintenance,
    status: &ChangeRequestStatus,
    now: Timestamp,
) -> Vec<Finding> {
    let mut found: Vec<Finding> =
        seen.affected.missing.iter().cloned().map(Finding::AffectedMissing).collect();
    if matches!(status.phase, Some(Phase::Scheduled | Phase::InProgress | Phase::Completed)) {
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

/// The day after a date, as people write it.
fn calendar_day_after(date: jiff::civil::Date) -> String {
    date.tomorrow().unwrap_or(date).to_string()
}

/// Approved: those affected can be told, at once (Art. 18).
pub fn schedule(seen: &Observed, life: &mut Life, status: &mut ChangeRequestStatus) {
    let Some(plan) = &seen.record.spec.platform_maintenance else { return };
    status.phase = Some(Phase::Scheduled);
    life.happen(
        Happening::MaintenanceScheduled(
            seen.meta.name.clone(),
            plan.window.start.timestamp(),
            plan.window.end.timestamp(),
        ),
        "govcloud-operator",
        Some(18),
    );
    life.wake = Some(plan.window.start.timestamp());
}

/// Follows a scheduled maintenance through its window to the provider's report.
pub fn follow(seen: &Observed, now: Timestamp, life: &mut Life, status: &mut ChangeRequestStatus) {
    let Some(plan) = &seen.record.spec.platform_maintenance else { return };
    let (start, end) = (plan.window.start.timestamp(), plan.window.end.timestamp());
    if status.phase == Some(Phase::Scheduled) {
        if now < start {
            life.wake = Some(start);
            return;
        }
        status.phase = Some(Phase::InProgress);
        life.happen_at(Happening::MaintenanceStarted(seen.meta.name.clone()), "provider", Some(18), start);
    }
    let Some(calendar) = seen.ground.calendar() else { return };
    if let Some(outcome) = &seen.record.spec.maintenance_outcome {
        status.phase = Some(Phase::Completed);
        status.applied_at = Some(outcome.ended_at);
        life.happen(
            Happening::MaintenanceReported(format!("{:?}: {}", outcome.result, outcome.summary)),
            "provider",
            Some(18),
        );
        life.meet(Obligation::MaintenanceReport, now, calendar);
    } else if now < end {
        life.wake = Some(end);
    } else {
        life.start_clock(Obligation::MaintenanceReport, Party::Provider, REPORT_WORKING_DAYS, end, calendar);
    }
}
