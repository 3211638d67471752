//! How a Region assesses its provider and its departments (Art. 27, 29). The measures set no scheme: each Region does.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LocalName;
use crate::utilization::{MeasuredResource, UseRatio};

/// Schemes of a Region's assessments.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct AssessmentRules {
    /// Scheme for the provider (Art. 27).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Scheme>,
    /// Scheme for departments (Art. 29).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<Scheme>,
    /// Working days in which the assessed party may object. Default 5.
    #[serde(default = "five")]
    #[schemars(range(min = 1, max = 250))]
    pub objection_working_days: i32,
    /// Rule by which low use is reported (Art. 29); off where absent. Nothing is ever done because of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low_use: Option<LowUseRule>,
}

fn five() -> i32 {
    5
}

/// Criteria of one kind of assessment.
#[derive(Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Scheme {
    /// Criteria, whose weights add up to 100.
    #[schemars(length(min = 1, max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    #[x_kube(validation = Rule::new("self.map(c, c.weight).sum() == 100").message("各项指标的权重（weight）之和须为 100 / the weights of the criteria must add up to 100"))]
    pub criteria: Vec<Criterion>,
    /// Coefficient by total, for settlements (Art. 26); none where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["from"]))]
    #[x_kube(validation = Rule::new("self.exists(c, c.from == 0)").message("系数须有一档 from: 0，使每个总分都有系数 / one coefficient must have from: 0, so that every total has one"))]
    pub coefficients: Vec<Coefficient>,
}

/// One criterion.
#[derive(Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Criterion {
    /// Name, by which scores refer to it.
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')").message("须为小写字母、数字和连字符，如 timeliness / use small letters, digits and hyphens, such as timeliness"))]
    pub name: String,
    /// Name for people.
    pub title: LocalName,
    /// Weight, in hundredths of the total.
    #[schemars(range(min = 1, max = 100))]
    pub weight: i32,
}

/// Coefficient from a total on.
#[derive(Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Coefficient {
    /// The least total for which it counts. The greatest one that is reached counts.
    #[schemars(range(min = 0, max = 100))]
    pub from: i32,
    /// Coefficient, as a decimal such as 0.95.
    #[schemars(length(max = 8))]
    #[x_kube(validation = Rule::new("self.matches('^(0|[1-9])([.][0-9]{1,4})?$')").message("须为小于 10 的小数，如 0.95 / must be a decimal below 10, such as 0.95"))]
    pub coefficient: String,
}

/// Rule by which low use is reported.
#[derive(Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct LowUseRule {
    /// Resource.
    pub resource: MeasuredResource,
    /// Ratio that is compared.
    pub ratio: UseRatio,
    /// Threshold, as a decimal such as 0.10.
    #[schemars(length(max = 8))]
    #[x_kube(validation = Rule::new("self.matches('^(0[.][0-9]{1,4}|1)$')").message("须为 0 与 1 之间的小数，如 0.10 / must be a decimal between 0 and 1, such as 0.10"))]
    pub below: String,
    /// Months in a row. A system that was live for fewer months is left out.
    #[schemars(range(min = 1, max = 12))]
    pub months: i32,
}
