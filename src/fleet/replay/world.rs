//! What a replay simulates: nodes with free accelerators, jobs that wait in lines or run,
//! and the events between them. Policies look at it through its questions and act on it
//! with `launch` and `end`; placing jobs is not theirs.
//!
//! Placement is what a scheduler does that packs: a job that shares a node goes where the
//! fewest accelerators are left over, a gang takes whole nodes, all at once. Jobs wait in
//! one line for each size, and any line's head may start that fits (backfill).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use super::faults::Faults;
use super::market::Market;
use super::trace::Job;

/// What the replay is of.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Accelerators of a node.
    pub gpus: u32,
    /// No more nodes than that live at once.
    pub max_nodes: u32,
    /// From the request of a node to its first job, in milliseconds.
    pub boot: i64,
    /// What goes wrong.
    pub faults: Faults,
    /// Spot capacity; without a trace all nodes are on demand.
    pub market: Market,
}

impl Setting {
    /// The same nodes without a boot, in a world where nothing goes wrong.
    pub fn ideal(&self) -> Self {
        let (faults, market) = (Faults::default(), Market::default());
        Self { boot: 0, faults, market, ..self.clone() }
    }
}

/// What happens at a moment. In order of insertion among those of the same moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    /// A job is done, unless it was started anew in between.
    End { job: usize, start: u32 },
    /// A node has booted.
    Ready { node: usize },
    /// A node was left empty long enough, if it is since that moment.
    Idle { node: usize, since: i64 },
    /// The policy's turn.
    Tick,
    /// The policy's other turn, at its own rhythm.
    Beat,
    /// A boot comes to nothing.
    Dead { node: usize },
    /// Hardware is lost.
    Lost { node: usize },
    /// The supply of spot capacity changes to entry `at` of its trace.
    Supply { at: usize },
}

/// Where a node is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Asked for, not yet there.
    Booting,
    /// Takes jobs.
    Running,
    /// Ended.
    Gone,
}

/// A node.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub stage: Stage,
    /// When it was asked for: it is paid from then on.
    pub asked: i64,
    /// Accelerators without a job.
    pub free: u32,
    /// Since when it holds no job; means nothing while it holds one.
    pub empty: i64,
    /// The jobs on it.
    pub jobs: Vec<usize>,
    /// From the spot market.
    pub spot: bool,
    /// It takes no more jobs.
    pub closed: bool,
    /// Its place in the bucket of its free accelerators.
    pub seat: u64,
}

/// Jobs of one size and priority, first come, first served.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// (lower goes first, accelerators, nodes)
    pub key: (i64, u32, u32),
    pub jobs: VecDeque<usize>,
}

/// What is known of a job's run.
#[derive(Clone, Debug, Default)]
pub(super) struct Run {
    /// How often it was started.
    pub starts: u32,
    pub running: bool,
    pub started: i64,
    /// The nodes it is on.
    pub nodes: Vec<usize>,
}

/// What is counted.
#[derive(Clone, Debug, Default)]
pub struct Count {
    /// Node-milliseconds that were paid.
    pub paid: i64,
    /// Of these on the spot market.
    pub paid_spot: i64,
    /// Accelerator-milliseconds in which jobs ran, those lost with a node included.
    pub used: i64,
    /// Accelerator-milliseconds of work that was lost with a node.
    pub wasted: i64,
    /// Waits in milliseconds, one for each start.
    pub waits: Vec<i64>,
    /// Of these the waits of jobs on more than one node.
    pub gang_waits: Vec<i64>,
    /// Nodes asked for.
    pub launches: u64,
    /// Jobs that the policy ended.
    pub kills: u64,
    /// Jobs that a fault ended; they start anew.
    pub restarts: u64,
    /// Launches that came to nothing, and nodes that were lost or taken back.
    pub faults: u64,
    /// Jobs that ran to their end.
    pub done: usize,
    /// The most nodes that lived at once.
    pub peak: u32,
    /// The policy's turns.
    pub turns: u64,
    /// Things that must never happen, and what they were (the first of each kind).
    pub broken: BTreeMap<&'static str, u64>,
}

