//! While resources are reclaimed, disappearance is progress and appearance halts (design, section 6, step 5).

use std::fs;

use anyhow::{Result, ensure};
use e2e::actors::Actor;
use e2e::fixtures::Kind;
use e2e::suite::Context;
use k8s_openapi::api::core::v1::PersistentVolume;
use kube::api::{DeleteParams, PostParams};
use serde_json::json;

use crate::consent::{snapshot, snapshots};
use crate::desk::{Desk, EXIT, Fate, disposition};

/// A volume that says it served a claim here turns up: nobody consented to what is on it, so everything stops.
pub async fn a_volume_while_reclaiming(context: Context) -> Result<()> {
    let desk = Desk::open(&context, &["data", "archive"]).await?;
    desk.obstruct().await?;
    desk.leave(disposition("Retain", &[("data", "Destroy")])).await?;
    desk.phase("Reclaiming").await?;
    let directory = tempfile::tempdir()?;
    fs::write(directory.path().join("record"), "别人的数据")?;
    let name = format!("foreign-{}", desk.department.namespace);
    let foreign: PersistentVolume = serde_json::from_value(json!({
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "by-hand",
            "persistentVolumeReclaimPolicy": "Retain", "hostPath": {"path": directory.path().display().to_string()},
            "claimRef": {"namespace": desk.tenant("prod"), "name": "unheard-of", "uid": "5d3f0b5e-2a54-4a43-9c59-0c6d0f9f0a11"},
        },
    }))?;
    let volumes = desk.department.volumes().await?;
    volumes.create(&PostParams::default(), &foreign).await?;
    let stalled = desk.stands("Stalled", "VolumeAppeared").await?;
    let message = e2e::fixtures::condition(&stalled.data["status"], "Stalled")["message"].to_string();
    ensure!(message.contains("unheard-of"), "{message}");
    // Even when nothing else holds it, it does not complete.
    desk.clear().await?;
    desk.stands("Stalled", "VolumeAppeared").await?;
    ensure!(fs::read_to_string(directory.path().join("record"))? == "别人的数据", "the foreign was touched");
    volumes.delete(&name, &DeleteParams::default()).await?;
    desk.phase("Completed").await?;
    ensure!(directory.path().join("record").exists(), "the foreign's directory went");
    desk.ends(&[("data", Fate::Destroyed), ("archive", Fate::Retained)], true).await
}

/// A snapshot goes with its namespace, and what it holds with it: where the department did not say `Destroy`, it is told,
/// and deletes it, or says so.
pub async fn a_snapshot_cannot_be_retained(context: Context) -> Result<()> {
    snapshots(&context).await?;
    let desk = Desk::open(&context, &["data"]).await?;
    let copy = snapshot(&desk, desk.department.applicant, "copy").await?;
    desk.department.file(&desk.manifest(disposition("Retain", &[]))?).await?;
    let judged = desk.department.judged(Kind::Exit, EXIT, "SnapshotNotKept").await?;
    let message = e2e::fixtures::condition(&judged.data["status"], "Stalled")["message"].to_string();
    ensure!(message.contains("/copy"), "{message}");
    copy.delete("copy", &DeleteParams::default()).await?;
    desk.consent().await?;
    desk.approve().await?;
    desk.phase("Completed").await?;
    desk.ends(&[("data", Fate::Retained)], true).await
}

pub async fn a_snapshot_goes_with_its_namespace(context: Context) -> Result<()> {
    snapshots(&context).await?;
    let desk = Desk::open(&context, &["data"]).await?;
    snapshot(&desk, desk.department.applicant, "copy").await?;
    let copies = snapshot(&desk, Actor::Admin, "copy").await?;
    desk.leave(disposition("Destroy", &[])).await?;
    let exit = desk.phase("Completed").await?;
    ensure!(exit.data["status"]["inventory"]["snapshots"][0]["name"] == "copy", "{exit:?}");
    ensure!(copies.get_opt("copy").await?.is_none(), "the snapshot stays without its namespace");
    desk.ends(&[("data", Fate::Destroyed)], true).await
}
