//! The lists on a tenant Namespace by which the admission policies judge pods, claims and Ingresses in it: what was granted
//! is all that can be taken (Art. 13, 21; docs/tenancy.md).

use std::borrow::Cow;
use std::collections::BTreeSet;

use govcloud_api::keys;
use govcloud_api::region::Allowed;
use serde_json::{Value, json};

use super::Tenant;

/// Annotations of the Namespace. Each is there, though empty: where it is left out, one that somebody else wrote would be no
/// drift.
pub(super) fn lists(tenant: &Tenant) -> Value {
    let Allowed {
        priority_classes,
        runtime_classes,
        volume_attributes_classes,
        csi_drivers,
        taints,
        ingress_classes,
        ingress_hosts,
    } = &tenant.order.allowed;
    json!({
        keys::STORAGE_CLASSES: joined(&tenant.namespace.storage_classes),
        keys::EXTENDED_RESOURCES: joined(tenant.namespace.quota.keys().filter_map(|key| extended_resource(key))),
        keys::PRIORITY_CLASSES: joined(priority_classes),
        keys::RUNTIME_CLASSES: joined(runtime_classes),
        keys::VOLUME_ATTRIBUTES_CLASSES: joined(volume_attributes_classes),
        keys::CSI_DRIVERS: joined(csi_drivers),
        keys::TAINTS: joined(taints),
        keys::INGRESS_CLASSES: joined(ingress_classes),
        keys::INGRESS_HOSTS: joined(ingress_hosts.iter().map(|granted| &granted.host)),
    })
}

/// Names, sorted, each once, with commas between; none contains a comma.
fn joined(names: impl IntoIterator<Item: AsRef<str>>) -> String {
    let sorted: BTreeSet<String> = names.into_iter().map(|name| name.as_ref().to_owned()).collect();
    Vec::from_iter(sorted).join(",")
}

/// The resource that a container asks for, beside CPU, memory and ephemeral storage, where a quota key counts it.
/// Kubernetes counts an extended resource by `requests.<name>` alone, huge pages with and without the prefix, and devices
/// that are asked for as a resource by either key of their class (`pkg/quota/v1/evaluator/core`, 1.37).
fn extended_resource(key: &str) -> Option<Cow<'_, str>> {
    let name = key.strip_prefix("requests.").unwrap_or(key);
    if name.starts_with("hugepages-") {
        return Some(name.into());
    }
    if let Some(class) = key.strip_suffix(".deviceclass.resource.k8s.io/devices") {
        return Some(format!("deviceclass.resource.kubernetes.io/{class}").into());
    }
    (name != key && name.contains('/')).then(|| name.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_key_grants_the_resource_that_it_counts() {
        for (key, granted) in [
            ("requests.nvidia.com/gpu", Some("nvidia.com/gpu")),
            ("hugepages-2Mi", Some("hugepages-2Mi")),
            ("requests.hugepages-1Gi", Some("hugepages-1Gi")),
            ("gpu.deviceclass.resource.k8s.io/devices", Some("deviceclass.resource.kubernetes.io/gpu")),
            (
                "requests.deviceclass.resource.kubernetes.io/gpu.water.example",
                Some("deviceclass.resource.kubernetes.io/gpu.water.example"),
            ),
            ("requests.cpu", None),
            ("limits.memory", None),
            ("requests.storage", None),
            ("pods", None),
            ("count/widgets.example.org", None),
            ("fast.storageclass.storage.k8s.io/requests.storage", None),
        ] {
            assert_eq!(extended_resource(key).as_deref(), granted, "{key}");
        }
    }

    #[test]
    fn a_list_has_each_name_once_and_in_order() {
        assert_eq!(joined(["b", "a", "b"]), "a,b");
        assert_eq!(joined(Vec::<String>::new()), "");
    }
}
