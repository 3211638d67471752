//! Conditions as the Kubernetes API conventions define them; `Ready`, `Reconciling` and `Stalled` as kstatus reads them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{AsRefStr, EnumIter};

use super::time::Instant;

/// Type of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AsRefStr, EnumIter)]
pub enum ConditionType {
    /// At rest as it should be.
    Ready,
    /// On its way, or waiting for somebody's act.
    Reconciling,
    /// Waiting for somebody to correct something.
    Stalled,
    /// Complete and in order (Art. 12).
    Valid,
    /// No deadline has passed.
    OnTime,
    /// Namespaces of an earlier record were found.
    NamespacesFound,
    /// Approved maintenance is ahead or under way (Art. 18).
    MaintenanceScheduled,
    /// Maintenance windows overlap (Art. 18).
    WindowOverlaps,
    /// Kubernetes counts use under every key of the granted quota.
    QuotaCounted,
    /// The inventory has something that the department must know before it consents (Art. 23).
    InventoryWarning,
    /// The records have every fact that a statement is computed from (Art. 26).
    Complete,
    /// The year's fees are within the budget ceiling of the department (Art. 7).
    WithinBudget,
    /// A compliance record counts, is valid, and no newer one took its place (Art. 17, 21, 22, 24).
    Current,
    /// Use was read from Prometheus, and enough of it (Art. 29).
    UseMeasured,
}

/// Status of a condition.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub enum ConditionStatus {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// It is not known yet.
    Unknown,
}

/// One aspect of a record's state, with its reason.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// Which aspect: `Ready`, `Reconciling`, `Stalled`, `Valid`, `OnTime` and the kind's own.
    #[serde(rename = "type")]
    #[schemars(length(max = 64))]
    pub type_: String,
    /// Status of the condition.
    pub status: ConditionStatus,
    /// The generation that this was judged on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Last change of `status`.
    pub last_transition_time: Instant,
    /// One CamelCase word for machines; explained in docs/troubleshooting.md.
    #[schemars(length(min = 1, max = 128))]
    pub reason: String,
    /// Wording for people, in Chinese and English.
    #[schemars(length(max = 8192))]
    pub message: String,
}
