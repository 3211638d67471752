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

use anyhow::{Context as _, Result, bail, ensure};
use e2e::cluster::Setup;
use e2e::office;
use e2e::operator::{self, Operator, Options};
use e2e::proxy::Proxy;
use e2e::suite::{self, Context, Pace};
use tokio::time::Instant;

#[path = "bounds/ending.rs"]
mod ending;
#[path = "kills/executioner.rs"]
mod executioner;
#[path = "kills/life.rs"]
mod life;

use executioner::{Executioner, Sentence};
use life::Lived;

/// How many pairs of kills the third life has at the least.
const PAIRS: usize = 12;

/// Each start of the operator takes a second or so, and there are some two hundred.
const PACE: Pace = Pace { parallel: 1, patience: Duration::from_secs(1800) };

fn main() -> ExitCode {
    let tests = e2e::tests![killed_around_every_write_it_ends_as_undisturbed];
    suite::run_at(Setup::Installed, tests, PACE)
}

async fn killed_around_every_write_it_ends_as_undisturbed(context: Context) -> Result<()> {
    let cluster = &context.cluster;
    office::regions_without_operator(cluster).await?;
    let executioner = Arc::new(Executioner::new(cluster.clone()));
    let proxy = Proxy::start(cluster.plane.server(), executioner.clone()).await?;
    let kubeconfig = proxy.lead(&operator::credentials(&cluster.plane).await?)?;
    let env = vec![
        ("KUBECONFIG".to_owned(), kubeconfig.display().to_string()),
        ("GOVCLOUD_NO_LEADER_ELECTION".to_owned(), "true".to_owned()),
    ];
    let operator = Operator::start(&cluster.plane, Options { env, ..Options::default() }).await?;
    *cluster.operator.lock().await = Some(operator);
    office::regions_ready(cluster).await?;

    let mut lives: Vec<(&str, Lived)> = Vec::new();
    for (name, sentence) in [
        ("undisturbed", Sentence::None),
        ("around each write", Sentence::Each),
        ("random pairs", Sentence::Pairs { seed: seed(), at_least: PAIRS }),
    ] {
        let begun = Instant::now();
        executioner.sentence(sentence);
        let lived = life::live(&context).await.with_context(|| format!("the life {name} ({sentence:?})"))?;
        let toll = executioner.toll();
        println!(
            "kills: {name}: {} writes, {} kills ({} before a write, {} after one), {} destructive requests, {:.0?}",
            toll.writes,
            toll.before + toll.after,
            toll.before,
            toll.after,
            lived.destroyed.values().sum::<usize>(),
            begun.elapsed()
        );
        match sentence {
            Sentence::None => ensure!(toll.before + toll.after == 0, "{toll:?}"),
            Sentence::Each => {
                ensure!(toll.spared.is_empty(), "not killed around {:?}", toll.spared);
                ensure!(toll.before >= toll.writes && toll.after >= toll.writes, "{toll:?}");
            }
            Sentence::Pairs { at_least, seed } => {
                println!("kills: seed {seed}, {} pairs", toll.pairs);
                ensure!(toll.pairs >= at_least, "{toll:?}");
            }
        }
        if let Some((_, undisturbed)) = lives.first() {
            same(name, undisturbed, &lived)?;
        }
        lives.push((name, lived));
    }
    println!(
        "kills: {} lives with the same end in {} lines, and the same destruction: {:?}",
        lives.len(),
        lives[0].1.ending.lines().count(),
        lives[0].1.destroyed
    );
    Ok(())
}

/// `GOVCLOUD_SEED`, or another each time.
fn seed() -> u64 {
    let given = std::env::var("GOVCLOUD_SEED").ok().and_then(|s| s.parse().ok());
    given.unwrap_or_else(|| jiff::Timestamp::now().as_nanosecond().unsigned_abs() as u64)
}

/// Two lives have the same end, and destroyed the same.
fn same(name: &str, undisturbed: &Lived, lived: &Lived) -> Result<()> {
    ensure!(
        undisturbed.destroyed == lived.destroyed,
        "{name} destroyed {:?}, undisturbed {:?}",
        lived.destroyed,
        undisturbed.destroyed
    );
    ensure!(
        undisturbed.made == lived.made,
        "{name} made {:?}, undisturbed {:?}",
        lived.made,
        undisturbed.made
    );
    if undisturbed.ending == lived.ending {
        return Ok(());
    }
    let (a, b) = (undisturbed.ending.lines(), lived.ending.lines());
    let at = a.clone().zip(b.clone()).position(|(a, b)| a != b).unwrap_or_default();
    let around = |lines: std::str::Lines<'_>| {
        lines.skip(at.saturating_sub(14)).take(28).collect::<Vec<_>>().join("\n")
    };
    bail!("{name} ends otherwise, from line {at}:\n--- undisturbed\n{}\n--- {name}\n{}", around(a), around(b))
}
