//! Decommission: exit — data first, then reclaim (Art. 16, 23, 28).

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::disposition::{Action, Disposition, InventoryEntry, SnapshotEntry};
use super::document::{Sha256, Uri};
use super::record::RecordStatus;
use super::time::Instant;

/// 退出申请: what becomes of an application's volumes, and then of its namespaces.
#[derive(CustomResource, Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq)]
#[kube(
    group = "govcloud.dev",
    version = "v1alpha1",
    kind = "Decommission",
    plural = "decommissions",
    namespaced,
    shortname = "decom",
    category = "govcloud",
    status = "DecommissionStatus",
    derive = "PartialEq",
    doc = "退出申请 (Art. 16): the data first, with the department's consent (Art. 23), then the resources are reclaimed within 3 working days.",
    printcolumn(name = "Application", type_ = "string", json_path = ".spec.application"),
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
    printcolumn(name = "Inventory", type_ = "string", json_path = ".status.inventory.digest", priority = 1),
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
    validation = Rule::new("self.region == oldSelf.region").message("所属区域不能更改 / the region cannot change"),
    validation = Rule::new("self.application == oldSelf.application && self.scope == oldSelf.scope").message("退出的应用和范围不能更改；请另行申请 / application and scope cannot change; file another Decommission"),
    validation = Rule::new("!has(oldSelf.handOver) || (has(self.handOver) && oldSelf.handOver.all(r, self.handOver.exists(n, n.volumeUID == r.volumeUID)))").message("移交回执只能增加，不能删除 / hand-over receipts may be added, not removed"),
    validation = Rule::new("self.scope != 'Volumes' || self.reason == 'NoLongerUsed'").message("仅处置数据卷时 reason 须为 NoLongerUsed / with scope Volumes the reason is NoLongerUsed"),
)]
pub struct DecommissionSpec {
    /// Code of the Region; immutable.
    #[schemars(length(max = 64))]
    #[x_kube(validation = Rule::new("self.matches('^[1-9][0-9]{5}$')").message("须为六位行政区划代码（GB/T 2260），如 410000 / must be the six-digit GB/T 2260 code of a region, such as 410000"))]
    pub region: String,
    /// Name of the CloudApplication, in the same namespace; immutable.
    #[schemars(length(min = 1, max = 253))]
    pub application: String,
    /// The whole application, or only volumes that are unclaimed or retained, also those of an archived application of this
    /// name; immutable.
    #[serde(default)]
    pub scope: Scope,
    /// Reason of the exit.
    pub reason: ExitReason,
    /// Action for each volume.
    pub disposition: Disposition,
    /// The department's consent to exactly this inventory (Art. 23). Given after the inventory is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<Consent>,
    /// Receipts of volumes that were handed over; only ever added to (Art. 28). A receipt for a volume that was to be
    /// retained and that is gone acknowledges its loss (Art. 23).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 512), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["volumeUID"]))]
    pub hand_over: Vec<Receipt>,
}

/// Scope of an exit.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub enum Scope {
    /// The application with its namespaces and volumes.
    #[default]
    Application,
    /// Only volumes that no claim holds, or that an earlier exit retained.
    Volumes,
}

/// Reason for which an application exits.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub enum ExitReason {
    /// 不再使用 (Art. 16).
    NoLongerUsed,
    /// 合同到期 (Art. 28).
    ContractEnded,
    /// 因违反相关规定被终止合同 (Art. 28).
    ContractTerminated,
}

/// Consent of the department to what happens to its data (Art. 23).
#[derive(Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Consent {
    /// Equals `status.inventory.digest`.
    #[schemars(length(max = 128))]
    #[x_kube(validation = Rule::new("self.matches('^sha256:[0-9a-f]{64}$')").message("须照抄 status.inventory.digest，以示对这份清单授权 / copy it from status.inventory.digest: it is the consent to exactly that inventory"))]
    pub inventory_digest: String,
}

/// The department's receipt for a volume that was handed over (Art. 28).
#[derive(Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self == oldSelf").message("移交回执不能更改 / a hand-over receipt cannot be changed"))]
pub struct Receipt {
    /// UID of the PersistentVolume.
    #[serde(rename = "volumeUID")]
    #[schemars(length(min = 1, max = 64))]
    pub volume_uid: String,
    /// Person who received the data.
    #[schemars(length(min = 1, max = 128))]
    pub received_by: String,
    /// Address of the receipt.
    pub uri: Uri,
    /// SHA-256 of the receipt's bytes, 64 lowercase hexadecimal digits.
    pub sha256: Sha256,
}

