//! mlinfra: GPU training clusters and storage on AWS, declared in HCL.

pub mod apply;
#[cfg(feature = "aws")]
pub mod aws;
pub mod catalog;
pub mod cli;
pub mod cloud;
pub mod kinds;
pub mod lang;
pub mod ledger;
pub mod model;
pub mod plan;
pub mod show;
pub mod sim;
pub mod stack;
