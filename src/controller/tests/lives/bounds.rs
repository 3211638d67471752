//! Records at the bounds of their lists, and what is kept beside a timeline that drops entries.

use govcloud_domain::record::TIMELINE_MAX;
use serde_json::{Value, json};

use crate::acts::{adjustment, app_id, application, change_id, exit, exit_id, tenant};
use crate::cluster::{Id, id};
use crate::stage::{DEPT, Stage, ZHANG};

/// `count` claims with a bound volume each, all at once.
fn claim_many(s: &mut Stage, count: usize) {
    let ns = tenant("prod");
    for n in 0..count {
        let (name, volume) = (format!("c{n:03}"), format!("pv-{n:03}"));
        let claim = json!({ "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": { "namespace": ns, "name": name },
            "spec": { "storageClassName": "hostpath", "volumeName": volume, "resources": { "requests": { "storage": "1Gi" } } } });
        s.cluster.create(claim, s.now).unwrap();
        let uid = s.cluster.get("PersistentVolumeClaim", &ns, &name).unwrap()["metadata"]["uid"].clone();
        let pv = json!({ "apiVersion": "v1", "kind": "PersistentVolume", "metadata": { "name": volume },
            "spec": { "capacity": { "storage": "1Gi" }, "storageClassName": "hostpath", "persistentVolumeReclaimPolicy": "Retain",
                "hostPath": { "path": format!("/tmp/{volume}") }, "claimRef": { "namespace": ns, "name": name, "uid": uid } },
            "status": { "phase": "Bound" } });
        s.cluster.create(pv, s.now).unwrap();
    }
    s.settle();
}

/// Receipts for the next `count` volumes of the inventory, in one write.
fn receive_next(s: &mut Stage, e: &Id, count: usize) {
    let entries = s.status(e)["inventory"]["entries"].as_array().unwrap().clone();
    let given = s.cluster.objects[e]["spec"]["handOver"].as_array().cloned().unwrap_or_default();
    let hash = "64879f7d6b960a01909762d911a32d4582c20010c5641ee90278b644a9e3b525";
    let next = entries.iter().skip(given.len()).take(count);
    let uids: Vec<String> = next.map(|e| e["volumeUID"].as_str().unwrap().to_owned()).collect();
    s.ledger.received.extend(uids.iter().cloned());
    let receipt = |uid: &String| json!({ "volumeUID": uid, "receivedBy": "张工", "uri": "https://p.example/r.pdf", "sha256": hash });
    let receipts: Vec<Value> = given.into_iter().chain(uids.iter().map(receipt)).collect();
    s.cluster.change(e, |o| o["spec"]["handOver"] = json!(receipts));
    s.settle();
}

/// Art. 28: more receipts than a timeline has entries are each recorded once, nothing is written at rest, and what decided
/// the exit is still in the timeline.
#[test]
fn hand_over_receipts_beyond_the_timeline_are_recorded_once() {
    let mut s = Stage::live("2026-06-01 09:00");
    let count = TIMELINE_MAX + 2;
    claim_many(&mut s, count);
    let e = s.leave("leave", exit("Application", "HandOver", &[]));
    receive_next(&mut s, &e, TIMELINE_MAX);
    assert_eq!((s.phase(&e), s.status(&e)["waitingFor"].as_str()), ("HandingOver", Some("HandOverReceipt")));
    let recorded = |s: &Stage| s.status(&e)["receivedVolumes"].as_array().map(Vec::len);
    assert_eq!(recorded(&s), Some(TIMELINE_MAX));
    assert_eq!(s.status(&e)["timeline"].as_array().map(Vec::len), Some(TIMELINE_MAX));
    for kept in ["Submitted", "InventoryPublished", "Consented", "Approved"] {
        assert_eq!(s.count(&e, kept), 1, "{kept} is not dropped");
    }
    receive_next(&mut s, &e, 2);
    assert_eq!((s.phase(&e), recorded(&s)), ("Completed", Some(count)));
    let volumes = s.status(&e)["certificate"]["volumes"].as_array().unwrap().clone();
    assert!(volumes.iter().all(|v| v["outcome"] == "HandedOver" && v["receipt"]["receivedBy"] == "张工"));
}

/// Art. 23: what could not be certified is not destroyed: receipts as long as the schema lets them be.
#[test]
fn a_record_too_large_for_its_certificate_does_not_begin_to_reclaim() {
    let mut s = Stage::live("2026-06-01 09:00");
    claim_many(&mut s, 256);
    let e = s.leave("leave", exit("Application", "HandOver", &[]));
    s.cluster.change(&e, |o| {
        o["status"]["timeline"][0]["message"] = json!("x".repeat(2000));
    });
    let entries = s.status(&e)["inventory"]["entries"].as_array().unwrap().clone();
    let uri = format!("https://p.example/{}", "r".repeat(2000));
    let hash = "64879f7d6b960a01909762d911a32d4582c20010c5641ee90278b644a9e3b525";
    let receipt =
        |e: &Value| json!({ "volumeUID": e["volumeUID"], "receivedBy": "张工", "uri": uri, "sha256": hash });
    let receipts: Vec<Value> = entries.iter().map(receipt).collect();
    s.cluster.change(&e, |o| o["spec"]["handOver"] = json!(receipts));
    s.settle();
    assert_eq!((s.phase(&e), s.stands(&e, "Stalled").as_str()), ("HandingOver", "True/RecordTooLarge"));
    assert_eq!(s.cluster.of_kind("PersistentVolume").count(), 256, "nothing was destroyed");
    s.withdraw(&e);
    assert_eq!((s.phase(&e), s.phase(&app_id())), ("Withdrawn", "Live"));
}

