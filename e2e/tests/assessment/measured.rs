//! Use from a real Prometheus: days with gaps do not count, duplicates are one, and a reset is no use (Art. 29).

use anyhow::{Context as _, Result, ensure};
use e2e::fixtures::{Department, HENAN, Kind, condition};
use e2e::suite::Context;
use govcloud_api::utilization::{MeasuredResource, MeasuredResult, MonthUse};
use govcloud_controller::utilization::{Prometheus, read};
use govcloud_domain::settlement::period::Days;
use govcloud_domain::utilization::{LEAST_DAYS, MeasuredNamespace, utilization};
use serde_json::{Value, json};

use crate::history::{DENTS, HOLES};
use crate::life::{assessment, file};
use crate::{MEASURED, measured_tenant, world};

pub async fn use_is_read_from_a_real_prometheus_with_gaps_duplicates_and_resets(
    context: Context,
) -> Result<()> {
    let prometheus = world(&context).await?;
    rows_are_as_the_history_says(prometheus.url()).await?;
    the_operator_reads_the_same(&context).await
}

/// Between two bounds, as a ratio is written.
fn between(ratio: Option<&String>, least: f64, most: f64) -> Result<()> {
    let ratio: f64 = ratio.context("no ratio")?.parse()?;
    ensure!((least..=most).contains(&ratio), "{ratio} is not within {least} and {most}");
    Ok(())
}

/// What the operator's own client reads.
async fn rows_are_as_the_history_says(url: &str) -> Result<()> {
    let sources = [Prometheus::new(url, None).map_err(anyhow::Error::msg)?];
    let september = Days { from: "2026-09-01".parse()?, to: "2026-09-30".parse()? };
    let tenant = measured_tenant();
    let now = "2026-10-01T01:00:00Z".parse()?;
    let names = [tenant.as_str(), "nobody"];
    let readings = read(&sources, &names, september, now).await.map_err(anyhow::Error::msg)?;
    let namespace = |name: &str| MeasuredNamespace {
        application: "travel".to_owned(),
        namespace: name.to_owned(),
        live_at: None,
    };
    let found = utilization(&names.map(namespace), september, &readings, None);
    let row = |name: &str, resource: MeasuredResource| -> Result<&MonthUse> {
        let mut rows = found.months.iter().filter(|r| r.namespace == name && r.resource == resource);
        rows.next().with_context(|| format!("no row {name} {resource:?}"))
    };
    let cpu = row(&tenant, MeasuredResource::Cpu)?;
    let expected = 30 - HOLES.len();
    ensure!(expected == LEAST_DAYS && cpu.counting_days == i32::try_from(expected)?, "{cpu:?}");
    ensure!(cpu.result == MeasuredResult::Measured, "{cpu:?}");
    for (day, coverage) in (1_i64..).zip(&cpu.coverage) {
        let expected = match day {
            day if HOLES.contains(&day) => 87..=88,
            day if DENTS.contains(&day) => 91..=92,
            _ => 99..=100,
        };
        ensure!(expected.contains(coverage), "day {day}: {coverage} is not within {expected:?}");
    }
    // Half a core of 8, once and not twice; a reset loses at most minutes of a day.
    between(cpu.used.as_ref(), 0.0620, 0.0626)?;
    between(cpu.used_p95.as_ref(), 0.0620, 0.0630)?;
    between(cpu.dense.as_ref(), 0.1240, 0.1252)?;
    ensure!(cpu.applied.as_deref() == Some("0.5000"), "{cpu:?}");
    let memory = row(&tenant, MeasuredResource::Memory)?;
    ensure!(memory.used.as_deref() == Some("0.2500"), "two scrapes of one container are one: {memory:?}");
    for (name, resource) in [(tenant.as_str(), MeasuredResource::Storage), ("nobody", MeasuredResource::Cpu)]
    {
        let unknown = row(name, resource)?;
        ensure!(unknown.result == MeasuredResult::InsufficientData, "{unknown:?}");
        ensure!(unknown.used.is_none() && unknown.applied.is_none(), "absent is not 0: {unknown:?}");
    }
    ensure!(found.suspect.is_empty(), "{:?}", found.suspect);
    println!("use: {expected} of 30 days count, coverage {:?}", cpu.coverage);
    Ok(())
}

/// An Assessment that asks for it holds the same, and months without data are unknown.
async fn the_operator_reads_the_same(context: &Context) -> Result<()> {
    let admin = context.cluster.kubectl(e2e::actors::Actor::Admin);
    admin.run(&["create", "namespace", MEASURED]).await?;
    let label = format!("govcloud.dev/filing-region={HENAN}");
    admin.run(&["label", "namespace", MEASURED, &label]).await?;
    context.dump_on_failure(MEASURED);
    let department = Department::open(&context.cluster, MEASURED, HENAN).await?;
    let live = department.provision(department.application("travel")?).await?;
    let (tenant, _) = Department::tenant(&live, "prod")?;
    ensure!(tenant == measured_tenant(), "{tenant} has no history");
    let mut manifest = assessment("Department", "2026-q3");
    manifest["spec"]["measureUse"] = json!(true);
    file(&department, &manifest).await?;
    let scoring = department.phase(Kind::Assessment, "2026-q3", "Scoring").await?;
    let status = &scoring.data["status"];
    let rows = status["facts"]["utilization"]["months"].as_array().context("no use")?;
    let cpu = |month: &str| -> Result<&Value> {
        let this = |r: &&Value| r["resource"] == "cpu" && r["month"] == month && r["namespace"] == *tenant;
        rows.iter().find(this).with_context(|| format!("no {month}: {rows:?}"))
    };
    let september = cpu("2026-09")?;
    ensure!(september["result"] == "Measured" && september["countingDays"] == 25, "{september}");
    between(september["used"].as_str().map(str::to_owned).as_ref(), 0.0620, 0.0626)?;
    let july = cpu("2026-07")?;
    ensure!(july["result"] == "InsufficientData" && july["used"].is_null(), "{july}");
    ensure!(condition(status, "UseMeasured")["reason"] == "InsufficientData", "{status}");
    let digest = status["facts"]["digest"].as_str().unwrap_or_default();
    ensure!(digest.starts_with("sha256:") && digest.len() == 71, "{digest}");
    Ok(())
}
