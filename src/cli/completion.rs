//! `completion`: scripts for shells, and candidates for the completion of kubectl.

use std::io::{self, Write};

use clap::{Arg, Args, Command, ValueEnum};
use clap_complete::{Shell, generate};

use super::record::Kind;

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
const KUBECTL: &str = "#!/bin/sh\nexec kubectl-govcloud __complete \"$@\"\n";

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

/// Candidates for kubectl, in the format of cobra.
#[derive(Args, Debug)]
pub struct CompleteCommand {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

/// Directive of cobra: no blank after the word.
const NO_SPACE: u8 = 2;
/// Directive of cobra: no file names.
const NO_FILES: u8 = 4;

impl CompleteCommand {
    /// Prints the candidates, one a line, and the directive.
    ///
    /// # Errors
    /// An error of `out`.
    pub fn run(&self, mut plugin: Command, out: &mut impl Write) -> io::Result<()> {
        plugin.build();
        let (before, last) = match self.words.split_last() {
            Some((last, before)) => (before, last.as_str()),
            None => (&[][..], ""),
        };
        let (candidates, directive) = candidates(&plugin, before, last);
        for candidate in candidates.iter().filter(|c| c.starts_with(last)) {
            writeln!(out, "{candidate}")?;
        }
        writeln!(out, ":{directive}")
    }
}

fn candidates(plugin: &Command, before: &[String], last: &str) -> (Vec<String>, u8) {
    let mut command = plugin;
    let mut value_of: Option<&Arg> = None;
    for word in before {
        if value_of.take().is_some() {
            continue;
        }
        if let Some(flag) = word.strip_prefix('-') {
            value_of = option(command, flag).filter(|a| a.get_action().takes_values() && !word.contains('='));
        } else if let Some(next) = command.find_subcommand(word) {
            command = next;
        }
    }
    if let Some(arg) = value_of {
        return (possible(arg), if possible(arg).is_empty() { 0 } else { NO_FILES });
    }
    if last.starts_with('-') {
        return (
            command
                .get_arguments()
                .filter(|a| !a.is_hide_set())
                .filter_map(|a| Some(format!("--{}", a.get_long()?)))
                .collect(),
            NO_FILES,
        );
    }
    if command.has_subcommands() {
        return (
            command
                .get_subcommands()
                .filter(|c| !c.is_hide_set() && c.get_name() != "help")
                .map(|c| c.get_name().to_owned())
                .collect(),
            NO_FILES,
        );
    }
    let takes_target =
        |a: &Arg| a.get_value_names().is_some_and(|names| names.iter().any(|n| n.as_str() == "KIND/NAME"));
    match command.get_positionals().next() {
        Some(arg) if takes_target(arg) => {
            (Kind::ALL.iter().map(|k| format!("{}/", k.short_name())).collect(), NO_SPACE | NO_FILES)
        }
        Some(arg) => (possible(arg), NO_FILES),
        None => (Vec::new(), NO_FILES),
    }
}

fn option<'a>(command: &'a Command, flag: &str) -> Option<&'a Arg> {
    let long = flag.strip_prefix('-');
    command.get_arguments().find(|a| match long {
        Some(long) => a.get_long() == Some(long),
        None => flag.chars().next().is_some_and(|c| flag.len() == 1 && a.get_short() == Some(c)),
    })
}

fn possible(arg: &Arg) -> Vec<String> {
    arg.get_possible_values().iter().map(|v| v.get_name().to_owned()).collect()
}
