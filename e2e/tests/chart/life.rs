//! A life under helm: installed, upgraded with changed policies while the operator is away, removed, installed again.
//!
//! There is no node here, so the operator runs as a process, as the ServiceAccount that the chart made and with the
//! rights that the chart gave it. With Pods: `make test-node`.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::cluster::{Cluster, Setup};
use e2e::install;
use e2e::kubectl::Kubectl;
use e2e::operator::{Operator, Options};
use e2e::sample_department::{DEPARTMENT, SampleDepartment};
use e2e::suite::Context;
use e2e::tools::{Helm, Tools, chart};
use govcloud_domain::integrity;
use serde_json::Value;

/// Another identity of the namespace controller, by which five policies read otherwise.
const ANOTHER: &str = "system:kube-controller-manager";

/// Objects that stand before and after `helm uninstall`.
const STAYS: [&str; 10] = [
    "crd",
    "capp -A",
    "grant -A",
    "namespace -l govcloud.dev/application-uid",
    "validatingadmissionpolicies",
    "validatingadmissionpolicybindings",
    "mutatingadmissionpolicies",
    "clusterroles -l app.kubernetes.io/part-of=govcloud-operator --field-selector metadata.name!=govcloud-operator",
    "configmap govcloud-guard -n govcloud-system",
    "secret govcloud-guard -n govcloud-system",
];

/// Objects that are removed.
const GOES: [&str; 10] = [
    "deployment govcloud-operator -n govcloud-system",
    "service govcloud-operator -n govcloud-system",
    "serviceaccount govcloud-operator -n govcloud-system",
    "poddisruptionbudget govcloud-operator -n govcloud-system",
    "networkpolicy govcloud-operator -n govcloud-system",
    "prioritylevelconfiguration govcloud-departments",
    "flowschema govcloud-departments",
    "flowschema govcloud-operator",
    "clusterrole govcloud-operator",
    "clusterrolebinding govcloud-operator",
];

pub async fn install_upgrade_uninstall_reinstall(context: Context) -> Result<()> {
    let tools = tokio::task::spawn_blocking(Tools::find).await??;
    let cluster = context.own_cluster(Setup::Bare).await?;
    context.dump_on_failure(DEPARTMENT);
    let admin = cluster.kubectl(Actor::Admin);
    let home = cluster.plane.root().join("state");
    let helm = tools.helm(&cluster.plane.kubeconfig(Actor::PlatformAdmin), &home);

    let another = format!("policies.namespaceController={ANOTHER}");
    install(&helm, &cluster, &["--create-namespace", "--set", &another]).await?;
    let args = vec![format!("--namespace-controller={ANOTHER}")];
    let mut operator = Operator::start(&cluster.plane, Options { args, ..Options::default() }).await?;
    install::calendars(&admin).await?;
    let sample = SampleDepartment::install(cluster.clone()).await?;
    let first = sample.file("first").await?;
    refused_to_the_department(&sample, &first).await?;
    sample.approve(&first).await?;
    sample.until_phase(&first, "Provisioned").await?;
    let second = sample.file("second").await?;
    let since = intact_since(&admin).await?;

    // A decision just before an upgrade that changes policies: it was made under the old ones, which held.
    operator.stop()?;
    sample.approve(&second).await?;
    let changed = generation(&admin).await?;
    upgrade(&helm, &cluster).await?;
    ensure!(generation(&admin).await? > changed, "the upgrade changed no policy");
    released_is_live(&admin).await?;
    let mut operator = Operator::start(&cluster.plane, Options::default()).await?;
    sample.until_phase(&second, "Provisioned").await?;
    ensure!(intact_since(&admin).await? == since, "the upgrade is a gap to the guard");

    operator.stop()?;
    let before = standing(&admin).await?;
    helm.run(&["uninstall", "govcloud-operator"]).await?;
    ensure!(standing(&admin).await? == before, "before: {before:#?}\nafter: {:#?}", standing(&admin).await?);
    for what in GOES {
        let args: Vec<&str> =
            ["get", "--ignore-not-found", "-o", "name"].into_iter().chain(what.split(' ')).collect();
        ensure!(admin.run(&args).await?.is_empty(), "{what} is left");
    }
    let tenant = before[3].split_whitespace().nth(1).context("no tenant namespace")?;
    let removal = sample.by(Actor::PlatformAdmin).run(&["delete", "namespace", tenant, "--wait=false"]).await;
    let said = removal.err().context("a tenant namespace can be deleted after the uninstall")?.to_string();
    ensure!(said.contains("Decommission"), "{said}");
    let live = format!("{{\"spec\":{{\"goLive\":{{\"at\":\"{}\"}}}}}}", jiff::Timestamp::now());
    let patch = ["patch", &second, "-n", DEPARTMENT, "--type=merge", "-p", &live];
    sample.by(Actor::Department).run(&patch).await.context("the department works on")?;

    install(&helm, &cluster, &[]).await?;
    let _operator = Operator::start(&cluster.plane, Options::default()).await?;
    sample.until_phase(&second, "Live").await?;
    ensure!(intact_since(&admin).await? == since, "policies that stood all the time are a gap to the guard");
    println!("chart: installed, upgraded, removed and installed again; sealed since {since} throughout");
    Ok(())
}

