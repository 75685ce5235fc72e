//! Our policy in a replay: the very same decision as the service's. It is shown the simulated
//! world as the service sees a cluster, and what it decides is carried out.

use std::collections::BTreeMap;

use super::peers::{self, Replay};
use super::run::Policy;
use super::trace::Trace;
use super::unit::SECOND;
use super::world::{Event, Setting, Stage, World};
use crate::fleet::{
    Alert, Arrival, Attempt, Decision, Demand, Fleet, Job, Launch, Memory, Node, NodeId, Offer,
    Outcome, Pool, Shape, State, TurnTo, Work, decide,
};
use crate::kinds::{self, Market};
use crate::model::{Link, Moment, Money, SubnetId, Zone};

/// Events of one second are decided on together, as the service does.
const BATCH: i64 = SECOND;
/// As long as somebody waits, it is looked again after that.
const AGAIN_AT_LEAST: i64 = 600 * SECOND;
/// One decision in so many is taken twice, to see that it comes out the same.
const AGAIN: u64 = 512;
/// Attempts that the fleet still shows.
const ATTEMPTS: usize = 100;

/// Our policy, with what the author of a cluster wants.
#[derive(Clone, Debug)]
pub struct Ours {
    /// Bounds, patience, money, speed. Size of nodes, most nodes and boot are the replay's.
    pub pool: Pool,
    /// What a node costs per hour, where that is known.
    pub price: Option<Money>,
    /// The same on the spot market.
    pub spot_price: Option<Money>,
}

impl Ours {
    /// Replays under it.
    pub fn replay(&self, setting: &Setting, trace: &Trace) -> Replay {
        let mut agent = Agent::new(self, setting);
        peers::replay(setting, &trace.jobs, &mut agent)
    }
}

/// The service's place in a replay.
struct Agent {
    pool: Pool,
    offers: Vec<Offer>,
    /// What it sees; nodes in the order of `at`.
    fleet: Fleet,
    /// The simulated nodes.
    at: Vec<usize>,
    memory: Memory,
    /// Jobs that were seen to arrive.
    heard: usize,
    /// It has its turn already.
    armed: bool,
    /// When it wants to look again.
    wake: Option<i64>,
    /// What it last saw: jobs that wait and run, nodes that boot and run, arrivals.
    seen: [usize; 5],
    attempts: u64,
}

fn offer(market: Market, price: Option<Money>, gpus: u32) -> Offer {
    let word = if market == Market::Spot { "spot" } else { "on-demand" };
    let mut launch =
        kinds::Offer::plain(word, Zone::from("simulated"), Link::Id(SubnetId::from(word)));
    (launch.market, launch.price) = (market, price);
    Offer::new(launch, gpus)
}

impl Agent {
    fn new(ours: &Ours, setting: &Setting) -> Self {
        let mut pool = ours.pool.clone();
        (pool.gpus, pool.max) = (setting.gpus, setting.max_nodes);
        pool.boot.0 = u32::try_from(setting.boot / SECOND).unwrap_or(u32::MAX);
        let mut offers = vec![offer(Market::OnDemand, ours.price, setting.gpus)];
        if !setting.market.supply.is_empty() {
            offers.insert(0, offer(Market::Spot, ours.spot_price, setting.gpus));
        }
        let (fleet, memory) = (Fleet::default(), Memory::default());
        let (at, heard, armed, wake) = (Vec::new(), 0, false, None);
        Self { pool, offers, fleet, at, memory, heard, armed, wake, seen: [0; 5], attempts: 0 }
    }

