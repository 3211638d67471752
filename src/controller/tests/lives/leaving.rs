//! Around an exit: the clock of Art. 28, inventories beyond all bounds, volumes that a region keeps.

use govcloud_controller::decision::GatherContext;
use govcloud_controller::key::Key;
use govcloud_controller::kinds::Kind;
use govcloud_domain::decommission::INVENTORY_MAX;
use govcloud_domain::plan::{RequiredReads, Step, Write};
use jiff::SignedDuration;
use serde_json::json;

use crate::acts::{app_id, exit, exit_id, grant_id, tenant};
use crate::cluster::{Id, id};
use crate::stage::{DEPT, Stage};

fn contract_end(default: &str) -> serde_json::Value {
    let mut spec = exit("Application", default, &[]);
    spec["reason"] = json!("ContractEnded");
    spec
}

/// Art. 28: the provider helps to move out, by a clock that stands while the department owes its receipt.
#[test]
fn contract_end_with_hand_over() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.claim("prod", "data");
    s.log.clear();
    let e = s.leave("leave", contract_end("HandOver"));
    let clock = |s: &Stage| {
        let all = s.status(&exit_id("leave"))["deadlines"].as_array().cloned().unwrap_or_default();
        all.into_iter().find(|d| d["obligation"] == "Migration").unwrap_or_default()
    };
    assert_eq!(
        (&clock(&s)["party"], &clock(&s)["workingDays"], &clock(&s)["article"]),
        (&json!("Provider"), &json!(30), &json!(28))
    );
    s.until("2026-09-01 09:00");
    assert_eq!(s.count(&e, "Overdue"), 0, "nobody is late while the department copies its data");
    s.receive(&e, "data");
    assert_eq!((s.phase(&e), s.count(&e, "Overdue")), ("Completed", 0));
    assert!(clock(&s)["metAt"].is_string(), "{}", clock(&s));
    insta::assert_snapshot!(s.log);
}

/// The provider is overdue where its own platform keeps use from winding down.
#[test]
fn moving_out_is_overdue_when_the_provider_holds_it_up() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.region(json!({ "workingDays": { "migration": 5 } }));
    s.claim("prod", "data");
    let e = exit_id("leave");
    s.file(&e, contract_end("Retain"));
    s.consent(&e);
    s.refuse = Some(("ResourceQuota", "quota webhook: no"));
    s.decide(&e, "approved", "同意");
    assert_eq!(s.phase(&e), "HandingOver");
    s.until("2026-06-10 09:00");
    let late = |s: &Stage| {
        let t = s.status(&exit_id("leave"))["timeline"].as_array().cloned().unwrap_or_default();
        t.iter().filter(|e| e["event"] == "Overdue" && e["article"] == 28).count()
    };
    assert_eq!(late(&s), 1);
    assert_eq!(s.stands(&e, "OnTime"), "False/ReclaimOverdue");
    s.refuse = None;
    s.settle();
    assert_eq!((s.phase(&e), late(&s)), ("Completed", 1));
}

#[test]
fn an_ordinary_exit_has_no_migration_clock_and_a_withdrawn_one_drops_it() {
    let (mut s, e) = Stage::handing_over();
    assert!(!s.status(&e)["deadlines"].to_string().contains("Migration"));
    s.withdraw(&e);
    let again = s.leave("again", contract_end("HandOver"));
    s.withdraw(&again);
    s.until("2026-12-01 09:00");
    assert_eq!((s.phase(&again), s.count(&again, "Overdue")), ("Withdrawn", 0));
}

