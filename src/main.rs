//! The `mlinfra` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    mlinfra::cli::main()
}
