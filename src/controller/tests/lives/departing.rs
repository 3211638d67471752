//! Exits that something stands in the way of: a lost namespace, a grant that the provider changed, a Region that is gone, what
//! archived applications left, volumes that go by hand (Art. 16, 23; S2, S3).

use govcloud_api::keys;
use serde_json::{Value, json};

use crate::acts::{app_id, application, exit, exit_id, grant_id, tenant};
use crate::cluster::{Id, id, merge_patch};
use crate::stage::{Stage, ZHANG};

/// `travel` in use with two namespaces and a volume in `prod`.
fn two_namespaces() -> Stage {
    let mut s = Stage::new("2026-06-01 09:00");
    let mut spec = application();
    let mut second = spec["namespaces"][0].clone();
    second["name"] = json!("test");
    spec["namespaces"].as_array_mut().unwrap().push(second);
    s.file(&app_id(), spec);
    s.decide(&app_id(), "approved", "同意");
    assert_eq!(s.phase(&app_id()), "Provisioned");
    s.claim("prod", "data");
    s
}

/// A namespace that somebody took away past every policy, with all that was in it.
fn lose(s: &mut Stage, entry: &str) {
    let ns = tenant(entry);
    let inside: Vec<Id> = s.cluster.objects.keys().filter(|k| k.1 == ns).cloned().collect();
    inside.iter().for_each(|k| s.cluster.remove(k));
    s.cluster.remove(&id("Namespace", "", &ns));
    s.settle();
}

/// S3: a namespace that is gone is not made again by itself; its application says so, by name, and can leave.
#[test]
fn an_application_that_lost_a_namespace_says_so_and_leaves() {
    for lost in ["test", "prod"] {
        let mut s = two_namespaces();
        lose(&mut s, lost);
        assert_eq!(s.stands(&app_id(), "Ready"), "False/NamespaceLost");
        let message = s.condition(&app_id(), "Stalled").unwrap()["message"].as_str().unwrap();
        assert!(message.contains(&tenant(lost)), "{message}");
        let e = s.leave("leave", exit("Application", "Destroy", &[]));
        assert_eq!((s.phase(&e), s.phase(&app_id())), ("Completed", "Exited"), "{lost}: {}", s.status(&e));
        assert_eq!(s.cluster.of_kind("PersistentVolume").count(), 0, "and its data is certified");
        assert_eq!(s.status(&e)["certificate"]["volumes"][0]["outcome"], "Destroyed");
    }
}

