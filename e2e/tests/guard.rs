//! The policy guard on a real control plane: decisions made while a policy is missing, altered or replaced are invalid.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::cluster::{Cluster, Setup};
use e2e::install::wait_policies_active;
use e2e::operator::{Operator, Options};
use e2e::paths::in_repository;
use e2e::plugin::govcloud;
use e2e::sample_department::{DEPARTMENT, SampleDepartment, condition, timeline_count};
use e2e::suite::{self, Context};
use e2e::wait::eventually;
use govcloud_api::resources::CLOUD_APPLICATION;
use govcloud_domain::integrity;
use govcloud_domain::release;
use kube::Api;
use kube::api::{DynamicObject, PostParams};
use serde_json::{Value, json};

#[path = "guard/altered.rs"]
mod altered;
#[path = "guard/gap.rs"]
mod gap;

use altered::what_others_alter_is_reported_and_written_once_a_minute;
use gap::a_decision_from_a_gap_never_counts;

fn main() -> ExitCode {
    let tests = e2e::tests![
        a_decision_made_while_a_policy_is_altered_is_invalid,
        a_policy_replaced_while_the_operator_was_down_is_a_violation,
        s1_a_mutator_of_others_ends_trust_until_it_is_allowed,
        a_decision_from_a_gap_never_counts,
        what_others_alter_is_reported_and_written_once_a_minute,
    ];
    suite::main(Setup::Bare, tests)
}

async fn start() -> Result<(Arc<Cluster>, SampleDepartment)> {
    let cluster = Arc::new(Cluster::start(Setup::Operating).await?);
    let department = SampleDepartment::install(cluster.clone()).await?;
    Ok((cluster, department))
}

/// Changes that weaken a policy or a CRD.
fn weakenings() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        (
            "validatingadmissionpolicybinding",
            "govcloud-decisions",
            json!({ "spec": { "validationActions": ["Warn"] } }),
        ),
        (
            "validatingadmissionpolicybinding",
            "govcloud-filing",
            json!({ "spec": { "validationActions": ["Audit"] } }),
        ),
        (
            "validatingadmissionpolicybinding",
            "govcloud-status",
            json!({ "spec": { "matchResources": { "namespaceSelector": { "matchLabels": { "nobody": "here" } } } } }),
        ),
        ("validatingadmissionpolicy", "govcloud-decisions", json!({ "spec": { "failurePolicy": "Ignore" } })),
        (
            "validatingadmissionpolicy",
            "govcloud-filing",
            json!({ "spec": { "matchConditions": [{ "name": "never", "expression": "false" }] } }),
        ),
        (
            "validatingadmissionpolicybinding",
            "govcloud-stamps",
            json!({ "metadata": { "labels": { "app.kubernetes.io/part-of": null } } }),
        ),
        ("mutatingadmissionpolicy", "govcloud-stamps", json!({ "spec": { "failurePolicy": "Ignore" } })),
        ("crd", "cloudapplications.govcloud.dev", json!({ "spec": { "versions": null } })),
    ]
}

