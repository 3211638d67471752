//! Statement of a month (结算单, Art. 6 and 26): lines, corrections of settled months, totals, and the digest that is
//! confirmed.

use std::collections::BTreeMap;

use govcloud_api::catalog::Period;
pub use govcloud_api::statement::EditionUsed;
use serde::{Deserialize, Serialize};

use super::catalog::{Editions, ItemClass};
use super::catalog_finding::CatalogFinding;
use super::charge::{Charge, charges, spans, subjects};
use super::correction::corrections;
use super::export::{ChargeUntil, EarlierMonth, Export};
use super::gap::{Gap, GapReason, Remark};
use super::history::{History, Window};
use super::money::Money;
use super::period::{Month, Proration};
use super::state::State;
use crate::digest::digest_of;

/// Bill of one department, Region and month.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    /// Code of the Region.
    pub region: String,
    /// Filing namespace of the department.
    pub department: String,
    /// The month.
    pub month: Month,
    /// Share of a day that is charged.
    pub proration: Proration,
    /// End of the charge in an exit.
    pub charge_until: ChargeUntil,
    /// ISO 4217 code of all amounts; empty if no edition is in force.
    pub currency: String,
    /// Editions in force in the month, by first day.
    pub editions: Vec<EditionUsed>,
    /// The lines: one for each application, item and edition, by name and UID of the application, first day of the edition
    /// and code of the item.
    pub lines: Vec<Line>,
    /// Corrections of settled months.
    pub corrections: Vec<Correction>,
    /// Sum of the lines and corrections of units in the budget of this tier (Art. 7).
    pub in_budget: Money,
    /// Sum of those of units outside it, which pay by their own channel (Art. 26, second paragraph).
    pub outside_budget: Money,
    /// Sum of all of them.
    pub total: Money,
    /// Digest of the state that the month opens with; absent in the first month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opening: Option<String>,
    /// Digest of the state that it closes with.
    pub closing: String,
    /// Missing facts.
    pub gaps: Vec<Gap>,
    /// Facts that people should see.
    pub remarks: Vec<Remark>,
    /// Digest over all of the above: what is confirmed. An incomplete statement has none, so nobody can confirm it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// One application, item and edition. `amount` is `unitDays × price ÷ ofDays`, rounded half-up to 0.01.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// Name of the application.
    pub application: String,
    /// Its UID.
    #[serde(rename = "applicationUID")]
    pub application_uid: String,
    /// True for a unit outside the budget.
    pub outside_budget: bool,
    /// Code of the item.
    pub item: String,
    /// Class of the item.
    pub class: ItemClass,
    /// Name of the edition.
    pub edition: String,
    /// Units times days, exact: `144` or `289/2`.
    pub unit_days: String,
    /// Days that the price is for, exact: `31`, `366`, `1` or `1/24`.
    pub of_days: String,
    /// Period of the price.
    pub per: Period,
    /// Price as the edition has it.
    pub price: String,
    /// The amount.
    pub amount: Money,
}

/// Difference between what was settled for an earlier month and what the records say now.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Correction {
    /// The earlier month.
    pub month: Month,
    /// Name of the application.
    pub application: String,
    /// Its UID.
    #[serde(rename = "applicationUID")]
    pub application_uid: String,
    /// True for a unit outside the budget.
    pub outside_budget: bool,
    /// Code of the item.
    pub item: String,
    /// Name of the edition.
    pub edition: String,
    /// Amount settled so far, with corrections in months between.
    pub settled: Money,
    /// Amount by the records.
    pub recomputed: Money,
    /// The difference; below zero where too much was settled.
    pub amount: Money,
}

/// A statement with the state that its month closes with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// The statement.
    pub statement: Statement,
    /// State at its end, with which the next month opens.
    pub closing: State,
}

/// One month computed from records.
pub(super) struct Bill {
    pub lines: Vec<Line>,
    pub gaps: Vec<Gap>,
    pub remarks: Vec<Remark>,
    pub closing: State,
    editions: Vec<EditionUsed>,
}

/// Which month is computed, and by which rules.
#[derive(Clone, Copy)]
pub(super) struct Rules<'a> {
    pub month: Month,
    pub proration: Proration,
    pub charge_until: ChargeUntil,
    pub opening: Option<&'a State>,
}

