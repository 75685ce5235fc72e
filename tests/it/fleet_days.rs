//! The autoscaler's service in the simulated region, on virtual time: jobs come, nodes come,
//! agents take jobs, nodes go. The service is killed and begun anew at random, two of them run
//! at once, launches are refused, queues fall silent. Every job runs once, to its end, on a node
//! that stands; in the end nothing is left.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use mlinfra::catalog::Tables;
use mlinfra::cloud::{Cloud as _, Observed, Phase};
use mlinfra::demand::Answer;
use mlinfra::fleet::{self, Alert, Demand, Job, LatencyTarget, Pool, Seconds, Shape, Work};
use mlinfra::kinds::KindName;
use mlinfra::ledger::{Holder, MemoryStore, Store, Who};
use mlinfra::model::{Address, CloudId, tags};
use mlinfra::serve::autoscale::{Board, Cluster, Eye, Reader, Service, World};
use mlinfra::sim::{ObjectView, Region, Settings};
use mlinfra::stack::Desired;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::dice::{Dice, number};
use crate::lab::{Lab, SimClock};

const STACK: &str = r#"
stack "r" { region = "us-east-1" }
network "n" { cidr = "10.0.0.0/16" }
cluster "c" {
  network       = network.n
  instance_type = "g5.xlarge"
  nodes         = { min = 0, max = 6 }
  image         = "ubuntu-24.04"
  agent {
    url    = "https://example.com/mlinfra"
    sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
  }
}
"#;
pub const MOST: usize = 6;

/// What is known of all jobs.
#[derive(Default)]
pub struct Jobs {
    /// How long those that wait will run, in seconds.
    pub waiting: VecDeque<u64>,
    /// When the job of each node ends, in milliseconds of the region.
    running: BTreeMap<CloudId, (u64, u64)>,
    pub done: usize,
    pub killed: usize,
    most: usize,
    /// The queue gives no answer.
    pub silent: bool,
    /// The queue says what runs, too.
    pub tells_running: bool,
    /// Nobody says which nodes work: all they ever say is that they have booted.
    pub unheard: bool,
}

/// What the agents of all nodes do, as seen from outside.
pub struct Yard {
    jobs: Arc<Mutex<Jobs>>,
    region: Region,
    /// What each agent last knew of its mark, and when it looks again: metadata shows a new tag
    /// within a minute.
    marks: BTreeMap<CloudId, (Option<String>, u64)>,
    /// Nodes that nobody can reach, and whose agents reach nobody.
    pub away: BTreeSet<CloudId>,
}

pub fn nodes(region: &Region) -> Vec<ObjectView> {
    region.snapshot().into_iter().filter(|it| it.kind == KindName::Node).collect()
}

fn say((region, jobs): (&Region, &Jobs), node: &CloudId, state: &str) {
    let state = if jobs.unheard { "ready" } else { state };
    // It may have gone just now.
    drop(region.foreign_tag(node.as_str(), tags::STATE, Some(state)));
}

impl Yard {
    pub fn new(ground: &Ground) -> Self {
        let (jobs, region) = (Arc::clone(&ground.jobs), ground.region.clone());
        Self { jobs, region, marks: BTreeMap::new(), away: BTreeSet::new() }
    }

    pub fn tick(&mut self, dice: &mut Dice) {
        let now = self.region.now();
        let all = nodes(&self.region);
        let mut jobs = self.jobs.lock().expect("jobs");
        jobs.most = jobs.most.max(all.iter().filter(|it| it.phase.stands()).count());
        let stands: BTreeSet<&CloudId> =
            all.iter().filter(|it| it.phase.stands()).map(|it| &it.id).collect();
        let lost: Vec<CloudId> =
            jobs.running.keys().filter(|id| !stands.contains(id)).cloned().collect();
        for id in lost {
            if let Some((_, length)) = jobs.running.remove(&id) {
                jobs.killed += 1;
                jobs.waiting.push_back(length);
            }
        }
        let here = |it: &&ObjectView| it.phase == Phase::Ready && !self.away.contains(&it.id);
        for node in all.iter().filter(here) {
            let (mark, again) = self.marks.entry(node.id.clone()).or_default();
            if now >= *again {
                *mark = node.tags.get(tags::DRAIN).cloned();
                *again = now + dice.roll(60_000);
            }
            if jobs.running.get(&node.id).is_some_and(|(end, _)| *end <= now) {
                jobs.running.remove(&node.id);
                jobs.done += 1;
                say((&self.region, &jobs), &node.id, "idle");
            } else if !node.tags.contains_key(tags::STATE) {
                say((&self.region, &jobs), &node.id, "ready");
            }
            let busy = jobs.running.contains_key(&node.id);
            match mark.as_deref() {
                None if !busy => {
                    if let Some(length) = jobs.waiting.pop_front() {
                        jobs.running.insert(node.id.clone(), (now + length * 1000, length));
                        say((&self.region, &jobs), &node.id, "busy");
                    }
                }
                Some(mark) if mark != tags::CORDON && !busy => {
                    drop(self.region.foreign_delete(node.id.as_str()));
                }
                Some(_) | None => {}
            }
        }
    }
}

