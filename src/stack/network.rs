//! `network`: a VPC with a private and a public subnet per zone.
//!
//! A zone's letter fixes its slot in the address space, so that nothing moves when AWS
//! opens a zone, and the zones of subnets that live are kept.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use crate::kinds::{
    ElasticIp, InternetGateway, NatGateway, Route, RouteTable, Spec, Subnet, Target, Vpc,
    VpcEndpoint,
};
use crate::lang::schema::{Attribute, BlockSchema, Export, Type};
use crate::lang::{Evaluated, Value};
use crate::model::{Address, Link, Zone};

use super::expansion::{Expansion, tags_of};

/// The table of the block.
pub const SCHEMA: BlockSchema = BlockSchema {
    word: "network",
    label: Some("the name by which other blocks refer to it"),
    repeats: true,
    attributes: &[
        Attribute::new(
            "cidr",
            Type::String,
            "Its addresses, a /16 to /20. A zone gets a sixteenth of it for private and a \
             256th for public addresses.",
        )
        .or("\"10.0.0.0/16\""),
        Attribute::new(
            "zones",
            Type::List(&Type::String),
            "Letters of the zones to use, such as `[\"a\", \"b\"]`.",
        )
        .or("every zone (the first eight letters) of the region"),
        Attribute::new(
            "nat",
            Type::OneOf(&["single", "none"]),
            "How private subnets reach the internet: one NAT gateway, or not at all.",
        )
        .or("\"single\""),
        Attribute::new("tags", Type::Map(&Type::String), "Tags beside the stack's.").or("{}"),
    ],
    blocks: &[],
    exports: &[
        Export { name: "id", doc: "The VPC's id." },
        Export { name: "cidr", doc: "The VPC's addresses." },
    ],
    doc: "A VPC with a private and a public subnet in every zone, an internet gateway, one NAT \
          gateway, and a gateway endpoint through which traffic to S3 costs nothing.",
};

/// The default of `cidr`.
const CIDR: &str = "10.0.0.0/16";

/// What can be read from it.
pub(super) fn exports(block: &Evaluated) -> BTreeMap<String, Value> {
    let Some(address) = &block.address else { return BTreeMap::new() };
    let cidr = block.attr("cidr").and_then(Value::as_str).unwrap_or(CIDR);
    BTreeMap::from([
        ("id".to_owned(), Value::id_of(address.with_part("vpc"))),
        ("cidr".to_owned(), cidr.into()),
    ])
}

/// The addresses of a zone: a sixteenth for its private subnet, from the front; a 256th
/// for its public one, from the middle on.
fn slots(net: Ipv4Net, letter: char) -> Option<(Ipv4Net, Ipv4Net)> {
    let slot = u32::from(letter).checked_sub(u32::from('a')).filter(|slot| *slot < 8)?;
    let base = u32::from(net.network());
    let (private, public) = (net.prefix_len() + 4, net.prefix_len() + 8);
    let size = |prefix: u8| 1_u32 << (32 - prefix);
    let private_at = base + slot * size(private);
    let public_at = base + 8 * size(private) + slot * size(public);
    Some((
        Ipv4Net::new(Ipv4Addr::from(private_at), private).ok()?,
        Ipv4Net::new(Ipv4Addr::from(public_at), public).ok()?,
    ))
}

/// The address of a zone's private subnet.
pub(super) fn private_subnet(network: &Address, letter: char) -> Address {
    network.with_part(&format!("private-{letter}"))
}

/// The zones that a network uses: as written, or those in which its subnets live, or all.
pub(super) fn zones(x: &mut Expansion<'_>, block: &Evaluated) -> Vec<Zone> {
    let open: Vec<Zone> = x.facts.zones.clone();
    let in_reach = |zone: &Zone| zone.letter().is_some_and(|letter| ('a'..='h').contains(&letter));
    let known = |value: &&Value| !value.holds_unknown();
    if let Some(written) = block.attr("zones").filter(known) {
        let mut found = BTreeSet::new();
        for value in written.as_list().unwrap_or_default() {
            let letter = value.as_str().unwrap_or_default();
            let zone = Zone(format!("{}{letter}", x.here.home.region));
            if open.contains(&zone) && in_reach(&zone) {
                found.insert(zone);
            } else if matches!(letter.as_bytes(), [b'a'..=b'h']) {
                let problem = format!("{} has no open zone {letter:?}", x.here.home.region);
                x.check(value, Some(problem), &format!("its zones are {}", letters(&open)));
            } else {
                let problem = format!("{letter:?} is no letter of a zone");
                x.check(value, Some(problem), "write letters from a to h, such as [\"a\", \"b\"]");
            }
        }
        let none = written.as_list().is_some_and(<[Value]>::is_empty);
        let problem = "a network without a zone has no subnet".to_owned();
        x.check(written, none.then_some(problem), "name one, or leave `zones` out for all");
        return found.into_iter().collect();
    }
    let pinned = block.address.as_ref().and_then(|address| x.pins.zones.get(address));
    match pinned {
        Some(zones) => zones.iter().cloned().collect(),
        None => open.into_iter().filter(in_reach).collect(),
    }
}

/// `a, b, c`
pub(super) fn letters(zones: &[Zone]) -> String {
    let letters: Vec<String> = zones.iter().filter_map(Zone::letter).map(String::from).collect();
    letters.join(", ")
}

