//! Utilization: use of a department's namespaces in a period, as Prometheus measured it (Art. 29).
//!
//! Three ratios are kept apart, and none is ever shown as another: `applied` is quota used / quota, `used` is real use /
//! quota, `dense` is real use / requests.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumIter, EnumString, IntoStaticStr};

use super::time::Instant;

/// Resource whose use is measured.
#[derive(
    Clone,
    Copy,
    Debug,
    Deserialize,
    Serialize,
    JsonSchema,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    EnumIter,
    EnumString,
    IntoStaticStr,
)]
pub enum MeasuredResource {
    /// Processor time: `requests.cpu`.
    #[strum(serialize = "cpu")]
    #[serde(rename = "cpu")]
    Cpu,
    /// Working set: `requests.memory`.
    #[strum(serialize = "memory")]
    #[serde(rename = "memory")]
    Memory,
    /// Bytes on volumes: `requests.storage`.
    #[strum(serialize = "storage")]
    #[serde(rename = "storage")]
    Storage,
}

/// Ratio of use.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq, IntoStaticStr)]
pub enum UseRatio {
    /// Quota used / quota: whether what was applied for is allocated.
    Applied,
    /// Real use / quota, on average.
    Used,
    /// Real use / quota, at the 95th percentile of each day.
    UsedP95,
    /// Real use / requests, on average.
    Dense,
}

/// Result of measuring one month.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq, IntoStaticStr)]
pub enum MeasuredResult {
    /// At least 25 days count.
    Measured,
    /// Fewer than 25 days count: no ratio of real use is given.
    InsufficientData,
    /// Every namespace read 0: the sensor is the finding, and no ratio of real use is given.
    SensorSuspect,
}

/// Use in a period.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Utilization {
    /// Time at which Prometheus was read.
    pub read_at: Instant,
    /// One row for each namespace, resource and month.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1024), extend("x-kubernetes-list-type" = "atomic"))]
    pub months: Vec<MonthUse>,
    /// Resources whose every reading of real use was 0, in every namespace: the sensor is to be looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 3), extend("x-kubernetes-list-type" = "atomic"))]
    pub suspect: Vec<MeasuredResource>,
    /// Namespaces whose use was low by the Region's rule. Reported, and never acted on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), extend("x-kubernetes-list-type" = "atomic"))]
    pub low: Vec<LowUse>,
}

/// Use of one resource in one namespace and month.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct MonthUse {
    /// Name of the CloudApplication.
    #[schemars(length(max = 253))]
    pub application: String,
    /// Tenant namespace.
    #[schemars(length(max = 63))]
    pub namespace: String,
    /// Month, as `2026-09`.
    #[schemars(length(max = 7))]
    pub month: String,
    /// Resource.
    pub resource: MeasuredResource,
    /// Result.
    pub result: MeasuredResult,
    /// Number of days of the month in the period.
    #[schemars(range(min = 0, max = 31))]
    pub days: i32,
    /// Number of days on which real use and quota were both covered by at least 90 %.
    #[schemars(range(min = 0, max = 31))]
    pub counting_days: i32,
    /// Coverage of real use of each day, in per cent, cut.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 31), inner(range(min = 0, max = 100)), extend("x-kubernetes-list-type" = "atomic"))]
    pub coverage: Vec<i32>,
    /// Quota used / quota; absent where too few days count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub applied: Option<String>,
    /// Real use / quota.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub used: Option<String>,
    /// 95th percentile of real use of a day / quota, on average.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub used_p95: Option<String>,
    /// Real use / requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub dense: Option<String>,
}

/// A namespace whose use was below the Region's threshold in every month of the rule.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct LowUse {
    /// Name of the CloudApplication.
    #[schemars(length(max = 253))]
    pub application: String,
    /// Tenant namespace.
    #[schemars(length(max = 63))]
    pub namespace: String,
    /// Highest ratio of these months.
    #[schemars(length(max = 16))]
    pub highest: String,
    /// Number of months in a row.
    #[schemars(range(min = 1, max = 12))]
    pub months: i32,
}
