//! Taken back: at each phase until reclaiming begins, and against the operator at that very moment.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use e2e::fixtures::{Kind, refusal};
use e2e::suite::Context;
use kube::ResourceExt;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::desk::{APP, Desk, EXIT, Fate, PATIENCE, disposition};
use crate::ordinary::colleague;
use crate::tally;

/// Applications over whose volumes it is raced, side by side.
const LANES: usize = 4;

/// When the department takes it back, in hundredths of the time that the operator took before; the first time, when it
/// is too late.
const MOMENTS: [Option<u32>; RACES] =
    [None, Some(90), Some(100), Some(0), Some(80), Some(100), Some(95), Some(110), Some(100), Some(60)];

/// How often the race is run on each.
const RACES: usize = 10;

/// The exit is withdrawn, and its application usable as before: new claims and pods are allowed again.
async fn as_before(desk: &Desk) -> Result<()> {
    desk.phase("Withdrawn").await?;
    desk.app_phase("Provisioned").await?;
    let claims = desk.claims(desk.department.applicant).await?;
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
    desk.ends(&[("data", Fate::InUse)], false).await
}

pub async fn before_the_consent(context: Context) -> Result<()> {
    let desk = Desk::open(&context, &["data"]).await?;
    desk.file(disposition("Destroy", &[])).await?;
    desk.app_phase("Exiting").await?;
    desk.withdraw().await?;
    as_before(&desk).await
}

pub async fn before_the_decision(context: Context) -> Result<()> {
    let desk = Desk::open(&context, &["data"]).await?;
    desk.file(disposition("Destroy", &[])).await?;
    desk.consent().await?;
    desk.withdraw().await?;
    as_before(&desk).await
}

pub async fn while_data_is_handed_over(context: Context) -> Result<()> {
    let desk = Desk::open(&context, &["data"]).await?;
    desk.leave(disposition("HandOver", &[])).await?;
    let restricted = |s: &Value| s["restriction"] == "HandingOver";
    desk.department.until(Kind::Grant, APP, "is restricted", restricted).await?;
    desk.withdraw().await?;
    as_before(&desk).await
}

/// From the moment on which reclaiming is recorded there is no way back, and the API server says so.
pub async fn after_reclaiming_began(context: Context) -> Result<()> {
    let desk = Desk::open(&context, &["data"]).await?;
    desk.obstruct().await?;
    desk.leave(disposition("Destroy", &[])).await?;
    desk.phase("Reclaiming").await?;
    let message = refusal(desk.withdraw().await)?;
    ensure!(message.contains("不能撤回"), "{message}");
    refusal(desk.department.amend(Kind::Exit, EXIT, json!({"spec": {"consent": null}})).await)
        .context("the consent is taken back")?;
    desk.clear().await?;
    desk.phase("Completed").await?;
    refusal(desk.withdraw().await).context("a completed exit is withdrawn")?;
    desk.ends(&[("data", Fate::Destroyed)], true).await
}

/// Art. 28: the authority may take back the exit at contract end that it filed itself; a colleague may not.
pub async fn by_the_authority_that_filed_it(context: Context) -> Result<()> {
    let desk = Desk::open(&context, &["data"]).await?;
    let mut manifest = desk.manifest(disposition("Retain", &[]))?;
    manifest["spec"]["reason"] = json!("ContractTerminated");
    let filed = desk.department.file_as(desk.department.authority, &manifest).await?;
    desk.phase("AwaitingConsent").await?;
    let withdraw = json!({"metadata": {"annotations": {"govcloud.dev/withdraw": filed.uid()}}});
    let colleague = colleague(&desk).await?;
    let outcome = colleague.patch(EXIT, &PatchParams::default(), &Patch::Merge(withdraw)).await;
    refusal(outcome.map_err(Into::into)).context("a colleague withdraws it")?;
    desk.withdraw_as(desk.department.authority, EXIT).await?;
    as_before(&desk).await
}

/// A withdrawn exit stands in nobody's way: another is filed, and goes through.
pub async fn and_filed_again(context: Context) -> Result<()> {
    let desk = Desk::open(&context, &["data"]).await?;
    desk.leave(disposition("HandOver", &[])).await?;
    desk.phase("HandingOver").await?;
    desk.withdraw().await?;
    desk.phase("Withdrawn").await?;
    desk.app_phase("Provisioned").await?;
    let mut second = desk.manifest(disposition("Destroy", &[]))?;
    second["metadata"]["name"] = json!("second");
    desk.department.file(&second).await?;
    desk.consent_to("second").await?;
    desk.department.approve(Kind::Exit, "second").await?;
    desk.department.phase(Kind::Exit, "second", "Completed").await?;
    desk.phase("Withdrawn").await?;
    desk.ends(&[("data", Fate::Destroyed)], true).await
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
    let desk = Desk::with(context, |_| {}, &placed).await?;
    futures::future::try_join_all(names.iter().map(|claim| desk.unclaim(claim))).await?;
    let mut ends: Vec<(&str, bool)> = Vec::new();
    // How long the operator takes from the approval to the point of no return, as far as is known.
    let mut takes = Duration::ZERO;
    for (claim, moment) in names.iter().zip(MOMENTS) {
        let exit = format!("race-{claim}");
        let mut manifest = desk.manifest(disposition("Retain", &[(claim, "Destroy")]))?;
        manifest["metadata"]["name"] = json!(exit);
        manifest["spec"]["scope"] = json!("Volumes");
        desk.department.file(&manifest).await?;
        desk.consent_to(&exit).await?;
        desk.department.approve(Kind::Exit, &exit).await?;
        let approved = Instant::now();
        match moment {
            None => {
                let begun = |s: &Value| s["phase"] == "Reclaiming" || s["phase"] == "Completed";
                desk.department.until(Kind::Exit, &exit, "is past the point of no return", begun).await?;
                takes = approved.elapsed();
            }
            Some(percent) => tokio::time::sleep(takes * percent / 100).await,
        }
        let taken_back = desk.withdraw_as(desk.department.applicant, &exit).await;
        let over = |s: &Value| s["phase"] == "Withdrawn" || s["phase"] == "Completed";
        let record = desk.department.until(Kind::Exit, &exit, "is over", over).await?;
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
        tally::raced(withdrawn);
        ends.push((*claim, withdrawn));
    }
    // What a completed exit retained is labelled so; where none completed, nothing is.
    let completed = ends.iter().any(|(_, withdrawn)| !withdrawn);
    let kept = if completed { Fate::Retained } else { Fate::Unclaimed };
    let fates: Vec<(&str, Fate)> =
        ends.iter().map(|(c, withdrawn)| (*c, if *withdrawn { kept } else { Fate::Destroyed })).collect();
    desk.ends(&fates, false).await?;
    Ok(ends.iter().filter(|(_, withdrawn)| *withdrawn).count())
}
