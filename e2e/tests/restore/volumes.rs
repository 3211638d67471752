//! A cluster is lost with all that is in it, and its storage is not: the volumes of a tenant come back with their data.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::fixtures::{self, Department, HENAN, Kind, PATIENCE, condition, refusal};
use e2e::suite::Context;
use e2e::volumes;
use e2e::wait::until;
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use kube::api::PostParams;
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};

use super::{backup, loss};

/// Policies that keep what is lost here.
const GUARDS: [&str; 4] =
    ["govcloud-record-deletion", "govcloud-grants", "govcloud-tenant-namespaces", "govcloud-volumes"];

/// Annotations by which the binder knows what it bound; Velero takes them off claims and volumes.
const BINDING: [&str; 2] = ["pv.kubernetes.io/bind-completed", "pv.kubernetes.io/bound-by-controller"];

/// Content of the volume.
const DATA: &str = "恢复前后都在的数据";

/// Backup of a tenant's volume.
struct Backup {
    claim: Value,
    volume: Value,
}

impl Backup {
    /// The claim and its volume, as Velero hands them to the modifiers: a volume that is retained and has no snapshot is
    /// restored as it is, without the UID of its claim.
    async fn of(client: &Client, tenant: &str, volume: &PersistentVolume) -> Result<Self> {
        let claims: Api<PersistentVolumeClaim> = Api::namespaced(client.clone(), tenant);
        let mut claim = backup::stripped(&claims.get("data").await?, Some(tenant))?;
        let mut volume = backup::stripped(volume, None)?;
        for object in [&mut claim, &mut volume] {
            if let Some(annotations) = object["metadata"]["annotations"].as_object_mut() {
                annotations.retain(|key, _| {
                    !BINDING.contains(&key.as_str()) && !key.contains("storage-provisioner")
                });
            }
        }
        let reference = volume["spec"]["claimRef"].as_object_mut().context("not bound")?;
        reference.retain(|key, _| key != "uid" && key != "resourceVersion");
        Ok(Self { claim, volume })
    }

    /// Answers of the API server to both without the modifier.
    async fn refused_without_modifier(&self, client: &Client, tenant: &str) -> Result<()> {
        let post = PostParams { dry_run: true, ..PostParams::default() };
        let volume: PersistentVolume = serde_json::from_value(self.volume.clone())?;
        let said = refusal(Api::all(client.clone()).create(&post, &volume).await.map_err(Into::into))?;
        ensure!(said.contains("is not created with label govcloud.dev/application-uid"), "{said}");
        let claim: PersistentVolumeClaim = serde_json::from_value(self.claim.clone())?;
        let claims = Api::<PersistentVolumeClaim>::namespaced(client.clone(), tenant);
        let said = refusal(claims.create(&post, &claim).await.map_err(Into::into))?;
        ensure!(said.contains("names no volume"), "{said}");
        Ok(())
    }

    /// Restores the volume, and then the claim, as Velero orders them.
    async fn restore(&self, client: &Client, tenant: &str) -> Result<PersistentVolumeClaim> {
        let post = PostParams::default();
        let volume: PersistentVolume =
            serde_json::from_value(backup::modified("persistentvolumes", &self.volume).await?)?;
        Api::all(client.clone()).create(&post, &volume).await.context("Velero's volume")?;
        let claim: PersistentVolumeClaim =
            serde_json::from_value(backup::modified("persistentvolumeclaims", &self.claim).await?)?;
        let claims = Api::<PersistentVolumeClaim>::namespaced(client.clone(), tenant);
        claims.create(&post, &claim).await.context("Velero's claim")?;
        let bound =
            |c: &PersistentVolumeClaim| c.status.as_ref().and_then(|s| s.phase.as_deref()) == Some("Bound");
        until(claims, "data", "is bound", PATIENCE, bound).await
    }
}

