//! `kubectl govcloud`: found by kubectl on the PATH. All of it is in [`govcloud::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    govcloud::cli::main()
}
