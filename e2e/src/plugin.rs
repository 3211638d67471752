//! Runs of `kubectl govcloud`, found by kubectl on its PATH as everybody's is.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use tokio::process::Command;
use tokio::sync::OnceCell;

use crate::kubectl::Kubectl;
use crate::operator;

/// Result of a run of the plugin.
#[derive(Debug)]
pub struct CommandOutput {
    /// Its exit code.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl CommandOutput {
    /// An error unless it ended like this, with all of these in its output.
    pub fn expect(self, code: i32, parts: &[&str]) -> Result<Self> {
        ensure!(
            self.code == Some(code),
            "it ended with {:?}, not {code}: {}{}",
            self.code,
            self.out,
            self.err
        );
        for part in parts {
            ensure!(
                self.out.contains(part) || self.err.contains(part),
                "{part:?} is not in it: {}{}",
                self.out,
                self.err
            );
        }
        Ok(self)
    }
}

/// The plugin's binary, beside the operator's.
fn binary() -> Result<PathBuf> {
    let program = operator::binary()?.with_file_name("kubectl-govcloud");
    ensure!(program.exists(), "{} does not exist", program.display());
    Ok(program)
}

/// `kubectl govcloud LINE`, to be run.
pub async fn command(kubectl: &Kubectl, line: &str) -> Result<Command> {
    static PLUGIN: OnceCell<PathBuf> = OnceCell::const_new();
    let built = || async { tokio::task::spawn_blocking(binary).await? };
    let plugin = PLUGIN.get_or_try_init(built).await?;
    let words: Vec<&str> = std::iter::once("govcloud").chain(line.split_whitespace()).collect();
    let mut command = kubectl.command(&words);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs = std::iter::once(plugin.parent().unwrap_or(Path::new("/")).to_owned())
        .chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(dirs)?).env("LC_ALL", "en_US.UTF-8");
    Ok(command)
}

/// Runs `kubectl govcloud LINE` without a terminal.
pub async fn govcloud(kubectl: &Kubectl, line: &str) -> Result<CommandOutput> {
    let output = command(kubectl, line).await?.output().await?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(CommandOutput { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) })
}
