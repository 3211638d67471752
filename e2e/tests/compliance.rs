//! Compliance records (Art. 17, 18, 21, 22, 24) and inspections (Art. 25) on a real control plane: their whole lives, and
//! each refusal by its message.

use std::process::ExitCode;

use e2e::cluster::Setup;
use e2e::suite;

#[path = "compliance/documents.rs"]
mod documents;
#[path = "compliance/fixture.rs"]
mod fixture;
#[path = "compliance/inspections.rs"]
mod inspections;

use documents::{
    art_17_the_provider_files_for_the_platform, art_22_the_department_files_for_its_application,
};
use inspections::{art_25_an_inspection_from_findings_to_its_end, art_25_the_provider_is_inspected};

fn main() -> ExitCode {
    suite::main(
        Setup::Operating,
        e2e::tests![
            art_17_the_provider_files_for_the_platform,
            art_22_the_department_files_for_its_application,
            art_25_an_inspection_from_findings_to_its_end,
            art_25_the_provider_is_inspected,
        ],
    )
}
