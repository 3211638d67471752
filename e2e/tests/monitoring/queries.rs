//! Every query of the dashboard and of the rules, run by a real Prometheus on what the operator shows.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::paths::in_repository;
use e2e::prometheus::Prometheus;
use e2e::wait::eventually;
use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::Value;

use super::files::{dashboard, rules};

/// Time until enough was scraped: a rate needs two samples.
const PATIENCE: Duration = Duration::from_secs(60);

/// Queries that are under way at once.
const AT_ONCE: usize = 6;

/// Panels that show something only when something went wrong.
const MAY_BE_EMPTY: [&str; 1] = ["未成功的请求 / Requests that failed"];

/// A query as Grafana sends it with everything chosen.
fn filled(expr: &str) -> String {
    expr.replace("$region", ".*").replace("$__rate_interval", "1m")
}

/// The dashboard's queries with their panels' titles.
fn of_the_dashboard() -> Result<Vec<(String, String)>> {
    let dashboard = dashboard()?;
    let panels = dashboard["panels"].as_array().context("no panels")?;
    let mut queries = Vec::new();
    for panel in panels {
        let title = panel["title"].as_str().context("a panel without a title")?;
        let targets: &[Value] = panel["targets"].as_array().map_or(&[], Vec::as_slice);
        ensure!(panel["type"] == "row" || !targets.is_empty(), "{title} asks nothing");
        for target in targets {
            let expr = target["expr"].as_str().with_context(|| format!("{title}: no expr"))?;
            queries.push((title.to_owned(), filled(expr)));
        }
    }
    Ok(queries)
}

/// Names of metrics in a query.
fn names(expr: &str) -> BTreeSet<String> {
    let words = expr.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|w| w.starts_with("govcloud_") || w.starts_with("process_")).map(str::to_owned).collect()
}

/// Everything that docs/metrics.md lists, as a query for its first series.
fn documented() -> Result<Vec<String>> {
    let page = std::fs::read_to_string(in_repository("docs/metrics.md"))?;
    let row = |line: &str| {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        let name = cells.next()?.trim_end_matches('`').to_owned();
        Some(if cells.next()? == "histogram" { format!("{name}_bucket") } else { name })
    };
    Ok(page
        .lines()
        .filter_map(row)
        .filter(|n| n.starts_with("govcloud_") || n.starts_with("process_"))
        .collect())
}

/// Each metric exists, each query finds something, each rule asks for what exists.
pub async fn run(prometheus: &Prometheus) -> Result<()> {
    let metrics = documented()?;
    ensure!(metrics.len() > 40, "docs/metrics.md lists only {metrics:?}");
    eventually("every metric exists", PATIENCE, || async {
        let series =
            prometheus.query(r#"count by (__name__) ({__name__=~"govcloud_.+|process_.+"})"#).await?;
        let there: BTreeSet<&str> = series.iter().filter_map(|s| s["metric"]["__name__"].as_str()).collect();
        let missing: Vec<_> = metrics.iter().filter(|m| !there.contains(m.as_str())).collect();
        ensure!(missing.is_empty(), "{missing:?} are documented and not there");
        let of_histogram =
            |n: &str| metrics.iter().any(|m| m.strip_suffix("bucket").is_some_and(|h| n.starts_with(h)));
        let unlisted: Vec<_> =
            there.iter().filter(|n| !metrics.iter().any(|m| m == *n) && !of_histogram(n)).collect();
        ensure!(unlisted.is_empty(), "{unlisted:?} are there and not documented");
        Ok(Some(()))
    })
    .await?;
    let known: BTreeSet<&str> = metrics.iter().map(String::as_str).collect();
    let exists = &|name: &str| {
        let bucket = name.replace("_sum", "_bucket").replace("_count", "_bucket");
        known.contains(name) || known.contains(bucket.as_str())
    };
    let queries = of_the_dashboard()?;
    let run = |(title, expr): (String, String)| async move {
        let unknown = names(&expr).into_iter().find(|n| !exists(n));
        ensure!(unknown.is_none(), "{title} asks for {unknown:?}, which no page lists");
        if MAY_BE_EMPTY.contains(&title.as_str()) {
            prometheus.query(&expr).await.map(drop)
        } else {
            prometheus.finds(&expr, PATIENCE).await.map(drop).context(title)
        }
    };
    stream::iter(queries.clone()).map(run).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    let rules = rules()?;
    for rule in &rules {
        let expr = rule["expr"].as_str().context("no expr")?;
        prometheus.query(expr).await?;
        let asked = names(expr);
        ensure!(!asked.is_empty(), "{expr} asks for nothing of ours");
        let unknown = asked.into_iter().find(|n| !exists(n));
        ensure!(unknown.is_none(), "{} asks for {unknown:?}, which does not exist", rule["alert"]);
    }
    println!(
        "queries: {} metrics exist, {} queries of the dashboard and {} of rules ran",
        metrics.len(),
        queries.len(),
        rules.len()
    );
    Ok(())
}
