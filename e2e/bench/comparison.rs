//! Many approvals at once: the operator beside clients that send the same writes on an equally fresh control plane.

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use e2e::fixtures::{Department, HENAN, Kind};
use e2e::requests;
use e2e::wait::eventually;
use futures::channel::mpsc;
use futures::stream::iter;
use govcloud_api::keys;
use serde_json::{Value, json};

use crate::harness::Harness;
use crate::record::Record;
use crate::recording::{Recording, snapshot};
use crate::replay::Replay;
use crate::report::{Figures, named};
use crate::stats::Usage;
use crate::status_watch::{PATIENCE, StatusWatch};

/// Filing namespaces that the applications are spread over.
pub const NAMESPACES: usize = 20;

/// The records that are approved, and the phase that they reach.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    pub name: &'static str,
    kind: Kind,
    pub phase: &'static str,
}

/// Applications, which are provisioned.
pub const PROVISION: Workload = Workload { name: "ratio", kind: Kind::Application, phase: "Provisioned" };

/// Exits of applications with two volumes each, one destroyed and one retained.
pub const EXIT: Workload = Workload { name: "exit", kind: Kind::Exit, phase: "Completed" };

/// Runs the operator, and both other clients with its writes.
pub async fn measure(workload: Workload, count: usize) -> Result<Figures> {
    let (mut figures, recording) = run(&prepare(workload, NAMESPACES, count).await?, workload, count).await?;
    let [approvals, bare] = replay(workload, count, &recording, false).await?;
    let [_, zero_overhead] = replay(workload, count, &recording, true).await?;
    let (operator, both) = (figures[0].1, approvals + bare);
    figures.extend(named([
        ("bare client, s", bare),
        ("operator / bare client", operator / bare),
        ("approvals and bare client, s", both),
        ("operator / approvals and bare client", operator / both),
        ("zero-overhead client, s", zero_overhead),
        ("operator / zero-overhead client", operator / zero_overhead),
        ("zero-overhead client / bare client", zero_overhead / bare),
    ]));
    Ok(figures)
}

/// A control plane, and the watch of the records that wait there.
pub type Prepared = (Harness, StatusWatch);

/// Starts a control plane on which everything waits for the approvals.
pub async fn prepare(workload: Workload, namespaces: usize, count: usize) -> Result<Prepared> {
    let harness = Harness::start(namespaces).await?;
    harness.start_operator().await?;
    let watch = workload.file(&harness, count).await?;
    Ok((harness, watch))
}

/// Approves everything that is filed, and waits until the operator is done.
pub async fn run(of: &Prepared, workload: Workload, count: usize) -> Result<(Figures, Recording)> {
    let (harness, watch) = of;
    let before = snapshot(&harness.admin).await?;
    let mut log = harness.cluster.audit().follow()?;
    let (operator, apiserver) = (harness.operator_pid().await?, harness.cluster.plane.identities()[1].pid);
    let used = (Usage::of(operator)?.cpu, Usage::of(apiserver)?.cpu);
    let began = Instant::now();
    workload.approve(harness, count, |_| ()).await?;
    harness.until(watch, workload.phase, count).await?;
    let ended = watch.times(workload.phase).into_iter().max().context("nothing ended")?;
    let (cpu, apiserver_cpu) = (Usage::of(operator)?.cpu - used.0, Usage::of(apiserver)?.cpu - used.1);
    let complete = |recording: &Recording| recording.reached(workload.phase) == count;
    let (_, recording) = harness.recording(&mut log, &before, complete).await?;
    let (counts, seconds) = (recording.counts(), (ended - began).as_secs_f64());
    let each = |amount: f64| amount / count as f64;
    let mut figures = named([
        ("operator, s", seconds),
        ("operator, ms each", each(seconds * 1000.0)),
        ("operator's processor time, ms each", each(cpu * 1000.0)),
        ("API server's processor time, ms each", each(apiserver_cpu * 1000.0)),
        ("writes each", each(counts.values().sum::<usize>() as f64)),
        ("reads each", each(recording.reads as f64)),
        ("refused writes each", each(recording.refused as f64)),
    ]);
    figures.extend(counts.into_iter().map(|(request, count)| (request, each(count as f64))));
    Ok((figures, recording))
}

