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

use operations::the_commands_of_the_operations_page_work;
use page::{argo_cds_settings_are_added_to_its_own, what_the_page_shows_is_accepted};
use pipelines::{pruning_what_lives_is_refused, two_pipelines_never_fight_the_operator};

fn main() -> ExitCode {
    suite::main(
        Setup::Operating,
        e2e::tests![
            two_pipelines_never_fight_the_operator,
            pruning_what_lives_is_refused,
            what_the_page_shows_is_accepted,
            argo_cds_settings_are_added_to_its_own,
            the_commands_of_the_operations_page_work,
        ],
    )
}
