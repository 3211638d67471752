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

use crate::fixture::{EXIT, Fixture, VolumeOutcome, disposition};

/// The certificate says what became of each volume, and its digest is over all of it.
pub fn certified(exit: &DynamicObject, fixture: &Fixture, outcomes: &[(&str, &str)]) -> Result<()> {
    let typed: Decommission = serde_json::from_value(serde_json::to_value(exit)?)?;
    let certificate = typed.status.and_then(|s| s.certificate).context("no certificate")?;
    ensure!(certificate.digest == certificate_digest(&certificate), "the digest is another");
    ensure!(certificate.volumes.len() == outcomes.len(), "{certificate:?}");
    for (claim, outcome) in outcomes {
        let uid = fixture.held(claim)?.uid();
        let volume =
            certificate.volumes.iter().find(|v| v.volume_uid == uid).context("a volume is missing")?;
        ensure!(format!("{:?}", volume.outcome) == *outcome, "{volume:?}, and not {outcome}");
    }
    Ok(())
}

async fn all_the_way(
    fixture: &Fixture,
    how: Value,
    outcomes: &[(&str, VolumeOutcome)],
) -> Result<DynamicObject> {
    fixture.leave(how).await?;
    let exit = fixture.phase("Completed").await?;
    fixture.app_phase("Exited").await?;
    let certificate: Vec<(&str, &str)> = outcomes
        .iter()
        .map(|(c, f)| (*c, if *f == VolumeOutcome::Destroyed { "Destroyed" } else { "Retained" }))
        .collect();
    certified(&exit, fixture, &certificate)?;
    fixture.assert_outcome(outcomes, true).await?;
    Ok(exit)
}

pub async fn everything_is_destroyed(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data", "archive"]).await?;
    let outcomes = [("data", VolumeOutcome::Destroyed), ("archive", VolumeOutcome::Destroyed)];
    all_the_way(&fixture, disposition("Destroy", &[]), &outcomes).await.map(drop)
}

pub async fn everything_is_retained(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data", "archive"]).await?;
    let outcomes = [("data", VolumeOutcome::Retained), ("archive", VolumeOutcome::Retained)];
    all_the_way(&fixture, disposition("Retain", &[]), &outcomes).await.map(drop)
}

pub async fn one_of_many_is_destroyed(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data", "archive", "logs"]).await?;
    let outcomes = [
        ("data", VolumeOutcome::Destroyed),
        ("archive", VolumeOutcome::Retained),
        ("logs", VolumeOutcome::Retained),
    ];
    all_the_way(&fixture, disposition("Retain", &[("data", "Destroy")]), &outcomes).await.map(drop)
}

pub async fn all_but_one_are_destroyed(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data", "archive", "logs"]).await?;
    let outcomes = [
        ("data", VolumeOutcome::Destroyed),
        ("archive", VolumeOutcome::Retained),
        ("logs", VolumeOutcome::Destroyed),
    ];
    all_the_way(&fixture, disposition("Destroy", &[("archive", "Retain")]), &outcomes).await.map(drop)
}

/// A disposition names the entry, so the namesake in the other namespace is another volume.
pub async fn the_same_claim_in_two_namespaces(context: Context) -> Result<()> {
    let two = |m: &mut Value| {
        let prod = m["spec"]["namespaces"][0].clone();
        let mut test = prod.clone();
        test["name"] = json!("test");
        m["spec"]["namespaces"] = json!([prod, test]);
    };
    let mut fixture = Fixture::with(&context, two, &[("prod", "data"), ("test", "data")]).await?;
    // Told apart here by their namespace.
    for held in &mut fixture.held {
        let of = held.volume.spec.as_ref().and_then(|s| s.claim_ref.as_ref()?.namespace.clone());
        let test = fixture.tenants["test"].0 == of.unwrap_or_default();
        held.claim = if test { "data of test" } else { "data of prod" }.to_owned();
    }
    let how = json!({"default": "Retain", "volumes": [{"namespace": "test", "claim": "data", "action": "Destroy"}]});
    let outcomes = [("data of prod", VolumeOutcome::Retained), ("data of test", VolumeOutcome::Destroyed)];
    all_the_way(&fixture, how, &outcomes).await.map(drop)
}

pub async fn all_three_actions_at_once(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data", "archive", "letters"]).await?;
    fixture.leave(disposition("Retain", &[("data", "Destroy"), ("letters", "HandOver")])).await?;
    fixture
        .department
        .until(Kind::Exit, EXIT, "awaits the receipt", |s| s["waitingFor"] == "HandOverReceipt")
        .await?;
    fixture.receive("letters").await?;
    let exit = fixture.phase("Completed").await?;
    certified(&exit, &fixture, &[("data", "Destroyed"), ("archive", "Retained"), ("letters", "HandedOver")])?;
    let outcomes = [
        ("data", VolumeOutcome::Destroyed),
        ("archive", VolumeOutcome::Retained),
        ("letters", VolumeOutcome::Destroyed),
    ];
    fixture.assert_outcome(&outcomes, true).await
}

