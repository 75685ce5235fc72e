//! Letting a name lead to nodes, once they say that they are healthy.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use crate::cloud::{Call, Class, Condition, Failure, Left, Observed};
use crate::kinds::{Change, Edit, KindName, Record, StepId};
use crate::model::CloudId;

use super::Event;
use super::hands::{Hands, Trouble};

/// How often it is looked whether nodes are healthy.
const PAUSE: Duration = Duration::from_secs(10);

/// A name, and what it shall lead to.
pub(super) struct Lead<'a> {
    pub zone: CloudId,
    pub name: &'a str,
    pub ttl: u32,
    /// These must be healthy.
    pub nodes: Vec<CloudId>,
    /// Of others that it still leads to.
    pub with: &'a [String],
    pub was: &'a [String],
    pub patience: u32,
}

impl Hands<'_> {
    /// Waits until all nodes are healthy, then changes the record. Where an address leaves it,
    /// whoever was told of that may still believe it for a while: its node ends only after.
    pub(super) async fn point(&self, at: StepId, lead: &Lead<'_>) -> Result<(), Trouble> {
        let mut addresses = self.healthy(at, lead).await?;
        addresses.extend(lead.with.iter().cloned());
        let gone = lead.was.iter().any(|was| !addresses.contains(was));
        let record = Record::addresses(lead.name, lead.ttl, addresses);
        let edit = Edit { field: "records".to_owned(), change: Change::Add(json!(record)) };
        let kind = KindName::HostedZone;
        self.send(at, &Call::Edit { kind, id: lead.zone.clone(), edit }).await?;
        self.ready(at, kind, &lead.zone).await?;
        if gone {
            let what = format!("waiting {} s until the former address is forgotten", lead.ttl);
            self.tell(Event::Waiting { step: at, what });
            self.pause(Duration::from_secs(lead.ttl.into())).await?;
        }
        Ok(())
    }

    /// The addresses of the nodes, all of which are healthy.
    async fn healthy(&self, at: StepId, lead: &Lead<'_>) -> Result<Vec<String>, Trouble> {
        let begun = Instant::now();
        let mut seen = BTreeSet::new();
        loop {
            let observed = self.look().await;
            let mut addresses = Vec::new();
            for node in &lead.nodes {
                match how(&observed, node) {
                    How::Healthy(address) => addresses.push(address),
                    How::Unhealthy(why) => return Err(unwell(lead, node, "Unhealthy", &why)),
                    How::Gone if seen.contains(node) => {
                        return Err(unwell(lead, node, "Gone", "it has ended"));
                    }
                    How::Gone | How::Unknown => {}
                    How::Booting => drop(seen.insert(node.clone())),
                }
            }
            let missing = lead.nodes.len() - addresses.len();
            if missing == 0 {
                return Ok(addresses);
            }
            if begun.elapsed() >= Duration::from_secs(lead.patience.into()) {
                let why = format!("not healthy within {} s", lead.patience);
                let node = lead.nodes.iter().find(|node| !is_healthy(&observed, node));
                return Err(unwell(lead, node.unwrap_or(&lead.zone), "NotReady", &why));
            }
            let nodes = if missing == 1 { "node" } else { "nodes" };
            let what = format!("waiting for {missing} {nodes} to become healthy");
            self.tell(Event::Waiting { step: at, what });
            self.pause(PAUSE).await?;
        }
    }
}

enum How {
    Healthy(String),
    Unhealthy(String),
    Booting,
    Gone,
    /// Nobody can see.
    Unknown,
}

fn how(observed: &Observed, node: &CloudId) -> How {
    if observed.blind.contains_key(&KindName::Node) {
        return How::Unknown;
    }
    let stands = observed.live.get(node).is_some_and(|live| live.is_usable());
    let Some(condition) = observed.conditions.get(node).filter(|_| stands) else {
        return How::Gone;
    };
    let Condition { reason, address, .. } = condition;
    match address {
        _ if condition.is_unhealthy() => {
            How::Unhealthy(reason.clone().unwrap_or_else(|| "it does not say why".to_owned()))
        }
        Some(address) if is_healthy(observed, node) => How::Healthy(address.clone()),
        Some(_) | None => How::Booting,
    }
}

/// It runs, and says that it is healthy.
fn is_healthy(observed: &Observed, node: &CloudId) -> bool {
    let live = observed.live.get(node);
    live.is_some_and(|live| live.phase == crate::cloud::Phase::Ready)
        && observed.conditions.get(node).is_some_and(Condition::is_healthy)
}

fn unwell(lead: &Lead<'_>, node: &CloudId, code: &str, why: &str) -> Trouble {
    let stays = match lead.was {
        [] => format!("{} leads nowhere yet", lead.name),
        _ => format!("{} still leads to its predecessor", lead.name),
    };
    let text = format!("{}: {why}; {stays}", node.short());
    Trouble::Failed(Failure::new(Class::Unknown, Left::Something, "node", code, text))
}
