//! `kubectl delete -f crds/`: refused, and then meant, which takes every record away at once.

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::fixtures::{self, Kind};
use e2e::install;
use e2e::paths::in_repository;
use e2e::suite::Context;
use kube::ResourceExt;
use serde_json::Value;

use super::fixture::start;

pub async fn removing_crds_destroys_nothing(context: Context) -> Result<()> {
    let (cluster, department, mut fixture) = start().await?;
    context.dump_on_failure(&department.namespace);
    let before = department.get(Kind::Application, "travel").await?;
    let admin = cluster.kubectl(Actor::PlatformAdmin);
    let crds = in_repository("crds").display().to_string();
    let refused = admin.output(&["delete", "-f", &crds]).await?;
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    let denials = said.matches("deleting this CRD deletes every record of its kind").count();
    let all = std::fs::read_dir(in_repository("crds"))?.count();
    ensure!(!refused.status.success() && denials == all, "{denials} of {all} refused: {said}");
    let same = department.get(Kind::Application, "travel").await?;
    ensure!(same.uid() == before.uid() && same.metadata.deletion_timestamp.is_none());
    fixture
        .assert_intact(
            &cluster,
            "nothing: kubectl delete -f crds/ is refused",
            &format!("{denials} CRDs refused"),
        )
        .await?;

    // Meant: each CRD carries its own UID.
    let all: Value = serde_json::from_str(&admin.run(&["get", "-f", &crds, "-o", "json"]).await?)?;
    for crd in all["items"].as_array().into_iter().flatten() {
        let (name, uid) = (crd["metadata"]["name"].as_str(), crd["metadata"]["uid"].as_str());
        let allow = format!("govcloud.dev/allow-removal={}", uid.unwrap_or_default());
        admin.run(&["annotate", "crd", name.unwrap_or_default(), &allow]).await?;
    }
    admin.run(&["delete", "-f", &crds]).await?;
    cluster.operator.lock().await.as_mut().map(|o| o.check()).transpose()?;
    fixture
        .assert_intact(
            &cluster,
            "the CRDs, and with them every record",
            "the operator runs on, and does nothing",
        )
        .await?;

    install::crds(&admin).await?;
    install::calendars(&admin).await?;
    fixtures::regions(&cluster).await?;
    // Decisions made before the policy guard has seen them come back are void.
    cluster.operator.lock().await.as_mut().context("no operator")?.ready().await?;
    let none = admin.run(&["get", "capp,grant,chreq,decom", "-A", "-o", "name"]).await?;
    ensure!(none.trim().is_empty(), "records came back by themselves: {none}");
    fixture.assert_intact(&cluster, "the CRDs, reinstalled without records", "no record is made up").await?;

    let filed = department.file(&department.application("travel")?).await?;
    ensure!(filed.uid() != before.uid(), "it is the same record");
    fixture.reattach(&department, "every record").await?;
    fixture.exit(&department).await?;
    fixture.print();
    Ok(())
}
