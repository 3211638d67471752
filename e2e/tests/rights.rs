//! Least privilege of the operator: every right that it is given is used in a life, and it asks for no other.
//!
//! Taking any rule away therefore makes a request of this life fail. Rights that only a race needs are listed
//! with why.

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::actors::{Actor, OPERATOR};
use e2e::cluster::Setup;
use e2e::sample_department::{DEPARTMENT, SampleDepartment};
use e2e::suite::{self, Context};
use e2e::wait::eventually;
use serde::Deserialize;
use serde_json::{Value, json};

fn main() -> ExitCode {
    suite::main(Setup::Operating, e2e::tests![operator_rights_are_exactly_those_used])
}

/// Rights that an undisturbed life does not use: resource, verb, why.
const ONLY_IN_A_RACE: &[(&str, &str, &str)] = &[
    ("resourcequotas", "get", "read anew after a write met a conflict"),
    ("limitranges", "get", "read anew after a write met a conflict"),
    ("persistentvolumeclaims", "get", "read anew after a write met a conflict"),
    ("networkpolicies", "get", "read anew after a write met a conflict"),
    ("rolebindings", "get", "read anew after a write met a conflict"),
    ("volumesnapshots", "watch", "where the cluster has that kind; tests/exit.rs installs it"),
    ("volumesnapshotcontents", "get", "where the cluster has that kind; tests/exit.rs installs it"),
    ("volumesnapshotcontents", "list", "where the cluster has that kind; tests/exit.rs installs it"),
    ("volumesnapshotcontents", "watch", "where the cluster has that kind; tests/exit.rs installs it"),
    ("resourcegrants", "delete", "an archived application's name is filed anew; tests/exit.rs files it"),
    ("resourcequotas", "delete", "its scopes are immutable: replaced when somebody set them"),
    ("networkpolicies", "delete", "no longer shipped in a later release"),
    ("limitranges", "delete", "the Region dropped its limits"),
    ("limitranges", "patch", "drift, as of a quota"),
    ("networkpolicies", "patch", "drift, as of a quota"),
    ("changerequests", "get", "read anew after a write met a conflict"),
    ("assessments", "get", "read anew after a write met a conflict"),
    ("inspections", "get", "read anew after a write met a conflict"),
    ("compliancerecords", "get", "an emergency plan is asked for before it is called missing"),
    ("regions", "get", "read anew after a write met a conflict"),
    ("workcalendars", "get", "asked for before it is called missing"),
    ("servicecatalogs", "get", "asked for before it is called missing"),
    ("storageclasses", "get", "asked for before it is called missing"),
    ("statements", "get", "read anew after a write met a conflict"),
    ("statements", "create", "once a month, where a Region settles; tests/settlement.rs"),
    ("statements", "patch", "once a month, where a Region settles; tests/settlement.rs"),
    ("statements/status", "patch", "once a month, where a Region settles; tests/settlement.rs"),
    ("servicecatalogs", "patch", "once an edition, where a Region settles; tests/settlement.rs"),
    ("configmaps", "create", "asked by the API server when an apply creates; not a request"),
    ("clusterroles", "bind", "asked by the API server on writing a RoleBinding; not a request"),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    #[serde(default)]
    resources: Vec<String>,
    verbs: Vec<String>,
}

/// Every right that the shipped roles give the operator: resource with subresource, and verb.
fn granted() -> Result<BTreeSet<(String, String)>> {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/rbac/operator.yaml");
    let documents: Vec<Value> = serde_saphyr::from_multiple(&std::fs::read_to_string(file)?)?;
    let mut rights = BTreeSet::new();
    for role in documents.iter().filter(|d| d["kind"] == "ClusterRole" || d["kind"] == "Role") {
        let rules: Vec<Rule> = serde_json::from_value(role["rules"].clone())?;
        for rule in rules {
            for resource in &rule.resources {
                rights.extend(rule.verbs.iter().map(|v| (resource.clone(), v.clone())));
            }
        }
    }
    Ok(rights)
}

async fn operator_rights_are_exactly_those_used(context: Context) -> Result<()> {
    let sample = SampleDepartment::install(context.cluster.clone()).await?;
    context.dump_on_failure(DEPARTMENT);
    play(&sample).await?;
    let client = context.cluster.client(Actor::Admin).await?;
    let log = context.cluster.audit().settled(&client).await?.by_user(OPERATOR);
    let refused: Vec<String> = log.iter().filter(|e| e.code() == 403).map(ToString::to_string).collect();
    ensure!(refused.is_empty(), "asked for more than was given:\n{}", refused.join("\n"));
    let used: BTreeSet<(String, String)> = log
        .iter()
        .filter_map(|e| {
            let o = e.object_ref.as_ref()?;
            let resource = if o.subresource.is_empty() {
                o.resource.clone()
            } else {
                format!("{}/{}", o.resource, o.subresource)
            };
            Some((resource, e.verb.clone()))
        })
        .collect();
    let rights = granted()?;
    let taken_back: Vec<_> = ONLY_IN_A_RACE
        .iter()
        .filter(|(r, v, _)| !rights.contains(&((*r).to_owned(), (*v).to_owned())))
        .collect();
    ensure!(taken_back.is_empty(), "excused and not given: {taken_back:?}");
    let excused = |r: &(String, String)| {
        ONLY_IN_A_RACE.iter().any(|(resource, verb, _)| r.0 == *resource && r.1 == *verb)
    };
    let idle: Vec<_> = rights.difference(&used).filter(|r| !excused(r)).collect();
    println!(
        "operator: {} rights, {} used in this life, {} for races only",
        rights.len(),
        rights.intersection(&used).count(),
        ONLY_IN_A_RACE.len()
    );
    ensure!(idle.is_empty(), "given and never used: {idle:?}");
    Ok(())
}