/// Art. 28: filed by the department at contract end; the provider's help has a clock of its own.
pub async fn at_contract_end(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data"]).await?;
    let mut manifest = fixture.manifest(disposition("HandOver", &[]))?;
    manifest["spec"]["reason"] = json!("ContractEnded");
    fixture.department.file(&manifest).await?;
    fixture.consent().await?;
    fixture.approve().await?;
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
    fixture.department.until(Kind::Exit, EXIT, "has a clock for moving out that stands", stands).await?;
    fixture.receive("data").await?;
    let exit = fixture.phase("Completed").await?;
    let met = migration(&exit.data["status"]);
    ensure!(met["metAt"].is_string() && met["party"] == "Provider" && met["article"] == 28, "{met}");
    certified(&exit, &fixture, &[("data", "HandedOver")])?;
    fixture.assert_outcome(&[("data", VolumeOutcome::Destroyed)], true).await
}

/// Art. 28: the authority may file that exit, but not say `Destroy`; the word on the data stays the department's.
pub async fn terminated_by_the_authority(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data", "archive"]).await?;
    let authority = fixture.department.authority;
    let mut manifest = fixture.manifest(disposition("Destroy", &[]))?;
    manifest["spec"]["reason"] = json!("ContractTerminated");
    refusal(fixture.department.file_as(authority, &manifest).await).context("the authority says Destroy")?;
    manifest["spec"]["disposition"] = disposition("Retain", &[("data", "Destroy")]);
    refusal(fixture.department.file_as(authority, &manifest).await)
        .context("the authority says Destroy of one")?;
    manifest["spec"]["disposition"] = disposition("Retain", &[]);
    fixture.department.file_as(authority, &manifest).await?;
    let exit = fixture.phase("AwaitingConsent").await?;
    let consent =
        json!({"spec": {"consent": {"inventoryDigest": exit.data["status"]["inventory"]["digest"]}}});
    refusal(fixture.department.amend_as(authority, Kind::Exit, EXIT, consent).await)
        .context("the authority consents")?;
    fixture.consent().await?;
    // The one who filed it does not decide on it: a colleague does.
    let judged = fixture.department.judged(Kind::Exit, EXIT, "Valid").await?;
    let approval = json!({"metadata": {"annotations": {
        "govcloud.dev/decision": "approved", "govcloud.dev/opinion": "同意",
        "govcloud.dev/reviewed-generation": judged.metadata.generation.unwrap_or_default().to_string(),
    }}});
    refusal(fixture.department.amend_as(authority, Kind::Exit, EXIT, approval.clone()).await)
        .context("who filed it approves it")?;
    let colleague = colleague(&fixture).await?;
    colleague.patch(EXIT, &PatchParams::default(), &Patch::Merge(approval)).await?;
    let exit = fixture.phase("Completed").await?;
    ensure!(exit.data["status"]["decision"]["by"] == "authority-colleague", "{exit:?}");
    certified(&exit, &fixture, &[("data", "Retained"), ("archive", "Retained")])?;
    fixture
        .assert_outcome(&[("data", VolumeOutcome::Retained), ("archive", VolumeOutcome::Retained)], true)
        .await
}

/// The exits of this department, as a second officer of the same authority.
pub async fn colleague(fixture: &Fixture) -> Result<Api<DynamicObject>> {
    let plane = &fixture.department.cluster().plane;
    let user = "authority-colleague";
    let file = actors::kubeconfig(plane.root(), &format!("{user}-{}", fixture.department.namespace));
    let group = Actor::Authority410000.group();
    actors::write_certificate(plane.server(), plane.pki(), &file, user, group)?;
    let client = actors::client(&file).await?;
    Ok(Api::namespaced_with(client, &fixture.department.namespace, &Kind::Exit.resource()))
}

pub async fn a_live_system_with_its_change(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data"]).await?;
    fixture.department.go_live(crate::fixture::APP).await?;
    fixture.department.enlarge("enlarge", crate::fixture::APP).await?;
    let exit =
        all_the_way(&fixture, disposition("Destroy", &[]), &[("data", VolumeOutcome::Destroyed)]).await?;
    ensure!(exit.name_any() == EXIT);
    let app = fixture.app_phase("Exited").await?;
    let deadlines = app.data["status"]["deadlines"].as_array().context("no deadlines")?;
    ensure!(deadlines.iter().all(|d| d["metAt"].is_string() || d["closedAt"].is_string()), "{deadlines:?}");
    Ok(())
}
