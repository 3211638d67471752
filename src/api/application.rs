//! CloudApplication: one information system's application and its lifecycle (Art. 10–14).

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::adoption::{Adoption, Facet};
use super::change::Impact;
use super::compliance::MetDuty;
use super::document::{ProjectApproval, TestReport, TitledDocument};
use super::quota::NamespaceQuota;
use super::record::RecordStatus;
pub use super::tenancy::{Access, AccessRole, Subject, SubjectKind, TenantNamespace};
use super::time::Instant;

/// 上云申请: a department's application for one information system, and that system's lifecycle on the cloud.
#[derive(CustomResource, Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq)]
#[kube(
    group = "govcloud.dev",
    version = "v1alpha1",
    kind = "CloudApplication",
    plural = "cloudapplications",
    namespaced,
    shortname = "capp",
    category = "govcloud",
    status = "CloudApplicationStatus",
    derive = "PartialEq",
    doc = "上云申请: one information system's application and its lifecycle on the government cloud (Art. 10-14). Filed by the department in its filing namespace.",
    printcolumn(name = "Region", type_ = "string", json_path = ".spec.region"),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Waiting-On", type_ = "string", json_path = ".status.waitingOn"),
    printcolumn(name = "For", type_ = "string", json_path = ".status.waitingFor"),
    printcolumn(name = "Until", type_ = "string", json_path = ".status.dueDate"),
    printcolumn(
        name = "On-Time",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='OnTime')].status",
        priority = 1
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].status",
        priority = 1
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "System", type_ = "string", json_path = ".spec.system.name"),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].message",
        priority = 1
    )
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.region == oldSelf.region").message("所属区域不能更改；请撤回后重新申请 / the region cannot change; withdraw and file anew"),
    validation = Rule::new("!has(oldSelf.goLive) || has(self.goLive)").message("上线情况只能更正，不能删除 / goLive may be corrected, not removed"),
    validation = Rule::new("!has(oldSelf.enforce) || (has(self.enforce) && (oldSelf.enforce == 'PodSecurity' || self.enforce == 'Network' || (oldSelf.enforce == 'Workloads' && self.enforce == 'Workloads')))").message("enforce 只能向前：PodSecurity、Workloads、Network / enforce only moves on: PodSecurity, then Workloads, then Network"),
    validation = Rule::new("!has(self.enforce) || self.namespaces.exists(n, has(n.existing))").message("没有纳管的命名空间，不填 enforce / enforce is for applications with an adopted namespace (namespaces[].existing); leave it out"),
)]
pub struct CloudApplicationSpec {
    /// Code of the Region whose cloud is applied for; immutable.
    #[schemars(length(max = 64))]
    #[x_kube(validation = Rule::new("self.matches('^[1-9][0-9]{5}$')").message("须为六位行政区划代码（GB/T 2260），如 410000 / must be the six-digit GB/T 2260 code of a region, such as 410000"))]
    pub region: String,
    /// The information system.
    pub system: System,
    /// 申请材料 (Art. 11).
    pub materials: Materials,
    /// The namespaces that are applied for, 1 to 8; each becomes one Namespace.
    // The schema's own bound is wider: its message is terse, and only in English.
    #[schemars(length(max = 32), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    #[x_kube(
        validation = Rule::new("size(self) >= 1 && size(self) <= 8").message("须申请 1 至 8 个命名空间 / apply for 1 to 8 namespaces"),
        validation = Rule::new("self.all(n, !has(n.existing) || self.exists_one(m, has(m.existing) && m.existing.name == n.existing.name))").message("同一已有命名空间只能填写一次 / an existing namespace is named by one entry only"),
    )]
    pub namespaces: Vec<NamespaceQuota>,
    /// Subjects that may work in those namespaces. After the approval a ChangeRequest changes them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), extend("x-kubernetes-list-type" = "atomic"))]
    pub access: Vec<Access>,
    /// 上线: absent until the system is live (Art. 14).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub go_live: Option<GoLive>,
    /// True for a unit outside the budget of this tier, which pays by its own channel: its fees are summed apart (Art. 26,
    /// second paragraph).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub outside_budget: bool,
    /// 纳管后的约束: facet up to which the rules for tenant namespaces are enforced in adopted ones, on the department's word
    /// (Art. 3). Absent while they are observed; it only moves on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enforce: Option<Facet>,
    /// Present contact, once it is another than `system.contact`. The department may change it at any time; it is not
    /// part of what is decided on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
}

impl CloudApplicationSpec {
    /// The person to reach now.
    #[must_use]
    pub fn present_contact(&self) -> &Contact {
        self.contact.as_ref().unwrap_or(&self.system.contact)
    }
}

/// The information system that goes on the cloud.
#[derive(Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.classification == 'NonClassified'").message("涉密信息系统不得上政务云（第三条） / classified systems may not enter the government cloud (Art. 3)"))]
pub struct System {
    /// Name of the system.
    #[schemars(length(min = 1, max = 128))]
    pub name: String,
    /// Only non-classified systems may enter (Art. 3).
    pub classification: Classification,
    /// 网络安全等级保护 level of the system (Art. 20); not above the platform's.
    #[schemars(range(min = 1, max = 5))]
    pub protection_level: i32,
    /// Contact of the department.
    pub contact: Contact,
}

/// Classification of a system with regard to state secrets.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub enum Classification {
    /// 非涉密。
    NonClassified,
    /// 涉密; always refused (Art. 3).
    Classified,
}

