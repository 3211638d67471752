//! Records that were lost and filed anew (design, sections 3 and 5; S1, S3, S5): what is found is said and left alone,
//! and is taken back by a decision that names it.

use govcloud_api::keys;
use serde_json::{Value, json};

use crate::acts::{adjustment, app_id, application, change_id, exit, exit_id, grant_id, tenant};
use crate::cluster::{Cluster, Id, id};
use crate::stage::{DEPT, LI, Stage, ZHANG};

fn space(entry: &str) -> Id {
    id("Namespace", "", &tenant(entry))
}

fn uid(s: &Stage, of: &Id) -> String {
    s.cluster.objects[of]["metadata"]["uid"].as_str().unwrap().to_owned()
}

/// Everything that tenants have: namespaces, what stands in them, and volumes.
fn tenants_have(c: &Cluster) -> Vec<Value> {
    let theirs = |(kind, _, _): &&Id| {
        !["CloudApplication", "ResourceGrant", "ChangeRequest", "Decommission"].contains(&kind.as_str())
    };
    c.objects.iter().filter(|(k, _)| theirs(k)).map(|(_, o)| o.clone()).collect()
}

/// The owner that the label of a namespace or volume names.
fn owner(s: &Stage, of: &Id) -> String {
    s.cluster.objects[of]["metadata"]["labels"][keys::APPLICATION_UID].as_str().unwrap_or("-").to_owned()
}

/// The spec of the sample with two namespaces.
fn two() -> Value {
    let mut spec = application();
    let test = json!({ "name": "test", "quota": { "requests.cpu": "2", "pods": "5" } });
    spec["namespaces"].as_array_mut().unwrap().push(test);
    spec
}

/// `travel` with data, whose records are then lost: of these kinds.
fn lost(spec: Value, kinds: &[&str]) -> Stage {
    let mut s = Stage::new("2026-06-01 09:00");
    s.file(&app_id(), spec);
    s.decide(&app_id(), "approved", "同意");
    s.claim("prod", "data");
    s.claim("prod", "old");
    s.unclaim("prod", "old");
    let gone: Vec<Id> = s.cluster.objects.keys().filter(|k| kinds.contains(&k.0.as_str())).cloned().collect();
    gone.iter().for_each(|k| s.cluster.remove(k));
    s.settle();
    s.log.clear();
    s.until("2026-06-08 09:00");
    s
}

/// A namespace goes, with all that is in it.
fn vanishes(s: &mut Stage, entry: &str) {
    let inside: Vec<Id> = s.cluster.objects.keys().filter(|k| k.1 == tenant(entry)).cloned().collect();
    inside.iter().for_each(|k| s.cluster.remove(k));
    s.cluster.remove(&space(entry));
}

/// The CRDs were removed: every record is gone. Filed anew from Git, approved with the right UIDs, it goes on.
#[test]
fn a_recreated_record_takes_its_namespaces_back() {
    let mut s = lost(two(), &["CloudApplication", "ResourceGrant"]);
    let before = tenants_have(&s.cluster);
    let (prod, test) = (uid(&s, &space("prod")), uid(&s, &space("test")));
    s.file(&app_id(), two());
    s.until("2026-08-08 09:00");
    assert_eq!(tenants_have(&s.cluster), before, "nothing is changed before the decision");
    assert_eq!(
        (s.stands(&app_id(), "NamespacesFound").as_str(), s.stands(&app_id(), "Valid").as_str()),
        ("True/AwaitingReattach", "True/Valid")
    );
    let message = s.condition(&app_id(), "NamespacesFound").unwrap()["message"].to_string();
    assert!(
        message.contains(&prod) && message.contains(&test) && message.contains("未作任何改动"),
        "{message}"
    );
    s.decide_naming(&app_id(), &[&test, &prod]);
    assert_eq!(s.phase(&app_id()), "Provisioned");
    let own = uid(&s, &app_id());
    for of in [
        space("prod"),
        space("test"),
        id("PersistentVolume", "", "pv-data-0"),
        id("PersistentVolume", "", "pv-old-1"),
    ] {
        assert_eq!(owner(&s, &of), own, "{of:?}");
    }
    assert_eq!((uid(&s, &space("prod")), uid(&s, &space("test"))), (prod, test), "the same namespaces");
    assert_eq!(
        s.status(&app_id())["unclaimedVolumes"][0]["volume"],
        "pv-old-1",
        "and what it lists is its own"
    );
    assert_eq!(s.stands(&app_id(), "NamespacesFound"), "False/None");
    insta::assert_snapshot!(s.log);
}

