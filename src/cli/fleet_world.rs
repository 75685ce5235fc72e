//! A stack as the autoscaler sees it: its clusters, their ledgers, their queues, its cloud.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::apply::Event;
use crate::catalog::Catalog;
use crate::cloud::{Observed, Scope};
use crate::demand::{Answer, Sources, World as Around};
use crate::fleet::{self, Demand, LatencyTarget, Pool, Schedule, Seconds, Share};
use crate::kinds::Plan;
use crate::ledger::{Holder, Store, Who};
use crate::model::{Address, Clock as _, Money, Place, Problem};
use crate::plan::cost::{self, Bill, When};
use crate::serve::autoscale::{Cluster, Eye, Glance, World, orphans};
use crate::stack::{self, Autoscale, Budget, Desired, Moves};

use super::args::{Global, VarArgs};
use super::connect::{self, Session};
use super::halt::Halt;
use super::machine::{dice, env};

/// One stack, read once.
pub struct FleetWorld {
    session: Session,
    scope: Scope,
    store: Box<dyn Store>,
    fleets: BTreeMap<Address, Scaled>,
    listener: Box<dyn Fn(Event) + Send + Sync>,
    who: Who,
    holder: Holder,
    lineage: String,
    glance: Glance,
    /// Where nodes of the stack are declared, resized or not.
    declared: BTreeSet<Address>,
}

/// A cluster that is resized: its ledger, and whoever asks its queues.
struct Scaled {
    store: Box<dyn Store>,
    sources: Sources,
}

impl FleetWorld {
    /// Reads the stack; only one of its clusters where one is named.
    pub async fn read(global: &Global, vars: &VarArgs, only: Option<&Place>) -> Result<Self, Halt> {
        let session = connect::session(global, vars).await?;
        let store = session.store()?;
        let ledger = session.read_ledger().await?;
        let scope = session.scope(&ledger);
        let bare = session.desired(&Observed::default(), false);
        let desired = bare.map_err(|found| session.halt(found))?;
        let declared = desired.fleets.keys().cloned().collect();
        let mut fleets = BTreeMap::new();
        for (address, fleet) in desired.fleets {
            let Some(autoscale) = fleet.autoscale.as_ref().filter(|_| fleet.is_scaled()) else {
                continue;
            };
            if only.is_none_or(|only| only.covers(&address)) {
                let store = session.fleet_store(&address)?;
                let sources = sources(&session, &fleet, autoscale)?;
                fleets.insert(address, Scaled { store, sources });
            }
        }
        if fleets.is_empty() {
            return Err(nothing(only));
        }
        let start = session.start("autoscale", BTreeSet::new());
        let (who, holder) = (start.who, session.holder("autoscale"));
        let listener = Box::new(|_| {});
        let (lineage, glance) = (dice(), Glance::default());
        Ok(Self { session, scope, store, fleets, listener, who, holder, lineage, glance, declared })
    }

    /// The stack.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The ledgers of its clusters, by cluster.
    pub fn stores(&self) -> impl Iterator<Item = (Address, &dyn Store)> {
        self.fleets.iter().map(|(address, it)| (address.owner(), it.store.as_ref()))
    }
}

impl FleetWorld {
    /// What all of the stack may cost per hour, where it has a budget, and what it costs.
    fn bill(&self, desired: &Desired, observed: &Observed) -> Option<(Money, Bill)> {
        let Budget { per_hour, per_month } = self.session.stack.config.budget.as_ref()?;
        let hourly = per_hour.as_ref().map(|limit| limit.usd);
        let monthly = per_month.as_ref().map(|limit| limit.usd.per_hour());
        let budget = hourly.into_iter().chain(monthly).min()?;
        let bill = cost::bill(desired, observed, &Plan::default(), self.session.prices());
        Some((budget, bill))
    }
}

/// What of the stack's budget is left to one cluster's nodes. Of every other part what stands
/// counts, or the fewest nodes that there must be, where these cost more.
fn share(bill: &Bill, budget: Money, mine: &Address) -> Share {
    let mut elsewhere: BTreeMap<&Address, (Money, Money)> = BTreeMap::new();
    let mut beside = Money::ZERO;
    for line in &bill.lines {
        let of = |when| line.sum(when).per_hour();
        if line.address == *mine {
            // A node is paid by the hour and its disk by the month.
            let disk = line.rate.hourly == Money::ZERO;
            beside = beside.max(if disk { line.rate.monthly.per_hour() } else { Money::ZERO });
        } else {
            let sums = elsewhere.entry(&line.address).or_default();
            *sums = (sums.0 + of(When::Before), sums.1 + of(When::Floor));
        }
    }
    let elsewhere =
        elsewhere.into_values().fold(Money::ZERO, |all, (now, least)| all + now.max(least));
    Share { budget, elsewhere, beside }
}

