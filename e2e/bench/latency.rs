//! Latency at one approval a second, from its answer until the namespace can be used, beside a bare watcher: a client that
//! watches for approvals, sends the same writes, and neither reads nor decides. All times are the API server's, from its audit log.
//!
//! The operator and the watcher have a control plane each. They take turns within each second, so that both meet the machine in
//! the same state: between two runs it differs by more than they do.

use std::slice::from_ref;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::actors::OPERATOR;
use e2e::audit::Follow;
use e2e::fixtures::Kind;
use jiff::Timestamp;
use tokio::task::JoinHandle;

use crate::comparison::{PROVISION, prepare};
use crate::harness::Harness;
use crate::record::Record;
use crate::recording::{Recording, Snapshot, Write, snapshot};
use crate::replay::{Replay, concurrent};
use crate::report;
use crate::stats::{Distribution, median};
use crate::status_watch::StatusWatch;

/// Objects of a usable namespace: itself, quota, limits, network policy, role binding.
const OBJECTS: [&str; 5] = ["namespaces", "resourcequotas", "limitranges", "networkpolicies", "rolebindings"];

/// Approvals before the measured ones; the writes of the last are what the watcher sends.
const WARM_UP: usize = 5;

/// Measures this many approvals of each.
pub async fn measure(approvals: usize) -> Result<()> {
    let (operated, status) = prepare(PROVISION, 2, WARM_UP + approvals).await?;
    let (watched, watch) = prepare(PROVISION, 2, approvals).await?;
    watched.stop_operator().await?;
    let (own, others) = (operated.applications(0..WARM_UP + approvals), watched.applications(0..approvals));
    let (warm_up, own) = own.split_at(WARM_UP);

    let before = snapshot(&operated.admin).await?;
    let log = operated.cluster.audit().follow()?;
    let mut second = tokio::time::interval(Duration::from_secs(1));
    for application in warm_up {
        second.tick().await;
        approve(&operated, application).await?;
    }
    status.until("Provisioned", WARM_UP).await?;
    let recording = Recording::of(&operated.requests_since(log).await?, before);
    let watcher = start_watcher(&watched, watch, &recording, &warm_up[WARM_UP - 1], others.clone()).await?;

    let logs = (operated.cluster.audit().follow()?, watched.cluster.audit().follow()?);
    let mut turn = tokio::time::interval(Duration::from_millis(500));
    for (own, other) in own.iter().zip(&others) {
        turn.tick().await;
        approve(&operated, own).await?;
        turn.tick().await;
        approve(&watched, other).await?;
    }
    watcher.await??;
    status.until("Provisioned", WARM_UP + approvals).await?;
    let own = latencies(&operated, logs.0, own).await?;
    let others = latencies(&watched, logs.1, &others).await?;
    save(&own, &others)
}

async fn approve(harness: &Harness, application: &Record) -> Result<()> {
    harness.approve(Kind::Application, from_ref(application), |_| ()).await
}

/// The bare watcher: upon each approval it sends the model's writes until its namespace was usable, for that application.
async fn start_watcher(
    watched: &Harness,
    watch: StatusWatch,
    recording: &Recording,
    model: &Record,
    applications: Vec<Record>,
) -> Result<JoinHandle<Result<()>>> {
    let writes = recording.of_application(model);
    let usable = usable(writes)?;
    let writes: Vec<Write> = writes.iter().filter(|w| w.received < usable).cloned().collect();
    let now = snapshot(&watched.admin).await?;
    let mut replays = Vec::new();
    for other in applications {
        let existing = Snapshot::from([(model.key(), now[&other.key()].clone())]);
        // A tenant namespace's name contains the other two.
        let renames = vec![
            (model.tenant(), other.tenant()),
            (model.name.clone(), other.name.clone()),
            (model.namespace.clone(), other.namespace.clone()),
        ];
        replays.push((other, Replay { renames, ..Replay::of(recording, &existing) }));
    }
    let client = watched.operator_client().await?;
    Ok(tokio::spawn(async move {
        for (application, replay) in replays {
            watch.reached(&application, "approved").await?;
            replay.send(&client, concurrent(&writes)).await?;
        }
        anyhow::Ok(())
    }))
}

/// Saves both distributions, and how much slower the operator is within the same second.
fn save(own: &[Duration], others: &[Duration]) -> Result<()> {
    let later = own.iter().zip(others).map(|(own, other)| (own.as_secs_f64() - other.as_secs_f64()) * 1000.0);
    let rows =
        [("operator".into(), Distribution::of(own)), ("bare watcher".into(), Distribution::of(others))];
    let block = format!(
        "{}\n\nWithin the same second the operator is **{:.1} ms** slower than the bare watcher (median of {} pairs).",
        report::distributions(&rows),
        median(later),
        own.len()
    );
    report::save("latency", &block)
}

/// Of each application, the time from its approval's answer to the answer to the last object of its namespace.
async fn latencies(harness: &Harness, log: Follow, applications: &[Record]) -> Result<Vec<Duration>> {
    let requests = harness.requests_since(log).await?;
    let recording = Recording::of(&requests, Snapshot::new());
    let approvals = requests.verb("patch").code(200).keep(|e| e.user.username != OPERATOR);
    let latency = |application: &Record| {
        let approval =
            approvals.iter().find(|e| e.object_ref.as_ref().is_some_and(|o| o.name == application.name));
        let approved = approval.context("not approved")?.stage_timestamp;
        let usable = usable(recording.of_application(application))?;
        Ok(Duration::try_from(usable.duration_since(approved)).unwrap_or_default())
    };
    applications.iter().map(latency).collect()
}

/// When the last object of an application's namespace was answered.
fn usable(writes: &[Write]) -> Result<Timestamp> {
    let objects =
        |w: &&Write| w.request.strip_prefix("create ").is_some_and(|resource| OBJECTS.contains(&resource));
    let answered: Vec<Timestamp> = writes.iter().filter(objects).map(|w| w.answered).collect();
    ensure!(answered.len() >= OBJECTS.len(), "only {} objects", answered.len());
    answered.into_iter().max().context("no objects")
}
