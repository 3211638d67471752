//! Shared status of every filed record: decision, clocks, awaited party, and the timeline.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr};

use super::condition::Condition;
use super::deadline::{Deadline, Party};
use super::time::Instant;

/// The authority's verdict (Art. 12, 15, 16, 18). The annotation and labels spell it in lower case.
#[derive(
    Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq, EnumString, IntoStaticStr,
)]
#[strum(serialize_all = "lowercase")]
pub enum Verdict {
    /// 同意。
    Approved,
    /// 不同意; final.
    Rejected,
    /// 退回补正: to be corrected and looked at again.
    Returned,
}

/// Act that a record waits for.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq, Display)]
pub enum WaitingFor {
    /// Correction of the record by its filer (Art. 12).
    Correction,
    /// Decision by the authority (Art. 12).
    Decision,
    /// Decision that replaces an invalid one.
    NewDecision,
    /// Investigation of an altered record (S7).
    Investigation,
    /// Approval that a grant names.
    Approval,
    /// Provisioning by the provider (Art. 13).
    Provision,
    /// Grant that equals its approval (Art. 13).
    CorrectGrant,
    /// Go-live by the department (Art. 14).
    GoLive,
    /// Report on the go-live (Art. 14).
    GoLiveReport,
    /// Change by the provider (Art. 15).
    Change,
    /// Reduction of use below the requested quota (Art. 15).
    ReduceUse,
    /// Maintenance by the provider (Art. 18).
    Maintenance,
    /// Report on maintenance (Art. 18).
    MaintenanceReport,
    /// End of an exit that another record carries (Art. 16).
    Decommission,
    /// Consent of the department to the inventory (Art. 23).
    Consent,
    /// Inventory as it was consented to, or withdrawal (Art. 23).
    ConsentedInventory,
    /// Receipt of the department for its data (Art. 28).
    HandOverReceipt,
    /// Reclaim by the provider (Art. 16).
    Reclaim,
    /// Confirmation of a statement by the department (Art. 26).
    Confirmation,
    /// Records that a statement lacks, or that were returned (Art. 26).
    Records,
    /// Compliance record that is due soon or overdue (Art. 17, 19, 21, 22, 24).
    ComplianceRecord,
    /// Answers of the inspected party to findings (Art. 25).
    Rectification,
    /// Facts of a period that is assessed (Art. 27, 29).
    Facts,
    /// Scores by the authority (Art. 27, 29).
    Scores,
    /// Objection of the assessed party, if it has one (Art. 27, 29).
    Objection,
    /// Answer of the authority to an objection (Art. 27, 29).
    ObjectionAnswer,
}

/// Source of a decision's time.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub enum TimeSource {
    /// The API server's own entry in `metadata.managedFields`.
    ManagedFields,
    /// The operator's observation, because that entry was not credible.
    Observed,
}

/// A decision as the operator verified and recorded it.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// The verdict.
    pub verdict: Verdict,
    /// Username of who decided.
    #[schemars(length(max = 512))]
    pub by: String,
    /// Time of the decision.
    pub at: Instant,
    /// Source of `at`.
    pub at_source: TimeSource,
    /// The authority's opinion (Art. 12).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub opinion: Option<String>,
    /// The generation that was decided on.
    pub generation: i64,
    /// Digest of the spec that was decided on, without the fields that come later in the lifecycle.
    #[schemars(length(max = 80))]
    pub digest: String,
    /// UIDs of the existing tenant namespaces that the authority let a recreated record take back, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(max = 64)), extend("x-kubernetes-list-type" = "atomic"))]
    pub reattach: Vec<String>,
    /// UIDs of the running systems' namespaces that the authority let the application adopt, sorted (Art. 3).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(max = 64)), extend("x-kubernetes-list-type" = "atomic"))]
    pub adopt: Vec<String>,
    /// Reason for which the decision is invalid; it can then be removed and made anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub void: Option<String>,
    /// The operator's seal over the record's UID and this decision, made while the admission policies were intact.
    /// A decision without it does not count (design, section 3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub seal: Option<String>,
}

/// One entry of a record's timeline.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct TimelineEntry {
    /// Time of the event.
    pub at: Instant,
    /// Username of who acted; `govcloud-operator` where the operator acted by itself. Absent where the record does not
    /// show who of the party it was: the API server's audit log does.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 512))]
    pub actor: String,
    /// Party that acted, or for which the operator acted; absent where the operator acted for nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party: Option<Party>,
    /// Event: one CamelCase word.
    #[schemars(length(max = 64))]
    pub event: String,
    /// The article of the measures that asks for it; absent where none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub article: Option<i32>,
    /// Wording for people, in Chinese and English.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 2048))]
    pub message: String,
    /// Number of entries that there ever were before this one. Absent where its position in the list and
    /// `timelineDropped` tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub place: Option<i32>,
}

/// Status fields that every record has.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct RecordStatus {
    /// The generation that this status was computed from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Digest of that generation's spec, without the fields that come later in the lifecycle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 80))]
    pub spec_digest: Option<String>,
    /// Last write of this status by the operator; a decision made before it was seen counts from here on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_at: Option<Instant>,
    /// `Ready`, `Reconciling`, `Stalled`, `Valid`, `OnTime` and the kind's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// Which party's act is awaited.
    #[serde(default)]
    pub waiting_on: Party,
    /// Act that is awaited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_for: Option<WaitingFor>,
    /// Last lawful day for that act, where a clock runs (YYYY-MM-DD, Asia/Shanghai).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 10))]
    pub due_date: Option<String>,
    /// The operator's seal that it saw this record, without a decision that it does not know, in the present period in
    /// which the admission policies are intact. A decision that appears under an earlier one does not count. Absent once
    /// an approval or a rejection is recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub period_seal: Option<String>,
    /// The decision on this record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// Publication of the approval to the provider, from which its period counts (Art. 13, 15, 16).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notified_at: Option<Instant>,
    /// Every clock that this record started (Art. 13–16).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["obligation"]))]
    pub deadlines: Vec<Deadline>,
    /// Lifecycle events of the record, oldest first. Entries are appended; past the bound, routine ones are dropped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), extend("x-kubernetes-list-type" = "atomic"))]
    pub timeline: Vec<TimelineEntry>,
    /// Number of entries that were dropped to keep the timeline bounded. The first entry, decisions and what is owed stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeline_dropped: Option<i32>,
}
