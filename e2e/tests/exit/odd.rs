//! Applications that are not quite as one thinks of them.

use anyhow::{Context as _, Result, ensure};
use e2e::fixtures::{Department, Kind, refusal};
use e2e::suite::Context;
use e2e::wait::until;
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::ResourceExt;
use kube::api::{DeleteParams, PostParams};
use serde_json::json;

use crate::desk::{APP, Desk, EXIT, Fate, PATIENCE, disposition};

pub async fn no_volume_at_all(context: Context) -> Result<()> {
    let desk = Desk::open(&context, &[]).await?;
    desk.leave(disposition("Destroy", &[])).await?;
    let exit = desk.phase("Completed").await?;
    ensure!(exit.data["status"]["certificate"]["volumes"] == json!([]), "{exit:?}");
    desk.ends(&[], true).await
}

/// A claim that waits for its volume is in the inventory, and goes with the namespace.
pub async fn a_claim_without_a_volume(context: Context) -> Result<()> {
    let desk = Desk::open(&context, &["data"]).await?;
    pending(&desk, "waiting").await?;
    desk.leave(disposition("Retain", &[])).await?;
    let exit = desk.phase("Completed").await?;
    let entries = exit.data["status"]["inventory"]["entries"].as_array().context("no inventory")?;
    let waiting = entries.iter().find(|e| e["claim"] == "waiting").context("it is not listed")?;
    ensure!(waiting["volumeUID"].is_null(), "{waiting}");
    desk.ends(&[("data", Fate::Retained)], true).await
}

/// A claim that no provisioner here can serve: the host-path one makes no block volumes.
pub async fn pending(desk: &Desk, name: &str) -> Result<PersistentVolumeClaim> {
    let claims = desk.claims(desk.department.applicant).await?;
    let claim = serde_json::from_value(json!({
        "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteOnce"], "storageClassName": "hostpath", "volumeMode": "Block",
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }))?;
    Ok(claims.create(&PostParams::default(), &claim).await?)
}

/// What was never provisioned has nothing to leave: said, and not to be approved.
pub async fn never_provisioned(context: Context) -> Result<()> {
    crate::ledger_of(&context).await?;
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
    let desk = Desk::open(&context, &["data"]).await?;
    let department = &desk.department;
    let other = department.provision(department.application("neighbour")?).await?;
    let (tenant, uid) = Department::tenant(&other, "prod")?;
    let volume = department.fill(&tenant, "data", "邻居").await?;
    let before = department.get(Kind::Application, "neighbour").await?;
    desk.leave(disposition("Destroy", &[])).await?;
    desk.phase("Completed").await?;
    desk.ends(&[("data", Fate::Destroyed)], true).await?;
    let after = department.get(Kind::Application, "neighbour").await?;
    ensure!(before.resource_version() == after.resource_version(), "its record was written");
    let still = department.volumes().await?.get(&volume.name_any()).await?;
    ensure!(crate::desk::phase(&still) == "Bound" && still.uid() == volume.uid(), "{still:?}");
    let read = std::fs::read_to_string(e2e::volumes::directory(&volume)?.join("record"))?;
    ensure!(read == "邻居", "{read}");
    let namespaces: kube::Api<k8s_openapi::api::core::v1::Namespace> =
        kube::Api::all(department.admin().await?);
    ensure!(namespaces.get(&tenant).await?.uid() == Some(uid), "its namespace is another");
    Ok(())
}

/// A slip of the pen does not decide by default: it is said, corrected, and then goes on.
pub async fn a_claim_that_is_not_there(context: Context) -> Result<()> {
    let desk = Desk::open(&context, &["data"]).await?;
    desk.department.file(&desk.manifest(disposition("Destroy", &[("dada", "Retain")]))?).await?;
    desk.department.judged(Kind::Exit, EXIT, "UnknownVolume").await?;
    let right = json!({"spec": {"disposition": disposition("Destroy", &[("data", "Retain")])}});
    desk.department.amend(Kind::Exit, EXIT, right).await?;
    desk.consent().await?;
    desk.approve().await?;
    desk.phase("Completed").await?;
    desk.ends(&[("data", Fate::Retained)], true).await
}

/// The older goes first, and the younger destroys nothing.
pub async fn two_exits_at_once(context: Context) -> Result<()> {
    let desk = Desk::open(&context, &["data"]).await?;
    desk.file(disposition("Retain", &[])).await?;
    let mut second = desk.manifest(disposition("Destroy", &[]))?;
    second["metadata"]["name"] = json!("second");
    // A second later, for that is how finely the API server's times tell older from younger.
    let first = desk.department.get(Kind::Exit, EXIT).await?.creation_timestamp().context("no time")?.0;
    e2e::wait::eventually("another second", PATIENCE, || async {
        Ok((jiff::Timestamp::now().as_second() > first.as_second()).then_some(()))
    })
    .await?;
    desk.department.file(&second).await?;
    let judged = desk.department.judged(Kind::Exit, "second", "ApplicationNotActive").await?;
    let message = e2e::fixtures::condition(&judged.data["status"], "Valid")["message"].to_string();
    ensure!(message.contains("Decommission leaving on this application is still open"), "{message}");
    desk.consent().await?;
    desk.approve().await?;
    desk.phase("Completed").await?;
    desk.ends(&[("data", Fate::Retained)], true).await?;
    desk.department.judged(Kind::Exit, "second", "ApplicationNotActive").await.map(drop)
}

/// A volume whose claim the department deleted before is in the inventory all the same.
pub async fn an_unclaimed_volume_leaves_as_well(context: Context) -> Result<()> {
    let desk = Desk::open(&context, &["data", "old"]).await?;
    let claims = desk.claims(desk.department.applicant).await?;
    claims.delete("old", &DeleteParams::default()).await?;
    let name = desk.held("old")?.volume.name_any();
    let released = |v: &k8s_openapi::api::core::v1::PersistentVolume| crate::desk::phase(v) == "Released";
    until(desk.department.volumes().await?, &name, "is released", PATIENCE, released).await?;
    let uid = desk.held("old")?.uid();
    let listed = |s: &serde_json::Value| s["unclaimedVolumes"][0]["uid"] == uid;
    desk.department.until(Kind::Application, APP, "lists it as unclaimed", listed).await?;
    desk.leave(disposition("Retain", &[("old", "Destroy")])).await?;
    desk.phase("Completed").await?;
    desk.ends(&[("data", Fate::Retained), ("old", Fate::Destroyed)], true).await
}
