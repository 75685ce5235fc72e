//! Gateway endpoints. Deleting one answers 200 whatever happened.

use aws_sdk_ec2::types::{ResourceType, VpcEndpoint as WireEndpoint, VpcEndpointType};

use super::found::{self, Found};
use super::{Aws, ec2, failure, pages};
use crate::cloud::{Class, Failure, Left, Owner, Phase};
use crate::kinds::{Change, Edit, KindName, VpcEndpoint};
use crate::model::{CloudId, Link, RouteTableId, VpcId};

fn phase(endpoint: &WireEndpoint) -> Phase {
    let state = endpoint.state.as_ref().map(|state| state.as_str()).unwrap_or_default();
    match state.to_ascii_lowercase().as_str() {
        "available" => Phase::Ready,
        "deleting" => Phase::Leaving,
        "deleted" => Phase::Gone,
        "failed" | "rejected" | "expired" => {
            let error = endpoint.last_error.as_ref().and_then(|error| error.message.clone());
            Phase::Failed(error.or(endpoint.failure_reason.clone()).unwrap_or(state.to_owned()))
        }
        _ => Phase::Pending,
    }
}

fn read(endpoint: WireEndpoint) -> Option<Found> {
    let phase = phase(&endpoint);
    if phase == Phase::Gone {
        return None;
    }
    let tags = ec2::tags_of(endpoint.tags);
    let tables = endpoint.route_table_ids.unwrap_or_default().into_iter();
    let mut route_tables: Vec<_> = tables.map(|id| Link::Id(RouteTableId(id))).collect();
    route_tables.sort();
    let spec = VpcEndpoint {
        vpc: Link::Id(VpcId(endpoint.vpc_id.unwrap_or_default())),
        service: endpoint.service_name.unwrap_or_default(),
        route_tables,
        tags: found::user_tags(&tags),
    };
    Some(Found::new(endpoint.vpc_endpoint_id.unwrap_or_default(), tags, spec).in_phase(phase))
}

impl Aws {
    pub(super) async fn list_endpoints(&self, wanted: &ec2::Filter) -> Result<Vec<Found>, Failure> {
        let request =
            || self.ec2.describe_vpc_endpoints().filters(wanted.clone()).max_results(1000);
        let all = pages!(self, "ec2:DescribeVpcEndpoints", request(), vpc_endpoints);
        Ok(all.into_iter().filter_map(read).collect())
    }

    pub(super) async fn create_endpoint(
        &self,
        spec: &VpcEndpoint,
        owner: &Owner,
    ) -> Result<CloudId, Failure> {
        const API: &str = "ec2:CreateVpcEndpoint";
        let tags = found::birth_tags(owner, &spec.tags, &[]);
        let tables: Result<Vec<_>, _> =
            spec.route_tables.iter().map(|link| found::id_of(API, link)).collect();
        let request = self
            .ec2
            .create_vpc_endpoint()
            .vpc_endpoint_type(VpcEndpointType::Gateway)
            .vpc_id(found::id_of(API, &spec.vpc)?)
            .service_name(&spec.service)
            .set_route_table_ids(Some(tables?))
            .client_token(owner.token.as_str())
            .tag_specifications(ec2::tag_on_create(ResourceType::VpcEndpoint, &tags));
        let made = self.send(API, request.send()).await?.vpc_endpoint;
        ec2::made(API, made.and_then(|endpoint| endpoint.vpc_endpoint_id))
    }

    pub(super) async fn edit_endpoint(&self, id: &CloudId, edit: &Edit) -> Result<(), Failure> {
        const API: &str = "ec2:ModifyVpcEndpoint";
        let request = self.ec2.modify_vpc_endpoint().vpc_endpoint_id(id.as_str());
        let table = |item| found::id_of(API, &found::value::<Link<RouteTableId>>(edit, item)?);
        let request = match (edit.field.as_str(), &edit.change) {
            ("route_tables", Change::Add(item)) => request.add_route_table_ids(table(item)?),
            ("route_tables", Change::Remove(item)) => request.remove_route_table_ids(table(item)?),
            ("tags", _) => {
                return self.edit_ec2_tags(KindName::VpcEndpoint, id.as_str(), edit).await;
            }
            (_, Change::Put(_) | Change::Add(_) | Change::Remove(_)) => {
                return Err(found::unknown(KindName::VpcEndpoint, edit));
            }
        };
        self.send(API, request.send()).await.map(|_| ())
    }

    pub(super) async fn delete_endpoint(&self, id: &CloudId) -> Result<(), Failure> {
        const API: &str = "ec2:DeleteVpcEndpoints";
        let request = self.ec2.delete_vpc_endpoints().vpc_endpoint_ids(id.as_str());
        let answer = match self.send(API, request.send()).await {
            // It may be a route of it that is not found: only its own state says that it is gone.
            Err(failure) if failure.class == Class::Gone => {
                return match self.endpoint_phase(id).await {
                    Ok(Phase::Gone) => Ok(()),
                    Err(other) if other.class == Class::Gone => Ok(()),
                    Ok(_) | Err(_) => Err(Failure { class: Class::InUse, ..failure }),
                };
            }
            answer => answer?,
        };
        let mut failed = answer.unsuccessful.unwrap_or_default().into_iter();
        match failed.find_map(|item| item.error) {
            None => Ok(()),
            Some(error) => {
                let code = error.code.unwrap_or_default();
                let text = error.message.unwrap_or_default();
                let (class, _) = failure::classify(API, &code, &text, None);
                Err(Failure::new(class, Left::Nothing, API, &code, text))
            }
        }
    }

    pub(super) async fn endpoint_phase(&self, id: &CloudId) -> Result<Phase, Failure> {
        let request = self.ec2.describe_vpc_endpoints().vpc_endpoint_ids(id.as_str());
        let found = self.send("ec2:DescribeVpcEndpoints", request.send()).await?;
        Ok(found.vpc_endpoints.unwrap_or_default().first().map_or(Phase::Gone, phase))
    }
}
