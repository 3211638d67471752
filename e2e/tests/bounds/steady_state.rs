//! A world at rest: whatever stands, looked at by a new process, is not written and not listed again.

use anyhow::{Context as _, Result, ensure};
use e2e::actors::{Actor, OPERATOR};
use e2e::audit::AuditLog;
use e2e::cluster::Cluster;
use e2e::fixtures::{Department, HENAN, Kind};
use e2e::operator::Operator;
use e2e::sockets;
use e2e::suite::Context;
use serde_json::json;

use crate::{OPERATOR as THE_OPERATOR, at_rest, restart, undisturbed};

pub async fn steady_state_has_no_writes_and_no_lists(context: Context) -> Result<()> {
    undisturbed(&context).await?;
    let _alone = THE_OPERATOR.lock().await;
    let cluster = &context.cluster;
    let namespace = context.filing_namespace("dept-rest", HENAN).await?;
    let department = Department::open(cluster, &namespace, HENAN).await?;
    everything_that_can_rest(&department).await?;
    // The exited life beside it counts as well: four records there, seven here, two regions.
    let records = 13;
    at_rest(cluster, records).await?;

    let admin = cluster.client(Actor::Admin).await?;
    let mark = AuditLog::mark();
    restart(cluster).await?;
    at_rest(cluster, records).await?;
    let connections = connections(cluster).await?;
    ensure!(connections == 1, "{connections} connections to the API server, where one carries everything");
    let asked = cluster.audit().settled(&admin).await?.since(mark).by_user(OPERATOR);
    let lists = asked.clone().verb("list").len();
    let writes = asked.without_leases().writes();
    ensure!(writes.is_empty(), "a new process wrote:\n{writes}");

    // Looked at again because something irrelevant changed: neither written nor listed.
    let mark = AuditLog::mark();
    let note = json!({"metadata": {"annotations": {"dept.example/note": "看过"}}});
    for (kind, name) in [(Kind::Application, "live"), (Kind::Exit, "leaving-exit"), (Kind::Change, "wanting")]
    {
        department.amend(kind, name, note.clone()).await?;
    }
    at_rest(cluster, records + 3).await?;
    let asked = cluster.audit().settled(&admin).await?.since(mark).by_user(OPERATOR);
    let listed = asked.clone().verb("list");
    let writes = asked.clone().without_leases().writes();
    ensure!(listed.is_empty(), "listed in steady state:\n{listed}");
    ensure!(writes.is_empty(), "wrote for nothing:\n{writes}");
    println!(
        "bounds: a new process over {records} records: {lists} lists at its start, 0 writes, {connections} connection; after 3 irrelevant changes: 0 lists, 0 writes"
    );
    Ok(())
}

/// Number of connections that the operator holds to the API server.
async fn connections(cluster: &Cluster) -> Result<usize> {
    let operator = cluster.operator.lock().await;
    let pid = operator.as_ref().and_then(Operator::pid).context("no operator")?;
    let port = cluster.plane.server().url.rsplit(':').next().context("a port")?.parse()?;
    sockets::established(pid, port)
}

/// An application in every phase in which it may rest for long.
async fn everything_that_can_rest(department: &Department) -> Result<()> {
    department.file(&department.application("waiting")?).await?;
    department.judged(Kind::Application, "waiting", "Valid").await?;
    let mut wrong = department.application("wrong")?;
    wrong["spec"]["system"]["protectionLevel"] = json!(5);
    department.file(&wrong).await?;
    department.judged(Kind::Application, "wrong", "ProtectionLevelTooHigh").await?;
    let live = department.provision(department.application("live")?).await?;
    let (tenant, _) = Department::tenant(&live, "prod")?;
    department.fill(&tenant, "data", "真实数据").await?;
    department.go_live("live").await?;
    department.file(&department.change("wanting", "live")?).await?;
    department.judged(Kind::Change, "wanting", "Valid").await?;
    department.provision(department.application("leaving")?).await?;
    department.file(&department.exit("leaving-exit", "leaving", json!({"default": "Retain"}))?).await?;
    department.phase(Kind::Exit, "leaving-exit", "AwaitingConsent").await?;
    department.phase(Kind::Application, "leaving", "Exiting").await.map(drop)
}
