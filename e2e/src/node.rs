//! A real node for tests: control plane, containerd, kubelet, scheduler and kube-proxy in namespaces of their own.
//!
//! `e2e/node/up.sh` says how it stands and falls; it needs root, and `e2e/node/check` says what else. Dropping a node,
//! or being killed, ends every process of it and removes its files, links and cgroups.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use k8s_openapi::api::core::v1::Node as NodeObject;
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use k8s_openapi::api::rbac::v1::ClusterRoleBinding;
use kube::api::PostParams;
use kube::{Api, Client};
use serde_json::json;

use crate::actors::{self, Actor, Server};
use crate::binaries::Binaries;
use crate::kubectl::Kubectl;
use crate::paths::in_repository;
use crate::pki::Pki;
use crate::process::{Process, Spec};
use crate::supervisor;
use crate::wait::until;

/// Address at which the API server is reached from here.
const URL: &str = "https://10.90.0.2:443";

/// Longest time of the node to be ready.
const READY: Duration = Duration::from_secs(240);

/// The image of tenants' workloads, and of sandboxes.
pub const BUSYBOX: &str = "localhost/busybox:1";

/// Directories in which containerd, CNI and kubelet keep their files, one a line: mounted over in the node's namespaces.
pub const PLACES: &str = include_str!("../node/places");

/// Users of the node's own parts: file name, user, group.
const PARTS: [(&str, &str, Option<&str>); 5] = [
    ("kube-controller-manager", "system:kube-controller-manager", None),
    ("kube-scheduler", "system:kube-scheduler", None),
    ("kube-proxy", "system:kube-proxy", None),
    ("kubelet", "system:node:knode", Some("system:nodes")),
    ("provisioner", "e2e-provisioner", None),
];

/// A running node with its control plane.
pub struct Node {
    process: Process,
    root: tempfile::TempDir,
    binaries: Binaries,
}

impl Node {
    /// Starts a node that holds these images beside busybox, and waits until it is ready.
    pub async fn start(images: &[PathBuf]) -> Result<Self> {
        let binaries = tokio::task::spawn_blocking(Binaries::find).await??;
        let node = tokio::task::spawn_blocking(|| script("e2e/node/build", &[])).await??;
        let root = tempfile::Builder::new().prefix("govcloud-node-").tempdir()?;
        supervisor::order("dir", root.path().display())?;
        supervisor::order("node", "kn0")?;
        for place in PLACES.lines().filter(|place| !Path::new(place).exists()) {
            supervisor::order("empty", place)?;
        }
        for part in ["state", "logs"] {
            fs::create_dir_all(root.path().join(part))?;
        }
        let busybox = root.path().join("state/busybox.tar");
        let (from, to) = (root.path().join("state/busybox"), busybox.clone());
        tokio::task::spawn_blocking(move || build_busybox(&from, &to)).await??;
        credentials(root.path())?;
        let mut args = vec![
            in_repository("e2e/node/up.sh").display().to_string(),
            root.path().display().to_string(),
            binaries.path("").display().to_string(),
            node,
            busybox.display().to_string(),
        ];
        args.extend(images.iter().map(|image| image.display().to_string()));
        let process = Process::start(Spec {
            name: "node".into(),
            program: "/bin/bash".into(),
            args,
            env: Vec::new(),
            dir: root.path().join("state"),
            log: root.path().join("logs/node.log"),
        })?;
        let mut node = Self { process, root, binaries };
        node.ready().await?;
        Ok(node)
    }

    /// The directory of everything it writes: `logs/`, and `volumes/` with a directory for each volume.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// The file of an actor's kubeconfig.
    pub fn kubeconfig(&self, actor: Actor) -> PathBuf {
        actors::kubeconfig(self.root(), actor.user())
    }

    /// kubectl as `actor`.
    pub fn kubectl(&self, actor: Actor) -> Kubectl {
        let cache = self.root().join("state/kubectl-cache");
        Kubectl::new(self.binaries.path("kubectl"), self.kubeconfig(actor), cache)
    }

    /// A client that acts as `actor`.
    pub async fn client(&self, actor: Actor) -> Result<Client> {
        actors::client(&self.kubeconfig(actor)).await
    }

    /// The node's first process, which the kernel ends everything with.
    pub fn init(&self) -> Result<i32> {
        Ok(fs::read_to_string(self.root().join("init.pid"))?.trim().parse()?)
    }

