//! Floor 7: everything that people and tools read, drawn from plain data.

pub mod problem;
