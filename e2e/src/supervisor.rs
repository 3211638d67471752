//! Supervisor process that cleans up after this one, however it ends.
//!
//! `Drop` does not run on Ctrl-C, `abort` or `SIGKILL`, and a parent-death signal (Linux only, tied to a thread)
//! would not remove directories. So one small shell process per harness process holds the read end of a pipe
//! whose write end is ours: however we end, the pipe closes, and it kills what is still ours and removes what is
//! still there. A resource is announced before it exists, so there is no moment without cover.

use std::fmt::Display;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};

const SCRIPT: &str = include_str!("supervisor.sh");

static SUPERVISOR: Mutex<Option<Child>> = Mutex::new(None);

/// Sends the supervisor one command (they are listed in `supervisor.sh`), and starts it first if it does not run.
pub(crate) fn order(word: &str, what: impl Display) -> Result<()> {
    let mut supervisor = SUPERVISOR.lock().unwrap_or_else(PoisonError::into_inner);
    if supervisor.is_none() {
        *supervisor = Some(spawn()?);
    }
    let pipe =
        supervisor.as_mut().and_then(|child| child.stdin.as_mut()).context("the supervisor has no stdin")?;
    writeln!(pipe, "{word} {what}").context("the supervisor is gone")
}

/// Makes the supervisor keep everything so far, as `make dev` does once its stack stands.
pub fn release() -> Result<()> {
    order("release", "all")
}

/// Ends the supervisor: it cleans up whatever is still there. Waits until it is done.
pub fn dismiss() {
    let supervisor = SUPERVISOR.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(mut supervisor) = supervisor {
        drop(supervisor.stdin.take());
        supervisor.wait().ok();
    }
}

/// Writes a line to stdout. When nobody reads it any more, as after `| head`, this process ends, quietly and after
/// the supervisor has cleaned up.
pub fn print(line: &str) {
    if writeln!(std::io::stdout(), "{line}").is_err() {
        dismiss();
        std::process::exit(128 + SignalKind::pipe().as_raw_value());
    }
}

/// `println!` by way of [`print`].
#[macro_export]
macro_rules! say {
    ($($text:tt)*) => { $crate::supervisor::print(&format!($($text)*)) };
}

/// From now on SIGINT, SIGTERM and SIGHUP end this process, after the supervisor has cleaned up. Needs a runtime.
pub fn end_on_signals() -> Result<()> {
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    for kind in kinds {
        let mut signals = signal(kind).context("cannot listen to signals")?;
        tokio::spawn(async move {
            if signals.recv().await.is_some() {
                eprintln!("interrupted, cleaning up");
                dismiss();
                std::process::exit(128 + kind.as_raw_value());
            }
        });
    }
    Ok(())
}

fn spawn() -> Result<Child> {
    Command::new("/bin/sh")
        .args(["-c", SCRIPT, "govcloud-e2e-supervisor"])
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .context("cannot start the supervisor, a /bin/sh")
}
