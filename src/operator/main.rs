//! The operator: flags, telemetry, run.

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;
use govcloud_controller::cloudevents;
use govcloud_controller::run::{Options, run};
use govcloud_controller::server;
use govcloud_controller::telemetry::{self, LogFormat};
use govcloud_controller::utilization;
use govcloud_domain::release;

/// Returns memory that a restart used to the system: see .cargo/config.toml.
#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Most threads, however many processors the node has: the operator mostly waits for the API server.
const THREADS: usize = 4;

/// The operator that makes a government cloud keep its own rules.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Flags {
    /// Address of /healthz, /readyz and /metrics.
    #[arg(long, env = "GOVCLOUD_LISTEN", default_value = "0.0.0.0:8080")]
    listen: SocketAddr,
    /// Format of the log.
    #[arg(long, env = "GOVCLOUD_LOG_FORMAT", value_enum, default_value_t)]
    log_format: LogFormat,
    /// OTLP collector for traces (http/protobuf), such as http://localhost:4318; none by default.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT")]
    otlp_endpoint: Option<String>,
    /// Act without holding the lease: for a single process outside the cluster.
    #[arg(long, env = "GOVCLOUD_NO_LEADER_ELECTION")]
    no_leader_election: bool,
    /// Username under which the cluster's namespace controller acts, when the policies were installed for another
    /// than kube-controller-manager's with --use-service-account-credentials.
    #[arg(long, global = true, env = "GOVCLOUD_NAMESPACE_CONTROLLER", default_value = release::NAMESPACE_CONTROLLER)]
    namespace_controller: String,
    /// Name of this replica; the host's name by default.
    #[arg(long, env = "POD_NAME")]
    identity: Option<String>,
    #[command(flatten)]
    cloudevents: cloudevents::Options,
    #[command(flatten)]
    prometheus: utilization::Options,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Commands beside running the operator.
#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Print the ConfigMap that records this release. Apply it before the release's policies, so that the
    /// running operator accepts them as an upgrade.
    Release,
    /// Print the readiness of a running operator, and fail unless it is ready.
    Ready {
        /// Its host, or address, and port.
        address: String,
    },
}

/// Prints the record of this release.
fn print_release(namespace_controller: &str) -> ExitCode {
    match release::release_manifest(namespace_controller) {
        Ok(manifest) => {
            println!("{manifest:#}");
            ExitCode::SUCCESS
        }
        Err(e) => {
            eprintln!("error: {e}");
            ExitCode::FAILURE
        }
    }
}

/// Prints the readiness of an operator.
async fn ask_ready(address: &str) -> ExitCode {
    match server::ask_ready(address).await {
        Ok(answer) if answer.ready => {
            println!("{address}: {}", answer.text.trim());
            ExitCode::SUCCESS
        }
        Ok(answer) => {
            eprintln!("{address} is not ready: {}", answer.text.trim());
            ExitCode::FAILURE
        }
        Err(e) => {
            eprintln!("error: no response from {address}: {e}");
            ExitCode::FAILURE
        }
    }
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS);
    match tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build() {
        Ok(runtime) => runtime.block_on(begin(flags)),
        Err(e) => {
            eprintln!("error: no threads to run on: {e}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the command, or the operator.
async fn begin(flags: Flags) -> ExitCode {
    match flags.command {
        Some(Command::Release) => return print_release(&flags.namespace_controller),
        Some(Command::Ready { address }) => return ask_ready(&address).await,
        None => {}
    }
    let endpoint = flags.otlp_endpoint.as_deref().filter(|e| !e.is_empty());
    let telemetry = match telemetry::init(flags.log_format, endpoint) {
        Ok(telemetry) => telemetry,
        Err(e) => {
            eprintln!("error: {e}");
            return ExitCode::FAILURE;
        }
    };
    let options = Options {
        listen: flags.listen,
        leader_election: !flags.no_leader_election,
        identity: flags.identity,
        cloudevents: flags.cloudevents,
        prometheus: flags.prometheus,
        namespace_controller: flags.namespace_controller,
    };
    let ended = match run(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            tracing::error!(error = %e, "the operator ended");
            ExitCode::FAILURE
        }
    };
    // Spans are sent by this runtime: the wait for the last ones must not block one of its threads.
    let _ = tokio::task::spawn_blocking(|| telemetry.end()).await;
    ended
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_are_well_formed() {
        use clap::CommandFactory as _;
        Flags::command().debug_assert();
    }
}
