use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;
use crate::integrity::PolicyIntegrity;
use crate::plan::{Write, WriteFailure};
use crate::region_context::RegionView;
use crate::seal::Seal;
use crate::tenancy::LiveObject;
use govcloud_api::grant::GrantedNamespace;

const DEPT: &str = "dept-transport";
const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn now() -> Timestamp {
    "2026-06-01T01:00:00Z".parse().unwrap()
}

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

fn typed<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn meta(name: &str) -> Meta {
    let uid = format!("{name}-uid");
    Meta {
        namespace: DEPT.into(),
        name: name.into(),
        uid,
        generation: 1,
        digest: DIGEST.into(),
        ..Meta::default()
    }
}

/// A recorded approval.
fn approved() -> Value {
    json!({
        "verdict": "Approved", "by": "li", "at": "2026-05-01T01:00:00Z", "atSource": "Observed", "generation": 1,
        "digest": DIGEST,
    })
}

fn region() -> RegionContext {
    let region = Arc::new(typed(yaml(include_str!("../../../config/samples/region-410000.yaml"))));
    let view = RegionView {
        region,
        parent: None,
        calendar: Err(Bilingual::new("无", "none")),
        catalogue: Arc::default(),
        storage_classes: Vec::new(),
    };
    RegionContext {
        region: Some(Arc::new(view)),
        integrity: PolicyIntegrity::Intact { since: Timestamp::UNIX_EPOCH },
        seal: Seal::new([1; 32]).in_period(None, true),
        reads: Some(RequiredReads::EVERYTHING),
        trouble: None,
    }
}

/// A grant that carries the approval of its application out.
fn of_application() -> Observed {
    let mut application = yaml(include_str!("../../../config/samples/travel.yaml"));
    application["status"] = json!({ "phase": "Provisioning", "decision": approved() });
    let grant = json!({
        "metadata": { "name": "travel" },
        "spec": {
            "region": "410000",
            "application": { "name": "travel", "uid": "travel-uid" },
            "approved": {
                "kind": "CloudApplication", "name": "travel", "uid": "travel-uid", "generation": 1, "digest": DIGEST,
            },
            "namespaces": application["spec"]["namespaces"],
        },
    });
    Observed {
        meta: meta("travel"),
        record: Arc::new(typed(grant)),
        region_context: region(),
        application: Some((meta("travel"), Arc::new(typed(application)))),
        change: None,
        exit: None,
        namespaces: Vec::new(),
        volumes: Vec::new(),
        applying: None,
        clearing: Vec::new(),
    }
}

/// A grant that carries the approval of a change out.
fn of_change() -> Observed {
    let mut seen = of_application();
    let mut change = yaml(include_str!("../../../config/samples/travel-enlarge.yaml"));
    let after = change["spec"]["resourceAdjustment"]["namespaces"].clone();
    change["status"] = json!({ "phase": "Applying", "decision": approved(), "after": after });
    seen.change = Some((meta("travel-enlarge"), Arc::new(typed(change))));
    let record = Arc::make_mut(&mut seen.record);
    let mut spec = serde_json::to_value(&record.spec).unwrap();
    spec["approved"] = json!({
        "kind": "ChangeRequest", "name": "travel-enlarge", "uid": "travel-enlarge-uid", "generation": 1, "digest": DIGEST,
    });
    spec["namespaces"] = after;
    record.spec = typed(spec);
    seen
}

/// Carries every write out until none is left, and writes the status.
fn settled(mut seen: Observed) -> (Observed, Plan<ResourceGrantStatus>) {
    for _ in 0..4 {
        let plan = decide(&seen, now());
        if plan.steps.is_empty() {
            Arc::make_mut(&mut seen.record).status = Some(plan.status.clone());
            return (seen, plan);
        }
        for Step::Write(writes) in plan.steps {
            writes.into_iter().for_each(|write| carry_out(&mut seen, write));
        }
    }
    panic!("writes without end");
}

fn carry_out(seen: &mut Observed, write: Write) {
    let (target, mut body) = match write {
        Write::Create(target, body) | Write::Apply(target, body) => (target, body),
        other => panic!("{other:?}"),
    };
    body["metadata"]["uid"] = json!(format!("{}-uid", target.name));
    if body["kind"] == "ResourceQuota" {
        let hard = body["spec"]["hard"].clone();
        body["status"] = json!({ "hard": hard, "used": hard });
    }
    let object = LiveObject::new(target.resource, Arc::new(body));
    match seen.namespaces.iter_mut().find(|n| n.name() == target.namespace) {
        None => seen.namespaces.push(LiveNamespace { namespace: object, objects: Vec::new() }),
        Some(live) => {
            live.objects.retain(|o| (o.resource, &o.name) != (target.resource, &target.name));
            live.objects.push(object);
        }
    }
}

/// Articles of the timeline's entries for an event.
fn articles(status: &ResourceGrantStatus, event: &str) -> Vec<Option<i32>> {
    status.record.timeline.iter().filter(|entry| entry.event == event).map(|entry| entry.article).collect()
}

#[test]
fn art_13_what_was_approved_is_in_force_and_then_nothing_is_written() {
    let (seen, plan) = settled(of_application());
    assert_eq!(plan.status.phase, Some(GrantPhase::Active));
    assert_eq!(articles(&plan.status, "InForce"), [Some(13)]);
    assert_eq!(plan.status.namespaces.len(), 1);
    let again = decide(&seen, now());
    assert_eq!((again.steps, again.events, again.status), (vec![], vec![], plan.status));
}

