//! Texts that neither logs nor traces may hold: what documents say, opinions, telephone numbers, tokens.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use serde_json::{Value, json};

/// The authority's opinion on the application.
pub const OPINION: &str = "同意，唯机房三层须另行报批 7f3a91";

/// A telephone number that nobody has.
const PHONE: &str = "0371-55550199";

/// The sample application with a number of its own.
pub fn mark(mut manifest: Value) -> Value {
    manifest["spec"]["system"]["contact"] = json!({"name": "李某某", "phone": PHONE});
    manifest
}

/// Every word of the materials, the report, the opinion and the tokens.
fn marks(materials: &[&Value], kubeconfig: &Path) -> Result<Vec<String>> {
    let mut marks = vec![OPINION.to_owned(), "7f3a91".to_owned(), PHONE.to_owned(), "李某某".to_owned()];
    for document in materials {
        let fields = document.as_object().context("no document")?;
        let told = ["uri", "sha256", "title", "documentNumber", "summary"];
        let said = told.iter().filter_map(|f| fields.get(*f)?.as_str());
        marks.extend(said.map(str::to_owned));
    }
    let config: Value = serde_saphyr::from_str(&fs::read_to_string(kubeconfig)?)?;
    let token = config["users"][0]["user"]["token"].as_str().context("no token")?;
    // A token's signature alone would do as well.
    marks.extend([token.to_owned(), token.rsplit('.').next().unwrap_or_default().to_owned()]);
    marks.push("Bearer ".to_owned());
    Ok(marks)
}

/// None of it is in the logs, which are at their most talkative, nor in any span.
pub fn none(materials: &[&Value], kubeconfig: &Path, logs: &[&Path], spans: &[Bytes]) -> Result<()> {
    let marks = marks(materials, kubeconfig)?;
    ensure!(marks.len() >= 15 && marks.iter().all(|m| m.len() > 5), "too few marks: {marks:?}");
    let mut lines = 0;
    for log in logs {
        let text = fs::read_to_string(log)?;
        let debug = text.lines().filter(|l| l.contains("DEBUG")).count();
        ensure!(debug > 100, "{} is not talkative: {debug} lines of DEBUG", log.display());
        lines += text.lines().count();
        for line in text.lines() {
            let found = marks.iter().find(|m| line.contains(m.as_str()));
            ensure!(found.is_none(), "{} holds {found:?}: {line}", log.display());
        }
    }
    for body in spans {
        let text = String::from_utf8_lossy(body);
        let found = marks.iter().find(|m| text.contains(m.as_str()));
        ensure!(found.is_none(), "a span holds {found:?}");
    }
    println!(
        "secrets: none of {} marks in {lines} lines of logs and {} exports of spans",
        marks.len(),
        spans.len()
    );
    Ok(())
}
