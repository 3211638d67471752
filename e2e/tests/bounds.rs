//! Requests of the operator to the API server, from the audit log; and an end state that kills do not change.
//!
//! One life is played undisturbed and every request of it looked at; then the operator is started anew over a
//! world at rest; then a second life is played while it is killed again and again.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use e2e::cluster::{Cluster, Setup};
use e2e::operator::{Operator, Options};
use e2e::suite::{self, Context};
use e2e::{audit::AuditLog, fixtures};
use tokio::sync::{Mutex, OnceCell};

#[path = "common/end_state.rs"]
mod end_state;
#[path = "bounds/kill.rs"]
mod kill;
#[path = "bounds/lifecycle.rs"]
mod lifecycle;
#[path = "bounds/requests.rs"]
mod requests;
#[path = "bounds/steady_state.rs"]
mod steady_state;

use kill::killed_operator_reaches_the_same_end_state;
use lifecycle::Life;
use requests::writes_of_a_life_are_exactly_these;
use steady_state::steady_state_has_no_writes_and_no_lists;

/// Held by a test that stops or starts the operator.
static OPERATOR: Mutex<()> = Mutex::const_new(());

/// The undisturbed life.
static UNDISTURBED: OnceCell<Life> = OnceCell::const_new();

fn main() -> ExitCode {
    suite::main(
        Setup::Installed,
        e2e::tests![
            writes_of_a_life_are_exactly_these,
            steady_state_has_no_writes_and_no_lists,
            killed_operator_reaches_the_same_end_state,
        ],
    )
}

/// The undisturbed life, played by the first who asks.
async fn undisturbed(context: &Context) -> Result<&'static Life> {
    let play = || async {
        fixtures::regions_without_operator(&context.cluster).await?;
        // A container that is restarted keeps its Pod's name, and with it the lease.
        let env = vec![("POD_NAME".to_owned(), "govcloud-operator-0".to_owned())];
        let operator = Operator::start(&context.cluster.plane, Options { env, ..Options::default() }).await?;
        *context.cluster.operator.lock().await = Some(operator);
        fixtures::regions_ready(&context.cluster).await?;
        lifecycle::run(context, "dept-quiet").await
    };
    UNDISTURBED.get_or_try_init(play).await
}

/// Kills the operator and starts it again, as a new process with empty caches.
async fn restart(cluster: &Cluster) -> Result<()> {
    let mut operator = cluster.operator.lock().await;
    operator.as_mut().context("no operator")?.restart().await
}

/// Waits until the operator has looked at everything and nothing waits to be looked at again.
async fn at_rest(cluster: &Arc<Cluster>, records: usize) -> Result<()> {
    let look = || async {
        let operator = cluster.operator.lock().await;
        let metrics = operator.as_ref().context("no operator")?.get("/metrics").await?;
        let reconciled = sum(&metrics, "govcloud_reconcile_total");
        let queued = sum(&metrics, "govcloud_queue_length");
        ensure!(reconciled >= records && queued == 0, "{reconciled} of {records} looked at, {queued} queued");
        Ok(Some(()))
    };
    e2e::wait::eventually("everything is looked at", fixtures::PATIENCE, look).await?;
    // And nothing more is written while a request of our own passes through.
    let admin = cluster.client(e2e::actors::Actor::Admin).await?;
    let quiet = || async {
        let before = AuditLog::mark();
        cluster.audit().settled(&admin).await?;
        let after = cluster.audit().settled(&admin).await?.since(before);
        let writes = after.by_user(e2e::actors::OPERATOR).writes().without_leases();
        ensure!(writes.is_empty(), "still writing:\n{writes}");
        Ok(Some(()))
    };
    e2e::wait::eventually("nothing more is written", fixtures::PATIENCE, quiet).await
}

/// The sum of all samples of a metric.
fn sum(metrics: &str, name: &str) -> usize {
    let samples = metrics.lines().filter(|l| l.starts_with(name) && !l.starts_with('#'));
    samples.filter_map(|l| l.rsplit(' ').next()?.parse::<usize>().ok()).sum()
}