#[test]
fn art_15_a_grant_of_a_change_comes_into_force_under_the_article_on_changes() {
    let (_, plan) = settled(of_change());
    assert_eq!(articles(&plan.status, "InForce"), [Some(15)]);
}

#[test]
fn art_15_a_grant_of_a_change_is_refused_under_the_article_on_changes() {
    let mut seen = of_change();
    Arc::make_mut(&mut seen.record).spec.namespaces[0].quota.0.insert("pods".into(), "900".into());
    let (_, plan) = settled(seen);
    assert_eq!(plan.status.phase, Some(GrantPhase::Refused));
    assert_eq!(articles(&plan.status, "Refused"), [Some(15)]);
}

#[test]
fn art_15_a_grant_waits_while_the_department_must_use_less() {
    let mut seen = of_change();
    let (_, change) = seen.change.as_mut().unwrap();
    Arc::make_mut(change).status.as_mut().unwrap().below_use_since = Some(now().into());
    let (_, plan) = settled(seen);
    assert_eq!((plan.status.phase, plan.status.in_force), (Some(GrantPhase::Pending), None));
    assert_eq!(plan.status.record.waiting_on, Party::Department);
}

/// A grant with far more differences than a condition's message holds.
fn odd() -> Observed {
    let mut seen = of_application();
    let quota =
        |n: usize| (0..32).map(|k| (format!("count/thing{k}.of{n}.example.com"), "1".to_owned())).collect();
    let odd = |n: usize| GrantedNamespace {
        name: format!("odd-{n}"),
        quota: govcloud_api::quota::Quota(quota(n)),
        storage_class: None,
        existing: None,
    };
    Arc::make_mut(&mut seen.record).spec.namespaces.extend((0..63).map(odd));
    seen
}

#[test]
fn s11_a_refusal_with_many_differences_is_reported_once() {
    let (mut seen, first) = settled(odd());
    assert_eq!(articles(&first.status, "Refused").len(), 1);
    let again = decide(&seen, now());
    assert_eq!((again.events.len(), again.status == first.status), (0, true));
    // A difference behind everything that the message holds.
    let last = Arc::make_mut(&mut seen.record).spec.namespaces.last_mut().unwrap();
    last.quota.0.insert("pods".into(), "1".into());
    assert_eq!(articles(&decide(&seen, now()).status, "Refused").len(), 2, "other differences are reported");
}

#[test]
fn a_refusal_for_the_same_differences_is_reported_again_after_it_was_corrected() {
    let wrong = |seen: &mut Observed, pods: &str| {
        Arc::make_mut(&mut seen.record).spec.namespaces[0].quota.0.insert("pods".into(), pods.into());
    };
    let mut seen = of_application();
    wrong(&mut seen, "900");
    let (mut seen, _) = settled(seen);
    wrong(&mut seen, "50");
    let (mut seen, _) = settled(seen);
    wrong(&mut seen, "900");
    let (_, plan) = settled(seen);
    assert_eq!(articles(&plan.status, "Refused").len(), 2);
}

#[test]
fn art_21_a_department_gets_what_its_region_lists_and_no_host_of_another() {
    let mut region = yaml(include_str!("../../../config/samples/region-410000.yaml"));
    let host = |host: &str, namespace: &str| json!({ "host": host, "namespace": namespace });
    region["spec"]["tenancy"]["allowed"] = json!({
        "priorityClasses": ["tenant-high"],
        "ingressHosts": [host("travel.henan.example", DEPT), host("tax.henan.example", "dept-tax")],
    });
    let mut seen = of_application();
    let view = RegionView {
        region: Arc::new(typed(region)),
        ..(**seen.region_context.region.as_ref().unwrap()).clone()
    };
    seen.region_context.region = Some(Arc::new(view));
    let order = order::order(&seen, &ResourceGrantStatus::default(), &Gate::Accepted, Timestamp::UNIX_EPOCH);
    let hosts: Vec<_> = order.allowed.ingress_hosts.iter().map(|granted| granted.host.as_str()).collect();
    assert_eq!(hosts, ["travel.henan.example"]);
    assert_eq!(order.allowed.priority_classes, ["tenant-high"]);
    let namespace = &tenancy::desired(&order, &order.namespaces[0])[0].body["metadata"]["annotations"];
    assert_eq!(namespace["govcloud.dev/ingress-hosts"], "travel.henan.example");
    assert_eq!(namespace["govcloud.dev/extended-resources"], "", "listed, though empty");
}

/// Report 18b: what something else alters is said with its path; the write stays planned.
#[test]
fn what_does_not_stay_is_said_with_its_path() {
    let mut seen = of_application();
    seen.region_context.trouble = Some(WriteFailure::Altered("Namespace/x metadata.labels[y]".to_owned()));
    let plan = decide(&seen, now());
    assert!(!plan.steps.is_empty());
    let stalled = plan.status.record.conditions.iter().find(|c| c.type_ == "Stalled").expect("a condition");
    assert_eq!(stalled.reason, "WriteAltered");
    assert!(stalled.message.contains("Namespace/x metadata.labels[y]"), "{}", stalled.message);
}
