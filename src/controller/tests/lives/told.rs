//! Maintenance as those affected learn of it (Art. 18): ahead, at the start, at the end, each once, and nobody else.

use govcloud_controller::key::Key;
use govcloud_controller::kinds::Kind;
use serde_json::{Value, json};

use crate::acts::{app_id, application, exit, maintenance};
use crate::cluster::{Id, id};
use crate::stage::{DEPT, LI, Stage, ZHANG, at};

const START: &str = "2026-06-10 22:00";
const END: &str = "2026-06-11 02:00";

pub fn maintenance_id(name: &str) -> Id {
    id("ChangeRequest", "provider", name)
}

fn outcome(result: &str, ended: &str) -> Value {
    json!({ "maintenanceOutcome": { "result": result, "endedAt": at(ended).to_string(), "summary": "见附件" } })
}

/// The events of maintenance in a record's timeline.
fn told(s: &Stage, of: &Id) -> Vec<String> {
    let all = s.status(of)["timeline"].as_array().cloned().unwrap_or_default();
    let events = all.iter().filter_map(|e| e["event"].as_str());
    events.filter(|e| e.starts_with("Maintenance") || *e == "NoticeShort").map(str::to_owned).collect()
}

impl Stage {
    /// The provider files a maintenance.
    pub fn maintain(&mut self, name: &str, spec: Value) -> Id {
        let m = maintenance_id(name);
        self.file_by("provider", &m, spec);
        self.settle();
        m
    }
}

#[test]
fn an_affected_application_is_told_ahead_at_the_start_and_at_the_end() {
    let mut s = Stage::live("2026-06-01 09:00");
    let stands = |s: &Stage| s.stands(&app_id(), "MaintenanceScheduled");
    let m = s.maintain("storage", maintenance(START, END));
    assert_eq!(
        (stands(&s).as_str(), told(&s, &app_id()).len()),
        ("", 0),
        "nothing is told of what is not approved"
    );
    s.decide(&m, "approved", "同意");
    assert_eq!(stands(&s), "True/Scheduled");
    let message =
        s.condition(&app_id(), "MaintenanceScheduled").unwrap()["message"].as_str().unwrap().to_owned();
    for part in ["provider/storage", "2026-06-10 22:00", "变慢或短时中断", "short interruptions"] {
        assert!(message.contains(part), "{message}");
    }
    s.until(START);
    assert_eq!(stands(&s), "True/InProgress");
    s.until("2026-06-11 03:00");
    s.edit("provider", &m, outcome("RolledBack", END));
    assert_eq!((s.phase(&m), stands(&s).as_str()), ("Completed", "False/None"));
    let all = ["MaintenanceScheduled", "MaintenanceStarted", "MaintenanceReported"];
    assert_eq!(told(&s, &app_id()), all);
    assert!(s.status(&app_id())["maintenances"].is_null(), "nothing is owed any more");
    assert!(s.log.contains("! MaintenanceReported"), "a rollback is a warning:\n{}", s.log);
    s.until("2026-09-01 09:00");
    assert_eq!(told(&s, &app_id()), all, "each once");
}

