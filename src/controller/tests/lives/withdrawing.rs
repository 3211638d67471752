//! Withdrawal of an approved application: it ends as long as nothing was made of the approval, and never leaves a namespace
//! behind (Art. 13; S1, S3; decision 0085).

use govcloud_api::keys;
use govcloud_controller::key::Key;
use govcloud_controller::kinds::Kind;
use govcloud_domain::digest::spec_digest;
use govcloud_domain::plan::RequiredReads;
use serde_json::{Value, json};

use crate::acts::{app_id, application, exit, grant_id, tenant};
use crate::cluster::id;
use crate::stage::{DEPT, Stage, ZHANG};

/// The department withdraws, and the operator has not looked yet.
fn withdraw_unseen(s: &mut Stage) {
    s.say(ZHANG, "withdraws CloudApplication travel");
    let uid = s.cluster.objects[&app_id()]["metadata"]["uid"].clone();
    s.cluster.change(&app_id(), |o| o["metadata"]["annotations"][keys::WITHDRAW] = uid);
}

/// An approved application whose provider writes the grant by hand, and has not.
fn awaiting_a_grant() -> Stage {
    let mut s = Stage::new("2026-03-10 09:30");
    s.region(json!({ "fulfilment": "ProviderApplied" }));
    s.file(&app_id(), application());
    s.decide(&app_id(), "approved", "同意");
    assert_eq!(s.phase(&app_id()), "Provisioning");
    s
}

/// The grant that the provider would write for it.
fn provided(s: &Stage) -> Value {
    let app = &s.cluster.objects[&app_id()];
    let (uid, digest) = (&app["metadata"]["uid"], spec_digest(&app["spec"]));
    json!({ "region": "410000", "application": { "name": "travel", "uid": uid },
        "approved": { "kind": "CloudApplication", "name": "travel", "uid": uid, "generation": 1, "digest": digest },
        "namespaces": [{ "name": "prod", "quota": app["spec"]["namespaces"][0]["quota"] }] })
}

/// It ended as withdrawn, its provider owes nothing any more, and no namespace of it exists.
fn ended(s: &Stage) {
    assert_eq!(s.phase(&app_id()), "Withdrawn");
    let status = s.status(&app_id());
    assert_eq!((&status["waitingOn"], &status["namespaces"]), (&json!("None"), &Value::Null));
    let closed = |d: &Value| d["closedReason"] == "withdrawn" || d["metAt"].is_string();
    assert!(status["deadlines"].as_array().unwrap().iter().all(closed), "{}", status["deadlines"]);
    let uid = &s.cluster.objects[&app_id()]["metadata"]["uid"];
    let own = |n: &&Value| n["metadata"]["labels"][keys::APPLICATION_UID] == *uid;
    assert_eq!(s.cluster.of_kind("Namespace").find(own), None);
}

/// A stranger takes the namespace's name between approval and provisioning: nothing is ever made, and the department withdraws.
#[test]
fn an_application_that_cannot_be_provisioned_is_withdrawn() {
    let mut s = Stage::new("2026-03-10 09:30");
    s.file(&app_id(), application());
    s.decide_unseen(&app_id(), "approved", "同意");
    let stranger = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": tenant("prod") } });
    s.cluster.create(stranger, s.now).unwrap();
    s.settle();
    assert_eq!(
        (s.phase(&app_id()), s.stands(&grant_id(), "Stalled").as_str()),
        ("Provisioning", "True/NamespaceTaken")
    );
    s.until("2026-03-12 09:30");
    let before = s.cluster.objects[&id("Namespace", "", &tenant("prod"))].clone();
    s.withdraw(&app_id());
    ended(&s);
    assert_eq!(s.phase(&grant_id()), "Released");
    assert_eq!(s.cluster.objects[&id("Namespace", "", &tenant("prod"))], before, "the stranger's stays");
    s.until("2026-06-10 09:30");
    assert_eq!(s.count(&app_id(), "Overdue"), 0);
    insta::assert_snapshot!(s.log);
}

/// The provider never writes the grant, or writes it afterwards: nothing is made of it.
#[test]
fn s1_a_grant_after_the_withdrawal_ends_at_once() {
    let mut s = awaiting_a_grant();
    s.withdraw(&app_id());
    ended(&s);
    let grant = provided(&s);
    s.file_by("provider", &grant_id(), grant);
    s.settle();
    ended(&s);
    assert_eq!(
        (s.phase(&grant_id()), s.stands(&grant_id(), "Ready").as_str()),
        ("Released", "True/Released")
    );
}

/// A grant that is not what was approved waits for its provider, who need not come.
#[test]
fn a_refused_grant_holds_no_withdrawal_up() {
    let mut s = awaiting_a_grant();
    let mut grant = provided(&s);
    grant["namespaces"][0]["quota"]["requests.cpu"] = json!("80");
    s.file_by("provider", &grant_id(), grant);
    s.settle();
    assert_eq!(s.phase(&grant_id()), "Refused");
    s.withdraw(&app_id());
    ended(&s);
    assert_eq!(s.phase(&grant_id()), "Released");
}

