//! The autoscaler: looks at clusters again and again, decides, and does what follows.
//!
//! It keeps nothing that it could not lose: what was decided stands in each fleet's own ledger,
//! what is there in the cloud, what waits in the queues. It may die at any time, and two may run
//! by mistake.

mod care;
mod exposition;
mod glance;
mod ground;
mod hear;
mod histogram;
pub mod http;
mod kept;
mod labels;
mod meters;
mod metrics;
mod orders;
mod purse;
mod queues;
mod record;
mod service;
mod signs;
mod status;
#[cfg(test)]
mod testing;
mod tick;
mod view;

pub use glance::Glance;
pub use ground::{Ground, Missing};
pub use kept::{Kept, Pause};
pub use orders::{Orders, orders};
pub use service::{LEADER, Reader, Service, World, once};
pub use signs::{Illness, Signs, Taken as TakenBy, orphans};
pub use status::{Board, ClusterStatus, Counts, Pulse, Sample, Status, Taken};
pub use tick::{Blocked, Cluster, Decide, Eye, Look, SCOPE};
pub use view::{View, Watch};
