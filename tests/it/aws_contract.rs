//! The contract of the port, through the real SDK over HTTP against the emulator. Where
//! moto is wrong a case is skipped by name, with the reason; the test prints it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use async_trait::async_trait;
use mlinfra::aws::{Aws, Connect};
use mlinfra::cloud::Cloud;
use mlinfra::kinds::KindName;
use mlinfra::model::{CloudId, Region};

use crate::contract::{Harness, Skip, suite};
use crate::moto::credentials;

/// The emulator in a process of its own; it ends with this value.
struct Emulator {
    process: Child,
    port: String,
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Emulator {
    fn start() -> Self {
        let peers = std::env::var_os("MLINFRA_PEERS").map(PathBuf::from).expect("MLINFRA_PEERS");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peer/emulator.py");
        let mut process = Command::new(peers.join("bin/python"))
            .args([script, "0"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts");
        let mut port = String::new();
        let mut lines = BufReader::new(process.stdout.take().expect("its output"));
        lines.read_line(&mut port).expect("its port");
        Self { process, port: port.trim().to_owned() }
    }

    /// A plain request; its status.
    fn ask(&self, method: &str, path: &str) -> u16 {
        let auth = "AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/s3/aws4_request, \
                    SignedHeaders=host, Signature=x";
        let host = format!("127.0.0.1:{}", self.port);
        let mut stream = TcpStream::connect(&host).expect("the emulator answers");
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {auth}\r\n\
             Content-Length: 0\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it writes");
        answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
    }
}

/// The adapter in a new account.
struct Account<'a> {
    emulator: &'a Emulator,
    aws: Aws,
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
        // S3 and SQS do not send forms.
        KindName::Bucket | KindName::Queue => return None,
    })
}

#[async_trait]
impl Harness for Account<'_> {
    fn cloud(&self) -> &dyn Cloud {
        &self.aws
    }

    async fn pause(&self) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    async fn fill(&self, bucket: &CloudId, objects: u32) -> bool {
        let put = |n: u32| self.emulator.ask("PUT", &format!("/{}/object-{n}", bucket.short()));
        (0..objects).all(|n| put(n) == 200)
    }

    async fn hide(&self, kind: KindName) -> bool {
        let Some(action) = lister(kind) else { return false };
        self.emulator.ask("GET", &format!("/_emulator/deny?{action}")) == 200
    }
}

const LETS_GO: &str = "moto deletes what is in use";

const SKIPS: &[Skip] = &[
    Skip { case: "in use: network.main/subnet-0", why: LETS_GO },
    Skip { case: "in use: network.main/address", why: LETS_GO },
    Skip { case: "in use: network.main/storage", why: LETS_GO },
    Skip { case: "a used placement group stays", why: "the emulator's own groups know no nodes" },
    Skip { case: "a launch of nothing real is refused", why: "moto terminates what is not there" },
];

#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn the_adapter_keeps_the_contract_over_the_wire() {
    let emulator = Emulator::start();
    suite(SKIPS, async || {
        assert_eq!(emulator.ask("GET", "/_emulator/reset"), 200);
        let connect = Connect {
            path_style: true,
            endpoint: Some(format!("http://127.0.0.1:{}", emulator.port)),
            credentials: Some(credentials()),
            ..Connect::to(Region::from("us-east-1"))
        };
        let aws = Aws::connect(connect).await.expect("the emulator's account");
        Account { emulator: &emulator, aws }
    })
    .await;
}
