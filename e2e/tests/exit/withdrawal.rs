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

/// How often the race is run.
const RACES: usize = 30;

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
    let claims: Vec<String> = (0..RACES).map(|n| format!("v{n:02}")).collect();
    let names: Vec<&str> = claims.iter().map(String::as_str).collect();
    let roomy = |m: &mut Value| m["spec"]["namespaces"][0]["quota"]["requests.storage"] = json!("1Ti");
    let placed: Vec<(&str, &str)> = names.iter().map(|n| ("prod", *n)).collect();
    let desk = Desk::with(&context, roomy, &placed).await?;
    futures::future::try_join_all(names.iter().map(|claim| desk.unclaim(claim))).await?;
    let (mut fates, mut delay) = (Vec::new(), Duration::from_millis(40));
    let mut ends = [0, 0];
    for claim in &claims {
        let exit = format!("race-{claim}");
        let mut manifest = desk.manifest(disposition("Retain", &[(claim.as_str(), "Destroy")]))?;
        manifest["metadata"]["name"] = json!(exit);
        manifest["spec"]["scope"] = json!("Volumes");
        desk.office.file(&manifest).await?;
        desk.consent_to(&exit).await?;
        desk.office.approve(Kind::Exit, &exit).await?;
        tokio::time::sleep(delay).await;
        let taken_back = desk.withdraw_as(desk.office.department, &exit).await;
        let over = |s: &Value| s["phase"] == "Withdrawn" || s["phase"] == "Completed";
        let record = desk.office.until(Kind::Exit, &exit, "is over", over).await?;
        let withdrawn = record.data["status"]["phase"] == "Withdrawn";
        match (&taken_back, withdrawn) {
            (Ok(_), true) => {}
            (Err(_), false) => drop(refusal(taken_back)?),
            (Ok(_), false) => bail!("{exit} was taken back in time, and completed: {record:?}"),
            (Err(e), true) => bail!("{exit} was not taken back ({e:#}), and is withdrawn"),
        }
        // Nearer to the moment at which it is decided, from whichever side.
        delay = if withdrawn { delay + delay / 3 + Duration::from_millis(2) } else { delay * 3 / 5 };
        ends[usize::from(withdrawn)] += 1;
        tally::raced(withdrawn);
        fates.push((claim.as_str(), withdrawn));
    }
    ensure!(ends[0] > 0 && ends[1] > 0, "only one end was seen: {ends:?}");
    // Those that were to be retained by a completed exit are labelled so.
    let ended: Vec<(&str, Fate)> = fates
        .iter()
        .map(|(claim, withdrawn)| (*claim, if *withdrawn { Fate::Retained } else { Fate::Destroyed }))
        .collect();
    desk.ends(&ended, false).await
}
