//! Counts what is there before a plan, and after each of its steps.

use std::collections::BTreeMap;

use super::charges::{self, Charge};
use super::{Bill, Line, Prices, Rate};
use crate::cloud::Observed;
use crate::kinds::{Action, Disk, Node, Offer, Plan, Spec};
use crate::model::{Address, CloudId, Link, TemplateId};
use crate::stack::{Desired, Fleet};

/// How many of something there are.
#[derive(Clone, Copy, Default)]
struct Counts {
    before: u32,
    after: u32,
    floor: u32,
    ceiling: u32,
}

/// Which of these numbers is meant.
type Side = fn(&mut Counts) -> &mut u32;

/// What stands, by id.
type Standing<'a> = BTreeMap<&'a CloudId, (&'a Address, &'a Spec)>;

/// The work in hand.
struct Tally<'a> {
    desired: &'a Desired,
    prices: Prices<'a>,
    /// Root disks by the template's id, and by the address of one that is to be made.
    disks: BTreeMap<&'a str, &'a Disk>,
    coming: BTreeMap<&'a Address, &'a Disk>,
    counts: BTreeMap<(Address, String, Rate), Counts>,
}

/// Everything that is paid for.
pub(super) fn of<'a>(
    desired: &'a Desired,
    observed: &'a Observed,
    plan: &'a Plan,
    prices: Prices<'a>,
) -> Bill {
    let mut before = standing(observed);
    readdress(&mut before, plan);
    let mut tally = Tally {
        desired,
        prices,
        disks: before
            .iter()
            .filter_map(|(id, (_, spec))| Some((id.as_str(), disk(spec)?)))
            .collect(),
        coming: BTreeMap::new(),
        counts: BTreeMap::new(),
    };
    for (address, spec) in before.values() {
        tally.object(address, spec, |counts| &mut counts.before);
    }
    let mut after = before;
    let mut launches = Vec::new();
    for step in &plan.steps {
        match &step.action {
            Action::Create { spec, .. } => {
                if let Some(disk) = disk(spec) {
                    tally.coming.insert(&step.address, disk);
                }
                tally.object(&step.address, spec, |counts| &mut counts.after);
            }
            Action::Update { id, spec, .. } | Action::Adopt { id, spec } => {
                after.insert(id, (&step.address, spec));
            }
            Action::Delete { id, .. } | Action::Forget { id, .. } => {
                after.remove(id);
            }
            Action::Terminate { nodes, .. } => {
                for id in nodes {
                    after.remove(id);
                }
            }
            Action::Point { .. } => {}
            Action::Launch { count, template, offers, .. } => {
                launches.push((&step.address, *count, template, offers));
            }
            Action::Quarantine { .. } | Action::Move { .. } => {}
        }
    }
    for (address, spec) in after.values() {
        tally.object(address, spec, |counts| &mut counts.after);
    }
    for (address, count, template, offers) in launches {
        // The first is what is tried first; a refusal leads down the list.
        if let Some(offer) = offers.first() {
            let disk = tally.root(template);
            tally.nodes(address, (offer, disk), count, |counts| &mut counts.after);
        }
    }
    tally.range(&after);
    tally.bill()
}

/// Everything that somebody pays for: what is being deleted is not counted any more.
fn standing(observed: &Observed) -> Standing<'_> {
    let each = observed.live.iter().filter(|(_, live)| live.phase.stands());
    each.filter_map(|(id, live)| Some((id, (&live.owner.address, live.spec()?)))).collect()
}

/// What has moved is counted where it is declared now, on both sides.
fn readdress<'a>(standing: &mut Standing<'a>, plan: &'a Plan) {
    for step in &plan.steps {
        if let Action::Move { ids, .. } = &step.action {
            for id in ids {
                if let Some((address, _)) = standing.get_mut(id) {
                    *address = &step.address;
                }
            }
        }
    }
}

fn disk(spec: &Spec) -> Option<&Disk> {
    let Spec::LaunchTemplate(template) = spec else { return None };
    Some(&template.disk)
}

