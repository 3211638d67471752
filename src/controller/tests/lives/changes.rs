//! Golden timelines of changes (Art. 15, 18) and of work orders by the provider's own hand (Art. 13).

use govcloud_domain::digest::spec_digest;
use govcloud_domain::names::tenant_namespace;
use serde_json::{Value, json};

use crate::acts::{adjustment, app_id, application, change_id, exit, exit_id, grant_id, maintenance, tenant};
use crate::cluster::{Id, id};
use crate::stage::{DEPT, LI, Stage, ZHANG};

const ENLARGED: &str =
    r#"{ "requests.cpu": "16", "requests.memory": "32Gi", "requests.storage": "200Gi", "pods": "100" }"#;

fn enlarged() -> Value {
    adjustment(serde_json::from_str(ENLARGED).unwrap())
}

/// The work order of a decided record, as the provider renders it.
fn order(s: &Stage, record: &Id, namespaces: Value) -> Value {
    let (app, o) = (&s.cluster.objects[&app_id()], &s.cluster.objects[record]);
    let generation = o["status"]["decision"]["generation"].as_i64().unwrap_or(1);
    json!({ "region": "410000", "application": { "name": "travel", "uid": app["metadata"]["uid"] },
        "approved": { "kind": record.0, "name": record.2, "uid": o["metadata"]["uid"], "generation": generation,
            "digest": spec_digest(&o["spec"]) },
        "namespaces": namespaces })
}

impl Stage {
    /// `travel` in a region where the provider applies the grants.
    fn by_the_provider(now: &str) -> Self {
        let mut s = Self::new(now);
        s.region(json!({ "fulfilment": "ProviderApplied" }));
        s.file(&app_id(), application());
        s
    }

    /// The provider applies a grant.
    fn grant(&mut self, spec: Value) {
        match self.cluster.objects.contains_key(&grant_id()) {
            true => {
                self.say("provider", "applies the grant again");
                self.cluster.change(&grant_id(), |o| o["spec"] = spec);
                self.settle();
            }
            false => {
                self.file_by("provider", &grant_id(), spec);
                self.settle();
            }
        }
    }

    fn refused_for(&self, part: &str) {
        assert_eq!(self.stands(&grant_id(), "Stalled"), "True/Refused");
        let why = self.condition(&grant_id(), "Stalled").unwrap()["message"].as_str().unwrap();
        assert!(why.contains(part), "{why}");
    }
}

#[test]
fn adjustment_returned_resubmitted_approved() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.region(json!({ "workingDays": { "review": 5 } }));
    s.log.clear();
    let c = change_id("enlarge");
    s.file(&c, adjustment(json!({ "requests.cpu": "64" })));
    s.until("2026-06-02 09:00");
    s.decide(&c, "returned", "请按实际峰值重新测算");
    s.until("2026-06-04 09:00");
    s.edit(ZHANG, &c, json!({ "resourceAdjustment": enlarged()["resourceAdjustment"] }));
    s.decide(&c, "approved", "同意");
    let status = s.status(&c);
    assert_eq!(status["phase"], "Completed");
    assert_eq!(
        (&status["before"][0]["quota"]["requests.cpu"], &status["after"][0]["quota"]["requests.cpu"]),
        (&json!("8"), &json!("16"))
    );
    insta::assert_snapshot!(s.log);
}

#[test]
fn maintenance_returned_resubmitted_scheduled() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.log.clear();
    let m = s.maintain("storage", maintenance("2026-06-10 22:00", "2026-06-11 02:00"));
    s.decide(&m, "returned", "请避开考试报名期间");
    s.until("2026-06-02 09:00");
    let moved = maintenance("2026-06-24 22:00", "2026-06-25 02:00");
    s.edit(
        "provider",
        &m,
        json!({ "platformMaintenance": { "window": moved["platformMaintenance"]["window"] } }),
    );
    s.decide(&m, "approved", "同意");
    assert_eq!(
        (s.phase(&m), s.stands(&app_id(), "MaintenanceScheduled").as_str()),
        ("Scheduled", "True/Scheduled")
    );
    insta::assert_snapshot!(s.log);
}

