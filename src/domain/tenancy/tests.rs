use std::collections::BTreeMap;
use std::sync::Arc;

use govcloud_api::region::{Allowed, ContainerLimits, Network, POD_SECURITY_VERSION, PodSecurity};
use govcloud_api::tenancy::{Access, AccessRole, Restriction, Subject, SubjectKind};
use govcloud_api::{OPERATOR_NAME, keys, resources};
use serde_json::{Value, json};

use super::*;

mod adopting;
mod drifting;
mod reconciling;
mod refusing;

const RESTRICTIONS: [Restriction; 3] = [Restriction::None, Restriction::HandingOver, Restriction::Quiesced];

fn map(lines: &[(&str, &str)]) -> BTreeMap<String, String> {
    lines.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

fn access(kind: SubjectKind, name: &str, role: AccessRole) -> Access {
    Access { subject: Subject { kind, name: name.to_owned(), namespace: None }, role }
}

/// An order for one namespace.
fn order(restriction: Restriction) -> TenancyOrder {
    TenancyOrder {
        application: ApplicationIdentity {
            name: "travel".to_owned(),
            uid: "6f1c0e52-0000-4000-8000-000000000001".to_owned(),
            filing_namespace: "dept-transport".to_owned(),
            region: "410000".to_owned(),
        },
        approved: "sha256:0".to_owned(),
        namespaces: vec![NamespaceOrder {
            entry: "prod".to_owned(),
            name: "dept-transport-travel-prod-b4ac6df6".to_owned(),
            uid: None,
            quota: map(&[
                ("pods", "50"),
                ("requests.cpu", "8"),
                ("requests.memory", "16Gi"),
                ("requests.storage", "204800Mi"),
            ]),
            counted: Vec::new(),
            storage_classes: vec!["hostpath".to_owned()],
            restriction,
            take_back: None,
            adoption: None,
        }],
        access: vec![
            access(SubjectKind::User, "zhang", AccessRole::Admin),
            access(SubjectKind::Group, "transport-ops", AccessRole::Edit),
            access(SubjectKind::ServiceAccount, "pipeline", AccessRole::Edit),
            access(SubjectKind::Group, "transport-ops", AccessRole::View),
        ],
        pod_security: PodSecurity::Restricted,
        allowed: Allowed::default(),
        pod_security_version: POD_SECURITY_VERSION.to_owned(),
        network: Network::default(),
        limit_range: Some(ContainerLimits {
            default: map(&[("cpu", "1"), ("memory", "1Gi")]),
            default_request: map(&[("cpu", "0.1")]),
            max: map(&[("cpu", "4")]),
            min: BTreeMap::new(),
        }),
        reclaiming: false,
        released_volumes: Vec::new(),
    }
}

fn objects(order: &TenancyOrder) -> Vec<TenantObject> {
    desired(order, &order.namespaces[0])
}

fn applied(restriction: Restriction) -> Vec<Value> {
    objects(&order(restriction)).into_iter().map(|object| object.body).collect()
}

fn find<'a>(objects: &'a [TenantObject], kind: &str, name: &str) -> &'a TenantObject {
    objects.iter().find(|o| o.kind() == kind && o.name == name).unwrap_or_else(|| panic!("{kind}/{name}"))
}

#[test]
fn art_13_the_objects_of_a_tenant_in_use() {
    insta::assert_yaml_snapshot!("active", applied(Restriction::None));
}

#[test]
fn art_16_the_objects_while_data_is_handed_over() {
    insta::assert_yaml_snapshot!("handing_over", applied(Restriction::HandingOver));
}

#[test]
fn art_16_the_objects_of_a_quiesced_tenant() {
    insta::assert_yaml_snapshot!("quiesced", applied(Restriction::Quiesced));
}

#[test]
fn s3_nothing_has_owners_or_finalizers_and_everything_is_labelled() {
    for object in RESTRICTIONS.into_iter().flat_map(applied) {
        let metadata = &object["metadata"];
        assert!(metadata.get("ownerReferences").is_none() && metadata.get("finalizers").is_none());
        for (key, value) in [
            (keys::MANAGED_BY, OPERATOR_NAME),
            (keys::APPLICATION, "travel"),
            (keys::APPLICATION_UID, "6f1c0e52-0000-4000-8000-000000000001"),
            (keys::DEPARTMENT, "dept-transport"),
            (keys::ENTRY, "prod"),
            (keys::REGION, "410000"),
        ] {
            assert_eq!(metadata["labels"][key], value);
        }
        assert!(object.get("status").is_none());
        assert!(!object.to_string().contains("null"));
    }
}

#[test]
fn a_restriction_changes_nothing_but_what_it_is_for() {
    let hard = |restriction| applied(restriction)[1]["spec"]["hard"].clone();
    assert_eq!(hard(Restriction::None).get("persistentvolumeclaims"), None);
    let handing_over = hard(Restriction::HandingOver);
    assert_eq!((&handing_over["persistentvolumeclaims"], &handing_over["pods"]), (&json!("0"), &json!("50")));
    let quiesced = hard(Restriction::Quiesced);
    assert_eq!((&quiesced["persistentvolumeclaims"], &quiesced["pods"]), (&json!("0"), &json!("0")));
    let bindings = |restriction| {
        let objects = objects(&order(restriction)).into_iter();
        objects.filter(|o| o.kind() == "RoleBinding").map(|o| o.name).collect::<Vec<_>>()
    };
    assert_eq!(bindings(Restriction::HandingOver), ["govcloud-admin", "govcloud-edit", "govcloud-view"]);
    assert_eq!(bindings(Restriction::Quiesced), ["govcloud-view"]);
}

#[test]
fn granted_services_are_kept() {
    let mut order = order(Restriction::None);
    order.namespaces[0].quota = map(&[("services.loadbalancers", "2")]);
    let hard = &objects(&order)[1].body["spec"]["hard"];
    assert_eq!((&hard["services.loadbalancers"], &hard["services.nodeports"]), (&json!("2"), &json!("0")));
}

#[test]
fn a_long_record_name_still_makes_a_valid_label() {
    let mut order = order(Restriction::None);
    order.application.name = "a.".repeat(100) + "b";
    let namespace = &objects(&order)[0].body;
    let labels = namespace["metadata"]["labels"].as_object().unwrap();
    assert!(labels.values().all(|value| value.as_str().unwrap().len() <= 63));
}
