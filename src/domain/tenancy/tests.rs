use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;

mod drifting;
mod refusing;

fn map(lines: &[(&str, &str)]) -> BTreeMap<String, String> {
    lines.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

/// A value that a tenant can borrow for as long as any test runs.
fn kept<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

fn access(kind: SubjectKind, name: &str, role: Role) -> Access<'_> {
    Access { kind, name, namespace: None, role }
}

/// The lines of access of the sample.
fn people() -> [Access<'static>; 4] {
    [
        access(SubjectKind::User, "zhang", Role::Admin),
        access(SubjectKind::Group, "transport-ops", Role::Edit),
        access(SubjectKind::ServiceAccount, "pipeline", Role::Edit),
        access(SubjectKind::Group, "transport-ops", Role::View),
    ]
}

fn roster<'a>(access: impl IntoIterator<Item = Access<'a>>) -> AccessList<'a> {
    AccessList::new("dept-transport", access)
}

fn tenant(stage: Stage) -> Tenant<'static> {
    Tenant {
        owner: kept(Owner::new("travel", "6f1c0e52-0000-4000-8000-000000000001", "dept-transport", "410000")),
        entry: "prod",
        namespace: "dept-transport-travel-prod-b4ac6df6",
        namespace_uid: None,
        quota: kept(map(&[
            ("pods", "50"),
            ("requests.cpu", "8"),
            ("requests.memory", "16Gi"),
            ("requests.storage", "204800Mi"),
        ])),
        pod_security: kept(PodSecurity::new("restricted")),
        storage_classes: kept(["hostpath".to_owned()]),
        limit_range: Some(Limits::new(kept(ContainerLimits {
            default: map(&[("cpu", "1"), ("memory", "1Gi")]),
            default_request: map(&[("cpu", "0.1")]),
            max: map(&[("cpu", "4")]),
            min: BTreeMap::new(),
        }))),
        access: kept(roster(people())),
        stage,
    }
}

fn applied(stage: Stage) -> Vec<Value> {
    desired(&tenant(stage)).iter().map(TenantObject::to_apply_json).collect()
}

fn find<'a, 'b>(objects: &'a [TenantObject<'b>], kind: &str, name: &str) -> &'a TenantObject<'b> {
    objects.iter().find(|o| o.kind() == kind && o.name() == name).unwrap_or_else(|| panic!("{kind}/{name}"))
}

#[test]
fn art_13_the_objects_of_a_tenant_in_use() {
    insta::assert_yaml_snapshot!("active", applied(Stage::Active));
}

#[test]
fn art_16_the_objects_while_data_is_handed_over() {
    insta::assert_yaml_snapshot!("handing_over", applied(Stage::HandingOver));
}

#[test]
fn art_16_the_objects_of_a_quiesced_tenant() {
    insta::assert_yaml_snapshot!("quiesced", applied(Stage::Quiesced));
}

#[test]
fn s3_nothing_has_owners_or_finalizers_and_everything_is_labelled() {
    for stage in [Stage::Active, Stage::HandingOver, Stage::Quiesced] {
        for object in applied(stage) {
            let metadata = &object["metadata"];
            assert!(metadata.get("ownerReferences").is_none() && metadata.get("finalizers").is_none());
            for (key, value) in [
                (LABEL_MANAGED_BY, MANAGER),
                (LABEL_APPLICATION, "travel"),
                (LABEL_APPLICATION_UID, tenant(stage).owner.uid),
                (LABEL_DEPARTMENT, "dept-transport"),
                (LABEL_ENTRY, "prod"),
                (LABEL_REGION, "410000"),
            ] {
                assert_eq!(metadata["labels"][key], value);
            }
            assert!(object.get("status").is_none());
            assert!(!object.to_string().contains("null"));
        }
    }
}

#[test]
fn a_stage_changes_nothing_but_what_it_is_for() {
    let hard = |stage| applied(stage)[1]["spec"]["hard"].clone();
    assert_eq!(hard(Stage::Active).get("persistentvolumeclaims"), None);
    assert_eq!(
        (&hard(Stage::HandingOver)["persistentvolumeclaims"], &hard(Stage::HandingOver)["pods"]),
        (&json!("0"), &json!("50"))
    );
    assert_eq!(
        (&hard(Stage::Quiesced)["persistentvolumeclaims"], &hard(Stage::Quiesced)["pods"]),
        (&json!("0"), &json!("0"))
    );
    let bindings = |stage| {
        let objects = desired(&tenant(stage));
        objects.iter().filter(|o| o.kind() == "RoleBinding").map(|o| o.name().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(bindings(Stage::HandingOver), ["govcloud-admin", "govcloud-edit", "govcloud-view"]);
    assert_eq!(bindings(Stage::Quiesced), ["govcloud-view"]);
}

#[test]
fn granted_ways_in_are_kept() {
    let tenant = Tenant { quota: kept(map(&[("services.loadbalancers", "2")])), ..tenant(Stage::Active) };
    let hard = &desired(&tenant)[1].to_apply_json()["spec"]["hard"];
    assert_eq!((&hard["services.loadbalancers"], &hard["services.nodeports"]), (&json!("2"), &json!("0")));
}

#[test]
fn a_long_record_name_still_makes_a_valid_label() {
    let owner = kept(Owner::new(kept("a.".repeat(100) + "b"), "u", "dept", "410000"));
    let tenant = Tenant { owner, ..tenant(Stage::Active) };
    assert!(desired(&tenant)[0].labels().all(|(_, value)| value.len() <= 63));
}

#[test]
fn a_namespace_is_ours_by_label_and_recorded_uid() {
    let mut tenant = tenant(Stage::Active);
    let live =
        |application: &'static str, uid| OwnershipLabels { uid, owner: Some(application), deleting: false };
    let ours = tenant.owner.uid;
    assert_eq!(ownership(&tenant, None), Ownership::Absent);
    assert_eq!(ownership(&tenant, Some(live(ours, "n1"))), Ownership::Ours, "a crash before recording heals");
    assert_eq!(ownership(&tenant, Some(live("other", "n1"))), Ownership::Taken);
    assert_eq!(
        ownership(&tenant, Some(OwnershipLabels { owner: None, ..live(ours, "n1") })),
        Ownership::Taken
    );
    tenant.namespace_uid = Some("n1");
    assert_eq!(ownership(&tenant, None), Ownership::Vanished);
    assert_eq!(ownership(&tenant, Some(live(ours, "n2"))), Ownership::Taken);
    assert_eq!(ownership(&tenant, Some(live(ours, "n1"))), Ownership::Ours);
    let leaving = OwnershipLabels { deleting: true, ..live(ours, "n1") };
    assert_eq!(ownership(&tenant, Some(leaving)), Ownership::Terminating);
    assert_eq!(desired(&tenant)[0].to_apply_json()["metadata"]["uid"], "n1");
}

#[test]
fn labels_are_told_in_the_order_of_their_keys() {
    for object in desired(&tenant(Stage::Active)) {
        let labels = object.labels().map(|(key, _)| key).collect::<Vec<_>>();
        assert!(labels.is_sorted(), "{labels:?}");
    }
}
