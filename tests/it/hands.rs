//! An apply as tests carry it out: nobody listens and nobody interrupts it, and what is
//! wanted is planned as a whole.

use std::collections::BTreeMap;

use mlinfra::apply::{Convergence, Ended, Hands, NoApply, Patience, Start, converge};
use mlinfra::catalog::Tables;
use mlinfra::cloud::{Cloud, Observed, Scope, Stray};
use mlinfra::kinds::Plan;
use mlinfra::ledger::{Journal, Ledger};
use mlinfra::model::{Address, Clock};
use mlinfra::plan::plan;
use mlinfra::stack::Desired;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

pub fn hands<'a>(
    cloud: &'a dyn Cloud,
    clock: &'a dyn Clock,
    scope: Scope,
    journal: Journal<'a>,
) -> Hands<'a> {
    Hands {
        cloud,
        scope,
        clock,
        journal: Mutex::new(journal),
        listener: &|_| {},
        stop: CancellationToken::new(),
        patience: Patience::default(),
        tables: Tables::default(),
    }
}

/// What was looked for in order to be adopted.
pub type Strays = BTreeMap<Address, Option<Stray>>;

/// Carries out what a stack wants.
pub async fn reach(
    hands: &Hands<'_>,
    desired: &Desired,
    strays: &Strays,
) -> Result<(Plan, Ended), NoApply> {
    let task = Convergence {
        wanted: &|address: &Address| {
            desired.specs.contains_key(address) || desired.fleets.contains_key(address)
        },
        planner: &|observed: &Observed, ledger: &Ledger| {
            let mut observed = observed.clone();
            observed.strays.extend(strays.clone());
            plan(desired, ledger, &observed)
        },
        start: Start { names: desired.names.clone(), ..Start::default() },
    };
    converge(hands, task).await
}
