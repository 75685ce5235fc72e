//! The few facts in which kinds differ and which no other room needs: ids, times, refusals.

use crate::kinds::KindName;
use crate::model::CloudId;

/// How the region treats one kind.
pub(super) struct Physics {
    /// The service, as in `ec2:CreateVpc`.
    pub service: &'static str,
    /// What its ids begin with (`vpc`), or a part that all of its ARNs have.
    pub id: &'static str,
    /// The API that makes it.
    pub create: &'static str,
    /// The API that changes it.
    pub change: &'static str,
    /// The API that deletes it.
    pub delete: &'static str,
    /// The API that lists it.
    pub list: &'static str,
    /// Seconds until it is ready.
    pub ready_s: u64,
    /// Seconds that it stays, unusable, after its deletion.
    pub vanish_s: u64,
    /// Seconds for which its id is still known after that.
    pub lingers_s: u64,
    /// Seconds for which its name cannot be taken again.
    pub rests_s: u64,
    /// The code for an id that does not exist.
    pub missing: &'static str,
    /// The code for a name or address that is taken.
    pub exists: &'static str,
    /// The code for an object that cannot be deleted yet.
    pub in_use: &'static str,
    /// The code for one too many.
    pub quota: &'static str,
    /// Names are unique beyond the region.
    pub global: bool,
    /// What it refers to is not looked at until it is used.
    pub trusting: bool,
    /// Cannot be deleted while it holds something.
    pub keeps_contents: bool,
    /// Its field `name` is unique although no id follows from it.
    pub unique_name: bool,
    /// Can be deleted as it is, although mlinfra takes it apart first.
    pub goes_whole: bool,
    /// A field that holds at most one item.
    pub single: Option<&'static str>,
}

/// What becomes of a soft link when the other object is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dangling {
    /// It stays, and points at nothing.
    Keep,
    /// The item vanishes.
    Drop,
    /// The route becomes a black hole.
    Blackhole,
}

const EC2: Physics = Physics {
    service: "ec2",
    id: "",
    create: "",
    change: "CreateTags",
    delete: "",
    list: "",
    ready_s: 0,
    vanish_s: 0,
    lingers_s: 0,
    rests_s: 0,
    missing: "",
    exists: "",
    in_use: "DependencyViolation",
    quota: "LimitExceeded",
    global: false,
    trusting: false,
    keeps_contents: false,
    unique_name: false,
    goes_whole: false,
    single: None,
};

const IAM: Physics = Physics {
    service: "iam",
    missing: "NoSuchEntity",
    exists: "EntityAlreadyExists",
    in_use: "DeleteConflict",
    global: true,
    ..EC2
};

