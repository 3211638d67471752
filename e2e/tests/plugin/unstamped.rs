//! An API server without MutatingAdmissionPolicy (before 1.36): clients send the stamps, the same policies verify them.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::cluster::{Cluster, Setup};
use e2e::kubectl::Kubectl;
use e2e::operator;
use e2e::paths::in_repository;
use e2e::personas::Persona;
use e2e::suite::Context;
use e2e::wait::eventually;
use govcloud::api::application::CloudApplication;

use super::talk::govcloud;

const NAMESPACE: &str = "dept-transport";

/// A cluster with the validating policies alone, in force.
async fn cluster() -> Result<Cluster> {
    let cluster = Cluster::start(Setup::Installed).await?;
    super::people(&cluster).await?;
    let admin = cluster.kubectl(Persona::Admin);
    for kind in ["mutatingadmissionpolicybinding", "mutatingadmissionpolicy"] {
        admin.run(&["delete", kind, "govcloud-stamps"]).await?;
    }
    let probe =
        ["create", "configmap", "govcloud-probe-stamps-mutating", "-n", "default", "--dry-run=server", "-o"];
    let gone = || async {
        let stamp = admin.run(&[&probe[..], &["jsonpath={.metadata.annotations}"]].concat()).await?;
        ensure!(stamp.is_empty(), "still stamped: {stamp}");
        Ok(Some(()))
    };
    eventually("nothing stamps", Duration::from_secs(60), gone).await?;
    Ok(cluster)
}

/// The sample application under a name of its own, with its requester's stamp.
fn application(name: &str, by: &str) -> Result<String> {
    let sample = std::fs::read_to_string(in_repository("config/samples/travel.yaml"))?;
    let stamp = format!(
        "name: {name}\n  namespace: {NAMESPACE}\n  annotations: {{govcloud.dev/requested-by: {by}}}\nspec:"
    );
    ensure!(sample.contains("name: travel\nspec:"), "the sample is another");
    Ok(sample.replace("name: travel\nspec:", &stamp))
}

/// What the operator would find: in order. By its identity, since nobody else may write it, and by its one right
/// on a status, which is to patch it (kubectl would read it first).
async fn found_in_order(cluster: &Cluster, name: &str) -> Result<()> {
    let client = e2e::personas::client(&operator::credentials(&cluster.plane).await?).await?;
    let status = serde_json::json!({ "status": {
        "phase": "Submitted", "observedGeneration": 1, "waitingOn": "Authority", "waitingFor": "Decision",
        "conditions": [{ "type": "Valid", "status": "True", "observedGeneration": 1,
            "lastTransitionTime": "2026-11-23T02:00:00Z", "reason": "Valid", "message": "x / y" }],
    } });
    let applications: kube::Api<CloudApplication> = kube::Api::namespaced(client, NAMESPACE);
    let patch = kube::api::Patch::Merge(&status);
    applications.patch_status(name, &kube::api::PatchParams::default(), &patch).await.map(drop)?;
    Ok(())
}

/// One annotation.
async fn annotation(kubectl: &Kubectl, name: &str, key: &str) -> Result<String> {
    let path = format!("jsonpath={{.metadata.annotations.govcloud\\.dev/{key}}}");
    kubectl.run(&["get", "capp", name, "-n", NAMESPACE, "-o", &path]).await
}

async fn refused(kubectl: &Kubectl, args: &[&str], because: &str) -> Result<()> {
    let message = kubectl.run(args).await.err().context("it was not refused")?.to_string();
    ensure!(message.contains(because), "{message}");
    Ok(())
}

pub async fn without_mutating_policies_clients_send_the_stamps(_: Context) -> Result<()> {
    let cluster = cluster().await?;
    let (department, authority) =
        (cluster.kubectl(Persona::Department), cluster.kubectl(Persona::Authority410000));
    let forged = department
        .apply(&application("forged", "provider")?)
        .await
        .err()
        .context("a forged stamp was taken")?;
    ensure!(forged.to_string().contains("govcloud.dev/requested-by=department"), "{forged}");
    for name in ["by-plugin", "by-kubectl"] {
        department.apply(&application(name, "department")?).await?;
        found_in_order(&cluster, name).await?;
    }

    let approve = format!("approve capp/by-plugin -n {NAMESPACE} --yes");
    govcloud(&cluster, Persona::Authority410000, &approve)
        .await?
        .expect(0, &["approved by authority-410000"])?;
    let by = annotation(&authority, "by-plugin", "decided-by").await?;
    ensure!(by == Persona::Authority410000.user(), "it was decided by {by:?}");

    let annotate = [
        "annotate",
        "capp",
        "by-kubectl",
        "-n",
        NAMESPACE,
        "govcloud.dev/decision=approved",
        "govcloud.dev/reviewed-generation=1",
    ];
    refused(&authority, &annotate, "add govcloud.dev/decided-by=authority-410000").await?;
    refused(
        &authority,
        &[&annotate[..], &["govcloud.dev/decided-by=department"]].concat(),
        "add govcloud.dev/decided-by=authority-410000",
    )
    .await?;
    authority.run(&[&annotate[..], &["govcloud.dev/decided-by=authority-410000"]].concat()).await?;
    ensure!(annotation(&authority, "by-kubectl", "decision").await? == "approved", "it is not decided");
    Ok(())
}
