//! `make demo`: the life of one system on a real control plane, every step shown and checked.

use std::process::ExitCode;

use anyhow::Result;
use e2e::actors::{self, Actor};
use e2e::cluster::{Cluster, Setup};
use e2e::demo::{self, Runner};
use e2e::stack::{FILING_NAMESPACE, link_tools};
use e2e::{dump, install, say, suite, supervisor};

#[tokio::main]
async fn main() -> ExitCode {
    suite::log("warn,kube_client=off");
    let outcome = perform().await;
    supervisor::dismiss();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn perform() -> Result<()> {
    supervisor::end_on_signals()?;
    let pause = demo::Pause::of_environment();
    say!("启动控制面，安装 crds/、config/ 和 config/samples/，运行 operator …");
    say!("Starting a control plane, installing crds/, config/ and config/samples/, running the operator …\n");
    let cluster = Cluster::start(Setup::Operating).await?;
    install::samples(&cluster.kubectl(Actor::Admin), true).await?;
    let plane = &cluster.plane;
    let deputy = actors::kubeconfig(plane.root(), demo::DEPUTY);
    actors::write_certificate(
        plane.server(),
        plane.pki(),
        &deputy,
        demo::DEPUTY,
        Actor::Authority410000.group(),
    )?;
    let bin = link_tools(plane.root())?;
    let outcome = demo::run(&mut Runner::new(plane.root(), &bin, pause)).await;
    if outcome.is_err() {
        dump::failed("demo", &cluster, &[FILING_NAMESPACE.to_owned()]).await;
    }
    outcome
}