/// Art. 18: what is not approved is not carried out, and nobody is told of it.
#[test]
fn maintenance_rejected() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.log.clear();
    let m = s.maintain("storage", maintenance("2026-06-10 22:00", "2026-06-11 02:00"));
    s.decide(&m, "rejected", "与重大活动保障冲突");
    s.until("2026-06-20 09:00");
    assert_eq!((s.phase(&m), s.stands(&app_id(), "MaintenanceScheduled").as_str()), ("Rejected", ""));
    insta::assert_snapshot!(s.log);
}

#[test]
fn maintenance_withdrawn_before_the_decision() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.log.clear();
    let m = s.maintain("storage", maintenance("2026-06-10 22:00", "2026-06-11 02:00"));
    s.withdraw(&m);
    s.until("2026-06-20 09:00");
    assert_eq!((s.phase(&m), s.stands(&app_id(), "MaintenanceScheduled").as_str()), ("Withdrawn", ""));
    insta::assert_snapshot!(s.log);
}

/// Art. 15: a namespace is added, another taken out of use by a quota of zero; what is not named stays as it is.
#[test]
fn a_namespace_is_added_and_another_taken_out_of_use() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.log.clear();
    let mut two = enlarged();
    two["resourceAdjustment"]["namespaces"] =
        json!([{ "name": "test", "quota": { "pods": "5", "requests.cpu": "2" } }]);
    s.file(&change_id("add"), two);
    s.decide(&change_id("add"), "approved", "同意");
    assert_eq!(s.phase(&change_id("add")), "Completed");
    let mut none = enlarged();
    none["resourceAdjustment"]["namespaces"] =
        json!([{ "name": "test", "quota": { "pods": "0", "requests.cpu": "0" } }]);
    s.file(&change_id("none"), none);
    s.decide(&change_id("none"), "approved", "同意");
    assert_eq!(s.phase(&change_id("none")), "Completed");
    let live = |entry: &str| {
        s.cluster.get("ResourceQuota", &tenant_namespace(DEPT, "travel", entry), "govcloud").unwrap()
    };
    assert_eq!(live("test")["spec"]["hard"]["pods"], "0");
    assert_eq!(live("prod")["spec"]["hard"]["pods"], "50", "not named, not touched");
    insta::assert_snapshot!(s.log);
}

/// S3: a namespace that is there already is never taken over; whoever asks for its name is told before the decision.
#[test]
fn a_change_whose_namespace_name_is_taken_cannot_be_approved() {
    let mut s = Stage::live("2026-06-01 09:00");
    let c = change_id("add");
    let name = tenant_namespace(DEPT, "travel", "test");
    let foreign = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
    s.cluster.create(foreign, s.now).unwrap();
    let mut spec = enlarged();
    spec["resourceAdjustment"]["namespaces"] = json!([{ "name": "test", "quota": { "pods": "5" } }]);
    s.file(&c, spec);
    assert_eq!(s.stands(&c, "Valid"), "False/NamespaceTaken");
    assert!(!s.may_decide(LI, &c, "approved"));
    // When it goes, that is news for the change.
    s.woken();
    s.cluster.remove(&id("Namespace", "", &name));
    assert!(s.woken().iter().any(|k| k.name() == "add"));
    s.settle();
    assert_eq!(s.stands(&c, "Valid"), "True/Valid");
    s.decide(&c, "approved", "同意");
    assert_eq!(s.phase(&c), "Completed");
}

