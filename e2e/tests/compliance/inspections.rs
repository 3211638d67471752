//! Inspections: filed by the authority, answered by the inspected party alone, closed by decision alone (Art. 25).

use anyhow::{Result, ensure};
use e2e::actors::Actor;
use e2e::fixtures::{Department, Kind, condition, sample};
use e2e::suite::Context;
use e2e::wait::eventually;
use kube::ResourceExt;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::fixture::{day, decide, department, document, inspect, provider, refused};

const NAME: &str = "travel-inspection";

fn response(finding: &str, number: i32) -> Value {
    json!({"finding": finding, "number": number, "text": "已整改到位"})
}

fn responses(all: &[Value]) -> Value {
    json!({"spec": {"responses": all}})
}

pub async fn art_25_an_inspection_from_findings_to_its_end(context: Context) -> Result<()> {
    let department = department(&context, "dept-inspected").await?;
    context.dump_on_failure(&department.namespace);
    bad_input(&department).await?;
    let filed = inspect(&department, &sample("travel-inspection.yaml")?).await?;
    ensure!(filed.annotations()["govcloud.dev/requested-by"] == "deputy-410000", "{:?}", filed.annotations());
    let open = department.phase(Kind::Inspection, NAME, "Rectifying").await?;
    ensure!(open.data["status"]["waitingOn"] == "Department", "{:?}", open.data["status"]);
    ensure!(open.data["status"]["findings"][1]["deadline"]["workingDays"] == 20, "{:?}", open.data["status"]);
    nobody_else_answers(&department).await?;
    answers_are_only_added(&department).await?;
    nothing_else_ends_it(&department).await?;
    returned_and_closed(&department).await?;
    overdue(&department).await
}

/// What no inspection can be, and whose it is not to file.
async fn bad_input(department: &Department) -> Result<()> {
    let wrong = |fields: Value| document("travel-inspection.yaml", "bad", fields);
    let finding = |more: Value| {
        let mut finding = json!({"id": "1", "severity": "High", "article": 22, "text": "须整改"});
        more.as_object().into_iter().flatten().for_each(|(k, v)| finding[k] = v.clone());
        json!({"findings": [finding]})
    };
    for (fields, fragment) in [
        (finding(json!({"workingDays": 5, "dueDate": "2026-12-31"})), "give either workingDays or dueDate"),
        (finding(json!({})), "give either workingDays or dueDate"),
        (finding(json!({"dueDate": "2026-03-01"})), "findings[].dueDate cannot be before inspectedOn"),
        (finding(json!({"dueDate": "2062-03-01"})), "findings[].dueDate can be at most nine years after"),
        (finding(json!({"id": "问题一", "workingDays": 5})), "the id must be lowercase letters"),
        (finding(json!({"severity": "Fatal", "workingDays": 5})), "severity"),
        (json!({"findings": []}), "spec.findings"),
        (json!({"inspected": "Provider"}), "an inspection of the provider names no application"),
        (json!({"responses": [response("1", 1)]}), "come later in life"),
        (json!({"responses": [response("9", 1)]}), "must be the id of one of findings"),
    ] {
        refused(inspect(department, &wrong(fields)?).await, &[fragment])?;
    }
    let inspection = wrong(json!({}))?;
    let own = department.file_as(Actor::PlatformAdmin, &inspection).await;
    refused(
        own,
        &["安全检查由主管部门提出（第二十五条）", "an inspection is filed by the authority (Art. 25)"],
    )
}

/// The wrong party is refused with the field's name.
async fn nobody_else_answers(department: &Department) -> Result<()> {
    let answer = responses(&[response("1", 1)]);
    let alone = [
        "spec.responses 只能由被检查方填写（spec.inspected 为 Department）",
        "spec.responses is for the inspected party alone",
    ];
    for actor in [Actor::Authority410000, Actor::PlatformAdmin] {
        refused(department.amend_as(actor, Kind::Inspection, NAME, answer.clone()).await, &alone)?;
    }
    // The provider has no right to write in a department's namespace at all.
    let provider = department.amend_as(Actor::Provider, Kind::Inspection, NAME, answer).await;
    refused(provider, &["cannot patch resource \"inspections\""])
}

async fn answers_are_only_added(department: &Department) -> Result<()> {
    let amend = |patch: Value| department.amend(Kind::Inspection, NAME, patch);
    refused(amend(responses(&[response("9", 1)])).await, &["must be the id of one of findings"])?;
    amend(sample("travel-response.yaml")?).await?;
    let one_left = |s: &Value| s["phase"] == "Rectifying" && s["unanswered"] == 1;
    let answered = department.until(Kind::Inspection, NAME, "has one answer", one_left).await?;
    let first = answered.data["spec"]["responses"][0].clone();
    refused(amend(responses(&[])).await, &["responses may be added, not removed"])?;
    refused(amend(responses(&[response("1", 1)])).await, &["a response cannot be changed"])?;
    let fewer = json!({"spec": {"findings": [answered.data["spec"]["findings"][0]]}});
    refused(amend(fewer).await, &["findings are neither changed nor removed"])?;
    amend(responses(&[first, response("2", 1)])).await?;
    let all = department.phase(Kind::Inspection, NAME, "AwaitingDecision").await?;
    let status = &all.data["status"];
    let paused = |f: &Value| f["deadline"]["pauses"][0]["waitingOn"] == "Authority";
    ensure!(status["findings"].as_array().into_iter().flatten().all(paused), "{status}");
    ensure!(status["waitingOn"] == "Authority" && status["waitingFor"] == "Decision", "{status}");
    Ok(())
}

