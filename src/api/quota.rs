//! Quota of a namespace: ResourceQuota's keys and Kubernetes quantities, as people write them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Hard limits of a namespace by ResourceQuota key, each a Kubernetes quantity (`8`, `500m`, `16Gi`).
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(transparent)]
pub struct Quota(pub BTreeMap<String, String>);

/// CEL: keys that ResourceQuota knows. Kept in step with `core::tenancy` by a test.
const KNOWN_KEYS: &str = "self.all(k, k in ['cpu','memory','ephemeral-storage','pods','services','services.loadbalancers','services.nodeports','secrets','configmaps','replicationcontrollers','resourcequotas','persistentvolumeclaims','requests.cpu','requests.memory','requests.storage','requests.ephemeral-storage','limits.cpu','limits.memory','limits.ephemeral-storage'] || k.matches('^(count/[a-z0-9]+([.][a-z0-9-]+)*|(requests[.])?hugepages-[0-9]+[KMG]i|requests[.][a-z0-9.-]+/[A-Za-z0-9_.-]+|[a-z0-9.-]+[.]storageclass[.]storage[.]k8s[.]io/(requests[.]storage|persistentvolumeclaims))$'))";

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
                {
                    "rule": KNOWN_KEYS,
                    "message": "有 Kubernetes 不认识的配额项；可用的如 requests.cpu、requests.memory、limits.cpu、limits.memory、requests.storage、persistentvolumeclaims、pods、services、count/<资源> / unknown quota key; allowed are, for example, requests.cpu, requests.memory, limits.cpu, limits.memory, requests.storage, persistentvolumeclaims, pods, services, count/<resource>",
                },
                {
                    "rule": "self.all(k, isQuantity(self[k]) && !quantity(self[k]).isLessThan(quantity('0')))",
                    "message": "配额须为不小于零的 Kubernetes 数量，如 8、500m、16Gi / a quota must be a Kubernetes quantity not below zero, such as 8, 500m or 16Gi",
                },
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
    pub quota: Quota,
}