impl<'a> Tally<'a> {
    fn add(&mut self, address: &Address, (what, rate): Charge, count: u32, side: Side) {
        let counts = self.counts.entry((address.clone(), what, rate)).or_default();
        let number = side(counts);
        *number = number.saturating_add(count);
    }

    /// One object that stands, or will.
    fn object(&mut self, address: &Address, spec: &Spec, side: Side) {
        if let Spec::Node(node) = spec {
            let charge = charges::node(&self.offer_of(address, node), self.prices);
            self.add(address, charge, 1, side);
            let disk = self.root(&node.template);
            self.add(address, disk, 1, side);
        } else if let Some(charge) = charges::of(spec, self.prices) {
            self.add(address, charge, 1, side);
        }
    }

    /// Nodes on an offer.
    fn nodes(&mut self, at: &Address, (offer, disk): (&Offer, Charge), count: u32, side: Side) {
        self.add(at, charges::node(offer, self.prices), count, side);
        self.add(at, disk, count, side);
    }

    /// What a node that runs would be launched on: with the price that is asked there now.
    fn offer_of(&self, address: &Address, node: &Node) -> Offer {
        let Node { instance_type, zone, market, subnet, .. } = node;
        let same = |offer: &&Offer| {
            offer.instance_type == *instance_type && offer.zone == *zone && offer.market == *market
        };
        let fleet = self.desired.fleets.get(address);
        let price = fleet.and_then(|fleet| fleet.offers.iter().find(same)?.price);
        let plain = Offer::plain(instance_type, zone.clone(), subnet.clone());
        Offer { market: *market, price, ..plain }
    }

    /// The root disk of nodes of a template.
    fn root(&self, template: &Link<TemplateId>) -> Charge {
        let disk = match template {
            Link::Id(id) => self.disks.get(id.as_str()),
            Link::To(address) => self.coming.get(address),
        };
        match disk {
            Some(disk) => charges::disk(disk, self.prices),
            None => charges::unseen_disk(),
        }
    }

    /// How few and how many there may be. Only the size of a fleet can change by itself.
    fn range(&mut self, after: &Standing<'a>) {
        let mut disks = std::mem::take(&mut self.coming);
        for (address, spec) in after.values() {
            disks.extend(disk(spec).map(|disk| (*address, disk)));
        }
        for counts in self.counts.values_mut() {
            (counts.floor, counts.ceiling) = (counts.after, counts.after);
        }
        let desired = self.desired;
        let scaled = desired.fleets.iter().filter(|(_, fleet)| most(fleet) > fleet.count);
        for (address, fleet) in scaled {
            // A part of a plan may leave a fleet out: without a template it cannot grow.
            let (Some(disk), Some(offer)) = (disks.get(&fleet.template), fleet.offers.first())
            else {
                continue;
            };
            let first = (address.clone(), String::new(), Rate::default());
            let of_fleet = self.counts.range_mut(first..);
            let mut lines = 0_u32;
            for (_, counts) in of_fleet.take_while(|((at, ..), _)| at == address) {
                lines = lines.saturating_add(counts.after);
                counts.floor = 0;
            }
            // A node has two lines: itself and its disk.
            let nodes = lines / 2;
            let disk = charges::disk(disk, self.prices);
            self.nodes(address, (offer, disk.clone()), fleet.count, |counts| &mut counts.floor);
            let more = most(fleet).saturating_sub(nodes);
            self.nodes(address, (offer, disk), more, |counts| &mut counts.ceiling);
        }
    }

    fn bill(self) -> Bill {
        let lines = self.counts.into_iter().map(|((address, what, rate), counts)| {
            let Counts { before, after, floor, ceiling } = counts;
            Line { address, what, rate, before, after, floor, ceiling }
        });
        Bill { lines: lines.collect() }
    }
}

/// The most nodes that a fleet may have.
fn most(fleet: &Fleet) -> u32 {
    fleet.most
}
