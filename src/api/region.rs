//! Region: a tier of the government cloud and the rules that hold there (Art. 4, 5, 20, 30).

use std::collections::BTreeMap;

use kube::{CustomResource, KubeSchema};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::condition::Condition;
pub use super::network::{Network, NetworkPeer, NetworkPort, NetworkRule, Protocol};
use super::quota::{AMOUNTS, BAD_AMOUNT, UNKNOWN_KEY, known_keys};
use super::time::Instant;

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
    /// Name of the ServiceCatalog that fees settle by (Art. 26).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub catalog: Option<String>,
    /// Writer of the work order's ResourceGrant: the operator at once, or the provider by hand (Art. 13).
    #[serde(default)]
    pub fulfilment: Fulfilment,
    /// The periods of the measures in working days; a city may set its own (Art. 30).
    #[serde(default)]
    pub working_days: WorkingDays,
    /// Rules for tenant namespaces of this region.
    pub tenancy: Tenancy,
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
        }
    }
}

/// Pod Security Standard that tenant namespaces enforce.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum PodSecurity {
    /// Hardened.
    #[default]
    Restricted,
    /// Minimally restrictive.
    Baseline,
}

impl PodSecurity {
    /// The level as the Pod Security labels spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Restricted => "restricted",
            Self::Baseline => "baseline",
        }
    }
}

/// Version of the Pod Security Standards of a Region that names none: the last one before the level `restricted` let pods
/// in user namespaces of their own run as root.
pub const POD_SECURITY_VERSION: &str = "v1.34";

fn pod_security_version() -> String {
    POD_SECURITY_VERSION.to_owned()
}

/// Rules for tenant namespaces of a region.
#[derive(Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Tenancy {
    /// Pod Security Standard that is enforced.
    #[serde(default)]
    pub pod_security: PodSecurity,
    /// Kubernetes version whose definition of that standard counts, such as `v1.34`. With `latest` an upgrade of
    /// Kubernetes may allow more, or less.
    #[serde(default = "pod_security_version")]
    #[schemars(length(max = 16))]
    #[x_kube(validation = Rule::new("self.matches('^(latest|v1[.][0-9]{1,3})$')").message("须为 latest 或 Kubernetes 版本，如 v1.34 / must be latest or a Kubernetes version such as v1.34"))]
    pub pod_security_version: String,
    /// StorageClasses that tenants may use; each must have `reclaimPolicy: Retain` (Art. 23). The first is for every
    /// application. One of the others is for those whose quota names it, as in
    /// `CLASS.storageclass.storage.k8s.io/requests.storage`.
    #[schemars(length(min = 1, max = 16), extend("x-kubernetes-list-type" = "set"), inner(length(min = 1, max = 253)))]
    pub storage_classes: Vec<String>,
    /// Names that pods, claims and Ingresses of tenants may use, of what the platform offers. What is not listed is
    /// refused.
    #[serde(default, skip_serializing_if = "Allowed::is_empty")]
    pub allowed: Allowed,
    /// Container defaults and bounds for every tenant namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_range: Option<ContainerLimits>,
    /// The most that one namespace may be granted, by ResourceQuota key; absent keys are unbounded. A new namespace
    /// names a value for each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "maximum")]
    pub max_quota: BTreeMap<String, String>,
    /// Traffic into and out of tenant namespaces beside that within a namespace and to the cluster's DNS.
    #[serde(default, skip_serializing_if = "Network::is_empty")]
    pub network: Network,
}

/// Names that tenants of a region may use. An extended resource needs no entry: it is granted by its quota key.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct Allowed {
    /// PriorityClasses. List the cluster's default class, if it has one: Kubernetes writes it into every pod.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "priority_classes")]
    pub priority_classes: Vec<String>,
    /// RuntimeClasses. Some give a pod all devices of its node, or less isolation.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "names")]
    pub runtime_classes: Vec<String>,
    /// VolumeAttributesClasses, by which a volume's performance changes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "names")]
    pub volume_attributes_classes: Vec<String>,
    /// CSI drivers of inline volumes, which are outside claims, quota and inventory.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "names")]
    pub csi_drivers: Vec<String>,
    /// Keys of taints that pods may tolerate, beside those below `node.kubernetes.io/` and of granted resources.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "taints")]
    pub taints: Vec<String>,
    /// IngressClasses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "names")]
    pub ingress_classes: Vec<String>,
    /// Host names, each of one department.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["host"]))]
    pub ingress_hosts: Vec<IngressHost>,
}

