//! Changes that may not be (Art. 12, 15, 16): two at a time, on the way out, on a foreign's namespace, without approval.

use anyhow::{Context as _, Result, ensure};
use e2e::fixtures::{Department, Kind, condition, refusal};
use e2e::suite::Context;
use govcloud_domain::names::tenant_namespace;
use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::{DeleteParams, PostParams};
use serde_json::{Value, json};

use crate::fixture::{
    adjustment, automatic, carry_out, event, hard, message, provider_applied, provisioned, timeline_count,
};

fn more() -> Value {
    json!([{"name": "prod", "quota": {"pods": "60"}}])
}

/// A decision by the authority on what stands now.
pub async fn decide(department: &Department, name: &str, verdict: &str, opinion: &str) -> Result<()> {
    let record = department.get(Kind::Change, name).await?;
    let annotations = json!({
        "govcloud.dev/decision": verdict, "govcloud.dev/opinion": opinion,
        "govcloud.dev/reviewed-generation": record.metadata.generation.unwrap_or_default().to_string(),
    });
    let patch = json!({"metadata": {"annotations": annotations}});
    department.amend_as(department.authority, Kind::Change, name, patch).await.map(drop)
}

/// The API server refuses an approval, for want of `Valid`.
pub async fn cannot_be_approved(department: &Department, name: &str) -> Result<()> {
    let refused = refusal(decide(department, name, "approved", "同意").await)?;
    ensure!(refused.contains("Valid"), "{refused}");
    Ok(())
}

pub async fn one_open_change_and_none_while_exiting(context: Context) -> Result<()> {
    let department = provider_applied(&context, "once").await?;
    provisioned(&department, "clinic").await?;
    department.file(&adjustment(&department, "first", "clinic", more())?).await?;
    department.approve(Kind::Change, "first").await?;
    department.phase(Kind::Change, "first", "Applying").await?;
    department
        .file(&adjustment(
            &department,
            "second",
            "clinic",
            json!([{"name": "prod", "quota": {"pods": "70"}}]),
        )?)
        .await?;
    let second = department.judged(Kind::Change, "second", "AnotherOpen").await?;
    ensure!(message(&second, "Valid").contains("ChangeRequest first"), "{second:?}");
    cannot_be_approved(&department, "second").await?;
    carry_out(&department, "clinic", "first").await?;
    department.phase(Kind::Change, "first", "Completed").await?;
    department.judged(Kind::Change, "second", "Valid").await?;
    let uid = second.metadata.uid.clone();
    let withdraw = json!({"metadata": {"annotations": {"govcloud.dev/withdraw": uid}}});
    department.amend(Kind::Change, "second", withdraw).await?;
    department.phase(Kind::Change, "second", "Withdrawn").await?;

    department.file(&department.exit("leave", "clinic", json!({"default": "Retain"}))?).await?;
    department.phase(Kind::Application, "clinic", "Exiting").await?;
    department
        .file(&adjustment(
            &department,
            "during",
            "clinic",
            json!([{"name": "prod", "quota": {"pods": "80"}}]),
        )?)
        .await?;
    let during = department.judged(Kind::Change, "during", "ApplicationNotActive").await?;
    ensure!(message(&during, "Valid").contains("clinic is Exiting"), "{during:?}");
    cannot_be_approved(&department, "during").await
}

pub async fn a_change_is_returned_resubmitted_or_rejected(context: Context) -> Result<()> {
    let department = automatic(&context, "reviewed").await?;
    let app = provisioned(&department, "clinic").await?;
    let (prod, _) = Department::tenant(&app, "prod")?;
    department
        .file(&adjustment(
            &department,
            "more",
            "clinic",
            json!([{"name": "prod", "quota": {"pods": "500"}}]),
        )?)
        .await?;
    department.judged(Kind::Change, "more", "Valid").await?;
    decide(&department, "more", "returned", "请按实际峰值重新测算").await?;
    let returned = department.phase(Kind::Change, "more", "Returned").await?;
    ensure!(returned.data["status"]["waitingOn"] == "Department", "{returned:?}");
    let told = event(&department, "ChangeRequest", "more", "Returned").await?;
    ensure!(told.contains("请按实际峰值重新测算"), "{told}");
    department
        .amend(Kind::Change, "more", json!({"spec": {"resourceAdjustment": {"namespaces": more()}}}))
        .await?;
    let again = department.phase(Kind::Change, "more", "Submitted").await?;
    ensure!(timeline_count(&again, "Resubmitted") == 1, "{again:?}");
    department.approve(Kind::Change, "more").await?;
    department.phase(Kind::Change, "more", "Completed").await?;
    ensure!(hard(&department, &prod).await?["pods"] == "60");

    department
        .file(&adjustment(
            &department,
            "much",
            "clinic",
            json!([{"name": "prod", "quota": {"pods": "900"}}]),
        )?)
        .await?;
    department.judged(Kind::Change, "much", "Valid").await?;
    decide(&department, "much", "rejected", "利用率不足").await?;
    let rejected = department.phase(Kind::Change, "much", "Rejected").await?;
    ensure!(condition(&rejected.data["status"], "Stalled")["reason"] == "Rejected", "{rejected:?}");
    ensure!(hard(&department, &prod).await?["pods"] == "60", "a rejected change changed something");
    let same = json!([{"name": "prod", "quota": {"pods": "0.06k"}}]);
    department.file(&adjustment(&department, "same", "clinic", same)?).await?;
    department.judged(Kind::Change, "same", "NothingChanges").await.context("0.06k is 60").map(drop)
}

/// S3: a namespace that is there already is never taken over, and whoever asks for its name learns of it before the decision.
pub async fn taken_namespace_name_is_invalid(context: Context) -> Result<()> {
    let department = automatic(&context, "taken").await?;
    provisioned(&department, "clinic").await?;
    let name = tenant_namespace(&department.namespace, "clinic", "test");
    let namespaces: Api<Namespace> = Api::all(department.admin().await?);
    let foreign: Namespace = serde_json::from_value(json!({"metadata": {"name": name}}))?;
    namespaces.create(&PostParams::default(), &foreign).await?;
    let added = json!([{"name": "test", "quota": {"pods": "5"}}]);
    department.file(&adjustment(&department, "add", "clinic", added)?).await?;
    let taken = department.judged(Kind::Change, "add", "NamespaceTaken").await?;
    ensure!(message(&taken, "Valid").contains(&name), "{taken:?}");
    cannot_be_approved(&department, "add").await?;
    namespaces.delete(&name, &DeleteParams::default()).await?;
    department.judged(Kind::Change, "add", "Valid").await.context("its going is news for the change")?;
    department.approve(Kind::Change, "add").await?;
    department.phase(Kind::Change, "add", "Completed").await.map(drop)
}
