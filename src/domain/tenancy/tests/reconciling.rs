//! Orders carried out on live objects: writes and report.

use proptest::prelude::*;

use super::drifting::{as_served, orders};
use super::*;
use crate::plan::{Step, Write};

/// The cluster after an order was carried out: its one namespace with UID `n1`.
pub(super) fn carried_out(order: &TenancyOrder) -> LiveNamespace {
    let mut objects = objects(order)
        .into_iter()
        .map(|object| LiveObject::new(object.rules.resource, Arc::new(as_served(&object))));
    LiveNamespace { namespace: objects.next().expect("the namespace is first"), objects: objects.collect() }
}

fn change(live: &mut LiveObject, change: impl FnOnce(&mut Value)) {
    change(Arc::make_mut(&mut live.object));
}

pub(super) fn volume(owner: Option<&str>, reclaim_policy: &str) -> LiveVolume {
    LiveVolume {
        name: "pv".to_owned(),
        uid: "pv-uid".to_owned(),
        resource_version: "9".to_owned(),
        reclaim_policy: reclaim_policy.to_owned(),
        owner: owner.map(str::to_owned),
        namespace: order(Restriction::None).namespaces[0].name.clone(),
    }
}

pub(super) fn writes(steps: &[Step]) -> Vec<&Write> {
    steps.iter().flat_map(|Step::Write(writes)| writes).collect()
}

/// Writes as `verb kind/name`.
pub(super) fn summary(steps: &[Step]) -> Vec<String> {
    let line = |write: &&Write| {
        let verb = match write {
            Write::Create(..) => "create",
            Write::Apply(..) => "apply",
            Write::Correct(..) => "correct",
            Write::Patch(..) => "patch",
            Write::Delete(..) => "delete",
        };
        format!("{verb} {}/{}", write.target().resource.kind, write.target().name)
    };
    writes(steps).iter().map(line).collect()
}

fn state(order: &TenancyOrder, live: &[LiveNamespace]) -> NamespaceState {
    reconcile(order, live, &[]).1.namespaces[0].state
}

#[test]
fn art_13_a_new_namespace_is_created_then_bounded_then_opened() {
    let (steps, report) = reconcile(&order(Restriction::None), &[], &[]);
    let namespace = order(Restriction::None).namespaces.remove(0).name;
    assert_eq!(steps.len(), 2);
    assert_eq!(
        summary(&steps),
        [
            &*format!("create Namespace/{namespace}"),
            "create ResourceQuota/govcloud",
            "create LimitRange/govcloud-defaults",
            "create NetworkPolicy/govcloud-default-deny",
        ]
    );
    assert!(report.has_drifted());
    assert_eq!(report.namespaces[0].uid, None);
}

/// An earlier release had two policies. The one that stays allows everything before the other one goes.
#[test]
fn a_network_policy_of_an_earlier_release_goes_last() {
    let order = order(Restriction::None);
    let mut live = carried_out(&order);
    let is_policy = |o: &&mut LiveObject| o.resource == resources::NETWORK_POLICY;
    let policy = live.objects.iter_mut().find(is_policy).unwrap();
    let mut earlier = policy.clone();
    change(policy, |p| p["spec"]["egress"] = json!([]));
    earlier.name = "govcloud-allow-same-namespace-and-dns".to_owned();
    change(&mut earlier, |p| p["metadata"]["name"] = json!("govcloud-allow-same-namespace-and-dns"));
    live.objects.push(earlier);
    assert_eq!(
        summary(&reconcile(&order, &[live], &[]).0),
        [
            "apply NetworkPolicy/govcloud-default-deny",
            "delete NetworkPolicy/govcloud-allow-same-namespace-and-dns",
        ]
    );
}

/// The namespace with its bounds, and with nobody in it.
fn bounded(order: &TenancyOrder) -> LiveNamespace {
    let mut live = carried_out(order);
    live.objects.retain(|object| object.resource != resources::ROLE_BINDING);
    live
}

