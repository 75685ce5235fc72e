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
    /// How many may have failed at once and still be replaced.
    #[serde(default)]
    pub max_unhealthy: Share,
}

/// A part of a fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Share {
    /// So many of a hundred of its nodes, rounded up.
    Percent(u32),
    /// So many nodes.
    Nodes(u32),
}

impl Share {
    /// Of a fleet of so many: at least one.
    pub fn of(self, nodes: u32) -> u32 {
        let share = match self {
            Self::Percent(percent) => {
                let share = (u64::from(nodes) * u64::from(percent)).div_ceil(100);
                u32::try_from(share).unwrap_or(u32::MAX)
            }
            Self::Nodes(nodes) => nodes,
        };
        share.max(1)
    }
}

impl Default for Share {
    /// A fifth: when more than that has failed it is hardly the machines. Karpenter repairs no
    /// node of a pool of which more than 20 % are unhealthy
    /// (<https://karpenter.sh/docs/concepts/disruption/#node-auto-repair>).
    fn default() -> Self {
        Self::Percent(20)
    }
}

impl Care {
    /// How often nodes that failed are made up for in one launch. Numbers of launches are
    /// kept free for as many.
    pub const ROUNDS: u32 = 6;
}

impl Care {
    /// Of machines that others look after.
    pub const NONE: Self =
        Self { boot: 0, quarantine: 0, keep: 0, max_unhealthy: Share::Percent(100) };
}

impl Default for Care {
    /// A boot takes minutes, and Karpenter gives up on a node that has not registered within
    /// fifteen of them
    /// (<https://karpenter.sh/docs/concepts/disruption/>). An hour is enough for a person who
    /// is told to log in and look, and costs as much as one node does in an hour; two nodes show
    /// whether it was the machine or the set-up, and more of them show nothing else.
    fn default() -> Self {
        Self { boot: 900, quarantine: 3600, keep: 2, max_unhealthy: Share::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_up_and_at_least_one() {
        for (share, nodes, of) in [
            (Share::Percent(20), 10, 2),
            (Share::Percent(20), 11, 3),
            (Share::Percent(20), 0, 1),
            (Share::Percent(1), 1, 1),
            (Share::Percent(100), u32::MAX, u32::MAX),
            (Share::Nodes(7), 3, 7),
            (Share::Nodes(0), 3, 1),
        ] {
            assert_eq!(share.of(nodes), of, "{share:?} of {nodes}");
        }
        // Plans that were saved before hold none.
        let old: Care =
            serde_json::from_str(r#"{"boot": 1, "quarantine": 2, "keep": 3}"#).expect("it");
        assert_eq!(old.max_unhealthy, Share::Percent(20));
    }
}
