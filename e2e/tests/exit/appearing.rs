//! While resources are reclaimed, disappearance is progress and appearance halts (design, section 6, step 5).

use std::fs;

use anyhow::{Result, ensure};
use e2e::actors::Actor;
use e2e::fixtures::Kind;
use e2e::suite::Context;
use k8s_openapi::api::core::v1::PersistentVolume;
use kube::api::{ApiResource, DeleteParams, DynamicObject, GroupVersionKind, PostParams};
use kube::{Api, ResourceExt};
use serde_json::json;

use crate::consent::{snapshot, snapshots};
use crate::fixture::{EXIT, Fixture, PATIENCE, VolumeOutcome, disposition};

/// A volume that says it served a claim here turns up: nobody consented to what is on it, so everything stops.
pub async fn a_volume_while_reclaiming(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data", "archive"]).await?;
    fixture.obstruct().await?;
    fixture.leave(disposition("Retain", &[("data", "Destroy")])).await?;
    fixture.phase("Reclaiming").await?;
    let directory = tempfile::tempdir()?;
    fs::write(directory.path().join("record"), "别人的数据")?;
    let name = format!("foreign-{}", fixture.department.namespace);
    let foreign: PersistentVolume = serde_json::from_value(json!({
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "by-hand",
            "persistentVolumeReclaimPolicy": "Retain", "hostPath": {"path": directory.path().display().to_string()},
            "claimRef": {"namespace": fixture.tenant("prod"), "name": "unheard-of", "uid": "5d3f0b5e-2a54-4a43-9c59-0c6d0f9f0a11"},
        },
    }))?;
    let volumes = fixture.department.volumes().await?;
    volumes.create(&PostParams::default(), &foreign).await?;
    let stalled = fixture.until_condition("Stalled", "VolumeAppeared").await?;
    let message = e2e::fixtures::condition(&stalled.data["status"], "Stalled")["message"].to_string();
    ensure!(message.contains("unheard-of"), "{message}");
    // Even when nothing else holds it, it does not complete.
    fixture.clear().await?;
    fixture.until_condition("Stalled", "VolumeAppeared").await?;
    ensure!(fs::read_to_string(directory.path().join("record"))? == "别人的数据", "the foreign was touched");
    volumes.delete(&name, &DeleteParams::default()).await?;
    fixture.phase("Completed").await?;
    ensure!(directory.path().join("record").exists(), "the foreign's directory went");
    fixture
        .assert_outcome(&[("data", VolumeOutcome::Destroyed), ("archive", VolumeOutcome::Retained)], true)
        .await
}

/// A snapshot goes with its namespace, and what it holds with it: where the department did not say `Destroy`, it is told,
/// and deletes it, or says so.
pub async fn a_snapshot_cannot_be_retained(context: Context) -> Result<()> {
    snapshots(&context).await?;
    let fixture = Fixture::open(&context, &["data"]).await?;
    let copy = snapshot(&fixture, fixture.department.applicant, "copy").await?;
    fixture.department.file(&fixture.manifest(disposition("Retain", &[]))?).await?;
    let judged = fixture.department.judged(Kind::Exit, EXIT, "SnapshotNotKept").await?;
    let message = e2e::fixtures::condition(&judged.data["status"], "Stalled")["message"].to_string();
    ensure!(message.contains("/copy"), "{message}");
    copy.delete("copy", &DeleteParams::default()).await?;
    fixture.consent().await?;
    fixture.approve().await?;
    fixture.phase("Completed").await?;
    fixture.assert_outcome(&[("data", VolumeOutcome::Retained)], true).await
}

/// Nothing is certified as destroyed while the content of a snapshot is there.
pub async fn a_snapshots_content_is_gone_before_it_is_certified(context: Context) -> Result<()> {
    snapshots(&context).await?;
    let fixture = Fixture::open(&context, &["data"]).await?;
    let copies = snapshot(&fixture, fixture.department.applicant, "copy").await?;
    let uid = copies.get("copy").await?.metadata.uid;
    let name = format!("content-{}", fixture.department.namespace);
    let kind = GroupVersionKind::gvk("snapshot.storage.k8s.io", "v1", "VolumeSnapshotContent");
    let kind = ApiResource::from_gvk_with_plural(&kind, "volumesnapshotcontents");
    let contents: Api<DynamicObject> = Api::all_with(fixture.department.admin().await?, &kind);
    let content = serde_json::from_value(json!({
        "apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshotContent", "metadata": {"name": name},
        "spec": {"deletionPolicy": "Retain", "volumeSnapshotRef": {"namespace": fixture.tenant("prod"), "name": "copy", "uid": uid}},
    }))?;
    contents.create(&PostParams::default(), &content).await?;
    fixture.leave(disposition("Destroy", &[])).await?;
    let volume = fixture.held("data")?.volume.name_any();
    let gone =
        || async { Ok(fixture.department.volumes().await?.get_opt(&volume).await?.is_none().then_some(())) };
    e2e::wait::eventually("the volume is gone", PATIENCE, gone).await?;
    let exit = fixture.phase("Reclaiming").await?;
    ensure!(exit.data["status"]["certificate"].is_null(), "{exit:?}");
    contents.delete(&name, &DeleteParams::default()).await?;
    let exit = fixture.phase("Completed").await?;
    let told = &exit.data["status"]["certificate"]["snapshots"][0];
    ensure!(told["name"] == "copy" && told["outcome"] == "Destroyed", "{told}");
    fixture.assert_outcome(&[("data", VolumeOutcome::Destroyed)], true).await
}

pub async fn a_snapshot_goes_with_its_namespace(context: Context) -> Result<()> {
    snapshots(&context).await?;
    let fixture = Fixture::open(&context, &["data"]).await?;
    snapshot(&fixture, fixture.department.applicant, "copy").await?;
    let copies = snapshot(&fixture, Actor::Admin, "copy").await?;
    fixture.leave(disposition("Destroy", &[])).await?;
    let exit = fixture.phase("Completed").await?;
    ensure!(exit.data["status"]["inventory"]["snapshots"][0]["name"] == "copy", "{exit:?}");
    ensure!(copies.get_opt("copy").await?.is_none(), "the snapshot stays without its namespace");
    fixture.assert_outcome(&[("data", VolumeOutcome::Destroyed)], true).await
}
