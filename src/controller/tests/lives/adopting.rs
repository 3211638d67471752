//! Running systems whose namespace is adopted (Art. 3; S1, S3, S5, S11): on three words, in three steps, with no Pod disturbed
//! and nothing of others touched.

use govcloud_api::keys;
use serde_json::{Value, json};

use crate::acts::{adjustment, app_id, application, change_id, exit, exit_id, grant_id};
use crate::cluster::{Id, id};
use crate::stage::{Stage, ZHANG};

const PORTAL: &str = "legacy-portal";
/// Who administers the namespace today.
const WANG: &str = "wang@it-company";

fn portal() -> Id {
    id("Namespace", "", PORTAL)
}

fn uid(s: &Stage, of: &Id) -> String {
    s.cluster.objects[of]["metadata"]["uid"].as_str().unwrap().to_owned()
}

/// A system that has run for years: a namespace with labels of its own, and two volumes, of which one would be deleted.
fn running() -> Stage {
    let mut s = Stage::new("2026-06-01 09:00");
    let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": PORTAL,
        "labels": { "team": "portal", "pod-security.kubernetes.io/enforce": "privileged" }, "annotations": { "note": "since 2019" } } });
    s.cluster.create(namespace, s.now).unwrap();
    for (claim, policy) in [("data", "Delete"), ("uploads", "Retain")] {
        holds(&mut s, claim, policy);
    }
    s.settle();
    s.log.clear();
    s
}

/// A claim in the namespace with its volume.
fn holds(s: &mut Stage, claim: &str, policy: &str) {
    let volume = format!("pv-{claim}");
    let object = json!({ "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": { "namespace": PORTAL, "name": claim },
        "spec": { "storageClassName": "nfs", "volumeName": volume, "resources": { "requests": { "storage": "10Gi" } } } });
    s.cluster.create(object, s.now).unwrap();
    let claim_uid = uid(s, &id("PersistentVolumeClaim", PORTAL, claim));
    let object = json!({ "apiVersion": "v1", "kind": "PersistentVolume", "metadata": { "name": volume },
        "spec": { "capacity": { "storage": "10Gi" }, "storageClassName": "nfs", "persistentVolumeReclaimPolicy": policy,
            "hostPath": { "path": format!("/srv/{claim}") }, "claimRef": { "namespace": PORTAL, "name": claim, "uid": claim_uid } },
        "status": { "phase": "Bound" } });
    s.cluster.create(object, s.now).unwrap();
}

/// The application that asks to adopt it.
fn asks(s: &Stage) -> Value {
    let mut spec = application();
    spec["namespaces"][0]["existing"] = json!({ "name": PORTAL, "uid": uid(s, &portal()) });
    spec
}

/// The present holder gives the namespace to the application.
fn releases(s: &mut Stage) {
    let to = uid(s, &app_id());
    s.say(WANG, &format!("annotates {PORTAL}: adopt-out={to}"));
    s.cluster.change(&portal(), |o| o["metadata"]["annotations"][keys::ADOPT_OUT] = json!(to));
    s.settle();
}

/// Filed, given, approved: marked.
fn adopted() -> Stage {
    let mut s = running();
    let spec = asks(&s);
    s.file(&app_id(), spec);
    releases(&mut s);
    let named = uid(&s, &portal());
    s.decide_adopting(&app_id(), &[&named]);
    assert_eq!(s.phase(&app_id()), "Provisioned", "{}", s.status(&grant_id()));
    s
}

fn label(s: &Stage, key: &str) -> String {
    s.cluster.objects[&portal()]["metadata"]["labels"][key].as_str().unwrap_or("-").to_owned()
}

/// Names of the objects of a kind in the namespace.
fn inside(s: &Stage, kind: &str) -> Vec<String> {
    s.cluster.objects.keys().filter(|k| k.0 == kind && k.1 == PORTAL).map(|k| k.2.clone()).collect()
}

