//! Golden timelines.

use govcloud_domain::digest::spec_digest;
use serde_json::json;

use crate::acts::{adjustment, app_id, application, change_id, exit, exit_id, grant_id, maintenance};
use crate::cluster::id;
use crate::stage::{LI, Stage, ZHANG, at};

const HASH: &str = "845e91831319e89c4d656bdb80c278ac09a7230d61e5dfd2e1b1fbb436ac8917";

/// The whole life: two volumes, one destroyed and one kept (Art. 10 to 16, 23).
#[test]
fn approved_straight_through_to_exited() {
    let mut s = Stage::new("2026-03-10 09:30");
    s.file(&app_id(), application());
    s.until("2026-03-11 14:00");
    s.decide(&app_id(), "approved", "同意");
    s.until("2026-03-12 10:00");
    s.claim("prod", "data");
    s.claim("prod", "archive");
    s.until("2026-04-01 09:00");
    s.edit(ZHANG, &app_id(), json!({ "goLive": { "at": "2026-04-01T00:30:00Z" } }));
    s.until("2026-04-02 09:00");
    s.edit(
        ZHANG,
        &app_id(),
        json!({ "goLive": { "testReport": { "uri": "https://p.example/t.pdf", "sha256": HASH } } }),
    );
    s.until("2026-06-01 09:00");
    s.file(&change_id("enlarge"), adjustment(json!({ "requests.cpu": "16", "requests.memory": "32Gi", "requests.storage": "200Gi", "pods": "100" })));
    s.decide(&change_id("enlarge"), "approved", "同意");
    s.until("2026-09-24 10:00");
    s.file(&exit_id("leave"), exit("Application", "Retain", &[("data", "Destroy")]));
    s.consent(&exit_id("leave"));
    s.decide(&exit_id("leave"), "approved", "同意");
    assert_eq!(
        (s.phase(&app_id()), s.phase(&exit_id("leave")), s.phase(&grant_id())),
        ("Exited", "Completed", "Released")
    );
    let volumes: Vec<_> =
        s.cluster.of_kind("PersistentVolume").map(|v| v["spec"]["claimRef"]["name"].clone()).collect();
    assert_eq!(volumes, [json!("archive")]);
    insta::assert_snapshot!(s.log);
}

/// Art. 12: returned, corrected, approved; with a review period, which starts anew.
#[test]
fn returned_corrected_approved() {
    let mut s = Stage::new("2026-03-10 09:30");
    s.region(json!({ "workingDays": { "review": 5 } }));
    s.file(&app_id(), application());
    s.until("2026-03-11 10:00");
    s.decide(&app_id(), "returned", "请补充等级保护定级材料");
    s.until("2026-03-12 10:00");
    s.edit(ZHANG, &app_id(), json!({ "system": { "contact": { "name": "王工" } } }));
    s.until("2026-03-13 10:00");
    s.decide(&app_id(), "approved", "同意");
    insta::assert_snapshot!(s.log);
}

/// Art. 12: not approved is final, and nothing was made.
#[test]
fn rejected() {
    let mut s = Stage::new("2026-03-10 09:30");
    s.file(&app_id(), application());
    s.decide(&app_id(), "rejected", "不属于政务信息系统");
    s.until("2026-06-10 09:30");
    assert_eq!((s.phase(&app_id()), s.cluster.created.len()), ("Rejected", 1));
    insta::assert_snapshot!(s.log);
}

#[test]
fn withdrawn_before_a_decision() {
    let mut s = Stage::new("2026-03-10 09:30");
    s.region(json!({ "workingDays": { "review": 5 } }));
    s.file(&app_id(), application());
    s.withdraw(&app_id());
    s.until("2026-06-10 09:30");
    assert!(!s.may_decide(LI, &app_id(), "approved"));
    insta::assert_snapshot!(s.log);
}

