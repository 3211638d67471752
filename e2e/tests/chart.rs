//! The chart and the kustomization: what they render, what they refuse, and a life with helm on a real control plane.

#[path = "chart/life.rs"]
mod life;
#[path = "chart/render.rs"]
mod render;
#[path = "chart/schemas.rs"]
mod schemas;

use std::process::ExitCode;

use e2e::cluster::Setup;
use e2e::suite;
use life::*;
use render::*;

fn main() -> ExitCode {
    let tests = e2e::tests![
        every_set_of_values_renders_valid_manifests,
        wrong_values_are_refused_with_the_place,
        kustomize_renders_the_same_objects,
        runbook_urls_follow_the_mirror,
        an_older_api_server_gets_no_mutating_policies,
        allowed_mutators_are_in_the_release_record,
        events_token_and_volumes_reach_the_operator,
        install_upgrade_uninstall_reinstall,
    ];
    suite::main(Setup::Bare, tests)
}