/// A stack whose ledgers outlive the service.
#[derive(Clone)]
pub struct Ground {
    pub region: Region,
    desired: Arc<Desired>,
    scope: mlinfra::cloud::Scope,
    store: Arc<MemoryStore>,
    fleet: Arc<MemoryStore>,
    pub jobs: Arc<Mutex<Jobs>>,
    clock: Arc<SimClock>,
    name: String,
    /// How many in a hundred nodes may begin to go in a minute.
    pub down: u32,
}

#[async_trait]
impl World for Ground {
    async fn observe(&self) -> Observed {
        self.region.observe(&self.scope).await
    }

    fn clusters(&self, _observed: &Observed) -> Result<Vec<Cluster<'_>>, String> {
        let cluster = |(address, fleet): (&Address, &mlinfra::stack::Fleet)| {
            let pool = Pool {
                idle_timeout: Seconds(120),
                recheck: Seconds(90),
                latency_target: LatencyTarget::CHEAPEST,
                max_down_percent: self.down,
                ..Pool::new(&address.owner().to_string(), (fleet.count, fleet.most), 1)
            };
            let (address, fleet) = (address.clone(), fleet.clone());
            Cluster { address, fleet, pool, store: self.fleet.as_ref() }
        };
        Ok(self.desired.fleets.iter().map(cluster).collect())
    }

    async fn demand(&self, _cluster: &Address) -> Answer {
        let jobs = self.jobs.lock().expect("jobs");
        if jobs.silent {
            return Demand::Error { age: None, why: "no answer".to_owned() }.into();
        }
        let depth = u32::try_from(jobs.waiting.len()).expect("few");
        let waiting = (depth > 0).then(|| Job::depth(depth, Shape::single(1)));
        let busy = u32::try_from(jobs.running.len()).expect("few");
        let tells_running = jobs.tells_running;
        let running = (busy > 0 && tells_running).then(|| Job::depth(busy, Shape::single(1)));
        let (waiting, running) = (waiting.into_iter().collect(), running.into_iter().collect());
        Demand::known(Work { waiting, running, tells_running, ..Work::default() }).into()
    }

    fn eye(&self, stop: &CancellationToken) -> Eye<'_> {
        Eye {
            cloud: &self.region,
            clock: self.clock.as_ref(),
            scope: self.scope.clone(),
            who: Who::default(),
            holder: self.holder(),
            lineage: self.name.clone(),
            listener: &|_| {},
            stop: stop.clone(),
            tables: Tables::default(),
            decide: fleet::decide,
            dry: false,
        }
    }

    fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    fn holder(&self) -> Holder {
        let (who, doing) = (self.name.clone(), "autoscale".to_owned());
        Holder { who, pid: 1, doing, since: "now".to_owned() }
    }
}

#[async_trait(?Send)]
impl Reader for Ground {
    async fn read(&self) -> Result<Box<dyn World>, String> {
        Ok(Box::new(self.clone()))
    }

    fn has_changed(&self) -> bool {
        false
    }
}

fn service(ground: &Ground, stop: &CancellationToken) -> Service {
    Service {
        reader: Box::new(ground.clone()),
        every: Duration::from_secs(10),
        pace: Duration::ZERO,
        board: Arc::new(Board::default()),
        stop: stop.clone(),
        bell: Arc::new(Notify::new()),
        again: Arc::new(Notify::new()),
        say: Box::new(|_| {}),
    }
}

/// What chance does to a history.
#[derive(Clone, Copy)]
pub struct Weather {
    /// The service dies about so often, in seconds; 0 for never.
    pub dies_every: u64,
    /// A second one runs, which knows nothing of the first one's lock.
    pub twin: bool,
    /// The queue falls silent, and capacity runs out, now and then.
    pub rough: bool,
}

/// A cluster without nodes, applied.
pub async fn ground() -> Ground {
    ground_of(STACK).await
}

