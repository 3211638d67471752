//! `make dev` and `make dev-stop`: the stack in the background.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};
use e2e::actors::Actor;
use e2e::cluster::Setup;
use e2e::stack::{Record, Stack};
use e2e::{say, suite, supervisor};

/// The development stack: a control plane with the project installed and the operator at work.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start it, unless it runs, and say how to use it.
    Up {
        /// Parts to set up.
        #[arg(long, value_enum, default_value = "operating")]
        setup: Extent,
    },
    /// End it and remove its files.
    Down,
    /// Say what of it runs; fails unless all of it does.
    Status,
}

#[derive(Clone, Copy, ValueEnum)]
enum Extent {
    /// The control plane only.
    Bare,
    /// With all that the project installs, and no operator, so that you can run your own.
    Installed,
    /// With the operator.
    Operating,
}

#[tokio::main]
async fn main() -> ExitCode {
    suite::log("warn,kube_client=off");
    let outcome = perform(Arguments::parse()).await;
    supervisor::dismiss();
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

async fn perform(arguments: Arguments) -> Result<ExitCode> {
    supervisor::end_on_signals()?;
    let stack = tokio::task::spawn_blocking(Stack::open).await??;
    match arguments.command {
        Command::Up { setup } => up(&stack, setup).await,
        Command::Down => {
            let was_there = stack.down()?;
            say!("{}", if was_there { "The stack has ended." } else { "There was no stack." });
            Ok(ExitCode::SUCCESS)
        }
        Command::Status => status(&stack),
    }
}

async fn up(stack: &Stack, setup: Extent) -> Result<ExitCode> {
    let setup = match setup {
        Extent::Bare => Setup::Bare,
        Extent::Installed => Setup::Installed,
        Extent::Operating => Setup::Operating,
    };
    if !stack.record()?.is_some_and(|record| record.complete()) {
        say!("Starting the control plane and what runs on it …");
    }
    let record = stack.up(setup).await?;
    explain(&record);
    Ok(ExitCode::SUCCESS)
}

fn explain(record: &Record) {
    say!("The stack is up at {}. Its logs are in .dev/logs/.\n", record.server.url);
    say!("People, each with a kubeconfig, .dev/NAME.kubeconfig:");
    for actor in Actor::ALL {
        say!("  {:<18} {}", actor.user(), actor.group().unwrap_or("cluster-admin"));
    }
    say!("\nIn this directory, the department files an application, and the authority reads it:\n");
    for (actor, arguments) in EXAMPLE {
        say!("  .dev/bin/kubectl --kubeconfig .dev/{}.kubeconfig {arguments}", actor.user());
    }
    say!("\ndocs/guide.md continues from here: the authority reviews and approves, up to the exit.");
    say!("make dev-stop ends the stack and removes .dev/.");
}

/// Commands that work as they are printed, again and before the guide: none of them decides, because an approval is final.
const EXAMPLE: [(Actor, &str); 3] = [
    (Actor::Department, "apply -n dept-transport -f config/samples/travel.yaml"),
    (Actor::Authority410000, "get -n dept-transport capp"),
    (Actor::Authority410000, "describe -n dept-transport capp/travel"),
];

fn status(stack: &Stack) -> Result<ExitCode> {
    let Some(record) = stack.record()? else {
        say!("There is no stack; make dev starts one.");
        return Ok(ExitCode::FAILURE);
    };
    say!("{}", record.server.url);
    for (name, identity) in &record.processes {
        let state = if identity.alive() { "runs" } else { "has ended" };
        say!("  {name:<26} {state}, process {}", identity.pid);
    }
    Ok(if record.complete() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[cfg(test)]
mod tests {
    use e2e::documents;

    use super::*;

    /// The guide starts with a new application. Whoever types what `make dev` prints can still follow it.
    #[test]
    fn the_printed_commands_leave_the_guide_its_decisions() {
        let guide = documents::blocks(&documents::read("docs/guide.md").expect("a page"), "sh");
        let filed = guide.iter().flat_map(|block| block.lines()).find(|line| line.contains("apply -f"));
        assert_eq!(
            filed,
            Some("as department apply -f config/samples/travel.yaml"),
            "the guide begins otherwise"
        );
        for (_, arguments) in EXAMPLE {
            let verb = arguments.split(' ').next().expect("a verb");
            assert!(
                ["apply", "get", "describe"].contains(&verb),
                "{arguments}: reads, or files what the guide files"
            );
            assert!(verb != "apply" || arguments.ends_with("config/samples/travel.yaml"), "{arguments}");
        }
    }
}
