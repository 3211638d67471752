//! The authority's decision on an exit (Art. 12, 16).

use anyhow::{Context as _, Result, ensure};
use e2e::fixtures::{Kind, refusal};
use e2e::suite::Context;
use serde_json::{Value, json};

use crate::fixture::{APP, EXIT, Fixture, VolumeOutcome, disposition};

/// The authority's verdict on what stands.
async fn decide(fixture: &Fixture, verdict: &str, opinion: &str) -> Result<()> {
    let judged = fixture.department.judged(Kind::Exit, EXIT, "Valid").await?;
    let annotations = json!({"metadata": {"annotations": {
        "govcloud.dev/decision": verdict, "govcloud.dev/opinion": opinion,
        "govcloud.dev/reviewed-generation": judged.metadata.generation.unwrap_or_default().to_string(),
    }}});
    fixture.department.amend_as(fixture.department.authority, Kind::Exit, EXIT, annotations).await.map(drop)
}

/// Not approved is final, and the application is where it was: live, with its clocks.
pub async fn rejected(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data"]).await?;
    fixture.department.go_live(APP).await?;
    fixture.file(disposition("Destroy", &[])).await?;
    fixture.app_phase("Exiting").await?;
    fixture.consent().await?;
    decide(&fixture, "rejected", "合同期内").await?;
    fixture.phase("Rejected").await?;
    let app = fixture.app_phase("Live").await?;
    ensure!(app.data["status"]["decommission"].is_null(), "{app:?}");
    let again = json!({"metadata": {"annotations": {"govcloud.dev/decision": "approved"}}});
    refusal(fixture.department.amend_as(fixture.department.authority, Kind::Exit, EXIT, again).await)
        .context("a rejection is turned")?;
    refusal(fixture.withdraw().await).context("a rejected exit is withdrawn")?;
    fixture.assert_outcome(&[("data", VolumeOutcome::InUse)], false).await
}

pub async fn rejected_before_it_was_live(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data"]).await?;
    let clock = |s: &Value| {
        let all = s["deadlines"].as_array().cloned().unwrap_or_default();
        all.into_iter().find(|d| d["obligation"] == "GoLive").unwrap_or_default()
    };
    fixture.file(disposition("Retain", &[])).await?;
    let app = fixture.app_phase("Exiting").await?;
    ensure!(clock(&app.data["status"])["pauses"].is_null(), "the exit waits for the department: {app:?}");
    fixture.consent().await?;
    let stands = |s: &Value| clock(s)["pauses"][0]["waitingOn"] == "Authority";
    fixture.department.until(Kind::Application, APP, "waits for the authority", stands).await?;
    decide(&fixture, "rejected", "合同期内").await?;
    fixture.phase("Rejected").await?;
    let app = fixture.app_phase("Provisioned").await?;
    let clock = clock(&app.data["status"]);
    ensure!(
        clock["pauses"][0]["to"].is_string() && clock["metAt"].is_null(),
        "the clock runs again: {clock}"
    );
    fixture.assert_outcome(&[("data", VolumeOutcome::InUse)], false).await
}

/// Returned, the department corrects what becomes of its data, consents anew, and it goes on.
pub async fn returned_and_filed_again(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data", "archive"]).await?;
    fixture.file(disposition("Destroy", &[])).await?;
    fixture.consent().await?;
    decide(&fixture, "returned", "请保留档案").await?;
    fixture
        .department
        .until(Kind::Exit, EXIT, "is returned", |s| {
            s["decision"]["verdict"] == "Returned" && s["waitingFor"] == "Correction"
        })
        .await?;
    let corrected = json!({"spec": {"disposition": disposition("Destroy", &[("archive", "Retain")])}});
    fixture.department.amend(Kind::Exit, EXIT, corrected).await?;
    fixture.consent().await?;
    fixture.approve().await?;
    let exit = fixture.phase("Completed").await?;
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
    fixture
        .assert_outcome(&[("data", VolumeOutcome::Destroyed), ("archive", VolumeOutcome::Retained)], true)
        .await
}

/// The caller is not the requester, and another tier's authority has no say.
pub async fn by_whoever_filed_it_it_is_refused(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data"]).await?;
    fixture.file(disposition("Destroy", &[])).await?;
    fixture.consent().await?;
    let judged = fixture.department.judged(Kind::Exit, EXIT, "Valid").await?;
    let approval = json!({"metadata": {"annotations": {
        "govcloud.dev/decision": "approved", "govcloud.dev/opinion": "同意",
        "govcloud.dev/reviewed-generation": judged.metadata.generation.unwrap_or_default().to_string(),
    }}});
    use e2e::actors::Actor::{Authority410100, Department, PlatformAdmin, Provider};
    for who in [Department, Provider, PlatformAdmin, Authority410100] {
        refusal(fixture.department.amend_as(who, Kind::Exit, EXIT, approval.clone()).await)
            .with_context(|| format!("{who:?} approves"))?;
    }
    fixture.approve().await?;
    fixture.phase("Completed").await?;
    fixture.assert_outcome(&[("data", VolumeOutcome::Destroyed)], true).await
}
