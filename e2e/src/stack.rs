//! The background stack of `make dev`: what a [`Cluster`] is, but left running under `.dev/`.
//!
//! `up` and `down` may be repeated. What was started is written to `.dev/stack.json` with the identity of every
//! process, and only those very processes are ever ended.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};

use crate::actors::{Actor, OPERATOR_SERVICE_ACCOUNT, Server};
use crate::binaries::Binaries;
use crate::cluster::{Cluster, Setup};
use crate::control_plane::{Home, audit_path};
use crate::operator::{Operator, Options};
use crate::process::Identity;
use crate::{audit::AuditLog, install, paths, supervisor, volumes};

/// The department's filing namespace, from `config/samples/personas.yaml`.
pub const FILING_NAMESPACE: &str = "dept-transport";

/// Longest time of a process to end when asked.
const GRACE: Duration = Duration::from_secs(10);

/// State that `up` leaves for `down`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Parts that were asked for.
    pub setup: Setup,
    /// Address of the API server.
    pub server: Server,
    /// The processes, in the order in which they are ended; the operator, if there is one, is the first.
    pub processes: Vec<(String, Identity)>,
}

impl Record {
    /// Returns true if all of it runs.
    pub fn complete(&self) -> bool {
        self.processes.iter().all(|(_, identity)| identity.alive())
    }

    /// Returns true if the control plane runs, with the operator or without.
    fn stands(&self) -> bool {
        self.processes.iter().all(|(name, identity)| name == OPERATOR_SERVICE_ACCOUNT || identity.alive())
    }

    /// Returns true if everything runs that `setup` asks for. More than that does no harm.
    fn covers(&self, setup: Setup) -> bool {
        self.complete() && setup <= self.setup
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

    /// State of the stack, unless nothing was started.
    pub fn record(&self) -> Result<Option<Record>> {
        match fs::read(self.dir.join("stack.json")) {
            Ok(content) => Ok(Some(serde_json::from_slice(&content).context(".dev/stack.json")?)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).context(".dev/stack.json"),
        }
    }

    /// Starts it unless all of it runs. An operator that is missing or has ended is started on the control plane
    /// as it stands, with all records; what is left of an incomplete control plane is ended first.
    pub async fn up(&self, setup: Setup) -> Result<Record> {
        match self.record()? {
            Some(record) if record.covers(setup) => return Ok(record),
            Some(record) if record.stands() && record.setup == Setup::Bare => {
                bail!("a bare stack runs, on which nothing is installed; end it with make dev-stop first")
            }
            Some(record) if record.stands() => return self.add_operator(record).await,
            _ => {}
        }
        self.down()?;
        fs::create_dir_all(&self.dir)?;
        let mut cluster = Cluster::start_in(Home::Kept(self.dir.clone()), setup, Options::default()).await?;
        if setup != Setup::Bare {
            install::samples(&cluster.kubectl(Actor::Admin), setup == Setup::Operating).await?;
        }
        link_tools(&self.dir)?;
        // The record first, then the release: until then an interrupt ends everything again.
        let mut processes = Vec::new();
        let operator = cluster.operator.get_mut().take();
        processes.extend(operator.and_then(|mut operator| operator.leave()));
        processes.extend(cluster.plane.leave()?);
        let record = Record { setup, server: cluster.plane.server().clone(), processes };
        self.save(&record)?;
        supervisor::release()?;
        Ok(record)
    }

    /// Starts the operator on a control plane that was left running without one.
    async fn add_operator(&self, mut record: Record) -> Result<Record> {
        let mut operator = Operator::start_at(&self.dir, &record.server, Options::default()).await?;
        record.processes.retain(|(name, _)| name != OPERATOR_SERVICE_ACCOUNT);
        record.processes.splice(..0, operator.leave());
        record.setup = Setup::Operating;
        self.save(&record)?;
        supervisor::release()?;
        Ok(record)
    }

    fn save(&self, record: &Record) -> Result<()> {
        fs::write(self.dir.join("stack.json"), serde_json::to_vec_pretty(record)?).context(".dev/stack.json")
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
}

/// Puts kubectl, and the project's plugin for it, into `bin` below `dir`, and gives that directory.
pub fn link_tools(dir: &Path) -> Result<PathBuf> {
    let bin = dir.join("bin");
    fs::create_dir_all(&bin)?;
    symlink(Binaries::find()?.path("kubectl"), bin.join("kubectl"))?;
    let plugin = std::env::current_exe()?.with_file_name("kubectl-govcloud");
    if plugin.exists() {
        symlink(plugin, bin.join("kubectl-govcloud"))?;
    }
    Ok(bin)
}