/// Computes the statement of a month from records alone (Art. 26). Time, order and repetition of the records play no part.
///
/// # Errors
/// Defects of the catalogue: nobody can bill by it.
pub fn settle(export: &Export) -> Result<Settlement, Vec<CatalogFinding>> {
    let editions = Editions::read(&export.editions)?;
    let earlier: BTreeMap<Month, &EarlierMonth> = export.earlier.iter().map(|e| (e.month, e)).collect();
    let opening = export.opening.as_ref().filter(|state| is_of(state, export));
    let rules = Rules {
        month: export.month,
        proration: export.proration,
        charge_until: export.charge_until,
        opening,
    };
    let bill = Bill::of(export, &editions, rules);
    let mut gaps = chain_gaps(export, &editions, &earlier);
    gaps.extend(bill.gaps);
    let corrections = corrections(export, &editions, &earlier);
    let sum = |outside: bool| -> Money {
        let lines = bill.lines.iter().filter(|l| l.outside_budget == outside).map(|l| &l.amount);
        let corrected = corrections.iter().filter(|c| c.outside_budget == outside).map(|c| &c.amount);
        lines.chain(corrected).sum()
    };
    let (in_budget, outside_budget) = (sum(false), sum(true));
    let mut statement = Statement {
        region: export.region.clone(),
        department: export.department.clone(),
        month: export.month,
        proration: export.proration,
        charge_until: export.charge_until,
        currency: editions.iter().next().map_or_else(String::new, |edition| edition.currency.clone()),
        total: &in_budget + &outside_budget,
        in_budget,
        outside_budget,
        opening: opening.map(State::digest),
        closing: bill.closing.digest(),
        editions: bill.editions,
        lines: bill.lines,
        corrections,
        gaps,
        remarks: bill.remarks,
        digest: None,
    };
    statement.digest = statement.gaps.is_empty().then(|| statement.digest_of_content());
    Ok(Settlement { statement, closing: bill.closing })
}

impl Statement {
    /// Returns true if nothing is missing, so that it can be confirmed.
    pub fn is_complete(&self) -> bool {
        self.gaps.is_empty()
    }

    /// `sha256:<64 hex digits>` of the RFC 8785 canonical JSON of the statement without its digest.
    pub fn digest_of_content(&self) -> String {
        let content = Self { digest: None, ..self.clone() };
        // Texts, booleans and lists of them have a JSON form.
        digest_of(&content).expect("a statement has a canonical form")
    }
}

impl Bill {
    /// Computes one month from the records of an export.
    pub fn of(export: &Export, editions: &Editions, rules: Rules) -> Self {
        let days = rules.month.days();
        let mut history = History::of(Window {
            applications: &export.applications,
            opening: rules.opening,
            charge_until: rules.charge_until,
            days,
        });
        if rules.proration == Proration::Daily {
            history.note_brief(rules.proration, days);
        }
        let (spans, subjects) = (spans(days, editions), subjects(&export.applications));
        let charged = charges(&history, &subjects, &export.manual, &spans, rules.proration);
        let used = spans.iter().filter_map(|span| span.edition);
        Self {
            lines: charged.charges.iter().map(Line::of).collect(),
            gaps: history.gaps.union(&charged.gaps).cloned().collect(),
            remarks: history.remarks.union(&charged.remarks).cloned().collect(),
            closing: State {
                region: export.region.clone(),
                department: export.department.clone(),
                at: crate::calendar::end_of(days.to).into(),
                namespaces: history.state(days.end()),
            },
            editions: used
                .map(|edition| EditionUsed { name: edition.name.clone(), digest: edition.digest.clone() })
                .collect(),
        }
    }
}

impl Line {
    fn of(charge: &Charge) -> Self {
        let Charge { subject, item, edition, unit_days, of_days } = charge;
        Self {
            application: subject.name.clone(),
            application_uid: subject.uid.clone(),
            outside_budget: subject.outside_budget,
            item: item.code.clone(),
            class: item.class,
            edition: edition.name.clone(),
            unit_days: unit_days.to_string(),
            of_days: of_days.to_string(),
            per: item.per,
            price: item.price.to_string(),
            amount: Money::rounded(&charge.exact()),
        }
    }
}

/// Returns true if a state is the end of the month before, of this department and Region.
fn is_of(state: &State, export: &Export) -> bool {
    (&state.region, &state.department) == (&export.region, &export.department)
        && super::period::seconds(state.at) == export.month.days().start()
}

/// Gaps between this month and the settled ones.
fn chain_gaps(export: &Export, editions: &Editions, earlier: &BTreeMap<Month, &EarlierMonth>) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let foreign = export.opening.as_ref().filter(|state| !is_of(state, export));
    gaps.extend(foreign.map(|_| Gap::general(GapReason::OpeningForeign, Vec::new())));
    let before = export.month.before();
    if let Some(last) = earlier.get(&before) {
        let opening = export.opening.as_ref().map(State::digest);
        if opening.as_ref() != Some(&last.closing) {
            gaps.push(Gap::general(GapReason::ChainBroken, vec![before.to_string()]));
        }
    }
    for (month, then) in earlier {
        let kept = |used: &EditionUsed| {
            editions.iter().any(|now| (&now.name, &now.digest) == (&used.name, &used.digest))
        };
        let changed = then.editions.iter().filter(|used| !kept(used));
        gaps.extend(
            changed.map(|used| {
                Gap::general(GapReason::EditionChanged, vec![used.name.clone(), month.to_string()])
            }),
        );
    }
    let settled = earlier.range(export.month..);
    gaps.extend(settled.map(|(month, _)| Gap::general(GapReason::MonthSettled, vec![month.to_string()])));
    gaps
}
