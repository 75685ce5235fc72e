//! A refresh costs calls per kind and page, not per node.

use std::collections::BTreeMap;

use mlinfra::cloud::{Call, Cloud, Launch};
use mlinfra::kinds::{KindName, Offer, Tags};
use mlinfra::model::Zone;

use crate::aws_compute::{parts, template};
use crate::aws_network::link;
use crate::aws_stage::Stage;

/// Which calls a kind's refresh consists of.
fn kind_of(api: &str) -> Option<KindName> {
    let table: &[(&str, KindName)] = &[
        ("ec2:DescribeVpcs", KindName::Vpc),
        ("ec2:DescribeVpcAttribute", KindName::Vpc),
        ("ec2:DescribeSubnets", KindName::Subnet),
        ("ec2:DescribeInternetGateways", KindName::InternetGateway),
        ("ec2:DescribeAddresses", KindName::ElasticIp),
        ("ec2:DescribeNatGateways", KindName::NatGateway),
        ("ec2:DescribeRouteTables", KindName::RouteTable),
        ("ec2:DescribeVpcEndpoints", KindName::VpcEndpoint),
        ("ec2:DescribeSecurityGroups", KindName::SecurityGroup),
        ("ec2:DescribeSecurityGroupRules", KindName::SecurityGroup),
        ("ec2:DescribePlacementGroups", KindName::PlacementGroup),
        ("ec2:DescribeLaunchTemplates", KindName::LaunchTemplate),
        ("ec2:DescribeLaunchTemplateVersions", KindName::LaunchTemplate),
        ("ec2:DescribeInstances", KindName::Node),
        ("ec2:DescribeInstanceStatus", KindName::Node),
        ("ec2:DescribeSpotInstanceRequests", KindName::Node),
        ("ec2:DescribeVolumes", KindName::Volume),
        ("efs:DescribeFileSystems", KindName::EfsFileSystem),
        ("efs:DescribeMountTargets", KindName::EfsFileSystem),
        ("efs:DescribeLifecycleConfiguration", KindName::EfsFileSystem),
        ("efs:DescribeBackupPolicy", KindName::EfsFileSystem),
        // Of Lustre as well.
        ("ec2:DescribeNetworkInterfaces", KindName::EfsFileSystem),
        ("fsx:DescribeFileSystems", KindName::LustreFileSystem),
        ("fsx:DescribeDataRepositoryAssociations", KindName::DataRepositoryAssociation),
        ("route 53:ListHostedZones", KindName::HostedZone),
        ("route 53:ListTagsForResources", KindName::HostedZone),
        ("route 53:GetHostedZone", KindName::HostedZone),
        ("route 53:ListResourceRecordSets", KindName::HostedZone),
        ("sqs:ListQueues", KindName::Queue),
        ("sqs:ListQueueTags", KindName::Queue),
        ("sqs:GetQueueAttributes", KindName::Queue),
        ("iam:ListRoles", KindName::Role),
        ("iam:ListRoleTags", KindName::Role),
        ("iam:ListRolePolicies", KindName::Role),
        ("iam:GetRolePolicy", KindName::Role),
        ("iam:ListAttachedRolePolicies", KindName::Role),
        ("iam:ListInstanceProfiles", KindName::InstanceProfile),
        ("iam:GetInstanceProfile", KindName::InstanceProfile),
    ];
    if api.starts_with("s3:") {
        return Some(KindName::Bucket);
    }
    table.iter().find(|(name, _)| *name == api).map(|(_, kind)| *kind)
}

#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_refresh_keeps_the_budget_of_every_kind() {
    let stage = Stage::new().await;
    let parts = parts(&stage).await;
    let made = stage.make("cluster.train/template", template(&parts)).await;
    let launch = Launch {
        template: made.0.into(),
        offer: Offer::plain("p5.48xlarge", Zone::from("us-east-1a"), link(&parts.subnet)),
        count: 40,
        whole: true,
        batch: 1,
        owner: stage.owner("cluster.train/nodes"),
        tags: Tags::new(),
    };
    stage.act(Call::Launch(launch)).await.expect("forty nodes");

    let before = stage.aws.calls();
    let observed = stage.observe().await;
    let mut spent: BTreeMap<KindName, u64> = BTreeMap::new();
    for (api, count) in stage.aws.calls() {
        let calls = count.calls - before.get(&api).map_or(0, |before| before.calls);
        if calls > 0 {
            let kind = kind_of(&api).unwrap_or_else(|| panic!("{api} is no part of a refresh"));
            *spent.entry(kind).or_default() += calls;
        }
    }
    for (kind, calls) in spent {
        let live = observed.live.values().filter(|live| live.kind == kind).count();
        let budget = kind.traits().budget;
        let allowed = u64::from(budget.list) + live as u64 * u64::from(budget.detail);
        // S3's calls are those of buckets and of objects: there are no objects here.
        let of_objects = KindName::BucketObject.traits().budget.list;
        let allowed = allowed + u64::from(if kind == KindName::Bucket { of_objects } else { 0 });
        assert!(calls <= allowed, "{kind}: {calls} calls for {live} objects, {allowed} allowed");
    }
    let nodes = observed.live.values().filter(|live| live.kind == KindName::Node).count();
    assert_eq!(nodes, 40);
}
