//! Floor 5: how much work there is, as queues and engines tell it.
//!
//! One file per kind of source, with a row in `table.rs`; its block's table stands in
//! `stack::autoscale`. A source is asked for all it knows each time and remembers nothing:
//! [`Sources`] remembers, and says how old what it has is. Nothing here takes anything from a
//! queue. Credentials come from the environment or from files, cannot be shown, and never stand
//! in what is said of a failure.

mod answer;
#[cfg(feature = "http")]
mod get;
#[cfg(feature = "http")]
mod http;
#[cfg(any(feature = "redis", test))]
mod lag;
#[cfg(feature = "postgres")]
mod postgres;
mod process;
mod program;
#[cfg(feature = "http")]
mod prometheus;
#[cfg(any(feature = "http", test))]
mod promql;
#[cfg(feature = "redis")]
mod redis;
#[cfg(any(feature = "postgres", test))]
mod rows;
#[cfg_attr(not(feature = "tls"), allow(dead_code))]
mod secret;
mod slurm;
mod sources;
mod sqs;
#[cfg(feature = "aws")]
mod sqs_aws;
mod sqs_port;
mod squeue;
mod table;
#[cfg(feature = "tls")]
mod tls;
mod trouble;
mod wanted;
mod work;

pub use sources::{Answer, Report, Sources};
#[cfg(feature = "aws")]
pub use sqs_aws::AwsQueues;
pub use sqs_port::{Depth, Queues};
pub use table::open;
pub use trouble::{Trouble, What};
pub use wanted::{Source, World};
pub use work::{Bounds, Reading};
