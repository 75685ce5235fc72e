//! What a node is made of: the cloud-config judged by the real `cloud-init schema`, its
//! scripts by `shellcheck`, and hostile texts in it that stay data.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use mlinfra::kinds::{LaunchTemplate, Metadata, Spec, packed, unpacked, walk};
use mlinfra::model::{Address, CloudId, Text};
use mlinfra::sim::Settings;
use mlinfra::stack::Desired;
use serde_json::Value;

use crate::lab::Lab;

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ3bPnbQkUZcqvZT1qXkTzH0pGJmS5Q1 ann";
const SUM: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/// What a stack with these blocks beside a network, a queue and a bucket wants.
async fn desired_of(blocks: &str) -> Desired {
    let text = format!(
        "stack \"s\" {{\n  region = \"us-east-1\"\n}}\nnetwork \"n\" {{\n  zones = [\"a\", \"b\"]\n}}\n\
         queue \"q\" {{}}\nbucket \"b\" {{}}\n{blocks}\n"
    );
    Lab::new(Settings::default()).desired(&text).await
}

/// What a stack with `cluster.c`, whose body this is, wants.
async fn desired(body: &str) -> Desired {
    let text = format!(
        "stack \"s\" {{\n  region = \"us-east-1\"\n}}\nnetwork \"n\" {{}}\nqueue \"q\" {{}}\n\
         bucket \"b\" {{}}\n\
         cluster \"other\" {{\n  network = network.n\n  instance_type = \"c7i.large\"\n  \
         nodes = 1\n}}\n\
         cluster \"c\" {{\n  network = network.n\n  nodes = 1\n{body}\n}}\n"
    );
    Lab::new(Settings::default()).desired(&text).await
}

/// The template of a block.
fn template_of(mut desired: Desired, block: &str) -> LaunchTemplate {
    let at = format!("{block}/template").parse().expect("an address");
    match desired.specs.remove(&at) {
        Some(Spec::LaunchTemplate(template)) => template,
        _ => panic!("no template"),
    }
}

/// The template of `cluster.c`.
async fn template(body: &str) -> LaunchTemplate {
    template_of(desired(body).await, "cluster.c")
}

/// The user data of `cluster.c`, whose body this is, with every id filled in.
async fn user_data(body: &str) -> String {
    filled(template(body).await)
}

/// The user data of a template with every id filled in.
fn filled(template: LaunchTemplate) -> String {
    let id = |_: &_| Some(CloudId::from("sg-0123456789abcdef0"));
    match template.user_data {
        Text::Known(text) => text,
        Text::Deferred(pieces) => match walk::render(pieces, &id) {
            Text::Known(text) => text,
            Text::Deferred(left) => panic!("{left:?}"),
        },
    }
}

/// An expression of HCL for a text, whatever is in it.
fn hcl(text: &str) -> String {
    use base64::Engine as _;
    format!("base64decode(\"{}\")", base64::engine::general_purpose::STANDARD.encode(text))
}

fn peer(name: &str) -> PathBuf {
    let peers = std::env::var_os("MLINFRA_PEERS").map(PathBuf::from).expect("MLINFRA_PEERS is set");
    peers.join("bin").join(name)
}

/// What cloud-init makes of them, in order.
fn judged(configs: &[String]) -> Vec<Value> {
    read_by_peer(&[], configs)
}

fn read_by_peer(more: &[&str], configs: &[String]) -> Vec<Value> {
    let work = tempfile::tempdir().expect("a folder");
    let paths: Vec<_> = (0..configs.len()).map(|at| work.path().join(format!("{at}"))).collect();
    for (path, config) in paths.iter().zip(configs) {
        std::fs::write(path, config).expect("written");
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peer/cloud_init.py");
    let output = Command::new(peer("python"))
        .arg(script)
        .args(more)
        .args(&paths)
        .output()
        .expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines: Vec<_> =
        said.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), configs.len(), "{}", String::from_utf8_lossy(&output.stderr));
    lines
}

fn shellcheck(files: &[PathBuf]) -> (bool, String) {
    let output = Command::new(peer("shellcheck")).args(files).output().expect("it starts");
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Text that no compression makes short.
fn noise(bytes: usize) -> String {
    let mut state = 1_u64;
    let mut one = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b'0' + u8::try_from(state >> 58).expect("six bits"))
    };
    (0..bytes).map(|_| one()).collect()
}

