//! `source "slurm"` against Debian's Slurm: a controller with power saving, no node at all.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use mlinfra::demand::What;
use mlinfra::fleet::{Demand, Shape};
use mlinfra::model::Moment;

use super::peer::{Peer, free_port, program, run};
use super::{Around, NOW, known, told, trouble, until};

struct Slurm {
    controller: Peer,
    _munge: Peer,
    folder: tempfile::TempDir,
}

/// Nodes are as many as the cluster has at most, and are never there: `State=CLOUD`.
fn config(folder: &Path, port: u16) -> String {
    let host = run(Command::new("hostname").arg("-s"));
    let (host, run) = (host.trim(), folder.display());
    format!(
        "ClusterName=test\nSlurmctldHost={host}(127.0.0.1)\nSlurmctldPort={port}\n\
         AuthType=auth/munge\nAuthInfo=socket={run}/munge/socket\nSlurmUser=root\nSlurmdUser=root\n\
         StateSaveLocation={run}/state\nSlurmdSpoolDir={run}/spool/%n\n\
         SlurmctldPidFile={run}/ctld.pid\nSlurmctldLogFile={run}/ctld.log\n\
         ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nSelectType=select/cons_tres\n\
         SelectTypeParameters=CR_Core\nGresTypes=gpu\nMpiDefault=none\nReturnToService=2\n\
         SlurmctldParameters=idle_on_node_suspend,cloud_dns\nPrivateData=cloud\n\
         JobAcctGatherType=jobacct_gather/none\nTreeWidth=65533\n\
         ResumeProgram={run}/resume\nSuspendProgram={run}/suspend\nResumeTimeout=600\n\
         SuspendTimeout=1\nSuspendTime=600\nResumeRate=0\nSuspendRate=0\n\
         NodeName=gpu[1-4] NodeAddr=127.0.0.1 CPUs=8 RealMemory=1000 Gres=gpu:8 State=CLOUD\n\
         PartitionName=train Nodes=gpu[1-4] Default=YES MaxTime=INFINITE State=UP\n\
         PartitionName=other Nodes=gpu[1-4] MaxTime=INFINITE State=UP\n"
    )
}

impl Slurm {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, port) = (folder.path(), free_port());
        for name in ["munge", "state", "spool"] {
            fs::create_dir(path.join(name)).expect("a folder");
        }
        // munged trusts no folder that others may write to, and lets all of them in.
        let open = |name: &str, mode| {
            fs::set_permissions(path.join(name), fs::Permissions::from_mode(mode)).expect("a mode");
        };
        open("", 0o755);
        open("munge", 0o755);
        fs::write(path.join("munge/key"), [7_u8; 1024]).expect("a key");
        open("munge/key", 0o600);
        let at = |flag: &str, name: &str| {
            format!("--{flag}={}", path.join("munge").join(name).display())
        };
        let mut munged = Command::new(program("munged"));
        munged.args(["--foreground", "--force", &at("key-file", "key"), &at("socket", "socket")]);
        munged.args([at("pid-file", "pid"), at("log-file", "log"), at("seed-file", "seed")]);
        let munge = Peer::start(path, "munged", &mut munged);
        let socket = path.join("munge/socket");
        until("munged answers", async || socket.exists()).await;
        fs::write(path.join("slurm.conf"), config(path, port)).expect("a file");
        let gres = "NodeName=gpu[1-4] Name=gpu Count=8 File=/dev/tty[0-7]\n";
        fs::write(path.join("gres.conf"), gres).expect("a file");
        fs::write(path.join("cgroup.conf"), "IgnoreSystemd=yes\n").expect("a file");
        // Slurm gives its programs no environment of ours.
        let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/slurm");
        for name in ["resume", "suspend", "claim"] {
            let text = format!(
                "#!/bin/sh\nexport MLINFRA_NODES={0}/nodes MLINFRA={0}/recorder MLINFRA_STACK={0}\n\
                 export SLURM_CONF={0}/slurm.conf MLINFRA_TRIES=1\nexec {shipped}/{name} \"$@\"\n",
                path.display()
            );
            fs::write(path.join(name), text).expect("a file");
            open(name, 0o755);
        }
        let recorder = format!("#!/bin/sh\necho \"$@\" >>{}/calls\n", path.display());
        fs::write(path.join("recorder"), recorder).expect("a file");
        open("recorder", 0o755);
        let mut command = Command::new(program("slurmctld"));
        command.arg("-D").env("SLURM_CONF", path.join("slurm.conf"));
        let mut controller = Peer::start(path, "slurmctld", &mut command);
        controller.listens(port).await;
        let slurm = Self { controller, _munge: munge, folder };
        until("slurmctld answers", async || {
            slurm.command("scontrol").arg("ping").status().is_ok_and(|it| it.success())
        })
        .await;
        slurm
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(program(name));
        command.env("SLURM_CONF", self.path().join("slurm.conf")).current_dir(self.path());
        command
    }

    fn submit(&self, words: &str) -> String {
        let mut command = self.command("sbatch");
        command.arg("--parsable").args(words.split(' ')).args(["--wrap", "sleep 600"]);
        run(&mut command).trim().to_owned()
    }

    /// squeue, for whom the service's environment says which Slurm it is.
    fn squeue(&self) -> PathBuf {
        let path = self.path().join("squeue");
        let conf = self.path().join("slurm.conf");
        let text = format!("#!/bin/sh\nSLURM_CONF={} exec squeue \"$@\"\n", conf.display());
        fs::write(&path, text).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a mode");
        path
    }

    fn source(&self, rest: &str) -> String {
        let squeue = self.squeue();
        format!(
            "source \"slurm\" {{\n squeue = \"{}\"\n timeout = \"10s\"\n {rest}\n}}",
            squeue.display()
        )
    }
}

