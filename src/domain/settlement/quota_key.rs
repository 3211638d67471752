//! Quota keys as a bill sees them (Art. 26): one name for each resource, what it is measured in, and what contains what.

use std::borrow::Cow;

use crate::tenancy::quota::class_of;

/// Two names that Kubernetes has for one resource: what is written, and the name that is billed. Its quota evaluators
/// (pods, persistentvolumeclaims, services, object counts) count the same use under both.
const ALIASES: [(&str, &str); 9] = [
    ("cpu", "requests.cpu"),
    ("memory", "requests.memory"),
    ("ephemeral-storage", "requests.ephemeral-storage"),
    ("count/configmaps", "configmaps"),
    ("count/persistentvolumeclaims", "persistentvolumeclaims"),
    ("count/replicationcontrollers", "replicationcontrollers"),
    ("count/resourcequotas", "resourcequotas"),
    ("count/secrets", "secrets"),
    ("count/services", "services"),
];

/// Keys whose use is part of the use of another key. Who prices both charges twice.
const PARTS: [(&str, &str); 5] = [
    ("limits.cpu", "requests.cpu"),
    ("limits.memory", "requests.memory"),
    ("limits.ephemeral-storage", "requests.ephemeral-storage"),
    ("services.loadbalancers", "services"),
    ("pods", "count/pods"),
];

/// Measure of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// Processor cores.
    Cores,
    /// Bytes of memory or storage.
    Bytes,
    /// Objects or devices, whole.
    Count,
}

/// The one name under which a key is billed: `requests.cpu` for `cpu`.
pub fn canonical(key: &str) -> Cow<'_, str> {
    if let Some((_, name)) = ALIASES.iter().find(|(alias, _)| *alias == key) {
        return Cow::Borrowed(name);
    }
    if key.starts_with("hugepages-") { Cow::Owned(format!("requests.{key}")) } else { Cow::Borrowed(key) }
}

/// Resources that a quota names twice, with both names. Such a quota is refused when it is filed (Art. 11, 15): the
/// smaller one holds, and nobody sees which one is charged.
pub fn named_twice<'a>(keys: impl IntoIterator<Item = &'a str> + Clone) -> Vec<(&'a str, String)> {
    let all: Vec<&str> = keys.clone().into_iter().collect();
    let other = |key: &'a str| {
        let name = canonical(key);
        (name != key && all.contains(&&*name)).then(|| (key, name.into_owned()))
    };
    keys.into_iter().filter_map(other).collect()
}

/// The measure of a key.
pub fn dimension(key: &str) -> Dimension {
    let key = canonical(key);
    let key = key.rsplit_once('/').filter(|_| class_of(&key).is_some()).map_or(&*key, |(_, part)| part);
    match key {
        "requests.cpu" | "limits.cpu" => Dimension::Cores,
        "requests.memory" | "limits.memory" | "requests.storage" => Dimension::Bytes,
        "requests.ephemeral-storage" | "limits.ephemeral-storage" => Dimension::Bytes,
        key if key.starts_with("requests.hugepages-") => Dimension::Bytes,
        _ => Dimension::Count,
    }
}

/// Returns true if one amount of a resource counts under both keys, so that pricing both charges it twice.
pub fn overlap(one: &str, other: &str) -> bool {
    let (one, other) = (canonical(one), canonical(other));
    one == other || whole_of(&one) == Some(&*other) || whole_of(&other) == Some(&*one)
}

/// The key that contains the use of this one.
fn whole_of(key: &str) -> Option<&str> {
    if class_of(key).is_some() {
        return key.rsplit_once('/').map(|(_, whole)| whole);
    }
    PARTS.iter().find(|(part, _)| *part == key).map(|(_, whole)| *whole)
}

#[cfg(test)]
mod tests {
    use govcloud_api::quota::STANDARD_KEYS;
    use proptest::prelude::*;

    use super::*;

    /// Keys of every form.
    fn keys() -> impl Strategy<Value = &'static str> {
        let others = [
            "hugepages-2Mi",
            "requests.hugepages-2Mi",
            "count/pods",
            "count/services",
            "count/persistentvolumeclaims",
            "requests.nvidia.com/gpu",
            "fast.storageclass.storage.k8s.io/requests.storage",
            "slow.storageclass.storage.k8s.io/requests.storage",
            "fast.storageclass.storage.k8s.io/persistentvolumeclaims",
        ];
        proptest::sample::select([&STANDARD_KEYS[..], &others[..]].concat())
    }

    #[test]
    fn art_26_cpu_is_requests_cpu() {
        assert_eq!(canonical("cpu"), "requests.cpu");
        assert_eq!(canonical("hugepages-2Mi"), "requests.hugepages-2Mi");
        assert_eq!(canonical("limits.cpu"), "limits.cpu");
        let twice = named_twice(["cpu", "memory", "pods", "requests.cpu"]);
        assert_eq!(twice, [("cpu", "requests.cpu".to_owned())]);
        assert!(named_twice(["cpu", "limits.cpu", "requests.memory"]).is_empty());
    }

    #[test]
    fn measures_follow_the_resource() {
        for key in ["cpu", "requests.cpu", "limits.cpu"] {
            assert_eq!(dimension(key), Dimension::Cores, "{key}");
        }
        for key in [
            "memory",
            "limits.memory",
            "ephemeral-storage",
            "requests.storage",
            "hugepages-1Gi",
            "fast.storageclass.storage.k8s.io/requests.storage",
        ] {
            assert_eq!(dimension(key), Dimension::Bytes, "{key}");
        }
        let counted = ["pods", "services", "requests.nvidia.com/gpu", "requests.example.com/requests.memory"];
        for key in counted.into_iter().chain(["fast.storageclass.storage.k8s.io/persistentvolumeclaims"]) {
            assert_eq!(dimension(key), Dimension::Count, "{key}");
        }
    }

    #[test]
    fn a_class_is_part_of_all_storage_and_not_of_another_class() {
        let fast = "fast.storageclass.storage.k8s.io/requests.storage";
        let slow = "slow.storageclass.storage.k8s.io/requests.storage";
        assert!(overlap(fast, "requests.storage") && overlap("requests.storage", slow));
        assert!(!overlap(fast, slow));
        assert!(overlap("limits.cpu", "cpu") && overlap("memory", "requests.memory"));
        assert!(!overlap("requests.cpu", "requests.memory"));
    }

    proptest! {
        #[test]
        fn a_billed_name_is_its_own_billed_name(key in keys()) {
            let name = canonical(key).into_owned();
            prop_assert_eq!(canonical(&name), &*name);
            prop_assert_eq!(dimension(key), dimension(&name));
        }

        #[test]
        fn overlapping_goes_both_ways(one in keys(), other in keys()) {
            prop_assert_eq!(overlap(one, other), overlap(other, one));
            prop_assert!(overlap(one, one));
        }
    }
}