/// Only the application was lost: its grant stands, was enlarged by a change, and passes to the new record.
#[test]
fn the_grant_passes_with_the_namespaces() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.claim("prod", "data");
    s.file(&change_id("more"), adjustment(json!({ "requests.cpu": "16" })));
    s.decide(&change_id("more"), "approved", "同意");
    let earlier = uid(&s, &app_id());
    s.cluster.remove(&app_id());
    s.settle();
    s.log.clear();
    let before = tenants_have(&s.cluster);
    s.file(&app_id(), application());
    assert_eq!(s.stands(&grant_id(), "Reconciling"), "True/AwaitingApproval", "{}", s.status(&grant_id()));
    assert_eq!(tenants_have(&s.cluster), before);
    let prod = uid(&s, &space("prod"));
    s.decide_naming(&app_id(), &[&prod]);
    assert_eq!((s.phase(&app_id()), s.phase(&grant_id())), ("Provisioned", "Active"));
    assert_eq!(s.cluster.objects[&grant_id()]["spec"]["application"]["uid"], uid(&s, &app_id()).as_str());
    let chain = &s.cluster.objects[&space("prod")]["metadata"]["annotations"][keys::REATTACHED_FROM];
    assert_eq!(*chain, earlier.as_str());
    // Its go-live counts again, and the report is due from now on.
    s.edit(ZHANG, &app_id(), json!({ "goLive": { "at": "2026-03-01T01:00:00Z" } }));
    assert_eq!((s.phase(&app_id()), s.status(&app_id())["dueDate"].as_str()), ("Live", Some("2026-06-08")));
    insta::assert_snapshot!(s.log);
}

/// Lost and filed anew twice: the chain of owners says so, and each volume follows.
#[test]
fn twice_over() {
    let mut s = lost(application(), &["CloudApplication", "ResourceGrant"]);
    let prod = uid(&s, &space("prod"));
    let mut owners = vec![owner(&s, &space("prod"))];
    for _ in 0..2 {
        s.file(&app_id(), application());
        s.decide_naming(&app_id(), &[&prod]);
        assert_eq!(s.phase(&app_id()), "Provisioned");
        owners.insert(0, uid(&s, &app_id()));
        s.cluster.remove(&app_id());
        s.cluster.remove(&grant_id());
        s.settle();
    }
    let chain = &s.cluster.objects[&space("prod")]["metadata"]["annotations"][keys::REATTACHED_FROM];
    assert_eq!(*chain, owners[1..].join(","));
    assert_eq!(owner(&s, &id("PersistentVolume", "", "pv-data-0")), owners[0]);
}