/// Art. 13 by the provider's own hand: a grant that is not what was approved is refused, then the right one.
#[test]
fn provider_applied_wrong_then_right() {
    let mut s = Stage::new("2026-03-10 09:30");
    s.region(json!({ "fulfilment": "ProviderApplied" }));
    s.file(&app_id(), application());
    s.decide_unseen(&app_id(), "approved", "同意");
    let app = s.cluster.objects[&app_id()].clone();
    let digest = spec_digest(&app["spec"]);
    let right = json!({ "region": "410000", "application": { "name": "travel", "uid": app["metadata"]["uid"] },
        "approved": { "kind": "CloudApplication", "name": "travel", "uid": app["metadata"]["uid"], "generation": 1, "digest": digest },
        "namespaces": [{ "name": "prod", "quota": app["spec"]["namespaces"][0]["quota"] }] });
    let mut wrong = right.clone();
    wrong["namespaces"][0]["quota"]["requests.cpu"] = json!("80");
    wrong["namespaces"][0]["storageClass"] = json!("gold");
    // Before the operator has looked at the decision at all.
    s.file_by("provider", &grant_id(), wrong);
    s.settle();
    assert_eq!(
        (s.phase(&grant_id()), s.stands(&grant_id(), "Stalled").as_str()),
        ("Refused", "True/Refused")
    );
    assert_eq!(s.cluster.of_kind("Namespace").count(), 2, "nothing is provisioned from it");
    s.until("2026-03-12 10:00");
    s.cluster.change(&grant_id(), |o| o["spec"]["namespaces"] = right["namespaces"].clone());
    s.say("provider", "corrects the grant");
    s.settle();
    assert_eq!(s.phase(&app_id()), "Provisioned");
    insta::assert_snapshot!(s.log);
}

/// Art. 15: a shrink below use waits on the department, and the provider's clock stands.
#[test]
fn change_below_use_waits_then_goes_on() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.uses("prod", json!({ "requests.cpu": "6500m", "pods": "20" }));
    s.log.clear();
    s.file(&change_id("shrink"), adjustment(json!({ "requests.cpu": "4", "requests.memory": "8Gi", "requests.storage": "200Gi", "pods": "50" })));
    s.decide(&change_id("shrink"), "approved", "同意");
    assert_eq!(s.status(&change_id("shrink"))["waitingOn"], "Department");
    s.until("2026-06-10 09:00");
    assert_eq!((s.count(&change_id("shrink"), "BelowUse"), s.count(&change_id("shrink"), "Overdue")), (1, 0));
    s.uses("prod", json!({ "requests.cpu": "3", "pods": "20" }));
    assert_eq!(s.phase(&change_id("shrink")), "Completed");
    insta::assert_snapshot!(s.log);
}

#[test]
fn change_rejected() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.log.clear();
    s.file(&change_id("enlarge"), adjustment(json!({ "requests.cpu": "64" })));
    s.decide(&change_id("enlarge"), "rejected", "利用率不足");
    insta::assert_snapshot!(s.log);
}

/// Art. 18: told ahead, at the start, and at the end; the report is overdue when it does not come.
#[test]
fn maintenance_scheduled_run_overdue_and_reported() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.log.clear();
    let m = id("ChangeRequest", "provider", "storage");
    s.file_by("provider", &m, maintenance("2026-06-10 22:00", "2026-06-11 02:00"));
    s.settle();
    s.decide(&m, "approved", "同意");
    s.until("2026-06-16 10:00");
    assert_eq!((s.phase(&m), s.count(&m, "Overdue")), ("InProgress", 1));
    let outcome = json!({ "result": "Succeeded", "endedAt": at("2026-06-11 01:30").to_string(), "summary": "按计划完成" });
    s.edit("provider", &m, json!({ "maintenanceOutcome": outcome }));
    assert_eq!(s.phase(&m), "Completed");
    insta::assert_snapshot!(s.log);
}

/// Art. 18: a window becomes too near by the passing of time alone, and the record says so at that instant.
#[test]
fn a_maintenance_window_that_comes_too_near() {
    let mut s = Stage::new("2026-06-01 09:00");
    let m = id("ChangeRequest", "provider", "storage");
    s.file_by("provider", &m, maintenance("2026-06-10 22:00", "2026-06-11 02:00"));
    s.settle();
    s.until("2026-06-04 23:59");
    assert_eq!(s.stands(&m, "Valid"), "True/Valid");
    s.until("2026-06-05 00:00");
    assert_eq!(s.stands(&m, "Valid"), "False/WindowTooNear");
    assert!(!s.may_decide(LI, &m, "approved"));
    insta::assert_snapshot!(s.log);
}