    /// Sees the nodes as they are.
    fn look(&mut self, world: &World) {
        let mut failed: BTreeMap<(u64, usize), u32> = BTreeMap::new();
        let mut place = 0;
        while place < self.at.len() {
            let real = &world.nodes[self.at[place]];
            let node = &mut self.fleet.nodes[place];
            if real.stage == Stage::Gone {
                if node.state.is_coming() {
                    let offer = self.offers.iter().position(|offer| offer.key == node.offer);
                    *failed.entry((node.batch, offer.unwrap_or(0))).or_default() += 1;
                }
                self.at.swap_remove(place);
                self.fleet.nodes.swap_remove(place);
                continue;
            }
            let (state, since) = match (real.stage, real.jobs.is_empty()) {
                (Stage::Booting | Stage::Gone, _) => (State::Booting, real.asked),
                (Stage::Running, true) if real.closed => (State::Cordoned, node.since.0),
                (Stage::Running, true) => (State::Idle, real.empty),
                (Stage::Running, false) if real.closed => (State::Cordoned, node.since.0),
                (Stage::Running, false) => (State::Busy, node.since.0),
            };
            if node.state != state || state == State::Idle {
                let since = if state == State::Idle { since } else { world.now };
                (node.state, node.since) = (state, Moment(since));
            }
            node.free = real.free;
            place += 1;
        }
        for ((batch, offer), count) in failed {
            self.attempt(world, batch, offer, Outcome::Failed { count });
        }
    }

    fn attempt(&mut self, world: &World, batch: u64, offer: usize, outcome: Outcome) {
        self.attempts += 1;
        let offer = self.offers[offer].key.clone();
        let (number, at) = (self.attempts, Moment(world.now));
        self.fleet.attempts.push(Attempt { number, batch, offer, at, outcome });
        if self.fleet.attempts.len() > ATTEMPTS {
            self.fleet.attempts.remove(0);
        }
    }

    /// Sees what waits and what came.
    fn ask(&mut self, world: &World) -> Demand {
        let mut work = Work::default();
        let when = |job: usize| Moment(world.jobs[job].submit);
        for line in &world.lines {
            let (_, gpus, nodes) = line.key;
            let shape = shape(world, gpus, nodes);
            let of = |count: usize, job: usize| Job {
                id: shape.is_gang().then(|| format!("job-{job}").into()),
                priority: world.jobs[job].priority,
                submitted_at: Some(when(job)),
                ..Job::depth(u32::try_from(count).unwrap_or(u32::MAX), shape)
            };
            if shape.is_gang() {
                work.waiting.extend(line.jobs.iter().map(|job| of(1, *job)));
            } else {
                work.waiting.extend(line.jobs.front().map(|job| of(line.jobs.len(), *job)));
            }
        }
        while world.jobs.get(self.heard).is_some_and(|job| job.submit <= world.now) {
            let (gpus, nodes) = world.shape(self.heard);
            let shape = shape(world, gpus, nodes);
            work.arrived.push(Arrival { at: when(self.heard), shape, count: 1 });
            self.heard += 1;
        }
        Demand::known(work)
    }

    fn act(&mut self, world: &mut World) {
        self.look(world);
        let demand = self.ask(world);
        let (now, memory) = (Moment(world.now), std::mem::take(&mut self.memory));
        let again = world.count.turns.is_multiple_of(AGAIN).then(|| memory.clone());
        let decided = |memory| decide(&self.pool, &self.fleet, &demand, &self.offers, memory, now);
        let (decision, memory) = decided(memory);
        if again.is_some_and(|memory| decided(memory).0 != decision) {
            world.broke("the same input was decided on in two ways");
        }
        self.memory = memory;
        world.count.turns += 1;
        self.carry_out(world, &decision);
        self.seen = seen(world, self.heard);
        // The service looks again within seconds; where nothing happens, this is as good.
        let again = (world.waiting > 0).then_some(world.now + AGAIN_AT_LEAST);
        let wake = decision.wake.map(|wake| wake.0.max(world.now + BATCH));
        let wake = wake.into_iter().chain(again).min();
        if let Some(wake) = wake.filter(|wake| self.wake.is_none_or(|set| *wake < set)) {
            self.wake = Some(wake);
            world.at(wake, Event::Beat);
        }
    }

