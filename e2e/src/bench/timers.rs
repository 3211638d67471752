//! Many deadlines due in the same second: how late each is reported, and what others notice of it.
//!
//! All are reviews of applications that were filed on one day, so that all end at the same midnight. The operator
//! runs in this process, because only here can its clock be set to that midnight.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use govcloud_controller::clock::Clock;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::board::Mark;
use super::figures::{Spread, Used};
use super::lanes::{self, Lanes};
use super::other::{Amendments, Other};
use super::scene::{PATIENCE, Scene, path};
use crate::in_process::InProcess;
use crate::office::{self, Kind};
use crate::personas;

/// Offices that the deadlines are spread over.
const OFFICES: usize = 20;

/// Requests of somebody else that are timed before the deadlines fall due.
const ALONE: usize = 100;

/// What was measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Timers {
    /// Deadlines that fell due at once.
    pub deadlines: usize,
    /// From the instant that they were due to when each report was seen in its record's status.
    pub lateness: Spread,
    /// Another department's amendments with nothing else going on.
    pub others_alone: Amendments,
    /// The same while the deadlines were reported.
    pub others_meanwhile: Amendments,
    /// Seconds of processor time of this process, the operator's and the measuring's, for the reports.
    pub cpu: f64,
    /// The same reports' writes sent by the bare client: a status patch and an Event each; seconds.
    pub raw: f64,
}

/// Measures with so many deadlines.
pub async fn measure(deadlines: usize) -> Result<Timers> {
    let scene = Scene::open(OFFICES).await?;
    let review = json!({"spec": {"workingDays": {"review": 3}}});
    lanes::merge(&scene.admin, "/apis/govcloud.dev/v1alpha1/regions/410000", &review).await?;
    let clock = Clock::default();
    let operator = InProcess::start(&scene.cluster, clock.clone()).await?;
    office::regions_ready(&scene.cluster).await?;
    let board = scene.board(Kind::Application);
    let applications = scene.applications(0, deadlines);
    scene.file(&board, &applications).await?;

    let other = Other::settle(&scene, &board).await?;
    let mut others_alone = Vec::new();
    for _ in 0..ALONE {
        others_alone.push(other.amend(&board).await?);
    }

    let filed = &applications[0];
    let one = format!("{}/{}", path(&filed.namespace, Kind::Application), filed.name);
    let one = lanes::get(&scene.admin, &one).await?;
    let due = one["status"]["deadlines"][0]["dueAt"].as_str().context("no deadline")?.parse()?;
    let before = Used::by(i32::try_from(std::process::id())?)?;
    let began = Instant::now();
    clock.set(due);
    let mut others_meanwhile = Vec::new();
    {
        let mut reported = std::pin::pin!(board.until(Mark::Overdue, deadlines, PATIENCE));
        loop {
            tokio::select! {
                outcome = &mut reported => break outcome?,
                amended = other.amend(&board) => others_meanwhile.push(amended?),
            }
        }
    }
    let after = Used::by(i32::try_from(std::process::id())?)?;
    let lateness: Vec<Duration> = board.all(Mark::Overdue).iter().map(|at| *at - began).collect();
    operator.stop().await;
    drop(board);
    Ok(Timers {
        deadlines,
        lateness: Spread::of(&lateness),
        others_alone: Amendments::of(&others_alone),
        others_meanwhile: Amendments::of(&others_meanwhile),
        cpu: after.cpu - before.cpu,
        raw: raw(&scene).await?,
    })
}

/// The writes of as many reports by the bare client: on each record an Event like the operator's and a status patch
/// of the same size. Seconds.
async fn raw(scene: &Scene) -> Result<f64> {
    let own = personas::kubeconfig(scene.cluster.plane.root(), personas::OPERATOR_SERVICE_ACCOUNT);
    let lanes = Lanes::open(&own).await?;
    let mut reports = Vec::new();
    for office in &scene.offices {
        let list = lanes::get(&scene.admin, &path(office, Kind::Application)).await?;
        reports.extend(list["items"].as_array().into_iter().flatten().map(|o| report(office, o)));
    }
    let send = |client: kube::Client, at: usize| {
        let Report { events, event, status, patch } = &reports[at];
        async move {
            lanes::create(&client, events, event).await?;
            lanes::merge(&client, status, patch).await.map(drop)
        }
    };
    let began = Instant::now();
    lanes.each(&reports, send).await?;
    Ok(began.elapsed().as_secs_f64())
}

/// The two writes that a report is.
struct Report {
    events: String,
    event: Value,
    status: String,
    patch: Value,
}

/// A report on a record that has had one already, so that the size is right.
fn report(office: &str, object: &Value) -> Report {
    let (meta, status) = (&object["metadata"], &object["status"]);
    let name = meta["name"].as_str().unwrap_or_default();
    let mut timeline = status["timeline"].as_array().cloned().unwrap_or_default();
    timeline.extend(timeline.last().cloned());
    let mut deadlines = status["deadlines"].clone();
    deadlines[0]["notified"]["lastDay"] = deadlines[0]["notified"]["overdue"].clone();
    Report {
        events: format!("/apis/events.k8s.io/v1/namespaces/{office}/events"),
        event: json!({
            "apiVersion": "events.k8s.io/v1", "kind": "Event",
            "metadata": {"name": format!("{name}.raw"), "namespace": office},
            "eventTime": format!("{:.6}", jiff::Timestamp::now()),
            "reportingController": "govcloud.dev/operator", "reportingInstance": "raw",
            "action": "Overdue", "reason": "Overdue", "type": "Warning",
            "note": timeline.last().map(|t| t["message"].clone()),
            "regarding": {
                "apiVersion": "govcloud.dev/v1alpha1", "kind": "CloudApplication", "namespace": office,
                "name": name, "uid": meta["uid"],
            },
        }),
        status: format!("{}/{name}/status", path(office, Kind::Application)),
        patch: json!({
            "metadata": {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]},
            "status": {"timeline": timeline, "conditions": status["conditions"], "deadlines": deadlines},
        }),
    }
}