/// Runs a client that sends the operator's writes, and neither reads nor decides. Returns the seconds for the approvals, and for the
/// writes; of exits until the last namespace is gone.
///
/// The bare client sends the writes after all approvals. The zero-overhead client sends those of each application
/// at once when its approval is answered; both together take the second time.
async fn replay(workload: Workload, count: usize, recording: &Recording, at_once: bool) -> Result<[f64; 2]> {
    let (harness, watch) = prepare(workload, NAMESPACES, count).await?;
    harness.stop_operator().await?;
    let client = harness.operator_client().await?;
    let replay = Replay::of(recording, &snapshot(&harness.admin).await?);
    let mut began = Instant::now();
    let mut seconds = 0.0;
    if at_once {
        let (sender, names) = mpsc::unbounded();
        // Where the receiver is gone it has returned an error of its own.
        let answered = move |record: &Record| drop(sender.unbounded_send(record.name.clone()));
        let approvals = workload.approve(&harness, count, answered);
        tokio::try_join!(approvals, replay.all(&client, recording, names))?;
    } else {
        workload.approve(&harness, count, |_| ()).await?;
        seconds = began.elapsed().as_secs_f64();
        began = Instant::now();
        replay.all(&client, recording, recording.names()).await?;
    }
    workload.until_reclaimed(&harness, count).await?;
    let took = began.elapsed().as_secs_f64();
    watch.until(workload.phase, count).await?;
    Ok([seconds, took])
}

impl Workload {
    /// Files all that is to be approved, and waits until the operator has found it valid; returns the watch of its kind.
    pub async fn file(self, harness: &Harness, count: usize) -> Result<StatusWatch> {
        let applications = harness.applications(0..count);
        let watch = harness.watch(Kind::Application);
        harness.file(&watch, &applications).await?;
        if self.kind == Kind::Application {
            return Ok(watch);
        }
        harness.approve(Kind::Application, &applications, |_| ()).await?;
        harness.until(&watch, "Provisioned", count).await?;
        let disposition = json!({
            "default": "Retain", "volumes": [{"namespace": "prod", "claim": "data", "action": "Destroy"}],
        });
        let leave = async |record: &Record| {
            let department = Department::at(&harness.cluster, &record.namespace, HENAN);
            for claim in ["data", "archive"] {
                department.fill(&record.tenant(), claim, "").await?;
            }
            department.file(&department.exit(&record.name, &record.name, disposition.clone())?).await?;
            department.consent(&record.name).await.map(drop)
        };
        requests::for_each(iter(&applications), leave).await?;
        Ok(harness.watch(Kind::Exit))
    }

    async fn approve(self, harness: &Harness, count: usize, answered: impl Fn(&Record)) -> Result<()> {
        harness.approve(self.kind, &harness.applications(0..count), answered).await
    }

    /// Waits, after an exit's writes, until every tenant namespace is gone, and every volume that was to be destroyed. Both are the
    /// work of Kubernetes' controllers, which the operator waits for before it reports an exit as completed.
    async fn until_reclaimed(self, harness: &Harness, count: usize) -> Result<()> {
        let left = async |path: &str| {
            let list: Value =
                requests::get(&harness.admin, &format!("{path}{}", keys::APPLICATION_UID)).await?;
            anyhow::Ok(list["items"].as_array().map_or(0, Vec::len))
        };
        let reclaimed = || async {
            // A cheap look first, which adds little to what is measured.
            ensure!(left("/api/v1/namespaces?limit=1&labelSelector=").await? == 0, "namespaces are left");
            let volumes = left("/api/v1/persistentvolumes?labelSelector=").await?;
            ensure!(volumes == count, "{volumes} volumes are left, not {count}");
            Ok(Some(()))
        };
        if self.kind == Kind::Exit {
            eventually("everything is reclaimed", 20 * PATIENCE, reclaimed).await?;
        }
        Ok(())
    }
}
