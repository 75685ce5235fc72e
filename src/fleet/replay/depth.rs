//! Scaling by the number of jobs, as HPA and KEDA do: blind to how large they are.

use std::collections::VecDeque;

use super::faults::mix;
use super::run::Policy;
use super::unit::SECOND;
use super::world::{Event, Stage, World};

const RHYTHM: i64 = 30 * SECOND;
/// Down only to the highest wish of that time
/// (<https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/>).
const STABLE: i64 = 300 * SECOND;
/// Up to so many times the nodes at once, or to so many more.
const UP: u32 = 4;
const UP_LEAST: u32 = 8;

/// Such a rule.
#[derive(Clone, Debug)]
pub(super) struct Depth {
    /// Jobs for a node.
    pub target: u32,
    /// Ends any node, not only empty ones.
    pub any: bool,
    wishes: VecDeque<(i64, u32)>,
    dice: u64,
}

impl Depth {
    pub fn new(target: u32, any: bool) -> Self {
        Self { target, any, wishes: VecDeque::new(), dice: 0 }
    }

    fn victims(&mut self, world: &World) -> Vec<usize> {
        if !self.any {
            return world.empty().collect();
        }
        let running = |node: &usize| world.nodes[*node].stage == Stage::Running;
        let mut all: Vec<usize> = (0..world.nodes.len()).filter(running).collect();
        self.dice += 1;
        all.sort_by_key(|node| mix(self.dice ^ mix(*node as u64)));
        all
    }
}

impl Policy for Depth {
    fn begin(&mut self, world: &mut World) {
        world.at(RHYTHM, Event::Tick);
    }

    fn tick(&mut self, world: &mut World) {
        world.count.turns += 1;
        let jobs = (world.waiting + world.running) as u32;
        let wish = jobs.div_ceil(self.target);
        let now = world.now;
        self.wishes.push_back((now, wish));
        while self.wishes.front().is_some_and(|(at, _)| *at < now - STABLE) {
            self.wishes.pop_front();
        }
        let current = world.living();
        if wish > current {
            world.launch((wish - current).min((UP * current).max(UP_LEAST)));
        } else {
            let floor = self.wishes.iter().map(|(_, wish)| *wish).max().unwrap_or(wish);
            let surplus = current.saturating_sub(floor) as usize;
            for node in self.victims(world).into_iter().take(surplus) {
                world.end(node);
            }
            world.drain();
        }
        world.at(now + RHYTHM, Event::Tick);
    }

    fn after(&mut self, _: &mut World) {}
}
