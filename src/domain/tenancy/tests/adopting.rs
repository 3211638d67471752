//! Namespaces of running systems (Art. 3): marked after their volumes, furnished in order, enforced facet by facet.

use govcloud_api::adoption::{ExistingRef, Facet};

use super::reconciling::{carried_out, summary, volume, writes};
use super::*;
use crate::plan::Write;

const NAME: &str = "legacy-portal";

/// An order that adopts `legacy-portal`.
fn adopting(step: AdoptionStep, enforced: Option<Facet>) -> TenancyOrder {
    let mut order = order(Restriction::None);
    let existing = ExistingRef { name: NAME.to_owned(), uid: "n1".to_owned() };
    let recorded = step == AdoptionStep::Furnish;
    order.namespaces[0].name = NAME.to_owned();
    order.namespaces[0].uid = recorded.then(|| "n1".to_owned());
    order.namespaces[0].adoption = Some(AdoptionOrder { existing, step, enforced, counted: Vec::new() });
    order
}

/// The namespace as it has stood for years, given to the application.
fn running(order: &TenancyOrder) -> LiveNamespace {
    let object = json!({ "metadata": { "name": NAME, "uid": "n1", "resourceVersion": "7", "labels": { "team": "portal" },
        "annotations": { keys::ADOPT_OUT: order.application.uid } } });
    LiveNamespace { namespace: LiveObject::new(resources::NAMESPACE, Arc::new(object)), objects: Vec::new() }
}

fn in_it(owner: Option<&str>, policy: &str) -> LiveVolume {
    LiveVolume { namespace: NAME.to_owned(), ..volume(owner, policy) }
}

#[test]
fn s5_volumes_are_kept_before_the_namespace_is_marked() {
    let order = adopting(AdoptionStep::Mark, None);
    let (steps, report) = reconcile(&order, &[running(&order)], &[in_it(None, "Delete")]);
    assert_eq!(summary(&steps), ["patch PersistentVolume/pv", "patch Namespace/legacy-portal"]);
    assert_eq!(steps.len(), 2, "one after the other");
    assert!(report.has_drifted());
    let Write::Patch(_, precondition, body) = writes(&steps)[1] else { panic!("{steps:?}") };
    assert_eq!((&*precondition.uid, &*precondition.resource_version), ("n1", "7"));
    let labels = &body["metadata"]["labels"];
    assert_eq!(labels[keys::APPLICATION_UID], *order.application.uid);
    assert_eq!(labels[keys::ADOPTED], "observe");
    assert!(
        labels.get("pod-security.kubernetes.io/enforce").is_none()
            && labels["pod-security.kubernetes.io/warn"].is_string()
    );
    assert!(body["metadata"].get("name").is_none() && body.get("spec").is_none());
}

#[test]
fn s3_what_is_not_free_is_left_alone_with_its_volumes() {
    type Change = fn(&mut Value);
    let order = adopting(AdoptionStep::Mark, None);
    let cases: [(&str, Change); 5] = [
        ("not given", |o| o["metadata"]["annotations"] = json!({})),
        ("given to another", |o| o["metadata"]["annotations"][keys::ADOPT_OUT] = json!("another")),
        ("another UID", |o| o["metadata"]["uid"] = json!("n2")),
        ("an owner", |o| o["metadata"]["ownerReferences"] = json!([{ "kind": "Tenant", "name": "oil" }])),
        ("being deleted", |o| o["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z")),
    ];
    for (what, change) in cases {
        let mut live = running(&order);
        change(Arc::make_mut(&mut live.namespace.object));
        let (steps, report) = reconcile(&order, &[live], &[in_it(None, "Delete")]);
        assert_eq!((summary(&steps), report.namespaces[0].state), (vec![], NamespaceState::Taken), "{what}");
    }
    let waits = adopting(AdoptionStep::Waits, None);
    let (steps, report) = reconcile(&waits, &[running(&waits)], &[in_it(None, "Delete")]);
    assert_eq!(
        (summary(&steps), report.namespaces[0].state),
        (vec![], NamespaceState::Taken),
        "not approved"
    );
    let (steps, report) = reconcile(&order, &[], &[]);
    assert_eq!(
        (summary(&steps), report.namespaces[0].state),
        (vec![], NamespaceState::Lost),
        "not made anew"
    );
    let (steps, _) = reconcile(&order, &[running(&order)], &[in_it(Some("another"), "Delete")]);
    assert_eq!(summary(&steps), ["patch Namespace/legacy-portal"], "another's volume is another's");
}

