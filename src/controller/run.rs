//! Running the operator: everything that is started, leadership, and an orderly end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::timeout;

use super::clock::Clock;
use super::clock_skew::{self, Skew};
use super::cloudevents::{self, Sink};
use super::context::{Context, PublishedPolicies};
use super::leadership::{Election, ElectionError};
use super::metrics::Metrics;
use super::policy_guard::PolicyGuard;
use super::supervision::{TaskEnded, Tasks};
use super::utilization::Prometheus;
use super::{reconciler, server, utilization, watch as watches};
use govcloud_domain::integrity::PolicyIntegrity;
use govcloud_domain::seal::Seal;

/// Time that the requests of running reconciles get to be answered at the end. With [`RELEASE`] it is below the grace period
/// of the Pod, 30 seconds.
const DRAIN: Duration = Duration::from_secs(3);

/// Time that the release of the lease may take.
const RELEASE: Duration = Duration::from_secs(5);

/// Settings of one operator.
#[derive(Clone, Debug)]
pub struct Options {
    /// Address of health and metrics.
    pub listen: SocketAddr,
    /// True if only the holder of the lease acts.
    pub leader_election: bool,
    /// Name of this replica.
    pub identity: Option<String>,
    /// Destination of lifecycle events.
    pub cloudevents: cloudevents::Options,
    /// Where the use of namespaces is read.
    pub prometheus: utilization::Options,
    /// Username under which the cluster's namespace controller acts; the policies were installed for it.
    pub namespace_controller: String,
}

