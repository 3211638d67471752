//! Maintenance on a real control plane (Art. 18): who is told, and what becomes of a plan before it is approved.

use anyhow::{Result, ensure};
use e2e::actors::{Actor, OPERATOR};
use e2e::audit::AuditLog;
use e2e::fixtures::{Department, HENAN, Kind, ZHENGZHOU, condition, refusal};
use e2e::suite::Context;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::fixture::{
    automatic, event, events_of_maintenance, message, provider_applied, provider_department, provisioned,
    quiet, timeline_count,
};
use crate::refusals::{cannot_be_approved, decide};

/// The sample plan in the provider's department, under a name, so many days ahead, for these applications.
pub fn plan(department: &Department, name: &str, days: i64, affects: Value) -> Result<Value> {
    plan_from(department, name, Timestamp::now() + SignedDuration::from_hours(24 * days), affects)
}

/// Maintenance from an instant on, for four hours.
pub fn plan_from(department: &Department, name: &str, start: Timestamp, affects: Value) -> Result<Value> {
    let mut manifest = e2e::fixtures::sample("maintenance.yaml")?;
    manifest["metadata"]["name"] = json!(name);
    let start = start.round(jiff::Unit::Second)?;
    let end = start + SignedDuration::from_hours(4);
    manifest["spec"]["region"] = json!(department.region);
    let spec = &mut manifest["spec"]["platformMaintenance"];
    spec["window"] = json!({"start": start.to_string(), "end": end.to_string()});
    spec["affects"] = affects;
    Ok(manifest)
}

