//! Objects that block a reclaim: named in `Stalled`, waited for, never forced, overdue in time; then it continues.
//!
//! These have a control plane and a clock of their own: after five minutes what holds is named, after three working days
//! the provider is late.

use std::fs;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::audit::Entry;
use e2e::cluster::{Cluster, Setup};
use e2e::fixtures::{Kind, condition};
use e2e::in_process::InProcess;
use e2e::suite::Context;
use e2e::wait::until;
use govcloud_controller::clock::Clock;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod};
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard};

use crate::fixture::{EXIT, Fixture, HOLD, Held, PATIENCE, VolumeOutcome, disposition, phase};
use crate::hand_over::pod;

/// The other control plane, with its operator in this process, for one scenario after the other: they set its clock.
struct World {
    context: Context,
    clock: Clock,
    operator: InProcess,
    left: usize,
}

static WORLD: Mutex<Option<World>> = Mutex::const_new(None);

/// Number of scenarios that share it.
const SHARING: usize = 5;

impl World {
    async fn begin() -> Result<Self> {
        let cluster = Arc::new(Cluster::start(Setup::Installed).await?);
        let clock = Clock::default();
        let operator = InProcess::start(&cluster, clock.clone()).await?;
        Ok(Self { context: Context::on(cluster), clock, operator, left: SHARING })
    }
}

