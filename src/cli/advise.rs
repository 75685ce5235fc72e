//! What is said of a plan's clusters beside the plan: advice on how their nodes are got.

use std::collections::BTreeSet;

use crate::cloud::Observed;
use crate::kinds::{Action, Plan};
use crate::ledger::Ledger;
use crate::model::{Address, Block, Problem};
use crate::show::doctor::Status;
use crate::stack::Desired;

use super::connect::Session;
use super::{doctor_quota, tell};

/// What is to be said beside a plan: of its nodes, and how they could be had better.
pub async fn beside(
    session: &Session,
    (plan, ledger, observed): (&Plan, &Ledger, &Observed),
    destroy: bool,
) -> (Vec<Problem>, Vec<Problem>) {
    let desired = desired(session, (plan, destroy), observed);
    let notes = tell::notes((plan, ledger, observed), desired.as_ref(), destroy);
    (notes, of(session, plan, observed, desired).await)
}

/// Whose machines a plan touches.
fn touched(plan: &Plan) -> BTreeSet<Address> {
    let machines = |at: &Address| matches!(at.block, Block::Cluster | Block::Service);
    plan.steps.iter().map(|step| step.address.owner()).filter(machines).collect()
}

/// What the stack asks for, for those who have something to say about it beside the plan. To expand
/// it once more is work: none where there are no machines to speak of, and what cannot be expanded
/// has been told already.
fn desired(
    session: &Session,
    (plan, destroy): (&Plan, bool),
    observed: &Observed,
) -> Option<Desired> {
    let silent = destroy || (touched(plan).is_empty() && observed.conditions.is_empty());
    if silent { None } else { session.desired(observed, false).ok() }
}

/// Advice on the clusters that a plan touches: of the others it would be told every day. Where it
/// launches nodes, also whether the account's quotas let it.
async fn of(
    session: &Session,
    plan: &Plan,
    observed: &Observed,
    desired: Option<Desired>,
) -> Vec<Problem> {
    let Some(mut desired) = desired else { return Vec::new() };
    let touched = touched(plan);
    desired.fleets.retain(|at, _| touched.contains(&at.owner()));
    let mut out: Vec<Problem> =
        desired.fleets.values().flat_map(|fleet| fleet.advice.clone()).collect();
    if plan.steps.iter().any(|step| matches!(step.action, Action::Launch { .. })) {
        let checks = doctor_quota::quotas(session, &desired, observed).await;
        let small = checks.into_iter().filter(|check| check.status == Status::Failed);
        out.extend(small.map(|check| Problem::warning("G006", check.text).help(check.help)));
    }
    out
}
