//! The LimitRange: the Region's defaults for containers, without which a quota on CPU or memory would refuse
//! every pod that does not spell out its own.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{LimitRange, LimitRangeItem, LimitRangeSpec};
use k8s_openapi::apimachinery::pkg::api::resource;

use super::quota::stored;
use super::{Tenant, meta};
pub use crate::api::region::ContainerLimits;

/// Name of the limit range.
pub const NAME: &str = "govcloud-defaults";

pub(super) fn desired(tenant: &Tenant) -> Option<LimitRange> {
    let ContainerLimits { default, default_request, max, min } = tenant.limit_range.as_ref()?;
    let item = LimitRangeItem {
        type_: "Container".to_owned(),
        default: quantities(default),
        default_request: quantities(default_request),
        max: quantities(max),
        min: quantities(min),
        max_limit_request_ratio: None,
    };
    Some(LimitRange { metadata: meta(tenant, NAME), spec: Some(LimitRangeSpec { limits: vec![item] }) })
}

fn quantities(map: &BTreeMap<String, String>) -> Option<BTreeMap<String, resource::Quantity>> {
    (!map.is_empty()).then(|| map.iter().map(|(key, value)| (key.clone(), stored(value))).collect())
}
