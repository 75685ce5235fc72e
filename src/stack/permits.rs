//! What a stack's owner must be allowed to do, as IAM calls it: for each kind of object what
//! listing, making, changing and deleting it takes.
//!
//! Names of actions are those of the service authorization reference, which are not always
//! those of the calls (<https://docs.aws.amazon.com/service-authorization/latest/reference/>).

use std::collections::{BTreeMap, BTreeSet};

use crate::kinds::{KindName, Market};
use crate::model::Address;

use super::desired::Desired;

/// An action, and the blocks that want it.
pub type Permits = BTreeMap<String, BTreeSet<Address>>;

/// A service's prefix, and its actions.
type Actions = (&'static str, &'static [&'static str]);

const TAGS: Actions = ("ec2", &["CreateTags", "DeleteTags"]);

/// The actions for one kind.
fn of(kind: KindName) -> &'static [Actions] {
    match kind {
        KindName::Vpc => &[TAGS, ("ec2", VPC)],
        KindName::Subnet => &[TAGS, ("ec2", SUBNET)],
        KindName::InternetGateway => &[TAGS, ("ec2", GATEWAY)],
        KindName::RouteTable => &[TAGS, ("ec2", ROUTES)],
        KindName::SecurityGroup => &[TAGS, ("ec2", GROUP)],
        KindName::NatGateway => {
            &[TAGS, ("ec2", &["CreateNatGateway", "DeleteNatGateway", "DescribeNatGateways"])]
        }
        KindName::ElasticIp => {
            &[TAGS, ("ec2", &["AllocateAddress", "DescribeAddresses", "ReleaseAddress"])]
        }
        KindName::VpcEndpoint => &[TAGS, ("ec2", ENDPOINT)],
        KindName::Volume => &[TAGS, ("ec2", VOLUME)],
        KindName::PlacementGroup => &[TAGS, ("ec2", PLACEMENT)],
        KindName::LaunchTemplate => &[TAGS, ("ec2", TEMPLATE)],
        KindName::Node => &[TAGS, ("ec2", NODE), ("iam", &["PassRole"])],
        KindName::HostedZone => &[("route53", ZONE), ("ec2", &["DescribeVpcs"])],
        KindName::Bucket => &[("s3", BUCKET)],
        KindName::BucketObject => &[("s3", OBJECT)],
        KindName::Queue => &[("sqs", QUEUE)],
        KindName::Role => &[("iam", ROLE)],
        KindName::InstanceProfile => &[("iam", PROFILE)],
        KindName::EfsFileSystem => &[("elasticfilesystem", EFS), ("ec2", INTERFACES)],
        KindName::LustreFileSystem => &[("fsx", LUSTRE), ("ec2", INTERFACES)],
        KindName::DataRepositoryAssociation => &[("fsx", ASSOCIATION)],
    }
}

const VPC: &[&str] =
    &["CreateVpc", "DeleteVpc", "DescribeVpcAttribute", "DescribeVpcs", "ModifyVpcAttribute"];
const SUBNET: &[&str] =
    &["CreateSubnet", "DeleteSubnet", "DescribeSubnets", "ModifySubnetAttribute"];
const GATEWAY: &[&str] = &[
    "AttachInternetGateway",
    "CreateInternetGateway",
    "DeleteInternetGateway",
    "DescribeInternetGateways",
    "DetachInternetGateway",
];
const ROUTES: &[&str] = &[
    "AssociateRouteTable",
    "CreateRoute",
    "CreateRouteTable",
    "DeleteRoute",
    "DeleteRouteTable",
    "DescribeRouteTables",
    "DisassociateRouteTable",
    "ReplaceRoute",
    "ReplaceRouteTableAssociation",
];
const GROUP: &[&str] = &[
    "AuthorizeSecurityGroupEgress",
    "AuthorizeSecurityGroupIngress",
    "CreateSecurityGroup",
    "DeleteSecurityGroup",
    "DescribeSecurityGroupRules",
    "DescribeSecurityGroups",
    "RevokeSecurityGroupEgress",
    "RevokeSecurityGroupIngress",
];
const ENDPOINT: &[&str] =
    &["CreateVpcEndpoint", "DeleteVpcEndpoints", "DescribeVpcEndpoints", "ModifyVpcEndpoint"];
const VOLUME: &[&str] = &[
    "CreateVolume",
    "DeleteVolume",
    "DescribeVolumes",
    "DescribeVolumesModifications",
    "ModifyVolume",
];
const PLACEMENT: &[&str] =
    &["CreatePlacementGroup", "DeletePlacementGroup", "DescribePlacementGroups"];
const TEMPLATE: &[&str] = &[
    "CreateLaunchTemplate",
    "DeleteLaunchTemplate",
    "DescribeLaunchTemplateVersions",
    "DescribeLaunchTemplates",
    "ModifyLaunchTemplate",
];
const NODE: &[&str] = &["DescribeInstances", "RunInstances", "TerminateInstances"];
const INTERFACES: &[&str] = &["DescribeNetworkInterfaces"];
const ZONE: &[&str] = &[
    "AssociateVPCWithHostedZone",
    "ChangeResourceRecordSets",
    "ChangeTagsForResource",
    "CreateHostedZone",
    "DeleteHostedZone",
    "DisassociateVPCFromHostedZone",
    "GetChange",
    "GetHostedZone",
    "ListHostedZones",
    "ListHostedZonesByName",
    "ListResourceRecordSets",
    "ListTagsForResources",
];
const BUCKET: &[&str] = &[
    "CreateBucket",
    "DeleteBucket",
    "DeleteBucketPolicy",
    "DeleteObject",
    "DeleteObjectVersion",
    "GetBucketOwnershipControls",
    "GetBucketPolicy",
    "GetBucketPublicAccessBlock",
    "GetBucketTagging",
    "GetBucketVersioning",
    "GetEncryptionConfiguration",
    "GetLifecycleConfiguration",
    "ListAllMyBuckets",
    "ListBucket",
    "ListBucketVersions",
    "PutBucketOwnershipControls",
    "PutBucketPolicy",
    "PutBucketPublicAccessBlock",
    "PutBucketTagging",
    "PutBucketVersioning",
    "PutEncryptionConfiguration",
    "PutLifecycleConfiguration",
];
const OBJECT: &[&str] = &[
    "DeleteObjectVersion",
    "GetObject",
    "GetObjectTagging",
    "ListAllMyBuckets",
    "ListBucket",
    "ListBucketVersions",
    "PutObject",
    "PutObjectTagging",
];
const QUEUE: &[&str] = &[
    "CreateQueue",
    "DeleteQueue",
    "GetQueueAttributes",
    "ListQueueTags",
    "ListQueues",
    "SetQueueAttributes",
    "TagQueue",
    "UntagQueue",
];
const ROLE: &[&str] = &[
    "AttachRolePolicy",
    "CreateRole",
    "DeleteRole",
    "DeleteRolePolicy",
    "DetachRolePolicy",
    "GetRole",
    "GetRolePolicy",
    "ListAttachedRolePolicies",
    "ListRolePolicies",
    "ListRoleTags",
    "ListRoles",
    "PutRolePolicy",
    "TagRole",
    "UntagRole",
    "UpdateAssumeRolePolicy",
    "UpdateRole",
];
const PROFILE: &[&str] = &[
    "AddRoleToInstanceProfile",
    "CreateInstanceProfile",
    "DeleteInstanceProfile",
    "GetInstanceProfile",
    "ListInstanceProfiles",
    "PassRole",
    "RemoveRoleFromInstanceProfile",
    "TagInstanceProfile",
    "UntagInstanceProfile",
];
const EFS: &[&str] = &[
    "CreateFileSystem",
    "CreateMountTarget",
    "DeleteFileSystem",
    "DeleteMountTarget",
    "DescribeBackupPolicy",
    "DescribeFileSystems",
    "DescribeLifecycleConfiguration",
    "DescribeMountTargets",
    "ModifyMountTargetSecurityGroups",
    "PutBackupPolicy",
    "PutLifecycleConfiguration",
    "TagResource",
    "UntagResource",
    "UpdateFileSystem",
];
const LUSTRE: &[&str] = &[
    "CreateFileSystem",
    "DeleteFileSystem",
    "DescribeFileSystems",
    "TagResource",
    "UntagResource",
    "UpdateFileSystem",
];
const ASSOCIATION: &[&str] = &[
    "CreateDataRepositoryAssociation",
    "DeleteDataRepositoryAssociation",
    "DescribeDataRepositoryAssociations",
    "UpdateDataRepositoryAssociation",
];

/// What expanding a configuration with clusters asks the region for.
const FACTS: &[&str] =
    &["DescribeAvailabilityZones", "DescribeImages", "DescribeInstanceTypeOfferings"];

/// Everything that applying, changing and destroying a stack takes.
pub fn permits(desired: &Desired) -> Permits {
    let mut out = Permits::new();
    let mut want = |service: &str, action: &str, address: &Address| {
        let name = format!("{service}:{action}");
        out.entry(name).or_default().insert(address.owner());
    };
    for (address, spec) in &desired.specs {
        for (service, actions) in of(spec.kind()) {
            actions.iter().for_each(|action| want(service, action, address));
        }
    }
    for (address, fleet) in &desired.fleets {
        for (service, actions) in of(KindName::Node) {
            actions.iter().for_each(|action| want(service, action, address));
        }
        FACTS.iter().for_each(|action| want("ec2", action, address));
        want("servicequotas", "GetServiceQuota", address);
        let offered = |market: Market| fleet.offers.iter().any(|offer| offer.market == market);
        if offered(Market::Spot) {
            want("ec2", "DescribeSpotPriceHistory", address);
        }
        if offered(Market::Reserved) || offered(Market::CapacityBlock) {
            want("ec2", "DescribeCapacityReservations", address);
        }
    }
    out
}
