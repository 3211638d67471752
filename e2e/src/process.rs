//! A child process with a log file, which never outlives us unless it is told to.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::supervisor;

/// The child waits here until the supervisor knows its number; the number stays the same across `exec`. If we are
/// gone before that, `read` fails and nothing was started.
const GATE: &str = r#"read -r _ && exec "$@" </dev/null"#;

/// Interval at which the end of a process is polled.
const TICK: Duration = Duration::from_millis(20);

/// Variables that must not lead a client of a loopback server astray.
const PROXIES: [&str; 6] =
    ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

/// Program to run, and its surroundings.
#[derive(Clone, Debug)]
pub struct Spec {
    /// For messages and for the log file's name.
    pub name: String,
    /// The binary.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Variables beside the inherited ones.
    pub env: Vec<(String, String)>,
    /// The working directory.
    pub dir: PathBuf,
    /// File to which stdout and stderr are appended.
    pub log: PathBuf,
}

/// Identity of a process: distinguishes it also from a later one with the same number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The process's number, and its group's.
    pub pid: i32,
    /// When it started, in the kernel's words.
    pub start: String,
}

impl Identity {
    /// The identity of the running process `pid`, or `None` when it has ended.
    pub fn of(pid: i32) -> Option<Self> {
        let start = if Path::new("/proc/self/stat").exists() {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            // After the command's name in brackets: the state, and the start in clock ticks 19 fields later.
            let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
            (fields.first() != Some(&"Z")).then(|| fields.get(19).copied().unwrap_or_default().to_owned())?
        } else {
            let output = Command::new("ps").args(["-o", "lstart=", "-p", &pid.to_string()]).output().ok()?;
            String::from_utf8_lossy(&output.stdout).split_whitespace().collect()
        };
        (!start.is_empty()).then_some(Self { pid, start })
    }

    /// Returns true if this very process still runs.
    pub fn alive(&self) -> bool {
        Self::of(self.pid).as_ref() == Some(self)
    }

    /// Ends it and whatever it started: asks, and kills after `grace`. Never touches any other process.
    pub fn end(&self, grace: Duration) -> Result<()> {
        for (signal, patience) in [(Signal::SIGTERM, grace), (Signal::SIGKILL, Duration::from_secs(10))] {
            if !self.alive() {
                return Ok(());
            }
            killpg(Pid::from_raw(self.pid), signal).with_context(|| format!("cannot end {}", self.pid))?;
            let deadline = Instant::now() + patience;
            while self.alive() && Instant::now() < deadline {
                thread::sleep(TICK);
            }
        }
        if self.alive() {
            bail!("process {} does not end", self.pid);
        }
        Ok(())
    }
}

/// A process that was stopped where it is. Dropping this lets it go on.
#[derive(Debug)]
pub struct Paused(Identity);

impl Drop for Paused {
    fn drop(&mut self) {
        if self.0.alive() {
            killpg(Pid::from_raw(self.0.pid), Signal::SIGCONT).ok();
        }
    }
}

/// A running, or ended, child process. Dropping it kills it.
#[derive(Debug)]
pub struct Process {
    spec: Spec,
    running: Option<(Child, Identity)>,
}

impl Process {
    /// Starts `spec`.
    pub fn start(spec: Spec) -> Result<Self> {
        let running = Some(launch(&spec).with_context(|| format!("cannot start {}", spec.name))?);
        Ok(Self { spec, running })
    }

    /// Specification by which it was started.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Identity of the process, while it runs.
    pub fn identity(&self) -> Option<&Identity> {
        self.running.as_ref().map(|(_, identity)| identity)
    }

    /// `Ok` while it runs; otherwise an error with how it ended and the end of its log.
    pub fn check(&mut self) -> Result<()> {
        let ended = match &mut self.running {
            Some((child, _)) => child.try_wait()?.map_or_else(String::new, |status| status.to_string()),
            None => "stopped".to_owned(),
        };
        if ended.is_empty() {
            return Ok(());
        }
        bail!("{} is not running ({ended}); the end of its log:\n{}", self.spec.name, self.log_tail(4096));
    }

