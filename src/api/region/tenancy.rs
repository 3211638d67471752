//! Settings of a region for tenant namespaces: Pod Security, classes, bounds, names that tenants may use (Art. 13, 20).

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Network;
use crate::quota::{AMOUNTS, BAD_AMOUNT, UNKNOWN_KEY, known_keys};

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
