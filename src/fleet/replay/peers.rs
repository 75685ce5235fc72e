//! The policies that ours is compared with, by the defaults that they document. They are
//! our reading of these, not the products.

use std::fmt;
use std::str::FromStr;

use super::adaptive::Adaptive;
use super::depth::Depth;
use super::outcome::Outcome;
use super::rule::{Rule, Spare};
use super::run::{self, Policy};
use super::series::Series;
use super::trace::Job;
use super::world::Setting;

/// A policy to compare with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Nodes without a boot, ended as soon as they are empty: what no cloud has.
    Reference,
    /// Consolidation as soon as a node is empty.
    Karpenter,
    /// Five idle minutes, and no more than doubling.
    Ray,
    /// Ten idle minutes.
    ClusterAutoscaler,
    /// Ten idle minutes, a decision each half minute.
    ParallelCluster,
    /// Twenty idle minutes.
    Determined,
    /// Three idle days.
    Dstack,
    /// So many idle minutes.
    Idle(u32),
    /// So many nodes to spare.
    Spare(u32),
    /// Nodes to spare for so many percent of a day's arrivals.
    Adaptive(u32),
    /// Nodes by the number of jobs, so many on each; only empty ones go.
    Keda(u32),
    /// The same, and any node may go.
    Hpa(u32),
    /// So many nodes, all the time; 0 for as many as the reference has at its peak.
    Static(u32),
}

/// Peers without a number, and with the one that they have when none is written.
const NAMED: [(&str, Peer); 13] = [
    ("reference", Peer::Reference),
    ("karpenter", Peer::Karpenter),
    ("ray", Peer::Ray),
    ("cluster-autoscaler", Peer::ClusterAutoscaler),
    ("parallelcluster", Peer::ParallelCluster),
    ("determined", Peer::Determined),
    ("dstack", Peer::Dstack),
    ("idle", Peer::Idle(60)),
    ("spare", Peer::Spare(1)),
    ("adaptive", Peer::Adaptive(95)),
    ("keda", Peer::Keda(4)),
    ("hpa", Peer::Hpa(4)),
    ("static", Peer::Static(0)),
];

/// More of anything is a mistake.
const MOST: u32 = 100_000;

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let alike = |one: &Peer| std::mem::discriminant(one) == std::mem::discriminant(self);
        let name = NAMED.iter().find(|(_, peer)| alike(peer)).map_or("", |(name, _)| name);
        match self {
            Self::Reference
            | Self::Karpenter
            | Self::Ray
            | Self::ClusterAutoscaler
            | Self::ParallelCluster
            | Self::Determined
            | Self::Dstack
            | Self::Static(0) => write!(f, "{name}"),
            Self::Idle(number)
            | Self::Spare(number)
            | Self::Adaptive(number)
            | Self::Keda(number)
            | Self::Hpa(number)
            | Self::Static(number) => write!(f, "{name}={number}"),
        }
    }
}

impl FromStr for Peer {
    type Err = String;

    /// `karpenter`, `spare=2`
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, number) = match text.split_once('=') {
            Some((name, number)) => (name, Some(number)),
            None => (text, None),
        };
        let found = NAMED.iter().find(|(known, _)| *known == name).map(|(_, peer)| *peer);
        let peer = found.ok_or_else(|| {
            let all: Vec<&str> = NAMED.iter().map(|(name, _)| *name).collect();
            format!("there is no policy {name:?}; there are ours, all, {}", all.join(", "))
        })?;
        let Some(number) = number else { return Ok(peer) };
        let number = number.parse().ok().filter(|number| (1..=MOST).contains(number));
        let number = number.ok_or_else(|| format!("{text:?} has no number from 1 to {MOST}"))?;
        match peer {
            Self::Reference
            | Self::Karpenter
            | Self::Ray
            | Self::ClusterAutoscaler
            | Self::ParallelCluster
            | Self::Determined
            | Self::Dstack => Err(format!("{name} takes no number")),
            Self::Adaptive(_) if number > 100 => Err(format!("{text:?} is more than 100 percent")),
            Self::Adaptive(_) => Ok(Self::Adaptive(number)),
            Self::Idle(_) => Ok(Self::Idle(number)),
            Self::Spare(_) => Ok(Self::Spare(number)),
            Self::Keda(_) => Ok(Self::Keda(number)),
            Self::Hpa(_) => Ok(Self::Hpa(number)),
            Self::Static(_) => Ok(Self::Static(number)),
        }
    }
}

