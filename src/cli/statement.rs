//! `statement`: verifies and prints a month's statement, for people and for accounting software (Art. 6, 26).

use std::io::{self, Write};

use clap::{Args, ValueEnum};
use minijinja::value::{Serde, Value};
use minijinja::{Environment, context};

use super::error::CliError;
use super::messages::{self, terms};
use super::output::{self, Format, Lang, escape_controls, local, table};
use super::record::{Body, Target};
use super::session::Session;
use govcloud_api::region::Region;
use govcloud_api::statement::{Bill, StatementStatus};
use govcloud_domain::statement::bill::digest_of;

mod csv;
mod focus;
mod workbook;

use focus::FocusVersion;

/// Template of the HTML page: no scripts, no external fonts or images.
const PAGE: &str = include_str!("statement/page.html");

/// 结算单：核对校验值并输出 / verify and print a month's statement
#[derive(Args, Debug)]
pub struct StatementCommand {
    /// 月份，如 2026-10 / the month, such as 2026-10
    #[arg(value_name = "NAME")]
    target: String,
    /// 输出格式；html 为可打印的中文页面，focus 为 FinOps FOCUS 成本明细 / output format; html is a page to print, in Chinese; focus is FinOps FOCUS cost data
    #[arg(short, long, value_enum, default_value = "text")]
    output: StatementFormat,
    /// FOCUS 规范的版本 / version of the FOCUS specification
    #[arg(long, value_enum, default_value = "1.2")]
    focus_version: FocusVersion,
}

/// Output format of a statement.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatementFormat {
    /// 文本 / text
    Text,
    /// JSON
    Json,
    /// CSV
    Csv,
    /// Excel
    Xlsx,
    /// 网页 / a page
    Html,
    /// FOCUS CSV
    Focus,
}

impl StatementCommand {
    /// Verifies and prints the statement.
    ///
    /// # Errors
    /// No bill, or one that does not match its digest; then nothing of it is printed.
    pub async fn run(self, session: &Session, out: &mut impl Write) -> Result<(), CliError> {
        let lang = session.lang;
        let record = session.get(&Target::parse_statement(&self.target, lang)?).await?;
        let Body::Statement(statement) = &record.body else {
            return Err(CliError::Usage(messages::not_a_statement(lang, &record.target)));
        };
        let status = statement.status.clone().unwrap_or_default();
        let Some(bill) = status.bill.clone() else {
            let next = messages::next_show(lang, &record.target, record.namespace());
            let phase = terms::phase(lang, record.phase());
            return Err(CliError::failed(messages::no_bill(lang, &record.target.name, phase)).advise([next]));
        };
        verify(&record.target.name, &bill, lang)?;
        let view = StatementView { bill: &bill, status: &status, phase: record.phase() };
        let settled_only = !matches!(self.output, StatementFormat::Text | StatementFormat::Json);
        if settled_only && bill.digest.is_none() {
            return Err(CliError::failed(messages::no_digest(lang, &record.target.name)));
        }
        match self.output {
            StatementFormat::Text => out.write_all(view.text(lang).as_bytes())?,
            StatementFormat::Json => output::write(&bill, Format::Json, out)?,
            StatementFormat::Csv => out.write_all(csv::of(&bill).as_bytes())?,
            StatementFormat::Xlsx => {
                let book = workbook::of(&bill).map_err(io::Error::other)?;
                out.write_all(&book)?;
            }
            StatementFormat::Html => out.write_all(view.page()?.as_bytes())?,
            StatementFormat::Focus => {
                let region: Region = session.read(&bill.region).await?;
                let rows = focus::of(&bill, view.phase, &region.spec, self.focus_version);
                out.write_all(rows.as_bytes())?;
            }
        }
        Ok(())
    }
}

/// Checks that a complete bill matches its digest.
fn verify(name: &str, bill: &Bill, lang: Lang) -> Result<(), CliError> {
    let Some(written) = &bill.digest else { return Ok(()) };
    let computed = digest_of(bill);
    if computed == *written {
        return Ok(());
    }
    Err(CliError::failed(messages::bill_false(lang, name, written, computed)))
}

/// A statement with what was done with it.
struct StatementView<'a> {
    bill: &'a Bill,
    status: &'a StatementStatus,
    phase: &'a str,
}

