//! A mutating policy of others that is allowed, and alters what the operator writes: the grant names the path that does not stay,
//! and the API server is not flooded.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::actors::{Actor, OPERATOR};
use e2e::audit::AuditLog;
use e2e::plugin::govcloud;
use e2e::sample_department::{DEPARTMENT, condition};
use e2e::suite::Context;
use e2e::wait::eventually;
use serde_json::Value;

use super::mutators::{allowed_mutators, installer, release_with};
use super::start;

/// Sets the Pod Security level of tenant namespaces at every update.
const LOOSENS: &str = r#"
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: {name: loosens}
spec:
  failurePolicy: Ignore
  reinvocationPolicy: Never
  matchConstraints:
    objectSelector: {matchExpressions: [{key: govcloud.dev/application-uid, operator: Exists}]}
    resourceRules:
    - {apiGroups: [""], apiVersions: [v1], operations: [UPDATE], resources: [namespaces]}
  mutations:
  - patchType: ApplyConfiguration
    applyConfiguration:
      expression: 'Object{metadata: Object.metadata{labels: {"pod-security.kubernetes.io/enforce": "privileged"}}}'
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata: {name: loosens}
spec: {policyName: loosens}
"#;

pub async fn what_others_alter_is_reported_and_written_once_a_minute(context: Context) -> Result<()> {
    let (cluster, department) = start(&context).await?;
    context.dump_on_failure(DEPARTMENT);
    let (admin, installer) = (department.by(Actor::Admin), installer(&cluster).await?);
    let travel = department.file("travel").await?;
    department.approve(&travel).await?;
    let namespaces = department.until_phase(&travel, "Provisioned").await?["status"]["namespaces"].clone();
    let tenant = namespaces[0]["namespace"].as_str().context("no namespace")?.to_owned();

    installer.apply(LOOSENS).await?;
    let auditor = department.by(Actor::Auditor);
    let listed = || async {
        let verified = govcloud(&auditor, "verify -o json").await?;
        let allowed = allowed_mutators(&serde_json::from_str(&verified.out)?);
        Ok(allowed.as_object().is_some_and(|a| a.len() == 2).then_some(allowed))
    };
    let allowed = eventually("both are named", Duration::from_secs(20), listed).await?;
    installer.apply(&release_with(&allowed).await?).await?;
    let in_order = || async {
        govcloud(&auditor, "verify").await?.expect(0, &["of others, in allowedMutators"]).map(Some)
    };
    eventually("both are allowed", Duration::from_secs(20), in_order).await?;

    // A setting of the Region is applied to living tenants, and does not stay.
    let mark = AuditLog::mark();
    let baseline = r#"{"spec":{"tenancy":{"podSecurity":"baseline"}}}"#;
    admin.run(&["patch", "region", "410000", "--type=merge", "-p", baseline]).await?;
    let altered = |o: &Value| condition(o, "Stalled")["reason"] == "WriteAltered";
    let held = department.until("grant/travel", "stalled by what others alter", altered).await?;
    let message = condition(&held, "Stalled")["message"].to_string();
    let path = format!("Namespace/{tenant} metadata.labels[pod-security.kubernetes.io/enforce]");
    ensure!(message.contains(&path), "{path} is not named: {message}");
    // Whatever enqueues the grant meanwhile, nothing is written again before its time.
    let provider = department.by(Actor::Provider);
    for n in 0..5 {
        let line = format!("annotate grant travel -n {DEPARTMENT} --overwrite example.org/n={n}");
        provider.run(&line.split(' ').collect::<Vec<_>>()).await?;
    }
    let client = cluster.client(Actor::Admin).await?;
    let writes = cluster.audit().settled(&client).await?.since(mark).by_user(OPERATOR).resource("namespaces");
    let writes = writes.writes().named(&tenant);
    ensure!(writes.len() == 1, "{} writes of one that does not stay:\n{writes}", writes.len());

    for kind in ["mutatingadmissionpolicybinding", "mutatingadmissionpolicy"] {
        installer.run(&["delete", kind, "loosens"]).await?;
    }
    let active = |o: &Value| condition(o, "Ready")["reason"] == "Active";
    department.until("grant/travel", "in force again", active).await?;
    let label = admin.run(&["get", "namespace", &tenant, "-o", "json"]).await?;
    let label =
        serde_json::from_str::<Value>(&label)?["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
            .clone();
    ensure!(label == "baseline", "{label}");
    println!("guard: one write of what others alter, and the path in the grant's condition");
    Ok(())
}