fn parse(x: &mut Expansion<'_>, block: &Evaluated) -> Option<Ipv4Net> {
    let text = block.attr("cidr").and_then(Value::as_str).unwrap_or(CIDR).to_owned();
    let net = text.parse::<Ipv4Net>().ok();
    let problem = match net {
        None => Some(format!("{text:?} is no range of IPv4 addresses")),
        Some(net) if net.addr() != net.network() => {
            Some(format!("{text} is an address inside of {}", net.trunc()))
        }
        Some(net) if net.prefix_len() < 16 => Some(format!("{text} is too large for a VPC")),
        Some(net) if net.prefix_len() > 20 => Some(format!("{text} is too small for a network")),
        Some(_) => None,
    };
    let refused = problem.is_some();
    if let Some(value) = block.attr("cidr") {
        x.check(value, problem, "write a /16 to /20, such as \"10.20.0.0/16\"");
    }
    net.filter(|_| !refused)
}

/// Adds it to what is wanted.
pub(super) fn expand(x: &mut Expansion<'_>, block: &Evaluated) {
    let Some(address) = block.address.clone() else { return };
    let Some(net) = parse(x, block) else { return };
    let zones = zones(x, block);
    x.networks.insert(address.clone(), zones.clone());
    let nat = block.attr("nat").and_then(Value::as_str) != Some("none");
    let vpc = address.with_part("vpc");
    let spec = Vpc {
        cidr: net.to_string(),
        dns_support: true,
        dns_hostnames: true,
        tags: tags_of(x, &vpc, block),
    };
    add(x, &vpc, spec);
    let gateway = address.with_part("gateway");
    let spec =
        InternetGateway { vpc: Some(Link::To(vpc.clone())), tags: tags_of(x, &gateway, block) };
    add(x, &gateway, spec);

    let (mut private, mut public) = (Vec::new(), Vec::new());
    for zone in &zones {
        let Some((letter, (inner, outer))) =
            zone.letter().and_then(|letter| Some((letter, slots(net, letter)?)))
        else {
            continue;
        };
        let at = private_subnet(&address, letter);
        subnet(x, block, &vpc, (&at, zone, inner));
        private.push(at);
        let at = address.with_part(&format!("public-{letter}"));
        subnet(x, block, &vpc, (&at, zone, outer));
        public.push(at);
    }
    let via_gateway = Target::Gateway(Link::To(gateway));
    table(x, block, "public", (Some(via_gateway), &public));
    let way_out = match public.first() {
        Some(first) if nat => Some(Target::Nat(Link::To(nat_gateway(x, block, first)))),
        Some(_) | None => None,
    };
    table(x, block, "private", (way_out, &private));
    endpoint(x, block, &vpc);
}

fn add(x: &mut Expansion<'_>, address: &Address, spec: impl Into<Spec>) {
    x.desired.specs.insert(address.clone(), spec.into());
}

fn subnet(
    x: &mut Expansion<'_>,
    block: &Evaluated,
    vpc: &Address,
    (at, zone, net): (&Address, &Zone, Ipv4Net),
) {
    let spec = Subnet {
        vpc: Link::To(vpc.clone()),
        cidr: net.to_string(),
        zone: zone.clone(),
        public_ips: false,
        tags: tags_of(x, at, block),
    };
    add(x, at, spec);
}

fn nat_gateway(x: &mut Expansion<'_>, block: &Evaluated, subnet: &Address) -> Address {
    let owner = subnet.owner();
    let (ip, nat) = (owner.with_part("nat-address"), owner.with_part("nat"));
    let spec = ElasticIp { tags: tags_of(x, &ip, block) };
    add(x, &ip, spec);
    let spec = NatGateway {
        subnet: Link::To(subnet.clone()),
        address: Link::To(ip),
        tags: tags_of(x, &nat, block),
    };
    add(x, &nat, spec);
    nat
}

fn table(
    x: &mut Expansion<'_>,
    block: &Evaluated,
    part: &str,
    (target, subnets): (Option<Target>, &[Address]),
) {
    let Some(owner) = &block.address else { return };
    let at = owner.with_part(&format!("{part}-routes"));
    let route = |target| Route { destination: "0.0.0.0/0".to_owned(), target };
    let spec = RouteTable {
        vpc: Link::To(owner.with_part("vpc")),
        routes: target.into_iter().map(route).collect(),
        subnets: subnets.iter().cloned().map(Link::To).collect(),
        tags: tags_of(x, &at, block),
    };
    add(x, &at, spec);
}

fn endpoint(x: &mut Expansion<'_>, block: &Evaluated, vpc: &Address) {
    let at = vpc.owner().with_part("s3-endpoint");
    let domain =
        if x.here.home.partition() == "aws-cn" { "cn.com.amazonaws" } else { "com.amazonaws" };
    let tables =
        ["private-routes", "public-routes"].map(|part| Link::To(vpc.owner().with_part(part)));
    let spec = VpcEndpoint {
        vpc: Link::To(vpc.clone()),
        service: format!("{domain}.{}.s3", x.here.home.region),
        route_tables: tables.to_vec(),
        tags: tags_of(x, &at, block),
    };
    add(x, &at, spec);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_fixes_its_slot() {
        let net: Ipv4Net = "10.20.0.0/16".parse().expect("a network");
        let slot = |letter| {
            let (inner, outer) = slots(net, letter).expect("a slot");
            (inner.to_string(), outer.to_string())
        };
        assert_eq!(slot('a'), ("10.20.0.0/20".to_owned(), "10.20.128.0/24".to_owned()));
        assert_eq!(slot('c'), ("10.20.32.0/20".to_owned(), "10.20.130.0/24".to_owned()));
        assert_eq!(slot('h'), ("10.20.112.0/20".to_owned(), "10.20.135.0/24".to_owned()));
        assert!(slots(net, 'i').is_none());
    }
}
