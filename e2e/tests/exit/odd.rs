//! Applications that are not quite as one thinks of them.

use anyhow::{Context as _, Result, ensure};
use e2e::fixtures::{Department, Kind, refusal};
use e2e::suite::Context;
use e2e::wait::until;
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::ResourceExt;
use kube::api::{DeleteParams, PostParams};
use serde_json::json;

use crate::fixture::{APP, EXIT, Fixture, PATIENCE, VolumeOutcome, disposition};

pub async fn no_volume_at_all(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &[]).await?;
    fixture.leave(disposition("Destroy", &[])).await?;
    let exit = fixture.phase("Completed").await?;
    ensure!(exit.data["status"]["certificate"]["volumes"] == json!([]), "{exit:?}");
    fixture.assert_outcome(&[], true).await
}

/// A claim that waits for its volume is in the inventory, and goes with the namespace.
pub async fn a_claim_without_a_volume(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data"]).await?;
    pending(&fixture, "waiting").await?;
    fixture.leave(disposition("Retain", &[])).await?;
    let exit = fixture.phase("Completed").await?;
    let entries = exit.data["status"]["inventory"]["entries"].as_array().context("no inventory")?;
    let waiting = entries.iter().find(|e| e["claim"] == "waiting").context("it is not listed")?;
    ensure!(waiting["volumeUID"].is_null(), "{waiting}");
    fixture.assert_outcome(&[("data", VolumeOutcome::Retained)], true).await
}

/// A claim that no provisioner here can serve: the host-path one makes no block volumes.
pub async fn pending(fixture: &Fixture, name: &str) -> Result<PersistentVolumeClaim> {
    let claims = fixture.claims(fixture.department.applicant).await?;
    let claim = serde_json::from_value(json!({
        "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteOnce"], "storageClassName": "hostpath", "volumeMode": "Block",
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }))?;
    Ok(claims.create(&PostParams::default(), &claim).await?)
}

/// An application that was never provisioned has nothing to decommission: reported, and not to be approved.
pub async fn never_provisioned(context: Context) -> Result<()> {
    crate::destructive_requests(&context).await?;
    let namespace = context.filing_namespace("dept", e2e::fixtures::HENAN).await?;
    let department = Department::open(&context.cluster, &namespace, e2e::fixtures::HENAN).await?;
    department.file(&department.application(APP)?).await?;
    department.judged(Kind::Application, APP, "Valid").await?;
    department.file(&department.exit(EXIT, APP, disposition("Destroy", &[]))?).await?;
    let judged = department.judged(Kind::Exit, EXIT, "ApplicationNotActive").await?;
    let approval = json!({"metadata": {"annotations": {
        "govcloud.dev/decision": "approved", "govcloud.dev/opinion": "同意",
        "govcloud.dev/reviewed-generation": judged.metadata.generation.unwrap_or_default().to_string(),
    }}});
    refusal(department.amend_as(department.authority, Kind::Exit, EXIT, approval).await)?;
    let app = department.get(Kind::Application, APP).await?;
    ensure!(app.data["status"]["phase"] == "Submitted", "{app:?}");
    // Once it is provisioned, the same exit is in order.
    department.approve(Kind::Application, APP).await?;
    department.phase(Kind::Exit, EXIT, "AwaitingConsent").await.map(drop)
}

/// Two systems of one department: one leaves, the other does not notice.
pub async fn a_shared_department(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data"]).await?;
    let department = &fixture.department;
    let other = department.provision(department.application("neighbour")?).await?;
    let (tenant, uid) = Department::tenant(&other, "prod")?;
    let volume = department.fill(&tenant, "data", "邻居").await?;
    let before = department.get(Kind::Application, "neighbour").await?;
    fixture.leave(disposition("Destroy", &[])).await?;
    fixture.phase("Completed").await?;
    fixture.assert_outcome(&[("data", VolumeOutcome::Destroyed)], true).await?;
    let after = department.get(Kind::Application, "neighbour").await?;
    ensure!(before.resource_version() == after.resource_version(), "its record was written");
    let still = department.volumes().await?.get(&volume.name_any()).await?;
    ensure!(crate::fixture::phase(&still) == "Bound" && still.uid() == volume.uid(), "{still:?}");
    let read = std::fs::read_to_string(e2e::volumes::directory(&volume)?.join("record"))?;
    ensure!(read == "邻居", "{read}");
    let namespaces: kube::Api<k8s_openapi::api::core::v1::Namespace> =
        kube::Api::all(department.admin().await?);
    ensure!(namespaces.get(&tenant).await?.uid() == Some(uid), "its namespace is another");
    Ok(())
}

/// A slip of the pen does not decide by default: it is said, corrected, and then goes on.
pub async fn a_claim_that_is_not_there(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data"]).await?;
    fixture.department.file(&fixture.manifest(disposition("Destroy", &[("dada", "Retain")]))?).await?;
    fixture.department.judged(Kind::Exit, EXIT, "UnknownVolume").await?;
    let right = json!({"spec": {"disposition": disposition("Destroy", &[("data", "Retain")])}});
    fixture.department.amend(Kind::Exit, EXIT, right).await?;
    fixture.consent().await?;
    fixture.approve().await?;
    fixture.phase("Completed").await?;
    fixture.assert_outcome(&[("data", VolumeOutcome::Retained)], true).await
}

/// The older goes first, and the younger destroys nothing.
pub async fn two_exits_at_once(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data"]).await?;
    fixture.file(disposition("Retain", &[])).await?;
    let mut second = fixture.manifest(disposition("Destroy", &[]))?;
    second["metadata"]["name"] = json!("second");
    // A second later, for that is how finely the API server's times tell older from younger.
    let first = fixture.department.get(Kind::Exit, EXIT).await?.creation_timestamp().context("no time")?.0;
    e2e::wait::eventually("another second", PATIENCE, || async {
        Ok((jiff::Timestamp::now().as_second() > first.as_second()).then_some(()))
    })
    .await?;
    fixture.department.file(&second).await?;
    let judged = fixture.department.judged(Kind::Exit, "second", "ApplicationNotActive").await?;
    let message = e2e::fixtures::condition(&judged.data["status"], "Valid")["message"].to_string();
    ensure!(message.contains("Decommission leaving on this application is still open"), "{message}");
    fixture.consent().await?;
    fixture.approve().await?;
    fixture.phase("Completed").await?;
    fixture.assert_outcome(&[("data", VolumeOutcome::Retained)], true).await?;
    fixture.department.judged(Kind::Exit, "second", "ApplicationNotActive").await.map(drop)
}

/// A volume whose claim the department deleted before is in the inventory all the same.
pub async fn an_unclaimed_volume_leaves_as_well(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data", "old"]).await?;
    let claims = fixture.claims(fixture.department.applicant).await?;
    claims.delete("old", &DeleteParams::default()).await?;
    let name = fixture.held("old")?.volume.name_any();
    let released = |v: &k8s_openapi::api::core::v1::PersistentVolume| crate::fixture::phase(v) == "Released";
    until(fixture.department.volumes().await?, &name, "is released", PATIENCE, released).await?;
    let uid = fixture.held("old")?.uid();
    let listed = |s: &serde_json::Value| s["unclaimedVolumes"][0]["uid"] == uid;
    fixture.department.until(Kind::Application, APP, "lists it as unclaimed", listed).await?;
    fixture.leave(disposition("Retain", &[("old", "Destroy")])).await?;
    fixture.phase("Completed").await?;
    fixture
        .assert_outcome(&[("data", VolumeOutcome::Retained), ("old", VolumeOutcome::Destroyed)], true)
        .await
}