/// The same whose nodes have no agent.
pub async fn without_agent() -> Ground {
    let at = STACK.find("  agent {").expect("an agent");
    let ground = ground_of(&format!("{}}}\n", &STACK[..at])).await;
    ground.jobs.lock().expect("jobs").unheard = true;
    ground
}

async fn ground_of(stack: &str) -> Ground {
    let mut settings = Settings::default();
    for (key, value) in [("latency_ms", "50"), ("visibility_ms", "8000"), ("boot_seconds", "40")] {
        settings.set(key, value).expect("a setting");
    }
    let lab = Lab::new(settings);
    let desired = lab.desired(stack).await;
    assert!(lab.apply(&desired).await.expect("an apply").1.is_converged());
    Ground {
        region: lab.region.clone(),
        scope: lab.scope(&desired),
        desired: Arc::new(desired),
        store: Arc::default(),
        fleet: Arc::default(),
        jobs: Arc::default(),
        clock: Arc::new(SimClock(lab.region.clone())),
        name: "first".to_owned(),
        down: 10,
    }
}

/// One or two services, until they are told to stop.
pub async fn services(ground: &Ground, weather: Weather, seed: u64, stop: &CancellationToken) {
    let second = async {
        if weather.twin {
            let store = Arc::new(MemoryStore::default());
            let other = Ground { store, name: "second".to_owned(), ..ground.clone() };
            reborn(&other, weather, seed + 1, stop).await;
        }
    };
    tokio::join!(reborn(ground, weather, seed, stop), second);
}

/// Lives through some hours; what is wrong in the end.
async fn history(seed: u64, weather: Weather) -> (Vec<String>, usize) {
    let mut dice = Dice(seed);
    let ground = ground().await;
    let jobs = Arc::clone(&ground.jobs);
    let stop = CancellationToken::new();
    let script = play(&ground, &mut dice, weather, &stop);
    let (sent, ()) = tokio::join!(script, services(&ground, weather, seed, &stop));
    let jobs = jobs.lock().expect("jobs");
    let mut wrongs = Vec::new();
    let mut wrong = |is: bool, text: String| wrongs.extend(is.then_some(text));
    wrong(jobs.done != sent, format!("{} of {sent} jobs were done", jobs.done));
    wrong(jobs.killed > 0, format!("{} jobs were killed", jobs.killed));
    wrong(jobs.most > MOST, format!("{} nodes at once", jobs.most));
    let left = nodes(&ground.region).iter().filter(|it| it.phase.stands()).count();
    wrong(left > 0, format!("{left} nodes are left"));
    (wrongs, sent)
}