/// The owner of a volume that shares a source is not known, so its going is looked for.
#[test]
fn an_exit_goes_on_when_the_shared_source_is_gone() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.claim("prod", "data");
    let path = s.cluster.get("PersistentVolume", "", "pv-data-0").unwrap()["spec"]["hostPath"].clone();
    let other = json!({ "apiVersion": "v1", "kind": "PersistentVolume", "metadata": { "name": "other" },
        "spec": { "capacity": { "storage": "1Gi" }, "persistentVolumeReclaimPolicy": "Retain", "hostPath": path }, "status": { "phase": "Available" } });
    s.cluster.create(other, s.now).unwrap();
    let e = exit_id("leave");
    s.file(&e, exit("Application", "Destroy", &[]));
    assert_eq!(s.stands(&e, "Valid"), "False/SharedSource");
    let key = s.keys().into_iter().find(|k| k.name() == "leave").unwrap();
    let wake = s.plan(&key, None).unwrap().wake.expect("it is looked at again");
    s.cluster.remove(&id("PersistentVolume", "", "other"));
    s.until_instant(wake);
    assert_eq!(s.phase(&e), "AwaitingConsent");
}

/// More than an inventory can list: said, with what to do; consented to it cannot be.
#[test]
fn an_inventory_beyond_its_bound_is_not_published() {
    let mut s = Stage::live("2026-06-01 09:00");
    let ns = tenant("prod");
    let one = |s: &mut Stage, n: usize| {
        let name = format!("c{n:04}");
        s.cluster
            .create(
                json!({ "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": { "namespace": ns, "name": name },
                    "spec": { "storageClassName": "hostpath", "resources": { "requests": { "storage": "1Gi" } } } }),
                s.now,
            )
            .unwrap();
    };
    for n in 0..INVENTORY_MAX {
        one(&mut s, n);
    }
    let e = exit_id("leave");
    s.file(&e, exit("Application", "Retain", &[]));
    let listed = s.status(&e)["inventory"]["entries"].as_array().map(Vec::len);
    assert_eq!(
        (s.phase(&e), listed),
        ("AwaitingConsent", Some(INVENTORY_MAX)),
        "the bound itself is in order"
    );
    s.consent(&e);
    one(&mut s, INVENTORY_MAX);
    s.settle();
    assert_eq!(s.stands(&e, "Valid"), "False/InventoryTooLong");
    assert_eq!((s.phase(&e), s.count(&e, "ConsentVoid")), ("Inventory", 1));
    assert!(s.status(&e)["inventory"].is_null(), "a part of it would be consent to a part");
    assert!(!s.may_decide(crate::stage::LI, &e, "approved"));
    let message = s.condition(&e, "Stalled").unwrap()["message"].as_str().unwrap();
    assert!(message.contains("513 volumes") && message.contains("scope: Volumes"), "{message}");

    s.cluster.remove(&id("PersistentVolumeClaim", &ns, "c0000"));
    s.settle();
    assert_eq!(s.phase(&e), "AwaitingConsent");
}

/// A volume that outlived its application stays listed, with the exit that retained it, until it is gone.
#[test]
fn a_region_lists_what_it_keeps() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.claim("prod", "data");
    s.claim("prod", "archive");
    let region = id("Region", "", "410000");
    assert!(s.status(&region)["retainedVolumes"].is_null());
    let e = s.leave("leave", exit("Application", "Retain", &[("data", "Destroy")]));
    let kept = s.status(&region)["retainedVolumes"].clone();
    assert_eq!((&kept["count"], &kept["capacity"]), (&json!(1), &json!("10Gi")), "{kept}");
    let volume = &kept["volumes"][0];
    assert_eq!(
        (&volume["application"], &volume["namespace"], &volume["decommission"]),
        (&json!("travel"), &json!("dept-transport"), &json!("leave"))
    );
    assert_eq!(volume["since"], s.status(&e)["certificate"]["endedAt"]);
    assert_eq!(volume["applicationUID"], s.cluster.objects[&app_id()]["metadata"]["uid"]);

    // The record is archived: the volume stays listed, without it. Then it is disposed of by an exit of its own.
    let later = exit_id("later");
    s.cluster.remove(&e);
    s.settle();
    let kept = s.status(&region)["retainedVolumes"].clone();
    assert_eq!((&kept["count"], &kept["volumes"][0]["decommission"]), (&json!(1), &json!(null)));
    s.file(&later, exit("Volumes", "Destroy", &[]));
    s.consent(&later);
    s.decide(&later, "approved", "同意");
    assert_eq!(s.phase(&later), "Completed");
    assert!(s.status(&region)["retainedVolumes"].is_null(), "{}", s.status(&region));
    assert!(s.cluster.objects.contains_key(&grant_id()));
}

