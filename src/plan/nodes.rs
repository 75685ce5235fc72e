//! Fleets of a fixed number of nodes: the difference is launched or terminated, the
//! rest is left alone. Where the autoscaler decides on the number, all of them are.

use std::collections::BTreeSet;

use crate::cloud::{Condition, Observed};
use crate::kinds::{Action, Care, KindName, Node, Offer, Spec, Trait, Why};
use crate::model::{Address, Block, CloudId, Link};
use crate::stack::{Desired, Fleet};

use super::ending::{Found, terminate};
use super::settle::Standing;
use super::{Draft, health, point, roll, spread};

/// Decides about every fleet.
pub(super) fn fleets<'a>(
    draft: &mut Draft<'a>,
    (desired, observed): (&Desired, &Observed),
    standing: &Standing<'a>,
) {
    if desired.fleets.is_empty() {
        return;
    }
    let stays: BTreeSet<&CloudId> = draft.staying.values().collect();
    let places = standing
        .values()
        .flatten()
        .filter(|(_, live)| live.kind == KindName::Subnet || live.kind == KindName::PlacementGroup);
    let going = places.map(|(id, _)| *id).filter(|id| !stays.contains(id));
    let going: BTreeSet<CloudId> = going.cloned().collect();
    for (address, fleet) in &desired.fleets {
        let start = draft.steps.len();
        let kept = self::fleet(draft, (address, fleet), standing, (&going, observed));
        if let Some(published) = &fleet.published {
            point::insert(draft, (address, published), start, &kept, observed);
        }
    }
}

/// What a node of a fleet must be like.
struct Judge<'a> {
    fleet: &'a Fleet,
    /// The template; none when another one is made.
    template: Option<CloudId>,
    /// Subnets and placement groups that go.
    going: &'a BTreeSet<CloudId>,
    observed: &'a Observed,
}

impl Judge<'_> {
    /// What is not as wanted. A subnet or placement group of ours that goes takes its nodes
    /// along. Zones and markets that are merely no longer offered do not: nobody wants to lose
    /// a running job to a shorter list.
    fn wrongs(&self, (id, live, node): &Found<'_>) -> impl Iterator<Item = Trait> + use<> {
        let condition = self.observed.conditions.get(*id);
        let ill = condition.map(|condition| health::wrongs(condition, live, self.observed.at));
        let goes = |id: &str| self.going.contains(&CloudId::from(id));
        let template = Link::id(&node.template).map(|id| id.as_str());
        let same = template.is_some() && template == self.template.as_ref().map(CloudId::as_str);
        let group = node.placement.as_ref().and_then(Link::id);
        let wrongs = [
            (Trait::Template, !same),
            (Trait::InstanceType, !self.fleet.admits(node)),
            (Trait::Subnet, Link::id(&node.subnet).is_none_or(|subnet| goes(subnet.as_str()))),
            (Trait::PlacementGroup, group.is_some_and(|group| goes(group.as_str()))),
            (Trait::Health, self.is_unhealthy(id)),
        ];
        let wrongs = wrongs.into_iter().filter_map(|(what, wrong)| wrong.then_some(what));
        // Without any other capacity a node serves for as long as its block lets it.
        let nowhere = self.fleet.offers.is_empty();
        let stays = move |what: &Trait| !(nowhere && *what == Trait::BlockEnd);
        wrongs.chain(ill.into_iter().flatten().filter(stays))
    }

    /// Where a name leads to nodes, one that says that it is unhealthy serves nobody.
    fn is_unhealthy(&self, id: &CloudId) -> bool {
        let condition = self.observed.conditions.get(id);
        self.fleet.published.is_some() && condition.is_some_and(Condition::is_unhealthy)
    }
}

