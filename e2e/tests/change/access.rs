//! People come and go (Art. 8, 15): access changes by a ChangeRequest of its own, the contact without one.

use anyhow::{Result, ensure};
use e2e::fixtures::{Department, Kind, PATIENCE, refusal};
use e2e::suite::Context;
use e2e::wait::eventually;
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::Api;
use kube::api::ListParams;
use serde_json::{Value, json};

use crate::fixture::{automatic, carry_out, hard, provider_applied, provisioned};

pub async fn access_changes_without_quota_automatic(context: Context) -> Result<()> {
    access_changes(&automatic(&context, "people").await?).await
}

pub async fn access_changes_without_quota_provider_applied(context: Context) -> Result<()> {
    access_changes(&provider_applied(&context, "people").await?).await
}

async fn access_changes(department: &Department) -> Result<()> {
    let app = provisioned(department, "clinic").await?;
    let (prod, _) = Department::tenant(&app, "prod")?;
    let before = hard(department, &prod).await?;
    let flux = json!({"subject": {"kind": "ServiceAccount", "name": "flux-water", "namespace": "flux-water"}, "role": "edit"});
    let wang = json!({"subject": {"kind": "User", "name": "wang"}, "role": "view"});
    change(department, "people", json!({"access": [flux, wang]})).await?;
    bound(department, &prod, &["edit flux-water/flux-water", "view wang"]).await?;
    ensure!(hard(department, &prod).await? == before, "the quota changed");
    let may = [
        "auth",
        "can-i",
        "create",
        "deployments",
        "-n",
        &prod,
        "--as=system:serviceaccount:flux-water:flux-water",
    ];
    let admin = department.cluster().kubectl(e2e::actors::Actor::PlatformAdmin);
    let allowed = || async { Ok(admin.output(&may).await?.status.success().then_some(())) };
    eventually("the pipeline may deploy", PATIENCE, allowed).await?;

    // A later change of quotas leaves the people as they are.
    change(department, "more", json!({"namespaces": [{"name": "prod", "quota": {"pods": "60"}}]})).await?;
    bound(department, &prod, &["edit flux-water/flux-water", "view wang"]).await?;
    change(department, "nobody", json!({"access": []})).await?;
    bound(department, &prod, &[]).await?;

    // A change must change something: the same list again does not, and an empty request does not.
    let same = adjustment(department, "same", json!({"access": []}))?;
    department.file(&same).await?;
    department.judged(Kind::Change, "same", "NothingChanges").await?;
    let message = refusal(department.file(&adjustment(department, "nothing", json!({}))?).await)?;
    ensure!(message.contains("give namespaces with their new quotas, or access, or both"), "{message}");

    contact_changes(department).await
}

/// The present contact is no part of what was approved.
async fn contact_changes(department: &Department) -> Result<()> {
    let contact = json!({"spec": {"contact": {"name": "王工", "phone": "0371-11111111"}}});
    department.amend(Kind::Application, "clinic", contact).await?;
    let seen =
        department.until(Kind::Application, "clinic", "is seen again", |s| s["observedGeneration"] == 2);
    let seen = seen.await?;
    ensure!(seen.data["status"]["phase"] == "Provisioned", "{}", seen.data["status"]);
    let frozen = json!({"spec": {"system": {"contact": {"phone": "0371-11111111"}}}});
    let message = refusal(department.amend(Kind::Application, "clinic", frozen).await)?;
    ensure!(message.contains("to change the contact set spec.contact"), "{message}");
    let officer = department.amend_as(
        department.authority,
        Kind::Application,
        "clinic",
        json!({"spec": {"contact": null}}),
    );
    let message = refusal(officer.await)?;
    ensure!(message.contains("审核者不得申报") || message.contains("file"), "{message}");
    Ok(())
}

fn adjustment(department: &Department, name: &str, asked: Value) -> Result<Value> {
    let mut change = department.change(name, "clinic")?;
    change["spec"]["resourceAdjustment"] = json!({"application": "clinic", "reason": "人员变动"});
    for (field, value) in asked.as_object().into_iter().flatten() {
        change["spec"]["resourceAdjustment"][field] = value.clone();
    }
    Ok(change)
}

async fn change(department: &Department, name: &str, asked: Value) -> Result<()> {
    department.file(&adjustment(department, name, asked)?).await?;
    department.approve(Kind::Change, name).await?;
    carry_out(department, "clinic", name).await?;
    department.phase(Kind::Change, name, "Completed").await.map(drop)
}

/// Waits until exactly these subjects are bound.
async fn bound(department: &Department, namespace: &str, expected: &[&str]) -> Result<()> {
    let bindings: Api<RoleBinding> = Api::namespaced(department.admin().await?, namespace);
    let are = || async {
        let mut found = Vec::new();
        for binding in bindings.list(&ListParams::default()).await? {
            let role = binding.role_ref.name.trim_start_matches("govcloud-tenant-").to_owned();
            for subject in binding.subjects.unwrap_or_default() {
                let place = subject.namespace.map(|n| format!("{n}/")).unwrap_or_default();
                found.push(format!("{role} {place}{}", subject.name));
            }
        }
        found.sort();
        ensure!(found == expected, "{found:?} are bound, and not {expected:?}");
        Ok(Some(()))
    };
    eventually("the right people are bound", PATIENCE, are).await
}
