//! Runs of the operator over many applications: time, processor time, writes, memory and restarts; at several numbers of
//! applications, or in turns with the operator of another commit.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use e2e::actors::OPERATOR;
use e2e::binaries::Binaries;
use e2e::fixtures::Kind;
use e2e::wait::eventually;
use e2e::{operator, paths, requests, say};
use futures::future::try_join_all;
use jiff::Timestamp;
use tokio::process::Command;

use crate::comparison::{NAMESPACES, PROVISION, Prepared, Workload, run};
use crate::harness::Harness;
use crate::report::{Figures, figure, named, spread};
use crate::stats::{Usage, median};
use crate::status_watch::PATIENCE;

/// Time without any work after which memory is read.
const SETTLE: Duration = Duration::from_secs(10);

/// Time in which the requests at rest are counted.
const REST: Duration = Duration::from_secs(60);

/// Time without any processor time after which the operator rests, and how often it is looked at.
const QUIET: Duration = Duration::from_millis(300);
const TICK: Duration = Duration::from_millis(10);

/// Restarts in a run, of which the medians are given.
const RESTARTS: usize = 3;

/// Runs the operator of another commit in turns with this one, in this many pairs. `old` is a directory as
/// `e2e/bench/build-commit` makes it. Returns the rows of a table.
pub async fn measure_against(old: &Path, of: Workload, count: usize, pairs: usize) -> Result<Vec<String>> {
    // The repository, whose manifests are installed, and the operator.
    let builds =
        [(old.join("tree"), old.join("govcloud-operator")), (paths::repository(), operator::binary()?)];
    let mut runs: [Vec<Figures>; 2] = Default::default();
    for pair in 0..pairs {
        for turn in [pair % 2, 1 - pair % 2] {
            runs[turn].push(process(&builds[turn], of, count).await?);
        }
        for (name, old) in &runs[0][pair] {
            let new = figure(&runs[1][pair], name);
            say!("{count}, pair {}, {name}: {old:.2}, {new:.2} ({:.3})", pair + 1, new / old);
        }
    }
    let row = |(name, _): &(String, f64)| {
        let [old, new] = runs.each_ref().map(|runs| runs.iter().map(|run| figure(run, name)));
        let ratios = old.clone().zip(new.clone()).map(|(old, new)| new / old);
        format!("{count}: {name} | {pairs} | {:.2} | {:.2} | {}", median(old), median(new), spread(ratios))
    };
    Ok(runs[0][0].iter().map(row).collect())
}

/// Runs one build in a process of its own, which takes the operator and the manifests from its environment.
async fn process(build: &(PathBuf, PathBuf), workload: Workload, count: usize) -> Result<Figures> {
    let (repository, operator) = build;
    let control_plane = tokio::task::spawn_blocking(Binaries::find).await??.path("");
    let output = Command::new(std::env::current_exe()?)
        .args([workload.name, "--once", "--number", &count.to_string()])
        .env("CARGO_MANIFEST_DIR", repository)
        .env("CARGO_TARGET_DIR", paths::target())
        .env("GOVCLOUD_OPERATOR", operator)
        .env("KUBEBUILDER_ASSETS", control_plane)
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output()
        .await?;
    ensure!(output.status.success(), "{}: {}", operator.display(), output.status);
    let text = String::from_utf8(output.stdout)?;
    serde_json::from_str(text.lines().last().unwrap_or_default()).with_context(|| text.clone())
}

/// Runs the operator on a control plane of its own.
pub async fn measure(workload: Workload, count: usize) -> Result<Figures> {
    let harness = Harness::start(NAMESPACES).await?;
    let mut log = harness.cluster.audit().follow()?;
    harness.start_operator().await?;
    let idle = settled_memory(&harness).await?;
    let started = harness.requests_since(&mut log).await?.by_user(OPERATOR).verb("list").code(200);
    let first_pages = started.keep(|e| !e.request_uri.contains("continue="));
    let first_pages = first_pages.iter().map(|e| e.request_uri.clone()).collect();
    let watch = workload.file(&harness, count).await?;
    let prepared = (harness, watch);
    let (mut figures, _) = run(&prepared, workload, count).await?;
    let (harness, _) = &prepared;
    until_idle(harness, 0).await?;
    let memory = settled_memory(harness).await?;
    figures.extend(named([("idle memory, MiB", idle), ("memory afterwards, MiB", memory)]));
    if workload.name == PROVISION.name {
        figures.extend(at_rest(harness).await?);
        let mut restarts = Vec::new();
        for at in 0..RESTARTS {
            restarts.push(restart(&prepared, count + at, &first_pages).await?);
        }
        let restarted = settled_memory(harness).await?;
        let each = (restarted - idle) * 1024.0 / (count + RESTARTS) as f64;
        figures.extend(named([("memory after a restart, MiB", restarted), ("memory each, KiB", each)]));
        figures.extend(named([("memory of a standby, MiB", standby_memory(harness).await?)]));
        for (at, (name, _)) in restarts[0].iter().enumerate() {
            figures.push((name.clone(), median(restarts.iter().map(|restart| restart[at].1))));
        }
    }
    Ok(figures)
}

/// Resident memory of the operator after it was left alone, in MiB.
async fn settled_memory(harness: &Harness) -> Result<f64> {
    tokio::time::sleep(SETTLE).await;
    Ok(Usage::of(harness.operator_pid().await?)?.memory)
}

