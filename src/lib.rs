//! mlinfra: GPU training clusters and storage on AWS, declared in HCL.
pub mod apply;
pub mod cloud;
pub mod kinds;
pub mod lang;
pub mod model;
pub mod show;
