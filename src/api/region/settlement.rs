//! Settings of the monthly settlement (Art. 6, 7, 26).

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Monthly settlement of a Region: from when, by which rules, and within which periods (Art. 6, 7, 26).
#[derive(Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Settlement {
    /// The first month that is settled, `2026-10`. Months are a chain, so it does not change.
    #[schemars(length(max = 7))]
    #[x_kube(validation = Rule::new("self.matches('^20[0-9]{2}-(0[1-9]|1[0-2])$')").message("须为月份，如 2026-10 / must be a month, such as 2026-10"))]
    pub first_month: String,
    /// Share of a day that is charged where something was in force for a part of it.
    #[serde(default)]
    pub proration: Proration,
    /// End of the charge in an exit (Art. 16).
    #[serde(default)]
    pub charge_until: ChargeUntil,
    /// The department confirms a statement within this. The measures set no period; default 5.
    #[serde(default = "five")]
    #[schemars(range(min = 1, max = 250))]
    pub confirm_working_days: i32,
    /// The authority settles a statement within this. The measures set no period; default 5.
    #[serde(default = "five")]
    #[schemars(range(min = 1, max = 250))]
    pub settle_working_days: i32,
    /// Budget ceilings of departments by year (Art. 7). They are shown and alerted on, and refuse nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 2048), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["department", "year"]))]
    pub budgets: Vec<BudgetCeiling>,
}

fn five() -> i32 {
    5
}

/// Most that a department is to spend in a year (Art. 7).
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct BudgetCeiling {
    /// Filing namespace of the department.
    #[schemars(length(min = 1, max = 63))]
    pub department: String,
    /// The year.
    #[schemars(range(min = 2020, max = 2099))]
    pub year: i32,
    /// Amount in the currency of the catalogue, with two decimals: `1200000.00`.
    #[schemars(length(max = 32), regex(pattern = r"^(0|[1-9][0-9]*)\.[0-9]{2}$"))]
    pub ceiling: String,
}

/// Share of a day that is charged where something was in force for a part of it.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub enum Proration {
    /// A day costs what is in force at its 24:00, in China.
    #[default]
    Daily,
    /// Every second counts.
    Exact,
}

/// End of the charge in an exit (Art. 16).
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub enum ChargeUntil {
    /// The department's use ends: new pods are refused, at the latest from the start of reclaiming on.
    #[default]
    EndOfUse,
    /// The provider has reclaimed, or should have: what it is late is not charged.
    Reclaimed,
}
