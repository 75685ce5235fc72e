//! Floor 2: HCL text to evaluated blocks.

pub mod schema;
