//! The operator: flags, telemetry, run.

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;
use govcloud::shell::run::{Options, run};
use govcloud::shell::telemetry::{self, LogFormat};

/// The operator that makes a government cloud keep its own rules.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Flags {
    /// Where /healthz, /readyz and /metrics are served.
    #[arg(long, env = "GOVCLOUD_LISTEN", default_value = "0.0.0.0:8080")]
    listen: SocketAddr,
    /// How logs are written.
    #[arg(long, env = "GOVCLOUD_LOG_FORMAT", value_enum, default_value_t)]
    log_format: LogFormat,
    /// Act without holding the lease: for a single process outside the cluster.
    #[arg(long, env = "GOVCLOUD_NO_LEADER_ELECTION")]
    no_leader_election: bool,
    /// Name of this replica; the host's name by default.
    #[arg(long, env = "POD_NAME")]
    identity: Option<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let flags = Flags::parse();
    telemetry::init(flags.log_format);
    let options = Options {
        listen: flags.listen,
        leader_election: !flags.no_leader_election,
        identity: flags.identity,
    };
    match run(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            tracing::error!(error = %e, "the operator cannot run");
            ExitCode::FAILURE
        }
    }
}
