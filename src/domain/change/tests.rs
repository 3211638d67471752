use proptest::prelude::*;
use serde_json::json;

use super::*;

/// Returns true if two lists grant the same, however the amounts are written.
fn same(a: &[GrantedNamespace], b: &[GrantedNamespace]) -> bool {
    let same_quota = |x: &GrantedNamespace, y: &GrantedNamespace| {
        let mut keys = x.quota.0.keys().chain(y.quota.0.keys());
        keys.all(|k| same_amount(x.quota.0.get(k), y.quota.0.get(k)))
    };
    let same = |(x, y): (&GrantedNamespace, &GrantedNamespace)| x.name == y.name && same_quota(x, y);
    a.len() == b.len() && a.iter().zip(b).all(same)
}

/// Namespaces by entry, as the API carries them.
fn namespaces() -> impl Strategy<Value = serde_json::Value> {
    let amount = prop_oneof!["1", "1000m", "2"];
    let quota = proptest::collection::btree_map("[ab]", amount, 0..3);
    proptest::collection::btree_map("[xy]", quota, 0..3).prop_map(|by_entry| {
        by_entry.into_iter().map(|(name, quota)| json!({ "name": name, "quota": quota })).collect()
    })
}

proptest! {
    #[test]
    fn a_change_equal_to_the_grant_in_force_is_found(before in namespaces(), asked in namespaces()) {
        let before: Vec<GrantedNamespace> = serde_json::from_value(before).unwrap();
        let asked: ResourceAdjustment = serde_json::from_value(
            json!({ "application": "travel", "reason": "x", "namespaces": asked }),
        )
        .unwrap();
        prop_assert_eq!(changes(&before, &asked), !same(&merged(&before, &asked), &before));
    }
}
