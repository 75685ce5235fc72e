//! The loop of a replay: events in order of time, then of insertion, and after each of
//! them the policy's say.

use super::trace::Job;
use super::unit::SECOND;
use super::world::{Event, Setting, Stage, World};

/// After the last arrival a replay goes on for no longer than that: what has not run by
/// then never will.
const PATIENCE: i64 = 30 * 86_400 * SECOND;

/// A rule by which nodes come and go.
pub(super) trait Policy {
    /// Before the first event.
    fn begin(&mut self, _: &mut World) {}
    /// A tick that it asked for.
    fn tick(&mut self, world: &mut World);
    /// A beat that it asked for.
    fn beat(&mut self, _: &mut World) {}
    /// A node holds no job, and nothing that waits fits it.
    fn empty(&mut self, _: &mut World, _node: usize, _fresh: bool) {}
    /// A node was empty for as long as `empty` asked for.
    fn idle(&mut self, _: &mut World, _node: usize) {}
    /// After every event.
    fn after(&mut self, world: &mut World);
}

/// Replays jobs under a policy. `seen` is shown the world after every event.
pub(super) fn run<'a>(
    setting: &'a Setting,
    jobs: &'a [Job],
    policy: &mut dyn Policy,
    seen: &mut dyn FnMut(&World),
) -> World<'a> {
    let mut world = World::new(setting, jobs);
    let end = jobs.last().map_or(0, |job| job.submit) + PATIENCE;
    let mut arrived = 0;
    world.supply_begins();
    policy.begin(&mut world);
    while world.count.done < jobs.len() {
        let next = jobs.get(arrived).map(|job| job.submit);
        match (next, world.next_at()) {
            (Some(time), other) if other.is_none_or(|other| time <= other) => {
                world.now = time;
                world.arrive(arrived);
                arrived += 1;
            }
            (_, Some(time)) if time <= end => happen(&mut world, policy),
            (_, None | Some(_)) => {
                world.now = world.now.max(end);
                break;
            }
        }
        policy.after(&mut world);
        seen(&world);
    }
    world.close();
    world
}

fn happen(world: &mut World, policy: &mut dyn Policy) {
    world.emptied.clear();
    match world.take() {
        None => {}
        Some(Event::End { job, start }) => ended(world, policy, job, start),
        Some(Event::Ready { node }) => came(world, policy, node),
        Some(Event::Idle { node, since }) => rested(world, policy, node, since),
        Some(Event::Tick) => policy.tick(world),
        Some(Event::Beat) => policy.beat(world),
        Some(Event::Dead { node }) => died(world, node),
        Some(Event::Lost { node }) => {
            world.lose(node);
            left_empty(world, policy);
        }
        Some(Event::Supply { at }) => {
            world.supply_turns(at);
            left_empty(world, policy);
        }
    }
}

/// A job is done, unless it was stopped and started anew since.
fn ended(world: &mut World, policy: &mut dyn Policy, job: usize, start: u32) {
    if world.runs[job].running && world.runs[job].starts == start {
        world.done(job);
        left_empty(world, policy);
    }
}

/// A node was empty for long enough, if it still is since then.
fn rested(world: &mut World, policy: &mut dyn Policy, node: usize, since: i64) {
    let it = &world.nodes[node];
    if it.stage == Stage::Running && it.jobs.is_empty() && it.empty == since {
        policy.idle(world, node);
    }
}

/// A boot has come to nothing, unless the policy has given it up before.
fn died(world: &mut World, node: usize) {
    if world.nodes[node].stage == Stage::Booting {
        world.lose(node);
    }
}

/// A node is there, unless it was ended before.
fn came(world: &mut World, policy: &mut dyn Policy, node: usize) {
    if world.ready(node) {
        world.drain();
        if world.nodes[node].jobs.is_empty() {
            policy.empty(world, node, true);
        }
    }
}

fn left_empty(world: &mut World, policy: &mut dyn Policy) {
    for node in std::mem::take(&mut world.emptied) {
        if world.nodes[node].stage == Stage::Running && world.nodes[node].jobs.is_empty() {
            policy.empty(world, node, false);
        }
    }
}
