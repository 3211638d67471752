//! Snapshots that come and go around an exit: copies of the data, which the department must have said a word on (Art. 23).

use jiff::SignedDuration;
use serde_json::json;

use crate::acts::{app_id, exit, exit_id, tenant};
use crate::cluster::id;
use crate::stage::{Stage, ZHANG};

fn snapshot(s: &mut Stage, name: &str) {
    let snapshot = json!({ "apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshot",
        "metadata": { "namespace": tenant("prod"), "name": name },
        "spec": { "source": { "persistentVolumeClaimName": "data" } } });
    s.say(ZHANG, &format!("takes the snapshot {name}"));
    s.cluster.create(snapshot, s.now).unwrap();
}

/// A snapshot is a copy of the data: made after the consent, it voids it (design, section 6, step 2). A consent that is void
/// stays void when the snapshot is gone: the department acts, or nobody does.
#[test]
fn a_snapshot_after_the_consent_voids_it_until_the_department_acts() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.claim("prod", "data");
    let e = exit_id("leave");
    s.file(&e, exit("Application", "Destroy", &[]));
    s.consent(&e);
    assert_eq!(s.phase(&e), "AwaitingDecision");
    let first = s.status(&e)["inventory"]["digest"].clone();
    snapshot(&mut s, "late");
    s.settle();
    assert_eq!((s.phase(&e), s.count(&e, "ConsentVoid")), ("AwaitingConsent", 1));
    assert!(!s.may_decide(crate::stage::LI, &e, "approved"));
    s.cluster.remove(&id("VolumeSnapshot", &tenant("prod"), "late"));
    s.settle();
    assert_eq!((s.phase(&e), s.count(&e, "Consented")), ("AwaitingConsent", 1), "nobody consented again");
    assert_ne!(s.status(&e)["inventory"]["digest"], first, "the old consent names another inventory");
    assert!(!s.may_decide(crate::stage::LI, &e, "approved"));
    s.consent(&e);
    assert_eq!((s.phase(&e), s.count(&e, "Consented")), ("AwaitingDecision", 2));
    s.decide(&e, "approved", "同意");
    assert_eq!(s.phase(&e), "Completed");
}

/// Consent and snapshot that are seen at once: what was consented to is no more, and does not come back by itself.
#[test]
fn a_consent_that_was_never_recorded_does_not_revive_either() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.claim("prod", "data");
    let e = exit_id("leave");
    s.file(&e, exit("Application", "Destroy", &[]));
    s.consent_unseen(&e);
    snapshot(&mut s, "late");
    s.settle();
    s.cluster.remove(&id("VolumeSnapshot", &tenant("prod"), "late"));
    s.settle();
    assert_eq!((s.phase(&e), s.count(&e, "Consented")), ("AwaitingConsent", 0));
}

/// Art. 23: a backup's snapshot that comes and goes holds an approved exit while it is there, and ends it not.
#[test]
fn a_snapshot_after_the_approval_holds_the_exit_until_it_is_gone() {
    let (mut s, e) = Stage::handing_over();
    let late = id("VolumeSnapshot", &tenant("prod"), "late");
    for night in 1..=2 {
        snapshot(&mut s, "late");
        s.settle();
        assert_eq!((s.phase(&e), s.stands(&e, "Stalled").as_str()), ("HandingOver", "True/InventoryChanged"));
        let message = s.condition(&e, "Stalled").unwrap()["message"].as_str().unwrap();
        assert!(message.contains("+ snapshot") && message.contains("/late"), "{message}");
        assert_eq!(s.status(&e)["waitingFor"], "ConsentedInventory");
        s.until_instant(s.now + SignedDuration::from_hours(24));
        assert_eq!(s.phase(&e), "HandingOver", "time ends nothing");
        s.cluster.remove(&late);
        s.settle();
        assert_eq!((s.phase(&e), s.stands(&e, "Ready").as_str()), ("HandingOver", "False/HandingOver"));
        assert_eq!((s.count(&e, "InventoryChanged"), s.count(&e, "InventoryAsConsented")), (night, night));
    }
    snapshot(&mut s, "late");
    s.receive(&e, "data");
    assert_eq!(s.phase(&e), "HandingOver", "S2: nothing is destroyed that differs from the consent");
    s.cluster.remove(&late);
    s.settle();
    assert_eq!((s.phase(&e), s.phase(&app_id())), ("Completed", "Exited"));
}

