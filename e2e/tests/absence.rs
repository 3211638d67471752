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

use absence::definitions::the_definitions_are_removed_with_every_record;
use absence::operator::the_operator_its_rights_and_the_policies_come_and_go;
use absence::record::a_record_is_lost_filed_anew_and_taken_back;
use absence::snapshot::etcd_is_restored_from_an_older_snapshot;
use absence::volume::a_volume_is_kept_from_first_sight;

fn main() -> ExitCode {
    let tests = e2e::tests![
        the_operator_its_rights_and_the_policies_come_and_go,
        a_record_is_lost_filed_anew_and_taken_back,
        the_definitions_are_removed_with_every_record,
        etcd_is_restored_from_an_older_snapshot,
        a_volume_is_kept_from_first_sight,
    ];
    suite::main(Setup::Bare, tests)
}
