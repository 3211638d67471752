//! One object of a tenant, whichever kind it is.

use std::borrow::Cow;

use k8s_openapi::api::core::v1::{LimitRange, Namespace, ResourceQuota};
use k8s_openapi::api::rbac::v1::RoleBinding;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;
use serde_json::Value;

use super::network;

/// A desired object.
#[derive(Clone, Debug, PartialEq)]
pub enum TenantObject {
    /// The tenant namespace.
    Namespace(Namespace),
    /// What was granted.
    ResourceQuota(ResourceQuota),
    /// Defaults per container.
    LimitRange(LimitRange),
    /// Who may talk to whom.
    NetworkPolicy(ObjectMeta, &'static network::Rules),
    /// Who may do what.
    RoleBinding(RoleBinding),
}

/// A live object, pinned for removal: a delete carries both as preconditions (S4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectRef {
    /// Its kind.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// Its resourceVersion as read.
    pub resource_version: String,
}

impl TenantObject {
    /// Its kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Namespace(_) => "Namespace",
            Self::ResourceQuota(_) => "ResourceQuota",
            Self::LimitRange(_) => "LimitRange",
            Self::NetworkPolicy(..) => "NetworkPolicy",
            Self::RoleBinding(_) => "RoleBinding",
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.metadata().name.as_deref().unwrap_or_default()
    }

    /// Its namespace; `None` for the namespace itself.
    pub fn namespace(&self) -> Option<&str> {
        self.metadata().namespace.as_deref()
    }

    /// Its metadata.
    pub(super) fn metadata(&self) -> &ObjectMeta {
        match self {
            Self::Namespace(o) => &o.metadata,
            Self::ResourceQuota(o) => &o.metadata,
            Self::LimitRange(o) => &o.metadata,
            Self::NetworkPolicy(metadata, _) => metadata,
            Self::RoleBinding(o) => &o.metadata,
        }
    }

    /// What is compared beside the metadata: the fields by name, as they would be applied.
    pub(super) fn parts(&self) -> Vec<(&'static str, Cow<'static, Value>)> {
        fn part(of: &impl Serialize) -> Cow<'static, Value> {
            Cow::Owned(json(of))
        }
        match self {
            // The server sets `spec.finalizers` on a namespace; the rest of it is metadata.
            Self::Namespace(_) => Vec::new(),
            Self::ResourceQuota(o) => vec![("spec", part(&o.spec))],
            Self::LimitRange(o) => vec![("spec", part(&o.spec))],
            Self::NetworkPolicy(_, rules) => vec![("spec", Cow::Borrowed(rules.json()))],
            Self::RoleBinding(o) => vec![("roleRef", part(&o.role_ref)), ("subjects", part(&o.subjects))],
        }
    }

    /// The body of a server-side apply: apiVersion, kind, and what is desired, without nulls or status.
    pub fn to_apply_json(&self) -> Value {
        let mut json = match self {
            Self::Namespace(o) => json(o),
            Self::ResourceQuota(o) => json(o),
            Self::LimitRange(o) => json(o),
            Self::NetworkPolicy(metadata, rules) => json(&rules.policy(metadata)),
            Self::RoleBinding(o) => json(o),
        };
        if let Value::Object(fields) = &mut json {
            fields.remove("status");
        }
        without_nulls(json)
    }
}

pub(super) fn json(of: &impl Serialize) -> Value {
    serde_json::to_value(of).expect("Kubernetes types have string keys and finite numbers")
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields.into_iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k, without_nulls(v))).collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        other => other,
    }
}
