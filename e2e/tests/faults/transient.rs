//! Transient failures of every request of a life, each kind of failure in a department of its own, all at once.

use anyhow::{Context as _, Result, ensure};
use e2e::fixtures::HENAN;
use e2e::suite::Context;
use futures::future::try_join_all;

use crate::{Fault, PATIENCE, Proxied, lifecycle, never_stalled, undisturbed};

pub async fn transient_faults_change_nothing(context: Context) -> Result<()> {
    let proxied = Proxied::start(&context.cluster).await?;
    let injector = &proxied.injector;
    let disturbed = Fault::TRANSIENT.map(|fault| {
        let context = &context;
        async move {
            let namespace = context.filing_namespace("dept-faults", HENAN).await?;
            injector.inject(&namespace, fault);
            let outcome = lifecycle::run(context, &namespace, PATIENCE).await;
            anyhow::Ok((fault, namespace, outcome.with_context(|| format!("the life with {fault:?}"))?))
        }
    });
    let lives = futures::future::try_join(undisturbed(&context, injector), try_join_all(disturbed));
    let (undisturbed, disturbed) = never_stalled(injector, lives).await?;
    let mut total = injector.common_faults();
    for (fault, namespace, outcome) in disturbed {
        let counts = injector.counts(&namespace);
        println!(
            "faults: {fault:?}: {} of {} writes and {} of {} reads failed once",
            counts.failed_writes, counts.writes, counts.failed_reads, counts.reads
        );
        ensure!(counts.spared.is_empty(), "{fault:?} did not meet {:#?}", counts.spared);
        ensure!(counts.failed_writes >= counts.writes.min(40), "{fault:?}: too few faults: {counts:?}");
        ensure!(fault == Fault::Conflict || counts.failed_reads > 0, "{fault:?} met no read");
        total += counts.failed_writes + counts.failed_reads;
        lifecycle::ensure_same(&format!("{fault:?}"), undisturbed, &outcome)?;
    }
    println!(
        "faults: {total} transient faults, {} lives with the same end state",
        Fault::TRANSIENT.len() + 1
    );
    Ok(())
}
