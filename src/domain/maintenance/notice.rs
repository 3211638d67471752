//! Notices to an application about maintenance that affects it: ahead, at the start, at the end, each once (Art. 18).
//!
//! The application's own status lists the notices, so that none is given twice however long the timeline grows, and
//! completed maintenance is read only while its outcome is still to be told.

use jiff::Timestamp;

use super::reported;
use crate::finding::Bilingual;
use crate::lifecycle_event::LifecycleEvent;
use crate::reason::Reason;
use crate::record::{Actor, OPERATOR, StatusBuilder};
use govcloud_api::application::AnnouncedMaintenance;
use govcloud_api::change::{ChangePhase as Phase, Impact, MaintenanceOutcome, Window};
use govcloud_api::condition::{ConditionStatus, ConditionType};
use govcloud_api::deadline::Party;

/// Most maintenances that an application's status lists at a time; the schema says the same. Later ones are told
/// when earlier ones are over.
const ANNOUNCED_MAX: usize = 64;

/// A maintenance as an application that it affects sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaintenanceView {
    /// UID of the ChangeRequest.
    pub uid: String,
    /// Namespace of the ChangeRequest.
    pub namespace: String,
    /// Name of the ChangeRequest.
    pub name: String,
    /// Its phase.
    pub phase: Option<Phase>,
    /// The approved window; `None` while the spec is another than that (S7), or cannot be read.
    pub approved: Option<ApprovedWindow>,
    /// Outcome that the provider reported.
    pub outcome: Option<MaintenanceOutcome>,
}

/// The part of an approved plan that concerns those affected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovedWindow {
    /// The window.
    pub window: Window,
    /// Impact on those affected.
    pub impact: Impact,
}

/// Steps of a maintenance that was announced to an application.
trait Announced {
    /// `namespace/name` of the ChangeRequest.
    fn request(&self) -> String;

    /// Event that announces it.
    fn scheduled(&self) -> LifecycleEvent;

    fn window(&self) -> Window;

    /// Records its start; late or not, the instant is that of the window.
    fn tell_start(&mut self, builder: &mut StatusBuilder);

    /// Records progress. Returns true if more is to come.
    fn follow(&mut self, view: Option<&MaintenanceView>, builder: &mut StatusBuilder) -> bool;
}

impl Announced for AnnouncedMaintenance {
    fn request(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    fn scheduled(&self) -> LifecycleEvent {
        let (start, end) = (self.start.timestamp(), self.end.timestamp());
        LifecycleEvent::MaintenanceScheduled(self.request(), start, end, self.impact)
    }

    fn window(&self) -> Window {
        Window { start: self.start, end: self.end }
    }

    fn tell_start(&mut self, builder: &mut StatusBuilder) {
        self.started = true;
        let at = self.start.timestamp();
        builder.record_event_at(
            LifecycleEvent::MaintenanceStarted(self.request()),
            Actor::operator_for(Party::Provider),
            Some(18),
            at,
        );
    }

    fn follow(&mut self, view: Option<&MaintenanceView>, builder: &mut StatusBuilder) -> bool {
        let Some(view) = view else {
            builder.record_event(LifecycleEvent::MaintenanceGone(self.request()), OPERATOR, Some(18));
            return false;
        };
        match (view.phase, &view.outcome) {
            (Some(Phase::InProgress), _) if !self.started => {
                self.tell_start(builder);
                true
            }
            (Some(Phase::Completed), Some(outcome)) => {
                builder.record_event(
                    reported(&self.request(), outcome),
                    Actor::unnamed(Party::Provider),
                    Some(18),
                );
                false
            }
            _ => true,
        }
    }
}

/// Announces maintenance to an affected application, and shows what is ahead.
pub fn announce(
    views: &[MaintenanceView],
    announced: &mut Vec<AnnouncedMaintenance>,
    builder: &mut StatusBuilder,
) {
    announced.retain_mut(|a| a.follow(views.iter().find(|v| v.uid == a.uid), builder));
    for (v, approved) in unannounced(views, announced) {
        if announced.len() >= ANNOUNCED_MAX {
            break;
        }
        let mut a = AnnouncedMaintenance {
            uid: v.uid.clone(),
            namespace: v.namespace.clone(),
            name: v.name.clone(),
            start: approved.window.start,
            end: approved.window.end,
            impact: approved.impact,
            started: false,
        };
        builder.record_event(a.scheduled(), OPERATOR, Some(18));
        if v.phase == Some(Phase::InProgress) {
            a.tell_start(builder);
        }
        announced.push(a);
    }
    set_condition(announced, builder);
}

/// The application has exited: no maintenance affects it any more.
pub fn forget(announced: &mut Vec<AnnouncedMaintenance>, builder: &mut StatusBuilder) {
    announced.clear();
    set_condition(announced, builder);
}

/// Approved maintenance that is not over and not announced, the earliest first.
fn unannounced<'a>(
    views: &'a [MaintenanceView],
    announced: &[AnnouncedMaintenance],
) -> Vec<(&'a MaintenanceView, &'a ApprovedWindow)> {
    let ahead = |v: &&MaintenanceView| v.phase.is_some_and(Phase::is_ahead);
    let untold = |v: &&MaintenanceView| !announced.iter().any(|a| a.uid == v.uid);
    let mut found: Vec<_> = views
        .iter()
        .filter(ahead)
        .filter(untold)
        .filter_map(|v| v.approved.as_ref().map(|approved| (v, approved)))
        .collect();
    let start = |w: &ApprovedWindow| -> Timestamp { w.window.start.timestamp() };
    found.sort_by(|(a, x), (b, y)| (start(x), &a.uid).cmp(&(start(y), &b.uid)));
    found
}

/// Sets the condition `MaintenanceScheduled`: maintenance ahead or under way, and overlapping windows.
fn set_condition(announced: &[AnnouncedMaintenance], builder: &mut StatusBuilder) {
    if announced.is_empty() {
        if builder.is(ConditionType::MaintenanceScheduled) {
            let none = Bilingual::new("没有已批准的平台调整", "no approved maintenance is ahead");
            builder.condition(
                ConditionType::MaintenanceScheduled,
                ConditionStatus::False,
                Reason::None,
                &none,
            );
        }
        return;
    }
    let mut ahead: Vec<&AnnouncedMaintenance> = announced.iter().collect();
    ahead.sort_by_key(|a| (a.start.timestamp(), a.uid.clone()));
    let mut texts: Vec<Bilingual> = ahead.iter().map(|a| a.scheduled().text()).collect();
    let mut overlaps = false;
    for (i, a) in ahead.iter().enumerate() {
        for b in ahead[i + 1..].iter().filter(|b| a.window().overlaps(&b.window())) {
            overlaps = true;
            texts.push(Bilingual::new(
                format!("{} 与 {} 的窗口重叠", a.request(), b.request()),
                format!("the windows of {} and {} overlap", a.request(), b.request()),
            ));
        }
    }
    let reason = match overlaps {
        true => Reason::WindowsOverlap,
        false if ahead.iter().any(|a| a.started) => Reason::InProgress,
        false => Reason::Scheduled,
    };
    builder.condition(
        ConditionType::MaintenanceScheduled,
        ConditionStatus::True,
        reason,
        &Bilingual::list(&texts),
    );
}
