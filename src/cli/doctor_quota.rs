//! Quotas that a stack's launches count against, by what is wanted, used and allowed.

use std::collections::{BTreeMap, BTreeSet};

use crate::apply::vcpus_used;
use crate::catalog::{Catalog, Quota};
use crate::cloud::{Observed, Running};
use crate::kinds::{Offer, Spec};
use crate::model::Address;
use crate::show::doctor::{Check, Status};
use crate::stack::{Desired, Fleet};

use super::connect::Session;
use super::doctor_checks::some;

/// What clusters want of one quota, in vCPUs.
#[derive(Default)]
struct Want {
    /// At once.
    least: u64,
    /// With every cluster at its most nodes.
    most: u64,
    /// Which clusters.
    by: BTreeSet<Address>,
}

/// vCPUs of a type; of one that no table knows nothing can be said.
fn vcpus(catalog: &Catalog, name: &str) -> u64 {
    catalog.get(name).map_or(0, |found| u64::from(found.vcpus))
}

/// Quotas that launches count against, by what is wanted, used and allowed.
pub async fn quotas(session: &Session, desired: &Desired, observed: &Observed) -> Vec<Check> {
    const NAME: &str = "quotas";
    let wants = wants(session, desired);
    if wants.is_empty() {
        return Vec::new();
    }
    let cloud = session.side.cloud();
    let running = match cloud.running().await {
        Ok(running) => running,
        Err(failure) => {
            let text = format!("what runs in the account cannot be told: {failure}");
            return vec![Check::new(NAME, Status::Unknown, text)];
        }
    };
    let mut out = Vec::new();
    for (quota, want) in wants {
        out.push(match cloud.quota("ec2", &quota.code).await {
            Ok(Some(value)) => {
                let in_use = vcpus_used(&session.tables, quota, &running);
                // Nodes that are the stack's own already are in both numbers.
                let own = vcpus_used(&session.tables, quota, &own(observed)).min(in_use);
                judged(quota, &want, (value, in_use, in_use - own))
            }
            Ok(None) => {
                let text = format!("{}: no limit is known", quota.name);
                Check::new(NAME, Status::Good, text)
            }
            Err(failure) => {
                let text = format!("{} cannot be told: {failure}", quota.name);
                Check::new(NAME, Status::Unknown, text).help("allow servicequotas:GetServiceQuota")
            }
        });
    }
    out
}

/// What each cluster wants of the quota that its best offer counts against.
fn wants(session: &Session, desired: &Desired) -> Vec<(&'static Quota, Want)> {
    let mut wants: BTreeMap<&str, (&'static Quota, Want)> = BTreeMap::new();
    for (address, Fleet { offers, count, most, .. }) in &desired.fleets {
        let quota = |offer: &Offer| Catalog::quota(&offer.instance_type, offer.market);
        let Some((first, quota)) = offers.first().and_then(|it| Some((it, quota(it)?))) else {
            continue;
        };
        let each = vcpus(&session.tables, &first.instance_type);
        let (_, want) = wants.entry(&quota.code).or_insert_with(|| (quota, Want::default()));
        want.least += each * u64::from(*count);
        want.most += each * u64::from(*most);
        want.by.insert(address.owner());
    }
    wants.into_values().collect()
}

/// The stack's own nodes.
fn own(observed: &Observed) -> Running {
    let mut out = Running::new();
    for live in observed.live.values() {
        if let Some(Spec::Node(node)) = live.spec() {
            *out.entry((node.instance_type.clone(), node.market)).or_default() += 1;
        }
    }
    out
}

fn judged(quota: &Quota, want: &Want, (value, in_use, others): (u64, u64, u64)) -> Check {
    let by = some(want.by.iter().map(ToString::to_string));
    let wants = match want.least == want.most {
        true => format!("{by} wants {}", want.least),
        false => format!("{by} wants {} to {}", want.least, want.most),
    };
    let text = format!("{}: {value} vCPU, {in_use} in use; {wants}", quota.name);
    let status = if others + want.least > value {
        Status::Failed
    } else if others + want.most > value {
        Status::Warning
    } else {
        Status::Good
    };
    let check = Check::new("quotas", status, text);
    if status == Status::Good {
        return check;
    }
    check.help(format!(
        "aws service-quotas request-service-quota-increase --service-code ec2 --quota-code {} \
         --desired-value {}",
        quota.code,
        others + want.most
    ))
}
