//! Access lines and quotas that are refused before anything is applied.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::tenancy::quota::{QuotaFinding, findings, obstructions, unsaid_node_ports};

#[test]
fn system_subjects_are_refused_and_never_bound() {
    for name in ["system:masters", "system:authenticated", " System:anonymous"] {
        let list = vec![access(SubjectKind::Group, name, AccessRole::View)];
        assert!(matches!(refusals(&list)[..], [AccessRefusal::SystemSubject { .. }]), "{name}");
        let order = TenancyOrder { access: list, ..order(Restriction::None) };
        assert!(objects(&order).iter().all(|o| o.kind() != "RoleBinding"));
    }
    assert_eq!(refusals(&[access(SubjectKind::User, "", AccessRole::View)]), [AccessRefusal::NoName]);
    assert!(refusals(&order(Restriction::None).access).is_empty());
}

#[test]
fn known_quota_keys() {
    for key in [
        "cpu",
        "memory",
        "requests.cpu",
        "limits.memory",
        "requests.storage",
        "ephemeral-storage",
        "pods",
        "limits.ephemeral-storage",
        "persistentvolumeclaims",
        "services.nodeports",
        "resourcequotas",
        "count/deployments.apps",
        "count/pods",
        "count/widgets.example.com",
        "hugepages-2Mi",
        "requests.hugepages-1Gi",
        "requests.nvidia.com/gpu",
        "requests.example.com/FPGA_x",
        "hostpath.storageclass.storage.k8s.io/requests.storage",
        "fast.ssd.storageclass.storage.k8s.io/persistentvolumeclaims",
        "gpu.water.example.deviceclass.resource.k8s.io/devices",
        "requests.deviceclass.resource.kubernetes.io/gpu.water.example",
    ] {
        assert_eq!(findings(&map(&[(key, "1")])), [], "{key}");
    }
}

#[test]
fn unknown_quota_keys_are_named_with_what_is_allowed() {
    for key in [
        "",
        "CPU",
        "storage",
        "request.cpu",
        "limits.storage",
        "requests.pods",
        "nvidia.com/gpu",
        "count/",
        "count/Pods",
        "hugepages-",
        "hugepages-big",
        "requests.kubernetes.io/x",
        "requests.resource.kubernetes.io/x",
        "requests.mykubernetes.io/x",
        "deviceclass.resource.kubernetes.io/gpu",
        "requests.deviceclass.resource.kubernetes.io/",
        "gpu.deviceclass.resource.k8s.io/claims",
        ".deviceclass.resource.k8s.io/devices",
        "requests./x",
        "requests.a.b/",
        "x.storageclass.storage.k8s.io/limits.storage",
        ".storageclass.storage.k8s.io/requests.storage",
        "a/b/c",
    ] {
        let found = findings(&map(&[(key, "1")]));
        assert!(matches!(&found[..], [QuotaFinding::UnknownKey { key: k }] if k == key), "{key}: {found:?}");
        let said = found[0].to_string();
        assert!(said.contains("未知") && said.contains("count/<resource>[.<group>]"), "{said}");
    }
}

#[test]
fn quota_values_are_amounts_or_whole_counts() {
    let of = |key, value| findings(&map(&[(key, value)])).pop();
    assert!(matches!(of("pods", "1.5"), Some(QuotaFinding::NotWhole { .. })));
    assert!(matches!(of("count/pods", "500m"), Some(QuotaFinding::NotWhole { .. })));
    assert!(matches!(of("requests.nvidia.com/gpu", "500m"), Some(QuotaFinding::NotWhole { .. })));
    // As the API server has it: e2e/tests/quantity.rs.
    let class = "gold.storageclass.storage.k8s.io/requests.storage";
    assert!(matches!(of(class, "0.3Gi"), Some(QuotaFinding::NotWhole { .. })));
    let devices =
        ["gpu.deviceclass.resource.k8s.io/devices", "requests.deviceclass.resource.kubernetes.io/gpu"];
    assert!(devices.iter().all(|key| matches!(of(key, "500m"), Some(QuotaFinding::NotWhole { .. }))));
    assert!(matches!(of("pods", "10P"), Some(QuotaFinding::NotWhole { .. })));
    assert_eq!((of(class, "1.5Gi"), of("pods", "9P"), of("requests.memory", "10P")), (None, None, None));
    assert!(matches!(of("requests.cpu", "-1"), Some(QuotaFinding::Negative { .. })));
    assert!(matches!(of("requests.cpu", "8 cores"), Some(QuotaFinding::NotAQuantity { .. })));
    assert_eq!(of("requests.cpu", "1.5"), None);
    assert_eq!(of("pods", "1k"), None);
}

