//! Taken back: at each phase until reclaiming begins, and against the operator at that very moment.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use e2e::fixtures::{Kind, refusal};
use e2e::suite::Context;
use kube::ResourceExt;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::counters;
use crate::fixture::{APP, EXIT, Fixture, PATIENCE, VolumeOutcome, disposition};
use crate::ordinary::colleague;

/// Applications over whose volumes it is raced, side by side.
const LANES: usize = 4;

/// When the department takes it back, in hundredths of the time that the operator took before; the first time, when it
/// is too late.
const MOMENTS: [Option<u32>; RACES] =
    [None, Some(90), Some(100), Some(0), Some(80), Some(100), Some(95), Some(110), Some(100), Some(60)];

/// Number of races on each.
const RACES: usize = 10;

/// The exit is withdrawn, and its application usable as before: new claims and pods are allowed again.
async fn as_before(fixture: &Fixture) -> Result<()> {
    fixture.phase("Withdrawn").await?;
    fixture.app_phase("Provisioned").await?;
    let claims = fixture.claims(fixture.department.applicant).await?;
    let wanted: k8s_openapi::api::core::v1::PersistentVolumeClaim = serde_json::from_value(json!({
        "metadata": {"name": "again"},
        "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "hostpath", "volumeMode": "Block",
            "resources": {"requests": {"storage": "1Gi"}}},
    }))?;
    // Quota and role binding are seen a moment after they were put right.
    e2e::wait::eventually("a new claim is allowed again", PATIENCE, || async {
        claims.create(&kube::api::PostParams::default(), &wanted).await?;
        Ok(Some(()))
    })
    .await?;
    fixture.assert_outcome(&[("data", VolumeOutcome::InUse)], false).await
}

pub async fn before_the_consent(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data"]).await?;
    fixture.file(disposition("Destroy", &[])).await?;
    fixture.app_phase("Exiting").await?;
    fixture.withdraw().await?;
    as_before(&fixture).await
}

pub async fn before_the_decision(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data"]).await?;
    fixture.file(disposition("Destroy", &[])).await?;
    fixture.consent().await?;
    fixture.withdraw().await?;
    as_before(&fixture).await
}

pub async fn while_data_is_handed_over(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data"]).await?;
    fixture.leave(disposition("HandOver", &[])).await?;
    let restricted = |s: &Value| s["restriction"] == "HandingOver";
    fixture.department.until(Kind::Grant, APP, "is restricted", restricted).await?;
    fixture.withdraw().await?;
    as_before(&fixture).await
}

/// From the moment on which reclaiming is recorded there is no way back, and the API server says so.
pub async fn after_reclaiming_began(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data"]).await?;
    fixture.obstruct().await?;
    fixture.leave(disposition("Destroy", &[])).await?;
    fixture.phase("Reclaiming").await?;
    let message = refusal(fixture.withdraw().await)?;
    ensure!(message.contains("不能撤回"), "{message}");
    refusal(fixture.department.amend(Kind::Exit, EXIT, json!({"spec": {"consent": null}})).await)
        .context("the consent is taken back")?;
    fixture.clear().await?;
    fixture.phase("Completed").await?;
    refusal(fixture.withdraw().await).context("a completed exit is withdrawn")?;
    fixture.assert_outcome(&[("data", VolumeOutcome::Destroyed)], true).await
}

/// Art. 28: the authority may take back the exit at contract end that it filed itself; a colleague may not.
pub async fn by_the_authority_that_filed_it(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data"]).await?;
    let mut manifest = fixture.manifest(disposition("Retain", &[]))?;
    manifest["spec"]["reason"] = json!("ContractTerminated");
    let filed = fixture.department.file_as(fixture.department.authority, &manifest).await?;
    fixture.phase("AwaitingConsent").await?;
    let withdraw = json!({"metadata": {"annotations": {"govcloud.dev/withdraw": filed.uid()}}});
    let colleague = colleague(&fixture).await?;
    let outcome = colleague.patch(EXIT, &PatchParams::default(), &Patch::Merge(withdraw)).await;
    refusal(outcome.map_err(Into::into)).context("a colleague withdraws it")?;
    fixture.withdraw_as(fixture.department.authority, EXIT).await?;
    as_before(&fixture).await
}

