//! From a configuration to a cloud, a ledger and what both say.

use std::path::{Path, PathBuf};

use tokio::runtime::{Builder, Runtime};

use crate::cloud::{Cloud, Facts, Observed, Scope};
use crate::kinds::Plan;
use crate::ledger::{Holder, Ledger, Who};
use crate::model::{AccountId, Clock, Moment, Problem};
use crate::plan::Refusal;
use crate::sim::Region;
use crate::stack::{self, Config, Desired, Moves, Pins};

use super::args::{Global, VarArgs};
use super::halt::Halt;
use super::hand::Hand;
use super::load::{self, Missing, Stack};
use super::machine::{env, wall};

/// The simulated world's folder, beside the stack.
const SANDBOX: &str = ".mlinfra-sandbox";

/// Which cloud.
pub enum Side {
    /// The simulated region.
    Sandbox(Region),
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

/// The folder of the simulated world, when one is wanted.
pub fn sandbox(global: &Global) -> Option<PathBuf> {
    match global.sandbox.as_deref() {
        None | Some("" | "0" | "false") => None,
        Some("1" | "true") => Some(load::folder(global).join(SANDBOX)),
        Some(path) => Some(PathBuf::from(path)),
    }
}

/// A runtime. In the simulated region nobody waits: its clock jumps to whatever is
/// waited for, unless MLINFRA_SANDBOX_CLOCK=real.
pub fn runtime(global: &Global) -> Result<Runtime, Halt> {
    let jumps =
        sandbox(global).is_some() && env("MLINFRA_SANDBOX_CLOCK").as_deref() != Some("real");
    let mut builder = Builder::new_current_thread();
    builder.enable_all().start_paused(jumps);
    builder.build().map_err(|error| Halt::one("X002", format!("cannot start: {error}"), ""))
}

/// Connects to the stack's region.
#[cfg_attr(not(feature = "aws"), allow(clippy::unused_async))]
pub async fn side(global: &Global, config: &Config) -> Result<Side, Halt> {
    if let Some(folder) = sandbox(global) {
        return Ok(Side::Sandbox(Region::open(&folder, config.region.clone())?));
    }
    #[cfg(feature = "aws")]
    {
        let path_style = env("AWS_ENDPOINT_URL_S3").or_else(|| env("AWS_ENDPOINT_URL")).is_some();
        let connect = crate::aws::Connect {
            profile: global.profile.clone(),
            path_style,
            ..crate::aws::Connect::to(config.region.clone())
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
}

/// Loads the configuration and connects; the account is compared before anything else.
pub async fn session(global: &Global, args: &VarArgs) -> Result<Session, Halt> {
    let mut stack = load::load(global, args, None, Missing::Refused)?;
    let side = side(global, &stack.config).await?;
    let caller = side.cloud().caller().await?;
    match &stack.config.account {
        Some(account) if *account != caller.home.account => {
            return Err(foreign(&stack, account, &caller.home.account));
        }
        Some(_) => {}
        // Names hold the account: now that it is known they can be computed.
        None => {
            let account = Some(caller.home.account.clone());
            stack = load::load(global, args, account, Missing::Refused)?;
        }
    }
    let facts = side.cloud().facts(&stack::ask(&stack.loaded)).await?;
    Ok(Session { stack, side, facts, arn: caller.arn, world: sandbox(global), hand: None })
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
            let nothing = stack::nothing(&self.stack.loaded, &self.facts, &Pins::of(observed));
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
        let pins = Pins::of(&observed);
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

    /// The plan, without touching anything.
    pub async fn plan(&self, ledger: &mut Ledger, destroy: bool) -> Result<Plan, Halt> {
        let scope = self.scope(ledger);
        let mut observed = self.side.cloud().observe(&scope).await;
        ledger.reconcile(&mut observed);
        let desired = self.desired(&observed, destroy).map_err(|found| self.halt(found))?;
        self.look_for(&desired, &mut observed).await?;
        Ok(crate::plan::plan(&desired, ledger, &observed)?)
    }

    /// The same for the executor, which cannot show problems of a configuration that
    /// were shown before.
    pub fn planner(
        &self,
        destroy: bool,
    ) -> impl Fn(&Observed, &Ledger) -> Result<Plan, Refusal> + Sync + '_ {
        move |observed, ledger| {
            let desired = self.desired(observed, destroy).map_err(|found| Refusal::Blind {
                what: "the configuration".to_owned(),
                why: found.first().map(|problem| problem.summary.clone()).unwrap_or_default(),
            })?;
            let plan = crate::plan::plan(&desired, ledger, observed)?;
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

    /// Who runs an apply.
    pub fn who(&self, verb: &str) -> Who {
        let commit = commit(&self.stack.dir);
        Who { arn: self.arn.clone(), user: user(), commit, verb: verb.to_owned() }
    }
}

fn user() -> String {
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
