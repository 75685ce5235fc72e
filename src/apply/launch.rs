//! Launching nodes: down the ladder of offers, one attempt at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::catalog::expectation;
use crate::cloud::{Call, Class, Failure, Launch, Left, Owner};
use crate::kinds::{Care, KindName, Offer, StepId};
use crate::ledger::Refusal;
use crate::model::{CloudId, GroupName, Link, SubnetId, TemplateId, Zone, tags};

use super::Event;
use super::boot::{Up, again_and_again};
use super::hands::{Hands, Trouble};
use super::ids::{Ids, link};
use super::order::Order;
use super::retry;

/// Nodes that need not be alike are asked for in such numbers: AWS itself advises five calls
/// of a hundred rather than one of five hundred
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html>).
const AT_ONCE: u32 = 100;

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
    /// How often nodes that failed were made up for.
    rounds: u32,
    /// Where the nodes of a gang stand.
    place: Option<(String, Zone)>,
}

impl Walk {
    fn left(&self, order: &Order<'_>) -> u32 {
        order.count.saturating_sub(u32::try_from(self.made.len()).unwrap_or(u32::MAX))
    }
}

impl Hands<'_> {
    /// Walks down the offers until all nodes serve. The next attempt begins only after a
    /// definitive refusal of the last, so that two for the same nodes are never alive at once.
    /// Nodes that end before they are ready count as not launched; a gang of which one does is
    /// given back as a whole. Nodes that fail are made up for, where the others stand.
    pub(super) async fn launch(
        &self,
        at: StepId,
        order: &Order<'_>,
        offers: &[Offer],
        ids: Ids<'_>,
    ) -> Result<Vec<CloudId>, Trouble> {
        self.may_launch(order).await?;
        let mut walk = Walk::default();
        let done = self.walk(at, order, (offers, ids), &mut walk).await;
        done.map_err(|trouble| so_far(trouble, order, &walk))?;
        match walk.left(order) {
            0 => Ok(walk.made),
            _ => Err(Trouble::Failed(short(order, &walk))),
        }
    }

    async fn walk(
        &self,
        at: StepId,
        order: &Order<'_>,
        (offers, ids): (&[Offer], Ids<'_>),
        walk: &mut Walk,
    ) -> Result<(), Trouble> {
        loop {
            let rounds = walk.rounds;
            let mut offers = self.in_order(at, offers).await.into_iter();
            while walk.left(order) > 0 && walk.rounds == rounds {
                let Some(offer) = offers.next() else { break };
                let there = |(kind, zone): &(String, Zone)| {
                    *kind == offer.instance_type && *zone == offer.zone
                };
                if walk.place.as_ref().is_some_and(|place| !there(place)) {
                    continue;
                }
                let offer = settled(offer, ids)?;
                self.try_offer(at, order, &offer, walk).await?;
                if walk.left(order) == 0 {
                    if order.gang {
                        walk.place = Some((offer.instance_type, offer.zone));
                    }
                    self.stand(at, order, walk).await?;
                }
            }
            if walk.rounds == rounds {
                // What could be had of them comes up, too.
                self.stand(at, order, walk).await?;
            }
            if walk.rounds == rounds {
                return Ok(());
            }
            if walk.rounds >= Care::ROUNDS {
                return Err(Trouble::Failed(again_and_again(walk.rounds)));
            }
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
        tags.extend(expectation(&self.tables, offer).map(|text| (tags::EXPECT.to_owned(), text)));
        // When its time is up it must know without asking anybody.
        tags.extend(offer.ends.map(|at| (tags::ENDS.to_owned(), at.to_string())));
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

    /// Waits until the nodes serve, and takes out those that have ended or failed instead.
    async fn stand(&self, at: StepId, order: &Order<'_>, walk: &mut Walk) -> Result<(), Trouble> {
        let waiting: Vec<CloudId> =
            walk.made.iter().filter(|id| !walk.ready.contains(*id)).cloned().collect();
        if !self.patience.nodes {
            return Ok(());
        }
        let Up { lost, failed } = self.all_up(at, &waiting, order.care).await?;
        walk.ready.extend(waiting.iter().filter(|id| !failed.contains_key(*id)).cloned());
        walk.made.retain(|id| !failed.contains_key(id));
        self.gone_again(at, order, &lost, walk).await?;
        if walk.made.is_empty() {
            walk.place = None;
        }
        let came: Vec<&CloudId> = waiting.iter().filter(|id| !lost.contains_key(*id)).collect();
        self.remember(order, &came, &failed).await?;
        if failed.is_empty() {
            return Ok(());
        }
        walk.rounds += 1;
        let address = order.address;
        self.set_aside(at, (address, order.care), &failed).await?;
        // Those that are kept run on, and are billed.
        self.may_launch(order).await.map_err(|trouble| match trouble {
            Trouble::Failed(stopped) => {
                Trouble::Failed(Failure { left: Left::Something, ..stopped })
            }
            other @ (Trouble::Ledger(_) | Trouble::Interrupted) => other,
        })
    }

    /// Nodes that ended as they started.
    async fn gone_again(
        &self,
        at: StepId,
        order: &Order<'_>,
        lost: &BTreeMap<CloudId, String>,
        walk: &mut Walk,
    ) -> Result<(), Trouble> {
        let Some(why) = lost.values().next() else { return Ok(()) };
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
        walk.ready.retain(|id| !lost.contains_key(id));
        self.end(at, &ending).await
    }

    /// Terminates nodes and waits until they are on their way out.
    pub(super) async fn end(&self, at: StepId, nodes: &[CloudId]) -> Result<(), Trouble> {
        let unknown = match self.send(at, &Call::Terminate { ids: nodes.to_vec() }).await {
            Ok(_) => None,
            Err(Trouble::Failed(failure)) if failure.class == Class::Gone => Some(failure),
            Err(trouble) => return Err(trouble),
        };
        for node in nodes {
            let gone = self.gone(at, KindName::Node, node).await?;
            // It is said not to exist, and yet it runs: it costs money until it is seen to end.
            if let (false, Some(failure)) = (gone, &unknown) {
                return Err(Trouble::Failed(failure.clone()));
            }
        }
        Ok(())
    }
}

fn settled(mut offer: Offer, ids: Ids<'_>) -> Result<Offer, Trouble> {
    offer.subnet = Link::Id(SubnetId(link(&offer.subnet, ids)?.0));
    if let Some(group) = &offer.placement {
        offer.placement = Some(Link::Id(GroupName(link(group, ids)?.0)));
    }
    Ok(offer)
}

/// A launch that stops hard says how many nodes run by then.
fn so_far(trouble: Trouble, order: &Order<'_>, walk: &Walk) -> Trouble {
    match trouble {
        Trouble::Failed(failure) if !walk.made.is_empty() => {
            let run = if walk.made.len() == 1 { "runs" } else { "run" };
            let (made, wanted) = (walk.made.len(), order.count);
            let text = match failure.text.as_str() {
                "" => format!("{made} of {wanted} nodes {run}"),
                text => format!("{text} ({made} of {wanted} nodes {run})"),
            };
            let left = match failure.left {
                Left::Nothing | Left::Something => Left::Something,
                Left::Unknown => Left::Unknown,
            };
            Trouble::Failed(Failure { text, left, ..failure })
        }
        other @ (Trouble::Failed(_) | Trouble::Ledger(_) | Trouble::Interrupted) => other,
    }
}

/// Not all that was wanted could be had.
fn short(order: &Order<'_>, walk: &Walk) -> Failure {
    let (made, wanted) = (walk.made.len(), order.count);
    let refused = walk.refused.join("; ");
    let text = if walk.refused.is_empty() {
        "no capacity can be had now: `mlinfra offers` says why".to_owned()
    } else if made > 0 {
        format!("{made} of {wanted} nodes run; no capacity for the rest in any offer ({refused})")
    } else {
        format!("no capacity in any offer ({refused})")
    };
    let left = if made > 0 { Left::Something } else { Left::Nothing };
    Failure::new(Class::Capacity, left, "ec2:RunInstances", "NoCapacity", text)
}
