//! Route tables with their routes and associations, which have no tags of their own.

use aws_sdk_ec2::types::{ResourceType, Route as WireRoute, RouteTable as WireTable};

use super::found::{self, Found};
use super::{Aws, ec2, failure, pages};
use crate::cloud::{Class, Failure, Owner, Phase};
use crate::kinds::{Change, Edit, KindName, Route, RouteTable, Target};
use crate::model::{CloudId, GatewayId, Link, NatId, SubnetId, VpcId};

/// A route that somebody created; none for the local one, propagated ones and those of
/// gateway endpoints.
fn read_route(route: WireRoute) -> Option<Route> {
    let origin = route.origin.as_ref().map(|origin| origin.as_str());
    if origin.is_some() && !ec2::is(origin, "CreateRoute") {
        return None;
    }
    let gateway = route.gateway_id.filter(|id| id != "local");
    if gateway.as_deref().is_some_and(|id| id.starts_with("vpce-")) {
        return None;
    }
    let others = [
        route.transit_gateway_id,
        route.vpc_peering_connection_id,
        route.network_interface_id,
        route.instance_id,
        route.egress_only_internet_gateway_id,
        route.local_gateway_id,
        route.carrier_gateway_id,
        route.core_network_arn,
    ];
    let other = others.into_iter().flatten().next();
    let any = gateway.clone().or(route.nat_gateway_id.clone()).or(other.clone());
    let dead = ec2::is(route.state.as_ref().map(|state| state.as_str()), "blackhole");
    let target = match (gateway, route.nat_gateway_id) {
        (_, _) if dead => Target::Blackhole(any.unwrap_or_default()),
        (_, Some(nat)) => Target::Nat(Link::Id(NatId(nat))),
        (Some(id), None) if id.starts_with("igw-") => Target::Gateway(Link::Id(GatewayId(id))),
        (Some(id), None) => Target::Other(id),
        (None, None) => Target::Other(other?),
    };
    let destination = route
        .destination_cidr_block
        .or(route.destination_ipv6_cidr_block)
        .or(route.destination_prefix_list_id)?;
    Some(Route { destination, target })
}

fn read(table: WireTable) -> Found {
    let tags = ec2::tags_of(table.tags);
    let associations = table.associations.unwrap_or_default().into_iter();
    let stays = |state: &str| !ec2::is(Some(state), "disassociating");
    let subnets = associations
        .filter(|one| {
            let state = one.association_state.as_ref().and_then(|state| state.state.as_ref());
            state.is_none_or(|state| stays(state.as_str()))
        })
        .filter_map(|one| one.subnet_id.map(|id| Link::Id(SubnetId(id))))
        .collect();
    let spec = RouteTable {
        vpc: Link::Id(VpcId(table.vpc_id.unwrap_or_default())),
        routes: table.routes.unwrap_or_default().into_iter().filter_map(read_route).collect(),
        subnets,
        tags: found::user_tags(&tags),
    };
    Found::new(table.route_table_id.unwrap_or_default(), tags, spec.sorted())
}

/// The target as gateway or NAT gateway, the only ones that are ever wanted.
fn target(api: &str, route: &Route) -> Result<(Option<String>, Option<String>), Failure> {
    match &route.target {
        Target::Gateway(id) => Ok((Some(found::id_of(api, id)?), None)),
        Target::Nat(id) => Ok((None, Some(found::id_of(api, id)?))),
        Target::Blackhole(id) | Target::Other(id) => {
            Err(failure::invalid(api, format!("a route to {id} is not made here")))
        }
    }
}

impl Aws {
    pub(super) async fn list_route_tables(
        &self,
        wanted: &ec2::Filter,
    ) -> Result<Vec<Found>, Failure> {
        let request = || self.ec2.describe_route_tables().filters(wanted.clone()).max_results(100);
        let all = pages!(self, "ec2:DescribeRouteTables", request(), route_tables);
        Ok(all.into_iter().map(read).collect())
    }

