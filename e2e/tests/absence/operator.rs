//! The operator, its rights and the policies come and go.

use anyhow::{Context as _, Result, ensure};
use e2e::actors::{Actor, OPERATOR};
use e2e::audit::AuditLog;
use e2e::cluster::Cluster;
use e2e::fixtures::{Department, HENAN, Kind, PATIENCE, condition};
use e2e::install;
use e2e::operator::{Operator, Options};
use e2e::paths::in_repository;
use e2e::suite::Context;
use e2e::wait::eventually;
use govcloud_api::region::Region;
use kube::api::{DeleteParams, DynamicObject};
use kube::{Api, ResourceExt};

use super::fixture::{Fixture, start};

pub async fn removing_operator_rights_and_policies_destroys_nothing(context: Context) -> Result<()> {
    let (cluster, department, mut fixture) = start().await?;
    context.dump_on_failure(&department.namespace);
    let before = department.get(Kind::Application, "travel").await?;
    killed(&cluster, &department, &before).await?;
    fixture
        .assert_intact(&cluster, "the operator's memory (SIGKILL, empty cache)", "the same record goes live")
        .await?;
    without_rights(&cluster, &department, &mut fixture, &before).await?;
    without_policies(&cluster, &department, &mut fixture).await?;
    let live = department.phase(Kind::Application, "travel", "Live").await?;
    ensure!(live.uid() == before.uid());
    fixture
        .assert_intact(
            &cluster,
            "the admission policies, reinstalled",
            "a new application is decided and provisioned",
        )
        .await?;
    fixture.print();
    Ok(())
}

/// Killed, and back with an empty cache: it finds everything as it is, and writes nothing.
async fn killed(cluster: &Cluster, department: &Department, before: &DynamicObject) -> Result<()> {
    // The last that it writes on a new application: the Region gathers changes for some seconds.
    let regions: Api<Region> = Api::all(department.admin().await?);
    let probe = || async {
        let status = regions.get(HENAN).await?.status.unwrap_or_default();
        Ok(status.filing_namespaces.contains(&department.namespace).then_some(()))
    };
    eventually("the Region lists the filing namespace", PATIENCE, probe).await?;
    let mark = AuditLog::mark();
    {
        let mut operator = cluster.operator.lock().await;
        let operator = operator.as_mut().context("no operator")?;
        operator.kill()?;
        operator.restart().await?;
    }
    // Its next action shows that it has decided everything before.
    department.go_live("travel").await?;
    let writes = cluster.audit().read()?.since(mark).by_user(OPERATOR).writes().without_leases().keep(|e| {
        let what = e.object_ref.as_ref().map_or("", |o| o.resource.as_str());
        !["events", "configmaps", "cloudapplications"].contains(&what)
    });
    ensure!(writes.is_empty(), "after a restart it wrote {writes:?}");
    let after = department.get(Kind::Application, "travel").await?;
    ensure!(
        before.uid() == after.uid()
            && before.data["status"]["namespaces"] == after.data["status"]["namespaces"]
    );
    Ok(())
}

/// The operator is gone with all its rights; the department goes on working.
async fn without_rights(
    cluster: &Cluster,
    department: &Department,
    fixture: &mut Fixture,
    application: &DynamicObject,
) -> Result<()> {
    let admin = cluster.kubectl(Actor::PlatformAdmin);
    cluster.operator.lock().await.take().context("no operator")?.stop()?;
    let rights = in_repository("config/rbac/operator.yaml").display().to_string();
    admin.run(&["delete", "-f", &rights]).await?;
    fixture.fill(department, "meanwhile").await?;
    fixture.assert_intact(cluster, "the operator and its rights", "the department works on").await?;
    install::rbac(&admin).await?;
    *cluster.operator.lock().await = Some(Operator::start(&cluster.plane, Options::default()).await?);
    let own = application.uid().unwrap_or_default();
    let marked = || async { Ok(fixture.owners(cluster).await?.iter().all(|o| *o == own).then_some(())) };
    e2e::wait::eventually("what came meanwhile is marked", e2e::fixtures::PATIENCE, marked).await?;
    fixture
        .assert_intact(
            cluster,
            "the operator and its rights, reinstalled",
            "what came meanwhile is marked and kept",
        )
        .await
}

/// Without the policies what stands stands, and no gate opens until they are back.
async fn without_policies(cluster: &Cluster, department: &Department, fixture: &mut Fixture) -> Result<()> {
    let admin = cluster.kubectl(Actor::PlatformAdmin);
    let policies = in_repository("config/admission").display().to_string();
    admin.run(&["delete", "-k", &policies]).await?;
    department.file(&department.application("second")?).await?;
    let held = |s: &serde_json::Value| condition(s, "Stalled")["reason"] == "PolicyIntegrityViolated";
    department.until(Kind::Application, "second", "is held", held).await?;
    fixture.assert_intact(cluster, "the admission policies", "no gate opens").await?;
    install::admission(&admin, &cluster.client(Actor::Admin).await?).await?;
    let free = |s: &serde_json::Value| condition(s, "Stalled")["status"] == "False";
    department.until(Kind::Application, "second", "is free", free).await?;
    // Without the stamp of the policies nobody is on record as having filed it: it is filed anew.
    let refused = department.approve(Kind::Application, "second").await;
    ensure!(e2e::fixtures::refusal(refused)?.contains("nobody is on record as having filed this"));
    let applications = department.api(department.applicant, Kind::Application).await?;
    applications.delete("second", &DeleteParams::default()).await?;
    department.provision(department.application("second")?).await.map(drop)
}
