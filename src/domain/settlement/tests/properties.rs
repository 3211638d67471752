//! B1 to B7: what holds for every bill, whatever happened (Art. 26).

use std::collections::BTreeMap;

use jiff::civil::Date;
use proptest::prelude::*;

use super::super::catalog::Editions;
use super::super::charge::{charges, spans, subjects};
use super::super::export::EarlierMonth;
use super::super::history::{History, Window};
use super::super::money::{Fraction, Money};
use super::super::period::Charged as _;
use super::super::period::{Days, Month};
use super::super::state::State;
use super::lives::{lives, lives_with_holes};
use super::*;
use crate::calendar::end_of;
use crate::quantity::Quantity;

/// Exact amounts by application, item and edition.
type Amounts = BTreeMap<(String, String, String), Fraction>;

fn window<'a>(export: &'a Export, opening: Option<&'a State>, days: Days) -> Window<'a> {
    Window { applications: &export.applications, opening, charge_until: export.charge_until, days }
}

/// Exact amounts of some days, and the state at their end.
fn exact(export: &Export, opening: Option<&State>, days: Days) -> (Amounts, State) {
    let editions = Editions::read(&export.editions).unwrap();
    let history = History::of(window(export, opening, days));
    let (spans, subjects) = (spans(days, &editions), subjects(&export.applications));
    let charged = charges(&history, &subjects, &export.manual, &spans, export.proration);
    let mut amounts = Amounts::new();
    for charge in &charged.charges {
        let key = (charge.subject.uid.clone(), charge.item.code.clone(), charge.edition.name.clone());
        assert!(amounts.insert(key, charge.exact()).is_none(), "two charges with one key");
    }
    let closing = State {
        region: export.region.clone(),
        department: export.department.clone(),
        at: end_of(days.to).into(),
        namespaces: history.state(days.end()),
    };
    (amounts, closing)
}

/// Every amount of `requests.cpu`, doubled.
fn doubled(quotas: &Quotas) -> Quotas {
    let mut quotas = quotas.clone();
    for quota in quotas.values_mut() {
        for (_, value) in quota.0.iter_mut().filter(|(key, _)| key.ends_with("cpu")) {
            let amount: Quantity = value.parse().unwrap();
            *value = amount.checked_add(amount).unwrap().to_string();
        }
    }
    quotas
}