/// The whole of it: three words, marked, observed, enforced facet by facet, and out again with the data kept.
#[test]
fn a_running_system_is_adopted_and_leaves_with_its_data() {
    let mut s = running();
    let before = s.cluster.objects[&portal()].clone();
    let spec = asks(&s);
    s.file(&app_id(), spec);
    assert_eq!(s.stands(&app_id(), "Valid"), "False/NotReleased");
    assert_eq!(s.cluster.objects[&portal()], before, "nothing is changed before the three words");
    s.until("2026-06-02 09:00");
    releases(&mut s);
    assert_eq!(s.stands(&app_id(), "Valid"), "True/Valid");
    s.until("2026-06-03 09:00");
    let named = uid(&s, &portal());
    s.decide_adopting(&app_id(), &[&named]);
    assert_eq!((s.phase(&app_id()), s.phase(&grant_id())), ("Provisioned", "Active"));
    assert_eq!(s.status(&app_id())["namespaces"][0]["origin"], "Adopted");
    assert_eq!(uid(&s, &portal()), named, "the same namespace");
    assert_eq!(label(&s, keys::ADOPTED), "observe");
    assert_eq!(label(&s, "team"), "portal", "what others put there stays");
    assert_eq!(label(&s, "pod-security.kubernetes.io/enforce"), "privileged");
    assert_eq!(label(&s, "pod-security.kubernetes.io/warn"), "restricted");
    assert_eq!(inside(&s, "NetworkPolicy"), [""; 0]);
    assert_eq!(inside(&s, "LimitRange"), ["govcloud-defaults"]);
    // It was live long before; its report is due from the day on which it was marked (Art. 14).
    s.edit(ZHANG, &app_id(), json!({ "goLive": { "at": "2019-03-01T01:00:00Z" } }));
    assert_eq!((s.phase(&app_id()), s.status(&app_id())["dueDate"].as_str()), ("Live", Some("2026-06-10")));
    // The word comes early, and is carried out once the namespaces were observed for five working days.
    s.edit(ZHANG, &app_id(), json!({ "enforce": "PodSecurity" }));
    assert_eq!(label(&s, "pod-security.kubernetes.io/enforce"), "privileged");
    assert_eq!(s.status(&app_id())["adoption"]["observedUntil"], "2026-06-10");
    s.until("2026-06-11 09:00");
    assert_eq!(label(&s, "pod-security.kubernetes.io/enforce"), "restricted");
    assert_eq!((label(&s, keys::ADOPTED).as_str(), inside(&s, "NetworkPolicy").len()), ("pod-security", 0));
    s.edit(ZHANG, &app_id(), json!({ "enforce": "Network" }));
    assert_eq!((label(&s, keys::ADOPTED).as_str(), inside(&s, "NetworkPolicy").len()), ("network", 1));
    assert!(s.status(&app_id())["adoption"]["differences"].is_null(), "{}", s.status(&app_id())["adoption"]);
    // The way out: a default destroys nothing of what was there before.
    let leaving = s.leave("leave", exit("Application", "Destroy", &[]));
    assert_eq!((s.phase(&leaving), s.phase(&app_id())), ("Completed", "Exited"));
    assert_eq!(s.cluster.of_kind("PersistentVolume").count(), 2);
    assert_eq!(s.status(&app_id())["namespaces"][0]["origin"], "Adopted", "for life");
    insta::assert_snapshot!(s.log);
}

/// S5: each volume is kept and labelled before the namespace is marked, wherever the operator is killed.
#[test]
fn s9_killed_before_any_write_it_ends_the_same() {
    let undisturbed = adopted();
    for n in 0..undisturbed.writes {
        let mut s = running();
        let spec = asks(&s);
        s.file(&app_id(), spec);
        releases(&mut s);
        s.kill_before = Some(n);
        let named = uid(&s, &portal());
        s.decide_adopting(&app_id(), &[&named]);
        s.kill_before = None;
        s.settle();
        let [ours, theirs] = [&s, &undisturbed].map(|s| {
            let o = &s.cluster.objects[&portal()]["metadata"];
            (o["labels"].clone(), o["annotations"].clone(), s.status(&app_id())["namespaces"].clone())
        });
        assert_eq!(ours, theirs, "killed before write {n}");
    }
}

