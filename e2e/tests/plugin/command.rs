//! Runs of the plugin: without a terminal, and on one.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::cluster::Cluster;
use e2e::operator;
use e2e::suite::Context;
use nix::pty::openpty;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tokio::sync::OnceCell;

/// Longest time until it asks.
const PATIENCE: Duration = Duration::from_secs(60);

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
fn plugin() -> Result<PathBuf> {
    let program = operator::binary()?.with_file_name("kubectl-govcloud");
    ensure!(program.exists(), "{} does not exist", program.display());
    Ok(program)
}

/// kubectl as `actor`, which finds the plugin on its PATH as everybody's does.
pub async fn command(cluster: &Cluster, actor: Actor, line: &str) -> Result<Command> {
    static PLUGIN: OnceCell<PathBuf> = OnceCell::const_new();
    let built = || async { tokio::task::spawn_blocking(plugin).await? };
    let plugin = PLUGIN.get_or_try_init(built).await?;
    let words: Vec<&str> = std::iter::once("govcloud").chain(line.split_whitespace()).collect();
    let mut command = cluster.kubectl(actor).command(&words);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs = std::iter::once(plugin.parent().unwrap_or(Path::new("/")).to_owned())
        .chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(dirs)?).env("LC_ALL", "en_US.UTF-8");
    Ok(command)
}

/// Runs `kubectl govcloud LINE` without a terminal.
pub async fn govcloud(cluster: &Cluster, actor: Actor, line: &str) -> Result<CommandOutput> {
    let output = command(cluster, actor, line).await?.output().await?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(CommandOutput { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) })
}

/// Runs it on a terminal; `meanwhile` happens while it asks, then `answer` is typed.
pub async fn on_terminal<F>(
    context: &Context,
    actor: Actor,
    line: &str,
    meanwhile: F,
    answer: &str,
) -> Result<CommandOutput>
where
    F: Future<Output = Result<()>>,
{
    let terminal = openpty(None, None)?;
    let mut child =
        command(&context.cluster, actor, line).await?.stdin(Stdio::from(terminal.slave)).spawn()?;
    let mut asked = Vec::new();
    let mut stderr = child.stderr.take().context("no stderr")?;
    let question = async {
        while !asked.ends_with(b"] ") {
            let mut byte = [0; 256];
            let read = stderr.read(&mut byte).await?;
            ensure!(read > 0, "it ended without asking: {}", String::from_utf8_lossy(&asked));
            asked.extend_from_slice(&byte[..read]);
        }
        Ok(())
    };
    tokio::time::timeout(PATIENCE, question).await.context("it does not ask")??;
    meanwhile.await?;
    File::from(terminal.master.try_clone()?).write_all(format!("{answer}\n").as_bytes())?;
    let (mut out, mut err) = (String::new(), String::from_utf8_lossy(&asked).into_owned());
    let mut stdout = child.stdout.take().context("no stdout")?;
    let (one, other) = tokio::join!(stdout.read_to_string(&mut out), stderr.read_to_string(&mut err));
    one?;
    other?;
    Ok(CommandOutput { code: child.wait().await?.code(), out, err })
}
