//! Checks of requested quotas, for first applications and for changes alike (Art. 11, 15).

use super::finding::Finding;
use super::quantity::Quantity;
use super::tenancy;
use govcloud_api::quota::NamespaceQuota;
use govcloud_api::region::Tenancy;

/// Findings on quota lines that the API server would refuse: an approved record can always be carried out.
pub(crate) fn bad_quota(namespace: &NamespaceQuota) -> Vec<Finding> {
    let quota = &namespace.quota.0;
    let findings = tenancy::quota::findings(quota).into_iter().chain(tenancy::quota::named_twice(quota));
    findings.map(|f| Finding::BadQuota(namespace.name.clone(), f)).collect()
}

/// Findings on quota lines that could not be carried out, or not be used as granted, before they are decided on.
pub(crate) fn unworkable_quota(namespace: &NamespaceQuota) -> Vec<Finding> {
    let quota = &namespace.quota.0;
    let found =
        tenancy::quota::obstructions(quota).into_iter().chain(tenancy::quota::unsaid_node_ports(quota));
    found.map(|f| Finding::BadQuota(namespace.name.clone(), f)).collect()
}

/// Findings on quota above the Region's maximum, and on storage classes that it does not offer. A new namespace must name
/// every key that the Region bounds: an absent limit is above every maximum.
pub(crate) fn beyond_region(asked: &NamespaceQuota, tenancy: &Tenancy, new: bool) -> Vec<Finding> {
    let mut found = Vec::new();
    let (name, quota) = (&asked.name, &asked.quota.0);
    for (key, max) in &tenancy.max_quota {
        let above = |amount: &str| {
            Finding::QuotaAboveMaximum(name.clone(), key.clone(), amount.to_owned(), max.clone())
        };
        match quota.get(key).map(|a| (a, a.parse::<Quantity>(), max.parse::<Quantity>())) {
            None if new => found.push(above("∞")),
            Some((a, Ok(amount), Ok(m))) if amount > m => found.push(above(a)),
            // `bad_quota` reports an amount that cannot be read, and the Region a maximum that cannot.
            _ => {}
        }
    }
    let offered = |class: &&str| tenancy.storage_classes.iter().any(|offered| offered == class);
    let classes =
        quota.keys().filter_map(|key| tenancy::quota::class_of(key)).filter(|class| !offered(class));
    found.extend(classes.map(|class| Finding::StorageClassNotOffered(class.to_owned())));
    found
}