/// Bodies of a cluster, one for every way in which its machines differ.
fn shapes() -> Vec<(&'static str, String)> {
    let agent =
        format!("agent {{\n url = \"https://example.com/mlinfra\"\n sha256 = \"{SUM}\"\n}}");
    let access = format!(
        "access {{\n ssh_keys = [\"{KEY}\"]\n users = {{ ann = [\"{KEY}\"], bo = [\"{KEY}\"] }}\n \
         sudo = true\n from = [\"10.8.0.0/16\"]\n}}"
    );
    let gpu = "instance_type = \"p5.48xlarge\"";
    let bare = "instance_type = \"c7i.large\"\nscratch {\n fs = \"none\"\n}";
    let setup = "setup = \"echo ${cluster.other.security_group_id} >/tmp/x\\n\"";
    vec![
        ("bare", bare.to_owned()),
        ("gpu", gpu.to_owned()),
        ("no containers", format!("{gpu}\ncontainer = false")),
        ("scratch", format!("{gpu}\nscratch {{\n path = \"/nvme\"\n fs = \"ext4\"\n}}")),
        ("queue", format!("{bare}\nqueue = queue.q")),
        ("mounts", format!("{bare}\nmount \"/data\" {{\n from = bucket.b\n}}")),
        ("setup", format!("{bare}\nsetup = \"echo hi\"")),
        ("deferred setup", format!("{bare}\n{setup}")),
        ("far setup", format!("{bare}\nsetup = {}", hcl(&noise(30_000)))),
        ("agent", format!("{bare}\n{agent}")),
        ("agent in S3", format!("{bare}\n{}", in_s3(&agent))),
        ("access", format!("{bare}\n{access}")),
        ("all", format!("{gpu}\nqueue = queue.q\n{setup}\n{agent}\n{access}")),
    ]
}

/// Machines that mount what holds data, and those of services: the block, and its text.
fn others() -> Vec<(&'static str, &'static str, String)> {
    let storage = "filesystem \"l\" {\n type = \"lustre\"\n network = network.n\n zone = \"a\"\n \
                   size = \"1200GiB\"\n import = bucket.b\n}\n\
                   filesystem \"e\" {\n type = \"efs\"\n network = network.n\n}\n\
                   volume \"v\" {\n size = \"10GiB\"\n zone = \"a\"\n}\n";
    let mount = |path: &str, from: &str| format!("mount \"{path}\" {{\n from = {from}\n}}\n");
    let all = mount("/fast", "filesystem.l")
        + &mount("/home", "filesystem.e")
        + &mount("/data", "bucket.b");
    let cluster = |nodes: u32, mounts: &str| {
        format!(
            "{storage}cluster \"c\" {{\n network = network.n\n instance_type = \"g5.xlarge\"\n \
             zones = [\"a\"]\n nodes = {nodes}\n{mounts}}}\n"
        )
    };
    let service = |body: &str| {
        format!(
            "{storage}service \"s\" {{\n network = network.n\n instance_type = \"t3.large\"\n \
             ports = [5000]\n{body}\n}}\n"
        )
    };
    let secrets = "secrets = {\n A = \"ssm:/s/a\"\n B = \"secretsmanager:b\"\n }";
    let env = "env = {\n NAME = \"it's \\\"$(quoted)\\\" \\\\ here\"\n }";
    let container = format!(
        "container {{\n image = \"ghcr.io/mlflow/mlflow:v3\"\n command = [\"mlflow\", \"a b\"]\n \
         {env}\n {secrets}\n}}\nhealth {{\n http = \"/health\"\n}}"
    );
    let unit = format!(
        "setup = \"useradd jobs\"\nunit {{\n command = [\"/usr/bin/db\", \"--flag\"]\n user = \
         \"jobs\"\n {env}\n {secrets}\n}}\nhealth {{\n command = [\"/usr/bin/db\", \"ping\"]\n}}"
    );
    vec![
        ("file systems", "cluster.c", cluster(2, &all)),
        ("a volume", "cluster.c", cluster(1, &(all.clone() + &mount("/state", "volume.v")))),
        ("a container", "service.s", service(&container)),
        ("a unit", "service.s", service(&unit)),
        ("a service that mounts", "service.s", service(&(container.clone() + "\n" + &all))),
    ]
}