    pub(super) async fn create_route_table(
        &self,
        spec: &RouteTable,
        owner: &Owner,
    ) -> Result<CloudId, Failure> {
        const API: &str = "ec2:CreateRouteTable";
        let tags = found::birth_tags(owner, &spec.tags, &[]);
        let request = self
            .ec2
            .create_route_table()
            .vpc_id(found::id_of(API, &spec.vpc)?)
            .client_token(owner.token.as_str())
            .tag_specifications(ec2::tag_on_create(ResourceType::RouteTable, &tags));
        let made = self.send(API, request.send()).await?.route_table;
        ec2::made(API, made.and_then(|table| table.route_table_id))
    }

    pub(super) async fn edit_route_table(&self, id: &CloudId, edit: &Edit) -> Result<(), Failure> {
        match (edit.field.as_str(), &edit.change) {
            ("routes", Change::Add(item)) => self.add_route(id, found::value(edit, item)?).await,
            ("routes", Change::Remove(item)) => {
                self.remove_route(id, found::value(edit, item)?).await
            }
            ("subnets", Change::Add(item)) => {
                let subnet = found::id_of(ASSOCIATE, &found::value::<Link<SubnetId>>(edit, item)?)?;
                self.associate(id, &subnet).await
            }
            ("subnets", Change::Remove(item)) => {
                let subnet = found::id_of(ASSOCIATE, &found::value::<Link<SubnetId>>(edit, item)?)?;
                self.disassociate(id, &subnet).await
            }
            ("tags", _) => self.edit_ec2_tags(KindName::RouteTable, id.as_str(), edit).await,
            (_, Change::Put(_) | Change::Add(_) | Change::Remove(_)) => {
                Err(found::unknown(KindName::RouteTable, edit))
            }
        }
    }

    /// A destination that has a route gets it replaced, without a gap.
    async fn add_route(&self, id: &CloudId, route: Route) -> Result<(), Failure> {
        let (gateway, nat) = target("ec2:CreateRoute", &route)?;
        let request = self
            .ec2
            .create_route()
            .route_table_id(id.as_str())
            .destination_cidr_block(&route.destination)
            .set_gateway_id(gateway.clone())
            .set_nat_gateway_id(nat.clone());
        match self.send("ec2:CreateRoute", request.send()).await {
            Err(failure) if failure.code == "RouteAlreadyExists" => {
                let request = self
                    .ec2
                    .replace_route()
                    .route_table_id(id.as_str())
                    .destination_cidr_block(&route.destination)
                    .set_gateway_id(gateway)
                    .set_nat_gateway_id(nat);
                self.send("ec2:ReplaceRoute", request.send()).await.map(|_| ())
            }
            answer => answer.map(|_| ()),
        }
    }

    async fn remove_route(&self, id: &CloudId, route: Route) -> Result<(), Failure> {
        let to = route.destination;
        let request = self.ec2.delete_route().route_table_id(id.as_str());
        let request = match (to.contains(':'), to.starts_with("pl-")) {
            (_, true) => request.destination_prefix_list_id(to),
            (true, false) => request.destination_ipv6_cidr_block(to),
            (false, false) => request.destination_cidr_block(to),
        };
        match self.send("ec2:DeleteRoute", request.send()).await {
            Err(failure) if failure.code == "InvalidRoute.NotFound" => Ok(()),
            answer => answer.map(|_| ()),
        }
    }

    /// A subnet that hangs on another table moves, without a gap.
    async fn associate(&self, id: &CloudId, subnet: &str) -> Result<(), Failure> {
        let filter = ec2::filter("association.subnet-id", subnet);
        let request = self.ec2.describe_route_tables().filters(filter);
        let found = self.send("ec2:DescribeRouteTables", request.send()).await?;
        match association_of(&found.route_tables.unwrap_or_default(), subnet) {
            Some((table, _)) if table == id.as_str() => Ok(()),
            Some((_, association)) => {
                let request = self
                    .ec2
                    .replace_route_table_association()
                    .association_id(association)
                    .route_table_id(id.as_str());
                self.send("ec2:ReplaceRouteTableAssociation", request.send()).await.map(|_| ())
            }
            None => {
                let request = self.ec2.associate_route_table();
                let request = request.route_table_id(id.as_str()).subnet_id(subnet);
                match self.send(ASSOCIATE, request.send()).await {
                    // What was read was out of date: the next read decides.
                    Err(failure) if failure.class == Class::Exists => {
                        Err(Failure { class: Class::Settling, ..failure })
                    }
                    answer => answer.map(|_| ()),
                }
            }
        }
    }

