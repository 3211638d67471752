//! The LimitRange: the Region's defaults for containers, without which a quota on CPU or memory would refuse every pod that
//! does not spell out its own (Art. 13), and bounds for pods, without which a pod would evade such a quota (S1).

use std::collections::BTreeMap;

use govcloud_api::region::{ContainerLimits, LIMIT_ORDER};
use govcloud_api::resources;
use serde_json::{Map, Value, json};

use super::normalize::{amounts, stored, without_empty};
use super::{ObjectRules, Tenant, TenantObject, WriteStep};
use crate::bilingual::{Bilingual, bilingual};
use crate::quantity::{Quantity, QuantityError};

const NAME: &str = "govcloud-defaults";

/// Quantities by resource name, in an item of the LimitRange.
const MAPS: [&str; 5] = ["default", "defaultRequest", "max", "min", "maxLimitRequestRatio"];

/// Resources of which a pod with pod-level resources may leave out what the quota limits (Kubernetes 1.34 and later), and
/// the least of each that every pod has to request instead.
const LEAST: [(&str, &str); 2] = [("cpu", "1m"), ("memory", "1Mi")];

/// Resources of a container that are amounts and may be limited above what is requested.
const OVERCOMMITTED: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];

pub(super) static RULES: ObjectRules = ObjectRules {
    resource: resources::LIMIT_RANGE,
    desired,
    step: WriteStep::Bounds,
    compared: &[("spec", normalized)],
    merged: &[],
    immutable: &[],
};

/// The LimitRange of a tenant; none where neither the Region nor the quota gives anything to it, or the Region's limits
/// contradict each other.
fn desired(tenant: &Tenant) -> Vec<TenantObject> {
    let Some(limits) = &tenant.order.limit_range else { return Vec::new() };
    let items = [container_item(limits), pod_item(&tenant.namespace.quota)];
    let items: Vec<Value> = items.into_iter().flatten().collect();
    if items.is_empty() {
        return Vec::new();
    }
    vec![tenant.object(&RULES, NAME, json!({ "spec": { "limits": items } }))]
}

/// The Region's limits for containers, with the defaults that the server would fill in (Kubernetes 1.37,
/// `pkg/apis/core/v1/defaults.go`): a default from the maximum, a request from the default, else from the minimum.
fn container_item(limits: &ContainerLimits) -> Option<Value> {
    let ContainerLimits { default, default_request, max, min } = limits;
    let default = filled(default, &[max]);
    let request = filled(default_request, &[&default, min]);
    let maps = [("default", &default), ("defaultRequest", &request), ("max", max), ("min", min)];
    item("Container", maps)
}

/// Bounds for pods: at least a little of what the quota limits, and a limit where the quota limits limits. So each pod
/// states what the quota counts, also one that states resources for the whole pod.
fn pod_item(quota: &BTreeMap<String, String>) -> Option<Value> {
    let (mut min, mut max) = (BTreeMap::new(), BTreeMap::new());
    for (resource, least) in LEAST {
        let [requests, limits] = [format!("requests.{resource}"), format!("limits.{resource}")];
        let granted = [resource, &requests, &limits].into_iter().filter_map(|key| quota.get(key));
        let amount = |text: &&String| text.parse::<Quantity>().ok();
        let Some(lowest) = granted.min_by_key(amount) else { continue };
        let least = least.to_owned();
        min.insert(
            resource.to_owned(),
            if amount(&lowest) < amount(&&least) { lowest.clone() } else { least },
        );
        max.extend(quota.get(&limits).map(|limit| (resource.to_owned(), limit.clone())));
    }
    item("Pod", [("max", &max), ("min", &min)])
}

fn item<const N: usize>(of: &str, maps: [(&str, &BTreeMap<String, String>); N]) -> Option<Value> {
    let some = |(_, map): &(&str, &BTreeMap<String, String>)| !map.is_empty();
    let maps: Map<String, Value> = maps
        .into_iter()
        .filter(some)
        .map(|(name, map)| {
            (name.to_owned(), map.iter().map(|(key, value)| (key.clone(), stored(value))).collect())
        })
        .collect();
    (!maps.is_empty()).then(|| {
        let mut item = Value::Object(maps);
        item["type"] = of.into();
        item
    })
}

