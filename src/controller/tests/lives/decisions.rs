//! Decisions that do not count, and specs that are not what was decided on (design, section 3; S1, S7).

use govcloud_domain::integrity::PolicyIntegrity;
use serde_json::json;

use crate::acts::{adjustment, app_id, application, change_id, exit, exit_id, grant_id, tenant};
use crate::cluster::id;
use crate::stage::{LI, Stage, ZHANG};

/// Nothing was made, and the record says why.
fn void(s: &Stage, why: &str) {
    let d = &s.status(&app_id())["decision"];
    assert!(d["void"].as_str().is_some_and(|v| v.contains(why)), "{d}");
    assert_eq!(
        (s.phase(&app_id()), s.status(&app_id())["waitingFor"].as_str()),
        ("Submitted", Some("NewDecision"))
    );
    assert_eq!(s.cluster.of_kind("ResourceGrant").count(), 0);
    assert_eq!(s.count(&app_id(), "DecisionVoid"), 1);
}

/// A void decision is removed, and made anew as it should be.
fn decided_anew(mut s: Stage) {
    s.clear_decision(&app_id());
    assert_eq!(s.status(&app_id())["decision"], json!(null));
    s.decide(&app_id(), "approved", "同意");
    assert_eq!(s.phase(&app_id()), "Provisioned");
}

#[test]
fn a_decision_that_was_there_first_is_void() {
    let mut s = Stage::new("2026-03-10 09:30");
    s.file_by(ZHANG, &app_id(), application());
    s.annotate(LI, &app_id(), "approved", 1, "同意");
    s.settle();
    void(&s, "before the record was first looked at");
    decided_anew(s);
}

#[test]
fn who_filed_does_not_decide() {
    let mut s = Stage::new("2026-03-10 09:30");
    s.file(&app_id(), application());
    s.annotate(ZHANG, &app_id(), "approved", 1, "同意");
    s.settle();
    void(&s, "the requester and the approver are the same person");
    decided_anew(s);
}

#[test]
fn a_decision_on_an_earlier_generation_is_void() {
    let mut s = Stage::new("2026-03-10 09:30");
    s.file(&app_id(), application());
    s.edit(
        ZHANG,
        &app_id(),
        json!({ "namespaces": [{ "name": "prod", "quota": { "requests.cpu": "800" } }] }),
    );
    s.annotate(LI, &app_id(), "approved", 1, "同意");
    s.settle();
    void(&s, "generation 1, not 2");
    decided_anew(s);
}

/// An approved record can never be a dead one: what is not valid is not approved.
#[test]
fn an_approval_of_what_is_not_in_order_is_void() {
    let mut s = Stage::new("2026-03-10 09:30");
    let mut spec = application();
    spec["materials"]["projectApproval"]["issuedOn"] = json!("2027-01-01");
    s.file(&app_id(), spec);
    assert_eq!(s.stands(&app_id(), "Valid"), "False/DocumentInFuture");
    s.annotate(LI, &app_id(), "approved", 1, "同意");
    s.settle();
    assert!(s.status(&app_id())["decision"]["void"].as_str().unwrap().contains("Valid was not True"));
    assert_eq!(s.cluster.of_kind("ResourceGrant").count(), 0);
}

/// Art. 12: an opinion goes with what is not an approval.
#[test]
fn a_rejection_without_an_opinion_is_void() {
    let mut s = Stage::new("2026-03-10 09:30");
    s.file(&app_id(), application());
    s.annotate(LI, &app_id(), "rejected", 1, "");
    s.settle();
    void(&s, "it gives no opinion");
    decided_anew(s);
}

#[test]
fn an_unreadable_decision_is_void() {
    let mut s = Stage::new("2026-03-10 09:30");
    s.file(&app_id(), application());
    s.annotate(LI, &app_id(), "maybe", 1, "");
    s.settle();
    void(&s, "maybe");
    decided_anew(s);
}

/// The policies were not in place: said on every waiting record, and what was decided meanwhile is void.
#[test]
fn an_open_guard_voids_and_holds() {
    let mut s = Stage::new("2026-03-10 09:30");
    s.file(&app_id(), application());
    s.say("guard", "a policy is missing");
    s.guard = PolicyIntegrity::Violated(vec!["govcloud-decisions".into()]);
    s.settle();
    assert_eq!(s.stands(&app_id(), "Stalled"), "True/PolicyIntegrityViolated");
    s.annotate(LI, &app_id(), "approved", 1, "同意");
    s.settle();
    assert!(s.status(&app_id())["decision"]["void"].as_str().unwrap().contains("govcloud-decisions"));
    assert_eq!(s.stands(&app_id(), "Stalled"), "True/PolicyIntegrityViolated");
    s.until("2026-03-11 10:00");
    s.say("guard", "the policy is back");
    s.guard = PolicyIntegrity::Intact { since: s.now };
    s.settle();
    assert_eq!(s.stands(&app_id(), "Stalled"), "True/DecisionVoid");
    s.clear_decision(&app_id());
    s.until("2026-03-11 11:00");
    s.decide(&app_id(), "approved", "同意");
    assert_eq!(s.phase(&app_id()), "Provisioned");
    insta::assert_snapshot!(s.log);
}

