//! The background stack of `make dev`: what a [`Cluster`] is, but left running under `.dev/`.
//!
//! `up` and `down` may be repeated. What was started is written to `.dev/stack.json` with the identity of every
//! process, and only those very processes are ever ended.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::PostParams;
use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::binaries::Binaries;
use crate::cluster::{Cluster, Setup};
use crate::control_plane::{Home, audit_path};
use crate::operator::Options;
use crate::personas::Persona;
use crate::process::Identity;
use crate::{audit::AuditLog, keeper, paths, volumes};

/// The department's filing namespace, and the region it files in.
pub const FILING_NAMESPACE: (&str, &str) = ("dept-transport", "410000");

/// How long a process may take to end when asked.
const GRACE: Duration = Duration::from_secs(10);

/// What `up` leaves behind for `down`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// The API server's URL.
    pub server: String,
    /// The processes, in the order in which they are ended.
    pub processes: Vec<(String, Identity)>,
}

impl Record {
    /// Whether all of it runs.
    pub fn complete(&self) -> bool {
        self.processes.iter().all(|(_, identity)| identity.alive())
    }
}

/// The stack of this repository. Holding it keeps others from changing it.
pub struct Stack {
    dir: PathBuf,
    _lock: Flock<File>,
}

impl Stack {
    /// The stack below `.dev/`; waits while another command is at it.
    pub fn open() -> Result<Self> {
        let target = paths::target();
        fs::create_dir_all(&target)?;
        let lock = File::create(target.join("dev.lock"))?;
        let lock = Flock::lock(lock, FlockArg::LockExclusive).map_err(|(_, error)| anyhow!(error))?;
        Ok(Self { dir: paths::in_repository(".dev"), _lock: lock })
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What was started, unless nothing was.
    pub fn record(&self) -> Result<Option<Record>> {
        match fs::read(self.dir.join("stack.json")) {
            Ok(content) => Ok(Some(serde_json::from_slice(&content).context(".dev/stack.json")?)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).context(".dev/stack.json"),
        }
    }

    /// Starts it unless all of it runs. What is left of an incomplete one is ended first.
    pub async fn up(&self, setup: Setup) -> Result<Record> {
        if let Some(record) = self.record()?.filter(Record::complete) {
            return Ok(record);
        }
        self.down()?;
        fs::create_dir_all(&self.dir)?;
        let mut cluster = Cluster::start_in(Home::Kept(self.dir.clone()), setup, Options::default()).await?;
        filing_namespace(&cluster).await?;
        self.link_tools()?;
        // The record first, then the release: until then an interrupt ends everything again.
        let mut processes = Vec::new();
        let operator = cluster.operator.get_mut().take();
        processes.extend(operator.and_then(|mut operator| operator.leave()));
        processes.extend(cluster.plane.leave()?);
        let record = Record { server: cluster.plane.server().url.clone(), processes };
        fs::write(self.dir.join("stack.json"), serde_json::to_vec_pretty(&record)?)?;
        keeper::release()?;
        Ok(record)
    }

    /// Ends what runs of it and removes everything. Says whether there was anything.
    pub fn down(&self) -> Result<bool> {
        let record = self.record()?;
        for (name, identity) in record.iter().flat_map(|record| &record.processes) {
            identity.end(GRACE).with_context(|| format!("{name} does not end"))?;
        }
        volumes::remove(&AuditLog::at(audit_path(&self.dir)))?;
        match fs::remove_dir_all(&self.dir) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(record.is_some()),
        }
    }

    /// kubectl, and the project's plugin for it, in `.dev/bin`.
    fn link_tools(&self) -> Result<()> {
        let bin = self.dir.join("bin");
        fs::create_dir_all(&bin)?;
        symlink(Binaries::find()?.path("kubectl"), bin.join("kubectl"))?;
        let plugin = std::env::current_exe()?.with_file_name("kubectl-govcloud");
        if plugin.exists() {
            symlink(plugin, bin.join("kubectl-govcloud"))?;
        }
        Ok(())
    }
}

/// Makes the department's filing namespace.
pub async fn filing_namespace(cluster: &Cluster) -> Result<()> {
    let (name, region) = FILING_NAMESPACE;
    let namespace: Namespace = serde_json::from_value(json!({
        "metadata": {"name": name, "labels": {"govcloud.dev/filing-region": region}},
    }))?;
    let namespaces: Api<Namespace> = Api::all(cluster.client(Persona::Admin).await?);
    namespaces.create(&PostParams::default(), &namespace).await.context("the filing namespace")?;
    Ok(())
}
