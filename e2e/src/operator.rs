//! The operator as its own process, with its own ServiceAccount's rights and nothing else.
//!
//! The contract with `src/main.rs`: it acts by `KUBECONFIG`, serves health on `GOVCLOUD_LISTEN` (address and port),
//! answers 200 on `/readyz` once its caches are filled, and ends on SIGTERM.

use std::env;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::actors::{self, Actor, OPERATOR_NAMESPACE, OPERATOR_SERVICE_ACCOUNT, Server};
use crate::control_plane::ControlPlane;
use crate::paths;
use crate::process::{Identity, Process, Spec};

/// Longest time of the operator to become ready.
const READY: Duration = Duration::from_secs(60);

/// Longest time of the operator to end when asked.
const GRACE: Duration = Duration::from_secs(15);

/// The lifetime that its token asks for, in seconds: longer than any stack of `make dev` is likely to stand.
const TOKEN_SECONDS: i64 = 365 * 24 * 3600;

/// Options of a run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Tells several apart; also the log file's name.
    pub name: String,
    /// The binary, when it is not what [`binary`] finds: another release, for instance.
    pub program: Option<PathBuf>,
    /// Arguments.
    pub args: Vec<String>,
    /// Variables beside `KUBECONFIG`, `GOVCLOUD_LISTEN` and `RUST_LOG`.
    pub env: Vec<(String, String)>,
}

impl Default for Options {
    fn default() -> Self {
        Self { name: OPERATOR_SERVICE_ACCOUNT.to_owned(), program: None, args: Vec::new(), env: Vec::new() }
    }
}

/// A running operator. Dropping it kills it.
pub struct Operator {
    process: Process,
    address: SocketAddr,
}

impl Operator {
    /// Starts the operator against `plane` and waits until it is ready.
    pub async fn start(plane: &ControlPlane, options: Options) -> Result<Self> {
        Self::start_at(plane.root(), plane.server(), options).await
    }

    /// Starts the operator against the control plane that has its files in `root`, and waits until it is ready.
    pub async fn start_at(root: &Path, server: &Server, options: Options) -> Result<Self> {
        let program = match options.program {
            Some(program) => program,
            None => tokio::task::spawn_blocking(binary).await??,
        };
        let kubeconfig = credentials_at(root, server).await?;
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let log_level = env::var("RUST_LOG").unwrap_or_else(|_| "info".to_owned());
        let mut variables = vec![
            ("KUBECONFIG".to_owned(), kubeconfig.display().to_string()),
            ("GOVCLOUD_LISTEN".to_owned(), address.to_string()),
            ("RUST_LOG".to_owned(), log_level),
            ("RUST_BACKTRACE".to_owned(), "1".to_owned()),
        ];
        variables.extend(options.env);
        let process = Process::start(Spec {
            log: root.join("logs").join(format!("{}.log", options.name)),
            name: options.name,
            program,
            args: options.args,
            env: variables,
            dir: root.join("state"),
        })?;
        let mut operator = Self { process, address };
        operator.ready().await?;
        Ok(operator)
    }

    /// Waits until it says that it is ready; an error at once if it has ended.
    pub async fn ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + READY;
        loop {
            self.process.check()?;
            let address = self.address;
            let answer = tokio::task::spawn_blocking(move || get(address, "/readyz")).await?;
            match answer {
                Ok(answer) if answer.starts_with("HTTP/1.1 200") => return Ok(()),
                answer if Instant::now() >= deadline => {
                    let log = self.process.log_tail(4096);
                    bail!(
                        "the operator is not ready after {READY:?} ({answer:?}); the end of its log:\n{log}"
                    );
                }
                _ => sleep(Duration::from_millis(100)).await,
            }
        }
    }

    /// Response at `path`, `/metrics` for instance, with the headers.
    pub async fn get(&self, path: &str) -> Result<String> {
        let (address, path) = (self.address, path.to_owned());
        tokio::task::spawn_blocking(move || get(address, &path)).await?
    }

    /// Kills it at once, as a crash would.
    pub fn kill(&mut self) -> Result<()> {
        self.process.kill()
    }

    /// Asks it to end and waits; the status tells whether it did so by itself.
    pub fn stop(&mut self) -> Result<Option<ExitStatus>> {
        self.process.stop(GRACE)
    }

    /// Starts it again, after killing it if it runs, and waits until it is ready.
    pub async fn restart(&mut self) -> Result<()> {
        self.process.restart()?;
        self.ready().await
    }

    /// Starts it again, after killing it if it runs; it need not be ready yet.
    pub fn relaunch(&mut self) -> Result<()> {
        self.process.restart()
    }

    /// An error unless it runs.
    pub fn check(&mut self) -> Result<()> {
        self.process.check()
    }

    /// Its process number, while it runs.
    pub fn pid(&self) -> Option<i32> {
        self.process.identity().map(|identity| identity.pid)
    }

    /// Address at which it serves health and metrics.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its log file.
    pub fn log(&self) -> &Path {
        &self.process.spec().log
    }

    /// Lets it run on after us.
    pub fn leave(&mut self) -> Option<(String, Identity)> {
        let name = self.process.spec().name.clone();
        self.process.detach().map(|identity| (name, identity))
    }
}

