//! Each reason, each action, default and by volume, all the way.

use anyhow::{Context as _, Result, ensure};
use e2e::actors::{self, Actor};
use e2e::fixtures::{Kind, refusal};
use e2e::suite::Context;
use govcloud_api::decommission::Decommission;
use govcloud_domain::decommission::certificate_digest;
use kube::api::{DynamicObject, Patch, PatchParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use crate::desk::{Desk, EXIT, Fate, disposition};

/// The certificate says what became of each volume, and its digest is over all of it.
pub fn certified(exit: &DynamicObject, desk: &Desk, outcomes: &[(&str, &str)]) -> Result<()> {
    let typed: Decommission = serde_json::from_value(serde_json::to_value(exit)?)?;
    let certificate = typed.status.and_then(|s| s.certificate).context("no certificate")?;
    ensure!(certificate.digest == certificate_digest(&certificate), "the digest is another");
    ensure!(certificate.volumes.len() == outcomes.len(), "{certificate:?}");
    for (claim, outcome) in outcomes {
        let uid = desk.held(claim)?.uid();
        let fate = certificate.volumes.iter().find(|f| f.volume_uid == uid).context("a volume is missing")?;
        ensure!(format!("{:?}", fate.outcome) == *outcome, "{fate:?}, and not {outcome}");
    }
    Ok(())
}

async fn all_the_way(desk: &Desk, how: Value, fates: &[(&str, Fate)]) -> Result<DynamicObject> {
    desk.leave(how).await?;
    let exit = desk.phase("Completed").await?;
    desk.app_phase("Exited").await?;
    let outcomes: Vec<(&str, &str)> = fates
        .iter()
        .map(|(c, f)| (*c, if *f == Fate::Destroyed { "Destroyed" } else { "Retained" }))
        .collect();
    certified(&exit, desk, &outcomes)?;
    desk.ends(fates, true).await?;
    Ok(exit)
}

pub async fn everything_is_destroyed(context: Context) -> Result<()> {
    let desk = Desk::open(&context, &["data", "archive"]).await?;
    let fates = [("data", Fate::Destroyed), ("archive", Fate::Destroyed)];
    all_the_way(&desk, disposition("Destroy", &[]), &fates).await.map(drop)
}

pub async fn everything_is_retained(context: Context) -> Result<()> {
    let desk = Desk::open(&context, &["data", "archive"]).await?;
    let fates = [("data", Fate::Retained), ("archive", Fate::Retained)];
    all_the_way(&desk, disposition("Retain", &[]), &fates).await.map(drop)
}

pub async fn one_of_many_is_destroyed(context: Context) -> Result<()> {
    let desk = Desk::open(&context, &["data", "archive", "logs"]).await?;
    let fates = [("data", Fate::Destroyed), ("archive", Fate::Retained), ("logs", Fate::Retained)];
    all_the_way(&desk, disposition("Retain", &[("data", "Destroy")]), &fates).await.map(drop)
}

pub async fn all_but_one_are_destroyed(context: Context) -> Result<()> {
    let desk = Desk::open(&context, &["data", "archive", "logs"]).await?;
    let fates = [("data", Fate::Destroyed), ("archive", Fate::Retained), ("logs", Fate::Destroyed)];
    all_the_way(&desk, disposition("Destroy", &[("archive", "Retain")]), &fates).await.map(drop)
}

/// A disposition names the entry, so the namesake in the other namespace is another volume.
pub async fn the_same_claim_in_two_namespaces(context: Context) -> Result<()> {
    let two = |m: &mut Value| {
        let prod = m["spec"]["namespaces"][0].clone();
        let mut test = prod.clone();
        test["name"] = json!("test");
        m["spec"]["namespaces"] = json!([prod, test]);
    };
    let mut desk = Desk::with(&context, two, &[("prod", "data"), ("test", "data")]).await?;
    // Told apart here by their namespace.
    for held in &mut desk.held {
        let of = held.volume.spec.as_ref().and_then(|s| s.claim_ref.as_ref()?.namespace.clone());
        let test = desk.tenants["test"].0 == of.unwrap_or_default();
        held.claim = if test { "data of test" } else { "data of prod" }.to_owned();
    }
    let how = json!({"default": "Retain", "volumes": [{"namespace": "test", "claim": "data", "action": "Destroy"}]});
    let fates = [("data of prod", Fate::Retained), ("data of test", Fate::Destroyed)];
    all_the_way(&desk, how, &fates).await.map(drop)
}

pub async fn all_three_actions_at_once(context: Context) -> Result<()> {
    let desk = Desk::open(&context, &["data", "archive", "letters"]).await?;
    desk.leave(disposition("Retain", &[("data", "Destroy"), ("letters", "HandOver")])).await?;
    desk.department
        .until(Kind::Exit, EXIT, "awaits the receipt", |s| s["waitingFor"] == "HandOverReceipt")
        .await?;
    desk.receive("letters").await?;
    let exit = desk.phase("Completed").await?;
    certified(&exit, &desk, &[("data", "Destroyed"), ("archive", "Retained"), ("letters", "HandedOver")])?;
    let fates = [("data", Fate::Destroyed), ("archive", Fate::Retained), ("letters", Fate::Destroyed)];
    desk.ends(&fates, true).await
}

/// Art. 28: filed by the department at contract end; the provider's help has a clock of its own.
pub async fn at_contract_end(context: Context) -> Result<()> {
    let desk = Desk::open(&context, &["data"]).await?;
    let mut manifest = desk.manifest(disposition("HandOver", &[]))?;
    manifest["spec"]["reason"] = json!("ContractEnded");
    desk.department.file(&manifest).await?;
    desk.consent().await?;
    desk.approve().await?;
    let migration = |s: &Value| {
        let all = s["deadlines"].as_array().cloned().unwrap_or_default();
        all.into_iter().find(|d| d["obligation"] == "Migration").unwrap_or_default()
    };
    // It stands while the department copies its data.
    let stands = |s: &Value| {
        let d = migration(s);
        d["pauses"][0]["waitingOn"] == "Department"
            && d["pauses"][0]["to"].is_null()
            && d["workingDays"] == 30
    };
    desk.department.until(Kind::Exit, EXIT, "has a clock for moving out that stands", stands).await?;
    desk.receive("data").await?;
    let exit = desk.phase("Completed").await?;
    let met = migration(&exit.data["status"]);
    ensure!(met["metAt"].is_string() && met["party"] == "Provider" && met["article"] == 28, "{met}");
    certified(&exit, &desk, &[("data", "HandedOver")])?;
    desk.ends(&[("data", Fate::Destroyed)], true).await
}

/// Art. 28: the authority may file that exit, but not say `Destroy`; the word on the data stays the department's.
pub async fn terminated_by_the_authority(context: Context) -> Result<()> {
    let desk = Desk::open(&context, &["data", "archive"]).await?;
    let authority = desk.department.authority;
    let mut manifest = desk.manifest(disposition("Destroy", &[]))?;
    manifest["spec"]["reason"] = json!("ContractTerminated");
    refusal(desk.department.file_as(authority, &manifest).await).context("the authority says Destroy")?;
    manifest["spec"]["disposition"] = disposition("Retain", &[("data", "Destroy")]);
    refusal(desk.department.file_as(authority, &manifest).await)
        .context("the authority says Destroy of one")?;
    manifest["spec"]["disposition"] = disposition("Retain", &[]);
    desk.department.file_as(authority, &manifest).await?;
    let exit = desk.phase("AwaitingConsent").await?;
    let consent =
        json!({"spec": {"consent": {"inventoryDigest": exit.data["status"]["inventory"]["digest"]}}});
    refusal(desk.department.amend_as(authority, Kind::Exit, EXIT, consent).await)
        .context("the authority consents")?;
    desk.consent().await?;
    // Who filed it does not decide on it: a colleague does.
    let judged = desk.department.judged(Kind::Exit, EXIT, "Valid").await?;
    let approval = json!({"metadata": {"annotations": {
        "govcloud.dev/decision": "approved", "govcloud.dev/opinion": "同意",
        "govcloud.dev/reviewed-generation": judged.metadata.generation.unwrap_or_default().to_string(),
    }}});
    refusal(desk.department.amend_as(authority, Kind::Exit, EXIT, approval.clone()).await)
        .context("who filed it approves it")?;
    let colleague = colleague(&desk).await?;
    colleague.patch(EXIT, &PatchParams::default(), &Patch::Merge(approval)).await?;
    let exit = desk.phase("Completed").await?;
    ensure!(exit.data["status"]["decision"]["by"] == "authority-colleague", "{exit:?}");
    certified(&exit, &desk, &[("data", "Retained"), ("archive", "Retained")])?;
    desk.ends(&[("data", Fate::Retained), ("archive", Fate::Retained)], true).await
}

/// The exits of this department, as a second officer of the same authority.
pub async fn colleague(desk: &Desk) -> Result<Api<DynamicObject>> {
    let plane = &desk.department.cluster().plane;
    let user = "authority-colleague";
    let file = actors::kubeconfig(plane.root(), &format!("{user}-{}", desk.department.namespace));
    let group = Actor::Authority410000.group();
    actors::write_certificate(plane.server(), plane.pki(), &file, user, group)?;
    let client = actors::client(&file).await?;
    Ok(Api::namespaced_with(client, &desk.department.namespace, &Kind::Exit.resource()))
}

pub async fn a_live_system_with_its_change(context: Context) -> Result<()> {
    let desk = Desk::open(&context, &["data"]).await?;
    desk.department.go_live(crate::desk::APP).await?;
    desk.department.enlarge("enlarge", crate::desk::APP).await?;
    let exit = all_the_way(&desk, disposition("Destroy", &[]), &[("data", Fate::Destroyed)]).await?;
    ensure!(exit.name_any() == EXIT);
    let app = desk.app_phase("Exited").await?;
    let deadlines = app.data["status"]["deadlines"].as_array().context("no deadlines")?;
    ensure!(deadlines.iter().all(|d| d["metAt"].is_string() || d["closedAt"].is_string()), "{deadlines:?}");
    Ok(())
}
