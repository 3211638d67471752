//! Confirmation prompt.

use std::io::{self, BufRead, IsTerminal, Write};

use super::error::CliError;
use super::messages;
use super::output::Lang;

/// Asks for confirmation on the terminal, unless `yes` is set. With `phrase`, exactly that phrase has to be typed.
///
/// # Errors
/// Any other answer, or no terminal.
pub(super) fn confirm(yes: bool, phrase: Option<&str>, lang: Lang) -> Result<(), CliError> {
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
