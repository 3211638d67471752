//! Many deadlines due in the same second: how late each is reported, and what another department notices of it.
//!
//! All are reviews of applications that were filed on one day, so all end at the same midnight. The operator runs in this
//! process, where its clock can be set to that midnight.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use e2e::fixtures::{self, HENAN, Kind};
use e2e::in_process::InProcess;
use e2e::requests;
use govcloud_controller::clock::Clock;
use serde_json::json;

use crate::bystander::{Bystander, compare};
use crate::comparison::{NAMESPACES, PROVISION, prepare};
use crate::harness::Harness;
use crate::recording::{Recording, snapshot};
use crate::replay::Replay;
use crate::report;
use crate::stats::Distribution;

/// Measures this many deadlines.
pub async fn measure(deadlines: usize) -> Result<()> {
    let harness = Harness::start(NAMESPACES).await?;
    let region = format!("/apis/govcloud.dev/v1alpha1/regions/{HENAN}");
    requests::merge(&harness.admin, &region, &json!({"spec": {"workingDays": {"review": 3}}})).await?;
    let clock = Clock::default();
    let operator = InProcess::start(&harness.cluster, clock.clone()).await?;
    fixtures::regions_ready(&harness.cluster).await?;
    let watch = harness.watch(Kind::Application);
    let applications = harness.applications(0..deadlines);
    harness.file(&watch, &applications).await?;
    let bystander = Bystander::start(&harness, &watch).await?;
    let alone = bystander.alone(100).await?;

    let first = requests::get(&harness.admin, &applications[0].path(Kind::Application)).await?;
    let due = first["status"]["deadlines"][0]["dueAt"].as_str().context("no deadline")?.parse()?;
    let before = snapshot(&harness.admin).await?;
    let mut log = harness.cluster.audit().follow()?;
    let began = Instant::now();
    clock.set(due);
    let meanwhile = bystander.during(watch.until("Overdue", deadlines)).await?;
    let lateness: Vec<Duration> = watch.times("Overdue").iter().map(|at| *at - began).collect();
    let (_, recording) = harness.recording(&mut log, &before, |all| all.applications() == deadlines).await?;
    operator.stop().await;
    drop((watch, harness));

    let bare = bare_run(&recording, deadlines).await?;
    let (mut rows, sentence) = compare(&alone, &meanwhile, "they are reported");
    rows.insert(0, (format!("lateness of {deadlines} reports"), Distribution::of(&lateness)));
    let block = format!(
        "{}\n\nThe bare client takes {bare:.1} s for the reports' {} writes. {sentence}",
        report::distributions(&rows),
        recording.counts().values().sum::<usize>()
    );
    report::save("timers", &block)
}

/// Seconds that the bare client takes for the reports' writes, on a control plane with as many applications.
async fn bare_run(recording: &Recording, deadlines: usize) -> Result<f64> {
    let (harness, _) = prepare(PROVISION, NAMESPACES, deadlines).await?;
    harness.stop_operator().await?;
    let client = harness.operator_client().await?;
    let replay = Replay::of(recording, &snapshot(&harness.admin).await?);
    let began = Instant::now();
    replay.all(&client, recording, recording.names()).await?;
    Ok(began.elapsed().as_secs_f64())
}
