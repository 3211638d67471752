//! Errors of the plugin: one line, and the next step.

use std::io;

/// Error of a command.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Wrong usage. Exit code 2.
    #[error("{0}")]
    Usage(String),
    /// Refused, missing, or not possible now. Exit code 1.
    #[error("{message}")]
    Failed {
        /// One line.
        message: String,
        /// Next steps, most helpful first.
        next: Vec<String>,
    },
    /// The output reports the problem already, as that of `verify`. Exit code 1.
    #[error("")]
    AlreadyReported,
    /// The output cannot be written.
    #[error("{0}")]
    Output(#[from] io::Error),
}

impl CliError {
    /// Creates a failure without a next step.
    pub(super) fn failed(message: String) -> Self {
        Self::Failed { message, next: Vec::new() }
    }

    /// Adds next steps.
    pub(super) fn advise(self, advice: impl IntoIterator<Item = String>) -> Self {
        match self {
            Self::Failed { message, mut next } => {
                next.extend(advice);
                Self::Failed { message, next }
            }
            other => other,
        }
    }
}

/// Formats the innermost cause of an error, in one line.
pub(super) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    chain(innermost)
}

/// Formats an error with its causes, in one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = cause.source();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