/// Art. 15 and 16: nothing is changed on the way out, whichever comes first.
#[test]
fn no_change_while_exiting() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.region(json!({ "fulfilment": "ProviderApplied" }));
    s.log.clear();
    s.file(&change_id("before"), enlarged());
    s.decide(&change_id("before"), "approved", "同意");
    assert_eq!(s.phase(&change_id("before")), "Applying");
    let e = exit_id("leave");
    s.file(&e, exit("Application", "Retain", &[]));
    assert_eq!(s.stands(&e, "Valid"), "False/AnotherOpen", "one at a time");
    let right = order(&s, &change_id("before"), s.status(&change_id("before"))["after"].clone());
    s.grant(right);
    assert_eq!(s.phase(&change_id("before")), "Completed");
    s.consent(&e);
    s.until("2026-06-02 09:00");
    s.file(&change_id("during"), adjustment(json!({ "requests.cpu": "32" })));
    assert_eq!(s.stands(&change_id("during"), "Valid"), "False/ApplicationNotActive");
    assert!(!s.may_decide(LI, &change_id("during"), "approved"));
    s.decide(&e, "approved", "同意");
    assert_eq!((s.phase(&app_id()), s.phase(&change_id("during"))), ("Exited", "Submitted"));
    insta::assert_snapshot!(s.log);
}

/// Art. 13: a grant that comes before its approval waits, says for what, and is carried out when that is there.
#[test]
fn provider_applied_before_the_approval() {
    let mut s = Stage::by_the_provider("2026-03-10 09:30");
    let right = order(&s, &app_id(), application()["namespaces"].clone());
    s.grant(right);
    assert_eq!(
        (s.phase(&grant_id()), s.status(&grant_id())["waitingFor"].as_str()),
        ("Pending", Some("Approval"))
    );
    assert_eq!(s.cluster.of_kind("Namespace").count(), 2, "nothing is provisioned");
    s.until("2026-03-12 09:30");
    s.decide(&app_id(), "approved", "同意");
    assert_eq!((s.phase(&app_id()), s.phase(&grant_id())), ("Provisioned", "Active"));
    insta::assert_snapshot!(s.log);
}

/// Art. 13, 16: another application's UID, a stale digest, and a grant after the exit provision nothing.
#[test]
fn provider_applied_for_another_stale_and_after_exit() {
    let mut s = Stage::by_the_provider("2026-03-10 09:30");
    let stale = order(&s, &app_id(), application()["namespaces"].clone());
    s.edit(ZHANG, &app_id(), json!({ "system": { "contact": { "name": "王工" } } }));
    s.decide(&app_id(), "approved", "同意");
    s.grant(stale);
    s.refused_for("spec.approved.digest: ");
    // Whose work order it is cannot be changed: it is removed, and another is applied, and again.
    s.cluster.remove(&grant_id());
    let right = order(&s, &app_id(), application()["namespaces"].clone());
    let mut anothers = right.clone();
    anothers["application"]["uid"] = json!("cloudapplication:other:1");
    s.grant(anothers);
    s.refused_for("spec.application.uid: cloudapplication:other:1 ≠ ");
    assert_eq!(s.cluster.of_kind("Namespace").count(), 2, "nothing is provisioned");
    s.cluster.remove(&grant_id());
    s.grant(right.clone());
    assert_eq!(s.phase(&app_id()), "Provisioned");
    s.leave("leave", exit("Application", "Retain", &[]));
    assert_eq!(s.phase(&app_id()), "Exited");
    // The ended grant is archived and removed, and another applied.
    s.cluster.remove(&grant_id());
    s.grant(right);
    s.refused_for("the application has exited");
    assert_eq!(s.cluster.of_kind("Namespace").count(), 2, "nothing is provisioned");
    insta::assert_snapshot!(s.log);
}