/// Every kind that the operator makes in a tenant namespace is among them, a new one too.
#[test]
fn a_quota_that_would_hold_up_the_operator_or_kubernetes_is_named() {
    for key in [
        "resourcequotas",
        "count/resourcequotas",
        "count/limitranges",
        "count/networkpolicies.networking.k8s.io",
        "count/rolebindings.rbac.authorization.k8s.io",
    ] {
        for value in ["0", "1", "100"] {
            let found = obstructions(&map(&[(key, value), ("pods", "0")]));
            assert!(
                matches!(&found[..], [QuotaFinding::OperatorsOwn { key: k }] if k == key),
                "{key}: {found:?}"
            );
        }
    }
    for key in ["configmaps", "count/configmaps", "count/serviceaccounts"] {
        let found = obstructions(&map(&[(key, "0")]));
        assert!(
            matches!(&found[..], [QuotaFinding::BelowOne { key: k, .. }] if k == key),
            "{key}: {found:?}"
        );
        assert_eq!(obstructions(&map(&[(key, "1")])), []);
    }
    assert_eq!(obstructions(&map(&[("services", "0"), ("secrets", "0"), ("count/pods", "0")])), []);
}

#[test]
fn load_balancers_need_a_word_on_their_node_ports() {
    let of = |lines: &[(&str, &str)]| unsaid_node_ports(&map(lines));
    assert_eq!(of(&[("services.loadbalancers", "1")]), Some(QuotaFinding::NodePortsNotNamed));
    assert_eq!(of(&[("services.loadbalancers", "0")]), None);
    assert_eq!(of(&[("services.loadbalancers", "1"), ("services.nodeports", "0")]), None);
    assert_eq!(of(&[("services.nodeports", "2")]), None);
}

#[test]
fn service_accounts_of_other_namespaces_are_named_and_those_of_the_system_refused() {
    let mut line = access(SubjectKind::ServiceAccount, "flux-water", AccessRole::Edit);
    line.subject.namespace = Some("flux-water".to_owned());
    let own = access(SubjectKind::ServiceAccount, "flux-water", AccessRole::Edit);
    let order = TenancyOrder { access: vec![line.clone(), own], ..order(Restriction::None) };
    let objects = objects(&order);
    let subject = |namespace| json!({"kind": "ServiceAccount", "name": "flux-water", "namespace": namespace});
    assert_eq!(
        find(&objects, "RoleBinding", "govcloud-edit").body["subjects"],
        json!([subject("dept-transport"), subject("flux-water")])
    );
    for namespace in ["kube-system", "kube-public", "default", "govcloud-system"] {
        line.subject.namespace = Some(namespace.to_owned());
        let lines = vec![line.clone()];
        assert!(matches!(&refusals(&lines)[..], [AccessRefusal::SystemNamespace { .. }]), "{namespace}");
        let order = TenancyOrder { access: lines, ..order.clone() };
        assert!(super::objects(&order).iter().all(|o| o.kind() != "RoleBinding"));
    }
}

/// Keys near the border between known and unknown.
fn keys() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("requests."),
        Just("count/"),
        Just("hugepages-"),
        Just("2Mi"),
        Just("kubernetes.io/"),
        Just("deviceclass.resource."),
        Just(".storageclass.storage.k8s.io/"),
        Just(".deviceclass.resource.k8s.io/"),
        Just("devices"),
        Just("requests.storage"),
        Just("persistentvolumeclaims"),
        Just("a"),
        Just("-"),
        Just("."),
        Just("/"),
        Just("B"),
        Just("_"),
        Just("0"),
        Just("cpu"),
    ];
    let known = proptest::sample::select(&govcloud_api::quota::STANDARD_KEYS[..]);
    prop_oneof![
        9 => proptest::collection::vec(part, 0..6).prop_map(|parts| parts.concat()),
        1 => known.prop_map(str::to_owned),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// The schema and the rules read a key alike. Lengths are the rules' own matter.
    #[test]
    fn the_schema_knows_the_same_quota_keys(key in keys()) {
        use govcloud_api::quota::{DEVICE_CLASS_DOMAIN, NATIVE, STANDARD_KEYS, key_pattern};
        static FORM: LazyLock<regex::Regex> = LazyLock::new(|| regex::Regex::new(&key_pattern()).unwrap());
        let form = FORM.is_match(&key);
        let native = key.contains(NATIVE) && !key.starts_with(&format!("requests.{DEVICE_CLASS_DOMAIN}/"));
        let schema = STANDARD_KEYS.contains(&&*key) || form && !native;
        let unknown = findings(&map(&[(&key, "1")])).iter().any(|f| matches!(f, QuotaFinding::UnknownKey { .. }));
        prop_assert_eq!(schema, !unknown, "{}", key);
    }

    #[test]
    fn no_key_panics(key in "\\PC{0,80}", value in "\\PC{0,20}") {
        let _ = findings(&[(key, value)].into()).iter().map(ToString::to_string).collect::<Vec<_>>();
    }
}
