//! What the author wants of a cluster that is resized: bounds, patience, money, speed.

use serde::{Deserialize, Serialize};

use super::cost::{add, times_of};
use super::id::Seconds;
use crate::model::Money;

/// What a cluster's block says of its size, with all defaults filled in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// The cluster, as its address is written.
    pub cluster: String,
    /// The fewest nodes.
    pub min: u32,
    /// The most nodes, whatever state they are in.
    pub max: u32,
    /// Accelerators of a node, where all offers agree; the most of any where they do not. 0 for
    /// nodes without, each of which takes one job.
    pub gpus: u32,
    /// The nodes of a gang stand in one zone and are of one type.
    pub together: bool,
    /// How long a node stays without work before it goes.
    pub idle_timeout: Seconds,
    /// How long the fleet keeps what was wanted before it becomes smaller: the most of that time
    /// counts, as in Kubernetes' autoscaler
    /// (<https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/>).
    pub stabilisation: Seconds,
    /// The most nodes that may begin to go in one minute, in percent of those that serve, rounded up.
    pub max_down_percent: u32,
    /// In how many decisions in a row nothing at all must be wanted before a demand that fell to
    /// nothing is believed.
    pub zero_confirm: u32,
    /// How much idle capacity is kept for who comes next.
    pub latency_target: LatencyTarget,
    /// How many nodes at least stand ready for who comes next, whatever was learned.
    pub spare: u32,
    /// Bounds that change with the time of day.
    pub schedules: Vec<Schedule>,
    /// The most nodes that may be asked for in one minute.
    pub max_up_per_minute: u32,
    /// What its nodes may cost per hour, all together.
    pub hourly_budget: Option<Money>,
    /// What its nodes may cost in a calendar month, in UTC.
    pub monthly_budget: Option<Money>,
    /// What of the stack's budget is left to its nodes.
    #[serde(default)]
    pub share: Option<Share>,
    /// How long a node takes from the request to its first job, until that has been seen.
    pub boot: Seconds,
    /// What each state may last.
    pub limits: Limits,
    /// How long after a cordon it is looked again whether work has come.
    pub recheck: Seconds,
    /// Nothing is launched or ended: somebody said so.
    pub paused: bool,
}

impl Pool {
    /// The defaults for a cluster of that size.
    pub fn new(cluster: &str, (min, max): (u32, u32), gpus: u32) -> Self {
        Self {
            cluster: cluster.to_owned(),
            min,
            max,
            gpus,
            together: true,
            idle_timeout: Seconds::minutes(3),
            stabilisation: Seconds::minutes(2),
            max_down_percent: 10,
            zero_confirm: 3,
            latency_target: LatencyTarget::BALANCED,
            spare: 0,
            schedules: Vec::new(),
            max_up_per_minute: 1000,
            hourly_budget: None,
            monthly_budget: None,
            share: None,
            boot: Seconds::minutes(5),
            limits: Limits::default(),
            recheck: Seconds(15),
            paused: false,
        }
    }
}

/// A budget that the cluster's nodes share with everything else of their stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// What all of the stack may cost per hour.
    pub budget: Money,
    /// What everything else of it costs per hour, as far as it is known.
    pub elsewhere: Money,
    /// What each node costs per hour beside its own price: its disk.
    pub beside: Money,
}

impl Share {
    /// What all of the stack costs per hour beside that many nodes of such prices together.
    pub fn used(&self, nodes: u32, prices: Money) -> Money {
        let disks = times_of(self.beside, nodes).unwrap_or(self.budget);
        add(self.elsewhere, add(prices, disks))
    }

    /// As much of an amount as is left for nodes' own prices where the cheapest has that one.
    pub(super) fn without_disks(&self, left: Money, least: Option<Money>) -> Money {
        let (beside, left) = (self.beside.dollars(), left.dollars());
        let Some(price) = least.map(Money::dollars) else { return Money::new(left) };
        let share = price.checked_div(price.checked_add(beside).unwrap_or_default());
        Money::new(share.and_then(|share| left.checked_mul(share)).unwrap_or_default())
    }
}

/// How much it is worth that a job need not wait: 0 is the cheapest, 100 the fastest. What each
/// stands for is in `docs/autoscaling-policy.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LatencyTarget(u8);

impl LatencyTarget {
    /// Nothing is kept for who comes next, but what is all but sure to be launched again.
    pub const CHEAPEST: Self = Self(0);
    /// Spare nodes where they are likely to be used, for a tenth of the bill at most.
    pub const BALANCED: Self = Self(50);
    /// Hardly anybody waits.
    pub const FASTEST: Self = Self(100);

    /// That much of a hundred; more counts as a hundred.
    pub fn new(percent: u8) -> Self {
        Self(percent.min(100))
    }

    /// The one that a word or a number from 0 to 100 stands for.
    pub fn read(word: &str) -> Option<Self> {
        match word {
            "cheapest" => Some(Self::CHEAPEST),
            "balanced" => Some(Self::BALANCED),
            "fastest" => Some(Self::FASTEST),
            number => number.parse().ok().filter(|it| *it <= 100).map(Self),
        }
    }

    /// How much of a hundred.
    pub fn percent(self) -> u8 {
        self.0.min(100)
    }
}

/// Bounds from a point in time on, until another schedule has its turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// When, in the five fields of cron.
    pub cron: String,
    /// Where those hours are told, by its IANA name: `Europe/Berlin`.
    pub timezone: String,
    /// For how long; none for until another schedule has its turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Seconds>,
    /// The fewest nodes then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<u32>,
    /// The most nodes then; never more than the cluster's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
}

/// What a state may last before something is done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Asked for, until the cloud names the instance.
    pub requested: Seconds,
    /// Named, until it runs.
    pub pending: Seconds,
    /// Running, until it takes jobs.
    pub booting: Seconds,
    /// Told to go, until it is gone: then it is told again.
    pub terminating: Seconds,
    /// Not heard of: it is suspect, and nothing is decided.
    pub suspect: Seconds,
    /// Not heard of: it is lost, and ended if it has no job that is known to run.
    pub lost: Seconds,
    /// Found bad, and kept for somebody to look at.
    pub quarantined: Seconds,
}

impl Default for Limits {
    /// As the reference has them: 5 + 5 + 30 minutes for images with accelerators and EFA
    /// (ParallelCluster gives 30 in all), 90 s of silence as suspicion and 15 minutes as loss.
    fn default() -> Self {
        Self {
            requested: Seconds::minutes(5),
            pending: Seconds::minutes(5),
            booting: Seconds::minutes(30),
            terminating: Seconds::minutes(5),
            suspect: Seconds(90),
            lost: Seconds::minutes(15),
            quarantined: Seconds::minutes(60),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latency_target_is_a_word_or_a_part_of_a_hundred() {
        let read = LatencyTarget::read;
        assert_eq!(read("balanced"), read("50"));
        assert_eq!(read("cheapest").map(LatencyTarget::percent), Some(0));
        assert_eq!(read("fastest"), Some(LatencyTarget::new(255)));
        for bad in ["", "101", "-1", "5m", "fast"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_pool_survives_json() {
        let pool = Pool::new("cluster.train", (0, 16), 8);
        let json = serde_json::to_string(&pool).expect("JSON");
        assert_eq!(serde_json::from_str::<Pool>(&json).expect("a pool"), pool);
    }
}
