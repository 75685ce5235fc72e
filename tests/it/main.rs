//! One integration binary: every room's promises, and the wire.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[cfg(feature = "aws")]
mod aws_bucket;
mod contract;
mod contract_cases;
mod contract_sim;
mod crash;
mod lab;
mod ledger;
#[cfg(feature = "aws")]
mod moto;
mod process;
mod sample;
mod walks;
