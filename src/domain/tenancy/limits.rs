//! The LimitRange: the Region's defaults for containers, without which a quota on CPU or memory would refuse
//! every pod that does not spell out its own (Art. 13).

use std::collections::BTreeMap;

use govcloud_api::region::ContainerLimits;
use govcloud_api::resources;
use serde_json::{Map, Value, json};

use super::normalize::{amounts, stored, without_empty};
use super::{ObjectRules, Tenant, TenantObject, WriteStep};

const NAME: &str = "govcloud-defaults";

/// Quantities by resource name, in an item of the LimitRange.
const MAPS: [&str; 5] = ["default", "defaultRequest", "max", "min", "maxLimitRequestRatio"];

pub(super) static RULES: ObjectRules = ObjectRules {
    resource: resources::LIMIT_RANGE,
    desired,
    step: WriteStep::Bounds,
    compared: &[("spec", normalized)],
    merged: &[],
    immutable: &[],
};

/// The LimitRange of a Region that has limits, with the defaults that the server would fill in (Kubernetes 1.37,
/// `pkg/apis/core/v1/defaults.go`): a default from the maximum, a request from the default, else from the minimum.
fn desired(tenant: &Tenant) -> Vec<TenantObject> {
    let Some(ContainerLimits { default, default_request, max, min }) = &tenant.order.limit_range else {
        return Vec::new();
    };
    let default = filled(default, &[max]);
    let request = filled(default_request, &[&default, min]);
    let mut item = json!({ "type": "Container" });
    for (name, map) in [("default", &default), ("defaultRequest", &request), ("max", max), ("min", min)] {
        if !map.is_empty() {
            item[name] = map.iter().map(|(key, value)| (key.clone(), stored(value))).collect();
        }
    }
    vec![tenant.object(&RULES, NAME, json!({ "spec": { "limits": [item] } }))]
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
