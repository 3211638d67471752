//! The short form of `make bench`: what it counts is what is written down, and the bare client gets as far as the
//! operator. No times are judged.

use std::process::ExitCode;

use anyhow::{Result, ensure};
use e2e::bench::contest::{self, Course};
use e2e::bench::writes;
use e2e::keeper;

/// Applications: enough to tell one's own writes from another's.
const APPLICATIONS: usize = 6;

#[tokio::main]
async fn main() -> ExitCode {
    // Listed and filtered like any other test.
    let args = libtest_mimic::Arguments::from_args();
    let trial = libtest_mimic::Trial::test("the_writes_of_a_provision_are_those_necessary", || {
        let runtime = tokio::runtime::Runtime::new()?;
        runtime.block_on(async { keeper::end_on_signals() }).map_err(|e| format!("{e:#}"))?;
        runtime.block_on(counts()).map_err(|e| format!("{e:#}").into())
    });
    let conclusion = tokio::task::spawn_blocking(move || libtest_mimic::run(&args, vec![trial])).await;
    keeper::dismiss();
    conclusion.map_or(ExitCode::FAILURE, |c| c.exit_code())
}

/// One pair: the operator's writes are the necessary ones, and sent again by the bare client they come to the same.
async fn counts() -> Result<()> {
    let contest = contest::measure(Course::Provision, APPLICATIONS, 1).await?;
    println!("{}", writes::table(&contest));
    let unnecessary = writes::unnecessary(&contest.writes, APPLICATIONS);
    ensure!(unnecessary.is_empty(), "more than necessary: {unnecessary:?}");
    ensure!(contest.refused == 0, "{} writes were refused", contest.refused);
    let lists: Vec<_> = contest.reads.keys().filter(|line| line.starts_with("list")).collect();
    ensure!(lists.is_empty(), "listed: {lists:?}");
    let gets: usize = contest.reads.iter().filter(|(line, _)| line.starts_with("get")).map(|(_, n)| n).sum();
    // None; one where more than a second passed between an answer and what rests on it.
    ensure!(gets < APPLICATIONS, "{gets} quorum reads for {APPLICATIONS} approvals");
    println!(
        "bench-smoke: {} writes, {gets} quorum reads, 0 lists for {APPLICATIONS} applications",
        contest.writes.values().sum::<usize>()
    );
    Ok(())
}
