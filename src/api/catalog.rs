//! ServiceCatalog: the priced items that fees settle by (Art. 26).

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// 云服务目录: the items that a department may use, their prices, and the resource each stands for (Art. 26).
#[derive(CustomResource, Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq)]
#[kube(
    group = "govcloud.dev",
    version = "v1alpha1",
    kind = "ServiceCatalog",
    plural = "servicecatalogs",
    shortname = "scat",
    category = "govcloud",
    derive = "PartialEq",
    doc = "云服务目录: priced items and the resources they stand for (Art. 26). Fees settle on actual use.",
    printcolumn(name = "Currency", type_ = "string", json_path = ".spec.currency"),
    printcolumn(name = "From", type_ = "string", json_path = ".spec.effectiveFrom"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Edition", type_ = "string", json_path = ".spec.edition")
)]
#[serde(rename_all = "camelCase")]
pub struct ServiceCatalogSpec {
    /// Edition of the catalog, for example 2026年版.
    #[schemars(length(min = 1, max = 64))]
    pub edition: String,
    /// ISO 4217 code of the prices.
    #[schemars(length(max = 3), regex(pattern = "^[A-Z]{3}$"))]
    pub currency: String,
    /// First day that these prices hold, YYYY-MM-DD.
    #[schemars(length(max = 10), extend("format" = "date"))]
    pub effective_from: String,
    /// The items.
    #[schemars(length(min = 1, max = 256), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["code"]))]
    pub items: Vec<CatalogItem>,
}

/// One item of the catalog.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct CatalogItem {
    /// Code of the item, unique in the catalog.
    #[schemars(length(min = 1, max = 64), regex(pattern = "^[A-Za-z0-9][-A-Za-z0-9_.]*$"))]
    pub code: String,
    /// Name of the item for people.
    #[schemars(length(min = 1, max = 128))]
    pub name: String,
    /// The ResourceQuota key that is metered, for example `requests.cpu`.
    #[schemars(length(min = 1, max = 128))]
    pub resource: String,
    /// Amount of the resource in one unit: a Kubernetes quantity such as `1` or `1Gi`.
    #[schemars(length(min = 1, max = 32))]
    pub unit: String,
    /// Over which time a unit is priced.
    pub per: Period,
    /// Price of a unit over that time, a decimal number as text.
    #[schemars(length(min = 1, max = 32), regex(pattern = r"^[0-9]+(\.[0-9]+)?$"))]
    pub price: String,
}

/// The time that a price is for.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub enum Period {
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// A calendar month.
    Month,
    /// A calendar year.
    Year,
}
