//! A ledger on S3, over moto.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mlinfra::aws::{Aws, Shelf};
use mlinfra::ledger::{Manners, ObjectStore, Objects};
use mlinfra::model::Region;
use tokio::runtime::Runtime;

use crate::bucket::{Clockwork, manners};
use crate::moto::Moto;

/// How long a lock lasts here, where time is real.
pub const LEASE: Duration = Duration::from_secs(2);

/// moto, and the runtime that its proxy lives in.
pub struct Server {
    runtime: Arc<Runtime>,
    moto: Arc<Moto>,
    aws: Arc<Aws>,
    buckets: AtomicUsize,
}

/// One folder of one bucket.
pub struct Bucket {
    pub runtime: Arc<Runtime>,
    _moto: Arc<Moto>,
    pub objects: Arc<dyn Objects>,
}

impl Server {
    pub fn start() -> Self {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = Arc::new(runtime.worker_threads(2).enable_all().build().unwrap());
        let moto = Arc::new(runtime.block_on(Moto::start()));
        let aws = Arc::new(runtime.block_on(moto.aws()));
        Self { runtime, moto, aws, buckets: AtomicUsize::new(0) }
    }

    pub fn bucket(&self) -> Bucket {
        let bucket = format!("ledger-{}", self.buckets.fetch_add(1, Ordering::SeqCst));
        let made = self.runtime.block_on(self.moto.raw("PUT", &format!("/{bucket}"), ""));
        assert!(made.contains(" 200 "), "{made}");
        let shelf = Shelf {
            bucket,
            folder: "mlinfra/llm".to_owned(),
            region: Region::from("us-east-1"),
            account: None,
            kms_key: None,
            lease: LEASE,
        };
        let objects = Arc::new(self.aws.bucket(shelf));
        Bucket { runtime: self.runtime.clone(), _moto: self.moto.clone(), objects }
    }
}

impl Bucket {
    pub fn open(&self) -> ObjectStore {
        let manners = Manners { lease: LEASE, ..manners(Clockwork::new()) };
        ObjectStore::new(self.objects.clone(), manners)
    }
}

/// SIGKILL at random times of the binary that keeps its ledger on S3, over the real SDK.
#[test]
#[ignore = "needs moto: run `make test`"]
fn kills_with_a_ledger_on_s3_leave_no_orphan_and_a_ledger_that_can_be_read() {
    let server = Server::start();
    let made = server.runtime.block_on(server.moto.raw("PUT", "/acme-mlinfra", ""));
    assert!(made.contains(" 200 "), "{made}");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("main.hcl"), STACK).unwrap();
    let mlinfra = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mlinfra"));
        command.current_dir(folder.path()).args(args).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("AWS_ENDPOINT_URL", &server.moto.endpoint).env("AWS_REGION", "us-east-1");
        command.env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").env("AWS_SECRET_ACCESS_KEY", "secret");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    let done = |args: &[&str]| {
        let output = mlinfra(args).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned() + &text)
    };
    let kills = std::env::var("MLINFRA_KILLS").ok().and_then(|text| text.parse().ok());
    let kills = kills.unwrap_or(20).min(200);
    let (mut killed, mut late) = (0, 0);
    // Times that cover an apply from its start to its end, in an order of their own.
    for round in 0_u64.. {
        if killed == kills {
            break;
        }
        let verb = if round % 3 == 2 { "destroy" } else { "apply" };
        let mut child = mlinfra(&[verb, "--yes"]).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(200 + round.wrapping_mul(7919) % 2800));
        child.kill().unwrap();
        let code = child.wait().unwrap().code();
        *if code.is_none() { &mut killed } else { &mut late } += 1;
        let (code, text) = done(&["plan"]);
        assert_eq!(code, Some(0), "the ledger after a kill can be read: {text}");
    }
    let first = done(&["apply", "--yes"]);
    if first.0 != Some(0) {
        let (code, text) = done(&["apply", "--yes"]);
        assert_eq!(code, Some(0), "{}\n{text}", first.1);
    }
    let (code, text) = done(&["plan", "--detailed-exitcode"]);
    assert_eq!(code, Some(0), "{text}");
    let (code, text) = done(&["ledger", "verify"]);
    assert_eq!(code, Some(0), "{text}");
    println!("kills on S3 (moto): {killed}, {late} came too late; {text}");
    let (code, text) = done(&["destroy", "--yes"]);
    assert_eq!(code, Some(0), "{text}");
    let left = server.runtime.block_on(server.moto.raw("GET", "/", ""));
    assert!(!left.contains("kills-"), "nothing is left over: {left}");
}

const STACK: &str = "stack \"kills\" {\n  region = \"us-east-1\"\n  backend \"s3\" {\n    \
    bucket = \"acme-mlinfra\"\n    lease  = \"1s\"\n  }\n}\n\nbucket \"one\" {}\n\n\
    bucket \"two\" {}\n\nqueue \"jobs\" {}\n";
