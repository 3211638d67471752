//! A record is deleted past every guard, as the threat model says a cluster-admin can, and comes back.

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::cluster::Cluster;
use e2e::fixtures::{self, Department, Kind, condition};
use e2e::install::wait_policies_active;
use e2e::suite::Context;
use kube::ResourceExt;
use kube::api::{DeleteParams, DynamicObject, ListParams};
use serde_json::Value;

use super::fixture::start;

const GUARD: [&str; 2] = ["validatingadmissionpolicybinding", "govcloud-record-deletion"];

pub async fn lost_record_is_refiled_and_reattached(context: Context) -> Result<()> {
    let (cluster, department, mut fixture) = start().await?;
    context.dump_on_failure(&department.namespace);
    let before = department.get(Kind::Application, "travel").await?;
    let refused = deletion_is_refused(&department).await?;
    fixture
        .assert_intact(
            &cluster,
            "nothing: deleting the record is refused",
            &format!("{refused} ways refused"),
        )
        .await?;

    delete_past_the_guard(&cluster, &department).await?;
    let waits = |s: &Value| condition(s, "Reconciling")["reason"] == "AwaitingApproval";
    let grant = department.until(Kind::Grant, "travel", "says that its application is gone", waits).await?;
    ensure!(grant.data["status"]["phase"] == "Active", "{:?}", grant.data["status"]);
    fixture
        .assert_intact(&cluster, "the record alone (its guard removed)", "its grant stays, and waits")
        .await?;

    // From Git.
    let filed = department.file(&department.application("travel")?).await?;
    ensure!(filed.uid() != before.uid(), "it is the same record");
    let application = fixture.reattach(&department, "the record alone").await?;
    ensure!(application.data["status"]["decision"]["reattach"][0] == *fixture.tenant_uid);
    passed_to(&department, &grant, &filed).await?;
    let admin = cluster.kubectl(Actor::PlatformAdmin);
    let namespace = admin.run(&["get", "namespace", &fixture.tenant, "-o", "json"]).await?;
    let namespace: Value = serde_json::from_str(&namespace)?;
    let chain = &namespace["metadata"]["annotations"]["govcloud.dev/reattached-from"];
    ensure!(*chain == serde_json::json!(before.uid()), "{chain}");
    fixture.exit(&department).await?;
    fixture.print();
    Ok(())
}

/// Nobody deletes the record, one by one or all at once. Returns how many ways were tried.
async fn deletion_is_refused(department: &Department) -> Result<usize> {
    let mut refused = 0;
    for who in [department.applicant, department.authority, Actor::PlatformAdmin, Actor::Admin] {
        let api = department.api(who, Kind::Application).await?;
        let one = api.delete("travel", &DeleteParams::default()).await;
        let said = fixtures::refusal(one.map(drop).map_err(Into::into))?;
        ensure!(said.contains("file a Decommission"), "{who:?}: {said}");
        refused += 1;
    }
    let all = department.api(Actor::Admin, Kind::Application).await?;
    let all = all.delete_collection(&DeleteParams::default(), &ListParams::default()).await;
    fixtures::refusal(all.map(drop).map_err(Into::into))?;
    Ok(refused + 1)
}

/// A cluster-admin takes the guard away, deletes the record, and puts the guard back.
async fn delete_past_the_guard(cluster: &Cluster, department: &Department) -> Result<()> {
    let admin = cluster.kubectl(Actor::PlatformAdmin);
    let guard = admin.run(&["get", GUARD[0], GUARD[1], "-o", "json"]).await?;
    admin.run(&["delete", GUARD[0], GUARD[1]]).await?;
    let gone = || async {
        let deleted = admin.output(&["delete", "capp/travel", "-n", &department.namespace]).await?;
        Ok(deleted.status.success().then_some(()))
    };
    e2e::wait::eventually("the record is deleted past the guard", fixtures::PATIENCE, gone).await?;
    let mut guard: Value = serde_json::from_str(&guard)?;
    guard["metadata"] = serde_json::json!({"name": GUARD[1], "labels": guard["metadata"]["labels"]});
    admin.apply(&guard.to_string()).await?;
    wait_policies_active(&admin, &cluster.client(Actor::Admin).await?).await
}

/// The grant is the same, is now that of the record that was filed anew, and says so once.
async fn passed_to(department: &Department, grant: &DynamicObject, filed: &DynamicObject) -> Result<()> {
    let passed = department.get(Kind::Grant, "travel").await?;
    ensure!(
        passed.uid() == grant.uid()
            && passed.data["spec"]["application"]["uid"] == serde_json::json!(filed.uid())
    );
    let timeline = passed.data["status"]["timeline"].as_array().context("no timeline")?;
    ensure!(timeline.iter().filter(|t| t["event"] == "GrantTakenOver").count() == 1, "{timeline:?}");
    Ok(())
}
