//! Subnets.

use aws_sdk_ec2::types::{AttributeBooleanValue, ResourceType, Subnet as WireSubnet};

use super::found::{self, Found};
use super::{Aws, ec2, pages};
use crate::cloud::{Failure, Owner, Phase};
use crate::kinds::{Change, Edit, KindName, Subnet};
use crate::model::{CloudId, Link, VpcId, Zone};

fn phase(found: &WireSubnet) -> Phase {
    let state = found.state.as_ref().map(|state| state.as_str());
    if ec2::is(state, "available") { Phase::Ready } else { Phase::Pending }
}

fn read(subnet: WireSubnet) -> Found {
    let phase = phase(&subnet);
    let tags = ec2::tags_of(subnet.tags);
    let spec = Subnet {
        vpc: Link::Id(VpcId(subnet.vpc_id.unwrap_or_default())),
        cidr: subnet.cidr_block.unwrap_or_default(),
        zone: Zone(subnet.availability_zone.unwrap_or_default()),
        public_ips: subnet.map_public_ip_on_launch.unwrap_or(false),
        tags: found::user_tags(&tags),
    };
    Found::new(subnet.subnet_id.unwrap_or_default(), tags, spec).in_phase(phase)
}

impl Aws {
    pub(super) async fn list_subnets(&self, wanted: &ec2::Filter) -> Result<Vec<Found>, Failure> {
        let request = || self.ec2.describe_subnets().filters(wanted.clone()).max_results(1000);
        let all = pages!(self, "ec2:DescribeSubnets", request(), subnets);
        Ok(all.into_iter().map(read).collect())
    }

    pub(super) async fn create_subnet(
        &self,
        spec: &Subnet,
        owner: &Owner,
    ) -> Result<CloudId, Failure> {
        const API: &str = "ec2:CreateSubnet";
        let tags = found::birth_tags(owner, &spec.tags, &[]);
        let request = self
            .ec2_once
            .create_subnet()
            .vpc_id(found::id_of(API, &spec.vpc)?)
            .cidr_block(&spec.cidr)
            .availability_zone(spec.zone.as_str())
            .tag_specifications(ec2::tag_on_create(ResourceType::Subnet, &tags));
        let made = self.send(API, request.send()).await?.subnet.and_then(|s| s.subnet_id);
        ec2::made(API, made)
    }

    pub(super) async fn edit_subnet(&self, id: &CloudId, edit: &Edit) -> Result<(), Failure> {
        match (edit.field.as_str(), &edit.change) {
            ("public_ips", Change::Put(on)) => {
                let on = AttributeBooleanValue::builder().value(found::value(edit, on)?).build();
                let request = self
                    .ec2
                    .modify_subnet_attribute()
                    .subnet_id(id.as_str())
                    .map_public_ip_on_launch(on);
                self.send("ec2:ModifySubnetAttribute", request.send()).await.map(|_| ())
            }
            ("tags", _) => self.edit_ec2_tags(KindName::Subnet, id.as_str(), edit).await,
            (_, Change::Put(_) | Change::Add(_) | Change::Remove(_)) => {
                Err(found::unknown(KindName::Subnet, edit))
            }
        }
    }

    pub(super) async fn delete_subnet(&self, id: &CloudId) -> Result<(), Failure> {
        let request = self.ec2.delete_subnet().subnet_id(id.as_str());
        self.send("ec2:DeleteSubnet", request.send()).await.map(|_| ())
    }

    pub(super) async fn subnet_phase(&self, id: &CloudId) -> Result<Phase, Failure> {
        let request = self.ec2.describe_subnets().subnet_ids(id.as_str());
        let found = self.send("ec2:DescribeSubnets", request.send()).await?;
        Ok(found.subnets.unwrap_or_default().first().map_or(Phase::Gone, phase))
    }
}
