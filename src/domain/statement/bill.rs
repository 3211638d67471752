//! The bill of a statement: computed from the department's records, and stored in status (Art. 26).
//!
//! Values of [`crate::settlement`] and fields of the status have the same JSON, so that `status.bill` can be checked against
//! its digest by anybody who has it.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Evaluation, Finding, Phase, Records};
use crate::bilingual::Bilingual;
use crate::region_context::RegionView;
use crate::settlement::export::{EarlierMonth, Export, ManualRecord};
use crate::settlement::money::Money;
use crate::settlement::period::Month;
use crate::settlement::state::State;
use crate::settlement::{self, statement};
use govcloud_api::region::Settlement;
use govcloud_api::statement::{Bill, Budget, ClosingState, LINES_MAX, NAMESPACES_MAX, Statement};

/// Settled months that a bill corrects.
pub const EARLIER_MAX: usize = 12;
/// Most gaps that a status lists.
const GAPS_MAX: usize = 64;

/// A bill, or why there is none.
#[derive(Default)]
pub(super) struct Computed {
    pub bill: Option<Bill>,
    pub closing_state: Option<ClosingState>,
    pub budget: Option<Budget>,
    pub over_budget: bool,
    /// Everything that keeps the bill from being confirmed.
    pub findings: Vec<Finding>,
}

impl Computed {
    /// Digest of the bill; `None` while anything is missing.
    pub fn digest(&self) -> Option<&String> {
        self.bill.as_ref().and_then(|bill| bill.digest.as_ref())
    }

    /// Number of missing facts; none where there is no bill.
    pub fn gaps(&self) -> usize {
        self.bill.as_ref().map_or(0, |bill| bill.gaps.len())
    }

    fn nothing(finding: Finding) -> Self {
        Self { findings: vec![finding], ..Self::default() }
    }
}

impl Evaluation<'_> {
    /// Computes the bill from the department's records.
    pub(super) fn compute(&self) -> Computed {
        let spec = &self.seen.record.spec;
        let Some(region) = &self.seen.region_context.region else {
            return Computed::nothing(Finding::UnknownRegion(spec.region.clone()));
        };
        let Some(settings) = &region.spec().settlement else {
            return Computed::nothing(Finding::SettlementOff(spec.region.clone()));
        };
        let empty = Records::default();
        let records = self.seen.records.as_ref().unwrap_or(&empty);
        let department = Department { namespace: &self.seen.meta.namespace, region, settings, records };
        department.bill(&self.seen.record)
    }
}

/// Digest of a stored bill, computed from its content. Empty if it is no bill.
#[must_use]
pub fn digest_of(bill: &Bill) -> String {
    same_json::<_, statement::Statement>(bill).map(|s| s.digest_of_content()).unwrap_or_default()
}

/// The export that a statement is computed from, as [`crate::settlement::settle`] takes it: it recomputes to the same
/// digest anywhere.
///
/// # Errors
/// Why there is none.
pub fn export(
    statement: &Statement,
    namespace: &str,
    region: &RegionView,
    records: &Records,
) -> Result<Export, Finding> {
    let Some(settings) = &region.spec().settlement else {
        return Err(Finding::SettlementOff(region.code().to_owned()));
    };
    Department { namespace, region, settings, records }.export(statement)
}

/// A department with its records and the settings of its Region.
struct Department<'a> {
    namespace: &'a str,
    region: &'a RegionView,
    settings: &'a Settlement,
    records: &'a Records,
}