pub async fn velero_restores_volumes_with_their_data(context: Context) -> Result<()> {
    fixtures::regions(&context.cluster).await?;
    let namespace = context.filing_namespace("dept-lost", HENAN).await?;
    let department = Department::open(&context.cluster, &namespace, HENAN).await?;
    let first = department.provision(department.application("travel")?).await?;
    let (tenant, _) = Department::tenant(&first, "prod")?;
    context.dump_on_failure(&tenant);
    let volume = department.fill(&tenant, "data", DATA).await?;
    let velero = context.cluster.client(Actor::PlatformAdmin).await?;
    let marked =
        |v: &PersistentVolume| v.labels().get("govcloud.dev/application-uid") == first.uid().as_ref();
    let volume =
        until(department.volumes().await?, &volume.name_any(), "is labelled", PATIENCE, marked).await?;
    let held = Backup::of(&velero, &tenant, &volume).await?;

    lose(&context, &namespace, &tenant, &volume).await?;
    let second = decided_again(&department, &first).await?;
    ensure!(
        Department::tenant(&second, "prod")?.0 == tenant,
        "the names are the same, and so is the namespace's"
    );
    held.refused_without_modifier(&velero, &tenant).await?;
    let claim = held.restore(&velero, &tenant).await?;
    ensure!(claim.spec.and_then(|s| s.volume_name) == volume.metadata.name, "the claim got another volume");

    let marked =
        |v: &PersistentVolume| v.labels().get("govcloud.dev/application-uid") == second.uid().as_ref();
    let now = until(department.volumes().await?, &volume.name_any(), "is the new record's", PATIENCE, marked)
        .await?;
    let policy = now.spec.as_ref().and_then(|s| s.persistent_volume_reclaim_policy.clone());
    ensure!(policy.as_deref() == Some("Retain"), "{policy:?}");
    ensure!(fs::read_to_string(volumes::directory(&now)?.join("record"))? == DATA, "the data is another");
    listed_in_an_exit(&department, &now).await?;
    println!(
        "restore: a volume without its modifier refused twice; with it bound by name, with its data, in the inventory"
    );
    Ok(())
}

/// Loses the records, the namespace with its claim, and the volume; its directory stays.
async fn lose(context: &Context, namespace: &str, tenant: &str, volume: &PersistentVolume) -> Result<()> {
    let name = volume.name_any();
    let what = [["capp", "travel"], ["grant", "travel"], ["namespace", tenant], ["pv", name.as_str()]];
    loss::lose(context, &GUARDS, namespace, &what).await?;
    ensure!(volumes::directory(volume)?.join("record").exists(), "the storage is lost as well");
    Ok(())
}

/// Velero restores the record, and the authority decides on it anew.
async fn decided_again(
    department: &Department,
    lost: &kube::api::DynamicObject,
) -> Result<kube::api::DynamicObject> {
    let api = department.api(Actor::PlatformAdmin, Kind::Application).await?;
    let record = backup::restored(lost, Kind::Application).await?;
    api.create(&PostParams::default(), &record).await.context("Velero's record")?;
    let waits = |s: &Value| condition(s, "Reconciling")["reason"] == "AwaitingDecision";
    department.until(Kind::Application, "travel", "waits for its decision", waits).await?;
    department.approve(Kind::Application, "travel").await?;
    department.phase(Kind::Application, "travel", "Provisioned").await
}

/// The department decides on the restored volume like on any other (S2).
async fn listed_in_an_exit(department: &Department, volume: &PersistentVolume) -> Result<()> {
    department.file(&department.exit("leave", "travel", json!({"default": "Retain"}))?).await?;
    let exit = department.phase(Kind::Exit, "leave", "AwaitingConsent").await?;
    let entries = exit.data["status"]["inventory"]["entries"].as_array().cloned().unwrap_or_default();
    let listed = entries.iter().any(|e| {
        e["claim"] == "data" && e["volume"] == volume.name_any() && e["volumeUID"] == json!(volume.uid())
    });
    ensure!(entries.len() == 1 && listed, "{entries:?}");
    Ok(())
}
