//! The statement as an Excel workbook (ECMA-376): one sheet with the rows of the CSV, amounts as numbers, and the totals.

use govcloud_api::statement::Bill;
use rust_xlsxwriter::{Format, Workbook, XlsxError};

use super::csv::{COLUMNS, cells};

/// Column of the amount.
const AMOUNT: u16 = 14;

/// Bytes of the workbook.
pub(super) fn of(bill: &Bill) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let (bold, money) = (Format::new().set_bold(), Format::new().set_num_format("#,##0.00"));
    let sheet = book.add_worksheet().set_name(&bill.month)?;
    for (column, name) in (0_u16..).zip(COLUMNS) {
        sheet.write_with_format(0, column, name, &bold)?;
    }
    let mut next = 1_u32;
    for cells in cells(bill) {
        for (column, text) in (0_u16..).zip(&cells) {
            match text.parse::<f64>().ok().filter(|_| column == AMOUNT) {
                Some(amount) => sheet.write_with_format(next, column, amount, &money)?,
                None => sheet.write(next, column, text.as_str())?,
            };
        }
        next += 1;
    }
    for (name, amount) in
        [("inBudget", &bill.in_budget), ("outsideBudget", &bill.outside_budget), ("total", &bill.total)]
    {
        sheet.write_with_format(next, AMOUNT - 1, name, &bold)?;
        sheet.write_with_format(next, AMOUNT, amount.parse::<f64>().unwrap_or_default(), &money)?;
        sheet.write(next, AMOUNT + 1, bill.currency.as_str())?;
        next += 1;
    }
    sheet.write(next + 1, 0, format!("digest {}", bill.digest.as_deref().unwrap_or_default()))?;
    book.save_to_buffer()
}