impl StatementView<'_> {
    fn text(&self, lang: Lang) -> String {
        let Bill { month, department, region, currency, .. } = self.bill;
        let label = |l: &'static str| terms::heading(lang, l);
        let editions: Vec<&str> = self.bill.editions.iter().map(|e| e.name.as_str()).collect();
        let money = |amount: &str| format!("{amount} {currency}");
        let mut facts = vec![
            vec![label("month"), month.clone()],
            vec![label("department"), department.clone()],
            vec![label("region"), region.clone()],
            vec![label("phase"), terms::phase(lang, self.phase)],
            vec![label("editions"), editions.join(", ")],
            vec![label("in budget"), money(&self.bill.in_budget)],
            vec![label("outside budget"), money(&self.bill.outside_budget)],
            vec![label("total"), money(&self.bill.total)],
        ];
        if let Some(c) = &self.status.confirmation {
            facts.push(vec![label("confirmed"), format!("{}  {}", local(c.at.timestamp()), c.by)]);
        }
        if let Some(o) = &self.status.objection {
            facts.push(vec![label("objection"), format!("{}  {}", o.by, o.reason)]);
        }
        if let Some(b) = &self.status.budget {
            facts.push(vec![label("budget"), format!("{}: {} / {}", b.year, b.used, b.ceiling)]);
        }
        let mut text = format!("{}\n\n{}", label("statement of the government cloud"), table(None, facts, 0));
        text += &self.lines(lang);
        text += &self.corrections(lang);
        text += &self.notes(lang);
        let closing = match &self.bill.digest {
            Some(digest) => messages::certificate_true(lang, digest),
            None => messages::bill_incomplete(lang),
        };
        escape_controls(&(text + &format!("\n{closing}\n")))
    }

    fn lines(&self, lang: Lang) -> String {
        if self.bill.lines.is_empty() {
            return String::new();
        }
        let header = ["application", "item", "edition", "unit-days", "of days", "price", "amount"];
        let rows = self.bill.lines.iter().map(|line| {
            vec![
                line.application.clone(),
                line.item.clone(),
                line.edition.clone(),
                line.unit_days.clone(),
                line.of_days.clone(),
                line.price.clone(),
                line.amount.clone(),
            ]
        });
        format!("\n{}", table(Some(terms::columns(lang, &header)), rows, 0))
    }

    fn corrections(&self, lang: Lang) -> String {
        if self.bill.corrections.is_empty() {
            return String::new();
        }
        let header = ["month", "application", "item", "settled", "recomputed", "amount"];
        let rows = self.bill.corrections.iter().map(|c| {
            vec![
                c.month.clone(),
                c.application.clone(),
                c.item.clone(),
                c.settled.clone(),
                c.recomputed.clone(),
                c.amount.clone(),
            ]
        });
        let table = table(Some(terms::columns(lang, &header)), rows, 2);
        format!("\n{}\n{table}", terms::heading(lang, "corrections"))
    }

    /// Missing facts, and facts that people should see.
    fn notes(&self, lang: Lang) -> String {
        let gaps = self
            .bill
            .gaps
            .iter()
            .map(|gap| vec![gap.reason.clone(), gap.application.clone(), gap.names.join(" ")]);
        let remarks = self
            .bill
            .remarks
            .iter()
            .map(|remark| vec![remark.reason.clone(), remark.application.clone(), remark.item.clone()]);
        let rows: Vec<_> = gaps.chain(remarks).collect();
        match rows.is_empty() {
            true => String::new(),
            false => format!("\n{}\n{}", terms::heading(lang, "remarks"), table(None, rows, 2)),
        }
    }

    fn page(&self) -> Result<String, CliError> {
        let mut pages = Environment::new();
        let broken = |e: minijinja::Error| CliError::failed(super::error::chain(&e));
        pages.add_template("page.html", PAGE).map_err(broken)?;
        let page = pages.get_template("page.html").map_err(broken)?;
        let confirmed = self.status.confirmation.as_ref();
        let decided = self.status.record.decision.as_ref().filter(|d| d.void.is_none());
        page.render(context! {
            b => Value::from(Serde(self.bill)), phase => terms::phase(Lang::Zh, self.phase),
            confirmed_by => confirmed.map(|c| c.by.clone()), confirmed_at => confirmed.map(|c| local(c.at.timestamp())),
            decided_by => decided.map(|d| d.by.clone()), decided_at => decided.map(|d| local(d.at.timestamp())),
            objection => self.status.objection.as_ref().map(|o| o.reason.clone()),
        })
        .map_err(broken)
    }
}

#[cfg(test)]
mod tests;
