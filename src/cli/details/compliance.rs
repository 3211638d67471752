//! Details of compliance records and inspections (Art. 17, 22, 25).

use super::Details;
use crate::messages::{self, terms};
use crate::record::api_name;
use govcloud_api::compliance::ComplianceRecord;
use govcloud_api::deadline::Party;
use govcloud_api::inspection::Inspection;

impl Details {
    /// Adds a document of operation or security.
    pub(super) fn compliance(&mut self, record: &ComplianceRecord) {
        let spec = &record.spec;
        self.translated("type", api_name(&spec.type_), |lang| {
            let obligation = spec.type_.obligation();
            lang.pick(obligation.zh(), obligation.en()).to_owned()
        });
        match &spec.application {
            Some(name) => self.fact("application", name.clone()),
            None => self.translated("application", "-".to_owned(), messages::the_platform),
        }
        self.fact("issued by", format!("{} {}", spec.issued_by, spec.issued_on));
        if let Some(last) = spec.valid_until {
            self.fact("valid until", last.to_string());
        }
        if let Some(result) = spec.result {
            self.translated("result", api_name(&result), |lang| {
                terms::compliance_result(lang, result).to_owned()
            });
        }
        let (uri, sha256) = (&spec.document.uri.0, &spec.document.sha256.0);
        self.document("document", spec.document.title.clone(), uri, sha256);
        let Some(drill) = &spec.drill else { return };
        if let Some(plan) = &drill.plan {
            self.fact("emergency plan", plan.clone());
        }
        for participant in &drill.participants {
            self.fact("participants", participant.clone());
        }
        for shortfall in &drill.shortfalls {
            self.fact("shortfalls", shortfall.clone());
        }
    }

    /// Adds the findings of an inspection, each with its answers.
    pub(super) fn inspection(&mut self, inspection: &Inspection) {
        let spec = &inspection.spec;
        let inspected = Party::from(spec.inspected);
        self.translated("inspected", api_name(&spec.inspected), |lang| {
            terms::party(lang, inspected).to_owned()
        });
        self.fact("inspected on", spec.inspected_on.to_string());
        if let Some(name) = &spec.application {
            self.fact("application", name.clone());
        }
        if let Some(report) = &spec.report {
            self.document("inspection report", report.title.clone(), &report.uri.0, &report.sha256.0);
        }
        for finding in &spec.findings {
            let value = format!(
                "{} {} Art. {}: {}",
                finding.id,
                api_name(&finding.severity),
                finding.article,
                finding.text
            );
            self.translated("findings", value, |lang| {
                let severity = terms::severity(lang, finding.severity);
                let article = messages::article(lang, finding.article);
                messages::inspection_finding(lang, &finding.id, severity, article, &finding.text)
            });
            for response in spec.responses.iter().filter(|r| r.finding == finding.id) {
                self.fact("responses", format!("{} #{}: {}", finding.id, response.number, response.text));
                if let Some(proof) = &response.document {
                    let title = format!("{} #{}", finding.id, response.number);
                    self.document("response", title, &proof.uri.0, &proof.sha256.0);
                }
            }
        }
    }
}
