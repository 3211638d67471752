//! One object of a tenant, whichever kind it is.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;
use serde_json::Value;

use super::{ContainerLimits, Role, Tenant, access, labels, letter, limits, namespace, network, quota};

/// A desired object: what it follows from. It is built where it is to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct TenantObject<'a> {
    content: Content<'a>,
    of: Rc<Labelled<'a>>,
}

/// What an object of a tenant is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Content<'a> {
    /// The tenant namespace.
    Namespace,
    /// What was granted.
    ResourceQuota,
    /// Defaults per container.
    LimitRange(&'a ContainerLimits),
    /// Who may talk to whom.
    NetworkPolicy(&'static network::Rules),
    /// Who may do what.
    RoleBinding(Role),
}

/// A tenant with the labels of its objects.
#[derive(Debug, PartialEq)]
struct Labelled<'a> {
    tenant: Tenant<'a>,
    labels: [(&'static str, Cow<'a, str>); 6],
}

/// A live object, with what it is found by.
#[derive(Clone, Copy, Debug)]
pub struct Live<'a> {
    /// Its kind.
    pub kind: &'a str,
    /// Its name.
    pub name: &'a str,
    /// The object.
    pub object: &'a Value,
}

impl<'a> Live<'a> {
    /// An object that carries its kind.
    pub fn of(object: &'a Value) -> Self {
        let text = |value: &'a Value| value.as_str().unwrap_or_default();
        Self { kind: text(&object["kind"]), name: text(&object["metadata"]["name"]), object }
    }
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

/// The objects of a tenant with these contents.
pub(super) fn objects<'a>(
    tenant: &Tenant<'a>,
    contents: impl Iterator<Item = Content<'a>>,
) -> Vec<TenantObject<'a>> {
    let of = Rc::new(Labelled { labels: labels(tenant), tenant: *tenant });
    contents.map(|content| TenantObject { content, of: of.clone() }).collect()
}

impl<'a> TenantObject<'a> {
    /// What it is.
    pub fn content(&self) -> Content<'a> {
        self.content
    }

    /// Whose it is.
    pub fn tenant(&self) -> &Tenant<'a> {
        &self.of.tenant
    }

    /// Its kind.
    pub fn kind(&self) -> &'static str {
        match self.content {
            Content::Namespace => "Namespace",
            Content::ResourceQuota => "ResourceQuota",
            Content::LimitRange(_) => "LimitRange",
            Content::NetworkPolicy(_) => "NetworkPolicy",
            Content::RoleBinding(_) => "RoleBinding",
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self.content {
            Content::Namespace => self.tenant().namespace,
            Content::ResourceQuota => quota::NAME,
            Content::LimitRange(_) => limits::NAME,
            Content::NetworkPolicy(rules) => rules.name(),
            Content::RoleBinding(role) => role.binding(),
        }
    }

    /// Its namespace; `None` for the namespace itself.
    pub fn namespace(&self) -> Option<&str> {
        (self.content != Content::Namespace).then_some(self.tenant().namespace)
    }

    /// Whether this live object is the one that it stands for.
    pub fn is(&self, live: &Live<'_>) -> bool {
        self.kind() == live.kind && self.name() == live.name
    }

    /// Whether a live object is to the letter what would be applied: if so, nothing differs.
    pub(super) fn agrees(&self, live: &Value) -> bool {
        let metadata = &live["metadata"];
        let tenant = self.tenant();
        letter::holds(&metadata["labels"], &self.of.labels)
            && metadata.get("ownerReferences").is_none()
            && match self.content {
                Content::Namespace => namespace::agrees(tenant, metadata),
                Content::ResourceQuota => quota::agrees(tenant, &live["spec"]),
                Content::LimitRange(limits) => limits::agrees(limits, &live["spec"]),
                Content::NetworkPolicy(rules) => rules.agrees(&live["spec"]),
                Content::RoleBinding(role) => access::agrees(tenant, role, live),
            }
    }

    /// Its labels, in the order of their keys.
    pub(super) fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        let own = (self.content == Content::Namespace).then(|| namespace::pod_security(self.tenant()));
        let shared = self.of.labels.iter().map(|(key, value)| (*key, &**value));
        shared.chain(own.into_iter().flatten())
    }

    /// Name, namespace and labels.
    fn metadata(&self) -> ObjectMeta {
        let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        ObjectMeta {
            name: Some(self.name().to_owned()),
            namespace: self.namespace().map(str::to_owned),
            labels: Some(self.labels().map(owned).collect::<BTreeMap<_, _>>()),
            ..Default::default()
        }
    }

    /// The body of a server-side apply: apiVersion, kind, and what is desired, without nulls or status.
    pub fn to_apply_json(&self) -> Value {
        let (tenant, metadata) = (self.tenant(), self.metadata());
        let mut json = match self.content {
            Content::Namespace => json(&namespace::desired(tenant, metadata)),
            Content::ResourceQuota => json(&quota::desired(tenant, metadata)),
            Content::LimitRange(limits) => json(&limits::desired(limits, metadata)),
            Content::NetworkPolicy(rules) => json(&rules.policy(metadata)),
            Content::RoleBinding(role) => json(&access::desired(tenant, role, metadata)),
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
