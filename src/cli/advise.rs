//! What is said of a plan's clusters beside the plan: advice on how their nodes are got.

use std::collections::BTreeSet;

use crate::cloud::Observed;
use crate::kinds::{Action, Plan};
use crate::model::{Address, Block, Problem};
use crate::show::doctor::Status;

use super::connect::Session;
use super::doctor_quota;

/// Advice on the clusters that a plan touches: of the others it would be told every day. Where it
/// launches nodes, also whether the account's quotas let it.
pub async fn of(
    session: &Session,
    (plan, destroy): (&Plan, bool),
    observed: &Observed,
) -> Vec<Problem> {
    if destroy {
        return Vec::new();
    }
    let machines = |at: &Address| matches!(at.block, Block::Cluster | Block::Service);
    let owners = plan.steps.iter().map(|step| step.address.owner());
    let touched: BTreeSet<Address> = owners.filter(machines).collect();
    // To expand the stack once more is work.
    if touched.is_empty() {
        return Vec::new();
    }
    let Ok(mut desired) = session.desired(observed, false) else { return Vec::new() };
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
