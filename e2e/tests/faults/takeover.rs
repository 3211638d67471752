//! The leader ends while a standby waits: asked to end, it hands over at once; killed, its lease ends first. The audit log has
//! the times, and shows that the two never write at the same time.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::actors::{Actor, OPERATOR, OPERATOR_NAMESPACE, OPERATOR_SERVICE_ACCOUNT};
use e2e::audit::{AuditLog, Entries, Entry};
use e2e::fixtures::{self, Department, HENAN, Kind};
use e2e::operator::{Operator, Options};
use e2e::suite::Context;
use e2e::wait::eventually;
use futures::future::try_join_all;
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use kube::Api;
use tokio::task::spawn_blocking;

/// Longest time from SIGTERM of the leader to the first write of the next one: a third of the lease. It takes a fraction of a
/// second on an idle machine.
const HAND_OVER: Duration = Duration::from_secs(5);

/// Time for which a lease holds that nobody renews.
const LEASE: Duration = Duration::from_secs(15);

/// Longest time from the end of a killed leader's lease to the first write of the next one.
const AFTER_THE_LEASE: Duration = Duration::from_secs(5);

/// Applications that are filed while the standby waits.
const FILED: usize = 10;

/// Metrics of a queue in which nothing waits.
const QUEUE: [&str; 3] = ["govcloud_queue_length", "govcloud_queue_oldest_seconds", "govcloud_queue_running"];

/// A leader and its standby, with the records of a department that waits for decisions.
struct Pair {
    leader: Operator,
    standby: Operator,
    department: Department,
}

impl Pair {
    async fn start(context: &Context) -> Result<Self> {
        let cluster = &context.cluster;
        fixtures::regions_without_operator(cluster).await?;
        if let Some(mut other) = cluster.operator.lock().await.take() {
            other.stop()?;
        }
        let start = |name: &str| {
            let env = vec![("POD_NAME".to_owned(), name.to_owned())];
            Operator::start(&cluster.plane, Options { name: name.to_owned(), env, ..Options::default() })
        };
        let leader = start("govcloud-operator-leader").await?;
        eventually("it leads", fixtures::PATIENCE, || async {
            let holder = lease(context).await?.holder_identity;
            ensure!(holder.as_deref() == Some("govcloud-operator-leader"), "the lease is held by {holder:?}");
            Ok(Some(()))
        })
        .await?;
        fixtures::regions_ready(cluster).await?;
        let standby = start("govcloud-operator-standby").await?;
        let namespace = context.filing_namespace("dept-takeover", HENAN).await?;
        let department = Department::open(cluster, &namespace, HENAN).await?;
        for name in names() {
            department.file(&department.application(&name)?).await?;
        }
        for name in names() {
            department.judged(Kind::Application, &name, "Valid").await?;
        }
        Ok(Self { leader, standby, department })
    }
}

/// One more application is filed, and found valid by whoever leads now.
async fn serves(department: &Department, name: &str) -> Result<()> {
    department.file(&department.application(name)?).await?;
    department.judged(Kind::Application, name, "Valid").await.map(drop)
}

fn names() -> impl Iterator<Item = String> {
    (0..FILED).map(|i| format!("filed-{i}"))
}

async fn lease(context: &Context) -> Result<LeaseSpec> {
    let leases: Api<Lease> = Api::namespaced(context.cluster.client(Actor::Admin).await?, OPERATOR_NAMESPACE);
    Ok(leases.get(OPERATOR_SERVICE_ACCOUNT).await?.spec.unwrap_or_default())
}

/// The operator's requests since a time: those on the lease, and its writes to records and tenants.
async fn requests(context: &Context, since: Timestamp) -> Result<(Entries, Entries)> {
    let admin = context.cluster.client(Actor::Admin).await?;
    let all = context.cluster.audit().settled(&admin).await?.since(since).by_user(OPERATOR);
    let system = |e: &Entry| e.object_ref.as_ref().is_some_and(|o| o.namespace == OPERATOR_NAMESPACE);
    Ok((all.clone().resource("leases"), all.writes().keep(|e| !system(e))))
}

