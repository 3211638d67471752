//! Records that a bill is computed from (Art. 26), as plain values that are read from and written to JSON.
//!
//! One [`Export`] holds all of it, so that a bill can be computed again from a file alone, by this code or by another.
//! Instants are UTC with whole seconds (`2026-09-30T16:00:00Z`), days are days in China (`2026-10-01`), quotas are maps
//! from ResourceQuota keys to Kubernetes quantities, amounts of money have two decimals (`"139.35"`).
//!
//! ```json
//! {
//!   "region": "410000", "department": "dept-transport", "month": "2026-10",
//!   "proration": "Daily", "chargeUntil": "EndOfUse",
//!   "editions": [{"name": "henan-2026", "currency": "CNY", "effectiveFrom": "2026-01-01", "items": [
//!     {"code": "cpu", "class": "Infrastructure", "basis": "Granted", "resource": "requests.cpu",
//!      "unit": "1", "per": "Month", "price": "30.00"},
//!     {"code": "migration", "class": "Human", "basis": "Manual", "unit": "1", "per": "Day", "price": "1000"}]}],
//!   "opening": null,
//!   "applications": [{
//!     "name": "travel", "uid": "6f1c", "outsideBudget": false, "provisionedAt": "2026-10-14T02:00:00Z",
//!     "namespaces": [{"entry": "prod", "uid": "2b1c", "tookBack": false}],
//!     "approved": {"prod": {"requests.cpu": "8"}},
//!     "changes": [{"name": "travel-enlarge", "uid": "91aa", "appliedAt": "2026-10-20T02:00:00Z",
//!       "before": {"prod": {"requests.cpu": "8"}}, "after": {"prod": {"requests.cpu": "16"}}}],
//!     "granted": {"prod": {"requests.cpu": "16"}},
//!     "exit": null}],
//!   "manual": [{"applicationUID": "6f1c", "item": "migration", "units": "2.5", "from": "2026-10-14", "to": "2026-10-14"}],
//!   "earlier": []
//! }
//! ```

use std::collections::BTreeMap;

use govcloud_api::quota::Quota;
pub use govcloud_api::region::ChargeUntil;
use govcloud_api::time::{CivilDate, Instant};
use serde::{Deserialize, Serialize};

use super::catalog::EditionRecord;
use super::period::{Month, Proration};
use super::state::State;
use super::statement::{Correction, EditionUsed, Line, Statement};

/// Quotas of an application's namespaces, by entry.
pub type Quotas = BTreeMap<String, Quota>;

/// All that the bill of one department, Region and month is computed from.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Export {
    /// Code of the Region.
    pub region: String,
    /// Filing namespace of the department.
    pub department: String,
    /// The month.
    pub month: Month,
    /// Share of a day that is charged.
    #[serde(default)]
    pub proration: Proration,
    /// End of the charge in an exit.
    #[serde(default)]
    pub charge_until: ChargeUntil,
    /// Editions of the service catalogue that the Region names.
    pub editions: Vec<EditionRecord>,
    /// State at the end of the month before, as its statement closed with it. It replaces records that are gone. Absent in
    /// the first month of a department.
    #[serde(default)]
    pub opening: Option<State>,
    /// Applications of the department in the Region.
    #[serde(default)]
    pub applications: Vec<ApplicationRecord>,
    /// Quantities that people recorded.
    #[serde(default)]
    pub manual: Vec<ManualRecord>,
    /// Earlier months that are settled. What the records say otherwise now is corrected in this month.
    #[serde(default)]
    pub earlier: Vec<EarlierMonth>,
}

/// One application with what was in force for it, from CloudApplication, ResourceGrant, ChangeRequests and Decommission.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationRecord {
    /// Name.
    pub name: String,
    /// UID.
    pub uid: String,
    /// True for a unit outside the budget of this tier, which pays by its own channel (Art. 26, second paragraph).
    #[serde(default)]
    pub outside_budget: bool,
    /// Instant from which its first quotas were in force (`CloudApplication.status.provisionedAt`).
    #[serde(default)]
    pub provisioned_at: Option<Instant>,
    /// Its tenant namespaces (`CloudApplication.status.namespaces`).
    #[serde(default)]
    pub namespaces: Vec<NamespaceRecord>,
    /// Quotas that were approved at first (`CloudApplication.spec.namespaces`).
    pub approved: Quotas,
    /// Completed changes of quotas.
    #[serde(default)]
    pub changes: Vec<ChangeRecord>,
    /// Quotas that the ResourceGrant has now, or had at its end; absent if there is no grant.
    #[serde(default)]
    pub granted: Option<Quotas>,
    /// Exit of the whole application that began to reclaim.
    #[serde(default)]
    pub exit: Option<ExitRecord>,
}

/// A tenant namespace of an application.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceRecord {
    /// Entry.
    pub entry: String,
    /// UID of the Namespace: what is charged once a day, whichever record has it.
    pub uid: String,
    /// True if the application took it back from a record that was lost (`govcloud.dev/reattach`).
    #[serde(default)]
    pub took_back: bool,
}

/// A change of quotas (Art. 15).
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ChangeRecord {
    /// Name of the ChangeRequest.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// Instant from which `after` was in force; absent in a record that lost it.
    #[serde(default)]
    pub applied_at: Option<Instant>,
    /// Quotas before.
    pub before: Quotas,
    /// Quotas after.
    pub after: Quotas,
}

/// An exit (Art. 16, 28).
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ExitRecord {
    /// Name of the Decommission.
    pub name: String,
    /// Instant from which new pods were refused, where it is recorded.
    #[serde(default)]
    pub quiesced_at: Option<Instant>,
    /// Start of reclaiming (`status.reclaimingSince`).
    #[serde(default)]
    pub reclaiming_since: Option<Instant>,
    /// End of the provider's period (`dueAt` of the obligation `Reclaim`).
    #[serde(default)]
    pub reclaim_due_at: Option<Instant>,
    /// End of reclaiming (`status.certificate.endedAt`).
    #[serde(default)]
    pub ended_at: Option<Instant>,
}

/// A quantity of an item with basis `Manual`.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "camelCase")]
pub struct ManualRecord {
    /// UID of the application.
    #[serde(rename = "applicationUID")]
    pub application_uid: String,
    /// Code of the item.
    pub item: String,
    /// First day.
    pub from: CivilDate,
    /// Last day.
    pub to: CivilDate,
    /// Units on each of these days, decimal.
    pub units: String,
}

/// A settled month, with what is needed to compute it again.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct EarlierMonth {
    /// The month.
    pub month: Month,
    /// Share of a day that was charged.
    #[serde(default)]
    pub proration: Proration,
    /// End of the charge in an exit.
    #[serde(default)]
    pub charge_until: ChargeUntil,
    /// State that the month opened with.
    #[serde(default)]
    pub opening: Option<State>,
    /// Digest of the state that it closed with.
    pub closing: String,
    /// Editions that it was billed by.
    pub editions: Vec<EditionUsed>,
    /// Its lines.
    pub lines: Vec<Line>,
    /// Its corrections of months before it.
    #[serde(default)]
    pub corrections: Vec<Correction>,
}

impl EarlierMonth {
    /// A statement that was settled, as later months need it. `opening` is the state that its month opened with.
    #[must_use]
    pub fn of(statement: &Statement, opening: Option<State>) -> Self {
        Self {
            month: statement.month,
            proration: statement.proration,
            charge_until: statement.charge_until,
            opening,
            closing: statement.closing.clone(),
            editions: statement.editions.clone(),
            lines: statement.lines.clone(),
            corrections: statement.corrections.clone(),
        }
    }
}
