//! Nothing happens by absence (design, section 7, S3): whatever is removed, lost or put back, namespaces, volumes and the
//! bytes in them stand; and what comes back goes on where it was, or waits for a decision that names what it takes back.

use std::process::ExitCode;

use e2e::cluster::Setup;
use e2e::suite;

mod absence {
    pub mod definitions;
    pub mod fixture;
    pub mod operator;
    pub mod record;
    pub mod snapshot;
    pub mod volume;
}

use absence::definitions::removing_crds_destroys_nothing;
use absence::operator::removing_operator_rights_and_policies_destroys_nothing;
use absence::record::lost_record_is_refiled_and_reattached;
use absence::snapshot::etcd_restore_destroys_nothing;
use absence::volume::volume_is_retained_from_first_sight;

fn main() -> ExitCode {
    let tests = e2e::tests![
        removing_operator_rights_and_policies_destroys_nothing,
        lost_record_is_refiled_and_reattached,
        removing_crds_destroys_nothing,
        etcd_restore_destroys_nothing,
        volume_is_retained_from_first_sight,
    ];
    suite::main(Setup::Bare, tests)
}
