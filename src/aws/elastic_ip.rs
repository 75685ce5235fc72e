//! Elastic IP addresses. Their list has no pages.

use aws_sdk_ec2::types::{Address, DomainType, ResourceType};

use super::found::{self, Found};
use super::{Aws, ec2};
use crate::cloud::{Class, Failure, Owner, Phase};
use crate::kinds::{Edit, ElasticIp, KindName};
use crate::model::CloudId;

fn read(address: Address) -> Found {
    let tags = ec2::tags_of(address.tags);
    let spec = ElasticIp { tags: found::user_tags(&tags) };
    Found::new(address.allocation_id.unwrap_or_default(), tags, spec)
}

impl Aws {
    pub(super) async fn list_addresses(&self, wanted: &ec2::Filter) -> Result<Vec<Found>, Failure> {
        let request = self.ec2.describe_addresses().filters(wanted.clone());
        let found = self.send("ec2:DescribeAddresses", request.send()).await?;
        let all = found.addresses.unwrap_or_default();
        // Some addresses belong to a service that made them.
        let own = all.into_iter().filter(|address| address.service_managed.is_none());
        Ok(own.map(read).collect())
    }

    pub(super) async fn create_address(
        &self,
        spec: &ElasticIp,
        owner: &Owner,
    ) -> Result<CloudId, Failure> {
        const API: &str = "ec2:AllocateAddress";
        let tags = found::birth_tags(owner, &spec.tags, &[]);
        let request = self
            .ec2_once
            .allocate_address()
            .domain(DomainType::Vpc)
            .tag_specifications(ec2::tag_on_create(ResourceType::ElasticIp, &tags));
        ec2::made(API, self.send(API, request.send()).await?.allocation_id)
    }

    pub(super) async fn edit_address(&self, id: &CloudId, edit: &Edit) -> Result<(), Failure> {
        match edit.field.as_str() {
            "tags" => self.edit_ec2_tags(KindName::ElasticIp, id.as_str(), edit).await,
            _ => Err(found::unknown(KindName::ElasticIp, edit)),
        }
    }

    pub(super) async fn delete_address(&self, id: &CloudId) -> Result<(), Failure> {
        let request = self.ec2.release_address().allocation_id(id.as_str());
        match self.send("ec2:ReleaseAddress", request.send()).await {
            // Another account may have it by now; only the list says whether it is ours.
            Err(failure) if failure.code == "AuthFailure" => match self.address_phase(id).await {
                Ok(Phase::Gone) => Ok(()),
                Err(gone) if gone.class == Class::Gone => Ok(()),
                Ok(_) | Err(_) => Err(failure),
            },
            answer => answer.map(|_| ()),
        }
    }

    pub(super) async fn address_phase(&self, id: &CloudId) -> Result<Phase, Failure> {
        let request = self.ec2.describe_addresses().allocation_ids(id.as_str());
        let found = self.send("ec2:DescribeAddresses", request.send()).await?;
        Ok(found.addresses.unwrap_or_default().first().map_or(Phase::Gone, |_| Phase::Ready))
    }
}
