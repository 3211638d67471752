//! The cluster's own maintenance passes: the storage version migrator sends every object as it is and stops at the first
//! refusal, so no policy of this project may judge who sends a request that changes nothing. Otherwise an encryption key is
//! never rotated out, and a storage version never retired.

use std::collections::BTreeSet;
use std::fs;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use e2e::actors::{Actor, OPERATOR};
use e2e::cluster::Setup;
use e2e::policies;
use e2e::sample_department::{DEPARTMENT, SampleDepartment, sample};
use e2e::suite::{self, Context};
use e2e::wait::eventually;
use serde_json::{Value, json};

/// A migration waits until the garbage collector has seen the present resource version, by a bookmark a minute.
const MIGRATION: Duration = Duration::from_secs(240);
const STEP: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    suite::main(Setup::Operating, e2e::tests![every_kind_that_a_policy_matches_migrates])
}

/// Workloads that name what the Region lists at first and does not list any more.
const WORKLOADS: &str = r#"
apiVersion: v1
kind: Pod
metadata: {name: old}
spec:
  tolerations: [{key: dedicated, operator: Exists}]
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: main
    image: registry.example/travel:1
    securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
---
apiVersion: v1
kind: Service
metadata: {name: old}
spec: {ports: [{port: 443}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: old}
spec:
  ingressClassName: public
  rules:
  - host: travel.henan.example
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: old, port: {number: 443}}}}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: old}
spec: {maxUnavailable: 1, selector: {}}
"#;

const CATALOG: &str = r#"
apiVersion: govcloud.dev/v1alpha1
kind: ServiceCatalog
metadata: {name: henan}
spec:
  edition: 2026年版
  currency: CNY
  effectiveFrom: "2026-01-01"
  items: [{code: cpu, name: vCPU, resource: requests.cpu, unit: "1", per: Month, price: "60"}]
"#;

/// The operator makes these alone.
const STATEMENT: &str = r#"
apiVersion: govcloud.dev/v1alpha1
kind: Statement
metadata: {name: 2026-10, namespace: dept-transport}
spec: {region: "410000", month: 2026-10}
"#;

/// A webhook of others that touches nothing of this project.
const WEBHOOK: &str = r#"
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: elsewhere}
webhooks:
- name: elsewhere.example.org
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Ignore
  clientConfig: {url: "https://127.0.0.1:1/"}
  rules: [{apiGroups: [example.org], apiVersions: ["*"], operations: [CREATE], resources: [things]}]
"#;

async fn every_kind_that_a_policy_matches_migrates(context: Context) -> Result<()> {
    let sample = SampleDepartment::install(context.cluster.clone()).await?;
    context.dump_on_failure(DEPARTMENT);
    furnish(&sample).await?;
    let admin = sample.by(Actor::Admin);
    let resources: BTreeSet<String> = policies::matched(&admin).await?.into_keys().collect();
    ensure!(resources.len() > 20, "only {resources:?}");
    for resource in &resources {
        let objects = admin.run(&["get", resource, "-A", "-o", "name"]).await?;
        ensure!(
            !objects.trim().is_empty(),
            "there is no object of {resource}, so its migration would show nothing"
        );
    }
    let migrations: Vec<String> = resources.iter().map(|resource| migration(resource).to_string()).collect();
    admin.apply(&migrations.join("\n---\n")).await?;
    let outcomes = eventually("every migration has ended", MIGRATION, || async {
        let list =
            admin.run(&["get", "storageversionmigrations.storagemigration.k8s.io", "-o", "json"]).await?;
        let list: Value = serde_json::from_str(&list)?;
        let outcomes: Vec<_> = list["items"].as_array().into_iter().flatten().map(outcome).collect();
        let (ended, open): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(|(_, ended)| ended.is_some());
        if !open.is_empty() {
            bail!("under way: {:?}", open.iter().map(|(resource, _)| resource).collect::<Vec<_>>());
        }
        Ok(Some(ended))
    })
    .await?;
    ensure!(outcomes.len() == resources.len(), "{} migrations of {}", outcomes.len(), resources.len());
    let failed: Vec<String> = outcomes
        .iter()
        .filter_map(|(resource, ended)| Some(format!("{resource}: {}", ended.as_ref()?.as_ref().err()?)))
        .collect();
    ensure!(failed.is_empty(), "{} migrations failed:\n{}", failed.len(), failed.join("\n"));
    println!("storage migration: {} kinds", outcomes.len());
    Ok(())
}

