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

use filing::an_application_that_cannot_be_is_told_why;
use later::what_comes_later_in_life_is_told_why;
use malformed::a_record_that_no_longer_fits_holds_nobody_else_up;
use places::a_region_or_a_name_that_cannot_be_is_told_why;

fn main() -> ExitCode {
    suite::main(
        Setup::Operating,
        e2e::tests![
            a_record_that_no_longer_fits_holds_nobody_else_up,
            an_application_that_cannot_be_is_told_why,
            a_region_or_a_name_that_cannot_be_is_told_why,
            what_comes_later_in_life_is_told_why,
        ],
    )
}
