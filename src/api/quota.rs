//! Quota of a namespace: ResourceQuota's keys and Kubernetes quantities, as people write them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::adoption::ExistingRef;

/// Hard limits of a namespace by ResourceQuota key, each a Kubernetes quantity (`8`, `500m`, `16Gi`).
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(transparent)]
pub struct Quota(pub BTreeMap<String, String>);

/// Keys without a `/` that Kubernetes counts (`standardQuotaResources`), besides `hugepages-*`.
pub const STANDARD_KEYS: [&str; 19] = [
    "configmaps",
    "cpu",
    "ephemeral-storage",
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "memory",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
    "requests.storage",
    "resourcequotas",
    "secrets",
    "services",
    "services.loadbalancers",
    "services.nodeports",
];

/// Start of the names that Kubernetes gives to the device classes of dynamic resource allocation, as a pod requests them.
pub const DEVICE_CLASS_DOMAIN: &str = "deviceclass.resource.kubernetes.io";

/// Forms of the other keys: RE2, as CEL reads it. `govcloud-domain` reads the same forms by code, and a test holds both
/// together.
pub const KEY_FORMS: [&str; 5] = [
    "count/S",
    "(requests[.])?hugepages-[1-9][0-9]*[KMG]i",
    "requests[.]S/Q",
    "S[.]storageclass[.]storage[.]k8s[.]io/(requests[.]storage|persistentvolumeclaims)",
    "S[.]deviceclass[.]resource[.]k8s[.]io/devices",
];

/// A DNS-1123 subdomain.
const SUBDOMAIN: &str = "[a-z0-9]([a-z0-9-]*[a-z0-9])?([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)*";
/// The part of a qualified name after its `/`.
const QUALIFIED: &str = "[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?";

/// Pattern of the keys that are not standard.
#[must_use]
pub fn key_pattern() -> String {
    let forms = KEY_FORMS.map(|form| form.replace('S', SUBDOMAIN).replace('Q', QUALIFIED));
    format!("^({})$", forms.join("|"))
}

/// Part of the keys that Kubernetes takes for its own resources, and counts nothing under. Device classes are an exception.
pub const NATIVE: &str = "kubernetes.io/";

/// CEL: every key of a map is one that ResourceQuota counts under.
pub(crate) fn known_keys() -> String {
    let standard = STANDARD_KEYS.map(|key| format!("'{key}'")).join(",");
    format!(
        "self.all(k, k in [{standard}] || (k.matches('{}') && (!k.contains('{NATIVE}') || k.startsWith('requests.{DEVICE_CLASS_DOMAIN}/'))))",
        key_pattern(),
    )
}

/// CEL: every value of a map is a quantity not below zero.
pub(crate) const AMOUNTS: &str =
    "self.all(k, isQuantity(self[k]) && !quantity(self[k]).isLessThan(quantity('0')))";

/// Message of [`known_keys`].
pub(crate) const UNKNOWN_KEY: &str = "有 Kubernetes 不认识的配额项；可用的如 requests.cpu、requests.memory、limits.cpu、limits.memory、requests.storage、persistentvolumeclaims、pods、services、count/<资源>、requests.deviceclass.resource.kubernetes.io/<设备类> / unknown quota key; allowed are, for example, requests.cpu, requests.memory, limits.cpu, limits.memory, requests.storage, persistentvolumeclaims, pods, services, count/<resource>, requests.deviceclass.resource.kubernetes.io/<device class>";

/// Message of [`AMOUNTS`].
pub(crate) const BAD_AMOUNT: &str = "须为不小于零的 Kubernetes 数量，如 8、500m、16Gi / must be a Kubernetes quantity not below zero, such as 8, 500m or 16Gi";

/// Names of standard resources that Kubernetes counts under `requests.` as well, and under `count/` as well.
const REQUESTS: &str = "['cpu','memory','ephemeral-storage']";
const COUNTED: &str =
    "['configmaps','persistentvolumeclaims','replicationcontrollers','resourcequotas','secrets','services']";

/// CEL: no resource is named twice, as `cpu` and `requests.cpu`.
fn named_once() -> String {
    format!(
        "self.all(k, !(((k in {REQUESTS} || k.startsWith('hugepages-')) && ('requests.' + k) in self) || (k in {COUNTED} && ('count/' + k) in self)))"
    )
}

/// Message of [`named_once`].
const NAMED_TWICE: &str = "同一资源有两个名称，只能写一个：cpu 即 requests.cpu，memory 即 requests.memory，count/services 即 services，其余类推 / one resource is named twice: name it once (cpu is requests.cpu, memory is requests.memory, count/services is services, and so on)";

/// Schema of a quota that people ask for: that of [`Quota`], and no resource under two names (Art. 26). What is in force
/// already may have two.
pub(crate) fn asked(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = Quota::json_schema(generator);
    if let Some(rules) = schema.get_mut("x-kubernetes-validations").and_then(|rules| rules.as_array_mut()) {
        rules.push(serde_json::json!({ "rule": named_once(), "message": NAMED_TWICE }));
    }
    schema
}

impl JsonSchema for Quota {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Quota".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object", "minProperties": 1, "maxProperties": 32,
            "additionalProperties": { "type": "string", "minLength": 1, "maxLength": 32 },
            "x-kubernetes-validations": [
                { "rule": known_keys(), "message": UNKNOWN_KEY },
                { "rule": AMOUNTS, "message": format!("配额{}", BAD_AMOUNT.replacen("must", "a quota must", 1)) },
            ],
        })
    }
}

/// One namespace of an application: an entry name and what it may use.
#[derive(Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceQuota {
    /// Entry name, unique in the application: a DNS label such as `prod` or `test`.
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')").message("须为小写字母、数字和连字符，首尾不得为连字符，如 prod / lower-case letters, digits and hyphens, none of them at either end, such as prod"))]
    pub name: String,
    /// Hard limits by ResourceQuota key. A change gives new absolute values.
    #[schemars(schema_with = "asked")]
    pub quota: Quota,
    /// The running system's namespace that becomes this entry's, in place of a new one (Art. 3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub existing: Option<ExistingRef>,
}