/// S12: a consent that no longer matches the inventory hides no later amendment.
#[test]
fn an_amendment_after_a_stale_consent_is_recorded() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.claim("prod", "data");
    let e = exit_id("leave");
    s.file(&e, exit("Application", "Retain", &[]));
    s.consent(&e);
    assert_eq!((s.count(&e, "Consented"), s.count(&e, "Amended")), (1, 0), "a consent is no amendment");
    s.edit(ZHANG, &e, json!({ "disposition": { "default": "Destroy" } }));
    assert_eq!((s.count(&e, "ConsentVoid"), s.count(&e, "Amended")), (1, 1));
    s.edit(ZHANG, &e, json!({ "disposition": { "default": "HandOver" } }));
    assert_eq!((s.stands(&e, "Valid").as_str(), s.count(&e, "Amended")), ("False/ConsentStale", 2));
}

/// A Region that sets a review period later starts it then, and leaves out the time that the department was waited on.
#[test]
fn a_review_period_that_is_introduced_later_counts_from_then() {
    let mut s = Stage::new("2026-03-10 09:30");
    s.file(&app_id(), application());
    let mut invalid = application();
    invalid["materials"]["projectApproval"]["issuedOn"] = json!("2027-01-01");
    s.file(&id("CloudApplication", DEPT, "corrected"), invalid);
    s.until("2026-04-07 09:30");
    s.region(json!({ "workingDays": { "review": 5 } }));
    let clock = |s: &Stage, of: &Id| s.status(of)["deadlines"][0].clone();
    assert_eq!(
        (s.count(&app_id(), "Overdue"), clock(&s, &app_id())["dueDate"].as_str()),
        (0, Some("2026-04-14"))
    );
    let corrected = id("CloudApplication", DEPT, "corrected");
    assert!(clock(&s, &corrected)["pauses"][0]["to"].is_null(), "{}", clock(&s, &corrected));
    s.until("2026-05-07 09:30");
    assert_eq!((s.count(&app_id(), "Overdue"), s.count(&corrected, "Overdue")), (1, 0));
}

/// Art. 15, 18: an altered change names the article of its own kind.
#[test]
fn an_altered_change_names_its_own_article() {
    let article = |s: &Stage, of: &Id| {
        let timeline = s.status(of)["timeline"].as_array().unwrap();
        timeline.iter().find(|e| e["event"] == "SpecAltered").map(|e| e["article"].clone())
    };
    let mut s = Stage::live("2026-06-01 09:00");
    let (c, m) = (change_id("enlarge"), change_id("upgrade"));
    s.refuse = Some(("ResourceGrant", "no"));
    s.file(&c, adjustment(json!({ "requests.cpu": "16" })));
    s.decide(&c, "approved", "同意");
    s.edit("mallory", &c, json!({ "resourceAdjustment": { "reason": "another" } }));
    assert_eq!(article(&s, &c), Some(json!(15)));
    s.file_by("ops@provider", &m, crate::acts::maintenance("2026-06-20 22:00", "2026-06-21 02:00"));
    s.settle();
    s.decide(&m, "approved", "同意");
    s.edit("mallory", &m, json!({ "platformMaintenance": { "impact": "Outage" } }));
    assert_eq!(article(&s, &m), Some(json!(18)));
}

/// Art. 23: a volume to be retained that somebody removed holds the exit up until the department acknowledges its loss.
#[test]
fn a_lost_retained_volume_needs_the_departments_receipt() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.claim("prod", "data");
    s.refuse = Some(("PersistentVolumeClaim", "claim webhook: no"));
    let e = s.leave("leave", exit("Application", "Retain", &[]));
    s.cluster.remove(&id("PersistentVolume", "", "pv-data-0"));
    s.refuse = None;
    s.settle();
    s.until("2026-06-01 10:00");
    assert_eq!((s.phase(&e), s.stands(&e, "Stalled").as_str()), ("Reclaiming", "True/ReclaimStuck"));
    let message = s.condition(&e, "Stalled").unwrap()["message"].as_str().unwrap();
    assert!(message.contains("pv-data-0") && message.contains("spec.handOver"), "{message}");
    s.receive(&e, "data");
    assert_eq!((s.phase(&e), s.count(&e, "LossAcknowledged")), ("Completed", 1));
    assert_eq!(s.status(&e)["certificate"]["volumes"][0]["outcome"], "Lost");
}

/// Art. 15: a long timeline forgets that a reduction waits; the status does not.
#[test]
fn a_reduction_on_hold_is_not_forgotten_with_the_timeline() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.uses("prod", json!({ "requests.cpu": "6" }));
    let c = change_id("shrink");
    s.file(&c, adjustment(json!({ "requests.cpu": "4" })));
    s.decide(&c, "approved", "同意");
    assert_eq!((s.phase(&c), s.count(&c, "BelowUse")), ("Applying", 1));
    s.cluster.change(&c, |o| o["status"]["timeline"] = json!([o["status"]["timeline"][0]]));
    s.settle();
    assert_eq!(s.count(&c, "BelowUse"), 0, "it was said before");
    s.uses("prod", json!({ "requests.cpu": "1" }));
    assert_eq!((s.phase(&c), s.count(&c, "UseFell")), ("Completed", 1));
}
