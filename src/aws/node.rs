//! Nodes: one launch call per batch, found by tag, judged by their template.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_ec2::operation::run_instances::builders::RunInstancesFluentBuilder;
use aws_sdk_ec2::types::{
    CapacityReservationSpecification, CapacityReservationTarget, Filter, Instance,
    InstanceInterruptionBehavior, InstanceMarketOptionsRequest, InstanceType,
    LaunchTemplateSpecification, MarketType, Placement, ResourceType, ResponseLaunchTemplateData,
    SpotInstanceType, SpotMarketOptions, Tag,
};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::found::{self, Found};
use super::{Aws, ec2, failure, pages, template_data};
use crate::cloud::{Class, Condition, Failure, Interrupted, Launch, Phase, Reply, Scope};
use crate::kinds::{Home, Market, Node, Offer};
use crate::model::{
    CloudId, GroupName, Link, Moment, ReservationId, SubnetId, TemplateId, Zone, tags,
};

/// The tag that AWS itself puts on what it started from a template.
const AWS_TEMPLATE: &str = "aws:ec2launchtemplate:id";

fn phase(instance: &Instance) -> Phase {
    let state = instance.state.as_ref().and_then(|state| state.name.as_ref());
    let state = state.map(|name| name.as_str()).unwrap_or_default().to_ascii_lowercase();
    match state.as_str() {
        "running" => Phase::Ready,
        "shutting-down" => Phase::Leaving,
        "terminated" => Phase::Gone,
        // A node that was stopped serves nobody, and its disk is billed.
        "stopping" | "stopped" => Phase::Failed(format!("the instance is {state}")),
        _ => Phase::Pending,
    }
}

fn launched(instance: &Instance) -> Option<Moment> {
    instance.launch_time.and_then(|time| time.to_millis().ok()).map(Moment)
}

/// Why an instance ended, for the batch that died within its first minute.
fn reason(instance: &Instance) -> Option<String> {
    instance.state_reason.as_ref().and_then(|reason| reason.message.clone())
}

/// How a node is paid.
fn market(instance: &Instance) -> Market {
    let lifecycle = instance.instance_lifecycle.as_ref().map(|word| word.as_str());
    match lifecycle {
        Some("spot") => Market::Spot,
        Some("capacity-block") => Market::CapacityBlock,
        Some(_) | None if instance.capacity_reservation_id.is_some() => Market::Reserved,
        Some(_) | None => Market::OnDemand,
    }
}

/// Whether spot took it back: EC2 says so for about an hour after its end, if it was EC2 that
/// ended it (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StateReason.html>).
fn is_taken_back(instance: &Instance) -> bool {
    let code = instance.state_reason.as_ref().and_then(|reason| reason.code.as_deref());
    code == Some("Server.SpotInstanceTermination")
}

/// What is seen of an instance. Of one that has ended only that spot took it back.
fn read(home: &Home, instance: Instance) -> Option<Found> {
    let phase = phase(&instance);
    let market = market(&instance);
    let is_taken_back = market == Market::Spot && is_taken_back(&instance);
    let launched = launched(&instance);
    let address = instance.private_ip_address.filter(|address| !address.is_empty());
    let all = ec2::tags_of(instance.tags);
    let template = all.get(tags::TEMPLATE).or(all.get(AWS_TEMPLATE)).cloned();
    let (zone, group) =
        instance.placement.map_or((None, None), |at| (at.availability_zone, at.group_name));
    let group = group.filter(|name| !name.is_empty());
    let arn = |name| GroupName(home.arn("ec2", &format!("placement-group/{name}")));
    let spec = Node {
        template: Link::Id(TemplateId(template.unwrap_or_default())),
        subnet: Link::Id(SubnetId(instance.subnet_id.unwrap_or_default())),
        zone: Zone(zone.unwrap_or_default()),
        instance_type: instance
            .instance_type
            .map(|kind| kind.as_str().to_owned())
            .unwrap_or_default(),
        market,
        placement: group.map(|name| Link::Id(arn(name))),
        reservation: instance.capacity_reservation_id.map(ReservationId),
    };
    let batch = all.get(tags::BATCH).and_then(|batch| batch.parse().ok());
    let mut interrupted = None;
    if phase == Phase::Gone {
        let told = Interrupted::of(&spec, &Condition::of(&all, launched, None));
        interrupted = Some(told.or_else(|| is_taken_back.then(|| Interrupted::at(&spec, None)))?);
    }
    let found = Found::new(instance.instance_id.unwrap_or_default(), all, spec);
    Some(Found { batch, launched, address, phase, interrupted, ..found })
}

