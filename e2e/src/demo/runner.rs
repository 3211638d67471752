//! Runner of the demo: every command is shown exactly as it is run, and every outcome is checked.
//!
//! Commands are shell lines, so that what is shown can be copied into another terminal while the demo runs, or to
//! the stack of `make dev` with `DEMO=.dev`. Variables that a step captures stay set for those after it.

use std::collections::BTreeMap;
use std::env;
use std::io::{IsTerminal, stdin, stdout};
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::process::Command;
use tokio::time::timeout;

use super::table::align;
use crate::actors::Actor;
use crate::{paths, say};

/// A command that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// The shell line that runs kubectl as `actor`.
pub fn by(actor: Actor, arguments: &str) -> String {
    format!("kubectl --kubeconfig $DEMO/{}.kubeconfig {arguments}", actor.user())
}

/// The shell lines that run the project's plugin as `actor`: in Chinese, and in English.
pub fn govcloud(actor: Actor, arguments: &str) -> [String; 2] {
    let line = |lang: &str| {
        let user = actor.user();
        format!(
            "kubectl govcloud --kubeconfig $DEMO/{user}.kubeconfig -n dept-transport --lang {lang} {arguments}"
        )
    };
    ["zh", "en"].map(line)
}

/// Stops of the demo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// None: it runs to its end, and its control plane ends with it.
    Never,
    /// Before each section and before the end, until Enter is typed.
    Sections,
}

impl Pause {
    /// Pauses before each section (`make demo PAUSE=1`). Without a terminal nobody can type Enter.
    pub fn of_environment() -> Self {
        let asked = env::var_os("PAUSE").is_some_and(|v| !v.is_empty() && v != "0");
        if asked && stdin().is_terminal() { Self::Sections } else { Self::Never }
    }
}

/// Runs and shows the demo's commands.
pub struct Runner {
    variables: BTreeMap<String, String>,
    pause: Pause,
    bin: String,
    colour: bool,
    begun: Instant,
    sections: usize,
    checks: usize,
}

impl Runner {
    /// A runner on which `$DEMO` is `kubeconfigs` and `kubectl` is the one in `bin`.
    pub fn new(kubeconfigs: &Path, bin: &Path, pause: Pause) -> Self {
        let path = format!("{}:{}", bin.display(), env::var("PATH").unwrap_or_default());
        let cache = kubeconfigs.join("state/kubectl-cache");
        let variables = [
            ("DEMO", kubeconfigs.display().to_string()),
            ("PATH", path),
            ("KUBECACHEDIR", cache.display().to_string()),
        ];
        Self {
            variables: variables.map(|(name, value)| (name.to_owned(), value)).into(),
            pause,
            bin: bin.display().to_string(),
            colour: stdout().is_terminal() && env::var_os("NO_COLOR").is_none(),
            begun: Instant::now(),
            sections: 0,
            checks: 0,
        }
    }

    /// Prints how to follow along in another terminal: only a demo that stops gives time for it.
    pub fn begin(&self) {
        if self.pause == Pause::Never {
            let lines = [
                "演示结束后控制面随即关闭；需逐步操作的，用 make demo PAUSE=1，或者 make dev",
                "The control plane ends with the demo. To try commands yourself: make demo PAUSE=1, or make dev",
            ];
            return lines.iter().for_each(|line| say!("{}", self.paint("2", line)));
        }
        say!(
            "{}",
            self.paint(
                "2",
                "每条命令都可复制到另一终端执行 · every command can be copied into another terminal, after:"
            )
        );
        say!(
            "{}",
            self.paint("33", &format!("export DEMO={} PATH={}:$PATH", self.variables["DEMO"], self.bin))
        );
    }

    /// Waits for Enter, where the demo stops.
    fn stop(&self, what: &str) {
        if self.pause == Pause::Sections {
            say!("\n{}", self.paint("1;33", what));
            // At the end of the input there is nobody to wait for.
            let _ = stdin().read_line(&mut String::new());
        }
    }

    /// Begins a section.
    pub fn section(&mut self, zh: &str, en: &str) {
        self.stop("按回车继续 · press Enter to continue");
        self.sections += 1;
        let time = self.begun.elapsed().as_secs();
        say!("\n{}", self.paint("1;36", &format!("━━ {}. {zh} · {en}  [{time}s]", self.sections)));
    }

    /// Explains the next command.
    pub fn explain(&self, zh: &str, en: &str) {
        say!("\n{}\n{}", self.paint("1", zh), self.paint("2", en));
    }

