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