/// What the market, the reservation and the placement group of an offer add to a launch.
fn on_offer(
    api: &str,
    request: RunInstancesFluentBuilder,
    offer: &Offer,
) -> Result<RunInstancesFluentBuilder, Failure> {
    let request = match &offer.placement {
        None => request,
        Some(group) => {
            let group = CloudId(found::id_of(api, group)?);
            request.placement(Placement::builder().group_name(group.short()).build())
        }
    };
    let options = |kind| InstanceMarketOptionsRequest::builder().market_type(kind);
    let request = match offer.market {
        Market::Spot => {
            let once = SpotMarketOptions::builder()
                .spot_instance_type(SpotInstanceType::OneTime)
                .instance_interruption_behavior(InstanceInterruptionBehavior::Terminate)
                .set_max_price(offer.max_price.map(|most| most.dollars().to_string()))
                .build();
            request.instance_market_options(options(MarketType::Spot).spot_options(once).build())
        }
        Market::CapacityBlock => {
            request.instance_market_options(options(MarketType::CapacityBlock).build())
        }
        // AWS's own default: an open reservation that fits is used.
        Market::OnDemand | Market::Reserved => request,
    };
    Ok(match &offer.reservation {
        None => request,
        Some(id) => request.capacity_reservation_specification(
            CapacityReservationSpecification::builder()
                .capacity_reservation_target(
                    CapacityReservationTarget::builder()
                        .capacity_reservation_id(id.as_str())
                        .build(),
                )
                .build(),
        ),
    })
}

impl Aws {
    pub(super) async fn list_nodes(&self, scope: &Scope) -> Result<Vec<Found>, Failure> {
        let request =
            || self.ec2.describe_instances().filters(ec2::of_stack(scope)).max_results(1000);
        let all = pages!(self, "ec2:DescribeInstances", request(), reservations);
        let instances = all.into_iter().flat_map(|one| one.instances.unwrap_or_default());
        Ok(instances.filter_map(|one| read(self.home(), one)).collect())
    }

    /// Version 1 of a template never changes, so it is read once.
    async fn known_template(
        &self,
        id: &TemplateId,
    ) -> Result<Arc<ResponseLaunchTemplateData>, Failure> {
        let known = self.templates.lock().ok().and_then(|known| known.get(id).cloned());
        if let Some(data) = known {
            return Ok(data);
        }
        let data = Arc::new(self.first_version(id.as_str()).await?);
        if let Ok(mut known) = self.templates.lock() {
            known.insert(id.clone(), data.clone());
        }
        Ok(data)
    }

    pub(super) async fn launch(&self, launch: &Launch) -> Result<Reply, Failure> {
        const API: &str = "ec2:RunInstances";
        let subnet = found::id_of(API, &launch.offer.subnet)?;
        let template = self.known_template(&launch.template).await?;
        let cards = template_data::interfaces(&template, &launch.offer.interfaces, &subnet);
        let count = i32::try_from(launch.count)
            .map_err(|_| failure::invalid(API, "more nodes than a call can start"))?;
        let least = if launch.whole { count } else { 1 };
        let batch = launch.batch.to_string();
        let more = [(tags::TEMPLATE, launch.template.as_str()), (tags::BATCH, batch.as_str())];
        let all = found::birth_tags(&launch.owner, &launch.tags, &more);
        let version = LaunchTemplateSpecification::builder()
            .launch_template_id(launch.template.as_str())
            .version("1")
            .build();
        let request = self
            .ec2_once
            .run_instances()
            .launch_template(version)
            .instance_type(InstanceType::from(launch.offer.instance_type.as_str()))
            .min_count(least)
            .max_count(count)
            .client_token(launch.owner.token.as_str())
            .tag_specifications(ec2::tag_on_create(ResourceType::Instance, &all))
            .tag_specifications(ec2::tag_on_create(ResourceType::Volume, &all))
            .tag_specifications(ec2::tag_on_create(ResourceType::NetworkInterface, &all));
        let request = request.set_network_interfaces(Some(cards));
        let request = on_offer(API, request, &launch.offer)?;
        self.limits.wait_instances(API, launch.count as usize).await;
        let mut made = self.send(API, request.send()).await?.instances.unwrap_or_default();
        made.sort_by_key(|instance| instance.ami_launch_index);
        // A replay of a batch that has ended returns its dead.
        if let Some(dead) = made.iter().find(|one| phase(one) == Phase::Gone) {
            let text = reason(dead).unwrap_or_else(|| "the batch has ended".to_owned());
            return Err(Failure::new(
                Class::Mismatch,
                crate::cloud::Left::Nothing,
                API,
                "IdempotentInstanceTerminated",
                text,
            ));
        }
        let ids = made.into_iter().filter_map(|one| one.instance_id.map(CloudId)).collect();
        Ok(Reply { ids, more: false })
    }

