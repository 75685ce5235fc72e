//! From a configuration to a cloud, a ledger and what both say.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tokio::runtime::{Builder, Runtime};

use crate::apply::Start;
use crate::catalog::Tables;
use crate::cloud::{Ask, Caller, Cloud, Facts, Observed, Scope};
use crate::kinds::{KindName, Plan};
use crate::lang::{self, Snapshot};
use crate::ledger::{Holder, Ledger, Who};
use crate::model::{AccountId, Clock, Moment, Problem, Region};
use crate::plan::cost::{self, Bill, Prices};
use crate::plan::{Refusal, Selection};
use crate::policy;
use crate::sim::Region as Sandbox;
use crate::stack::{self, Desired, Moves, Pins};

use super::args::{Global, VarArgs};
use super::cache::{self, Kept};
use super::halt::Halt;
use super::hand::Hand;
use super::load::{self, Missing, Stack};
use super::machine::{env, wall};

/// Which cloud.
pub enum Side {
    /// The simulated region.
    Sandbox(Sandbox),
    /// The real one.
    #[cfg(feature = "aws")]
    Aws(Box<crate::aws::Aws>),
}

impl Side {
    /// The port.
    pub fn cloud(&self) -> &dyn Cloud {
        match self {
            Self::Sandbox(region) => region,
            #[cfg(feature = "aws")]
            Self::Aws(aws) => aws.as_ref(),
        }
    }
}

impl Clock for Side {
    fn now(&self) -> Moment {
        match self {
            Self::Sandbox(region) => Moment(i64::try_from(region.now()).unwrap_or(i64::MAX)),
            #[cfg(feature = "aws")]
            Self::Aws(_) => wall(),
        }
    }
}

/// A runtime. In the simulated region nobody waits: its clock jumps to whatever is
/// waited for.
pub fn runtime(global: &Global) -> Result<Runtime, Halt> {
    let mut builder = Builder::new_current_thread();
    builder.enable_all().start_paused(load::hurries(global));
    builder.build().map_err(|error| Halt::one("X002", format!("cannot start: {error}"), ""))
}

/// Connects to the stack's region.
#[cfg_attr(not(feature = "aws"), allow(clippy::unused_async))]
pub async fn side(global: &Global, region: &Region) -> Result<Side, Halt> {
    if let Some(folder) = load::sandbox(global) {
        return Ok(Side::Sandbox(Sandbox::open(&folder, region.clone())?));
    }
    #[cfg(feature = "aws")]
    {
        let path_style = env("AWS_ENDPOINT_URL_S3").or_else(|| env("AWS_ENDPOINT_URL")).is_some();
        let connect = crate::aws::Connect {
            profile: global.profile.clone(),
            path_style,
            ..crate::aws::Connect::to(region.clone())
        };
        let aws = crate::aws::Aws::connect(connect).await?;
        Ok(Side::Aws(Box::new(aws)))
    }
    #[cfg(not(feature = "aws"))]
    Err(Halt::one(
        "X003",
        "this mlinfra was built without the AWS adapter",
        "use --sandbox, or build with the feature `aws`",
    ))
}

/// A stack, its cloud, and what expanding the one needs to know of the other.
pub struct Session {
    /// The configuration.
    pub stack: Stack,
    /// The cloud.
    pub side: Side,
    /// What expansion needs to know.
    pub facts: Facts,
    /// Who asks.
    pub arn: String,
    /// The simulated world's folder, when it is the cloud.
    pub world: Option<PathBuf>,
    /// What the command wants beside the configuration.
    pub hand: Option<Hand>,
    /// Hardware and prices as they are known in the region.
    pub tables: Tables,
}

/// A region, and who asks there.
pub async fn meet(global: &Global, region: &Region) -> Result<(Side, Caller), Halt> {
    let side = side(global, region).await?;
    let caller = side.cloud().caller().await?;
    Ok((side, caller))
}

/// Loads the configuration and connects; the account is compared before anything else.
pub async fn session(global: &Global, args: &VarArgs) -> Result<Session, Halt> {
    let load = |account| load::load(global, args, account, Missing::Refused);
    session_of(global, load::peek(global), None, &load).await
}

/// The same with a configuration that was written down, and with prices that were.
pub async fn session_as_written(
    global: &Global,
    args: &VarArgs,
    snapshot: &Snapshot,
    tables: Option<Tables>,
) -> Result<Session, Halt> {
    let load = |account| load::written(global, args, snapshot, account);
    let region = lang::peek_region(snapshot.files.values().map(String::as_str));
    session_of(global, region.map(Region::from), tables, &load).await
}

/// The same for whoever only wants to reach the ledger: variables may have no value.
pub async fn session_to_ledger(global: &Global, args: &VarArgs) -> Result<Session, Halt> {
    let load = |account: Option<AccountId>| {
        let with = |args: &VarArgs| load::load(global, args, account.clone(), Missing::Unknown);
        // Values may be meant for the configuration of an earlier apply.
        with(args).or_else(|halt| with(&VarArgs::default()).map_err(|_| halt))
    };
    session_of(global, None, None, &load).await
}