/// No rejection, no withdrawal, no deletion, and not by the officer who filed it.
async fn nothing_else_ends_it(department: &Department) -> Result<()> {
    let rejected = decide(department, Kind::Inspection, NAME, "rejected").await;
    refused(rejected, &["只能办结（approved）或退回整改答复（returned）", "it is not rejected"])?;
    let inspection = department.get(Kind::Inspection, NAME).await?;
    let withdraw = json!({"metadata": {"annotations": {"govcloud.dev/withdraw": inspection.uid()}}});
    let withdrawn = department.amend(Kind::Inspection, NAME, withdraw).await;
    refused(withdrawn, &["an inspection is not withdrawn"])?;
    let api = department.api(Actor::Authority410000, Kind::Inspection).await?;
    let deleted = api.delete(NAME, &DeleteParams::default()).await;
    refused(
        deleted.map_err(Into::into),
        &["an inspection is not deleted before the authority has closed it"],
    )?;
    let own = json!({"metadata": {"annotations": {
        "govcloud.dev/decision": "approved",
        "govcloud.dev/reviewed-generation": inspection.metadata.generation.unwrap_or_default().to_string(),
    }}});
    let deputy = department.second_officer(Kind::Inspection).await?;
    let closed = deputy.patch(NAME, &PatchParams::default(), &Patch::Merge(own)).await;
    refused(closed.map_err(Into::into), &["you filed this record yourself"])
}

async fn returned_and_closed(department: &Department) -> Result<()> {
    decide(department, Kind::Inspection, NAME, "returned").await?;
    let met = |s: &Value| s["phase"] == "Returned" && s["waitingOn"] == "Department" && s["unanswered"] == 2;
    let returned = department.until(Kind::Inspection, NAME, "was returned", met).await?;
    let mut all = returned.data["spec"]["responses"].as_array().cloned().unwrap_or_default();
    all.push(response("2", 2));
    department.amend(Kind::Inspection, NAME, responses(&all)).await?;
    department.phase(Kind::Inspection, NAME, "AwaitingDecision").await?;
    department.approve(Kind::Inspection, NAME).await?;
    let closed = department.phase(Kind::Inspection, NAME, "Closed").await?;
    let status = &closed.data["status"];
    let met = |f: &Value| f["deadline"]["metAt"].is_string() && f["deadline"]["workingDaysLate"].is_null();
    ensure!(status["findings"].as_array().into_iter().flatten().all(met), "{status}");
    ensure!(condition(status, "Ready")["reason"] == "Closed" && status["waitingOn"] == "None", "{status}");
    all.push(response("1", 2));
    let late = department.amend(Kind::Inspection, NAME, responses(&all)).await;
    refused(late, &["检查已办结，不再接受 spec.responses", "the inspection is closed"])
}

/// A last day that has passed is reported, and ends nothing.
async fn overdue(department: &Department) -> Result<()> {
    let finding =
        json!([{"id": "old", "severity": "Critical", "article": 24, "text": "须更换", "dueDate": day(-20)}]);
    let fields = json!({"inspectedOn": day(-40), "findings": finding});
    inspect(department, &document("travel-inspection.yaml", "late", fields)?).await?;
    let met =
        |s: &Value| condition(s, "OnTime")["reason"] == "RectificationOverdue" && s["phase"] == "Rectifying";
    let late = department.until(Kind::Inspection, "late", "is overdue", met).await?;
    let message = condition(&late.data["status"], "OnTime")["message"].to_string();
    ensure!(
        message.contains("整改 old已逾期") && message.contains("rectification of old is overdue"),
        "{message}"
    );
    let kept = || async { Ok(department.is_marked().await?.then_some(())) };
    eventually("an open inspection keeps its namespace", department.patience, kept).await
}

/// The provider is inspected in its own filing namespace, and answers there.
pub async fn art_25_the_provider_is_inspected(context: Context) -> Result<()> {
    let provider = provider(&context, "provider-inspected").await?;
    context.dump_on_failure(&provider.namespace);
    let fields = json!({"inspected": "Provider", "application": null});
    inspect(&provider, &document("travel-inspection.yaml", NAME, fields)?).await?;
    let open = provider.phase(Kind::Inspection, NAME, "Rectifying").await?;
    ensure!(
        open.data["status"]["findings"][0]["deadline"]["party"] == "Provider",
        "{:?}",
        open.data["status"]
    );
    let both = responses(&[response("1", 1), response("2", 1)]);
    let alone = ["spec.responses 只能由被检查方填写（spec.inspected 为 Provider）"];
    for actor in [Actor::Authority410000, Actor::PlatformAdmin, Actor::Department] {
        refused(provider.amend_as(actor, Kind::Inspection, NAME, both.clone()).await, &alone)?;
    }
    provider.amend(Kind::Inspection, NAME, both).await?;
    provider.approve(Kind::Inspection, NAME).await?;
    provider.phase(Kind::Inspection, NAME, "Closed").await?;
    Ok(())
}
