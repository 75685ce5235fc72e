//! A small cluster for the tests of this room.

use std::collections::BTreeSet;

use crate::cloud::{Condition, Live, Observed, Owner, Phase, Seen};
use crate::kinds::{self, KindName, Tags};
use crate::model::{Address, CloudId, Link, Moment, StackName, Token, Zone};
use crate::stack;

/// Where its nodes are declared.
pub fn nodes() -> Address {
    address("cluster.train/nodes")
}

fn address(text: &str) -> Address {
    Address::from_tag(text).expect("an address")
}

/// The cluster, and what the cloud shows of it.
pub struct World {
    pub fleet: stack::Fleet,
    pub observed: Observed,
}

impl World {
    pub fn new() -> Self {
        let subnet = Link::To(address("network.main/private-a"));
        let offer = kinds::Offer::plain("p5.48xlarge", Zone::from("us-east-1a"), subnet);
        let far = Link::To(address("network.main/private-b"));
        let other = kinds::Offer::plain("p5.48xlarge", Zone::from("us-east-1b"), far);
        let fleet = stack::Fleet {
            count: 0,
            most: 4,
            gang: false,
            surge: 1,
            max_unavailable: 0,
            template: address("cluster.train/template"),
            offers: vec![offer, other],
            rejected: Vec::new(),
            advice: Vec::new(),
            types: BTreeSet::new(),
            autoscale: None,
            published: None,
            tags: Tags::new(),
            care: kinds::Care::default(),
        };
        let mut world = Self { fleet, observed: Observed::default() };
        let template = KindName::LaunchTemplate;
        world.add("lt-1", (template, "cluster.train/template", 1), Seen::Blind("old".to_owned()));
        world.add("lt-2", (template, "cluster.train/template", 2), Seen::Blind("new".to_owned()));
        let subnet = (KindName::Subnet, "network.main/private-a", 1);
        world.add("subnet-1", subnet, Seen::Blind("x".to_owned()));
        world
    }

    fn add(&mut self, id: &str, (kind, at, generation): (KindName, &str, u32), seen: Seen) {
        let (stack, token) = (StackName::from("llm"), Token(String::new()));
        let owner = Owner { stack, address: address(at), generation, token, named: None };
        let (phase, holds_data, batch) = (Phase::Ready, false, None);
        let live = Live { kind, owner, seen, phase, holds_data, batch };
        self.observed.live.insert(CloudId::from(id), live);
    }

    /// A node that says of itself how it is.
    pub fn node(&mut self, id: &str, phase: Phase, state: Option<&str>) {
        let node = kinds::Node {
            template: Link::Id("lt-2".into()),
            subnet: Link::Id("subnet-1".into()),
            zone: Zone::from("us-east-1a"),
            instance_type: "p5.48xlarge".to_owned(),
            market: kinds::Market::OnDemand,
            placement: None,
            reservation: None,
        };
        self.add(id, (KindName::Node, "cluster.train/nodes", 1), Seen::Spec(node.into()));
        let live = self.observed.live.get_mut(&CloudId::from(id)).expect("it");
        (live.phase, live.batch) = (phase, Some(3 * super::view::CALLS_PER_BATCH + 1));
        let condition = Condition {
            state: state.map(str::to_owned),
            launched: Some(Moment(1000)),
            ..Condition::default()
        };
        self.observed.conditions.insert(CloudId::from(id), condition);
    }
}
