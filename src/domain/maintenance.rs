//! Platform maintenance (Art. 18): an approved plan, notice ahead to those affected, a report after.
//!
//! This file is the provider's side, the ChangeRequest; [`notice`] is the side of an affected application.

use std::sync::Arc;

use jiff::Timestamp;

use super::calendar::{Calendar, china_date, end_of};
use super::compliance::emergency_plan;
use super::finding::{Bilingual, Finding};
use super::lifecycle_event::LifecycleEvent;
use super::reason::Reason;
use super::record::{Actor, OPERATOR, StatusBuilder};
use super::region_context::RegionContext;
use govcloud_api::change::{
    ChangePhase as Phase, ChangeRequest, ChangeRequestStatus, MaintenanceOutcome, PlatformMaintenance,
};
use govcloud_api::compliance::ComplianceRecord;
use govcloud_api::condition::{ConditionStatus, ConditionType};
use govcloud_api::deadline::{Obligation, Party};

pub mod notice;

/// Working days after the window within which the provider reports the outcome.
pub const REPORT_WORKING_DAYS: i32 = 1;

/// Event of a reported outcome.
fn reported(name: &str, outcome: &MaintenanceOutcome) -> LifecycleEvent {
    LifecycleEvent::MaintenanceReported(name.to_owned(), outcome.result, outcome.summary.clone())
}

/// Returns true for approved maintenance whose end was not reported: others plan around it.
#[must_use]
pub fn is_ahead(change: &ChangeRequest) -> bool {
    change.status.as_ref().and_then(|s| s.phase).is_some_and(Phase::is_ahead)
}

/// A maintenance plan, with what its rules depend on.
#[derive(Clone, Copy, Debug)]
pub struct Maintenance<'a> {
    /// Name of the ChangeRequest.
    pub name: &'a str,
    /// The plan.
    pub plan: &'a PlatformMaintenance,
    /// The outcome, once reported.
    pub outcome: Option<&'a MaintenanceOutcome>,
    /// Its Region.
    pub region_context: &'a RegionContext,
    /// Affected applications that do not exist: `namespace/name`.
    pub affected_missing: &'a [String],
    /// Other approved maintenance of the region, with `namespace/name`.
    pub others: &'a [(String, Arc<ChangeRequest>)],
    /// The emergency plan that it names.
    pub emergency_plan: Option<&'a ComplianceRecord>,
    /// Time of the decision.
    pub now: Timestamp,
}

