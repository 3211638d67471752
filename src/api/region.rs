//! Region: a tier of the government cloud and the rules that hold there (Art. 4, 5, 20, 30).

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::compliance::{ComplianceDuty, MetDuty};
use super::condition::Condition;
use super::deadline::Deadline;
pub use super::network::{Network, NetworkPeer, NetworkPort, NetworkRule, Protocol};
use super::record::TimelineEntry;
use super::time::Instant;

mod assessment;
mod settlement;
mod tenancy;

pub use assessment::{AssessmentRules, Coefficient, Criterion, LowUseRule, Scheme};
pub use settlement::{BudgetCeiling, ChargeUntil, Proration, Settlement};
pub use tenancy::{
    Allowed, ContainerLimits, IngressHost, LIMIT_ORDER, POD_SECURITY_VERSION, PodSecurity, Tenancy,
};

/// A province or a city with its own government cloud: its authority, provider, clocks and tenancy.
/// Named by its GB/T 2260 code, for example `410000` for Henan.
#[derive(CustomResource, Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq)]
#[kube(
    group = "govcloud.dev",
    version = "v1alpha1",
    kind = "Region",
    plural = "regions",
    shortname = "reg",
    category = "govcloud",
    status = "RegionStatus",
    derive = "PartialEq",
    doc = "A tier of the government cloud (省级、市级政务云): its authority, provider, clocks and tenancy. Named by its GB/T 2260 code.",
    validation = Rule::new("self.metadata.name.matches('^[1-9][0-9]{5}$')").message("名称须为 GB/T 2260 的六位行政区划代码，如 410000 / the name must be the six-digit GB/T 2260 code, such as 410000"),
    printcolumn(name = "Tier", type_ = "string", json_path = ".spec.tier"),
    printcolumn(name = "Fulfilment", type_ = "string", json_path = ".spec.fulfilment"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].reason", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Name", type_ = "string", json_path = ".spec.displayName.zh"),
    printcolumn(name = "Authority", type_ = "string", json_path = ".spec.authority"),
    printcolumn(name = "Provider", type_ = "string", json_path = ".spec.provider")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.tier != 'City' || has(self.parent)").message("市级政务云须写明所属的省 / a City must name its Province in `parent`"),
    validation = Rule::new("self.tier != 'Province' || !has(self.parent)").message("省级政务云没有上级 / a Province has no `parent`"),
    validation = Rule::new("self.tier == oldSelf.tier").message("层级不能更改 / the tier cannot change"),
    validation = Rule::new("!has(self.settlement) || has(self.catalog) || (has(self.catalogs) && size(self.catalogs) > 0)").message("设 settlement 须有服务目录：写明 catalogs / settlement needs a service catalog: name its editions in catalogs"),
    validation = Rule::new("!has(oldSelf.settlement) || !has(self.settlement) || self.settlement.firstMonth == oldSelf.settlement.firstMonth").message("settlement.firstMonth 不能更改：月份是相连的 / settlement.firstMonth cannot change: months are a chain"),
)]
pub struct RegionSpec {
    /// Name of the region for people.
    pub display_name: LocalName,
    /// Province or City (Art. 4).
    pub tier: Tier,
    /// Code of the Province that a City belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    #[x_kube(validation = Rule::new("self.matches('^[1-9][0-9]{5}$')").message("须为六位行政区划代码（GB/T 2260），如 410000 / must be the six-digit GB/T 2260 code of a region, such as 410000"))]
    pub parent: Option<String>,
    /// 政务云主管部门: the authority of this tier (Art. 5).
    #[schemars(length(min = 1, max = 128))]
    pub authority: String,
    /// 政务云服务提供方: the provider that runs the platform (Art. 9).
    #[schemars(length(min = 1, max = 128))]
    pub provider: String,
    /// The platform itself.
    pub platform: Platform,
    /// Name of the WorkCalendar that this region's clocks run by.
    #[schemars(length(min = 1, max = 253))]
    pub calendar: String,
    /// Name of one edition of the service catalogue that fees settle by (Art. 26); `catalogs` names several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub catalog: Option<String>,
    /// Names of the editions of the service catalogue, each in force from its `effectiveFrom` until the next one is. A City may
    /// name those of its Province.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), inner(length(min = 1, max = 253)), extend("x-kubernetes-list-type" = "set"))]
    pub catalogs: Vec<String>,
    /// Monthly settlement by the catalogue (Art. 6, 26). Absent: no statements are made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settlement: Option<Settlement>,
    /// Writer of the work order's ResourceGrant: the operator at once, or the provider by hand (Art. 13).
    #[serde(default)]
    pub fulfilment: Fulfilment,
    /// The periods of the measures in working days; a city may set its own (Art. 30).
    #[serde(default)]
    pub working_days: WorkingDays,
    /// Documents that the provider owes for the platform, and departments for their applications, and how often
    /// (Art. 17, 19, 21, 22, 24). Nothing is owed by default.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 14), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type", "party"]))]
    pub compliance: Vec<ComplianceDuty>,
    /// Rules for tenant namespaces of this region.
    pub tenancy: Tenancy,
    /// How the provider and the departments are assessed (Art. 27, 29); nobody is where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assessment: Option<AssessmentRules>,
}

impl RegionSpec {
    /// Names of the editions of its service catalogue, each once.
    pub fn catalog_names(&self) -> impl Iterator<Item = &str> {
        let one = self.catalog.as_deref().filter(|name| !self.catalogs.iter().any(|c| c == name));
        one.into_iter().chain(self.catalogs.iter().map(String::as_str))
    }
}

