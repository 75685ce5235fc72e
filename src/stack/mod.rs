//! Floor 3: evaluated blocks and facts to specs. The expert defaults live here.
//!
//! One file per block: its table (which checking, `mlinfra schema` and the reference
//! are made from), what can be read from it, and what it becomes.

mod adopt;
mod advice;
mod autoscale;
mod backend;
mod bucket;
mod budget;
mod care;
mod check;
mod cluster;
mod desired;
mod disk;
mod expand;
mod expansion;
mod filesystem;
mod follow;
mod forget;
mod ground;
mod kms;
mod ladder;
mod lookup;
mod machine;
mod mounts;
mod moved;
mod names;
mod need;
mod network;
mod offers;
mod permits;
mod pins;
mod queue;
mod rights;
mod service;
mod size;
mod volume;
mod words;
mod wrong;

pub use autoscale::{Autoscale, Endpoint, Job, Schedule, Source, own_settings};
pub use backend::Backend;
pub use budget::{Budget, Limit};
pub use check::check;
pub use desired::{Adoption, Desired, Fleet, Published, Rejected};
pub use expand::{Config, ask, chosen_names, config, expand, images, not_found, nothing};
pub use forget::forgotten;
pub use moved::Moves;
pub use names::Origins;
pub use permits::{Permits, permits};
pub use pins::Pins;
pub use words::{BLOCKS, Words};
