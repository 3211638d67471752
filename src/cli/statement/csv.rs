//! Comma-separated values (RFC 4180), one row a line or correction.

use super::super::record::api_name;
use govcloud_api::statement::Bill;

/// A field, quoted where it must be. One that a spreadsheet would take for a formula is text, and stays it; a negative number
/// is none.
pub(super) fn field(text: &str) -> String {
    let number = text.parse::<f64>().is_ok();
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && !number;
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

/// A row with its end of line.
pub(super) fn row<'a>(fields: impl IntoIterator<Item = &'a str>) -> String {
    let fields: Vec<String> = fields.into_iter().map(field).collect();
    fields.join(",") + "\r\n"
}

/// Columns of a statement's rows.
pub(super) const COLUMNS: [&str; 16] = [
    "month",
    "department",
    "region",
    "chargedMonth",
    "application",
    "applicationUID",
    "outsideBudget",
    "item",
    "class",
    "edition",
    "unitDays",
    "ofDays",
    "per",
    "price",
    "amount",
    "currency",
];

/// Cells of every line and correction. A correction is charged for an earlier month.
pub(super) fn cells(bill: &Bill) -> Vec<[String; 16]> {
    let own = |charged: &str| [&*bill.month, &*bill.department, &*bill.region, charged].map(str::to_owned);
    let lines = bill.lines.iter().map(|l| {
        let [month, department, region, charged] = own(&bill.month);
        [
            month,
            department,
            region,
            charged,
            l.application.clone(),
            l.application_uid.clone(),
            l.outside_budget.to_string(),
            l.item.clone(),
            api_name(&l.class),
            l.edition.clone(),
            l.unit_days.clone(),
            l.of_days.clone(),
            api_name(&l.per),
            l.price.clone(),
            l.amount.clone(),
            bill.currency.clone(),
        ]
    });
    let none = String::new;
    let corrections = bill.corrections.iter().map(|c| {
        let [month, department, region, charged] = own(&c.month);
        [
            month,
            department,
            region,
            charged,
            c.application.clone(),
            c.application_uid.clone(),
            c.outside_budget.to_string(),
            c.item.clone(),
            none(),
            c.edition.clone(),
            none(),
            none(),
            none(),
            none(),
            c.amount.clone(),
            bill.currency.clone(),
        ]
    });
    lines.chain(corrections).collect()
}

/// The bill as CSV.
pub(super) fn of(bill: &Bill) -> String {
    let header = row(COLUMNS);
    let rows = cells(bill).into_iter().map(|cells| row(cells.iter().map(String::as_str)));
    std::iter::once(header).chain(rows).collect()
}
