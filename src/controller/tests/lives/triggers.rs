//! Whose key is queued when an object of Kubernetes changes: every record whose decision rests on what changed of it, and
//! few beside. One that is not queued would act on it when something else wakes it, perhaps never.

use std::sync::Arc;

use govcloud_api::{keys, resources};
use govcloud_controller::decision::GatherContext;
use govcloud_controller::key::Key;
use govcloud_controller::kinds::Kind;
use govcloud_domain::integrity::PolicyIntegrity;
use govcloud_domain::plan::RequiredReads;
use govcloud_domain::tenancy::quota::QuotaUse;
use govcloud_domain::tenancy::{LiveObject, OBJECTS};
use serde_json::{Value, json};

use crate::acts::{adjustment, app_id, application, change_id, exit, exit_id, tenant};
use crate::cluster::{Id, id, merge_patch};
use crate::stage::{DEPT, Stage};

/// A change of an object.
type Change = (&'static str, fn(&mut Value));

const CHANGES: [Change; 10] = [
    ("another label", |o| o["metadata"]["labels"]["team"] = json!("a")),
    ("without its owner", |o| {
        merge_patch(o, &json!({ "metadata": { "labels": { keys::APPLICATION_UID: null } } }))
    }),
    ("marked", |o| o["metadata"]["annotations"][keys::RECLAIM] = json!("another")),
    ("held", |o| o["metadata"]["finalizers"] = json!(["some.example/finalizer"])),
    ("being deleted", |o| o["metadata"]["deletionTimestamp"] = json!("2026-06-01T01:00:00Z")),
    ("told of", |o| {
        o["status"]["conditions"] = json!([{ "type": "A", "status": "True", "message": "held" }])
    }),
    ("released", |o| o["status"]["phase"] = json!("Released")),
    ("used", |o| o["status"]["used"] = json!({ "requests.cpu": "1k" })),
    ("of another claim", |o| o["spec"]["claimRef"] = json!({ "namespace": "elsewhere", "name": "data" })),
    ("of another policy", |o| o["spec"]["persistentVolumeReclaimPolicy"] = json!("Recycle")),
];

/// Kinds of Kubernetes that are watched.
fn is_plain(of: &Id) -> bool {
    !matches!(
        of.0.as_str(),
        "CloudApplication"
            | "ResourceGrant"
            | "ChangeRequest"
            | "Decommission"
            | "Region"
            | "Statement"
            | "WorkCalendar"
            | "ServiceCatalog"
            | "ComplianceRecord"
            | "Inspection"
            | "Assessment"
    )
}

/// All that a decision on a record is made of, as text. A resourceVersion alone decides nothing: it goes into preconditions.
fn gathered(s: &Stage, key: &Key) -> String {
    let state = s.cluster.state();
    let with = GatherContext {
        integrity: PolicyIntegrity::Unknown,
        seal: s.seal(),
        reads: Some(RequiredReads::EVERYTHING),
        failure: None,
    };
    let seen = match key.kind {
        Kind::Application => format!("{:?}", state.observed_application(key, &with)),
        Kind::Grant => {
            let mut seen = state.observed_grant(key, &with);
            for live in seen.iter_mut().flat_map(|seen| &mut seen.namespaces) {
                for object in live.objects.iter_mut().chain([&mut live.namespace]) {
                    object.object = Arc::new(decisive(object));
                }
            }
            format!("{seen:?}")
        }
        Kind::Change => format!("{:?}", state.observed_change(key, &with)),
        Kind::Decommission => format!("{:?}", state.observed_decommission(key, &with)),
        Kind::Region => format!("{:?}", state.observed_region(key.name())),
        Kind::Statement => format!("{:?}", state.observed_statement(key, &with)),
        other => panic!("{other:?} is no record"),
    };
    let mut parts = seen.split("resource_version: \"");
    let mut bare = parts.next().unwrap_or_default().to_owned();
    parts.for_each(|p| bare.push_str(p.split_once('"').map_or(p, |(_, rest)| rest)));
    bare
}

/// The parts of a live object that a grant compares with its order; of a Namespace also whether it is being deleted.
fn decisive(live: &LiveObject) -> Value {
    let rules = OBJECTS.iter().find(|rules| rules.resource == live.resource).expect("a tenant object");
    let metadata = |part: &str| (part.to_owned(), live.object["metadata"][part].clone());
    let deletion = (live.resource == resources::NAMESPACE).then_some("deletionTimestamp");
    let parts = ["uid", "namespace", "labels", "annotations", "ownerReferences"].into_iter().chain(deletion);
    let compared = rules.compared.iter().map(|(field, _)| ((*field).to_owned(), live.object[*field].clone()));
    let quota = (live.resource == resources::RESOURCE_QUOTA).then(|| {
        let quota = QuotaUse::of(&live.object);
        ("counting".to_owned(), json!([quota.in_force, quota.not_counted()]))
    });
    parts.map(metadata).chain(compared).chain(quota).collect()
}

/// In use with two volumes and a snapshot, a change and an exit filed on it, and another application beside.
fn in_use() -> Stage {
    let mut s = Stage::live("2026-06-01 09:00");
    let other = id("CloudApplication", DEPT, "other");
    s.file(&other, application());
    s.decide(&other, "approved", "同意");
    s.file(&id("CloudApplication", DEPT, "filed"), application());
    s.claim("prod", "data");
    s.claim("prod", "archive");
    let snapshot = json!({ "apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshot",
        "metadata": { "namespace": tenant("prod"), "name": "weekly" },
        "spec": { "source": { "persistentVolumeClaimName": "data" } } });
    s.cluster.create(snapshot, s.now).unwrap();
    s.file(&change_id("enlarge"), adjustment(json!({ "requests.cpu": "16" })));
    s.file(&exit_id("leave"), exit("Application", "Retain", &[("data", "Destroy")]));
    s
}

/// On its way out, held up.
fn leaving() -> Stage {
    let mut s = Stage::live("2026-06-01 09:00");
    s.claim("prod", "data");
    s.claim("prod", "archive");
    s.cluster.stuck.insert(tenant("prod"));
    s.leave("leave", exit("Application", "Retain", &[("data", "Destroy")]));
    assert_eq!(s.phase(&exit_id("leave")), "Reclaiming");
    s
}

/// In use as well, but that its namespace is being deleted with all that is in it still there.
fn going() -> Stage {
    let mut s = in_use();
    let (_, being_deleted) = CHANGES.into_iter().find(|(how, _)| *how == "being deleted").unwrap();
    s.cluster.change(&id("Namespace", "", &tenant("prod")), being_deleted);
    s
}

/// Changes every object in every way. Returns how many keys were queued, and for how many of them something differed.
fn change_everything(s: &Stage) -> (usize, usize) {
    let keys = s.keys();
    let before: Vec<String> = keys.iter().map(|k| gathered(s, k)).collect();
    let gone: Change = ("gone", |_| ());
    let (mut queued, mut needed) = (0, 0);
    for of in s.cluster.objects.keys().filter(|of| is_plain(of)) {
        for (how, change) in CHANGES.into_iter().chain([gone]) {
            let mut after = s.clone();
            after.cluster.state();
            after.woken();
            if how == "gone" {
                after.cluster.remove(of);
            } else {
                after.cluster.change(of, change);
            }
            let woken = after.woken();
            queued += woken.len();
            for (key, was) in keys.iter().zip(&before) {
                if gathered(&after, key) != *was {
                    needed += 1;
                    assert!(woken.contains(key), "{} {} {how}: {key:?} rests on it", of.0, of.2);
                }
            }
        }
    }
    (queued, needed)
}

/// Whoever rests on an object is queued when it changes, whatever it is and however it changes.
#[test]
fn whoever_rests_on_what_changed_is_woken() {
    for (when, s) in [("in use", in_use()), ("going", going()), ("leaving", leaving())] {
        let (queued, needed) = change_everything(&s);
        println!("{when}: {queued} keys queued, {needed} of them see something else");
        assert!(needed > 20, "{when}: {needed}");
        assert!(queued <= 4 * needed, "{when}: {queued} are queued where {needed} need be");
    }
}

/// Conditions of a namespace that is being deleted enqueue the exit that waits for it, and nobody else.
#[test]
fn what_holds_a_namespace_wakes_its_exit_alone() {
    let mut s = leaving();
    s.cluster.state();
    s.woken();
    s.cluster.change(&id("Namespace", "", &tenant("prod")), CHANGES[5].1);
    assert_eq!(s.woken(), [Key::new(Kind::Decommission, DEPT, exit_id("leave").2)]);
    assert_eq!(s.phase(&app_id()), "Exiting");
}
