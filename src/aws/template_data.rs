//! What a launch template says: ours to AWS's words and back.

use aws_sdk_ec2::types::{
    InstanceNetworkInterfaceSpecification, InstanceType, LaunchTemplateBlockDeviceMapping,
    LaunchTemplateBlockDeviceMappingRequest, LaunchTemplateEbsBlockDeviceRequest,
    LaunchTemplateHttpTokensState, LaunchTemplateIamInstanceProfileSpecificationRequest,
    LaunchTemplateInstanceMetadataEndpointState, LaunchTemplateInstanceMetadataOptions,
    LaunchTemplateInstanceMetadataOptionsRequest, LaunchTemplateInstanceMetadataTagsState,
    LaunchTemplateInstanceNetworkInterfaceSpecificationRequest, LaunchTemplatePlacementRequest,
    RequestLaunchTemplateData, ResponseLaunchTemplateData, ShutdownBehavior, VolumeType,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::found;
use crate::cloud::Failure;
use crate::kinds::{Disk, Home, Interface, InterfaceKind, LaunchTemplate, Metadata, Tags};
use crate::model::{CloudId, GroupName, ImageId, Link, ProfileArn, SecurityGroupId, Text};

const API: &str = "ec2:CreateLaunchTemplate";

fn word(kind: InterfaceKind) -> &'static str {
    match kind {
        InterfaceKind::Ip => "interface",
        InterfaceKind::Efa => "efa",
        InterfaceKind::EfaOnly => "efa-only",
    }
}

fn wire_disk(disk: &Disk) -> LaunchTemplateBlockDeviceMappingRequest {
    let ebs = LaunchTemplateEbsBlockDeviceRequest::builder()
        .volume_size(disk.size)
        .volume_type(VolumeType::from(disk.volume_type.as_str()))
        .set_iops(disk.iops)
        .set_throughput(disk.throughput)
        // The account's default may be off.
        .encrypted(disk.encrypted)
        .delete_on_termination(true)
        .build();
    LaunchTemplateBlockDeviceMappingRequest::builder().device_name(&disk.device).ebs(ebs).build()
}

fn wire_interface(
    card: &Interface,
    groups: &[String],
) -> LaunchTemplateInstanceNetworkInterfaceSpecificationRequest {
    LaunchTemplateInstanceNetworkInterfaceSpecificationRequest::builder()
        .network_card_index(card.card)
        .device_index(card.device)
        .interface_type(word(card.kind))
        .set_groups(Some(groups.to_vec()))
        .delete_on_termination(true)
        .build()
}

fn wire_metadata(from: &Metadata) -> LaunchTemplateInstanceMetadataOptionsRequest {
    let tags = if from.tags {
        LaunchTemplateInstanceMetadataTagsState::Enabled
    } else {
        LaunchTemplateInstanceMetadataTagsState::Disabled
    };
    LaunchTemplateInstanceMetadataOptionsRequest::builder()
        .http_endpoint(LaunchTemplateInstanceMetadataEndpointState::Enabled)
        .http_tokens(LaunchTemplateHttpTokensState::from(from.tokens.as_str()))
        .http_put_response_hop_limit(from.hop_limit)
        .instance_metadata_tags(tags)
        .build()
}

/// What the create call says.
pub fn wire(spec: &LaunchTemplate) -> Result<RequestLaunchTemplateData, Failure> {
    let groups: Result<Vec<_>, _> = spec.groups.iter().map(|g| found::id_of(API, g)).collect();
    let groups = groups?;
    let profile = LaunchTemplateIamInstanceProfileSpecificationRequest::builder()
        .arn(found::id_of(API, &spec.profile)?)
        .build();
    let data = RequestLaunchTemplateData::builder()
        .image_id(spec.image.as_str())
        .instance_type(InstanceType::from(spec.instance_type.as_str()))
        .iam_instance_profile(profile)
        .block_device_mappings(wire_disk(&spec.disk))
        .metadata_options(wire_metadata(&spec.metadata))
        .instance_initiated_shutdown_behavior(ShutdownBehavior::from(spec.on_shutdown.as_str()))
        .user_data(STANDARD.encode(found::known(API, &spec.user_data)?));
    let data = match &spec.placement {
        None => data,
        Some(link) => {
            let group = CloudId(found::id_of(API, link)?);
            let at = LaunchTemplatePlacementRequest::builder().group_name(group.short());
            data.placement(at.build())
        }
    };
    // Interfaces and groups of the instance exclude each other.
    if spec.interfaces.is_empty() {
        return Ok(data.set_security_group_ids(Some(groups)).build());
    }
    let cards = spec.interfaces.iter().map(|card| wire_interface(card, &groups)).collect();
    Ok(data.set_network_interfaces(Some(cards)).build())
}

