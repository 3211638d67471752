//! Deadlines as every record's status holds them (design section 4).
//!
//! These are data. The rules that open, move, meet and report one are in `govcloud_domain::deadline`.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::period::Period;
use super::time::{CivilDate, Instant};

/// Act that a party owes within working days, or within a calendar period.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
pub enum Obligation {
    /// The authority decides (only where the Region sets a period).
    Review,
    /// The provider provisions what was approved (Art. 13).
    Provision,
    /// The department brings its system live (Art. 14).
    GoLive,
    /// The department reports its tests and the time of going live (Art. 14).
    GoLiveReport,
    /// The provider puts approved changes in force (Art. 15).
    Change,
    /// The provider reclaims what is no longer used (Art. 16).
    Reclaim,
    /// The provider helps to move out and hands over (Art. 28).
    Migration,
    /// The provider reports on maintenance (Art. 18).
    MaintenanceReport,
    /// The department confirms a month's statement (Art. 6, 26).
    Confirm,
    /// The authority settles a month's statement (Art. 6, 26).
    Settle,
    /// The provider reports on use and operation (Art. 17).
    OperationReport,
    /// The provider has an emergency plan (Art. 17).
    EmergencyPlan,
    /// A party drills its emergency plan (Art. 17, 19).
    Drill,
    /// A party files its protection level with the police (Art. 21, 22).
    MlpsFiling,
    /// A party has its protection evaluated (Art. 21, 22).
    MlpsEvaluation,
    /// A party has its use of commercial cryptography assessed (Art. 24).
    CryptoAssessment,
    /// A party lists the products that it uses (Art. 24).
    ProductList,
    /// The inspected party puts a finding right (Art. 25).
    Rectification,
    /// The provider may object to its assessment (Art. 27). A right: it lapses, and is never overdue.
    ProviderObjection,
    /// The department may object to its assessment (Art. 29). A right: it lapses, and is never overdue.
    DepartmentObjection,
}

/// Party that a record waits on.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, IntoStaticStr)]
pub enum Party {
    /// 使用部门: files and operates its system.
    Department,
    /// 主管部门: decides.
    Authority,
    /// 服务提供方: runs the platform.
    Provider,
    /// Nobody.
    #[default]
    None,
}

/// One obligation with its clock. A status holds a list of them, one for each obligation or finding.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Deadline {
    /// Obligation.
    pub obligation: Obligation,
    /// Party that owes it.
    pub party: Party,
    /// Article of the measures that sets the period.
    #[schemars(range(min = 0, max = 100))]
    pub article: i32,
    /// Length of the period, in working days; with `period`, the working days after it.
    #[schemars(range(min = 0, max = 1000))]
    pub working_days: i32,
    /// Calendar period that comes before the working days, such as `P1Y`. Absent where working days alone count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
    /// Part of the record that is owed: the id of a finding. Absent where the whole record is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub item: Option<String>,
    /// Start of the period. That day itself does not count.
    pub started_at: Instant,
    /// The last lawful day, in China.
    pub due_date: CivilDate,
    /// The end of that day, 24:00 in China: the first instant that is late.
    pub due_at: Instant,
    /// True while a counted day is not known yet: its year is not in the calendar, or it is at the end of December and the
    /// next year is not, whose notice may change it.
    pub provisional: bool,
    /// Calendar and revision, as `name@revision`, that this entry was last compared with.
    #[schemars(length(max = 300))]
    pub calendar: String,
    /// Intervals in which another party was waited on and this clock stood still, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub pauses: Vec<Pause>,
    /// Time at which the obligation was met.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub met_at: Option<Instant>,
    /// Time at which the obligation fell away without being met.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Instant>,
    /// Reason for which it fell away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub closed_reason: Option<String>,
    /// Working days late: as reported while open, final once met. Absent while nothing is late; 0 when
    /// late by less than a working day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub working_days_late: Option<i32>,
    /// Reports that were made, so that each is made once, across restarts too.
    #[serde(default, skip_serializing_if = "Notified::is_empty")]
    pub notified: Notified,
}

/// An interval in which the clock of an obligation stood still.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Pause {
    /// Start of the wait on the other party.
    pub from: Instant,
    /// End of the wait; absent while it lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Instant>,
    /// Party that was waited on.
    pub waiting_on: Party,
    /// Awaited act.
    #[schemars(length(max = 1024))]
    pub reason: String,
}

/// Time of each report about a deadline.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Notified {
    /// The warning at half of the period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub half: Option<Instant>,
    /// The warning at one working day left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_day: Option<Instant>,
    /// The report that the period is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overdue: Option<Instant>,
}

