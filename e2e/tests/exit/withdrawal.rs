//! Taken back: at each phase until reclaiming begins, and against the operator at that very moment.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use e2e::office::{Kind, refusal};
use e2e::suite::Context;
use kube::ResourceExt;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::desk::{APP, Desk, EXIT, Fate, PATIENCE, disposition};
use crate::ordinary::colleague;
use crate::tally;

/// Applications over whose volumes it is raced, side by side.
const LANES: usize = 4;

/// How often the race is run on each.
const RACES: usize = 10;

/// The exit is withdrawn, and its application usable as before: new claims and pods are allowed again.
async fn as_before(desk: &Desk) -> Result<()> {
    desk.phase("Withdrawn").await?;
    desk.app_phase("Provisioned").await?;
    let claims = desk.claims(desk.office.department).await?;
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
    desk.office.until(Kind::Grant, APP, "is restricted", restricted).await?;
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
    refusal(desk.office.amend(Kind::Exit, EXIT, json!({"spec": {"consent": null}})).await)
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
    let filed = desk.office.file_as(desk.office.authority, &manifest).await?;
    desk.phase("AwaitingConsent").await?;
    let withdraw = json!({"metadata": {"annotations": {"govcloud.dev/withdraw": filed.uid()}}});
    let colleague = colleague(&desk).await?;
    let outcome = colleague.patch(EXIT, &PatchParams::default(), &Patch::Merge(withdraw)).await;
    refusal(outcome.map_err(Into::into)).context("a colleague withdraws it")?;
    desk.withdraw_as(desk.office.authority, EXIT).await?;
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
    desk.office.file(&second).await?;
    desk.consent_to("second").await?;
    desk.office.approve(Kind::Exit, "second").await?;
    desk.office.phase(Kind::Exit, "second", "Completed").await?;
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
    let mut delay = Duration::ZERO;
    for (n, claim) in names.iter().enumerate() {
        let exit = format!("race-{claim}");
        let mut manifest = desk.manifest(disposition("Retain", &[(claim, "Destroy")]))?;
        manifest["metadata"]["name"] = json!(exit);
        manifest["spec"]["scope"] = json!("Volumes");
        desk.office.file(&manifest).await?;
        desk.consent_to(&exit).await?;
        desk.office.approve(Kind::Exit, &exit).await?;
        // Every other time at once; else when the operator is known to be at it.
        if n % 2 == 1 {
            let begun = |s: &Value| s["phase"] != "AwaitingDecision";
            desk.office.until(Kind::Exit, &exit, "is being carried out", begun).await?;
        }
        tokio::time::sleep(delay).await;
        let taken_back = desk.withdraw_as(desk.office.department, &exit).await;
        let over = |s: &Value| s["phase"] == "Withdrawn" || s["phase"] == "Completed";
        let record = desk.office.until(Kind::Exit, &exit, "is over", over).await?;
        let withdrawn = record.data["status"]["phase"] == "Withdrawn";
        match (taken_back, withdrawn) {
            (Ok(_), true) => {}
            (Err(e), false) => drop(refusal::<()>(Err(e))?),
            (Ok(_), false) => bail!("{exit} was taken back in time, and completed: {record:?}"),
            (Err(e), true) => bail!("{exit} was not taken back ({e:#}), and is withdrawn"),
        }
        // Nearer to the moment at which it is decided, from whichever side.
        delay = if withdrawn { delay * 2 + Duration::from_millis(10) } else { delay / 3 };
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
