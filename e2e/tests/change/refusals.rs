//! Changes that may not be (Art. 12, 15, 16): two at a time, on the way out, on a foreign's namespace, without approval.

use anyhow::{Context as _, Result, ensure};
use e2e::office::{Kind, Office, condition, refusal};
use e2e::suite::Context;
use govcloud_domain::names::tenant_namespace;
use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::{DeleteParams, PostParams};
use serde_json::{Value, json};

use crate::stage::{
    adjustment, automatic, by_the_provider, carry_out, event, hard, message, provisioned, said,
};

fn more() -> Value {
    json!([{"name": "prod", "quota": {"pods": "60"}}])
}

/// A decision by the authority on what stands now.
pub async fn decide(office: &Office, name: &str, verdict: &str, opinion: &str) -> Result<()> {
    let record = office.get(Kind::Change, name).await?;
    let annotations = json!({
        "govcloud.dev/decision": verdict, "govcloud.dev/opinion": opinion,
        "govcloud.dev/reviewed-generation": record.metadata.generation.unwrap_or_default().to_string(),
    });
    let patch = json!({"metadata": {"annotations": annotations}});
    office.amend_as(office.authority, Kind::Change, name, patch).await.map(drop)
}

/// The API server refuses an approval, for want of `Valid`.
pub async fn cannot_be_approved(office: &Office, name: &str) -> Result<()> {
    let refused = refusal(decide(office, name, "approved", "同意").await)?;
    ensure!(refused.contains("Valid"), "{refused}");
    Ok(())
}

pub async fn one_open_change_and_none_while_exiting(context: Context) -> Result<()> {
    let office = by_the_provider(&context, "once").await?;
    provisioned(&office, "clinic").await?;
    office.file(&adjustment(&office, "first", "clinic", more())?).await?;
    office.approve(Kind::Change, "first").await?;
    office.phase(Kind::Change, "first", "Applying").await?;
    office
        .file(&adjustment(&office, "second", "clinic", json!([{"name": "prod", "quota": {"pods": "70"}}]))?)
        .await?;
    let second = office.judged(Kind::Change, "second", "AnotherOpen").await?;
    ensure!(message(&second, "Valid").contains("ChangeRequest first"), "{second:?}");
    cannot_be_approved(&office, "second").await?;
    carry_out(&office, "clinic", "first").await?;
    office.phase(Kind::Change, "first", "Completed").await?;
    office.judged(Kind::Change, "second", "Valid").await?;
    let uid = second.metadata.uid.clone();
    let withdraw = json!({"metadata": {"annotations": {"govcloud.dev/withdraw": uid}}});
    office.amend(Kind::Change, "second", withdraw).await?;
    office.phase(Kind::Change, "second", "Withdrawn").await?;

    office.file(&office.exit("leave", "clinic", json!({"default": "Retain"}))?).await?;
    office.phase(Kind::Application, "clinic", "Exiting").await?;
    office
        .file(&adjustment(&office, "during", "clinic", json!([{"name": "prod", "quota": {"pods": "80"}}]))?)
        .await?;
    let during = office.judged(Kind::Change, "during", "ApplicationNotActive").await?;
    ensure!(message(&during, "Valid").contains("clinic is Exiting"), "{during:?}");
    cannot_be_approved(&office, "during").await
}

pub async fn a_change_is_returned_resubmitted_or_rejected(context: Context) -> Result<()> {
    let office = automatic(&context, "reviewed").await?;
    let app = provisioned(&office, "clinic").await?;
    let (prod, _) = Office::tenant(&app, "prod")?;
    office
        .file(&adjustment(&office, "more", "clinic", json!([{"name": "prod", "quota": {"pods": "500"}}]))?)
        .await?;
    office.judged(Kind::Change, "more", "Valid").await?;
    decide(&office, "more", "returned", "请按实际峰值重新测算").await?;
    let returned = office.phase(Kind::Change, "more", "Returned").await?;
    ensure!(returned.data["status"]["waitingOn"] == "Department", "{returned:?}");
    let told = event(&office, "ChangeRequest", "more", "Returned").await?;
    ensure!(told.contains("请按实际峰值重新测算"), "{told}");
    office
        .amend(Kind::Change, "more", json!({"spec": {"resourceAdjustment": {"namespaces": more()}}}))
        .await?;
    let again = office.phase(Kind::Change, "more", "Submitted").await?;
    ensure!(said(&again, "Resubmitted") == 1, "{again:?}");
    office.approve(Kind::Change, "more").await?;
    office.phase(Kind::Change, "more", "Completed").await?;
    ensure!(hard(&office, &prod).await?["pods"] == "60");

    office
        .file(&adjustment(&office, "much", "clinic", json!([{"name": "prod", "quota": {"pods": "900"}}]))?)
        .await?;
    office.judged(Kind::Change, "much", "Valid").await?;
    decide(&office, "much", "rejected", "利用率不足").await?;
    let rejected = office.phase(Kind::Change, "much", "Rejected").await?;
    ensure!(condition(&rejected.data["status"], "Stalled")["reason"] == "Rejected", "{rejected:?}");
    ensure!(hard(&office, &prod).await?["pods"] == "60", "a rejected change changed something");
    let same = json!([{"name": "prod", "quota": {"pods": "0.06k"}}]);
    office.file(&adjustment(&office, "same", "clinic", same)?).await?;
    office.judged(Kind::Change, "same", "NothingChanges").await.context("0.06k is 60").map(drop)
}

/// S3: a namespace that is there already is never taken over, and whoever asks for its name learns of it before the decision.
pub async fn a_taken_namespace_name_is_not_valid(context: Context) -> Result<()> {
    let office = automatic(&context, "taken").await?;
    provisioned(&office, "clinic").await?;
    let name = tenant_namespace(&office.namespace, "clinic", "test");
    let namespaces: Api<Namespace> = Api::all(office.admin().await?);
    let foreign: Namespace = serde_json::from_value(json!({"metadata": {"name": name}}))?;
    namespaces.create(&PostParams::default(), &foreign).await?;
    let added = json!([{"name": "test", "quota": {"pods": "5"}}]);
    office.file(&adjustment(&office, "add", "clinic", added)?).await?;
    let taken = office.judged(Kind::Change, "add", "NamespaceTaken").await?;
    ensure!(message(&taken, "Valid").contains(&name), "{taken:?}");
    cannot_be_approved(&office, "add").await?;
    namespaces.delete(&name, &DeleteParams::default()).await?;
    office.judged(Kind::Change, "add", "Valid").await.context("its going is news for the change")?;
    office.approve(Kind::Change, "add").await?;
    office.phase(Kind::Change, "add", "Completed").await.map(drop)
}