/// The simulated world.
pub struct World<'a> {
    pub(super) setting: &'a Setting,
    pub(super) jobs: &'a [Job],
    pub(super) now: i64,
    heap: BinaryHeap<Reverse<(i64, u64, Event)>>,
    inserted: u64,
    /// Launches that were tried.
    pub(super) asked: u64,
    /// Sum of the moments at which the nodes that live were asked for.
    pub(super) asked_sum: i64,
    pub(super) nodes: Vec<Node>,
    /// Running nodes by free accelerators, in the order in which they came to have so many.
    pub(super) buckets: Vec<BTreeMap<u64, usize>>,
    pub(super) seats: u64,
    pub(super) booting: u32,
    /// Nodes that have booted and have not ended.
    pub(super) there: u32,
    pub(super) lines: Vec<Line>,
    pub(super) waiting: usize,
    /// Nodes that waiting gangs take, and accelerators that other waiting jobs take.
    pub(super) gang_nodes: u32,
    pub(super) small_gpus: u32,
    pub(super) runs: Vec<Run>,
    pub(super) running: usize,
    /// Spot nodes that may live now.
    pub(super) supply: Option<u32>,
    pub(super) spot_nodes: u32,
    pub(super) count: Count,
    /// Nodes that this event left without a job.
    pub(super) emptied: Vec<usize>,
}

impl<'a> World<'a> {
    /// Nothing yet, at the time of the first job.
    pub fn new(setting: &'a Setting, jobs: &'a [Job]) -> Self {
        Self {
            setting,
            jobs,
            now: 0,
            heap: BinaryHeap::new(),
            inserted: 0,
            asked: 0,
            asked_sum: 0,
            nodes: Vec::new(),
            buckets: vec![BTreeMap::new(); setting.gpus as usize + 1],
            seats: 0,
            booting: 0,
            there: 0,
            lines: Vec::new(),
            waiting: 0,
            gang_nodes: 0,
            small_gpus: 0,
            runs: vec![Run::default(); jobs.len()],
            running: 0,
            supply: None,
            spot_nodes: 0,
            count: Count::default(),
            emptied: Vec::new(),
        }
    }

    // ---- time -----------------------------------------------------------------------

    /// Lets something happen later.
    pub(super) fn at(&mut self, time: i64, event: Event) {
        self.inserted += 1;
        self.heap.push(Reverse((time, self.inserted, event)));
    }

    /// When the next event is.
    pub(super) fn next_at(&self) -> Option<i64> {
        self.heap.peek().map(|Reverse((time, ..))| *time)
    }

    /// Takes the next event, and the time with it.
    pub(super) fn take(&mut self) -> Option<Event> {
        let Reverse((time, _, event)) = self.heap.pop()?;
        self.now = time;
        Some(event)
    }

    // ---- questions ------------------------------------------------------------------

    /// Nodes that live: they boot or run.
    pub(super) fn living(&self) -> u32 {
        self.booting + self.running_nodes()
    }

    /// Nodes that run.
    pub(super) fn running_nodes(&self) -> u32 {
        self.there
    }

    /// Running nodes without a job, the one that is so for the longest first.
    pub(super) fn empty(&self) -> impl DoubleEndedIterator<Item = usize> + '_ {
        self.buckets[self.setting.gpus as usize].values().copied()
    }

    /// How many running nodes hold no job.
    pub(super) fn empty_count(&self) -> u32 {
        self.buckets[self.setting.gpus as usize].len() as u32
    }

    /// Free accelerators of nodes that hold a job.
    pub(super) fn fragments(&self) -> u32 {
        let partly = self.buckets.iter().enumerate().take(self.setting.gpus as usize);
        partly.map(|(free, bucket)| free as u32 * bucket.len() as u32).sum()
    }

    /// Nodes that what waits would fill.
    pub(super) fn wanted(&self) -> u32 {
        self.gang_nodes + self.small_gpus.div_ceil(self.setting.gpus)
    }

    /// Node-milliseconds that were paid up to now.
    pub(super) fn paid(&self) -> i64 {
        self.count.paid + i64::from(self.living()) * self.now - self.asked_sum
    }
}