/// Names hold the account. Whoever knows it first, in the region that the text seems to
/// name, evaluates once; problems of the configuration are told before those of
/// connecting all the same.
pub async fn session_of(
    global: &Global,
    region: Option<Region>,
    tables: Option<Tables>,
    load: &dyn Fn(Option<AccountId>) -> Result<Stack, Halt>,
) -> Result<Session, Halt> {
    let met = match &region {
        Some(region) => Some(meet(global, region).await),
        None => None,
    };
    let account = |met: &(Side, Caller)| met.1.home.account.clone();
    let known = met.as_ref().and_then(|met| met.as_ref().ok()).map(account);
    let mut stack = load(known.clone())?;
    let met = match met {
        Some(met) if region.as_ref() == Some(&stack.config.region) => met?,
        Some(_) | None => meet(global, &stack.config.region).await?,
    };
    match &stack.config.account {
        Some(own) if *own != account(&met) => return Err(foreign(&stack, own, &account(&met))),
        None if known != Some(account(&met)) => stack = load(Some(account(&met)))?,
        Some(_) | None => {}
    }
    let (side, caller) = met;
    let kept = match tables {
        Some(tables) => Kept { tables, warning: None },
        None => cache::read(global, &stack.config.region),
    };
    let tables = kept.tables;
    let (mut stack, facts) = find_out(stack, &side, &tables).await?;
    stack.warnings.extend(kept.warning);
    let (arn, world) = (caller.arn, load::sandbox(global));
    Ok(Session { stack, side, facts, arn, world, hand: None, tables })
}

/// Lookups within lookups, at most.
const ROUNDS: usize = 8;

/// Asks what expansion needs to know. What is looked up decides what else is asked, so that
/// goes on until nothing new is.
async fn find_out(mut stack: Stack, side: &Side, tables: &Tables) -> Result<(Stack, Facts), Halt> {
    let known = Pins { tables: tables.clone(), lock: stack.lock.clone(), ..Pins::default() };
    let questions = |stack: &Stack| Ask { at: side.now(), ..stack::ask(&stack.loaded, &known) };
    let mut ask = questions(&stack);
    let mut facts = side.cloud().facts(&ask).await?;
    if !stack.looks_up() {
        return Ok((stack, facts));
    }
    for _ in 0..ROUNDS {
        let problems = stack::not_found(&stack.loaded, &facts);
        if !problems.is_empty() {
            return Err(Halt::of(problems, &stack.loaded.sources));
        }
        stack = stack.informed(facts.clone())?;
        let more = questions(&stack);
        // Time passes between two rounds, and changes no question.
        if (Ask { at: ask.at, ..more.clone() }) == ask {
            break;
        }
        ask = more;
        facts = side.cloud().facts(&ask).await?;
    }
    Ok((stack, facts))
}

fn foreign(stack: &Stack, wanted: &AccountId, here: &AccountId) -> Halt {
    let text = format!("the stack belongs to account {wanted}");
    let help = format!("use credentials of account {wanted} (--profile)");
    let mut problem = Problem::error("C002", text).help(help);
    if let Some(block) = &stack.loaded.stack {
        let label = format!("these credentials are of account {here}");
        problem = problem.at(block.place("account"), label);
    }
    Halt::of(vec![problem], &stack.loaded.sources)
}

impl Session {
    /// What is wanted, given what lives.
    pub fn desired(&self, observed: &Observed, destroy: bool) -> Result<Desired, Vec<Problem>> {
        if destroy {
            // What is to be forgotten stays, also when everything else goes.
            let forget = stack::forgotten(&self.stack.loaded);
            let nothing = stack::nothing(&self.stack.loaded, &self.facts, &self.pins(observed));
            return Ok(Desired { forget, ..nothing });
        }
        let mut desired = self.declared(observed)?;
        if let Some(hand) = &self.hand {
            hand.alter(&mut desired)?;
        }
        Ok(desired)
    }

    fn declared(&self, observed: &Observed) -> Result<Desired, Vec<Problem>> {
        let moves = Moves::of(&self.stack.loaded);
        let (observed, _) = moves.relocate(&self.stack.config.stack, observed);
        let pins = self.pins(&observed);
        if pins.origins.is_empty() {
            return stack::expand(&self.stack.loaded, &self.facts, &pins);
        }
        // Names cannot change: what has moved keeps its own, and whoever refers to it by
        // name means that one.
        let renamed = self.stack.renamed(&self.facts.home.account, &pins.origins);
        if !renamed.problems.is_empty() {
            return Err(renamed.problems);
        }
        stack::expand(&renamed, &self.facts, &pins)
    }