/// A migration's resource, and its end: `None` while it is under way.
fn outcome(migration: &Value) -> (String, Option<Result<(), String>>) {
    let resource = migration["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let condition = |type_: &str| {
        let all = migration["status"]["conditions"].as_array().into_iter().flatten();
        all.clone().find(|c| c["type"] == type_ && c["status"] == "True").map(|c| c["message"].to_string())
    };
    let ended = condition("Failed").map(Err).or_else(|| condition("Succeeded").map(|_| Ok(())));
    (resource, ended)
}

fn migration(resource: &str) -> Value {
    let (plural, group) = resource.split_once('.').unwrap_or((resource, ""));
    json!({
        "apiVersion": "storagemigration.k8s.io/v1", "kind": "StorageVersionMigration",
        "metadata": {"name": resource}, "spec": {"resource": {"group": group, "resource": plural}},
    })
}

/// An object of every kind: an application with its tenant, workloads and volumes, a change, an exit, and what is filed beside
/// them.
async fn furnish(sample: &SampleDepartment) -> Result<()> {
    let (admin, department) = (sample.by(Actor::Admin), sample.by(Actor::Department));
    admin.apply(CATALOG).await?;
    admin.apply(WEBHOOK).await?;
    let app = sample.file("travel").await?;
    sample.approve(&app).await?;
    let done = sample.until_phase(&app, "Provisioned").await?;
    let tenant = done["status"]["namespaces"][0]["namespace"].as_str().context("no namespace")?.to_owned();
    let listed = json!({
        "taints": ["dedicated"], "ingressClasses": ["public"],
        "ingressHosts": [{"host": "travel.henan.example", "namespace": DEPARTMENT}],
    });
    allow(sample, &tenant, listed, "travel.henan.example").await?;
    let volumes = sample_text("travel-volumes.yaml")?;
    let claims_and_workloads = format!("{volumes}\n---\n{WORKLOADS}");
    let manifest = tempfile::NamedTempFile::new()?;
    fs::write(manifest.path(), claims_and_workloads)?;
    let file = manifest.path().display().to_string();
    // Until the namespace has its ServiceAccount and its quota a status.
    eventually("the workloads are taken", STEP, || async {
        department.run(&["apply", "-n", &tenant, "-f", &file]).await.map(Some)
    })
    .await?;
    allow(sample, &tenant, Value::Null, "").await?;
    let authority = sample.by(Actor::Authority410000);
    for (filer, record) in [
        (&department, "travel-enlarge.yaml"),
        (&department, "travel-exit.yaml"),
        (&department, "travel-mlps.yaml"),
        (&authority, "travel-inspection.yaml"),
        (&authority, "assessment-department.yaml"),
    ] {
        let file = e2e::sample_department::sample(record).display().to_string();
        filer.run(&["apply", "-n", DEPARTMENT, "-f", &file]).await?;
    }
    let statement = tempfile::NamedTempFile::new()?;
    fs::write(statement.path(), STATEMENT)?;
    let file = statement.path().display().to_string();
    admin.run(&["create", "-f", &file, "--as", OPERATOR]).await.map(drop)
}

/// The authority lists what tenants may use, and the operator writes it to the tenant's namespace.
async fn allow(sample: &SampleDepartment, tenant: &str, listed: Value, hosts: &str) -> Result<()> {
    let patch = json!({"spec": {"tenancy": {"allowed": listed}}}).to_string();
    let authority = sample.by(Actor::Authority410000);
    authority.run(&["patch", "region", "410000", "--type=merge", "-p", &patch]).await?;
    eventually("the lists are on the namespace", STEP, || async {
        let namespace = sample.by(Actor::Admin).run(&["get", "namespace", tenant, "-o", "json"]).await?;
        let namespace: Value = serde_json::from_str(&namespace)?;
        let shown = &namespace["metadata"]["annotations"]["govcloud.dev/ingress-hosts"];
        if *shown != hosts {
            bail!("ingress-hosts is {shown}");
        }
        Ok(Some(()))
    })
    .await
}

fn sample_text(name: &str) -> Result<String> {
    Ok(fs::read_to_string(sample(name))?)
}
