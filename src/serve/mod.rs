//! Floor 8: what runs for as long as its machine does.

pub mod autoscale;
pub mod node;
