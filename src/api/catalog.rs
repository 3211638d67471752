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
    doc = "云服务目录: one edition of the priced items and the resources they stand for (Art. 26). Fees settle on what was opened. An edition that a statement was billed by does not change.",
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
#[derive(Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.basis != 'Granted' || has(self.resource)").message("basis 为 Granted 的条目须写明 resource（配额键） / an item with basis Granted names the quota key in resource"),
    validation = Rule::new("self.basis == 'Granted' || !has(self.resource)").message("basis 不是 Granted 的条目不得写 resource / an item with another basis than Granted has no resource"),
)]
pub struct CatalogItem {
    /// Code of the item, unique in the catalog.
    #[schemars(length(min = 1, max = 64), regex(pattern = "^[A-Za-z0-9][-A-Za-z0-9_.]*$"))]
    pub code: String,
    /// Name of the item for people.
    #[schemars(length(min = 1, max = 128))]
    pub name: String,
    /// Class of the item (GB/T 34077.2-2021, 5.4 to 5.6).
    #[serde(default)]
    pub class: ItemClass,
    /// Quantity that is charged for.
    #[serde(default)]
    pub basis: Basis,
    /// The ResourceQuota key that is metered, for example `requests.cpu`; with basis `Granted`, and no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub resource: Option<String>,
    /// Amount of the resource in one unit: a Kubernetes quantity such as `1` or `1Gi`. `1` without a resource.
    #[schemars(length(min = 1, max = 32))]
    #[x_kube(validation = Rule::new("isQuantity(self) && quantity(self).isGreaterThan(quantity('0'))").message("unit 须为大于零的 Kubernetes 数量，如 1、500m、1Gi / unit must be a Kubernetes quantity above zero, such as 1, 500m or 1Gi"))]
    pub unit: String,
    /// Over which time a unit is priced.
    pub per: Period,
    /// Price of a unit over that time, a decimal number as text.
    #[schemars(length(min = 1, max = 32), regex(pattern = r"^[0-9]+(\.[0-9]+)?$"))]
    pub price: String,
}

/// Class of an item, as GB/T 34077.2-2021 divides the resources of a government cloud (5.4, 5.5, 5.6).
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub enum ItemClass {
    /// 基础设施资源。
    #[default]
    Infrastructure,
    /// 软件资源。
    Software,
    /// 人力资源。
    Human,
}

/// Quantity that an item is charged for.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub enum Basis {
    /// The granted amount of a quota key: what was opened, not what was used (据实).
    #[default]
    Granted,
    /// One for each tenant namespace.
    PerNamespace,
    /// One for each application with a tenant namespace.
    PerApplication,
    /// A quantity that people record.
    Manual,
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
