use serde_json::json;

use super::*;
use govcloud_api::region::RegionSpec;

/// A bill with a line, a correction, and a name that a spreadsheet would take for a formula.
fn bill() -> Bill {
    serde_json::from_value(json!({
        "region": "410000", "department": "dept-transport", "month": "2026-10", "proration": "Daily",
        "chargeUntil": "EndOfUse", "currency": "CNY",
        "editions": [{ "name": "henan-2026", "digest": "sha256:e" }],
        "lines": [{ "application": "travel", "applicationUID": "a1", "outsideBudget": false, "item": "cpu",
            "class": "Infrastructure", "edition": "henan-2026", "unitDays": "144", "ofDays": "31", "per": "Month",
            "price": "30.00", "amount": "139.35" }],
        "corrections": [{ "month": "2026-09", "application": "=travel", "applicationUID": "a1", "outsideBudget": true,
            "item": "cpu", "edition": "henan-2026", "settled": "10.00", "recomputed": "8.00", "amount": "-2.00" }],
        "inBudget": "139.35", "outsideBudget": "-2.00", "total": "137.35", "closing": "sha256:c",
        "gaps": [], "remarks": [], "digest": "sha256:d",
    }))
    .unwrap()
}

fn region() -> RegionSpec {
    let sample: serde_json::Value =
        serde_saphyr::from_str(include_str!("../../../config/samples/region-410000.yaml")).unwrap();
    serde_json::from_value(sample["spec"].clone()).unwrap()
}

#[test]
fn a_row_is_safe_in_a_spreadsheet() {
    let text = csv::of(&bill());
    let rows: Vec<&str> = text.split_terminator("\r\n").collect();
    assert_eq!(rows.len(), 3);
    assert!(rows[0].starts_with("month,department,region,chargedMonth,application,"), "{}", rows[0]);
    assert!(rows[1].ends_with(",144,31,Month,30.00,139.35,CNY"), "{}", rows[1]);
    assert!(rows[2].starts_with("2026-10,dept-transport,410000,2026-09,'=travel,"), "{}", rows[2]);
    assert!(rows[2].ends_with(",-2.00,CNY"), "a negative amount is a number: {}", rows[2]);
    assert_eq!(csv::field("a,\"b\""), "\"a,\"\"b\"\"\"");
}

#[test]
fn focus_has_the_columns_of_its_version() {
    let (bill, region) = (bill(), region());
    let columns = |version| {
        let text = focus::of(&bill, "Settled", &region, version);
        let header = text.lines().next().unwrap().to_owned();
        (header, text)
    };
    let (old, text) = columns(FocusVersion::V1_2);
    let (new, _) = columns(FocusVersion::V1_4);
    for mandatory in [
        "BilledCost",
        "BillingAccountId",
        "BillingAccountName",
        "BillingCurrency",
        "BillingPeriodEnd",
        "BillingPeriodStart",
        "ChargeCategory",
        "ChargeClass",
        "ChargeDescription",
        "ChargePeriodEnd",
        "ChargePeriodStart",
        "ContractedCost",
        "EffectiveCost",
        "InvoiceIssuerName",
        "ListCost",
        "PricingQuantity",
        "PricingUnit",
        "ServiceCategory",
        "ServiceName",
    ] {
        for header in [&old, &new] {
            assert!(header.split(',').any(|column| column == mandatory), "{mandatory}: {header}");
        }
    }
    assert!(old.contains("ProviderName,PublisherName") && !new.contains("PublisherName"));
    assert!(new.contains("HostProviderName,ServiceProviderName"));
    // October in China, the price times the quantity without rounding, and a correction of September.
    assert!(text.contains("2026-10-31T16:00:00Z,2026-09-30T16:00:00Z"), "{text}");
    assert!(text.contains("139.354838709677419") && text.contains("4.64516129032258,"), "{text}");
    assert!(text.contains("Correction") && text.contains("2026-08-31T16:00:00Z"), "{text}");
}

#[test]
fn a_workbook_is_an_archive() {
    let book = workbook::of(&bill()).unwrap();
    assert_eq!(&book[..2], b"PK");
    assert!(book.len() > 2000);
}

#[test]
fn an_altered_bill_is_not_printed() {
    let error = verify("2026-10", &bill(), Lang::En).unwrap_err().to_string();
    assert!(error.contains("does not match its digest"), "{error}");
}

#[test]
fn the_page_and_the_text_name_every_sum() {
    let (bill, status) = (bill(), StatementStatus::default());
    let view = StatementView { bill: &bill, status: &status, phase: "Settled" };
    for text in [view.text(Lang::Zh), view.text(Lang::En), view.page().unwrap()] {
        for shown in ["139.35", "-2.00", "137.35", "sha256:d", "travel"] {
            assert!(text.contains(shown), "{shown}: {text}");
        }
    }
}
