//! Whole lives on a real control plane, from application to certificate, with real files in the volumes.

use std::process::ExitCode;

use e2e::cluster::Setup;
use e2e::suite;

#[path = "life/city.rs"]
mod city;
#[path = "life/filing.rs"]
mod filing;
#[path = "life/province.rs"]
mod province;
#[path = "life/tenant.rs"]
mod tenant;

use city::city_authority_decides_its_own_lifecycle;
use filing::s3_a_filing_namespace_with_open_records_is_not_deleted;
use province::lifecycle_from_application_to_certificate;

fn main() -> ExitCode {
    suite::main(
        Setup::Operating,
        e2e::tests![
            lifecycle_from_application_to_certificate,
            city_authority_decides_its_own_lifecycle,
            s3_a_filing_namespace_with_open_records_is_not_deleted,
        ],
    )
}