/// Makes sure that the operator's ServiceAccount exists, asks the API server for a token of it, and writes the
/// kubeconfig that holds it.
pub async fn credentials(plane: &ControlPlane) -> Result<PathBuf> {
    credentials_at(plane.root(), plane.server()).await
}

async fn credentials_at(root: &Path, server: &Server) -> Result<PathBuf> {
    let admin = actors::client(&actors::kubeconfig(root, Actor::Admin.user())).await?;
    ensure_account(&admin).await?;
    let accounts: Api<ServiceAccount> = Api::namespaced(admin, OPERATOR_NAMESPACE);
    let spec = TokenRequestSpec { expiration_seconds: Some(TOKEN_SECONDS), ..TokenRequestSpec::default() };
    let request = TokenRequest { spec, ..TokenRequest::default() };
    let answer =
        accounts.create_token_request(OPERATOR_SERVICE_ACCOUNT, &PostParams::default(), &request).await?;
    let token = answer.status.context("a token request without an answer")?.token;
    let file = actors::kubeconfig(root, OPERATOR_SERVICE_ACCOUNT);
    actors::write_token(server, &file, OPERATOR_SERVICE_ACCOUNT, &token)?;
    Ok(file)
}

/// `config/rbac` brings both; where it has not been applied they are made without any rights.
async fn ensure_account(admin: &Client) -> Result<()> {
    let ours = PatchParams::apply("govcloud-e2e");
    let namespaces: Api<Namespace> = Api::all(admin.clone());
    let namespace = json!({
        "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": OPERATOR_NAMESPACE},
    });
    namespaces.patch(OPERATOR_NAMESPACE, &ours, &Patch::Apply(namespace)).await?;
    let accounts: Api<ServiceAccount> = Api::namespaced(admin.clone(), OPERATOR_NAMESPACE);
    let account = json!({
        "apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": OPERATOR_SERVICE_ACCOUNT},
    });
    accounts.patch(OPERATOR_SERVICE_ACCOUNT, &ours, &Patch::Apply(account)).await?;
    Ok(())
}

/// The operator's binary: `GOVCLOUD_OPERATOR`, or what cargo builds from this workspace now.
pub fn binary() -> Result<PathBuf> {
    if let Some(path) = env::var_os("GOVCLOUD_OPERATOR") {
        return Ok(path.into());
    }
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--bins", "--message-format=json-render-diagnostics"]);
    command.args(["-p", "govcloud-operator", "-p", "govcloud-cli", "-p", "e2e"]);
    // A debug build is without jemalloc, as `make build` makes it (decision 0067).
    command.arg(if cfg!(debug_assertions) { "--no-default-features" } else { "--release" });
    // Variables by which cargo describes the test's crate would look like a change to build scripts: everything would be built anew,
    // and anew for the next `cargo test`.
    let of_this_crate = |name: &str| {
        ["CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_BIN_", "CARGO_CRATE_"].iter().any(|p| name.starts_with(p))
    };
    for name in env::vars_os().filter_map(|(name, _)| name.into_string().ok()).filter(|n| of_this_crate(n)) {
        command.env_remove(name);
    }
    let output = command.current_dir(paths::repository()).stderr(Stdio::inherit()).output();
    let output = output.context("cannot run cargo to build the operator")?;
    if !output.status.success() {
        bail!("the operator does not build; cargo says why above");
    }
    let messages = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let mut messages = messages.filter_map(|line| serde_json::from_slice::<Value>(line).ok());
    let built = messages.find(|message| {
        message["target"]["name"] == "govcloud-operator" && message["executable"].is_string()
    });
    let path = built.as_ref().and_then(|message| message["executable"].as_str());
    Ok(path.context("cargo names no binary of the operator")?.into())
}

/// One plain HTTP request; the whole answer.
fn get(address: SocketAddr, path: &str) -> Result<String> {
    let patience = Some(Duration::from_secs(2));
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(2))?;
    stream.set_read_timeout(patience)?;
    stream.set_write_timeout(patience)?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
