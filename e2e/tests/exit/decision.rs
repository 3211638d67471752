//! The authority's decision on an exit (Art. 12, 16).

use anyhow::{Context as _, Result, ensure};
use e2e::fixtures::{Kind, refusal};
use e2e::suite::Context;
use serde_json::{Value, json};

use crate::desk::{APP, Desk, EXIT, Fate, disposition};

/// The authority's verdict on what stands.
async fn decide(desk: &Desk, verdict: &str, opinion: &str) -> Result<()> {
    let judged = desk.department.judged(Kind::Exit, EXIT, "Valid").await?;
    let annotations = json!({"metadata": {"annotations": {
        "govcloud.dev/decision": verdict, "govcloud.dev/opinion": opinion,
        "govcloud.dev/reviewed-generation": judged.metadata.generation.unwrap_or_default().to_string(),
    }}});
    desk.department.amend_as(desk.department.authority, Kind::Exit, EXIT, annotations).await.map(drop)
}

/// Not approved is final, and the application is where it was: live, with its clocks.
pub async fn rejected(context: Context) -> Result<()> {
    let desk = Desk::open(&context, &["data"]).await?;
    desk.department.go_live(APP).await?;
    desk.file(disposition("Destroy", &[])).await?;
    desk.app_phase("Exiting").await?;
    desk.consent().await?;
    decide(&desk, "rejected", "合同期内").await?;
    desk.phase("Rejected").await?;
    let app = desk.app_phase("Live").await?;
    ensure!(app.data["status"]["decommission"].is_null(), "{app:?}");
    let again = json!({"metadata": {"annotations": {"govcloud.dev/decision": "approved"}}});
    refusal(desk.department.amend_as(desk.department.authority, Kind::Exit, EXIT, again).await)
        .context("a rejection is turned")?;
    refusal(desk.withdraw().await).context("a rejected exit is withdrawn")?;
    desk.ends(&[("data", Fate::InUse)], false).await
}

pub async fn rejected_before_it_was_live(context: Context) -> Result<()> {
    let desk = Desk::open(&context, &["data"]).await?;
    let clock = |s: &Value| {
        let all = s["deadlines"].as_array().cloned().unwrap_or_default();
        all.into_iter().find(|d| d["obligation"] == "GoLive").unwrap_or_default()
    };
    desk.file(disposition("Retain", &[])).await?;
    let app = desk.app_phase("Exiting").await?;
    ensure!(clock(&app.data["status"])["pauses"][0]["to"].is_null(), "the clock runs: {app:?}");
    desk.consent().await?;
    decide(&desk, "rejected", "合同期内").await?;
    desk.phase("Rejected").await?;
    let app = desk.app_phase("Provisioned").await?;
    let clock = clock(&app.data["status"]);
    ensure!(clock["pauses"][0]["to"].is_string() && clock["metAt"].is_null(), "the clock stands: {clock}");
    desk.ends(&[("data", Fate::InUse)], false).await
}

/// Returned, the department corrects what becomes of its data, consents anew, and it goes on.
pub async fn returned_and_filed_again(context: Context) -> Result<()> {
    let desk = Desk::open(&context, &["data", "archive"]).await?;
    desk.file(disposition("Destroy", &[])).await?;
    desk.consent().await?;
    decide(&desk, "returned", "请保留档案").await?;
    desk.department
        .until(Kind::Exit, EXIT, "is returned", |s| {
            s["decision"]["verdict"] == "Returned" && s["waitingFor"] == "Correction"
        })
        .await?;
    let corrected = json!({"spec": {"disposition": disposition("Destroy", &[("archive", "Retain")])}});
    desk.department.amend(Kind::Exit, EXIT, corrected).await?;
    desk.consent().await?;
    desk.approve().await?;
    let exit = desk.phase("Completed").await?;
    let events: Vec<&str> = exit.data["status"]["timeline"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|t| t["event"].as_str())
        .collect();
    let mut rest = events.iter();
    for event in ["Consented", "Returned", "ConsentVoid", "Consented", "Approved", "Reclaimed"] {
        ensure!(rest.any(|e| *e == event), "{events:?} lacks {event} in its place");
    }
    desk.ends(&[("data", Fate::Destroyed), ("archive", Fate::Retained)], true).await
}

/// The caller is not the requester, and another tier's authority has no say.
pub async fn by_whoever_filed_it_it_is_refused(context: Context) -> Result<()> {
    let desk = Desk::open(&context, &["data"]).await?;
    desk.file(disposition("Destroy", &[])).await?;
    desk.consent().await?;
    let judged = desk.department.judged(Kind::Exit, EXIT, "Valid").await?;
    let approval = json!({"metadata": {"annotations": {
        "govcloud.dev/decision": "approved", "govcloud.dev/opinion": "同意",
        "govcloud.dev/reviewed-generation": judged.metadata.generation.unwrap_or_default().to_string(),
    }}});
    use e2e::actors::Actor::{Authority410100, Department, PlatformAdmin, Provider};
    for who in [Department, Provider, PlatformAdmin, Authority410100] {
        refusal(desk.department.amend_as(who, Kind::Exit, EXIT, approval.clone()).await)
            .with_context(|| format!("{who:?} approves"))?;
    }
    desk.approve().await?;
    desk.phase("Completed").await?;
    desk.ends(&[("data", Fate::Destroyed)], true).await
}
