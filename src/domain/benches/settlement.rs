//! Settlement: one month of 10,000 applications in 600 departments. The bound is 2 s of processor time.
//!
//! With `SETTLEMENT_EXPORTS=FILE` the exports are written as JSON first, for `e2e/tools/settlement/oracle.py --time`.

use std::collections::BTreeMap;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use govcloud_api::catalog::Period;
use govcloud_api::quota::Quota;
use govcloud_api::time::Instant;
use govcloud_domain::settlement::catalog::{Basis, EditionRecord, ItemClass, ItemRecord};
use govcloud_domain::settlement::export::{
    ApplicationRecord, ChangeRecord, ChargeUntil, EarlierMonth, Export, NamespaceRecord, Quotas,
};
use govcloud_domain::settlement::period::Proration;
use govcloud_domain::settlement::settle;

const APPLICATIONS: usize = 10_000;
const DEPARTMENTS: usize = 600;

fn at(day: usize, hour: usize) -> Instant {
    format!("2026-10-{:02}T{:02}:{:02}:00Z", day % 28 + 1, hour % 16, hour % 60).parse().expect("an instant")
}

fn quota(n: usize) -> Quota {
    let line = |key: &str, value: String| (key.to_owned(), value);
    Quota(BTreeMap::from([
        line("requests.cpu", format!("{}", 1 + n % 64)),
        line("requests.memory", format!("{}Gi", 1 + n % 256)),
        line("requests.storage", format!("{}Gi", 10 * (1 + n % 100))),
        line("pods", "50".to_owned()),
    ]))
}

fn item(code: &str, resource: &str, unit: &str, price: &str) -> ItemRecord {
    ItemRecord {
        code: code.to_owned(),
        class: ItemClass::Infrastructure,
        basis: Basis::Granted,
        resource: Some(resource.to_owned()),
        unit: unit.to_owned(),
        per: Period::Month,
        price: price.to_owned(),
    }
}

fn edition(name: &str, from: &str, price: &str) -> EditionRecord {
    EditionRecord {
        name: name.to_owned(),
        currency: "CNY".to_owned(),
        effective_from: from.parse().expect("a day"),
        items: vec![
            item("cpu", "requests.cpu", "1", price),
            item("memory", "requests.memory", "1Gi", "12.35"),
            item("disk", "requests.storage", "100Gi", "41.70"),
            ItemRecord { basis: Basis::PerNamespace, resource: None, ..item("namespace", "", "1", "5") },
        ],
    }
}

/// Every third application is changed in the month, and every fifth is provisioned in it.
fn application(n: usize) -> ApplicationRecord {
    let entries: Vec<String> = (0..1 + n % 3).map(|entry| format!("e{entry}")).collect();
    let approved: Quotas = entries.iter().map(|entry| (entry.clone(), quota(n))).collect();
    let after: Quotas = entries.iter().map(|entry| (entry.clone(), quota(n + 7))).collect();
    let changed = n.is_multiple_of(3);
    ApplicationRecord {
        name: format!("system-{n}"),
        uid: format!("6f1c0e52-0000-4000-8000-{n:012}"),
        outside_budget: n.is_multiple_of(10),
        provisioned_at: Some(if n.is_multiple_of(5) {
            at(n % 7, n)
        } else {
            "2026-03-02T02:00:00Z".parse().expect("an instant")
        }),
        namespaces: entries
            .iter()
            .map(|entry| NamespaceRecord {
                entry: entry.clone(),
                uid: format!("{n:012}-{entry}"),
                took_back: false,
            })
            .collect(),
        granted: Some(if changed { after.clone() } else { approved.clone() }),
        changes: changed
            .then(|| ChangeRecord {
                name: format!("system-{n}-change"),
                uid: format!("c{n}"),
                applied_at: Some(at(10 + n % 15, n)),
                before: approved.clone(),
                after,
            })
            .into_iter()
            .collect(),
        approved,
        exit: None,
    }
}

/// The month of each department, after a settled one.
fn exports() -> Vec<Export> {
    let of_department = |department: usize| {
        let applications = (department..APPLICATIONS).step_by(DEPARTMENTS).map(application).collect();
        let september = Export {
            region: "410000".to_owned(),
            department: format!("dept-{department}"),
            month: "2026-09".parse().expect("a month"),
            proration: Proration::Daily,
            charge_until: ChargeUntil::EndOfUse,
            editions: vec![
                edition("henan-2026", "2026-01-01", "30.00"),
                edition("henan-2026b", "2026-10-16", "28.50"),
            ],
            opening: None,
            applications,
            manual: Vec::new(),
            earlier: Vec::new(),
        };
        let settlement = settle(&september).expect("a catalogue that can be billed by");
        Export {
            month: "2026-10".parse().expect("a month"),
            opening: Some(settlement.closing),
            earlier: vec![EarlierMonth::of(&settlement.statement, None)],
            ..september
        }
    };
    (0..DEPARTMENTS).map(of_department).collect()
}

fn month(c: &mut Criterion) {
    let exports = exports();
    assert_eq!(exports.iter().map(|export| export.applications.len()).sum::<usize>(), APPLICATIONS);
    for export in &exports {
        let settlement = settle(export).expect("a catalogue that can be billed by");
        assert!(settlement.statement.is_complete() && settlement.statement.corrections.is_empty());
    }
    #[expect(clippy::disallowed_methods, reason = "a benchmark is no part of the domain")]
    let file = std::env::var("SETTLEMENT_EXPORTS");
    if let Ok(file) = file {
        std::fs::write(file, serde_json::to_vec(&exports).expect("exports have a JSON form"))
            .expect("a file");
    }
    let without: Vec<Export> =
        exports.iter().map(|export| Export { earlier: Vec::new(), ..export.clone() }).collect();
    let mut group = c.benchmark_group("a month of 10,000 applications in 600 departments");
    group.sample_size(10);
    group.bench_function("settle", |b| {
        b.iter(|| without.iter().filter_map(|export| settle(black_box(export)).ok()).count())
    });
    group.bench_function("settle, and compare the month before", |b| {
        b.iter(|| exports.iter().filter_map(|export| settle(black_box(export)).ok()).count())
    });
    group.finish();
}

criterion_group!(benches, month);
criterion_main!(benches);
