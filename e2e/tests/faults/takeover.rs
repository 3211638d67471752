//! The leader is asked to end while a standby waits: the standby takes over at once, and has queued nothing before.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::actors::{Actor, OPERATOR_NAMESPACE, OPERATOR_SERVICE_ACCOUNT};
use e2e::fixtures::{self, Department, HENAN, Kind};
use e2e::operator::{Operator, Options};
use e2e::suite::Context;
use e2e::wait::eventually;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use tokio::time::Instant;

/// Longest time from SIGTERM of the leader to the first write of the next one; the lease itself would hold for 15 s.
const TAKEOVER: Duration = Duration::from_secs(6);

/// Applications that are filed while the standby waits.
const FILED: usize = 10;

/// Metrics of a queue in which nothing waits.
const QUEUE: [&str; 3] = ["govcloud_queue_length", "govcloud_queue_oldest_seconds", "govcloud_queue_running"];

pub async fn standby_takes_over_at_once(context: Context) -> Result<()> {
    let cluster = &context.cluster;
    fixtures::regions_without_operator(cluster).await?;
    drop(cluster.operator.lock().await.take());
    let start = |name: &str| {
        let env = vec![("POD_NAME".to_owned(), name.to_owned())];
        Operator::start(&cluster.plane, Options { name: name.to_owned(), env, ..Options::default() })
    };
    let mut leader = start("govcloud-operator-leader").await?;
    let lease: Api<Lease> = Api::namespaced(cluster.client(Actor::Admin).await?, OPERATOR_NAMESPACE);
    let holder = || async {
        let lease = lease.get(OPERATOR_SERVICE_ACCOUNT).await?;
        anyhow::Ok(lease.spec.and_then(|s| s.holder_identity).unwrap_or_default())
    };
    eventually("it leads", fixtures::PATIENCE, || async {
        let holder = holder().await?;
        ensure!(holder == "govcloud-operator-leader", "the lease is held by {holder:?}");
        Ok(Some(()))
    })
    .await?;
    fixtures::regions_ready(cluster).await?;
    let standby = start("govcloud-operator-standby").await?;

    let namespace = context.filing_namespace("dept-takeover", HENAN).await?;
    let department = Department::open(cluster, &namespace, HENAN).await?;
    for i in 0..FILED {
        department.file(&department.application(&format!("filed-{i}"))?).await?;
    }
    for i in 0..FILED {
        department.judged(Kind::Application, &format!("filed-{i}"), "Valid").await?;
    }
    let waiting = queue(&standby).await?;
    ensure!(waiting.iter().all(|(_, n)| *n == 0.0), "the standby queues what it will not do: {waiting:?}");

    let asked = Instant::now();
    let status = leader.stop()?.context("it was not running")?;
    let ended = asked.elapsed();
    ensure!(status.success(), "asked to end, it ended with {status}");
    let held_by = holder().await?;
    ensure!(held_by != "govcloud-operator-leader", "the leader ended and did not release the lease");
    department.file(&department.application("after")?).await?;
    department.judged(Kind::Application, "after", "Valid").await?;
    let taken_over = asked.elapsed();
    ensure!(taken_over < TAKEOVER, "the standby's first write came {taken_over:.1?} after SIGTERM");
    ensure!(holder().await? == "govcloud-operator-standby", "the lease is held by another");
    println!(
        "faults: the leader ended in {ended:.1?}, the standby's first write came after {taken_over:.1?}"
    );
    *cluster.operator.lock().await = Some(standby);
    Ok(())
}

/// Metrics of the queue, with their values.
async fn queue(operator: &Operator) -> Result<Vec<(&'static str, f64)>> {
    let metrics = operator.get("/metrics").await?;
    let value = |name: &'static str| {
        let line = metrics.lines().find(|l| l.starts_with(&format!("{name} ")));
        let value = line.and_then(|l| l.rsplit(' ').next()?.parse().ok());
        Ok((name, value.with_context(|| format!("no metric {name}"))?))
    };
    QUEUE.into_iter().map(value).collect()
}