    /// What must not move when the world around it changes.
    pub fn pins(&self, observed: &Observed) -> Pins {
        let (tables, lock) = (self.tables.clone(), self.stack.lock.clone());
        Pins { tables, lock, ..Pins::of(observed) }
    }

    /// Problems of this configuration.
    pub fn halt(&self, problems: Vec<Problem>) -> Halt {
        Halt::of(problems, &self.stack.loaded.sources)
    }

    /// Where to look.
    pub fn scope(&self, ledger: &Ledger) -> Scope {
        let mut names = stack::chosen_names(&self.stack.loaded);
        names.extend(ledger.names.iter().cloned());
        Scope { stack: self.stack.config.stack.clone(), home: self.facts.home.clone(), names }
    }

    /// What the cloud shows, without touching anything.
    pub async fn observe(&self, ledger: &mut Ledger, destroy: bool) -> Result<Observed, Halt> {
        let scope = self.scope(ledger);
        let mut observed = self.side.cloud().observe(&scope).await;
        observed.at = self.side.now();
        ledger.reconcile(&mut observed);
        self.seek(&mut observed, destroy).await?;
        Ok(observed)
    }

    /// The plan for what the cloud shows.
    pub fn plan(
        &self,
        ledger: &Ledger,
        observed: &Observed,
        destroy: bool,
        selection: &Selection,
    ) -> Result<Plan, Halt> {
        Ok(self.priced_plan(ledger, observed, destroy, selection)?.0)
    }

    /// The same, and what it costs.
    pub fn priced_plan(
        &self,
        ledger: &Ledger,
        observed: &Observed,
        destroy: bool,
        selection: &Selection,
    ) -> Result<(Plan, Bill), Halt> {
        let desired = self.desired(observed, destroy).map_err(|found| self.halt(found))?;
        selection.check(&desired, observed)?;
        let plan = crate::plan::plan_for(&desired, ledger, observed, selection)?;
        let bill = cost::bill(&desired, observed, &plan, self.prices());
        Ok((plan, bill))
    }

    /// What the guard rails say of a plan.
    pub fn judge(&self, plan: &Plan, bill: &Bill) -> Vec<Problem> {
        policy::judge(policy::Subject { config: &self.stack.config, plan, bill })
    }

    /// Where prices are looked up.
    pub fn prices(&self) -> Prices<'_> {
        Prices { catalog: &self.tables, region: self.facts.region() }
    }

    /// The same for the executor, which cannot show problems of a configuration that
    /// were shown before. What the stack costs by then is left behind.
    pub fn planner<'a>(
        &'a self,
        destroy: bool,
        selection: Selection,
        cost: &'a Mutex<Bill>,
    ) -> impl Fn(&Observed, &Ledger) -> Result<Plan, Refusal> + Sync + 'a {
        move |observed, ledger| {
            let desired = self.desired(observed, destroy).map_err(|found| Refusal::Blind {
                what: "the configuration".to_owned(),
                why: found.first().map(|problem| problem.summary.clone()).unwrap_or_default(),
            })?;
            let plan = crate::plan::plan_for(&desired, ledger, observed, &selection)?;
            if let Ok(mut cost) = cost.lock() {
                *cost = cost::bill(&desired, observed, &plan, self.prices());
            }
            Ok(match &self.hand {
                Some(hand) => hand.part(plan),
                None => plan,
            })
        }
    }

    /// Who works on the stack, for whoever finds it locked.
    pub fn holder(&self, verb: &str) -> Holder {
        let pid = std::process::id();
        Holder { who: user(), pid, doing: verb.to_owned(), since: wall().to_string() }
    }

    /// What is written down when an apply begins.
    pub fn start(&self, verb: &str, names: BTreeSet<(KindName, String)>) -> Start {
        let snapshot = &self.stack.snapshot;
        let config = serde_json::to_vec(snapshot).ok().map(|bytes| (snapshot.digest(), bytes));
        Start { who: self.who(verb), names, config, ..Start::default() }
    }

    /// Who runs an apply.
    fn who(&self, verb: &str) -> Who {
        let commit = commit(&self.stack.dir);
        Who { arn: self.arn.clone(), user: user(), commit, verb: verb.to_owned() }
    }
}

pub fn user() -> String {
    let name = env("USER").or_else(|| env("LOGNAME")).unwrap_or_else(|| "somebody".to_owned());
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{name}@{}", host.trim())
}

/// The configuration's git commit, with a `+` when files differ from it.
fn commit(dir: &Path) -> Option<String> {
    let git = |args: &[&str]| {
        let output =
            std::process::Command::new("git").arg("-C").arg(dir).args(args).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let head = git(&["rev-parse", "--short=12", "HEAD"])?;
    let clean = git(&["status", "--porcelain", "--", "."])?.is_empty();
    Some(if clean { head } else { format!("{head}+") })
}