/// Art. 28: data is handed over on the department's time, then the rest follows.
#[test]
fn exit_with_hand_over() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.claim("prod", "data");
    s.claim("prod", "archive");
    s.log.clear();
    let e = s.leave("leave", exit("Application", "Retain", &[("data", "HandOver")]));
    assert_eq!((s.phase(&e), s.status(&e)["waitingOn"].as_str()), ("HandingOver", Some("Department")));
    assert!(!s.claim("prod", "more"), "no new claims");
    s.until("2026-06-12 09:00");
    s.receive(&e, "data");
    assert_eq!((s.phase(&e), s.phase(&app_id())), ("Completed", "Exited"));
    insta::assert_snapshot!(s.log);
}

/// Art. 23: a new volume before the decision makes the consent void; it is asked for anew.
#[test]
fn consent_voided_before_the_decision() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.claim("prod", "data");
    s.log.clear();
    let e = exit_id("leave");
    s.file(&e, exit("Application", "Destroy", &[]));
    s.consent(&e);
    s.claim("prod", "late");
    assert_eq!((s.phase(&e), s.stands(&e, "Valid").as_str()), ("AwaitingConsent", "False/ConsentStale"));
    assert!(!s.may_decide(LI, &e, "approved"));
    s.consent(&e);
    assert_eq!(s.phase(&e), "AwaitingDecision");
    insta::assert_snapshot!(s.log);
}

/// Art. 23: a new volume after the approval holds the exit, until the department withdraws it.
#[test]
fn consent_voided_after_the_approval() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.claim("prod", "data");
    s.log.clear();
    let e = exit_id("leave");
    s.file(&e, exit("Application", "Destroy", &[]));
    s.consent(&e);
    // The claim is there before the operator has seen the approval.
    s.decide_unseen(&e, "approved", "同意");
    s.claim("prod", "late");
    assert_eq!((s.phase(&e), s.stands(&e, "Stalled").as_str()), ("HandingOver", "True/InventoryChanged"));
    s.withdraw(&e);
    assert_eq!((s.phase(&e), s.phase(&app_id())), ("Withdrawn", "Live"));
    assert_eq!(s.cluster.of_kind("PersistentVolume").count(), 2);
    insta::assert_snapshot!(s.log);
}

#[test]
fn exit_withdrawn_while_handing_over() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.claim("prod", "data");
    s.log.clear();
    let e = s.leave("leave", exit("Application", "HandOver", &[]));
    s.withdraw(&e);
    assert_eq!((s.phase(&e), s.phase(&app_id())), ("Withdrawn", "Live"));
    assert!(s.claim("prod", "more"), "everything is as before");
    insta::assert_snapshot!(s.log);
}

#[test]
fn exit_rejected_and_the_application_goes_on() {
    let mut s = Stage::provisioned("2026-06-01 09:00");
    s.log.clear();
    let e = exit_id("leave");
    s.file(&e, exit("Application", "Retain", &[]));
    s.consent(&e);
    s.until("2026-06-03 09:00");
    s.decide(&e, "rejected", "合同期内");
    assert_eq!((s.phase(&e), s.phase(&app_id())), ("Rejected", "Provisioned"));
    insta::assert_snapshot!(s.log);
}

/// Art. 23: only a volume without a claim is disposed of; the application lives on.
#[test]
fn scope_volumes() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.claim("prod", "data");
    s.claim("prod", "old");
    s.unclaim("prod", "old");
    s.log.clear();
    let e = s.leave("clean", exit("Volumes", "Destroy", &[]));
    assert_eq!((s.phase(&e), s.phase(&app_id())), ("Completed", "Live"));
    assert_eq!(s.cluster.of_kind("PersistentVolume").count(), 1);
    insta::assert_snapshot!(s.log);
}