#[test]
fn limits_come_before_the_quota_and_access_after_it() {
    let order = adopting(AdoptionStep::Furnish, None);
    let whole = carried_out(&order);
    let only = |keep: &[govcloud_api::resources::ResourceType]| {
        let objects = whole.objects.iter().filter(|o| keep.contains(&o.resource)).cloned().collect();
        LiveNamespace { namespace: whole.namespace.clone(), objects }
    };
    let next = |live: LiveNamespace| summary(&reconcile(&order, &[live], &[]).0);
    assert_eq!(next(only(&[])), ["apply LimitRange/govcloud-defaults"]);
    assert_eq!(next(only(&[resources::LIMIT_RANGE])), ["apply ResourceQuota/govcloud"]);
    let bounded = [resources::LIMIT_RANGE, resources::RESOURCE_QUOTA];
    assert_eq!(
        next(only(&bounded)),
        [
            "apply RoleBinding/govcloud-admin",
            "apply RoleBinding/govcloud-edit",
            "apply RoleBinding/govcloud-view"
        ]
    );
    assert_eq!(next(whole), [""; 0]);
}

#[test]
fn s11_foreign_objects_and_labels_are_no_drift() {
    let order = adopting(AdoptionStep::Furnish, None);
    let mut live = carried_out(&order);
    let labels = &mut Arc::make_mut(&mut live.namespace.object)["metadata"]["labels"];
    labels["team"] = json!("portal");
    labels["pod-security.kubernetes.io/enforce"] = json!("privileged");
    for resource in [resources::RESOURCE_QUOTA, resources::NETWORK_POLICY, resources::ROLE_BINDING] {
        let object = json!({ "metadata": { "name": "team", "namespace": NAME } });
        live.objects.push(LiveObject::new(resource, Arc::new(object)));
    }
    let (steps, report) = reconcile(&order, &[live], &[]);
    assert_eq!((summary(&steps), report.namespaces[0].state), (vec![], NamespaceState::InForce));
    let told = &report.namespaces[0].unenforced;
    let has = |part: &str| told.iter().any(|path| path.contains(part));
    assert!(
        has("metadata.labels[pod-security.kubernetes.io/enforce]")
            && has("NetworkPolicy/govcloud-default-deny -"),
        "{told:?}"
    );
    assert!(!has("team"), "{told:?}");
}

#[test]
fn facets_come_one_after_the_other_and_the_network_last() {
    let enforce = "pod-security.kubernetes.io/enforce";
    for (facet, level, closed) in [
        (None, false, false),
        (Some(Facet::PodSecurity), true, false),
        (Some(Facet::Workloads), true, false),
        (Some(Facet::Network), true, true),
    ] {
        let objects = objects(&adopting(AdoptionStep::Furnish, facet));
        let namespace = find(&objects, "Namespace", NAME);
        let expected = facet.as_ref().map_or("observe", AsRef::as_ref);
        assert_eq!(namespace.body["metadata"]["labels"][keys::ADOPTED], *expected);
        assert_eq!(namespace.body["metadata"]["labels"].get(enforce).is_some(), level, "{facet:?}");
        assert_eq!(objects.iter().any(|o| o.kind() == "NetworkPolicy"), closed, "{facet:?}");
    }
    assert_eq!(
        ["pod-security", "workloads", "network"].map(|l| l.parse().ok()),
        [Facet::PodSecurity, Facet::Workloads, Facet::Network].map(Some)
    );
}

#[test]
fn what_counts_is_not_limited() {
    let mut order = adopting(AdoptionStep::Furnish, None);
    let keys = ["pods".to_owned(), "services.loadbalancers".to_owned()];
    order.namespaces[0].adoption.as_mut().unwrap().counted = keys.into();
    let objects = objects(&order);
    let hard = &find(&objects, "ResourceQuota", "govcloud").body["spec"]["hard"];
    assert_eq!((&hard["pods"], &hard["services.loadbalancers"]), (&json!("9P"), &json!("9P")));
    assert_eq!((&hard["requests.cpu"], &hard["services.nodeports"]), (&json!("8"), &json!("0")));
}
