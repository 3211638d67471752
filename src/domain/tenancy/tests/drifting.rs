//! Drift: never where the server merely wrote things its own way, always where something changed.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;

/// The object as the API server gives it back: defaulted, rewritten, reordered, with what it adds.
fn as_served(object: &TenantObject) -> Value {
    let mut json = object.to_apply_json();
    let metadata = &mut json["metadata"];
    for (key, value) in
        [("uid", "n1"), ("resourceVersion", "7"), ("creationTimestamp", "2026-03-02T00:00:00Z")]
    {
        metadata[key] = json!(value);
    }
    metadata["managedFields"] = json!([{"manager": MANAGER, "operation": "Apply"}]);
    match object.content() {
        Content::Namespace => {
            json["metadata"]["labels"]["kubernetes.io/metadata.name"] = json!(object.name());
            json["spec"] = json!({"finalizers": ["kubernetes"]});
            json["status"] = json!({"phase": "Active"});
        }
        Content::ResourceQuota => json["status"] = json!({"hard": {"pods": "50"}, "used": {"pods": "3"}}),
        Content::LimitRange(_) => serve_limits(&mut json["spec"]["limits"][0]),
        Content::NetworkPolicy(_) => {
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
        Content::RoleBinding(_) => json["subjects"].as_array_mut().unwrap().reverse(),
    }
    json
}

fn serve_limits(item: &mut Value) {
    let mut copy = |from: &str, to: &str| {
        for (key, value) in item[from].as_object().cloned().unwrap_or_default() {
            if item[to].get(&key).is_none() {
                item[to][&key] = value;
            }
        }
    };
    copy("max", "default");
    copy("default", "defaultRequest");
    copy("min", "defaultRequest");
}

/// A live object that carries its kind, as it is found.
fn found(live: &Value) -> LiveObject {
    let kinds = ["Namespace", "ResourceQuota", "LimitRange", "NetworkPolicy", "RoleBinding"];
    let (letter, object) = (Letter::of(live), Arc::new(live.clone()));
    LiveObject {
        kind: kinds.into_iter().find(|kind| live["kind"] == *kind).unwrap_or("another"),
        name: live["metadata"]["name"].as_str().unwrap_or_default().to_owned(),
        letter,
        whole: Whole::read_by(move || object),
    }
}

fn all_found(live: &[Value]) -> Vec<LiveObject> {
    live.iter().map(found).collect()
}

fn changed(stage: Stage, kind: &str, name: &str, change: impl FnOnce(&mut Value)) -> Vec<String> {
    let objects = desired(&tenant(stage));
    let object = find(&objects, kind, name);
    let mut live = as_served(object);
    change(&mut live);
    drift(object, &found(&live)).unwrap_or_default()
}

#[test]
fn s11_no_drift_from_what_the_server_gives_back() {
    for stage in [Stage::Active, Stage::HandingOver, Stage::Quiesced] {
        for object in desired(&tenant(stage)) {
            assert_eq!(
                drift(&object, &found(&as_served(&object))),
                None,
                "{} {}",
                object.kind(),
                object.name()
            );
        }
    }
}

#[test]
fn quota_drift_is_by_amount() {
    let quota = |change: fn(&mut Value)| changed(Stage::Active, "ResourceQuota", "govcloud", change);
    assert!(quota(|q| q["spec"]["hard"]["requests.storage"] = json!("214748364800")).is_empty());
    assert!(quota(|q| q["spec"]["hard"]["requests.cpu"] = json!("8000m")).is_empty());
    assert_eq!(quota(|q| q["spec"]["hard"]["requests.cpu"] = json!("9")), ["spec.hard[requests.cpu]"]);
    assert_eq!(quota(|q| q["spec"]["hard"]["secrets"] = json!("9")), ["spec.hard.secrets"]);
    assert_eq!(quota(|q| drop(q["spec"].as_object_mut().unwrap().remove("hard"))), ["spec.hard"]);
    assert_eq!(quota(|q| q["spec"]["scopes"] = json!(["BestEffort"])), ["spec.scopes"]);
}

#[test]
fn labels_may_be_more_and_never_other() {
    let namespace = |change: fn(&mut Value)| {
        let name = tenant(Stage::Active).namespace;
        changed(Stage::Active, "Namespace", name, change)
    };
    assert!(namespace(|n| n["metadata"]["labels"]["team"] = json!("x")).is_empty());
    assert_eq!(
        namespace(|n| n["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] = json!("privileged")),
        ["metadata.labels[pod-security.kubernetes.io/enforce]"]
    );
    assert_eq!(
        namespace(|n| n["metadata"]["annotations"] = Value::Null),
        ["metadata.annotations[govcloud.dev/storage-classes]"]
    );
    assert_eq!(
        namespace(|n| n["metadata"]["ownerReferences"] = json!([{"uid": "x"}])),
        ["metadata.ownerReferences"]
    );
}

#[test]
fn a_namespace_that_took_the_place_of_the_recorded_one_is_drift() {
    let recorded = |uid| Tenant { namespace_uid: Some(uid), ..tenant(Stage::Active) };
    let served = |tenant: &Tenant| found(&as_served(&desired(tenant)[0]));
    let live = served(&tenant(Stage::Active));
    assert_eq!(drift(&desired(&recorded("n1"))[0], &live), None);
    assert_eq!(drift(&desired(&recorded("n2"))[0], &live).unwrap(), ["metadata.uid"]);
}

#[test]
fn a_hole_in_the_network_is_drift() {
    let deny =
        |change: fn(&mut Value)| changed(Stage::Active, "NetworkPolicy", network::DEFAULT_DENY, change);
    assert_eq!(deny(|n| n["spec"]["ingress"] = json!([{}])), ["spec.ingress"]);
    assert_eq!(deny(|n| n["spec"]["policyTypes"] = json!(["Ingress"])), ["spec.policyTypes"]);
    assert_eq!(
        deny(|n| n["spec"]["podSelector"] = json!({"matchLabels": {"a": "b"}})),
        ["spec.podSelector.matchLabels"]
    );
    let allow = |change: fn(&mut Value)| changed(Stage::Active, "NetworkPolicy", network::ALLOW, change);
    assert_eq!(allow(|n| n["spec"]["egress"].as_array_mut().unwrap().push(json!({}))), ["spec.egress"]);
    assert_eq!(allow(|n| n["spec"]["egress"][0]["ports"][0]["port"] = json!(54)), ["spec.egress"]);
    // A peer list that is gone allows everybody.
    assert_eq!(allow(|n| n["spec"]["ingress"][0] = json!({})), ["spec.ingress"]);
}

#[test]
fn subjects_are_a_set() {
    let edit = |change: fn(&mut Value)| changed(Stage::Active, "RoleBinding", "govcloud-edit", change);
    let add = json!({"kind": "User", "name": "mallory", "apiGroup": "rbac.authorization.k8s.io"});
    assert!(edit(|b| drop(b["subjects"][1].as_object_mut().unwrap().remove("apiGroup"))).is_empty());
    assert_eq!(edit(|b| drop(b["subjects"].as_array_mut().unwrap().pop())).len(), 1);
    let objects = desired(&tenant(Stage::Active));
    let object = find(&objects, "RoleBinding", "govcloud-edit");
    let mut live = as_served(object);
    live["subjects"].as_array_mut().unwrap().push(add);
    assert_eq!(drift(object, &found(&live)).unwrap(), ["subjects[User/mallory]"]);
    let drifted = edit(|b| b["roleRef"]["name"] = json!("cluster-admin"));
    assert_eq!(drifted, ["roleRef.name"]);
    assert!(must_replace(&drifted));
}

#[test]
fn what_an_apply_would_leave_standing_is_taken_away() {
    let objects = desired(&tenant(Stage::Active));
    let quota = find(&objects, "ResourceQuota", "govcloud");
    let mut live = as_served(quota);
    assert_eq!(removal_patch(quota, &live), None);
    live["spec"]["hard"]["secrets"] = json!("9");
    live["spec"]["hard"]["pods"] = json!("99");
    live["metadata"]["ownerReferences"] = json!([{"uid": "x"}]);
    assert_eq!(
        removal_patch(quota, &live),
        Some(json!({"metadata": {"ownerReferences": null}, "spec": {"hard": {"secrets": null}}}))
    );
}

#[test]
fn what_is_no_longer_desired_is_pinned_for_removal() {
    let live: Vec<_> = desired(&tenant(Stage::Active)).iter().map(as_served).collect();
    assert_eq!(extra(&all_found(&live), &desired(&tenant(Stage::Active))), []);
    let quiesced = desired(&tenant(Stage::Quiesced));
    let gone = extra(&all_found(&live), &quiesced);
    assert_eq!(gone.iter().map(|r| &*r.name).collect::<Vec<_>>(), ["govcloud-admin", "govcloud-edit"]);
    assert_eq!((&*gone[0].kind, &*gone[0].uid, &*gone[0].resource_version), ("RoleBinding", "n1", "7"));
    assert_eq!(extra(&all_found(&live), &[]), [], "nothing desired is no word to remove anything");
}

#[test]
fn s3_namespaces_data_and_strangers_are_never_extra() {
    let ours = json!({LABEL_APPLICATION_UID: tenant(Stage::Active).owner.uid, LABEL_MANAGED_BY: MANAGER});
    let namespace = tenant(Stage::Active).namespace;
    let live: Vec<_> = ["Namespace", "PersistentVolumeClaim", "PersistentVolume", "Secret"]
        .iter()
        .map(|kind| json!({"kind": kind, "metadata": {"name": "x", "namespace": namespace, "labels": ours}}))
        .chain([
            json!({"kind": "RoleBinding", "metadata": {"name": "x", "namespace": namespace}}),
            json!({"kind": "RoleBinding", "metadata": {"name": "x", "namespace": "elsewhere", "labels": ours}}),
        ])
        .collect();
    assert_eq!(extra(&all_found(&live), &desired(&tenant(Stage::Active))), []);
}

fn quantities() -> impl Strategy<Value = BTreeMap<String, String>> {
    let key = prop_oneof!["cpu", "memory", "ephemeral-storage"];
    proptest::collection::btree_map(key, "[0-9]{1,4}(\\.[0-9]{1,4})?(m|k|M|Ki|Mi|Gi|e3)?", 0..3)
}

fn stages() -> impl Strategy<Value = Stage> {
    prop_oneof![Just(Stage::Active), Just(Stage::HandingOver), Just(Stage::Quiesced)]
}

fn accesses() -> impl Strategy<Value = Vec<Access<'static>>> {
    let kind =
        prop_oneof![Just(SubjectKind::User), Just(SubjectKind::Group), Just(SubjectKind::ServiceAccount)];
    let role = prop_oneof![Just(Role::Admin), Just(Role::Edit), Just(Role::View)];
    let line = (kind, "[a-c]{1,2}", role).prop_map(|(kind, name, role)| access(kind, kept(name), role));
    proptest::collection::vec(line, 0..6)
}

prop_compose! {
    fn tenants()(
        quota in quantities(),
        default in quantities(), default_request in quantities(), max in quantities(), min in quantities(),
        with_limits in any::<bool>(),
        people in accesses(),
        stage in stages(),
        (name, uid, department, region) in ("[ab]{1,2}", "[ab]", "[ab]{1,2}", "41[01]000"),
        entry in "[ab]{1,2}",
        level in prop_oneof!["restricted", "baseline"],
        classes in proptest::collection::vec("[ab]", 0..3),
    ) -> Tenant<'static> {
        Tenant {
            owner: kept(Owner::new(kept(name), kept(uid), kept(department), kept(region))),
            entry: kept(entry),
            pod_security: kept(PodSecurity::new(kept(level))),
            storage_classes: kept(classes),
            quota: kept(quota),
            limit_range: with_limits.then(|| Limits::new(kept(ContainerLimits { default, default_request, max, min }))),
            access: kept(roster(people)),
            ..tenant(stage)
        }
    }
}

/// The values in a JSON, in order, by pointer.
fn pointers(value: &Value, at: &str, into: &mut Vec<String>) {
    into.push(at.to_owned());
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                pointers(value, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), into);
            }
        }
        Value::Array(items) => {
            for (i, value) in items.iter().enumerate() {
                pointers(value, &format!("{at}/{i}"), into);
            }
        }
        _ => {}
    }
}