fn quota_of(live: &mut LiveNamespace) -> &mut LiveObject {
    live.objects.iter_mut().find(|o| o.resource == resources::RESOURCE_QUOTA).unwrap()
}

#[test]
fn s1_nobody_gets_access_before_the_quota_is_enforced() {
    let order = order(Restriction::None);
    let bindings = [
        "create RoleBinding/govcloud-admin",
        "create RoleBinding/govcloud-edit",
        "create RoleBinding/govcloud-view",
    ];
    let mut live = bounded(&order);
    let (steps, report) = reconcile(&order, std::slice::from_ref(&live), &[]);
    assert_eq!((summary(&steps), report.pending_quota()), (bindings.map(str::to_owned).to_vec(), None));
    for status in [json!({}), json!({ "hard": { "pods": "50" }, "used": { "pods": "0" } }), Value::Null] {
        change(quota_of(&mut live), |quota| quota["status"] = status);
        let (steps, report) = reconcile(&order, std::slice::from_ref(&live), &[]);
        assert_eq!(summary(&steps), Vec::<String>::new());
        assert_eq!(report.pending_quota().map(|n| n.state), Some(NamespaceState::QuotaPending));
        assert!(!report.has_drifted() && report.obstacle().is_none(), "nothing is left to write");
    }
    // Access that is there is corrected, and taken away, whatever the quota.
    let mut open = carried_out(&order);
    change(quota_of(&mut open), |quota| quota["status"] = json!({}));
    let quiesced =
        TenancyOrder { namespaces: order.namespaces.clone(), ..self::order(Restriction::Quiesced) };
    let fewer = TenancyOrder { access: Vec::new(), ..quiesced };
    assert_eq!(summary(&reconcile(&fewer, &[open], &[]).0).len(), 3);
}

#[test]
fn a_quota_in_force_is_compared_by_amount() {
    let order = order(Restriction::None);
    let mut live = carried_out(&order);
    let state = |live: &LiveNamespace| state(&order, std::slice::from_ref(live));
    change(quota_of(&mut live), |quota| quota["status"]["hard"]["requests.storage"] = json!("200Gi"));
    assert_eq!(state(&live), NamespaceState::InForce);
    change(quota_of(&mut live), |quota| quota["status"]["hard"]["requests.storage"] = json!("201Gi"));
    assert_eq!(state(&live), NamespaceState::QuotaPending);
    change(quota_of(&mut live), |quota| {
        quota["status"]["hard"]["requests.storage"] = json!("200Gi");
        quota["status"]["hard"]["secrets"] = json!("1");
    });
    assert_eq!(state(&live), NamespaceState::QuotaPending, "what was taken out is enforced still");
}

#[test]
fn a_key_that_is_not_counted_is_named() {
    let order = order(Restriction::None);
    let mut live = carried_out(&order);
    let report =
        |live: &LiveNamespace| reconcile(&order, std::slice::from_ref(live), &[]).1.namespaces.remove(0);
    assert!(report(&live).not_counted.is_empty());
    change(quota_of(&mut live), |quota| {
        drop(quota["status"]["used"].as_object_mut().unwrap().remove("pods"))
    });
    let found = report(&live);
    assert_eq!((found.state, found.not_counted), (NamespaceState::InForce, vec!["pods".to_owned()]));
}

#[test]
fn art_15_keys_of_a_change_are_counted_without_a_limit() {
    let mut order = order(Restriction::None);
    order.namespaces[0].counted = vec!["secrets".to_owned(), "pods".to_owned()];
    let hard = &objects(&order)[1].body["spec"]["hard"];
    assert_eq!((&hard["secrets"], &hard["pods"]), (&json!("9P"), &json!("50")), "what was granted stays");
}

#[test]
fn a_limit_range_is_left_as_it_is_while_the_regions_limits_contradict_each_other() {
    let order = order(Restriction::None);
    let live = carried_out(&order);
    let none = TenancyOrder { limit_range: None, ..order.clone() };
    assert_eq!(summary(&reconcile(&none, std::slice::from_ref(&live), &[]).0), Vec::<String>::new());
    let mut without = order;
    without.limit_range = Some(ContainerLimits::default());
    without.namespaces[0].quota = map(&[("pods", "50")]);
    let written = summary(&reconcile(&without, &[live], &[]).0);
    assert!(written.contains(&"delete LimitRange/govcloud-defaults".to_owned()), "{written:?}");
}

