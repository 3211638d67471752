//! S9, S11: transient faults of the API server change nothing: relists (410), conflicts, throttling, server errors, lost
//! connections, refused Events, and the end of the leader.
//!
//! The operator reaches the API server through a proxy that injects the faults. Each fault has a department of its own,
//! and all departments live at once; every life must end as the undisturbed one.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::actors::Actor;
use e2e::cluster::{Cluster, Setup};
use e2e::fixtures;
use e2e::operator::{self, Operator, Options};
use e2e::proxy::{Proxy, Watches};
use e2e::suite::{self, Context, Pace};
use tokio::sync::OnceCell;

#[path = "common/end_state.rs"]
mod end_state;
#[path = "faults/events.rs"]
mod events;
#[path = "faults/injector.rs"]
mod injector;
#[path = "common/lifecycle.rs"]
mod lifecycle;
#[path = "faults/relist.rs"]
mod relist;
#[path = "faults/takeover.rs"]
mod takeover;
#[path = "faults/transient.rs"]
mod transient;

use events::refused_events_do_not_stop_status_writes;
use injector::{Fault, Injector};
use lifecycle::Outcome;
use relist::{approval_during_a_relist_of_policies_is_valid, relists_change_nothing};
use takeover::{killed_leader_is_followed_when_its_lease_ends, standby_takes_over_at_once};
use transient::transient_faults_change_nothing;

/// Longest time of one step of a life: each of its requests fails once, and is tried again later each time.
const PATIENCE: Duration = Duration::from_secs(150);

/// One at a time: each test has an operator of its own, and only one may act.
const PACE: Pace = Pace { parallel: 1, patience: Duration::from_secs(420) };

/// Outcome of a life without faults.
static UNDISTURBED: OnceCell<Outcome> = OnceCell::const_new();

fn main() -> ExitCode {
    let tests = e2e::tests![
        transient_faults_change_nothing,
        relists_change_nothing,
        approval_during_a_relist_of_policies_is_valid,
        refused_events_do_not_stop_status_writes,
        standby_takes_over_at_once,
        killed_leader_is_followed_when_its_lease_ends,
    ];
    suite::run_at(Setup::Installed, tests, PACE)
}

/// Operator behind a proxy, which is the cluster's operator as long as this lives.
struct Proxied {
    injector: Arc<Injector>,
    _proxy: Proxy,
}

impl Proxied {
    /// Starts the operator behind a proxy; the operator that the cluster had before is ended.
    async fn start(cluster: &Arc<Cluster>) -> Result<Self> {
        fixtures::regions_without_operator(cluster).await?;
        let watches = Watches::default();
        let injector = Arc::new(Injector::new(cluster.client(Actor::Admin).await?, watches.clone()));
        let proxy = Proxy::start_with(cluster.plane.server(), injector.clone(), watches).await?;
        let kubeconfig = proxy.kubeconfig(&operator::credentials(&cluster.plane).await?)?;
        let env = vec![
            ("KUBECONFIG".to_owned(), kubeconfig.display().to_string()),
            ("GOVCLOUD_NO_LEADER_ELECTION".to_owned(), "true".to_owned()),
        ];
        let mut running = cluster.operator.lock().await;
        drop(running.take());
        *running = Some(Operator::start(&cluster.plane, Options { env, ..Options::default() }).await?);
        drop(running);
        fixtures::regions_ready(cluster).await?;
        Ok(Self { injector, _proxy: proxy })
    }
}

/// Outcome of a life without faults, run by the first test that asks.
async fn undisturbed(context: &Context, injector: &Injector) -> Result<&'static Outcome> {
    let life = || async {
        let namespace = context.filing_namespace("dept-undisturbed", fixtures::HENAN).await?;
        injector.inject(&namespace, Fault::None);
        lifecycle::run(context, &namespace, PATIENCE).await
    };
    UNDISTURBED.get_or_try_init(life).await
}

/// Runs `work`, and fails as soon as a status with `Stalled=True` is written, whichever record it is of.
async fn never_stalled<T>(injector: &Injector, work: impl Future<Output = Result<T>>) -> Result<T> {
    let ensure_none = || {
        let stalled = injector.stalled();
        ensure!(stalled.is_empty(), "transient faults were reported as Stalled:\n{}", stalled.join("\n"));
        Ok(())
    };
    let poll = async {
        loop {
            ensure_none()?;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::select! {
        outcome = work => ensure_none().and(outcome),
        stalled = poll => stalled,
    }
}