fn read_disk(mappings: Option<Vec<LaunchTemplateBlockDeviceMapping>>) -> Disk {
    let first = mappings.unwrap_or_default().into_iter().next();
    let (device, ebs) = first.map_or((None, None), |first| (first.device_name, first.ebs));
    let kind = ebs.as_ref().and_then(|ebs| ebs.volume_type.as_ref());
    Disk {
        device: device.unwrap_or_default(),
        volume_type: kind.map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
        size: ebs.as_ref().and_then(|ebs| ebs.volume_size).unwrap_or(0),
        iops: ebs.as_ref().and_then(|ebs| ebs.iops),
        throughput: ebs.as_ref().and_then(|ebs| ebs.throughput),
        encrypted: ebs.as_ref().and_then(|ebs| ebs.encrypted).unwrap_or(false),
    }
}

fn read_metadata(options: Option<LaunchTemplateInstanceMetadataOptions>) -> Metadata {
    let tokens = options.as_ref().and_then(|options| options.http_tokens.as_ref());
    let tags = options.as_ref().and_then(|options| options.instance_metadata_tags.as_ref());
    let hops = options.as_ref().and_then(|options| options.http_put_response_hop_limit);
    Metadata {
        tokens: tokens.map(|tokens| tokens.as_str().to_owned()).unwrap_or_default(),
        hop_limit: hops.unwrap_or(0),
        tags: tags.is_some_and(|tags| tags.as_str() == "enabled"),
    }
}

fn interface(kind: Option<&str>, card: Option<i32>, device: Option<i32>) -> Interface {
    let kind = match kind {
        Some("efa") => InterfaceKind::Efa,
        Some("efa-only") => InterfaceKind::EfaOnly,
        Some(_) | None => InterfaceKind::Ip,
    };
    Interface { card: card.unwrap_or(0), device: device.unwrap_or(0), kind }
}

fn text_of(user_data: Option<String>) -> Text {
    let encoded = user_data.unwrap_or_default();
    let bytes = STANDARD.decode(encoded.trim()).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    Text::Known(text.unwrap_or(encoded))
}

/// What a version says; name, image by name, default version and tags are the template's.
pub fn read(home: &Home, data: ResponseLaunchTemplateData) -> LaunchTemplate {
    let cards = data.network_interfaces.unwrap_or_default();
    let groups = match cards.first() {
        Some(first) => first.groups.clone().unwrap_or_default(),
        None => data.security_group_ids.unwrap_or_default(),
    };
    let group = data.placement.and_then(|placement| placement.group_name);
    let profile = data.iam_instance_profile.and_then(|profile| profile.arn);
    let shutdown = data.instance_initiated_shutdown_behavior;
    LaunchTemplate {
        name: String::new(),
        image: ImageId(data.image_id.unwrap_or_default()),
        image_from: String::new(),
        instance_type: data.instance_type.map(|t| t.as_str().to_owned()).unwrap_or_default(),
        profile: Link::Id(ProfileArn(profile.unwrap_or_default())),
        groups: groups.into_iter().map(|id| Link::Id(SecurityGroupId(id))).collect(),
        placement: group
            .filter(|name| !name.is_empty())
            .map(|name| Link::Id(GroupName(home.arn("ec2", &format!("placement-group/{name}"))))),
        disk: read_disk(data.block_device_mappings),
        interfaces: cards
            .iter()
            .map(|one| {
                interface(one.interface_type.as_deref(), one.network_card_index, one.device_index)
            })
            .collect(),
        user_data: text_of(data.user_data),
        metadata: read_metadata(data.metadata_options),
        on_shutdown: shutdown.map(|to| to.as_str().to_owned()).unwrap_or_default(),
        default_version: 1,
        tags: Tags::new(),
    }
}

/// The template's interfaces with a subnet: a launch that names a subnet for an instance
/// with declared interfaces is refused, and one that names it for a single interface
/// would leave it open what becomes of the others. So all of them are said again.
pub fn in_subnet(
    data: &ResponseLaunchTemplateData,
    subnet: &str,
) -> Vec<InstanceNetworkInterfaceSpecification> {
    let cards = data.network_interfaces.as_deref().unwrap_or_default();
    let card = |one: &aws_sdk_ec2::types::LaunchTemplateInstanceNetworkInterfaceSpecification| {
        InstanceNetworkInterfaceSpecification::builder()
            .set_network_card_index(one.network_card_index)
            .set_device_index(one.device_index)
            .set_interface_type(one.interface_type.clone())
            .set_groups(one.groups.clone())
            .subnet_id(subnet)
            .delete_on_termination(true)
            .build()
    };
    cards.iter().map(card).collect()
}
