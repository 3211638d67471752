//! What an application is told of maintenance that affects it: ahead, at the start, at the end, each once (Art. 18).
//!
//! What was told is kept in the application's own status, so that nothing is told twice however long the
//! timeline grows, and so that a completed maintenance is looked for only where its outcome is still owed.

use jiff::Timestamp;

use super::reported;
use crate::finding::Bilingual;
use crate::lifecycle_event::LifecycleEvent;
use crate::record::{OPERATOR, StatusBuilder};
use govcloud_api::application::AnnouncedMaintenance;
use govcloud_api::change::{ChangePhase as Phase, Impact, MaintenanceOutcome, Window};
use govcloud_api::condition::ConditionStatus;

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
    /// Where it stands.
    pub phase: Option<Phase>,
    /// What was approved; `None` while the spec is another than that (S7), or cannot be read.
    pub approved: Option<ApprovedWindow>,
    /// What the provider reported.
    pub outcome: Option<MaintenanceOutcome>,
}

/// The part of an approved plan that concerns those affected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovedWindow {
    /// When.
    pub window: Window,
    /// What is noticed of it.
    pub impact: Impact,
}

/// Steps of a maintenance that was announced to an application.
trait Announced {
    /// `namespace/name` of the ChangeRequest.
    fn request(&self) -> String;

    /// That it is going to happen.
    fn scheduled(&self) -> LifecycleEvent;

    fn window(&self) -> Window;

    /// Told when it has begun; late or not, the instant is that of the window.
    fn tell_start(&mut self, life: &mut StatusBuilder);

    /// Tells how it goes on. Whether there is more to come.
    fn go_on(&mut self, view: Option<&MaintenanceView>, life: &mut StatusBuilder) -> bool;
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

    fn tell_start(&mut self, life: &mut StatusBuilder) {
        self.started = true;
        let at = self.start.timestamp();
        life.record_event_at(LifecycleEvent::MaintenanceStarted(self.request()), "provider", Some(18), at);
    }

    fn go_on(&mut self, view: Option<&MaintenanceView>, life: &mut StatusBuilder) -> bool {
        let Some(view) = view else {
            life.record_event(LifecycleEvent::MaintenanceGone(self.request()), OPERATOR, Some(18));
            return false;
        };
        match (view.phase, &view.outcome) {
            (Some(Phase::InProgress), _) if !self.started => {
                self.tell_start(life);
                true
            }
            (Some(Phase::Completed), Some(outcome)) => {
                life.record_event(reported(&self.request(), outcome), "provider", Some(18));
                false
            }
            _ => true,
        }
    }
}

/// Tells an affected application what it has not been told yet, and shows what is ahead.
pub fn tell(views: &[MaintenanceView], announced: &mut Vec<AnnouncedMaintenance>, life: &mut StatusBuilder) {
    announced.retain_mut(|a| a.go_on(views.iter().find(|v| v.uid == a.uid), life));
    for (v, approved) in news(views, announced) {
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
        life.record_event(a.scheduled(), OPERATOR, Some(18));
        if v.phase == Some(Phase::InProgress) {
            a.tell_start(life);
        }
        announced.push(a);
    }
    show(announced, life);
}

/// The application has exited: no maintenance affects it any more.
pub fn forget(announced: &mut Vec<AnnouncedMaintenance>, life: &mut StatusBuilder) {
    announced.clear();
    show(announced, life);
}

/// What is approved, not over, and not told yet, the earliest first.
fn news<'a>(
    views: &'a [MaintenanceView],
    announced: &[AnnouncedMaintenance],
) -> Vec<(&'a MaintenanceView, &'a ApprovedWindow)> {
    let ahead = |v: &&MaintenanceView| v.phase.is_some_and(Phase::is_ahead);
    let untold = |v: &&MaintenanceView| !announced.iter().any(|a| a.uid == v.uid);
    let mut news: Vec<_> = views
        .iter()
        .filter(ahead)
        .filter(untold)
        .filter_map(|v| v.approved.as_ref().map(|approved| (v, approved)))
        .collect();
    let start = |w: &ApprovedWindow| -> Timestamp { w.window.start.timestamp() };
    news.sort_by(|(a, x), (b, y)| (start(x), &a.uid).cmp(&(start(y), &b.uid)));
    news
}

/// The condition `MaintenanceScheduled`: what is ahead or under way, and which windows overlap.
fn show(announced: &[AnnouncedMaintenance], life: &mut StatusBuilder) {
    if announced.is_empty() {
        if life.is("MaintenanceScheduled") {
            let none = Bilingual::new("没有已批准的平台调整", "no approved maintenance is ahead");
            life.condition("MaintenanceScheduled", ConditionStatus::False, "None", &none);
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
        true => "WindowsOverlap",
        false if ahead.iter().any(|a| a.started) => "InProgress",
        false => "Scheduled",
    };
    life.condition("MaintenanceScheduled", ConditionStatus::True, reason, &Bilingual::list(&texts));
}
