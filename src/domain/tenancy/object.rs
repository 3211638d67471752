//! One object of a tenant, whichever kind it is.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::{Arc, LazyLock};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;
use serde_json::Value;

use super::letter::Letter;
use super::owner::Labels;
use super::{Limits, Role, Tenant, access, limits, namespace, network, quota};

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
    LimitRange(Limits<'a>),
    /// Who may talk to whom.
    NetworkPolicy(&'static network::Rules),
    /// Who may do what.
    RoleBinding(Role),
}

/// A tenant with the labels of its objects.
#[derive(Debug, PartialEq)]
struct Labelled<'a> {
    tenant: Tenant<'a>,
    labels: Labels<'a>,
}

/// A live object: what it is found by, what it says, and all of it where that is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveObject {
    /// Its kind.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// What it says, as one number.
    pub letter: Letter,
    /// The object.
    pub whole: Whole,
}

/// All of a live object, read when it is first asked for. Nearly always its letter says enough.
#[derive(Clone)]
pub struct Whole(Arc<LazyLock<Arc<Value>, Read>>);

/// How it is read.
type Read = Box<dyn FnOnce() -> Arc<Value> + Send>;

impl Whole {
    /// What this reads.
    pub fn read_by(read: impl FnOnce() -> Arc<Value> + Send + 'static) -> Self {
        Self(Arc::new(LazyLock::new(Box::new(read))))
    }
}

impl Deref for Whole {
    type Target = Value;
    fn deref(&self) -> &Value {
        &self.0
    }
}

impl PartialEq for Whole {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || **self == **other
    }
}

impl fmt::Debug for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
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
pub(super) fn objects<'a, C: Iterator<Item = Content<'a>>>(
    tenant: &Tenant<'a>,
    contents: C,
) -> impl Iterator<Item = TenantObject<'a>> + use<'a, C> {
    let of = Rc::new(Labelled { labels: Labels::new(tenant.owner, tenant.entry), tenant: *tenant });
    contents.map(move |content| TenantObject { content, of: of.clone() })
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
    pub fn is(&self, live: &LiveObject) -> bool {
        self.kind() == live.kind && self.name() == live.name
    }

    /// What it says, without building it.
    fn letter(&self) -> Letter {
        let tenant = self.tenant();
        self.of.labels.letter
            + match self.content {
                Content::Namespace => namespace::letter(tenant),
                Content::ResourceQuota => quota::letter(tenant),
                Content::LimitRange(limits) => limits.letter,
                Content::NetworkPolicy(rules) => rules.letter(),
                Content::RoleBinding(role) => access::letter(tenant, role),
            }
    }

    /// Whether a live object is to the letter what would be applied: if so, nothing differs. A namespace is the one that
    /// was recorded, or is not ours.
    pub fn agrees(&self, live: &LiveObject) -> bool {
        let recorded = || match self.content {
            Content::Namespace => self.tenant().namespace_uid,
            _ => None,
        };
        self.letter() == live.letter && recorded().is_none_or(|uid| live.whole["metadata"]["uid"] == uid)
    }

    /// Its labels.
    pub(super) fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        let own = (self.content == Content::Namespace).then(|| self.tenant().pod_security.labels);
        self.of.labels.iter().chain(own.into_iter().flatten())
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
            Content::LimitRange(limits) => json(&limits::desired(limits.limits, metadata)),
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