impl Department<'_> {
    fn bill(&self, own: &Statement) -> Computed {
        let export = match self.export(own) {
            Ok(export) => export,
            Err(finding) => return Computed::nothing(finding),
        };
        let settled = match settlement::settle(&export) {
            Ok(settled) => settled,
            Err(found) => {
                let findings = found.into_iter().map(Finding::Catalog).collect();
                return Computed { findings, ..Computed::default() };
            }
        };
        let mut findings = too_long(&settled);
        if !settled.statement.is_complete() {
            let texts: Vec<Bilingual> =
                settled.statement.gaps.iter().map(settlement::gap::Gap::text).collect();
            findings.push(Finding::StatementIncomplete(Bilingual::list(&texts)));
        }
        if findings.iter().any(|f| matches!(f, Finding::StatementTooLong(..))) {
            return Computed { findings, ..Computed::default() };
        }
        let (budget, over_budget) = self.budget(&settled.statement);
        let bill = same_json::<_, Bill>(&settled.statement).map(|mut bill| {
            bill.gaps.truncate(GAPS_MAX);
            bill
        });
        Computed { bill, closing_state: same_json(&settled.closing), budget, over_budget, findings }
    }

    fn export(&self, own: &Statement) -> Result<Export, Finding> {
        let month = month(own).ok_or_else(|| Finding::Malformed(format!("spec.month {}", own.spec.month)))?;
        let before = self.of(month.before());
        if let Some(open) = before.filter(|statement| !is_over(statement)) {
            return Err(Finding::MonthBeforeOpen(open.spec.month.clone()));
        }
        Ok(Export {
            region: own.spec.region.clone(),
            department: self.namespace.to_owned(),
            month,
            proration: self.settings.proration,
            charge_until: self.settings.charge_until,
            editions: self.region.catalogue.editions.clone(),
            opening: before.and_then(|statement| closing(statement)),
            applications: self.records.applications.clone(),
            manual: self.manual(own)?,
            earlier: self.earlier(month),
        })
    }

    /// The statement of a month.
    fn of(&self, month: Month) -> Option<&Arc<Statement>> {
        self.records.others.iter().find(|statement| self::month(statement) == Some(month))
    }

    /// The settled months before one that it can correct, latest last.
    fn earlier(&self, month: Month) -> Vec<EarlierMonth> {
        let mut settled: Vec<EarlierMonth> = self
            .records
            .others
            .iter()
            .filter(|statement| statement.status.as_ref().and_then(|s| s.phase) == Some(Phase::Settled))
            .filter_map(|statement| {
                let then = self::month(statement).filter(|then| *then < month)?;
                let bill = statement.status.as_ref()?.bill.as_ref()?;
                let bill: statement::Statement = same_json(bill)?;
                let opening = self.of(then.before()).and_then(|before| closing(before));
                Some(EarlierMonth::of(&bill, opening))
            })
            .collect();
        settled.sort_by_key(|earlier| earlier.month);
        let first = settled.len().saturating_sub(EARLIER_MAX);
        settled.split_off(first)
    }

    /// Quantities that were recorded for this month and for those that it can correct.
    fn manual(&self, own: &Statement) -> Result<Vec<ManualRecord>, Finding> {
        let others = self.records.others.iter().filter(|s| s.spec.month < own.spec.month).map(|s| &s.spec);
        let mut manual = Vec::new();
        for quantity in others.chain([&own.spec]).flat_map(|spec| &spec.manual) {
            let named = self.records.applications.iter().find(|a| a.name == quantity.application);
            let wrong = || Finding::ManualUnknown(quantity.application.clone(), quantity.item.clone());
            manual.push(ManualRecord {
                application_uid: named.ok_or_else(wrong)?.uid.clone(),
                item: quantity.item.clone(),
                from: quantity.from.parse().map_err(|_| wrong())?,
                to: quantity.to.parse().map_err(|_| wrong())?,
                units: quantity.units.clone(),
            });
        }
        Ok(manual)
    }

    /// The year's fees beside the ceiling of the department (Art. 7), and whether they are above it.
    fn budget(&self, bill: &statement::Statement) -> (Option<Budget>, bool) {
        let year = i32::from(bill.month.year());
        let ceiling = self.settings.budgets.iter().find(|b| b.department == self.namespace && b.year == year);
        let Some(ceiling) = ceiling else { return (None, false) };
        let earlier = self.earlier(bill.month);
        let of_year = earlier.iter().filter(|then| then.month.year() == bill.month.year());
        let before: Money = of_year
            .flat_map(|then| {
                let lines = then.lines.iter().filter(|l| !l.outside_budget).map(|l| &l.amount);
                lines.chain(then.corrections.iter().filter(|c| !c.outside_budget).map(|c| &c.amount))
            })
            .sum();
        let used = &before + &bill.in_budget;
        let over = ceiling.ceiling.parse::<Money>().is_ok_and(|most| used > most);
        (Some(Budget { year, ceiling: ceiling.ceiling.clone(), used: used.to_string() }), over)
    }
}

/// The month of a statement; `None` where it cannot be read.
pub fn month(statement: &Statement) -> Option<Month> {
    statement.spec.month.parse().ok()
}

fn is_over(statement: &Statement) -> bool {
    statement.status.as_ref().and_then(|s| s.phase).is_some_and(Phase::is_over)
}

/// State that a statement closed with.
fn closing(statement: &Statement) -> Option<State> {
    same_json(statement.status.as_ref()?.closing_state.as_ref()?)
}

/// Lists that are longer than a status can have.
fn too_long(settled: &settlement::Settlement) -> Vec<Finding> {
    let statement = &settled.statement;
    let counts = [
        (Bilingual::new("账单条目", "lines"), statement.lines.len(), LINES_MAX),
        (Bilingual::new("更正条目", "corrections"), statement.corrections.len(), LINES_MAX),
        (Bilingual::new("提示", "remarks"), statement.remarks.len(), LINES_MAX),
        (Bilingual::new("命名空间", "namespaces"), settled.closing.namespaces.len(), NAMESPACES_MAX),
    ];
    let long = counts.into_iter().filter(|(_, count, most)| count > most);
    long.map(|(what, count, most)| Finding::StatementTooLong(what, count, most)).collect()
}

/// The value of another type that has the same JSON; `None` where it does not fit.
fn same_json<A: Serialize, B: DeserializeOwned>(value: &A) -> Option<B> {
    serde_json::from_value(serde_json::to_value(value).ok()?).ok()
}
