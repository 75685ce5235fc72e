//! The contract of the port, through the real SDK over HTTP against the emulator. Where
//! moto is wrong a case is skipped by name, with the reason; the test prints it.

use std::time::Duration;

use async_trait::async_trait;
use mlinfra::aws::{Aws, Connect};
use mlinfra::cloud::Cloud;
use mlinfra::kinds::KindName;
use mlinfra::model::{CloudId, Region};

use crate::contract::{Harness, Skip, suite};
use crate::faults::{Copy, Request, Root, Wire};
use crate::moto::credentials;
use crate::seam;

/// The adapter in an account of its own.
struct Account {
    world: Copy,
    aws: Aws,
}

impl Account {
    /// A plain request; its status.
    fn ask(&self, method: &str, path: &str) -> u16 {
        let auth = "AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/s3/aws4_request";
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: vec![("authorization".to_owned(), auth.to_owned())],
            ..Request::default()
        };
        request.send(self.world.0.port).map_or(0, |answer| answer.status)
    }
}

/// The call that lists a kind, where the emulator can refuse it.
fn lister(kind: KindName) -> Option<&'static str> {
    Some(match kind {
        KindName::Vpc => "DescribeVpcs",
        KindName::Subnet => "DescribeSubnets",
        KindName::InternetGateway => "DescribeInternetGateways",
        KindName::ElasticIp => "DescribeAddresses",
        KindName::NatGateway => "DescribeNatGateways",
        KindName::RouteTable => "DescribeRouteTables",
        KindName::VpcEndpoint => "DescribeVpcEndpoints",
        KindName::SecurityGroup => "DescribeSecurityGroups",
        KindName::Role => "ListRoles",
        KindName::InstanceProfile => "ListInstanceProfiles",
        KindName::PlacementGroup => "DescribePlacementGroups",
        KindName::LaunchTemplate => "DescribeLaunchTemplates",
        KindName::Node => "DescribeInstances",
        KindName::Volume => "DescribeVolumes",
        // The others do not send forms.
        KindName::Bucket
        | KindName::BucketObject
        | KindName::Queue
        | KindName::HostedZone
        | KindName::EfsFileSystem
        | KindName::LustreFileSystem
        | KindName::DataRepositoryAssociation => return None,
    })
}

#[async_trait]
impl Harness for Account {
    fn cloud(&self) -> &dyn Cloud {
        &self.aws
    }

    /// moto has no placement groups: a launch forgets the one that it names. That it is named
    /// is asked of the request itself (`aws_launches_say_market_reservation_and_placement`).
    fn tells_groups(&self) -> bool {
        false
    }

    async fn pause(&self) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    async fn fill(&self, bucket: &CloudId, objects: u32) -> bool {
        let put = |n: u32| self.ask("PUT", &format!("/{}/object-{n}", bucket.short()));
        (0..objects).all(|n| put(n) == 200)
    }

    async fn hide(&self, kind: KindName) -> bool {
        let Some(action) = lister(kind) else { return false };
        self.ask("GET", &format!("/_emulator/deny?{action}")) == 200
    }
}

const LETS_GO: &str = "moto deletes what is in use";

const SKIPS: &[Skip] = &[
    Skip { case: "in use: network.main/subnet-0", why: LETS_GO },
    Skip { case: "in use: network.main/subnet-2", why: LETS_GO },
    Skip { case: "in use: network.main/address", why: LETS_GO },
    Skip { case: "in use: network.main/storage", why: LETS_GO },
    Skip { case: "a used placement group stays", why: "the emulator's own groups know no nodes" },
    Skip { case: "a launch of nothing real is refused", why: "moto terminates what is not there" },
];

#[tokio::test(start_paused = true)]
#[ignore = "needs moto: run `make test`"]
async fn the_adapter_keeps_the_contract_over_the_wire() {
    let root = Root::start();
    suite(SKIPS, async || {
        let world = root.world.copy();
        let connect = Connect {
            path_style: true,
            endpoint: Some(format!("http://127.0.0.1:{}", world.0.port)),
            credentials: Some(credentials()),
            http: Some(seam::client(Wire::to(world.0.port, None))),
            ..Connect::to(Region::from("us-east-1"))
        };
        let aws = Aws::connect(connect).await.expect("the emulator's account");
        Account { world, aws }
    })
    .await;
}
