//! `mlinfra autoscale simulate`

use std::io::Read as _;
use std::path::Path;
use std::str::FromStr as _;
use std::time::Instant;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use crate::fleet::replay::{
    BadRow, Faults, Market, Ours, Outcome, Peer, Replay, SECOND, Setting, Trace,
};
use crate::fleet::{LatencyTarget, Pool};
use crate::lang;
use crate::model::{Money, Problem, Sources};
use crate::show::simulation::{self, Run, Simulation};
use crate::show::simulation_html;

use super::DONE;
use super::args::Global;
use super::halt::Halt;
use super::load;
use super::simulate_args::SimulateArgs;
use super::simulate_cluster::{self as cluster, Cluster};
use super::terminal::Terminal;

/// Settings of the knob that the page draws.
const KNOB: [u8; 11] = [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100];
const BAD: &str = "O005";

pub fn run(global: &Global, terminal: &Terminal, args: &SimulateArgs) -> Result<u8, Halt> {
    let policies = policies(args, global.json)?;
    if let Some(path) = &args.html {
        writable(path)?;
    }
    let trace = trace(&args.trace)?;
    let cluster = match &args.cluster {
        Some(place) => cluster::find(global, &args.vars, place)?,
        None => Cluster::default(),
    };
    let of_cluster = cluster.pool.as_ref().map(|pool| pool.latency_target);
    let knob = match &args.latency_target {
        Some(text) => knob(text)?,
        None => of_cluster.unwrap_or(LatencyTarget::BALANCED),
    };
    let world = World::new(args, &cluster)?;
    let (trace, mut simulation) = world.simulation(args, trace)?;
    for policy in &policies {
        let mut run = world.replay(*policy, knob, &trace);
        run.replay.outcome.unfinished += simulation.unfit;
        simulation.runs.push(run);
    }
    if let Some(path) = &args.html {
        simulation.curve = KNOB
            .into_iter()
            .map(|percent| {
                let knob = LatencyTarget::new(percent);
                (percent, world.ours(knob, &trace).outcome)
            })
            .collect();
        write(path, &simulation_html::page(&simulation))?;
    }
    if global.json {
        terminal.json(&simulation::document(&simulation));
    } else {
        terminal.print(&simulation::text(&simulation, &terminal.screen));
        if let Some(path) = &args.html {
            terminal.say(&format!("Charts: {}\n", path.display()));
        }
    }
    Ok(DONE)
}

/// A policy by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Policy {
    Ours,
    Peer(Peer),
}

fn policies(args: &SimulateArgs, alone: bool) -> Result<Vec<Policy>, Halt> {
    let beside = |peers: &[Peer]| {
        let peers = peers.iter().map(|peer| Policy::Peer(*peer));
        std::iter::once(Policy::Ours).chain(peers).collect::<Vec<_>>()
    };
    if args.policy.is_empty() {
        return Ok(if alone { vec![Policy::Ours] } else { beside(&Peer::USUAL) });
    }
    let mut out = Vec::new();
    for word in &args.policy {
        let found = match word.trim() {
            "ours" => vec![Policy::Ours],
            "all" => beside(&Peer::ALL),
            name => {
                let peer = Peer::from_str(name);
                vec![Policy::Peer(peer.map_err(|why| {
                    Halt::one(BAD, why, "name them with commas between: --policy ours,karpenter")
                })?)]
            }
        };
        out.extend(found.into_iter().filter(|one| !out.contains(one)).collect::<Vec<_>>());
    }
    Ok(out)
}

fn knob(text: &str) -> Result<LatencyTarget, Halt> {
    LatencyTarget::read(text).ok_or_else(|| {
        let why = format!("--latency-target {text:?} is no target");
        Halt::one(BAD, why, "write cheapest, balanced, fastest, or a number from 0 to 100")
    })
}

/// In seconds.
fn boot(text: &str) -> Result<i64, Halt> {
    let seconds = lang::duration(text).ok().filter(|seconds| *seconds <= 86_400);
    seconds.and_then(|seconds| i64::try_from(seconds).ok()).ok_or_else(|| {
        let why = format!("--boot {text:?} is no time from 0s to 1d");
        Halt::one(BAD, why, "write it like 300s or 5m")
    })
}

fn trace(path: &Path) -> Result<Trace, Halt> {
    let bytes = if path == Path::new("-") {
        let mut bytes = Vec::new();
        let read = std::io::stdin().lock().read_to_end(&mut bytes);
        read.map_err(|error| {
            Halt::one(BAD, format!("standard input cannot be read: {error}"), "")
        })?;
        bytes
    } else {
        load::bytes(path)?
    };
    Trace::read(&bytes).map_err(|rows| {
        let problem = |row: BadRow| {
            let place = match row.line {
                0 => path.display().to_string(),
                line => format!("{}:{line}", path.display()),
            };
            Problem::error("O006", format!("{place}: {}", row.why)).help(row.help)
        };
        Halt::of(rows.into_iter().map(problem).collect(), &Sources::default())
    })
}

/// What is replayed, whatever the policy.
struct World {
    setting: Setting,
    price: Option<Money>,
    spot_price: Option<Money>,
    spare: Option<u32>,
    cluster: Cluster,
}

