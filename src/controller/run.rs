//! Running the operator: client, guard, watches, leadership, work, and a clean end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures::FutureExt;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::clock::Clock;
use super::clock_skew::{self, Skew};
use super::context::Context;
use super::metrics::Metrics;
use super::watch as watch_caches;
use super::{cloudevents, leadership, policy_guard, reconciler, server};
use govcloud_domain::decision::PolicyIntegrity;

/// How the operator runs.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where health and metrics are served.
    pub listen: SocketAddr,
    /// Whether only the holder of the lease acts.
    pub leader_election: bool,
    /// Name of this replica.
    pub identity: Option<String>,
    /// Where lifecycle events go.
    pub cloudevents: cloudevents::Options,
    /// Username under which the cluster's namespace controller acts; the policies were installed for it.
    pub namespace_controller: String,
}

/// Why the operator cannot run, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// No usable kubeconfig and not in a cluster.
    #[error("no cluster: set KUBECONFIG, or run in a Pod with a ServiceAccount ({0})")]
    NoCluster(#[source] Box<kube::config::InferConfigError>),
    /// The client cannot be made.
    #[error("no client for the cluster: {0}")]
    Client(#[source] Box<kube::Error>),
    /// The address cannot be listened on.
    #[error("cannot serve health and metrics on {0}: {1}; choose another with --listen")]
    Listen(SocketAddr, #[source] std::io::Error),
    /// Events cannot go where they should.
    #[error("{0}")]
    CloudEvents(String),
    /// Signals cannot be listened to.
    #[error("cannot listen to signals: {0}")]
    Signals(#[source] std::io::Error),
    /// The election failed.
    #[error("leader election: {0}")]
    Election(String),
    /// Another replica took over.
    #[error("leadership was lost; ending so that nothing is done twice")]
    Superseded,
}

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// [`RunError`].
pub async fn run(options: Options) -> Result<(), RunError> {
    let config = kube::Config::infer().await.map_err(|e| RunError::NoCluster(Box::new(e)))?;
    let mut terminate = signal(SignalKind::terminate()).map_err(RunError::Signals)?;
    tokio::select! {
        operated = operate(config, Clock::default(), options) => operated,
        _ = terminate.recv() => Ok(()),
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

/// Operates one cluster by one clock until it is dropped. Tests bring a clock of their own.
///
/// # Errors
/// [`RunError`].
pub async fn operate(config: kube::Config, clock: Clock, options: Options) -> Result<(), RunError> {
    let skew = Skew::default();
    let metrics = Metrics::default();
    let client = clock_skew::client(config, clock.clone(), skew.clone(), metrics.requests.clone())
        .map_err(|e| RunError::Client(Box::new(e)))?;
    let identity =
        options.identity.clone().unwrap_or_else(|| format!("govcloud-operator-{}", std::process::id()));
    let (says, hears) = watch::channel(PolicyIntegrity::Unknown);
    let sink = options.cloudevents.sink().map_err(RunError::CloudEvents)?;
    let origin = options.cloudevents.origin().map_err(RunError::CloudEvents)?;
    let mut context = Context::new(client.clone(), clock.clone(), skew, hears, identity.clone());
    context.metrics = metrics;
    let context = match &sink {
        Some(_) => context.with_outbox(cloudevents::Outbox::wanted()),
        None => context,
    };
    let context = Arc::new(context);
    let deliver = sink.map(|sink| cloudevents::run(context.clone(), sink, origin));
    let listen = options.listen;
    let mut tasks = JoinSet::new();
    let counts = context.metrics.requests.clone();
    tasks.spawn(policy_guard::watch(
        client.clone(),
        clock,
        identity.clone(),
        options.namespace_controller.clone(),
        says,
        counts,
    ));
    tokio::select! {
        worked = work(&context, client, &options, &identity, deliver, &mut tasks) => worked,
        served = server::serve(context.clone(), listen) => served.map_err(|e| RunError::Listen(listen, e)),
    }
}

/// Gathers, waits to lead, and works.
async fn work(
    context: &Arc<Context>,
    client: kube::Client,
    options: &Options,
    identity: &str,
    deliver: Option<impl Future<Output = ()> + Send + 'static>,
    tasks: &mut JoinSet<()>,
) -> Result<(), RunError> {
    watch_caches::synchronise(context, tasks).await;
    if !options.leader_election {
        context.leads.store(true, Ordering::Relaxed);
        tasks.spawn(futures::future::OptionFuture::from(deliver).map(drop));
        reconciler::run(context.clone()).await;
        return Ok(());
    }
    let mut election =
        leadership::elect(client, identity).await.map_err(|e| RunError::Election(e.to_string()))?;
    while !*election.leads.borrow_and_update() {
        election.leads.changed().await.map_err(|e| RunError::Election(e.to_string()))?;
    }
    context.leads.store(true, Ordering::Relaxed);
    tracing::info!(identity, "leading");
    tasks.spawn(futures::future::OptionFuture::from(deliver).map(drop));
    tokio::select! {
        () = reconciler::run(context.clone()) => Ok(()),
        lost = async { election.leads.wait_for(|leads| !leads).await.map(drop) } => match lost {
            Ok(()) => Err(RunError::Superseded),
            Err(e) => Err(RunError::Election(e.to_string())),
        },
    }
}
