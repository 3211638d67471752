//! An API server without MutatingAdmissionPolicy (before 1.36), installed by the chart: clients send the stamps, the same
//! policies verify them, and a life goes on to its tenant.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::cluster::Cluster;
use e2e::install;
use e2e::kubectl::Kubectl;
use e2e::operator::{Operator, Options};
use e2e::paths::in_repository;
use e2e::sample_department::{DEPARTMENT, SampleDepartment, condition};
use e2e::suite::Context;
use e2e::tools::{Tools, chart};
use e2e::wait::eventually;
use serde_json::Value;

use super::command::govcloud;

/// Installs by the chart, which asks the API server what it has.
async fn installed(cluster: &Cluster) -> Result<()> {
    let tools = tokio::task::spawn_blocking(Tools::find).await??;
    let admin = cluster.kubectl(Actor::Admin);
    let group = "--api-group=admissionregistration.k8s.io";
    let served = admin.run(&["api-resources", group, "-o", "name"]).await?;
    ensure!(
        served.contains("validatingadmissionpolicies") && !served.contains("mutatingadmission"),
        "{served}"
    );
    let home = cluster.plane.root().join("state");
    let helm = tools.helm(&cluster.plane.kubeconfig(Actor::PlatformAdmin), &home);
    let chart = chart().display().to_string();
    helm.run(&["install", "govcloud-operator", &chart, "--create-namespace"]).await?;
    let manifest = helm.run(&["get", "manifest", "govcloud-operator"]).await?;
    let count = |kind: &str| manifest.lines().filter(|l| *l == format!("kind: {kind}")).count();
    let policies = count("ValidatingAdmissionPolicy");
    ensure!(policies > 10 && count("MutatingAdmissionPolicy") == 0, "{policies} validating policies");
    admin.run(&["wait", "crd", "--all", "--for=condition=Established", "--timeout=60s"]).await?;
    install::wait_policies_active(&admin, &cluster.client(Actor::Admin).await?).await?;
    install::calendars(&admin).await?;
    println!("unstamped: the chart installed {policies} validating policies, and no mutating one");
    Ok(())
}

/// The sample application under a name of its own, with its requester's stamp.
fn application(name: &str, by: &str) -> Result<String> {
    let sample = std::fs::read_to_string(in_repository("config/samples/travel.yaml"))?;
    let stamp = format!(
        "name: {name}\n  namespace: {DEPARTMENT}\n  annotations: {{govcloud.dev/requested-by: {by}}}\nspec:"
    );
    ensure!(sample.contains("name: travel\nspec:"), "the sample is another");
    Ok(sample.replace("name: travel\nspec:", &stamp))
}

async fn refused(kubectl: &Kubectl, args: &[&str], because: &str) -> Result<()> {
    let message = kubectl.run(args).await.err().context("it was not refused")?.to_string();
    ensure!(message.contains(because), "{message}");
    Ok(())
}

/// Decided by the authority, by its own name, and carried out by the operator.
async fn carried_out(sample: &SampleDepartment, name: &str) -> Result<()> {
    let (authority, what) = (Actor::Authority410000.user(), format!("capp/{name}"));
    let provisioned = sample.until_phase(&what, "Provisioned").await?;
    let by = &provisioned["metadata"]["annotations"]["govcloud.dev/decided-by"];
    ensure!(by == authority && provisioned["status"]["decision"]["by"] == authority, "decided by {by}");
    Ok(())
}

pub async fn without_mutating_policies_clients_send_the_stamps(context: Context) -> Result<()> {
    let cluster = Arc::new(Cluster::start_without_mutating_policies().await?);
    context.dump_on_failure(DEPARTMENT);
    installed(&cluster).await?;
    let operator = Operator::start(&cluster.plane, Options::default()).await?;
    let sample = SampleDepartment::install(cluster.clone()).await?;
    let (department, authority) = (sample.by(Actor::Department), sample.by(Actor::Authority410000));
    let forged = department.apply(&application("forged", "provider")?).await;
    let forged = forged.err().context("a forged stamp was taken")?.to_string();
    ensure!(forged.contains("govcloud.dev/requested-by=department"), "{forged}");
    for name in ["by-plugin", "by-kubectl"] {
        department.apply(&application(name, "department")?).await?;
        let valid = |o: &Value| condition(o, "Valid")["status"] == "True";
        sample.until(&format!("capp/{name}"), "valid", valid).await?;
    }

    let approve = format!("approve capp/by-plugin -n {DEPARTMENT} --yes");
    govcloud(&cluster, Actor::Authority410000, &approve)
        .await?
        .expect(0, &["approved by authority-410000"])?;
    carried_out(&sample, "by-plugin").await?;

    let annotate = [
        "annotate",
        "capp",
        "by-kubectl",
        "-n",
        DEPARTMENT,
        "govcloud.dev/decision=approved",
        "govcloud.dev/reviewed-generation=1",
    ];
    refused(&authority, &annotate, "add govcloud.dev/decided-by=authority-410000").await?;
    let stamped = |by: &'static str| [&annotate[..], &[by]].concat();
    let wrong = stamped("govcloud.dev/decided-by=department");
    refused(&authority, &wrong, "add govcloud.dev/decided-by=authority-410000").await?;
    authority.run(&stamped("govcloud.dev/decided-by=authority-410000")).await?;
    carried_out(&sample, "by-kubectl").await?;
    the_gate_is_watched(&cluster, &operator).await
}

/// Sealed, as the operator and the plugin find it, until a policy is gone: that there are no stamps hides nothing else.
async fn the_gate_is_watched(cluster: &Cluster, operator: &Operator) -> Result<()> {
    let ready = operator.get("/readyz").await?;
    ensure!(ready.starts_with("HTTP/1.1 200"), "{ready}");
    govcloud(cluster, Actor::Auditor, "verify").await?.expect(0, &["before 1.36"])?;
    let admin = cluster.kubectl(Actor::Admin);
    admin.run(&["delete", "validatingadmissionpolicybinding", "govcloud-decisions"]).await?;
    let said = eventually("the operator is not ready", Duration::from_secs(60), || async {
        let answer = operator.get("/readyz").await?;
        Ok(answer.starts_with("HTTP/1.1 503").then_some(answer))
    })
    .await?;
    ensure!(said.contains("policies: not as shipped") && said.contains("govcloud-decisions"), "{said}");
    govcloud(cluster, Actor::Auditor, "verify").await?.expect(1, &["govcloud-decisions"]).map(drop)
}
