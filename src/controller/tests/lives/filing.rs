//! Filing namespaces: one with open records is marked, from the first of them to the last (S3, S11).

use govcloud_api::keys;
use govcloud_controller::key::Key;
use govcloud_controller::kinds::Kind;
use govcloud_domain::plan::{RequiredReads, Step, Write};
use serde_json::{Value, json};

use crate::acts::{app_id, application, change_id, exit, exit_id, grant_id, maintenance};
use crate::cluster::{Id, id};
use crate::stage::{DEPT, Stage};

fn namespace_id(name: &str) -> Id {
    id("Namespace", "", name)
}

/// A stage whose namespaces file for the Region.
fn filing() -> Stage {
    let mut s = Stage::new("2026-06-01 09:00");
    for name in [DEPT, "provider"] {
        s.cluster.change(&namespace_id(name), |o| {
            o["metadata"]["labels"][keys::FILING_REGION] = json!("410000");
        });
    }
    s.settle();
    s.log.clear();
    s
}

fn mark(s: &Stage, namespace: &str) -> Value {
    s.cluster.objects[&namespace_id(namespace)]["metadata"]["labels"][keys::OPEN_RECORDS].clone()
}

/// Number of times that the operator wrote to a namespace.
fn writes(s: &Stage, namespace: &str) -> usize {
    s.log.matches(&format!("patch Namespace {namespace} ")).count()
}

fn listed(s: &Stage) -> Value {
    s.cluster.get("Region", "", "410000").expect("a Region")["status"]["filingNamespaces"].clone()
}

#[test]
fn s11_the_mark_comes_with_the_first_open_record_and_goes_with_the_last() {
    let mut s = filing();
    assert_eq!((mark(&s, DEPT), writes(&s, DEPT), listed(&s)), (Value::Null, 0, Value::Null));
    s.file(&app_id(), application());
    assert_eq!((mark(&s, DEPT), writes(&s, DEPT), listed(&s)), (json!("true"), 1, json!([DEPT])));
    let other = id("CloudApplication", DEPT, "other");
    s.file(&other, application());
    s.decide(&app_id(), "approved", "同意");
    assert_eq!(s.phase(&app_id()), "Provisioned");
    s.decide(&other, "rejected", "不符合第三条");
    // A request that comes and goes while the application is in use.
    s.file(&exit_id("first"), exit("Application", "Destroy", &[]));
    s.withdraw(&exit_id("first"));
    s.until("2026-06-03 09:00");
    assert_eq!(
        (mark(&s, DEPT), writes(&s, DEPT)),
        (json!("true"), 1),
        "nothing is written while one is open"
    );
    let e = s.leave("leave", exit("Application", "Destroy", &[]));
    assert_eq!((s.phase(&e), s.phase(&grant_id())), ("Completed", "Released"));
    assert_eq!((mark(&s, DEPT), writes(&s, DEPT)), (Value::Null, 2), "the last is over");
    assert_eq!(listed(&s), json!([DEPT]), "and is still to be read");
    // Filed anew, under another name.
    s.file(&id("CloudApplication", DEPT, "parking"), application());
    assert_eq!((mark(&s, DEPT), writes(&s, DEPT)), (json!("true"), 3));
}

/// A record that its department deletes before a decision leaves no mark behind, nor does one that is withdrawn.
#[test]
fn the_mark_goes_with_a_record_that_is_deleted_or_withdrawn() {
    let mut s = filing();
    s.file(&app_id(), application());
    s.cluster.remove(&app_id());
    s.settle();
    assert_eq!((mark(&s, DEPT), writes(&s, DEPT), listed(&s)), (Value::Null, 2, Value::Null));
    s.file(&app_id(), application());
    s.withdraw(&app_id());
    assert_eq!((mark(&s, DEPT), writes(&s, DEPT), listed(&s)), (Value::Null, 4, json!([DEPT])));
}

/// An approved application that cannot be provisioned keeps its namespace until its department withdraws it (decision 0085).
#[test]
fn the_mark_goes_with_an_approved_application_that_is_withdrawn() {
    let mut s = filing();
    s.region(json!({ "fulfilment": "ProviderApplied" }));
    s.file(&app_id(), application());
    s.decide(&app_id(), "approved", "同意");
    s.until("2026-08-03 09:00");
    assert_eq!((s.phase(&app_id()), mark(&s, DEPT)), ("Provisioning", json!("true")));
    s.withdraw(&app_id());
    assert_eq!((s.phase(&app_id()), mark(&s, DEPT), writes(&s, DEPT)), ("Withdrawn", Value::Null, 2));
}

