//! Launching and terminating nodes, and the few rules that tie networks together.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde_json::Map;

use super::object::{Answer, Event, Object};
use super::physics::{BORROWED, PROFILE};
use super::rules::{Caller, Verdict, fingerprint, refuse};
use crate::catalog::Catalog;
use crate::cloud::{Class, Failure, Launch, Reply};
use crate::kinds::{Change, Edit, KindName, Node, Spec, walk};
use crate::model::{Block, CloudId, Link, SubnetId, VpcId, tags};

/// What AWS says of a node that it started and then had no room for.
const STILLBORN: &str = "Server.InsufficientInstanceCapacity";

impl Caller<'_> {
    /// Starts nodes: all, or as many as can be had where the caller takes fewer.
    pub fn launch(&self, api: &str, launch: &Launch) -> Verdict {
        let bad = |text: String| refuse(Class::Invalid, api, "InvalidParameterValue", text);
        let offer = &launch.offer;
        // AWS keeps tokens of launches by zone: the same one elsewhere starts more nodes.
        let key = format!("{api} {} {} {}", self.region, offer.zone, launch.owner.token);
        let request = fingerprint(launch);
        if let Some(reply) = self.replay(api, &key, &request)? {
            return Ok((None, reply));
        }
        if launch.count == 0 {
            return Err(bad("count is 0".to_owned()));
        }
        let Some(subnet) = offer.subnet.id() else {
            return Err(bad("the subnet has no id".to_owned()));
        };
        let template = self.standing(api, &CloudId(launch.template.0.clone()))?;
        let place = self.standing(api, &CloudId(subnet.0.clone()))?;
        if !matches!(&place.spec, Spec::Subnet(subnet) if subnet.zone == offer.zone) {
            return Err(bad(format!("{} is not a subnet in {}", place.id, offer.zone)));
        }
        let uses = self.borrowed(api, &template.spec, launch)?;
        let count = self.room(api, launch)?;
        let node = Node {
            template: Link::Id(launch.template.clone()),
            subnet: Link::Id(subnet.clone()),
            zone: offer.zone.clone(),
            instance_type: offer.instance_type.clone(),
            market: offer.market,
            placement: offer.placement.clone(),
            reservation: offer.reservation.clone(),
        };
        let objects: Vec<_> = (0..count).map(|n| self.node(n, &node, launch, &uses)).collect();
        let ids: Vec<_> = objects.iter().map(|object| object.id.clone()).collect();
        let answer = Some(Answer { key, request, ids: ids.clone() });
        Ok((Some(Event::Made { objects, answer }), Reply { ids, more: false }))
    }

    fn node(&self, number: u32, node: &Node, launch: &Launch, uses: &[CloudId]) -> Object {
        let mut marks = launch.owner.tags();
        marks.extend(launch.tags.clone());
        marks.insert(tags::TEMPLATE.to_owned(), launch.template.to_string());
        marks.insert(tags::BATCH.to_owned(), launch.batch.to_string());
        if launch.owner.address.block == Block::Service {
            marks.extend(self.says(launch));
        }
        let supply = &self.world.settings.supply;
        let stillborn = supply.stillborn(&node.instance_type, &node.zone);
        Object {
            id: self.world.fresh_id(KindName::Node, u64::from(number)),
            region: self.region.clone(),
            spec: node.clone().into(),
            marks,
            born_at: self.now,
            ready_at: self.now + self.world.settings.boot_seconds * 1000,
            deleted_at: None,
            gone_at: None,
            failed: (u64::from(number) < stillborn).then(|| STILLBORN.to_owned()),
            contents: 0,
            uses: uses.to_vec(),
            number: Some(number),
            address: self.address(node, number),
            stranger: false,
            unfit: supply.unfit(node, number, launch.batch),
            past: Vec::new(),
        }
    }

    /// What the machine of a service will say of itself once it has booted: there is nobody on
    /// a simulated node who could ask its service.
    fn says(&self, launch: &Launch) -> Vec<(String, String)> {
        let template = self.world.objects.get(&CloudId(launch.template.0.clone()));
        let sick = self.world.settings.sick.as_deref().filter(|sick| !sick.is_empty());
        let holds = |text: &str| sick.is_some_and(|sick| text.contains(sick));
        let mut ill = false;
        if let Some(Spec::LaunchTemplate(template)) = template.map(|template| &template.spec) {
            ill = template.user_data.known().is_some_and(holds);
        }
        let (state, reason) = match ill {
            true => ("unhealthy", "health: nobody answers"),
            false => ("ready", ""),
        };
        [(tags::STATE, state), (tags::REASON, reason)]
            .map(|(key, text)| (key.to_owned(), text.to_owned()))
            .to_vec()
    }

    /// The next address of its subnet, from the fifth on: AWS keeps the first four.
    fn address(&self, node: &Node, number: u32) -> Option<String> {
        let subnet = node.subnet.id().map(|id| CloudId(id.0.clone()))?;
        let Spec::Subnet(subnet) = &self.world.objects.get(&subnet)?.spec else { return None };
        let net: Ipv4Net = subnet.cidr.parse().ok()?;
        let made = u32::try_from(self.world.made % 1_000_000).ok()? + number;
        let free = (1_u32 << (32 - net.prefix_len())).saturating_sub(5).max(1);
        Some(Ipv4Addr::from(u32::from(net.network()) + 4 + made % free).to_string())
    }

    /// A template is looked into only now: what it names must exist, and is in use
    /// for as long as the nodes live.
    fn borrowed(&self, api: &str, spec: &Spec, launch: &Launch) -> Result<Vec<CloudId>, Failure> {
        let mut uses = Vec::new();
        for found in walk::links(spec) {
            let walk::FoundTarget::Id(id) = found.target else { continue };
            let answer = self.standing(api, &id);
            if found.field == PROFILE {
                // AWS says the same of a profile that is new and of one that never was.
                answer.map_err(|_| {
                    let text = format!(
                        "Value ({id}) for parameter iamInstanceProfile.arn is \
                        invalid. Invalid IAM Instance Profile ARN"
                    );
                    refuse(Class::Settling, api, "InvalidParameterValue", text)
                })?;
                continue;
            }
            answer?;
            if BORROWED.contains(&found.field.as_str()) {
                uses.push(id);
            }
        }
        let group = launch.offer.placement.as_ref().and_then(Link::id);
        // That of a reservation is somebody else's, and stands where the reservation does.
        let kept = self.group_kept(launch);
        if let Some(group) = group.filter(|group| kept.as_ref() != Some(group)) {
            let object = self.standing(api, &CloudId(group.0.clone()))?;
            self.stands_close(api, launch)?;
            self.same_zone(api, object, launch)?;
        }
        Ok(uses)
    }

    /// Not every type goes into a cluster placement group.
    fn stands_close(&self, api: &str, launch: &Launch) -> Result<(), Failure> {
        let name = &launch.offer.instance_type;
        match Catalog::shipped().get(name).is_some_and(|known| !known.stands_close()) {
            true => {
                let text = format!(
                    "Cluster placement groups are not supported by the '{name}' instance type"
                );
                Err(refuse(Class::Invalid, api, "InvalidParameterCombination", text))
            }
            false => Ok(()),
        }
    }

    /// A cluster placement group lies in the zone of its first node.
    fn same_zone(&self, api: &str, group: &Object, launch: &Launch) -> Result<(), Failure> {
        let mut nodes = self.world.blockers(&group.id).filter_map(|id| self.world.objects.get(id));
        let elsewhere = nodes.find_map(|object| {
            let Spec::Node(node) = &object.spec else { return None };
            (node.zone != launch.offer.zone).then(|| node.zone.clone())
        });
        match elsewhere {
            // Another offer may do: for a launch this is a matter of capacity.
            Some(zone) => Err(refuse(
                Class::Capacity,
                api,
                "InvalidPlacementGroup.InUse",
                format!("{} is in use in {zone}", group.id),
            )),
            None => Ok(()),
        }
    }

    /// Terminates nodes; one unknown id fails the whole call.
    pub fn terminate(&self, api: &str, ids: &[CloudId]) -> Verdict {
        let mut ending = Vec::new();
        for id in ids {
            // A terminated node is known for another hour: ending it twice is no error.
            let known = self.world.objects.get(id).filter(|object| !object.stands());
            let object = match known {
                Some(object) => object,
                None => self.find(api, id)?,
            };
            if object.spec.kind() != KindName::Node {
                let text = format!("{id} is no node");
                return Err(refuse(Class::Invalid, api, "InvalidInstanceID.Malformed", text));
            }
            if object.stands() {
                ending.push(id.clone());
            }
        }
        let event = (!ending.is_empty()).then_some(Event::Deleted { ids: ending });
        Ok((event, Reply::default()))
    }

    /// A subnet lies within its VPC and beside its siblings.
    pub fn cut(&self, api: &str, spec: &Spec) -> Result<(), Failure> {
        let Spec::Subnet(subnet) = spec else { return Ok(()) };
        let range = |text: &String| {
            let bad = || format!("Value ({text}) for parameter cidrBlock is invalid");
            let invalid = || refuse(Class::Invalid, api, "InvalidSubnet.Range", bad());
            text.parse::<Ipv4Net>().map_err(|_| invalid())
        };
        let mine = range(&subnet.cidr)?;
        let Some(vpc) = subnet.vpc.id().map(|vpc| CloudId(vpc.0.clone())) else { return Ok(()) };
        let whole = self.world.objects.get(&vpc).map(|object| &object.spec);
        if let Some(Spec::Vpc(whole)) = whole
            && (!range(&whole.cidr)?.contains(&mine) || !(16..=28).contains(&mine.prefix_len()))
        {
            let text = format!("The CIDR '{mine}' is invalid in {}", whole.cidr);
            return Err(refuse(Class::Invalid, api, "InvalidSubnet.Range", text));
        }
        for other in self.world.blockers(&vpc).filter_map(|id| self.world.objects.get(id)) {
            let Spec::Subnet(sibling) = &other.spec else { continue };
            let theirs = range(&sibling.cidr)?;
            if theirs.contains(&mine) || mine.contains(&theirs) {
                let text = format!("The CIDR '{mine}' conflicts with {}", other.id);
                return Err(refuse(Class::Exists, api, "InvalidSubnet.Conflict", text));
            }
        }
        if !self.world.settings.zones_of(self.region).contains(&subnet.zone) {
            let text = format!("Value ({}) for parameter availabilityZone is invalid", subnet.zone);
            return Err(refuse(Class::Invalid, api, "InvalidParameterValue", text));
        }
        Ok(())
    }

    /// A NAT gateway in a network without a way out is made, and fails.
    pub fn doomed(&self, spec: &Spec) -> Option<String> {
        let Spec::NatGateway(nat) = spec else { return None };
        let vpc = nat.subnet.id().and_then(|subnet| self.vpc_of(subnet))?;
        let text = format!("Gateway.NotAttached: Network {vpc} has no Internet gateway attached");
        (!self.gateway_in(&vpc)).then_some(text)
    }

    /// What AWS demands before something is attached or detached.
    pub fn attachment(&self, api: &str, object: &Object, edit: &Edit) -> Result<(), Failure> {
        let kind = object.spec.kind();
        let fields = object.spec.fields();
        let old = fields.get(&edit.field).filter(|old| !old.is_null());
        let Change::Put(new) = &edit.change else { return self.route(api, object, edit) };
        if !kind.traits().attach.contains(&edit.field.as_str()) || old == Some(new) {
            return Ok(());
        }
        match old {
            Some(_) if !new.is_null() => {
                let text = format!("{} is attached already", object.id);
                Err(refuse(Class::Invalid, api, "Resource.AlreadyAssociated", text))
            }
            Some(_) => self.detachable(api, object),
            None => Ok(()),
        }
    }

    /// A gateway stays while its network has public addresses mapped.
    fn detachable(&self, api: &str, object: &Object) -> Result<(), Failure> {
        let Spec::InternetGateway(gateway) = &object.spec else { return Ok(()) };
        let vpc = gateway.vpc.as_ref().and_then(Link::id);
        let mapped = self.world.objects.values().find(|other| {
            let Spec::NatGateway(nat) = &other.spec else { return false };
            let here = nat.subnet.id().and_then(|subnet| self.vpc_of(subnet));
            here.as_ref() == vpc && other.gone_at.is_none_or(|gone| gone > self.now)
        });
        match mapped {
            Some(nat) => {
                let text = format!(
                    "Network has some mapped public address(es): {}. Please unmap them first",
                    nat.id
                );
                Err(refuse(Class::InUse, api, "DependencyViolation", text))
            }
            None => Ok(()),
        }
    }

    /// A route may lead only to a gateway that is attached.
    fn route(&self, api: &str, object: &Object, edit: &Edit) -> Result<(), Failure> {
        let Change::Add(item) = &edit.change else { return Ok(()) };
        let Spec::RouteTable(table) = &object.spec else { return Ok(()) };
        for found in walk::links_in(&Map::from_iter([(String::new(), item.clone())])) {
            let walk::FoundTarget::Id(id) = found.target else { continue };
            let target = self.world.living(&id, self.now).map(|target| &target.spec);
            if let (Some(Spec::InternetGateway(gateway)), Some(vpc)) = (target, table.vpc.id())
                && gateway.vpc.as_ref().and_then(Link::id) != Some(vpc)
            {
                let text = format!(
                    "route table {} and network gateway {id} belong to different \
                    networks",
                    object.id
                );
                return Err(refuse(Class::Invalid, api, "InvalidParameterValue", text));
            }
        }
        Ok(())
    }

    fn vpc_of(&self, subnet: &SubnetId) -> Option<VpcId> {
        let object = self.world.objects.get(&CloudId(subnet.0.clone()))?;
        let Spec::Subnet(subnet) = &object.spec else { return None };
        subnet.vpc.id().cloned()
    }

    fn gateway_in(&self, vpc: &VpcId) -> bool {
        let vpc = CloudId(vpc.0.clone());
        let mut users = self.world.blockers(&vpc).filter_map(|id| self.world.objects.get(id));
        users.any(|object| object.spec.kind() == KindName::InternetGateway)
    }
}