/// All of them, by name, with their user data.
async fn every_shape() -> Vec<(&'static str, String)> {
    let mut out = Vec::new();
    for (name, block, text) in others() {
        out.push((name, filled(template_of(desired_of(&text).await, block))));
    }
    for (name, body) in shapes() {
        out.push((name, user_data(&body).await));
    }
    out
}

#[tokio::test]
#[ignore = "needs cloud-init and shellcheck: run `make test`"]
async fn cloud_init_takes_every_shape_and_shellcheck_every_script() {
    let shapes = every_shape().await;
    let configs: Vec<String> = shapes.iter().map(|(_, config)| config.clone()).collect();
    let read = judged(&configs);
    let work = tempfile::tempdir().expect("a folder");
    let mut scripts = Vec::new();
    for ((name, _), found) in shapes.iter().zip(&read) {
        assert_eq!(found["wrong"], Value::Null, "{name}: {}", found["wrong"]);
        for (path, content) in found["files"].as_object().expect("files") {
            let content = content.as_str().expect("text");
            if content.starts_with("#!") {
                let file = format!("{name}{path}").replace(['/', ' '], "_");
                scripts.push(work.path().join(file));
                std::fs::write(scripts.last().expect("one"), content).expect("written");
            }
        }
    }
    let all = &read.last().expect("the last shape");
    assert_eq!(all["keys"], serde_json::json!([KEY]));
    assert_eq!(all["users"][1]["ssh_authorized_keys"], serde_json::json!([KEY]));
    assert!(
        all["files"]["/usr/local/lib/mlinfra/setup"]
            .as_str()
            .expect("it")
            .ends_with("echo sg-0123456789abcdef0 >/tmp/x\n")
    );
    assert!(scripts.len() > 100, "{}", scripts.len());
    verify(&units(&read), work.path());
    settings_and_mounts(&shapes, &read, work.path());
    // Comments are left out of what is sent, and with them what tells shellcheck better.
    let sources = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/stack/machine"));
    let sources = sources.expect("a folder").flatten().map(|entry| entry.path());
    let sources: Vec<_> =
        sources.filter(|at| at.extension().is_some_and(|it| it == "sh")).collect();
    assert!(sources.len() >= 9, "{sources:?}");
    let (fine, said) = shellcheck(&sources);
    assert!(fine, "{said}");
    for script in &scripts {
        let checked = Command::new("bash").arg("-n").arg(script).output().expect("bash");
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    }
    assert_eq!(units(&read).len(), 4);

    // Both see what is wrong.
    let wrong = configs[0].replacen("write_files:", "users: 5\nwrite_files:", 1);
    let config = judged(&[wrong]);
    assert!(config[0]["wrong"].as_str().expect("a problem").contains("users"), "{config:?}");
    let bad = work.path().join("bad");
    std::fs::write(&bad, "#!/bin/bash\nrm -rf $1/*\n").expect("written");
    let (fine, said) = shellcheck(&[bad]);
    assert!(!fine && said.contains("SC2086"), "{said}");
}

/// What stands in the files that scripts read.
fn settings_and_mounts(shapes: &[(&str, String)], read: &[Value], work: &Path) {
    // What a service sources is shell as well, and keeps what the author wrote.
    let of =
        |name: &str| &read[shapes.iter().position(|(it, _)| *it == name).expect("it")]["files"];
    for service in ["a container", "a unit", "a service that mounts"] {
        let settings = of(service)["/etc/mlinfra/service"].as_str().expect("settings");
        let at = work.join("settings");
        std::fs::write(&at, format!("#!/bin/bash\n{settings}\nprintf '%s\\n' \"${{env[@]}}\"\n"))
            .expect("written");
        let told = Command::new("bash").arg(&at).output().expect("bash");
        let told = String::from_utf8_lossy(&told.stdout).into_owned();
        assert_eq!(told, "NAME=it's \"$(quoted)\" \\ here\n", "{service}: {settings}");
    }
    for (shape, kinds) in [
        ("file systems", &["lustre", "efs", "s3"][..]),
        ("a volume", &["lustre", "efs", "s3", "ebs"]),
    ] {
        let mounts = of(shape)["/etc/mlinfra/mounts"].as_str().expect("mounts");
        let mut found: Vec<&str> = mounts.lines().filter_map(|it| it.split('\t').next()).collect();
        let mut kinds = kinds.to_vec();
        found.sort_unstable();
        kinds.sort_unstable();
        assert_eq!(found, kinds, "{mounts}");
    }
}

