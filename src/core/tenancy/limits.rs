//! The LimitRange: the Region's defaults for containers, without which a quota on CPU or memory would refuse
//! every pod that does not spell out its own.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{LimitRange, LimitRangeItem, LimitRangeSpec};
use k8s_openapi::apimachinery::pkg::api::resource;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::Value;

use super::letter::consists;
use super::quota::{is_stored, lines, stored};
pub use crate::api::region::ContainerLimits;

/// Name of the limit range.
pub const NAME: &str = "govcloud-defaults";

/// What the limits are of.
const CONTAINER: &str = "Container";

/// The LimitRange with these limits.
pub(super) fn desired(limits: &ContainerLimits, metadata: ObjectMeta) -> LimitRange {
    let ContainerLimits { default, default_request, max, min } = limits;
    let item = LimitRangeItem {
        type_: CONTAINER.to_owned(),
        default: quantities(default),
        default_request: quantities(default_request),
        max: quantities(max),
        min: quantities(min),
        max_limit_request_ratio: None,
    };
    LimitRange { metadata, spec: Some(LimitRangeSpec { limits: vec![item] }) }
}

/// Whether a live spec is to the letter what these limits are written as.
pub(super) fn agrees(limits: &ContainerLimits, spec: &Value) -> bool {
    let ContainerLimits { default, default_request, max, min } = limits;
    let maps = [("default", default), ("defaultRequest", default_request), ("max", max), ("min", min)];
    let written = maps.iter().filter(|(_, map)| !map.is_empty()).count();
    let item = |item: &Value| {
        item["type"] == CONTAINER
            && item.as_object().is_some_and(|fields| fields.len() == written + 1)
            && maps.iter().all(|(field, map)| consists(&item[field], lines(map), is_stored))
    };
    let only = |limits: &Value| limits.as_array().is_some_and(|all| all.len() == 1 && item(&all[0]));
    consists(spec, [("limits", ())], |(), limits| only(limits))
}

fn quantities(map: &BTreeMap<String, String>) -> Option<BTreeMap<String, resource::Quantity>> {
    (!map.is_empty()).then(|| map.iter().map(|(key, value)| (key.clone(), stored(value))).collect())
}
