//! S9: the operator is killed before and after every single write of a life, and the end is that of the undisturbed one.
//!
//! A proxy between the operator and the API server sees each write. One life is played undisturbed. The next is played
//! while the operator, a process of its own, is killed (SIGKILL) when it is about to send a write, started again, and
//! killed again when that write went through but was not answered yet; so it goes for each write of provisioning, change
//! and exit in turn. Then a third, killed twice in short succession at random places. Every life must leave the same
//! records, Events, volumes and files, and have destroyed the same things as often: once.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::cluster::Setup;
use e2e::fixtures::{self, HENAN};
use e2e::operator::{self, Operator, Options};
use e2e::proxy::Proxy;
use e2e::suite::{self, Context, Pace};
use tokio::time::Instant;

#[path = "common/end_state.rs"]
mod end_state;
#[path = "kills/killer.rs"]
mod killer;
#[path = "common/lifecycle.rs"]
mod lifecycle;

use killer::{Killer, Plan};
use lifecycle::Outcome;

/// Least number of pairs of kills in the third life.
const PAIRS: usize = 12;

/// Longest time of one step of a life: the operator is killed some sixty times in it.
const PATIENCE: Duration = Duration::from_secs(600);

/// Each start of the operator takes a second or so, and there are some two hundred.
const PACE: Pace = Pace { parallel: 1, patience: Duration::from_secs(1800) };

fn main() -> ExitCode {
    let tests = e2e::tests![kills_around_every_write_change_nothing];
    suite::run_at(Setup::Installed, tests, PACE)
}

async fn kills_around_every_write_change_nothing(context: Context) -> Result<()> {
    let cluster = &context.cluster;
    fixtures::regions_without_operator(cluster).await?;
    let killer = Arc::new(Killer::new(cluster.clone()));
    let proxy = Proxy::start(cluster.plane.server(), killer.clone()).await?;
    let kubeconfig = proxy.kubeconfig(&operator::credentials(&cluster.plane).await?)?;
    let env = vec![
        ("KUBECONFIG".to_owned(), kubeconfig.display().to_string()),
        ("GOVCLOUD_NO_LEADER_ELECTION".to_owned(), "true".to_owned()),
    ];
    let operator = Operator::start(&cluster.plane, Options { env, ..Options::default() }).await?;
    *cluster.operator.lock().await = Some(operator);
    fixtures::regions_ready(cluster).await?;

    let mut lives: Vec<(&str, Outcome)> = Vec::new();
    for (name, plan) in [
        ("undisturbed", Plan::Undisturbed),
        ("around each write", Plan::EachWrite),
        ("random pairs", Plan::Pairs { seed: seed(), at_least: PAIRS }),
    ] {
        let begun = Instant::now();
        killer.begin(plan);
        let namespace = context.filing_namespace("dept-killed", HENAN).await?;
        let outcome = lifecycle::run(&context, &namespace, PATIENCE);
        let outcome = outcome.await.with_context(|| format!("the life {name} ({plan:?})"))?;
        let counts = killer.counts();
        println!(
            "kills: {name}: {} writes, {} kills ({} before a write, {} after one), {} destructive requests, {:.0?}",
            counts.writes,
            counts.before + counts.after,
            counts.before,
            counts.after,
            outcome.destroyed.values().sum::<usize>(),
            begun.elapsed()
        );
        match plan {
            Plan::Undisturbed => ensure!(counts.before + counts.after == 0, "{counts:?}"),
            Plan::EachWrite => {
                ensure!(counts.spared.is_empty(), "not killed around {:?}", counts.spared);
                ensure!(counts.before >= counts.writes && counts.after >= counts.writes, "{counts:?}");
            }
            Plan::Pairs { at_least, seed } => {
                println!("kills: seed {seed}, {} pairs", counts.pairs);
                ensure!(counts.pairs >= at_least, "{counts:?}");
            }
        }
        if let Some((_, undisturbed)) = lives.first() {
            lifecycle::ensure_same(name, undisturbed, &outcome)?;
        }
        lives.push((name, outcome));
    }
    println!(
        "kills: {} lives with the same end state of {} lines, and the same destruction: {:?}",
        lives.len(),
        lives[0].1.end_state.lines().count(),
        lives[0].1.destroyed
    );
    Ok(())
}

/// `GOVCLOUD_SEED`, or another each time.
fn seed() -> u64 {
    let given = std::env::var("GOVCLOUD_SEED").ok().and_then(|s| s.parse().ok());
    given.unwrap_or_else(|| jiff::Timestamp::now().as_nanosecond().unsigned_abs() as u64)
}
