//! The RoleBindings: the people the department named, in the project's own roles (Art. 8, 19, 23).

use std::collections::BTreeSet;

use k8s_openapi::api::rbac::v1::{RoleBinding, RoleRef, Subject};

use super::{Stage, Tenant, meta};
use crate::core::names::is_reserved;

const RBAC: &str = "rbac.authorization.k8s.io";

/// Kinds of subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SubjectKind {
    /// A group of the identity provider.
    Group,
    /// A service account, such as a pipeline's.
    ServiceAccount,
    /// One person.
    User,
}

/// What a subject may do in the tenant namespace: the ClusterRoles `govcloud-tenant-{admin,edit,view}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Everything a tenant may do.
    Admin,
    /// Operate workloads.
    Edit,
    /// Look.
    View,
}

/// One line of `spec.access`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Kind of the subject.
    pub kind: SubjectKind,
    /// Its name.
    pub name: String,
    /// Namespace of a service account; `None` is the filing namespace, where the department's pipeline
    /// lives. Without meaning for the other kinds.
    pub namespace: Option<String>,
    /// What it may do.
    pub role: Role,
}

/// Why a subject gets no access.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessRefusal {
    /// `system:` names belong to Kubernetes; `system:authenticated`, for one, is everybody.
    #[error(
        "不得授权给“{name}”:system: 开头的主体属于 Kubernetes,只允许本部门的用户、用户组或服务账号 / \
         “{name}” gets no access: subjects that begin with system: are Kubernetes' own; users, groups and \
         service accounts of the department are allowed"
    )]
    SystemSubject {
        /// The name.
        name: String,
    },
    /// A service account of the platform.
    #[error(
        "不得授权给命名空间“{namespace}”的服务账号“{name}”:该命名空间属于平台 / the service account “{name}” \
         of “{namespace}” gets no access: that namespace is the platform's; those of the department are allowed"
    )]
    ReservedNamespace {
        /// The service account.
        name: String,
        /// Its namespace.
        namespace: String,
    },
    /// No name.
    #[error("授权主体的名称不得为空 / a subject has no name: a name of at least one character is allowed")]
    NoName,
}

impl Role {
    /// All roles, the strongest first.
    pub const ALL: [Self; 3] = [Self::Admin, Self::Edit, Self::View];

    /// As in `spec.access` and in the names of roles and bindings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Edit => "edit",
            Self::View => "view",
        }
    }

    /// What is left of the role: on the way to reclaim everyone may only look.
    fn at(self, stage: Stage) -> Self {
        match stage {
            Stage::Active | Stage::HandingOver => self,
            Stage::Quiesced => Self::View,
        }
    }
}

impl SubjectKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Group => "Group",
            Self::ServiceAccount => "ServiceAccount",
            Self::User => "User",
        }
    }
}

/// Every subject that must be refused, in order. `Valid=False` while there is one.
pub fn refusals(access: &[Access]) -> Vec<AccessRefusal> {
    access.iter().filter_map(refusal).collect()
}

fn refusal(access: &Access) -> Option<AccessRefusal> {
    let name = access.name.trim().to_owned();
    if name.is_empty() {
        return Some(AccessRefusal::NoName);
    }
    if name.to_ascii_lowercase().starts_with("system:") {
        return Some(AccessRefusal::SystemSubject { name });
    }
    match (&access.kind, &access.namespace) {
        (SubjectKind::ServiceAccount, Some(namespace)) if is_reserved(namespace) => {
            Some(AccessRefusal::ReservedNamespace { name, namespace: namespace.clone() })
        }
        _ => None,
    }
}

/// One binding per role that has subjects, sorted and each once. A refused subject is left out even here: the
/// record says so, and nothing behind it depends on that having been read.
pub(super) fn desired(tenant: &Tenant) -> Vec<RoleBinding> {
    Role::ALL.into_iter().filter_map(|role| binding(tenant, role)).collect()
}

fn binding(tenant: &Tenant, role: Role) -> Option<RoleBinding> {
    let subjects: BTreeSet<_> = tenant
        .access
        .iter()
        .filter(|access| access.role.at(tenant.stage) == role && refusal(access).is_none())
        .map(|access| {
            let namespace = (access.kind == SubjectKind::ServiceAccount)
                .then(|| access.namespace.as_ref().unwrap_or(&tenant.filing_namespace));
            (access.kind, namespace, &access.name)
        })
        .collect();
    if subjects.is_empty() {
        return None;
    }
    let subjects = subjects.into_iter().map(|(kind, namespace, name)| Subject {
        api_group: namespace.is_none().then(|| RBAC.to_owned()),
        kind: kind.as_str().to_owned(),
        name: name.clone(),
        namespace: namespace.cloned(),
    });
    Some(RoleBinding {
        metadata: meta(tenant, &format!("govcloud-{}", role.as_str())),
        role_ref: RoleRef {
            api_group: RBAC.to_owned(),
            kind: "ClusterRole".to_owned(),
            name: format!("govcloud-tenant-{}", role.as_str()),
        },
        subjects: Some(subjects.collect()),
    })
}
