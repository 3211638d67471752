//! The bill of a statement and the state that its month closes with, as status stores them. Amounts are texts with two
//! decimals; the rules are in `govcloud_domain::settlement`, whose values have the same JSON.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::catalog::{ItemClass, Period};
use crate::region::{ChargeUntil, Proration};
use crate::time::Instant;

/// Bill of one department, Region and month. `digest` is the SHA-256 of the RFC 8785 canonical JSON of all other fields.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Bill {
    /// Code of the Region.
    #[schemars(length(max = 64))]
    pub region: String,
    /// Filing namespace of the department.
    #[schemars(length(max = 63))]
    pub department: String,
    /// The month.
    #[schemars(length(max = 7))]
    pub month: String,
    /// Share of a day that is charged.
    pub proration: Proration,
    /// End of the charge in an exit.
    pub charge_until: ChargeUntil,
    /// ISO 4217 code of all amounts; empty if no edition is in force.
    #[schemars(length(max = 3))]
    pub currency: String,
    /// Editions in force in the month, by first day.
    #[schemars(length(max = 32), extend("x-kubernetes-list-type" = "atomic"))]
    pub editions: Vec<EditionUsed>,
    /// The lines: one for each application, item and edition.
    #[schemars(length(max = 512), extend("x-kubernetes-list-type" = "atomic"))]
    pub lines: Vec<BillLine>,
    /// Corrections of settled months.
    #[schemars(length(max = 512), extend("x-kubernetes-list-type" = "atomic"))]
    pub corrections: Vec<BillCorrection>,
    /// Sum of the lines and corrections of units in the budget of this tier (Art. 7).
    #[schemars(length(max = 64))]
    pub in_budget: String,
    /// Sum of those of units outside it (Art. 26, second paragraph).
    #[schemars(length(max = 64))]
    pub outside_budget: String,
    /// Sum of all of them.
    #[schemars(length(max = 64))]
    pub total: String,
    /// Digest of the state that the month opens with; absent in the first month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 80))]
    pub opening: Option<String>,
    /// Digest of the state that it closes with.
    #[schemars(length(max = 80))]
    pub closing: String,
    /// Missing facts, at most 64.
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "atomic"))]
    pub gaps: Vec<BillGap>,
    /// Facts that people should see before they confirm.
    #[schemars(length(max = 512), extend("x-kubernetes-list-type" = "atomic"))]
    pub remarks: Vec<BillRemark>,
    /// Digest over all of the above: what is confirmed. Absent while facts are missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 80))]
    pub digest: Option<String>,
}

/// Edition of the catalogue that lines refer to.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub struct EditionUsed {
    /// Name of the ServiceCatalog.
    #[schemars(length(max = 253))]
    pub name: String,
    /// Digest of the edition.
    #[schemars(length(max = 80))]
    pub digest: String,
}

/// One application, item and edition. `amount` is `unitDays × price ÷ ofDays`, rounded half-up to 0.01.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct BillLine {
    /// Name of the application.
    #[schemars(length(max = 253))]
    pub application: String,
    /// Its UID.
    #[serde(rename = "applicationUID")]
    #[schemars(length(max = 64))]
    pub application_uid: String,
    /// True for a unit outside the budget.
    pub outside_budget: bool,
    /// Code of the item.
    #[schemars(length(max = 64))]
    pub item: String,
    /// Class of the item.
    pub class: ItemClass,
    /// Name of the edition.
    #[schemars(length(max = 253))]
    pub edition: String,
    /// Units times days, exact: `144` or `289/2`.
    #[schemars(length(max = 128))]
    pub unit_days: String,
    /// Days that the price is for, exact: `31`, `366`, `1` or `1/24`.
    #[schemars(length(max = 16))]
    pub of_days: String,
    /// Period of the price.
    pub per: Period,
    /// Price as the edition has it.
    #[schemars(length(max = 32))]
    pub price: String,
    /// The amount.
    #[schemars(length(max = 64))]
    pub amount: String,
}

/// Difference between what was settled for an earlier month and what the records say now.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct BillCorrection {
    /// The earlier month.
    #[schemars(length(max = 7))]
    pub month: String,
    /// Name of the application.
    #[schemars(length(max = 253))]
    pub application: String,
    /// Its UID.
    #[serde(rename = "applicationUID")]
    #[schemars(length(max = 64))]
    pub application_uid: String,
    /// True for a unit outside the budget.
    pub outside_budget: bool,
    /// Code of the item.
    #[schemars(length(max = 64))]
    pub item: String,
    /// Name of the edition.
    #[schemars(length(max = 253))]
    pub edition: String,
    /// Amount settled so far, with corrections in months between.
    #[schemars(length(max = 64))]
    pub settled: String,
    /// Amount by the records.
    #[schemars(length(max = 64))]
    pub recomputed: String,
    /// The difference; below zero where too much was settled.
    #[schemars(length(max = 64))]
    pub amount: String,
}

/// Missing fact. The condition `Complete` has the wording.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct BillGap {
    /// One CamelCase word; docs/settlement.md explains it.
    #[schemars(length(max = 64))]
    pub reason: String,
    /// Name of the application; empty where the gap is not of one.
    #[schemars(length(max = 253))]
    pub application: String,
    /// Its UID.
    #[serde(rename = "applicationUID")]
    #[schemars(length(max = 64))]
    pub application_uid: String,
    /// Names of what is missing, or of what it is missing between.
    #[schemars(length(max = 8), inner(length(max = 253)), extend("x-kubernetes-list-type" = "atomic"))]
    pub names: Vec<String>,
}

/// Fact that people should see before they confirm.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct BillRemark {
    /// One CamelCase word; docs/settlement.md explains it.
    #[schemars(length(max = 64))]
    pub reason: String,
    /// Name of the application.
    #[schemars(length(max = 253))]
    pub application: String,
    /// UID of the namespace.
    #[serde(rename = "namespaceUID")]
    #[schemars(length(max = 64))]
    pub namespace_uid: String,
    /// Code of the item, where the remark is on one; otherwise empty.
    #[schemars(length(max = 64))]
    pub item: String,
}

/// Quotas of the department that are in force at the end of a month. The bill's `closing` is its digest.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ClosingState {
    /// Code of the Region.
    #[schemars(length(max = 64))]
    pub region: String,
    /// Filing namespace of the department.
    #[schemars(length(max = 63))]
    pub department: String,
    /// The instant.
    pub at: Instant,
    /// The namespaces, by UID.
    #[schemars(length(max = 1024), extend("x-kubernetes-list-type" = "atomic"))]
    pub namespaces: Vec<NamespaceState>,
}

/// A namespace with its quota in force.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceState {
    /// UID of the Namespace.
    #[serde(rename = "namespaceUID")]
    #[schemars(length(max = 64))]
    pub namespace_uid: String,
    /// Entry of the application.
    #[schemars(length(max = 63))]
    pub entry: String,
    /// Name of the application.
    #[schemars(length(max = 253))]
    pub application: String,
    /// UID of the application.
    #[serde(rename = "applicationUID")]
    #[schemars(length(max = 64))]
    pub application_uid: String,
    /// True for a unit outside the budget.
    pub outside_budget: bool,
    /// Amounts by the name under which they are billed, as plain decimal numbers.
    #[schemars(extend("maxProperties" = 64, "additionalProperties" = { "type": "string", "maxLength": 64 }))]
    pub quota: BTreeMap<String, String>,
}
