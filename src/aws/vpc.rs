//! VPCs. The two DNS flags are not in the list: one call reads one flag of one VPC.

use aws_sdk_ec2::types::{AttributeBooleanValue, ResourceType, Vpc as WireVpc, VpcAttributeName};

use super::found::{self, Found};
use super::{Aws, ec2, pages};
use crate::cloud::{Failure, Owner, Phase};
use crate::kinds::{Change, Edit, KindName, Vpc};
use crate::model::CloudId;

fn phase(found: &WireVpc) -> Phase {
    let state = found.state.as_ref().map(|state| state.as_str());
    if ec2::is(state, "available") { Phase::Ready } else { Phase::Pending }
}

fn switch(on: bool) -> AttributeBooleanValue {
    AttributeBooleanValue::builder().value(on).build()
}

impl Aws {
    pub(super) async fn list_vpcs(&self, wanted: &ec2::Filter) -> Result<Vec<Found>, Failure> {
        let request = || self.ec2.describe_vpcs().filters(wanted.clone()).max_results(1000);
        let all = pages!(self, "ec2:DescribeVpcs", request(), vpcs);
        Ok(found::each(all, |vpc| self.look_at_vpc(vpc)).await)
    }

    async fn look_at_vpc(&self, mut vpc: WireVpc) -> Found {
        let phase = phase(&vpc);
        let tags = ec2::tags_of(vpc.tags.take());
        let id = vpc.vpc_id.unwrap_or_default();
        let (support, hostnames) = futures_util::join!(
            self.vpc_flag(&id, VpcAttributeName::EnableDnsSupport),
            self.vpc_flag(&id, VpcAttributeName::EnableDnsHostnames),
        );
        let spec = support.and_then(|dns_support| {
            Ok(Vpc {
                cidr: vpc.cidr_block.unwrap_or_default(),
                dns_support,
                dns_hostnames: hostnames?,
                tags: found::user_tags(&tags),
            })
        });
        Found::read(CloudId(id), tags, spec).in_phase(phase)
    }

    async fn vpc_flag(&self, id: &str, flag: VpcAttributeName) -> Result<bool, Failure> {
        let request = self.ec2.describe_vpc_attribute().vpc_id(id).attribute(flag);
        let found = self.send("ec2:DescribeVpcAttribute", request.send()).await?;
        let value = found.enable_dns_support.or(found.enable_dns_hostnames);
        Ok(value.and_then(|value| value.value).unwrap_or(false))
    }

    pub(super) async fn create_vpc(&self, spec: &Vpc, owner: &Owner) -> Result<CloudId, Failure> {
        const API: &str = "ec2:CreateVpc";
        let tags = found::birth_tags(owner, &spec.tags, &[]);
        let request = self
            .ec2_once
            .create_vpc()
            .cidr_block(&spec.cidr)
            .tag_specifications(ec2::tag_on_create(ResourceType::Vpc, &tags));
        let made = self.send(API, request.send()).await?.vpc.and_then(|vpc| vpc.vpc_id);
        ec2::made(API, made)
    }

    pub(super) async fn edit_vpc(&self, id: &CloudId, edit: &Edit) -> Result<(), Failure> {
        let request = self.ec2.modify_vpc_attribute().vpc_id(id.as_str());
        let request = match (edit.field.as_str(), &edit.change) {
            ("dns_support", Change::Put(on)) => {
                request.enable_dns_support(switch(found::value(edit, on)?))
            }
            ("dns_hostnames", Change::Put(on)) => {
                request.enable_dns_hostnames(switch(found::value(edit, on)?))
            }
            ("tags", _) => return self.edit_ec2_tags(KindName::Vpc, id.as_str(), edit).await,
            (_, Change::Put(_) | Change::Add(_) | Change::Remove(_)) => {
                return Err(found::unknown(KindName::Vpc, edit));
            }
        };
        self.send("ec2:ModifyVpcAttribute", request.send()).await.map(|_| ())
    }

    pub(super) async fn delete_vpc(&self, id: &CloudId) -> Result<(), Failure> {
        let request = self.ec2.delete_vpc().vpc_id(id.as_str());
        self.send("ec2:DeleteVpc", request.send()).await.map(|_| ())
    }

    pub(super) async fn vpc_phase(&self, id: &CloudId) -> Result<Phase, Failure> {
        let request = self.ec2.describe_vpcs().vpc_ids(id.as_str());
        let found = self.send("ec2:DescribeVpcs", request.send()).await?;
        Ok(found.vpcs.unwrap_or_default().first().map_or(Phase::Gone, phase))
    }
}