fn filled(map: &BTreeMap<String, String>, from: &[&BTreeMap<String, String>]) -> BTreeMap<String, String> {
    let lines = from.iter().rev().copied().chain([map]).flatten();
    lines.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// `limits` as a map by type.
fn normalized(spec: &Value) -> Value {
    let by_type = spec["limits"].as_array().into_iter().flatten().map(|item| {
        let mut item = without_empty(item);
        amounts(&mut item, &MAPS);
        (item["type"].as_str().unwrap_or_default().to_owned(), item)
    });
    json!({ "limits": by_type.collect::<Map<_, _>>() })
}

/// Reasons why the API server would refuse a LimitRange of a Region's limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LimitFinding {
    /// Not a quantity.
    NotAQuantity {
        /// The field.
        field: String,
        /// The error.
        error: QuantityError,
    },
    /// Below zero.
    Negative {
        /// The field.
        field: String,
        /// Its value as written.
        value: String,
    },
    /// No resource of a container.
    UnknownResource {
        /// The field.
        field: String,
    },
    /// Above what it may not be above.
    Above {
        /// The field.
        field: String,
        /// Its value as written.
        value: String,
        /// The other field.
        other: String,
        /// The value of the other.
        bound: String,
    },
    /// A limit and a request that differ, of a resource that is given whole.
    Unequal {
        /// The field of the request.
        field: String,
        /// Its value.
        value: String,
        /// The limit.
        limit: String,
    },
}

impl LimitFinding {
    /// Wording: the defect, its field, and what is allowed.
    #[must_use]
    pub fn text(&self) -> Bilingual {
        match self {
            Self::NotAQuantity { field, error } => {
                let Bilingual { zh, en } = error.text();
                bilingual!("{field} 不是有效的数量：{zh}", "{field} is not a valid quantity: {en}")
            }
            Self::Negative { field, value } => bilingual!(
                "{field} 不得为负数：{value}",
                "{field} is negative ({value}): zero or more is allowed"
            ),
            Self::UnknownResource { field } => bilingual!(
                "{field} 不是容器的资源：允许 cpu、memory、ephemeral-storage、hugepages-<大小>、<域名>/<资源>",
                "{field} is no resource of a container: cpu, memory, ephemeral-storage, hugepages-<size> and <domain>/<resource> are allowed"
            ),
            Self::Above { field, value, other, bound } => bilingual!(
                "{field} 为 {value}，高于 {other} 的 {bound}；请改正其一",
                "{field} is {value}, above {other}, which is {bound}; correct one of them"
            ),
            Self::Unequal { field, value, limit } => bilingual!(
                "{field} 为 {value}，须与限额 {limit} 相等：该资源不能超额分配",
                "{field} is {value} and must equal the limit {limit}: this resource cannot be overcommitted"
            ),
        }
    }
}

/// Finds every contradiction in a Region's limits, by the rules of the API server (Kubernetes 1.37,
/// `pkg/apis/core/validation`, `ValidateLimitRange`). Empty means that it takes the LimitRange.
pub fn findings(limits: &ContainerLimits) -> Vec<LimitFinding> {
    let field = |map: &str, key: &str| format!("tenancy.limitRange.{map}.{key}");
    let maps = [
        ("default", &limits.default),
        ("defaultRequest", &limits.default_request),
        ("max", &limits.max),
        ("min", &limits.min),
    ];
    let mut found = Vec::new();
    for (name, map) in maps {
        for (key, value) in map {
            found.extend(value_finding(field(name, key), key, value));
        }
    }
    if !found.is_empty() {
        return found;
    }
    let map = |name: &str| maps.iter().find(|(n, _)| *n == name).map(|(_, map)| *map);
    let amount = |text: &String| text.parse::<Quantity>().ok();
    for (low, high) in LIMIT_ORDER {
        let (Some(lows), Some(highs)) = (map(low), map(high)) else { continue };
        for (key, value) in lows {
            if let Some(bound) = highs.get(key).filter(|bound| amount(value) > amount(bound)) {
                found.push(LimitFinding::Above {
                    field: field(low, key),
                    value: value.clone(),
                    other: field(high, key),
                    bound: bound.clone(),
                });
            }
        }
    }
    let given = filled(&limits.default, &[&limits.max]);
    for (key, value) in &limits.default_request {
        let whole = !OVERCOMMITTED.contains(&key.as_str());
        if let Some(limit) = given.get(key).filter(|limit| whole && amount(limit) > amount(value)) {
            let (field, value, limit) = (field("defaultRequest", key), value.clone(), limit.clone());
            found.push(LimitFinding::Unequal { field, value, limit });
        }
    }
    found
}

fn value_finding(field: String, key: &str, value: &str) -> Option<LimitFinding> {
    let known = OVERCOMMITTED.contains(&key) || key.starts_with("hugepages-") || key.contains('/');
    match value.parse::<Quantity>() {
        _ if !known => Some(LimitFinding::UnknownResource { field }),
        Err(error) => Some(LimitFinding::NotAQuantity { field, error }),
        Ok(amount) if amount.is_negative() => Some(LimitFinding::Negative { field, value: value.to_owned() }),
        Ok(_) => None,
    }
}

#[cfg(test)]
#[path = "limits/tests.rs"]
mod tests;
