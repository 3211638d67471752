//! Many active applications: memory, what is asked at rest, and a restart over all of them.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use futures::future::try_join_all;
use govcloud::shell::watches::{PAGE, WATCHED};
use serde::{Deserialize, Serialize};

use super::board::{Board, Mark};
use super::figures::Used;
use super::lanes;
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

/// What was measured.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Scale {
    /// Resident bytes with two regions and no application.
    pub idle: u64,
    /// At each number of active applications.
    pub steps: Vec<Step>,
}

/// At one number of active applications.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
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
    /// Seconds that bare LISTs of all that the operator watches take, one after the other.
    pub lists: f64,
    /// Seconds from the start of a new process to a namespace for an approval that waited for it.
    pub first_served: f64,
    /// Seconds from its start to everything looked at again.
    pub verified: f64,
    /// What it wrote meanwhile beside what the approval that waited needs.
    pub writes: usize,
    /// Its LISTs, one at least for each kind.
    pub lists_of_start: usize,
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
        filed = number + 1;
    }
    Ok(scale)
}

/// Measures what stands. Files one application more.
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

    // One more, approved while nobody is there.
    let waiting = scene.applications(applications, 1);
    scene.file(board, &waiting).await?;
    idle(scene, 0).await?;
    scene.rest().await?;
    scene.approve(&waiting).await?;
    step.lists = lists(scene).await?;
    let log = scene.cluster.audit().follow()?;
    let before = board.count(Mark::Provisioned);
    let began = Instant::now();
    let (started, served) = tokio::join!(scene.operate_at_once(), async {
        board.until(Mark::Provisioned, before + 1, PATIENCE).await.map(|()| began.elapsed())
    });
    started?;
    step.first_served = served?.as_secs_f64();
    // Every application and its grant, and two regions.
    idle(scene, 2 * applications + 2).await?;
    step.verified = began.elapsed().as_secs_f64();
    let asked = seen(scene, log).await?.by_user(OPERATOR);
    step.lists_of_start = asked.clone().verb("list").len();
    let late = &waiting[0];
    let others = asked.writes().without_leases().keep(|e| {
        let of_late = e.object_ref.as_ref().is_some_and(|o| {
            o.name.starts_with(&late.name) || o.namespace.contains(&late.name) || o.name.contains(&late.name)
        });
        !of_late && !e.request_object.as_ref().is_some_and(|b| b.to_string().contains(&late.name))
    });
    step.writes = others.len();
    tokio::time::sleep(SETTLE).await;
    step.restarted = Used::by(scene.pid().await?)?.rss;
    Ok(step)
}

/// Waits until the operator has looked at so many records and none waits.
async fn idle(scene: &Scene, looked_at: usize) -> Result<()> {
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
async fn seen(scene: &Scene, log: crate::audit::Follow) -> Result<crate::audit::Entries> {
    let mark = format!("seen-{}", AuditLog::mark().as_nanosecond());
    let _ = lanes::get(&scene.admin, &format!("/api/v1/namespaces/default/configmaps/{mark}")).await;
    log.until(&mark).await
}

/// Bare LISTs of all that the operator watches, as it asks for them: in pages, all kinds at once. Seconds.
async fn lists(scene: &Scene) -> Result<f64> {
    let began = Instant::now();
    let list = |what: &'static govcloud::shell::watches::Watched| async move {
        let base = match what.api_version.split_once('/') {
            Some((group, version)) => format!("/apis/{group}/{version}/{}", what.resource),
            None => format!("/api/{}/{}", what.api_version, what.resource),
        };
        let selector = if what.labelled { "&labelSelector=govcloud.dev/application-uid" } else { "" };
        let mut next = String::new();
        loop {
            let page = lanes::get(&scene.admin, &format!("{base}?limit={PAGE}{selector}{next}")).await?;
            match page["metadata"]["continue"].as_str().filter(|c| !c.is_empty()) {
                Some(token) => next = format!("&continue={token}"),
                None => return anyhow::Ok(()),
            }
        }
    };
    try_join_all(WATCHED.iter().map(list)).await?;
    Ok(began.elapsed().as_secs_f64())
}