async fn a_decision_made_while_a_policy_is_altered_is_invalid(context: Context) -> Result<()> {
    let (cluster, department) = start().await?;
    context.dump_on_failure(DEPARTMENT);
    let admin = department.by(Actor::Admin);
    let waiting = department.file("waiting").await?;
    let mut seen = 0;
    for (kind, name, patch) in weakenings() {
        let original = admin.run(&["get", kind, name, "-o", "json"]).await?;
        let mut patch = patch;
        if kind == "crd" {
            // The schema of the later life is loosened: a field that no rule knows.
            let mut versions = serde_json::from_str::<Value>(&original)?["spec"]["versions"].clone();
            versions[0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["backdoor"] =
                json!({ "type": "string" });
            patch = json!({ "spec": { "versions": versions } });
        }
        admin.run(&["patch", kind, name, "--type=merge", "-p", &patch.to_string()]).await?;
        let held = department
            .until(&waiting, &format!("stalled, with {kind}/{name} altered"), |o| {
                condition(o, "Stalled")["reason"] == "PolicyIntegrityViolated"
            })
            .await?;
        let message = condition(&held, "Stalled")["message"].to_string();
        ensure!(message.contains(name), "the record does not name it: {message}");
        restore(&admin, &original).await?;
        department.until(&waiting, "free again", |o| condition(o, "Stalled")["status"] == "False").await?;
        seen += 1;
    }
    println!("guard: {seen} altered policies, each reported on the waiting record");

    // A decision that is made while a policy is missing is invalid, also after the policy was restored.
    let binding =
        admin.run(&["get", "validatingadmissionpolicybinding", "govcloud-decisions", "-o", "json"]).await?;
    admin.run(&["delete", "validatingadmissionpolicybinding", "govcloud-decisions"]).await?;
    department
        .until(&waiting, "held", |o| condition(o, "Stalled")["reason"] == "PolicyIntegrityViolated")
        .await?;
    ensure!(events(&department, "PolicyIntegrityViolated").await? > 0, "no Event reports the violation");
    department.approve(&waiting).await?;
    let void = department.until(&waiting, "void", |o| o["status"]["decision"]["void"].is_string()).await?;
    ensure!(
        void["status"]["phase"] == "Submitted" && timeline_count(&void, "DecisionVoid") == 1,
        "{}",
        void["status"]
    );
    restore(&admin, &binding).await?;
    wait_policies_active(&admin, &cluster.client(Actor::Admin).await?).await?;
    decide_anew(&department, &waiting).await
}

async fn a_policy_replaced_while_the_operator_was_down_is_a_violation(context: Context) -> Result<()> {
    let (cluster, department) = start().await?;
    context.dump_on_failure(DEPARTMENT);
    let admin = department.by(Actor::Admin);
    let (first, second) = (department.file("first").await?, department.file("second").await?);
    let mut operator = cluster.operator.lock().await.take().context("no operator")?;
    operator.stop()?;
    let policy =
        admin.run(&["get", "validatingadmissionpolicybinding", "govcloud-decisions", "-o", "json"]).await?;
    admin.run(&["delete", "validatingadmissionpolicybinding", "govcloud-decisions"]).await?;
    department.approve(&first).await?;
    restore(&admin, &policy).await?;
    wait_policies_active(&admin, &cluster.client(Actor::Admin).await?).await?;
    let operator = Operator::start(&cluster.plane, Options::default()).await?;
    let void = department.until(&first, "void", |o| o["status"]["decision"]["void"].is_string()).await?;
    ensure!(void["status"]["phase"] == "Submitted", "{}", void["status"]);
    decide_anew(&department, &first).await?;

    // A recorded release covers a change of content in place, not a replacement.
    let third = department.file("third").await?;
    let mut operator = operator;
    operator.stop()?;
    let release = e2e::operator::binary()?;
    let release = tokio::process::Command::new(release).arg("release").output().await?;
    let release = String::from_utf8(release.stdout)?;
    admin.apply(&release).await?;
    admin.run(&["delete", "validatingadmissionpolicybinding", "govcloud-decisions"]).await?;
    department.approve(&second).await?;
    restore(&admin, &policy).await?;
    wait_policies_active(&admin, &cluster.client(Actor::Admin).await?).await?;
    let mut operator = Operator::start(&cluster.plane, Options::default()).await?;
    department.until(&second, "void", |o| o["status"]["decision"]["void"].is_string()).await?;

    // An upgrade in place that was recorded first is no violation: decisions made meanwhile count. In the older release
    // this binding audits nothing.
    let older = r#"{"spec":{"validationActions":["Deny"]}}"#;
    let newer = r#"{"spec":{"validationActions":["Deny","Audit"]}}"#;
    let binding = "validatingadmissionpolicybinding/govcloud-decisions";
    let mut recorded: Value = serde_json::from_str(&release)?;
    let mut objects = release::shipped().map_err(anyhow::Error::msg)?;
    let key = "ValidatingAdmissionPolicyBinding/govcloud-decisions";
    objects.get_mut(key).context("no such binding")?["spec"]["validationActions"] = json!(["Deny"]);
    recorded["data"]["objects"] = json!(serde_json::to_string(&integrity::release(&objects))?);
    admin.apply(&recorded.to_string()).await?;
    admin.run(&["patch", binding, "--type=merge", "-p", older]).await?;
    pinned(&admin, key).await?;
    operator.stop()?;
    admin.apply(&release).await?;
    admin.run(&["patch", binding, "--type=merge", "-p", newer]).await?;
    wait_policies_active(&admin, &cluster.client(Actor::Admin).await?).await?;
    department.approve(&third).await?;
    *cluster.operator.lock().await = Some(Operator::start(&cluster.plane, Options::default()).await?);
    department.until_phase(&third, "Provisioned").await?;
    Ok(())
}

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
async fn installer(cluster: &Cluster) -> Result<e2e::kubectl::Kubectl> {
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

async fn s1_a_mutator_of_others_ends_trust_until_it_is_allowed(context: Context) -> Result<()> {
    let (cluster, department) = start().await?;
    context.dump_on_failure(DEPARTMENT);
    let (admin, installer) = (department.by(Actor::Admin), installer(&cluster).await?);
    let waiting = department.file("waiting").await?;
    let stalled = |o: &Value| condition(o, "Stalled")["reason"] == "PolicyIntegrityViolated";
    let of = |manifest: &str, group: &str, resource: &str| {
        manifest.replace("GROUP", &format!("{group:?}")).replace("RESOURCE", resource)
    };
    let remove = |kinds: &'static [&'static str]| {
        let installer = &installer;
        async move {
            for kind in kinds {
                installer.run(&["delete", kind, "other"]).await?;
            }
            Ok::<(), anyhow::Error>(())
        }
    };
    const POLICY: &[&str] = &["mutatingadmissionpolicybinding", "mutatingadmissionpolicy"];
    const HOOK: &[&str] = &["mutatingwebhookconfiguration"];
    let mut seen = 0;
    for (manifest, kind, kinds) in
        [(MUTATOR, "MutatingAdmissionPolicy", POLICY), (WEBHOOK, "MutatingWebhookConfiguration", HOOK)]
    {
        for (group, resource) in
            [("govcloud.dev", "cloudapplications"), ("*", "\"*\""), ("", "persistentvolumes")]
        {
            installer.apply(&of(manifest, group, resource)).await?;
            let what = format!("stalled by {kind} on {group}/{resource}");
            let held = department.until(&waiting, &what, stalled).await?;
            let message = condition(&held, "Stalled")["message"].to_string();
            ensure!(message.contains(&format!("{kind}/other can rewrite")), "{message}");
            let verified = govcloud(&department.by(Actor::Auditor), "verify").await?;
            verified.expect(1, &[&format!("{kind}/other"), "of others, not in allowedMutators"])?;
            remove(kinds).await?;
            department
                .until(&waiting, "free again", |o| condition(o, "Stalled")["status"] == "False")
                .await?;
            seen += 1;
        }
    }
    println!("guard: {seen} mutators of others, each reported on the waiting record");
    ensure!(events(&department, "PolicyIntegrityViolated").await? > 0, "no Event reports the violation");

    // A decision made meanwhile is invalid, also when the mutator is gone.
    let mutator = of(MUTATOR, "govcloud.dev", "cloudapplications");
    installer.apply(&mutator).await?;
    department.until(&waiting, "held", stalled).await?;
    department.approve(&waiting).await?;
    department.until(&waiting, "void", |o| o["status"]["decision"]["void"].is_string()).await?;
    let listed = govcloud(&department.by(Actor::Auditor), "verify -o json").await?.expect(1, &[])?;
    let allowed = allowed_mutators(&serde_json::from_str(&listed.out)?);
    ensure!(allowed.as_object().is_some_and(|a| a.len() == 2), "policy and binding: {allowed}");
    remove(POLICY).await?;
    decide_anew(&department, &waiting).await?;

    // Listed before it comes, by an installer by name, it changes nothing. Wildcard rights do not list it.
    let release = tokio::process::Command::new(e2e::operator::binary()?).arg("release").output().await?;
    let mut release: Value = serde_json::from_slice(&release.stdout)?;
    release["data"]["allowedMutators"] = json!(allowed.to_string());
    let refused = admin.apply(&release.to_string()).await.err().context("by wildcard rights")?.to_string();
    ensure!(refused.contains("holder of verb install on gates.govcloud.dev"), "{refused}");
    installer.apply(&release.to_string()).await?;
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
    department.until(&third, "held by the altered mutator", stalled).await.map(drop)
}

/// `allowedMutators` as the page says to make it: each mutator that `verify` names, with its digest.
fn allowed_mutators(verified: &Value) -> Value {
    let foreign = verified.as_array().into_iter().flatten().filter(|f| f["state"] == "Foreign");
    let entry = |f: &Value| Some((f["object"].as_str()?.to_owned(), f["digest"].clone()));
    foreign.filter_map(entry).collect::<serde_json::Map<_, _>>().into()
}

/// Waits until the policy guard has recorded an object as it is now.
async fn pinned(admin: &e2e::kubectl::Kubectl, key: &str) -> Result<()> {
    let (kind, name) = key.split_once('/').context("kind/name")?;
    eventually(&format!("{key} pinned"), Duration::from_secs(20), || async {
        let now = admin.run(&["get", kind, name, "-o", "jsonpath={.metadata.generation}"]).await?;
        let record =
            ["get", "configmap", "govcloud-guard", "-n", "govcloud-system", "-o", "jsonpath={.data.record}"];
        let record: Value = serde_json::from_str(&admin.run(&record).await?)?;
        Ok((record["pins"][key]["generation"].as_i64() == Some(now.parse()?)).then_some(()))
    })
    .await
}

/// The authority removes the invalid decision and decides again.
async fn decide_anew(department: &SampleDepartment, what: &str) -> Result<()> {
    let keys = [
        "govcloud.dev/decision-",
        "govcloud.dev/reviewed-generation-",
        "govcloud.dev/opinion-",
        "govcloud.dev/decided-by-",
    ];
    let args = [&["annotate", what, "-n", DEPARTMENT][..], &keys].concat();
    department.by(Actor::Authority410000).run(&args).await?;
    department.until(what, "cleared", |o| o["status"]["decision"].is_null()).await?;
    department.approve(what).await?;
    department.until_phase(what, "Provisioned").await.map(drop)
}

/// Restores an object: replaces it, or creates it if it is gone.
async fn restore(admin: &e2e::kubectl::Kubectl, original: &str) -> Result<()> {
    let mut object: Value = serde_json::from_str(original)?;
    for field in ["resourceVersion", "uid", "creationTimestamp", "generation", "managedFields"] {
        object["metadata"].as_object_mut().context("no metadata")?.remove(field);
    }
    object.as_object_mut().context("no object")?.remove("status");
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("object.json");
    std::fs::write(&file, object.to_string())?;
    let file = file.display().to_string();
    // Kubernetes' own controllers write statuses of policies and CRDs meanwhile: a conflict is retried.
    eventually("put back", Duration::from_secs(20), || async {
        match admin.run(&["replace", "-f", &file]).await {
            Ok(_) => Ok(Some(())),
            Err(e) if e.to_string().contains("NotFound") => {
                admin.run(&["create", "-f", &file]).await.map(|_| Some(()))
            }
            Err(e) if e.to_string().contains("Conflict") => Ok(None),
            Err(e) => Err(e),
        }
    })
    .await
}

/// Number of Events beside the operator with a reason.
async fn events(department: &SampleDepartment, reason: &str) -> Result<usize> {
    let selector = format!("reason={reason}");
    eventually(&format!("an Event {reason}"), Duration::from_secs(20), || async {
        let list = department
            .by(Actor::Admin)
            .run(&["get", "events", "-n", "govcloud-system", "--field-selector", &selector, "-o", "name"])
            .await?;
        Ok(Some(list.lines().count()).filter(|n| *n > 0))
    })
    .await
}
