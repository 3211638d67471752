//! Volumes in harm's way (Art. 23; S2, S5).

use govcloud_api::keys;
use serde_json::json;

use crate::acts::{adjustment, app_id, application, change_id, exit, exit_id, grant_id, tenant};
use crate::cluster::id;
use crate::stage::{Stage, ZHANG, at};

/// A volume that a claim was made for past every quota.
fn smuggle(s: &mut Stage, name: &str) {
    let ns = tenant("prod");
    let quota = id("ResourceQuota", &ns, "govcloud");
    let before = s.cluster.objects[&quota].clone();
    s.cluster.change(&quota, |o| o["spec"]["hard"]["persistentvolumeclaims"] = json!("9"));
    assert!(s.claim("prod", name));
    assert_eq!(s.cluster.objects[&quota]["spec"], before["spec"], "and the quota was put right");
}

#[test]
fn a_volume_that_appears_while_data_is_handed_over_holds_the_exit() {
    let (mut s, e) = Stage::handing_over();
    smuggle_after_exit(&mut s);
    assert_eq!((s.phase(&e), s.stands(&e, "Stalled").as_str()), ("HandingOver", "True/InventoryChanged"));
    assert_eq!(s.cluster.of_kind("PersistentVolume").count(), 2);
}

fn smuggle_after_exit(s: &mut Stage) {
    let quota = id("ResourceQuota", &tenant("prod"), "govcloud");
    s.cluster.change(&quota, |o| o["spec"]["hard"]["persistentvolumeclaims"] = json!("9"));
    assert!(s.claim("prod", "late"));
}

/// Design, section 6, step 5: disappearance is progress, appearance halts.
#[test]
fn a_volume_that_appears_while_reclaiming_halts_it() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.claim("prod", "data");
    s.cluster.stuck.insert(tenant("prod"));
    let e = s.leave("leave", exit("Application", "Destroy", &[]));
    assert_eq!(s.phase(&e), "Reclaiming");
    let pv = json!({ "apiVersion": "v1", "kind": "PersistentVolume", "metadata": { "name": "foreign" },
        "spec": { "capacity": { "storage": "1Gi" }, "persistentVolumeReclaimPolicy": "Retain", "hostPath": { "path": "/tmp/foreign" },
            "claimRef": { "namespace": tenant("prod"), "name": "foreign", "uid": "u" } }, "status": { "phase": "Released" } });
    s.cluster.create(pv, s.now).unwrap();
    s.settle_unkept();
    assert_eq!(s.stands(&e, "Stalled"), "True/VolumeAppeared");
}

/// A foreign volume that is the same bytes as `data`.
fn twin(s: &mut Stage) {
    let path = s.cluster.get("PersistentVolume", "", "pv-data-0").unwrap()["spec"]["hostPath"].clone();
    let other = json!({ "apiVersion": "v1", "kind": "PersistentVolume", "metadata": { "name": "other" },
        "spec": { "capacity": { "storage": "1Gi" }, "persistentVolumeReclaimPolicy": "Retain", "hostPath": path }, "status": { "phase": "Available" } });
    s.cluster.create(other, s.now).unwrap();
}

/// Two volumes of one source: destroying one destroys the other, which may be somebody else's.
#[test]
fn a_shared_source_that_shows_up_after_the_approval_stalls() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.claim("prod", "data");
    let e = s.leave("leave", exit("Application", "Retain", &[("data", "HandOver")]));
    twin(&mut s);
    s.receive(&e, "data");
    assert_eq!((s.phase(&e), s.stands(&e, "Stalled").as_str()), ("HandingOver", "True/SharedSource"));
    assert_eq!(s.cluster.of_kind("PersistentVolume").count(), 2);
}

/// Past the point of no return an unlisted volume stops the rest of the destruction.
#[test]
fn a_shared_source_that_shows_up_while_reclaiming_halts_it() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.claim("prod", "data");
    s.refuse = Some(("PersistentVolume", "no"));
    let e = s.leave("leave", exit("Application", "Destroy", &[]));
    assert_eq!(s.phase(&e), "Reclaiming");
    twin(&mut s);
    s.refuse = None;
    s.settle();
    assert_eq!((s.phase(&e), s.stands(&e, "Stalled").as_str()), ("Reclaiming", "True/SharedSource"));
    let data = s.cluster.get("PersistentVolume", "", "pv-data-0").unwrap();
    assert_eq!(data["spec"]["persistentVolumeReclaimPolicy"], "Retain");
    assert!(s.cluster.get("Namespace", "", &tenant("prod")).is_some(), "nor is anything else");
}

