//! The files of `config/monitoring` as they lie there: rules, their tests, their pages, the dashboard.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context as _, Result, ensure};
use e2e::paths::in_repository;
use e2e::prometheus::promtool;
use e2e::suite::Context;
use serde_json::Value;

/// Every rule on the operator's metrics.
pub fn rules() -> Result<Vec<Value>> {
    rules_of(RULES)
}

const RULES: &str = "config/monitoring/rules.yaml";

/// Rules on the API servers' metrics, for clusters whose API servers have the keeper policy.
const STATIC_RULES: &str = "config/monitoring/static-rules.yaml";

/// Recording rules, which nobody is called by; their tests have the name of what they record.
const UTILIZATION: (&str, &str) = ("config/monitoring/utilization-rules.yaml", "utilization");

fn rules_of(file: &str) -> Result<Vec<Value>> {
    let text = fs::read_to_string(in_repository(file))?;
    let read: Value = serde_saphyr::from_str(&text)?;
    let groups = read["groups"].as_array().context("no groups")?;
    Ok(groups.iter().filter_map(|g| g["rules"].as_array()).flatten().cloned().collect())
}

/// The dashboard.
pub fn dashboard() -> Result<Value> {
    Ok(serde_json::from_str(&fs::read_to_string(in_repository("config/monitoring/dashboard.json"))?)?)
}

/// Names of the files of a directory, without what is behind the dot.
fn stems(directory: &str) -> Result<BTreeSet<String>> {
    let files = fs::read_dir(in_repository(directory))?;
    let stem = |f: fs::DirEntry| f.path().file_stem().map(|s| s.to_string_lossy().into_owned());
    Ok(files.filter_map(|f| stem(f.ok()?)).filter(|s| s != "README").collect())
}

pub async fn every_alert_has_its_page_and_its_tests(_: Context) -> Result<()> {
    let rules = [rules_of(RULES)?, rules_of(STATIC_RULES)?].concat();
    let alerts: BTreeSet<String> =
        rules.iter().filter_map(|r| r["alert"].as_str()).map(str::to_owned).collect();
    let (pages, mut tests) = (stems("docs/runbooks")?, stems("config/monitoring/tests")?);
    ensure!(tests.remove(UTILIZATION.1), "{} has no tests", UTILIZATION.0);
    ensure!(alerts == pages, "alerts {alerts:?}\npages  {pages:?}");
    ensure!(alerts == tests, "alerts {alerts:?}\ntests  {tests:?}");
    for rule in &rules {
        let name = rule["alert"].as_str().context("a rule without an alert")?;
        let notes = &rule["annotations"];
        ensure!(notes["runbook_url"] == format!("docs/runbooks/{name}.md"), "{name}: {notes}");
        for field in ["summary", "description"] {
            let text = notes[field].as_str().unwrap_or_default();
            let (zh, en) = text.split_once(" / ").with_context(|| format!("{name}: {field}: {text:?}"))?;
            let chinese = |t: &str| t.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
            ensure!(chinese(zh) && !chinese(en), "{name}: {field} is not in both languages: {text:?}");
        }
        let page = fs::read_to_string(in_repository(format!("docs/runbooks/{name}.md")))?;
        for heading in ["## Meaning", "## How to look", "## What to do", "## Whom to tell"] {
            ensure!(page.contains(heading), "docs/runbooks/{name}.md has no {heading}");
        }
    }
    for file in [RULES, STATIC_RULES] {
        promtool(&["check", "rules", "--lint=all", "--lint-fatal", file]).await?;
    }
    the_recording_rules_pass_their_tests().await?;
    let mut fires = 0;
    for name in &tests {
        let file = format!("config/monitoring/tests/{name}.yaml");
        promtool(&["test", "rules", &file]).await?;
        let test: Value = serde_saphyr::from_str(&fs::read_to_string(in_repository(&file))?)?;
        let cases = test["tests"].as_array().context("no tests")?;
        let firing = |c: &&Value| {
            let checks = c["alert_rule_test"].as_array().into_iter().flatten();
            checks.into_iter().any(|t| t["exp_alerts"].as_array().is_some_and(|a| !a.is_empty()))
        };
        let fire = cases.iter().filter(firing).count();
        ensure!(fire > 0 && fire < cases.len(), "{name}: {fire} of {} tests fire", cases.len());
        fires += cases.len();
    }
    println!("alerts: {} with a page each, {fires} tests by promtool", alerts.len());
    Ok(())
}

/// The rules that record use: nothing but records, one sample a minute, tested by promtool.
async fn the_recording_rules_pass_their_tests() -> Result<()> {
    let (file, test) = UTILIZATION;
    promtool(&["check", "rules", "--lint=all", "--lint-fatal", file]).await?;
    let read: Value = serde_saphyr::from_str(&fs::read_to_string(in_repository(file))?)?;
    let interval = &read["groups"][0]["interval"];
    ensure!(*interval == "1m", "the operator expects 1,440 samples a day, and the interval is {interval}");
    for rule in rules_of(file)? {
        let (record, labels) = (&rule["record"], &rule["labels"]);
        ensure!(*record == "govcloud:namespace_use", "{record}");
        ensure!(labels["resource"].is_string() && labels["of"].is_string(), "{rule}");
    }
    promtool(&["test", "rules", &format!("config/monitoring/tests/{test}.yaml")]).await?;
    Ok(())
}

pub async fn the_dashboard_fits_grafanas_schema(_: Context) -> Result<()> {
    let file = in_repository("e2e/monitoring/grafana/dashboard.schema.json");
    let schema: Value = serde_json::from_str(&fs::read_to_string(file)?)?;
    let validator = jsonschema::validator_for(&schema)?;
    let dashboard = dashboard()?;
    let wrong: Vec<String> =
        validator.iter_errors(&dashboard).map(|e| format!("{}: {e}", e.instance_path())).collect();
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    // The check can fail: a field that Grafana does not know, and a panel option of another type.
    let mut foreign = dashboard.clone();
    foreign["panels"][1]["colour"] = "red".into();
    let mut mistyped = dashboard.clone();
    mistyped["panels"][1]["options"]["colorMode"] = 3.into();
    ensure!(!validator.is_valid(&foreign) && !validator.is_valid(&mistyped), "the schema lets anything pass");

    let panels = dashboard["panels"].as_array().context("no panels")?;
    let ids: BTreeSet<i64> = panels.iter().filter_map(|p| p["id"].as_i64()).collect();
    ensure!(ids.len() == panels.len(), "panel ids repeat");
    for (i, a) in panels.iter().enumerate() {
        let overlap = panels[i + 1..].iter().find(|b| overlap(&a["gridPos"], &b["gridPos"]));
        ensure!(overlap.is_none(), "{} lies over {}", a["title"], overlap.unwrap_or(a)["title"]);
    }
    println!("dashboard: {} panels fit @grafana/schema", panels.len());
    Ok(())
}

/// Returns true if two places on the grid share a cell.
fn overlap(a: &Value, b: &Value) -> bool {
    let at = |v: &Value, k: &str| v[k].as_i64().unwrap_or_default();
    let apart = |p: &str, s: &str| at(a, p) + at(a, s) <= at(b, p) || at(b, p) + at(b, s) <= at(a, p);
    !apart("x", "w") && !apart("y", "h")
}
