//! The budget that clusters of one stack share: what each of them has asked for and the cloud does
//! not show yet is paid for, too, and no other may spend it.

use std::collections::BTreeMap;

use crate::cloud::Observed;
use crate::fleet::{Launch, OfferKey};
use crate::kinds::{KindName, Offer};
use crate::model::{Address, Money};

use super::kept::Kept;
use super::tick::{Cluster, Look};
use super::view::CALLS_PER_BATCH;

/// What each cluster has asked for and does not show, per hour.
#[derive(Debug, Default)]
pub struct Purse(BTreeMap<Address, Money>);

impl Purse {
    /// As it is before any of them decides. Nothing is asked where nothing is shared.
    pub async fn open(clusters: &[Cluster<'_>], observed: &Observed) -> Self {
        let mut out = Self::default();
        for cluster in clusters.iter().filter(|_| clusters.len() > 1) {
            if cluster.pool.share.is_none() {
                continue;
            }
            // Whoever cannot read it does not launch either.
            let Ok((kept, _)) = Kept::read(cluster.store).await else { continue };
            let last = last_batch(&cluster.address, observed);
            let batches = kept.memory.batches.range(last.saturating_add(1)..);
            let nodes = batches.fold(0_u32, |sum, (_, batch)| sum.saturating_add(batch.count));
            out.add(cluster, dearest(&cluster.fleet.offers, |_| true), nodes);
        }
        out
    }

    /// A cluster with what the others have asked for taken from its share.
    pub fn share(&self, cluster: &mut Cluster<'_>) {
        let Some(share) = &mut cluster.pool.share else { return };
        let others = self.0.iter().filter(|(address, _)| **address != cluster.address);
        share.elsewhere = others.fold(share.elsewhere, |sum, (_, more)| sum + *more);
    }

    /// Takes note of what a look asks for.
    pub fn looked(&mut self, cluster: &Cluster<'_>, look: &Look) {
        for Launch { offers, count, .. } in &look.decision.launches {
            let is = |offer: &Offer| offers.contains(&OfferKey::from(offer.key()));
            self.add(cluster, dearest(&cluster.fleet.offers, is), *count);
        }
    }

    fn add(&mut self, cluster: &Cluster<'_>, price: Option<Money>, nodes: u32) {
        let beside = cluster.pool.share.map_or(Money::ZERO, |share| share.beside);
        let more = (price.unwrap_or(Money::ZERO) + beside) * nodes;
        let sum = self.0.entry(cluster.address.clone()).or_insert(Money::ZERO);
        *sum = *sum + more;
    }
}

/// The highest batch of which a node shows.
fn last_batch(address: &Address, observed: &Observed) -> u64 {
    let nodes = observed.live.values().filter(|live| live.kind == KindName::Node);
    let mine = nodes.filter(|live| live.owner.address == *address);
    mine.filter_map(|live| live.batch).map(|it| u64::from(it / CALLS_PER_BATCH)).max().unwrap_or(0)
}

/// The offer may be refused, and the next taken: the dearest counts.
fn dearest(offers: &[Offer], is: impl Fn(&Offer) -> bool) -> Option<Money> {
    offers.iter().filter(|offer| is(offer)).filter_map(|offer| offer.price).max()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{World, nodes};
    use super::*;
    use crate::cloud::Phase;
    use crate::fleet::{Batch, Pool, Share};
    use crate::ledger::MemoryStore;
    use crate::model::Moment;

    fn dollars(number: i64) -> Money {
        Money::new(number.into())
    }

    fn cluster<'a>(address: &Address, store: &'a MemoryStore) -> Cluster<'a> {
        let share = Share { budget: dollars(300), elsewhere: dollars(20), beside: dollars(1) };
        let pool = Pool { share: Some(share), ..Pool::new("c", (0, 4), 8) };
        let mut fleet = World::new().fleet;
        for (offer, price) in fleet.offers.iter_mut().zip([30, 50]) {
            offer.price = Some(dollars(price));
        }
        Cluster { address: address.clone(), fleet, pool, store }
    }

    /// What a service before this one has asked for, and the cloud does not show, is no one's to
    /// spend; what shows is in the bill.
    #[tokio::test]
    async fn what_one_has_asked_for_and_does_not_show_is_taken_from_the_other_s_share() {
        let (first, second) = (MemoryStore::default(), MemoryStore::default());
        let mut world = World::new();
        // Its nodes are of batch 3.
        world.node("i-1", Phase::Ready, Some("idle"));
        let mut kept = Kept::default();
        for (number, count) in [(3, 1), (4, 2)] {
            kept.memory.batches.insert(number, Batch { at: Moment(0), count, gang: None });
        }
        kept.write(&first, None).await.expect("written");
        let other = Address::from_tag("cluster.other/nodes").expect("an address");
        let mut all = [cluster(&nodes(), &first), cluster(&other, &second)];
        let purse = Purse::open(&all, &world.observed).await;
        all.iter_mut().for_each(|cluster| purse.share(cluster));
        let elsewhere = all.each_ref().map(|it| it.pool.share.expect("a share").elsewhere);
        // Two nodes at the dearest price, each with its disk; its own do not count against it.
        assert_eq!(elsewhere, [dollars(20), dollars(20 + 2 * 51)]);
        let alone = Purse::open(&all[..1], &world.observed).await;
        assert_eq!(alone.0, BTreeMap::new(), "nobody is asked where nothing is shared");
    }
}
