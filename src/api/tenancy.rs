//! Values that records and the orders for tenant namespaces have in common.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::AsRefStr;

use super::adoption::Origin;

/// Access of one subject to the tenant namespaces.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Access {
    /// The user or group.
    pub subject: Subject,
    /// One of the project's tenant roles.
    pub role: AccessRole,
}

/// A user, group or ServiceAccount as RBAC knows it.
#[derive(Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.kind != 'ServiceAccount' || self.name.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')").message("服务账号名须为小写字母、数字、连字符和点，如 pipeline / a ServiceAccount's name is lower-case letters, digits, hyphens and dots, such as pipeline"),
    validation = Rule::new("!has(self.namespace) || self.kind == 'ServiceAccount'").message("只有服务账号写明命名空间 / only a ServiceAccount has a namespace"),
)]
pub struct Subject {
    /// User, Group or ServiceAccount.
    pub kind: SubjectKind,
    /// Its name; names that begin with `system:` are refused.
    #[schemars(length(min = 1, max = 256))]
    #[x_kube(validation = Rule::new("!self.startsWith('system:')").message("不能授权给 system: 开头的主体 / subjects that begin with system: are refused"))]
    pub name: String,
    /// Namespace of a ServiceAccount that is not in the filing namespace, such as that of a GitOps controller. System
    /// namespaces are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(
        validation = Rule::new("self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')").message("须为小写字母、数字和连字符，首尾不得为连字符，如 flux-water / lower-case letters, digits and hyphens, none of them at either end, such as flux-water"),
        validation = Rule::new("self != 'default' && !self.startsWith('kube-') && !self.startsWith('govcloud-')").message("不能授权给系统命名空间的服务账号 / ServiceAccounts of system namespaces are refused"),
    )]
    pub namespace: Option<String>,
}

/// Kind of an RBAC subject.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq, PartialOrd, Ord)]
pub enum SubjectKind {
    /// A user.
    User,
    /// A group.
    Group,
    /// A ServiceAccount, such as a pipeline's: of the filing namespace where no other is named.
    ServiceAccount,
}

/// A tenant role: `govcloud-tenant-admin`, `-edit` or `-view`.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub enum AccessRole {
    /// May manage everything but RBAC, network policies, quotas and limits.
    Admin,
    /// May change workloads.
    Edit,
    /// May look.
    View,
}

/// Restriction of the tenant namespaces by an exit.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq, PartialOrd, Ord, AsRefStr,
)]
pub enum Restriction {
    /// None: normal use.
    #[default]
    None,
    /// New volumes are refused; data can be copied out.
    HandingOver,
    /// New pods and volumes are refused, access is to look only.
    Quiesced,
}

/// A tenant namespace as it was made.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct TenantNamespace {
    /// Entry of `spec.namespaces`.
    #[schemars(length(max = 63))]
    pub entry: String,
    /// Name of the Namespace.
    #[schemars(length(max = 63))]
    pub namespace: String,
    /// UID of the Namespace, once it exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub uid: Option<String>,
    /// Origin of the Namespace; absent where the operator made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}