/// Puts something else at a place, adds it there, or takes something away.
fn disturb(place: &mut Value, how: usize, other: Value) {
    match (how, place) {
        (0, place) => *place = other,
        (1, Value::Object(fields)) => drop(fields.insert("other".to_owned(), other)),
        (1, Value::Array(items)) => items.push(other),
        (_, Value::Object(fields)) => {
            let first = fields.keys().next().cloned();
            first.map(|key| fields.remove(&key));
        }
        (_, Value::Array(items)) => drop(items.pop()),
        _ => {}
    }
}

proptest! {
    #[test]
    fn what_is_applied_agrees_to_the_letter(tenant in tenants()) {
        for object in desired(&tenant) {
            // As the server keeps it: without what is empty, with what it adds.
            let mut live = canonical::tidy(&object.to_apply_json());
            live["metadata"]["labels"]["kubernetes.io/metadata.name"] = json!("x");
            live["metadata"]["annotations"]["somebody.else/note"] = json!("x");
            live["status"] = json!({ "phase": "Active", "used": { "pods": "3" } });
            match object.content() {
                Content::Namespace => live["spec"] = json!({ "finalizers": ["kubernetes"] }),
                Content::LimitRange(_) => serve_limits(&mut live["spec"]["limits"][0]),
                _ => {}
            }
            prop_assert!(object.agrees(&found(&live)), "{live:#}");
            let text = live.to_string();
            prop_assert_eq!(Letter::of(&mut serde_json::Deserializer::from_str(&text)), Letter::of(&live));
        }
    }

    #[test]
    fn s11_what_agrees_to_the_letter_agrees_in_meaning(
        tenant in tenants(),
        which in any::<proptest::sample::Index>(),
        place in any::<proptest::sample::Index>(),
        how in 0..3usize,
        other in prop_oneof![
            Just(json!(null)), Just(json!([])), Just(json!({})), Just(json!("x")), Just(json!("0")), Just(json!([{}])),
            Just(json!({"x": "y"})),
        ],
    ) {
        let objects = desired(&tenant);
        let object = which.get(&objects);
        let mut live = object.to_apply_json();
        let mut places = Vec::new();
        for part in ["metadata", "spec", "roleRef", "subjects"].iter().filter(|p| live.get(**p).is_some()) {
            pointers(&live[*part], &format!("/{part}"), &mut places);
        }
        disturb(live.pointer_mut(place.get::<String>(&places)).unwrap(), how, other);
        prop_assert!(!object.agrees(&found(&live)) || drift::differs(object, &live).is_none(), "{live:#}");
    }

    #[test]
    fn s11_what_agrees_with_another_tenants_agrees_in_meaning(one in tenants(), other in tenants()) {
        for (object, live) in desired(&one).iter().zip(desired(&other)).filter(|(o, l)| o.name() == l.name()) {
            let live = live.to_apply_json();
            prop_assert!(!object.agrees(&found(&live)) || drift::differs(object, &live).is_none(), "{live:#}");
        }
    }

    #[test]
    fn s11_no_tenant_drifts_from_what_the_server_gives_back(tenant in tenants()) {
        for object in desired(&tenant) {
            prop_assert_eq!(drift(&object, &found(&as_served(&object))), None);
            prop_assert_eq!(removal_patch(&object, &as_served(&object)), None);
        }
    }

    #[test]
    fn any_other_quota_is_drift(one in tenants(), other in quantities()) {
        let two = Tenant { quota: kept(other), ..one };
        let same = quota_delta::delta(one.quota, two.quota).unwrap();
        let drifted = drift(&desired(&one)[1], &found(&as_served(&desired(&two)[1]))).is_some();
        prop_assert_eq!(drifted, !(same.grown.is_empty() && same.shrunk.is_empty()));
    }

    #[test]
    fn order_and_repetition_of_access_do_not_count(people in accesses(), stage in stages()) {
        let turned = people.iter().rev().chain(&people).copied();
        let tenants = [roster(people.iter().copied()), roster(turned)].map(|r| Tenant { access: kept(r), ..tenant(stage) });
        let [once, turned] = tenants.map(|t| desired(&t).iter().map(TenantObject::to_apply_json).collect::<Vec<_>>());
        prop_assert_eq!(turned, once);
    }
}
