//! One assessment from its filing to its publication: who scores does not publish, and an objection holds it up.

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::fixtures::{Department, HENAN, Kind, PATIENCE, refusal};
use e2e::suite::Context;
use e2e::wait::eventually;
use kube::Api;
use kube::api::{DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};

use crate::world;

/// A quarter that is over, in the department's namespace.
pub fn assessment(subject: &str, name: &str) -> Value {
    json!({
        "apiVersion": "govcloud.dev/v1alpha1", "kind": "Assessment", "metadata": {"name": name},
        "spec": {
            "region": HENAN, "subject": subject, "period": {"from": "2026-07-01", "to": "2026-09-30"},
        },
    })
}

/// Scores for a department.
pub fn scores(reasonable: i32, efficient: i32) -> Value {
    json!({"spec": {"scores": [
        {"criterion": "reasonable", "score": reasonable}, {"criterion": "efficient", "score": efficient},
    ]}})
}

/// The authority files it, once RBAC lets it.
pub async fn file(department: &Department, manifest: &Value) -> Result<DynamicObject> {
    let authority = department.cluster().kubectl(department.authority);
    let may = || async {
        let args = ["auth", "can-i", "create", "assessments.govcloud.dev", "-n", &department.namespace];
        Ok(authority.output(&args).await?.status.success().then_some(()))
    };
    eventually("the authority may file an assessment", PATIENCE, may).await?;
    department.file_as(department.authority, manifest).await
}

/// The decision `approved` on the present generation.
async fn approval(department: &Department, name: &str) -> Result<Value> {
    let generation = department.get(Kind::Assessment, name).await?.metadata.generation.unwrap_or_default();
    Ok(json!({"metadata": {"annotations": {
        "govcloud.dev/decision": "approved", "govcloud.dev/opinion": "同意通报",
        "govcloud.dev/reviewed-generation": generation.to_string(),
    }}}))
}

async fn approved_by(api: &Api<DynamicObject>, name: &str, approval: Value) -> Result<DynamicObject> {
    Ok(api.patch(name, &PatchParams::default(), &Patch::Merge(approval)).await?)
}

/// A refusal that says this.
fn refused<T: std::fmt::Debug>(outcome: Result<T>, words: &str) -> Result<()> {
    let said = refusal(outcome).context(words.to_owned())?;
    ensure!(said.contains(words), "{said} does not say {words:?}");
    Ok(())
}

pub async fn assessment_is_scored_objected_to_and_published(context: Context) -> Result<()> {
    world(&context).await?;
    let namespace = context.filing_namespace("dept-assessed", HENAN).await?;
    let department = Department::open(&context.cluster, &namespace, HENAN).await?;
    let (authority, colleague) = (department.authority, department.second_officer(Kind::Assessment).await?);
    refused(department.file(&assessment("Department", "own")).await, "cannot create")?;
    file(&department, &assessment("Department", "q3")).await?;
    let scoring = department.phase(Kind::Assessment, "q3", "Scoring").await?;
    ensure!(scoring.data["status"]["facts"]["records"] == 0, "{:?}", scoring.data["status"]["facts"]);
    let marked = || async { Ok(department.is_marked().await?.then_some(())) };
    eventually("an open assessment keeps its filing namespace", PATIENCE, marked).await?;

    department.amend_as(authority, Kind::Assessment, "q3", scores(85, 78)).await?;
    let shown = department.phase(Kind::Assessment, "q3", "Objection").await?;
    let status = &shown.data["status"];
    ensure!(status["total"] == "81.50" && status["waitingOn"] == "Department", "{status}");
    ensure!(status["dueDate"].is_string() && status["waitingFor"] == "Objection", "{status}");
    let early = approved_by(&colleague, "q3", approval(&department, "q3").await?).await;
    refused(early, "ObjectionPeriod")?;

    let objection = json!({"spec": {"objection": {"reason": "系统尚在推广期"}}});
    for who in [authority, Actor::Provider] {
        let theirs = department.amend_as(who, Kind::Assessment, "q3", objection.clone()).await;
        ensure!(theirs.is_err(), "{who:?} objects for the department");
    }
    department.amend(Kind::Assessment, "q3", objection.clone()).await?;
    department.phase(Kind::Assessment, "q3", "Answering").await?;
    let again = json!({"spec": {"objection": {"reason": "另一理由"}}});
    refused(department.amend(Kind::Assessment, "q3", again).await, "an objection is made once")?;
    refused(department.amend(Kind::Assessment, "q3", scores(100, 100)).await, "filed by the authority")?;
    let unanswered = approved_by(&colleague, "q3", approval(&department, "q3").await?).await;
    refused(unanswered, "ObjectionUnanswered")?;

    let mut answered = scores(85, 82);
    answered["spec"]["answer"] = json!({"text": "部分采纳"});
    let theirs = approved_by(&colleague, "q3", answered.clone()).await;
    refused(theirs, "changed only by who filed it")?;
    department.amend_as(authority, Kind::Assessment, "q3", answered).await?;
    department.phase(Kind::Assessment, "q3", "AwaitingDecision").await?;
    department.judged(Kind::Assessment, "q3", "Valid").await?;
    let approval = approval(&department, "q3").await?;
    let own = department.amend_as(authority, Kind::Assessment, "q3", approval.clone()).await;
    refused(own, "you filed this record yourself")?;
    approved_by(&colleague, "q3", approval).await?;
    published(&department, authority).await
}

/// It is final, everybody of the department reads it, and it keeps nothing open.
async fn published(department: &Department, authority: Actor) -> Result<()> {
    let published = department.phase(Kind::Assessment, "q3", "Published").await?;
    let status = &published.data["status"];
    ensure!(status["total"] == "83.50" && status["publishedAt"].is_string(), "{status}");
    ensure!(status["decision"]["by"] == "deputy-410000", "{status}");
    let events = status["timeline"].as_array().context("no timeline")?;
    let events: Vec<&str> = events.iter().filter_map(|e| e["event"].as_str()).collect();
    for event in ["FactsTaken", "Scored", "Objected", "ObjectionAnswered", "Approved", "Published"] {
        ensure!(events.contains(&event), "{event} is not in {events:?}");
    }
    let late = department.amend_as(authority, Kind::Assessment, "q3", scores(100, 100)).await;
    refused(late, "the spec is frozen")?;
    department.unmarked().await
}