    /// Waits for API server, controllers and kubelet, and gives the provider's administrator his ordinary rights.
    async fn ready(&mut self) -> Result<()> {
        let client = self.client(Actor::Admin).await?;
        let answers = || async {
            let request = kube::core::Request::new("").get("readyz", &Default::default())?;
            Ok(client.request_text(request).await.map(Some)?)
        };
        crate::wait::eventually("the API server is ready", READY, answers).await?;
        let ready = |n: &NodeObject| {
            let conditions = n.status.as_ref().and_then(|s| s.conditions.as_ref());
            conditions.is_some_and(|c| c.iter().any(|c| c.type_ == "Ready" && c.status == "True"))
        };
        let nodes: Api<NodeObject> = Api::all(client.clone());
        let outcome = until(nodes, "knode", "is ready", READY, ready).await;
        self.process.check().with_context(|| self.said())?;
        outcome.with_context(|| self.said())?;
        let binding: ClusterRoleBinding = serde_json::from_value(json!({
            "metadata": {"name": "platform-admin"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{
                "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": Actor::PlatformAdmin.user(),
            }],
        }))?;
        let bindings: Api<ClusterRoleBinding> = Api::all(client.clone());
        bindings.create(&PostParams::default(), &binding).await.context("the administrator's binding")?;
        let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), "default");
        until(accounts, "default", "exists, by which the controllers are known to work", READY, |_| true)
            .await?;
        let _: Namespace = Api::<Namespace>::all(client).get("default").await?;
        Ok(())
    }

    /// The ends of its logs.
    pub fn said(&self) -> String {
        let mut text = String::new();
        for entry in fs::read_dir(self.root().join("logs")).into_iter().flatten().flatten() {
            let tail = crate::process::tail(&entry.path(), 1500);
            text.push_str(&format!("--- {}\n{tail}\n", entry.file_name().display()));
        }
        text
    }

    /// Ends it, and waits until nothing of it is left but what others may look at.
    pub fn end(mut self) -> Result<()> {
        self.process.kill()?;
        supervisor::dismiss();
        self.root
            .close()
            .or_else(|e| if e.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(e) })?;
        Ok(())
    }
}

/// The certificates, the keys and a kubeconfig for everybody.
fn credentials(root: &Path) -> Result<()> {
    let pki = Pki::create(&root.join("state/pki"))?;
    pki.server("apiserver")?;
    pki.token_key("tokens")?;
    let pair = pki.client("apiserver-kubelet-client", Some("system:masters"))?;
    fs::write(pki.file("kubelet-client.crt"), pair.cert)?;
    fs::write(pki.file("kubelet-client.key"), pair.key)?;
    let server = Server { url: URL.to_owned(), ca: pki.ca() };
    for actor in Actor::ALL {
        let file = actors::kubeconfig(root, actor.user());
        actors::write_certificate(&server, &pki, &file, actor.user(), actor.group())?;
    }
    for (name, user, group) in PARTS {
        let file = actors::kubeconfig(&root.join("state"), name);
        actors::write_certificate(&server, &pki, &file, user, group)?;
    }
    Ok(())
}

/// An archive of the image that tenants and sandboxes run, from this machine's static busybox.
fn build_busybox(dir: &Path, archive: &Path) -> Result<()> {
    fs::create_dir_all(dir)?;
    let found = Command::new("sh").args(["-c", "command -v busybox"]).output()?;
    let busybox = String::from_utf8(found.stdout)?;
    fs::copy(busybox.trim(), dir.join("busybox")).context("no busybox")?;
    fs::copy(in_repository("e2e/node/Dockerfile"), dir.join("Dockerfile"))?;
    let (root, run) = (dir.join("root"), dir.join("run"));
    let buildah = |args: &[&str]| -> Result<()> {
        let mut command = Command::new("buildah");
        command.args(["--storage-driver", "vfs", "--root"]).arg(&root).arg("--runroot").arg(&run).args(args);
        let output = command.stdin(Stdio::null()).output().context("cannot run buildah")?;
        if !output.status.success() {
            bail!("buildah {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    };
    let context = dir.display().to_string();
    buildah(&["bud", "--isolation", "chroot", "--pull-never", "-t", BUSYBOX, &context])?;
    buildah(&["push", BUSYBOX, &format!("oci-archive:{}:{BUSYBOX}", archive.display())])
}

/// Runs a script of the repository and gives the last line of what it prints.
pub fn script(path: &str, args: &[&str]) -> Result<String> {
    let mut command = Command::new(in_repository(path));
    let output =
        command.args(args).stderr(Stdio::inherit()).output().with_context(|| format!("cannot run {path}"))?;
    if !output.status.success() {
        bail!("{path} failed; it says why above");
    }
    let stdout = String::from_utf8(output.stdout)?;
    Ok(stdout.lines().last().with_context(|| format!("{path} said nothing"))?.to_owned())
}