/// A person to reach.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Contact {
    /// Name.
    #[schemars(length(min = 1, max = 64))]
    pub name: String,
    /// Telephone.
    #[schemars(length(min = 1, max = 32))]
    pub phone: String,
}

/// 申请材料: the two documents that an application consists of (Art. 11).
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Materials {
    /// 项目批复文件 (Art. 11 (1)).
    pub project_approval: ProjectApproval,
    /// 上云技术方案 (Art. 11 (2)).
    pub technical_plan: TitledDocument,
}

/// 上线时间及测试情况 (Art. 14).
#[derive(Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(oldSelf.testReport) || (has(self.testReport) && self.testReport == oldSelf.testReport)").message("测试情况只报一次，已报的不能更改 / the test report is given once and does not change"))]
pub struct GoLive {
    /// Time of go-live. May be corrected until the operator has accepted it.
    pub at: Instant,
    /// 测试情况: reported within 5 working days of going live, once (Art. 14).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_report: Option<TestReport>,
}

/// Phase of an application.
#[derive(
    Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr,
)]
pub enum ApplicationPhase {
    /// Filed; the authority's review is awaited (Art. 12).
    Submitted,
    /// 退回补正: the department is to correct it (Art. 12).
    Returned,
    /// Not approved; final.
    Rejected,
    /// Taken back by the department before a decision, or before anything was made of an approval; final.
    Withdrawn,
    /// Approved and notified; the provider provisions (Art. 13).
    Provisioning,
    /// Provisioned; the department deploys, tests and goes live (Art. 14).
    Provisioned,
    /// Live.
    Live,
    /// An exit is under way (Art. 16).
    Exiting,
    /// Exited; the record stays.
    Exited,
}

impl ApplicationPhase {
    /// Returns true if the record is at its end.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Rejected | Self::Withdrawn | Self::Exited)
    }

    /// Returns true if the application has its resources, or is about to: from the notice to the provider until it has exited.
    #[must_use]
    pub fn is_in_use(self) -> bool {
        (Self::Provisioning..Self::Exited).contains(&self)
    }
}

/// Lifecycle of an application as the operator recorded it.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct CloudApplicationStatus {
    /// Phase of the application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<ApplicationPhase>,
    /// Phase before an exit began; the application returns there when the exit is rejected or withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase_before_exit: Option<ApplicationPhase>,
    /// Fields that every record has.
    #[serde(flatten)]
    pub record: RecordStatus,
    /// The tenant namespaces, by entry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["entry"]))]
    pub namespaces: Vec<TenantNamespace>,
    /// Tenant namespaces of an earlier record of this name, as they were found. They are left alone until a decision
    /// names exactly these UIDs in `govcloud.dev/reattach`; empty again once they are taken back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["entry"]))]
    pub found_namespaces: Vec<FoundNamespace>,
    /// Progress of the adoption of running systems; absent where no namespace is adopted (Art. 3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adoption: Option<Adoption>,
    /// Time at which every namespace was ready, or marked where it is adopted (Art. 3, 13).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provisioned_at: Option<Instant>,
    /// Accepted go-live time (Art. 14).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live_at: Option<Instant>,
    /// Receipt of the test report (Art. 14).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_at: Option<Instant>,
    /// End of the exit (Art. 16).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exited_at: Option<Instant>,
    /// The Decommission that is under way or done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub decommission: Option<String>,
    /// Volumes whose claim was deleted; kept until a Decommission says otherwise (Art. 23).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), extend("x-kubernetes-list-type" = "atomic"))]
    pub unclaimed_volumes: Vec<UnclaimedVolume>,
    /// Approved maintenance of the platform that the department was told of, until its outcome is told too (Art. 18).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["uid"]))]
    pub maintenances: Vec<AnnouncedMaintenance>,
    /// The compliance records that met what the department owes for this system last (Art. 19, 22, 24).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub compliance: Vec<MetDuty>,
}

/// Maintenance that was announced to the department.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct AnnouncedMaintenance {
    /// UID of the ChangeRequest.
    #[schemars(length(max = 64))]
    pub uid: String,
    /// Namespace of the ChangeRequest.
    #[schemars(length(max = 63))]
    pub namespace: String,
    /// Name of the ChangeRequest.
    #[schemars(length(max = 253))]
    pub name: String,
    /// Start of the window.
    pub start: Instant,
    /// End of the window.
    pub end: Instant,
    /// Impact on those affected.
    pub impact: Impact,
    /// True once the department was told that it began.
    #[serde(default)]
    pub started: bool,
}

/// A tenant namespace that an earlier record of the same name left behind.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct FoundNamespace {
    /// Entry of `spec.namespaces` that it belongs to.
    #[schemars(length(max = 63))]
    pub entry: String,
    /// Name of the Namespace.
    #[schemars(length(max = 63))]
    pub namespace: String,
    /// UID of the Namespace: what a decision names.
    #[schemars(length(max = 64))]
    pub uid: String,
    /// UID of the record that it belonged to, which no longer exists.
    #[serde(rename = "applicationUID")]
    #[schemars(length(max = 64))]
    pub application_uid: String,
}

/// A volume that no claim holds any more.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct UnclaimedVolume {
    /// Name of the PersistentVolume.
    #[schemars(length(max = 253))]
    pub volume: String,
    /// UID of the PersistentVolume.
    #[schemars(length(max = 64))]
    pub uid: String,
    /// Namespace of the claim that it had.
    #[schemars(length(max = 63))]
    pub namespace: String,
    /// Name of the claim that it had.
    #[schemars(length(max = 253))]
    pub claim: String,
}

crate::filed::filed!(CloudApplication: CloudApplicationStatus);