/// Phase of an exit.
#[derive(
    Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr,
)]
pub enum DecommissionPhase {
    /// The volumes are being listed.
    Inventory,
    /// The inventory is published; the department's consent is awaited (Art. 23).
    AwaitingConsent,
    /// Consent is given; the authority's decision is awaited (Art. 16).
    AwaitingDecision,
    /// Approved; data is handed over and use winds down (Art. 28).
    HandingOver,
    /// Resources are being reclaimed; there is no way back (Art. 16).
    Reclaiming,
    /// Done; the certificate is in the status.
    Completed,
    /// Not approved; final.
    Rejected,
    /// Taken back before reclaiming; final.
    Withdrawn,
}

impl DecommissionPhase {
    /// Returns true if the exit is at its end.
    #[must_use]
    pub fn is_over(self) -> bool {
        self == Self::Completed || self.came_to_nothing()
    }

    /// Returns true if it ended without result: the application goes on.
    #[must_use]
    pub fn came_to_nothing(self) -> bool {
        matches!(self, Self::Rejected | Self::Withdrawn)
    }
}

/// An exit as it was carried out.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct DecommissionStatus {
    /// Phase of the exit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<DecommissionPhase>,
    /// Fields that every record has.
    #[serde(flatten)]
    pub record: RecordStatus,
    /// UID of the application that exits.
    #[serde(default, rename = "applicationUID", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub application_uid: Option<String>,
    /// Every volume, claim and snapshot, with what becomes of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inventory: Option<Inventory>,
    /// The consent that counts, as it was verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<GivenConsent>,
    /// Number of consents that became invalid because the inventory changed. It is part of the inventory's digest, so that a
    /// consent does not become valid again by itself.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub voided_consents: i32,
    /// UIDs of the volumes whose receipt in `spec.handOver` is recorded (Art. 28).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 512), inner(length(max = 64)), extend("x-kubernetes-list-type" = "atomic"))]
    pub received_volumes: Vec<String>,
    /// Volumes that a person announced to delete by hand while reclaiming (`govcloud.dev/removed-by`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 512), extend("x-kubernetes-list-type" = "atomic"))]
    pub removed_by_hand: Vec<HandRemoval>,
    /// End of use: from here on every namespace of the application refused new pods (Art. 26).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiesced_at: Option<Instant>,
    /// Start of reclaiming.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reclaiming_since: Option<Instant>,
    /// Proof of what became of the data (Art. 16, 23, 28).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Certificate>,
}

/// Storage of an application, with the action for each part.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Inventory {
    /// Digest over the entries; consent names it.
    #[schemars(length(max = 80))]
    pub digest: String,
    /// Time of publication.
    pub published_at: Instant,
    /// Number of unclaimed volumes that it leaves out, because one inventory lists at most 512. They stay as they are, and
    /// leave with a later exit of scope Volumes.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: i32,
    /// Data that goes with the namespaces without being listed.
    #[schemars(length(max = 1024))]
    pub note: String,
    /// The claims and volumes, sorted by namespace and claim.
    #[schemars(length(max = 512), extend("x-kubernetes-list-type" = "atomic"))]
    pub entries: Vec<InventoryEntry>,
    /// The snapshots, sorted by namespace and name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 512), extend("x-kubernetes-list-type" = "atomic"))]
    pub snapshots: Vec<SnapshotEntry>,
}

/// A verified consent.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct GivenConsent {
    /// Digest that was consented to.
    #[schemars(length(max = 80))]
    pub digest: String,
    /// Username of who consented.
    #[schemars(length(max = 512))]
    pub by: String,
    /// Time at which it was seen.
    pub at: Instant,
}

/// A volume that a person deletes by hand.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct HandRemoval {
    /// UID of the PersistentVolume.
    #[serde(rename = "volumeUID")]
    #[schemars(length(max = 64))]
    pub volume_uid: String,
    /// Username of the person.
    #[schemars(length(max = 512))]
    pub by: String,
}

