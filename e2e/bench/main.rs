//! `make bench`: the operator measured against the physical limit, on a control plane that syncs to disk.

mod bystander;
mod comparison;
mod gate;
mod harness;
mod latency;
mod record;
mod recording;
mod replay;
mod report;
mod runs;
mod stats;
mod status_watch;
mod timers;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Parser, ValueEnum};
use e2e::{say, supervisor};
use govcloud_controller::telemetry;

use comparison::{EXIT, PROVISION, Workload};
use report::Figures;

/// Measures the operator against the physical limit. Results are kept in target/bench.
#[derive(Debug, Parser)]
struct Flags {
    /// Measurements: against the bare client (ratio, exit), at one approval a second (latency), memory, rest and restarts (scale),
    /// many deadlines (timers), one department's flood (fairness), requests with policies against without (gate), six applications
    /// as JSON (smoke). Without any: all but smoke.
    what: Vec<What>,
    /// The largest number of applications; smaller ones are measured as well. Exits are 1000 at most.
    #[arg(short, long, default_value_t = 1000)]
    number: usize,
    /// Pairs of each comparison: by default five of 200 applications, three of 1000, one beyond; three of 20 exits; three of the gate.
    #[arg(short, long)]
    pairs: Option<usize>,
    /// Compares with the operator in a directory of e2e/bench/build-commit; for `ratio` (the default) and `exit`.
    #[arg(long)]
    against: Option<PathBuf>,
    /// Runs the operator once and prints its figures as JSON.
    #[arg(long, hide = true)]
    once: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    Ratio,
    Exit,
    Latency,
    Scale,
    Timers,
    Fairness,
    Gate,
    Smoke,
}

#[tokio::main]
async fn main() -> ExitCode {
    let log = tracing_subscriber::fmt().with_env_filter("error,kube_client=off");
    log.with_ansi(telemetry::coloured()).with_writer(std::io::stderr).init();
    let outcome = Flags::parse().run().await;
    supervisor::dismiss();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

impl Flags {
    async fn run(self) -> Result<()> {
        supervisor::end_on_signals()?;
        let all: &[What] = if self.against.is_some() { &[What::Ratio] } else { &What::value_variants()[..7] };
        let (number, many) = (self.number, self.number.min(1000) * 10);
        for what in if self.what.is_empty() { all } else { &self.what } {
            match what {
                What::Ratio => self.compare(PROVISION, &self.numbers(&[(200, 5), (1000, 3)], number)).await?,
                // Kubernetes' controllers complete some three exits a second: a pair of 5000 would take hours.
                What::Exit => self.compare(EXIT, &self.numbers(&[(20, 3)], number.min(1000))).await?,
                _ if self.against.is_some() => bail!("{what:?} is not compared with another commit"),
                What::Latency => latency::measure(180).await?,
                What::Scale => {
                    let numbers = self.numbers(&[(1000, 1), (5000, 1)], number);
                    let measure = async |number| runs::measure(PROVISION, number).await;
                    figures("scale", &numbers, &["memory after a restart, MiB"], measure).await?;
                }
                What::Timers => timers::measure(many).await?,
                What::Fairness => bystander::measure_flood(many).await?,
                What::Gate => gate::measure(self.pairs.unwrap_or(3)).await?,
                What::Smoke => say!("{}", serde_json::to_string(&comparison::measure(PROVISION, 6).await?)?),
            }
        }
        Ok(())
    }

    /// The usual numbers below the largest, and that, each with its number of pairs.
    fn numbers(&self, usual: &[(usize, usize)], largest: usize) -> Vec<(usize, usize)> {
        let last = usual.iter().find(|(number, _)| largest <= *number).map_or(1, |(_, pairs)| *pairs);
        let numbers = usual.iter().copied().filter(|(number, _)| *number < largest).chain([(largest, last)]);
        numbers.map(|(number, pairs)| (number, self.pairs.unwrap_or(pairs))).collect()
    }

    /// Compares with the other clients, or with another commit.
    async fn compare(&self, workload: Workload, numbers: &[(usize, usize)]) -> Result<()> {
        if self.once {
            say!("{}", serde_json::to_string(&runs::measure(workload, self.number).await?)?);
            return Ok(());
        }
        if let Some(old) = &self.against {
            let mut rows = Vec::new();
            for (number, pairs) in numbers {
                rows.extend(runs::measure_against(old, workload, *number, *pairs).await?);
            }
            let commit = old.file_name().unwrap_or_default().to_string_lossy();
            let columns = format!("figure | pairs | {commit} | this commit | ratio (range)");
            return report::save(&format!("against-{}", workload.name), &report::table(&columns, rows));
        }
        let plotted = ["operator, s", "bare client, s", "zero-overhead client, s"];
        let measure = async |number| comparison::measure(workload, number).await;
        figures(workload.name, numbers, &plotted, measure).await
    }
}

/// Measures so many times at each number; saves the table of all figures and the plot of some.
async fn figures(
    name: &str,
    numbers: &[(usize, usize)],
    plotted: &[&str],
    measure: impl AsyncFn(usize) -> Result<Figures>,
) -> Result<()> {
    let mut runs = vec![Vec::new(); numbers.len()];
    for ((number, times), runs) in numbers.iter().zip(&mut runs) {
        for at in 1..=*times {
            let figures = measure(*number).await?;
            say!("{name} {number}, run {at}: {figures:.2?}");
            runs.push(figures);
        }
    }
    let numbers: Vec<usize> = numbers.iter().map(|(number, _)| *number).collect();
    let (table, plot) = (report::figures(&numbers, &runs), report::plot(&numbers, &runs, plotted));
    report::save(name, &format!("{table}\n\n{plot}"))
}
