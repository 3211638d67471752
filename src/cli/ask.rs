//! Asking before something is done.

use std::io::{self, BufRead, IsTerminal, Write};

use super::error::CliError;
use super::output::Lang;
use super::words;

/// Asks on the terminal; `yes` answers beforehand. With `word`, that very word has to be typed.
///
/// # Errors
/// Anything but a yes, and no terminal to ask on.
pub(super) fn confirm(yes: bool, word: Option<&str>, lang: Lang) -> Result<(), CliError> {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(CliError::Usage(words::needs_yes(lang)));
    }
    let question = word.map_or_else(|| words::confirm(lang), |w| words::confirm_by_name(lang, w));
    let mut terminal = io::stderr().lock();
    write!(terminal, "{question}")?;
    terminal.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if agrees(&answer, word) { Ok(()) } else { Err(CliError::failed(words::not_confirmed(lang))) }
}

fn agrees(answer: &str, word: Option<&str>) -> bool {
    let answer = answer.trim();
    match word {
        Some(word) => answer == word,
        None => ["y", "yes", "是", "确认"].contains(&answer.to_lowercase().as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_a_yes() {
        assert!(agrees("y\n", None) && agrees(" YES ", None) && agrees("是", None));
        assert!(!agrees("", None) && !agrees("n", None) && !agrees("travel", None));
        assert!(agrees("travel-exit\n", Some("travel-exit")) && !agrees("y", Some("travel-exit")));
    }
}
