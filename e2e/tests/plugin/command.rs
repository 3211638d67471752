//! Runs of the plugin as an actor: without a terminal, and on one.

use std::fs::File;
use std::io::Write as _;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::cluster::Cluster;
pub use e2e::plugin::CommandOutput;
use e2e::suite::Context;
use nix::pty::openpty;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

/// Longest time until it asks.
const PATIENCE: Duration = Duration::from_secs(60);

/// kubectl as `actor`, with the plugin.
pub async fn command(cluster: &Cluster, actor: Actor, line: &str) -> Result<Command> {
    e2e::plugin::command(&cluster.kubectl(actor), line).await
}

/// Runs `kubectl govcloud LINE` without a terminal.
pub async fn govcloud(cluster: &Cluster, actor: Actor, line: &str) -> Result<CommandOutput> {
    e2e::plugin::govcloud(&cluster.kubectl(actor), line).await
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