/// Resident memory of a standby, whose caches are as full as the leader's, in MiB.
async fn standby_memory(harness: &Harness) -> Result<f64> {
    let standby = harness.replica("govcloud-operator-1").await?;
    tokio::time::sleep(SETTLE).await;
    Ok(Usage::of(standby.pid().context("the standby ended")?)?.memory)
}

/// The operator's requests in a minute beside renewed watches, and its processor time.
async fn at_rest(harness: &Harness) -> Result<Figures> {
    let mut log = harness.cluster.audit().follow()?;
    let pid = harness.operator_pid().await?;
    let before = Usage::of(pid)?.cpu;
    tokio::time::sleep(REST).await;
    let cpu = Usage::of(pid)?.cpu - before;
    let requests = harness.requests_since(&mut log).await?.by_user(OPERATOR).keep(|e| e.verb != "watch");
    let (all, others) = (requests.len(), requests.without_leases().len());
    Ok(named([
        ("at rest: requests a minute", others as f64),
        ("at rest: lease requests a minute", (all - others) as f64),
        ("at rest: processor time a minute, s", cpu),
    ]))
}

/// Waits until the operator has reconciled this many records since it started, and none is queued.
async fn until_idle(harness: &Harness, records: usize) -> Result<()> {
    let look = || async {
        let names = ["govcloud_reconcile_total", "govcloud_queue_length"];
        let [reconciled, queued] = harness.metrics(names).await?;
        ensure!(
            reconciled >= records && queued == 0,
            "{reconciled} of {records} reconciled, {queued} queued"
        );
        Ok(Some(()))
    };
    eventually("the operator has reconciled everything", 5 * PATIENCE, look).await
}

/// Waits until the operator does nothing any more and has reconciled this many records since it started. Returns when it began to
/// rest. It is not asked before its processor time stands still: a scrape visits every record, and would be
/// measured with what it asks for.
async fn rested(harness: &Harness, records: usize) -> Result<Instant> {
    let pid = harness.operator_pid().await?;
    let began = Instant::now();
    loop {
        let (mut since, mut cpu) = (Instant::now(), Usage::of(pid)?.cpu);
        while since.elapsed() < QUIET {
            ensure!(began.elapsed() < 5 * PATIENCE, "the operator does not come to rest");
            tokio::time::sleep(TICK).await;
            let used = Usage::of(pid)?.cpu;
            if used > cpu {
                (since, cpu) = (Instant::now(), used);
            }
        }
        let names = ["govcloud_reconcile_total", "govcloud_queue_length"];
        let [reconciled, queued] = harness.metrics(names).await?;
        if reconciled >= records && queued == 0 {
            return Ok(since);
        }
    }
}

/// Stops the operator, approves one more application, and starts it again over this many active ones. Seconds are from the start
/// of the process.
async fn restart(of: &Prepared, applications: usize, first_pages: &BTreeSet<String>) -> Result<Figures> {
    let (harness, watch) = of;
    let waiting = harness.applications(applications..applications + 1);
    harness.file(watch, &waiting).await?;
    until_idle(harness, 0).await?;
    harness.stop_operator().await?;
    harness.approve(Kind::Application, &waiting, |_| ()).await?;
    let bare = bare_lists(harness, first_pages).await?;
    let mut log = harness.cluster.audit().follow()?;
    let (began, began_at) = (Instant::now(), Timestamp::now());
    let ((), served) = tokio::try_join!(harness.start_operator(), watch.reached(&waiting[0], "Provisioned"))?;
    let served = (served - began).as_secs_f64();
    // Every application and its grant, and two regions.
    let reconciled = (rested(harness, 2 * applications + 2).await? - began).as_secs_f64();
    let requests = harness.requests_since(&mut log).await?.by_user(OPERATOR);
    let lists = requests.clone().verb("list");
    let listed = lists.iter().map(|e| e.stage_timestamp).max().context("a start without LISTs")?;
    // The name of the waiting application is in the path or the body of each of its requests.
    let name = &waiting[0].name;
    let others = requests.writes().without_leases().keep(|e| {
        !e.request_uri.contains(name)
            && !e.request_object.as_ref().is_some_and(|b| b.to_string().contains(name))
    });
    Ok(named([
        ("restart: bare LISTs, s", bare),
        ("restart: last LIST answered, s", listed.duration_since(began_at).as_secs_f64()),
        ("restart: waiting approval served, s", served),
        ("restart: waiting approval beyond bare LISTs, s", served - bare),
        ("restart: everything reconciled, s", reconciled),
        ("restart: everything beyond bare LISTs, s", reconciled - bare),
        ("restart: LISTs", lists.len() as f64),
        ("restart: writes beside those of the waiting approval", others.len() as f64),
    ]))
}

/// Seconds for the LISTs of the operator's start by a bare client, with all their pages, all kinds at once.
async fn bare_lists(harness: &Harness, first_pages: &BTreeSet<String>) -> Result<f64> {
    let began = Instant::now();
    let list = async |first: &String| {
        let mut page = requests::get(&harness.admin, first).await?;
        while let Some(token) = page["metadata"]["continue"].as_str().filter(|token| !token.is_empty()) {
            page = requests::get(&harness.admin, &format!("{first}&continue={token}")).await?;
        }
        anyhow::Ok(())
    };
    try_join_all(first_pages.iter().map(list)).await?;
    Ok(began.elapsed().as_secs_f64())
}