impl Peer {
    /// Those that every comparison shows.
    pub const USUAL: [Self; 6] = [
        Self::Karpenter,
        Self::ClusterAutoscaler,
        Self::Ray,
        Self::Spare(1),
        Self::Keda(4),
        Self::Static(0),
    ];

    /// All of them, with the numbers that the comparison in the README has.
    pub const ALL: [Self; 17] = [
        Self::Karpenter,
        Self::Ray,
        Self::ClusterAutoscaler,
        Self::ParallelCluster,
        Self::Determined,
        Self::Dstack,
        Self::Idle(60),
        Self::Spare(1),
        Self::Spare(2),
        Self::Spare(4),
        Self::Spare(8),
        Self::Adaptive(90),
        Self::Adaptive(95),
        Self::Keda(4),
        Self::Keda(1),
        Self::Hpa(4),
        Self::Static(0),
    ];

    /// Replays under it.
    pub fn replay(self, setting: &Setting, jobs: &[Job]) -> Replay {
        match self {
            Self::Reference => replay(&setting.ideal(), jobs, &mut Rule::new(1, 0, 0)),
            Self::Static(0) => {
                let peak = Self::Reference.replay(setting, jobs).outcome.nodes_max;
                Self::Static(peak).replay(setting, jobs)
            }
            Self::Keda(target) => replay(setting, jobs, &mut Depth::new(target, false)),
            Self::Hpa(target) => replay(setting, jobs, &mut Depth::new(target, true)),
            Self::Karpenter
            | Self::Ray
            | Self::ClusterAutoscaler
            | Self::ParallelCluster
            | Self::Determined
            | Self::Dstack
            | Self::Idle(_)
            | Self::Spare(_)
            | Self::Adaptive(_)
            | Self::Static(_) => replay(setting, jobs, &mut self.rule(setting.boot)),
        }
    }

    fn rule(self, boot: i64) -> Rule {
        let spare = |spare: Spare| Rule { spare: Some(spare), ..Rule::new(5, 120, 60) };
        match self {
            Self::Reference | Self::Keda(_) | Self::Hpa(_) => Rule::new(1, 0, 0),
            Self::Karpenter => Rule::new(10, 0, 60),
            Self::Ray => Rule { rate: Some(1.0), ..Rule::new(5, 300, 300) },
            Self::ClusterAutoscaler => Rule::new(10, 600, 0),
            Self::ParallelCluster => Rule::new(30, 600, 0),
            Self::Determined => Rule::new(10, 1_200, 0),
            Self::Dstack => Rule::new(10, 259_200, 0),
            Self::Idle(minutes) => Rule::new(10, i64::from(minutes) * 60, 0),
            Self::Spare(nodes) => spare(Spare::Fixed(nodes)),
            Self::Adaptive(percent) => {
                spare(Spare::Learned(Adaptive::new(f64::from(percent) / 100.0, boot)))
            }
            Self::Static(nodes) => Rule { fixed: nodes, ..Rule::new(10, 0, 0) },
        }
    }
}

/// What came of a replay, in sum and over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    /// In sum.
    pub outcome: Outcome,
    /// Over time.
    pub series: Series,
}

pub(super) fn replay(setting: &Setting, jobs: &[Job], policy: &mut dyn Policy) -> Replay {
    let mut series = Series::default();
    let world = run::run(setting, jobs, policy, &mut |world| series.see(world));
    series.close(&world);
    Replay { outcome: Outcome::of(&world), series }
}