/// S2: a namespace goes with all that is in it, so it stays until every volume has its policy, marked or not.
#[test]
fn a_marked_namespace_stays_until_every_volume_has_its_policy() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.claim("prod", "data");
    s.refuse = Some(("PersistentVolume", "volume webhook: no"));
    let e = s.leave("leave", exit("Application", "Retain", &[("data", "Destroy")]));
    let space = id("Namespace", "", &tenant("prod"));
    let uid = s.cluster.objects[&space]["metadata"]["uid"].clone();
    // Writes beside the refused policy go through.
    s.cluster.change(&space, |o| o["metadata"]["annotations"]["govcloud.dev/reclaim"] = uid);
    s.settle();
    assert_eq!((s.phase(&e), s.stands(&e, "Stalled").as_str()), ("Reclaiming", "True/WriteRefused"));
    // All of a step goes out side by side: no deletion may stand beside a policy.
    let plan =
        s.plan(&Key::new(Kind::Decommission, DEPT, e.2.clone()), Some(RequiredReads::EVERYTHING)).unwrap();
    let writes: Vec<&Write> = plan.steps.iter().flat_map(|Step::Write(w)| w).collect();
    assert!(matches!(writes[..], [Write::Patch(..)]), "{writes:?}");
    s.refuse = None;
    s.settle();
    assert_eq!(s.phase(&e), "Completed");
    assert!(!s.cluster.objects.contains_key(&space));
}

/// S4: each claim goes by its own UID and version, and its namespace when it is gone.
#[test]
fn claims_go_before_their_namespace() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.claim("prod", "data");
    s.claim("prod", "archive");
    s.refuse = Some(("PersistentVolumeClaim", "claim webhook: no"));
    let e = s.leave("leave", exit("Application", "Retain", &[("data", "Destroy")]));
    let space = id("Namespace", "", &tenant("prod"));
    assert_eq!((s.phase(&e), s.stands(&e, "Stalled").as_str()), ("Reclaiming", "True/WriteRefused"));
    assert!(s.cluster.objects[&space]["metadata"]["deletionTimestamp"].is_null(), "it takes claims with it");
    let key = Key::new(Kind::Decommission, DEPT, e.2.clone());
    let deletes = |s: &Stage| -> Vec<Vec<String>> {
        let steps = s.plan(&key, Some(RequiredReads::EVERYTHING)).unwrap().steps;
        let writes = steps.iter().map(|Step::Write(w)| &w[..]);
        let named = |w: &Write| match w {
            Write::Delete(t, p) => {
                let live = &s.cluster.objects[&id(t.resource.kind, &t.namespace, &t.name)]["metadata"];
                assert_eq!(
                    (&live["uid"], &live["resourceVersion"]),
                    (&json!(p.uid), &json!(p.resource_version))
                );
                format!("{} {}", t.resource.kind, t.name)
            }
            other => panic!("{other:?}"),
        };
        writes.map(|w| w.iter().map(named).collect()).collect()
    };
    let of = |claim: &str| format!("PersistentVolumeClaim {claim}");
    assert_eq!(deletes(&s), [vec![of("archive"), of("data")]]);
    s.refuse = None;
    s.settle();
    assert_eq!(s.phase(&e), "Completed");
    let place = |what: &Id| s.cluster.destroyed.iter().position(|gone| gone == what);
    for held in ["archive", "data"] {
        let claim = place(&id("PersistentVolumeClaim", &space.2, held));
        assert!(claim.is_some() && claim < place(&space), "{:?}", s.cluster.destroyed);
    }
}

