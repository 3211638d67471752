//! docs/restore.md as it is written: records are lost, come back from Git and from a Velero backup, and are taken back by
//! the authority. What Velero does to a record before it creates it is done by Velero's own code (e2e/velero).

use std::process::ExitCode;

use e2e::cluster::Setup;
use e2e::suite;

mod restore {
    pub mod backup;
    pub mod walk;
}

use restore::backup::velero_restore_is_accepted_and_undecided;
use restore::walk::documented_restore_works;

fn main() -> ExitCode {
    // Before any test's time runs: it takes minutes the first time.
    if !std::env::args().any(|a| a == "--list")
        && let Err(error) = restore::backup::build()
    {
        eprintln!("{error:#}");
        return ExitCode::FAILURE;
    }
    let tests = e2e::tests![documented_restore_works, velero_restore_is_accepted_and_undecided];
    suite::main(Setup::Operating, tests)
}
