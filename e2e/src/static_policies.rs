//! The keeper policy and its AdmissionConfiguration (`config/static`), as they are copied to a control-plane node.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::paths::in_repository;

/// Directory in the shipped AdmissionConfiguration.
const SHIPPED: &str = "/etc/kubernetes/govcloud";

/// Such files in a directory of one API server. Dropping it removes them.
#[derive(Debug)]
pub struct StaticPolicies {
    directory: tempfile::TempDir,
}

impl StaticPolicies {
    /// Copies `config/static`, or another directory of the same shape.
    pub fn copy(from: &Path) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("govcloud-static-").tempdir()?;
        let policies = Self { directory };
        let configuration = fs::read_to_string(from.join("admission.yaml"))?;
        ensure!(configuration.contains(SHIPPED), "the shipped configuration names another directory");
        let place = policies.directory.path().display().to_string();
        fs::write(policies.configuration(), configuration.replace(SHIPPED, &place))?;
        for plugin in ["validating", "mutating"].into_iter().filter(|p| from.join(p).is_dir()) {
            fs::create_dir(policies.directory.path().join(plugin))?;
            for entry in fs::read_dir(from.join(plugin))? {
                let entry = entry?;
                fs::copy(entry.path(), policies.directory.path().join(plugin).join(entry.file_name()))?;
            }
        }
        Ok(policies)
    }

    /// Copies the shipped ones.
    pub fn shipped() -> Result<Self> {
        Self::copy(&in_repository("config/static"))
    }

    fn configuration(&self) -> PathBuf {
        self.directory.path().join("admission.yaml")
    }

    /// The flag by which an API server reads them.
    pub fn flag(&self) -> String {
        format!("--admission-control-config-file={}", self.configuration().display())
    }

    fn keeper(&self) -> Result<PathBuf> {
        let files = fs::read_dir(self.directory.path().join("validating"))?;
        let files: Vec<PathBuf> = files.map(|f| Ok(f?.path())).collect::<Result<_>>()?;
        ensure!(files.len() == 1, "one file, so that it is never in force half-way: {files:?}");
        files.into_iter().next().context("no file")
    }

    /// Takes the keeper away, as an attacker on the node would.
    pub fn empty(&self) -> Result<Vec<u8>> {
        let keeper = self.keeper()?;
        let content = fs::read(&keeper)?;
        fs::remove_file(keeper)?;
        Ok(content)
    }

    /// Puts a keeper back in one step, as the page says.
    pub fn fill(&self, content: &[u8]) -> Result<()> {
        let directory = self.directory.path();
        fs::write(directory.join("next"), content)?;
        Ok(fs::rename(directory.join("next"), directory.join("validating/govcloud-keeper.yaml"))?)
    }
}
