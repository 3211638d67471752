//! Binary of the plugin `kubectl govcloud`. The code is in [`govcloud_cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    govcloud_cli::main()
}
