//! Many active applications: memory, what is asked at rest, and a restart over all of them.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};

use super::board::{Board, Mark};
use super::figures::Used;
use super::lanes;
use super::restart::{self, Restart};
use super::scene::{PATIENCE, Scene};
use crate::audit::AuditLog;
use crate::office::Kind;
use crate::personas::OPERATOR;
use crate::wait::eventually;

/// Offices that the applications are spread over.
const OFFICES: usize = 20;

/// How long the operator is left alone before its memory is read.
const SETTLE: Duration = Duration::from_secs(10);

/// How long what is asked at rest is counted.
const REST: Duration = Duration::from_secs(60);

/// Times that a new process is started over the same records.
const RESTARTS: usize = 3;

/// What was measured.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Scale {
    /// Resident bytes with two regions and no application.
    pub idle: u64,
    /// At each number of active applications.
    pub steps: Vec<Step>,
}

/// At one number of active applications.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Step {
    /// Active applications.
    pub applications: usize,
    /// Resident bytes after all were provisioned.
    pub provisioned: u64,
    /// Resident bytes of a new process that has looked at all of them.
    pub restarted: u64,
    /// Objects that the operator holds, and the bytes of those that are packed.
    pub held: (usize, usize),
    /// Requests in the minute at rest, by the operator, beyond leases and watches that are renewed.
    pub at_rest: usize,
    /// Lease requests in that minute.
    pub leases: usize,
    /// Seconds of processor time in that minute.
    pub rest_cpu: f64,
    /// Starts of a new process over all of them, each beside bare LISTs.
    pub restarts: Vec<Restart>,
}

impl Scale {
    /// Bytes for each application, by a new process.
    pub fn each(&self, step: &Step) -> f64 {
        (step.restarted.saturating_sub(self.idle)) as f64 / step.applications as f64
    }
}

/// Measures at each of these numbers, ascending.
pub async fn measure(numbers: &[usize]) -> Result<Scale> {
    let scene = Scene::open(OFFICES).await?;
    scene.operate().await?;
    tokio::time::sleep(SETTLE).await;
    let mut scale = Scale { idle: Used::by(scene.pid().await?)?.rss, steps: Vec::new() };
    let board = scene.board(Kind::Application);
    let mut filed = 0;
    for number in numbers {
        let applications = scene.applications(filed, number - filed);
        // In portions, as they come in life: what is measured is what stands, not one great flood.
        for some in applications.chunks(1000) {
            let before = board.count(Mark::Provisioned);
            scene.file(&board, some).await?;
            scene.approve(some).await?;
            board.until(Mark::Provisioned, before + some.len(), PATIENCE).await?;
        }
        scale.steps.push(step(&scene, &board, *number).await?);
        filed = number + RESTARTS;
    }
    Ok(scale)
}

/// Measures what stands. Files an application more for each restart.
async fn step(scene: &Scene, board: &Board, applications: usize) -> Result<Step> {
    let mut step = Step { applications, ..Step::default() };
    idle(scene, 0).await?;
    tokio::time::sleep(SETTLE).await;
    let pid = scene.pid().await?;
    let before = Used::by(pid)?;
    step.provisioned = before.rss;
    let metrics = metrics(scene).await?;
    step.held = (sum(&metrics, "govcloud_held_objects"), sum(&metrics, "govcloud_held_packed_bytes"));
    let log = scene.cluster.audit().follow()?;
    tokio::time::sleep(REST).await;
    step.rest_cpu = Used::by(pid)?.cpu - before.cpu;
    let asked = seen(scene, log).await?.by_user(OPERATOR);
    step.leases = asked.clone().resource("leases").len();
    step.at_rest = asked.without_leases().keep(|e| e.verb != "watch").len();

    for at in 0..RESTARTS {
        step.restarts.push(restart::over(scene, board, applications + at).await?);
    }
    tokio::time::sleep(SETTLE).await;
    step.restarted = Used::by(scene.pid().await?)?.rss;
    Ok(step)
}

/// Waits until the operator has looked at so many records and none waits.
pub(super) async fn idle(scene: &Scene, looked_at: usize) -> Result<()> {
    let look = || async {
        let metrics = metrics(scene).await?;
        let (reconciled, queued) =
            (sum(&metrics, "govcloud_reconcile_total"), sum(&metrics, "govcloud_queue_length"));
        ensure!(
            reconciled >= looked_at && queued == 0,
            "{reconciled} of {looked_at} looked at, {queued} wait"
        );
        Ok(Some(()))
    };
    eventually("the operator has looked at everything", 5 * PATIENCE, look).await
}

/// What the operator shows of itself.
async fn metrics(scene: &Scene) -> Result<String> {
    let operator = scene.cluster.operator.lock().await;
    operator.as_ref().context("no operator")?.get("/metrics").await
}

/// The sum of all samples of a metric.
fn sum(metrics: &str, name: &str) -> usize {
    let samples = metrics.lines().filter(|l| l.starts_with(name));
    samples.filter_map(|l| l.rsplit(' ').next()?.parse::<usize>().ok()).sum()
}

/// What was asked since a log was opened.
pub(super) async fn seen(scene: &Scene, log: crate::audit::Follow) -> Result<crate::audit::Entries> {
    let mark = format!("seen-{}", AuditLog::mark().as_nanosecond());
    let _ = lanes::get(&scene.admin, &format!("/api/v1/namespaces/default/configmaps/{mark}")).await;
    log.until(&mark).await
}