#[tokio::test]
#[ignore = "starts slurmctld"]
async fn jobs_of_slurm_wait_with_their_gpus_and_nodes() {
    let slurm = Slurm::start().await;
    let around = Around::folder(slurm.path());
    let source = slurm.source("");
    assert_eq!(known(&around.look(&source).await), (vec![], 0));
    // All four nodes are taken by the first, so that the others wait in the queue.
    slurm.submit("-N4 --gres=gpu:8");
    slurm.submit("-N2 --gres=gpu:8");
    slurm.submit("-N1 --gpus=4");
    slurm.submit("-N1 -n2 --gpus-per-task=3");
    slurm.submit("--array=0-999:7%10 --gpus-per-node=2");
    let odd: Vec<String> = (0..200).map(|task| (task * 2 + 1).to_string()).collect();
    slurm.submit(&format!("--array={} --gres=gpu:1 -p other", odd.join(",")));
    slurm.submit("-N1 --hold --gres=gpu:1");
    slurm.submit("-N1 --dependency=afterok:1 --gres=gpu:1");
    slurm.submit("-N1 --begin=now+1hour --gres=gpu:1");
    let expect = [
        (1, Shape::gang(8, 2)),
        (1, Shape::gang(8, 4)),
        (1, Shape::single(4)),
        (1, Shape::single(6)),
        (10, Shape::single(2)),
        (200, Shape::single(1)),
    ];
    let seen = async |source: &str| {
        let (mut jobs, running) = known(&around.look(source).await);
        jobs.sort_by_key(|(count, shape)| (*count, !shape.gang, shape.gpus, shape.nodes));
        (jobs, running)
    };
    until("Slurm has sorted them", async || seen(&source).await == (expect.to_vec(), 0)).await;
    let answer = around.look(&source).await;
    let refused = answer.reports[0].held.join("\n");
    for part in ["BeginTime", "Dependency", "JobHeldUser"] {
        assert!(refused.contains(&format!("1 job waits for another reason: {part}")), "{refused}");
    }
    let Demand::Known { work, .. } = &answer.demand else { panic!("{answer:?}") };
    let first = work.waiting.iter().max_by_key(|job| job.priority).expect("a job");
    assert_eq!(first.shape, Shape::gang(8, 4), "the first in has the highest priority");
    let other = slurm.source("partitions = [\"other\", \"none\"]");
    assert_eq!(seen(&other).await, (vec![(200, Shape::single(1))], 0));
}