/// The units of systemd that stand in them.
fn units(read: &[Value]) -> BTreeMap<&str, &str> {
    let files = read.iter().filter_map(|one| one["files"].as_object()).flatten();
    let units = files.filter(|(path, _)| path.starts_with("/etc/systemd/system/"));
    units.filter_map(|(path, text)| Some((path.as_str(), text.as_str()?))).collect()
}

/// Systemd knows every word of them. What they run is not here.
fn verify(units: &BTreeMap<&str, &str>, work: &Path) {
    let folder = work.join("units");
    std::fs::create_dir_all(&folder).expect("a folder");
    for (path, text) in units {
        let name = path.rsplit('/').next().expect("a name");
        std::fs::write(folder.join(name), text).expect("written");
    }
    for path in units.keys() {
        let at = folder.join(path.rsplit('/').next().expect("a name"));
        let judged = Command::new("systemd-analyze").arg("verify").arg(&at).output();
        let said = judged.expect("systemd-analyze: `make peers` installs it").stderr;
        let said = String::from_utf8_lossy(&said).into_owned();
        let wrong = said.lines().filter(|line| !line.contains("is not executable"));
        assert_eq!(wrong.collect::<Vec<_>>(), [""; 0], "{path}");
    }
}

/// Texts that try to be something else.
const HOSTILE: [&str; 18] = [
    "",
    "\n",
    " leading space\n",
    "\n\n  x\n",
    "\ttab\n",
    "no end",
    "two ends\n\n",
    "spaces at the end   \n   \n",
    "x\n  - path: /etc/shadow\n    content: \"\"\nruncmd: [reboot]\n",
    "---\n...\n%YAML 1.1\n",
    "MLINFRA_ENV\n'; \"$(reboot)\" `reboot` ${x} %{if} \\ \\n\n",
    "#!/usr/bin/env python3\nprint('hi')\n",
    "carriage\r\nreturn\r",
    "nel \u{85} ls \u{2028} ps \u{2029} bom \u{feff} nbsp \u{a0}\n",
    "bell \u{7} escape \u{1b}[31m delete \u{7f} nul-free\n",
    "grüße 你好 \u{1F680}\n",
    "EOF\nEND\nMIME-Version: 1.0\nContent-Type: multipart/mixed\n",
    "## template: jinja\n{{ ds }}\n",
];

#[tokio::test]
#[ignore = "needs cloud-init: run `make test`"]
async fn what_an_author_writes_stays_data() {
    let bare = "instance_type = \"c7i.large\"\nscratch {\n fs = \"none\"\n}";
    let setup = |expression: &str| format!("{bare}\nsetup = {expression}");
    let (mut configs, mut expected) = (Vec::new(), Vec::new());
    for text in HOSTILE {
        configs.push(user_data(&setup(&hcl(text))).await);
        expected.push(text.to_owned());
        // The same before and behind an id that is not known yet.
        let id = "cluster.other.security_group_id";
        configs.push(user_data(&setup(&format!("join(\"\", [{}, {id}])", hcl(text)))).await);
        expected.push(format!("{text}sg-0123456789abcdef0"));
        configs.push(user_data(&setup(&format!("join(\"\", [{id}, {}])", hcl(text)))).await);
        expected.push(format!("sg-0123456789abcdef0{text}"));
    }
    // The command takes a second each time: it judges the first and the last.
    let ends = [configs[0].clone(), configs[configs.len() - 1].clone()];
    assert!(judged(&ends).iter().all(|found| found["wrong"] == Value::Null));
    let plain = &judged(&[user_data(&setup("\"true\"")).await])[0];
    for (text, found) in expected.iter().zip(read_by_peer(&["--read"], &configs)) {
        let head = if text.starts_with("#!") { "" } else { "#!/bin/bash\nset -euo pipefail\n" };
        let mut files = found["files"].clone();
        assert_eq!(files["/usr/local/lib/mlinfra/setup"], format!("{head}{text}"), "{text:?}");
        // Nothing else has changed.
        files["/usr/local/lib/mlinfra/setup"] =
            plain["files"]["/usr/local/lib/mlinfra/setup"].clone();
        assert_eq!(files, plain["files"], "{text:?}");
    }
}