    /// Kills it at once, as a crash or an OOM kill would.
    pub fn kill(&mut self) -> Result<()> {
        self.finish(Signal::SIGKILL, Duration::ZERO).map(drop)
    }

    /// Asks it to end, and kills it after `grace`. The status tells which it was; `None` when it had ended before.
    pub fn stop(&mut self, grace: Duration) -> Result<Option<ExitStatus>> {
        self.finish(Signal::SIGTERM, grace)
    }

    /// Starts the same again, after ending it if it runs.
    pub fn restart(&mut self) -> Result<()> {
        self.kill()?;
        self.running =
            Some(launch(&self.spec).with_context(|| format!("cannot restart {}", self.spec.name))?);
        Ok(())
    }

    /// Stops it where it is, until the returned value is dropped: it answers nobody, and its connections stand.
    pub fn pause(&self) -> Result<Paused> {
        let identity = self.identity().with_context(|| format!("{} is not running", self.spec.name))?.clone();
        killpg(Pid::from_raw(identity.pid), Signal::SIGSTOP)?;
        Ok(Paused(identity))
    }

    /// Lets it run on after us. The supervisor must be released as well.
    pub fn detach(&mut self) -> Option<Identity> {
        self.running.take().map(|(_, identity)| identity)
    }

    /// The last `bytes` of its log.
    pub fn log_tail(&self, bytes: u64) -> String {
        tail(&self.spec.log, bytes)
    }

    fn finish(&mut self, signal: Signal, grace: Duration) -> Result<Option<ExitStatus>> {
        let Some((mut child, identity)) = self.running.take() else { return Ok(None) };
        let group = Pid::from_raw(identity.pid);
        if child.try_wait()?.is_none() {
            // Not yet reaped, so the number is still its own.
            killpg(group, signal).ok();
            let deadline = Instant::now() + grace;
            while child.try_wait()?.is_none() && Instant::now() < deadline {
                thread::sleep(TICK);
            }
            if child.try_wait()?.is_none() {
                killpg(group, Signal::SIGKILL).ok();
            }
        }
        let status = child.wait()?;
        supervisor::order("gone", identity.pid)?;
        Ok(Some(status))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Err(error) = self.kill() {
            tracing::warn!(name = self.spec.name, %error, "left to the supervisor");
        }
    }
}

fn launch(spec: &Spec) -> Result<(Child, Identity)> {
    let log = File::options().create(true).append(true).open(&spec.log).context("its log")?;
    let mut command = Command::new("/bin/sh");
    command.args(["-c", GATE, &spec.name]).arg(&spec.program).args(&spec.args);
    command.envs(spec.env.iter().map(|(name, value)| (name, value)));
    for name in PROXIES {
        command.env_remove(name);
    }
    command.current_dir(&spec.dir).process_group(0);
    command.stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log);
    let mut child = command.spawn()?;
    let pid = i32::try_from(child.id())?;
    let identity = Identity::of(pid).context("it ended at once")?;
    supervisor::order("pid", format_args!("{pid} {}", identity.start))?;
    child.stdin.take().context("no gate")?.write_all(b"go\n")?;
    Ok((child, identity))
}

/// The last `bytes` of a file, from the start of a line; empty when there is no such file.
pub fn tail(path: &Path, bytes: u64) -> String {
    let read = || -> Result<String> {
        let mut file = File::open(path)?;
        let start = file.metadata()?.len().saturating_sub(bytes);
        file.seek(SeekFrom::Start(start))?;
        let mut content = Vec::new();
        file.read_to_end(&mut content)?;
        let text = String::from_utf8_lossy(&content).into_owned();
        Ok(match (start, text.split_once('\n')) {
            (1.., Some((_, rest))) => rest.to_owned(),
            _ => text,
        })
    };
    read().unwrap_or_default()
}
