//! Compliance records and inspections in every phase (Art. 17, 25).

use anyhow::{Context as _, Result};
use e2e::actors::Actor;
use e2e::fixtures::{Department, Kind, sample};
use kube::ResourceExt;
use kube::api::PostParams;
use serde_json::{Value, json};

use crate::lives::decide;

/// The provider's documents: on record, expired, returned, rejected, and one that is taken back.
pub async fn compliance(provider: &Department) -> Result<()> {
    let file = async |name: &str, fields: &[(&str, Value)]| {
        let mut manifest = sample("emergency-plan.yaml")?;
        manifest["metadata"]["name"] = json!(name);
        for (field, value) in fields {
            manifest["spec"][*field] = value.clone();
        }
        provider.file_as(Actor::Provider, &manifest).await
    };
    file("plan", &[]).await?;
    provider.phase(Kind::Compliance, "plan", "Recorded").await?;
    file("products", &[("type", json!("ProductList")), ("validUntil", json!("2026-06-30"))]).await?;
    let expired = |s: &Value| s["phase"] == "Recorded" && s["conditions"].to_string().contains("Expired");
    provider.until(Kind::Compliance, "products", "has expired", expired).await?;
    for (name, verdict, phase) in [("returned", "returned", "Returned"), ("rejected", "rejected", "Rejected")]
    {
        file(name, &[("type", json!("OperationReport"))]).await?;
        provider.phase(Kind::Compliance, name, "Recorded").await?;
        decide(provider, Kind::Compliance, name, verdict).await?;
        provider.phase(Kind::Compliance, name, phase).await?;
    }
    let drill = json!({"plan": "no-plan", "participants": ["某云服务商"]});
    file("drill", &[("type", json!("Drill")), ("drill", drill)]).await?;
    let unusable = provider.judged(Kind::Compliance, "drill", "EmergencyPlanUnusable").await?;
    let uid = unusable.uid().context("no UID")?;
    let withdraw = json!({"metadata": {"annotations": {"govcloud.dev/withdraw": uid}}});
    provider.amend_as(Actor::Provider, Kind::Compliance, "drill", withdraw).await?;
    provider.phase(Kind::Compliance, "drill", "Withdrawn").await.map(drop)
}

/// Two inspections: one is answered, returned, answered again and closed; nobody answers the other.
pub async fn inspections(department: &Department) -> Result<()> {
    let api = department.second_officer(Kind::Inspection).await?;
    for name in ["answered", "unanswered"] {
        let mut manifest = sample("travel-inspection.yaml")?;
        manifest["metadata"]["name"] = json!(name);
        api.create(&PostParams::default(), &serde_json::from_value(manifest)?).await?;
        department.phase(Kind::Inspection, name, "Rectifying").await?;
    }
    let response =
        |finding: &str, number: i32| json!({"finding": finding, "number": number, "text": "已整改"});
    let first = [response("1", 1), response("2", 1)];
    let again = [response("1", 1), response("2", 1), response("2", 2)];
    department.amend(Kind::Inspection, "answered", json!({"spec": {"responses": first}})).await?;
    department.phase(Kind::Inspection, "answered", "AwaitingDecision").await?;
    decide(department, Kind::Inspection, "answered", "returned").await?;
    department.phase(Kind::Inspection, "answered", "Returned").await?;
    department.amend(Kind::Inspection, "answered", json!({"spec": {"responses": again}})).await?;
    department.phase(Kind::Inspection, "answered", "AwaitingDecision").await?;
    department.approve(Kind::Inspection, "answered").await?;
    department.phase(Kind::Inspection, "answered", "Closed").await.map(drop)
}
