//! SQS queue.

use serde::{Deserialize, Serialize};

use super::{Budget, Home, Idempotence, Kind, Tags, Traits};
use crate::model::{CloudId, Link, QueueArn, Text};

/// A queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    /// Its name; a FIFO queue's ends in `.fifo`.
    pub name: String,
    /// First in, first out, exactly once.
    pub fifo: bool,
    /// Seconds for which a received message stays hidden.
    pub visibility_timeout: u32,
    /// Seconds for which a message is kept.
    pub retention: u32,
    /// Seconds that a receive call waits for a message.
    pub receive_wait: u32,
    /// Encrypted with a key that SQS manages.
    pub encrypted: bool,
    /// Where a message goes that was received too often.
    pub dead_letter: Option<DeadLetter>,
    /// The queue policy, as canonical JSON.
    pub policy: Option<Text>,
    /// Tags.
    pub tags: Tags,
}

/// Where undeliverable messages go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeadLetter {
    /// The other queue.
    pub queue: Link<QueueArn>,
    /// How often a message may be received.
    pub max_receives: u32,
}

impl Kind for Queue {
    const TRAITS: Traits = Traits {
        title: "queue",
        in_place: &[
            "visibility_timeout",
            "retention",
            "receive_wait",
            "encrypted",
            "dead_letter",
            "policy",
            "tags",
        ],
        idempotence: Idempotence::Name,
        // Attributes and tags.
        budget: Budget { list: 1, detail: 2 },
        ..Traits::COMMON
    };

    fn computed_id(&self, home: &Home) -> Option<CloudId> {
        Some(CloudId(home.arn("sqs", &self.name)))
    }

    fn claim(&self) -> Option<String> {
        Some(format!("queue {}", self.name))
    }
}
