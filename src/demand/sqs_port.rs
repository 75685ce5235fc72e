//! Who counts the messages of SQS queues.

use async_trait::async_trait;

use crate::model::Moment;

use super::trouble::Trouble;

/// How many messages a queue has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// That may be received.
    pub visible: u64,
    /// That become visible later, because they were sent so.
    pub delayed: u64,
    /// That workers have received and not yet deleted.
    pub in_flight: u64,
}

/// Counts the messages of queues: AWS, or the simulated region.
#[async_trait]
pub trait Queues: Send + Sync {
    /// How many messages the queue at a URL has.
    async fn depth(&self, url: &str) -> Result<Depth, Trouble>;

    /// How old the oldest message is, in seconds, as far as that is known.
    async fn oldest(&self, url: &str, now: Moment) -> Result<Option<u64>, Trouble>;
}
