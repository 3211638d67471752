//! S10: a stored record that no longer fits the schema is reported on itself, holds nobody up, and can be removed.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::cluster::{Cluster, Setup};
use e2e::fixtures::{self, Department, HENAN, Kind, PATIENCE, condition};
use e2e::install;
use e2e::suite::Context;
use e2e::wait::{eventually, until_gone};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::json;

const CRD: &str = "cloudapplications.govcloud.dev";

/// On a control plane of its own: while a CRD is altered no gate opens for anybody.
pub async fn malformed_record_delays_no_other(context: Context) -> Result<()> {
    let cluster = context.own_cluster(Setup::Operating).await?;
    fixtures::regions(&cluster).await?;
    let namespace = cluster.filing_namespace("dept-broken", HENAN).await?;
    context.dump_on_failure(&namespace);
    let department = Department::open(&cluster, &namespace, HENAN).await?;
    broken(&cluster, &department).await
}

async fn broken(cluster: &Arc<Cluster>, department: &Department) -> Result<()> {
    department.file(&department.application("before")?).await?;
    department.judged(Kind::Application, "before", "Valid").await?;
    anything_goes(cluster).await?;
    let mut broken = department.application("broken")?;
    broken["spec"]["system"]["protectionLevel"] = json!("三级");
    broken["spec"]["namespaces"] = json!("prod");
    let file = || async { department.file(&broken).await.map(Some) };
    eventually("the altered schema takes it", PATIENCE, file).await?;
    install::crds(&cluster.kubectl(Actor::Admin)).await?;

    let stalled = |status: &serde_json::Value| condition(status, "Stalled")["reason"] == "Malformed";
    let said = department.until(Kind::Application, "broken", "says that it is malformed", stalled).await?;
    let message =
        condition(&said.data["status"], "Stalled")["message"].as_str().unwrap_or_default().to_owned();
    ensure!(
        message.contains("三级") || message.contains("protectionLevel") || message.contains("prod"),
        "{message}"
    );
    ensure!(said.data["spec"]["system"]["protectionLevel"] == "三级", "something was lost");
    sealed(cluster).await?;

    // Others go on: one that stood before, and a new one.
    department.approve(Kind::Application, "before").await?;
    department.phase(Kind::Application, "before", "Provisioned").await?;
    department.file(&department.application("after")?).await?;
    department.judged(Kind::Application, "after", "Valid").await?;
    // And after a restart, when it comes with the first list.
    cluster.operator.lock().await.as_mut().context("no operator")?.restart().await?;
    department.approve(Kind::Application, "after").await?;
    department.phase(Kind::Application, "after", "Provisioned").await?;

    let api = department.api(department.applicant, Kind::Application).await?;
    let uid = said.metadata.uid.clone();
    api.delete("broken", &DeleteParams::default()).await.context("the department removes it")?;
    until_gone(api, "broken", uid.as_deref(), PATIENCE).await?;
    println!(
        "bad input: a malformed record reported on itself ({message}); 2 others provisioned beside it; removed by the department"
    );
    Ok(())
}

/// Takes away what the schema asks of an application's spec.
async fn anything_goes(cluster: &Cluster) -> Result<()> {
    let crds: Api<CustomResourceDefinition> = Api::all(cluster.client(Actor::Admin).await?);
    let mut crd = crds.get(CRD).await?;
    let schema = crd.spec.versions[0].schema.as_mut().and_then(|s| s.open_api_v3_schema.as_mut());
    let spec =
        schema.and_then(|s| s.properties.as_mut()?.get_mut("spec")).context("no schema of the spec")?;
    *spec = serde_json::from_value(json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}))?;
    let patch = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": CRD}, "spec": crd.spec,
    });
    let ours = PatchParams::apply("kubectl").force();
    crds.patch(CRD, &ours, &Patch::Apply(patch)).await?;
    Ok(())
}

/// Waits until the operator says that the gate stands again.
async fn sealed(cluster: &Cluster) -> Result<()> {
    let events = || async {
        let kubectl = cluster.kubectl(Actor::Admin);
        let args = [
            "get",
            "events",
            "-n",
            "govcloud-system",
            "--sort-by=.metadata.creationTimestamp",
            "-o",
            "jsonpath={.items[*].reason}",
        ];
        let reasons = kubectl.run(&args).await?;
        let last = reasons.split(' ').rfind(|r| r.starts_with("PolicyIntegrity")).map(str::to_owned);
        ensure!(
            last.as_deref() == Some("PolicyIntegrityRestored") && reasons.contains("PolicyIntegrityViolated"),
            "{reasons}"
        );
        Ok(Some(()))
    };
    eventually("the gate stands again", PATIENCE, events).await
}
