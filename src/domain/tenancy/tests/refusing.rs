//! Access lines and quotas that are refused before anything is applied.

use proptest::prelude::*;

use super::*;
use crate::tenancy::quota::{QuotaFinding, findings};

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
    assert!(matches!(of("pods", "10P"), Some(QuotaFinding::NotWhole { .. })));
    assert_eq!((of(class, "1.5Gi"), of("pods", "9P"), of("requests.memory", "10P")), (None, None, None));
    assert!(matches!(of("requests.cpu", "-1"), Some(QuotaFinding::Negative { .. })));
    assert!(matches!(of("requests.cpu", "8 cores"), Some(QuotaFinding::NotAQuantity { .. })));
    assert_eq!(of("requests.cpu", "1.5"), None);
    assert_eq!(of("pods", "1k"), None);
}

proptest! {
    #[test]
    fn no_key_panics(key in "\\PC{0,80}", value in "\\PC{0,20}") {
        let _ = findings(&[(key, value)].into()).iter().map(ToString::to_string).collect::<Vec<_>>();
    }
}
