//! Floor 3: evaluated blocks and facts to specs. The expert defaults live here.

mod desired;

pub use desired::{Desired, Fleet};