fn fleet<'a>(
    draft: &mut Draft<'a>,
    (address, fleet): (&Address, &Fleet),
    standing: &Standing<'a>,
    (going, observed): (&BTreeSet<CloudId>, &Observed),
) -> Vec<CloudId> {
    let nodes: Vec<Found<'a>> = standing
        .get(address)
        .into_iter()
        .flatten()
        .filter(|(_, live)| live.kind == KindName::Node && live.is_usable())
        .filter_map(|(id, live)| match live.spec() {
            Some(Spec::Node(node)) => Some((*id, *live, node)),
            Some(_) | None => None,
        })
        .collect();
    if fleet.is_scaled() {
        draft.unchanged += nodes.len();
        draft.nodes.extend(nodes.iter().map(|(id, ..)| (*id).clone()));
        return Vec::new();
    }
    draft.nodes.extend(nodes.iter().map(|(id, ..)| (*id).clone()));
    let batch = 1 + nodes.iter().filter_map(|(_, live, _)| live.batch).max().unwrap_or(0);
    let mut sorted = health::sort(nodes, fleet, observed);
    let failed = sorted.mark(draft, (address, &fleet.care));
    let nodes = std::mem::take(&mut sorted.counted);
    let template = draft.staying.get(&fleet.template).cloned();
    let judge = Judge { fleet, template, going, observed };
    let renew = draft.replace.contains(address);
    let (mut current, outdated): (Vec<Found<'_>>, Vec<_>) =
        nodes.into_iter().partition(|found| !renew && judge.wrongs(found).next().is_none());
    current.sort_by_key(|found| turn(found, observed));
    let keep = usize::try_from(fleet.count).unwrap_or(usize::MAX).min(current.len());
    let surplus = current.split_off(keep);

    let (from, to) = (count(keep + surplus.len()), fleet.count);
    let drain = fleet.has_jobs();
    terminate(draft, (address, drain), (&surplus, &[]), &Why::Shrink { from, to });
    draft.unchanged += keep;

    let why = match renew {
        true => Why::Requested,
        false => {
            Why::Outdated { what: outdated.iter().flat_map(|one| judge.wrongs(one)).collect() }
        }
    };
    let leaves = |found: &Found<'_>| {
        judge.wrongs(found).any(|wrong| matches!(wrong, Trait::Subnet | Trait::PlacementGroup))
    };
    let (evicted, mut stale): (Vec<_>, Vec<_>) = outdated.into_iter().partition(leaves);
    let stays = without_successors(fleet, &mut stale);
    draft.unchanged += stays.len();
    let (good, from) = (count(keep + stays.len()), from + count(stays.len()));
    // What serves nobody goes first.
    stale.sort_by_key(|(id, ..)| (!judge.is_unhealthy(id), *id));
    terminate(draft, (address, fleet.has_jobs()), (&evicted, &[]), &why);
    let offers = offers(draft, fleet, &current);
    let once = health::starting(&current, fleet, observed);
    let placed = placed(&current);
    let renewal = Renewal { batch, offers, once, good, why: &why, from, placed };
    renew_all(draft, (address, fleet), renewal, stale);
    sorted.end(draft, address, &failed);
    current.iter().chain(&stays).map(|(id, ..)| (*id).clone()).collect()
}

/// Who stays before whom. What was told to go goes, what has failed, then what does nothing; of the others
/// the oldest launches stay: what has trained longest is the last to go.
fn turn<'a>(
    (id, live, _): &Found<'a>,
    observed: &Observed,
) -> (bool, bool, bool, Option<u32>, &'a CloudId) {
    let condition = observed.conditions.get(*id);
    let told = condition.is_some_and(|it| it.mark.is_some());
    let works = condition.is_some_and(Condition::is_busy);
    let ill = condition.is_some_and(Condition::is_unhealthy);
    (told, ill && !works, !works, live.batch, *id)
}

/// Without an offer nothing could take the place of those that are to go: they stay.
fn without_successors<'a>(fleet: &Fleet, stale: &mut Vec<Found<'a>>) -> Vec<Found<'a>> {
    let split = if fleet.offers.is_empty() { 0 } else { stale.len() };
    stale.split_off(split)
}