/// An approval that turns out not to be the operator's record of one: the application waits for a new decision, or is withdrawn.
#[test]
fn an_application_whose_approval_is_void_is_withdrawn() {
    let mut s = awaiting_a_grant();
    let mut grant = provided(&s);
    grant["namespaces"][0]["quota"]["requests.cpu"] = json!("80");
    s.file_by("provider", &grant_id(), grant);
    s.settle();
    s.cluster.change(&app_id(), |o| o["status"]["decision"]["seal"] = json!("0".repeat(64)));
    s.settle();
    assert_eq!(s.phase(&app_id()), "Submitted");
    s.withdraw(&app_id());
    assert_eq!((s.phase(&app_id()), s.phase(&grant_id())), ("Withdrawn", "Released"));
}

/// S1: the application is read live before the first namespace is made, and a withdrawal that came before is seen. Whichever
/// of the two records is decided on first, they end alike.
#[test]
fn s1_a_withdrawal_before_the_first_namespace_wins() {
    let application_first = Key::new(Kind::Application, DEPT, "travel");
    let grant_first = Key::new(Kind::Grant, DEPT, "travel");
    for first in [application_first, grant_first.clone()] {
        let mut s = Stage::new("2026-03-10 09:30");
        s.file(&app_id(), application());
        s.refuse = Some(("Namespace", "forbidden"));
        s.decide(&app_id(), "approved", "同意");
        s.refuse = None;
        let plan = s.plan(&grant_first, None).expect("a plan");
        assert_eq!(plan.reread, Some(RequiredReads::RECORDS), "nothing is made on what a cache says");
        let plan = s.plan(&grant_first, Some(RequiredReads::RECORDS)).expect("a plan");
        assert!(!plan.steps.is_empty(), "it would make the namespace");
        withdraw_unseen(&mut s);
        let plan = s.plan(&grant_first, Some(RequiredReads::RECORDS)).expect("a plan");
        assert!(plan.steps.is_empty(), "{:?}", plan.steps);
        s.reconcile(&first);
        s.settle();
        ended(&s);
        assert_eq!(s.phase(&grant_id()), "Released");
    }
}

/// A withdrawal that comes when something was made loses, and says so: what exists leaves by an exit (Art. 16, 23).
#[test]
fn s3_a_withdrawal_after_the_first_namespace_loses() {
    let mut s = Stage::new("2026-03-10 09:30");
    s.file(&app_id(), application());
    s.cluster.uncounted = true;
    s.decide(&app_id(), "approved", "同意");
    s.until("2026-03-10 10:00");
    assert_eq!((s.phase(&app_id()), s.phase(&grant_id())), ("Provisioning", "Applying"));
    s.withdraw(&app_id());
    let told = |s: &Stage| (s.count(&app_id(), "Withdrawn"), s.count(&app_id(), "WithdrawnTooLate"));
    assert_eq!((s.phase(&app_id()), told(&s)), ("Provisioning", (0, 1)));
    s.cluster.count_all();
    s.settle();
    assert_eq!((s.phase(&app_id()), s.phase(&grant_id()), told(&s)), ("Provisioned", "Active", (0, 1)));
    let e = s.leave("leave", exit("Application", "Retain", &[]));
    assert_eq!((s.phase(&e), s.phase(&app_id()), s.phase(&grant_id())), ("Completed", "Exited", "Released"));
}

/// A grant ended on a withdrawal, and then its namespace shows after all, made by the leader before: it goes on with a new grant.
#[test]
fn s3_a_namespace_that_shows_after_its_grant_ended_is_not_left_behind() {
    let mut s = Stage::new("2026-03-10 09:30");
    s.file(&app_id(), application());
    s.cluster.uncounted = true;
    s.decide(&app_id(), "approved", "同意");
    s.until("2026-03-10 10:00");
    withdraw_unseen(&mut s);
    s.cluster.change(&grant_id(), |o| o["status"]["phase"] = json!("Released"));
    s.cluster.count_all();
    s.settle();
    assert_eq!((s.phase(&app_id()), s.phase(&grant_id())), ("Provisioned", "Active"));
}

/// The namespaces of an earlier record stay as they were found, for the next that takes them back.
#[test]
fn namespaces_of_an_earlier_record_stay_as_they_are() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.cluster.remove(&app_id());
    s.settle();
    s.file(&app_id(), application());
    let prod = id("Namespace", "", &tenant("prod"));
    let before = s.cluster.objects[&prod].clone();
    let uid = before["metadata"]["uid"].as_str().unwrap().to_owned();
    s.refuse = Some(("ResourceGrant", "forbidden"));
    s.decide_naming(&app_id(), &[&uid]);
    assert_eq!(s.phase(&app_id()), "Provisioning");
    s.refuse = None;
    s.withdraw(&app_id());
    ended(&s);
    assert_eq!(s.cluster.objects[&prod], before);
    assert_eq!(s.phase(&grant_id()), "Active", "what it left stands");
}