    /// One id that is gone fails the whole call, so it is then sent for the others.
    pub(super) async fn terminate(&self, ids: &[CloudId]) -> Result<Reply, Failure> {
        match self.terminate_all(ids).await {
            Err(failure) if failure.class == Class::Gone => {
                let left = self.which_exist(ids).await?;
                match left.as_slice() {
                    [] => Ok(Reply::default()),
                    _ if left.len() == ids.len() => Err(failure),
                    _ => self.terminate_all(&left).await,
                }
            }
            answer => answer,
        }
    }

    async fn terminate_all(&self, ids: &[CloudId]) -> Result<Reply, Failure> {
        const API: &str = "ec2:TerminateInstances";
        if ids.is_empty() {
            return Ok(Reply::default());
        }
        let all = ids.iter().map(|id| id.0.clone()).collect();
        let request = self.ec2.terminate_instances().set_instance_ids(Some(all));
        self.limits.wait_instances(API, ids.len()).await;
        self.send(API, request.send()).await.map(|_| Reply::default())
    }

    /// A filter, other than a list of ids, does not fail on what is gone.
    async fn which_exist(&self, ids: &[CloudId]) -> Result<Vec<CloudId>, Failure> {
        let mut alive = Vec::new();
        for some in ids.chunks(200) {
            let found = self.described(some).await?.into_iter();
            let standing = found.filter(|one| phase(one) != Phase::Gone);
            alive.extend(standing.filter_map(|one| one.instance_id.map(CloudId)));
        }
        Ok(alive)
    }

    async fn described(&self, ids: &[CloudId]) -> Result<Vec<Instance>, Failure> {
        let values = ids.iter().map(|id| id.0.clone()).collect();
        let filter = Filter::builder().name("instance-id").set_values(Some(values)).build();
        let request = || self.ec2.describe_instances().filters(filter.clone()).max_results(1000);
        let all = pages!(self, "ec2:DescribeInstances", request(), reservations);
        Ok(all.into_iter().flat_map(|one| one.instances.unwrap_or_default()).collect())
    }

    /// How far nodes are and how they are: two hundred of them in a call, and two more for what
    /// EC2's checks say.
    pub(super) async fn node_conditions(
        &self,
        ids: &[CloudId],
    ) -> Result<BTreeMap<CloudId, (Phase, Condition)>, Failure> {
        let mut out = BTreeMap::new();
        for some in ids.chunks(200) {
            for one in self.described(some).await? {
                let (phase, launched) = (phase(&one), launched(&one));
                let condition =
                    Condition::of(&ec2::tags_of(one.tags), launched, one.private_ip_address);
                out.extend(one.instance_id.map(|id| (CloudId(id), (phase, condition))));
            }
        }
        let running = out.iter().filter(|(_, (phase, _))| *phase == Phase::Ready);
        let running: Vec<CloudId> = running.map(|(id, _)| id.clone()).collect();
        for (id, told) in self.statuses(&running).await? {
            if let Some((_, condition)) = out.get_mut(&id) {
                told.put(condition);
            }
        }
        Ok(out)
    }

    /// Sets tags of an instance; from a node, of itself.
    pub async fn tag_instance(&self, id: &str, tags: &[(&str, &str)]) -> Result<(), Failure> {
        let tag = |(key, value): &(&str, &str)| Tag::builder().key(*key).value(*value).build();
        let request = self.ec2.create_tags().resources(id);
        let request = request.set_tags(Some(tags.iter().map(tag).collect()));
        self.send("ec2:CreateTags", request.send()).await.map(|_| ())
    }

    /// What a node has written to its console, which is seen minutes later; none until then.
    pub async fn console(&self, id: &CloudId) -> Result<Option<String>, Failure> {
        const API: &str = "ec2:GetConsoleOutput";
        let request = self.ec2.get_console_output().instance_id(id.as_str());
        // What it says now, where its type can tell; else the last that was kept.
        let newest = self.send(API, request.clone().latest(true).send()).await;
        let found = match newest {
            Err(failure) if failure.code == "UnsupportedOperation" => {
                self.send(API, request.send()).await?
            }
            found => found?,
        };
        let encoded: String = found.output.unwrap_or_default().split_whitespace().collect();
        let bytes = STANDARD.decode(encoded).map_err(|_| failure::strange(API, "no base64"))?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Ok((!text.trim().is_empty()).then_some(text))
    }

    pub(super) async fn node_phase(&self, id: &CloudId) -> Result<Phase, Failure> {
        let request = self.ec2.describe_instances().instance_ids(id.as_str());
        let found = self.send("ec2:DescribeInstances", request.send()).await?;
        let all = found.reservations.unwrap_or_default().into_iter();
        let first = all.flat_map(|one| one.instances.unwrap_or_default()).next();
        Ok(first.as_ref().map_or(Phase::Gone, phase))
    }
}
