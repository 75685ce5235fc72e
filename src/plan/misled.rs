//! Names that lead to machines which serve nobody. Whoever is behind a private name cannot be
//! looked at by Route 53's health checks, which come from the internet, so a name is led only
//! while a plan is applied: in between it is told, loudly, what it leads to.

use std::collections::BTreeMap;

use crate::cloud::{Condition, Health, Live, Observed, Phase};
use crate::kinds::{KindName, Record, Spec};
use crate::model::{Address, CloudId};
use crate::stack::Desired;

/// A name that leads where nobody serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misled {
    /// The block of the service.
    pub service: Address,
    /// The name.
    pub name: String,
    /// The machine, where one stands behind the address.
    pub node: Option<CloudId>,
    /// The address.
    pub address: String,
    /// What is wrong with it.
    pub why: String,
}

impl Misled {
    /// In a sentence.
    pub fn words(&self) -> String {
        let Self { service: _, name, node, address, why } = self;
        let what = match node {
            Some(id) => format!("{} ({address})", id.short()),
            None => address.clone(),
        };
        format!("{name} leads to {what}: {why}")
    }

    /// What to do about it.
    pub const HELP: &'static str = "`mlinfra apply` replaces the machine and leads the name to healthy ones; nothing else does";
}

/// All of them. What could not be listed misleads nobody.
pub fn misled(desired: &Desired, observed: &Observed) -> Vec<Misled> {
    let blind = |kind| observed.blind.contains_key(&kind);
    if blind(KindName::Node) || blind(KindName::HostedZone) {
        return Vec::new();
    }
    let mut out = Vec::new();
    for (at, fleet) in &desired.fleets {
        let Some(published) = &fleet.published else { continue };
        let nodes = behind(observed, at);
        for address in leads(observed, &published.zone, &published.name) {
            let (node, why) = match nodes.get(address.as_str()) {
                Some((id, live, condition)) => match wrong(live, condition) {
                    Some(why) => (Some((*id).clone()), why),
                    None => continue,
                },
                None => (None, "no machine of the service has that address".to_owned()),
            };
            let (service, name) = (at.owner(), published.name.clone());
            out.push(Misled { service, name, node, address: address.clone(), why });
        }
    }
    out
}

type Behind<'a> = BTreeMap<&'a str, (&'a CloudId, &'a Live, &'a Condition)>;

/// The machines of a service that stand, by their addresses.
fn behind<'a>(observed: &'a Observed, at: &Address) -> Behind<'a> {
    let nodes = observed.live.iter().filter(|(_, live)| {
        live.kind == KindName::Node && live.owner.address == *at && live.phase.stands()
    });
    let known = nodes.filter_map(|(id, live)| {
        let condition = observed.conditions.get(id)?;
        Some((condition.address.as_deref()?, (id, live, condition)))
    });
    known.collect()
}

/// The addresses that a name leads to.
fn leads<'a>(observed: &'a Observed, zone: &Address, name: &str) -> Vec<&'a String> {
    let ask = Record::addresses(name, 0, Vec::new()).ask;
    let zones = observed.live.values().filter(|live| live.owner.address == *zone);
    let records = zones.filter_map(|live| match live.spec() {
        Some(Spec::HostedZone(zone)) => Some(&zone.records),
        Some(_) | None => None,
    });
    let of_name = records.flatten().filter(|record| record.ask == ask);
    of_name.flat_map(|record| &record.values).collect()
}

/// Why a machine serves nobody, as far as anybody says. One that has yet to speak is no news.
fn wrong(live: &Live, condition: &Condition) -> Option<String> {
    match (&live.phase, condition.health(&live.phase)) {
        (Phase::Failed(why), _) => Some(why.clone()),
        (_, Health::Failed(why) | Health::Impaired(why)) => Some(why),
        (_, Health::Starting | Health::Serving) => None,
    }
}