    /// Runs a line that must succeed, and gives its output.
    pub async fn run(&mut self, line: &str) -> Result<String> {
        self.show(line);
        let output = self.shell(line).await?;
        let text = text_of(&output);
        self.print(&text);
        if !output.status.success() {
            bail!("this must succeed and did not:\n  {line}\n{text}");
        }
        self.checks += 1;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Runs a line that must succeed with `expected` in its output.
    pub async fn expect_output(&mut self, line: &str, expected: &str) -> Result<()> {
        let text = self.run(line).await?;
        self.verify(expected, text.contains(expected))
    }

    /// Runs a line that must be refused with `because` in the message.
    pub async fn expect_refusal(&mut self, line: &str, because: &str) -> Result<()> {
        self.fails(line, because).await?;
        self.tick("理应拒绝 · refused, as it must be");
        Ok(())
    }

    /// Runs a line that must find nothing any more, and say so with `missing` in the message.
    pub async fn expect_gone(&mut self, line: &str, missing: &str) -> Result<()> {
        self.fails(line, missing).await?;
        self.tick("已不存在 · gone");
        Ok(())
    }

    /// Runs a line that must fail with `because` in the message.
    async fn fails(&mut self, line: &str, because: &str) -> Result<()> {
        self.show(line);
        let output = self.shell(line).await?;
        let text = text_of(&output);
        self.print(&text);
        if output.status.success() {
            bail!("this must be refused and was not:\n  {line}");
        }
        if !text.contains(because) {
            bail!("this was refused, but not with {because:?}:\n  {line}\n{text}");
        }
        Ok(())
    }

    /// Runs a line that must succeed and say something, and keeps that as a variable for the lines after it.
    pub async fn capture(&mut self, variable: &str, line: &str) -> Result<String> {
        self.show(&format!("{variable}=$({line})"));
        let output = self.shell(line).await?;
        let value = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if !output.status.success() || value.is_empty() {
            bail!("this must say something and did not:\n  {line}\n{}", text_of(&output));
        }
        self.print(&value);
        self.variables.insert(variable.to_owned(), value.clone());
        self.checks += 1;
        Ok(value)
    }

    /// Checks that what was shown last says `expected`; silent, because a reader sees that it does.
    pub fn verify(&mut self, expected: &str, holds: bool) -> Result<()> {
        if !holds {
            bail!("what was shown last must say {expected:?}");
        }
        self.checks += 1;
        Ok(())
    }

    /// Value captured under that name.
    pub fn variable(&self, name: &str) -> String {
        self.variables.get(name).cloned().unwrap_or_default()
    }

    /// Prints the number of checks.
    pub fn finish(&self) {
        let time = self.begun.elapsed().as_secs();
        let line = format!("全部 {} 步均已核对 · all {} steps checked, {time}s", self.checks, self.checks);
        say!("\n{}", self.paint("1;32", &line));
        self.stop("按回车结束并关闭控制面 · press Enter to end the control plane");
    }

    async fn shell(&self, line: &str) -> Result<Output> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", line]).current_dir(paths::repository()).envs(&self.variables);
        command.env_remove("RUST_BACKTRACE");
        for proxy in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"] {
            command.env_remove(proxy);
        }
        command.stdin(Stdio::null()).kill_on_drop(true);
        let output = timeout(PATIENCE, command.output()).await;
        output.with_context(|| format!("not done after {PATIENCE:?}:\n  {line}"))?.context("no /bin/sh")
    }

    fn tick(&mut self, what: &str) {
        self.checks += 1;
        say!("{} {what}", self.paint("32", "✔"));
    }

    fn show(&self, line: &str) {
        say!("{} {}", self.paint("33", "$"), self.paint("33", line));
    }

    fn print(&self, text: &str) {
        for line in align(text).lines() {
            say!("  {line}");
        }
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Output as a reader sees it.
fn text_of(output: &Output) -> String {
    let both = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    both.concat().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runner() -> Runner {
        Runner::new(Path::new("/nowhere"), Path::new("/nowhere"), Pause::Never)
    }

    #[tokio::test]
    async fn what_is_captured_stays_set() {
        let mut runner = runner();
        runner.capture("WORD", "echo 同意").await.expect("captured");
        runner.expect_output("echo \"<$WORD>\"", "<同意>").await.expect("set");
    }

    #[test]
    fn the_plugin_is_shown_in_both_languages() {
        let [zh, en] = govcloud(Actor::Auditor, "queue");
        assert!(zh.ends_with("--lang zh queue") && en.ends_with("--lang en queue"), "{zh}\n{en}");
    }

    #[tokio::test]
    async fn neither_outcome_passes_for_the_other() {
        let mut runner = runner();
        assert!(runner.run("false").await.is_err());
        assert!(runner.expect_refusal("true", "").await.is_err());
        assert!(runner.expect_refusal("echo no >&2; false", "never").await.is_err());
        runner.expect_refusal("echo no >&2; false", "no").await.expect("refused");
        assert!(runner.capture("NOTHING", "true").await.is_err());
    }
}
