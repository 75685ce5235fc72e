//! mlinfra: GPU training clusters and storage on AWS, declared in HCL.
#[cfg(feature = "aws")]
pub mod aws;
pub mod catalog;
pub mod cloud;
pub mod kinds;
pub mod lang;
pub mod model;
