//! Editions of the catalogue (Art. 26).

use jiff::civil::date;

use super::*;

fn item(code: &str, resource: &str, unit: &str) -> ItemRecord {
    ItemRecord {
        code: code.to_owned(),
        class: ItemClass::Infrastructure,
        basis: Basis::Granted,
        resource: Some(resource.to_owned()),
        unit: unit.to_owned(),
        per: Period::Month,
        price: "30.00".to_owned(),
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

/// Findings on one item.
fn findings(item: ItemRecord) -> Vec<CatalogFinding> {
    Editions::read(&[edition("henan-2026", "2026-01-01", vec![item])]).err().unwrap_or_default()
}

fn defect(item: ItemRecord) -> ItemDefect {
    let code = item.code.clone();
    match <[CatalogFinding; 1]>::try_from(findings(item)) {
        Ok([CatalogFinding::Item { edition, item, defect }]) => {
            assert_eq!((&*edition, item), ("henan-2026", code));
            defect
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_edition_is_in_force_until_the_next_one_is() {
    let of = |name: &str, from| edition(name, from, vec![item("cpu", "cpu", "1")]);
    let editions =
        Editions::read(&[of("c", "2027-01-01"), of("a", "2026-01-01"), of("b", "2026-10-16")]).unwrap();
    let on = |day| editions.on(day).map(|edition| edition.name.clone());
    assert_eq!(on(date(2025, 12, 31)), None);
    assert_eq!(on(date(2026, 1, 1)).as_deref(), Some("a"));
    assert_eq!(on(date(2026, 10, 15)).as_deref(), Some("a"));
    assert_eq!(on(date(2026, 10, 16)).as_deref(), Some("b"));
    assert_eq!(on(date(2030, 1, 1)).as_deref(), Some("c"));
}

#[test]
fn two_editions_on_one_day_are_refused() {
    let of = |name: &str, from| edition(name, from, vec![item("cpu", "cpu", "1")]);
    let found = Editions::read(&[of("a", "2026-01-01"), of("b", "2026-01-01")]).unwrap_err();
    assert_eq!(found.len(), 1);
    let text = found[0].to_string();
    assert!(text.contains("effectiveFrom") && text.contains("a 和 b 均自 2026-01-01 起施行"), "{text}");
    // The same edition twice is one, and two editions of one name are not.
    assert_eq!(Editions::read(&[of("a", "2026-01-01"), of("a", "2026-01-01")]).unwrap().iter().count(), 1);
    let found = Editions::read(&[of("a", "2026-01-01"), of("a", "2026-02-01")]).unwrap_err();
    assert_eq!(found, [CatalogFinding::EditionTwice { edition: "a".to_owned() }]);
    let dollars = EditionRecord { currency: "USD".to_owned(), ..of("b", "2026-02-01") };
    let found = Editions::read(&[of("a", "2026-01-01"), dollars]).unwrap_err();
    assert!(matches!(&found[..], [CatalogFinding::Currencies { .. }]), "{found:?}");
}

#[test]
fn a_unit_fits_its_resource() {
    for (resource, unit) in [
        ("cpu", "1"),
        ("requests.cpu", "500m"),
        ("requests.memory", "1Gi"),
        ("memory", "1G"),
        ("requests.storage", "100Gi"),
        ("fast.storageclass.storage.k8s.io/requests.storage", "1Ti"),
        ("pods", "10"),
        ("requests.nvidia.com/gpu", "1"),
    ] {
        assert!(findings(item("x", resource, unit)).is_empty(), "{resource} {unit}");
    }
    for (resource, unit) in [
        ("cpu", "1Gi"),
        ("cpu", "0"),
        ("cpu", "-1"),
        ("requests.memory", "1"),
        ("requests.memory", "1Ki"),
        ("requests.storage", "500m"),
        ("pods", "500m"),
        ("pods", "1Ki"),
        ("requests.nvidia.com/gpu", "0.5"),
    ] {
        let found = defect(item("x", resource, unit));
        assert!(matches!(found, ItemDefect::UnitDoesNotFit { .. }), "{resource} {unit}: {found:?}");
        assert!(found.to_string().contains("1Gi"), "{found}");
    }
    assert!(matches!(defect(item("x", "cpu", "a core")), ItemDefect::Unit(_)));
}

#[test]
fn what_cannot_be_billed_is_refused_and_named() {
    let cores = || item("cpu", "requests.cpu", "1");
    let negative = defect(ItemRecord { price: "-1".to_owned(), ..cores() });
    assert!(negative.to_string().contains("price “-1”"), "{negative}");
    assert!(matches!(defect(item("x", "cores", "1")), ItemDefect::Key(_)));
    assert_eq!(defect(ItemRecord { resource: None, ..cores() }), ItemDefect::ResourceMissing);
    let by_hand = ItemRecord { basis: Basis::Manual, ..cores() };
    assert_eq!(defect(by_hand.clone()), ItemDefect::ResourceNotMetered("requests.cpu".to_owned()));
    assert!(findings(ItemRecord { resource: None, ..by_hand.clone() }).is_empty());
    let several = defect(ItemRecord { resource: None, unit: "2".to_owned(), ..by_hand });
    assert!(matches!(several, ItemDefect::UnitDoesNotFit { .. }));
    let twice = Editions::read(&[edition("henan-2026", "2026-01-01", vec![cores(), cores()])]).unwrap_err();
    assert!(matches!(&twice[..], [CatalogFinding::Item { defect: ItemDefect::Twice, .. }]), "{twice:?}");
}

#[test]
fn art_26_overlapping_items_and_unbounded_keys_are_found() {
    let items = vec![
        item("cpu", "cpu", "1"),
        item("cpu-again", "requests.cpu", "1"),
        item("disk", "requests.storage", "1Gi"),
        item("disk-fast", "fast.storageclass.storage.k8s.io/requests.storage", "1Gi"),
        item("pods", "pods", "1"),
    ];
    let editions = Editions::read(&[edition("henan-2026", "2026-01-01", items)]).unwrap();
    let bounds = ["requests.cpu", "requests.storage", "pods"].map(|key| (key.to_owned(), "1".to_owned()));
    let found = editions.warnings(&BTreeMap::from(bounds));
    let named: Vec<_> = found
        .iter()
        .map(|finding| match finding {
            CatalogFinding::ItemsOverlap { one, other, .. } => format!("{one} {other}"),
            CatalogFinding::PricedKeyUnbounded { item, .. } => item.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(named, ["cpu cpu-again", "disk disk-fast", "disk-fast"]);
    assert!(found.iter().all(|finding| finding.to_string().contains("henan-2026")));
}

#[test]
fn the_order_of_items_is_not_in_the_digest_and_a_price_is() {
    let read = |items| Editions::read(&[edition("a", "2026-01-01", items)]).unwrap();
    let digest = |items| read(items).iter().next().unwrap().digest.clone();
    let (cores, pods) = (item("cpu", "cpu", "1"), item("pods", "pods", "1"));
    assert_eq!(digest(vec![cores.clone(), pods.clone()]), digest(vec![pods.clone(), cores.clone()]));
    let dearer = ItemRecord { price: "30.01".to_owned(), ..cores.clone() };
    assert_ne!(digest(vec![cores, pods.clone()]), digest(vec![dearer, pods]));
}

#[test]
fn a_service_catalog_is_read() {
    let spec: ServiceCatalogSpec = serde_json::from_value(serde_json::json!({
        "edition": "2026年版", "currency": "CNY", "effectiveFrom": "2026-01-01",
        "items": [{"code": "cpu", "name": "云主机 CPU", "resource": "requests.cpu", "unit": "1", "per": "Month", "price": "30.00"}],
    }))
    .unwrap();
    let record = EditionRecord::from_spec("henan-2026", &spec).unwrap();
    assert_eq!(record, edition("henan-2026", "2026-01-01", vec![item("cpu", "requests.cpu", "1")]));
    let undated = ServiceCatalogSpec { effective_from: "2026".to_owned(), ..spec };
    assert_eq!(EditionRecord::from_spec("henan-2026", &undated), Err("2026".to_owned()));
}