/// An approval that names none, too few, too many or others is refused by the policies; past them it is void.
#[test]
fn nothing_but_exactly_those_found_counts() {
    let (prod, test) = {
        let s = lost(two(), &["CloudApplication", "ResourceGrant"]);
        (uid(&s, &space("prod")), uid(&s, &space("test")))
    };
    let foreign = format!("namespace:{DEPT}:1");
    let sets: [&[&str]; 6] =
        [&[], &[&prod], &[&test], &[&prod, &test, &foreign], &[&prod, &foreign], &[&foreign]];
    for named in sets {
        let mut s = lost(two(), &["CloudApplication", "ResourceGrant"]);
        let before = tenants_have(&s.cluster);
        s.file(&app_id(), two());
        assert!(!s.may_reattach(&app_id(), named), "{named:?}");
        s.annotate_naming(&app_id(), named);
        s.settle();
        let void = s.status(&app_id())["decision"]["void"].as_str().unwrap_or_default();
        assert!(void.contains("those found are"), "{named:?}: {void}");
        assert_eq!(s.phase(&app_id()), "Submitted");
        assert_eq!(tenants_have(&s.cluster), before, "{named:?}");
        s.clear_decision(&app_id());
        s.decide_naming(&app_id(), &[&prod, &test]);
        assert_eq!(s.phase(&app_id()), "Provisioned", "decided anew, it counts");
    }
}

/// Namespaces under the wanted name that are no earlier record's of this department and name are never taken.
#[test]
fn a_strangers_namespace_is_never_attachable() {
    let label = |key: &'static str, value: &'static str| (key, Some(value));
    for (what, change) in [
        ("unlabelled", (keys::APPLICATION_UID, None)),
        ("another department's", label(keys::DEPARTMENT, "dept-health")),
        ("another application's", label(keys::APPLICATION, "parking")),
        ("another region's", label(keys::REGION, "410100")),
        ("another entry's", label(keys::ENTRY, "test")),
    ] {
        let mut s = lost(application(), &["CloudApplication", "ResourceGrant"]);
        s.cluster.change(&space("prod"), |o| {
            let labels = o["metadata"]["labels"].as_object_mut().unwrap();
            match change.1 {
                Some(v) => drop(labels.insert(change.0.to_owned(), json!(v))),
                None => drop(labels.remove(change.0)),
            }
        });
        let before = tenants_have(&s.cluster);
        let prod = uid(&s, &space("prod"));
        s.file(&app_id(), application());
        assert_eq!(s.stands(&app_id(), "Valid"), "False/NamespaceTaken", "{what}");
        assert!(s.status(&app_id())["foundNamespaces"].is_null(), "{what}");
        assert!(!s.may_reattach(&app_id(), &[&prod]), "{what}");
        s.annotate_naming(&app_id(), &[&prod]);
        s.settle_unkept();
        assert_eq!(s.phase(&app_id()), "Submitted", "{what}");
        assert_eq!(tenants_have(&s.cluster), before, "{what}");
    }
}

/// A label that names a record that exists is that record's namespace, whatever the other labels say.
#[test]
fn what_a_living_record_owns_is_never_attachable() {
    let mut s = lost(application(), &["CloudApplication", "ResourceGrant"]);
    let other = id("CloudApplication", DEPT, "parking");
    s.file(&other, application());
    let living = uid(&s, &other);
    s.cluster.change(&space("prod"), |o| o["metadata"]["labels"][keys::APPLICATION_UID] = json!(living));
    s.file(&app_id(), application());
    assert_eq!(s.stands(&app_id(), "Valid"), "False/NamespaceTaken");
}

/// Two namespaces that the decision names, and an operator that was killed before it took them back.
fn decided_and_killed() -> Stage {
    let mut s = lost(two(), &["CloudApplication", "ResourceGrant"]);
    let (prod, test) = (uid(&s, &space("prod")), uid(&s, &space("test")));
    s.file(&app_id(), two());
    s.kill_before = Some(2);
    s.annotate_lawfully(&app_id(), &[&prod, &test]);
    while s.kill_before.is_some() {
        for key in s.keys() {
            s.reconcile(&key);
        }
    }
    assert!(s.phase(&app_id()) == "Provisioning", "{}", s.log);
    s
}

/// A namespace that vanished between decision and write is not replaced by an empty one.
#[test]
fn a_namespace_that_vanished_meanwhile_is_not_made_anew() {
    let mut s = decided_and_killed();
    vanishes(&mut s, "test");
    s.settle();
    assert_eq!(s.stands(&grant_id(), "Stalled"), "True/NamespaceLost");
    assert!(!s.cluster.objects.contains_key(&space("test")));
}

