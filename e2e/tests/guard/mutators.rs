//! Mutating policies and webhooks of others (S1; docs/decisions/0070).

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::cluster::Cluster;
use e2e::kubectl::Kubectl;
use e2e::paths::in_repository;
use e2e::plugin::govcloud;
use e2e::sample_department::{DEPARTMENT, SampleDepartment, condition};
use e2e::suite::Context;
use e2e::wait::eventually;
use govcloud_api::resources::CLOUD_APPLICATION;
use kube::Api;
use kube::api::{DynamicObject, PostParams};
use serde_json::{Value, json};

use super::{decide_anew, events, start};

/// A mutating policy of others and its binding. It sets a label, and nothing else.
const MUTATOR: &str = r#"
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: {name: other}
spec:
  failurePolicy: Ignore
  reinvocationPolicy: Never
  matchConstraints:
    resourceRules:
    - {apiGroups: [GROUP], apiVersions: ["*"], operations: [CREATE], resources: [RESOURCE]}
  mutations:
  - patchType: ApplyConfiguration
    applyConfiguration:
      expression: 'Object{metadata: Object.metadata{labels: {"example.org/seen": "yes"}}}'
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata: {name: other}
spec: {policyName: other}
"#;

/// Waits until [`MUTATOR`] changes what a department files: the API server loads a policy some time after it is stored.
async fn in_force(cluster: &Cluster) -> Result<()> {
    let sample = std::fs::read_to_string(in_repository("config/samples/travel.yaml"))?;
    let mut travel: DynamicObject = serde_saphyr::from_str(&sample)?;
    travel.metadata.name = Some("tried".to_owned());
    travel.metadata.namespace = Some(DEPARTMENT.to_owned());
    let client = cluster.client(Actor::Department).await?;
    let api: Api<DynamicObject> = Api::namespaced_with(client, DEPARTMENT, &CLOUD_APPLICATION.api_resource());
    let dry_run = PostParams { dry_run: true, ..PostParams::default() };
    let changed = || async {
        let made = api.create(&dry_run, &travel).await?;
        Ok(made.metadata.labels.is_some_and(|labels| labels.contains_key("example.org/seen")).then_some(()))
    };
    eventually("the mutator is in force", Duration::from_secs(20), changed).await
}

/// A mutating webhook of others, which nobody answers.
const WEBHOOK: &str = r#"
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: other}
webhooks:
- name: other.example.org
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Ignore
  clientConfig: {url: "https://127.0.0.1:1/"}
  rules:
  - {apiGroups: [GROUP], apiVersions: ["*"], operations: [CREATE], resources: [RESOURCE]}
"#;

/// The installer by name, beside the administrators with their wildcards.
pub async fn installer(cluster: &Cluster) -> Result<Kubectl> {
    let file = cluster.plane.root().join("installer.kubeconfig");
    e2e::actors::write_certificate(cluster.plane.server(), cluster.plane.pki(), &file, "installer", None)?;
    let admin = cluster.kubectl(Actor::Admin);
    let user = "--user=installer";
    admin
        .run(&["create", "clusterrolebinding", "installer", "--clusterrole=govcloud:installer", user])
        .await?;
    let place = ["-n", "govcloud-system", "--role=govcloud:installer", user];
    admin.run(&[&["create", "rolebinding", "installer"][..], &place].concat()).await?;
    Ok(cluster.plane.kubectl_by(file))
}

/// Kinds of the objects in [`MUTATOR`] and in [`WEBHOOK`], in the order of their deletion.
const POLICY: &[&str] = &["mutatingadmissionpolicybinding", "mutatingadmissionpolicy"];
const HOOK: &[&str] = &["mutatingwebhookconfiguration"];

/// A manifest that matches a resource.
fn of(manifest: &str, group: &str, resource: &str) -> String {
    manifest.replace("GROUP", &format!("{group:?}")).replace("RESOURCE", resource)
}

async fn remove(installer: &Kubectl, kinds: &[&str]) -> Result<()> {
    for kind in kinds {
        installer.run(&["delete", kind, "other"]).await?;
    }
    Ok(())
}

fn held(object: &Value) -> bool {
    condition(object, "Stalled")["reason"] == "PolicyIntegrityViolated"
}

