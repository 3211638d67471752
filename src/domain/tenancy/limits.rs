//! The LimitRange: the Region's defaults for containers, without which a quota on CPU or memory would refuse
//! every pod that does not spell out its own.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{LimitRange, LimitRangeItem, LimitRangeSpec};
use k8s_openapi::apimachinery::pkg::api::resource;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::letter::{Letter, Path};
use super::quota::{lines, stored};
pub use govcloud_api::region::ContainerLimits;

/// Name of the limit range.
pub const NAME: &str = "govcloud-defaults";

/// The Region's limits with what they say: the same in every namespace of an application.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits<'a> {
    pub(super) limits: &'a ContainerLimits,
    pub(super) letter: Letter,
}

impl<'a> Limits<'a> {
    /// Of these.
    pub fn new(limits: &'a ContainerLimits) -> Self {
        Self { limits, letter: letter(limits) }
    }
}

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

/// What these limits say as the server keeps them: what has a maximum and no default gets it as that, and so does a
/// request from its default, else from its minimum.
fn letter(limits: &ContainerLimits) -> Letter {
    let [mut default, mut request, max, min] =
        [&limits.default, &limits.default_request, &limits.max, &limits.min]
            .map(|map| Lines::from_iter(lines(map)));
    fill(&mut default, &max);
    fill(&mut request, &default);
    fill(&mut request, &min);
    let list = Path::root().at("spec").at("limits");
    let item = list.item(0);
    let maps = [("default", default), ("defaultRequest", request), ("max", max), ("min", min)];
    let amounts = maps.into_iter().map(|(name, map)| item.at(name).amounts(map.into_iter())).sum::<Letter>();
    list.list() + item.map() + item.at("type").text(CONTAINER) + amounts
}

/// Quantities by key, borrowed.
type Lines<'a> = BTreeMap<&'a str, &'a str>;

fn fill<'a>(lines: &mut Lines<'a>, from: &Lines<'a>) {
    for (key, value) in from {
        lines.entry(key).or_insert(value);
    }
}

fn quantities(map: &BTreeMap<String, String>) -> Option<BTreeMap<String, resource::Quantity>> {
    (!map.is_empty()).then(|| map.iter().map(|(key, value)| (key.clone(), stored(value))).collect())
}