/// Shown to the authority before it decides, and to those affected.
#[test]
fn overlapping_windows_are_shown() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.log.clear();
    let a = s.maintain("storage", maintenance(START, END));
    let b = s.maintain("network", maintenance("2026-06-11 01:00", "2026-06-11 03:00"));
    let mut elsewhere = maintenance("2026-06-11 01:00", "2026-06-11 03:00");
    elsewhere["platformMaintenance"]["affects"] =
        json!({ "applications": [{ "namespace": DEPT, "name": "other" }] });
    s.file(&id("CloudApplication", DEPT, "other"), application());
    let c = s.maintain("elsewhere", elsewhere);
    assert_eq!(s.stands(&a, "WindowOverlaps"), "", "two plans are no fact yet");
    s.decide(&c, "approved", "同意");
    assert_eq!(s.stands(&b, "WindowOverlaps"), "True/WindowsOverlap", "all are affected by it, `other` too");
    s.decide(&a, "approved", "同意");
    let shown = s.condition(&b, "WindowOverlaps").unwrap()["message"].as_str().unwrap().to_owned();
    assert!(shown.contains("provider/storage") && shown.contains("provider/elsewhere"), "{shown}");
    s.decide(&b, "approved", "同意");
    assert_eq!(s.stands(&app_id(), "MaintenanceScheduled"), "True/WindowsOverlap");
    let shown =
        s.condition(&app_id(), "MaintenanceScheduled").unwrap()["message"].as_str().unwrap().to_owned();
    assert!(shown.contains("the windows of provider/storage and provider/network overlap"), "{shown}");
    assert!(!shown.contains("elsewhere"), "{shown}");
    s.until("2026-06-11 03:00");
    s.edit("provider", &b, outcome("Succeeded", "2026-06-11 02:30"));
    assert_eq!(s.stands(&app_id(), "MaintenanceScheduled"), "True/InProgress");
    insta::assert_snapshot!(s.log);
}

#[test]
fn who_comes_later_is_told_of_what_is_ahead_and_not_of_what_is_over() {
    let mut s = Stage::new("2026-06-01 09:00");
    let ahead = s.maintain("storage", maintenance(START, END));
    let early = s.maintain("early", maintenance("2026-06-06 09:00", "2026-06-06 10:00"));
    s.decide(&ahead, "approved", "同意");
    s.decide(&early, "approved", "同意");
    s.until("2026-06-06 10:00");
    s.edit("provider", &early, outcome("Succeeded", "2026-06-06 09:30"));
    s.file(&app_id(), application());
    assert_eq!(told(&s, &app_id()).len(), 0, "it has nothing on the platform yet");
    s.decide(&app_id(), "approved", "同意");
    assert_eq!(told(&s, &app_id()), ["MaintenanceScheduled"]);
    assert_eq!(s.status(&app_id())["maintenances"][0]["name"], "storage");
    // Approved in the middle of the window: told of both at once.
    s.until(START);
    let other = id("CloudApplication", DEPT, "other");
    s.file(&other, application());
    s.decide(&other, "approved", "同意");
    assert_eq!(told(&s, &other), ["MaintenanceScheduled", "MaintenanceStarted"]);
}

/// An exited application is affected by nothing; nor is it told.
#[test]
fn who_has_exited_is_told_nothing_more() {
    let mut s = Stage::live("2026-06-01 09:00");
    let m = s.maintain("storage", maintenance(START, END));
    s.decide(&m, "approved", "同意");
    s.leave("leave", exit("Application", "Retain", &[]));
    assert_eq!(s.phase(&app_id()), "Exited");
    assert_eq!(s.stands(&app_id(), "MaintenanceScheduled"), "False/None");
    s.until("2026-06-16 09:00");
    assert_eq!(told(&s, &app_id()), ["MaintenanceScheduled"]);
}

/// A plan that names an application which does not exist there is not in order, until it does.
#[test]
fn an_affected_application_must_exist() {
    let mut s = Stage::new("2026-06-01 09:00");
    let mut spec = maintenance(START, END);
    spec["platformMaintenance"]["affects"] =
        json!({ "applications": [{ "namespace": DEPT, "name": "travel" }] });
    let m = s.maintain("storage", spec);
    assert_eq!(s.stands(&m, "Valid"), "False/AffectedMissing");
    assert!(!s.may_decide(LI, &m, "approved"));
    s.file(&app_id(), application());
    assert_eq!(s.stands(&m, "Valid"), "True/Valid");
}