    fn carry_out(&mut self, world: &mut World, decision: &Decision) {
        if decision.alerts.iter().any(|alert| matches!(alert, Alert::Invariant { .. })) {
            world.broke("a decision would have broken a rule");
        }
        let places: BTreeMap<NodeId, usize> = match decision.turns.is_empty() {
            true => BTreeMap::new(),
            false => {
                let ids = self.fleet.nodes.iter().map(|node| node.id.clone());
                ids.zip(self.at.iter().copied()).collect()
            }
        };
        for turn in &decision.turns {
            let Some(node) = places.get(&turn.node).copied() else {
                world.broke("a node was told something that is not there");
                continue;
            };
            match turn.to {
                TurnTo::Cordon | TurnTo::Drain | TurnTo::Quarantine => world.close_to_jobs(node),
                TurnTo::Uncordon => world.open_to_jobs(node),
                TurnTo::Terminate => {
                    if !world.nodes[node].jobs.is_empty() {
                        world.broke("a busy node was ended");
                    }
                    world.end(node);
                }
            }
        }
        if decision.turns.iter().any(|turn| turn.to == TurnTo::Uncordon) {
            world.drain();
        }
        for launch in &decision.launches {
            self.launch(world, launch);
        }
    }

    /// Walks down the offers, as whoever carries out a batch does.
    fn launch(&mut self, world: &mut World, launch: &Launch) {
        if world.living() + launch.count > self.pool.max {
            world.broke("more nodes were wanted than there may be");
        }
        self.fleet.last_batch = self.fleet.last_batch.max(launch.batch);
        let mut left = launch.count;
        for key in &launch.offers {
            let Some(at) = self.offers.iter().position(|offer| offer.key == *key) else { continue };
            let spot = self.offers[at].launch.market == Market::Spot;
            let first = world.nodes.len();
            let made = world.launch_on(spot, left, launch.whole);
            for node in first..world.nodes.len() {
                self.join(world, node, launch.batch, at);
            }
            let outcome = match made {
                0 => Outcome::NoCapacity,
                count => Outcome::Started { count },
            };
            self.attempt(world, launch.batch, at, outcome);
            left -= made;
            if left == 0 {
                break;
            }
        }
    }

    fn join(&mut self, world: &World, node: usize, batch: u64, offer: usize) {
        let (gpus, now) = (world.setting.gpus, Moment(world.now));
        let offer = &self.offers[offer];
        self.at.push(node);
        self.fleet.nodes.push(Node {
            id: NodeId::from(format!("node-{node}")),
            state: State::Booting,
            since: now,
            batch,
            offer: offer.key.clone(),
            zone: offer.launch.zone.clone(),
            market: offer.launch.market,
            price: offer.launch.price,
            launched_at: now,
            gpus,
            free: gpus,
            jobs: Vec::new(),
            heard_at: None,
            own_mark: true,
            outdated: false,
            unheard: false,
        });
    }
}

fn shape(world: &World, gpus: u32, nodes: u32) -> Shape {
    match nodes {
        0 => Shape::single(gpus),
        nodes => Shape::gang(world.setting.gpus, nodes),
    }
}

fn seen(world: &World, heard: usize) -> [usize; 5] {
    let arrived = world.jobs.get(heard).is_some_and(|job| job.submit <= world.now);
    let nodes = world.running_nodes() as usize;
    [world.waiting, world.running, world.booting as usize, nodes, usize::from(arrived)]
}

impl Policy for Agent {
    fn begin(&mut self, world: &mut World) {
        // A least number of nodes is wanted before anybody comes.
        self.armed = true;
        world.at(0, Event::Tick);
    }

    fn tick(&mut self, world: &mut World) {
        self.armed = false;
        self.act(world);
    }

    fn beat(&mut self, world: &mut World) {
        if self.wake.is_some_and(|wake| wake <= world.now) {
            self.wake = None;
            self.act(world);
        }
    }

    fn after(&mut self, world: &mut World) {
        if !self.armed && seen(world, self.heard) != self.seen {
            self.armed = true;
            world.at(world.now + BATCH, Event::Tick);
        }
    }
}
