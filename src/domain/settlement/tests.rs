//! Bills of months (Art. 26), hand-checked and random.

use std::collections::BTreeMap;

use govcloud_api::catalog::Period;
use govcloud_api::quota::Quota;
use govcloud_api::time::Instant;

use super::catalog::{Basis, EditionRecord, ItemClass, ItemRecord};
use super::export::{ApplicationRecord, ChangeRecord, ChargeUntil, Export, NamespaceRecord, Quotas};
use super::period::Proration;
use super::statement::{Settlement, settle};

mod chains;
mod corrections;
mod lives;
mod months;
mod oracle;
mod properties;

/// An instant in China, `2026-10-14 10:00`.
fn at(text: &str) -> Instant {
    let (day, time) = text.split_once(' ').unwrap();
    format!("{day}T{time}:00+08:00").parse().unwrap()
}

fn quota(lines: &[(&str, &str)]) -> Quota {
    Quota(lines.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
}

/// One entry `prod` with an amount of `requests.cpu`.
fn cpu(amount: &str) -> Quotas {
    Quotas::from([("prod".to_owned(), quota(&[("requests.cpu", amount)]))])
}

fn item(code: &str, resource: &str, unit: &str, per: Period, price: &str) -> ItemRecord {
    ItemRecord {
        code: code.to_owned(),
        class: ItemClass::Infrastructure,
        basis: Basis::Granted,
        resource: Some(resource.to_owned()),
        unit: unit.to_owned(),
        per,
        price: price.to_owned(),
    }
}

fn edition(name: &str, from: &str, items: Vec<ItemRecord>) -> EditionRecord {
    EditionRecord {
        name: name.to_owned(),
        currency: "CNY".to_owned(),
        effective_from: from.parse().unwrap(),
        items,
    }
}

/// An application with one namespace and eight cores, provisioned at some time.
fn travel(provisioned: &str) -> ApplicationRecord {
    ApplicationRecord {
        name: "travel".to_owned(),
        uid: "a1".to_owned(),
        outside_budget: false,
        provisioned_at: Some(at(provisioned)),
        namespaces: vec![NamespaceRecord {
            entry: "prod".to_owned(),
            uid: "n1".to_owned(),
            took_back: false,
        }],
        approved: cpu("8"),
        changes: Vec::new(),
        granted: Some(cpu("8")),
        exit: None,
    }
}

fn change(name: &str, applied: &str, before: Quotas, after: Quotas) -> ChangeRecord {
    ChangeRecord { name: name.to_owned(), uid: name.to_owned(), applied_at: Some(at(applied)), before, after }
}

/// A month of one department with cores at 30.00 a month.
fn export(month: &str, applications: Vec<ApplicationRecord>) -> Export {
    Export {
        region: "410000".to_owned(),
        department: "dept-transport".to_owned(),
        month: month.parse().unwrap(),
        proration: Proration::Daily,
        charge_until: ChargeUntil::EndOfUse,
        editions: vec![edition(
            "henan-2020",
            "2020-09-01",
            vec![item("cpu", "requests.cpu", "1", Period::Month, "30.00")],
        )],
        opening: None,
        applications,
        manual: Vec::new(),
        earlier: Vec::new(),
    }
}

fn settled(export: &Export) -> Settlement {
    settle(export).unwrap()
}

/// Unit-days and amount of each line, by application, edition and item.
fn lines(export: &Export) -> BTreeMap<(String, String, String), (String, String)> {
    let lines = settled(export).statement.lines.into_iter();
    lines.map(|l| ((l.application, l.edition, l.item), (l.unit_days, l.amount.to_string()))).collect()
}

/// Unit-days and amount of the only line.
fn line(export: &Export) -> (String, String) {
    let lines = lines(export);
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.into_values().next().unwrap()
}

/// Reasons of the gaps, with their names.
fn gaps(export: &Export) -> Vec<String> {
    let gaps = settled(export).statement.gaps;
    gaps.iter().map(|gap| format!("{:?} {}", gap.reason, gap.names.join(" ")).trim_end().to_owned()).collect()
}
