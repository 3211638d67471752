//! The RoleBindings: the people the department named, in the project's own roles (Art. 8, 19, 23).

use std::collections::BTreeSet;

use govcloud_api::resources;
use govcloud_api::tenancy::{Access, AccessRole, Restriction, SubjectKind};
use serde_json::{Map, Value, json};

use super::normalize::{with_default, without_empty};
use super::{ObjectRules, Tenant, TenantObject, WriteStep};
use crate::bilingual::{Bilingual, bilingual, bilingual_errors};
use crate::names;

const RBAC: &str = "rbac.authorization.k8s.io";
/// Start of the names of Kubernetes' own subjects.
const SYSTEM: &str = "system:";

pub(super) static RULES: ObjectRules = ObjectRules {
    resource: resources::ROLE_BINDING,
    desired,
    step: WriteStep::Access,
    compared: &[("roleRef", normalized_role), ("subjects", normalized_subjects)],
    merged: &[],
    immutable: &["roleRef"],
};

/// Reasons why a subject gets no access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessRefusal {
    /// `system:` names belong to Kubernetes; `system:authenticated`, for one, is everybody.
    SystemSubject {
        /// The name.
        name: String,
    },
    /// A ServiceAccount of a system namespace.
    SystemNamespace {
        /// The namespace.
        namespace: String,
        /// The name.
        name: String,
    },
    /// No name.
    NoName,
}

impl AccessRefusal {
    /// Wording: the defect and the allowed values.
    #[must_use]
    pub fn text(&self) -> Bilingual {
        match self {
            Self::SystemSubject { name } => bilingual!(
                "不得授权给“{name}”：system: 开头的主体属于 Kubernetes，只允许本部门的用户、用户组或服务账号",
                "“{name}” gets no access: subjects that begin with system: are Kubernetes' own; users, groups and service accounts of the department are allowed"
            ),
            Self::SystemNamespace { namespace, name } => bilingual!(
                "不得授权给系统命名空间的服务账号 {namespace}/{name}",
                "ServiceAccount {namespace}/{name} gets no access: its namespace is a system namespace"
            ),
            Self::NoName => Bilingual::new(
                "授权主体的名称不得为空",
                "a subject has no name: a name of at least one character is allowed",
            ),
        }
    }
}

bilingual_errors!(AccessRefusal);

/// Every subject that must be refused, in order. `Valid=False` while there is one.
pub fn refusals(access: &[Access]) -> Vec<AccessRefusal> {
    access.iter().filter_map(refusal).collect()
}

fn refusal(access: &Access) -> Option<AccessRefusal> {
    let name = access.subject.name.trim();
    if name.is_empty() {
        return Some(AccessRefusal::NoName);
    }
    let system = name.get(..SYSTEM.len()).is_some_and(|start| start.eq_ignore_ascii_case(SYSTEM));
    if system {
        return Some(AccessRefusal::SystemSubject { name: name.to_owned() });
    }
    let namespace = access.subject.namespace.as_ref().filter(|namespace| names::is_reserved(namespace))?;
    Some(AccessRefusal::SystemNamespace { namespace: namespace.clone(), name: name.to_owned() })
}

/// One RoleBinding for each role that somebody has. A refused subject is left out even here: the record says so, and
/// nothing behind it depends on that having been read.
fn desired(tenant: &Tenant) -> Vec<TenantObject> {
    let admitted: Vec<_> = tenant.order.access.iter().filter(|access| refusal(access).is_none()).collect();
    let binding = |role: AccessRole| {
        let (binding, cluster_role) = match role {
            AccessRole::Admin => ("govcloud-admin", "govcloud-tenant-admin"),
            AccessRole::Edit => ("govcloud-edit", "govcloud-tenant-edit"),
            AccessRole::View => ("govcloud-view", "govcloud-tenant-view"),
        };
        let granted = admitted.iter().filter(|access| restricted(access.role, tenant) == role);
        let subjects: BTreeSet<_> = granted
            .map(|access| (kind(access.subject.kind), place(access, tenant), &*access.subject.name))
            .collect();
        let content = || {
            let subjects: Vec<_> =
                subjects.iter().map(|(kind, place, name)| subject(kind, place, name)).collect();
            let role = json!({ "apiGroup": RBAC, "kind": "ClusterRole", "name": cluster_role });
            json!({ "roleRef": role, "subjects": subjects })
        };
        (!subjects.is_empty()).then(|| tenant.object(&RULES, binding, content()))
    };
    [AccessRole::Admin, AccessRole::Edit, AccessRole::View].into_iter().filter_map(binding).collect()
}

/// The role that is left under the tenant's restriction: on the way to reclaim everyone may only look (Art. 16).
fn restricted(role: AccessRole, tenant: &Tenant) -> AccessRole {
    match tenant.namespace.restriction {
        Restriction::None | Restriction::HandingOver => role,
        Restriction::Quiesced => AccessRole::View,
    }
}

fn kind(kind: SubjectKind) -> &'static str {
    match kind {
        SubjectKind::Group => "Group",
        SubjectKind::ServiceAccount => "ServiceAccount",
        SubjectKind::User => "User",
    }
}

/// The namespace of a subject: a ServiceAccount is one of the filing namespace, where the department's pipeline lives,
/// unless it names another. Users and groups have none.
fn place<'a>(access: &'a Access, tenant: &'a Tenant) -> &'a str {
    match access.subject.kind {
        SubjectKind::ServiceAccount => {
            access.subject.namespace.as_ref().unwrap_or(&tenant.order.application.filing_namespace)
        }
        SubjectKind::User | SubjectKind::Group => "",
    }
}

fn subject(kind: &str, namespace: &str, name: &str) -> Value {
    if namespace.is_empty() {
        json!({ "kind": kind, "name": name, "apiGroup": RBAC })
    } else {
        json!({ "kind": kind, "name": name, "namespace": namespace })
    }
}

fn normalized_role(role: &Value) -> Value {
    with_default(role, "apiGroup", RBAC)
}

/// Subjects as a map by kind and name, with the server's default of `apiGroup` (Kubernetes 1.37,
/// `pkg/apis/rbac/v1/defaults.go`).
fn normalized_subjects(subjects: &Value) -> Value {
    let by_name = subjects.as_array().into_iter().flatten().map(|subject| {
        let kind = subject["kind"].as_str().unwrap_or_default();
        let group = if kind == "ServiceAccount" { "" } else { RBAC };
        let subject = with_default(&without_empty(subject), "apiGroup", group);
        let namespace = subject["namespace"].as_str().map(|ns| format!("{ns}/")).unwrap_or_default();
        (format!("{kind}/{namespace}{}", subject["name"].as_str().unwrap_or_default()), subject)
    });
    Value::Object(by_name.collect::<Map<_, _>>())
}