/// A decision from the gap that is first seen after it is void too, by the API server's own time.
#[test]
fn a_decision_made_while_the_guard_was_open_is_void_afterwards() {
    let mut s = Stage::new("2026-03-10 09:30");
    s.file(&app_id(), application());
    s.until("2026-03-11 10:00");
    s.annotate(LI, &app_id(), "approved", 1, "同意");
    s.now = crate::stage::at("2026-03-11 12:00");
    s.guard = PolicyIntegrity::Intact { since: crate::stage::at("2026-03-11 11:00") };
    s.settle();
    void(&s, "while the policies were not in place");
}

#[test]
fn nothing_is_ruled_before_the_guard_was_looked_at() {
    let mut s = Stage::new("2026-03-10 09:30");
    s.file(&app_id(), application());
    let guard = std::mem::replace(&mut s.guard, PolicyIntegrity::Unknown);
    s.decide(&app_id(), "approved", "同意");
    assert_eq!((s.phase(&app_id()), &s.status(&app_id())["decision"]), ("Submitted", &json!(null)));
    s.guard = guard;
    s.settle();
    assert_eq!(s.phase(&app_id()), "Provisioned");
}

/// Every kind says that the guard is open, in each phase that waits for a gate.
#[test]
fn an_open_guard_shows_on_every_waiting_record() {
    let mut s = Stage::live("2026-06-01 09:00");
    let (c, e) = (change_id("enlarge"), exit_id("leave"));
    s.file(&c, adjustment(json!({ "requests.cpu": "16" })));
    let guard = std::mem::replace(&mut s.guard, PolicyIntegrity::Violated(vec!["x".into()]));
    s.settle();
    assert_eq!(s.stands(&c, "Stalled"), "True/PolicyIntegrityViolated");
    assert_eq!(s.stands(&app_id(), "Ready"), "True/Live", "what waits for nothing is not disturbed");
    s.guard = guard.clone();
    s.withdraw(&c);
    s.file(&e, exit("Application", "HandOver", &[]));
    s.consent(&e);
    s.guard = PolicyIntegrity::Violated(vec!["x".into()]);
    s.settle();
    assert_eq!(
        (s.phase(&e), s.stands(&e, "Stalled").as_str()),
        ("AwaitingDecision", "True/PolicyIntegrityViolated")
    );
    s.guard = guard;
    s.decide_unseen(&e, "approved", "同意");
    // The approval is seen, and then the guard opens: nothing is reclaimed.
    s.reconcile(&s.keys()[2].clone());
    s.guard = PolicyIntegrity::Violated(vec!["x".into()]);
    s.settle();
    assert_eq!(
        (s.phase(&e), s.stands(&e, "Stalled").as_str()),
        ("HandingOver", "True/PolicyIntegrityViolated")
    );
}

/// S7: somebody changed an approved spec, policies or not. Nothing is made from it.
#[test]
fn a_spec_altered_after_the_approval_stops_everything() {
    let mut s = Stage::new("2026-03-10 09:30");
    s.region(json!({ "fulfilment": "ProviderApplied" }));
    s.file(&app_id(), application());
    s.decide(&app_id(), "approved", "同意");
    let patch = json!({ "namespaces": [{ "name": "prod", "quota": { "requests.cpu": "800" } }] });
    s.edit("mallory", &app_id(), patch);
    s.region(json!({ "fulfilment": "Automatic" }));
    assert_eq!(s.stands(&app_id(), "Stalled"), "True/SpecAltered");
    assert_eq!((s.cluster.of_kind("ResourceGrant").count(), s.count(&app_id(), "SpecAltered")), (0, 1));
    // Put back as it was approved, the life goes on.
    s.edit("mallory", &app_id(), json!({ "namespaces": application()["namespaces"] }));
    assert_eq!(s.phase(&app_id()), "Provisioned");
    insta::assert_snapshot!(s.log);
}

/// S1: an altered spec does not reach what was provisioned: nobody gets in, and what is there stays.
#[test]
fn access_altered_after_the_approval_lets_nobody_in() {
    let mut s = Stage::provisioned("2026-03-10 09:30");
    let writes = s.writes;
    s.edit(
        "mallory",
        &app_id(),
        json!({ "access": [{ "subject": { "kind": "User", "name": "mallory" }, "role": "admin" }] }),
    );
    assert_eq!(s.stands(&app_id(), "Stalled"), "True/SpecAltered");
    assert_eq!(s.stands(&grant_id(), "Stalled"), "True/SpecAltered");
    assert_eq!(s.writes, writes + 2, "two statuses and nothing else");
    assert!(s.claim("prod", "data"), "and volumes are still kept (S5)");
}

