//! kubectl as a given actor, without touching anybody's home directory.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use anyhow::{Context, Result, bail};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// kubectl with one kubeconfig.
#[derive(Clone, Debug)]
pub struct Kubectl {
    program: PathBuf,
    kubeconfig: PathBuf,
    cache: PathBuf,
}

impl Kubectl {
    /// kubectl at `program`, acting by `kubeconfig`, with its discovery cache in `cache`.
    pub fn new(program: PathBuf, kubeconfig: PathBuf, cache: PathBuf) -> Self {
        Self { program, kubeconfig, cache }
    }

    /// A copy that acts by another kubeconfig.
    pub fn by(&self, kubeconfig: PathBuf) -> Self {
        Self { kubeconfig, ..self.clone() }
    }

    /// The kubeconfig it acts by.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// The command, for whoever wants to arrange its input and output.
    pub fn command<S: AsRef<std::ffi::OsStr>>(&self, args: &[S]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(args).env("KUBECONFIG", &self.kubeconfig).env("KUBECACHEDIR", &self.cache);
        for proxy in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"] {
            command.env_remove(proxy);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    /// Runs it, whatever comes of it.
    pub async fn output<S: AsRef<std::ffi::OsStr>>(&self, args: &[S]) -> Result<Output> {
        self.command(args).output().await.context("cannot run kubectl")
    }

    /// Runs it and gives its stdout; anything but success is an error with its stderr.
    pub async fn run<S: AsRef<std::ffi::OsStr>>(&self, args: &[S]) -> Result<String> {
        stdout_of(self.output(args).await?, args)
    }

    /// Applies a document, or several, by server-side apply.
    pub async fn apply(&self, yaml: &str) -> Result<String> {
        let args = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
        let mut child = self.command(&args).stdin(Stdio::piped()).spawn().context("cannot run kubectl")?;
        let mut stdin = child.stdin.take().context("no stdin")?;
        stdin.write_all(yaml.as_bytes()).await?;
        drop(stdin);
        stdout_of(child.wait_with_output().await?, &args)
    }

    /// Applies a file, a kustomization, or every manifest below a directory, by server-side apply.
    pub async fn apply_path(&self, path: &Path) -> Result<String> {
        if !path.exists() {
            bail!("{} does not exist", path.display());
        }
        let text = path.display().to_string();
        let apply = ["apply", "--server-side", "--force-conflicts"];
        let source: &[&str] = match path.join("kustomization.yaml").exists() {
            true => &["-k", &text],
            false => &["-R", "-f", &text],
        };
        self.run(&[&apply, source].concat()).await
    }
}

fn stdout_of<S: AsRef<std::ffi::OsStr>>(output: Output, args: &[S]) -> Result<String> {
    if !output.status.success() {
        let words: Vec<_> = args.iter().map(|arg| arg.as_ref().to_string_lossy()).collect();
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!("kubectl {}: {}", words.join(" "), stderr.trim());
    }
    String::from_utf8(output.stdout).context("kubectl's output is not text")
}
