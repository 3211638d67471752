//! The life of a department's system in the province's region, and what a neighbour notices of it: nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::fixtures::{self, Department, HENAN, Kind, PATIENCE, condition};
use e2e::suite::Context;
use e2e::volumes;
use e2e::wait::{eventually, until, until_gone};
use govcloud_api::decommission::Decommission;
use govcloud_domain::decommission::certificate_digest;
use k8s_openapi::api::core::v1::{Namespace, PersistentVolume, PersistentVolumeClaim};
use kube::api::{DeleteParams, DynamicObject, ListParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use super::tenant;

const DISPOSITION: &str =
    r#"{"default": "Retain", "volumes": [{"namespace": "prod", "claim": "data", "action": "Destroy"}]}"#;

/// UIDs of everything that stands in a tenant namespace, by kind and name.
async fn standing(department: &Department, tenant: &str) -> Result<BTreeMap<String, String>> {
    let kinds = "resourcequotas,limitranges,networkpolicies,rolebindings,persistentvolumeclaims,configmaps";
    let kubectl = department.cluster().kubectl(Actor::Admin);
    let text = kubectl.run(&["get", kinds, "-n", tenant, "-o", "json"]).await?;
    let mut found: Value = serde_json::from_str(&text)?;
    let namespace = kubectl.run(&["get", "namespace", tenant, "-o", "json"]).await?;
    found["items"].as_array_mut().context("no items")?.push(serde_json::from_str(&namespace)?);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let of = |o: &Value| {
        let (kind, name) = (text(&o["kind"]), text(&o["metadata"]["name"]));
        (format!("{kind}/{name}"), text(&o["metadata"]["uid"]))
    };
    Ok(found["items"].as_array().into_iter().flatten().map(of).collect())
}

/// A volume of the life, with the directory behind it.
struct Held {
    volume: PersistentVolume,
    directory: PathBuf,
}

impl Held {
    async fn fill(department: &Department, tenant: &str, claim: &str) -> Result<Self> {
        let volume = department.fill(tenant, claim, &content(claim)).await?;
        let directory = volumes::directory(&volume)?;
        Ok(Self { volume, directory })
    }

    fn uid(&self) -> String {
        self.volume.uid().unwrap_or_default()
    }

    fn kept(&self, claim: &str) -> Result<()> {
        let read = fs::read_to_string(self.directory.join("record")).context(claim.to_owned())?;
        ensure!(read == content(claim), "{claim} holds {read:?}");
        Ok(())
    }
}

fn content(claim: &str) -> String {
    format!("{claim} 的真实数据：洛阳龙门 → 郑州东")
}

pub async fn lifecycle_from_application_to_certificate(context: Context) -> Result<()> {
    let cluster = &context.cluster;
    fixtures::regions(cluster).await?;
    let namespace = context.filing_namespace("dept-life", HENAN).await?;
    let department = Department::open(cluster, &namespace, HENAN).await?;
    let other = context.filing_namespace("dept-other", HENAN).await?;
    let other = Department::open(cluster, &other, HENAN).await?;

    // Two neighbours, one in the same department, one in another; both live on.
    let neighbour = other.provision(other.application("travel")?);
    let sibling = department.provision(department.application("sibling")?);
    let life = department.provision(department.application("travel")?);
    let (neighbour, sibling, life) = tokio::try_join!(neighbour, sibling, life)?;
    let (theirs, _) = Department::tenant(&neighbour, "prod")?;
    let (sisters, _) = Department::tenant(&sibling, "prod")?;
    let (tenant, tenant_uid) = Department::tenant(&life, "prod")?;
    context.dump_on_failure(&tenant);
    let mut compared = tenant::is_as_applied_for(&department, &life, &tenant).await?;
    compared += tenant::is_as_applied_for(&other, &neighbour, &theirs).await?;
    let kept_by_others =
        (Held::fill(&department, &sisters, "data").await?, Held::fill(&other, &theirs, "data").await?);
    let before = (standing(&department, &sisters).await?, standing(&other, &theirs).await?);

    let drifts = tenant::drift_is_put_right(&department, &tenant).await?;
    compared += tenant::is_as_applied_for(&department, &life, &tenant).await?;

    let data = Held::fill(&department, &tenant, "data").await?;
    let archive = Held::fill(&department, &tenant, "archive").await?;
    let lost = Held::fill(&department, &tenant, "lost").await?;
    let live = department.go_live("travel").await?;
    ensure!(condition(&live.data["status"], "OnTime")["status"] == "True", "it is late: {live:?}");

    enlarge(&department, &tenant).await?;
    unclaim(&department, &tenant, &lost).await?;
    let exit = leave(&department, &[&data, &archive, &lost]).await?;
    check_certificate(&exit, &[(&data, "Destroyed"), (&archive, "Retained"), (&lost, "Retained")])?;
    let namespaces: Api<Namespace> = Api::all(department.admin().await?);
    until_gone(namespaces, &tenant, Some(&tenant_uid), PATIENCE).await?;
    ensure!(!data.directory.exists(), "the destroyed volume's directory is still there");
    archive.kept("archive")?;
    lost.kept("lost")?;
    records_stay(&department).await?;

    later_the_archive_goes(&department, &archive, &lost).await?;

    let after = (standing(&department, &sisters).await?, standing(&other, &theirs).await?);
    ensure!(before == after, "neighbours were touched: {before:?}\n{after:?}");
    kept_by_others.0.kept("data")?;
    kept_by_others.1.kept("data")?;
    let untouched = after.0.len() + after.1.len();
    println!(
        "life: {compared} tenant fields compared, {drifts} drifts put right, 3 volumes decided on, {untouched} objects of neighbours untouched"
    );
    Ok(())
}

/// A change enlarges the quota: the same objects, with more in them.
async fn enlarge(department: &Department, tenant: &str) -> Result<()> {
    let small = standing(department, tenant).await?;
    department.enlarge("travel-enlarge", "travel").await?;
    ensure!(standing(department, tenant).await? == small, "enlarging made other objects");
    let quota = department.cluster().kubectl(Actor::Admin);
    let quota = quota.run(&["get", "resourcequota", "govcloud", "-n", tenant, "-o", "json"]).await?;
    let quota: Value = serde_json::from_str(&quota)?;
    ensure!(
        quota["spec"]["hard"]["requests.cpu"] == "16" && quota["spec"]["hard"]["pods"] == "100",
        "{quota}"
    );
    Ok(())
}

/// The department deletes a claim: the volume stays, and is listed.
async fn unclaim(department: &Department, tenant: &str, lost: &Held) -> Result<()> {
    let client = department.cluster().client(department.applicant).await?;
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(client, tenant);
    claims.delete("lost", &DeleteParams::default()).await?;
    let listed = |status: &Value| {
        let unclaimed = status["unclaimedVolumes"].as_array();
        unclaimed.is_some_and(|u| u.len() == 1 && u[0]["uid"] == lost.uid() && u[0]["claim"] == "lost")
    };
    department.until(Kind::Application, "travel", "lists the unclaimed volume", listed).await?;
    let name = lost.volume.name_any();
    let released =
        |v: &PersistentVolume| v.status.as_ref().and_then(|s| s.phase.as_deref()) == Some("Released");
    until(department.volumes().await?, &name, "is released", PATIENCE, released).await?;
    lost.kept("lost")
}

/// The exit: what is in the inventory, and then all the way.
async fn leave(department: &Department, held: &[&Held]) -> Result<DynamicObject> {
    let disposition: Value = serde_json::from_str(DISPOSITION)?;
    department.leave(department.exit("travel-exit", "travel", disposition)?).await?;
    let exit = department.phase(Kind::Exit, "travel-exit", "Completed").await?;
    department.phase(Kind::Application, "travel", "Exited").await?;
    let entries = exit.data["status"]["inventory"]["entries"].as_array().context("no inventory")?;
    let mut listed: Vec<&str> = entries.iter().filter_map(|e| e["volumeUID"].as_str()).collect();
    listed.sort_unstable();
    let mut uids: Vec<String> = held.iter().map(|h| h.uid()).collect();
    uids.sort_unstable();
    ensure!(listed == uids, "the inventory lists {listed:?}, and there are {uids:?}");
    Ok(exit)
}

/// The certificate says what became of each volume, and its digest is over all of it.
fn check_certificate(exit: &DynamicObject, fates: &[(&Held, &str)]) -> Result<()> {
    let typed: Decommission = serde_json::from_value(serde_json::to_value(exit)?)?;
    let certificate = typed.status.and_then(|s| s.certificate).context("no certificate")?;
    ensure!(certificate.digest == certificate_digest(&certificate), "the certificate's digest is another");
    let mut altered = certificate.clone();
    altered.volumes[0].volume_uid.push('0');
    ensure!(certificate_digest(&altered) != certificate.digest, "the digest does not cover the volumes");
    ensure!(certificate.volumes.len() == fates.len(), "{certificate:?}");
    for (held, outcome) in fates {
        let fate =
            certificate.volumes.iter().find(|f| f.volume_uid == held.uid()).context("a volume is missing")?;
        ensure!(format!("{:?}", fate.outcome) == *outcome, "{fate:?}, and not {outcome}");
    }
    Ok(())
}

/// Both records, the grant and the change stay, with their timelines.
async fn records_stay(department: &Department) -> Result<()> {
    for (kind, name, phase, events) in [
        (
            Kind::Application,
            "travel",
            "Exited",
            &["Submitted", "Approved", "Provisioned", "WentLive", "Reported", "Exited"][..],
        ),
        (Kind::Grant, "travel", "Released", &["InForce", "Released"]),
        (Kind::Change, "travel-enlarge", "Completed", &["Submitted", "Approved", "Applied"]),
        (
            Kind::Exit,
            "travel-exit",
            "Completed",
            &["InventoryPublished", "Consented", "Approved", "Reclaiming", "Reclaimed"],
        ),
    ] {
        let record = department.phase(kind, name, phase).await?;
        let timeline = record.data["status"]["timeline"].as_array().context("no timeline")?;
        let happened: Vec<&str> = timeline.iter().filter_map(|t| t["event"].as_str()).collect();
        let mut rest = happened.iter();
        let in_order = events.iter().all(|e| rest.any(|h| h == e));
        ensure!(in_order, "{name} lived {happened:?}, not through {events:?} in this order");
    }
    Ok(())
}

/// Afterwards, of what was retained, one volume is destroyed upon the department's word and a decision of its own.
async fn later_the_archive_goes(department: &Department, archive: &Held, lost: &Held) -> Result<()> {
    let disposition = json!({
        "default": "Retain", "volumes": [{"namespace": "prod", "claim": "archive", "action": "Destroy"}],
    });
    let mut manifest = department.exit("travel-archive", "travel", disposition)?;
    manifest["spec"]["scope"] = json!("Volumes");
    department.leave(manifest).await?;
    let exit = department.phase(Kind::Exit, "travel-archive", "Completed").await?;
    check_certificate(&exit, &[(archive, "Destroyed"), (lost, "Retained")])?;
    let gone = || async { Ok((!archive.directory.exists()).then_some(())) };
    eventually("the archive's directory is gone", PATIENCE, gone).await?;
    lost.kept("lost")?;
    let all = department.volumes().await?.list(&ListParams::default()).await?.items;
    ensure!(all.iter().all(|v| v.uid() != archive.volume.uid()), "the archive's volume is still there");
    let application = department.get(Kind::Application, "travel").await?;
    ensure!(application.data["status"]["phase"] == "Exited", "the application lives again");
    Ok(())
}