/// A change of the namespace before the application is approved, and the reason and words of what stands in the way.
type Obstacle = (&'static str, fn(&mut Value), &'static str, &'static str);

/// Each thing in the way has its own sentence, and nothing is changed while it is there.
#[test]
fn every_obstacle_has_its_own_sentence() {
    let obstacles: [Obstacle; 8] = [
        (
            "a Helm release",
            |o| o["metadata"]["annotations"]["meta.helm.sh/release-name"] = json!("portal"),
            "ForeignOwner",
            "Helm: meta.helm.sh/release-name=portal",
        ),
        (
            "an Argo CD application",
            |o| o["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"] = json!("x"),
            "ForeignOwner",
            "Argo CD",
        ),
        (
            "an owner",
            |o| o["metadata"]["ownerReferences"] = json!([{ "kind": "Tenant", "name": "oil" }]),
            "ForeignOwner",
            "ownerReferences: Tenant/oil",
        ),
        (
            "going",
            |o| o["metadata"]["deletionTimestamp"] = json!("2026-06-01T01:00:00Z"),
            "NamespaceTerminating",
            "is being deleted",
        ),
        (
            "another application's",
            |o| o["metadata"]["labels"][keys::APPLICATION_UID] = json!("other"),
            "NamespaceTaken",
            "is another application's (UID other)",
        ),
        (
            "a filing namespace",
            |o| o["metadata"]["labels"][keys::FILING_REGION] = json!("410000"),
            "NamespaceReserved",
            "is a filing namespace",
        ),
        (
            "given to another",
            |o| o["metadata"]["annotations"][keys::ADOPT_OUT] = json!("other"),
            "NotReleased",
            "gave it to other",
        ),
        (
            "given to nobody",
            |o| drop(o["metadata"]["annotations"].as_object_mut().unwrap().remove(keys::ADOPT_OUT)),
            "NotReleased",
            "govcloud.dev/adopt-out=",
        ),
    ];
    for (what, change, reason, words) in obstacles {
        let mut s = running();
        let spec = asks(&s);
        s.file(&app_id(), spec);
        releases(&mut s);
        s.cluster.change(&portal(), change);
        let before = s.cluster.objects[&portal()].clone();
        s.settle_unkept();
        assert_eq!(s.stands(&app_id(), "Valid"), format!("False/{reason}"), "{what}");
        let message = s.condition(&app_id(), "Valid").unwrap()["message"].to_string();
        assert!(message.contains(words), "{what}: {message}");
        // Past the policies, an approval is void.
        let named = uid(&s, &portal());
        s.annotate_adopting(&app_id(), &[&named]);
        s.settle_unkept();
        assert!(s.status(&app_id())["decision"]["void"].is_string(), "{what}");
        assert_eq!(s.cluster.objects[&portal()], before, "{what}: something was changed");
    }
}

/// What is asked for may be wrong in itself: another UID, no such namespace, a reserved one, less than is used.
#[test]
fn a_wrong_request_has_its_own_sentence() {
    let asked = |change: fn(&mut Value), reason: &str, words: &str| {
        let mut s = running();
        let mut spec = asks(&s);
        change(&mut spec["namespaces"][0]);
        s.file(&app_id(), spec);
        releases(&mut s);
        assert_eq!(s.stands(&app_id(), "Valid"), format!("False/{reason}"));
        let message = s.condition(&app_id(), "Valid").unwrap()["message"].to_string();
        assert!(message.contains(words), "{message}");
    };
    asked(|n| n["existing"]["uid"] = json!("renamed"), "ExistingReplaced", "not renamed as asked for");
    asked(|n| n["existing"]["name"] = json!("nowhere"), "ExistingMissing", "nowhere does not exist");
    asked(|n| n["existing"]["name"] = json!("kube-system"), "NamespaceReserved", "kube-system is reserved");
    asked(|n| n["quota"]["requests.storage"] = json!("15Gi"), "BelowUse", "requests.storage: 15Gi < 20Gi");
}

/// An approval counts with exactly the UIDs that are asked for.
#[test]
fn nothing_but_exactly_those_asked_for_counts() {
    for named in [vec![], vec!["other".to_owned()], vec![String::new(), "other".to_owned()]] {
        let mut s = running();
        let spec = asks(&s);
        s.file(&app_id(), spec);
        releases(&mut s);
        let portal_uid = uid(&s, &portal());
        let named: Vec<&str> =
            named.iter().map(|n| if n.is_empty() { portal_uid.as_str() } else { n.as_str() }).collect();
        s.annotate_adopting(&app_id(), &named);
        s.settle();
        let void = s.status(&app_id())["decision"]["void"].as_str().unwrap_or_default();
        assert!(void.contains("those asked for are"), "{named:?}: {void}");
        assert_eq!(label(&s, keys::APPLICATION_UID), "-");
    }
}

/// Its holder takes the word back, or an owner returns, after the approval and before the mark: the grant waits and says why.
#[test]
fn what_changes_after_the_approval_holds_the_mark() {
    let mut s = running();
    s.region(json!({ "fulfilment": "ProviderApplied" }));
    let spec = asks(&s);
    s.file(&app_id(), spec.clone());
    releases(&mut s);
    let named = uid(&s, &portal());
    s.decide_adopting(&app_id(), &[&named]);
    assert_eq!(s.phase(&app_id()), "Provisioning");
    s.cluster
        .change(&portal(), |o| o["metadata"]["annotations"]["meta.helm.sh/release-name"] = json!("portal"));
    let before = s.cluster.objects[&portal()].clone();
    s.region(json!({ "fulfilment": "Automatic" }));
    assert_eq!(s.stands(&grant_id(), "Stalled"), "True/ForeignOwner", "{}", s.status(&grant_id()));
    assert_eq!(s.cluster.objects[&portal()], before);
    let volume = &s.cluster.objects[&id("PersistentVolume", "", "pv-data")];
    assert_eq!(volume["spec"]["persistentVolumeReclaimPolicy"], "Delete", "not even its volumes");
    s.cluster.change(&portal(), |o| {
        drop(o["metadata"]["annotations"].as_object_mut().unwrap().remove("meta.helm.sh/release-name"));
    });
    s.settle();
    assert_eq!(s.phase(&app_id()), "Provisioned", "it goes on by itself");
}

/// More is used than was granted: the quota counts and does not limit until use falls, so that no instance stays away.
#[test]
fn a_quota_below_use_limits_later() {
    let mut s = running();
    let amounts = [("requests.cpu", "12"), ("pods", "20"), ("services.loadbalancers", "1")];
    let amounts = amounts.map(|(k, v)| (k.to_owned(), v.to_owned()));
    s.cluster.amounts.insert(PORTAL.to_owned(), amounts.into());
    let spec = asks(&s);
    s.file(&app_id(), spec);
    releases(&mut s);
    let named = uid(&s, &portal());
    s.decide_adopting(&app_id(), &[&named]);
    let hard =
        |s: &Stage| s.cluster.get("ResourceQuota", PORTAL, "govcloud").unwrap()["spec"]["hard"].clone();
    assert_eq!((&hard(&s)["requests.cpu"], &hard(&s)["pods"]), (&json!("9P"), &json!("50")));
    assert_eq!(hard(&s)["services.loadbalancers"], "9P", "what was not asked for is not cut off either");
    assert_eq!(s.stands(&grant_id(), "Reconciling"), "True/BelowUse");
    assert_eq!(s.status(&grant_id())["waitingFor"], "ReduceUse");
    s.edit(ZHANG, &app_id(), json!({ "enforce": "Network" }));
    s.until("2026-07-01 09:00");
    assert_eq!(label(&s, keys::ADOPTED), "observe", "nothing is enforced before the quota limits");
    let amounts = [("requests.cpu", "8"), ("pods", "20")].map(|(k, v)| (k.to_owned(), v.to_owned()));
    s.cluster.amounts.insert(PORTAL.to_owned(), amounts.into());
    s.cluster.count_all();
    s.settle();
    assert_eq!((&hard(&s)["requests.cpu"], &hard(&s)["services.loadbalancers"]), (&json!("8"), &json!("0")));
    assert_eq!(s.status(&grant_id())["adoption"]["limited"], true);
    assert_eq!(label(&s, keys::ADOPTED), "network");
}

/// The record and the grant are lost: filed anew, it takes the namespace back as it takes any other, and what was enforced
/// stays enforced.
#[test]
fn a_lost_record_takes_back_what_it_adopted() {
    let mut s = adopted();
    s.region(json!({ "workingDays": { "adoptionObserve": 0 } }));
    s.edit(ZHANG, &app_id(), json!({ "enforce": "Network" }));
    s.until("2026-06-20 09:00");
    assert_eq!(label(&s, keys::ADOPTED), "network");
    let spec = asks(&s);
    s.cluster.remove(&app_id());
    s.cluster.remove(&grant_id());
    s.settle();
    s.file(&app_id(), spec);
    assert_eq!(s.stands(&app_id(), "NamespacesFound"), "True/AwaitingReattach");
    assert_eq!(s.stands(&app_id(), "Valid"), "True/Valid", "no second word of the holder");
    let named = uid(&s, &portal());
    s.decide_naming(&app_id(), &[&named]);
    assert_eq!((s.phase(&app_id()), label(&s, keys::ADOPTED).as_str()), ("Provisioned", "network"));
    assert_eq!(label(&s, keys::APPLICATION_UID), uid(&s, &app_id()));
    assert_eq!((inside(&s, "NetworkPolicy").len(), inside(&s, "ResourceQuota").len()), (1, 1));
    assert_eq!(s.status(&app_id())["namespaces"][0]["origin"], "Adopted");
}

/// An adopted system changes and exits as every other; the namespace itself goes only by the exit.
#[test]
fn afterwards_it_is_as_every_other() {
    let mut s = adopted();
    s.file(&change_id("more"), adjustment(json!({ "requests.cpu": "16" })));
    s.decide(&change_id("more"), "approved", "同意");
    assert_eq!(s.phase(&change_id("more")), "Completed");
    let grant = &s.cluster.objects[&grant_id()]["spec"]["namespaces"][0];
    assert_eq!(grant["existing"]["name"], PORTAL, "it stays in the grant");
    s.leave("leave", exit("Application", "Retain", &[("data", "Destroy")]));
    assert_eq!(s.phase(&exit_id("leave")), "Completed");
    let left: Vec<&Value> = s.cluster.of_kind("PersistentVolume").collect();
    assert_eq!((left.len(), left[0]["spec"]["claimRef"]["name"].as_str()), (1, Some("uploads")));
    assert!(!s.cluster.objects.contains_key(&portal()));
}
