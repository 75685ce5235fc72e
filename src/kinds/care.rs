//! What is done about nodes that do not come up, or fall ill.

use serde::{Deserialize, Serialize};

/// Times are seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Care {
    /// How long a node may take from its launch until it can serve; 0 where it is enough that
    /// its machine runs, because something else asks how it is.
    pub boot: u32,
    /// How long one that has failed is kept to be looked at.
    pub quarantine: u32,
    /// How many are kept at once.
    pub keep: u32,
}

impl Care {
    /// How often nodes that failed are made up for in one launch. Numbers of launches are
    /// kept free for as many.
    pub const ROUNDS: u32 = 6;
}

impl Care {
    /// Of machines that others look after.
    pub const NONE: Self = Self { boot: 0, quarantine: 0, keep: 0 };
}

impl Default for Care {
    /// A boot takes minutes, and Karpenter gives up on a node that has not registered within
    /// fifteen of them
    /// (<https://karpenter.sh/docs/concepts/disruption/>). An hour is enough for a person who
    /// is told to log in and look, and costs as much as one node does in an hour; two nodes show
    /// whether it was the machine or the set-up, and more of them show nothing else.
    fn default() -> Self {
        Self { boot: 900, quarantine: 3600, keep: 2 }
    }
}