/// The provider files a plan and the authority approves it.
async fn scheduled(department: &Department, manifest: Value) -> Result<()> {
    let name = manifest["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    department.file_as(Actor::Provider, &manifest).await?;
    department.approve(Kind::Change, &name).await?;
    department.phase(Kind::Change, &name, "Scheduled").await.map(drop)
}

fn named(department: &Department, name: &str) -> Value {
    json!({"applications": [{"namespace": department.namespace, "name": name}]})
}

pub async fn maintenance_notifies_only_affected_applications(context: Context) -> Result<()> {
    // In the city's region, so that `all: true` concerns nobody in the province's.
    let provider = provider_department(&context, ZHENGZHOU).await?;
    let department = provider_applied(&context, "told").await?;
    let elsewhere = automatic(&context, "elsewhere").await?;
    for name in ["clinic", "other"] {
        provisioned(&department, name).await?;
    }
    provisioned(&elsewhere, "clinic").await?;
    quiet(&department).await?;
    quiet(&elsewhere).await?;
    let began = AuditLog::mark();
    scheduled(&provider, plan(&provider, "one", 40, named(&department, "clinic"))?).await?;

    first_notice(&provider, &department).await?;
    let admin = department.admin().await?;
    let log = async || {
        let log = context.cluster.audit().settled(&admin).await?;
        anyhow::Ok(log.since(began).by_user(OPERATOR))
    };

    // Every application of the region, and none of another's; that its window overlaps is shown before it is approved.
    let all = plan(&provider, "every", 40, json!({"all": true}))?;
    provider.file_as(Actor::Provider, &all).await?;
    let shown = provider.until(Kind::Change, "every", "shows the overlap", |s| {
        condition(s, "WindowOverlaps")["status"] == "True"
    });
    let shown = shown.await?;
    ensure!(message(&shown, "WindowOverlaps").contains(&format!("{}/one", provider.namespace)), "{shown:?}");
    let writes = log().await?.writes().resource("cloudapplications");
    let other = writes.namespace(&department.namespace).named("other");
    ensure!(other.is_empty(), "it is not affected, and was written:\n{other}");
    provider.approve(Kind::Change, "every").await?;
    second_notice(&department).await?;
    ensure!(events_of_maintenance(&elsewhere, "clinic").await? == 0);

    let log = log().await?;
    let lists = |resource: &str| log.clone().verb("list").resource(resource).len();
    let lists = lists("cloudapplications") + lists("changerequests");
    ensure!(lists == 0, "the operator listed records {lists} times");
    let writes = log.writes().resource("cloudapplications").namespace(&department.namespace);
    println!(
        "change: three notices to two applications took {} writes of records, and no LIST",
        writes.len()
    );
    ensure!(writes.len() == 3, "one write a notice:\n{writes}");
    Ok(())
}

/// Reason of the condition by which an application shows maintenance.
fn reason(status: &Value) -> &str {
    condition(status, "MaintenanceScheduled")["reason"].as_str().unwrap_or_default()
}

/// The application that is affected shows what is to come; the department reads it in its own namespace.
async fn first_notice(provider: &Department, department: &Department) -> Result<()> {
    let told = department.until(Kind::Application, "clinic", "is told", |s| reason(s) == "Scheduled").await?;
    let list = &told.data["status"]["maintenances"];
    ensure!(list[0]["name"] == "one" && list[0]["impact"] == "Degraded", "{list}");
    ensure!(
        message(&told, "MaintenanceScheduled").contains(&format!("{}/one", provider.namespace)),
        "{list}"
    );
    ensure!(timeline_count(&told, "MaintenanceScheduled") == 1, "{}", told.data["status"]["timeline"]);
    let note = event(department, "CloudApplication", "clinic", "MaintenanceScheduled").await?;
    ensure!(note.contains("平台调整") && note.contains("is scheduled from"), "{note}");
    Ok(())
}

/// The plan for all: the other application shows it too, and the first one the overlap.
async fn second_notice(department: &Department) -> Result<()> {
    department.until(Kind::Application, "other", "is told", |s| reason(s) == "Scheduled").await?;
    let both = department
        .until(Kind::Application, "clinic", "shows the overlap", |s| reason(s) == "WindowsOverlap")
        .await?;
    ensure!(message(&both, "MaintenanceScheduled").contains("overlap"), "{both:?}");
    event(department, "CloudApplication", "other", "MaintenanceScheduled").await?;
    ensure!(events_of_maintenance(department, "other").await? == 1, "one notice a maintenance");
    Ok(())
}

/// Too near, so it is moved; returned, so it is corrected; and another is rejected: only what is approved is told.
pub async fn maintenance_plan_is_returned_moved_and_decided(context: Context) -> Result<()> {
    let provider = provider_department(&context, HENAN).await?;
    let department = automatic(&context, "planned").await?;
    provisioned(&department, "clinic").await?;
    let filed = plan(&provider, "storage", 1, named(&department, "clinic"))?;
    let by_department = department.file(&filed).await;
    refusal(by_department)?;
    let mut bare = filed.clone();
    bare["spec"]["platformMaintenance"].as_object_mut().map(|m| m.remove("contingencyPlan"));
    let refused = refusal(provider.file_as(Actor::Provider, &bare).await)?;
    ensure!(refused.contains("needs a contingency plan (Art. 18)"), "{refused}");

    provider.file_as(Actor::Provider, &filed).await?;
    let near = provider.judged(Kind::Change, "storage", "WindowTooNear").await?;
    ensure!(message(&near, "Valid").contains("3 working days of notice are needed"), "{near:?}");
    ensure!(message(&near, "Valid").contains("the earliest start is 20"), "{near:?}");
    cannot_be_approved(&provider, "storage").await?;
    let window = |days| {
        Ok::<_, anyhow::Error>(
            plan(&provider, "storage", days, json!({}))?["spec"]["platformMaintenance"]["window"].clone(),
        )
    };
    let moved = json!({"spec": {"platformMaintenance": {"window": window(30)?}}});
    provider.amend_as(Actor::Provider, Kind::Change, "storage", moved).await?;
    provider.judged(Kind::Change, "storage", "Valid").await?;
    decide(&provider, "storage", "returned", "请避开考试报名期间").await?;
    let returned = provider.phase(Kind::Change, "storage", "Returned").await?;
    ensure!(returned.data["status"]["waitingOn"] == "Provider", "{returned:?}");
    let moved = json!({"spec": {"platformMaintenance": {"window": window(45)?}}});
    provider.amend_as(Actor::Provider, Kind::Change, "storage", moved).await?;
    let again = provider.phase(Kind::Change, "storage", "Submitted").await?;
    ensure!(timeline_count(&again, "Resubmitted") == 1, "{again:?}");

    provider.file_as(Actor::Provider, &plan(&provider, "network", 50, named(&department, "clinic"))?).await?;
    provider.judged(Kind::Change, "network", "Valid").await?;
    decide(&provider, "network", "rejected", "与重大活动保障冲突").await?;
    provider.phase(Kind::Change, "network", "Rejected").await?;
    let missing = json!({"applications": [{"namespace": department.namespace, "name": "none"}]});
    provider.file_as(Actor::Provider, &plan(&provider, "lost", 50, missing)?).await?;
    provider.judged(Kind::Change, "lost", "AffectedMissing").await?;
    cannot_be_approved(&provider, "lost").await?;
    ensure!(events_of_maintenance(&department, "clinic").await? == 0, "it was told of what is not approved");

    provider.approve(Kind::Change, "storage").await?;
    let told = department
        .until(Kind::Application, "clinic", "is told", |s| s["maintenances"][0]["name"] == "storage")
        .await?;
    ensure!(timeline_count(&told, "MaintenanceScheduled") == 1, "{told:?}");
    // The outcome comes once it has begun, and not from the department.
    let early = json!({"spec": {"maintenanceOutcome": {
        "result": "Succeeded", "endedAt": Timestamp::now().to_string(), "summary": "提前完成",
    }}});
    let refused = refusal(provider.amend_as(Actor::Provider, Kind::Change, "storage", early).await)?;
    ensure!(
        refused.contains("平台调整开始后方可报实施结果") || refused.contains("before the window"),
        "{refused}"
    );
    Ok(())
}
