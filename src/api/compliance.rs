//! ComplianceRecord: a document that shows that a duty of operation or security was met (Art. 17, 21, 22, 24).

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumIter, IntoStaticStr};

use super::deadline::{Obligation, Party};
use super::document::TitledDocument;
use super::period::Period;
use super::record::RecordStatus;
use super::time::{CivilDate, Instant};

/// 合规材料: one document about the platform, filed by the provider, or about an application, filed by its department.
#[derive(CustomResource, Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq)]
#[kube(
    group = "govcloud.dev",
    version = "v1alpha1",
    kind = "ComplianceRecord",
    plural = "compliancerecords",
    namespaced,
    shortname = "comp",
    category = "govcloud",
    status = "ComplianceRecordStatus",
    derive = "PartialEq",
    doc = "合规材料 (Art. 17, 21, 22, 24): an operation report, emergency plan, drill, MLPS filing or evaluation, cryptography assessment or product list. About the platform, filed by the provider, or about one application, filed by its department.",
    printcolumn(name = "Type", type_ = "string", json_path = ".spec.type"),
    printcolumn(name = "Application", type_ = "string", json_path = ".spec.application"),
    printcolumn(name = "Region", type_ = "string", json_path = ".spec.region"),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(
        name = "Current",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Current')].status"
    ),
    printcolumn(name = "Valid-Until", type_ = "string", json_path = ".spec.validUntil"),
    printcolumn(name = "Waiting-On", type_ = "string", json_path = ".status.waitingOn"),
    printcolumn(name = "For", type_ = "string", json_path = ".status.waitingFor"),
    printcolumn(name = "Until", type_ = "string", json_path = ".status.dueDate"),
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
    validation = Rule::new("self.region == oldSelf.region").message("所属区域不能更改 / the region cannot change"),
    validation = Rule::new("self.type == oldSelf.type && has(self.application) == has(oldSelf.application) && (!has(self.application) || self.application == oldSelf.application)").message("材料种类 type 和所属应用 application 不能更改；请另行报送 / type and application cannot change; file another record"),
    validation = Rule::new("!has(self.validUntil) || self.validUntil >= self.issuedOn").message("validUntil 不得早于 issuedOn / validUntil cannot be before issuedOn"),
    validation = Rule::new("(self.type == 'Drill') == has(self.drill)").message("应急演练（Drill）须填写 drill，其他种类不填 / give drill for the type Drill, and for no other"),
    validation = Rule::new("!(self.type in ['MlpsEvaluation', 'CryptoAssessment']) || has(self.result)").message("等级保护测评和商用密码应用安全性评估须填写 result / an MLPS evaluation and a cryptography assessment need a result"),
    validation = Rule::new("!(self.type in ['OperationReport', 'EmergencyPlan']) || !has(self.application)").message("运行情况报告和应急预案针对平台，不填 application / an operation report and an emergency plan are about the platform: leave application out"),
)]
pub struct ComplianceRecordSpec {
    /// Code of the Region; immutable.
    #[schemars(length(max = 64))]
    #[x_kube(validation = Rule::new("self.matches('^[1-9][0-9]{5}$')").message("须为六位行政区划代码（GB/T 2260），如 410000 / must be the six-digit GB/T 2260 code of a region, such as 410000"))]
    pub region: String,
    /// Kind of the document; immutable.
    #[serde(rename = "type")]
    pub type_: ComplianceType,
    /// Name of the CloudApplication that it is about, in the same namespace; immutable. Absent where it is about the
    /// platform itself: then the provider files it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub application: Option<String>,
    /// The document, by title, address and hash.
    pub document: TitledDocument,
    /// Body that issued it: the filer itself, an evaluation body, the police.
    #[schemars(length(min = 1, max = 128))]
    pub issued_by: String,
    /// Date of issue, YYYY-MM-DD. The next period of a recurring duty counts from here.
    pub issued_on: CivilDate,
    /// Last day on which it is valid. Absent where it does not expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<CivilDate>,
    /// Result, of an evaluation or assessment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<ComplianceResult>,
    /// The drill, where it is about one (Art. 17).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drill: Option<Drill>,
}

/// Kind of a document, and of the duty that it meets.
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
    IntoStaticStr,
)]
pub enum ComplianceType {
    /// 运行情况报告: use of resources and operation of the platform (Art. 17).
    OperationReport,
    /// 应急预案 (Art. 17).
    EmergencyPlan,
    /// 应急演练 (Art. 17, 19).
    Drill,
    /// 网络安全等级保护备案 (Art. 21, 22).
    MlpsFiling,
    /// 网络安全等级保护测评 (Art. 21, 22).
    MlpsEvaluation,
    /// 商用密码应用安全性评估 (Art. 24).
    CryptoAssessment,
    /// 安全可靠软硬件产品清单 (Art. 24).
    ProductList,
}