#[test]
fn s11_an_order_in_force_writes_nothing_and_reports_use() {
    let order = order(Restriction::None);
    let (steps, report) = reconcile(&order, &[carried_out(&order)], &[]);
    assert_eq!(steps, []);
    let namespace = &report.namespaces[0];
    assert_eq!((namespace.state, namespace.uid.as_deref()), (NamespaceState::InForce, Some("n1")));
    assert_eq!((namespace.used["pods"].as_str(), namespace.differences.len()), ("3", 0));
}

#[test]
fn a_namespace_is_ours_by_label_and_recorded_uid() {
    let mut order = order(Restriction::None);
    let live = carried_out(&order);
    assert_eq!(
        state(&order, std::slice::from_ref(&live)),
        NamespaceState::InForce,
        "a crash before recording heals"
    );
    let mut foreign = live.clone();
    change(&mut foreign.namespace, |n| n["metadata"]["labels"][keys::APPLICATION_UID] = json!("other"));
    assert_eq!(state(&order, std::slice::from_ref(&foreign)), NamespaceState::Taken);
    change(&mut foreign.namespace, |n| n["metadata"]["labels"] = json!({}));
    assert_eq!(state(&order, &[foreign]), NamespaceState::Taken);
    order.namespaces[0].uid = Some("n1".to_owned());
    assert_eq!(state(&order, &[]), NamespaceState::Lost);
    assert_eq!(state(&order, std::slice::from_ref(&live)), NamespaceState::InForce);
    let mut replaced = live.clone();
    change(&mut replaced.namespace, |n| n["metadata"]["uid"] = json!("n2"));
    assert_eq!(state(&order, &[replaced]), NamespaceState::Taken);
    let mut leaving = live;
    change(&mut leaving.namespace, |n| n["metadata"]["deletionTimestamp"] = json!("2026-03-02T00:00:00Z"));
    assert_eq!(state(&order, std::slice::from_ref(&leaving)), NamespaceState::Terminating);
    order.reclaiming = true;
    assert_eq!(
        (state(&order, &[leaving]), state(&order, &[])),
        (NamespaceState::Released, NamespaceState::Released)
    );
}

#[test]
fn s3_one_obstacle_holds_up_all_namespaces_and_no_volume() {
    let mut order = order(Restriction::None);
    let second =
        NamespaceOrder { entry: "test".into(), name: "second".into(), ..order.namespaces[0].clone() };
    order.namespaces[0].uid = Some("gone".to_owned());
    order.namespaces.push(second);
    let (steps, report) = reconcile(&order, &[], &[volume(Some(&order.application.uid), "Delete")]);
    assert_eq!(summary(&steps), ["patch PersistentVolume/pv"]);
    assert_eq!(report.obstacle().map(|n| n.state), Some(NamespaceState::Lost));
    assert!(!report.has_drifted(), "nothing is written to a namespace");
    assert_eq!(report.protected_volumes, ["pv-uid"]);
}

#[test]
fn s5_volumes_are_protected_from_first_sight() {
    let order = order(Restriction::None);
    let own = order.application.uid.clone();
    let live = [carried_out(&order)];
    let protects = |order: &TenancyOrder, volume| !reconcile(order, &live, &[volume]).0.is_empty();
    assert!(protects(&order, volume(None, "Retain")) && protects(&order, volume(Some(&own), "Delete")));
    assert!(
        !protects(&order, volume(Some(&own), "Retain")) && !protects(&order, volume(Some("other"), "Delete"))
    );
    let released = TenancyOrder { released_volumes: vec!["pv-uid".to_owned()], ..order.clone() };
    assert!(!protects(&released, volume(None, "Delete")));
    let reclaiming = TenancyOrder { reclaiming: true, ..order.clone() };
    assert!(!protects(&reclaiming, volume(None, "Delete")));
    let (steps, _) = reconcile(&order, &live, &[volume(None, "Delete")]);
    let Write::Patch(_, precondition, body) = writes(&steps)[0] else { panic!("{steps:?}") };
    assert_eq!((&*precondition.uid, &*precondition.resource_version), ("pv-uid", "9"));
    assert_eq!(body["spec"]["persistentVolumeReclaimPolicy"], "Retain");
    assert_eq!(body["metadata"]["labels"][keys::APPLICATION_UID], *own);
}

