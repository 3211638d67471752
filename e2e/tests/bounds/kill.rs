//! S9: the operator is killed after some of its writes, spread over a whole life; the end is the same.

use anyhow::{Context as _, Result, bail, ensure};
use e2e::actors::{Actor, OPERATOR};
use e2e::audit::{Entry, Follow};
use e2e::fixtures::HENAN;
use e2e::suite::Context;

use crate::end_state::ensure_equal;
use crate::lifecycle::run_in;
use crate::requests::nothing_succeeds_twice;
use crate::{OPERATOR as THE_OPERATOR, undisturbed};

/// Number of kills in one life.
const KILLS: usize = 8;

pub async fn killed_operator_reaches_the_same_end_state(context: Context) -> Result<()> {
    let quiet = undisturbed(&context).await?;
    let admin = context.cluster.client(Actor::Admin).await?;
    let all = context.cluster.audit().settled(&admin).await?;
    let writes = quiet.entries(all).by_user(OPERATOR).writes().len();
    let _alone = THE_OPERATOR.lock().await;

    let namespace = context.filing_namespace("dept-unquiet", HENAN).await?;
    // The first write, the last, and those between, evenly.
    let points: Vec<usize> = (0..KILLS).map(|i| 1 + i * (writes - 2) / (KILLS - 1)).collect();
    let log = context.cluster.audit().follow()?;
    let mut killed = Vec::new();
    let life = tokio::select! {
        life = run_in(&context, namespace.clone()) => life?,
        failed = kill_after(&context, log, &namespace, &points, &mut killed) => bail!("the killer ended: {failed:?}"),
    };
    ensure!(killed.len() >= KILLS - 1, "killed only after {killed:?} of {writes} writes, wanted {points:?}");
    ensure_equal(&format!("killed after {killed:?}"), &quiet.end_state, &life.end_state)?;
    let all = context.cluster.audit().settled(&admin).await?;
    let done = nothing_succeeds_twice(&life, all)?;
    let lines = life.end_state.lines().count();
    println!(
        "bounds: killed after writes {killed:?} of {writes}: the same end in {lines} lines, {done} creates and deletes once each"
    );
    Ok(())
}

/// Kills and restarts the operator when that many of its writes on this life are in the audit log.
async fn kill_after(
    context: &Context,
    mut log: Follow,
    namespace: &str,
    points: &[usize],
    killed: &mut Vec<usize>,
) -> Result<()> {
    let of_this_life = |e: &Entry| {
        e.user.username == OPERATOR
            && e.is_write()
            && e.object_ref.as_ref().is_some_and(|o| {
                let there = |name: &str| name == namespace || name.starts_with(&format!("{namespace}-"));
                there(&o.namespace) || there(&o.name) || o.resource == "persistentvolumes"
            })
    };
    let mut seen = 0;
    let mut points = points.iter();
    let mut next = points.next();
    loop {
        seen += log.next().await?.keep(|e| of_this_life(e)).len();
        if next.is_some_and(|point| seen >= *point) {
            let mut operator = context.cluster.operator.lock().await;
            let operator = operator.as_mut().context("no operator")?;
            operator.kill()?;
            killed.push(seen);
            operator.restart().await?;
            next = points.next();
            while next.is_some_and(|point| seen >= *point) {
                next = points.next();
            }
        }
    }
}