impl ComplianceType {
    /// Obligation that a document of this kind meets.
    #[must_use]
    pub fn obligation(self) -> Obligation {
        match self {
            Self::OperationReport => Obligation::OperationReport,
            Self::EmergencyPlan => Obligation::EmergencyPlan,
            Self::Drill => Obligation::Drill,
            Self::MlpsFiling => Obligation::MlpsFiling,
            Self::MlpsEvaluation => Obligation::MlpsEvaluation,
            Self::CryptoAssessment => Obligation::CryptoAssessment,
            Self::ProductList => Obligation::ProductList,
        }
    }

    /// Article of the measures that asks a party for it.
    #[must_use]
    pub fn article(self, party: Party) -> i32 {
        match (self, party) {
            (Self::MlpsFiling | Self::MlpsEvaluation, Party::Department) => 22,
            (Self::Drill, Party::Department) => 19,
            _ => self.obligation().article(),
        }
    }
}

/// Result of an evaluation or assessment.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub enum ComplianceResult {
    /// 符合。
    Conforming,
    /// 基本符合。
    PartlyConforming,
    /// 不符合。
    NotConforming,
}

/// 应急演练 (Art. 17, 19).
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Drill {
    /// Name of the ComplianceRecord with the emergency plan that was drilled, in the same namespace. Absent where the plan
    /// is another party's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub plan: Option<String>,
    /// Bodies that took part.
    #[schemars(length(min = 1, max = 64), inner(length(min = 1, max = 128)), extend("x-kubernetes-list-type" = "atomic"))]
    pub participants: Vec<String>,
    /// Shortfalls that the drill showed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 1024)), extend("x-kubernetes-list-type" = "atomic"))]
    pub shortfalls: Vec<String>,
}

/// Phase of a ComplianceRecord.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq, IntoStaticStr)]
pub enum CompliancePhase {
    /// Filed, and something in it must be corrected first.
    Submitted,
    /// 退回补正; it does not count until it is corrected.
    Returned,
    /// Not accepted; final.
    Rejected,
    /// Taken back; final.
    Withdrawn,
    /// 在案: it counts. It stays on record when it has expired.
    Recorded,
}

impl CompliancePhase {
    /// Returns true if nobody has to act on it any more.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Rejected | Self::Withdrawn | Self::Recorded)
    }
}

/// State of a ComplianceRecord.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ComplianceRecordStatus {
    /// Phase of the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<CompliancePhase>,
    /// Fields that every record has.
    #[serde(flatten)]
    pub record: RecordStatus,
    /// Since when it counts: the duty was met at this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded_at: Option<Instant>,
}

crate::filed::filed!(ComplianceRecord: ComplianceRecordStatus);

/// What a party owes as ComplianceRecords in a Region, and how often.
#[derive(Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.every) || has(self.first)").message("须写明 every（多久一次）或 first（首次期限） / give every (how often), or first (the time for the first)"),
    validation = Rule::new("self.party != 'Department' || !(self.type in ['OperationReport', 'EmergencyPlan'])").message("运行情况报告和应急预案由服务提供方承担（第十七条） / an operation report and an emergency plan are owed by the Provider (Art. 17)"),
)]
pub struct ComplianceDuty {
    /// Kind of the document.
    #[serde(rename = "type")]
    pub type_: ComplianceType,
    /// Party that owes it: `Provider` for the platform, `Department` for each of its applications since it went live.
    pub party: DutyParty,
    /// Longest calendar period from the date of issue of one to the next, such as `P1M` or `P1Y`. Absent where one is
    /// enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Period>,
    /// Calendar period for the first one. Default: as `every`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Period>,
    /// Working days after the end of the calendar period in which it may still be filed. Default 0.
    #[serde(default)]
    #[schemars(range(min = 0, max = 250))]
    pub working_days: i32,
}

/// Party that owes a ComplianceRecord.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub enum DutyParty {
    /// 使用部门 (Art. 19, 22, 24).
    Department,
    /// 服务提供方 (Art. 17, 21, 24).
    Provider,
}

impl From<DutyParty> for Party {
    fn from(party: DutyParty) -> Self {
        match party {
            DutyParty::Department => Self::Department,
            DutyParty::Provider => Self::Provider,
        }
    }
}

/// The record that met a duty last.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct MetDuty {
    /// Kind of the document.
    #[serde(rename = "type")]
    pub type_: ComplianceType,
    /// Namespace of the ComplianceRecord.
    #[schemars(length(max = 63))]
    pub namespace: String,
    /// Name of the ComplianceRecord.
    #[schemars(length(max = 253))]
    pub record: String,
    /// UID of the ComplianceRecord.
    #[schemars(length(max = 64))]
    pub uid: String,
    /// Its date of issue.
    pub issued_on: CivilDate,
}
