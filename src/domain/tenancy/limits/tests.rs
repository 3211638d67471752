use proptest::prelude::*;

use super::*;

fn map(lines: &[(&str, &str)]) -> BTreeMap<String, String> {
    lines.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// Bounds for pods, as `(min, max)`.
fn pod(quota: &[(&str, &str)]) -> Option<(Value, Value)> {
    pod_item(&map(quota)).map(|item| {
        assert_eq!(item["type"], "Pod");
        (item["min"].clone(), item["max"].clone())
    })
}

#[test]
fn s1_a_pod_states_what_the_quota_counts() {
    assert_eq!(pod(&[("pods", "5"), ("requests.storage", "1Gi")]), None);
    for key in ["cpu", "requests.cpu", "limits.cpu"] {
        assert_eq!(pod(&[(key, "8")]).unwrap().0, json!({ "cpu": "1m" }), "{key}");
    }
    let both = pod(&[("requests.cpu", "8"), ("requests.memory", "16Gi")]);
    assert_eq!(
        both,
        Some((json!({ "cpu": "1m", "memory": "1Mi" }), Value::Null)),
        "a limit is not asked for"
    );
    let limits = pod(&[("limits.memory", "16384Mi"), ("requests.memory", "8Gi")]);
    assert_eq!(limits, Some((json!({ "memory": "1Mi" }), json!({ "memory": "16Gi" }))));
}

#[test]
fn a_quota_of_nothing_leaves_room_for_a_pod_that_asks_for_nothing() {
    assert_eq!(
        pod(&[("requests.cpu", "0"), ("limits.cpu", "2")]),
        Some((json!({ "cpu": "0" }), json!({ "cpu": "2" })))
    );
}

#[test]
fn each_contradiction_of_a_regions_limits_is_named_with_its_field() {
    let limits = |default: &[_], default_request: &[_], max: &[_], min: &[_]| {
        let [default, default_request, max, min] = [default, default_request, max, min].map(map);
        findings(&ContainerLimits { default, default_request, max, min })
    };
    let (small, large) = (&[("memory", "256Mi")][..], &[("memory", "0.5Gi")][..]);
    for (found, field, other) in [
        (limits(small, large, &[], &[]), "defaultRequest", "default"),
        (limits(large, &[], small, &[]), "default", "max"),
        (limits(&[], large, small, &[]), "defaultRequest", "max"),
        (limits(small, &[], &[], large), "min", "default"),
        (limits(&[], small, &[], large), "min", "defaultRequest"),
        (limits(&[], &[], small, large), "min", "max"),
    ] {
        let [LimitFinding::Above { field: f, other: o, .. }] = &found[..] else { panic!("{found:?}") };
        let named = |name| format!("tenancy.limitRange.{name}.memory");
        assert_eq!((f, o), (&named(field), &named(other)));
        assert!(found[0].text().zh.contains(f) && found[0].text().en.contains("0.5Gi"));
    }
    assert_eq!(limits(large, small, large, small), []);
    let gpu = "example.com/gpu";
    assert!(matches!(limits(&[(gpu, "2")], &[(gpu, "1")], &[], &[])[..], [LimitFinding::Unequal { .. }]));
    assert!(matches!(limits(&[], &[(gpu, "1")], &[(gpu, "2")], &[])[..], [LimitFinding::Unequal { .. }]));
    assert!(matches!(limits(&[("pods", "2")], &[], &[], &[])[..], [LimitFinding::UnknownResource { .. }]));
    assert!(matches!(limits(&[("cpu", "-1")], &[], &[], &[])[..], [LimitFinding::Negative { .. }]));
    assert!(matches!(limits(&[("cpu", "半个")], &[], &[], &[])[..], [LimitFinding::NotAQuantity { .. }]));
}

proptest! {
    /// Filling in the server's defaults makes no contradiction of limits that have none.
    #[test]
    fn filled_limits_are_in_order(
        default in proptest::option::of(1..4_u8), request in proptest::option::of(1..4_u8),
        max in proptest::option::of(1..4_u8), min in proptest::option::of(1..4_u8),
    ) {
        let one = |amount: Option<u8>| amount.map(|a| ("cpu".to_owned(), a.to_string())).into_iter().collect();
        let limits =
            ContainerLimits { default: one(default), default_request: one(request), max: one(max), min: one(min) };
        prop_assume!(findings(&limits).is_empty());
        if let Some(item) = container_item(&limits) {
            let order = ["min", "defaultRequest", "default", "max"].map(|name| item[name]["cpu"].as_str());
            let given: Vec<&str> = order.into_iter().flatten().collect();
            prop_assert!(given.is_sorted(), "{item}");
        }
    }
}