fn hundredths(money: &Money) -> i128 {
    money.to_string().replace('.', "").parse().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn b1_days_that_are_split_at_midnight_add_up(export in lives(), day in 1_i8..28) {
        let whole = export.month.days();
        let last = Date::new(whole.from.year(), whole.from.month(), day).unwrap();
        let first = Days { from: whole.from, to: last };
        let second = Days { from: last.tomorrow().unwrap(), to: whole.to };
        let (expected, end) = exact(&export, export.opening.as_ref(), whole);
        let (mut sum, middle) = exact(&export, export.opening.as_ref(), first);
        let (rest, last) = exact(&export, Some(&middle), second);
        for (key, amount) in rest {
            *sum.entry(key).or_insert_with(|| Fraction::from_integer(0.into())) += amount;
        }
        prop_assert_eq!(sum, expected);
        prop_assert_eq!(last, end);
    }

    #[test]
    fn b2_order_and_repetition_play_no_part(export in lives_with_holes()) {
        let mut other = export.clone();
        other.editions.reverse();
        other.editions.extend(export.editions.iter().cloned());
        other.applications.reverse();
        for record in &mut other.applications {
            record.changes.reverse();
            record.changes.extend_from_within(..);
            record.namespaces.reverse();
        }
        other.applications.extend(export.applications.iter().cloned());
        other.manual.reverse();
        other.manual.extend(export.manual.iter().cloned());
        other.earlier.extend_from_within(..);
        prop_assert_eq!(settled(&other), settled(&export));
    }

    #[test]
    fn b3_two_equal_quotas_that_adjoin_cost_as_one(export in lives(), seconds in 1_i64..59) {
        let mut other = export.clone();
        for record in &mut other.applications {
            let at = record.provisioned_at.unwrap().timestamp().as_second() + seconds;
            record.changes.push(ChangeRecord {
                name: "none".to_owned(),
                uid: format!("{}-none", record.uid),
                applied_at: Some(jiff::Timestamp::from_second(at).unwrap().into()),
                before: record.approved.clone(),
                after: record.approved.clone(),
            });
        }
        prop_assert_eq!(settled(&other), settled(&export));
    }

    #[test]
    fn b4_a_higher_quota_never_lowers_the_bill(mut export in lives()) {
        (export.opening, export.earlier) = (None, Vec::new());
        let mut higher = export.clone();
        for record in &mut higher.applications {
            record.approved = doubled(&record.approved);
            record.granted = record.granted.as_ref().map(doubled);
            for change in &mut record.changes {
                (change.before, change.after) = (doubled(&change.before), doubled(&change.after));
            }
        }
        let (lower, higher) = (settled(&export).statement, settled(&higher).statement);
        prop_assert!(lower.total <= higher.total);
        prop_assert_eq!(lower.gaps, higher.gaps);
    }

    #[test]
    fn b5_an_export_gives_the_same_digests_again(export in lives_with_holes()) {
        let settlement = settled(&export);
        let again: Export = serde_json::from_str(&serde_json::to_string(&export).unwrap()).unwrap();
        prop_assert_eq!(&settled(&again), &settlement);
        let statement = settlement.statement;
        prop_assert_eq!(statement.digest.is_some(), statement.gaps.is_empty());
        prop_assert!(statement.digest.is_none_or(|digest| digest.starts_with("sha256:")));
    }

    #[test]
    fn b6_no_day_of_a_namespace_is_charged_twice(export in lives_with_holes()) {
        let days = export.month.days();
        let history = History::of(window(&export, export.opening.as_ref(), days));
        let mut counted: BTreeMap<&str, i64> = BTreeMap::new();
        for interval in &history.intervals {
            let charged = export.proration.charged(interval.since, interval.until, days);
            *counted.entry(&interval.namespace_uid).or_default() += charged;
        }
        prop_assert!(counted.values().all(|seconds| *seconds <= days.end() - days.start()));
        for pair in history.intervals.windows(2) {
            let (one, other) = (&pair[0], &pair[1]);
            prop_assert!(one.namespace_uid < other.namespace_uid || one.until.is_some_and(|at| at <= other.since));
        }
    }

    #[test]
    fn b7_the_total_is_the_sum_of_the_lines(export in lives_with_holes()) {
        let statement = settled(&export).statement;
        let lines: i128 = statement.lines.iter().map(|line| hundredths(&line.amount)).sum();
        let corrections: i128 = statement.corrections.iter().map(|c| hundredths(&c.amount)).sum();
        prop_assert_eq!(hundredths(&statement.total), lines + corrections);
        let parts = hundredths(&statement.in_budget) + hundredths(&statement.outside_budget);
        prop_assert_eq!(hundredths(&statement.total), parts);
        prop_assert!(statement.lines.iter().all(|line| hundredths(&line.amount) >= 0));
    }

    /// Complete records give complete bills, and what is corrected once is not corrected again.
    #[test]
    fn complete_records_are_settled_once_and_for_all(export in lives()) {
        let settlement = settled(&export);
        prop_assert_eq!(&settlement.statement.gaps, &Vec::new());
        let mut next = export.clone();
        next.month = export.month.days().to.tomorrow().map(Month::of).unwrap();
        next.earlier.push(EarlierMonth::of(&settlement.statement, export.opening.clone()));
        next.opening = Some(settlement.closing);
        let statement = settled(&next).statement;
        prop_assert_eq!(&statement.gaps, &Vec::new());
        prop_assert_eq!(&statement.corrections, &Vec::new());
    }
}
