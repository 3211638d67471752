//! `make dev` and `make dev-stop`: the stack in the background.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};
use e2e::actors::Actor;
use e2e::cluster::Setup;
use e2e::stack::{Record, Stack};
use e2e::{say, supervisor};

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
    tracing_subscriber::fmt().with_env_filter("warn,kube_client=off").with_writer(std::io::stderr).init();
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
    say!("\nIn this directory, the department applies, the authority reads and approves:\n");
    for (actor, arguments) in EXAMPLE {
        say!("  .dev/bin/kubectl --kubeconfig .dev/{}.kubeconfig {arguments}", actor.user());
    }
    say!("\ndocs/guide.md tells how the life goes on. make dev-stop ends the stack and removes .dev/.");
}

/// Commands that work as they are printed.
const EXAMPLE: [(Actor, &str); 4] = [
    (Actor::Department, "apply -n dept-transport -f config/samples/travel.yaml"),
    (Actor::Authority410000, "get -n dept-transport capp"),
    (
        Actor::Authority410000,
        "annotate -n dept-transport capp/travel govcloud.dev/decision=approved \
         govcloud.dev/reviewed-generation=1 govcloud.dev/opinion=同意",
    ),
    (Actor::Department, "get -n dept-transport capp"),
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
