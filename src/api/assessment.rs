//! Assessment: how the provider, or a department, did in a period, on facts and by scores (Art. 27, 29).

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::deadline::{Obligation, Party};
use super::document::Attachment;
use super::record::RecordStatus;
use super::time::{CivilDate, Instant};
pub use super::utilization::Utilization;

/// 考评: filed by the authority in the filing namespace of the party that it is about.
#[derive(CustomResource, Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq)]
#[kube(
    group = "govcloud.dev",
    version = "v1alpha1",
    kind = "Assessment",
    plural = "assessments",
    namespaced,
    shortname = "asmt",
    category = "govcloud",
    status = "AssessmentStatus",
    derive = "PartialEq",
    doc = "考评: of the provider (Art. 27), or of a department's requests and use of resources (Art. 29). The operator fills in the facts, the authority scores, the assessed party may object, and the authority publishes (通报).",
    printcolumn(name = "Subject", type_ = "string", json_path = ".spec.subject"),
    printcolumn(name = "From", type_ = "string", json_path = ".spec.period.from"),
    printcolumn(name = "To", type_ = "string", json_path = ".spec.period.to"),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Total", type_ = "string", json_path = ".status.total"),
    printcolumn(name = "Waiting-On", type_ = "string", json_path = ".status.waitingOn"),
    printcolumn(name = "For", type_ = "string", json_path = ".status.waitingFor"),
    printcolumn(name = "Until", type_ = "string", json_path = ".status.dueDate"),
    printcolumn(name = "Region", type_ = "string", json_path = ".spec.region", priority = 1),
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
    validation = Rule::new("self.subject == oldSelf.subject && self.period == oldSelf.period").message("考评对象和考评期不能更改；请另行提出 / subject and period cannot change; file another Assessment"),
    validation = Rule::new("!self.measureUse || self.subject == 'Department'").message("measureUse 只用于对使用部门的考评（第二十九条） / measureUse is for the assessment of a department (Art. 29)"),
    validation = Rule::new("!has(oldSelf.objection) || has(self.objection)").message("异议不能删除 / an objection cannot be removed"),
)]
pub struct AssessmentSpec {
    /// Code of the Region; immutable.
    #[schemars(length(max = 64))]
    #[x_kube(validation = Rule::new("self.matches('^[1-9][0-9]{5}$')").message("须为六位行政区划代码（GB/T 2260），如 410000 / must be the six-digit GB/T 2260 code of a region, such as 410000"))]
    pub region: String,
    /// Party that is assessed; immutable. The provider of the Region, or the department whose filing namespace this is.
    pub subject: Subject,
    /// Quarter or year that is assessed; immutable.
    pub period: AssessmentPeriod,
    /// True to have the use of the department's namespaces read from Prometheus (Art. 29).
    #[serde(default)]
    pub measure_use: bool,
    /// Scores, one for each criterion of the Region's scheme.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["criterion"]))]
    pub scores: Vec<Score>,
    /// The authority's answer to the objection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<ObjectionAnswer>,
    /// Objection of the assessed party, given once, in phase Objection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self == oldSelf").message("异议只提一次，不能更改 / an objection is made once and cannot be changed"))]
    pub objection: Option<Objection>,
}

/// Party that is assessed.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq, IntoStaticStr)]
pub enum Subject {
    /// 政务云服务提供方: its capability and the quality of its service (Art. 27).
    Provider,
    /// 使用部门: whether its requests are reasonable, and how it uses what it has (Art. 29).
    Department,
}

impl Subject {
    /// Article of the measures that asks for the assessment.
    #[must_use]
    pub fn article(self) -> i32 {
        match self {
            Self::Provider => 27,
            Self::Department => 29,
        }
    }

    /// The party.
    #[must_use]
    pub fn party(self) -> Party {
        match self {
            Self::Provider => Party::Provider,
            Self::Department => Party::Department,
        }
    }

    /// Clock of its right to object.
    #[must_use]
    pub fn objection(self) -> Obligation {
        match self {
            Self::Provider => Obligation::ProviderObjection,
            Self::Department => Obligation::DepartmentObjection,
        }
    }
}

/// A quarter, or a year. Days are days in China.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("timestamp(self.from).getDate() == 1 && timestamp(self.from).getMonth() % 3 == 0 && (timestamp(self.to) + duration('24h')).getDate() == 1 && ((timestamp(self.to) + duration('24h')).getFullYear() * 12 + (timestamp(self.to) + duration('24h')).getMonth() - timestamp(self.from).getFullYear() * 12 - timestamp(self.from).getMonth() == 3 || ((timestamp(self.to) + duration('24h')).getFullYear() == timestamp(self.from).getFullYear() + 1 && timestamp(self.from).getMonth() == 0 && (timestamp(self.to) + duration('24h')).getMonth() == 0))").message("考评期须为一个自然季度或者一个自然年，如 2026-07-01 至 2026-09-30 / the period must be a quarter or a year of the calendar, such as 2026-07-01 to 2026-09-30"))]
pub struct AssessmentPeriod {
    /// First day.
    pub from: CivilDate,
    /// Last day.
    pub to: CivilDate,
}

