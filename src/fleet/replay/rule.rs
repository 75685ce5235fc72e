//! The peers' rules: launch at a tick for what waits, end what is empty for long enough,
//! keep some nodes spare. What differs between them are five numbers.

use super::adaptive::Adaptive;
use super::run::Policy;
use super::unit::SECOND;
use super::world::{Event, World};

/// How many empty nodes are kept for what may come.
#[derive(Clone, Debug)]
pub(super) enum Spare {
    /// So many.
    Fixed(u32),
    /// By what came in the last day.
    Learned(Adaptive),
}

/// Such a rule.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    /// Ticks are at multiples of it.
    pub period: i64,
    /// How long a node stays empty.
    pub idle: i64,
    /// How long at least after its boot.
    pub grace: i64,
    /// At most so many times the running nodes are launched at once.
    pub rate: Option<f64>,
    pub spare: Option<Spare>,
    /// Nodes that are there from the first moment, and never end.
    pub fixed: u32,
    pub armed: bool,
}

/// With fewer nodes than that a rate does not slow a start
/// (`python/ray/autoscaler/v2/scheduler.py` of ray-project/ray).
const RATE_FLOOR: u32 = 5;

impl Rule {
    /// In seconds.
    pub fn new(period: i64, idle: i64, grace: i64) -> Self {
        Self {
            period: period * SECOND,
            idle: idle * SECOND,
            grace: grace * SECOND,
            rate: None,
            spare: None,
            fixed: 0,
            armed: false,
        }
    }

    fn head(&self) -> u32 {
        match &self.spare {
            None => 0,
            Some(Spare::Fixed(nodes)) => *nodes,
            Some(Spare::Learned(learned)) => learned.head,
        }
    }

    fn arm(&mut self, world: &mut World) {
        let short = world.empty_count() + world.booting < self.head();
        if !self.armed && self.fixed == 0 && (world.waiting > 0 || short) {
            self.armed = true;
            world.at((world.now.div_euclid(self.period) + 1) * self.period, Event::Tick);
        }
    }
}

impl Policy for Rule {
    fn begin(&mut self, world: &mut World) {
        if self.fixed > 0 {
            world.launch_ready(self.fixed);
        }
        if let Some(Spare::Learned(learned)) = &self.spare {
            world.at(learned.first(), Event::Beat);
        }
    }

    fn tick(&mut self, world: &mut World) {
        self.armed = false;
        world.count.turns += 1;
        let head = self.head();
        let spare =
            if world.gang_nodes > 0 { head } else { head.saturating_sub(world.empty_count()) };
        let mut need = world.wanted() + spare;
        if let Some(rate) = self.rate {
            need = need.min(RATE_FLOOR.max((rate * f64::from(world.running_nodes())) as u32));
        }
        let need = need.saturating_sub(world.booting);
        world.launch(need);
    }

    fn beat(&mut self, world: &mut World) {
        let Some(Spare::Learned(learned)) = &mut self.spare else { return };
        learned.learn(world);
        let surplus = world.empty_count().saturating_sub(learned.head) as usize;
        let idle = world.now - self.idle;
        let old: Vec<usize> =
            world.empty().take(surplus).filter(|node| world.nodes[*node].empty <= idle).collect();
        for node in old {
            world.end(node);
        }
        world.at(world.now + learned.rhythm(), Event::Beat);
    }

    fn empty(&mut self, world: &mut World, node: usize, fresh: bool) {
        if self.fixed == 0 {
            let time = if fresh { self.idle.max(self.grace) } else { self.idle };
            world.at(world.now + time, Event::Idle { node, since: world.nodes[node].empty });
        }
    }

    fn idle(&mut self, world: &mut World, node: usize) {
        if self.spare.is_none() || world.empty_count() > self.head() {
            world.end(node);
        }
    }

    fn after(&mut self, world: &mut World) {
        if let Some(Spare::Learned(learned)) = &mut self.spare {
            learned.hear(world);
        }
        self.arm(world);
    }
}
