//! Statement: the bill of one department and month, confirmed by the department and settled by the authority (Art. 6, 26).

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::record::RecordStatus;
use super::time::Instant;

mod bill;

pub use bill::{
    Bill, BillCorrection, BillGap, BillLine, BillRemark, ClosingState, EditionUsed, NamespaceState,
};

/// Most lines of a statement, and as many corrections; the schema says the same.
pub const LINES_MAX: usize = 512;
/// Most namespaces of a closing state; the schema says the same.
pub const NAMESPACES_MAX: usize = 1024;

/// 结算单: the bill of one department for one month, computed by the operator from records alone.
#[derive(CustomResource, Clone, Debug, Deserialize, Serialize, KubeSchema, PartialEq)]
#[kube(
    group = "govcloud.dev",
    version = "v1alpha1",
    kind = "Statement",
    plural = "statements",
    namespaced,
    shortname = "stmt",
    category = "govcloud",
    status = "StatementStatus",
    derive = "PartialEq",
    doc = "结算单: the bill of one department for one month (Art. 6, 26). The operator makes it; the department confirms exactly its digest, the authority settles it.",
    validation = Rule::new("self.metadata.name == self.spec.month").message("名称须为其月份，如 2026-10 / the name must be the month, such as 2026-10"),
    printcolumn(name = "Region", type_ = "string", json_path = ".spec.region"),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Total", type_ = "string", json_path = ".status.bill.total"),
    printcolumn(name = "Currency", type_ = "string", json_path = ".status.bill.currency"),
    printcolumn(name = "Waiting-On", type_ = "string", json_path = ".status.waitingOn"),
    printcolumn(name = "For", type_ = "string", json_path = ".status.waitingFor"),
    printcolumn(name = "Until", type_ = "string", json_path = ".status.dueDate"),
    printcolumn(name = "On-Time", type_ = "string", json_path = ".status.conditions[?(@.type=='OnTime')].status", priority = 1),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status", priority = 1),
    printcolumn(name = "Digest", type_ = "string", json_path = ".spec.digest", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].message", priority = 1)
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.region == oldSelf.region && self.month == oldSelf.month").message("结算单的区域和月份不能更改 / region and month of a statement cannot change"),
    validation = Rule::new("!has(self.manual) || self.manual.all(m, m.from.startsWith(self.month) && m.to.startsWith(self.month) && m.from <= m.to)").message("manual 的 from、to 须在本月内，且 from 不晚于 to / from and to of manual lie in the month, and from is not after to"),
)]
pub struct StatementSpec {
    /// Code of the Region; immutable.
    #[schemars(length(max = 64))]
    #[x_kube(validation = Rule::new("self.matches('^[1-9][0-9]{5}$')").message("须为六位行政区划代码（GB/T 2260），如 410000 / must be the six-digit GB/T 2260 code of a region, such as 410000"))]
    pub region: String,
    /// The month, `2026-10`, by days in China; immutable.
    #[schemars(length(max = 7))]
    #[x_kube(validation = Rule::new("self.matches('^20[0-9]{2}-(0[1-9]|1[0-2])$')").message("须为月份，如 2026-10 / must be a month, such as 2026-10"))]
    pub month: String,
    /// Digest of the bill as it was computed last: what is confirmed and decided on. Written by the operator; absent while facts
    /// are missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 80), regex(pattern = "^sha256:[0-9a-f]{64}$"))]
    pub digest: Option<String>,
    /// Quantities of items with basis `Manual` in this month, recorded by the provider.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 128), extend("x-kubernetes-list-type" = "atomic"))]
    pub manual: Vec<ManualQuantity>,
}

/// Quantity of an item with basis `Manual` that an application had on some days of the month.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ManualQuantity {
    /// Name of the application.
    #[schemars(length(min = 1, max = 253))]
    pub application: String,
    /// Code of the item.
    #[schemars(length(min = 1, max = 64))]
    pub item: String,
    /// First day, YYYY-MM-DD.
    #[schemars(length(max = 10), regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    pub from: String,
    /// Last day, YYYY-MM-DD.
    #[schemars(length(max = 10), regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    pub to: String,
    /// Units on each of these days, a decimal number.
    #[schemars(length(min = 1, max = 32), regex(pattern = r"^[0-9]+(\.[0-9]{1,9})?$"))]
    pub units: String,
}

/// Phase of a statement.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq, IntoStaticStr)]
pub enum StatementPhase {
    /// Not computed, or incomplete: there is nothing to confirm.
    #[default]
    Open,
    /// The department checks it.
    AwaitingConfirmation,
    /// The authority decides.
    AwaitingDecision,
    /// The authority returned it: the records are to be put right.
    Returned,
    /// Settled; final.
    Settled,
    /// Refused; final.
    Voided,
}

impl StatementPhase {
    /// Returns true if nothing changes any more.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Settled | Self::Voided)
    }
}

/// A statement as the operator computed it, and what was done with it.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct StatementStatus {
    /// Phase of the statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<StatementPhase>,
    /// Fields that every record has.
    #[serde(flatten)]
    pub record: RecordStatus,
    /// The bill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bill: Option<Bill>,
    /// State that the month closes with, and the next month opens with; present with a complete bill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing_state: Option<ClosingState>,
    /// Confirmation by the department.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<Confirmation>,
    /// Objection of the provider, while it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objection: Option<Objection>,
    /// The year's fees beside the ceiling of the department (Art. 7); absent without a ceiling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
}

/// The department's confirmation.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Confirmation {
    /// Digest that was confirmed.
    #[schemars(length(max = 80))]
    pub digest: String,
    /// Username of the person.
    #[schemars(length(max = 512))]
    pub by: String,
    /// Time.
    pub at: Instant,
}

/// The provider's objection.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Objection {
    /// The reason.
    #[schemars(length(max = 4096))]
    pub reason: String,
    /// Username of the person.
    #[schemars(length(max = 512))]
    pub by: String,
    /// Time.
    pub at: Instant,
}

/// Fees of a year beside their ceiling (Art. 7).
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Budget {
    /// The year.
    pub year: i32,
    /// The ceiling, as the Region has it.
    #[schemars(length(max = 32))]
    pub ceiling: String,
    /// Fees in the budget up to and with this month.
    #[schemars(length(max = 64))]
    pub used: String,
}

crate::filed::filed!(Statement: StatementStatus);
