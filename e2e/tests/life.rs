//! Whole lives on a real control plane, from application to certificate, with real files in the volumes.

use std::process::ExitCode;

use e2e::cluster::Setup;
use e2e::suite;

#[path = "life/city.rs"]
mod city;
#[path = "life/province.rs"]
mod province;
#[path = "life/tenant.rs"]
mod tenant;

use city::a_citys_life_is_decided_by_its_own_authority;
use province::a_life_from_application_to_certificate;

fn main() -> ExitCode {
    suite::main(
        Setup::Operating,
        e2e::tests![a_life_from_application_to_certificate, a_citys_life_is_decided_by_its_own_authority],
    )
}
