//! The short form of `make bench`.

use std::process::Command;

#[test]
fn the_writes_of_a_provision_are_those_necessary() {
    let status = Command::new(env!("CARGO_BIN_EXE_bench")).arg("smoke").status();
    assert!(status.expect("the bench runs").success());
}
