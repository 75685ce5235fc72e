//! The node agent as a real process, beside a metadata service that the test plays.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::scripts::MLINFRA;

/// What the metadata service says.
struct World {
    paths: BTreeMap<String, String>,
    token: String,
    down: bool,
    asked: u64,
}

/// A metadata service, version 2 only.
pub struct Metadata {
    world: Arc<Mutex<World>>,
    address: String,
}

fn serve(mut stream: TcpStream, world: &Mutex<World>) {
    let mut lines = BufReader::new(stream.try_clone().expect("a stream")).lines();
    let first = lines.next().and_then(Result::ok).unwrap_or_default();
    let heads: Vec<String> =
        lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let mut world = world.lock().expect("the world");
    world.asked += 1;
    let (verb, path) = first.split_once(' ').unwrap_or_default();
    let path = path.split(' ').next().unwrap_or_default();
    let has = |wanted: &str| heads.iter().any(|head| head.eq_ignore_ascii_case(wanted));
    let (status, body) = match (verb, path.strip_prefix("/latest/meta-data/")) {
        _ if world.down => return,
        ("PUT", None) if path == "/latest/api/token" => {
            let name = "X-aws-ec2-metadata-token-ttl-seconds";
            let life = has(&format!("{name}: 21600")) || has(&format!("{name}: 300"));
            if life { ("200 OK", world.token.clone()) } else { ("400 Bad Request", String::new()) }
        }
        ("GET", Some(path)) => {
            let token = format!("X-aws-ec2-metadata-token: {}", world.token);
            match world.paths.get(path) {
                _ if !has(&token) => ("401 Unauthorized", String::new()),
                Some(body) => ("200 OK", body.clone()),
                None => ("404 Not Found", "<html>404</html>".to_owned()),
            }
        }
        _ => ("405 Method Not Allowed", String::new()),
    };
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let _ = stream.write_all(answer.as_bytes());
}

impl Metadata {
    pub fn start(id: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("its address"));
        let paths = BTreeMap::from([
            ("instance-id".to_owned(), id.to_owned()),
            ("placement/region".to_owned(), "us-east-1".to_owned()),
        ]);
        let world = World { paths, token: "first".to_owned(), down: false, asked: 0 };
        let world = Arc::new(Mutex::new(world));
        let shared = world.clone();
        // It ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                serve(stream, &shared);
            }
        });
        Self { world, address }
    }

    fn with(&self, change: impl FnOnce(&mut World)) {
        change(&mut self.world.lock().expect("the world"));
    }

    fn says(&self, path: &str, text: &str) {
        self.with(|world| drop(world.paths.insert(path.to_owned(), text.to_owned())));
    }

    /// Waits until it was asked some more.
    fn passes(&self, looks: u64) {
        let asked = || self.world.lock().expect("the world").asked;
        let until = asked() + looks * 4;
        wait("the agent to look", || asked() >= until);
    }
}

