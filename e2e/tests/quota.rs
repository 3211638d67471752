//! A quota counts once the API server enforces it: while Kubernetes' quota controller stands still, nothing is provisioned,
//! changed or wound down, and nobody gets into a namespace that nothing limits (Art. 13, 15, 16; S1).

use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::cluster::Setup;
use e2e::fixtures::{self, Department, HENAN, Kind, PATIENCE, condition, refusal};
use e2e::suite::{self, Context};
use e2e::wait::eventually;
use govcloud_domain::names::tenant_namespace;
use k8s_openapi::api::core::v1::{Namespace, PersistentVolumeClaim, ResourceQuota, Service};
use kube::api::{ListParams, PostParams};
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};

fn main() -> ExitCode {
    suite::main(Setup::Operating, e2e::tests![s1_nothing_counts_before_the_quota_is_enforced])
}

async fn s1_nothing_counts_before_the_quota_is_enforced(context: Context) -> Result<()> {
    fixtures::regions(&context.cluster).await?;
    let namespace = context.filing_namespace("dept-quota", HENAN).await?;
    let department = Department::open(&context.cluster, &namespace, HENAN).await?;
    let tenant = tenant_namespace(&namespace, "travel", "prod");
    context.dump_on_failure(&tenant);
    provisioned_once_enforced(&department, &tenant).await?;
    changed_once_enforced(&department, &tenant).await?;
    wound_down_once_enforced(&department, &tenant).await?;
    println!("quota: provisioned, changed and wound down, each once the API server enforced the quota");
    Ok(())
}

/// Waits until the grant reports that its quota is not enforced, and checks that it is not.
async fn is_awaited(department: &Department, tenant: &str) -> Result<()> {
    let awaits = |s: &Value| {
        let reconciling = condition(s, "Reconciling");
        reconciling["status"] == "True" && reconciling["reason"] == "QuotaNotCounted"
    };
    let grant = department.until(Kind::Grant, "travel", "awaits its quota", awaits).await?;
    let message = condition(&grant.data["status"], "Reconciling")["message"].to_string();
    ensure!(message.contains(tenant) && message.contains("尚未生效"), "{message}");
    let quota = quota(department, tenant).await?;
    ensure!(quota["spec"]["hard"] != quota["status"]["hard"], "it is enforced: {quota}");
    Ok(())
}

async fn quota(department: &Department, tenant: &str) -> Result<Value> {
    let quotas: Api<ResourceQuota> = Api::namespaced(department.admin().await?, tenant);
    Ok(serde_json::to_value(quotas.get("govcloud").await?)?)
}

async fn provisioned_once_enforced(department: &Department, tenant: &str) -> Result<()> {
    let mut application = department.application("travel")?;
    application["spec"]["namespaces"][0]["quota"] =
        json!({"pods": "2", "persistentvolumeclaims": "1", "requests.storage": "1Gi"});
    department.file(&application).await?;
    let paused = department.cluster().plane.pause_controllers()?;
    department.approve(Kind::Application, "travel").await?;
    is_awaited(department, tenant).await?;
    let travel = department.get(Kind::Application, "travel").await?;
    ensure!(travel.data["status"]["phase"] == "Provisioning", "{}", travel.data["status"]);
    let client = department.cluster().client(Actor::Department).await?;
    let refused = door(&client, tenant).await;
    let message = refusal(refused)?;
    ensure!(message.contains("cannot create resource") && message.contains("services"), "{message}");
    let message = refusal(claim(&client, tenant, "10Gi").await)?;
    ensure!(message.contains("cannot create resource"), "{message}");
    drop(paused);

    department.phase(Kind::Application, "travel", "Provisioned").await?;
    let limited = || async {
        let message = refusal(door(&client, tenant).await)?;
        Ok(message.contains("exceeded quota").then_some(()))
    };
    eventually("a NodePort is refused by the quota", PATIENCE, limited).await?;
    let message = refusal(claim(&client, tenant, "10Gi").await)?;
    ensure!(message.contains("exceeded quota"), "{message}");
    let services: Api<Service> = Api::namespaced(client.clone(), tenant);
    ensure!(services.list(&ListParams::default()).await?.items.is_empty(), "a service was made");
    Ok(())
}

/// A NodePort service, of which none was granted.
async fn door(client: &Client, namespace: &str) -> Result<()> {
    let services: Api<Service> = Api::namespaced(client.clone(), namespace);
    let door = json!({"metadata": {"name": "door"}, "spec": {"type": "NodePort", "ports": [{"port": 80}]}});
    services.create(&PostParams::default(), &serde_json::from_value(door)?).await?;
    Ok(())
}

async fn claim(client: &Client, namespace: &str, size: &str) -> Result<()> {
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(client.clone(), namespace);
    let claim = json!({"metadata": {"name": "data"}, "spec": {
        "storageClassName": "hostpath", "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}},
    }});
    claims.create(&PostParams::default(), &serde_json::from_value(claim)?).await?;
    Ok(())
}

async fn changed_once_enforced(department: &Department, tenant: &str) -> Result<()> {
    let mut change = department.change("more", "travel")?;
    change["spec"]["resourceAdjustment"]["namespaces"] = json!([{"name": "prod", "quota": {"pods": "3"}}]);
    department.file(&change).await?;
    let paused = department.cluster().plane.pause_controllers()?;
    department.approve(Kind::Change, "more").await?;
    is_awaited(department, tenant).await?;
    let more = department.get(Kind::Change, "more").await?;
    ensure!(more.data["status"]["phase"] == "Applying", "{}", more.data["status"]);
    drop(paused);
    department.phase(Kind::Change, "more", "Completed").await?;
    ensure!(quota(department, tenant).await?["status"]["hard"]["pods"] == "3");
    Ok(())
}

async fn wound_down_once_enforced(department: &Department, tenant: &str) -> Result<()> {
    department.file(&department.exit("leave", "travel", json!({"default": "Destroy"}))?).await?;
    department.consent("leave").await?;
    let paused = department.cluster().plane.pause_controllers()?;
    department.approve(Kind::Exit, "leave").await?;
    is_awaited(department, tenant).await?;
    let namespaces: Api<Namespace> = Api::all(department.admin().await?);
    let live = namespaces.get(tenant).await?;
    ensure!(live.metadata.deletion_timestamp.is_none(), "{} is being deleted in use", live.name_any());
    let leave = department.get(Kind::Exit, "leave").await?;
    ensure!(leave.data["status"]["certificate"].is_null(), "{}", leave.data["status"]);
    drop(paused);
    department.phase(Kind::Exit, "leave", "Completed").await.context("the exit ends").map(drop)
}
