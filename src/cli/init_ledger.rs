//! The bucket that keeps ledgers, made by `init`: the stack `mlinfra` with one bucket, applied
//! by the same executor as every stack, so that it is private, encrypted, versioned, TLS only
//! and looked for by its owner. Its own ledger is kept nowhere: its name and tags tell all.

use tokio_util::sync::CancellationToken;

use crate::apply::{Hands, Patience};
use crate::cloud::Observed;
use crate::kinds::{Home, Plan};
use crate::lang::File;
use crate::ledger::{Journal, Ledger, MemoryStore};
use crate::model::{AccountId, Address, Region};
use crate::plan::Refusal;

use super::args::Global;
use super::connect::{self, Session};
use super::halt::Halt;
use super::machine::dice;
use super::{load, select};

/// The stack, and the only block in it.
const STACK: &str = "mlinfra";
const BUCKET: &str = "bucket.ledger";

/// What its bucket is called.
pub fn name(home: &Home) -> String {
    format!("{STACK}-ledger-{}-{}-an", home.account, home.region)
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// It was made.
    New,
    /// It was there, and lacked something.
    Mended,
    /// It was there as it should be.
    Already,
}

/// Whether it is there already, as it should be.
pub async fn is_there(global: &Global, region: &Region) -> Result<bool, Halt> {
    let session = session(global, region).await?;
    let observed = session.observe(&mut Ledger::default(), false).await?;
    Ok(plan(&session, &Ledger::default(), &observed)?.is_empty())
}

/// Makes it, or mends what it lacks.
pub async fn make(global: &Global, region: &Region) -> Result<Made, Halt> {
    let session = session(global, region).await?;
    let store = MemoryStore::default();
    let journal = Journal::open(&store, &dice()).await?;
    let scope = session.scope(&journal.ledger);
    let names = scope.names.clone();
    let hands = Hands {
        cloud: session.side.cloud(),
        scope,
        clock: &session.side,
        journal: tokio::sync::Mutex::new(journal),
        listener: &|_| {},
        stop: CancellationToken::new(),
        patience: Patience::default(),
        tables: session.tables.clone(),
    };
    let observed = hands.recover(&|_: &Address| true).await?;
    let was_there = !observed.live.is_empty();
    let plan = plan(&session, &Ledger::default(), &observed)?;
    if plan.is_empty() {
        return Ok(Made::Already);
    }
    let again = |observed: &Observed, ledger: &Ledger| {
        self::plan(&session, ledger, observed).map_err(|halt| Refusal::Blind {
            what: "the bucket of the ledger".to_owned(),
            why: halt.problems.first().map(|one| one.summary.clone()).unwrap_or_default(),
        })
    };
    let start = session.start("init", names);
    let ended = hands.run(&plan, start, &again).await?;
    if ended.is_converged() {
        return Ok(if was_there { Made::Mended } else { Made::New });
    }
    let failed = ended.outcome.failed.values().map(ToString::to_string).next();
    let why = failed.unwrap_or_else(|| "it is not as it should be afterwards".to_owned());
    let text = format!("the bucket of the ledger cannot be made: {why}");
    let help = "the files were not written, and the answers are kept; repeat the command when \
                that is mended, or keep the ledger here: --set ledger=local";
    Err(Halt::one("I007", text, help))
}

/// What it takes. Whatever else somebody has in a stack of this name is none of our business.
fn plan(session: &Session, ledger: &Ledger, observed: &Observed) -> Result<Plan, Halt> {
    let only = select::targets(&[BUCKET.to_owned()])?;
    session.plan(ledger, observed, false, &only)
}

async fn session(global: &Global, region: &Region) -> Result<Session, Halt> {
    let text =
        format!("stack {STACK:?} {{\n  region = \"{region}\"\n}}\n\nbucket \"ledger\" {{}}\n");
    let load = |account: Option<AccountId>| {
        let files = vec![File { name: "the ledger's bucket".to_owned(), text: text.clone() }];
        load::drafted(global, files, account)
    };
    connect::session_of(global, Some(region.clone()), None, &load).await
}
