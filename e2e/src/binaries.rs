//! Source of the control plane's binaries: `KUBEBUILDER_ASSETS`, the cache, or a build into it.
//!
//! The decision is `e2e/controlplane/build`'s, which prints the directory as its last line, so that `make`,
//! the tests and people get the same answer.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::paths;

/// The directory of the control plane's binaries.
#[derive(Clone, Debug)]
pub struct Binaries {
    dir: PathBuf,
}

impl Binaries {
    /// Finds the binaries, building them when nobody has yet; minutes the first time, with progress on stderr.
    pub fn find() -> Result<Self> {
        let script = paths::in_repository("e2e/controlplane/build");
        let output = Command::new(&script)
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| format!("cannot run {}", script.display()))?;
        if !output.status.success() {
            bail!("the control plane is not there; its build script says why above");
        }
        let stdout = String::from_utf8(output.stdout).context("the build script's output")?;
        let dir = stdout.lines().last().context("the build script named no directory")?;
        Ok(Self { dir: dir.into() })
    }

    /// The path of one of `etcd`, `kube-apiserver`, `kube-controller-manager`, `kubectl`.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}