/// A life that touches everything: drift, a change, an exit with one volume destroyed and one kept.
async fn play(sample: &SampleDepartment) -> Result<()> {
    let department = sample.by(Actor::Department);
    let admin = sample.by(Actor::Admin);
    let app = sample.file("rights").await?;
    sample.approve(&app).await?;
    let done = sample.until_phase(&app, "Provisioned").await?;
    let tenant = done["status"]["namespaces"][0]["namespace"].as_str().context("no namespace")?.to_owned();
    papers(sample).await?;
    let volumes = e2e::sample_department::sample("travel-volumes.yaml").display().to_string();
    department.run(&["apply", "-n", &tenant, "-f", &volumes]).await?;
    bound(sample, &tenant).await?;
    // Drift, put right.
    let quota = json!({ "spec": { "hard": { "pods": "999" } } }).to_string();
    admin
        .run(&["patch", "resourcequota", "govcloud", "-n", &tenant, "--type=merge", "-p", &quota])
        .await
        .ok();
    let change = json!({
        "apiVersion": "govcloud.dev/v1alpha1", "kind": "ChangeRequest", "metadata": { "name": "rights", "namespace": DEPARTMENT },
        "spec": { "region": "410000", "resourceAdjustment": { "application": "rights", "reason": "测试", "namespaces": [{ "name": "prod", "quota": { "requests.cpu": "9" } }] } },
    });
    department.apply(&change.to_string()).await?;
    sample.until_phase("chreq/rights", "Submitted").await?;
    sample.approve("chreq/rights").await?;
    sample.until_phase("chreq/rights", "Completed").await?;
    let exit = json!({
        "apiVersion": "govcloud.dev/v1alpha1", "kind": "Decommission", "metadata": { "name": "rights", "namespace": DEPARTMENT },
        "spec": { "region": "410000", "application": "rights", "reason": "NoLongerUsed",
            "disposition": { "default": "Retain", "volumes": [{ "namespace": "prod", "claim": "data", "action": "Destroy" }] } },
    });
    department.apply(&exit.to_string()).await?;
    let exit = sample.until_phase("decom/rights", "AwaitingConsent").await?;
    let consent =
        json!({ "spec": { "consent": { "inventoryDigest": exit["status"]["inventory"]["digest"] } } })
            .to_string();
    department.run(&["patch", "decom", "rights", "-n", DEPARTMENT, "--type=merge", "-p", &consent]).await?;
    sample.until_phase("decom/rights", "AwaitingDecision").await?;
    sample.approve("decom/rights").await?;
    sample.until_phase("decom/rights", "Completed").await?;
    sample.until_phase(&app, "Exited").await.map(drop)
}

/// An assessment, a compliance record and an inspection: the operator sees each.
async fn papers(sample: &SampleDepartment) -> Result<()> {
    for (filer, file, what) in [
        (Actor::Authority410000, "assessment-department.yaml", "asmt/transport-2026-q3"),
        (Actor::Department, "travel-mlps.yaml", "comp/travel-mlps"),
        (Actor::Authority410000, "travel-inspection.yaml", "insp/travel-inspection"),
    ] {
        let file = e2e::sample_department::sample(file).display().to_string();
        sample.by(filer).run(&["create", "-n", DEPARTMENT, "-f", &file]).await?;
        sample.until(what, "is seen", |o| o["status"]["observedGeneration"] == 1).await?;
    }
    Ok(())
}

/// Waits until both claims are bound and their volumes marked.
async fn bound(sample: &SampleDepartment, tenant: &str) -> Result<()> {
    eventually("both volumes are bound and marked", Duration::from_secs(60), || async {
        let list = sample
            .by(Actor::Admin)
            .run(&["get", "pv", "-l", "govcloud.dev/application-uid", "-o", "json"])
            .await?;
        let list: Value = serde_json::from_str(&list)?;
        let here = |v: &&Value| v["spec"]["claimRef"]["namespace"] == tenant;
        let count = list["items"].as_array().map_or(0, |a| a.iter().filter(here).count());
        Ok((count == 2).then_some(()))
    })
    .await
}
