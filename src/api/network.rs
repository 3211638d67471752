//! Network settings of a Region: who may reach tenants from outside their namespace, and where tenants may go.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Traffic that every tenant namespace of a Region may have. Without any rule a tenant talks with itself and with the
/// cluster's DNS.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Network {
    /// Peers that may come in: ingress controllers, monitoring.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub ingress: Vec<NetworkRule>,
    /// Peers that tenants may reach: node-local DNS, the API server, shared services.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub egress: Vec<NetworkRule>,
}

impl Network {
    /// Returns true if it has no rule.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ingress.is_empty() && self.egress.is_empty()
    }
}

/// Peers with whom tenants may talk, and on which ports.
#[derive(Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct NetworkRule {
    /// Name for people, such as `ingress-nginx` or `node-local-dns`.
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')").message("须为小写字母、数字和连字符，首尾不得为连字符，如 node-local-dns / lower-case letters, digits and hyphens, none of them at either end, such as node-local-dns"))]
    pub name: String,
    /// The peers. An empty list would mean everybody.
    #[schemars(length(min = 1, max = 16), extend("x-kubernetes-list-type" = "atomic"))]
    pub peers: Vec<NetworkPeer>,
    /// The ports; every port where none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "atomic"))]
    pub ports: Vec<NetworkPort>,
}

/// Pods of a namespace, or a block of addresses: exactly one of the two.
#[derive(Clone, Debug, Default, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.namespace) != has(self.cidr)").message("写明 namespace 或 cidr，二者取一 / give exactly one of namespace and cidr"),
    validation = Rule::new("!has(self.podLabels) || has(self.namespace)").message("podLabels 须与 namespace 一并写明 / podLabels goes with namespace"),
)]
pub struct NetworkPeer {
    /// Name of a namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')").message("须为命名空间的名称，如 ingress-nginx / must be the name of a namespace, such as ingress-nginx"))]
    pub namespace: Option<String>,
    /// Labels of the pods in that namespace; every pod where none is named.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "labels")]
    pub pod_labels: BTreeMap<String, String>,
    /// Block of addresses, such as `169.254.20.10/32`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    #[x_kube(validation = Rule::new("isCIDR(self) && cidr(self).masked() == cidr(self)").message("须为地址段的首地址和前缀长度，如 169.254.20.10/32 / must be the first address of a block and its prefix length, such as 169.254.20.10/32"))]
    pub cidr: Option<String>,
}

fn labels(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "object", "maxProperties": 8,
        "additionalProperties": { "type": "string", "maxLength": 63, "pattern": "^([A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?)?$" },
        "x-kubernetes-validations": [{
            "rule": "self.all(k, k.matches('^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$'))",
            "message": "须为标签键，如 app.kubernetes.io/name / must be label keys, such as app.kubernetes.io/name",
        }],
    })
}

/// A port, or a range of ports.
#[derive(Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.endPort) || self.endPort >= self.port").message("endPort 不得小于 port / endPort must not be below port"))]
pub struct NetworkPort {
    /// The port, or the first of a range.
    #[schemars(range(min = 1, max = 65535))]
    pub port: i32,
    /// The last port of a range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub end_port: Option<i32>,
    /// The protocol.
    #[serde(default)]
    pub protocol: Protocol,
}

/// A transport protocol.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq, strum::AsRefStr)]
pub enum Protocol {
    /// TCP.
    #[default]
    #[serde(rename = "TCP")]
    #[strum(serialize = "TCP")]
    Tcp,
    /// UDP.
    #[serde(rename = "UDP")]
    #[strum(serialize = "UDP")]
    Udp,
    /// SCTP.
    #[serde(rename = "SCTP")]
    #[strum(serialize = "SCTP")]
    Sctp,
}