#[test]
fn s5_a_volume_passes_with_the_namespace_it_is_claimed_in() {
    let order = order(Restriction::None);
    let mut live = carried_out(&order);
    change(&mut live.namespace, |n| n["metadata"]["annotations"][keys::REATTACHED_FROM] = json!("b,a"));
    let protects = |volume| !reconcile(&order, std::slice::from_ref(&live), &[volume]).0.is_empty();
    assert!(protects(volume(Some("a"), "Retain")) && !protects(volume(Some("c"), "Retain")));
}

#[test]
fn s3_a_namespace_is_taken_back_by_its_uid_from_the_named_record() {
    let mut order = order(Restriction::None);
    let mut live = carried_out(&order);
    change(&mut live.namespace, |n| n["metadata"]["labels"][keys::APPLICATION_UID] = json!("earlier"));
    let take_back = |uid: &str, from: &str| Some(TakeBack { uid: uid.into(), from: from.into() });
    for (named, expected) in [
        (take_back("n1", "earlier"), NamespaceState::Drifted),
        (take_back("n2", "earlier"), NamespaceState::Taken),
        (take_back("n1", "other"), NamespaceState::Taken),
        (None, NamespaceState::Taken),
    ] {
        order.namespaces[0].take_back = named;
        assert_eq!(state(&order, std::slice::from_ref(&live)), expected);
    }
    order.namespaces[0].take_back = take_back("n1", "earlier");
    let (steps, _) = reconcile(&order, std::slice::from_ref(&live), &[]);
    let Write::Patch(_, precondition, body) = writes(&steps)[0] else { panic!("{steps:?}") };
    assert_eq!((&*precondition.uid, steps.len()), ("n1", 1));
    assert_eq!(body["metadata"]["annotations"][keys::REATTACHED_FROM], "earlier");
    assert_eq!(state(&order, &[]), NamespaceState::Lost, "what was to be taken back is not made anew");
}

#[test]
fn drift_is_reported_and_written_with_what_an_apply_leaves() {
    let mut order = order(Restriction::None);
    order.namespaces[0].uid = Some("n1".to_owned());
    let mut live = carried_out(&order);
    change(&mut live.objects[0], |quota| {
        quota["spec"]["hard"]["secrets"] = json!("9");
        quota["status"]["hard"]["secrets"] = json!("9");
    });
    live.objects.retain(|object| object.name != "govcloud-view");
    let (steps, report) = reconcile(&order, &[live], &[]);
    assert_eq!(
        summary(&steps),
        ["apply ResourceQuota/govcloud", "apply RoleBinding/govcloud-view", "correct ResourceQuota/govcloud"]
    );
    assert_eq!(
        report.namespaces[0].differences,
        ["ResourceQuota/govcloud spec.hard.secrets", "RoleBinding/govcloud-view -"]
    );
}

#[test]
fn an_immutable_field_is_replaced_under_preconditions() {
    let order = order(Restriction::None);
    let mut live = carried_out(&order);
    let binding = live.objects.iter_mut().find(|object| object.name == "govcloud-edit").unwrap();
    change(binding, |binding| binding["roleRef"]["name"] = json!("cluster-admin"));
    let (steps, _) = reconcile(&order, &[live], &[]);
    let Write::Delete(target, precondition) = writes(&steps)[0] else { panic!("{steps:?}") };
    assert_eq!(
        (&*target.name, &*precondition.uid, &*precondition.resource_version),
        ("govcloud-edit", "n1", "7")
    );
}