/// `allowedMutators` as the page says to make it: each mutator that `verify` names, with its digest.
pub fn allowed_mutators(verified: &Value) -> Value {
    let foreign = verified.as_array().into_iter().flatten().filter(|f| f["state"] == "Foreign");
    let entry = |f: &Value| Some((f["object"].as_str()?.to_owned(), f["digest"].clone()));
    foreign.filter_map(entry).collect::<serde_json::Map<_, _>>().into()
}

/// The shipped release record that lists these mutators.
pub async fn release_with(allowed: &Value) -> Result<String> {
    let release = tokio::process::Command::new(e2e::operator::binary()?).arg("release").output().await?;
    let mut release: Value = serde_json::from_slice(&release.stdout)?;
    release["data"]["allowedMutators"] = json!(allowed.to_string());
    Ok(release.to_string())
}

pub async fn s1_a_mutator_of_others_ends_trust_until_it_is_allowed(context: Context) -> Result<()> {
    let (cluster, department) = start(&context).await?;
    context.dump_on_failure(DEPARTMENT);
    let (admin, installer) = (department.by(Actor::Admin), installer(&cluster).await?);
    let waiting = department.file("waiting").await?;
    each_is_reported(&department, &installer, &waiting).await?;

    // A decision made meanwhile is invalid, also when the mutator is gone.
    let mutator = of(MUTATOR, "govcloud.dev", "cloudapplications");
    installer.apply(&mutator).await?;
    department.until(&waiting, "held", held).await?;
    department.approve(&waiting).await?;
    department.until(&waiting, "void", |o| o["status"]["decision"]["void"].is_string()).await?;
    let listed = govcloud(&department.by(Actor::Auditor), "verify -o json").await?.expect(1, &[])?;
    let allowed = allowed_mutators(&serde_json::from_str(&listed.out)?);
    ensure!(allowed.as_object().is_some_and(|a| a.len() == 2), "policy and binding: {allowed}");
    remove(&installer, POLICY).await?;
    decide_anew(&department, &waiting).await?;

    // Listed before it comes, by an installer by name, it changes nothing. Wildcard rights do not list it.
    let release = release_with(&allowed).await?;
    let refused = admin.apply(&release).await.err().context("by wildcard rights")?.to_string();
    ensure!(refused.contains("holder of verb install on gates.govcloud.dev"), "{refused}");
    installer.apply(&release).await?;
    installer.apply(&mutator).await?;
    in_force(&cluster).await?;
    let second = department.file("second").await?;
    department.approve(&second).await?;
    department.until_phase(&second, "Provisioned").await?;
    let label = department.get(&second).await?["metadata"]["labels"]["example.org/seen"].clone();
    ensure!(label == "yes", "the mutator is not in force");
    govcloud(&department.by(Actor::Auditor), "verify")
        .await?
        .expect(0, &["of others, in allowedMutators"])?;

    // Altered, it is another.
    let third = department.file("third").await?;
    installer.apply(&mutator.replace("[CREATE]", "[CREATE, UPDATE]")).await?;
    department.until(&third, "held by the altered mutator", held).await.map(drop)
}

/// Each kind of mutator, on each sort of resource that matters, is named on a record that waits.
async fn each_is_reported(department: &SampleDepartment, installer: &Kubectl, waiting: &str) -> Result<()> {
    let mut seen = 0;
    for (manifest, kind, kinds) in
        [(MUTATOR, "MutatingAdmissionPolicy", POLICY), (WEBHOOK, "MutatingWebhookConfiguration", HOOK)]
    {
        for (group, resource) in
            [("govcloud.dev", "cloudapplications"), ("*", "\"*\""), ("", "persistentvolumes")]
        {
            installer.apply(&of(manifest, group, resource)).await?;
            let what = format!("stalled by {kind} on {group}/{resource}");
            let held = department.until(waiting, &what, held).await?;
            let message = condition(&held, "Stalled")["message"].to_string();
            ensure!(message.contains(&format!("{kind}/other can rewrite")), "{message}");
            let verified = govcloud(&department.by(Actor::Auditor), "verify").await?;
            verified.expect(1, &[&format!("{kind}/other"), "of others, not in allowedMutators"])?;
            remove(installer, kinds).await?;
            let free = |o: &Value| condition(o, "Stalled")["status"] == "False";
            department.until(waiting, "free again", free).await?;
            seen += 1;
        }
    }
    println!("guard: {seen} mutators of others, each reported on the waiting record");
    ensure!(events(department, "PolicyIntegrityViolated").await? > 0, "no Event reports the violation");
    Ok(())
}