impl Notified {
    /// True when nothing was reported yet.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Deadline {
    /// Returns true if the obligation was met or fell away.
    pub fn is_over(&self) -> bool {
        self.met_at.is_some() || self.closed_at.is_some()
    }

    /// Returns true while the clock is paused.
    pub fn is_paused(&self) -> bool {
        self.pauses.last().is_some_and(|pause| pause.to.is_none())
    }
}

impl Obligation {
    /// Article of the measures that sets it.
    pub fn article(self) -> i32 {
        match self {
            Self::Review => 12,
            Self::Provision => 13,
            Self::GoLive | Self::GoLiveReport => 14,
            Self::Change => 15,
            Self::Reclaim => 16,
            Self::MaintenanceReport => 18,
            Self::OperationReport | Self::EmergencyPlan | Self::Drill => 17,
            Self::MlpsFiling | Self::MlpsEvaluation => 21,
            Self::CryptoAssessment | Self::ProductList => 24,
            Self::Rectification => 25,
            Self::Confirm | Self::Settle => 26,
            Self::ProviderObjection => 27,
            Self::Migration => 28,
            Self::DepartmentObjection => 29,
        }
    }

    /// Party that owes it. Of a compliance record and a rectification either party may be it; their clocks say which.
    pub fn party(self) -> Party {
        match self {
            Self::Review | Self::Settle => Party::Authority,
            Self::GoLive | Self::GoLiveReport | Self::Confirm | Self::DepartmentObjection => {
                Party::Department
            }
            Self::Provision
            | Self::Change
            | Self::Reclaim
            | Self::Migration
            | Self::MaintenanceReport
            | Self::OperationReport
            | Self::EmergencyPlan
            | Self::Drill
            | Self::MlpsFiling
            | Self::MlpsEvaluation
            | Self::CryptoAssessment
            | Self::ProductList
            | Self::Rectification
            | Self::ProviderObjection => Party::Provider,
        }
    }

    /// Returns true for what a party may do within a period, and need not: it lapses, and is never overdue.
    pub fn is_right(self) -> bool {
        matches!(self, Self::ProviderObjection | Self::DepartmentObjection)
    }

    /// The obligation in Chinese.
    pub fn zh(self) -> &'static str {
        match self {
            Self::Review => "审核",
            Self::Provision => "云资源开通",
            Self::GoLive => "上线运行",
            Self::GoLiveReport => "上线情况报告",
            Self::Change => "云资源变更",
            Self::Reclaim => "云资源收回",
            Self::Migration => "迁出及移交",
            Self::MaintenanceReport => "调整情况报告",
            Self::Confirm => "结算单确认",
            Self::Settle => "结算",
            Self::OperationReport => "运行情况报告",
            Self::EmergencyPlan => "应急预案",
            Self::Drill => "应急演练",
            Self::MlpsFiling => "等级保护备案",
            Self::MlpsEvaluation => "等级保护测评",
            Self::CryptoAssessment => "密码应用安全性评估",
            Self::ProductList => "软硬件产品清单",
            Self::Rectification => "整改",
            Self::ProviderObjection | Self::DepartmentObjection => "对考评的异议",
        }
    }

    /// The obligation in English.
    pub fn en(self) -> &'static str {
        match self {
            Self::Review => "review",
            Self::Provision => "provisioning",
            Self::GoLive => "going live",
            Self::GoLiveReport => "go-live report",
            Self::Change => "change",
            Self::Reclaim => "reclaiming",
            Self::Migration => "migration",
            Self::MaintenanceReport => "maintenance report",
            Self::Confirm => "confirmation of the statement",
            Self::Settle => "settlement",
            Self::OperationReport => "operation report",
            Self::EmergencyPlan => "emergency plan",
            Self::Drill => "drill",
            Self::MlpsFiling => "MLPS filing",
            Self::MlpsEvaluation => "MLPS evaluation",
            Self::CryptoAssessment => "cryptography assessment",
            Self::ProductList => "product list",
            Self::Rectification => "rectification",
            Self::ProviderObjection | Self::DepartmentObjection => "objection to the assessment",
        }
    }
}

impl Party {
    /// The party in Chinese, as the measures name it.
    pub fn zh(self) -> &'static str {
        match self {
            Self::Department => "使用部门",
            Self::Authority => "主管部门",
            Self::Provider => "政务云服务提供方",
            Self::None => "无",
        }
    }

    /// The party in English.
    pub fn en(self) -> &'static str {
        match self {
            Self::Department => "department",
            Self::Authority => "authority",
            Self::Provider => "provider",
            Self::None => "nobody",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_as_recorded() {
        insta::assert_yaml_snapshot!(schemars::schema_for!(Deadline));
    }
}
