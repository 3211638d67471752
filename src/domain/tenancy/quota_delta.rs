//! Changes of a quota (Art. 15): keys that grow, keys that shrink, and limits below use.

use std::collections::{BTreeMap, BTreeSet};

use super::quota::{QuotaFinding, QuotaUse, effective};
use crate::quantity::Quantity;

/// Keys of two quotas by what happens to them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuotaDelta {
    /// More is allowed than before. A key that is dropped grows: nothing limits it any more.
    pub grown: Vec<String>,
    /// Less is allowed than before. A key that is added shrinks: nothing limited it before.
    pub shrunk: Vec<String>,
    /// As before, however it is written.
    pub unchanged: Vec<String>,
}

/// A limit below what is in use. A shrink waits on this, on the department's time (Art. 15).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BelowUse {
    /// The quota key.
    pub key: String,
    /// The new limit.
    pub new: Quantity,
    /// The amount in use.
    pub used: Quantity,
}

/// Compares two quotas as they are in force: what was not granted of LoadBalancer and NodePort services is 0.
///
/// # Errors
/// The first value that is no quantity; a quota without [`super::quota::findings`] has none.
pub fn delta(
    old: &BTreeMap<String, String>,
    new: &BTreeMap<String, String>,
) -> Result<QuotaDelta, QuotaFinding> {
    let (old, new) = (amounts(&effective(old))?, amounts(&effective(new))?);
    let mut delta = QuotaDelta::default();
    for key in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
        let list = match (old.get(key), new.get(key)) {
            (Some(before), Some(after)) if after == before => &mut delta.unchanged,
            (Some(before), Some(after)) if after < before => &mut delta.shrunk,
            (None, Some(_)) => &mut delta.shrunk,
            _ => &mut delta.grown,
        };
        list.push(key.clone());
    }
    Ok(delta)
}

/// The keys whose new limit is below what is used, with both. `used` is `status.used` of the live quota;
/// a key it does not hold was not counted so far and cannot be judged.
///
/// # Errors
/// The first value that is no quantity.
pub fn below_use(
    new_hard: &BTreeMap<String, String>,
    used: &BTreeMap<String, String>,
) -> Result<Vec<BelowUse>, QuotaFinding> {
    let used = amounts(used)?;
    let below = amounts(new_hard)?.into_iter().filter_map(|(key, new)| {
        let used = *used.get(&key)?;
        (new < used).then_some(BelowUse { key, new, used })
    });
    Ok(below.collect())
}

/// Keys that a change lowers below what is used (Art. 15): a key that stays or grows takes nothing away.
///
/// # Errors
/// The first value that is no quantity.
pub fn lowered_below_use(
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
    used: &BTreeMap<String, String>,
) -> Result<Vec<BelowUse>, QuotaFinding> {
    let lowered = delta(before, after)?.shrunk;
    let below = below_use(after, used)?.into_iter();
    Ok(below.filter(|below| lowered.contains(&below.key)).collect())
}

/// Keys that a change limits for the first time: their use is not counted before they are in the quota.
///
/// # Errors
/// The first value that is no quantity.
pub fn newly_limited(
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
) -> Result<Vec<String>, QuotaFinding> {
    let before_in_force = effective(before);
    let lowered = delta(before, after)?.shrunk.into_iter();
    Ok(lowered.filter(|key| !before_in_force.contains_key(key)).collect())
}

/// Returns true if Kubernetes has counted, or cannot count, the use of every key that a change limits for the first time:
/// the key is in force, whatever its limit. Values that are no quantities have no use.
#[must_use]
pub fn is_judged(
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
    live: &QuotaUse,
) -> bool {
    newly_limited(before, after).unwrap_or_default().iter().all(|key| live.keys.contains(key))
}

fn amounts(quota: &BTreeMap<String, String>) -> Result<BTreeMap<String, Quantity>, QuotaFinding> {
    quota
        .iter()
        .map(|(key, value)| match value.parse::<Quantity>() {
            Ok(amount) => Ok((key.clone(), amount.stored())),
            Err(error) => Err(QuotaFinding::NotAQuantity { key: key.clone(), error }),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn quota(lines: &[(&str, &str)]) -> BTreeMap<String, String> {
        lines.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn art_15_grown_shrunk_and_unchanged() {
        let old =
            quota(&[("pods", "50"), ("requests.cpu", "8"), ("requests.memory", "16Gi"), ("secrets", "9")]);
        let new =
            quota(&[("pods", "60"), ("requests.cpu", "7500m"), ("requests.memory", "16384Mi"), ("cpu", "9")]);
        let delta = delta(&old, &new).unwrap();
        assert_eq!(delta.grown, ["pods", "secrets"], "dropping a limit enlarges");
        assert_eq!(delta.shrunk, ["cpu", "requests.cpu"]);
        assert_eq!(delta.unchanged, ["requests.memory", "services.loadbalancers", "services.nodeports"]);
    }

    #[test]
    fn a_first_load_balancer_is_growth_and_writing_its_zero_is_not() {
        let none = BTreeMap::new();
        assert_eq!(
            delta(&none, &quota(&[("services.loadbalancers", "1")])).unwrap().grown,
            ["services.loadbalancers"]
        );
        let zero = delta(&none, &quota(&[("services.loadbalancers", "0")])).unwrap();
        assert!(zero.grown.is_empty() && zero.shrunk.is_empty());
    }

    #[test]
    fn a_shrink_below_use_says_what_is_used() {
        let used = quota(&[("requests.cpu", "6500m"), ("pods", "10")]);
        let below =
            below_use(&quota(&[("requests.cpu", "6"), ("pods", "10"), ("secrets", "1")]), &used).unwrap();
        assert_eq!(below.len(), 1);
        assert_eq!((below[0].key.as_str(), below[0].new.to_string()), ("requests.cpu", "6".to_owned()));
        assert_eq!(below[0].used.to_string(), "6500m");
    }

    /// The new limit is written and not enforced yet: the use stays counted, or the quota would go back to counting.
    #[test]
    fn art_15_use_stays_counted_while_its_limit_comes_into_force() {
        let (before, after) = (quota(&[("pods", "50")]), quota(&[("pods", "50"), ("services", "0")]));
        let mut live = QuotaUse { in_force: true, keys: ["pods".to_owned()].into(), ..QuotaUse::default() };
        assert!(!is_judged(&before, &after, &live));
        live.keys.insert("services".to_owned());
        live.in_force = false;
        assert!(is_judged(&before, &after, &live));
        assert!(is_judged(&before, &before, &QuotaUse::default()), "nothing is limited for the first time");
    }

    #[test]
    fn a_value_that_is_no_quantity_is_named() {
        let error = delta(&BTreeMap::new(), &quota(&[("pods", "many")])).unwrap_err();
        assert!(matches!(error, QuotaFinding::NotAQuantity { key, .. } if key == "pods"));
    }

    fn quotas() -> impl Strategy<Value = BTreeMap<String, String>> {
        proptest::collection::btree_map("[a-e]", "[1-9]{1,3}(m|Ki|k)?", 0..5)
    }

    proptest! {
        #[test]
        fn turning_a_change_round_swaps_grown_and_shrunk(old in quotas(), new in quotas()) {
            let (there, back) = (delta(&old, &new).unwrap(), delta(&new, &old).unwrap());
            prop_assert_eq!(there.grown, back.shrunk);
            prop_assert_eq!(there.shrunk, back.grown);
            prop_assert_eq!(there.unchanged, back.unchanged);
        }
    }
}