/// The world, for one scenario alone. The last one ends it.
struct Turn(MutexGuard<'static, Option<World>>);

impl Turn {
    async fn take() -> Result<Self> {
        let mut world = WORLD.lock().await;
        if world.is_none() {
            *world = Some(World::begin().await?);
        }
        Ok(Self(world))
    }

    fn world(&self) -> Result<&World> {
        self.0.as_ref().context("no world")
    }

    async fn done(mut self) -> Result<()> {
        let world = self.0.as_mut().context("no world")?;
        world.left -= 1;
        if world.left == 0
            && let Some(world) = self.0.take()
        {
            world.operator.stop().await;
            crate::forget(&world.context).await;
        }
        Ok(())
    }
}

/// Plays one: once it is stuck, `names` must be said; then it is late; then `free` frees it, and it completes. Gives back when
/// five minutes went by on its clock.
async fn plays<F>(
    turn: &Turn,
    fixture: &Fixture,
    names: &[&str],
    free: F,
    outcome: VolumeOutcome,
) -> Result<Timestamp>
where
    F: Future<Output = Result<()>>,
{
    let clock = &turn.world()?.clock;
    let reclaiming = fixture.phase("Reclaiming").await?;
    let since: Timestamp =
        reclaiming.data["status"]["reclaimingSince"].as_str().context("since when")?.parse()?;
    ensure!(condition(&reclaiming.data["status"], "Stalled")["status"] != "True", "stalled at once");
    held(fixture).await?;
    let moved = Timestamp::now();
    clock.set(since + SignedDuration::from_secs(5 * 60 + 5));
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let says = |s: &Value| {
        let stalled = condition(s, "Stalled");
        let message = stalled["message"].as_str().unwrap_or_default();
        stalled["reason"] == "ReclaimStuck" && names.iter().all(|n| message.contains(n))
    };
    let what = format!("is stuck, and names {names:?}");
    let stuck = fixture.department.until(Kind::Exit, EXIT, &what, says).await?;
    let due: Timestamp = deadline(&stuck)?["dueAt"].as_str().context("no due date")?.parse()?;
    clock.set(due + SignedDuration::from_hours(2));
    let late = |s: &Value| condition(s, "OnTime")["reason"] == "ReclaimOverdue";
    let late = fixture.department.until(Kind::Exit, EXIT, "is overdue", late).await?;
    ensure!(late.data["status"]["phase"] == "Reclaiming", "it was forced, or given up: {late:?}");
    held(fixture).await?;
    free.await?;
    let done = fixture.phase("Completed").await?;
    ensure!(deadline(&done)?["workingDaysLate"].is_i64(), "{:?}", deadline(&done)?);
    ensure!(fixture.timeline_count("Overdue").await? == 1, "told more than once");
    fixture.assert_outcome(&[("data", outcome)], true).await?;
    Ok(moved)
}

fn deadline(exit: &DynamicObject) -> Result<Value> {
    let all = exit.data["status"]["deadlines"].as_array().context("no deadlines")?;
    all.iter().find(|d| d["obligation"] == "Reclaim").cloned().context("no clock of Reclaim")
}

/// Nothing is certified while something holds.
async fn held(fixture: &Fixture) -> Result<()> {
    let exit = fixture.department.get(Kind::Exit, EXIT).await?;
    ensure!(exit.data["status"]["certificate"].is_null(), "certified: {exit:?}");
    Ok(())
}

pub async fn a_finalizer_on_a_claim(_: Context) -> Result<()> {
    let turn = Turn::take().await?;
    let fixture = Fixture::open(&turn.world()?.context, &["data"]).await?;
    fixture.unclaim_later("data").await?;
    fixture.leave(disposition("Destroy", &[])).await?;
    let volume = fixture.held("data")?.volume.name_any();
    let names = [fixture.tenant("prod"), "claim data", HOLD, &volume];
    plays(&turn, &fixture, &names, fixture.release_claim("data"), VolumeOutcome::Destroyed).await?;
    drop(fixture);
    turn.done().await
}

pub async fn a_finalizer_on_a_volume(_: Context) -> Result<()> {
    let turn = Turn::take().await?;
    let fixture = Fixture::open(&turn.world()?.context, &["data"]).await?;
    let hold = json!({"metadata": {"finalizers": ["kubernetes.io/pv-protection", HOLD]}});
    fixture.patch_volume(Actor::Admin, "data", hold).await?;
    fixture.leave(disposition("Destroy", &[])).await?;
    let volume = fixture.held("data")?.volume.name_any();
    let free = async {
        let volumes = fixture.department.volumes().await?;
        let is = volumes.get(&volume).await?;
        ensure!(is.finalizers().iter().any(|f| f == HOLD), "the finalizer was forced");
        let rest: Vec<_> = is.finalizers().iter().filter(|f| *f != HOLD).cloned().collect();
        let patch = json!({"metadata": {"finalizers": rest}});
        volumes
            .patch(&volume, &PatchParams::default(), &Patch::Merge(patch))
            .await
            .map(drop)
            .map_err(Into::into)
    };
    plays(&turn, &fixture, &[&volume, HOLD], free, VolumeOutcome::Destroyed).await?;
    drop(fixture);
    turn.done().await
}

pub async fn a_finalizer_in_the_namespace(_: Context) -> Result<()> {
    let turn = Turn::take().await?;
    let fixture = Fixture::open(&turn.world()?.context, &["data"]).await?;
    fixture.obstruct().await?;
    fixture.leave(disposition("Retain", &[])).await?;
    let names = [fixture.tenant("prod"), "configmaps", HOLD];
    plays(&turn, &fixture, &names, fixture.clear(), VolumeOutcome::Retained).await?;
    drop(fixture);
    turn.done().await
}

/// A pod on a node that does not answer: only a person may say that it is dead. It holds its claim, so that its namespace is
/// deleted a minute after that, and not for ever waited with.
pub async fn a_pod_that_does_not_die(_: Context) -> Result<()> {
    let turn = Turn::take().await?;
    let fixture = Fixture::open(&turn.world()?.context, &["data"]).await?;
    // A minute by the API server's clock, which no scenario sets ahead.
    turn.world()?.clock.set(Timestamp::now());
    let pods: Api<Pod> = Api::namespaced(fixture.department.admin().await?, fixture.tenant("prod"));
    let mut immortal = pod("immortal")?;
    let spec = immortal.spec.as_mut().context("a spec")?;
    let mount = json!([{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]);
    spec.volumes = serde_json::from_value(mount)?;
    // The namespace's ServiceAccount comes a moment after the namespace.
    let create = || async { Ok(Some(pods.create(&PostParams::default(), &immortal).await?)) };
    e2e::wait::eventually("the pod", PATIENCE, create).await?;
    // As the scheduler does: policy lets nobody name a node in a pod.
    let node = json!({"apiVersion": "v1", "kind": "Node", "name": "node-that-is-gone"});
    let binding =
        json!({"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "immortal"}, "target": node});
    let bound: Value =
        pods.create_subresource("binding", "immortal", &PostParams::default(), &binding).await?;
    ensure!(bound["status"] == "Success", "{bound}");
    fixture.leave(disposition("Destroy", &[])).await?;
    let deleted = |c: &PersistentVolumeClaim| c.metadata.deletion_timestamp.is_some();
    until(fixture.claims(Actor::Admin).await?, "data", "is deleted", PATIENCE, deleted).await?;
    let free = async {
        let is = pods.get("immortal").await.context("the pod was forced")?;
        ensure!(is.metadata.deletion_timestamp.is_some(), "nobody asked it to end");
        pods.delete("immortal", &DeleteParams::default().grace_period(0)).await.map(drop).map_err(Into::into)
    };
    let names = [fixture.tenant("prod"), "pods", "claim data"];
    let moved = plays(&turn, &fixture, &names, free, VolumeOutcome::Destroyed).await?;
    let space = |e: &Entry| {
        e.verb == "delete"
            && e.object_ref
                .as_ref()
                .is_some_and(|o| o.resource == "namespaces" && o.name == fixture.tenant("prod"))
    };
    let asked = fixture.requests.asked(space).await?;
    let first =
        asked.iter().map(|e| e.request_received_timestamp).min().context("no end of the namespace")?;
    ensure!(
        first >= moved,
        "its namespace did not wait for the claim: {first}, and the clock moved at {moved}"
    );
    drop(fixture);
    turn.done().await
}

/// A volume that its driver cannot delete: the host-path one deletes below /tmp, wherever this test is run from, and no
/// path that ends in a dot.
pub async fn a_provisioner_that_fails(_: Context) -> Result<()> {
    let turn = Turn::take().await?;
    let mut fixture = Fixture::open(&turn.world()?.context, &[]).await?;
    let directory = tempfile::Builder::new().prefix("govcloud-by-hand-").tempdir_in("/tmp")?;
    fixture.held.push(by_hand(&fixture, directory.path()).await?);
    fixture.leave(disposition("Destroy", &[])).await?;
    let volume = fixture.held("data")?.volume.name_any();
    let failed = |v: &PersistentVolume| phase(v) == "Failed";
    until(fixture.department.volumes().await?, &volume, "fails", PATIENCE, failed).await?;
    ensure!(fs::read_to_string(directory.path().join("record"))? == "手工的数据", "it went all the same");
    let admin: Api<PersistentVolume> =
        Api::all(fixture.department.cluster().client(Actor::PlatformAdmin).await?);
    // The provider clears the storage itself, and then the object, which the guard allows once its policy is Delete.
    let free = async {
        fs::remove_dir_all(directory.path())?;
        // By hand: announced, recorded, and then allowed.
        e2e::fixtures::refusal(admin.delete(&volume, &DeleteParams::default()).await.map_err(Into::into))?;
        let by =
            json!({"metadata": {"annotations": {"govcloud.dev/removed-by": Actor::PlatformAdmin.user()}}});
        admin.patch(&volume, &PatchParams::default(), &Patch::Merge(by)).await?;
        let recorded = |v: &PersistentVolume| v.labels().contains_key("govcloud.dev/removal-recorded");
        until(admin.clone(), &volume, "is recorded as removed by hand", PATIENCE, recorded).await?;
        admin.delete(&volume, &DeleteParams::default()).await.map(drop).map_err(Into::into)
    };
    plays(&turn, &fixture, &[&volume, "Failed", "RemoveAll"], free, VolumeOutcome::Destroyed).await?;
    let exit = fixture.phase("Completed").await?;
    let told = &exit.data["status"]["certificate"]["volumes"][0];
    let by = Actor::PlatformAdmin.user();
    ensure!(told["outcome"] == "Removed" && told["removedBy"] == by, "{told}");
    drop(fixture);
    turn.done().await
}

/// A volume that the provider made by hand for the claim `data`.
async fn by_hand(fixture: &Fixture, directory: &std::path::Path) -> Result<Held> {
    let content = "手工的数据".to_owned();
    fs::write(directory.join("record"), &content)?;
    let name = format!("by-hand-{}", fixture.department.namespace);
    let volume: PersistentVolume = serde_json::from_value(json!({
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "hostpath",
            "persistentVolumeReclaimPolicy": "Retain", "hostPath": {"path": format!("{}/.", directory.display())},
            "claimRef": {"namespace": fixture.tenant("prod"), "name": "data"},
        },
    }))?;
    let volumes = fixture.department.volumes().await?;
    volumes.create(&PostParams::default(), &volume).await?;
    // Once its phase is written the controller knows of it: a claim that it sees first gets a volume made for it.
    until(volumes.clone(), &name, "can be claimed", PATIENCE, |v| phase(v) == "Available").await?;
    let claims: Api<PersistentVolumeClaim> = fixture.claims(Actor::Admin).await?;
    let claim = serde_json::from_value(json!({
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "hostpath", "resources": {"requests": {"storage": "1Gi"}}},
    }))?;
    claims.create(&PostParams::default(), &claim).await?;
    let uid = fixture.app.uid();
    let kept = |v: &PersistentVolume| {
        phase(v) == "Bound" && v.labels().get("govcloud.dev/application-uid") == uid.as_ref()
    };
    let volume = until(volumes, &name, "is bound and kept", PATIENCE, kept).await?;
    Ok(Held { claim: "data".to_owned(), volume, directory: directory.to_owned(), content })
}
