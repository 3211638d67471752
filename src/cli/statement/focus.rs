//! FinOps FOCUS cost data (CC-BY 4.0, focus.finops.org), versions 1.2 and 1.4, as CSV.
//!
//! Instants are UTC with ends that are not included: October in China is 2026-09-30T16:00:00Z to 2026-10-31T16:00:00Z.
//! `ListCost` and `ContractedCost` are not rounded, for the specification multiplies them; `BilledCost` and `EffectiveCost` are the
//! amounts of the statement. Chinese names are in `x_` columns, for the validator asks for ASCII.

use clap::ValueEnum;

use super::csv::row;
use govcloud_api::catalog::Period;
use govcloud_api::region::RegionSpec;
use govcloud_api::statement::{Bill, BillCorrection, BillLine};
use govcloud_domain::settlement::money::{decimal, priced};
use govcloud_domain::settlement::period::Month;
use jiff::Timestamp;

/// Version of the specification.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum FocusVersion {
    /// 1.2: with `ProviderName` and `PublisherName`.
    #[value(name = "1.2")]
    V1_2,
    /// 1.4: with `HostProviderName` and `ServiceProviderName` instead.
    #[value(name = "1.4")]
    V1_4,
}

/// Decimal places of what the specification multiplies.
const PLACES: u32 = 15;

/// A column with its value.
type Cell = (&'static str, String);

/// The bill as FOCUS cost data.
pub(super) fn of(bill: &Bill, phase: &str, region: &RegionSpec, version: FocusVersion) -> String {
    let sheet = Sheet { bill, phase, region, version };
    let lines = bill.lines.iter().map(|line| sheet.line(line));
    let rows: Vec<Vec<Cell>> = lines.chain(bill.corrections.iter().map(|c| sheet.correction(c))).collect();
    // Without a line there is a header all the same.
    let header = rows.first().cloned().unwrap_or_else(|| sheet.row(&Charge::default()));
    let header = row(header.iter().map(|(column, _)| *column));
    let rows = rows.iter().map(|cells| row(cells.iter().map(|(_, value)| value.as_str())));
    std::iter::once(header).chain(rows).collect()
}

struct Sheet<'a> {
    bill: &'a Bill,
    phase: &'a str,
    region: &'a RegionSpec,
    version: FocusVersion,
}

/// Values of one charge.
#[derive(Default)]
struct Charge<'a> {
    application: &'a str,
    uid: &'a str,
    item: &'a str,
    edition: &'a str,
    outside_budget: bool,
    month: &'a str,
    amount: &'a str,
    /// Not rounded; as the amount where there is no price.
    cost: String,
    quantity: String,
    unit: &'static str,
    price: String,
    category: &'static str,
    class: &'static str,
}

impl Sheet<'_> {
    fn line(&self, line: &BillLine) -> Vec<Cell> {
        let exact = priced(&line.unit_days, &line.of_days, &line.price);
        let (quantity, cost) = exact
            .map(|(quantity, cost)| (decimal(&quantity, PLACES), decimal(&cost, PLACES)))
            .unwrap_or_default();
        self.row(&Charge {
            application: &line.application,
            uid: &line.application_uid,
            item: &line.item,
            edition: &line.edition,
            outside_budget: line.outside_budget,
            month: &self.bill.month,
            amount: &line.amount,
            cost,
            quantity,
            unit: unit(line.per),
            price: line.price.clone(),
            category: "Usage",
            class: "",
        })
    }

    /// A correction of an earlier month: its period is of then, the billing period is of now.
    fn correction(&self, correction: &BillCorrection) -> Vec<Cell> {
        self.row(&Charge {
            application: &correction.application,
            uid: &correction.application_uid,
            item: &correction.item,
            edition: &correction.edition,
            outside_budget: correction.outside_budget,
            month: &correction.month,
            amount: &correction.amount,
            cost: correction.amount.clone(),
            category: "Adjustment",
            class: "Correction",
            ..Charge::default()
        })
    }

    fn row(&self, charge: &Charge<'_>) -> Vec<Cell> {
        let Bill { department, region, month, currency, .. } = self.bill;
        let (period_start, period_end) = bounds(month);
        let (charge_start, charge_end) = bounds(charge.month);
        let provider = format!("{} Government Cloud", self.region.display_name.en);
        let text = str::to_owned;
        let mut cells = vec![
            ("BilledCost", text(charge.amount)),
            ("BillingAccountId", format!("CN-{region}-{department}")),
            ("BillingAccountName", text(department)),
            ("BillingAccountType", text("Department")),
            ("BillingCurrency", text(currency)),
            ("BillingPeriodEnd", period_end),
            ("BillingPeriodStart", period_start),
            ("ChargeCategory", text(charge.category)),
            ("ChargeClass", text(charge.class)),
            ("ChargeDescription", format!("{} of {}", charge.item, charge.application)),
            ("ChargeFrequency", text("Recurring")),
            ("ChargePeriodEnd", charge_end),
            ("ChargePeriodStart", charge_start),
            ("ContractedCost", charge.cost.clone()),
            ("ContractedUnitPrice", charge.price.clone()),
            ("EffectiveCost", text(charge.amount)),
            ("InvoiceId", format!("{region}-{department}-{month}")),
            ("InvoiceIssuerName", provider.clone()),
            ("ListCost", charge.cost.clone()),
            ("ListUnitPrice", charge.price.clone()),
            ("PricingQuantity", charge.quantity.clone()),
            ("PricingUnit", text(charge.unit)),
            ("RegionId", format!("CN-{region}")),
            ("RegionName", self.region.display_name.en.clone()),
            ("ResourceId", text(charge.uid)),
            ("ResourceName", text(charge.application)),
            ("ServiceCategory", text("Other")),
            ("ServiceName", text(charge.item)),
        ];
        match self.version {
            FocusVersion::V1_2 => {
                cells.push(("ProviderName", provider.clone()));
                cells.push(("PublisherName", provider));
            }
            FocusVersion::V1_4 => {
                cells.push(("HostProviderName", provider.clone()));
                cells.push(("ServiceProviderName", provider));
            }
        }
        cells.push(("x_Edition", text(charge.edition)));
        cells.push(("x_OutsideBudget", charge.outside_budget.to_string()));
        cells.push(("x_ProviderNameZh", self.region.provider.clone()));
        cells.push(("x_StatementDigest", self.bill.digest.clone().unwrap_or_default()));
        cells.push(("x_StatementPhase", text(self.phase)));
        cells
    }
}

/// Start and end of a month in China.
fn bounds(month: &str) -> (String, String) {
    let at = |second: i64| Timestamp::from_second(second).map(|t| t.to_string()).unwrap_or_default();
    month.parse::<Month>().map(|m| (at(m.days().start()), at(m.days().end()))).unwrap_or_default()
}

/// Unit of the quantity, in the specification's form.
fn unit(per: Period) -> &'static str {
    match per {
        Period::Hour => "Unit-Hours",
        Period::Day => "Unit-Days",
        Period::Month => "Unit-Months",
        Period::Year => "Unit-Years",
    }
}
