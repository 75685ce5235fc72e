//! mlinfra: GPU training clusters and storage on AWS, declared in HCL.
pub mod lang;
pub mod model;
pub mod show;
