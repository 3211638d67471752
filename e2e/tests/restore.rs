//! docs/restore.md as it is written: records are lost, come back from Git and from a Velero backup, and are taken back by
//! the authority; volumes come back with their data. What the shipped modifier does to an object before Velero creates it
//! is done by Velero's own code (e2e/velero).

use std::process::ExitCode;
use std::time::Duration;

use e2e::cluster::Setup;
use e2e::suite::{self, Pace};

mod restore {
    pub mod backup;
    pub mod loss;
    pub mod volumes;
    pub mod walk;
}

use restore::backup::velero_restore_is_accepted_and_undecided;
use restore::volumes::velero_restores_volumes_with_their_data;
use restore::walk::documented_restore_works;

/// One at a time: who loses records takes policies away, and nobody may decide meanwhile.
const PACE: Pace = Pace { parallel: 1, patience: Duration::from_secs(420) };

fn main() -> ExitCode {
    // Before any test's time runs: it takes minutes the first time.
    if !std::env::args().any(|a| a == "--list")
        && let Err(error) = restore::backup::build()
    {
        eprintln!("{error:#}");
        return ExitCode::FAILURE;
    }
    let tests = e2e::tests![
        documented_restore_works,
        velero_restore_is_accepted_and_undecided,
        velero_restores_volumes_with_their_data,
    ];
    suite::run_at(Setup::Operating, tests, PACE)
}