/// A withdrawn exit stands in nobody's way: another is filed, and goes through.
pub async fn and_filed_again(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data"]).await?;
    fixture.leave(disposition("HandOver", &[])).await?;
    fixture.phase("HandingOver").await?;
    fixture.withdraw().await?;
    fixture.phase("Withdrawn").await?;
    fixture.app_phase("Provisioned").await?;
    let mut second = fixture.manifest(disposition("Destroy", &[]))?;
    second["metadata"]["name"] = json!("second");
    fixture.department.file(&second).await?;
    fixture.consent_to("second").await?;
    fixture.department.approve(Kind::Exit, "second").await?;
    fixture.department.phase(Kind::Exit, "second", "Completed").await?;
    fixture.phase("Withdrawn").await?;
    fixture.assert_outcome(&[("data", VolumeOutcome::Destroyed)], true).await
}

/// The department takes the exit back at the moment on which the operator begins to reclaim. Whoever comes first, the end
/// is one of two: withdrawn with everything kept, or completed as consented.
pub async fn raced_against_the_operator(context: Context) -> Result<()> {
    let lanes = futures::future::try_join_all((0..LANES).map(|_| lane(&context))).await?;
    let withdrawn: usize = lanes.iter().sum();
    ensure!(withdrawn > 0 && withdrawn < LANES * RACES, "only one end was seen: {withdrawn} withdrawn");
    Ok(())
}

/// Some races one after the other, over the unclaimed volumes of one application. How many were withdrawn.
async fn lane(context: &Context) -> Result<usize> {
    let claims: Vec<String> = (0..RACES).map(|n| format!("v{n:02}")).collect();
    let names: Vec<&str> = claims.iter().map(String::as_str).collect();
    let placed: Vec<(&str, &str)> = names.iter().map(|n| ("prod", *n)).collect();
    let fixture = Fixture::with(context, |_| {}, &placed).await?;
    futures::future::try_join_all(names.iter().map(|claim| fixture.unclaim(claim))).await?;
    let mut ends: Vec<(&str, bool)> = Vec::new();
    // Time of the operator from the approval to the point of no return, as far as is known.
    let mut takes = Duration::ZERO;
    for (claim, moment) in names.iter().zip(MOMENTS) {
        let exit = format!("race-{claim}");
        let mut manifest = fixture.manifest(disposition("Retain", &[(claim, "Destroy")]))?;
        manifest["metadata"]["name"] = json!(exit);
        manifest["spec"]["scope"] = json!("Volumes");
        fixture.department.file(&manifest).await?;
        fixture.consent_to(&exit).await?;
        fixture.department.approve(Kind::Exit, &exit).await?;
        let approved = Instant::now();
        match moment {
            None => {
                let begun = |s: &Value| s["phase"] == "Reclaiming" || s["phase"] == "Completed";
                fixture.department.until(Kind::Exit, &exit, "is past the point of no return", begun).await?;
                takes = approved.elapsed();
            }
            Some(percent) => tokio::time::sleep(takes * percent / 100).await,
        }
        let taken_back = fixture.withdraw_as(fixture.department.applicant, &exit).await;
        let over = |s: &Value| s["phase"] == "Withdrawn" || s["phase"] == "Completed";
        let record = fixture.department.until(Kind::Exit, &exit, "is over", over).await?;
        let withdrawn = record.data["status"]["phase"] == "Withdrawn";
        match (taken_back, withdrawn) {
            (Ok(_), true) => {}
            (Err(e), false) => drop(refusal::<()>(Err(e))?),
            (Ok(_), false) => bail!("{exit} was taken back in time, and completed: {record:?}"),
            (Err(e), true) => bail!("{exit} was not taken back ({e:#}), and is withdrawn"),
        }
        // Nearer to the moment at which it is decided, from whichever side.
        if moment.is_some() {
            takes = if withdrawn { takes * 6 / 5 } else { takes * 4 / 5 };
        }
        counters::raced(withdrawn);
        ends.push((*claim, withdrawn));
    }
    // Volumes that a completed exit retained are labelled; where none completed, none is.
    let completed = ends.iter().any(|(_, withdrawn)| !withdrawn);
    let kept = if completed { VolumeOutcome::Retained } else { VolumeOutcome::Unclaimed };
    let outcomes: Vec<(&str, VolumeOutcome)> = ends
        .iter()
        .map(|(c, withdrawn)| (*c, if *withdrawn { kept } else { VolumeOutcome::Destroyed }))
        .collect();
    fixture.assert_outcome(&outcomes, false).await?;
    Ok(ends.iter().filter(|(_, withdrawn)| *withdrawn).count())
}