fn wait(what: &str, done: impl Fn() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(30), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A process that ends with this value: politely, then not.
pub struct Process(Child);

impl Process {
    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.0.id()).expect("a pid");
        let _ = kill_process(Pid::from_raw(id).expect("a pid"), signal);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::TERM);
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(5) {
            if matches!(self.0.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A node: its folder, its metadata, what was tagged.
struct Node {
    work: tempfile::TempDir,
    metadata: Metadata,
}

impl Node {
    fn new() -> Self {
        let (work, metadata) =
            (tempfile::tempdir().expect("a folder"), Metadata::start("i-0123456789abcdef0"));
        let node = Self { work, metadata };
        let tag = format!("[ ! -e {0}/mute ] || exit 1\necho \"$*\" >>{0}/tags\n", node.root());
        node.executable("tag", &tag);
        node.executable("off", &format!("date >>{}/off-calls\n", node.root()));
        node
    }

    fn executable(&self, name: &str, text: &str) {
        std::fs::write(self.at(name), format!("#!/bin/sh\n{text}")).expect("written");
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(self.at(name), mode).expect("executable");
    }

    fn at(&self, name: &str) -> PathBuf {
        self.work.path().join(name)
    }

    fn root(&self) -> std::path::Display<'_> {
        self.work.path().display()
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.at(name)).unwrap_or_default()
    }

    fn boots(&self, text: &str) {
        std::fs::create_dir_all(self.at("run")).expect("a folder");
        std::fs::write(self.at("run/boot.new"), text).expect("written");
        std::fs::rename(self.at("run/boot.new"), self.at("run/boot")).expect("renamed");
    }

    fn agent_with(&self, more: &[&str]) -> Process {
        let log = std::fs::File::create(self.at("log")).expect("a file");
        let mut command = Command::new(MLINFRA);
        command.args(["node", "--metadata", &self.metadata.address, "--every", "0.03", "--dir"]);
        command.arg(self.at("run")).arg("--tag-with").arg(self.at("tag")).arg("--power-off");
        command.arg(self.at("off")).args(more).stdin(Stdio::null()).stdout(Stdio::null());
        Process(command.stderr(log).spawn().expect("the agent starts"))
    }

    fn agent(&self) -> Process {
        self.agent_with(&[])
    }

    fn job(&self, script: &str) -> Command {
        let mut command = Command::new(MLINFRA);
        command.args(["node", "run", "--dir"]).arg(self.at("run"));
        command.args(["--", "sh", "-c", script]).stdin(Stdio::null());
        command
    }

    fn runs(&self, script: &str) -> Process {
        Process(self.job(script).spawn().expect("the job starts"))
    }

    fn states(&self) -> Vec<String> {
        let one = |line: &str| {
            let line = line.strip_prefix("mlinfra:state=")?;
            let (state, reason) = line.split_once(" mlinfra:reason=")?;
            let (reason, _) = reason.split_once(" mlinfra:job=")?;
            Some(if reason.is_empty() { state.to_owned() } else { format!("{state}: {reason}") })
        };
        self.read("tags").lines().filter_map(one).collect()
    }

    fn becomes(&self, state: &str) {
        let last = || self.states().last().cloned().unwrap_or_default();
        wait(&format!("{state} after {:?}\n{}", self.states(), self.read("log")), || {
            last() == state
        });
    }
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("no signal ended it")
}

/// Creates the file after which a job ends.
fn end(at: &Path) {
    std::fs::write(at, "").expect("written");
}

#[test]
fn a_node_is_booting_ready_busy_idle_or_unhealthy() {
    let node = Node::new();
    let agent = node.agent();
    node.becomes("booting");
    node.boots("ready\n\n");
    node.becomes("ready");
    let job = node.runs(&format!("while [ ! -e {}/end ]; do sleep 0.02; done", node.root()));
    node.becomes("busy");
    end(&node.at("end"));
    node.becomes("idle");
    drop(job);
    // The exit code is the job's, and so is its death.
    assert_eq!(code(&node.job("exit 7").output().expect("it runs")), 7);
    assert_eq!(code(&node.job("kill -9 $$").output().expect("it runs")), 137);
    let missing = Command::new(MLINFRA)
        .args(["node", "run", "--dir"])
        .arg(node.at("run"))
        .args(["--", "no-such-program"])
        .output();
    let missing = missing.expect("it runs");
    assert_eq!(code(&missing), 1);
    let said = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert!(said.contains("N001") && said.contains("no-such-program"), "{said}");
    node.becomes("idle");
    node.boots("unhealthy\ncheck: 7 of 8 GPUs\n");
    node.becomes("unhealthy: check: 7 of 8 GPUs");
    drop(agent);
    // Nothing is left of the jobs.
    let left = std::fs::read_dir(node.at("run/jobs")).expect("a folder").count();
    assert_eq!(left, 0);
}