/// A namespace that took the name of one that is gone is another's: no exit reads it, waits for it or removes it (S3).
#[test]
fn a_namespace_that_took_the_place_of_a_lost_one_is_left_alone() {
    let mut s = two_namespaces();
    lose(&mut s, "test");
    let ns = tenant("test");
    s.cluster
        .create(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": ns } }), s.now)
        .unwrap();
    let claim = json!({ "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": { "namespace": ns, "name": "theirs" },
        "spec": { "resources": { "requests": { "storage": "1Gi" } } } });
    s.cluster.create(claim, s.now).unwrap();
    s.settle();
    assert_eq!(s.stands(&app_id(), "Ready"), "False/NamespaceTaken");
    let e = s.leave("leave", exit("Application", "Destroy", &[]));
    assert_eq!((s.phase(&e), s.phase(&app_id())), ("Completed", "Exited"), "{}", s.status(&e));
    assert!(!s.status(&e)["inventory"].to_string().contains("theirs"));
    assert!(s.cluster.get("PersistentVolumeClaim", &ns, "theirs").is_some());
}

/// Art. 16: what was granted is wound down, whatever the provider makes of the grant meanwhile.
#[test]
fn a_grant_that_the_provider_changed_holds_no_exit_up() {
    type Spoil = fn(&mut Value);
    let changes: [(&str, Spoil); 4] = [
        ("another quota", |o| o["spec"]["namespaces"][0]["quota"]["pods"] = json!("999")),
        ("another approval", |o| {
            o["spec"]["approved"]["digest"] = json!(format!("sha256:{}", "0".repeat(64)))
        }),
        ("a change that is not there", |o| {
            merge_patch(&mut o["spec"]["approved"], &json!({ "kind": "ChangeRequest", "name": "none" }));
        }),
        ("one more namespace", |o| {
            let mut more = o["spec"]["namespaces"][0].clone();
            more["name"] = json!("more");
            o["spec"]["namespaces"].as_array_mut().unwrap().push(more);
        }),
    ];
    for (what, change) in changes {
        for mode in ["Automatic", "ProviderApplied"] {
            let mut s = Stage::live("2026-06-01 09:00");
            s.region(json!({ "fulfilment": mode }));
            s.claim("prod", "data");
            s.cluster.change(&grant_id(), change);
            s.settle();
            let e = s.leave("leave", exit("Application", "Destroy", &[]));
            assert_eq!(
                (s.phase(&e), s.phase(&app_id())),
                ("Completed", "Exited"),
                "{what}, {mode}: {}",
                s.status(&e)
            );
        }
    }
}

/// A Region that is deleted while an exit runs: said by name, and the exit goes on when it is back.
#[test]
fn an_exit_waits_for_its_region_and_says_so() {
    for stuck in [false, true] {
        let mut s = Stage::live("2026-06-01 09:00");
        s.claim("prod", "data");
        let region = id("Region", "", "410000");
        let kept = s.cluster.objects[&region].clone();
        let e = exit_id("leave");
        s.file(&e, exit("Application", "HandOver", &[]));
        s.consent(&e);
        s.decide(&e, "approved", "同意");
        if stuck {
            s.cluster.stuck.insert(tenant("prod"));
            s.receive(&e, "data");
            assert_eq!(s.phase(&e), "Reclaiming");
        }
        s.cluster.remove(&region);
        s.settle();
        assert_eq!(s.stands(&e, "Stalled"), "True/UnknownRegion", "{}", s.phase(&e));
        assert!(s.condition(&e, "Stalled").unwrap()["message"].as_str().unwrap().contains("410000"));
        assert_eq!(s.status(&e)["waitingOn"], "Authority");
        s.cluster.create(kept, s.now).unwrap();
        s.settle();
        s.cluster.stuck.clear();
        if !stuck {
            s.receive(&e, "data");
        }
        s.settle();
        assert_eq!((s.phase(&e), s.phase(&app_id())), ("Completed", "Exited"), "{}", s.status(&e));
    }
}

/// A StorageClass that the provider took away is no fault of an exit.
#[test]
fn a_missing_storage_class_holds_no_exit_up() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.claim("prod", "data");
    s.cluster.remove(&id("StorageClass", "", "hostpath"));
    s.settle();
    let e = s.leave("leave", exit("Application", "Retain", &[]));
    assert_eq!(s.phase(&e), "Completed");
}

/// Art. 23: what an archived application left is still the department's to dispose of, with its consent.
#[test]
fn what_an_archived_application_left_is_disposed_of_by_its_name() {
    for filed_anew in [false, true] {
        let mut s = Stage::live("2026-06-01 09:00");
        s.claim("prod", "data");
        s.claim("prod", "archive");
        let first = s.leave("leave", exit("Application", "Retain", &[("data", "Destroy")]));
        let uid = s.cluster.objects[&app_id()]["metadata"]["uid"].clone();
        for archived in [app_id(), first] {
            s.cluster.remove(&archived);
        }
        s.settle();
        if filed_anew {
            s.file(&app_id(), application());
            s.decide(&app_id(), "approved", "同意");
            assert_eq!(s.phase(&app_id()), "Provisioned");
        }
        let e = exit_id("clear");
        s.file(&e, exit("Volumes", "Destroy", &[]));
        assert_eq!(s.phase(&e), "AwaitingConsent", "{}", s.status(&e));
        let listed = s.status(&e)["inventory"]["entries"].clone();
        assert_eq!((&listed[0]["claim"], &listed[0]["applicationUID"]), (&json!("archive"), &uid));
        s.consent(&e);
        s.decide(&e, "approved", "同意");
        assert_eq!(s.phase(&e), "Completed", "{}", s.status(&e));
        assert_eq!(s.cluster.of_kind("PersistentVolume").count(), 0);
        assert_eq!(s.status(&e)["certificate"]["volumes"][0]["outcome"], "Destroyed");
        let region = id("Region", "", "410000");
        assert!(s.status(&region)["retainedVolumes"].is_null());
    }
}

