//! Launching nodes: down the ladder of offers, one attempt at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use crate::catalog::{Catalog, expectation};
use crate::cloud::{Call, Class, Failure, Launch, Left, Owner, Phase};
use crate::kinds::{KindName, Offer, StepId, Tags};
use crate::ledger::Refusal;
use crate::model::{Address, CloudId, GroupName, Link, SubnetId, TemplateId, tags};

use super::Event;
use super::hands::{Hands, Trouble};
use super::ids::{Ids, link};
use super::retry;

/// Nodes that need not be alike are asked for in such numbers: AWS itself advises five calls
/// of a hundred rather than one of five hundred
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html>).
const AT_ONCE: u32 = 100;

/// What a launch asks for, wherever it happens.
pub(super) struct Order<'a> {
    pub address: &'a Address,
    pub batch: u32,
    pub count: u32,
    pub gang: bool,
    pub template: CloudId,
    pub tags: &'a Tags,
}

/// How far a launch has come.
#[derive(Default)]
struct Walk {
    /// Nodes that run, or are about to.
    made: Vec<CloudId>,
    /// Nodes that are ready.
    ready: BTreeSet<CloudId>,
    /// Launch calls that started something: each has a batch of its own.
    batches: u32,
    /// Calls so far: each is an intent of its own.
    attempts: u32,
    /// Offers that did not do, and why.
    refused: Vec<String>,
}

impl Walk {
    fn left(&self, order: &Order<'_>) -> u32 {
        order.count.saturating_sub(u32::try_from(self.made.len()).unwrap_or(u32::MAX))
    }
}

