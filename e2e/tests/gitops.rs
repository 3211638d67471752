//! Pipelines beside the operator: nobody fights, nothing that lives is pruned, and what `docs/gitops.md` shows works.

use std::process::ExitCode;

use e2e::cluster::Setup;
use e2e::suite;

#[path = "gitops/operations.rs"]
mod operations;
#[path = "gitops/page.rs"]
mod page;
#[path = "gitops/pipelines.rs"]
mod pipelines;

use operations::documented_operations_work;
use page::{argo_cd_settings_merge, documented_manifests_are_accepted};
use pipelines::{pruning_live_records_is_refused, two_pipelines_never_fight_the_operator};

fn main() -> ExitCode {
    suite::main(
        Setup::Operating,
        e2e::tests![
            two_pipelines_never_fight_the_operator,
            pruning_live_records_is_refused,
            documented_manifests_are_accepted,
            argo_cd_settings_merge,
            documented_operations_work,
        ],
    )
}
