//! Platform maintenance (Art. 18): an approved plan, notice ahead to those affected, a report after.

use jiff::Timestamp;

use super::calendar::{Calendar, china_date, end_of};
use super::change::Observed;
use super::finding::{Bilingual, Finding};
use super::happening::Happening;
use super::record::{Life, OPERATOR};
use crate::api::change::{
    ChangePhase as Phase, ChangeRequestStatus, MaintenanceOutcome, PlatformMaintenance,
};
use crate::api::condition::ConditionStatus;
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

/// An approved maintenance as an application that it affects sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaintenanceView {
    /// Namespace and name of the ChangeRequest: `namespace/name`.
    pub name: String,
    /// `Scheduled`, `InProgress` or `Completed`; others are not shown.
    pub phase: Phase,
    /// Begin of the window.
    pub start: Timestamp,
    /// End of the window.
    pub end: Timestamp,
    /// What the provider reported.
    pub outcome: Option<MaintenanceOutcome>,
}

/// Tells an affected application: ahead, at the start and at the end, each once (Art. 18).
pub fn tell(views: &[MaintenanceView], life: &mut Life) {
    for v in views {
        let scheduled = Happening::MaintenanceScheduled(v.name.clone(), v.start, v.end);
        match v.phase {
            Phase::Scheduled => life.happen_once(scheduled, OPERATOR, Some(18)),
            Phase::InProgress => {
                life.happen_once(scheduled, OPERATOR, Some(18));
                life.happen_once(Happening::MaintenanceStarted(v.name.clone()), "provider", Some(18));
            }
            // Whoever was not told of the beginning was not there for it.
            Phase::Completed if life.told(&scheduled) => {
                let outcome = v.outcome.as_ref().map(|o| reported(&v.name, o));
                life.happen_once(
                    outcome.unwrap_or(Happening::MaintenanceReported(v.name.clone())),
                    "provider",
                    Some(18),
                );
            }
            _ => {}
        }
    }
    let mut ahead: Vec<_> =
        views.iter().filter(|v| matches!(v.phase, Phase::Scheduled | Phase::InProgress)).collect();
    ahead.sort_by_key(|v| (v.start, v.name.clone()));
    let none = || Bilingual::new("没有已批准的平台调整", "no approved maintenance is ahead");
    if ahead.is_empty() {
        if life.is("MaintenanceScheduled") {
            life.condition("MaintenanceScheduled", ConditionStatus::False, "None", &none());
        }
        return;
    }
    let texts: Vec<Bilingual> = ahead
        .iter()
        .map(|v| Happening::MaintenanceScheduled(v.name.clone(), v.start, v.end).text())
        .collect();
    let overlap = ahead.windows(2).any(|w| w[1].start < w[0].end);
    let reason = match overlap {
        true => "WindowsOverlap",
        false if ahead.iter().any(|v| v.phase == Phase::InProgress) => "InProgress",
        false => "Scheduled",
    };
    let join = |of: fn(&Bilingual) -> &str, by| texts.iter().map(of).collect::<Vec<_>>().join(by);
    let text = Bilingual::new(join(|t| &t.zh, ";"), join(|t| &t.en, "; "));
    life.condition("MaintenanceScheduled", ConditionStatus::True, reason, &text);
}

/// The outcome as it is told.
fn reported(name: &str, outcome: &MaintenanceOutcome) -> Happening {
    Happening::MaintenanceReported(format!("{name} {:?}: {}", outcome.result, outcome.summary))
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
        life.happen(reported(&seen.meta.name, outcome), "provider", Some(18));
        life.meet(Obligation::MaintenanceReport, now, calendar);
    } else if now < end {
        life.wake = Some(end);
    } else {
        life.start_clock(Obligation::MaintenanceReport, Party::Provider, REPORT_WORKING_DAYS, end, calendar);
    }
}
