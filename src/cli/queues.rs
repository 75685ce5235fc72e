//! Whoever counts the messages of SQS queues: AWS, or the simulated region.

use std::sync::Arc;

use async_trait::async_trait;

use crate::demand::{Depth, Queues, Trouble, What};
use crate::kinds::Spec;
use crate::model::Moment;
use crate::sim::Region;

use super::connect::Side;

impl Side {
    /// Whoever counts them.
    pub fn queues(&self) -> Arc<dyn Queues> {
        match self {
            Self::Sandbox(region) => Arc::new(Simulated(region.clone())),
            #[cfg(feature = "aws")]
            Self::Aws(aws) => Arc::new(crate::demand::AwsQueues::new(aws.sdk())),
        }
    }
}

/// Queues of the simulated region: what `mlinfra sandbox put` has put into them.
struct Simulated(Region);

#[async_trait]
impl Queues for Simulated {
    async fn depth(&self, url: &str) -> Result<Depth, Trouble> {
        let name = url.rsplit('/').next().unwrap_or_default();
        let is_it = |spec: &Spec| matches!(spec, Spec::Queue(queue) if queue.name == name);
        let mut all = self.0.snapshot().into_iter();
        let queue = all.find(|object| is_it(&object.spec) && object.phase.stands());
        match queue {
            Some(queue) => Ok(Depth { visible: queue.contents, ..Depth::default() }),
            None => Err(Trouble::new(What::Answer, format!("there is no queue {name}"))),
        }
    }

    async fn oldest(&self, _url: &str, _now: Moment) -> Result<Option<u64>, Trouble> {
        Ok(None)
    }
}
