//! `make dev` and `make dev-stop`: the stack in the background.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};
use e2e::cluster::Setup;
use e2e::keeper;
use e2e::personas::Persona;
use e2e::stack::{FILING_NAMESPACE, Record, Stack};

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
        /// How much of it.
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
async fn main() -> Result<ExitCode> {
    tracing_subscriber::fmt().with_env_filter("warn,kube_client=off").with_writer(std::io::stderr).init();
    keeper::end_on_signals()?;
    let arguments = Arguments::parse();
    let stack = tokio::task::spawn_blocking(Stack::open).await??;
    match arguments.command {
        Command::Up { setup } => up(&stack, setup).await,
        Command::Down => {
            let was_there = stack.down()?;
            println!("{}", if was_there { "the stack has ended" } else { "there was no stack" });
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
        eprintln!("starting the control plane and what runs on it …");
    }
    let record = stack.up(setup).await?;
    explain(&record);
    Ok(ExitCode::SUCCESS)
}

fn explain(record: &Record) {
    let (namespace, region) = FILING_NAMESPACE;
    println!("The stack is up at {}. Its logs are in .dev/logs/.\n", record.server);
    println!("People, each with a kubeconfig in .dev/:");
    for persona in Persona::ALL {
        println!("  {:<18} {}", persona.user(), persona.group().unwrap_or("cluster-admin"));
    }
    println!("\n{namespace} is the department's filing namespace, in region {region}. For instance:\n");
    println!("  export PATH=\"$PWD/.dev/bin:$PATH\"");
    println!(
        "  kubectl --kubeconfig .dev/department.kubeconfig apply -n {namespace} -f config/samples/travel.yaml"
    );
    println!("  kubectl --kubeconfig .dev/authority-410000.kubeconfig get govcloud -n {namespace}");
    println!("\nmake dev-stop ends it and removes .dev/.");
}

fn status(stack: &Stack) -> Result<ExitCode> {
    let Some(record) = stack.record()? else {
        println!("there is no stack; make dev starts one");
        return Ok(ExitCode::FAILURE);
    };
    println!("{}", record.server);
    for (name, identity) in &record.processes {
        let state = if identity.alive() { "runs" } else { "has ended" };
        println!("  {name:<26} {state}, process {}", identity.pid);
    }
    Ok(if record.complete() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