/// A retained volume of an earlier application keeps its label, though a new one has the same namespace's name.
#[test]
fn a_retained_volume_stays_the_earlier_applications() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.claim("prod", "data");
    let e = s.leave("leave", exit("Application", "Retain", &[]));
    let label = |s: &Stage| {
        s.cluster.get("PersistentVolume", "", "pv-data-0").unwrap()["metadata"]["labels"]
            [keys::APPLICATION_UID]
            .clone()
    };
    let owner = label(&s);
    for old in [app_id(), e] {
        s.cluster.remove(&old);
    }
    s.settle();
    s.file(&app_id(), application());
    let ended = s.cluster.objects[&grant_id()]["metadata"]["uid"].clone();
    s.decide(&app_id(), "approved", "同意");
    assert_eq!(s.phase(&app_id()), "Provisioned", "the grant of the archived application is not in the way");
    assert_ne!(s.cluster.objects[&grant_id()]["metadata"]["uid"], ended, "it has one of its own");
    assert_eq!(label(&s), owner);
}

/// Without the grant nobody knows which namespaces were made: nothing is certified.
#[test]
fn nothing_is_certified_without_the_grant() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.cluster.stuck.insert(tenant("prod"));
    let e = s.leave("leave", exit("Application", "Retain", &[]));
    s.cluster.remove(&grant_id());
    s.settle();
    assert_eq!((s.phase(&e), s.stands(&e, "Stalled").as_str()), ("Reclaiming", "True/GrantMissing"));
}

/// Two exits of one application: the older goes first, the younger holds nothing up.
#[test]
fn a_second_exit_waits_and_hides_nothing() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.claim("prod", "data");
    let (first, second) = (exit_id("zeta"), exit_id("alpha"));
    s.file_by(ZHANG, &first, exit("Application", "Retain", &[]));
    s.now = at("2026-06-01 10:00");
    s.file_by(ZHANG, &second, exit("Application", "Destroy", &[]));
    s.settle();
    assert_eq!((s.phase(&first), s.phase(&second)), ("AwaitingConsent", "Inventory"));
    let message = s.condition(&second, "Valid").unwrap()["message"].as_str().unwrap();
    assert!(message.contains("zeta on this application is still open"), "{message}");
    s.consent(&first);
    s.decide(&first, "approved", "同意");
    assert_eq!((s.phase(&first), s.phase(&app_id())), ("Completed", "Exited"));
    assert_eq!(s.cluster.of_kind("PersistentVolume").count(), 1);
}

/// Art. 15: a value that is not named stays; nobody loses a limit by leaving it out.
#[test]
fn a_change_takes_no_limit_away() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.file(&change_id("cpu"), adjustment(json!({ "requests.cpu": "16" })));
    s.decide(&change_id("cpu"), "approved", "同意");
    let hard = &s.cluster.get("ResourceQuota", &tenant("prod"), "govcloud").unwrap()["spec"]["hard"];
    assert_eq!(
        (&hard["requests.cpu"], &hard["pods"], &hard["requests.memory"]),
        (&json!("16"), &json!("50"), &json!("16Gi"))
    );
}

/// Drift is put right, and by that alone (S11).
#[test]
fn drift_is_put_right() {
    let mut s = Stage::live("2026-06-01 09:00");
    let writes = s.writes;
    let quota = id("ResourceQuota", &tenant("prod"), "govcloud");
    s.cluster.change(&quota, |o| {
        o["spec"]["hard"] = json!({ "requests.cpu": "800", "requests.memory": "16Gi", "secrets": "5" })
    });
    s.settle();
    assert_eq!(s.writes, writes + 2, "one apply, one correction");
    let binding = id("RoleBinding", &tenant("prod"), "govcloud-edit");
    s.cluster.remove(&binding);
    s.settle();
    assert!(s.cluster.objects.contains_key(&binding));
    assert_eq!(s.writes, writes + 3);
    smuggle(&mut s, "data");
}
