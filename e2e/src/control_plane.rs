//! etcd, kube-apiserver and kube-controller-manager on free loopback ports, with TLS between all of them.
//!
//! Everything that one control plane writes lies below one root: `state/`, `logs/`, and the kubeconfig files.
//! The controllers run as `system:kube-controller-manager` with a ServiceAccount each, never as admin, because
//! the project's guards must let exactly those identities through.

mod launch;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::ClusterRoleBinding;
use kube::api::PostParams;
use kube::{Api, Client};
use serde_json::json;

use crate::actors::{self, Actor, Server};
use crate::audit::AuditLog;
use crate::binaries::Binaries;
use crate::kubectl::Kubectl;
use crate::pki::Pki;
use crate::process::{Identity, Paused, Process};
use crate::supervisor;
use crate::volumes;
use crate::wait::until;

use launch::Layout;

/// Time that a busy machine may take for each step of the start.
const READY: Duration = Duration::from_secs(90);

/// A port may be taken between the moment it is found free and the moment it is bound.
const ATTEMPTS: usize = 4;

/// Directory of a control plane's files, and their lifetime.
#[derive(Debug)]
pub enum Home {
    /// Removed with everything in it when the control plane ends, however it ends.
    Temporary,
    /// Removed as well, but synced to disk meanwhile as a real one is: what is measured must be true.
    Synced,
    /// Kept, synced to disk, and never removed by the harness.
    Kept(PathBuf),
}

/// A running control plane. Dropping it ends its processes and removes its volumes' directories.
pub struct ControlPlane {
    root: PathBuf,
    temporary: Option<tempfile::TempDir>,
    left: bool,
    binaries: Binaries,
    server: Server,
    pki: Pki,
    // In the order in which they are stopped.
    controllers: Process,
    apiserver: Process,
    etcd: Process,
}

impl ControlPlane {
    /// Starts one and waits until it is ready; with these flags of the API server beside the usual ones.
    pub async fn start(home: Home, flags: &[&str]) -> Result<Self> {
        let binaries = tokio::task::spawn_blocking(Binaries::find).await??;
        let sync = !matches!(home, Home::Temporary);
        let (root, temporary) = match home {
            Home::Temporary | Home::Synced => {
                let directory = tempfile::Builder::new().prefix("govcloud-e2e-").tempdir()?;
                supervisor::order("dir", directory.path().display())?;
                (directory.path().to_owned(), Some(directory))
            }
            Home::Kept(root) => (root, None),
        };
        for part in ["state", "logs"] {
            fs::create_dir_all(root.join(part))?;
        }
        supervisor::order("audit", audit_path(&root).display())?;
        let layout = Layout { root: &root, binaries: &binaries, sync, flags };
        let pki = layout.credentials()?;
        let mut attempt = 1;
        let (server, etcd, mut apiserver) = loop {
            match layout.serve(&pki).await {
                Err(error)
                    if attempt < ATTEMPTS && format!("{error:#}").contains("address already in use") =>
                {
                    attempt += 1;
                }
                outcome => break outcome?,
            }
        };
        for actor in Actor::ALL {
            let file = actors::kubeconfig(&root, actor.user());
            actors::write_certificate(&server, &pki, &file, actor.user(), actor.group())?;
        }
        let controllers = layout.control(&server, &pki)?;
        apiserver.check()?;
        let mut plane =
            Self { root, temporary, left: false, binaries, server, pki, controllers, apiserver, etcd };
        plane.bootstrapped().await?;
        Ok(plane)
    }

    /// The directory of everything it writes.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Address of its API server.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Its certificate authority, for further identities.
    pub fn pki(&self) -> &Pki {
        &self.pki
    }

    /// The file of an actor's kubeconfig.
    pub fn kubeconfig(&self, actor: Actor) -> PathBuf {
        actors::kubeconfig(&self.root, actor.user())
    }

    /// A client that acts as `actor`.
    pub async fn client(&self, actor: Actor) -> Result<Client> {
        actors::client(&self.kubeconfig(actor)).await
    }

    /// kubectl as `actor`.
    pub fn kubectl(&self, actor: Actor) -> Kubectl {
        self.kubectl_by(self.kubeconfig(actor))
    }

    /// kubectl by any kubeconfig.
    pub fn kubectl_by(&self, kubeconfig: PathBuf) -> Kubectl {
        Kubectl::new(self.binaries.path("kubectl"), kubeconfig, self.root.join("state/kubectl-cache"))
    }

    /// The API server's audit log.
    pub fn audit(&self) -> AuditLog {
        AuditLog::at(audit_path(&self.root))
    }

    /// The log file of a process.
    pub fn log(&self, name: &str) -> PathBuf {
        self.root.join("logs").join(format!("{name}.log"))
    }

    /// The API server, for tests that take it away.
    pub fn apiserver(&mut self) -> &mut Process {
        &mut self.apiserver
    }

