//! The `mlinfra` binary.
fn main() {}
