//! `verify`, and decisions that a mutating policy of others rewrites.

use anyhow::{Result, ensure};
use e2e::actors::Actor;
use e2e::cluster::Setup;
use e2e::install::wait_policies_active;
use e2e::paths::in_repository;
use e2e::sample_department::SampleDepartment;
use e2e::suite::Context;
use serde_json::{Value, json};

use super::command;

/// In a cluster of its own: while the gate is open nothing else goes on.
pub async fn verify_names_altered_policies(context: Context) -> Result<()> {
    let cluster = context.own_cluster(Setup::Installed).await?;
    let ask = |actor, line| command::govcloud(&cluster, actor, line);
    cluster.kubectl(Actor::Admin).apply_path(&in_repository("config/samples/personas.yaml")).await?;
    ask(Actor::Auditor, "verify").await?.expect(0, &["govcloud-decisions", "are as shipped"])?;
    ask(Actor::Department, "verify")
        .await?
        .expect(1, &["you may not list customresourcedefinitions", "role govcloud:auditor"])?;
    let admin = cluster.kubectl(Actor::Admin);
    let binding = "validatingadmissionpolicybinding/govcloud-decisions";
    admin
        .run(&["patch", binding, "--type=merge", "-p", r#"{"spec":{"validationActions":["Warn"]}}"#])
        .await?;
    admin.run(&["delete", "validatingadmissionpolicybinding", "govcloud-status"]).await?;
    let said = ask(Actor::Auditor, "verify").await?;
    said.expect(1, &["altered (spec.validationActions)", "2 of"])?;
    let json: Value =
        serde_json::from_str(&ask(Actor::Auditor, "verify -o json").await?.expect(1, &[])?.out)?;
    let wrong: Vec<_> = json
        .as_array()
        .into_iter()
        .flatten()
        .filter(|f| f["state"] != "InOrder" && !f["object"].to_string().contains("APIServer/"))
        .map(|f| (&f["object"], &f["state"]))
        .collect();
    ensure!(
        serde_json::to_value(&wrong)?
            == json!([
                ["ValidatingAdmissionPolicyBinding/govcloud-decisions", "Altered"],
                ["ValidatingAdmissionPolicyBinding/govcloud-status", "Missing"]
            ]),
        "{wrong:?}"
    );
    Ok(())
}

/// A mutating policy of others that alters the opinion of a decision, in dry runs or when it counts.
const REWRITES: &str = r#"
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: {name: rewrites}
spec:
  failurePolicy: Fail
  reinvocationPolicy: Never
  matchConstraints:
    resourceRules:
    - {apiGroups: [govcloud.dev], apiVersions: ["*"], operations: [UPDATE], resources: [cloudapplications]}
  matchConditions:
  - {name: when, expression: "WHEN && 'govcloud.dev/decision' in object.metadata.?annotations.orValue({})"}
  mutations:
  - patchType: ApplyConfiguration
    applyConfiguration:
      expression: 'Object{metadata: Object.metadata{annotations: {"govcloud.dev/opinion": "altered"}}}'
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata: {name: rewrites}
spec: {policyName: rewrites}
"#;

/// In a cluster of its own, without the operator, which would trust no decision here.
pub async fn s7_decision_that_is_stored_otherwise_is_reported(context: Context) -> Result<()> {
    let cluster = context.own_cluster(Setup::Installed).await?;
    let sample = SampleDepartment::install(cluster.clone()).await?;
    let admin = cluster.kubectl(Actor::Admin);
    let file = in_repository("config/samples/travel.yaml").display().to_string();
    sample.by(Actor::Department).run(&["create", "-n", "dept-transport", "-f", &file]).await?;
    let decide = "return capp/travel -n dept-transport --opinion mine --yes";
    let stored = || async {
        let path = r"jsonpath={.metadata.annotations.govcloud\.dev/opinion}";
        admin.run(&["get", "capp", "travel", "-n", "dept-transport", "-o", path]).await
    };
    let client = cluster.client(Actor::Admin).await?;
    for (when, told, kept) in [
        ("true", "Nothing was submitted", ""),
        ("(!has(request.dryRun) || !request.dryRun)", "what is on record is not what you said", "altered"),
    ] {
        admin.apply(&REWRITES.replace("WHEN", when)).await?;
        wait_policies_active(&admin, &client).await?;
        let said = command::govcloud(&cluster, Actor::Authority410000, decide).await?;
        let parts = ["govcloud.dev/opinion", "\"mine\"", "\"altered\"", told, "kubectl govcloud verify"];
        let said = said.expect(1, &parts)?;
        ensure!(!said.out.contains("returned for correction by"), "it reports success: {}", said.out);
        ensure!(stored().await? == kept, "stored: {}", stored().await?);
    }
    Ok(())
}
