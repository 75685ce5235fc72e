//! Internet gateways and their attachment.

use aws_sdk_ec2::types::{InternetGateway as WireGateway, ResourceType};

use super::found::{self, Found};
use super::{Aws, ec2, pages};
use crate::cloud::{Class, Failure, Owner, Phase};
use crate::kinds::{Change, Edit, InternetGateway, KindName};
use crate::model::{CloudId, Link, VpcId};

/// The VPC, unless the attachment is on its way out. AWS says `available` where its own
/// model knows only `attached`.
fn attached(gateway: &WireGateway) -> Option<String> {
    let attachments = gateway.attachments.as_deref().unwrap_or_default();
    let stays = |state: &str| ec2::is(Some(state), "available") || ec2::is(Some(state), "attached");
    attachments
        .iter()
        .find(|one| one.state.as_ref().is_none_or(|state| stays(state.as_str())))
        .and_then(|one| one.vpc_id.clone())
}

fn read(gateway: WireGateway) -> Found {
    let vpc = attached(&gateway);
    let tags = ec2::tags_of(gateway.tags);
    let vpc = vpc.map(|vpc| Link::Id(VpcId(vpc)));
    let spec = InternetGateway { vpc, tags: found::user_tags(&tags) };
    Found::new(gateway.internet_gateway_id.unwrap_or_default(), tags, spec)
}

impl Aws {
    pub(super) async fn list_internet_gateways(
        &self,
        wanted: &ec2::Filter,
    ) -> Result<Vec<Found>, Failure> {
        let request =
            || self.ec2.describe_internet_gateways().filters(wanted.clone()).max_results(1000);
        let all = pages!(self, "ec2:DescribeInternetGateways", request(), internet_gateways);
        Ok(all.into_iter().map(read).collect())
    }

    pub(super) async fn create_internet_gateway(
        &self,
        spec: &InternetGateway,
        owner: &Owner,
    ) -> Result<CloudId, Failure> {
        const API: &str = "ec2:CreateInternetGateway";
        let tags = found::birth_tags(owner, &spec.tags, &[]);
        let request = self
            .ec2_once
            .create_internet_gateway()
            .tag_specifications(ec2::tag_on_create(ResourceType::InternetGateway, &tags));
        let made = self.send(API, request.send()).await?.internet_gateway;
        ec2::made(API, made.and_then(|gateway| gateway.internet_gateway_id))
    }

    pub(super) async fn edit_internet_gateway(
        &self,
        id: &CloudId,
        edit: &Edit,
    ) -> Result<(), Failure> {
        match (edit.field.as_str(), &edit.change) {
            ("vpc", Change::Put(to)) => match found::value::<Option<Link<VpcId>>>(edit, to)? {
                Some(vpc) => {
                    let vpc = found::id_of("ec2:AttachInternetGateway", &vpc)?;
                    self.attach_gateway(id, &vpc).await
                }
                None => self.detach_gateway(id).await,
            },
            ("tags", _) => self.edit_ec2_tags(KindName::InternetGateway, id.as_str(), edit).await,
            (_, Change::Put(_) | Change::Add(_) | Change::Remove(_)) => {
                Err(found::unknown(KindName::InternetGateway, edit))
            }
        }
    }

    async fn attach_gateway(&self, id: &CloudId, vpc: &str) -> Result<(), Failure> {
        let request =
            self.ec2.attach_internet_gateway().internet_gateway_id(id.as_str()).vpc_id(vpc);
        match self.send("ec2:AttachInternetGateway", request.send()).await {
            Err(failure) if failure.class == Class::Exists => {
                let there = self.gateway(id).await?.as_ref().and_then(attached);
                if there.as_deref() == Some(vpc) { Ok(()) } else { Err(failure) }
            }
            answer => answer.map(|_| ()),
        }
    }

    async fn detach_gateway(&self, id: &CloudId) -> Result<(), Failure> {
        let Some(vpc) = self.gateway(id).await?.as_ref().and_then(attached) else { return Ok(()) };
        let request =
            self.ec2.detach_internet_gateway().internet_gateway_id(id.as_str()).vpc_id(vpc);
        match self.send("ec2:DetachInternetGateway", request.send()).await {
            Err(failure) if failure.code == "Gateway.NotAttached" => Ok(()),
            answer => answer.map(|_| ()),
        }
    }

    async fn gateway(&self, id: &CloudId) -> Result<Option<WireGateway>, Failure> {
        let request = self.ec2.describe_internet_gateways().internet_gateway_ids(id.as_str());
        let found = self.send("ec2:DescribeInternetGateways", request.send()).await?;
        Ok(found.internet_gateways.unwrap_or_default().into_iter().next())
    }

    pub(super) async fn delete_internet_gateway(&self, id: &CloudId) -> Result<(), Failure> {
        let request = self.ec2.delete_internet_gateway().internet_gateway_id(id.as_str());
        self.send("ec2:DeleteInternetGateway", request.send()).await.map(|_| ())
    }

    pub(super) async fn internet_gateway_phase(&self, id: &CloudId) -> Result<Phase, Failure> {
        Ok(self.gateway(id).await?.map_or(Phase::Gone, |_| Phase::Ready))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::types::{AttachmentStatus, InternetGatewayAttachment};

    #[test]
    fn an_attachment_that_ends_is_none() {
        let gateway = |state: &str| {
            let one = InternetGatewayAttachment::builder()
                .vpc_id("vpc-1")
                .state(AttachmentStatus::from(state));
            WireGateway::builder().attachments(one.build()).build()
        };
        assert_eq!(attached(&gateway("available")).as_deref(), Some("vpc-1"));
        assert_eq!(attached(&gateway("detaching")), None);
    }
}