/// 退出证明: the outcome of every volume, with its consent and decision.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Certificate {
    /// Digest over everything else in the certificate.
    #[schemars(length(max = 80))]
    pub digest: String,
    /// The application.
    #[schemars(length(max = 253))]
    pub application: String,
    /// Its UID.
    #[serde(rename = "applicationUID")]
    #[schemars(length(max = 64))]
    pub application_uid: String,
    /// Region code.
    #[schemars(length(max = 6))]
    pub region: String,
    /// Name of the system.
    #[schemars(length(max = 128))]
    pub system: String,
    /// The consent.
    pub consent: GivenConsent,
    /// Username of the approver.
    #[schemars(length(max = 512))]
    pub decided_by: String,
    /// Time of the decision.
    pub decided_at: Instant,
    /// Start of reclaiming.
    pub begun_at: Instant,
    /// Time at which the last resource was verified gone or retained.
    pub ended_at: Instant,
    /// Namespaces that were removed, by name and UID.
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "atomic"))]
    pub namespaces: Vec<super::tenancy::TenantNamespace>,
    /// Outcome of every volume.
    #[schemars(length(max = 512), extend("x-kubernetes-list-type" = "atomic"))]
    pub volumes: Vec<VolumeOutcome>,
    /// Outcome of every snapshot.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 512), extend("x-kubernetes-list-type" = "atomic"))]
    pub snapshots: Vec<SnapshotOutcome>,
    /// Claims of the inventory that never had a volume; they went with their namespace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 512), inner(length(max = 320)), extend("x-kubernetes-list-type" = "atomic"))]
    pub claims_without_volume: Vec<String>,
}

/// Outcome of one volume.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct VolumeOutcome {
    /// Namespace of its claim.
    #[schemars(length(max = 63))]
    pub namespace: String,
    /// Name of its claim.
    #[schemars(length(max = 253))]
    pub claim: String,
    /// Name of the PersistentVolume.
    #[schemars(length(max = 253))]
    pub volume: String,
    /// UID of the PersistentVolume.
    #[serde(rename = "volumeUID")]
    #[schemars(length(max = 64))]
    pub volume_uid: String,
    /// Its size.
    #[schemars(length(max = 32))]
    pub capacity: String,
    /// Action, as consented.
    pub action: Action,
    /// Outcome that was observed at the end.
    pub outcome: Outcome,
    /// The department's receipt: of the hand-over, or of the loss (Art. 28).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<CertifiedReceipt>,
    /// Username of who deleted the volume by hand, where the outcome is `Removed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub removed_by: Option<String>,
}

/// The department's receipt for a volume, as the certificate repeats it.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct CertifiedReceipt {
    /// Person who received the data.
    #[schemars(length(max = 128))]
    pub received_by: String,
    /// Address of the receipt.
    #[schemars(length(max = 2048))]
    pub uri: String,
    /// SHA-256 of the receipt's bytes.
    #[schemars(length(max = 128))]
    pub sha256: String,
}

/// Outcome of one snapshot.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotOutcome {
    /// Its namespace.
    #[schemars(length(max = 63))]
    pub namespace: String,
    /// Its name.
    #[schemars(length(max = 253))]
    pub name: String,
    /// Its UID.
    #[schemars(length(max = 64))]
    pub uid: String,
    /// Name of the VolumeSnapshotContent that held the bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub content: Option<String>,
    /// Action, as consented.
    pub action: Action,
    /// Outcome that was observed at the end: `Destroyed` where snapshot and content are gone, `Retained` where the content stays.
    pub outcome: Outcome,
}

/// Observed outcome of a volume at the end of an exit.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq, IntoStaticStr)]
pub enum Outcome {
    /// The volume is gone.
    Destroyed,
    /// The volume is Released and kept.
    Retained,
    /// The data was received by the department, then the volume was destroyed.
    HandedOver,
    /// The volume was to be retained and was removed by somebody else; the department acknowledged it in `spec.handOver`.
    Lost,
    /// The volume was to be destroyed, and a person deleted it by hand. Nobody observed that its bytes are gone.
    Removed,
}

fn is_zero(n: &i32) -> bool {
    *n == 0
}

crate::filed::filed!(Decommission: DecommissionStatus);
