//! ChangeRequest: adjust resources (Art. 15) or maintain the platform (Art. 18).

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::document::{Attachment, TitledDocument};
use super::grant::GrantedNamespace;
use super::quota::NamespaceQuota;
use super::record::RecordStatus;
use super::tenancy::Access;
use super::time::Instant;

/// 变更申请 or 平台调整方案: exactly one of the two.
#[derive(CustomResource, Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq)]
#[kube(
    group = "govcloud.dev",
    version = "v1alpha1",
    kind = "ChangeRequest",
    plural = "changerequests",
    namespaced,
    shortname = "chreq",
    category = "govcloud",
    status = "ChangeRequestStatus",
    derive = "PartialEq",
    doc = "变更申请 (Art. 15, filed by the department) or 平台调整方案 (Art. 18, filed by the provider). Exactly one of resourceAdjustment and platformMaintenance.",
    printcolumn(name = "Application", type_ = "string", json_path = ".spec.resourceAdjustment.application"),
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
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].message",
        priority = 1
    )
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.resourceAdjustment) != has(self.platformMaintenance)").message("resourceAdjustment 与 platformMaintenance 须且只能填一项 / give exactly one of resourceAdjustment and platformMaintenance"),
    validation = Rule::new("self.region == oldSelf.region").message("所属区域不能更改 / the region cannot change"),
    validation = Rule::new("!has(self.maintenanceOutcome) || has(self.platformMaintenance)").message("只有平台调整才报实施结果 / only platform maintenance has an outcome"),
    validation = Rule::new("!has(self.maintenanceOutcome) || !has(self.platformMaintenance) || timestamp(self.maintenanceOutcome.endedAt) >= timestamp(self.platformMaintenance.window.start)").message("实施结束不得早于窗口开始 / endedAt cannot be before the window starts"),
    validation = Rule::new("!has(oldSelf.maintenanceOutcome) || has(self.maintenanceOutcome)").message("实施结果不能删除 / the outcome cannot be removed"),
    validation = Rule::new("has(self.resourceAdjustment) == has(oldSelf.resourceAdjustment)").message("变更种类不能更改；请另行申请 / the kind of change cannot be switched; file another request"),
)]
pub struct ChangeRequestSpec {
    /// Code of the Region; immutable.
    #[schemars(length(max = 64))]
    #[x_kube(validation = Rule::new("self.matches('^[1-9][0-9]{5}$')").message("须为六位行政区划代码（GB/T 2260），如 410000 / must be the six-digit GB/T 2260 code of a region, such as 410000"))]
    pub region: String,
    /// Adjust the resources of one application (Art. 15).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_adjustment: Option<ResourceAdjustment>,
    /// Upgrade or otherwise adjust the platform (Art. 18).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_maintenance: Option<PlatformMaintenance>,
    /// Outcome of the maintenance; given by the provider after the window, once (Art. 18).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self == oldSelf").message("实施结果只报一次 / the outcome is reported once"))]
    pub maintenance_outcome: Option<MaintenanceOutcome>,
}

/// New absolute values for some or all namespaces of an application, or new access to them, or both (Art. 15).
#[derive(Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.access) || (has(self.namespaces) && size(self.namespaces) >= 1)").message("须写明要变更的命名空间配额或 access / give namespaces with their new quotas, or access, or both"))]
pub struct ResourceAdjustment {
    /// Name of the CloudApplication, in the same namespace; immutable.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = Rule::new("self == oldSelf").message("所变更的应用不能更换 / the application cannot be replaced"))]
    pub application: String,
    /// Reason for the change.
    #[schemars(length(min = 1, max = 2048))]
    pub reason: String,
    /// Namespaces with their new absolute values. Namespaces and values not named stay as they are; a new name
    /// adds a namespace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    #[x_kube(
        validation = Rule::new("size(self) <= 8").message("最多写明 8 个命名空间 / name at most 8 namespaces"),
        validation = Rule::new("self.all(n, !has(n.existing))").message("已有命名空间只能在上云申请中纳管，请另行申请（第三条） / an existing namespace is adopted by an application, not by a change; file a CloudApplication (Art. 3)"),
    )]
    pub namespaces: Vec<NamespaceQuota>,
    /// Everybody that may work in the namespaces after the change, in place of those in force. Absent where nothing
    /// changes; an empty list takes all access away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32), extend("x-kubernetes-list-type" = "atomic"))]
    pub access: Option<Vec<Access>>,
}