/// `helm install`, until CRDs are served and policies in force.
async fn install(helm: &Helm, cluster: &Cluster, args: &[&str]) -> Result<()> {
    let chart = chart().display().to_string();
    let notes = helm.run(&[&["install", "govcloud-operator", &chart], args].concat()).await?;
    ensure!(notes.contains("helm test govcloud-operator"), "{notes}");
    in_force(cluster).await
}

async fn upgrade(helm: &Helm, cluster: &Cluster) -> Result<()> {
    // Without a word about values Helm would use those of the install again.
    helm.run(&["upgrade", "govcloud-operator", &chart().display().to_string(), "--reset-values"]).await?;
    in_force(cluster).await
}

async fn in_force(cluster: &Cluster) -> Result<()> {
    let admin = cluster.kubectl(Actor::Admin);
    admin.run(&["wait", "crd", "--all", "--for=condition=Established", "--timeout=60s"]).await?;
    let client = cluster.client(Actor::Admin).await?;
    install::wait_policies_active(&admin, &client).await?;
    install::records_accepted(&client).await
}

/// The one who filed does not decide: the policies of the chart are in force.
async fn refused_to_the_department(sample: &SampleDepartment, what: &str) -> Result<()> {
    let approve = [
        "annotate",
        what,
        "-n",
        DEPARTMENT,
        "govcloud.dev/decision=approved",
        "govcloud.dev/reviewed-generation=1",
    ];
    let outcome = sample.by(Actor::Department).run(&approve).await;
    let said = outcome.err().context("the department approved its own application")?.to_string();
    ensure!(said.contains("govcloud-decisions"), "{said}");
    Ok(())
}

/// Since when the guard finds the gate sealed, by its own record.
async fn intact_since(admin: &Kubectl) -> Result<String> {
    let args =
        ["get", "configmap", "govcloud-guard", "-n", "govcloud-system", "-o", "jsonpath={.data.record}"];
    let record: Value = serde_json::from_str(&admin.run(&args).await?)?;
    Ok(record["intactSince"].as_str().context("the policies were never intact")?.to_owned())
}

/// The generation of a policy that names the namespace controller.
async fn generation(admin: &Kubectl) -> Result<i64> {
    let args = [
        "get",
        "validatingadmissionpolicy",
        "govcloud-tenant-namespaces",
        "-o",
        "jsonpath={.metadata.generation}",
    ];
    Ok(admin.run(&args).await?.parse()?)
}

/// The recorded digests are those of what stands, as the API server stored it: only so does a release excuse a change.
async fn released_is_live(admin: &Kubectl) -> Result<()> {
    let args =
        ["get", "configmap", "govcloud-release", "-n", "govcloud-system", "-o", "jsonpath={.data.objects}"];
    let released: BTreeMap<String, String> = serde_json::from_str(&admin.run(&args).await?)?;
    let kinds = "crd,validatingadmissionpolicies,validatingadmissionpolicybindings,mutatingadmissionpolicies,mutatingadmissionpolicybindings";
    let list: Value = serde_json::from_str(&admin.run(&["get", kinds, "-o", "json"]).await?)?;
    let objects = list["items"].as_array().context("no list")?;
    let live = integrity::release(&objects.iter().map(|o| (integrity::key(o), o.clone())).collect());
    for (key, digest) in &released {
        ensure!(live.get(key) == Some(digest), "{key}: released as {digest}, stands as {:?}", live.get(key));
    }
    println!("chart: {} objects stand as their release was recorded", released.len());
    Ok(())
}

/// Names and UIDs of what an uninstall leaves.
async fn standing(admin: &Kubectl) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for what in STAYS {
        let columns = ["-o", "custom-columns=KIND:kind,NAME:metadata.name,UID:metadata.uid", "--no-headers"];
        let args: Vec<&str> = ["get"].into_iter().chain(what.split(' ')).chain(columns).collect();
        let rows = admin.run(&args).await?;
        ensure!(!rows.trim().is_empty(), "no {what}");
        all.push(rows);
    }
    Ok(all)
}
