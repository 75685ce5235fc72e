//! What a launch template says: ours to AWS's words and back.

use aws_sdk_ec2::types::{
    InstanceNetworkInterfaceSpecification, LaunchTemplateBlockDeviceMapping,
    LaunchTemplateBlockDeviceMappingRequest, LaunchTemplateEbsBlockDeviceRequest,
    LaunchTemplateHttpTokensState, LaunchTemplateIamInstanceProfileSpecificationRequest,
    LaunchTemplateInstanceMetadataEndpointState, LaunchTemplateInstanceMetadataOptions,
    LaunchTemplateInstanceMetadataOptionsRequest, LaunchTemplateInstanceMetadataTagsState,
    LaunchTemplateInstanceNetworkInterfaceSpecificationRequest, RequestLaunchTemplateData,
    ResponseLaunchTemplateData, ShutdownBehavior, VolumeType,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::found;
use crate::cloud::Failure;
use crate::kinds::{
    Disk, Interface, InterfaceKind, LaunchTemplate, Metadata, Tags, packed, unpacked,
};
use crate::model::{ImageId, Link, ProfileArn, SecurityGroupId, Text};

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
        .set_kms_key_id(disk.kms_key.clone())
        .delete_on_termination(true)
        .build();
    LaunchTemplateBlockDeviceMappingRequest::builder().device_name(&disk.device).ebs(ebs).build()
}

/// The interface that every instance has. Groups stand in it and not beside it: a launch
/// names its interfaces, and EC2 refuses interfaces and groups of the instance together.
fn wire_interface(
    groups: Vec<String>,
) -> LaunchTemplateInstanceNetworkInterfaceSpecificationRequest {
    LaunchTemplateInstanceNetworkInterfaceSpecificationRequest::builder()
        .network_card_index(0)
        .device_index(0)
        .set_groups(Some(groups))
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
        .iam_instance_profile(profile)
        .block_device_mappings(wire_disk(&spec.disk))
        .metadata_options(wire_metadata(&spec.metadata))
        .instance_initiated_shutdown_behavior(ShutdownBehavior::from(spec.on_shutdown.as_str()))
        .user_data(STANDARD.encode(packed(found::known(API, &spec.user_data)?)));
    Ok(data.network_interfaces(wire_interface(groups)).build())
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
        kms_key: ebs.as_ref().and_then(|ebs| ebs.kms_key_id.clone()),
    }
}

fn read_metadata(options: Option<&LaunchTemplateInstanceMetadataOptions>) -> Metadata {
    let tokens = options.as_ref().and_then(|options| options.http_tokens.as_ref());
    let tags = options.as_ref().and_then(|options| options.instance_metadata_tags.as_ref());
    let hops = options.as_ref().and_then(|options| options.http_put_response_hop_limit);
    Metadata {
        tokens: tokens.map(|tokens| tokens.as_str().to_owned()).unwrap_or_default(),
        hop_limit: hops.unwrap_or(0),
        tags: tags.is_some_and(|tags| tags.as_str() == "enabled"),
    }
}

fn text_of(user_data: Option<String>) -> Text {
    let encoded = user_data.unwrap_or_default();
    let bytes = STANDARD.decode(encoded.trim()).ok();
    let text = bytes.and_then(|bytes| unpacked(&bytes));
    Text::Known(text.unwrap_or(encoded))
}

/// What a version says; name, image by name, default version and tags are the template's.
pub fn read(data: ResponseLaunchTemplateData) -> LaunchTemplate {
    let cards = data.network_interfaces.unwrap_or_default();
    let groups = match cards.into_iter().next() {
        Some(first) => first.groups.unwrap_or_default(),
        None => data.security_group_ids.unwrap_or_default(),
    };
    let profile = data.iam_instance_profile.and_then(|profile| profile.arn);
    let shutdown = data.instance_initiated_shutdown_behavior;
    LaunchTemplate {
        name: String::new(),
        image: ImageId(data.image_id.unwrap_or_default()),
        image_from: String::new(),
        profile: Link::Id(ProfileArn(profile.unwrap_or_default())),
        groups: groups.into_iter().map(|id| Link::Id(SecurityGroupId(id))).collect(),
        disk: read_disk(data.block_device_mappings),
        user_data: text_of(data.user_data),
        metadata: read_metadata(data.metadata_options.as_ref()),
        on_shutdown: shutdown.map(|to| to.as_str().to_owned()).unwrap_or_default(),
        default_version: 1,
        tags: Tags::new(),
    }
}

/// The interfaces of a launch: those of its offer, each with the subnet and the template's
/// groups. A launch that names a subnet for an instance with declared interfaces is refused.
pub fn interfaces(
    data: &ResponseLaunchTemplateData,
    offer: &[Interface],
    subnet: &str,
) -> Vec<InstanceNetworkInterfaceSpecification> {
    let first = data.network_interfaces.as_deref().unwrap_or_default().first();
    let groups = first.and_then(|first| first.groups.clone());
    let only = [Interface { card: 0, device: 0, kind: InterfaceKind::Ip }];
    let cards = if offer.is_empty() { &only } else { offer };
    let one = |card: &Interface| {
        // The one of an ordinary instance is not named: older types know no kinds.
        let kind = (!offer.is_empty()).then(|| word(card.kind).to_owned());
        InstanceNetworkInterfaceSpecification::builder()
            .network_card_index(card.card)
            .device_index(card.device)
            .set_interface_type(kind)
            .set_groups(groups.clone())
            .subnet_id(subnet)
            .delete_on_termination(true)
            .build()
    };
    cards.iter().map(one).collect()
}
