//! Maintenance as those affected learn of it (Art. 18): ahead, at the start, at the end, each once.

use std::sync::Arc;

use govcloud::api::change::{ChangePhase, MaintenanceOutcome, MaintenanceResult};
use govcloud::core::application;
use govcloud::core::maintenance::MaintenanceView;
use govcloud::shell::observe::Circumstances;
use govcloud::shell::queue::{Key, Kind};

use crate::acts::app_id;
use crate::stage::{DEPT, Stage, at};

fn view(name: &str, phase: ChangePhase, start: &str, end: &str) -> MaintenanceView {
    let outcome = (phase == ChangePhase::Completed).then(|| MaintenanceOutcome {
        result: MaintenanceResult::Succeeded,
        ended_at: at(end).into(),
        summary: "按计划完成".into(),
    });
    MaintenanceView { name: format!("provider/{name}"), phase, start: at(start), end: at(end), outcome }
}

/// Decides with these maintenances, twice, and stores what comes of it. The events of the first time.
fn tell(s: &mut Stage, views: &[MaintenanceView]) -> Vec<&'static str> {
    let with = Circumstances { guard: s.guard.clone(), fresh: false, trouble: None };
    let key = Key::new(Kind::Application, DEPT, "travel");
    let mut seen = s.cluster.world().application(&key, &with).unwrap();
    seen.maintenances = views.to_vec();
    let plan = application::decide(&seen, s.now);
    assert!(plan.steps.is_empty() && !plan.reread);
    let mut record = (*seen.record).clone();
    record.status = Some(plan.status.clone());
    seen.record = Arc::new(record);
    let again = application::decide(&seen, s.now);
    assert_eq!((&again.status, again.notices.len()), (&plan.status, 0), "each once");
    s.cluster.change(&app_id(), |o| o["status"] = serde_json::to_value(&plan.status).unwrap());
    plan.notices.iter().map(|n| n.event()).collect()
}

#[test]
fn an_affected_application_is_told_ahead_at_the_start_and_at_the_end() {
    let mut s = Stage::live("2026-06-01 09:00");
    let (start, end) = ("2026-06-10 22:00", "2026-06-11 02:00");
    let stands = |s: &Stage| s.stands(&app_id(), "MaintenanceScheduled");
    assert_eq!(stands(&s), "", "nothing is said of nothing");
    assert_eq!(
        tell(&mut s, &[view("storage", ChangePhase::Scheduled, start, end)]),
        ["MaintenanceScheduled"]
    );
    assert_eq!(stands(&s), "True/Scheduled");
    let message =
        s.condition(&app_id(), "MaintenanceScheduled").unwrap()["message"].as_str().unwrap().to_owned();
    assert!(message.contains("2026-06-10 22:00") && message.contains("provider/storage"), "{message}");
    s.now = at(start);
    assert_eq!(tell(&mut s, &[view("storage", ChangePhase::InProgress, start, end)]), ["MaintenanceStarted"]);
    assert_eq!(stands(&s), "True/InProgress");
    s.now = at("2026-06-11 03:00");
    assert_eq!(tell(&mut s, &[view("storage", ChangePhase::Completed, start, end)]), ["MaintenanceReported"]);
    assert_eq!(stands(&s), "False/None");
    assert_eq!(tell(&mut s, &[]), Vec::<&str>::new());
}

#[test]
fn overlapping_windows_are_shown() {
    let mut s = Stage::live("2026-06-01 09:00");
    let a = view("storage", ChangePhase::Scheduled, "2026-06-10 22:00", "2026-06-11 02:00");
    let b = view("network", ChangePhase::Scheduled, "2026-06-11 01:00", "2026-06-11 03:00");
    assert_eq!(tell(&mut s, &[b, a]).len(), 2);
    assert_eq!(s.stands(&app_id(), "MaintenanceScheduled"), "True/WindowsOverlap");
}

#[test]
fn who_was_not_there_is_not_told_afterwards() {
    let mut s = Stage::live("2026-06-12 09:00");
    let over = view("storage", ChangePhase::Completed, "2026-06-10 22:00", "2026-06-11 02:00");
    assert_eq!(tell(&mut s, &[over]), Vec::<&str>::new());
    assert_eq!(s.stands(&app_id(), "MaintenanceScheduled"), "");
}