#[tokio::test]
#[ignore = "starts slurmctld"]
async fn the_programs_of_slurm_s_power_saving_call_mlinfra_and_nodes_take_their_names() {
    let slurm = Slurm::start().await;
    let names = |folder: &str| -> Vec<String> {
        let found = fs::read_dir(slurm.path().join("nodes").join(folder));
        let found = found.into_iter().flatten().flatten();
        let mut names: Vec<String> =
            found.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    };
    let job = slurm.submit("-N3 --gres=gpu:8");
    until("Slurm resumes three nodes", async || names("wanted") == ["gpu1", "gpu2", "gpu3"]).await;
    // Jobs for which nodes are powered up wait for them.
    let counted = known(&Around::folder(slurm.path()).look(&slurm.source("")).await);
    assert_eq!(counted, (vec![(1, Shape::gang(8, 3))], 0));
    let called = || fs::read_to_string(slurm.path().join("calls")).unwrap_or_default();
    let expect = format!("-C {} autoscale once\n", slurm.path().display());
    until("mlinfra is called", async || called() == expect).await;

    let claim = || run(Command::new(slurm.path().join("claim")).arg("127.0.0.7"));
    let both = [claim(), claim()];
    assert_ne!(both[0], both[1], "each machine has a name of its own");
    assert_eq!((names("wanted").len(), names("taken").len()), (1, 2));
    let shown = run(slurm.command("scontrol").args(["show", "node", both[0].trim()]));
    assert!(shown.contains("NodeAddr=127.0.0.7"), "{shown}");

    run(slurm.command("scancel").arg(&job));
    let off = ["update", "nodename=gpu[1-3]", "state=power_down_force"];
    run(slurm.command("scontrol").args(off));
    until("Slurm suspends them", async || names("taken").is_empty() && names("wanted").is_empty())
        .await;
    let nobody = Command::new(slurm.path().join("claim")).output().expect("it runs");
    assert_eq!(String::from_utf8_lossy(&nobody.stderr), "Slurm wants no node\n");
}

/// A job is handed in, Slurm wants nodes and calls mlinfra, and mlinfra launches as many: all three
/// are the real ones, and the region is simulated.
#[tokio::test]
#[ignore = "starts slurmctld"]
async fn a_job_of_slurm_has_its_nodes_launched_by_slurm_s_own_call() {
    let slurm = Slurm::start().await;
    let (path, mlinfra) = (slurm.path(), env!("CARGO_BIN_EXE_mlinfra"));
    let stack = format!(
        "stack \"slurm\" {{\n region = \"us-east-1\"\n}}\nnetwork \"main\" {{\n zones = [\"a\"]\n}}\n\
         cluster \"train\" {{\n network = network.main\n instance_type = \"p4d.24xlarge\"\n \
         placement = \"none\"\n efa = false\n nodes = {{ min = 0, max = 4 }}\n autoscale {{\n {}\n }}\n}}\n",
        slurm.source("")
    );
    fs::write(path.join("main.hcl"), stack).expect("a file");
    let sandbox = path.join("sandbox");
    let recorder = format!(
        "#!/bin/sh\necho \"$@\" >>{0}/calls\nexport MLINFRA_SANDBOX={1}\n\
         exec {mlinfra} \"$@\" >>{0}/said 2>&1\n",
        path.display(),
        sandbox.display()
    );
    fs::write(path.join("recorder"), recorder).expect("a file");
    let said = |words: &[&str]| {
        let mut command = Command::new(mlinfra);
        command.args(words).arg("-C").arg(path).env("MLINFRA_SANDBOX", &sandbox);
        run(&mut command)
    };
    said(&["apply", "--yes"]);
    let nodes = || {
        let read: serde_json::Value =
            serde_json::from_str(&said(&["nodes", "--json"])).expect("JSON");
        read["nodes"].as_array().map_or(0, Vec::len)
    };
    assert_eq!(nodes(), 0);
    slurm.submit("-N3 --gres=gpu:8");
    until("three nodes are launched", async || nodes() == 3).await;
    let told = fs::read_to_string(path.join("said")).unwrap_or_default();
    assert!(told.contains("3 nodes"), "{told}");
    // Slurm's next call finds them coming, and launches none beside them.
    let before = fs::read_to_string(path.join("calls")).unwrap_or_default().lines().count();
    run(Command::new(path.join("resume")).arg("gpu[1-3]").current_dir(path));
    let calls = fs::read_to_string(path.join("calls")).unwrap_or_default();
    assert_eq!((calls.lines().count(), nodes()), (before + 1, 3), "{calls}");
}