/// A difference that stays: the department withdraws the exit.
#[test]
fn an_exit_that_is_held_can_be_withdrawn() {
    let (mut s, e) = Stage::handing_over();
    snapshot(&mut s, "late");
    s.settle();
    s.withdraw(&e);
    assert_eq!((s.phase(&e), s.phase(&app_id())), ("Withdrawn", "Live"));
}

#[test]
fn a_snapshot_while_reclaiming_halts_it() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.claim("prod", "data");
    s.refuse = Some(("PersistentVolume", "no"));
    let again = s.leave("again", exit("Application", "Destroy", &[]));
    assert_eq!(s.phase(&again), "Reclaiming");
    snapshot(&mut s, "later");
    s.refuse = None;
    s.settle_unkept();
    assert_eq!(s.stands(&again, "Stalled"), "True/VolumeAppeared");
    let message = s.condition(&again, "Stalled").unwrap()["message"].as_str().unwrap();
    assert!(message.contains("/later"), "{message}");
    assert_eq!(s.cluster.of_kind("PersistentVolume").count(), 1, "nothing was destroyed");
}

/// A snapshot of `data` with its content, whose policy is given.
fn snapshot_with_content(s: &mut Stage, policy: &str) {
    snapshot(s, "nightly");
    let shot = id("VolumeSnapshot", &tenant("prod"), "nightly");
    let uid = s.cluster.objects[&shot]["metadata"]["uid"].clone();
    s.cluster.change(&shot, |o| o["status"] = json!({ "boundVolumeSnapshotContentName": "content" }));
    let content = json!({ "apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshotContent",
        "metadata": { "name": "content" },
        "spec": { "deletionPolicy": policy, "volumeSnapshotRef": { "namespace": tenant("prod"), "name": "nightly", "uid": uid } } });
    s.cluster.create(content, s.now).unwrap();
    s.settle();
}

/// Art. 23: nothing is certified as destroyed while the content of a snapshot stays.
#[test]
fn a_snapshots_content_is_gone_before_it_is_certified() {
    for policy in ["Delete", "Retain"] {
        let mut s = Stage::live("2026-06-01 09:00");
        s.claim("prod", "data");
        snapshot_with_content(&mut s, policy);
        let e = exit_id("leave");
        s.file(&e, exit("Application", "Destroy", &[]));
        let warned = s.stands(&e, "InventoryWarning");
        assert_eq!(warned, if policy == "Retain" { "True/InventoryWarning" } else { "" });
        s.consent(&e);
        s.decide(&e, "approved", "同意");
        if policy == "Retain" {
            s.until("2026-06-01 10:00");
            assert_eq!((s.phase(&e), s.stands(&e, "Stalled").as_str()), ("Reclaiming", "True/ReclaimStuck"));
            let message = s.condition(&e, "Stalled").unwrap()["message"].as_str().unwrap();
            assert!(message.contains("snapshot content content"), "{message}");
            s.cluster.remove(&id("VolumeSnapshotContent", "", "content"));
            s.settle();
        }
        assert_eq!(s.phase(&e), "Completed");
        let told = s.status(&e)["certificate"]["snapshots"][0].clone();
        assert_eq!((&told["name"], &told["outcome"]), (&json!("nightly"), &json!("Destroyed")), "{told}");
    }
}

/// A content whose snapshot is gone holds bytes of the department too: it is in the inventory, and the certificate says that
/// it stays.
#[test]
fn a_content_without_its_snapshot_is_certified_as_it_stays() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.claim("prod", "data");
    snapshot_with_content(&mut s, "Retain");
    s.cluster.remove(&id("VolumeSnapshot", &tenant("prod"), "nightly"));
    s.settle();
    let e = s.leave("leave", exit("Application", "Retain", &[]));
    assert_eq!(s.phase(&e), "Completed");
    let told = s.status(&e)["certificate"]["snapshots"][0].clone();
    assert_eq!((&told["content"], &told["outcome"]), (&json!("content"), &json!("Retained")), "{told}");
}