    /// Starts one more API server of the same etcd under a name, with these flags beside the usual ones, and waits until it is
    /// ready. It ends when its process is dropped; its audit log is one of its own.
    pub async fn another_apiserver(&self, name: &str, flags: &[&str]) -> Result<(Server, Process)> {
        let etcd = self.etcd.spec().args.iter().find_map(|arg| arg.strip_prefix("--advertise-client-urls="));
        let audit = self.root.join("logs").join(format!("audit-{name}.jsonl"));
        let audit = format!("--audit-log-path={}", audit.display());
        let flags: Vec<&str> = flags.iter().copied().chain([audit.as_str()]).collect();
        let layout = Layout { root: &self.root, binaries: &self.binaries, sync: false, flags: &flags };
        layout.serve_beside(name, &self.pki, etcd.context("etcd without an address")?).await
    }

    /// The controllers, for tests that take them away.
    pub fn controllers(&mut self) -> &mut Process {
        &mut self.controllers
    }

    /// Stops the controllers where they are, until the returned value is dropped.
    pub fn pause_controllers(&self) -> Result<Paused> {
        self.controllers.pause()
    }

    /// Identities of its processes.
    pub fn identities(&self) -> Vec<Identity> {
        let processes = [&self.controllers, &self.apiserver, &self.etcd];
        processes.into_iter().filter_map(|process| process.identity().cloned()).collect()
    }

    /// An error unless all its processes run.
    pub fn check(&mut self) -> Result<()> {
        [&mut self.etcd, &mut self.apiserver, &mut self.controllers].into_iter().try_for_each(Process::check)
    }

    /// Waits until the API server answers that it is ready, as after a restart.
    pub async fn ready(&mut self) -> Result<()> {
        let client = self.client(Actor::Admin).await?;
        launch::ready(&client, &mut [&mut self.etcd, &mut self.apiserver], READY).await
    }

    /// etcd's data directory: a copy of it, taken while everything is halted, is an older state to go back to.
    pub fn etcd_data(&self) -> PathBuf {
        self.root.join("state/etcd")
    }

    /// Ends the controllers and the API server at once, and etcd in good order.
    pub fn halt(&mut self) -> Result<()> {
        self.controllers.kill()?;
        self.apiserver.kill()?;
        self.etcd.stop(READY)?;
        // The entry that the API server was writing when it ended, if it was, is cut off: the next would go on its line.
        let log = fs::OpenOptions::new().write(true).open(audit_path(&self.root))?;
        let text = fs::read(audit_path(&self.root))?;
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        log.set_len(whole as u64).context("the audit log")
    }

    /// Starts them again on what etcd's data directory holds, and waits until they are ready.
    pub async fn resume(&mut self) -> Result<()> {
        self.etcd.restart()?;
        self.apiserver.restart()?;
        self.ready().await?;
        self.controllers.restart()
    }

    /// Leaves its processes running after us, and says who they are. Only for a control plane that was started to
    /// stay; the supervisor must be released as well.
    pub fn leave(&mut self) -> Result<Vec<(String, Identity)>> {
        if self.temporary.is_some() {
            bail!("a temporary control plane cannot stay");
        }
        self.left = true;
        let processes = [&mut self.controllers, &mut self.apiserver, &mut self.etcd];
        let named = processes.into_iter().map(|process| (process.spec().name.clone(), process.detach()));
        Ok(named.filter_map(|(name, identity)| Some((name, identity?))).collect())
    }

    /// Waits for the first sign of the controllers and gives the provider's administrator his ordinary rights.
    async fn bootstrapped(&mut self) -> Result<()> {
        let admin = self.client(Actor::Admin).await?;
        let binding: ClusterRoleBinding = serde_json::from_value(json!({
            "metadata": {"name": "platform-admin"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "User",
                "name": Actor::PlatformAdmin.user(),
            }],
        }))?;
        let bindings: Api<ClusterRoleBinding> = Api::all(admin.clone());
        bindings.create(&PostParams::default(), &binding).await.context("the administrator's binding")?;
        let accounts: Api<ServiceAccount> = Api::namespaced(admin, "default");
        let what = "exists, by which the controllers are known to work";
        let account = until(accounts, "default", what, READY, |_| true).await;
        self.check()?;
        account.map(drop)
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        if self.left {
            return;
        }
        let mut end = || -> Result<()> {
            [&mut self.controllers, &mut self.apiserver, &mut self.etcd]
                .into_iter()
                .try_for_each(Process::kill)?;
            volumes::remove(&self.audit())?;
            supervisor::order("removed", audit_path(&self.root).display())?;
            if let Some(directory) = self.temporary.take() {
                directory.close()?;
                supervisor::order("removed", self.root.display())?;
            }
            Ok(())
        };
        if let Err(error) = end() {
            tracing::warn!(error = format!("{error:#}"), "left to the supervisor");
        }
    }
}

/// The audit log below a control plane's root.
pub fn audit_path(root: &Path) -> PathBuf {
    root.join("logs/audit.jsonl")
}