/// An agent block whose binary is an object.
fn in_s3(agent: &str) -> String {
    agent.replace("https://example.com/mlinfra", "s3://acme-tools/bin/mlinfra")
}

/// The AWS CLI comes with whatever needs it, and the role may read exactly that object, before a
/// node boots.
#[tokio::test]
async fn an_agent_in_s3_brings_the_cli_and_the_right_to_read_it() {
    let bare =
        "instance_type = \"c7i.large\"\nimage = \"ubuntu-24.04\"\nscratch {\n fs = \"none\"\n}";
    let agent =
        format!("agent {{\n url = \"https://example.com/mlinfra\"\n sha256 = \"{SUM}\"\n}}");
    let right = "arn:aws:s3:::acme-tools/bin/mlinfra";
    for (body, needs) in
        [(format!("{bare}\n{agent}"), false), (format!("{bare}\n{}", in_s3(&agent)), true)]
    {
        let text = user_data(&body).await;
        for script in ["cli", "s3", "packages"] {
            let there = text.contains(&format!("/usr/local/lib/mlinfra/{script}"));
            assert_eq!(there, needs, "{script}");
        }
        let desired = desired(&body).await;
        let at = |part: &str| format!("cluster.c/{part}").parse::<Address>().expect("an address");
        let role = serde_json::to_string(&desired.specs[&at("role")]).expect("JSON");
        assert_eq!(role.contains(right), needs, "{role}");
        let after = desired.after.get(&at("template"));
        assert_eq!(after.is_some_and(|it| it.contains(&at("role"))), needs);
    }
    // What the agent says stands where `mlinfra logs` looks.
    let text = user_data(&format!("{bare}\n{agent}")).await;
    assert!(text.contains("StandardOutput=journal+console\n"), "{text}");
}

/// A bridged container is one hop further away; only who asks for it gets that hop.
#[tokio::test]
async fn containers_reach_the_role_only_where_that_is_asked_for() {
    let bare = "instance_type = \"c7i.large\"";
    for (access, hops) in [
        ("", 1),
        ("access {\n sudo = true\n}", 1),
        ("access {\n container_role = false\n}", 1),
        ("access {\n container_role = true\n}", 2),
    ] {
        let metadata = template(&format!("{bare}\n{access}")).await.metadata;
        assert_eq!(metadata, Metadata { tokens: "required".into(), hop_limit: hops, tags: true });
    }
}

#[tokio::test]
async fn local_disks_give_way_to_what_is_mounted() {
    let text = user_data("instance_type = \"p5.48xlarge\"").await;
    assert!(text.contains("MLINFRA_SCRATCH=/scratch\n"));
    let mount = "instance_type = \"p5.48xlarge\"\nmount \"/scratch\" {\n from = bucket.b\n}";
    assert!(user_data(mount).await.contains("MLINFRA_SCRATCH=/local\n"));
}

#[tokio::test]
async fn user_data_is_the_same_each_time_and_ends_at_what_ec2_takes() {
    for (name, text) in every_shape().await {
        assert!(text.starts_with("#cloud-config\n"), "{name}");
        let sent = packed(&text);
        assert!(sent.len() <= 16_384, "{name}: {} bytes", sent.len());
        assert_eq!(unpacked(&sent).as_deref(), Some(text.as_str()), "{name}");
    }
    assert_eq!(every_shape().await, every_shape().await);
    let long = "x".repeat(60_000);
    let sent = packed(&long);
    assert!(sent.len() < 1000 && sent.starts_with(&[0x1f, 0x8b]));
    assert_eq!(unpacked(&sent), Some(long));
    // What somebody else has put there does not fill the memory.
    assert_eq!(unpacked(&packed(&"x".repeat(2 << 20))), None);
    assert_eq!(unpacked(&[0x1f, 0x8b, 1, 2, 3]), None);
    assert_eq!(unpacked(&[0xff, 0xfe]), None);
}
