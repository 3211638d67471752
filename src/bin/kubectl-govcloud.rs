//! `kubectl govcloud`: the measures in people's hands.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use govcloud::cli::calendar::{CalendarCliError, CalendarCommand};

/// 政务云管理 / the government cloud, by its measures
#[derive(Parser)]
#[command(name = "kubectl-govcloud", bin_name = "kubectl govcloud", version)]
struct Plugin {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Calendar(CalendarCommand),
}

fn main() -> ExitCode {
    let mut out = io::stdout().lock();
    let done = match Plugin::parse().command {
        Command::Calendar(command) => command.run(&mut out).and_then(|()| Ok(out.flush()?)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads has seen enough, as in `… | head`.
        Err(CalendarCliError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("错误 / error: {error}");
            ExitCode::from(2)
        }
    }
}