impl World {
    fn new(args: &SimulateArgs, cluster: &Cluster) -> Result<Self, Halt> {
        let boot = match &args.boot {
            Some(text) => boot(text)?,
            None => cluster.pool.as_ref().map_or(300, |pool| i64::from(pool.boot.0)),
        };
        let faults = Faults::parse(&args.faults).map_err(|why| {
            let help = "write rates with commas between: refuse=0.1,boot=0.02,lost=0.001,seed=1";
            Halt::one(BAD, format!("--faults: {why}"), help)
        })?;
        let market = match &args.spot {
            None => Market::default(),
            Some(path) => Market::read(&load::read(path)?).map_err(|why| {
                let help = "give a trace of skypilot-org/spot-traces (JSON), or one of Bamboo \
                            (milliseconds,add|remove,node)";
                Halt::one(BAD, format!("{}: {why}", path.display()), help)
            })?,
        };
        let setting = Setting {
            gpus: args.gpus_per_node.or(cluster.gpus).unwrap_or(8),
            max_nodes: args.max_nodes.or(cluster.max_nodes).unwrap_or(400),
            boot: boot * SECOND,
            faults,
            market,
        };
        let price = price("--price", args.price.as_deref())?.or(cluster.price);
        let spot_price = price_or(price, "--spot-price", args.spot_price.as_deref(), cluster)?;
        Ok(Self { setting, price, spot_price, spare: args.spare, cluster: cluster.clone() })
    }

    /// The trace without what no number of nodes could run, and what is told of both.
    fn simulation(
        &self,
        args: &SimulateArgs,
        mut trace: Trace,
    ) -> Result<(Trace, Simulation), Halt> {
        let last = trace.jobs.last().map_or(0, |job| job.submit);
        let Setting { gpus, max_nodes, .. } = self.setting;
        let (jobs, work_gpu_h) = (trace.jobs.len(), trace.gpu_hours());
        let whole = trace.jobs.iter().map(|job| job.whole_nodes(gpus));
        let unfit_nodes = whole.filter(|nodes| *nodes > max_nodes).max().unwrap_or(0);
        trace.jobs.retain(|job| job.whole_nodes(gpus) <= max_nodes);
        if trace.jobs.is_empty() {
            let text = format!(
                "no job of {} fits: the largest wants {unfit_nodes} nodes of {gpus} GPUs, and there \
                 are {max_nodes} at most",
                args.trace.display()
            );
            return Err(Halt::one(BAD, text, "allow more with --max-nodes or --gpus-per-node"));
        }
        let simulation = Simulation {
            trace: args.trace.display().to_string(),
            jobs,
            left_out: trace.left_out,
            unfit: jobs - trace.jobs.len(),
            unfit_nodes,
            span_s: last as f64 / SECOND as f64,
            work_gpu_h,
            setting: self.setting.clone(),
            price: self.price,
            reference: Peer::Reference.replay(&self.setting, &trace.jobs).outcome,
            runs: Vec::new(),
            curve: Vec::new(),
        };
        Ok((trace, simulation))
    }

    fn ours(&self, knob: LatencyTarget, trace: &Trace) -> Replay {
        let setting = &self.setting;
        let mut pool = self.cluster.pool.clone().unwrap_or_else(|| {
            Pool::new("cluster.simulated", (0, setting.max_nodes), setting.gpus)
        });
        pool.latency_target = knob;
        pool.spare = self.spare.unwrap_or(pool.spare);
        let (price, spot_price) = (self.price, self.spot_price);
        Ours { pool, price, spot_price }.replay(setting, trace)
    }

    #[expect(clippy::disallowed_methods, reason = "this is the room that asks the clock")]
    fn replay(&self, policy: Policy, knob: LatencyTarget, trace: &Trace) -> Run {
        let began = Instant::now();
        let (name, replay) = match policy {
            Policy::Ours => ("ours".to_owned(), self.ours(knob, trace)),
            Policy::Peer(peer) => (peer.to_string(), peer.replay(&self.setting, &trace.jobs)),
        };
        let wall_s = began.elapsed().as_secs_f64();
        let usd = self.usd(&replay.outcome);
        Run { name, replay, usd, wall_s }
    }

    fn usd(&self, outcome: &Outcome) -> Option<f64> {
        let gpus = f64::from(self.setting.gpus);
        let (on_demand, spot) = (self.price?, self.spot_price.or(self.price)?);
        let on_demand = on_demand.dollars().to_f64()? / gpus;
        let spot = spot.dollars().to_f64()? / gpus;
        Some((outcome.cost_gpu_h - outcome.spot_gpu_h) * on_demand + outcome.spot_gpu_h * spot)
    }
}

fn price_or(
    price_of_all: Option<Money>,
    flag: &str,
    text: Option<&str>,
    cluster: &Cluster,
) -> Result<Option<Money>, Halt> {
    Ok(price(flag, text)?.or(cluster.spot_price).or(price_of_all))
}

fn price(flag: &str, text: Option<&str>) -> Result<Option<Money>, Halt> {
    let Some(text) = text else { return Ok(None) };
    let parsed = Decimal::from_str(text.trim().trim_start_matches('$')).ok();
    let most = Decimal::from(1_000_000);
    match parsed.filter(|price| (Decimal::ZERO..=most).contains(price)) {
        Some(price) => Ok(Some(Money::new(price))),
        None => {
            let why = format!("{flag} {text:?} is no price");
            Err(Halt::one(BAD, why, "write dollars per node and hour, such as 55.04"))
        }
    }
}

/// Refuses before any work is done.
fn writable(path: &Path) -> Result<(), Halt> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if path.is_dir() || folder.is_some_and(|folder| !folder.is_dir()) {
        let why = format!("{} cannot be written", path.display());
        return Err(Halt::one(BAD, why, "name a file in a folder that is there"));
    }
    Ok(())
}

fn write(path: &Path, page: &str) -> Result<(), Halt> {
    std::fs::write(path, page).map_err(|error| {
        let why = format!("{} cannot be written: {error}", path.display());
        Halt::one(BAD, why, "name a file in a folder that you may write to")
    })
}
