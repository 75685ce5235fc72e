//! The integration tests: one binary, so that everything is linked once.

mod contract;
mod contract_cases;
mod contract_sim;
mod crash;
mod lab;
mod sample;
