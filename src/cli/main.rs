//! `kubectl govcloud`: found by kubectl on the PATH. All of it is in [`govcloud_cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    govcloud_cli::main()
}