/// A decision names a namespace by its UID: another one that has its name and labels by now is not taken for it.
#[test]
fn a_namespace_made_anew_under_the_name_is_not_taken_back() {
    let mut s = decided_and_killed();
    let mut anew = s.cluster.objects[&space("test")].clone();
    vanishes(&mut s, "test");
    let metadata = anew["metadata"].as_object_mut().unwrap();
    metadata.retain(|field, _| ["name", "labels"].contains(&field.as_str()));
    s.cluster.create(anew, s.now).unwrap();
    let before = s.cluster.objects[&space("test")].clone();
    s.settle();
    assert_eq!(s.stands(&grant_id(), "Stalled"), "True/NamespaceTaken");
    assert_eq!(s.cluster.objects[&space("test")], before);
    assert_eq!(s.phase(&app_id()), "Provisioning");
}

/// A grant of another record than the one whose namespaces were found is not taken over.
#[test]
fn a_grant_of_yet_another_record_is_left_alone() {
    let mut s = lost(application(), &["CloudApplication"]);
    s.cluster.change(&grant_id(), |g| g["spec"]["application"]["uid"] = json!("of-yet-another"));
    s.file(&app_id(), application());
    let before = (tenants_have(&s.cluster), s.cluster.objects[&grant_id()]["spec"].clone());
    let prod = uid(&s, &space("prod"));
    s.decide_naming(&app_id(), &[&prod]);
    assert_eq!(s.phase(&app_id()), "Provisioning");
    assert_eq!((tenants_have(&s.cluster), s.cluster.objects[&grant_id()]["spec"].clone()), before);
}

/// A namespace that the record does not ask for would be nobody's: the record must ask for it.
#[test]
fn a_left_out_entry_is_named() {
    let mut s = lost(two(), &["CloudApplication", "ResourceGrant"]);
    let (prod, test) = (uid(&s, &space("prod")), uid(&s, &space("test")));
    s.file(&app_id(), application());
    assert_eq!(s.stands(&app_id(), "Valid"), "False/NamespaceLeftOut");
    let message = s.condition(&app_id(), "Valid").unwrap()["message"].to_string();
    assert!(message.contains(&test) && message.contains("spec.namespaces"), "{message}");
    s.edit(ZHANG, &app_id(), json!({ "namespaces": two()["namespaces"] }));
    s.decide_naming(&app_id(), &[&prod, &test]);
    assert_eq!(s.phase(&app_id()), "Provisioned");
}

/// Of two namespaces one is gone with its data: the other is taken back, and the new one is new.
#[test]
fn a_part_is_taken_back_and_the_rest_is_made() {
    let mut s = lost(two(), &["CloudApplication", "ResourceGrant"]);
    vanishes(&mut s, "test");
    let prod = uid(&s, &space("prod"));
    s.file(&app_id(), two());
    s.decide_naming(&app_id(), &[&prod]);
    assert_eq!((s.phase(&app_id()), uid(&s, &space("prod"))), ("Provisioned", prod));
    assert_eq!(owner(&s, &space("test")), uid(&s, &app_id()));
}

/// A running system is not cut off: what is used is the least that can be asked for.
#[test]
fn what_is_used_is_the_least_to_ask_for() {
    let mut s = lost(application(), &["CloudApplication", "ResourceGrant"]);
    s.uses("prod", json!({ "requests.cpu": "12" }));
    s.file(&app_id(), application());
    assert_eq!(s.stands(&app_id(), "Valid"), "False/BelowUse");
    s.uses("prod", json!({ "requests.cpu": "6" }));
    assert_eq!(s.stands(&app_id(), "Valid"), "True/Valid");
}

