//! `certificate`: verifies and prints the exit certificate (Art. 16, 23, 28).

use std::io::Write;

use clap::{Args, ValueEnum};
use minijinja::value::{Serde, Value};
use minijinja::{Environment, context};

use super::error::CliError;
use super::messages::{self, terms};
use super::output::{self, Format, Lang, escape_controls, local, table};
use super::record::Body;
use super::session::Session;
use govcloud_api::decommission::{Certificate, Outcome, VolumeOutcome};
use govcloud_api::disposition::Action;
use govcloud_api::record::Verdict;
use govcloud_api::time::Instant;
use govcloud_domain::decommission::certificate_digest;

/// Template of the HTML page: no scripts, no external fonts or images.
const PAGE: &str = include_str!("certificate/page.html");

/// 退出证明：核对校验值并输出 / verify and print the exit certificate
#[derive(Args, Debug)]
pub struct CertificateCommand {
    /// 退出申请的名称 / name of the Decommission
    #[arg(value_name = "NAME")]
    target: String,
    /// 输出格式；html 为可打印的中文页面 / output format; html is a page to print, in Chinese
    #[arg(short, long, value_enum, default_value = "text")]
    output: CertificateFormat,
}

/// Output format of a certificate.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateFormat {
    /// 文本 / text
    Text,
    /// 网页 / a page
    Html,
    /// JSON
    Json,
    /// YAML
    Yaml,
}

impl CertificateCommand {
    /// Verifies and prints the certificate.
    ///
    /// # Errors
    /// No certificate, or one that does not match its digest; then nothing of it is printed.
    pub async fn run(self, session: &Session, out: &mut impl Write) -> Result<(), CliError> {
        let lang = session.lang;
        let record = session.get_exit(&self.target).await?;
        let target = &record.target;
        let Body::Exit(exit) = &record.body else { return Err(target.not_an_exit(&[], lang)) };
        let Some(certificate) = exit.status.as_ref().and_then(|s| s.certificate.as_ref()) else {
            let next = messages::next_show(lang, target, record.namespace());
            return Err(CliError::failed(messages::no_certificate(
                lang,
                &target.name,
                terms::phase(lang, record.phase()),
            ))
            .advise([next]));
        };
        verify(&target.name, certificate, lang)?;
        let view = CertificateView { certificate, record: &target.name, department: record.namespace() };
        match self.output {
            CertificateFormat::Text => out.write_all(view.text(lang).as_bytes())?,
            CertificateFormat::Html => out.write_all(view.page()?.as_bytes())?,
            CertificateFormat::Json => output::write(certificate, Format::Json, out)?,
            CertificateFormat::Yaml => output::write(certificate, Format::Yaml, out)?,
        }
        Ok(())
    }
}

/// Checks that the certificate matches its digest.
fn verify(name: &str, certificate: &Certificate, lang: Lang) -> Result<(), CliError> {
    let computed = certificate_digest(certificate);
    if computed == certificate.digest && !computed.is_empty() {
        return Ok(());
    }
    Err(CliError::failed(messages::certificate_false(lang, name, &certificate.digest, computed)))
}

/// A certificate with the name and the namespace of its record.
struct CertificateView<'a> {
    certificate: &'a Certificate,
    record: &'a str,
    department: &'a str,
}

