//! `make bench`: the operator measured against the physical limit.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use e2e::bench::contest::{self, Course};
use e2e::bench::report::{self, save};
use e2e::bench::{fairness, latency, machine, scale, timers};
use e2e::{keeper, paths, say};
use serde::Serialize;

/// Measures the operator against the physical limit. Results go to target/bench, tables and plots into docs/performance.md.
#[derive(Debug, Parser)]
struct Flags {
    /// What to measure; everything if nothing is named.
    what: Vec<What>,
    /// The largest number of applications: 200 and 1000 are measured as well, where they are not more.
    #[arg(short, long, default_value_t = 1000)]
    number: usize,
    /// Pairs of each contest, when not those of the issue: five at 200, three at 1000, one beyond.
    #[arg(short, long)]
    pairs: Option<usize>,
    /// Measures at exactly these numbers instead.
    #[arg(long, value_delimiter = ',')]
    at: Vec<usize>,
    /// Writes no page, only the results.
    #[arg(long)]
    no_page: bool,
}

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// Provisioning against the bare client.
    Ratio,
    /// Exits against the bare client.
    Exit,
    /// Approvals at one a second, beside a bare watcher.
    Latency,
    /// Memory, requests at rest and restarts.
    Scale,
    /// Many deadlines due in the same second.
    Timers,
    /// One department's flood.
    Fairness,
    /// The page and its plots from the results that there are.
    Page,
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_env_filter("error,kube_client=off").with_writer(std::io::stderr).init();
    let outcome = run(Flags::parse()).await;
    keeper::dismiss();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

impl Flags {
    /// The numbers to measure at, ascending.
    fn numbers(&self, usual: &[usize]) -> Vec<usize> {
        if !self.at.is_empty() {
            return self.at.clone();
        }
        let mut numbers: Vec<usize> = usual.iter().copied().filter(|n| *n < self.number).collect();
        numbers.push(self.number);
        numbers
    }

    fn pairs(&self, number: usize) -> usize {
        self.pairs.unwrap_or(match number {
            0..=200 => 5,
            201..=1000 => 3,
            _ => 1,
        })
    }
}

async fn run(flags: Flags) -> Result<()> {
    keeper::end_on_signals()?;
    let asked = if flags.what.is_empty() { What::value_variants() } else { &flags.what };
    if asked.iter().any(|what| *what != What::Page) {
        save("machine", &machine::look()?)?;
    }
    for what in asked {
        match what {
            What::Ratio => contests(&flags, Course::Provision, &[200, 1000]).await?,
            What::Exit => contests(&flags, Course::Exit, &[200]).await?,
            What::Latency => keep("latency", &latency::measure(60).await?)?,
            What::Scale => keep("scale", &scale::measure(&flags.numbers(&[1000, 5000])).await?)?,
            What::Timers => keep("timers", &timers::measure(flags.numbers(&[])[0].min(1000) * 10).await?)?,
            What::Fairness => {
                keep("fairness", &fairness::measure(flags.numbers(&[])[0].min(1000) * 10).await?)?
            }
            What::Page => {}
        }
    }
    if !flags.no_page {
        report::write(&paths::in_repository(Path::new("docs/performance.md")))?;
    }
    Ok(())
}

async fn contests(flags: &Flags, course: Course, usual: &[usize]) -> Result<()> {
    let name = match course {
        Course::Provision => "provision",
        Course::Exit => "exit",
    };
    for number in flags.numbers(usual) {
        keep(&format!("{name}-{number}"), &contest::measure(course, number, flags.pairs(number)).await?)?;
    }
    Ok(())
}

/// Saves a result and prints it.
fn keep<T: Serialize>(name: &str, result: &T) -> Result<()> {
    save(name, result)?;
    say!("{name}: {}", serde_json::to_string_pretty(result)?);
    Ok(())
}