#[tokio::test]
#[ignore = "starts slurmctld"]
async fn a_slurm_that_hangs_or_goes_makes_what_is_known_stale() {
    let slurm = Slurm::start().await;
    slurm.submit("-N1 --gres=gpu:8");
    let around = Around::folder(slurm.path());
    let source = slurm.source("").replace("\"10s\"", "\"2s\"");
    let watch = around.open(&source).expect("a source");
    assert_eq!(known(&watch.look(NOW).await).0, [(1, Shape::single(8))]);
    slurm.controller.signal("-STOP");
    let answer = watch.look(Moment(NOW.0 + 10_000)).await;
    assert!(matches!(answer.demand, Demand::Stale { .. }), "{answer:?}");
    told(&trouble(answer), What::Timeout, "no answer within 2 s");
    let missing = around.trouble("source \"slurm\" {\n squeue = \"./no-squeue\"\n}").await;
    told(&missing, What::Answer, "No such file or directory");
    // ssh has nobody to talk to, and asks nothing.
    let ssh = around.trouble("source \"slurm\" {\n ssh = \"nobody@127.0.0.1\"\n}").await;
    assert!(matches!(ssh.what, What::Unreachable | What::Denied | What::Answer), "{ssh}");
}

/// A folder with programs that note down what they are told.
fn stage() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    let log = path.join("log");
    let log = log.display();
    let slurmd = format!(
        "trap 'echo end >>{log}; exit' TERM\necho \"slurmd $*\" >>{log}\n\
         while :; do sleep 0.1; done"
    );
    let programs = [
        ("slurmd", slurmd),
        ("scontrol", format!("echo \"scontrol $*\" >>{log}")),
        ("mlinfra", format!("echo \"mlinfra $1 $2\" >>{log}\nshift 2\nexec \"$@\"")),
    ];
    for (name, body) in programs {
        let file = path.join(name);
        fs::write(&file, format!("#!/bin/sh\n{body}\n")).expect("a program");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("a mode");
    }
    for name in ["nodes/wanted", "nodes/taken"] {
        fs::create_dir_all(path.join(name)).expect("a folder");
    }
    folder
}

#[tokio::test]
async fn a_machine_is_one_node_after_the_other_and_busy_meanwhile() {
    let folder = stage();
    let path = folder.path();
    let wanted = |name: &str| fs::write(path.join("nodes/wanted").join(name), "").expect("a name");
    let log = || fs::read_to_string(path.join("log")).unwrap_or_default();
    wanted("gpu1");
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/slurm/serve");
    let mut serve = Command::new(shipped);
    let programs = format!("{}:{}", path.display(), std::env::var("PATH").unwrap_or_default());
    serve.env("PATH", programs).env("MLINFRA_NODES", path.join("nodes"));
    serve.env("MLINFRA_PAUSE", "0.2").env("MLINFRA_TRIES", "1");
    let _serve = Peer::start(path, "serve", &mut serve);
    until("it is gpu1", async || log().ends_with("mlinfra node run\nslurmd -D -N gpu1\n")).await;
    assert!(log().starts_with("scontrol update nodename=gpu1 nodeaddr="), "{}", log());
    // Slurm suspends it.
    fs::remove_file(path.join("nodes/taken/gpu1")).expect("it is taken");
    until("it ends", async || log().ends_with("end\n")).await;
    wanted("gpu2");
    until("it is gpu2", async || log().ends_with("slurmd -D -N gpu2\n")).await;
}

#[test]
#[ignore = "needs shellcheck: run `make test`"]
fn shellcheck_has_nothing_to_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let peers = std::env::var_os("MLINFRA_PEERS").unwrap_or_else(|| "target/peers".into());
    let mut command = Command::new(Path::new(&peers).join("bin/shellcheck"));
    command.args(
        ["resume", "suspend", "claim", "serve"].map(|it| root.join("examples/slurm").join(it)),
    );
    run(command.args(["queues", "install"].map(|name| root.join("tests/peer").join(name))));
}
