//! One object by its id or name, whoever owns it: what somebody else made and the author
//! wants in the stack.

use super::found::Found;
use super::{Aws, ec2, failure};
use crate::cloud::{Class, Failure, Stray};
use crate::kinds::KindName;
use crate::model::CloudId;

impl Aws {
    /// A name is also taken out of an ARN or a queue's address.
    pub(super) async fn find_one(
        &self,
        kind: KindName,
        name: &str,
    ) -> Result<Option<Stray>, Failure> {
        let id = CloudId::from(name);
        let short = id.short();
        let by = |field: &str| ec2::filter(field, short);
        let found = match kind {
            KindName::Vpc => self.list_vpcs(&by("vpc-id")).await,
            KindName::Subnet => self.list_subnets(&by("subnet-id")).await,
            KindName::InternetGateway => {
                self.list_internet_gateways(&by("internet-gateway-id")).await
            }
            KindName::ElasticIp => self.list_addresses(&by("allocation-id")).await,
            KindName::NatGateway => self.list_nat_gateways(&by("nat-gateway-id")).await,
            KindName::RouteTable => self.list_route_tables(&by("route-table-id")).await,
            KindName::VpcEndpoint => self.list_endpoints(&by("vpc-endpoint-id")).await,
            KindName::SecurityGroup => self.list_groups(&by("group-id")).await,
            KindName::HostedZone => self.find_zone(short).await,
            KindName::PlacementGroup => self.list_placement_groups(&by("group-name")).await,
            KindName::LaunchTemplate if short.starts_with("lt-") => {
                self.list_templates(&by(ec2::TEMPLATE_ID)).await
            }
            KindName::LaunchTemplate => self.list_templates(&by("launch-template-name")).await,
            KindName::Bucket => self.find_bucket(short).await.map(Vec::from_iter),
            KindName::BucketObject => self.find_object(&id).await.map(Vec::from_iter),
            KindName::Queue => self.find_queue(short).await.map(Vec::from_iter),
            KindName::Volume => self.list_volumes(&by("volume-id")).await,
            KindName::EfsFileSystem => self.find_efs(short).await,
            KindName::LustreFileSystem => self.find_lustre(short).await,
            KindName::DataRepositoryAssociation => self.find_association(short).await,
            KindName::Role => self.find_role(short).await.map(Vec::from_iter),
            KindName::InstanceProfile => self.find_profile(short).await.map(Vec::from_iter),
            KindName::Node => Err(failure::invalid("find", "nodes are launched, never adopted")),
        };
        match found {
            Ok(all) => Ok(all.into_iter().next().map(stray)),
            Err(failure) if failure.class == Class::Gone => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}

fn stray(found: Found) -> Stray {
    let Found { id, tags, seen, phase, holds_data, .. } = found;
    Stray { id, tags, seen, phase, holds_data }
}
