//! `make demo`: the life of one system on a real control plane, every step shown and checked.

use std::process::ExitCode;

use anyhow::Result;
use e2e::binaries::Binaries;
use e2e::cluster::{Cluster, Setup};
use e2e::demo::{self, Stage};
use e2e::stack::{FILING_NAMESPACE, filing_namespace};
use e2e::{dump, keeper};

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_env_filter("warn,kube_client=off").with_writer(std::io::stderr).init();
    let outcome = perform().await;
    keeper::dismiss();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn perform() -> Result<()> {
    keeper::end_on_signals()?;
    eprintln!("启动控制面 · starting the control plane and the operator …");
    let cluster = Cluster::start(Setup::Operating).await?;
    filing_namespace(&cluster).await?;
    let kubectl = Binaries::find()?.path("kubectl");
    let bin = kubectl.parent().unwrap_or(&kubectl);
    let outcome = demo::play(&mut Stage::new(cluster.plane.root(), bin)).await;
    if outcome.is_err() {
        dump::failed("demo", &cluster, &[FILING_NAMESPACE.0.to_owned()]).await;
    }
    outcome
}