pub async fn standby_takes_over_at_once(context: Context) -> Result<()> {
    let Pair { mut leader, standby, department } = Pair::start(&context).await?;
    let waiting = queue(&standby).await?;
    ensure!(waiting.iter().all(|(_, n)| *n == 0.0), "the standby queues what it will not do: {waiting:?}");
    let mark = AuditLog::mark();
    // The leader is asked to end in the middle of their provisioning.
    let names: Vec<String> = names().collect();
    try_join_all(names.iter().map(|name| department.approve(Kind::Application, name))).await?;
    let asked = AuditLog::mark();
    let ending = spawn_blocking(move || leader.stop());
    serves(&department, "after").await?;
    let status = ending.await??.context("it was not running")?;
    ensure!(status.success(), "asked to end, it ended with {status}");
    let lease = lease(&context).await?;
    ensure!(
        lease.holder_identity.as_deref() == Some("govcloud-operator-standby"),
        "held by another: {lease:?}"
    );
    for name in &names {
        department.phase(Kind::Application, name, "Provisioned").await?;
    }

    let (leases, _) = requests(&context, mark).await?;
    let polls = leases.keep(|e| !e.is_write() && e.verb != "watch" && e.request_received_timestamp < asked);
    ensure!(polls.is_empty(), "a standby asks for the lease that it watches:\n{polls}");
    let (leases, writes) = requests(&context, asked).await?;
    let acquired = lease.acquire_time.context("nobody acquired the lease")?.0;
    let (before, since): (Vec<Timestamp>, Vec<Timestamp>) =
        leases.writes().iter().map(|e| e.request_received_timestamp).partition(|at| *at < acquired);
    let released = before.into_iter().max().context("the lease was not released")?;
    let taken = since.into_iter().min().context("the lease was not taken")?;
    let between = writes.clone().keep(|e| {
        let (received, answered) = (e.request_received_timestamp, e.stage_timestamp);
        (released..taken).contains(&received) || (received < released && answered > taken)
    });
    ensure!(between.is_empty(), "written while nobody led:\n{between}");
    let after = elapsed(asked, first_after(&writes, taken)?)?;
    println!(
        "faults: the leader ended in the middle of {FILED} approvals: released {:.0?} after SIGTERM, taken {:.0?} later, the next leader's first write after {after:.0?}",
        elapsed(asked, released)?,
        elapsed(released, taken)?,
    );
    ensure!(after < HAND_OVER, "the next leader's first write came {after:.1?} after SIGTERM");
    *context.cluster.operator.lock().await = Some(standby);
    Ok(())
}

pub async fn killed_leader_is_followed_when_its_lease_ends(context: Context) -> Result<()> {
    let began = AuditLog::mark();
    let Pair { mut leader, standby, department } = Pair::start(&context).await?;
    leader.kill()?;
    let killed = AuditLog::mark();
    serves(&department, "after").await?;
    let (leases, writes) = requests(&context, began).await?;
    let written = leases.clone().writes();
    let renewed = written.iter().map(|e| e.request_received_timestamp).filter(|at| *at < killed).max();
    let renewed = renewed.context("the leader never held the lease")?;
    let taken = leases.writes().since(killed).iter().map(|e| e.request_received_timestamp).min();
    let taken = taken.context("nobody took the lease")?;
    let waited = elapsed(renewed, taken)?;
    ensure!(waited >= LEASE, "taken {waited:.1?} after a renewal: the leader might still have led");
    let first = elapsed(renewed, first_after(&writes, taken)?)?;
    println!(
        "faults: the leader was killed {:.1?} after its last renewal; the next leader's first write came {first:.1?} after it",
        elapsed(renewed, killed)?
    );
    ensure!(
        first < LEASE + AFTER_THE_LEASE,
        "the next leader's first write came {first:.1?} after the renewal"
    );
    *context.cluster.operator.lock().await = Some(standby);
    Ok(())
}

fn elapsed(from: Timestamp, to: Timestamp) -> Result<Duration> {
    Ok(to.duration_since(from).try_into()?)
}

/// Time of the first write that was received after another time.
fn first_after(writes: &Entries, time: Timestamp) -> Result<Timestamp> {
    let received = writes.iter().map(|e| e.request_received_timestamp).filter(|at| *at >= time);
    received.min().context("nothing was written after that")
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