/// Sends jobs, runs agents, changes the weather; ends when everything has been quiet for long.
async fn play(
    ground: &Ground,
    dice: &mut Dice,
    weather: Weather,
    stop: &CancellationToken,
) -> usize {
    let jobs = Arc::clone(&ground.jobs);
    let mut yard = Yard::new(ground);
    let mut sent = 0;
    for second in (0..3 * 3600).step_by(5) {
        let busy_hours = second < 3600;
        if busy_hours && dice.one_in(40) {
            let count = 1 + dice.roll(5);
            let mut jobs = jobs.lock().expect("jobs");
            for _ in 0..count {
                jobs.waiting.push_back(20 + dice.roll(900));
                sent += 1;
            }
        }
        if weather.rough && dice.one_in(60) {
            jobs.lock().expect("jobs").silent = busy_hours && dice.one_in(3);
            let room = if busy_hours && dice.one_in(3) { "0" } else { "100" };
            let key = "capacity.g5.xlarge@us-east-1a";
            ground.region.set(key, room).expect("a setting");
        }
        yard.tick(dice);
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    stop.cancel();
    sent
}

/// Runs the service, kills it, and begins it anew.
async fn reborn(ground: &Ground, weather: Weather, seed: u64, stop: &CancellationToken) {
    let mut dice = Dice(seed ^ 0xA5A5);
    while !stop.is_cancelled() {
        let service = service(ground, stop);
        let life = match weather.dies_every {
            0 => Duration::from_secs(86_400),
            every => Duration::from_millis(1 + dice.roll(2000 * every)),
        };
        tokio::select! {
            ended = service.run() => ended.expect("a stack"),
            () = tokio::time::sleep(life) => {}
        }
        // Its lock goes with its process.
        ground.store.break_locks();
        ground.fleet.break_locks();
    }
}

async fn histories(name: &str, weather: Weather) {
    let count: u64 = number("MLINFRA_FLEET_DAYS").unwrap_or(3);
    let first: u64 = number("MLINFRA_FLEET_SEED").unwrap_or(1);
    let mut jobs = 0;
    for seed in first..first + count {
        let (wrongs, sent) = history(seed, weather).await;
        assert_eq!(wrongs, Vec::<String>::new(), "{name}: MLINFRA_FLEET_SEED={seed}");
        jobs += sent;
    }
    println!(
        "{name}: {count} histories, {jobs} jobs: each ran once, none was killed, 0 nodes left"
    );
    assert!(jobs > 0);
}

pub const FAIR: Weather = Weather { dies_every: 0, twin: false, rough: false };

#[tokio::test(start_paused = true)]
async fn a_queue_is_worked_off_and_its_nodes_go() {
    histories("fair", FAIR).await;
}

#[tokio::test(start_paused = true)]
async fn a_service_that_dies_again_and_again_loses_no_job_and_leaves_no_node() {
    histories("dying", Weather { dies_every: 60, ..FAIR }).await;
}

#[tokio::test(start_paused = true)]
async fn two_services_at_once_launch_no_more_than_one() {
    histories("two at once", Weather { dies_every: 300, twin: true, rough: false }).await;
}

#[tokio::test(start_paused = true)]
async fn silence_and_refusals_cost_time_and_nothing_else() {
    histories("rough", Weather { dies_every: 120, twin: true, rough: true }).await;
}

/// A cloud whose answers take an hour: whoever asks the service to end does not wait for them.
#[tokio::test(start_paused = true)]
async fn a_cloud_that_hangs_holds_nobody_up() {
    let ground = ground().await;
    ground.region.set("latency_ms", "3600000").expect("a setting");
    let stop = CancellationToken::new();
    let service = service(&ground, &stop);
    let script = async {
        tokio::time::sleep(Duration::from_secs(60)).await;
        stop.cancel();
        tokio::time::Instant::now()
    };
    let (asked, ended) = tokio::join!(script, service.run());
    ended.expect("it ends well");
    assert!(asked.elapsed() < Duration::from_secs(20), "{:?}", asked.elapsed());
    let looked = mlinfra::serve::autoscale::once(&ground, &stop, false).await.expect("a stack");
    assert_eq!(looked.len(), 0, "nothing is begun when told to end");
}

/// Nodes that fail their boot check are marked with the reason, kept as many as the cluster keeps,
/// and replaced; after five in a row only one is tried every ten minutes, and that is said.
#[tokio::test(start_paused = true)]
async fn nodes_that_fail_their_check_are_kept_and_after_five_launches_stop() {
    let mut settings = Settings::default();
    for (key, value) in [("latency_ms", "50"), ("boot_seconds", "40"), ("unfit.g5.xlarge", "9")] {
        settings.set(key, value).expect("a setting");
    }
    let lab = Lab::new(settings);
    let desired = lab.desired(STACK).await;
    assert!(lab.apply(&desired).await.expect("an apply").1.is_converged());
    let ground = Ground {
        region: lab.region.clone(),
        scope: lab.scope(&desired),
        desired: Arc::new(desired),
        store: Arc::default(),
        fleet: Arc::default(),
        jobs: Arc::default(),
        clock: Arc::new(SimClock(lab.region.clone())),
        name: "first".to_owned(),
        down: 10,
    };
    ground.jobs.lock().expect("jobs").waiting.extend([600; 20]);
    let (mut launched, mut stopped) = (0, false);
    for _ in 0..60 {
        tokio::time::sleep(Duration::from_secs(30)).await;
        let observed = ground.observe().await;
        let clusters = ground.clusters(&observed).expect("clusters");
        let cluster = clusters.first().expect("one");
        let demand = ground.demand(&cluster.address).await;
        let eye = ground.eye(&CancellationToken::new()).look(cluster, &observed, &demand).await;
        let decision = eye.expect("a look").decision;
        launched += decision.launches.iter().map(|it| it.count).sum::<u32>();
        stopped |= decision.alerts.iter().any(|it| matches!(it, Alert::CircuitOpen { .. }));
    }
    assert!(stopped, "it is told");
    // Six at once, then a probe every ten minutes of the half hour.
    assert!((7..=9).contains(&launched), "{launched} nodes");
    let observed = ground.observe().await;
    let kept: Vec<_> =
        observed.conditions.values().filter_map(|it| it.quarantine.as_ref()).collect();
    assert_eq!(kept.len(), 2, "{kept:?}");
    assert!(kept.iter().all(|it| it.until.is_some() && it.reason.starts_with("check: ")));
    let stand = nodes(&ground.region).iter().filter(|it| it.phase.stands()).count();
    assert!(stand <= 3, "{stand} nodes: those that are kept, and a probe");
}