#[test]
fn a_drained_node_finishes_its_job_takes_no_other_and_powers_off() {
    let node = Node::new();
    node.boots("ready\n\n");
    let _agent = node.agent();
    node.becomes("ready");
    let script =
        format!("while [ ! -e {0}/end ]; do sleep 0.02; done; echo saved >{0}/saved", node.root());
    let _job = node.runs(&script);
    node.becomes("busy");
    node.metadata.says("tags/instance/mlinfra:drain", "true");
    node.becomes("busy: draining");
    let refused = node.job("echo no").output().expect("it runs");
    assert_eq!(code(&refused), 75);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("run it elsewhere"));
    assert_eq!(refused.stdout, b"");
    node.metadata.passes(5);
    assert_eq!(node.read("off-calls"), "", "its job still runs");
    end(&node.at("end"));
    wait("the power to go", || !node.read("off-calls").is_empty());
    assert_eq!(node.read("saved"), "saved\n");
    node.metadata.passes(5);
    assert_eq!(node.read("off-calls").lines().count(), 1);

    // The mark goes: the node works again.
    node.metadata.with(|world| drop(world.paths.remove("tags/instance/mlinfra:drain")));
    node.becomes("idle");
    assert_eq!(code(&node.job("exit 0").output().expect("it runs")), 0);
}

/// What fails while a job runs is told, closes the door, and ends nothing.
#[test]
fn a_node_that_falls_ill_says_so_and_its_job_goes_on() {
    let node = Node::new();
    node.boots("ready\n\n");
    let check = format!(
        "[ \"$1\" = watch ] || exit 9\n[ ! -e {0}/ill ] || {{ echo Xid 79; echo reboot after \
         Xid 79; exit 1; }}\n",
        node.root()
    );
    node.executable("check", &check);
    let program = node.at("check").display().to_string();
    let _agent = node.agent_with(&["--check", &program, "--check-every", "0.05"]);
    node.becomes("ready");
    let mut command = Command::new(MLINFRA);
    command.args(["node", "run", "--name", "llm 17\u{7}", "--dir"]).arg(node.at("run"));
    let script =
        format!("while [ ! -e {0}/end ]; do sleep 0.02; done; echo saved >{0}/saved", node.root());
    let mut job = Process(command.args(["--", "sh", "-c", &script]).spawn().expect("it starts"));
    node.becomes("busy");
    assert!(node.read("tags").ends_with("mlinfra:job=llm 17\n"), "{}", node.read("tags"));
    end(&node.at("ill"));
    node.becomes("unhealthy: watch: reboot after Xid 79");
    assert!(node.read("tags").ends_with("mlinfra:job=llm 17\n"), "{}", node.read("tags"));
    assert_eq!(code(&node.job("echo no").output().expect("it runs")), 75);
    assert!(job.0.try_wait().expect("it can be asked").is_none(), "the job goes on");
    end(&node.at("end"));
    assert_eq!(job.0.wait().expect("it ends").code(), Some(0));
    assert_eq!(node.read("saved"), "saved\n");
    wait("the job's end to be told", || node.read("tags").ends_with("mlinfra:job=\n"));
    // What has failed once is not trusted, and nobody ends what somebody may want to look at.
    std::fs::remove_file(node.at("ill")).expect("it goes");
    node.metadata.passes(20);
    assert_eq!(node.states().last().expect("a state"), "unhealthy: watch: reboot after Xid 79");
    assert_eq!(node.read("off-calls"), "");
}

/// A job that writes its notice down when it is asked to end, and ends with 3.
fn saving(node: &Node) -> Process {
    let script = format!(
        "trap 'cat $MLINFRA_NOTICE >{0}/checkpoint; exit 3' TERM; echo >{0}/started; \
         while :; do sleep 0.02; done",
        node.root()
    );
    let job = node.runs(&script);
    wait("the job", || node.at("started").exists());
    node.becomes("busy");
    job
}

#[test]
fn the_end_of_a_capacity_block_reaches_the_job_before_machines_are_taken() {
    let node = Node::new();
    node.boots("ready\n\n");
    let _agent = node.agent();
    node.metadata.says("tags/instance/mlinfra:ends", "2999-01-01T00:30:00Z");
    let mut job = saving(&node);
    node.metadata.passes(5);
    assert!(!node.at("run/closed").exists(), "its end is far");
    node.metadata.says("tags/instance/mlinfra:ends", "2026-11-24T12:30:00Z");
    assert_eq!(job.0.wait().expect("it ends").code(), Some(3));
    let told = "{\"kind\":\"capacity-block-end\",\"time\":\"2026-11-24T12:00:00Z\"}\n";
    assert_eq!(node.read("checkpoint"), told);
    node.becomes("idle: Capacity Block taken back from 2026-11-24T12:00:00Z");
    assert_eq!(code(&node.job("echo no").output().expect("it runs")), 75);
    // AWS takes the machine; nobody else does.
    assert_eq!(node.read("off-calls"), "");
}