/// A change that was approved for the earlier record carries nothing out on the new one (S1).
#[test]
fn a_change_of_the_earlier_record_does_not_reach_the_new_one() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.claim("prod", "data");
    s.uses("prod", json!({ "requests.cpu": "7" }));
    s.file(&change_id("less"), adjustment(json!({ "requests.cpu": "2" })));
    s.decide(&change_id("less"), "approved", "同意");
    s.cluster.remove(&app_id());
    s.settle();
    s.file(&app_id(), application());
    s.uses("prod", json!({ "requests.cpu": "1" }));
    let prod = uid(&s, &space("prod"));
    s.decide_naming(&app_id(), &[&prod]);
    assert_eq!((s.phase(&app_id()), s.phase(&change_id("less"))), ("Provisioned", "Withdrawn"));
    let hard = &s.cluster.get("ResourceQuota", &tenant("prod"), "govcloud").unwrap()["spec"]["hard"];
    assert_eq!(hard["requests.cpu"], "8", "as it was approved for the new record");
}

/// An exit of the earlier record comes to its end, or is withdrawn, before anything is taken back.
#[test]
fn an_exit_that_was_under_way_ends_first() {
    let (mut s, e) = Stage::handing_over();
    s.cluster.remove(&app_id());
    s.settle();
    s.file(&app_id(), application());
    assert_eq!(s.stands(&app_id(), "Valid"), "False/AnotherOpen");
    s.withdraw(&e);
    let prod = uid(&s, &space("prod"));
    s.decide_naming(&app_id(), &[&prod]);
    assert_eq!(s.phase(&app_id()), "Provisioned");
    // And its own exit goes by its own identity: the same volumes, under the new UID.
    let again = exit_id("again");
    s.file(&again, exit("Application", "Destroy", &[]));
    assert_eq!(s.status(&again)["applicationUID"], uid(&s, &app_id()).as_str());
    assert_eq!(s.status(&again)["inventory"]["entries"].as_array().unwrap().len(), 1);
    s.consent(&again);
    s.decide(&again, "approved", "同意");
    assert_eq!((s.phase(&again), s.phase(&app_id())), ("Completed", "Exited"));
}

/// Nobody but the authority's decision moves anything, however long it takes; and while it waits, volumes are kept.
#[test]
fn an_orphan_waits_for_ever() {
    let mut s = lost(application(), &["CloudApplication", "ResourceGrant"]);
    s.file(&app_id(), application());
    let before = tenants_have(&s.cluster);
    s.decide(&app_id(), "returned", "请核对");
    s.until("2028-06-01 09:00");
    assert_eq!(tenants_have(&s.cluster), before);
    s.edit(ZHANG, &app_id(), json!({ "system": { "contact": { "name": "王工" } } }));
    assert!(!s.may_decide(LI, &app_id(), "approved") || !s.may_reattach(&app_id(), &[]));
    assert_eq!(tenants_have(&s.cluster), before);
}

/// S9: killed before each of its writes, taking back ends the same.
#[test]
fn killed_before_each_write_of_taking_back() {
    fn life(kinds: &[&str], kill: Option<usize>) -> Stage {
        let mut s = lost(two(), kinds);
        let (prod, test) = (uid(&s, &space("prod")), uid(&s, &space("test")));
        (s.writes, s.kill_before) = (0, kill);
        s.file(&app_id(), two());
        s.decide_naming(&app_id(), &[&prod, &test]);
        s
    }
    let mut kills = 0;
    for kinds in [&["CloudApplication", "ResourceGrant"][..], &["CloudApplication"]] {
        let whole = life(kinds, None);
        assert_eq!(whole.phase(&app_id()), "Provisioned");
        for n in 0..whole.writes {
            let killed = life(kinds, Some(n));
            assert!(killed.kill_before.is_none(), "write {n} was reached");
            crate::random::same_end(&whole, &killed);
            kills += 1;
        }
    }
    println!("taking back: killed before each of {kills} writes");
    assert!(kills > 20);
}