#[test]
fn what_is_no_longer_ordered_is_removed_under_preconditions() {
    let live = carried_out(&order(Restriction::None));
    let (steps, _) = reconcile(&order(Restriction::Quiesced), &[live], &[]);
    assert_eq!(
        summary(&steps),
        [
            "apply ResourceQuota/govcloud",
            "apply RoleBinding/govcloud-view",
            "delete RoleBinding/govcloud-admin",
            "delete RoleBinding/govcloud-edit",
        ]
    );
    let Write::Delete(_, precondition) = writes(&steps)[2] else { panic!("{steps:?}") };
    assert_eq!((&*precondition.uid, &*precondition.resource_version), ("n1", "7"));
}

#[test]
fn s3_namespaces_data_and_foreign_objects_are_never_removed() {
    let order = order(Restriction::None);
    let mut live = carried_out(&order);
    let labels = json!({ keys::APPLICATION_UID: order.application.uid, keys::MANAGED_BY: OPERATOR_NAME });
    let namespace = order.namespaces[0].name.as_str();
    let add = |live: &mut LiveNamespace, resource, namespace: &str, labels: &Value| {
        let object = json!({ "metadata": { "name": "x", "namespace": namespace, "labels": labels } });
        live.objects.push(LiveObject::new(resource, Arc::new(object)));
    };
    for resource in [
        resources::NAMESPACE,
        resources::PERSISTENT_VOLUME_CLAIM,
        resources::PERSISTENT_VOLUME,
        resources::CONFIG_MAP,
    ] {
        add(&mut live, resource, namespace, &labels);
    }
    add(&mut live, resources::ROLE_BINDING, namespace, &Value::Null);
    add(&mut live, resources::ROLE_BINDING, "elsewhere", &labels);
    assert_eq!(reconcile(&order, std::slice::from_ref(&live), &[]).0, []);
    add(&mut live, resources::ROLE_BINDING, namespace, &labels);
    assert_eq!(summary(&reconcile(&order, &[live], &[]).0), ["delete RoleBinding/x"]);
}

#[test]
fn an_order_with_an_unknown_field_is_refused() {
    let mut order = serde_json::to_value(order(Restriction::None)).unwrap();
    order["namespaces"][0]["extra"] = json!(true);
    assert!(serde_json::from_value::<TenancyOrder>(order).is_err());
}

/// Orders and reports will be sent to other clusters, where no record can be read (docs/decisions/0061-*).
#[test]
#[allow(clippy::disallowed_methods, reason = "the test reads the sources, not the rules")]
fn tenancy_names_no_record() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tenancy");
    let files = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let sources = files.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    for path in sources {
        let text = std::fs::read_to_string(&path).unwrap();
        for record in ["application", "grant", "change", "decommission", "record"] {
            for import in [format!("govcloud_api::{record}::"), format!("crate::{record}")] {
                assert!(!text.contains(&import), "{} imports {import}", path.display());
            }
        }
    }
}

proptest! {
    #[test]
    fn orders_and_reports_survive_json(one in orders(), other in orders()) {
        let sent: TenancyOrder = serde_json::from_str(&serde_json::to_string(&one).unwrap()).unwrap();
        prop_assert_eq!(&sent, &one);
        let (live, volumes) = (carried_out(&other), [volume(None, "Delete")]);
        let (steps, report) = reconcile(&one, std::slice::from_ref(&live), &volumes);
        let read: TenancyReport = serde_json::from_str(&serde_json::to_string(&report).unwrap()).unwrap();
        prop_assert_eq!((&read, reconcile(&sent, &[live], &volumes)), (&report, (steps, report.clone())));
    }

    #[test]
    fn s11_an_order_that_was_carried_out_is_in_force(mut order in orders()) {
        order.namespaces[0].take_back = None;
        let (steps, report) = reconcile(&order, &[carried_out(&order)], &[]);
        prop_assert_eq!((steps, report.namespaces[0].state), (vec![], NamespaceState::InForce));
    }
}
