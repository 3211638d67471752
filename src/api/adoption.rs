//! Adoption: the namespace of a system that runs already becomes a tenant namespace (Art. 3).

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{AsRefStr, EnumString};

/// The existing namespace of a running system, as the department, its present holder and the authority name it.
#[derive(Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ExistingRef {
    /// Name of the Namespace.
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')").message("须为已有命名空间的名称 / must be the name of an existing namespace"))]
    pub name: String,
    /// UID of the Namespace: another one under its name is not adopted.
    #[schemars(length(min = 1, max = 64))]
    #[x_kube(validation = Rule::new("self.matches('^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$')").message("须为命名空间的 UID：kubectl get namespace <名称> -o jsonpath={.metadata.uid} / must be the namespace's UID: kubectl get namespace NAME -o jsonpath={.metadata.uid}"))]
    pub uid: String,
}

/// A facet of the rules for tenant namespaces that an adopted one comes under on the department's word. Each includes
/// those before it.
#[derive(
    Clone,
    Copy,
    Debug,
    Deserialize,
    Serialize,
    JsonSchema,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    AsRefStr,
    EnumString,
)]
#[strum(serialize_all = "kebab-case")]
pub enum Facet {
    /// The Pod Security Standard is enforced; before, it warns and audits.
    PodSecurity,
    /// The admission policies of tenants' pods, Services, Ingresses and disruption budgets apply.
    Workloads,
    /// Network traffic is denied by default. It comes last, once every flow that is needed is allowed.
    Network,
}

/// Origin of a tenant namespace. Absent where the operator made it.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub enum Origin {
    /// It was there before, and was adopted (Art. 3). Kept for life.
    Adopted,
}

/// Progress of an adoption, from the time at which the namespaces were marked.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Adoption {
    /// Last day on which the namespaces are observed; what the department says in `spec.enforce` is carried out afterwards
    /// (YYYY-MM-DD, Asia/Shanghai).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 10))]
    pub observed_until: Option<String>,
    /// True once the granted quota limits every adopted namespace. Before, it counts.
    #[serde(default)]
    pub limited: bool,
    /// Facet up to which the rules are enforced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enforced: Option<Facet>,
    /// Objects and fields that differ from what is enforced once every facet is, at most 32.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), inner(length(max = 256)), extend("x-kubernetes-list-type" = "atomic"))]
    pub differences: Vec<String>,
}
