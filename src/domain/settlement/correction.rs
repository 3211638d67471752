//! Corrections of settled months (Art. 26). A settled statement never changes; what the records say otherwise later becomes
//! a line of the next statement.
//!
//! A month is corrected for an application if its record is there and complete for that month. Where it is gone, what was
//! settled stands: nobody can compute it any better.

use std::collections::{BTreeMap, BTreeSet};

use super::catalog::Editions;
use super::export::{EarlierMonth, Export};
use super::money::Money;
use super::period::Month;
use super::statement::{Bill, Correction, Rules};

/// An application's UID, the name of an edition, and the code of an item.
type Key<'a> = (&'a str, &'a str, &'a str);

/// Amounts of one key.
#[derive(Default)]
struct Amounts<'a> {
    name: &'a str,
    outside_budget: bool,
    settled: Money,
    recomputed: Money,
}

/// Differences of all earlier months, by month, UID of the application, edition and item.
pub(super) fn corrections(
    export: &Export,
    editions: &Editions,
    earlier: &BTreeMap<Month, &EarlierMonth>,
) -> Vec<Correction> {
    let before = earlier.range(..export.month);
    before.flat_map(|(_, month)| of_month(export, editions, earlier, month)).collect()
}

fn of_month(
    export: &Export,
    editions: &Editions,
    earlier: &BTreeMap<Month, &EarlierMonth>,
    settled: &EarlierMonth,
) -> Vec<Correction> {
    let rules = Rules {
        month: settled.month,
        proration: settled.proration,
        charge_until: settled.charge_until,
        opening: settled.opening.as_ref(),
    };
    let bill = Bill::of(export, editions, rules);
    let unknown: BTreeSet<&str> = bill.gaps.iter().map(|gap| &*gap.application_uid).collect();
    if unknown.contains("") {
        return Vec::new();
    }
    let mut amounts: BTreeMap<Key<'_>, Amounts<'_>> = BTreeMap::new();
    for line in &settled.lines {
        let key = (&*line.application_uid, &*line.edition, &*line.item);
        let known = amounts.entry(key).or_default();
        (known.name, known.outside_budget) = (&*line.application, line.outside_budget);
        known.settled = &known.settled + &line.amount;
    }
    let corrected = earlier.values().flat_map(|month| &month.corrections);
    for correction in corrected.filter(|correction| correction.month == settled.month) {
        let key = (&*correction.application_uid, &*correction.edition, &*correction.item);
        let known = amounts.entry(key).or_default();
        (known.name, known.outside_budget) = (&*correction.application, correction.outside_budget);
        known.settled = &known.settled + &correction.amount;
    }
    for line in &bill.lines {
        let key = (&*line.application_uid, &*line.edition, &*line.item);
        let known = amounts.entry(key).or_default();
        (known.name, known.outside_budget) = (&*line.application, line.outside_budget);
        known.recomputed = &known.recomputed + &line.amount;
    }
    let recorded: BTreeSet<&str> = export.applications.iter().map(|record| &*record.uid).collect();
    amounts.retain(|(uid, ..), _| recorded.contains(uid) && !unknown.contains(uid));
    amounts.into_iter().filter_map(|(key, amounts)| difference(settled.month, key, amounts)).collect()
}

fn difference(month: Month, key: Key<'_>, amounts: Amounts<'_>) -> Option<Correction> {
    let (application_uid, edition, item) = key;
    let amount = &amounts.recomputed - &amounts.settled;
    (!amount.is_zero()).then(|| Correction {
        month,
        application: amounts.name.to_owned(),
        application_uid: application_uid.to_owned(),
        outside_budget: amounts.outside_budget,
        item: item.to_owned(),
        edition: edition.to_owned(),
        settled: amounts.settled,
        recomputed: amounts.recomputed,
        amount,
    })
}