/// Whoever says how much work there is, or what each of them lacks.
fn sources(
    session: &Session,
    fleet: &stack::Fleet,
    autoscale: &Autoscale,
) -> Result<Sources, Halt> {
    let queues = session.side.queues();
    let folder = &session.stack.dir;
    let around = Around { env: &env, folder, queues: Some(&queues) };
    let bounds = (Some(largest(&session.tables, fleet)).filter(|gpus| *gpus > 0), fleet.most);
    Sources::open(autoscale, bounds, around).map_err(|bad| {
        let problem = |(name, trouble): (String, crate::demand::Trouble)| {
            let text = format!("the source {name:?} cannot be asked: {trouble}");
            Problem::error("S011", text).help("set what it needs, then repeat the command")
        };
        Halt::of(bad.into_iter().map(problem).collect(), &crate::model::Sources::default())
    })
}

/// Accelerators of the largest node that a cluster may have.
fn largest(catalog: &Catalog, fleet: &stack::Fleet) -> u32 {
    fleet.offers.iter().map(|offer| catalog.gpus(&offer.instance_type)).max().unwrap_or(0)
}

fn nothing(only: Option<&Place>) -> Halt {
    let text = match only {
        Some(place) => format!("{place} is no cluster that is resized"),
        None => "the stack has no cluster that is resized".to_owned(),
    };
    let help = "write nodes = { min = 0, max = 16 } and an `autoscale` block in a cluster";
    Halt::one("S010", text, help)
}

#[async_trait]
impl World for FleetWorld {
    async fn observe(&self) -> Observed {
        let side = &self.session.side;
        self.glance.look(side.cloud(), &self.scope, side.now()).await
    }

    fn clusters(&self, observed: &Observed) -> Result<Vec<Cluster<'_>>, String> {
        let desired = self.session.desired(observed, false).map_err(|found| {
            let texts: Vec<String> = found.into_iter().map(|problem| problem.summary).collect();
            texts.join("; ")
        })?;
        let bill = self.bill(&desired, observed);
        let cluster = |(address, fleet): (Address, stack::Fleet)| {
            let scaled = self.fleets.get(&address)?;
            let catalog = &self.session.tables;
            let pool = pool((&address, &fleet), fleet.autoscale.as_ref()?, catalog);
            let share = bill.as_ref().map(|(budget, bill)| share(bill, *budget, &address));
            let pool = Pool { share, ..pool };
            let store = scaled.store.as_ref();
            Some(Cluster { address, fleet, pool, store })
        };
        Ok(desired.fleets.into_iter().filter_map(cluster).collect())
    }

    fn orphans(&self, observed: &Observed) -> u64 {
        let moves = Moves::of(&self.session.stack.loaded);
        let (observed, _) = moves.relocate(&self.session.stack.config.stack, observed);
        orphans(&observed, &self.declared)
    }

    async fn demand(&self, cluster: &Address) -> Answer {
        match self.fleets.get(cluster) {
            Some(scaled) => scaled.sources.look(self.session.side.now()).await,
            None => Demand::Error { age: None, why: format!("{cluster} has no source") }.into(),
        }
    }

    fn eye(&self, stop: &CancellationToken) -> Eye<'_> {
        Eye {
            cloud: self.session.side.cloud(),
            clock: &self.session.side,
            scope: self.scope.clone(),
            who: self.who.clone(),
            holder: self.holder.clone(),
            lineage: self.lineage.clone(),
            listener: self.listener.as_ref(),
            stop: stop.clone(),
            tables: self.session.tables.clone(),
            decide: fleet::decide,
            dry: false,
        }
    }

    fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    fn holder(&self) -> Holder {
        self.holder.clone()
    }
}

/// What the stack says of a cluster's size, as the decision wants it.
pub fn pool(
    (address, fleet): (&Address, &stack::Fleet),
    autoscale: &Autoscale,
    catalog: &Catalog,
) -> Pool {
    let Autoscale {
        sources: _,
        idle_timeout,
        latency_target,
        spare,
        stabilisation,
        max_up,
        max_down,
        zero_confirm,
        cordon_time,
        boot,
        schedules,
        per_hour,
        per_month,
    } = autoscale;
    let (name, size) = (address.owner().to_string(), (fleet.count, fleet.most));
    let plain = Pool::new(&name, size, largest(catalog, fleet));
    Pool {
        together: fleet.gang,
        idle_timeout: Seconds(*idle_timeout),
        stabilisation: Seconds(*stabilisation),
        max_down_percent: *max_down,
        zero_confirm: *zero_confirm,
        latency_target: LatencyTarget::new(*latency_target),
        spare: *spare,
        schedules: schedules.iter().map(schedule).collect(),
        max_up_per_minute: *max_up,
        hourly_budget: *per_hour,
        monthly_budget: *per_month,
        boot: Seconds(*boot),
        limits: fleet::Limits {
            booting: Seconds(fleet.care.boot),
            quarantined: Seconds(fleet.care.quarantine),
            ..plain.limits
        },
        recheck: Seconds(*cordon_time),
        ..plain
    }
}

fn schedule(written: &stack::Schedule) -> Schedule {
    let stack::Schedule { cron, timezone, lasts, min, max } = written.clone();
    Schedule { cron, timezone, lasts: lasts.map(Seconds), min, max }
}
