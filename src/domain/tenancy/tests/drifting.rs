//! Drift: never where the server merely wrote things its own way, always where something changed.

use govcloud_api::region::{NetworkPeer, NetworkPort, NetworkRule, Protocol};
use proptest::prelude::*;

use super::*;

/// The object as the API server gives it back: rewritten, reordered, with what it adds. That the defaults are those of
/// a real server is seen in e2e/tests/tenancy.rs.
pub(super) fn as_served(object: &TenantObject) -> Value {
    let mut json = object.body.clone();
    let metadata = &mut json["metadata"];
    for (key, value) in
        [("uid", "n1"), ("resourceVersion", "7"), ("creationTimestamp", "2026-03-02T00:00:00Z")]
    {
        metadata[key] = json!(value);
    }
    metadata["managedFields"] = json!([{"manager": OPERATOR_NAME, "operation": "Apply"}]);
    match object.kind() {
        "Namespace" => {
            json["metadata"]["labels"]["kubernetes.io/metadata.name"] = json!(object.name);
            json["spec"] = json!({"finalizers": ["kubernetes"]});
            json["status"] = json!({"phase": "Active"});
        }
        "ResourceQuota" => {
            let hard = json["spec"]["hard"].as_object().unwrap().clone();
            let used = |key: &String| if key == "pods" { "3" } else { "0" };
            let used: BTreeMap<_, _> = hard.keys().map(|key| (key.clone(), used(key))).collect();
            json["status"] = json!({"hard": hard, "used": used});
        }
        "NetworkPolicy" => {
            for direction in ["ingress", "egress"] {
                if json["spec"][direction] == json!([]) {
                    json["spec"].as_object_mut().unwrap().remove(direction);
                }
            }
            json["spec"]["policyTypes"] = json!(["Egress", "Ingress"]);
            if let Some(rules) = json["spec"]["egress"].as_array_mut() {
                rules.reverse();
            }
        }
        "RoleBinding" => json["subjects"].as_array_mut().unwrap().reverse(),
        _ => {}
    }
    json
}

/// A live object, as it is found.
fn found(rules: &ObjectRules, live: &Value) -> LiveObject {
    LiveObject::new(rules.resource, Arc::new(live.clone()))
}

fn paths(object: &TenantObject, live: &Value) -> Vec<String> {
    drift(object, &found(object.rules, live)).paths()
}

/// Paths that differ after a change of one live object.
fn changed(kind: &str, name: &str, change: impl FnOnce(&mut Value)) -> Vec<String> {
    let objects = objects(&order(Restriction::None));
    let object = find(&objects, kind, name);
    let mut live = as_served(object);
    change(&mut live);
    paths(object, &live)
}

const NONE: [&str; 0] = [];

#[test]
fn s11_no_drift_from_what_the_server_gives_back() {
    for object in RESTRICTIONS.into_iter().flat_map(|restriction| objects(&order(restriction))) {
        assert_eq!(paths(&object, &as_served(&object)), NONE, "{} {}", object.kind(), object.name);
    }
}

#[test]
fn quota_drift_is_by_amount() {
    let quota = |change: fn(&mut Value)| changed("ResourceQuota", "govcloud", change);
    assert!(quota(|q| q["spec"]["hard"]["requests.storage"] = json!("214748364800")).is_empty());
    assert!(quota(|q| q["spec"]["hard"]["requests.cpu"] = json!("8000m")).is_empty());
    assert_eq!(quota(|q| q["spec"]["hard"]["requests.cpu"] = json!("9")), ["spec.hard[requests.cpu]"]);
    assert_eq!(quota(|q| q["spec"]["hard"]["secrets"] = json!("9")), ["spec.hard.secrets"]);
    assert_eq!(quota(|q| drop(q["spec"].as_object_mut().unwrap().remove("hard"))), ["spec.hard"]);
    assert_eq!(quota(|q| q["spec"]["scopes"] = json!(["BestEffort"])), ["spec.scopes"]);
    let objects = objects(&order(Restriction::None));
    let object = find(&objects, "ResourceQuota", "govcloud");
    let mut live = as_served(object);
    live["spec"]["scopes"] = json!(["BestEffort"]);
    assert!(drift(object, &found(object.rules, &live)).must_replace());
}

#[test]
fn limit_drift_is_by_amount_and_by_type() {
    let limits = |change: fn(&mut Value)| changed("LimitRange", "govcloud-defaults", change);
    assert!(limits(|l| l["spec"]["limits"][0]["default"]["cpu"] = json!("1000m")).is_empty());
    assert_eq!(
        limits(|l| l["spec"]["limits"][0]["default"]["cpu"] = json!("2")),
        ["spec.limits.Container.default.cpu"]
    );
    let claim = json!({"type": "PersistentVolumeClaim", "max": {"storage": "1Gi"}});
    let drifted = changed("LimitRange", "govcloud-defaults", |l| {
        l["spec"]["limits"].as_array_mut().unwrap().push(claim);
    });
    assert_eq!(drifted, ["spec.limits.PersistentVolumeClaim"]);
    assert_eq!(limits(|l| l["spec"]["limits"][1]["max"] = json!({"cpu": "1"})), ["spec.limits.Pod.max"]);
}