impl Hands<'_> {
    /// Walks down the offers until all nodes run. The next attempt begins only after a
    /// definitive refusal of the last, so that two for the same nodes are never alive at once.
    /// Nodes that end before they are ready count as not launched; a gang of which one does is
    /// given back as a whole.
    pub(super) async fn launch(
        &self,
        at: StepId,
        order: &Order<'_>,
        offers: &[Offer],
        ids: Ids<'_>,
    ) -> Result<Vec<CloudId>, Trouble> {
        let mut walk = Walk::default();
        let mut offers = self.in_order(at, offers).await.into_iter();
        while walk.left(order) > 0 {
            let Some(offer) = offers.next() else { break };
            let offer = settled(offer, ids)?;
            self.try_offer(at, order, &offer, &mut walk).await?;
            if self.patience.nodes && (walk.left(order) == 0 || offers.len() == 0) {
                self.stand(at, order, &mut walk).await?;
            }
        }
        match walk.left(order) {
            0 => Ok(walk.made),
            _ => Err(Trouble::Failed(short(order, &walk))),
        }
    }

    /// Offers that had no capacity a moment ago are asked last: they probably still have none,
    /// and every question costs the account's budget of launch calls.
    async fn in_order(&self, at: StepId, offers: &[Offer]) -> Vec<Offer> {
        let now = self.now();
        let refusals = self.journal.lock().await.ledger.refusals.clone();
        let cools = |offer: &Offer| {
            let Refusal { at, times } = refusals.get(&offer.key())?;
            let since = Duration::from_millis(u64::try_from(now.since(*at)).unwrap_or(0));
            (since < retry::cool_down(*times)).then_some(since)
        };
        let (last, first): (Vec<&Offer>, Vec<&Offer>) =
            offers.iter().partition(|offer| cools(offer).is_some());
        for (offer, since) in last.iter().filter_map(|offer| Some((offer, cools(offer)?))) {
            let ago = since.as_secs();
            let what = format!("{} had no capacity {ago} s ago: it is asked last", offer.words());
            self.tell(Event::Waiting { step: at, what });
        }
        first.into_iter().chain(last).cloned().collect()
    }

    /// Asks one offer for what is still wanted.
    async fn try_offer(
        &self,
        at: StepId,
        order: &Order<'_>,
        offer: &Offer,
        walk: &mut Walk,
    ) -> Result<(), Trouble> {
        loop {
            let left = walk.left(order);
            let room = offer.free.unwrap_or(left);
            if room == 0 || (order.gang && room < left) {
                walk.refused.push(format!("{}: room for {room} of {left}", offer.words()));
                return Ok(());
            }
            let count = if order.gang { left } else { left.min(room).min(AT_ONCE) };
            walk.attempts += 1;
            match self.ask(at, order, (offer, count), walk).await {
                Ok(nodes) => {
                    let found = u32::try_from(nodes.len()).unwrap_or(count);
                    walk.batches += 1;
                    walk.made.extend(nodes);
                    if found < count {
                        let what = format!(
                            "{} had {found} of {count} nodes, asking the next offer for the rest",
                            offer.words()
                        );
                        self.tell(Event::Waiting { step: at, what });
                        walk.refused.push(format!("{}: {found} of {count}", offer.words()));
                        return Ok(());
                    }
                    // What a reservation has left is known only before the first call.
                    if walk.left(order) == 0 || offer.free.is_some() {
                        return Ok(());
                    }
                }
                Err(Trouble::Failed(failure))
                    if failure.class == Class::Capacity && failure.is_definitive() =>
                {
                    let words = offer.words();
                    let what = format!("no capacity for {words}, trying the next offer");
                    self.tell(Event::Waiting { step: at, what });
                    walk.refused.push(format!("{words}: {}", failure.code));
                    return Ok(());
                }
                Err(Trouble::Failed(failure)) if failure.class == Class::Quota => {
                    let told = self.name_quota(failure, offer, count).await;
                    return Err(Trouble::Failed(told));
                }
                Err(trouble) => return Err(trouble),
            }
        }
    }

    async fn ask(
        &self,
        at: StepId,
        order: &Order<'_>,
        (offer, count): (&Offer, u32),
        walk: &Walk,
    ) -> Result<Vec<CloudId>, Trouble> {
        let batch = order.batch + walk.batches;
        let owner = self.owner(order.address, 1, None);
        let mut tags = order.tags.clone();
        // A node's boot check reads what was paid for.
        tags.extend(expectation(offer).map(|text| (tags::EXPECT.to_owned(), text)));
        let build = |token| {
            Call::Launch(Launch {
                template: TemplateId(order.template.0.clone()),
                offer: offer.clone(),
                count,
                whole: order.gang,
                batch,
                owner: Owner { token, ..owner },
                tags,
            })
        };
        self.make(at, build, (order.address, batch, walk.attempts)).await
    }

    /// Waits until the nodes are ready, and takes out those that have ended instead.
    async fn stand(&self, at: StepId, order: &Order<'_>, walk: &mut Walk) -> Result<(), Trouble> {
        let waiting: Vec<CloudId> =
            walk.made.iter().filter(|id| !walk.ready.contains(*id)).cloned().collect();
        let lost = self.all_ready(at, &waiting).await?;
        let Some(why) = lost.values().next() else {
            walk.ready.extend(waiting);
            return Ok(());
        };
        let (gone, whole) = (lost.len(), walk.made.len());
        walk.refused.push(format!("{gone} of {whole} ended at once: {why}"));
        // Part of a gang trains nothing and costs as much: it is given back as a whole.
        let ending: Vec<CloudId> = match order.gang {
            true => std::mem::take(&mut walk.made),
            false => lost.keys().cloned().collect(),
        };
        let what = format!("{gone} of {whole} nodes ended before they were ready: {why}");
        self.tell(Event::Waiting { step: at, what });
        walk.made.retain(|id| !lost.contains_key(id));
        walk.ready.extend(walk.made.iter().cloned());
        self.end(at, &ending).await
    }

    /// Terminates nodes and waits until they are on their way out.
    pub(super) async fn end(&self, at: StepId, nodes: &[CloudId]) -> Result<(), Trouble> {
        match self.send(at, &Call::Terminate { ids: nodes.to_vec() }).await {
            Ok(_) => {}
            Err(Trouble::Failed(failure)) if failure.class == Class::Gone => {}
            Err(trouble) => return Err(trouble),
        }
        for node in nodes {
            self.gone(at, KindName::Node, node).await?;
        }
        Ok(())
    }

    /// Waits until nodes are ready: one question for all of them at a time. What has ended
    /// instead is returned, with the reason.
    async fn all_ready(
        &self,
        at: StepId,
        nodes: &[CloudId],
    ) -> Result<BTreeMap<CloudId, String>, Trouble> {
        let limit = Duration::from_secs(KindName::Node.traits().ready_within.into());
        let (begun, mut wait) = (Instant::now(), Duration::from_secs(1));
        let mut open: BTreeSet<CloudId> = nodes.iter().cloned().collect();
        let (mut seen, mut lost) = (BTreeSet::new(), BTreeMap::new());
        while !open.is_empty() {
            let asked: Vec<CloudId> = open.iter().cloned().collect();
            let phases = match self.cloud.phases(KindName::Node, &asked).await {
                Ok(phases) => phases,
                Err(failure) if failure.class.may_pass() || failure.class == Class::Gone => {
                    BTreeMap::new()
                }
                // Only the question was refused: what it was asked about stands.
                Err(failure) => {
                    return Err(Trouble::Failed(Failure { left: Left::Something, ..failure }));
                }
            };
            for id in asked {
                let end = match phases.get(&id).unwrap_or(&Phase::Gone) {
                    Phase::Pending => {
                        seen.insert(id);
                        continue;
                    }
                    // Not visible yet.
                    Phase::Gone if !seen.contains(&id) => continue,
                    Phase::Ready => None,
                    Phase::Failed(text) => Some(text.clone()),
                    Phase::Leaving | Phase::Gone => Some("terminated".to_owned()),
                };
                open.remove(&id);
                lost.extend(end.map(|why| (id, why)));
            }
            if open.is_empty() {
                break;
            }
            if begun.elapsed() >= limit {
                let text =
                    format!("{} not ready within {} s", nodes_of(open.len()), limit.as_secs());
                let failure =
                    Failure::new(Class::Settling, Left::Something, "node", "NotReady", text);
                return Err(Trouble::Failed(failure));
            }
            let what = format!("waiting for {} to become ready", nodes_of(open.len()));
            self.tell(Event::Waiting { step: at, what });
            self.pause(wait).await?;
            wait = (wait * 2).min(Duration::from_secs(15));
        }
        Ok(lost)
    }

    /// Says which quota it was, how high it is, and how to have it raised.
    async fn name_quota(&self, failure: Failure, offer: &Offer, count: u32) -> Failure {
        let Some(quota) = Catalog::quota(&offer.instance_type, offer.market) else {
            return failure;
        };
        let known = Catalog::shipped().get(&offer.instance_type);
        let need = known.map(|known| u64::from(known.vcpus) * u64::from(count));
        // A refusal to tell is no reason to hide what was refused.
        let value = self.cloud.quota(&quota.code).await.unwrap_or_default();
        let is = value.map_or_else(|| "not known here".to_owned(), |it| format!("{it} vCPUs"));
        let more = nodes_of(usize::try_from(count).unwrap_or(usize::MAX));
        let needs = need.map(|need| format!(", and {more} more take {need}"));
        let asks = value.zip(need).map(|(value, need)| format!(": ask for {}", value + need));
        let text = format!(
            "{} (the quota {} is {is}{}{})",
            failure.text,
            quota.code,
            needs.unwrap_or_default(),
            asks.unwrap_or_default(),
        );
        Failure { text, ..failure }
    }
}

fn nodes_of(count: usize) -> String {
    if count == 1 { "1 node".to_owned() } else { format!("{count} nodes") }
}

fn settled(mut offer: Offer, ids: Ids<'_>) -> Result<Offer, Trouble> {
    offer.subnet = Link::Id(SubnetId(link(&offer.subnet, ids)?.0));
    if let Some(group) = &offer.placement {
        offer.placement = Some(Link::Id(GroupName(link(group, ids)?.0)));
    }
    Ok(offer)
}

/// Not all that was wanted could be had.
fn short(order: &Order<'_>, walk: &Walk) -> Failure {
    let (made, wanted) = (walk.made.len(), order.count);
    let refused = walk.refused.join("; ");
    let text = if walk.refused.is_empty() {
        "no zone of the network offers this instance type".to_owned()
    } else if made > 0 {
        format!("{made} of {wanted} nodes run; no capacity for the rest in any offer ({refused})")
    } else {
        format!("no capacity in any offer ({refused})")
    };
    let left = if made > 0 { Left::Something } else { Left::Nothing };
    Failure::new(Class::Capacity, left, "ec2:RunInstances", "NoCapacity", text)
}
