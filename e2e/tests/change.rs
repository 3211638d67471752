//! Articles 13, 15 and 18 on a real control plane: work orders by the provider's own hand, adjustments in both modes of
//! fulfilment, and maintenance that nobody learns about too late.
//!
//! The province's region fulfils automatically, the city's by the provider's hand.

use std::process::ExitCode;

use e2e::cluster::Setup;
use e2e::suite;

#[path = "change/adjustment.rs"]
mod adjustment;
#[path = "change/differences.rs"]
mod differences;
#[path = "change/fixture.rs"]
mod fixture;
#[path = "change/maintenance.rs"]
mod maintenance;
#[path = "change/provider_applied.rs"]
mod provider_applied;
#[path = "change/refusals.rs"]
mod refusals;
#[path = "change/window.rs"]
mod window;

use adjustment::{
    a_shrink_below_use_waits_automatic, a_shrink_below_use_waits_provider_applied,
    an_adjustment_disturbs_nothing_automatic, an_adjustment_disturbs_nothing_provider_applied,
};
use differences::every_difference_is_refused_and_nothing_is_made;
use maintenance::{
    a_plan_is_returned_moved_and_approved_or_rejected, maintenance_is_told_to_those_affected_and_nobody_else,
};
use provider_applied::{
    a_grant_before_the_approval_waits, after_the_exit_nothing_is_granted,
    the_work_order_is_published_and_carried_out_as_rendered,
};
use refusals::{
    a_change_is_returned_resubmitted_or_rejected, a_taken_namespace_name_is_not_valid,
    one_open_change_and_none_while_exiting,
};
use window::a_maintenance_by_the_clock;

fn main() -> ExitCode {
    suite::main(
        Setup::Operating,
        e2e::tests![
            the_work_order_is_published_and_carried_out_as_rendered,
            every_difference_is_refused_and_nothing_is_made,
            a_grant_before_the_approval_waits,
            after_the_exit_nothing_is_granted,
            an_adjustment_disturbs_nothing_automatic,
            an_adjustment_disturbs_nothing_provider_applied,
            a_shrink_below_use_waits_automatic,
            a_shrink_below_use_waits_provider_applied,
            one_open_change_and_none_while_exiting,
            a_change_is_returned_resubmitted_or_rejected,
            a_taken_namespace_name_is_not_valid,
            maintenance_is_told_to_those_affected_and_nobody_else,
            a_plan_is_returned_moved_and_approved_or_rejected,
            a_maintenance_by_the_clock,
        ],
    )
}
