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
    /// The largest number of applications: smaller ones are measured as well. Exits are of 1000 at most.
    #[arg(short, long, default_value_t = 1000)]
    number: usize,
    /// Pairs of each contest, when not the usual: of provisioning five at 200, three at 1000, one beyond; of exits three
    /// at 20, one beyond.
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

    /// The same, but never more than so many where no number is named.
    fn numbers_up_to(&self, most: usize, usual: &[usize]) -> Vec<usize> {
        let mut numbers = self.numbers(usual);
        if self.at.is_empty() {
            numbers.iter_mut().for_each(|n| *n = most.min(*n));
            numbers.dedup();
        }
        numbers
    }

    fn pairs(&self, course: Course, number: usize) -> usize {
        self.pairs.unwrap_or(match (course, number) {
            (Course::Provision, 0..=200) => 5,
            (Course::Provision, 201..=1000) | (Course::Exit, 0..=200) => 3,
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
            What::Ratio => contests(&flags, Course::Provision, flags.numbers(&[200, 1000])).await?,
            // Kubernetes itself ends some three applications a second here: a pair of 5000 would take hours.
            What::Exit => contests(&flags, Course::Exit, flags.numbers_up_to(1000, &[20])).await?,
            What::Latency => keep("latency", &latency::measure(180).await?)?,
            What::Scale => keep("scale", &scale::measure(&flags.numbers(&[1000, 5000])).await?)?,
            What::Timers => keep("timers", &timers::measure(flags.numbers_up_to(1000, &[])[0] * 10).await?)?,
            What::Fairness => {
                keep("fairness", &fairness::measure(flags.numbers_up_to(1000, &[])[0] * 10).await?)?
            }
            What::Page => {}
        }
    }
    if !flags.no_page {
        report::write(&paths::in_repository(Path::new("docs/performance.md")))?;
    }
    Ok(())
}

async fn contests(flags: &Flags, course: Course, numbers: Vec<usize>) -> Result<()> {
    let name = match course {
        Course::Provision => "provision",
        Course::Exit => "exit",
    };
    for number in numbers {
        let measured = contest::measure(course, number, flags.pairs(course, number)).await?;
        keep(&format!("{name}-{number}"), &measured)?;
    }
    Ok(())
}

/// Saves a result and prints it.
fn keep<T: Serialize>(name: &str, result: &T) -> Result<()> {
    save(name, result)?;
    say!("{name}: {}", serde_json::to_string_pretty(result)?);
    Ok(())
}