/// Art. 15 by the provider's own hand: the work order is published, a wrong grant changes nothing, the right one does.
#[test]
fn change_provider_applied_wrong_then_right() {
    let mut s = Stage::by_the_provider("2026-03-10 09:30");
    s.decide(&app_id(), "approved", "同意");
    let first = order(&s, &app_id(), application()["namespaces"].clone());
    s.grant(first);
    s.log.clear();
    let c = change_id("enlarge");
    s.file(&c, enlarged());
    s.decide(&c, "approved", "同意");
    let waits = s.condition(&c, "Reconciling").unwrap().clone();
    assert_eq!(waits["reason"], "AwaitingGrant");
    assert!(
        waits["message"].as_str().unwrap().contains("kubectl govcloud grant render travel --change enlarge")
    );
    let right = order(&s, &c, s.status(&c)["after"].clone());
    let mut wrong = right.clone();
    wrong["namespaces"][0]["quota"]["pods"] = json!("1k");
    s.grant(wrong);
    s.refused_for("spec.namespaces[prod].quota.pods: 1k ≠ 100");
    assert_eq!((s.phase(&grant_id()), s.stands(&c, "Stalled").as_str()), ("Active", "True/GrantStalled"));
    assert_eq!(s.status(&c)["deadlines"][0]["metAt"], Value::Null, "the clock runs on");
    s.until("2026-03-12 10:00");
    s.grant(right);
    assert_eq!(s.phase(&c), "Completed");
    insta::assert_snapshot!(s.log);
}

/// Equal amounts in another notation change nothing.
#[test]
fn a_change_of_notation_is_no_change() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.file(
        &change_id("same"),
        adjustment(json!({ "requests.cpu": "8000m", "requests.memory": "16384Mi", "pods": "0.05k" })),
    );
    assert_eq!(s.stands(&change_id("same"), "Valid"), "False/NothingChanges");
    s.until("2026-06-02 09:00");
    s.file(&change_id("other"), adjustment(json!({ "requests.cpu": "8001m" })));
    assert_eq!(s.stands(&change_id("other"), "Valid"), "False/AnotherOpen");
    s.withdraw(&change_id("same"));
    assert_eq!(s.stands(&change_id("other"), "Valid"), "True/Valid");
}

/// Art. 15, 30: growth stays within the region's maximum and its storage classes, a new namespace included.
#[test]
fn growth_stays_within_the_region() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.region(json!({ "tenancy": { "maxQuota": { "pods": "100" } } }));
    let c = change_id("grow");
    s.file(&c, adjustment(json!({ "pods": "0.101k" })));
    assert_eq!(s.stands(&c, "Valid"), "False/QuotaAboveMaximum");
    let asks = |s: &mut Stage, name: &str, quota: Value| {
        s.edit(
            ZHANG,
            &c,
            json!({ "resourceAdjustment": { "namespaces": [{ "name": name, "quota": quota }] } }),
        );
        s.stands(&c, "Valid")
    };
    assert_eq!(
        asks(&mut s, "test", json!({ "requests.cpu": "1" })),
        "False/QuotaAboveMaximum",
        "no limit at all"
    );
    let gold = "gold.storageclass.storage.k8s.io/requests.storage";
    assert_eq!(asks(&mut s, "prod", json!({ gold: "10Gi" })), "False/StorageClassNotOffered");
    let own = "hostpath.storageclass.storage.k8s.io/requests.storage";
    assert_eq!(asks(&mut s, "prod", json!({ own: "10Gi" })), "True/Valid");
    assert_eq!(asks(&mut s, "test", json!({ "pods": "100" })), "True/Valid");
    let mut fresh = application();
    fresh["namespaces"] = json!([{ "name": "prod", "quota": { gold: "1Gi", "pods": "100" } }]);
    let other = id("CloudApplication", DEPT, "other");
    s.file(&other, fresh);
    assert_eq!(s.stands(&other, "Valid"), "False/StorageClassNotOffered");
}

/// A work order whose entries stand in another order is the same work order: each entry keeps its namespace.
#[test]
fn entries_in_another_order_keep_their_namespaces() {
    let mut s = Stage::new("2026-03-10 09:30");
    let mut spec = application();
    let mut second = spec["namespaces"][0].clone();
    second["name"] = json!("test");
    second["quota"]["requests.cpu"] = json!("1");
    spec["namespaces"].as_array_mut().unwrap().push(second);
    s.file(&app_id(), spec);
    s.decide(&app_id(), "approved", "同意");
    let had =
        |s: &Stage, entry: &str| s.cluster.objects[&id("ResourceQuota", &tenant(entry), "govcloud")].clone();
    let before = (had(&s, "prod"), had(&s, "test"));
    s.cluster.change(&grant_id(), |o| o["spec"]["namespaces"].as_array_mut().unwrap().reverse());
    s.settle();
    assert_eq!((had(&s, "prod"), had(&s, "test")), before);
    assert_eq!(s.cluster.of_kind("ResourceQuota").count(), 2);
}

