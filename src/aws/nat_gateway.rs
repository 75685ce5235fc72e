//! NAT gateways. They stay in the list for an hour after their end.

use aws_sdk_ec2::types::{NatGateway as WireNat, ResourceType};

use super::found::{self, Found};
use super::{Aws, ec2, pages};
use crate::cloud::{Failure, Owner, Phase};
use crate::kinds::{Edit, KindName, NatGateway};
use crate::model::{AllocationId, CloudId, Link, SubnetId};

fn phase(nat: &WireNat) -> Phase {
    let state = nat.state.as_ref().map(|state| state.as_str()).unwrap_or_default();
    match state.to_ascii_lowercase().as_str() {
        "available" => Phase::Ready,
        "deleting" => Phase::Leaving,
        "deleted" => Phase::Gone,
        "failed" => {
            let code = nat.failure_code.clone().unwrap_or_default();
            let text = nat.failure_message.clone().unwrap_or_default();
            Phase::Failed(format!("{code}: {text}"))
        }
        _ => Phase::Pending,
    }
}

fn read(nat: WireNat) -> Option<Found> {
    let phase = phase(&nat);
    if phase == Phase::Gone {
        return None;
    }
    let tags = ec2::tags_of(nat.tags);
    let addresses = nat.nat_gateway_addresses.unwrap_or_default();
    let main = addresses.iter().find(|address| address.is_primary == Some(true));
    let address = main.or(addresses.first()).and_then(|address| address.allocation_id.clone());
    let spec = NatGateway {
        subnet: Link::Id(SubnetId(nat.subnet_id.unwrap_or_default())),
        // One that failed or leaves may have none any more.
        address: Link::Id(AllocationId(address.unwrap_or_default())),
        tags: found::user_tags(&tags),
    };
    Some(Found::new(nat.nat_gateway_id.unwrap_or_default(), tags, spec).in_phase(phase))
}

impl Aws {
    pub(super) async fn list_nat_gateways(
        &self,
        wanted: &ec2::Filter,
    ) -> Result<Vec<Found>, Failure> {
        let request = || self.ec2.describe_nat_gateways().filter(wanted.clone()).max_results(1000);
        let all = pages!(self, "ec2:DescribeNatGateways", request(), nat_gateways);
        Ok(all.into_iter().filter_map(read).collect())
    }

    pub(super) async fn create_nat_gateway(
        &self,
        spec: &NatGateway,
        owner: &Owner,
    ) -> Result<CloudId, Failure> {
        const API: &str = "ec2:CreateNatGateway";
        let tags = found::birth_tags(owner, &spec.tags, &[]);
        let request = self
            .ec2
            .create_nat_gateway()
            .subnet_id(found::id_of(API, &spec.subnet)?)
            .allocation_id(found::id_of(API, &spec.address)?)
            .client_token(owner.token.as_str())
            .tag_specifications(ec2::tag_on_create(ResourceType::Natgateway, &tags));
        let made = self.send(API, request.send()).await?.nat_gateway;
        ec2::made(API, made.and_then(|nat| nat.nat_gateway_id))
    }

    pub(super) async fn edit_nat_gateway(&self, id: &CloudId, edit: &Edit) -> Result<(), Failure> {
        match edit.field.as_str() {
            "tags" => self.edit_ec2_tags(KindName::NatGateway, id.as_str(), edit).await,
            _ => Err(found::unknown(KindName::NatGateway, edit)),
        }
    }

    pub(super) async fn delete_nat_gateway(&self, id: &CloudId) -> Result<(), Failure> {
        let request = self.ec2.delete_nat_gateway().nat_gateway_id(id.as_str());
        self.send("ec2:DeleteNatGateway", request.send()).await.map(|_| ())
    }

    pub(super) async fn nat_gateway_phase(&self, id: &CloudId) -> Result<Phase, Failure> {
        let request = self.ec2.describe_nat_gateways().nat_gateway_ids(id.as_str());
        let found = self.send("ec2:DescribeNatGateways", request.send()).await?;
        Ok(found.nat_gateways.unwrap_or_default().first().map_or(Phase::Gone, phase))
    }
}
