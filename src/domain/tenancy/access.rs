//! The RoleBindings: the people the department named, in the project's own roles (Art. 8, 19, 23).

use std::cell::OnceCell;

use k8s_openapi::api::rbac::v1::{RoleBinding, RoleRef, Subject};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::letter::{Letter, Path};
use super::{Stage, Tenant};
use crate::bilingual::bilingual;
use crate::bilingual::{Bilingual, bilingual_errors};
use crate::names::is_reserved;

const RBAC: &str = "rbac.authorization.k8s.io";
const CLUSTER_ROLE: &str = "ClusterRole";
/// What the names of Kubernetes' own subjects begin with.
const SYSTEM: &str = "system:";

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access<'a> {
    /// Kind of the subject.
    pub kind: SubjectKind,
    /// Its name.
    pub name: &'a str,
    /// Namespace of a service account; `None` is the filing namespace, where the department's pipeline
    /// lives. Without meaning for the other kinds.
    pub namespace: Option<&'a str>,
    /// What it may do.
    pub role: Role,
}

/// Why a subject gets no access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessRefusal {
    /// `system:` names belong to Kubernetes; `system:authenticated`, for one, is everybody.
    SystemSubject {
        /// The name.
        name: String,
    },
    /// A service account of the platform.
    ReservedNamespace {
        /// The service account.
        name: String,
        /// Its namespace.
        namespace: String,
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
            Self::ReservedNamespace { name, namespace } => bilingual!(
                "不得授权给命名空间“{namespace}”的服务账号“{name}”：该命名空间属于平台",
                "the service account “{name}” of “{namespace}” gets no access: that namespace is the platform's; those of the department are allowed"
            ),
            Self::NoName => Bilingual::new(
                "授权主体的名称不得为空",
                "a subject has no name: a name of at least one character is allowed",
            ),
        }
    }
}

bilingual_errors!(AccessRefusal);

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

    /// The binding that gives it.
    pub(super) fn binding(self) -> &'static str {
        match self {
            Self::Admin => "govcloud-admin",
            Self::Edit => "govcloud-edit",
            Self::View => "govcloud-view",
        }
    }

    /// The ClusterRole that it is.
    fn cluster_role(self) -> &'static str {
        match self {
            Self::Admin => "govcloud-tenant-admin",
            Self::Edit => "govcloud-tenant-edit",
            Self::View => "govcloud-tenant-view",
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
    let name = access.name.trim();
    if name.is_empty() {
        return Some(AccessRefusal::NoName);
    }
    if name.get(..SYSTEM.len()).is_some_and(|start| start.eq_ignore_ascii_case(SYSTEM)) {
        return Some(AccessRefusal::SystemSubject { name: name.to_owned() });
    }
    match (access.kind, access.namespace) {
        (SubjectKind::ServiceAccount, Some(namespace)) if is_reserved(namespace) => {
            Some(AccessRefusal::ReservedNamespace { name: name.to_owned(), namespace: namespace.to_owned() })
        }
        _ => None,
    }
}

/// Everybody who gets access, sorted and each once. A refused subject is left out even here: the record says so, and
/// nothing behind it depends on that having been read.
#[derive(Clone, Debug, Default)]
pub struct AccessList<'a> {
    lines: Vec<(AccessSubject<'a>, Role)>,
    /// What each role's binding says while people may do what they are there for, and while they may only look: the same
    /// in every namespace of an application.
    letters: [[OnceCell<Letter>; 2]; Role::ALL.len()],
}

impl PartialEq for AccessList<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.lines == other.lines
    }
}

/// A subject: its kind, the namespace of a service account, its name.
type AccessSubject<'a> = (SubjectKind, Option<&'a str>, &'a str);

impl<'a> AccessList<'a> {
    /// Of the lines of `spec.access` of a record that is filed in a namespace.
    pub fn new(filing_namespace: &'a str, access: impl IntoIterator<Item = Access<'a>>) -> Self {
        let admitted = access.into_iter().filter(|access| refusal(access).is_none());
        let line = |Access { kind, name, namespace, role }| {
            let namespace =
                (kind == SubjectKind::ServiceAccount).then_some(namespace.unwrap_or(filing_namespace));
            ((kind, namespace, name), role)
        };
        let mut lines: Vec<_> = admitted.map(line).collect();
        lines.sort_unstable();
        lines.dedup();
        Self { lines, letters: Default::default() }
    }

    /// The roles that somebody has at a stage, the strongest first: each has a binding.
    pub(super) fn roles(&self, stage: Stage) -> impl Iterator<Item = Role> + use<'_, 'a> {
        Role::ALL.into_iter().filter(move |role| self.with(*role, stage).next().is_some())
    }

    /// Those who have a role at a stage.
    fn with(&self, role: Role, stage: Stage) -> impl Iterator<Item = AccessSubject<'a>> {
        let mut last = None;
        let those = self.lines.iter().filter(move |(_, granted)| granted.at(stage) == role);
        those.map(|(person, _)| *person).filter(move |person| last.replace(*person) != Some(*person))
    }
}

/// The RoleBinding of a role.
pub(super) fn desired(tenant: &Tenant, role: Role, metadata: ObjectMeta) -> RoleBinding {
    let subject = |(kind, namespace, name): AccessSubject| Subject {
        api_group: namespace.is_none().then(|| RBAC.to_owned()),
        kind: kind.as_str().to_owned(),
        name: name.to_owned(),
        namespace: namespace.map(str::to_owned),
    };
    RoleBinding {
        metadata,
        role_ref: RoleRef {
            api_group: RBAC.to_owned(),
            kind: CLUSTER_ROLE.to_owned(),
            name: role.cluster_role().to_owned(),
        },
        subjects: Some(tenant.access.with(role, tenant.stage).map(subject).collect()),
    }
}

/// What a role's binding says.
pub(super) fn letter(tenant: &Tenant, role: Role) -> Letter {
    let quiesced = usize::from(tenant.stage == Stage::Quiesced);
    *tenant.access.letters[role as usize][quiesced].get_or_init(|| written(tenant, role))
}

fn written(tenant: &Tenant, role: Role) -> Letter {
    let (root, role_ref) = (Path::root(), Path::root().at("roleRef"));
    let ours = [("apiGroup", RBAC), ("kind", CLUSTER_ROLE), ("name", role.cluster_role())];
    let subjects = root.at("subjects");
    let subject = |(index, (kind, namespace, name)): (usize, AccessSubject)| {
        let subject = subjects.item(index);
        let place = match namespace {
            Some(namespace) => subject.at("namespace").text(namespace),
            None => subject.at("apiGroup").text(RBAC),
        };
        subject.map() + subject.at("kind").text(kind.as_str()) + subject.at("name").text(name) + place
    };
    let people = tenant.access.with(role, tenant.stage).enumerate().map(subject).sum::<Letter>();
    role_ref.map() + role_ref.texts(ours) + subjects.list() + people
}
