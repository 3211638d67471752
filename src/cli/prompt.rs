//! Confirmation of a request: the prompt, and the flags that replace it.

use std::io::{self, BufRead, IsTerminal, Write};

use clap::{Args, ValueEnum};

use super::error::CliError;
use super::messages;
use super::output::Lang;

/// Arguments of commands that submit a request.
#[derive(Args, Debug)]
pub(super) struct Confirmation {
    /// 不再询问 / do not ask for confirmation
    #[arg(short, long)]
    yes: bool,
    /// 只由 API 服务器核验，不提交 / let the API server check the request, and submit nothing
    #[arg(
        long,
        value_enum,
        value_name = "server",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "server"
    )]
    dry_run: Option<DryRun>,
}

/// Checks of a request that is not submitted. The client alone can check none.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum DryRun {
    /// 由 API 服务器核验 / by the API server
    Server,
}

impl Confirmation {
    /// Returns true if nothing is to be submitted.
    pub(super) fn only_checks(&self) -> bool {
        self.dry_run.is_some()
    }

    /// Asks for confirmation, unless it was given as a flag.
    ///
    /// # Errors
    /// As [`confirm`].
    pub(super) fn ask(&self, phrase: Option<&str>, lang: Lang) -> Result<(), CliError> {
        confirm(self.yes, phrase, lang)
    }
}

/// Asks for confirmation on the terminal, unless `yes` is set. With `phrase`, exactly that phrase has to be typed.
///
/// # Errors
/// Any other answer, or no terminal.
fn confirm(yes: bool, phrase: Option<&str>, lang: Lang) -> Result<(), CliError> {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(CliError::Usage(messages::needs_yes(lang)));
    }
    let question = phrase.map_or_else(|| messages::confirm(lang), |w| messages::confirm_by_name(lang, w));
    let mut terminal = io::stderr().lock();
    write!(terminal, "{question}")?;
    terminal.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if agrees(&answer, phrase) { Ok(()) } else { Err(CliError::failed(messages::not_confirmed(lang))) }
}

fn agrees(answer: &str, phrase: Option<&str>) -> bool {
    let answer = answer.trim();
    match phrase {
        Some(phrase) => answer == phrase,
        None => ["y", "yes", "是", "确认"].contains(&answer.to_lowercase().as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_accepts_yes_or_the_phrase() {
        assert!(agrees("y\n", None) && agrees(" YES ", None) && agrees("是", None));
        assert!(!agrees("", None) && !agrees("n", None) && !agrees("travel", None));
        assert!(agrees("travel-exit\n", Some("travel-exit")) && !agrees("y", Some("travel-exit")));
    }
}