impl Allowed {
    /// Returns true if nothing is listed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A host name that the Ingresses of one department may serve.
#[derive(Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct IngressHost {
    /// DNS name, such as `travel.henan.example`; `*.henan.example` stands for every name below.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = Rule::new("self.matches('^([*][.])?[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)+$')").message("须为小写域名，如 travel.henan.example 或 *.henan.example / a DNS name in lower case, such as travel.henan.example or *.henan.example"))]
    pub host: String,
    /// Filing namespace of the department.
    #[schemars(length(min = 1, max = 63))]
    pub namespace: String,
}

/// A LimitRange item of type Container: quantities by resource name.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = limit_rules()))]
pub struct ContainerLimits {
    /// Limits for containers that set none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "amounts")]
    pub default: BTreeMap<String, String>,
    /// Requests for containers that set none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "amounts")]
    pub default_request: BTreeMap<String, String>,
    /// The most that a container may ask for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "amounts")]
    pub max: BTreeMap<String, String>,
    /// The least that a container may ask for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "amounts")]
    pub min: BTreeMap<String, String>,
}

/// Pairs of fields of [`ContainerLimits`] of which the first may not be above the second.
pub const LIMIT_ORDER: [(&str, &str); 6] = [
    ("min", "max"),
    ("min", "default"),
    ("min", "defaultRequest"),
    ("defaultRequest", "default"),
    ("defaultRequest", "max"),
    ("default", "max"),
];

/// CEL: what a LimitRange must hold to, for each pair of fields.
fn limit_rules() -> serde_json::Value {
    let rule = |(low, high): (&str, &str)| {
        let above = format!(
            "isQuantity(self.{low}[k]) && k in self.{high} && isQuantity(self.{high}[k]) && quantity(self.{low}[k]).isGreaterThan(quantity(self.{high}[k]))"
        );
        serde_json::json!({
            "rule": format!("!has(self.{low}) || !has(self.{high}) || !self.{low}.exists(k, {above})"),
            "message": format!("limitRange.{low} 不得高于 limitRange.{high} / limitRange.{low} must not be above limitRange.{high}"),
        })
    };
    LIMIT_ORDER.map(rule).to_vec().into()
}

/// Kubernetes quantities by resource name of a container.
fn amounts(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object", "maxProperties": 32,
        "additionalProperties": { "type": "string", "minLength": 1, "maxLength": 32 },
        "x-kubernetes-validations": [
            { "rule": AMOUNTS, "message": BAD_AMOUNT },
            {
                "rule": "self.all(k, k in ['cpu', 'memory', 'ephemeral-storage'] || k.startsWith('hugepages-') || k.contains('/'))",
                "message": "须为容器的资源：cpu、memory、ephemeral-storage、hugepages-<大小> 或 <域名>/<资源> / must be a resource of a container: cpu, memory, ephemeral-storage, hugepages-<size> or <domain>/<resource>",
            },
        ],
    })
}

/// Kubernetes quantities by quota key.
fn maximum(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object", "maxProperties": 32,
        "additionalProperties": { "type": "string", "minLength": 1, "maxLength": 32 },
        "x-kubernetes-validations": [
            { "rule": AMOUNTS, "message": BAD_AMOUNT },
            { "rule": known_keys(), "message": UNKNOWN_KEY },
        ],
    })
}

/// A set of names of cluster-scoped objects.
fn names(_: &mut SchemaGenerator) -> Schema {
    set_of("^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", 253, &json!([]))
}

/// A set of PriorityClasses. Those of the system are never a tenant's.
fn priority_classes(_: &mut SchemaGenerator) -> Schema {
    let rules = json!([{
        "rule": "self.all(c, !c.startsWith('system-'))",
        "message": "system- 开头的优先级类属于 Kubernetes 自身，不得供租户使用 / PriorityClasses that begin with system- are Kubernetes' own and never a tenant's; take them out",
    }]);
    set_of("^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", 253, &rules)
}

/// A set of keys of taints. Those of the control plane's nodes are never tolerated.
fn taints(_: &mut SchemaGenerator) -> Schema {
    let rules = json!([{
        "rule": "self.all(k, !k.startsWith('node-role.kubernetes.io/'))",
        "message": "控制面节点的污点不得容忍 / taints below node-role.kubernetes.io/ mark the control plane's nodes and are never tolerated; take them out",
    }]);
    set_of("^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$", 316, &rules)
}

fn set_of(pattern: &str, max: u32, rules: &Value) -> Schema {
    let mut schema = json_schema!({
        "type": "array", "maxItems": 16, "x-kubernetes-list-type": "set",
        "items": { "type": "string", "minLength": 1, "maxLength": max, "pattern": pattern },
    });
    if rules.as_array().is_some_and(|rules| !rules.is_empty()) {
        schema.insert("x-kubernetes-validations".to_owned(), rules.clone());
    }
    schema
}

/// Usability of a region, the volumes that it retains, and where records are filed in it.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct RegionStatus {
    /// The generation that this status was computed from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Ready`, `Stalled`.
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
