//! A small world in which a fleet lives: a cloud, an engine that places jobs, a service that
//! observes, decides, stores and executes. Everything in it may go wrong.

use mlinfra::fleet::{
    Alert, Arrival, Attempt, Decision, Demand, Fate, Fleet, Job, LatencyTarget, Launch,
    LaunchReason, Memory, Node, NotMore, Offer, Outcome, Pool, Schedule, Seconds, Shape, State,
    Turn, TurnTo, TurnWhy, Work, decide,
};
use mlinfra::kinds::{self, Market};
use mlinfra::model::{Link, Moment, Money, SubnetId, Zone};

use crate::dice::Dice;

/// What happened, so that it is seen that it did.
#[derive(Clone, Debug, Default)]
pub struct Count {
    decisions: u64,
    launches: u64,
    gangs: u64,
    refused: u64,
    partial: u64,
    cordons: u64,
    returns: u64,
    ends: u64,
    timeouts: u64,
    taken: u64,
    lost: u64,
    lies: u64,
    crashes: u64,
    twins: u64,
    jumps: u64,
    done: u64,
    calm: u64,
    failed: u64,
    blocked: u64,
    quarantined: u64,
    silent: u64,
    pauses: u64,
    resized: u64,
}

impl Count {
    pub fn all(&self) -> Vec<(&'static str, u64)> {
        let Self { decisions, launches, gangs, refused, partial, cordons, returns, ends, .. } =
            self;
        let Self { timeouts, taken, lost, lies, crashes, twins, jumps, done, calm, .. } = self;
        let Self { failed, blocked, quarantined, silent, pauses, resized, .. } = self;
        vec![
            ("decisions", *decisions),
            ("launches", *launches),
            ("gangs", *gangs),
            ("refused", *refused),
            ("partial", *partial),
            ("cordons", *cordons),
            ("returns", *returns),
            ("ends", *ends),
            ("timeouts", *timeouts),
            ("taken", *taken),
            ("lost", *lost),
            ("lies", *lies),
            ("crashes", *crashes),
            ("twins", *twins),
            ("jumps", *jumps),
            ("done", *done),
            ("calm", *calm),
            ("failed", *failed),
            ("blocked", *blocked),
            ("quarantined", *quarantined),
            ("silent", *silent),
            ("pauses", *pauses),
            ("resized", *resized),
        ]
    }

    pub fn add(&mut self, other: &Self) {
        let mine = [
            &mut self.decisions,
            &mut self.launches,
            &mut self.gangs,
            &mut self.refused,
            &mut self.partial,
            &mut self.cordons,
            &mut self.returns,
            &mut self.ends,
            &mut self.timeouts,
            &mut self.taken,
            &mut self.lost,
            &mut self.lies,
            &mut self.crashes,
            &mut self.twins,
            &mut self.jumps,
            &mut self.done,
            &mut self.calm,
            &mut self.failed,
            &mut self.blocked,
            &mut self.quarantined,
            &mut self.silent,
            &mut self.pauses,
            &mut self.resized,
        ];
        for (mine, (_, more)) in mine.into_iter().zip(other.all()) {
            *mine += more;
        }
    }
}

/// A job as it really is.
#[derive(Clone, Debug)]
struct Task {
    job: Job,
    /// Seconds that it runs.
    length: i64,
    /// When it ends, while it runs, and on which nodes.
    run: Option<(i64, Vec<u64>)>,
}

/// What only the cloud knows of a node.
#[derive(Clone, Debug)]
struct Fact {
    number: u64,
    /// When it turns to its next state by itself; never for one whose boot hangs.
    next: i64,
    /// Accelerators by task.
    cordoned: bool,
    /// Nothing is heard of it any more.
    silent: bool,
}

pub struct World {
    dice: Dice,
    /// Of what histories first went through later, so that older ones stay as they were.
    more: Option<Dice>,
    /// No agent says of the nodes whether they work, and whether the queue says what runs.
    unheard: Option<bool>,
    /// What the nodes have cost this month in dollars, if the service can know.
    spent: Option<f64>,
    now: i64,
    /// What the service believes the time to be is off by that much.
    skew: i64,
    pool: Pool,
    offers: Vec<Offer>,
    fleet: Fleet,
    facts: Vec<Fact>,
    tasks: Vec<Task>,
    memory: String,
    looked: i64,
    numbers: u64,
    /// Faults happen.
    wild: bool,
    stale: Option<Work>,
    flips: std::collections::BTreeMap<u64, Vec<i64>>,
    pub count: Count,
    /// Each decision is printed.
    pub told: bool,
}