/// A claim that a pod holds ends with its namespace, which waits a minute for it and no longer; meanwhile nothing is
/// asked again, and one that is let go sooner is waited for no longer.
#[test]
fn a_namespace_waits_for_a_claim_in_use_and_not_for_ever() {
    for let_go in [false, true] {
        let mut s = Stage::live("2026-06-01 09:00");
        s.claim("prod", "data");
        s.cluster.in_use.insert(tenant("prod"));
        let e = s.leave("leave", exit("Application", "Retain", &[]));
        let space = id("Namespace", "", &tenant("prod"));
        let claim = id("PersistentVolumeClaim", &tenant("prod"), "data");
        let of = |s: &Stage, o| s.cluster.objects[o]["metadata"]["deletionTimestamp"].clone();
        assert_eq!((of(&s, &claim).is_string(), of(&s, &space).is_null()), (true, true));
        let plan = s
            .plan(&Key::new(Kind::Decommission, DEPT, e.2.clone()), Some(RequiredReads::EVERYTHING))
            .unwrap();
        let begun = s.now;
        assert_eq!((plan.steps.len(), plan.wake), (0, Some(begun + SignedDuration::from_secs(60))));
        assert_eq!((s.phase(&e), s.stands(&e, "Ready").as_str()), ("Reclaiming", "False/Reclaiming"));
        if let_go {
            s.cluster.in_use.clear();
            s.settle();
        } else {
            s.until_instant(begun + SignedDuration::from_secs(59));
            assert_eq!(s.phase(&e), "Reclaiming");
            s.until_instant(begun + SignedDuration::from_secs(60));
        }
        assert_eq!(s.phase(&e), "Completed");
    }
}

/// Five minutes that went by before the claims were deleted are no reason not to look again: what holds a reclaim up is
/// reported, and the patience with a claim in use still ends.
#[test]
fn a_reclaim_that_was_held_up_still_ends_a_claim_in_use() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.claim("prod", "data");
    s.cluster.in_use.insert(tenant("prod"));
    s.refuse = Some(("PersistentVolumeClaim", "claim webhook: no"));
    let e = s.leave("leave", exit("Application", "Retain", &[]));
    s.until("2026-06-01 10:00");
    s.refuse = None;
    s.settle();
    assert_eq!((s.phase(&e), s.stands(&e, "Stalled").as_str()), ("Reclaiming", "True/ReclaimStuck"));
    let plan =
        s.plan(&Key::new(Kind::Decommission, DEPT, e.2.clone()), Some(RequiredReads::EVERYTHING)).unwrap();
    assert_eq!(plan.wake, Some(s.now + SignedDuration::from_secs(60)));
    s.until_instant(s.now + SignedDuration::from_secs(60));
    assert_eq!(s.phase(&e), "Completed");
}

/// An exit that bears its application's name is found by its own key alone: nobody else's reads what it would reclaim.
#[test]
fn an_exit_is_found_by_its_own_key_alone() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.file(&exit_id("travel"), exit("Application", "Retain", &[]));
    let state = s.cluster.state();
    let with = GatherContext { integrity: s.guard.clone(), seal: s.seal(), reads: None, failure: None };
    for kind in Kind::records() {
        let found = state.observed_decommission(&Key::new(kind, DEPT, "travel"), &with).is_some();
        assert_eq!(found, kind == Kind::Decommission, "{kind:?}");
    }
}

/// An exit that is over gathers nothing of what is stored, though a volume that it retained is still there.
#[test]
fn what_is_over_is_decided_on_nothing_that_is_stored() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.claim("prod", "data");
    let e = s.leave("leave", exit("Application", "Retain", &[]));
    assert_eq!(s.phase(&e), "Completed");
    assert_eq!(s.cluster.of_kind("PersistentVolume").count(), 1);
    let with = GatherContext { integrity: s.guard.clone(), seal: s.seal(), reads: None, failure: None };
    let key = Key::new(Kind::Decommission, DEPT, "leave");
    let seen = s.cluster.state().observed_decommission(&key, &with).unwrap();
    assert_eq!((seen.volumes.len(), seen.storage.volumes.len(), seen.namespaces.len()), (0, 0, 0));
    assert!(seen.application.is_some() && seen.grant.is_some());
}
