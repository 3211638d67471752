//! Inspection: a security inspection by the authority, its findings, and the answers of the inspected party (Art. 25).

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::compliance::DutyParty;
use super::deadline::Deadline;
use super::document::{Attachment, TitledDocument};
use super::record::RecordStatus;
use super::time::{CivilDate, Instant};

/// 安全检查: findings that the inspected party puts right in time.
#[derive(CustomResource, Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq)]
#[kube(
    group = "govcloud.dev",
    version = "v1alpha1",
    kind = "Inspection",
    plural = "inspections",
    namespaced,
    shortname = "insp",
    category = "govcloud",
    status = "InspectionStatus",
    derive = "PartialEq",
    doc = "安全检查 (Art. 25): filed by the authority in the filing namespace of the inspected party, which answers each finding. The authority's approval closes it; time does not.",
    printcolumn(name = "Region", type_ = "string", json_path = ".spec.region"),
    printcolumn(name = "Inspected", type_ = "string", json_path = ".spec.inspected"),
    printcolumn(name = "Application", type_ = "string", json_path = ".spec.application"),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Open", type_ = "integer", json_path = ".status.unanswered"),
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
    validation = Rule::new("self.region == oldSelf.region && self.inspected == oldSelf.inspected && self.inspectedOn == oldSelf.inspectedOn && has(self.application) == has(oldSelf.application) && (!has(self.application) || self.application == oldSelf.application)").message("检查的区域、对象、应用和日期不能更改 / region, inspected, application and inspectedOn cannot change"),
    validation = Rule::new("self.inspected == 'Department' || !has(self.application)").message("对服务提供方的检查不填 application / an inspection of the provider names no application"),
    validation = Rule::new("has(self.report) == has(oldSelf.report) && (!has(self.report) || self.report == oldSelf.report)").message("检查报告 report 不能更改 / the report cannot change"),
    validation = Rule::new("self.findings == oldSelf.findings").message("findings 提出后不能更改或删除；有新问题请另行提出检查 / findings are neither changed nor removed; file another Inspection for new ones"),
    validation = Rule::new("self.findings.all(f, !has(f.dueDate) || f.dueDate >= self.inspectedOn)").message("findings[].dueDate 不得早于 inspectedOn / findings[].dueDate cannot be before inspectedOn"),
    validation = Rule::new("self.findings.all(f, !has(f.dueDate) || f.dueDate.getFullYear() - self.inspectedOn.getFullYear() < 10)").message("findings[].dueDate 须在 inspectedOn 起九年以内 / findings[].dueDate can be at most nine years after inspectedOn"),
    validation = Rule::new("!has(oldSelf.responses) || (has(self.responses) && oldSelf.responses.all(r, self.responses.exists(n, n.finding == r.finding && n.number == r.number)))").message("responses 只能增加，不能删除 / responses may be added, not removed"),
    validation = Rule::new("!has(self.responses) || self.responses.all(r, self.findings.exists(f, f.id == r.finding))").message("responses[].finding 须为 findings 中的 id / responses[].finding must be the id of one of findings"),
)]
pub struct InspectionSpec {
    /// Code of the Region; immutable.
    #[schemars(length(max = 64))]
    #[x_kube(validation = Rule::new("self.matches('^[1-9][0-9]{5}$')").message("须为六位行政区划代码（GB/T 2260），如 410000 / must be the six-digit GB/T 2260 code of a region, such as 410000"))]
    pub region: String,
    /// Inspected party, which alone answers: the department of this filing namespace, or the provider.
    pub inspected: DutyParty,
    /// Name of the inspected CloudApplication, for people: it need not exist any more. Absent where it is about several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub application: Option<String>,
    /// Day of the inspection.
    pub inspected_on: CivilDate,
    /// 检查报告, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<TitledDocument>,
    /// Findings, 1 to 64; immutable.
    #[schemars(length(min = 1, max = 64), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["id"]))]
    pub findings: Vec<InspectionFinding>,
    /// Answers of the inspected party; only ever added to. A finding may be answered several times.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 128), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["finding", "number"]))]
    pub responses: Vec<Response>,
}

/// One finding of an inspection.
#[derive(Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.workingDays) != has(self.dueDate)").message("整改期限须写明 workingDays 或 dueDate，二者取一 / give either workingDays or dueDate for the finding"))]
pub struct InspectionFinding {
    /// Identifier within the inspection, such as `1` or `net-2`.
    #[schemars(length(max = 32))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')").message("id 须为小写字母、数字和连字符，如 1 或 net-2 / the id must be lowercase letters, digits and hyphens, such as 1 or net-2"))]
    pub id: String,
    /// Severity.
    pub severity: Severity,
    /// Article of the measures that was not kept.
    #[schemars(range(min = 1, max = 32))]
    pub article: i32,
    /// The finding, and what is to be done.
    #[schemars(length(min = 1, max = 2048))]
    pub text: String,
    /// Working days, from the filing of the inspection on, in which it is to be put right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 250))]
    pub working_days: Option<i32>,
    /// Last day on which it is to be put right; a day off gives way to the next working day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_date: Option<CivilDate>,
}

/// Severity of a finding.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub enum Severity {
    /// 严重。
    Critical,
    /// 高。
    High,
    /// 中。
    Medium,
    /// 低。
    Low,
}

/// The inspected party's answer to a finding.
#[derive(Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self == oldSelf").message("答复不能更改；请再增加一条 responses / a response cannot be changed; add another one"))]
pub struct Response {
    /// Id of the finding.
    #[schemars(length(max = 32))]
    pub finding: String,
    /// Number of this answer to the finding: 1, 2, …
    #[schemars(range(min = 1, max = 128))]
    pub number: i32,
    /// What was done.
    #[schemars(length(min = 1, max = 2048))]
    pub text: String,
    /// Proof, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Attachment>,
}

/// Phase of an Inspection.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq, IntoStaticStr)]
pub enum InspectionPhase {
    /// 整改中: at least one finding has no answer that the authority has not returned.
    Rectifying,
    /// Every finding is answered; the authority's decision is awaited.
    AwaitingDecision,
    /// The authority found the answers wanting; the clocks run on.
    Returned,
    /// 已办结: closed by the authority.
    Closed,
}

impl InspectionPhase {
    /// Returns true if it was closed.
    #[must_use]
    pub fn is_over(self) -> bool {
        self == Self::Closed
    }
}

/// State of an Inspection.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct InspectionStatus {
    /// Phase of the inspection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<InspectionPhase>,
    /// Fields that every record has.
    #[serde(flatten)]
    pub record: RecordStatus,
    /// Each finding with its clock.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["id"]))]
    pub findings: Vec<FindingStatus>,
    /// Number of findings that the inspected party has to answer now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub unanswered: Option<i32>,
    /// Number of answers to all findings that lay before the authority when it last returned them. A later one brings the
    /// inspection before it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub returned: Option<i32>,
    /// Time at which it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Instant>,
}

/// State of one finding.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct FindingStatus {
    /// Its id.
    #[schemars(length(max = 32))]
    pub id: String,
    /// Number of answers that were seen.
    #[schemars(range(min = 0))]
    pub responses: i32,
    /// Its clock.
    pub deadline: Deadline,
}

crate::filed::filed!(Inspection: InspectionStatus);