static VPC: Physics = Physics {
    id: "vpc",
    create: "CreateVpc",
    change: "ModifyVpcAttribute",
    delete: "DeleteVpc",
    list: "DescribeVpcs",
    missing: "InvalidVpcID.NotFound",
    quota: "VpcLimitExceeded",
    ..EC2
};
static SUBNET: Physics = Physics {
    id: "subnet",
    create: "CreateSubnet",
    change: "ModifySubnetAttribute",
    delete: "DeleteSubnet",
    list: "DescribeSubnets",
    missing: "InvalidSubnetID.NotFound",
    exists: "InvalidSubnet.Conflict",
    quota: "SubnetLimitExceeded",
    ..EC2
};
static INTERNET_GATEWAY: Physics = Physics {
    id: "igw",
    create: "CreateInternetGateway",
    change: "AttachInternetGateway",
    delete: "DeleteInternetGateway",
    list: "DescribeInternetGateways",
    missing: "InvalidInternetGatewayID.NotFound",
    quota: "InternetGatewayLimitExceeded",
    ..EC2
};
static ELASTIC_IP: Physics = Physics {
    id: "eipalloc",
    create: "AllocateAddress",
    delete: "ReleaseAddress",
    list: "DescribeAddresses",
    missing: "InvalidAllocationID.NotFound",
    in_use: "InvalidIPAddress.InUse",
    quota: "AddressLimitExceeded",
    ..EC2
};
static NAT_GATEWAY: Physics = Physics {
    id: "nat",
    create: "CreateNatGateway",
    delete: "DeleteNatGateway",
    list: "DescribeNatGateways",
    ready_s: 90,
    vanish_s: 60,
    lingers_s: 3600,
    missing: "NatGatewayNotFound",
    exists: "Resource.AlreadyAssociated",
    quota: "NatGatewayLimitExceeded",
    ..EC2
};
static ROUTE_TABLE: Physics = Physics {
    id: "rtb",
    create: "CreateRouteTable",
    change: "ReplaceRoute",
    delete: "DeleteRouteTable",
    list: "DescribeRouteTables",
    missing: "InvalidRouteTableID.NotFound",
    quota: "RouteTableLimitExceeded",
    ..EC2
};
static VPC_ENDPOINT: Physics = Physics {
    id: "vpce",
    create: "CreateVpcEndpoint",
    change: "ModifyVpcEndpoint",
    delete: "DeleteVpcEndpoints",
    list: "DescribeVpcEndpoints",
    missing: "InvalidVpcEndpointId.NotFound",
    quota: "VpcEndpointLimitExceeded",
    ..EC2
};
static SECURITY_GROUP: Physics = Physics {
    id: "sg",
    create: "CreateSecurityGroup",
    change: "AuthorizeSecurityGroupIngress",
    delete: "DeleteSecurityGroup",
    list: "DescribeSecurityGroups",
    missing: "InvalidGroup.NotFound",
    exists: "InvalidGroup.Duplicate",
    quota: "SecurityGroupLimitExceeded",
    goes_whole: true,
    ..EC2
};
static HOSTED_ZONE: Physics = Physics {
    service: "route53",
    id: "Z",
    create: "CreateHostedZone",
    change: "ChangeResourceRecordSets",
    delete: "DeleteHostedZone",
    list: "ListHostedZones",
    ready_s: 30,
    missing: "NoSuchHostedZone",
    exists: "ConflictingDomainExists",
    in_use: "HostedZoneNotEmpty",
    quota: "TooManyHostedZones",
    ..EC2
};
static BUCKET: Physics = Physics {
    service: "s3",
    id: ":s3:::",
    create: "CreateBucket",
    change: "PutBucket",
    delete: "DeleteBucket",
    list: "ListBuckets",
    missing: "NoSuchBucket",
    exists: "BucketAlreadyOwnedByYou",
    in_use: "BucketNotEmpty",
    quota: "TooManyBuckets",
    global: true,
    keeps_contents: true,
    ..EC2
};
static BUCKET_OBJECT: Physics = Physics {
    service: "s3",
    id: ":s3:::",
    create: "PutObject",
    change: "PutObjectTagging",
    delete: "DeleteObjects",
    list: "ListObjectsV2",
    missing: "NoSuchKey",
    exists: "PreconditionFailed",
    ..EC2
};
static QUEUE: Physics = Physics {
    service: "sqs",
    id: ":sqs:",
    create: "CreateQueue",
    change: "SetQueueAttributes",
    delete: "DeleteQueue",
    list: "ListQueues",
    rests_s: 60,
    missing: "AWS.SimpleQueueService.NonExistentQueue",
    exists: "QueueNameExists",
    ..EC2
};
static VOLUME: Physics = Physics {
    id: "vol",
    create: "CreateVolume",
    change: "ModifyVolume",
    delete: "DeleteVolume",
    list: "DescribeVolumes",
    ready_s: 5,
    missing: "InvalidVolume.NotFound",
    in_use: "VolumeInUse",
    quota: "VolumeLimitExceeded",
    ..EC2
};
static EFS_FILE_SYSTEM: Physics = Physics {
    service: "efs",
    id: "fs",
    create: "CreateFileSystem",
    change: "UpdateFileSystem",
    delete: "DeleteFileSystem",
    list: "DescribeFileSystems",
    ready_s: 10,
    vanish_s: 10,
    missing: "FileSystemNotFound",
    in_use: "FileSystemInUse",
    quota: "FileSystemLimitExceeded",
    ..EC2
};
static LUSTRE_FILE_SYSTEM: Physics = Physics {
    service: "fsx",
    id: "fs",
    create: "CreateFileSystem",
    change: "UpdateFileSystem",
    delete: "DeleteFileSystem",
    list: "DescribeFileSystems",
    ready_s: 300,
    vanish_s: 120,
    missing: "FileSystemNotFound",
    in_use: "BadRequest",
    quota: "ServiceLimitExceeded",
    ..EC2
};
static DATA_REPOSITORY_ASSOCIATION: Physics = Physics {
    service: "fsx",
    id: "dra",
    create: "CreateDataRepositoryAssociation",
    change: "UpdateDataRepositoryAssociation",
    delete: "DeleteDataRepositoryAssociation",
    list: "DescribeDataRepositoryAssociations",
    ready_s: 60,
    vanish_s: 30,
    missing: "DataRepositoryAssociationNotFound",
    exists: "BadRequest",
    quota: "ServiceLimitExceeded",
    ..EC2
};
static ROLE: Physics = Physics {
    id: ":role/",
    create: "CreateRole",
    change: "UpdateRole",
    delete: "DeleteRole",
    list: "ListRoles",
    ..IAM
};
static INSTANCE_PROFILE: Physics = Physics {
    id: ":instance-profile/",
    create: "CreateInstanceProfile",
    change: "AddRoleToInstanceProfile",
    delete: "DeleteInstanceProfile",
    list: "ListInstanceProfiles",
    single: Some("roles"),
    ..IAM
};
static PLACEMENT_GROUP: Physics = Physics {
    id: ":placement-group/",
    create: "CreatePlacementGroup",
    delete: "DeletePlacementGroup",
    list: "DescribePlacementGroups",
    missing: "InvalidPlacementGroup.Unknown",
    exists: "InvalidPlacementGroup.Duplicate",
    in_use: "InvalidPlacementGroup.InUse",
    quota: "PlacementGroupLimitExceeded",
    ..EC2
};
static LAUNCH_TEMPLATE: Physics = Physics {
    id: "lt",
    create: "CreateLaunchTemplate",
    change: "ModifyLaunchTemplate",
    delete: "DeleteLaunchTemplate",
    list: "DescribeLaunchTemplates",
    missing: "InvalidLaunchTemplateId.NotFound",
    exists: "InvalidLaunchTemplateName.AlreadyExistsException",
    quota: "LaunchTemplateLimitExceeded",
    trusting: true,
    unique_name: true,
    ..EC2
};
static NODE: Physics = Physics {
    id: "i",
    create: "RunInstances",
    delete: "TerminateInstances",
    list: "DescribeInstances",
    vanish_s: 30,
    lingers_s: 3600,
    missing: "InvalidInstanceID.NotFound",
    quota: "VcpuLimitExceeded",
    ..EC2
};