/// S5: another department's volumes, and those of another name or Region, are not found that way.
#[test]
fn nobody_elses_retained_volume_is_disposed_of() {
    let labels = [(keys::DEPARTMENT, "dept-other"), (keys::APPLICATION, "other"), (keys::REGION, "410100")];
    for (label, other) in labels {
        let mut s = Stage::live("2026-06-01 09:00");
        s.claim("prod", "data");
        let first = s.leave("leave", exit("Application", "Retain", &[]));
        s.cluster.remove(&app_id());
        s.cluster.remove(&first);
        s.cluster.remove(&grant_id());
        s.cluster.change(&id("PersistentVolume", "", "pv-data-0"), |o| {
            o["metadata"]["labels"][label] = json!(other)
        });
        let e = exit_id("clear");
        s.file(&e, exit("Volumes", "Destroy", &[]));
        assert_eq!(
            (s.phase(&e), s.stands(&e, "Valid").as_str()),
            ("Inventory", "False/ApplicationMissing"),
            "{label}"
        );
    }
}

/// Art. 23: a volume that a person deletes by hand is certified as that, with the person; nobody saw its bytes go.
#[test]
fn a_volume_removed_by_hand_is_certified_as_removed() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.claim("prod", "data");
    s.claim("prod", "logs");
    s.cluster.in_use.insert(tenant("prod"));
    let e = s.leave("leave", exit("Application", "Destroy", &[]));
    assert_eq!(s.phase(&e), "Reclaiming");
    let volume = id("PersistentVolume", "", "pv-data-0");
    let label = |s: &Stage| s.cluster.objects[&volume]["metadata"]["labels"][keys::REMOVAL_RECORDED].clone();
    assert!(label(&s).is_null());
    s.cluster.change(&volume, |o| o["metadata"]["annotations"][keys::REMOVED_BY] = json!("root@provider"));
    s.settle();
    assert_eq!(label(&s), s.cluster.objects[&volume]["metadata"]["uid"], "policy lets it be deleted now");
    assert_eq!(s.count(&e, "RemovalAnnounced"), 1);
    s.cluster.remove(&volume);
    s.cluster.in_use.clear();
    s.settle();
    assert_eq!(s.phase(&e), "Completed");
    let told = s.status(&e)["certificate"]["volumes"].as_array().unwrap().clone();
    let of = |claim: &str| told.iter().find(|v| v["claim"] == claim).unwrap();
    assert_eq!(
        (&of("data")["outcome"], &of("data")["removedBy"]),
        (&json!("Removed"), &json!("root@provider"))
    );
    assert_eq!((&of("logs")["outcome"], &of("logs")["removedBy"]), (&json!("Destroyed"), &json!(null)));
}

/// Causes that hold a namespace are named: its own finalizers too, and the reasons of its conditions.
#[test]
fn a_stuck_namespace_names_its_finalizers() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.cluster.stuck.insert(tenant("prod"));
    s.cluster.change(&id("Namespace", "", &tenant("prod")), |o| {
        o["metadata"]["finalizers"] = json!(["water.example/keeper"]);
        o["spec"]["finalizers"] = json!(["kubernetes", "other.example/content"]);
    });
    let e = s.leave("leave", exit("Application", "Retain", &[]));
    s.until("2026-06-01 10:00");
    assert_eq!(s.stands(&e, "Stalled"), "True/ReclaimStuck");
    let message = s.condition(&e, "Stalled").unwrap()["message"].as_str().unwrap();
    for named in ["water.example/keeper", "other.example/content", "NamespaceFinalizersRemaining"] {
        assert!(message.contains(named), "{message}");
    }
}

