//! Articles 13, 15 and 18 on a real control plane: work orders by the provider's own hand, adjustments in both modes of
//! fulfilment, and maintenance that nobody learns about too late.
//!
//! The province's region fulfils automatically, the city's by the provider's hand.

use std::process::ExitCode;

use e2e::cluster::Setup;
use e2e::suite;

#[path = "change/access.rs"]
mod access;
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

use access::{access_changes_without_quota_automatic, access_changes_without_quota_provider_applied};
use adjustment::{
    a_key_that_nobody_counts_is_named, a_shrink_below_use_waits_automatic,
    a_shrink_below_use_waits_provider_applied, adjustment_keeps_workloads_automatic,
    adjustment_keeps_workloads_provider_applied, use_of_a_new_key_is_counted_first_automatic,
    use_of_a_new_key_is_counted_first_provider_applied,
};
use differences::every_difference_from_the_approval_is_refused;
use maintenance::{
    maintenance_notifies_only_affected_applications, maintenance_plan_is_returned_moved_and_decided,
};
use provider_applied::{
    grant_after_exit_is_refused, grant_before_approval_waits, work_order_is_published_and_rendered,
};
use refusals::{
    a_change_is_returned_resubmitted_or_rejected, one_open_change_and_none_while_exiting,
    taken_namespace_name_is_invalid,
};
use window::maintenance_window_by_clock;

fn main() -> ExitCode {
    suite::main(
        Setup::Operating,
        e2e::tests![
            work_order_is_published_and_rendered,
            every_difference_from_the_approval_is_refused,
            grant_before_approval_waits,
            grant_after_exit_is_refused,
            adjustment_keeps_workloads_automatic,
            adjustment_keeps_workloads_provider_applied,
            a_shrink_below_use_waits_automatic,
            a_shrink_below_use_waits_provider_applied,
            use_of_a_new_key_is_counted_first_automatic,
            use_of_a_new_key_is_counted_first_provider_applied,
            a_key_that_nobody_counts_is_named,
            access_changes_without_quota_automatic,
            access_changes_without_quota_provider_applied,
            one_open_change_and_none_while_exiting,
            a_change_is_returned_resubmitted_or_rejected,
            taken_namespace_name_is_invalid,
            maintenance_notifies_only_affected_applications,
            maintenance_plan_is_returned_moved_and_decided,
            maintenance_window_by_clock,
        ],
    )
}
