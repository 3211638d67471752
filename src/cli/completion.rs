//! `completion`: scripts for shells, and candidates for the completion of kubectl.

use std::io::{self, Write};

use clap::{Args, Command, ValueEnum};
use clap_complete::{Shell, generate};

mod candidates;
mod line;

pub use candidates::CompleteCommand;

/// 命令补全脚本 / print a completion script
#[derive(Args, Debug)]
pub struct CompletionCommand {
    /// shell
    #[arg(value_enum)]
    shell: CompletionShell,
}

/// Programs that complete commands.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompletionShell {
    /// bash
    Bash,
    /// zsh
    Zsh,
    /// fish
    Fish,
    /// PowerShell
    Powershell,
    /// 供 kubectl 自身的补全调用的脚本 / the script that kubectl's own completion calls
    Kubectl,
}

/// The script `kubectl_complete-govcloud`, which kubectl finds on the PATH.
const KUBECTL: &str = "#!/bin/sh\nexec kubectl-govcloud __complete -- \"$@\"\n";

impl CompletionCommand {
    /// Prints the script for `plugin`.
    ///
    /// # Errors
    /// An error of `out`.
    pub fn run(&self, mut plugin: Command, out: &mut impl Write) -> io::Result<()> {
        let shell = match self.shell {
            CompletionShell::Bash => Shell::Bash,
            CompletionShell::Zsh => Shell::Zsh,
            CompletionShell::Fish => Shell::Fish,
            CompletionShell::Powershell => Shell::PowerShell,
            CompletionShell::Kubectl => return out.write_all(KUBECTL.as_bytes()),
        };
        let mut script = Vec::new();
        // The scripts complete the plugin under its own name, as a program.
        generate(shell, &mut plugin, "kubectl-govcloud", &mut script);
        out.write_all(&script)
    }
}
