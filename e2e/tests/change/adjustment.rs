//! Resource adjustments in both modes of fulfilment (Art. 15): exact, recorded, and without a touch to what runs.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use e2e::fixtures::{Department, Kind, PATIENCE, ZHENGZHOU, condition};
use e2e::suite::Context;
use e2e::wait::eventually;
use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Pod, ResourceQuota, Service};
use kube::api::{DeleteParams, DynamicObject, ListParams, PostParams};
use kube::{Api, Client, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::fixture::{
    adjustment, automatic, carry_out, clock, hard, message, provider_applied, provisioned, timeline_count,
};

pub async fn adjustment_keeps_workloads_automatic(context: Context) -> Result<()> {
    disturbs_nothing(&automatic(&context, "adjusts").await?).await
}

pub async fn adjustment_keeps_workloads_provider_applied(context: Context) -> Result<()> {
    disturbs_nothing(&provider_applied(&context, "adjusts").await?).await
}

pub async fn a_shrink_below_use_waits_automatic(context: Context) -> Result<()> {
    below_use_waits(&automatic(&context, "shrinks").await?).await
}

pub async fn a_shrink_below_use_waits_provider_applied(context: Context) -> Result<()> {
    below_use_waits(&provider_applied(&context, "shrinks").await?).await
}

pub async fn use_of_a_new_key_is_counted_first_automatic(context: Context) -> Result<()> {
    counted_first(&automatic(&context, "counts").await?).await
}

pub async fn use_of_a_new_key_is_counted_first_provider_applied(context: Context) -> Result<()> {
    counted_first(&provider_applied(&context, "counts").await?).await
}

/// A key that nothing limited before: its use is counted, and the change waits as for every other key.
async fn counted_first(department: &Department) -> Result<()> {
    let app = provisioned(department, "clinic").await?;
    let (prod, _) = Department::tenant(&app, "prod")?;
    let client = department.cluster().client(department.applicant).await?;
    let service = json!({"metadata": {"name": "worker"}, "spec": {"ports": [{"port": 80}]}});
    create::<Service>(&client, &prod, service).await?;
    let none = json!([{"name": "prod", "quota": {"services": "0"}}]);
    department.file(&adjustment(department, "none", "clinic", none)?).await?;
    department.approve(Kind::Change, "none").await?;
    let waits = department
        .until(Kind::Change, "none", "waits on the department", |s| s["waitingFor"] == "ReduceUse")
        .await?;
    ensure!(
        message(&waits, "Reconciling").contains("prod services: 0 < 1"),
        "{}",
        message(&waits, "Reconciling")
    );
    ensure!(hard(department, &prod).await?["services"] != "0", "a quota below use was set");
    if department.region == ZHENGZHOU {
        crate::fixture::render_and_apply(department, "grant render clinic --change none").await?;
        department.until(Kind::Grant, "clinic", "waits, too", |s| s["waitingFor"] == "ReduceUse").await?;
    }
    Api::<Service>::namespaced(client, &prod).delete("worker", &DeleteParams::default()).await?;
    let done = department.phase(Kind::Change, "none", "Completed").await?;
    ensure!(timeline_count(&done, "UseFell") == 1, "{}", done.data["status"]["timeline"]);
    ensure!(hard(department, &prod).await?["services"] == "0");
    Ok(())
}

/// A key of a resource that does not exist: in force, and named.
pub async fn a_key_that_nobody_counts_is_named(context: Context) -> Result<()> {
    let department = automatic(&context, "widgets").await?;
    provisioned(&department, "clinic").await?;
    change(&department, "widgets", json!([{"name": "prod", "quota": {"count/widgets.example.com": "5"}}]))
        .await?;
    let named = |s: &Value| condition(s, "QuotaCounted")["reason"] == "QuotaNotCounted";
    let grant = department.until(Kind::Grant, "clinic", "names the key", named).await?;
    let said = message(&grant, "QuotaCounted");
    ensure!(said.contains("count/widgets.example.com") && said.contains("未统计"), "{said}");
    Ok(())
}

/// Grown, a namespace added, and that one taken out of use again, while one set of objects runs on untouched.
async fn disturbs_nothing(department: &Department) -> Result<()> {
    let app = provisioned(department, "clinic").await?;
    let (prod, _) = Department::tenant(&app, "prod")?;
    department.fill(&prod, "data", "运行数据").await?;
    let client = department.cluster().client(department.applicant).await?;
    run(&client, &prod, "worker").await?;
    create::<Service>(
        &client,
        &prod,
        json!({"metadata": {"name": "worker"}, "spec": {"ports": [{"port": 80}]}}),
    )
    .await?;
    create::<ConfigMap>(&client, &prod, json!({"metadata": {"name": "worker"}, "data": {"k": "v"}})).await?;
    let before = running(&client, &prod).await?;
    ensure!(before.len() >= 4, "a Pod, a Service, a ConfigMap and a claim run: {before:?}");

    let asked = json!([
        {"name": "prod", "quota": {"requests.cpu": "16", "pods": "100"}},
        {"name": "test", "quota": {"requests.cpu": "2", "requests.memory": "4Gi", "pods": "10"}},
    ]);
    let done = change(department, "grow", asked.clone()).await?;
    recorded(&done, &asked)?;
    let limits = hard(department, &prod).await?;
    ensure!(
        limits["requests.cpu"] == "16" && limits["pods"] == "100" && limits["requests.memory"] == "16Gi",
        "what is named is new, what is not stays: {limits}"
    );
    let app = department.until(Kind::Application, "clinic", "has two namespaces", |s| {
        s["namespaces"].as_array().is_some_and(|n| n.len() == 2 && n.iter().all(|n| n["uid"].is_string()))
    });
    let app = app.await?;
    let (test, test_uid) = Department::tenant(&app, "test")?;
    ensure!(hard(department, &test).await?["requests.memory"] == "4Gi");

    // Taken out of use by a quota of zero; the namespace stays, for it goes only through an exit.
    let zero = json!([{"name": "test", "quota": {"requests.cpu": "0", "requests.memory": "0", "pods": "0"}}]);
    change(department, "close", zero).await?;
    ensure!(hard(department, &test).await?["pods"] == "0");
    let late = run(&client, &test, "late").await;
    ensure!(late.is_err_and(|e| format!("{e:#}").contains("exceeded quota")), "a Pod ran on a quota of zero");
    let app = department.get(Kind::Application, "clinic").await?;
    ensure!(Department::tenant(&app, "test")?.1 == test_uid, "the namespace was replaced");

    let after = running(&client, &prod).await?;
    ensure!(after == before, "an adjustment touched what runs:\n{before:#?}\n{after:#?}");
    println!("change: {} objects in {prod} are the same, to the resourceVersion", after.len());
    Ok(())
}

/// A change from filing to its end, in whichever mode.
async fn change(department: &Department, name: &str, namespaces: Value) -> Result<DynamicObject> {
    department.file(&adjustment(department, name, "clinic", namespaces)?).await?;
    department.approve(Kind::Change, name).await?;
    carry_out(department, "clinic", name).await?;
    department.phase(Kind::Change, name, "Completed").await
}

/// The record keeps before, requested, decided and applied.
fn recorded(change: &DynamicObject, asked: &Value) -> Result<()> {
    let status = &change.data["status"];
    ensure!(change.data["spec"]["resourceAdjustment"]["namespaces"] == *asked, "what was requested");
    ensure!(status["before"].as_array().is_some_and(|b| b.len() == 1), "what was before: {status}");
    ensure!(status["before"][0]["quota"]["requests.cpu"] == "8", "what was before: {status}");
    ensure!(status["after"].as_array().is_some_and(|a| a.len() == 2), "what is after: {status}");
    ensure!(status["after"][0]["quota"]["requests.memory"] == "16Gi", "what was not named stays: {status}");
    ensure!(status["decision"]["verdict"] == "Approved" && status["decision"]["by"].is_string(), "{status}");
    ensure!(
        status["appliedAt"].is_string() && clock(change, "Change")?["metAt"] == status["appliedAt"],
        "{status}"
    );
    Ok(())
}

/// Below what is used: the department is waited on, with the numbers, and the provider's clock stands.
async fn below_use_waits(department: &Department) -> Result<()> {
    let app = provisioned(department, "clinic").await?;
    let (prod, _) = Department::tenant(&app, "prod")?;
    let client = department.cluster().client(department.applicant).await?;
    run(&client, &prod, "one").await?;
    run(&client, &prod, "two").await?;
    counted(department, &prod, "2").await?;
    let less = json!([{"name": "prod", "quota": {"pods": "1"}}]);
    department.file(&adjustment(department, "shrink", "clinic", less)?).await?;
    department.approve(Kind::Change, "shrink").await?;
    let waits = department
        .until(Kind::Change, "shrink", "waits on the department", |s| s["waitingFor"] == "ReduceUse")
        .await?;
    let status = &waits.data["status"];
    ensure!(status["phase"] == "Applying" && status["waitingOn"] == "Department", "{status}");
    let reconciling = condition(status, "Reconciling");
    ensure!(reconciling["reason"] == "BelowUse", "{reconciling}");
    ensure!(message(&waits, "Reconciling").contains("prod pods: 1 < 2"), "{reconciling}");
    let pauses = &clock(&waits, "Change")?["pauses"];
    ensure!(pauses[0]["waitingOn"] == "Department" && pauses[0]["to"].is_null(), "the clock runs: {pauses}");
    ensure!(status["dueDate"].is_null(), "nobody's period runs: {status}");
    if department.region == ZHENGZHOU {
        // The provider's grant for it waits, too, and says for what.
        crate::fixture::render_and_apply(department, "grant render clinic --change shrink").await?;
        let grant =
            department.until(Kind::Grant, "clinic", "waits, too", |s| s["waitingFor"] == "ReduceUse").await?;
        ensure!(message(&grant, "Reconciling").contains("waits until the department uses less"), "{grant:?}");
    }
    ensure!(hard(department, &prod).await?["pods"] == "50", "a quota below use was set");

    Api::<Pod>::namespaced(client, &prod).delete("two", &DeleteParams::default()).await?;
    counted(department, &prod, "1").await?;
    let done = department.phase(Kind::Change, "shrink", "Completed").await?;
    let pauses = &clock(&done, "Change")?["pauses"];
    ensure!(pauses[0]["to"].is_string(), "the pause has no end: {pauses}");
    ensure!(
        timeline_count(&done, "BelowUse") == 1 && timeline_count(&done, "UseFell") == 1,
        "{}",
        done.data["status"]["timeline"]
    );
    ensure!(hard(department, &prod).await?["pods"] == "1");
    Ok(())
}

/// Waits until Kubernetes counts that many Pods.
async fn counted(department: &Department, namespace: &str, pods: &str) -> Result<()> {
    let quotas: Api<ResourceQuota> = Api::namespaced(department.admin().await?, namespace);
    let count = || async {
        let quota = serde_json::to_value(quotas.get("govcloud").await?)?;
        let used = &quota["status"]["used"]["pods"];
        ensure!(used == pods, "{used} Pods are counted");
        Ok(Some(()))
    };
    eventually("Pods are counted", PATIENCE, count).await
}

/// A Pod as the department runs it: without a scheduler it stays an object, which is all that is asked of it here.
async fn run(client: &Client, namespace: &str, name: &str) -> Result<()> {
    let pod = json!({"metadata": {"name": name}, "spec": {
        "securityContext": {"runAsNonRoot": true, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{
            "name": "app", "image": "example/app:1", "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}},
            "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
        }],
    }});
    create::<Pod>(client, namespace, pod).await
}

/// Creates an object. Roles, quotas and the default ServiceAccount of a new namespace are in force a moment later.
async fn create<K>(client: &Client, namespace: &str, object: Value) -> Result<()>
where
    K: Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>
        + Clone
        + std::fmt::Debug
        + DeserializeOwned
        + Serialize,
{
    let api: Api<K> = Api::namespaced(client.clone(), namespace);
    let object: K = serde_json::from_value(object)?;
    let what = format!("{} is created", K::kind(&()));
    let made = || async {
        match api.create(&PostParams::default(), &object).await {
            Ok(_) => Ok(Some(Ok(()))),
            Err(kube::Error::Api(s)) if s.message.contains("exceeded quota") => Ok(Some(Err(s.message))),
            Err(e) => Err(e.into()),
        }
    };
    eventually(&what, PATIENCE, made).await?.map_err(anyhow::Error::msg)
}

/// Objects that the department runs in a namespace: kind and name, with UID and resourceVersion.
async fn running(client: &Client, namespace: &str) -> Result<BTreeMap<String, (String, String)>> {
    let mut all = BTreeMap::new();
    identities::<Pod>(client, namespace, &mut all).await?;
    identities::<Service>(client, namespace, &mut all).await?;
    identities::<ConfigMap>(client, namespace, &mut all).await?;
    identities::<PersistentVolumeClaim>(client, namespace, &mut all).await?;
    Ok(all)
}

async fn identities<K>(
    client: &Client,
    namespace: &str,
    into: &mut BTreeMap<String, (String, String)>,
) -> Result<()>
where
    K: Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>
        + Clone
        + std::fmt::Debug
        + DeserializeOwned,
{
    let api: Api<K> = Api::namespaced(client.clone(), namespace);
    for object in api.list(&ListParams::default()).await? {
        let identity = (object.uid().context("no UID")?, object.resource_version().context("no version")?);
        into.insert(format!("{}/{}", K::kind(&()), object.name_any()), identity);
    }
    Ok(())
}
