//! The `main` of a test binary: one cluster around all its tests.
//!
//! Rust never drops statics, and every `#[tokio::test]` has a runtime of its own, so a cluster shared by ordinary
//! tests could neither be ended nor keep its clients' tasks alive. Here one runtime and one cluster belong to
//! `main` (`harness = false` in Cargo.toml); the cluster is started by the first test that runs, and gone before
//! the process ends.
//!
//! ```no_run
//! use e2e::suite::{self, Context};
//! async fn it_lives(context: Context) -> anyhow::Result<()> {
//!     context.cluster.namespace("a").await.map(drop)
//! }
//! fn main() -> std::process::ExitCode {
//!     suite::main(e2e::cluster::Setup::Operating, e2e::tests![it_lives])
//! }
//! ```

use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, anyhow};
use govcloud_controller::telemetry;
use libtest_mimic::{Arguments, Failed, Trial};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

use crate::cluster::{Cluster, Setup};
use crate::{dump, supervisor};

/// A test that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(300);

/// Number of tests that run at once unless `--test-threads` says otherwise: they mostly wait for the cluster.
const PARALLEL: usize = 4;

type Body = Box<dyn Fn(Context) -> Pin<Box<dyn Future<Output = Result<()>> + Send>> + Send>;

/// One test.
pub struct Test {
    name: String,
    body: Body,
}

impl Test {
    /// A test of this name.
    pub fn new<F, Fut>(name: impl Into<String>, body: F) -> Self
    where
        F: Fn(Context) -> Fut + Send + 'static,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        Self { name: name.into(), body: Box::new(move |context| Box::pin(body(context))) }
    }
}

/// A list of tests, each named after its function.
#[macro_export]
macro_rules! tests {
    ($($test:ident),* $(,)?) => { vec![$($crate::suite::Test::new(stringify!($test), $test)),*] };
}

/// Context of a test.
#[derive(Clone)]
pub struct Context {
    /// The cluster, shared with the other tests: use namespaces of your own.
    pub cluster: Arc<Cluster>,
    own: Arc<Mutex<Option<Arc<Cluster>>>>,
    namespaces: Arc<Mutex<Vec<String>>>,
}

impl Context {
    /// The context of a test that has a cluster of its own.
    pub fn on(cluster: Arc<Cluster>) -> Self {
        Self { cluster, own: Arc::default(), namespaces: Arc::default() }
    }

    /// Starts a cluster for this test alone. It is dumped in place of the shared one if the test fails.
    ///
    /// # Errors
    /// It does not start.
    pub async fn own_cluster(&self, setup: Setup) -> Result<Arc<Cluster>> {
        let cluster = Arc::new(Cluster::start(setup).await?);
        *self.own.lock().unwrap_or_else(PoisonError::into_inner) = Some(cluster.clone());
        Ok(cluster)
    }

    /// A new namespace, dumped if the test fails.
    pub async fn namespace(&self, prefix: &str) -> Result<String> {
        let name = self.cluster.namespace(prefix).await?;
        self.dump_on_failure(&name);
        Ok(name)
    }

    /// A new namespace in which records of `region` may be filed, dumped if the test fails.
    pub async fn filing_namespace(&self, prefix: &str, region: &str) -> Result<String> {
        let name = self.cluster.filing_namespace(prefix, region).await?;
        self.dump_on_failure(&name);
        Ok(name)
    }

    /// Dumps one more namespace if the test fails, a tenant's for instance.
    pub fn dump_on_failure(&self, namespace: &str) {
        self.namespaces.lock().unwrap_or_else(PoisonError::into_inner).push(namespace.to_owned());
    }
}

/// Number of tests at once, and the longest time of each.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// At once, unless `--test-threads` says otherwise.
    pub parallel: usize,
    /// For one test.
    pub patience: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { parallel: PARALLEL, patience: PATIENCE }
    }
}

/// Logs to standard error what passes this filter.
pub fn log(filter: &str) {
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(telemetry::coloured());
    log.with_writer(std::io::stderr).init();
}

/// Runs the tests and prints what `cargo test` prints, its closing line included.
pub fn main(setup: Setup, tests: Vec<Test>) -> ExitCode {
    run_at(setup, tests, Pace::default())
}

/// [`main`] at another pace.
pub fn run_at(setup: Setup, tests: Vec<Test>, pace: Pace) -> ExitCode {
    let mut args = Arguments::from_args();
    args.test_threads.get_or_insert(pace.parallel);
    log("warn,kube_client=off");
    let runtime = match Runtime::new() {
        Ok(runtime) => Arc::new(runtime),
        Err(error) => {
            eprintln!("no runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    if let Err(error) = runtime.block_on(async { supervisor::end_on_signals() }) {
        eprintln!("{error:#}");
        return ExitCode::FAILURE;
    }
    let shared = Arc::new(Shared { setup, patience: pace.patience, cluster: OnceCell::new() });
    let trials = tests.into_iter().map(|test| trial(test, &runtime, &shared)).collect();
    let conclusion = libtest_mimic::run(&args, trials);
    // Every trial is gone, and with it every other reference.
    runtime.block_on(async { drop(shared) });
    supervisor::dismiss();
    conclusion.exit_code()
}

struct Shared {
    setup: Setup,
    patience: Duration,
    cluster: OnceCell<Result<Arc<Cluster>, String>>,
}

impl Shared {
    /// Started once; if that fails it fails for every test alike.
    async fn cluster(&self) -> Result<Arc<Cluster>> {
        let start = || async {
            Cluster::start(self.setup).await.map(Arc::new).map_err(|error| format!("no cluster: {error:#}"))
        };
        self.cluster.get_or_init(start).await.clone().map_err(|error| anyhow!(error))
    }
}

fn trial(test: Test, runtime: &Arc<Runtime>, shared: &Arc<Shared>) -> Trial {
    let (runtime, shared) = (runtime.clone(), shared.clone());
    Trial::test(test.name.clone(), move || {
        runtime.block_on(run(test, &shared)).map_err(|error| Failed::from(format!("{error:#}")))
    })
}

async fn run(test: Test, shared: &Shared) -> Result<()> {
    let context = Context::on(shared.cluster().await?);
    // A task of its own: a panic in it is an error here, and the dump comes while the cluster still stands.
    let body = tokio::spawn((test.body)(context.clone()));
    let stop = body.abort_handle();
    let patience = shared.patience;
    let outcome = match tokio::time::timeout(patience, body).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(panic)) => Err(anyhow!("{panic}")),
        Err(_) => {
            stop.abort();
            Err(anyhow!("not done after {patience:?}"))
        }
    };
    if outcome.is_err() {
        let namespaces = context.namespaces.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let own = context.own.lock().unwrap_or_else(PoisonError::into_inner).take();
        dump::failed(&test.name, own.as_ref().unwrap_or(&context.cluster), &namespaces).await;
    }
    outcome
}