/// A name in both languages.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub struct LocalName {
    /// Chinese.
    #[schemars(length(min = 1, max = 64))]
    pub zh: String,
    /// English.
    #[schemars(length(min = 1, max = 64))]
    pub en: String,
}

/// Tier of the government cloud (Art. 4).
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub enum Tier {
    /// 省级政务云。
    Province,
    /// 市级政务云（含济源示范区）。
    City,
}

/// The platform of a region.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Platform {
    /// 网络安全等级保护 level that the platform is protected at; the measures ask for 3 (Art. 20).
    #[schemars(range(min = 1, max = 5))]
    pub protection_level: i32,
}

/// Writer of the ResourceGrant after an approval (Art. 13).
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub enum Fulfilment {
    /// The operator, at once.
    #[default]
    Automatic,
    /// The provider, with kubectl, within the period.
    ProviderApplied,
}

/// The periods in working days (Art. 13–16). Absent fields take the measures' own.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct WorkingDays {
    /// The provider provisions after notice (Art. 13). Default 3.
    #[schemars(range(min = 1, max = 250))]
    pub provision: i32,
    /// The department goes live after provisioning (Art. 14). Default 30.
    #[schemars(range(min = 1, max = 250))]
    pub go_live: i32,
    /// The department reports after go-live (Art. 14). Default 5.
    #[schemars(range(min = 1, max = 250))]
    pub go_live_report: i32,
    /// The provider carries out a change after notice (Art. 15). Default 3.
    #[schemars(range(min = 1, max = 250))]
    pub change: i32,
    /// The provider reclaims after notice of an approved exit (Art. 16). Default 3.
    #[schemars(range(min = 1, max = 250))]
    pub reclaim: i32,
    /// At contract end the provider helps the department to move out, from the notice until the data is handed over
    /// (Art. 28). The measures set no period; default 30, as for moving in (Art. 14).
    #[schemars(range(min = 1, max = 250))]
    pub migration: i32,
    /// The authority reviews within this; the measures set none (Art. 12), a region may (Art. 30).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 250))]
    pub review: Option<i32>,
    /// Notice before maintenance to those affected (Art. 18). Default 3.
    #[schemars(range(min = 0, max = 250))]
    pub maintenance_notice: i32,
    /// An adopted namespace is observed before the rules for tenants are enforced in it (Art. 3). The measures set no period;
    /// default 5.
    #[schemars(range(min = 0, max = 250))]
    pub adoption_observe: i32,
}

impl Default for WorkingDays {
    fn default() -> Self {
        Self {
            provision: 3,
            go_live: 30,
            go_live_report: 5,
            change: 3,
            reclaim: 3,
            migration: 30,
            review: None,
            maintenance_notice: 3,
            adoption_observe: 5,
        }
    }
}

/// Usability of a region, the volumes that it retains, and where records are filed in it.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct RegionStatus {
    /// The generation that this status was computed from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Ready`, `Stalled`, and `OnTime` where the provider owes compliance records.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// Volumes that outlived their application by the department's consent (Art. 23); absent where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retained_volumes: Option<RetainedVolumes>,
    /// Filing namespaces of the region that hold records, by name, at most 512. `kubectl govcloud queue` lists these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 512), inner(length(max = 63)), extend("x-kubernetes-list-type" = "set"))]
    pub filing_namespaces: Vec<String>,
    /// Number of filing namespaces with records that are not listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub filing_namespaces_not_listed: Option<i32>,
    /// Clocks of what the provider owes for the platform (Art. 17, 21, 24).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["obligation"]))]
    pub deadlines: Vec<Deadline>,
    /// The records that met these duties last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub compliance: Vec<MetDuty>,
    /// Events of these clocks, oldest first; past its bound, routine ones are dropped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), extend("x-kubernetes-list-type" = "atomic"))]
    pub timeline: Vec<TimelineEntry>,
    /// Number of entries that were dropped to keep the timeline bounded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeline_dropped: Option<i32>,
}

/// Volumes that a region retains of exited applications, until the department decides otherwise (Art. 23).
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct RetainedVolumes {
    /// Number of volumes.
    #[schemars(range(min = 0))]
    pub count: i32,
    /// Their capacity together, as a Kubernetes quantity.
    #[schemars(length(max = 32))]
    pub capacity: String,
    /// The volumes kept longest, at most 64.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["volumeUID"]))]
    pub volumes: Vec<RetainedVolume>,
    /// Number of volumes that are not listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub not_listed: Option<i32>,
}

/// A volume that outlived its application.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct RetainedVolume {
    /// UID of the PersistentVolume.
    #[serde(rename = "volumeUID")]
    #[schemars(length(max = 64))]
    pub volume_uid: String,
    /// Its name.
    #[schemars(length(max = 253))]
    pub volume: String,
    /// Its size.
    #[schemars(length(max = 64))]
    pub capacity: String,
    /// Filing namespace of the department.
    #[schemars(length(max = 63))]
    pub namespace: String,
    /// Name of the application that it belonged to.
    #[schemars(length(max = 253))]
    pub application: String,
    /// UID of that application.
    #[serde(rename = "applicationUID")]
    #[schemars(length(max = 64))]
    pub application_uid: String,
    /// The Decommission whose certificate says that it was retained; absent once that record was archived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub decommission: Option<String>,
    /// Completion of that exit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Instant>,
}
