//! How long one decision of the autoscaler takes, in an optimised build: ten thousand nodes, a
//! hundred thousand jobs that wait. More than 50 ms is an error.
//!
//!     cargo bench --no-default-features --bench decision

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods)]

#[path = "../tests/it/fleet/speed.rs"]
mod speed;

use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    let took = speed::time(10_000, 100_000);
    println!("one decision, 10,000 nodes, 100,000 jobs: {:.1} ms", took.as_secs_f64() * 1e3);
    // Cargo compiles it for `--all-targets` without optimising, too; nobody measures that.
    let most = Duration::from_millis(50) * if cfg!(debug_assertions) { 10 } else { 1 };
    if took < most { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
