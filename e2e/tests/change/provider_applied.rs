//! Work orders by the provider's own hand (Art. 13): published, rendered, applied; too early, and too late.

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::fixtures::{Department, Kind, condition};
use e2e::suite::Context;
use govcloud_domain::digest::spec_digest;
use kube::ResourceExt;
use kube::api::DeleteParams;
use serde_json::json;

use crate::fixture::{
    carry_out, clock, event, hard, message, order, provider_applied, provisioned, render_and_apply, tenants,
};

pub async fn work_order_is_published_and_rendered(context: Context) -> Result<()> {
    let department = provider_applied(&context, "orders").await?;
    department.file(&department.application("clinic")?).await?;
    let early = render_and_apply(&department, "grant render clinic").await;
    ensure!(early.is_err_and(|e| e.to_string().contains("is not approved")), "nothing is rendered before");
    department.approve(Kind::Application, "clinic").await?;
    let app = department.phase(Kind::Application, "clinic", "Provisioning").await?;
    let status = &app.data["status"];
    ensure!(status["waitingOn"] == "Provider" && status["waitingFor"] == "Provision", "{status}");
    ensure!(clock(&app, "Provision")?["dueDate"] == status["dueDate"], "the provider's clock runs: {status}");
    let reconciling = condition(status, "Reconciling");
    ensure!(reconciling["reason"] == "AwaitingGrant", "{reconciling}");
    let publishes = message(&app, "Reconciling");
    ensure!(publishes.contains("kubectl govcloud grant render clinic"), "{publishes}");
    let told = event(&department, "CloudApplication", "clinic", "Approved").await?;
    ensure!(told.contains("已通知政务云服务提供方"), "{told}");
    ensure!(tenants(&department, &app).await?.is_empty(), "nothing is made without the provider's grant");

    let said = render_and_apply(&department, "grant render clinic").await?;
    ensure!(
        said.contains("kind: ResourceGrant") && said.contains("resourcegrant.govcloud.dev/clinic created"),
        "{said}"
    );
    let app = department.phase(Kind::Application, "clinic", "Provisioned").await?;
    ensure!(clock(&app, "Provision")?["metAt"].is_string(), "{}", app.data["status"]);
    let (prod, _) = Department::tenant(&app, "prod")?;
    ensure!(hard(&department, &prod).await?["requests.cpu"] == "8");
    let grant = department.get(Kind::Grant, "clinic").await?;
    let by = grant.metadata.managed_fields.iter().flatten().filter_map(|m| m.manager.as_deref());
    ensure!(
        by.clone().any(|m| m.starts_with("kubectl")),
        "the provider wrote it: {:?}",
        by.collect::<Vec<_>>()
    );

    department.file(&department.change("enlarge", "clinic")?).await?;
    department.approve(Kind::Change, "enlarge").await?;
    let change = department.phase(Kind::Change, "enlarge", "Applying").await?;
    ensure!(condition(&change.data["status"], "Reconciling")["reason"] == "AwaitingGrant", "{change:?}");
    ensure!(
        message(&change, "Reconciling").contains("kubectl govcloud grant render clinic --change enlarge")
    );
    ensure!(clock(&change, "Change")?["metAt"].is_null() && change.data["status"]["waitingOn"] == "Provider");
    let told = event(&department, "ChangeRequest", "enlarge", "Approved").await?;
    ensure!(told.contains("已通知政务云服务提供方"), "{told}");
    ensure!(
        hard(&department, &prod).await?["requests.cpu"] == "8",
        "nothing is enlarged without the provider's grant"
    );
    carry_out(&department, "clinic", "enlarge").await?;
    let change = department.phase(Kind::Change, "enlarge", "Completed").await?;
    ensure!(clock(&change, "Change")?["metAt"].is_string(), "{}", change.data["status"]);
    ensure!(hard(&department, &prod).await?["requests.cpu"] == "16");
    Ok(())
}

/// Applied before the approval: it waits, says for what, and is carried out once that is there.
pub async fn grant_before_approval_waits(context: Context) -> Result<()> {
    let department = provider_applied(&context, "early").await?;
    department.file(&department.application("clinic")?).await?;
    let app = department.judged(Kind::Application, "clinic", "Valid").await?;
    let namespaces = app.data["spec"]["namespaces"].clone();
    let mut early = order(&app, &app, namespaces);
    early["spec"]["approved"]["generation"] = json!(app.metadata.generation);
    early["spec"]["approved"]["digest"] = json!(spec_digest(&app.data["spec"]));
    department.file_as(Actor::Provider, &early).await?;
    let grant = department.phase(Kind::Grant, "clinic", "Pending").await?;
    let status = &grant.data["status"];
    ensure!(status["waitingOn"] == "Authority" && status["waitingFor"] == "Approval", "{status}");
    ensure!(message(&grant, "Ready").contains("waits for the approval of application clinic"), "{status}");
    ensure!(tenants(&department, &app).await?.is_empty(), "something was made before the approval");
    department.approve(Kind::Application, "clinic").await?;
    let app = department.phase(Kind::Application, "clinic", "Provisioned").await?;
    department.phase(Kind::Grant, "clinic", "Active").await?;
    ensure!(tenants(&department, &app).await?.len() == 1);
    Ok(())
}

/// An exited application is granted nothing, neither by its old grant nor by a new one (Art. 16).
pub async fn grant_after_exit_is_refused(context: Context) -> Result<()> {
    let department = provider_applied(&context, "late").await?;
    let app = provisioned(&department, "clinic").await?;
    let right = order(&app, &app, app.data["spec"]["namespaces"].clone());
    department.leave(department.exit("clinic-exit", "clinic", json!({"default": "Retain"}))?).await?;
    department.phase(Kind::Application, "clinic", "Exited").await?;
    department.phase(Kind::Grant, "clinic", "Released").await?;
    let more = json!({"spec": {"namespaces": [{"name": "prod", "quota": {"pods": "1"}}]}});
    let patched = department.amend_as(Actor::Provider, Kind::Grant, "clinic", more).await?;
    let generation = patched.metadata.generation;
    let seen = move |s: &serde_json::Value| s["observedGeneration"].as_i64() == generation;
    let ended = department.until(Kind::Grant, "clinic", "was looked at", seen).await?;
    ensure!(ended.data["status"]["phase"] == "Released", "{ended:?}");

    let grants = department.api(Actor::Provider, Kind::Grant).await?;
    grants.delete("clinic", &DeleteParams::default()).await.context("an ended grant is removed")?;
    department.file_as(Actor::Provider, &right).await?;
    let refused = department.phase(Kind::Grant, "clinic", "Refused").await?;
    ensure!(
        message(&refused, "Stalled").contains("the application has exited"),
        "{}",
        message(&refused, "Stalled")
    );
    let all = tenants(&department, &app).await?;
    ensure!(all.is_empty(), "an exited application has {all:?}");
    ensure!(refused.name_any() == "clinic");
    Ok(())
}