/// Art. 14: time that an exit waits for the department is the department's own.
#[test]
fn an_exit_that_is_never_consented_to_moves_no_deadline_of_the_department() {
    let mut s = Stage::provisioned("2026-03-10 09:30");
    let due = |s: &Stage| {
        s.status(&app_id())["deadlines"]
            .as_array()
            .unwrap()
            .iter()
            .find(|d| d["obligation"] == "GoLive")
            .unwrap()["dueDate"]
            .clone()
    };
    let before = due(&s);
    let e = exit_id("leave");
    s.file(&e, exit("Application", "Retain", &[]));
    assert_eq!(s.phase(&app_id()), "Exiting");
    s.until("2026-03-31 09:30");
    s.withdraw(&e);
    assert_eq!((s.phase(&app_id()), due(&s)), ("Provisioned", before.clone()));
    // Time that the authority is waited on is not.
    let again = exit_id("again");
    s.file(&again, exit("Application", "Retain", &[]));
    s.consent(&again);
    s.until("2026-04-03 09:30");
    s.withdraw(&again);
    assert_ne!(due(&s), before);
}

/// Workloads that depend on the health of their application are not held up by an exit that waits: what is under way is on
/// the Decommission.
#[test]
fn an_application_that_exits_is_as_it_should_be() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.claim("prod", "data");
    let e = exit_id("leave");
    s.file(&e, exit("Application", "Retain", &[]));
    let conditions = |s: &Stage| ["Ready", "Reconciling", "Stalled"].map(|c| s.stands(&app_id(), c));
    let as_it_should_be = ["True/Exiting", "False/Exiting", "False/Exiting"];
    assert_eq!((s.phase(&e), s.phase(&app_id())), ("AwaitingConsent", "Exiting"));
    assert_eq!(conditions(&s), as_it_should_be);
    s.consent(&e);
    assert_eq!((s.phase(&e), s.phase(&app_id())), ("AwaitingDecision", "Exiting"));
    assert_eq!(conditions(&s), as_it_should_be);
    assert_eq!(s.stands(&e, "Reconciling"), "True/AwaitingDecision");
    s.decide(&e, "approved", "同意");
    assert_eq!(s.phase(&e), "Completed");
    assert_eq!(s.stands(&app_id(), "Ready"), "True/Exited");
}

/// 1.37 reports since when a claim is unused: the department sees it before it decides.
#[test]
fn an_inventory_says_since_when_a_claim_is_unused() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.claim("prod", "data");
    s.claim("prod", "live");
    let unused = |status: &str| json!([{ "type": "Unused", "status": status, "lastTransitionTime": "2026-05-04T01:02:03Z" }]);
    for (claim, status) in [("data", "True"), ("live", "False")] {
        s.cluster.change(&id("PersistentVolumeClaim", &tenant("prod"), claim), |o| {
            o["status"]["conditions"] = unused(status)
        });
    }
    let e = exit_id("leave");
    s.file(&e, exit("Application", "Retain", &[]));
    let entries = s.status(&e)["inventory"]["entries"].clone();
    assert_eq!(
        (&entries[0]["unusedSince"], &entries[1]["unusedSince"]),
        (&json!("2026-05-04T01:02:03Z"), &json!(null))
    );
    // A time that changes by the hour is no part of the digest.
    s.consent(&e);
    s.cluster.change(&id("PersistentVolumeClaim", &tenant("prod"), "data"), |o| {
        o["status"]["conditions"] = unused("False")
    });
    s.settle();
    assert_eq!(s.phase(&e), "AwaitingDecision");
    s.say(ZHANG, "done");
}

/// An undecided record that is being deleted and held by a finalizer holds nobody up: the API server lets nobody delete what
/// was decided.
#[test]
fn an_exit_that_is_being_deleted_blocks_no_other() {
    let mut s = Stage::live("2026-06-01 09:00");
    let first = exit_id("first");
    s.file(&first, exit("Application", "Retain", &[]));
    s.cluster.change(&first, |o| {
        o["metadata"]["finalizers"] = json!(["water.example/keeper"]);
        o["metadata"]["deletionTimestamp"] = json!("2026-06-01T01:00:00Z");
    });
    let second = exit_id("second");
    s.file(&second, exit("Application", "Retain", &[]));
    let message = s.condition(&second, "Valid").unwrap()["message"].as_str().unwrap();
    assert!(!message.contains("still open"), "{message}");
}