#[test]
fn limits_are_applied_with_the_defaults_of_the_server() {
    let limits = |default: &[_], request: &[_], max: &[_], min: &[_]| {
        let [default, default_request, max, min] = [default, request, max, min].map(map);
        let limit_range = Some(ContainerLimits { default, default_request, max, min });
        let order = TenancyOrder { limit_range, ..order(Restriction::None) };
        objects(&order)[2].body["spec"]["limits"][0].clone()
    };
    assert_eq!(
        limits(&[], &[], &[("cpu", "4")], &[("memory", "64Mi")]),
        json!({
            "type": "Container", "default": { "cpu": "4" }, "defaultRequest": { "cpu": "4", "memory": "64Mi" },
            "max": { "cpu": "4" }, "min": { "memory": "64Mi" },
        })
    );
    let all = limits(&[("cpu", "2")], &[("cpu", "1")], &[("cpu", "4")], &[("cpu", "10m")]);
    assert_eq!((&all["default"]["cpu"], &all["defaultRequest"]["cpu"]), (&json!("2"), &json!("1")));
}

#[test]
fn labels_may_be_more_and_never_other() {
    let namespace =
        |change: fn(&mut Value)| changed("Namespace", &order(Restriction::None).namespaces[0].name, change);
    assert!(namespace(|n| n["metadata"]["labels"]["team"] = json!("x")).is_empty());
    assert_eq!(
        namespace(|n| n["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] = json!("privileged")),
        ["metadata.labels[pod-security.kubernetes.io/enforce]"]
    );
    assert_eq!(
        namespace(|n| n["metadata"]["annotations"][keys::STORAGE_CLASSES] = Value::Null),
        ["metadata.annotations[govcloud.dev/storage-classes]"]
    );
    assert_eq!(
        namespace(|n| n["metadata"]["ownerReferences"] = json!([{"uid": "x"}])),
        ["metadata.ownerReferences"]
    );
}

#[test]
fn a_namespace_that_took_the_place_of_the_recorded_one_is_drift() {
    let recorded = |uid: &str| {
        let mut order = order(Restriction::None);
        order.namespaces[0].uid = Some(uid.to_owned());
        objects(&order).swap_remove(0)
    };
    let live = as_served(&objects(&order(Restriction::None))[0]);
    assert_eq!(paths(&recorded("n1"), &live), NONE);
    assert_eq!(paths(&recorded("n2"), &live), ["metadata.uid"]);
    assert_eq!(recorded("n1").body["metadata"]["uid"], "n1");
}

#[test]
fn a_hole_in_the_network_is_drift() {
    let policy = |change: fn(&mut Value)| changed("NetworkPolicy", "govcloud-default-deny", change);
    assert_eq!(policy(|n| n["spec"]["ingress"] = json!([{}])), ["spec.ingress"]);
    assert_eq!(policy(|n| n["spec"]["policyTypes"] = json!(["Ingress"])), ["spec.policyTypes"]);
    assert_eq!(
        policy(|n| n["spec"]["podSelector"] = json!({"matchLabels": {"a": "b"}})),
        ["spec.podSelector.matchLabels"]
    );
    assert_eq!(policy(|n| n["spec"]["egress"].as_array_mut().unwrap().push(json!({}))), ["spec.egress"]);
    assert_eq!(policy(|n| n["spec"]["egress"][0]["ports"][0]["port"] = json!(54)), ["spec.egress"]);
    // A peer list that is gone allows everybody.
    assert_eq!(policy(|n| n["spec"]["ingress"][0] = json!({})), ["spec.ingress"]);
}

#[test]
fn subjects_are_a_set() {
    let edit = |change: fn(&mut Value)| changed("RoleBinding", "govcloud-edit", change);
    assert!(edit(|b| drop(b["subjects"][1].as_object_mut().unwrap().remove("apiGroup"))).is_empty());
    assert_eq!(edit(|b| drop(b["subjects"].as_array_mut().unwrap().pop())).len(), 1);
    let added = edit(|b| {
        let subjects = b["subjects"].as_array_mut().unwrap();
        subjects.push(json!({"kind": "User", "name": "mallory", "apiGroup": "rbac.authorization.k8s.io"}));
    });
    assert_eq!(added, ["subjects[User/mallory]"]);
    let objects = objects(&order(Restriction::None));
    let object = find(&objects, "RoleBinding", "govcloud-edit");
    let mut live = as_served(object);
    live["roleRef"]["name"] = json!("cluster-admin");
    let drift = drift(object, &found(object.rules, &live));
    assert_eq!(drift.paths(), ["roleRef.name"]);
    assert!(drift.must_replace());
}

#[test]
fn what_an_apply_would_leave_standing_is_taken_away() {
    let objects = objects(&order(Restriction::None));
    let quota = find(&objects, "ResourceQuota", "govcloud");
    let mut live = as_served(quota);
    let patch = |live: &Value| drift(quota, &found(quota.rules, live)).removal_patch();
    assert_eq!(patch(&live), None);
    live["spec"]["hard"]["secrets"] = json!("9");
    live["spec"]["hard"]["pods"] = json!("99");
    live["metadata"]["ownerReferences"] = json!([{"uid": "x"}]);
    assert_eq!(
        patch(&live),
        Some(json!({"metadata": {"ownerReferences": null}, "spec": {"hard": {"secrets": null}}}))
    );
}

fn quantities() -> impl Strategy<Value = BTreeMap<String, String>> {
    let key = prop_oneof!["cpu", "memory", "ephemeral-storage"];
    proptest::collection::btree_map(key, "[0-9]{1,4}(\\.[0-9]{1,4})?(m|k|M|Ki|Mi|Gi|e3)?", 0..3)
}

fn lines() -> impl Strategy<Value = Vec<Access>> {
    let kind =
        prop_oneof![Just(SubjectKind::User), Just(SubjectKind::Group), Just(SubjectKind::ServiceAccount)];
    let role = prop_oneof![Just(AccessRole::Admin), Just(AccessRole::Edit), Just(AccessRole::View)];
    let line = (kind, "[a-c]{1,2}", role).prop_map(|(kind, name, role)| access(kind, &name, role));
    proptest::collection::vec(line, 0..6)
}

fn networks() -> impl Strategy<Value = Network> {
    let port = |(port, end_port): (i32, Option<i32>)| NetworkPort { port, end_port, protocol: Protocol::Udp };
    let ports = proptest::collection::vec((1..9, proptest::option::of(10..19)).prop_map(port), 0..3);
    let labels = proptest::collection::btree_map("[ab]", "[ab]", 0..3);
    let pods = ("[ab]", labels).prop_map(|(namespace, pod_labels)| NetworkPeer {
        namespace: Some(namespace),
        pod_labels,
        cidr: None,
    });
    let block =
        "10[.]0[.]0[.][0-9]/32".prop_map(|cidr| NetworkPeer { cidr: Some(cidr), ..NetworkPeer::default() });
    let peers = proptest::collection::vec(prop_oneof![pods, block], 1..3);
    let rule = ("[ab]", peers, ports).prop_map(|(name, peers, ports)| NetworkRule { name, peers, ports });
    let rules = || proptest::collection::vec(rule.clone(), 0..3);
    (rules(), rules()).prop_map(|(ingress, egress)| Network { ingress, egress })
}

prop_compose! {
    pub(super) fn orders()(
        quota in quantities(),
        default in quantities(), default_request in quantities(), max in quantities(), min in quantities(),
        with_limits in any::<bool>(),
        access in lines(),
        restriction in proptest::sample::select(&RESTRICTIONS[..]),
        (name, uid, filing_namespace, region) in ("[ab]{1,2}", "[ab]", "[ab]{1,2}", "41[01]000"),
        entry in "[ab]{1,2}",
        pod_security in prop_oneof![Just(PodSecurity::Restricted), Just(PodSecurity::Baseline)],
        storage_classes in proptest::collection::vec("[ab]", 0..3),
        network in networks(),
        pod_security_version in prop_oneof!["latest", "v1[.]3[0-9]"],
        reclaiming in any::<bool>(),
        released_volumes in proptest::collection::vec("[ab]", 0..3),
        take_back in proptest::option::of(("[ab]", "[ab]").prop_map(|(uid, from)| TakeBack { uid, from })),
    ) -> TenancyOrder {
        let sample = order(restriction);
        let namespace = sample.namespaces[0].clone();
        TenancyOrder {
            application: ApplicationIdentity { name, uid, filing_namespace, region },
            namespaces: vec![NamespaceOrder { entry, quota, storage_classes, take_back, ..namespace }],
            access,
            pod_security,
            pod_security_version,
            network,
            limit_range: with_limits.then_some(ContainerLimits { default, default_request, max, min }),
            reclaiming,
            released_volumes,
            ..sample
        }
    }
}

proptest! {
    #[test]
    fn s11_no_tenant_drifts_from_what_the_server_gives_back(order in orders()) {
        for object in objects(&order) {
            let drift = drift(&object, &found(object.rules, &as_served(&object)));
            prop_assert_eq!((drift.paths(), drift.removal_patch()), (Vec::<String>::new(), None));
        }
    }

    #[test]
    fn any_other_quota_is_drift(one in orders(), other in quantities()) {
        let mut two = one.clone();
        two.namespaces[0].quota = other;
        let same = quota_delta::delta(&one.namespaces[0].quota, &two.namespaces[0].quota).unwrap();
        let drifted = !paths(&objects(&one)[1], &as_served(&objects(&two)[1])).is_empty();
        // Closed keys hide a difference, and none of the strategy's is one.
        prop_assert_eq!(drifted, !(same.grown.is_empty() && same.shrunk.is_empty()));
    }

    #[test]
    fn order_and_repetition_of_access_do_not_count(order in orders()) {
        let mut turned = order.clone();
        turned.access = order.access.iter().rev().chain(&order.access).cloned().collect();
        let bodies = |order| objects(order).into_iter().map(|object| object.body).collect::<Vec<_>>();
        prop_assert_eq!(bodies(&turned), bodies(&order));
    }
}
