//! The policy guard on a real control plane: decisions made while a policy is missing, altered or replaced are invalid.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::cluster::{Cluster, Setup};
use e2e::install::wait_policies_active;
use e2e::operator::{Operator, Options};
use e2e::sample_department::{DEPARTMENT, SampleDepartment, condition, timeline_count};
use e2e::suite::{self, Context};
use e2e::wait::eventually;
use govcloud_domain::integrity;
use govcloud_domain::release;
use serde_json::{Value, json};

#[path = "guard/altered.rs"]
mod altered;
#[path = "guard/gap.rs"]
mod gap;
#[path = "guard/mutators.rs"]
mod mutators;

use altered::what_others_alter_is_reported_and_written_once_a_minute;
use gap::a_decision_from_a_gap_never_counts;
use mutators::s1_a_mutator_of_others_ends_trust_until_it_is_allowed;

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

async fn start(context: &Context) -> Result<(Arc<Cluster>, SampleDepartment)> {
    let cluster = context.own_cluster(Setup::Operating).await?;
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
    let (cluster, department) = start(&context).await?;
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
    let (cluster, department) = start(&context).await?;
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