    async fn disassociate(&self, id: &CloudId, subnet: &str) -> Result<(), Failure> {
        let tables: Vec<_> = self.route_table(id).await?.into_iter().collect();
        let Some((_, association)) = association_of(&tables, subnet) else { return Ok(()) };
        let request = self.ec2.disassociate_route_table().association_id(association);
        match self.send("ec2:DisassociateRouteTable", request.send()).await {
            // It was there a moment ago: only a read says that it is gone.
            Err(failure) if failure.code == "InvalidAssociationID.NotFound" => {
                let tables: Vec<_> = self.route_table(id).await?.into_iter().collect();
                match association_of(&tables, subnet) {
                    None => Ok(()),
                    Some(_) => Err(Failure { class: Class::Settling, ..failure }),
                }
            }
            answer => answer.map(|_| ()),
        }
    }

    async fn route_table(&self, id: &CloudId) -> Result<Option<WireTable>, Failure> {
        let request = self.ec2.describe_route_tables().route_table_ids(id.as_str());
        let found = self.send("ec2:DescribeRouteTables", request.send()).await?;
        Ok(found.route_tables.unwrap_or_default().into_iter().next())
    }

    pub(super) async fn delete_route_table(&self, id: &CloudId) -> Result<(), Failure> {
        let request = self.ec2.delete_route_table().route_table_id(id.as_str());
        self.send("ec2:DeleteRouteTable", request.send()).await.map(|_| ())
    }

    pub(super) async fn route_table_phase(&self, id: &CloudId) -> Result<Phase, Failure> {
        Ok(self.route_table(id).await?.map_or(Phase::Gone, |_| Phase::Ready))
    }
}

const ASSOCIATE: &str = "ec2:AssociateRouteTable";

/// The table and the association of a subnet.
fn association_of(tables: &[WireTable], subnet: &str) -> Option<(String, String)> {
    let mut all = tables.iter().flat_map(|table| table.associations.iter().flatten());
    let one = all.find(|one| one.subnet_id.as_deref() == Some(subnet))?;
    Some((one.route_table_id.clone()?, one.route_table_association_id.clone()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::types::{RouteOrigin, RouteState};

    fn route(gateway: &str, nat: Option<&str>, state: RouteState) -> Option<Route> {
        read_route(
            WireRoute::builder()
                .destination_cidr_block("0.0.0.0/0")
                .set_gateway_id((!gateway.is_empty()).then(|| gateway.to_owned()))
                .set_nat_gateway_id(nat.map(str::to_owned))
                .origin(RouteOrigin::CreateRoute)
                .state(state)
                .build(),
        )
    }

    #[test]
    fn routes_of_others_are_not_ours() {
        let target = |gateway, nat, state| route(gateway, nat, state).map(|route| route.target);
        assert_eq!(target("vpce-1", None, RouteState::Active), None);
        assert_eq!(
            target("igw-1", None, RouteState::Active),
            Some(Target::Gateway(Link::Id("igw-1".into())))
        );
        assert_eq!(
            target("", Some("nat-1"), RouteState::Blackhole),
            Some(Target::Blackhole("nat-1".to_owned()))
        );
        assert_eq!(
            target("vgw-1", None, RouteState::Active),
            Some(Target::Other("vgw-1".to_owned()))
        );
        let local = WireRoute::builder().gateway_id("local").origin(RouteOrigin::CreateRouteTable);
        assert_eq!(read_route(local.destination_cidr_block("10.0.0.0/16").build()), None);
    }
}
