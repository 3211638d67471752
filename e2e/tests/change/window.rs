//! One maintenance from notice to report, by a clock that the test sets, on a cluster of its own (Art. 18).

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::cluster::{Cluster, Setup};
use e2e::fixtures::{self, Department, HENAN, Kind, condition, refusal};
use e2e::in_process::InProcess;
use e2e::suite::Context;
use govcloud_controller::clock::Clock;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::Api;
use kube::api::PostParams;
use serde_json::{Value, json};

use crate::fixture::{clock as period, event, events_of_maintenance, message, timeline_count};
use crate::maintenance::plan_from;
use crate::refusals::cannot_be_approved;

/// Thursday, 10:00 in China; 25 to 27 September and 1 to 7 October are holidays, 20 September and 10 October are worked.
const BEGIN: &str = "2026-09-10T02:00:00Z";

struct Play {
    cluster: Arc<Cluster>,
    clock: Clock,
    /// The department, and the provider's own filing namespace.
    department: Department,
    provider: Department,
}

impl Play {
    async fn begin() -> Result<(Self, InProcess)> {
        let cluster = Arc::new(Cluster::start(Setup::Installed).await?);
        let clock = Clock::default();
        clock.set(BEGIN.parse()?);
        let operator = InProcess::start(&cluster, clock.clone()).await?;
        fixtures::regions(&cluster).await?;
        let namespace = cluster.filing_namespace("dept", HENAN).await?;
        let department = Department::open(&cluster, &namespace, HENAN).await?;
        let namespace = cluster.filing_namespace("provider", HENAN).await?;
        let provider = Department::open(&cluster, &namespace, HENAN).await?;
        let bindings: Api<RoleBinding> = Api::namespaced(provider.admin().await?, &provider.namespace);
        let binding = serde_json::from_value(json!({
            "metadata": {"name": "maintenance"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "govcloud:provider-maintenance"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": Actor::Provider.group()}],
        }))?;
        bindings.create(&PostParams::default(), &binding).await?;
        Ok((Self { cluster, clock, department, provider }, operator))
    }

    /// The provider files a plan, and the authority approves it.
    async fn schedule(&self, name: &str, start: &str) -> Result<()> {
        self.file(name, start).await?;
        self.provider.approve(Kind::Change, name).await?;
        self.provider.phase(Kind::Change, name, "Scheduled").await.map(drop)
    }

    async fn file(&self, name: &str, start: &str) -> Result<()> {
        let affects = json!({"applications": [{"namespace": self.department.namespace, "name": "clinic"}]});
        let manifest = plan_from(&self.provider, name, start.parse()?, affects)?;
        // The provider's right to file is seen by the authorizer a moment after it was given.
        let filed = || async { Ok(Some(self.provider.file_as(Actor::Provider, &manifest).await?)) };
        e2e::wait::eventually("a plan is filed", Duration::from_secs(30), filed).await.map(drop)
    }

    /// Waits until the application has been told so many things of maintenance, and shows this reason.
    async fn told(&self, events: &[&str], reason: &str) -> Result<kube::api::DynamicObject> {
        let what = format!("was told {events:?} and shows {reason}");
        let met = |s: &Value| {
            let all = s["timeline"].as_array().into_iter().flatten().filter_map(|t| t["event"].as_str());
            let told: Vec<&str> = all.filter(|e| e.starts_with("Maintenance")).collect();
            told == events && condition(s, "MaintenanceScheduled")["reason"] == reason
        };
        let application = self.department.until(Kind::Application, "clinic", &what, met).await?;
        let there = || async {
            Ok((events_of_maintenance(&self.department, "clinic").await? == events.len()).then_some(()))
        };
        e2e::wait::eventually("each is in the note of an Event", Duration::from_secs(30), there).await?;
        Ok(application)
    }

    async fn report(&self, name: &str, result: &str, ended: Timestamp) -> Result<()> {
        let outcome = json!({"result": result, "endedAt": ended.to_string(), "summary": "详见报告"});
        let patch = json!({"spec": {"maintenanceOutcome": outcome}});
        self.provider.amend_as(Actor::Provider, Kind::Change, name, patch).await.map(drop)
    }
}

pub async fn maintenance_window_by_clock(_: Context) -> Result<()> {
    let (play, operator) = Play::begin().await?;
    play.department.provision(play.department.application("clinic")?).await?;

    // Three working days of notice: filed on a Thursday, Wednesday is the first day that it may begin.
    play.file("near", "2026-09-15T14:00:00Z").await?;
    let near = play.provider.judged(Kind::Change, "near", "WindowTooNear").await?;
    ensure!(message(&near, "Valid").contains("the earliest start is 2026-09-16"), "{near:?}");
    cannot_be_approved(&play.provider, "near").await?;

    // Ahead, at the start, and nothing in between.
    play.schedule("storage", "2026-09-16T14:00:00Z").await?;
    let told = play.told(&["MaintenanceScheduled"], "Scheduled").await?;
    ensure!(message(&told, "MaintenanceScheduled").contains("2026-09-16 22:00"), "{told:?}");
    event(&play.department, "CloudApplication", "clinic", "MaintenanceScheduled").await?;
    play.clock.set("2026-09-16T13:59:58Z".parse()?);
    play.provider.phase(Kind::Change, "storage", "InProgress").await?;
    play.told(&["MaintenanceScheduled", "MaintenanceStarted"], "InProgress").await?;
    event(&play.department, "CloudApplication", "clinic", "MaintenanceStarted").await?;

    // The window passes without a report: the provider's period begins, and runs out. The department is not late.
    play.clock.set("2026-09-16T18:00:30Z".parse()?);
    let waits = play
        .provider
        .until(Kind::Change, "storage", "awaits the report", |s| s["dueDate"].is_string())
        .await?;
    ensure!(
        waits.data["status"]["waitingOn"] == "Provider" && waits.data["status"]["dueDate"] == "2026-09-18",
        "{waits:?}"
    );
    play.clock.set("2026-09-21T02:00:00Z".parse()?);
    let late = play.provider.until(Kind::Change, "storage", "is overdue", |s| {
        condition(s, "OnTime")["reason"] == "MaintenanceReportOverdue"
    });
    let late = late.await?;
    ensure!(
        late.data["status"]["phase"] == "InProgress" && timeline_count(&late, "Overdue") == 1,
        "{late:?}"
    );
    ensure!(period(&late, "MaintenanceReport")?["party"] == "Provider", "{late:?}");
    event(&play.provider, "ChangeRequest", "storage", "Overdue").await?;
    let application = play.department.get(Kind::Application, "clinic").await?;
    ensure!(condition(&application.data["status"], "OnTime")["status"] == "True", "{application:?}");

    // The provider reports; those affected hear how it went, and no window is ahead any more.
    let wrong = play.report("storage", "Succeeded", "2026-09-16T13:00:00Z".parse()?).await;
    let refused = refusal(wrong)?;
    ensure!(refused.contains("endedAt cannot be before the window starts"), "{refused}");
    play.report("storage", "RolledBack", "2026-09-16T17:30:00Z".parse()?).await?;
    let done = play.provider.phase(Kind::Change, "storage", "Completed").await?;
    ensure!(period(&done, "MaintenanceReport")?["workingDaysLate"].as_i64() >= Some(1), "{done:?}");
    let three = ["MaintenanceScheduled", "MaintenanceStarted", "MaintenanceReported"];
    let told = play.told(&three, "None").await?;
    ensure!(told.data["status"]["maintenances"].is_null(), "{told:?}");
    let note = event(&play.department, "CloudApplication", "clinic", "MaintenanceReported").await?;
    ensure!(note.contains("回退") && note.contains("rolled back"), "{note}");

    asleep(&play, operator, &three).await
}

/// Deadlines that pass while the operator is down are reported on its return, each once.
async fn asleep(play: &Play, operator: InProcess, before: &[&str]) -> Result<()> {
    play.schedule("network", "2026-10-12T14:00:00Z").await?;
    play.told(&[before, &["MaintenanceScheduled"]].concat(), "Scheduled").await?;
    operator.stop().await;
    let end: Timestamp = "2026-10-12T18:00:00Z".parse()?;
    play.clock.set(end + SignedDuration::from_hours(1));
    let operator = InProcess::start(&play.cluster, play.clock.clone()).await?;
    play.told(&[before, &["MaintenanceScheduled", "MaintenanceStarted"]].concat(), "InProgress").await?;
    let awaited = play
        .provider
        .until(Kind::Change, "network", "awaits the report", |s| s["dueDate"].is_string())
        .await?;
    ensure!(awaited.data["status"]["dueDate"] == "2026-10-14", "{awaited:?}");
    let started = awaited.data["status"]["timeline"].as_array().into_iter().flatten();
    let started = started.clone().find(|t| t["event"] == "MaintenanceStarted").context("it began")?;
    ensure!(started["at"] == "2026-10-12T14:00:00Z", "it began when its window did: {started}");
    play.report("network", "Succeeded", end).await?;
    play.provider.phase(Kind::Change, "network", "Completed").await?;
    let all = [before, &["MaintenanceScheduled", "MaintenanceStarted", "MaintenanceReported"]].concat();
    play.told(&all, "None").await?;
    // And once more, from the records alone.
    operator.stop().await;
    let operator = InProcess::start(&play.cluster, play.clock.clone()).await?;
    play.clock.set(end + SignedDuration::from_hours(24 * 7));
    play.schedule("quiet", "2026-11-16T14:00:00Z").await?;
    play.told(&[&all[..], &["MaintenanceScheduled"]].concat(), "Scheduled").await?;
    operator.stop().await;
    Ok(())
}
