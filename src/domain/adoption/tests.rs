use std::collections::BTreeMap;

use serde_json::json;

use super::*;

const APP: &str = "app-uid";

fn asked(name: &str) -> ExistingRef {
    ExistingRef { name: name.to_owned(), uid: "n1".to_owned() }
}

fn live(name: &str) -> ExistingNamespace {
    ExistingNamespace {
        name: name.to_owned(),
        uid: "n1".to_owned(),
        released_to: Some(APP.to_owned()),
        ..ExistingNamespace::default()
    }
}

fn reasons(asked: &ExistingRef, live: Option<&ExistingNamespace>) -> Vec<Reason> {
    obstacles(asked, live, APP).iter().map(AdoptionFinding::reason).collect()
}

#[test]
fn a_namespace_that_was_given_and_is_free_can_be_adopted() {
    assert_eq!(reasons(&asked("portal"), Some(&live("portal"))), []);
}

#[test]
fn reserved_names_are_never_adopted_whatever_else_is_said() {
    for name in ["kube-system", "kube-public", "default", "govcloud-system", "openshift-monitoring"] {
        assert_eq!(reasons(&asked(name), Some(&live(name))), [Reason::NamespaceReserved], "{name}");
    }
}

#[test]
fn each_obstacle_is_told_with_all_others() {
    let portal = || live("portal");
    assert_eq!(reasons(&asked("portal"), None), [Reason::ExistingMissing]);
    let other = ExistingNamespace { uid: "n2".to_owned(), ..portal() };
    assert_eq!(reasons(&asked("portal"), Some(&other)), [Reason::ExistingReplaced]);
    let worst = ExistingNamespace {
        deleting: true,
        filing: true,
        foreign: vec!["Helm: x=y".to_owned()],
        released_to: None,
        labels: [(govcloud_api::keys::APPLICATION_UID.to_owned(), "another".to_owned())].into(),
        ..portal()
    };
    assert_eq!(
        reasons(&asked("portal"), Some(&worst)),
        [
            Reason::NamespaceTerminating,
            Reason::NamespaceReserved,
            Reason::NamespaceTaken,
            Reason::ForeignOwner,
            Reason::NotReleased
        ]
    );
    for finding in obstacles(&asked("portal"), Some(&worst), APP) {
        let Bilingual { zh, en } = finding.text();
        assert!(zh.contains("portal") && en.contains("portal"), "{zh} {en}");
    }
}

#[test]
fn use_above_what_is_asked_for_is_told_by_key() {
    let used: BTreeMap<_, _> =
        [("pods", "12"), ("requests.storage", "20Gi")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
    let live = ExistingNamespace { used, ..live("portal") };
    let quota = |pods: &str| Quota([("pods".to_owned(), pods.to_owned())].into());
    assert_eq!(use_above(&live, &quota("12")), None);
    let Some(AdoptionFinding::BelowUse { keys, .. }) = use_above(&live, &quota("11")) else { panic!() };
    assert_eq!(keys, "pods: 11 < 12");
}

#[test]
fn marks_of_other_owners_are_read_from_the_namespace_alone() {
    let read = |metadata: Value| foreign_owners(&json!({ "metadata": metadata }));
    assert_eq!(read(json!({ "labels": { "team": "a", "kubernetes.io/metadata.name": "portal" } })), [""; 0]);
    assert_eq!(read(json!({ "labels": { "app.kubernetes.io/managed-by": "govcloud-operator" } })), [""; 0]);
    for mark in FOREIGN {
        let place = if mark.place == Place::Label { "labels" } else { "annotations" };
        assert_eq!(read(json!({ place: { mark.key: "x" } })), [format!("{}: {}=x", mark.owner, mark.key)]);
    }
}

#[test]
fn a_quota_counts_first_and_limits_what_is_within() {
    let granted =
        Quota([("pods", "5"), ("requests.cpu", "2")].map(|(k, v)| (k.to_owned(), v.to_owned())).into());
    let all = ["pods", "requests.cpu", "services.loadbalancers", "services.nodeports"];
    assert_eq!(counted_only(&granted, None), all, "nothing is known");
    let quota = |hard: Value, counted: Value, used: Value| json!({ "spec": { "hard": hard }, "status": { "hard": counted, "used": used } });
    let open = json!({ "pods": "9P", "requests.cpu": "9P", "services.loadbalancers": "9P", "services.nodeports": "9P" });
    let uncounted = quota(open.clone(), json!({}), json!({}));
    assert_eq!(counted_only(&granted, Some(&uncounted)), all, "it has not been counted");
    let used =
        json!({ "pods": "6", "requests.cpu": "2", "services.loadbalancers": "1", "services.nodeports": "0" });
    let counted = quota(open.clone(), open, used);
    assert_eq!(counted_only(&granted, Some(&counted)), ["pods", "services.loadbalancers"]);
    let next = json!({ "pods": "9P", "requests.cpu": "2", "services.loadbalancers": "9P", "services.nodeports": "0" });
    let on_its_way = quota(next, json!({}), json!({}));
    assert_eq!(
        counted_only(&granted, Some(&on_its_way)),
        ["pods", "services.loadbalancers"],
        "while the API server takes it over, it stays"
    );
}