/// An undecided request that is being deleted, and that a finalizer holds, comes to nothing: others go on.
#[test]
fn an_undecided_request_that_is_being_deleted_holds_nobody_up() {
    let mut s = Stage::live("2026-06-01 09:00");
    let (held, next) = (change_id("held"), change_id("next"));
    s.file(&held, adjustment(json!({ "requests.cpu": "16" })));
    s.until("2026-06-02 09:00");
    s.file(&next, adjustment(json!({ "requests.cpu": "12" })));
    assert_eq!(s.stands(&next, "Valid"), "False/AnotherOpen");
    let at = s.now.to_string();
    s.cluster.change(&held, |o| o["metadata"]["deletionTimestamp"] = json!(at));
    s.settle();
    assert_eq!(s.stands(&next, "Valid"), "True/Valid");
}

/// A refusal of a write of a change is said on the change too: its people look there.
#[test]
fn what_holds_the_grant_up_is_said_on_the_change() {
    let mut s = Stage::live("2026-06-01 09:00");
    let c = change_id("enlarge");
    s.file(&c, enlarged());
    s.refuse = Some(("ResourceQuota", "another policy forbids it"));
    s.decide(&c, "approved", "同意");
    assert_eq!(s.stands(&grant_id(), "Stalled"), "True/WriteRefused");
    assert_eq!((s.phase(&c), s.stands(&c, "Stalled").as_str()), ("Applying", "True/GrantStalled"));
    let message = s.condition(&c, "Stalled").unwrap()["message"].as_str().unwrap();
    assert!(message.contains("another policy forbids it") && message.contains("WriteRefused"), "{message}");
    s.refuse = None;
    s.settle();
    assert_eq!((s.phase(&c), s.stands(&c, "Stalled").as_str()), ("Completed", "False/Completed"));
}

/// Art. 15, 16: a change that waits for less use holds no exit up, the department's or the authority's; it ends with the
/// application, and goes on if the exit comes to nothing.
#[test]
fn an_exit_overtakes_a_change_that_waits_for_less_use() {
    for reason in ["NoLongerUsed", "ContractEnded"] {
        for withdrawn in [false, true] {
            let mut s = Stage::live("2026-06-01 09:00");
            s.uses("prod", json!({ "pods": "40" }));
            let c = change_id("shrink");
            s.file(&c, adjustment(json!({ "pods": "10" })));
            s.decide(&c, "approved", "同意");
            assert_eq!((s.phase(&c), s.count(&c, "BelowUse")), ("Applying", 1));
            let e = exit_id("leave");
            let mut spec = exit("Application", "Retain", &[]);
            spec["reason"] = json!(reason);
            s.file(&e, spec);
            assert_eq!(
                (s.stands(&e, "Valid").as_str(), s.phase(&app_id())),
                ("True/Valid", "Exiting"),
                "{}",
                s.status(&e)
            );
            assert_eq!(s.stands(&c, "Stalled"), "True/ApplicationExiting");
            s.until("2026-06-02 09:00");
            if withdrawn {
                s.withdraw(&e);
                assert_eq!((s.phase(&app_id()), s.phase(&c)), ("Live", "Applying"));
                s.uses("prod", json!({ "pods": "5" }));
                assert_eq!((s.phase(&c), s.count(&c, "UseFell")), ("Completed", 1));
            } else {
                s.consent(&e);
                s.decide(&e, "approved", "同意");
                assert_eq!((s.phase(&e), s.phase(&app_id())), ("Completed", "Exited"), "{}", s.status(&e));
                assert_eq!((s.phase(&c), s.count(&c, "Overtaken")), ("Withdrawn", 1));
            }
        }
    }
}