#[test]
fn a_spot_notice_reaches_the_job_with_the_time_that_is_left() {
    let node = Node::new();
    node.boots("ready\n\n");
    let _agent = node.agent();
    let mut job = saving(&node);
    let notice = "{\"action\": \"terminate\", \"time\": \"2026-11-24T12:02:00Z\"}";
    node.metadata.says("spot/instance-action", notice);
    assert_eq!(job.0.wait().expect("it ends").code(), Some(3));
    let read: serde_json::Value =
        serde_json::from_str(&node.read("checkpoint")).expect("the notice");
    let told = serde_json::json!({ "kind": "interruption", "time": "2026-11-24T12:02:00Z" });
    assert_eq!(read, told);
    node.becomes("idle: spot interruption at 2026-11-24T12:02:00Z");
    assert_eq!(code(&node.job("echo no").output().expect("it runs")), 75);
    // AWS takes the machine; nobody else does.
    assert_eq!(node.read("off-calls"), "");
}

#[test]
fn a_recommendation_can_be_no_more_than_a_note() {
    let node = Node::new();
    node.boots("ready\n\n");
    let _agent = node.agent_with(&["--on-rebalance", "note"]);
    let _job = node.runs(&format!("while [ ! -e {}/end ]; do sleep 0.02; done", node.root()));
    node.becomes("busy");
    let hint = "{\"noticeTime\": \"2026-11-24T12:00:00Z\"}";
    node.metadata.says("events/recommendations/rebalance", hint);
    node.becomes("busy: rebalance recommended at 2026-11-24T12:00:00Z");
    assert!(node.read("run/notice").contains("\"rebalance\""));
    node.metadata.passes(5);
    assert!(!node.at("run/closed").exists());
    end(&node.at("end"));
    node.becomes("idle: rebalance recommended at 2026-11-24T12:00:00Z");
}

#[test]
fn what_does_not_answer_is_asked_again_and_nothing_is_made_of_silence() {
    let node = Node::new();
    node.boots("ready\n\n");
    node.metadata.with(|world| world.down = true);
    let _agent = node.agent();
    node.metadata.passes(2);
    assert_eq!(node.states(), [""; 0]);
    node.metadata.with(|world| world.down = false);
    node.becomes("ready");

    // It restarts and knows our token no more.
    node.metadata.with(|world| world.token = "second".to_owned());
    node.metadata.says("tags/instance/mlinfra:drain", "true");
    let _job = node.runs(&format!("while [ ! -e {}/end ]; do sleep 0.02; done", node.root()));
    node.becomes("busy: draining");
    // Silence neither ends the drain nor anything else.
    node.metadata.with(|world| world.down = true);
    node.metadata.passes(3);
    assert!(node.at("run/closed").exists());
    end(&node.at("end"));
    wait("the power to go", || !node.read("off-calls").is_empty());
    node.becomes("idle: draining");
    node.metadata.with(|world| world.down = false);

    // A tag that cannot be set is set as soon as it can.
    end(&node.at("mute"));
    node.metadata.says("tags/instance/mlinfra:drain", "false");
    node.metadata.passes(5);
    assert_eq!(node.states().last().map(String::as_str), Some("idle: draining"));
    std::fs::remove_file(node.at("mute")).expect("it goes");
    node.becomes("idle");
    let said = node.read("log");
    assert_eq!(said.matches("it cannot be tagged").count(), 1, "{said}");
    assert!(said.matches("does not answer").count() >= 2, "{said}");
}

