//! Exits on real volumes (Art. 16, 23, 28; S2 to S5): each scenario is an application of its own, in a filing namespace
//! of its own, with files whose content is compared at the end.
//!
//! They share one control plane and run side by side, for they mostly wait for Kubernetes to take namespaces down. Those
//! in which something is stuck need another time than the others: they have a control plane and a clock of their own.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use e2e::cluster::Setup;
use e2e::fixtures;
use e2e::suite::{self, Context, Pace, Test};
use tokio::sync::Mutex;

#[path = "exit/appearing.rs"]
mod appearing;
#[path = "exit/assertions.rs"]
mod assertions;
#[path = "exit/consent.rs"]
mod consent;
#[path = "exit/counters.rs"]
mod counters;
#[path = "exit/decision.rs"]
mod decision;
#[path = "exit/destructive_requests.rs"]
mod destructive_requests;
#[path = "exit/fixture.rs"]
mod fixture;
#[path = "exit/guards.rs"]
mod guards;
#[path = "exit/hand_over.rs"]
mod hand_over;
#[path = "exit/mislaid.rs"]
mod mislaid;
#[path = "exit/odd.rs"]
mod odd;
#[path = "exit/ordinary.rs"]
mod ordinary;
#[path = "exit/scope.rs"]
mod scope;
#[path = "exit/stuck.rs"]
mod stuck;
#[path = "exit/withdrawal.rs"]
mod withdrawal;

/// Pace of the scenarios: most of the time nothing but Kubernetes is waited for.
const PACE: Pace = Pace { parallel: 14, patience: Duration::from_secs(900) };

/// The audit logs' readers, from before the first exit, by where the control plane has its files.
static LEDGERS: Mutex<Vec<(PathBuf, Arc<destructive_requests::DestructiveRequests>)>> =
    Mutex::const_new(Vec::new());

/// The regions of a control plane, once, and the reader of its audit log.
async fn destructive_requests(context: &Context) -> Result<Arc<destructive_requests::DestructiveRequests>> {
    let root = context.cluster.plane.root();
    let mut ledgers = LEDGERS.lock().await;
    if let Some((_, requests)) = ledgers.iter().find(|(known, _)| known == root) {
        return Ok(requests.clone());
    }
    fixtures::regions(&context.cluster).await?;
    let requests = Arc::new(destructive_requests::DestructiveRequests::begin(&context.cluster).await?);
    ledgers.push((root.to_owned(), requests.clone()));
    Ok(requests)
}

/// Lets go of the clusters, which are ended before the process is.
async fn forget(context: &Context) {
    LEDGERS.lock().await.retain(|(root, _)| root != context.cluster.plane.root());
}

/// Scenarios by name; each is counted when it came to its end.
macro_rules! scenarios {
    ($($module:ident :: $name:ident),* $(,)?) => {
        vec![$(Test::new(concat!(stringify!($module), "::", stringify!($name)), |context: Context| async move {
            $module::$name(context).await?;
            counters::scenario();
            Ok(())
        })),*]
    };
}

/// Scenarios of exits: one event each, and the resulting outcome of the data.
fn exits() -> Vec<Test> {
    scenarios![
        // These take longest.
        stuck::a_finalizer_on_a_claim,
        stuck::a_finalizer_on_a_volume,
        stuck::a_finalizer_in_the_namespace,
        stuck::a_pod_that_does_not_die,
        stuck::a_provisioner_that_fails,
        withdrawal::raced_against_the_operator,
        scope::a_retained_volume_is_destroyed_later,
        ordinary::everything_is_destroyed,
        ordinary::everything_is_retained,
        ordinary::one_of_many_is_destroyed,
        ordinary::all_but_one_are_destroyed,
        ordinary::the_same_claim_in_two_namespaces,
        ordinary::all_three_actions_at_once,
        ordinary::at_contract_end,
        ordinary::terminated_by_the_authority,
        ordinary::a_live_system_with_its_change,
        odd::no_volume_at_all,
        odd::a_claim_without_a_volume,
        odd::never_provisioned,
        odd::a_shared_department,
        odd::a_claim_that_is_not_there,
        odd::two_exits_at_once,
        odd::an_unclaimed_volume_leaves_as_well,
    ]
}

/// Scenarios of consent and decision, and of what holds an exit back.
fn gates() -> Vec<Test> {
    scenarios![
        consent::nothing_without_it,
        consent::an_old_digest_is_refused,
        consent::voided_by_a_new_claim,
        consent::a_deleted_claim_leaves_its_volume_consented,
        consent::voided_by_a_deleted_claim_without_a_volume,
        consent::voided_by_another_action,
        consent::voided_by_a_resized_volume,
        consent::voided_by_a_snapshot,
        consent::held_after_the_approval_by_a_snapshot,
        consent::held_after_the_approval_by_a_resized_volume,
        consent::taken_back,
        consent::nobody_consents_for_the_department,
        consent::fixed_after_the_approval,
        decision::rejected,
        decision::rejected_before_it_was_live,
        decision::returned_and_filed_again,
        decision::by_whoever_filed_it_it_is_refused,
        withdrawal::before_the_consent,
        withdrawal::before_the_decision,
        withdrawal::while_data_is_handed_over,
        withdrawal::after_reclaiming_began,
        withdrawal::by_the_authority_that_filed_it,
        withdrawal::and_filed_again,
        hand_over::use_goes_on_until_the_receipt,
        hand_over::a_wrong_receipt_releases_nothing,
        hand_over::each_volume_has_its_own_receipt,
        hand_over::no_receipt_before_the_approval,
        scope::an_unclaimed_volume_is_destroyed,
        scope::an_unclaimed_volume_is_retained,
        scope::nothing_to_dispose_of,
        scope::a_claimed_volume_is_not_in_it,
        guards::flipped_by_hand,
        guards::flipped_back_while_reclaiming,
        guards::never_bound_by_another_tenant,
        guards::two_volumes_of_one_source,
        guards::a_second_source_after_the_approval,
        appearing::a_volume_while_reclaiming,
        appearing::a_snapshot_cannot_be_retained,
        appearing::a_snapshot_goes_with_its_namespace,
        appearing::a_snapshots_content_is_gone_before_it_is_certified,
        mislaid::a_claim_deleted_by_mistake_comes_back,
        scope::what_an_archived_application_left_is_destroyed,
    ]
}

fn main() -> ExitCode {
    let begun = Instant::now();
    let tests: Vec<Test> = exits().into_iter().chain(gates()).collect();
    let count = tests.len();
    let code = suite::run_at(Setup::Operating, tests, PACE);
    counters::print(count, begun.elapsed());
    code
}
