//! The attack matrix: who may decide, on what, and that there is no way around it (design 3; S1, S5–S7).
//!
//! RBAC is wide open to everybody here, but for the project's own verbs, so that what is refused is refused by the
//! admission policies. Rows are sent as dry runs: admission runs in full, and the fixtures stay as they were set.
//! Rows that must go through are there so that a policy that denies everything fails too.

#[path = "attack_matrix/adoption.rs"]
mod adoption;
#[path = "attack_matrix/assessments.rs"]
mod assessments;
#[path = "attack_matrix/authority.rs"]
mod authority;
#[path = "attack_matrix/bodies.rs"]
mod bodies;
#[path = "attack_matrix/caller.rs"]
mod caller;
#[path = "attack_matrix/decisions.rs"]
mod decisions;
#[path = "attack_matrix/filing.rs"]
mod filing;
#[path = "attack_matrix/fixtures.rs"]
mod fixtures;
#[path = "attack_matrix/held.rs"]
mod held;
#[path = "attack_matrix/inspections.rs"]
mod inspections;
#[path = "attack_matrix/later.rs"]
mod later;
#[path = "attack_matrix/prove.rs"]
mod prove;
#[path = "attack_matrix/races.rs"]
mod races;
#[path = "attack_matrix/roles.rs"]
mod roles;
#[path = "attack_matrix/row.rs"]
mod row;
#[path = "attack_matrix/send.rs"]
mod send;
#[path = "attack_matrix/statements.rs"]
mod statements;
#[path = "attack_matrix/target.rs"]
mod target;
#[path = "attack_matrix/tenants.rs"]
mod tenants;
#[path = "attack_matrix/volumes.rs"]
mod volumes;
#[path = "attack_matrix/workloads.rs"]
mod workloads;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Result, bail, ensure};
use e2e::cluster::Setup;
use e2e::suite::{self, Context};
use futures::{StreamExt, stream};
use tokio::sync::OnceCell;

use row::{Row, Verdict};
use send::{Answer, Mode, Sender};

/// Number of requests under way at once.
const AT_ONCE: usize = 8;

/// Least number of rows.
const AT_LEAST: usize = 150;

static FIXTURES: OnceCell<Arc<Sender>> = OnceCell::const_new();

fn main() -> ExitCode {
    let mut tests = e2e::tests![
        every_request_is_allowed_or_denied_as_expected,
        decision_on_a_stale_generation_is_denied,
        concurrent_decisions_count_once,
        approved_record_cannot_be_replaced,
        decision_cannot_be_replayed_on_a_recreated_record,
        decision_and_concurrent_change_do_not_mix,
        without_mutating_policies_clients_stamp,
        a_stamp_that_a_client_leaves_out_is_kept,
        authorised_exit_is_allowed,
        a_deleted_filing_namespace_comes_back,
        shipped_roles_grant_documented_rights,
    ];
    if std::env::var_os("GOVCLOUD_PROVE_RULES").is_some() {
        tests = prove::tests();
    }
    suite::main(Setup::Installed, tests)
}

/// The fixtures, set once for all tests of this binary.
pub async fn fixtures_of(context: &Context) -> Result<Arc<Sender>> {
    let set = || async { fixtures::set(&context.cluster).await.map(Arc::new) };
    FIXTURES.get_or_try_init(set).await.cloned()
}

/// All rows.
pub fn rows() -> Vec<Row> {
    let rooms = [
        decisions::rows(),
        filing::rows(),
        held::rows(),
        later::rows(),
        inspections::rows(),
        authority::rows(),
        tenants::rows(),
        volumes::rows(),
        workloads::rows(),
        statements::rows(),
        assessments::rows(),
        adoption::rows(),
    ];
    rooms.into_iter().flatten().collect()
}

async fn every_request_is_allowed_or_denied_as_expected(context: Context) -> Result<()> {
    let sender = fixtures_of(&context).await?;
    let rows = rows();
    let allowed = rows.iter().filter(|row| !matches!(row.verdict, Verdict::Denied(_))).count();
    println!(
        "attack matrix: {} rows, {} to be refused and {allowed} to go through",
        rows.len(),
        rows.len() - allowed
    );
    ensure!(rows.len() >= AT_LEAST, "only {} rows", rows.len());
    let count = rows.len();
    let wrong: Vec<String> = stream::iter(rows)
        .map(|row| {
            let sender = sender.clone();
            async move { check(&sender, &row).await }
        })
        .buffer_unordered(AT_ONCE)
        .filter_map(|outcome| async { outcome.err().map(|error| format!("{error:#}")) })
        .collect()
        .await;
    if !wrong.is_empty() {
        bail!("{} of {count} rows:\n{}", wrong.len(), wrong.join("\n"));
    }
    Ok(())
}

async fn check(sender: &Sender, row: &Row) -> Result<()> {
    let answer = sender.send(row.who, &row.ask, Mode::DryRun).await?;
    match (&row.verdict, &answer) {
        (Verdict::Allowed, Answer::Done(_)) => Ok(()),
        (Verdict::Stamped(key, whose), Answer::Done(object))
            if object["metadata"]["annotations"][format!("govcloud.dev/{key}")] == whose.user() =>
        {
            Ok(())
        }
        // If two policies refuse, either may be the one in the answer; some rules are the schema's own.
        (Verdict::Denied(words), Answer::Refused(message) | Answer::Invalid(message))
            if words.split(" | ").any(|w| message.contains(w)) =>
        {
            Ok(())
        }
        (expected, Answer::Done(_)) => {
            bail!("{:?} {}: expected {expected:?}, and it went through", row.who, row.ask)
        }
        (expected, answer) => bail!("{:?} {}: expected {expected:?}, got {answer:?}", row.who, row.ask),
    }
}

use races::{
    a_deleted_filing_namespace_comes_back, a_stamp_that_a_client_leaves_out_is_kept,
    approved_record_cannot_be_replaced, authorised_exit_is_allowed, concurrent_decisions_count_once,
    decision_and_concurrent_change_do_not_mix, decision_cannot_be_replayed_on_a_recreated_record,
    decision_on_a_stale_generation_is_denied, without_mutating_policies_clients_stamp,
};
use roles::shipped_roles_grant_documented_rights;
