//! Bad input: each with a clear message, in both languages where it is ours, and nothing lost.

use std::process::ExitCode;

use e2e::cluster::Setup;
use e2e::suite;

#[path = "bad_input/filing.rs"]
mod filing;
#[path = "bad_input/later.rs"]
mod later;
#[path = "bad_input/malformed.rs"]
mod malformed;
#[path = "bad_input/places.rs"]
mod places;
#[path = "bad_input/table.rs"]
mod table;

use filing::invalid_application_is_reported;
use later::invalid_later_request_is_reported;
use malformed::malformed_record_delays_no_other;
use places::unusable_region_or_name_is_reported;

fn main() -> ExitCode {
    suite::main(
        Setup::Operating,
        e2e::tests![
            malformed_record_delays_no_other,
            invalid_application_is_reported,
            unusable_region_or_name_is_reported,
            invalid_later_request_is_reported,
        ],
    )
}
