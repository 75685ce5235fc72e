//! What policies do to a simulated world: nodes are asked for, closed to jobs, and ended.

use super::faults::Life;
use super::unit::SECOND;
use super::world::{Event, Node, Stage, World};

/// A node that is not there by then never comes: what Karpenter waits for a registration
/// (<https://karpenter.sh/docs/concepts/disruption/>).
const BOOT_LIMIT: i64 = 900 * SECOND;

impl World<'_> {
    /// Asks for nodes, on the spot market as long as there is any; as many as may live.
    pub(super) fn launch(&mut self, nodes: u32) -> u32 {
        let nodes = nodes.min(self.setting.max_nodes.saturating_sub(self.living()));
        let made = (0..nodes).filter(|_| self.launch_one(self.has_spot())).count() as u32;
        self.count.peak = self.count.peak.max(self.living());
        made
    }

    /// Asks for nodes on one of the markets: how many came of it. Those that must come together
    /// come together or not at all.
    pub(super) fn launch_on(&mut self, spot: bool, nodes: u32, whole: bool) -> u32 {
        let nodes = nodes.min(self.setting.max_nodes.saturating_sub(self.living()));
        let room = match spot {
            true => self.supply.unwrap_or(0).saturating_sub(self.spot_nodes).min(nodes),
            false => nodes,
        };
        let refused = |ahead: u32| self.setting.faults.refuses(self.asked + 1 + u64::from(ahead));
        if whole && (room < nodes || (0..nodes).any(refused)) {
            self.asked += u64::from(nodes);
            self.count.faults += 1;
            return 0;
        }
        let made = (0..room).filter(|_| self.launch_one(spot)).count() as u32;
        self.count.peak = self.count.peak.max(self.living());
        made
    }

    fn has_spot(&self) -> bool {
        self.supply.is_some_and(|supply| self.spot_nodes < supply)
    }

    /// One node; whether the cloud gave it.
    fn launch_one(&mut self, spot: bool) -> bool {
        let node = self.nodes.len();
        self.asked += 1;
        if self.setting.faults.refuses(self.asked) {
            self.count.faults += 1;
            return false;
        }
        self.spot_nodes += u32::from(spot);
        self.nodes.push(Node {
            stage: Stage::Booting,
            asked: self.now,
            free: self.setting.gpus,
            empty: self.now,
            jobs: Vec::new(),
            spot,
            closed: false,
            seat: 0,
        });
        self.booting += 1;
        self.asked_sum += self.now;
        self.count.launches += 1;
        match self.setting.faults.life(self.asked) {
            Life::Stillborn => self.at(self.now + BOOT_LIMIT, Event::Dead { node }),
            Life::Short(life) => {
                self.at(self.now + self.setting.boot, Event::Ready { node });
                self.at(self.now + self.setting.boot + life, Event::Lost { node });
            }
            Life::Long => self.at(self.now + self.setting.boot, Event::Ready { node }),
        }
        true
    }

    /// Ends a node; jobs on it are killed, and counted.
    pub(super) fn end(&mut self, node: usize) {
        let killed = self.remove(node);
        self.count.kills += killed as u64;
    }

    /// A node takes no more jobs.
    pub(super) fn close_to_jobs(&mut self, node: usize) {
        if self.nodes[node].stage == Stage::Running && !self.nodes[node].closed {
            self.rise(node);
            self.nodes[node].closed = true;
        }
    }

    /// It takes jobs again.
    pub(super) fn open_to_jobs(&mut self, node: usize) {
        if self.nodes[node].stage == Stage::Running && self.nodes[node].closed {
            self.nodes[node].closed = false;
            self.sit(node);
        }
    }

    /// Something happened that never must.
    pub(super) fn broke(&mut self, what: &'static str) {
        *self.count.broken.entry(what).or_default() += 1;
    }

    /// The first entry of the spot market's trace.
    pub(super) fn supply_begins(&mut self) {
        if let Some((time, _)) = self.setting.market.supply.first() {
            self.supply = Some(0);
            self.at(*time, Event::Supply { at: 0 });
        }
    }

    /// The supply changes; where there are too many spot nodes, the youngest are taken back.
    pub(super) fn supply_turns(&mut self, at: usize) {
        let Some((_, supply)) = self.setting.market.supply.get(at) else { return };
        self.supply = Some(*supply);
        if let Some((time, _)) = self.setting.market.supply.get(at + 1) {
            self.at(*time, Event::Supply { at: at + 1 });
        }
        let surplus = self.spot_nodes.saturating_sub(*supply) as usize;
        let nodes = self.nodes.iter().enumerate().rev();
        let spot = nodes.filter(|(_, node)| node.spot && node.stage != Stage::Gone);
        let taken: Vec<usize> = spot.map(|(at, _)| at).take(surplus).collect();
        for node in taken {
            self.lose(node);
        }
    }
}