fn seconds(value: i64) -> i64 {
    value * 1000
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let gpus = [1, 4, 8, 8, 8, 0][dice.roll(6) as usize];
        let max = dice.roll(12) as u32 + 1;
        let min = if dice.one_in(3) { dice.roll(3) as u32 } else { 0 }.min(max);
        let mut pool = Pool::new("cluster.a", (min, max), gpus);
        pool.latency_target = LatencyTarget::new(dice.roll(5) as u8 * 25);
        // Of the number, so that older histories stay as they were.
        pool.spare = if seed.is_multiple_of(5) { (1 + seed / 5 % 3) as u32 } else { 0 }.min(max);
        pool.together = !dice.one_in(3);
        pool.idle_timeout = Seconds([0, 60, 300][dice.roll(3) as usize]);
        pool.stabilisation = Seconds([0, 120][dice.roll(2) as usize]);
        pool.max_down_percent = [10, 50, 100][dice.roll(3) as usize];
        pool.max_up_per_minute = [1, 3, 1000][dice.roll(3) as usize];
        pool.boot = Seconds(120);
        pool.limits.booting = Seconds(600);
        if dice.one_in(3) {
            pool.hourly_budget = Some(Money::new((dice.roll(300) as i64).into()));
        }
        if dice.one_in(6) {
            pool.monthly_budget = Some(Money::new((dice.roll(900) as i64 + 50).into()));
        }
        let mut offers = Vec::new();
        for at in 0..=dice.roll(4) {
            let zone = Zone(format!("us-east-1{}", ["a", "b"][at as usize % 2]));
            let kind = ["p5.48xlarge", "p4d.24xlarge"][(at / 2) as usize % 2];
            let subnet = Link::Id(SubnetId("subnet-1".to_owned()));
            let mut offer = kinds::Offer::plain(kind, zone, subnet);
            offer.market = if dice.one_in(3) { Market::Spot } else { Market::OnDemand };
            offer.price = (!dice.one_in(8)).then(|| Money::new((dice.roll(60) as i64 + 1).into()));
            offers.push(Offer::new(offer, gpus));
        }
        Self {
            dice,
            more: None,
            unheard: None,
            spent: Some(0.0),
            now: 1_790_000_000,
            skew: 0,
            pool,
            offers,
            fleet: Fleet::default(),
            facts: Vec::new(),
            tasks: Vec::new(),
            memory: serde_json::to_string(&Memory::default()).unwrap(),
            looked: 0,
            numbers: 0,
            wild: true,
            stale: None,
            flips: std::collections::BTreeMap::new(),
            count: Count::default(),
            told: false,
        }
    }

    /// One in which more goes wrong than in the first: nodes that fail their boot or their
    /// check, or fall silent, at work, too; requests that are refused for good; somebody who
    /// pauses the cluster or writes another size; and a second service that decides on an older
    /// look once it has found its memory out of date.
    pub fn wide(seed: u64) -> Self {
        let mut world = Self::new(seed);
        let mut more = Dice(seed ^ 0x005e_ed0f_4117);
        if more.one_in(4) {
            let day = if more.one_in(2) { "0 6 * * *" } else { "*/20 * * * *" };
            world.pool.schedules.push(Schedule {
                cron: day.to_owned(),
                timezone: "Europe/Berlin".to_owned(),
                lasts: more.one_in(2).then_some(Seconds::minutes(10)),
                min: more.one_in(2).then(|| more.roll(3) as u32),
                max: more.one_in(2).then(|| 1 + more.roll(6) as u32),
            });
        }
        world.unheard = more.one_in(5).then(|| !more.one_in(4));
        world.more = Some(more);
        world
    }

    fn more(&mut self, of: u64) -> bool {
        self.wild && self.more.as_mut().is_some_and(|dice| dice.one_in(of))
    }

    /// Some time passes, things happen, and the service looks once.
    pub fn step(&mut self) -> Result<(), String> {
        let pace = [1, 10, 60, 300][self.dice.roll(4) as usize];
        self.now += 1 + self.dice.roll(pace) as i64;
        self.people();
        if self.wild && self.dice.one_in(40) {
            self.count.jumps += 1;
            self.spent = None;
            self.skew = [0, -40, 4000, -9000][self.dice.roll(4) as usize];
        }
        if self.wild && self.dice.one_in(3) {
            self.arrive();
        }
        self.nature();
        self.engine();
        self.service()
    }

    /// Nothing goes wrong any more and nothing new comes: all jobs run, then all nodes go.
    pub fn calm(&mut self) -> Result<(), String> {
        (self.wild, self.skew, self.stale, self.pool.paused) = (false, 0, None, false);
        self.pool.schedules.clear();
        self.facts.iter_mut().for_each(|fact| fact.silent = false);
        let largest = self.offers.iter().map(|offer| offer.gpus.max(1)).max().unwrap_or(0);
        let (max, free) = (
            self.pool.max,
            self.pool.hourly_budget.is_none() && self.pool.monthly_budget.is_none(),
        );
        self.tasks.retain(|task| {
            let shape = task.job.shape;
            task.run.is_some() || (shape.gpus <= largest && shape.nodes <= max && free)
        });
        // Three hours, and as long as all of it takes one job after the other.
        let work: i64 = self.tasks.iter().map(|task| task.length).sum();
        for _ in 0..600 + work / 20 {
            self.now += 20;
            self.nature();
            self.engine();
            // What lost its node on the way may find the budget spent, or fewer nodes allowed.
            let fits = |task: &Task| task.job.shape.nodes <= max && free;
            self.tasks.retain(|task| task.run.is_some() || fits(task));
            self.service()?;
            let least = self.pool.min.max(self.pool.spare);
            // Nodes of which nothing is ever known stay.
            let never = self.unheard == Some(false);
            if self.tasks.is_empty() && (never || self.fleet.nodes.len() as u32 <= least) {
                self.count.calm += 1;
                return Ok(());
            }
        }
        // Somebody pays for what is likely to be used soon, and a machine that is silent while
        // it has a job is for people.
        if self.tasks.is_empty() && self.pool.latency_target != LatencyTarget::CHEAPEST {
            self.count.calm += 1;
            return Ok(());
        }
        let states: Vec<_> = self.fleet.nodes.iter().map(|node| node.state).collect();
        // Where no agent speaks, one that the cloud finds ill may still have a job, nodes that stand
        // apart stay for as long as a gang waits for some that stand together, and so does whatever
        // is taken to be at work since nobody tells what runs.
        let apart = self.pool.together && self.tasks.iter().any(|task| task.job.shape.is_gang());
        if self.unheard.is_some_and(|tells| !tells || apart || states.contains(&State::Lost)) {
            return Ok(());
        }
        Err(format!("three hours of calm left {:?} and {states:?} of {:?}", self.tasks, self.pool))
    }

    /// Somebody pauses the cluster, goes on with it, or writes another size.
    fn people(&mut self) {
        if self.more(20) {
            self.pool.paused = !self.pool.paused;
            self.count.pauses += 1;
        }
        if self.more(30) {
            let Some(dice) = &mut self.more else { return };
            self.pool.max = 1 + dice.roll(12) as u32;
            self.pool.min = (dice.roll(3) as u32).min(self.pool.max);
            self.count.resized += 1;
        }
    }

    /// A node fails its boot or its check, or is not heard of any more. Whether it is gone.
    fn mishap(&mut self, at: usize, busy: bool) -> bool {
        let state = self.fleet.nodes[at].state;
        if state == State::Booting && self.more(12) {
            self.count.failed += 1;
            self.numbers += 1;
            let Node { batch, offer, .. } = self.fleet.nodes[at].clone();
            let moment = Moment(seconds(self.now + self.skew));
            let outcome = Outcome::Failed { count: 1 };
            let number = self.numbers;
            self.fleet.attempts.push(Attempt { number, batch, offer, at: moment, outcome });
            if self.more(2) {
                return true;
            }
            self.turn(at, State::Quarantined);
            self.facts[at].next = i64::MAX;
            return false;
        }
        // Where no agent speaks nobody finds that a node fails later, or misses it.
        if self.unheard.is_none() && state.is_serving() && self.more(80) {
            self.count.quarantined += 1;
            self.turn(at, State::Quarantined);
            self.facts[at].next = i64::MAX;
        } else if state.is_serving() && busy && self.more(60) {
            self.count.lost += 1;
            self.turn(at, State::Lost);
            self.facts[at].next = i64::MAX;
        } else if self.unheard.is_none() && state.is_serving() && self.more(60) {
            self.count.silent += 1;
            self.facts[at].silent = true;
        }
        false
    }

    fn arrive(&mut self) {
        for _ in 0..=self.dice.roll(3) {
            self.numbers += 1;
            let most = u64::from(self.pool.gpus.max(1));
            let gpus =
                (1 + self.dice.roll(most + u64::from(self.dice.0.is_multiple_of(16)))) as u32;
            let shape = match self.dice.roll(4) {
                0 => Shape::gang(self.pool.gpus, 2 + self.dice.roll(3) as u32),
                _ if self.pool.gpus == 0 => Shape::single(0),
                _ => Shape::single(gpus),
            };
            let named = self.pool.max.is_multiple_of(2);
            let job = Job {
                id: named.then(|| format!("job-{}", self.numbers).into()),
                priority: self.dice.roll(2) as i32,
                submitted_at: (!self.dice.one_in(4)).then_some(Moment(seconds(self.now))),
                ..Job::depth(1, shape)
            };
            let length = 1 + self.dice.roll(900) as i64;
            self.tasks.push(Task { job, length, run: None });
        }
    }

    /// Nodes boot, fail, are taken away, go.
    fn nature(&mut self) {
        let mut gone = Vec::new();
        for at in 0..self.facts.len() {
            let number = self.facts[at].number;
            let busy =
                self.tasks.iter().any(|it| it.run.as_ref().is_some_and(|r| r.1.contains(&number)));
            let spot = self.fleet.nodes[at].market == Market::Spot;
            if self.wild && spot && self.dice.one_in(60) {
                self.count.taken += 1;
                let deadline = Moment(seconds(self.now + 120));
                if self.dice.one_in(2) {
                    gone.push(number);
                } else if self.fleet.nodes[at].state.is_serving() {
                    self.turn(at, State::Interrupting { deadline });
                    self.facts[at].next = self.now + 120;
                }
                continue;
            }
            if self.mishap(at, busy) {
                gone.push(number);
                continue;
            }
            if self.wild
                && !busy
                && self.fleet.nodes[at].state.is_serving()
                && self.dice.roll(200) < 12
            {
                self.count.lost += 1;
                self.turn(at, State::Lost);
                self.facts[at].next = i64::MAX;
            }
            while self.facts[at].next <= self.now {
                match self.fleet.nodes[at].state {
                    State::Requested => self.advance(at, State::Pending, 20),
                    State::Pending => self.advance(at, State::Booting, 120),
                    State::Booting => {
                        self.turn(at, State::Ready);
                        self.facts[at].next = i64::MAX;
                    }
                    State::Terminating | State::Interrupting { .. } => {
                        gone.push(number);
                        break;
                    }
                    State::Ready
                    | State::Busy
                    | State::Idle
                    | State::Cordoned
                    | State::Draining
                    | State::Quarantined
                    | State::Lost => break,
                }
            }
        }
        gone.into_iter().for_each(|number| self.remove(number));
        if self.more.is_some() && self.unheard.is_none() {
            self.hear();
        }
    }

    /// Agents report.
    fn hear(&mut self) {
        let heard = Moment(seconds(self.now + self.skew));
        for (node, fact) in self.fleet.nodes.iter_mut().zip(&self.facts) {
            if !fact.silent && (node.state.is_serving() || node.state == State::Cordoned) {
                node.heard_at = Some(heard);
            }
        }
    }

    fn advance(&mut self, at: usize, state: State, most: u64) {
        self.turn(at, state);
        let stuck = self.wild && self.dice.one_in(25);
        let takes = 1 + self.dice.roll(most) as i64;
        self.facts[at].next = if stuck { i64::MAX } else { self.now + takes };
    }

    fn turn(&mut self, at: usize, state: State) {
        let node = &mut self.fleet.nodes[at];
        (node.state, node.since) = (state, Moment(seconds(self.now)));
    }

    fn remove(&mut self, number: u64) {
        let Some(at) = self.facts.iter().position(|fact| fact.number == number) else { return };
        self.facts.remove(at);
        self.fleet.nodes.remove(at);
        for task in &mut self.tasks {
            if task.run.as_ref().is_some_and(|(_, nodes)| nodes.contains(&number)) {
                task.run = None;
            }
        }
    }

    /// Jobs end, and those that fit start: the first first, smaller ones meanwhile.
    fn engine(&mut self) {
        let now = self.now;
        let before = self.tasks.len();
        self.tasks.retain(|task| task.run.as_ref().is_none_or(|(end, _)| *end > now));
        self.count.done += (before - self.tasks.len()) as u64;
        self.recount();
        for at in 0..self.tasks.len() {
            if self.tasks[at].run.is_some() {
                continue;
            }
            if let Some(nodes) = self.room(self.tasks[at].job.shape) {
                self.tasks[at].run = Some((now + self.tasks[at].length, nodes));
                self.recount();
            }
        }
    }

    /// Nodes on which a job fits now: in one place, if it wants several.
    fn room(&self, shape: Shape) -> Option<Vec<u64>> {
        let wanted = if shape.is_gang() { shape.nodes } else { 1 } as usize;
        let fits = |node: &Node| {
            let need = if shape.gpus == 0 { node.slots() } else { shape.gpus };
            node.state.is_serving() && node.free_slots() >= need
        };
        let nodes = self.fleet.nodes.iter().zip(&self.facts);
        let mut places: std::collections::BTreeMap<(String, String), Vec<u64>> = Default::default();
        for (node, fact) in nodes.filter(|(node, fact)| fits(node) && !fact.cordoned) {
            let kind = node.offer.as_str().split('/').next().unwrap().to_owned();
            let place = (node.zone.to_string(), kind);
            let place = if self.pool.together { place } else { Default::default() };
            places.entry(place).or_default().push(fact.number);
        }
        let mut found = places.into_values().find(|nodes| nodes.len() >= wanted)?;
        found.truncate(wanted);
        Some(found)
    }

    /// Says of every node what is free and whether it is busy.
    fn recount(&mut self) {
        for (at, fact) in self.facts.iter().enumerate() {
            let node = &mut self.fleet.nodes[at];
            let on = self.tasks.iter().filter(|task| {
                task.run.as_ref().is_some_and(|(_, nodes)| nodes.contains(&fact.number))
            });
            let used: u32 = on.map(|task| task.job.shape.gpus.max(u32::from(node.gpus == 0))).sum();
            node.free = node.gpus.saturating_sub(used);
            // A node without accelerators shows that it is busy by the jobs that it names.
            node.jobs = if node.gpus == 0 && used > 0 { vec!["job".into()] } else { Vec::new() };
            let state = match (node.state, used) {
                (State::Ready | State::Idle | State::Busy, 1..) => State::Busy,
                (State::Busy, 0) => State::Idle,
                (state, _) => state,
            };
            if state != node.state {
                (node.state, node.since) = (state, Moment(seconds(self.now)));
            }
        }
    }

    // ---- the service ------------------------------------------------------------------

    /// What the queue says: the truth, if all is well.
    fn demand(&mut self) -> Demand {
        let (mut waiting, mut running) = (Vec::new(), Vec::new());
        for task in &self.tasks {
            let list = if task.run.is_some() { &mut running } else { &mut waiting };
            list.push(task.job.clone());
        }
        let arrived = Vec::<Arrival>::new();
        let tells_running = self.unheard.unwrap_or(false);
        if self.unheard == Some(false) {
            running.clear();
        }
        let work = Work { waiting, running, arrived, tells_running };
        if !self.wild {
            return Demand::known(work);
        }
        match self.dice.roll(16) {
            0 => Demand::Error { age: None, why: "no answer".to_owned() },
            1 | 2 => {
                let work = self.stale.clone().unwrap_or_default();
                let age = Seconds([30, 3000][self.dice.roll(2) as usize]);
                Demand::Stale { work, age, why: "no answer".to_owned() }
            }
            // What no agent speaks for stands and falls with what the queue says.
            3 if self.unheard.is_none() => {
                self.count.lies += 1;
                Demand::known(self.lie())
            }
            _ => {
                self.stale = Some(work.clone());
                Demand::known(work)
            }
        }
    }

    /// Numbers that nobody can mean, or nothing at all.
    fn lie(&mut self) -> Work {
        let numbers = [0, 1, 7, 1_000_000, u32::MAX];
        let mut some = || *self.dice.pick(&numbers);
        let shape = Shape { gpus: some(), nodes: some(), gang: some() % 2 == 1 };
        let at = Some(Moment([i64::MIN, -1, i64::MAX][some() as usize % 3]));
        let job = Job { submitted_at: at, priority: i32::MIN, ..Job::depth(some(), shape) };
        if some() == 0 { Work::default() } else { Work { waiting: vec![job], ..Work::default() } }
    }

    /// The fleet as it can be seen.
    fn view(&self) -> Fleet {
        let mut fleet = self.fleet.clone();
        for node in fleet.nodes.iter_mut().filter(|_| self.unheard.is_some()) {
            node.unheard = true;
            node.jobs.clear();
            node.free = node.gpus;
            if node.state.is_serving() {
                (node.state, node.since) = (State::Ready, node.launched_at);
            }
        }
        fleet
    }

    fn service(&mut self) -> Result<(), String> {
        let demand = self.demand();
        let mut seen = self.view();
        if self.wild && self.dice.one_in(20) && !seen.nodes.is_empty() {
            let at = self.dice.roll(seen.nodes.len() as u64) as usize;
            seen.nodes.remove(at);
            seen.blind = Some("a page was not read".to_owned());
        }
        let mut memory: Memory = serde_json::from_str(&self.memory).map_err(|e| e.to_string())?;
        if self.wild && self.dice.one_in(150) {
            memory = Memory::default();
            self.spent = None;
        }
        let now = Moment(seconds(self.now + self.skew));
        let look = |memory: Memory| decide(&self.pool, &seen, &demand, &self.offers, memory, now);
        let (decision, after) = look(memory.clone());
        self.count.decisions += 1;
        if self.told {
            self.tell_of(&seen, &decision);
        }
        super::rules::judge((&self.pool, &self.offers), (&seen, &demand, now), &decision)?;
        if self.dice.one_in(4) && (look(memory.clone()) != (decision.clone(), after.clone())) {
            return Err("the same input made two decisions".to_owned());
        }
        self.month(&seen, &decision)?;
        // Two look at once: who stores first decides; the other finds that its memory is out of
        // date, reads it again, and decides on what it saw before the first acted.
        let twin = self.wild && self.dice.one_in(10);
        self.count.twins += u64::from(twin);
        self.store(&after)?;
        let crashed = self.wild && self.dice.one_in(12);
        self.count.crashes += u64::from(crashed);
        let whole = !crashed && self.execute(&decision)?;
        if twin && self.more.is_some() {
            let stored: Memory = serde_json::from_str(&self.memory).map_err(|e| e.to_string())?;
            let (second, after) = decide(&self.pool, &seen, &demand, &self.offers, stored, now);
            if self.told {
                println!("  and a second one:");
                self.tell_of(&seen, &second);
            }
            super::rules::judge((&self.pool, &self.offers), (&seen, &demand, now), &second)?;
            self.month(&seen, &second)?;
            self.store(&after)?;
            self.execute(&second)?;
            return Ok(());
        }
        if crashed {
            return Ok(());
        }
        let short = |it: &NotMore| {
            matches!(it, NotMore::HourlyBudget { .. } | NotMore::MonthlyBudget { .. })
        };
        // What was set aside for the dearest offer may be left over.
        let left = decision.not_more.iter().any(short);
        // A gang that may not have all of its nodes yet takes those that come for others, once
        // they are enough: it may take several looks until all have found their place.
        let held = |fate: &Fate| fate.shape.gang && fate.held.is_some();
        let left = left || decision.waiting.iter().any(held);
        // Batches that were never asked for are seen to be so by those that follow.
        let ghosts = memory.batches.keys().any(|number| *number > seen.last_batch);
        if whole && !ghosts && seen.blind.is_none() && self.skew == 0 && !left {
            self.settled(&demand, now, &decision)?;
        }
        Ok(())
    }

    fn store(&mut self, memory: &Memory) -> Result<(), String> {
        self.memory = serde_json::to_string(memory).map_err(|e| e.to_string())?;
        Ok(())
    }

    /// Adds up what the nodes cost, by other means than the service, and holds launches to it.
    /// Of a look to which something was missing only what was seen is known to have cost.
    fn month(&mut self, seen: &Fleet, decision: &Decision) -> Result<(), String> {
        let dollars = |money: Option<Money>| -> f64 {
            money.map_or(0.0, |money| money.to_string().trim_start_matches('$').parse().unwrap())
        };
        let cost = |fleet: &Fleet| fleet.nodes.iter().map(|node| dollars(node.price)).sum::<f64>();
        let (rate, known) = (cost(&self.fleet), cost(seen));
        let since = std::mem::replace(&mut self.looked, self.now);
        let hours = if since == 0 { 0.0 } else { (self.now - since) as f64 / 3600.0 };
        let Some(spent) = &mut self.spent else { return Ok(()) };
        *spent += known * hours;
        let Some(budget) = self.pool.monthly_budget.filter(|_| !decision.launches.is_empty())
        else {
            return Ok(());
        };
        let cheapest = |launch: &Launch| {
            let offers = self.offers.iter().filter(|offer| launch.offers.contains(&offer.key));
            let prices = offers.map(|offer| dollars(offer.launch.price));
            prices.fold(f64::MAX, f64::min) * f64::from(launch.count)
        };
        let more: f64 = decision.launches.iter().map(cheapest).sum();
        let would = *spent + rate + more;
        // Between two looks it may cost a little less than it does at the end.
        match would > dollars(Some(budget)) + known * hours + 0.01 {
            true => Err(format!("{would:.2} within the next hour, of {budget} a month")),
            false => Ok(()),
        }
    }

    fn tell_of(&self, seen: &Fleet, decision: &Decision) {
        let node = |node: &Node| format!("{} {:?} {}", node.id, node.state, node.offer.as_str());
        let nodes: Vec<String> = seen.nodes.iter().map(node).collect();
        println!("{} {}", self.now, nodes.join(", "));
        let Decision { launches, turns, waiting, not_more, .. } = decision;
        let fates: Vec<_> = waiting.iter().map(|it| (it.shape, it.jobs, &it.held)).collect();
        println!("    {launches:?} {turns:?} {fates:?} {not_more:?}");
    }

    /// What was decided is there: looking again at once changes nothing.
    fn settled(&self, demand: &Demand, now: Moment, first: &Decision) -> Result<(), String> {
        let memory: Memory = serde_json::from_str(&self.memory).map_err(|e| e.to_string())?;
        let (again, _) = decide(&self.pool, &self.view(), demand, &self.offers, memory, now);
        // Nodes that had to be cordoned may come back to be used, not to be launched beside.
        match again.is_hold() {
            true => Ok(()),
            false => {
                let told = (&again.launches, &again.turns);
                Err(format!("once more: {told:?}, after {first:?}, of {:?}", self.fleet.nodes))
            }
        }
    }

    /// Carries a decision out; whether all of it succeeded.
    fn execute(&mut self, decision: &Decision) -> Result<bool, String> {
        for turn in &decision.turns {
            self.tell(turn)?;
        }
        let mut whole = true;
        for launch in &decision.launches {
            whole &= self.launch(launch)?;
        }
        let (max, living) = (self.pool.max as usize, self.fleet.nodes.len());
        // Somebody may have written a smaller number while more lived.
        if living > max && !decision.launches.is_empty() {
            return Err(format!("{living} nodes live, and {max} may"));
        }
        Ok(whole)
    }

    fn tell(&mut self, turn: &Turn) -> Result<(), String> {
        let at = self.fleet.nodes.iter().position(|node| node.id == turn.node);
        let Some(at) = at else { return Err(format!("{} is not there", turn.node)) };
        let number = self.facts[at].number;
        match turn.to {
            TurnTo::Cordon | TurnTo::Drain | TurnTo::Quarantine => {
                self.facts[at].cordoned = true;
                self.count.cordons += u64::from(turn.to == TurnTo::Cordon);
                if turn.to == TurnTo::Cordon {
                    self.fleet.nodes[at].own_mark = true;
                    self.turn(at, State::Cordoned);
                }
            }
            TurnTo::Uncordon => {
                self.count.returns += 1;
                self.facts[at].cordoned = false;
                self.fleet.nodes[at].own_mark = false;
                self.turn(at, State::Idle);
                self.recount();
                let flips = self.flips.entry(number).or_default();
                flips.retain(|at| *at > self.now - 3600);
                flips.push(self.now);
                // Who has forgotten it all, or whose clock jumped, cannot count.
                let most = if self.spent.is_some() { 5 } else { 12 };
                if flips.len() > most && self.skew == 0 {
                    return Err(format!("{} goes back and forth", turn.node));
                }
            }
            TurnTo::Terminate => {
                let runs = |task: &Task| task.run.as_ref().is_some_and(|r| r.1.contains(&number));
                if self.tasks.iter().any(runs) {
                    let node = &self.fleet.nodes[at];
                    return Err(format!("{turn:?} and {node:?} had a job"));
                }
                self.count.ends += 1;
                self.count.timeouts += u64::from(matches!(turn.why, TurnWhy::TimedOut { .. }));
                self.turn(at, State::Terminating);
                let lingers = self.wild && self.dice.one_in(20);
                self.facts[at].next = self.now + if lingers { 400 } else { 10 };
            }
        }
        Ok(())
    }

    /// Walks down the offers; whether all nodes started at the first.
    fn launch(&mut self, launch: &Launch) -> Result<bool, String> {
        if launch.batch <= self.fleet.last_batch {
            return Err(format!("batch {} is launched twice", launch.batch));
        }
        self.fleet.last_batch = launch.batch;
        self.count.gangs += u64::from(matches!(launch.reason, LaunchReason::Gang { .. }));
        for (nth, key) in launch.offers.iter().enumerate() {
            let refused = self.wild && self.dice.one_in(4);
            let part = self.wild && !launch.whole && launch.count > 1 && self.dice.one_in(6);
            let count = launch.count - u32::from(part);
            self.numbers += 1;
            let outcome = match refused {
                true if self.more(20) => {
                    self.count.blocked += 1;
                    Outcome::Blocked { why: "the image is gone".to_owned() }
                }
                true if self.dice.one_in(30) => Outcome::Quota { why: "vCPU limit".to_owned() },
                true => Outcome::NoCapacity,
                false => Outcome::Started { count },
            };
            let at = Moment(seconds(self.now + self.skew));
            let (number, batch) = (self.numbers, launch.batch);
            self.fleet.attempts.push(Attempt { number, batch, offer: key.clone(), at, outcome });
            if self.fleet.attempts.len() > 8 {
                self.fleet.attempts.remove(0);
            }
            if refused {
                self.count.refused += 1;
                continue;
            }
            self.count.partial += u64::from(part);
            self.count.launches += 1;
            let offer =
                self.offers.iter().find(|offer| offer.key == *key).ok_or("no such offer")?;
            self.start((launch.batch, count), &offer.clone());
            return Ok(nth == 0 && !part);
        }
        Ok(false)
    }

    fn start(&mut self, (batch, count): (u64, u32), offer: &Offer) {
        for _ in 0..count {
            self.numbers += 1;
            self.fleet.nodes.push(Node {
                id: format!("i-{}", self.numbers).into(),
                state: State::Requested,
                since: Moment(seconds(self.now)),
                batch,
                offer: offer.key.clone(),
                zone: offer.launch.zone.clone(),
                market: offer.launch.market,
                price: offer.launch.price,
                launched_at: Moment(seconds(self.now)),
                gpus: offer.gpus,
                free: offer.gpus,
                jobs: Vec::new(),
                heard_at: None,
                own_mark: false,
                outdated: false,
                unheard: false,
            });
            let next = self.now + 1 + self.dice.roll(10) as i64;
            self.facts.push(Fact { number: self.numbers, next, cordoned: false, silent: false });
        }
    }
}

/// Whether a decision says that it would have broken a rule.
pub fn defect(decision: &Decision) -> Option<&Alert> {
    decision.alerts.iter().find(|alert| matches!(alert, Alert::Invariant { .. }))
}