/// An approval that the operator sees only after the notice period began stands, and the short notice is said.
#[test]
fn an_approval_seen_too_late_for_the_notice_says_so() {
    let mut s = Stage::live("2026-06-01 09:00");
    let m = s.maintain("storage", maintenance(START, END));
    s.decide_unseen(&m, "approved", "同意");
    s.now = at("2026-06-09 09:00");
    s.settle();
    assert_eq!(s.phase(&m), "Scheduled");
    assert_eq!(told(&s, &m), ["MaintenanceScheduled", "NoticeShort"]);
    assert_eq!(told(&s, &app_id()), ["MaintenanceScheduled"]);
}

/// Maintenance that has not ended has no outcome.
#[test]
fn an_outcome_dated_ahead_is_taken_when_its_time_has_come() {
    let mut s = Stage::live("2026-06-01 09:00");
    let m = s.maintain("storage", maintenance(START, END));
    s.decide(&m, "approved", "同意");
    s.until("2026-06-10 23:00");
    s.edit("provider", &m, outcome("Succeeded", "2026-06-11 01:00"));
    assert_eq!(s.phase(&m), "InProgress");
    s.until("2026-06-11 01:00");
    assert_eq!(s.phase(&m), "Completed");
    assert_eq!(told(&s, &app_id()).last().unwrap(), "MaintenanceReported");
}

/// Should the record go before its outcome was told, those who wait for it hear that.
#[test]
fn a_maintenance_whose_record_is_gone_is_waited_for_no_more() {
    let mut s = Stage::live("2026-06-01 09:00");
    let m = s.maintain("storage", maintenance(START, END));
    s.decide(&m, "approved", "同意");
    s.cluster.remove(&m);
    s.settle();
    assert_eq!(told(&s, &app_id()), ["MaintenanceScheduled", "MaintenanceGone"]);
    assert_eq!(s.stands(&app_id(), "MaintenanceScheduled"), "False/None");
}

/// Whose key is queued when a maintenance changes: those affected and in use, the other plans of the region, and
/// nobody when nothing of that changed.
#[test]
fn only_those_affected_are_woken() {
    let mut s = Stage::live("2026-06-01 09:00");
    let other = id("CloudApplication", DEPT, "other");
    s.file(&other, application());
    s.decide(&other, "approved", "同意");
    s.file(&id("CloudApplication", DEPT, "filed"), application());
    let mut named = maintenance(START, END);
    named["platformMaintenance"]["affects"] =
        json!({ "applications": [{ "namespace": DEPT, "name": "travel" }] });
    let named = s.maintain("named", named);
    let all = s.maintain("all", maintenance("2026-06-20 22:00", "2026-06-21 02:00"));

    let app = |name: &str| Key::new(Kind::Application, DEPT, name);
    let change = |name: &str| Key::new(Kind::Change, "provider", name);
    s.woken();
    s.decide_unseen(&named, "approved", "同意");
    assert_eq!(s.woken(), [change("named")], "the annotation alone concerns nobody else");
    s.reconcile(&change("named"));
    assert_eq!(s.woken(), [app("travel"), change("all"), change("named")]);
    s.settle();
    s.woken();
    // The provider's spec says how it went; until the operator has taken that, nobody need look.
    s.until(START);
    s.woken();
    s.cluster.change(&named, |o| crate::cluster::merge_patch(&mut o["spec"], &outcome("Succeeded", START)));
    assert_eq!(s.woken(), [change("named")]);
    s.reconcile(&change("named"));
    assert_eq!(s.woken(), [app("travel"), change("all"), change("named")]);
    s.settle();
    s.decide_unseen(&all, "approved", "同意");
    s.woken();
    s.reconcile(&change("all"));
    assert_eq!(s.woken(), [app("other"), app("travel"), change("all")], "`filed` is not in use");
    // A write that moves nothing of this wakes the record alone.
    s.settle();
    s.woken();
    s.cluster.change(&all, |o| o["status"]["timeline"][0]["message"] = json!("x / y"));
    assert_eq!(s.woken(), [change("all")]);
    s.say(ZHANG, "sleeps on");
}