/// The row of a kind.
pub(super) fn of(kind: KindName) -> &'static Physics {
    match kind {
        KindName::Vpc => &VPC,
        KindName::Subnet => &SUBNET,
        KindName::InternetGateway => &INTERNET_GATEWAY,
        KindName::ElasticIp => &ELASTIC_IP,
        KindName::NatGateway => &NAT_GATEWAY,
        KindName::RouteTable => &ROUTE_TABLE,
        KindName::VpcEndpoint => &VPC_ENDPOINT,
        KindName::SecurityGroup => &SECURITY_GROUP,
        KindName::HostedZone => &HOSTED_ZONE,
        KindName::Bucket => &BUCKET,
        KindName::BucketObject => &BUCKET_OBJECT,
        KindName::Queue => &QUEUE,
        KindName::Volume => &VOLUME,
        KindName::EfsFileSystem => &EFS_FILE_SYSTEM,
        KindName::LustreFileSystem => &LUSTRE_FILE_SYSTEM,
        KindName::DataRepositoryAssociation => &DATA_REPOSITORY_ASSOCIATION,
        KindName::Role => &ROLE,
        KindName::InstanceProfile => &INSTANCE_PROFILE,
        KindName::PlacementGroup => &PLACEMENT_GROUP,
        KindName::LaunchTemplate => &LAUNCH_TEMPLATE,
        KindName::Node => &NODE,
    }
}

impl Physics {
    /// `ec2:CreateVpc`
    pub fn api(&self, action: &str) -> String {
        format!("{}:{action}", self.service)
    }
}

/// The code with which AWS says that it does not know an id.
pub(super) fn missing_code(id: &CloudId) -> &'static str {
    let fits = |kind: &&KindName| {
        let shape = of(**kind).id;
        match shape.starts_with(':') {
            true => id.as_str().contains(shape),
            false => id.as_str().split_once('-').is_some_and(|(prefix, _)| prefix == shape),
        }
    };
    KindName::ALL.iter().find(fits).map_or("InvalidParameterValue", |kind| of(*kind).missing)
}

/// Fields of a launch template whose objects are in use by every node that came from it.
pub(super) const BORROWED: [&str; 1] = ["groups"];

/// The field of a launch template that must be known when it is used.
pub(super) const PROFILE: &str = "profile";

/// What becomes of soft links in a field when the other object is gone.
pub(super) fn dangling(kind: KindName, field: &str) -> Dangling {
    let is = |other: KindName, name: &str| kind == other && field == name;
    if is(KindName::RouteTable, "routes") {
        Dangling::Blackhole
    } else if is(KindName::RouteTable, "subnets") || is(KindName::VpcEndpoint, "route_tables") {
        Dangling::Drop
    } else {
        Dangling::Keep
    }
}