/// Upgrade, optimisation or other adjustment of the platform (Art. 18).
#[derive(Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.impact == 'None' || has(self.contingencyPlan)").message("可能影响使用部门的调整须附应急预案（第十八条） / maintenance that may affect departments needs a contingency plan (Art. 18)"))]
pub struct PlatformMaintenance {
    /// 调整方案。
    pub plan: TitledDocument,
    /// Window in which it takes place.
    pub window: Window,
    /// Impact on those affected.
    pub impact: Impact,
    /// Applications that it affects.
    pub affects: Affects,
    /// 应急预案; required unless the impact is None.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contingency_plan: Option<Attachment>,
    /// Name of the ComplianceRecord with the emergency plan that it relies on, in the same namespace. It must be in force
    /// until the window ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub emergency_plan: Option<String>,
}

/// Outcome of a maintenance.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct MaintenanceOutcome {
    /// Result.
    pub result: MaintenanceResult,
    /// End of the maintenance.
    pub ended_at: Instant,
    /// Summary in a few sentences.
    #[schemars(length(min = 1, max = 2048))]
    pub summary: String,
}

/// Result of a maintenance.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub enum MaintenanceResult {
    /// As planned.
    Succeeded,
    /// Rolled back by the contingency plan.
    RolledBack,
    /// Failed.
    Failed,
}

/// A span of time.
#[derive(Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("timestamp(self.start) < timestamp(self.end)").message("窗口的结束须晚于开始 / the window must end after it starts"))]
pub struct Window {
    /// Begin.
    pub start: Instant,
    /// End.
    pub end: Instant,
}

impl Window {
    /// Returns true if two windows have an instant in common.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.start.timestamp() < other.end.timestamp() && other.start.timestamp() < self.end.timestamp()
    }
}

/// Impact of maintenance on those affected.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub enum Impact {
    /// Nothing is noticed.
    None,
    /// Slower, or short interruptions.
    Degraded,
    /// Not available during the window.
    Outage,
}

/// Applications that maintenance affects: some, or all of the region.
#[derive(Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.applications) != (has(self.all) && self.all)").message("写明受影响的应用，或 all: true，二者取一 / give either the affected applications or all: true"))]
pub struct Affects {
    /// Every application of the region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all: Option<bool>,
    /// The affected applications.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256), extend("x-kubernetes-list-type" = "atomic"))]
    pub applications: Option<Vec<AffectedApplication>>,
}

impl Affects {
    /// Returns true if it affects an application of its region.
    #[must_use]
    pub fn names(&self, namespace: &str, name: &str) -> bool {
        let named = self.applications.as_ref();
        named.is_none_or(|list| list.iter().any(|a| a.namespace == namespace && a.name == name))
    }

    /// Returns true if two maintenances of one region may affect the same application.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        match &self.applications {
            None => true,
            Some(list) => list.iter().any(|a| other.names(&a.namespace, &a.name)),
        }
    }
}

/// An application by namespace and name.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct AffectedApplication {
    /// Filing namespace.
    #[schemars(length(min = 1, max = 63))]
    pub namespace: String,
    /// Name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// Phase of a change.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq, IntoStaticStr)]
pub enum ChangePhase {
    /// Filed; the authority's review is awaited.
    Submitted,
    /// 退回补正。
    Returned,
    /// Not approved; final.
    Rejected,
    /// Taken back before a decision; final.
    Withdrawn,
    /// Approved and notified; being carried out (Art. 15).
    Applying,
    /// Approved maintenance that waits for its window (Art. 18).
    Scheduled,
    /// Maintenance inside its window, or past it without a report.
    InProgress,
    /// Carried out.
    Completed,
}

impl ChangePhase {
    /// Returns true if the change is at its end.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Rejected | Self::Withdrawn | Self::Completed)
    }

    /// Returns true if it is maintenance that was approved and is not over: ahead of its window, or inside it (Art. 18).
    #[must_use]
    pub fn is_ahead(self) -> bool {
        matches!(self, Self::Scheduled | Self::InProgress)
    }
}

/// A change as it was carried out.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ChangeRequestStatus {
    /// Phase of the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<ChangePhase>,
    /// Fields that every record has.
    #[serde(flatten)]
    pub record: RecordStatus,
    /// Grant in force when the change was decided.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub before: Vec<GrantedNamespace>,
    /// Grant after the change: `before` with the requested values in place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub after: Vec<GrantedNamespace>,
    /// Access after the change; absent where it is that of the application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32), extend("x-kubernetes-list-type" = "atomic"))]
    pub access_after: Option<Vec<Access>>,
    /// UID of the application that the change was approved for.
    #[serde(default, rename = "applicationUID", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub application_uid: Option<String>,
    /// Since when the change waits until the department uses less; absent while it does not wait (Art. 15).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below_use_since: Option<Instant>,
    /// Time at which `after` came into force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied_at: Option<Instant>,
}

crate::filed::filed!(ChangeRequest: ChangeRequestStatus);
