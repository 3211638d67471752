//! `respond`: the inspected party's answer to a finding of an inspection (Art. 25).

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::department::{confirm_and_submit, is_sha256, present, sha256_of};
use super::error::CliError;
use super::messages;
use super::output::Lang;
use super::prompt::Confirmation;
use super::record::{Body, Kind, Target};
use super::session::Session;

/// Arguments of `respond`.
#[derive(Args, Debug)]
pub struct RespondCommand {
    /// 安全检查的名称 / name of the Inspection
    #[arg(value_name = "NAME")]
    target: String,
    /// 问题的 id / id of the finding
    #[arg(long, value_name = "ID")]
    finding: String,
    /// 整改情况 / what was done
    #[arg(long, value_name = "TEXT")]
    text: String,
    /// 佐证材料的地址 / address of the proof
    #[arg(long, value_name = "URI")]
    uri: Option<String>,
    /// 佐证材料文件，用于计算 SHA-256；也可用 --sha256 / the proof, to compute its SHA-256; or use --sha256
    #[arg(long, value_name = "FILE", requires = "uri")]
    file: Option<PathBuf>,
    /// 佐证材料的 SHA-256 / SHA-256 of the proof
    #[arg(long, value_name = "HEX", requires = "uri", conflicts_with = "file")]
    sha256: Option<String>,
    #[command(flatten)]
    confirmation: Confirmation,
}

impl RespondCommand {
    /// SHA-256 of the proof; `None` without one.
    fn proof(&self, lang: Lang) -> Result<Option<String>, CliError> {
        match (&self.uri, &self.sha256, &self.file) {
            (None, ..) => Ok(None),
            (_, Some(hex), _) if is_sha256(hex) => Ok(Some(hex.clone())),
            (_, None, Some(file)) => sha256_of(file)
                .map(Some)
                .map_err(|e| CliError::Usage(messages::unreadable(lang, file.display(), e))),
            (_, given, _) => {
                Err(CliError::Usage(messages::bad_sha256(lang, given.clone().unwrap_or_default())))
            }
        }
    }

    /// Adds one answer to those that the inspection has.
    ///
    /// # Errors
    /// A finding that does not exist, no confirmation, or a refusal by the API server.
    pub async fn run(self, session: &Session, out: &mut impl Write) -> Result<(), CliError> {
        let lang = session.lang;
        let proof = self.proof(lang)?;
        let target = match self.target.contains('/') {
            true => Target::parse(&self.target, lang)?,
            false => Target { kind: Kind::Inspection, name: self.target.clone() },
        };
        let record = session.get(&target).await?;
        let Body::Inspection(inspection) = &record.body else {
            return Err(CliError::Usage(messages::not_an_inspection(lang, &self.target)));
        };
        let findings = &inspection.spec.findings;
        if !findings.iter().any(|f| f.id == self.finding) {
            let listed: Vec<&str> = findings.iter().map(|f| f.id.as_str()).collect();
            let refused = messages::no_such_finding(lang, &self.finding, listed.join(", "));
            return Err(CliError::failed(refused));
        }
        let earlier = inspection.spec.responses.iter().filter(|r| r.finding == self.finding);
        let number = earlier.map(|r| r.number).max().unwrap_or(0) + 1;
        present(session, &record, out).await?;
        writeln!(out, "{}", messages::responding(lang, &target.name, &self.finding, number))?;
        out.flush()?;
        let mut response = json!({ "finding": self.finding, "number": number, "text": self.text });
        if let (Some(uri), Some(sha256)) = (&self.uri, proof) {
            response["document"] = json!({ "uri": uri, "sha256": sha256 });
        }
        let mut responses = record.raw["spec"]["responses"].as_array().cloned().unwrap_or_default();
        responses.push(response);
        let body = json!({ "spec": { "responses": responses } });
        if confirm_and_submit(session, &record, &body, &self.confirmation, None, out).await? {
            writeln!(out, "{}", messages::responded(lang, &target.name, &self.finding))?;
        }
        Ok(())
    }
}
