//! The tools that check and install the chart: helm, kubeconform, kube-score, built once by `e2e/tools/build`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};

use crate::paths;

/// The directory of the tools.
#[derive(Clone, Debug)]
pub struct Tools {
    dir: PathBuf,
}

/// The chart's directory in the repository.
pub fn chart() -> PathBuf {
    paths::in_repository("charts/govcloud-operator")
}

impl Tools {
    /// Finds the tools, building them when nobody has yet; minutes the first time, with progress on stderr.
    pub fn find() -> Result<Self> {
        let script = paths::in_repository("e2e/tools/build");
        let output = Command::new(&script)
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| format!("cannot run {}", script.display()))?;
        if !output.status.success() {
            bail!("the tools are not there; their build script says why above");
        }
        let stdout = String::from_utf8(output.stdout).context("the build script's output")?;
        Ok(Self { dir: stdout.lines().last().context("the build script named no directory")?.into() })
    }

    /// Runs a tool, whatever comes of it.
    pub fn output(&self, tool: &str, args: &[&str]) -> Result<Output> {
        let mut command = Command::new(self.dir.join(tool));
        command.args(args).stdin(Stdio::null());
        command.output().with_context(|| format!("cannot run {tool}"))
    }

    /// Runs a tool and gives its stdout; anything but success is an error with all that it said.
    pub fn run(&self, tool: &str, args: &[&str]) -> Result<String> {
        let output = self.output(tool, args)?;
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            bail!("{tool} {}: {}\n{}", args.join(" "), stdout.trim(), stderr.trim());
        }
        Ok(stdout)
    }

    /// helm, acting by a kubeconfig, with its own files in `home`.
    pub fn helm(&self, kubeconfig: &Path, home: &Path) -> Helm {
        Helm { program: self.dir.join("helm"), kubeconfig: kubeconfig.to_owned(), home: home.to_owned() }
    }
}

/// helm, acting by one kubeconfig.
#[derive(Clone, Debug)]
pub struct Helm {
    program: PathBuf,
    kubeconfig: PathBuf,
    home: PathBuf,
}

impl Helm {
    /// Runs it on the operator's release, in the operator's namespace: `["upgrade", …]` and so on.
    pub async fn run(&self, args: &[&str]) -> Result<String> {
        let mut command = tokio::process::Command::new(&self.program);
        command.args(args).args(["--namespace", "govcloud-system"]).env("KUBECONFIG", &self.kubeconfig);
        for part in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
            command.env(part, self.home.join("helm"));
        }
        for proxy in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"] {
            command.env_remove(proxy);
        }
        let output =
            command.stdin(Stdio::null()).kill_on_drop(true).output().await.context("cannot run helm")?;
        if !output.status.success() {
            bail!("helm {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}