impl Maintenance<'_> {
    /// Start and end of the window.
    fn window(&self) -> (Timestamp, Timestamp) {
        (self.plan.window.start.timestamp(), self.plan.window.end.timestamp())
    }

    /// Findings that the schema cannot see (Art. 18).
    #[must_use]
    pub fn findings(&self, phase: Option<Phase>) -> Vec<Finding> {
        let mut found: Vec<Finding> =
            self.affected_missing.iter().cloned().map(Finding::AffectedMissing).collect();
        if !phase.is_some_and(|p| p.is_ahead() || p == Phase::Completed) {
            found.extend(self.too_near());
            found.extend(self.plan_unusable());
        }
        found
    }

    /// Finding on a window inside the notice period.
    fn too_near(&self) -> Option<Finding> {
        let (region, calendar) = self.region_context.counting()?;
        let days = region.working_days.maintenance_notice;
        let notice = calendar.due(self.now, u32::try_from(days).unwrap_or(0));
        let earliest = notice.date.tomorrow().unwrap_or(notice.date).to_string();
        (self.window().0 < notice.at).then_some(Finding::WindowTooNear(earliest, days))
    }

    /// Finding on the emergency plan that it relies on: it must be in force until the window ends.
    fn plan_unusable(&self) -> Option<Finding> {
        let name = self.plan.emergency_plan.as_ref()?;
        let field = "spec.platformMaintenance.emergencyPlan";
        emergency_plan::unusable(field, name, self.emergency_plan, china_date(self.window().1))
    }

    /// Instant at which the window becomes too near for the notice, if nobody decides before.
    #[must_use]
    pub fn too_near_at(&self, days: i32, calendar: &Calendar) -> Timestamp {
        let first_day = china_date(self.window().0);
        let last_chance = calendar.back(first_day, u32::try_from(days).unwrap_or(0)).yesterday();
        end_of(last_chance.unwrap_or(first_day))
    }

    /// Schedules approved maintenance; those affected are told at once (Art. 18). An approval that the operator saw too
    /// late, because it was down, stays valid; the short notice is recorded.
    pub fn schedule(&self, builder: &mut StatusBuilder, status: &mut ChangeRequestStatus) {
        let late = self.too_near();
        status.phase = Some(Phase::Scheduled);
        let (start, end) = self.window();
        let scheduled =
            LifecycleEvent::MaintenanceScheduled(self.name.to_owned(), start, end, self.plan.impact);
        builder.record_event(scheduled, OPERATOR, Some(18));
        if let Some(Finding::WindowTooNear(_, days)) = late {
            builder.record_event(LifecycleEvent::NoticeShort(days), OPERATOR, Some(18));
        }
        builder.wake = Some(start).filter(|s| *s > self.now);
    }

    /// Follows scheduled maintenance through its window to the provider's report.
    pub fn follow(&self, builder: &mut StatusBuilder, status: &mut ChangeRequestStatus) {
        let (start, end) = self.window();
        if status.phase == Some(Phase::Scheduled) {
            if self.now < start {
                builder.wake = Some(start);
                return;
            }
            status.phase = Some(Phase::InProgress);
            let started = LifecycleEvent::MaintenanceStarted(self.name.to_owned());
            builder.record_event_at(started, Actor::operator_for(Party::Provider), Some(18), start);
        }
        let Some(calendar) = self.region_context.calendar() else { return };
        if self.now >= end {
            builder.start_clock(Obligation::MaintenanceReport, REPORT_WORKING_DAYS, end, calendar);
        }
        match self.outcome {
            // An outcome in the future is taken when that time has come.
            Some(outcome) if outcome.ended_at.timestamp() > self.now => {
                builder.wake = Some(outcome.ended_at.timestamp());
            }
            Some(outcome) => {
                status.phase = Some(Phase::Completed);
                status.applied_at = Some(outcome.ended_at);
                builder.record_event(reported(self.name, outcome), Actor::unnamed(Party::Provider), Some(18));
                builder.meet(Obligation::MaintenanceReport, self.now, calendar);
            }
            None if self.now < end => builder.wake = Some(end),
            None => {}
        }
    }

    /// Sets `WindowOverlaps` from approved maintenance that overlaps this one for the same application.
    pub fn set_overlap_condition(&self, phase: Option<Phase>, builder: &mut StatusBuilder) {
        let ahead = matches!(
            phase,
            None | Some(Phase::Submitted | Phase::Returned | Phase::Scheduled | Phase::InProgress)
        );
        let mut texts = Vec::new();
        for (name, other) in self.others.iter().filter(|_| ahead) {
            let Some(other) = &other.spec.platform_maintenance else { continue };
            if self.plan.window.overlaps(&other.window) && self.plan.affects.meets(&other.affects) {
                let (start, end) = (other.window.start.timestamp(), other.window.end.timestamp());
                texts.push(
                    LifecycleEvent::MaintenanceScheduled(name.clone(), start, end, other.impact).text(),
                );
            }
        }
        if texts.is_empty() {
            if builder.is(ConditionType::WindowOverlaps) {
                let none = Bilingual::new("窗口与其他调整不重叠", "no other window overlaps");
                builder.condition(ConditionType::WindowOverlaps, ConditionStatus::False, Reason::None, &none);
            }
            return;
        }
        let list = Bilingual::list(&texts);
        let text = Bilingual::new(
            format!("同一应用的窗口重叠：{}", list.zh),
            format!("windows for the same application overlap: {}", list.en),
        );
        builder.condition(
            ConditionType::WindowOverlaps,
            ConditionStatus::True,
            Reason::WindowsOverlap,
            &text,
        );
    }
}