#[test]
fn an_agent_that_cannot_work_says_so() {
    let said = |args: &[&str]| {
        let output = Command::new(MLINFRA).arg("node").args(args).output().expect("it runs");
        (code(&output), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, text) = said(&["--metadata", "ftp://x", "--tag-with", "true"]);
    assert!(code == 1 && text.contains("N002"), "{text}");
    let (code, text) = said(&["--every", "0", "--tag-with", "true"]);
    assert!(code == 1 && text.contains("N002"), "{text}");
    #[cfg(not(feature = "aws"))]
    {
        let (code, text) = said(&[]);
        assert!(code == 1 && text.contains("--tag-with"), "{text}");
    }
}

#[cfg(feature = "aws")]
mod on_moto {
    use super::*;
    use crate::moto::{Moto, peers};
    use mlinfra::model::CloudId;

    const RUN: &str = "
import sys, boto3
ec2 = boto3.client('ec2', 'us-east-1', endpoint_url=sys.argv[1])
image = ec2.describe_images()['Images'][0]['ImageId']
print(ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)['Instances'][0]['InstanceId'])
";
    const READ: &str = "
import sys, boto3
ec2 = boto3.client('ec2', 'us-east-1', endpoint_url=sys.argv[1])
tags = ec2.describe_tags(Filters=[{'Name': 'resource-id', 'Values': [sys.argv[2]]}])['Tags']
print(' '.join(sorted(tag['Key'] + '=' + tag['Value'] for tag in tags)))
";
    const CREDENTIALS: [(&str, &str); 3] = [
        ("AWS_ACCESS_KEY_ID", "AKID"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_REGION", "us-east-1"),
    ];

    fn boto(script: &str, args: &[&str]) -> String {
        let mut command = Command::new(peers().join("bin/python"));
        let output = command.args(["-c", script]).args(args).envs(CREDENTIALS).output();
        let output = output.expect("Python starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    #[tokio::test(flavor = "multi_thread")]
    #[ignore = "needs moto: run `make test`"]
    async fn an_instance_is_tagged_by_its_agent_and_by_its_boot() {
        let moto = Moto::start().await;
        let endpoint = format!("http://{}", moto.direct);
        let id = boto(RUN, &[&endpoint]);
        let node = Node { metadata: Metadata::start(&id), ..Node::new() };
        node.boots("ready\n\n");
        let mut command = Command::new(MLINFRA);
        command.args(["node", "--metadata", &node.metadata.address, "--every", "0.05", "--dir"]);
        command.arg(node.at("run")).envs(CREDENTIALS).env("AWS_ENDPOINT_URL", &endpoint);
        let log = std::fs::File::create(node.at("log")).expect("a file");
        let agent = Process(command.stderr(log).spawn().expect("the agent starts"));
        wait("the agent's word", || node.read("log").contains("ready"));
        let tags = boto(READ, &[&endpoint, &id]);
        let said = "mlinfra:job= mlinfra:reason= mlinfra:state=ready";
        assert_eq!(tags, said, "{}", node.read("log"));
        drop(agent);
        let aws = mlinfra::aws::Aws::connect(moto.connect()).await.expect("it connects");
        let console = aws.console(&CloudId::from(id.as_str())).await.expect("a console");
        assert!(console.expect("a text").contains("Linux"));

        // The boot's own script, on an image without the AWS CLI.
        node.metadata.says("iam/security-credentials/", "role");
        let given = "{\n  \"Code\" : \"Success\",\n  \"AccessKeyId\" : \"ASIA\",\n  \
                     \"SecretAccessKey\" : \"a/b+c\",\n  \"Token\" : \"t==\"\n}";
        node.metadata.says("iam/security-credentials/role", given);
        let scripts = concat!(env!("CARGO_MANIFEST_DIR"), "/src/stack/machine");
        let bin = node.at("bin");
        std::fs::create_dir(&bin).expect("a folder");
        for name in ["imds", "tag"] {
            let text = std::fs::read_to_string(format!("{scripts}/{name}.sh")).expect("a script");
            std::fs::write(bin.join(name), text).expect("written");
            let mode = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(bin.join(name), mode).expect("executable");
        }
        let output = Command::new(bin.join("tag"))
            .args(["mlinfra:state=unhealthy", "mlinfra:reason=check: 7 of 8 GPUs = bad"])
            .env("PATH", format!("{}:/usr/bin:/bin", bin.display()))
            .env("MLINFRA_IMDS", &node.metadata.address)
            .env("AWS_ENDPOINT_URL", &endpoint)
            .output()
            .expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let tags = boto(READ, &[&endpoint, &id]);
        assert_eq!(
            tags,
            "mlinfra:job= mlinfra:reason=check: 7 of 8 GPUs = bad mlinfra:state=unhealthy"
        );
    }
}