impl Options {
    fn identity(&self) -> String {
        self.identity.clone().unwrap_or_else(|| format!("govcloud-operator-{}", std::process::id()))
    }
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
    /// The CloudEvents sink is not usable.
    #[error("{0}")]
    CloudEvents(String),
    /// The Prometheus is not usable.
    #[error("{0}")]
    Prometheus(String),
    /// Signals cannot be listened to.
    #[error("cannot listen to signals: {0}")]
    Signals(#[source] std::io::Error),
    /// The election failed, or was lost.
    #[error("leader election: {0}")]
    Election(#[from] ElectionError),
    /// A task ended that runs for as long as the process.
    #[error("{0}; ending so that all of it is started again")]
    Task(#[from] TaskEnded),
}

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// [`RunError`].
pub async fn run(options: Options) -> Result<(), RunError> {
    let config = kube::Config::infer().await.map_err(|e| RunError::NoCluster(Box::new(e)))?;
    let mut terminate = signal(SignalKind::terminate()).map_err(RunError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(RunError::Signals)?;
    let stop = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    operate_until(config, Clock::default(), options, stop).await
}

/// Operates one cluster by one clock until it is dropped. Tests bring a clock of their own.
///
/// # Errors
/// [`RunError`].
pub async fn operate(config: kube::Config, clock: Clock, options: Options) -> Result<(), RunError> {
    operate_until(config, clock, options, std::future::pending()).await
}

/// Operates one cluster until `stop`; then finishes what runs and releases the lease.
///
/// # Errors
/// [`RunError`].
pub async fn operate_until(
    config: kube::Config,
    clock: Clock,
    options: Options,
    stop: impl Future<Output = ()>,
) -> Result<(), RunError> {
    let (integrity, published) = watch::channel(PolicyIntegrity::Unknown);
    let (seal, own_seal) = watch::channel(Seal::default());
    let policies = PublishedPolicies { integrity: published, seal: own_seal };
    let (context, sink) = context(config, clock.clone(), &options, policies)?;
    let sources = options.prometheus.sources().map_err(RunError::Prometheus)?;
    let listener = server::listen(options.listen).await.map_err(|e| RunError::Listen(options.listen, e))?;
    let guard = PolicyGuard {
        client: context.requests.client(),
        clock,
        identity: context.identity.clone(),
        namespace_controller: options.namespace_controller.clone(),
        integrity,
        seal,
        counts: context.metrics.requests.clone(),
    };
    let mut tasks = Tasks::default();
    tasks.spawn_fallible("health and metrics", server::serve(context.clone(), listener));
    tasks.spawn_fallible("policy guard", guard.run());
    watches::start(&context, &mut tasks);

    let mut election = None;
    let ended = tokio::select! {
        ended = lead(&context, &options, (sink, sources), &mut tasks, &mut election) => ended,
        () = stop => Ok(()),
    };
    match &ended {
        // Another replica acts already.
        Err(RunError::Election(_)) => {}
        _ => finish(&context, tasks, election).await,
    }
    ended
}

/// Sink of CloudEvents, and their origin.
type Delivery = (Sink, String);

/// Everything that tasks share, and the sink of CloudEvents with their origin.
fn context(
    config: kube::Config,
    clock: Clock,
    options: &Options,
    policies: PublishedPolicies,
) -> Result<(Arc<Context>, Option<Delivery>), RunError> {
    let sink = options.cloudevents.sink().map_err(RunError::CloudEvents)?;
    let origin = options.cloudevents.origin().map_err(RunError::CloudEvents)?;
    let (skew, metrics) = (Skew::default(), Metrics::default());
    let client = clock_skew::client(config, clock.clone(), skew.clone(), metrics.requests.clone())
        .map_err(|e| RunError::Client(Box::new(e)))?;
    let mut context = Context::new(client, clock, skew, policies, options.identity());
    context.metrics = metrics;
    if sink.is_some() {
        context = context.with_outbox(cloudevents::Outbox::enabled());
    }
    Ok((Arc::new(context), sink.map(|sink| (sink, origin))))
}

/// Waits for a complete cache and for the lease, then works until a task ends or the lease is lost.
async fn lead(
    context: &Arc<Context>,
    options: &Options,
    (sink, sources): (Option<Delivery>, Vec<Prometheus>),
    tasks: &mut Tasks,
    election: &mut Option<Election>,
) -> Result<(), RunError> {
    tasks.or_ended(watches::synchronised(context)).await?;
    if options.leader_election {
        let started = Election::start(context.requests.client(), &context.identity).await?;
        let election = election.insert(started);
        tasks.or_ended(election.won()).await??;
        tracing::info!(identity = context.identity, "leading");
    }
    if !sources.is_empty() {
        context.state.use_readings.enable();
        tasks.spawn("use from Prometheus", utilization::run(context.clone(), sources));
    }
    context.leads.store(true, Ordering::Relaxed);
    context.queue.activate();
    reconciler::start(context, tasks);
    if let Some((sink, origin)) = sink {
        tasks.spawn("CloudEvents delivery", cloudevents::run(context.clone(), sink, origin));
    }
    match election {
        Some(election) => Err(tasks.or_ended(election.lost()).await?.into()),
        None => Err(tasks.ended().await.into()),
    }
}

/// Ends in order: running reconciles stop after the requests that are under way, then every task ends, and then the lease is
/// released. So the next leader begins when nothing of this one is left that could write.
async fn finish(context: &Context, tasks: Tasks, election: Option<Election>) {
    tracing::info!(running = context.queue.stats().running, "ending: nothing more is begun");
    if timeout(DRAIN, context.queue.drain()).await.is_err() {
        tracing::warn!(after = ?DRAIN, "requests that were not answered were abandoned");
    }
    tasks.abort().await;
    context.leads.store(false, Ordering::Relaxed);
    let Some(election) = election else { return };
    match timeout(RELEASE, election.release()).await {
        Ok(Ok(())) => tracing::info!("the lease is released"),
        Ok(Err(error)) => tracing::warn!(%error, "the lease was not released; it expires"),
        Err(_) => tracing::warn!(after = ?RELEASE, "the lease was not released; it expires"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Key;
    use crate::kinds::Kind;

    fn standby() -> Context {
        let service = tower::service_fn(|_: http::Request<kube::client::Body>| {
            std::future::pending::<Result<http::Response<kube::client::Body>, std::io::Error>>()
        });
        let client = kube::Client::new(service, "default");
        let policies = PublishedPolicies::unknown();
        Context::new(client, Clock::default(), Skew::default(), policies, "test".into())
    }

    #[tokio::test]
    async fn finish_takes_no_more_keys_and_waits_for_running_ones() {
        let context = standby();
        finish(&context, Tasks::default(), None).await;
        let context = standby();
        context.queue.activate();
        context.queue.add(["a", "b"].map(|name| Key::new(Kind::Application, "dept", name)));
        let running = context.queue.next().await.unwrap();
        let (mut tasks, (held, of_the_task)) = (Tasks::default(), watch::channel(()));
        tasks.spawn("a worker", async move { held.closed().await });
        let finished = finish(&context, tasks, None);
        tokio::pin!(finished);
        assert!(timeout(Duration::from_millis(1), &mut finished).await.is_err(), "one is being reconciled");
        assert_eq!(context.queue.next().await, None);
        assert!(context.queue.is_closed(), "and sends nothing more");
        context.queue.done(&running, None);
        finished.await;
        assert!(of_the_task.has_changed().is_err(), "no task is left");
    }

    #[test]
    fn the_error_of_a_task_that_ended_names_it() {
        let ended = TaskEnded { task: "policy guard".into(), why: "panicked: no policies".into() };
        let text = RunError::from(ended).to_string();
        assert!(text.contains("policy guard") && text.contains("no policies"), "{text}");
    }
}