fn placed(nodes: &[Found<'_>]) -> spread::Placed {
    let mut placed = spread::Placed::new();
    for (.., node) in nodes {
        *placed.entry(node.zone.clone()).or_default() += 1;
    }
    placed
}

/// What a renewal begins with.
struct Renewal<'a> {
    batch: u32,
    offers: Vec<Offer>,
    /// Nodes that count already and have yet to come up.
    once: Vec<CloudId>,
    good: u32,
    why: &'a Why,
    from: u32,
    /// Where nodes stay.
    placed: spread::Placed,
}

/// Launches and ends nodes in waves, until as many as are wanted are as they should be.
fn renew_all(
    draft: &mut Draft<'_>,
    (address, fleet): (&Address, &Fleet),
    renewal: Renewal<'_>,
    mut stale: Vec<Found<'_>>,
) {
    let Renewal { mut batch, offers, once, good, why, mut from, mut placed } = renewal;
    from += count(stale.len());
    for wave in roll::waves(fleet, good, count(stale.len())) {
        match wave {
            roll::Move::End(some) => {
                from -= some;
                let some = usize::try_from(some).unwrap_or(usize::MAX).min(stale.len());
                let gone: Vec<_> = stale.drain(..some).collect();
                terminate(draft, (address, fleet.has_jobs()), (&gone, &once), why);
            }
            roll::Move::Launch(count) => {
                for (count, offers) in spread::parts(fleet, &offers, &mut placed, count) {
                    // Each launch call takes a number, every offer may be asked once more than
                    // it has hundreds of nodes, and all of that again for those that fail.
                    let calls = (self::count(offers.len()) + count.div_ceil(100)) * Care::ROUNDS;
                    let action = launch(draft, fleet, offers, (batch, count));
                    let to = from + count;
                    draft.steps.push((address.clone(), action, Why::Grow { from, to }));
                    (batch, from) = (batch + calls, to);
                }
            }
        }
    }
}

fn launch(
    draft: &Draft<'_>,
    fleet: &Fleet,
    offers: Vec<Offer>,
    (batch, count): (u32, u32),
) -> Action {
    let template = match draft.staying.get(&fleet.template) {
        Some(id) => Link::Id(id.as_str().into()),
        None => Link::To(fleet.template.clone()),
    };
    let (tags, gang, care) = (fleet.tags.clone(), fleet.gang, fleet.care);
    Action::Launch { batch, count, gang, template, offers, tags, care }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The offers that a launch may walk down: the nodes of a gang are of the type, and stay in the
/// zone, of the first of them.
fn offers(draft: &Draft<'_>, fleet: &Fleet, current: &[Found<'_>]) -> Vec<Offer> {
    let first = current.first().map(|(.., node)| *node).filter(|_| fleet.gang);
    let beside = |offer: &Offer, node: &Node| {
        offer.zone == node.zone && offer.instance_type == node.instance_type
    };
    let known = |to: &Address| draft.staying.get(to).cloned();
    fleet
        .offers
        .iter()
        .filter(|offer| first.is_none_or(|node| beside(offer, node)))
        .map(|offer| {
            let mut offer = offer.clone();
            if let Link::To(to) = &offer.subnet
                && let Some(id) = known(to)
            {
                offer.subnet = Link::Id(id.as_str().into());
            }
            if let Some(Link::To(to)) = &offer.placement
                && let Some(id) = known(to)
            {
                offer.placement = Some(Link::Id(id.as_str().into()));
            }
            offer
        })
        .collect()
}

/// Nodes that belong to no declared fleet.
pub(super) fn orphans(draft: &mut Draft<'_>, standing: &Standing<'_>, destroy: bool) {
    for (address, found) in standing {
        let nodes: Vec<Found<'_>> = found
            .iter()
            .filter(|(id, live)| {
                live.kind == KindName::Node && live.is_usable() && !draft.nodes.contains(*id)
            })
            .filter_map(|(id, live)| match live.spec() {
                Some(Spec::Node(node)) => Some((*id, *live, node)),
                Some(_) | None => None,
            })
            .collect();
        let why = if destroy { Why::Destroyed } else { Why::Removed };
        // A job that hangs must not keep a stack from being destroyed: that is said before.
        let drain = !destroy && address.block == Block::Cluster;
        terminate(draft, (address, drain), (&nodes, &[]), &why);
    }
}