/// Each namespace has its own mark; maintenance is a record too (Art. 18).
#[test]
fn every_kind_of_record_marks_its_own_namespace() {
    let mut s = filing();
    let storage = id("ChangeRequest", "provider", "storage");
    s.file_by("provider", &storage, maintenance("2026-08-01 22:00", "2026-08-02 02:00"));
    s.settle();
    assert_eq!((mark(&s, DEPT), mark(&s, "provider")), (Value::Null, json!("true")));
    assert_eq!(listed(&s), json!(["provider"]));
    s.file(&app_id(), application());
    assert_eq!(listed(&s), json!([DEPT, "provider"]));
    s.decide(&storage, "rejected", "与重大活动保障冲突");
    assert_eq!((mark(&s, DEPT), mark(&s, "provider")), (json!("true"), Value::Null));
}

/// S3: nothing is made in a namespace that could be deleted with the record in it; nothing else precedes the mark.
#[test]
fn s3_nothing_is_made_before_the_mark() {
    let mut s = filing();
    s.file(&app_id(), application());
    s.refuse = Some(("ResourceGrant", "forbidden"));
    s.decide(&app_id(), "approved", "同意");
    assert_eq!(s.phase(&app_id()), "Provisioning");
    let unmark =
        |o: &mut Value| drop(o["metadata"]["labels"].as_object_mut().map(|l| l.remove(keys::OPEN_RECORDS)));
    s.cluster.change(&namespace_id(DEPT), unmark);
    let key = Key::new(Kind::Application, DEPT, "travel");
    let plan = s.plan(&key, Some(RequiredReads::EVERYTHING)).expect("a plan");
    let [Step::Write(writes)] = &plan.steps[..] else { panic!("{:?}", plan.steps) };
    let [Write::Patch(target, precondition, patch)] = &writes[..] else { panic!("{writes:?}") };
    assert_eq!((target.resource.kind, target.name.as_str()), ("Namespace", DEPT));
    assert!(!precondition.uid.is_empty() && !precondition.resource_version.is_empty());
    assert_eq!(*patch, json!({ "metadata": { "labels": { keys::OPEN_RECORDS: "true" } } }));
    s.refuse = None;
    s.settle();
    assert_eq!((s.phase(&app_id()), mark(&s, DEPT)), ("Provisioned", json!("true")));
}

/// A mark that the API server refuses is said on the Region, holds no other status up, and is written once it is accepted.
#[test]
fn a_refused_mark_is_said_on_the_region() {
    let mut s = filing();
    let region = id("Region", "", "410000");
    s.refuse = Some(("Namespace", "forbidden"));
    s.file(&app_id(), application());
    assert_eq!(
        (s.phase(&app_id()), s.stands(&region, "Stalled").as_str()),
        ("Submitted", "True/WriteRefused")
    );
    assert_eq!(listed(&s), json!([DEPT]), "the rest of its status is written");
    s.refuse = None;
    s.settle();
    assert_eq!((mark(&s, DEPT), s.stands(&region, "Ready").as_str()), (json!("true"), "True/Ready"));
}

/// The Region and the namespace's records enqueue the Region; a change of a record that opens or ends nothing does not.
#[test]
fn the_region_is_enqueued_when_a_record_opens_or_ends() {
    let mut s = filing();
    let region = Key::new(Kind::Region, "", "410000");
    s.cluster.state();
    s.woken();
    s.file(&app_id(), application());
    assert!(s.woken().contains(&region), "it is filed");
    s.cluster.change(&app_id(), |o| o["metadata"]["annotations"]["example.org/note"] = json!("a"));
    assert!(!s.woken().contains(&region), "a note");
    s.withdraw(&app_id());
    assert!(s.woken().contains(&region), "it ended");
    s.file(&change_id("none"), crate::acts::adjustment(json!({ "pods": "60" })));
    assert!(s.woken().contains(&region), "a change is a record too");
}