/// Score for one criterion.
#[derive(Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Score {
    /// Name of the criterion in the Region's scheme.
    #[schemars(length(min = 1, max = 63))]
    pub criterion: String,
    /// Score, from 0 to 100.
    #[x_kube(validation = Rule::new("self >= 0 && self <= 100").message("评分须为 0 至 100 的整数 / a score is a whole number from 0 to 100"))]
    pub score: i32,
    /// Reason of the score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub reason: Option<String>,
}

/// Objection of the assessed party.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Objection {
    /// What is wrong, and why.
    #[schemars(length(min = 1, max = 4096))]
    pub reason: String,
    /// Evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Attachment>,
}

/// The authority's answer to an objection.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ObjectionAnswer {
    /// What was changed, or why nothing was.
    #[schemars(length(min = 1, max = 4096))]
    pub text: String,
}

/// Phase of an assessment.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq, IntoStaticStr)]
pub enum AssessmentPhase {
    /// The period runs, or its facts are being taken.
    Collecting,
    /// The facts are there; the authority's scores are awaited.
    Scoring,
    /// All criteria are scored; the assessed party may object.
    Objection,
    /// The assessed party objected; the authority's answer is awaited.
    Answering,
    /// Nothing is open; the authority's decision to publish is awaited.
    AwaitingDecision,
    /// 退回: to be corrected by who filed it.
    Returned,
    /// 已通报: published; final.
    Published,
    /// Not published; final.
    Rejected,
    /// Taken back before it was published; final.
    Withdrawn,
}

impl AssessmentPhase {
    /// Returns true if the assessment is at its end.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Published | Self::Rejected | Self::Withdrawn)
    }
}

/// An assessment as the operator follows it.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct AssessmentStatus {
    /// Phase of the assessment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<AssessmentPhase>,
    /// Fields that every record has.
    #[serde(flatten)]
    pub record: RecordStatus,
    /// Facts of the period, taken once it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Facts>,
    /// Weighted total of the scores, from 0.00 to 100.00; absent until every criterion is scored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8))]
    pub total: Option<String>,
    /// Coefficient that the Region derives from the total, for settlements; absent where the Region has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8))]
    pub coefficient: Option<String>,
    /// What was last shown to the assessed party to object to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disclosed: Option<Disclosure>,
    /// Time at which the objection was received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objected_at: Option<Instant>,
    /// Time at which it was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<Instant>,
    /// Time of the publication (通报).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_at: Option<Instant>,
}

/// Facts and scores as they were shown to the assessed party.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Disclosure {
    /// Time at which they were shown.
    pub at: Instant,
    /// Digest of the facts' digest and the scores.
    #[schemars(length(max = 80))]
    pub digest: String,
}

/// Facts of a period, as the records of the operator show them.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// Time at which they were taken.
    pub as_of: Instant,
    /// Number of records that were read.
    #[schemars(range(min = 0))]
    pub records: i32,
    /// Obligations of the assessed party that were due in the period, one entry for each kind of obligation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), extend("x-kubernetes-list-type" = "atomic"))]
    pub obligations: Vec<ObligationFact>,
    /// Reports that were due in the period and had not come.
    #[schemars(range(min = 0))]
    pub overdue_reports: i32,
    /// Maintenance of the platform (Art. 18); absent for a department.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintenance: Option<MaintenanceFact>,
    /// Use of the department's namespaces (Art. 29); absent where it was not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utilization: Option<Utilization>,
    /// `sha256:` over the RFC 8785 canonical JSON of the other fields.
    #[schemars(length(max = 80))]
    pub digest: String,
}

/// Punctuality of a party in one obligation.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ObligationFact {
    /// Obligation.
    pub obligation: Obligation,
    /// Party that owes it.
    pub party: Party,
    /// Number that was due in the period: the denominator.
    #[schemars(range(min = 0))]
    pub due: i32,
    /// Number that was met in time.
    #[schemars(range(min = 0))]
    pub on_time: i32,
    /// Number that was met late.
    #[schemars(range(min = 0))]
    pub late: i32,
    /// Number that was not met when the facts were taken.
    #[schemars(range(min = 0))]
    pub unmet: i32,
    /// Worst lateness, in working days; absent where nothing was late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub worst_working_days_late: Option<i32>,
    /// Record of the worst lateness, as `Kind namespace/name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 384))]
    pub worst_record: Option<String>,
}

/// Maintenance whose window began in the period (Art. 18).
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct MaintenanceFact {
    /// Number of approved windows: the denominator.
    #[schemars(range(min = 0))]
    pub windows: i32,
    /// Number that ended outside its window.
    #[schemars(range(min = 0))]
    pub outside_window: i32,
    /// Number whose notice to those affected was late.
    #[schemars(range(min = 0))]
    pub notices_late: i32,
    /// Number that was rolled back.
    #[schemars(range(min = 0))]
    pub rolled_back: i32,
    /// Number that failed.
    #[schemars(range(min = 0))]
    pub failed: i32,
    /// Number without a report.
    #[schemars(range(min = 0))]
    pub unreported: i32,
}

crate::filed::filed!(Assessment: AssessmentStatus);