/// S1: a work order in force that somebody enlarges under the approval it had reaches nothing.
#[test]
fn a_work_order_enlarged_after_it_came_into_force_enlarges_nothing() {
    let mut s = Stage::live("2026-06-01 09:00");
    let quota = id("ResourceQuota", &tenant("prod"), "govcloud");
    let (had, said) = (s.cluster.objects[&quota].clone(), s.status(&grant_id())["granted"].clone());
    s.cluster.change(&grant_id(), |o| o["spec"]["namespaces"][0]["quota"]["requests.cpu"] = json!("64"));
    s.settle();
    assert_eq!(s.stands(&grant_id(), "Stalled"), "True/Refused");
    assert_eq!((&s.cluster.objects[&quota], &s.status(&grant_id())["granted"]), (&had, &said));
}

#[test]
fn a_change_altered_after_its_approval_is_not_carried_out() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.uses("prod", json!({ "requests.cpu": "6" }));
    let c = change_id("shrink");
    s.file(&c, adjustment(json!({ "requests.cpu": "4" })));
    s.decide(&c, "approved", "同意");
    s.edit("mallory", &c, json!({ "resourceAdjustment": { "namespaces": [{ "name": "prod", "quota": { "requests.cpu": "4000" } }] } }));
    s.uses("prod", json!({ "requests.cpu": "1" }));
    assert_eq!((s.phase(&c), s.stands(&c, "Stalled").as_str()), ("Applying", "True/SpecAltered"));
    let quota = s.cluster.get("ResourceQuota", &tenant("prod"), "govcloud").unwrap();
    assert_eq!(quota["spec"]["hard"]["requests.cpu"], "8");
}

#[test]
fn an_exit_altered_after_its_approval_destroys_nothing() {
    let (mut s, e) = Stage::handing_over();
    s.edit("mallory", &e, json!({ "disposition": { "default": "Destroy" } }));
    assert_eq!((s.phase(&e), s.stands(&e, "Stalled").as_str()), ("HandingOver", "True/SpecAltered"));
    assert_eq!(s.cluster.of_kind("PersistentVolume").count(), 1);
}

/// S3: a record that is gone destroys nothing and closes nobody out.
#[test]
fn a_missing_record_destroys_nothing() {
    for gone in [
        app_id(),
        grant_id(),
        crate::cluster::id("Region", "", "410000"),
        crate::cluster::id("WorkCalendar", "", "cn"),
    ] {
        let mut s = Stage::live("2026-06-01 09:00");
        s.claim("prod", "data");
        let tenant_objects = |s: &Stage| {
            let of = |k: &&str| {
                s.cluster.of_kind(k).map(|o| o["metadata"]["resourceVersion"].clone()).collect::<Vec<_>>()
            };
            ["Namespace", "ResourceQuota", "LimitRange", "NetworkPolicy", "RoleBinding", "PersistentVolume"]
                .iter()
                .map(of)
                .collect::<Vec<_>>()
        };
        let before = tenant_objects(&s);
        s.cluster.remove(&gone);
        s.settle();
        s.until("2026-09-01 09:00");
        assert_eq!(tenant_objects(&s), before, "without {gone:?}");
    }
}

/// A namespace of that name that is not ours is never adopted (S3).
#[test]
fn a_taken_namespace_is_never_adopted() {
    let mut s = Stage::new("2026-03-10 09:30");
    let taken = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": tenant("prod") } });
    s.cluster.create(taken.clone(), s.now).unwrap();
    s.file(&app_id(), application());
    assert_eq!(s.stands(&app_id(), "Valid"), "False/NamespaceTaken");
    // Taken between the approval and the first write.
    let mut s = Stage::new("2026-03-10 09:30");
    s.file(&app_id(), application());
    s.decide_unseen(&app_id(), "approved", "同意");
    s.cluster.create(taken, s.now).unwrap();
    s.settle();
    assert_eq!(
        (s.phase(&app_id()), s.stands(&grant_id(), "Stalled").as_str()),
        ("Provisioning", "True/NamespaceTaken")
    );
    assert_eq!(s.cluster.of_kind("ResourceQuota").count(), 0);
}

/// A refused write is reported, and made once the API server accepts it.
#[test]
fn a_refused_write_is_said_and_tried_again() {
    let mut s = Stage::new("2026-03-10 09:30");
    s.file(&app_id(), application());
    s.refuse = Some(("Namespace", "forbidden"));
    s.decide(&app_id(), "approved", "同意");
    assert_eq!(s.stands(&grant_id(), "Stalled"), "True/WriteRefused");
    assert_eq!(s.stands(&app_id(), "Stalled"), "True/GrantStalled");
    s.refuse = None;
    s.settle();
    assert_eq!(s.phase(&app_id()), "Provisioned");
}