impl CertificateView<'_> {
    fn text(&self, lang: Lang) -> String {
        let c = self.certificate;
        let at = |instant: Instant| local(instant.timestamp());
        let label = |l: &'static str| terms::heading(lang, l);
        let verdict = terms::verdict(lang, Verdict::Approved);
        let facts = vec![
            vec![label("system"), c.system.clone()],
            vec![
                label("application"),
                format!("{}/{}  {}", self.department, c.application, c.application_uid),
            ],
            vec![label("region"), c.region.clone()],
            vec![label("record"), format!("decom/{}", self.record)],
            vec![label("consent"), format!("{}  {}  {}", at(c.consent.at), c.consent.by, c.consent.digest)],
            vec![label("decision"), format!("{verdict}  {}  {}", at(c.decided_at), c.decided_by)],
            vec![label("begun"), at(c.begun_at)],
            vec![label("ended"), at(c.ended_at)],
        ];
        let mut text = format!(
            "{}\n\n{}",
            label("certificate of exit from the government cloud"),
            table(None, facts, 0)
        );
        if !c.volumes.is_empty() {
            let header = terms::columns(lang, &["outcome", "namespace", "claim", "size", "volume"]);
            let rows = c.volumes.iter().map(|v| {
                vec![
                    terms::outcome(lang, v.outcome).to_owned(),
                    v.namespace.clone(),
                    v.claim.clone(),
                    v.capacity.clone(),
                    format!("{}  {}", v.volume, v.volume_uid),
                ]
            });
            text += &format!("\n{}", table(Some(header), rows, 0));
        }
        if !c.volumes.is_empty() {
            text += &format!("{}\n", Totals::of(&c.volumes).text(lang));
        }
        text += &self.receipts(lang);
        text += &self.snapshots_and_claims(lang);
        if !c.namespaces.is_empty() {
            let rows =
                c.namespaces.iter().map(|n| vec![n.namespace.clone(), n.uid.clone().unwrap_or_default()]);
            text += &format!("\n{}\n{}", label("namespaces"), table(None, rows, 2));
        }
        escape_controls(&(text + &format!("\n{}\n", messages::certificate_true(lang, &c.digest))))
    }

    /// The department's receipts, and who removed volumes by hand.
    fn receipts(&self, lang: Lang) -> String {
        let receipt = |v: &VolumeOutcome| {
            let r = v.receipt.as_ref()?;
            let claim = format!("{}/{}", v.namespace, v.claim);
            Some(vec![claim, r.received_by.clone(), r.uri.clone(), format!("sha256 {}", r.sha256)])
        };
        let removed =
            |v: &VolumeOutcome| Some(vec![format!("{}/{}", v.namespace, v.claim), v.removed_by.clone()?]);
        let volumes = &self.certificate.volumes;
        listed(lang, "receipts", volumes.iter().filter_map(receipt).collect())
            + &listed(lang, "removed by", volumes.iter().filter_map(removed).collect())
    }

    /// Snapshots with their outcomes, and claims that never had a volume.
    fn snapshots_and_claims(&self, lang: Lang) -> String {
        let c = self.certificate;
        let mut text = String::new();
        if !c.snapshots.is_empty() {
            let header = terms::columns(lang, &["outcome", "namespace", "snapshot", "content"]);
            let rows = c.snapshots.iter().map(|s| {
                let content = s.content.clone().unwrap_or_default();
                vec![terms::outcome(lang, s.outcome).to_owned(), s.namespace.clone(), s.name.clone(), content]
            });
            text += &format!("\n{}", table(Some(header), rows, 0));
        }
        let claims = c.claims_without_volume.iter().map(|claim| vec![claim.clone()]).collect();
        text + &listed(lang, "claims without a volume", claims)
    }

    fn page(&self) -> Result<String, CliError> {
        let c = self.certificate;
        let totals = Totals::of(&c.volumes);
        let volumes: Vec<_> = c.volumes.iter().map(|v| context! { volume => Value::from(Serde(v)), outcome => terms::outcome(Lang::Zh, v.outcome) }).collect();
        let snapshots: Vec<_> = c.snapshots.iter().map(|s| context! { snapshot => Value::from(Serde(s)), outcome => terms::outcome(Lang::Zh, s.outcome) }).collect();
        let mut pages = Environment::new();
        let broken = |e: minijinja::Error| CliError::failed(super::error::chain(&e));
        pages.add_template("page.html", PAGE).map_err(broken)?;
        let page = pages.get_template("page.html").map_err(broken)?;
        page.render(context! {
            c => Value::from(Serde(c)), record => self.record, department => self.department, volumes => volumes, snapshots => snapshots,
            receipts => c.volumes.iter().any(|v| v.receipt.is_some()), by_hand => c.volumes.iter().any(|v| v.removed_by.is_some()),
            consented_at => local(c.consent.at.timestamp()), decided_at => local(c.decided_at.timestamp()),
            begun_at => local(c.begun_at.timestamp()), ended_at => local(c.ended_at.timestamp()),
            destroyed => totals.destroyed, retained => totals.retained, handed_over => totals.handed_over,
            removed => totals.removed, lost => totals.lost,
        })
        .map_err(broken)
    }
}

/// A table under its heading; nothing without rows.
fn listed(lang: Lang, label: &'static str, rows: Vec<Vec<String>>) -> String {
    match rows.is_empty() {
        true => String::new(),
        false => format!("\n{}\n{}", terms::heading(lang, label), table(None, rows, 2)),
    }
}

/// Numbers of volumes by what became of them. What was handed over is destroyed too.
struct Totals {
    /// All that are gone by consent: destroyed, destroyed after the hand-over, or removed by hand.
    destroyed: usize,
    /// Those of them that were handed over first.
    handed_over: usize,
    /// Those of them that a person removed by hand.
    removed: usize,
    retained: usize,
    lost: usize,
}

impl Totals {
    fn of(volumes: &[VolumeOutcome]) -> Self {
        let count = |outcome| volumes.iter().filter(|v| v.outcome == outcome).count();
        Self {
            destroyed: volumes.iter().filter(|v| v.action.destroys()).count(),
            handed_over: volumes.iter().filter(|v| v.action == Action::HandOver).count(),
            removed: count(Outcome::Removed),
            retained: count(Outcome::Retained),
            lost: count(Outcome::Lost),
        }
    }

    fn text(&self, lang: Lang) -> String {
        let Self { destroyed, handed_over, removed, retained, lost } = self;
        messages::totals(lang, destroyed, handed_over, removed, retained, lost)
    }
}

#[cfg(test)]
mod tests;
