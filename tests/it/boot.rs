//! The scripts of a node's boot, run by a real shell among fake tools: `nvidia-smi`, the
//! kernel's log, EFA devices, disks, mounts.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A machine in a folder.
struct Machine(tempfile::TempDir);

/// What a script said.
struct Said {
    code: i32,
    text: String,
}

impl Said {
    fn last(&self) -> &str {
        self.text.lines().last().unwrap_or_default()
    }
}

/// Another process writes it: a file that we had open for writing while another test began a
/// process could not be run ("text file busy").
fn executable(path: &Path, text: &str) {
    let mut child = Command::new("sh")
        .args(["-c", "cat >\"$0\" && chmod 755 \"$0\""])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .expect("a shell");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(text.as_bytes()).expect("written");
    drop(input);
    assert!(child.wait().expect("it ends").success());
}

impl Machine {
    /// Our scripts, a metadata service that knows nothing, and tools that note how they
    /// were called.
    fn new() -> Self {
        let machine = Self(tempfile::tempdir().expect("a folder"));
        let kernel = ["sys/class/infiniband", "sys/module/efa", "sys/module/ib_uverbs"];
        for folder in kernel.into_iter().chain(["lib", "bin", "etc", "run", "dev", "disks"]) {
            fs::create_dir_all(machine.at(folder)).expect("a folder");
        }
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/stack/machine");
        for entry in fs::read_dir(source).expect("our scripts").flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|it| it == "sh") {
                let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
                let text = fs::read_to_string(&path).expect("text");
                executable(&machine.at("lib").join(name), &text);
            }
        }
        machine.write("etc/env", "MLINFRA_STACK=s\n");
        machine.write("fstab", "");
        machine.write("dmesg", "");
        machine.expects(None);
        let calls = machine.at("calls");
        let note = format!("echo \"${{0##*/}} $*\" >>{}", calls.display());
        executable(&machine.at("lib/tag"), &format!("#!/bin/sh\n{note}\n"));
        executable(&machine.at("bin/dmesg"), &format!("#!/bin/sh\ncat {}/dmesg\n", machine.root()));
        executable(&machine.at("bin/systemctl"), "#!/bin/sh\nexit 3\n");
        for tool in
            ["mount", "mdadm", "mkfs.xfs", "mkfs.ext4", "mount-s3", "mount.lustre", "mount.efs"]
        {
            machine.tool(tool, "");
        }
        machine.tool("mountpoint", "exit 1");
        machine.tool("blkid", "exit 2");
        machine.tool("lsblk", "");
        machine.tool("chmod", "");
        machine.tool("runuser", "echo unlimited");
        machine
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn root(&self) -> String {
        self.0.path().display().to_string()
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.at(path), text).expect("written");
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.at(path)).unwrap_or_default()
    }

    /// A tool that notes its call and then does this.
    fn tool(&self, name: &str, body: &str) {
        let note = format!("echo \"{name} $*\" >>{}/calls", self.root());
        executable(&self.at("bin").join(name), &format!("#!/bin/bash\n{note}\n{body}\n"));
    }

    /// The tag of its launch.
    fn expects(&self, tag: Option<&str>) {
        let body = match tag {
            Some(tag) => format!(
                "case $1 in tags/instance/mlinfra:expect) echo \"{tag}\" ;; *) exit 22 ;; esac"
            ),
            None => "exit 22".to_owned(),
        };
        executable(&self.at("lib/imds"), &format!("#!/bin/sh\n{body}\n"));
    }

    /// A driver that sees GPUs of this name.
    fn gpus(&self, count: usize, name: &str, ecc: &str) {
        let line = |at| format!("{at}, {name}, 580.105.08, {ecc}\n");
        self.write("gpus", &(0..count).map(line).collect::<String>());
        let table = format!(
            "case $1 in --query-gpu=*) cat {0}/gpus ;; *) cat {0}/rows 2>/dev/null ;; esac",
            self.root()
        );
        self.tool("nvidia-smi", &table);
    }

    fn efa(&self, count: usize) {
        for at in 0..count {
            fs::create_dir_all(self.at(&format!("sys/class/infiniband/rdmap{at}s0"))).expect("it");
        }
    }

    fn run(&self, script: &str) -> Said {
        let root = self.root();
        // The boot itself finds our tools; the author's part must not.
        let ours = if script == "boot" { String::new() } else { format!("{root}/lib:") };
        let (name, words) = script.split_once(' ').unwrap_or((script, ""));
        let output = Command::new(self.at("lib").join(name))
            .args(words.split_whitespace())
            .env_clear()
            .env("PATH", format!("{ours}{root}/bin:/usr/bin:/bin"))
            .env("MLINFRA_LIB", format!("{root}/lib"))
            .env("MLINFRA_ETC", format!("{root}/etc"))
            .env("MLINFRA_RUN", format!("{root}/run"))
            .env("MLINFRA_KEEP", format!("{root}/keep"))
            .env("MLINFRA_SYS", format!("{root}/sys"))
            .env("MLINFRA_DEV", format!("{root}/dev"))
            .env("MLINFRA_DISKS", format!("{root}/disks"))
            .env("MLINFRA_DLAMI", format!("{root}/dlami"))
            .env("MLINFRA_EFA", format!("{root}/efa"))
            .env("MLINFRA_ROOT", &root)
            .env("MLINFRA_FSTAB", format!("{root}/fstab"))
            .env("MLINFRA_SCRATCH", format!("{root}/scratch"))
            .env("MLINFRA_SCRATCH_FS", "xfs")
            .env("AWS_REGION", "us-east-1")
            .env("MLINFRA_PAUSE", "0")
            .env("MLINFRA_TRIES", "2")
            .env("MLINFRA_CHECK_SECONDS", "2")
            .stdin(Stdio::null())
            .output()
            .expect("it starts");
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Said { code: output.status.code().expect("no signal"), text }
    }

    /// What the boot check says in the end.
    fn check(&self) -> (i32, String) {
        let said = self.run("check");
        (said.code, said.last().to_owned())
    }
}

fn xid(number: u32) -> String {
    format!("[   61.2] NVRM: Xid (PCI:0000:53:00): {number}, pid=1, GPU has a problem\n")
}

#[test]
fn a_good_machine_passes_and_one_without_what_was_paid_for_does_not() {
    let good = (0, "good".to_owned());
    let bad = |text: &str| (1, text.to_owned());
    let machine = Machine::new();
    assert_eq!(machine.check(), good, "nothing is known of it");
    machine.expects(Some("nvidia=8"));
    assert_eq!(machine.check(), bad("no NVIDIA driver: nvidia-smi is missing"));
    machine.tool(
        "nvidia-smi",
        "echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18",
    );
    let mismatch = "nvidia-smi: Failed to initialize NVML: Driver/library version mismatch";
    assert_eq!(machine.check(), bad(mismatch));
    machine.gpus(7, "NVIDIA H100 80GB HBM3", "0");
    assert_eq!(machine.check(), bad("7 of 8 GPUs"));
    machine.gpus(8, "NVIDIA H100 80GB HBM3", "0");
    assert_eq!(machine.check(), good);
    // A slice or an older GPU counts no errors.
    machine.gpus(8, "Tesla T4", "[N/A]");
    assert_eq!(machine.check(), good);
    machine.gpus(8, "NVIDIA H100 80GB HBM3", "2");
    assert_eq!(machine.check(), bad("uncorrected ECC errors on GPU 0 1 2 3 4 5 6 7"));
    machine.gpus(8, "NVIDIA H100 80GB HBM3", "0");
    machine.write("rows", "No\nYes\n");
    assert_eq!(machine.check(), bad("row remapping has failed on a GPU"));
    machine.write("rows", "No\n0\n");
    assert_eq!(machine.check(), good);

    let neuron = Machine::new();
    neuron.expects(Some("neuron=2"));
    assert_eq!(neuron.check(), bad("0 of 2 Neuron devices"));
    neuron.write("dev/neuron0", "");
    neuron.write("dev/neuron1", "");
    assert_eq!(neuron.check(), good);
}

#[test]
fn what_the_driver_has_reported_is_weighed() {
    let machine = Machine::new();
    machine.expects(Some("nvidia=8"));
    let with = |name: &str, log: String| {
        machine.gpus(8, name, "0");
        machine.write("dmesg", &format!("[    0.0] Linux version 6.8\n{log}"));
        machine.check()
    };
    let (h100, a100) = ("NVIDIA H100 80GB HBM3", "NVIDIA A100-SXM4-80GB");
    let bad = |text: &str| (1, text.to_owned());
    let good = (0, "good".to_owned());
    for number in
        [13, 31, 43, 63, 81, 92, 94, 121, 125, 126, 144, 150, 154, 157, 159, 162, 165, 999]
    {
        assert_eq!(with(h100, xid(number)), good, "{number}");
    }
    for number in [79, 151, 168] {
        assert_eq!(with(h100, xid(number)), bad(&format!("reboot after Xid {number}")));
    }
    let resets = [48, 64, 74, 95, 109, 110, 119, 120, 136, 140, 143, 155, 156, 158];
    for number in resets {
        assert_eq!(with(h100, xid(number)), bad(&format!("reset after Xid {number}")));
    }
    assert_eq!(with(h100, xid(54)), bad("isolate after Xid 54"));
    for number in [64, 95] {
        assert_eq!(with(a100, xid(number)), bad(&format!("reboot after Xid {number}")));
    }
    // The worst counts, whatever the order.
    assert_eq!(with(h100, xid(13) + &xid(48) + &xid(79)), bad("reboot after Xid 79"));
    assert_eq!(with(h100, xid(79) + &xid(48)), bad("reboot after Xid 79"));
    assert_eq!(with(h100, xid(54) + &xid(79) + &xid(48)), bad("isolate after Xid 54"));
    let switch = "[ 62.0] nvidia-nvswitch0: SXid (PCI:0000:c4:00.0): 12028, Fatal\n";
    assert_eq!(with(h100, xid(74) + switch), bad("reset after Xid 74: NVSwitch"));
    // Another driver's words are none of ours.
    assert_eq!(with(h100, "Xid 79 said somebody\n".to_owned()), good);
}

/// The author's part may bring the driver: it runs before the GPUs are looked for, and what runs
/// containers is told of them afterwards. Where the image has a driver a bad machine is found first.
#[test]
fn a_set_up_that_brings_the_driver_runs_before_the_check() {
    let machine = Machine::new();
    for step in ["agent", "efa", "mounts", "scratch"] {
        fs::remove_file(machine.at("lib").join(step)).expect("a step");
    }
    let root = machine.root();
    let sees = "command -v nvidia-smi >/dev/null && sees=GPUs || sees=nothing";
    let note = |what: &str| format!("#!/bin/bash\n{sees}\necho {what} $sees >>{root}/calls\n");
    executable(&machine.at("lib/containers"), &note("containers"));
    let brings = format!("mv {root}/driver {root}/bin/nvidia-smi\n");
    executable(&machine.at("lib/setup"), &(note("setup") + &brings));
    machine.expects(Some("nvidia=1"));
    machine.gpus(1, "NVIDIA A10G", "0");
    fs::rename(machine.at("bin/nvidia-smi"), machine.at("driver")).expect("moved");
    let order = || {
        let calls = machine.read("calls");
        let ours = |it: &&str| it.starts_with("containers") || it.starts_with("setup");
        let out: Vec<String> = calls.lines().filter(ours).map(str::to_owned).collect();
        machine.write("calls", "");
        out
    };
    let said = machine.run("boot");
    assert_eq!((said.code, machine.read("run/boot").as_str()), (0, "ready\n\n"), "{}", said.text);
    assert_eq!(order(), ["containers nothing", "setup nothing", "containers GPUs"]);
    // It has its driver by now, and is set up.
    assert_eq!(machine.run("boot").code, 0);
    assert_eq!(order(), ["containers GPUs"]);

    // What the author's part did not bring is missed.
    fs::remove_file(machine.at("keep/setup-done")).expect("it was set up");
    fs::remove_file(machine.at("bin/nvidia-smi")).expect("the driver");
    executable(&machine.at("lib/setup"), &note("setup"));
    assert_eq!(machine.run("boot").code, 1);
    assert_eq!(order(), ["containers nothing", "setup nothing", "containers nothing"]);
    assert_eq!(
        machine.read("run/boot"),
        "unhealthy\ncheck: no NVIDIA driver: nvidia-smi is missing\n"
    );

    fs::remove_file(machine.at("keep/setup-done")).expect("it was set up");
    machine.gpus(0, "", "");
    assert_eq!(machine.run("boot").code, 1);
    assert_eq!(order(), ["containers GPUs"]);
    assert_eq!(machine.read("run/boot"), "unhealthy\ncheck: 0 of 1 GPUs\n");
}

#[test]
fn efa_devices_may_come_late_and_dcgm_has_its_say() {
    let machine = Machine::new();
    machine.expects(Some("nvidia=1 efa=2"));
    machine.gpus(1, "NVIDIA H100 80GB HBM3", "0");
    assert_eq!(machine.check(), (1, "0 of 2 EFA devices".to_owned()));
    machine.efa(1);
    assert_eq!(machine.check(), (1, "1 of 2 EFA devices".to_owned()));
    // The second comes during the second wait.
    let late = format!(
        "echo x >>{0}/waits; [ $(wc -l <{0}/waits) -lt 2 ] || mkdir -p {0}/sys/class/infiniband/rdmap9s0",
        machine.root()
    );
    executable(&machine.at("bin/sleep"), &format!("#!/bin/sh\n{late}\n"));
    assert_eq!(machine.check(), (0, "good".to_owned()));
    assert_eq!(machine.read("waits").lines().count(), 2);

    machine.tool("systemctl", "");
    machine.tool("dcgmi", "echo '| Deployment | Pass |'");
    assert_eq!(machine.check(), (0, "good".to_owned()));
    assert!(machine.read("calls").contains("dcgmi diag -r 1"));
    machine.tool("dcgmi", "echo '| PCIe  | Fail - GPU 3 |'; exit 226");
    assert_eq!(machine.check(), (1, "DCGM: PCIe Fail - GPU 3".to_owned()));
}

/// Devices that programs cannot use are none.
#[test]
fn efa_that_no_job_could_use_fails_the_boot() {
    let bad = |text: &str| (1, text.to_owned());
    let good = (0, "good".to_owned());
    let machine = Machine::new();
    machine.expects(Some("efa=2"));
    machine.efa(2);
    assert_eq!(machine.check(), good);
    fs::remove_dir(machine.at("sys/module/ib_uverbs")).expect("a module");
    assert_eq!(machine.check(), bad("kernel modules of EFA are not loaded: ib_uverbs"));
    let watch = machine.run("check watch");
    assert_eq!(watch.last(), "kernel modules of EFA are not loaded: ib_uverbs");
    fs::remove_dir(machine.at("sys/module/efa")).expect("a module");
    fs::remove_dir_all(machine.at("sys/class/infiniband")).expect("devices");
    assert_eq!(machine.check(), bad("0 of 2 EFA devices, not loaded: efa ib_uverbs"));
    for module in ["efa", "ib_uverbs"] {
        fs::create_dir(machine.at("sys/module").join(module)).expect("a module");
    }
    machine.efa(2);

    // Libfabric stands beside the PATH.
    fs::create_dir_all(machine.at("efa/bin")).expect("a folder");
    let says = |text: &str, code: u8| {
        let body =
            format!("#!/bin/sh\n[ \"$*\" = '-p efa' ] || exit 9\necho '{text}'\nexit {code}\n");
        executable(&machine.at("efa/bin/fi_info"), &body);
    };
    says("fi_getinfo: -61 (No data available)", 61);
    assert_eq!(machine.check(), bad("fi_info finds no EFA: fi_getinfo: -61 (No data available)"));
    // Jobs use the devices: nobody else opens them then.
    assert_eq!(machine.run("check watch").last(), "good");
    says("provider: tcp", 0);
    assert_eq!(machine.check(), bad("fi_info finds no EFA"));
    says("provider: efa", 0);
    assert_eq!(machine.check(), good);

    machine.tool("runuser", "echo 65536");
    assert_eq!(machine.check(), bad("only 65536 KiB of memory may be pinned, EFA wants 16 GiB"));
    machine.tool("runuser", "echo 16777216");
    assert_eq!(machine.check(), good);
    // Without EFA none of it is asked.
    machine.tool("runuser", "echo 64");
    machine.expects(Some("nvidia=1"));
    machine.gpus(1, "NVIDIA A10G", "0");
    assert_eq!(machine.check(), good);
}

#[test]
fn with_efa_jobs_may_pin_their_memory() {
    let machine = Machine::new();
    machine.tool("systemctl", "");
    machine.tool("docker", "");
    assert_eq!(machine.run("efa").code, 0, "nothing is known of it");
    machine.expects(Some("nvidia=8"));
    assert_eq!(machine.run("efa").code, 0);
    assert!(!machine.at("etc/security").exists() && !machine.at("etc/docker").exists());

    machine.expects(Some("nvidia=8 efa=32"));
    fs::create_dir_all(machine.at("etc/docker")).expect("a folder");
    let runtime = "{\"runtimes\": {\"nvidia\": {\"path\": \"nvidia-container-runtime\"}}}";
    machine.write("etc/docker/daemon.json", runtime);
    let said = machine.run("efa");
    assert_eq!((said.code, said.text.as_str()), (0, ""));
    let limits = machine.read("etc/security/limits.d/99-mlinfra.conf");
    assert_eq!(limits, "* - memlock unlimited\nroot - memlock unlimited\n");
    let systemd = machine.read("etc/systemd/system.conf.d/mlinfra.conf");
    assert_eq!(systemd, "[Manager]\nDefaultLimitMEMLOCK=infinity\n");
    let docker: serde_json::Value =
        serde_json::from_str(&machine.read("etc/docker/daemon.json")).expect("JSON");
    let memlock = serde_json::json!({"Name": "memlock", "Hard": -1, "Soft": -1});
    assert_eq!(docker["default-ulimits"]["memlock"], memlock);
    assert_eq!(docker["runtimes"]["nvidia"]["path"], "nvidia-container-runtime");
    let restarts = || machine.read("calls").matches("systemctl restart docker").count();
    assert_eq!(restarts(), 1);

    // Another boot disturbs nothing, and what somebody has set stays.
    assert_eq!(machine.run("efa").code, 0);
    assert_eq!(restarts(), 1);
    let own =
        "{\"default-ulimits\": {\"memlock\": {\"Name\": \"memlock\", \"Hard\": 5, \"Soft\": 5}}}";
    machine.write("etc/docker/daemon.json", own);
    assert_eq!(machine.run("efa").code, 0);
    assert_eq!((restarts(), machine.read("etc/docker/daemon.json").as_str()), (1, own));
    machine.write("etc/docker/daemon.json", "{ not JSON");
    assert_eq!(machine.run("efa").code, 1);
}

/// The same check while jobs run: it waits for nothing, and runs nothing on the GPUs.
#[test]
fn a_machine_is_watched_without_disturbing_its_jobs() {
    let machine = Machine::new();
    machine.expects(Some("nvidia=1 efa=2"));
    machine.gpus(1, "NVIDIA H100 80GB HBM3", "0");
    machine.efa(1);
    machine.tool("systemctl", "");
    machine.tool("sleep", "");
    let watch = || {
        let said = machine.run("check watch");
        (said.code, said.last().to_owned())
    };
    machine.tool("dcgmi", "echo '| Overall Health | Healthy |'");
    assert_eq!(watch(), (1, "1 of 2 EFA devices".to_owned()));
    machine.efa(2);
    assert_eq!(watch(), (0, "good".to_owned()));
    let calls = machine.read("calls");
    assert!(calls.contains("dcgmi health --check") && !calls.contains("diag"), "{calls}");
    machine.tool(
        "dcgmi",
        "echo '| Overall Health | Failure |'; echo '| NVLink | Failure: link 3 down |'",
    );
    assert_eq!(watch(), (1, "DCGM: NVLink Failure: link 3 down".to_owned()));
    machine.tool("dcgmi", "exit 1");
    assert_eq!(watch(), (0, "good".to_owned()));
    machine.write("dmesg", &xid(79));
    assert_eq!(watch(), (1, "reboot after Xid 79".to_owned()));
    machine.write("dmesg", "");
    assert!(!machine.read("calls").contains("sleep"));
    machine.gpus(0, "", "");
    assert_eq!(watch(), (1, "0 of 1 GPUs".to_owned()));
}

/// The states that were tagged.
fn tagged(machine: &Machine) -> Vec<String> {
    let calls = machine.read("calls");
    calls.lines().filter_map(|line| Some(line.strip_prefix("tag ")?.to_owned())).collect()
}

#[test]
fn a_boot_ends_ready_or_says_which_step_failed_and_why() {
    let machine = Machine::new();
    for step in ["agent", "containers", "efa", "mounts", "scratch"] {
        fs::remove_file(machine.at("lib").join(step)).expect("a step");
    }
    let note = |word: &str| {
        format!("#!/bin/bash\necho {word} $MLINFRA_STACK >>{}/calls\n", machine.root())
    };
    executable(&machine.at("lib/scratch"), &note("scratch"));
    executable(&machine.at("lib/setup"), &(note("setup") + "command -v imds && exit 9\nexit 0\n"));
    let state = |word: &str, reason: &str| format!("mlinfra:state={word} mlinfra:reason={reason}");
    let said = machine.run("boot");
    assert_eq!(said.code, 0, "{}", said.text);
    assert_eq!(tagged(&machine), [state("booting", ""), state("ready", "")]);
    assert_eq!(machine.read("run/boot"), "ready\n\n");
    let steps = |word: &str| machine.read("calls").lines().filter(|it| *it == word).count();
    assert_eq!((steps("scratch s"), steps("setup s")), (1, 1));

    // At the next boot all but the author's part runs again.
    assert_eq!(machine.run("boot").code, 0);
    assert_eq!((steps("scratch s"), steps("setup s")), (2, 1));

    machine.write("calls", "");
    machine.expects(Some("nvidia=4"));
    machine.gpus(3, "NVIDIA A10G", "0");
    assert_eq!(machine.run("boot").code, 1);
    assert_eq!(tagged(&machine)[1], state("unhealthy", "check: 3 of 4 GPUs"));
    assert_eq!(machine.read("run/boot"), "unhealthy\ncheck: 3 of 4 GPUs\n");

    // What hangs is ended, and with it what it has started.
    machine.write("calls", "");
    machine.tool("nvidia-smi", "/usr/bin/sleep 600");
    let begun = std::time::Instant::now();
    assert_eq!(machine.run("boot").code, 1);
    assert!(begun.elapsed().as_secs() < 60);
    assert_eq!(tagged(&machine)[1], state("unhealthy", "check: took too long"));

    // With an agent it is the agent who tags; and no step after a failed one runs.
    machine.write("calls", "");
    fs::remove_file(machine.at("keep/setup-done")).expect("it was set up");
    executable(
        &machine.at("lib/scratch"),
        "#!/bin/sh\necho 'mkfs: no; $(reboot) \"x\"' >&2\necho\nexit 1\n",
    );
    machine.tool("systemctl", "");
    assert_eq!(machine.run("boot").code, 1);
    assert_eq!(tagged(&machine), [""; 0]);
    assert_eq!(machine.read("run/boot"), "unhealthy\nscratch: mkfs: no reboot x\n");
    assert_eq!(steps("setup s"), 0);
}

#[test]
fn local_disks_become_one_and_what_holds_something_is_left_alone() {
    let disk = |machine: &Machine, at: usize| {
        machine.write(&format!("dev/nvme{at}n1"), "");
        let name = format!("disks/nvme-Amazon_EC2_NVMe_Instance_Storage_AWS{at:02}");
        symlink(machine.at(&format!("dev/nvme{at}n1")), machine.at(&name)).expect("a link");
    };
    let none = Machine::new();
    let said = none.run("scratch");
    assert_eq!((said.code, said.last()), (0, "there are no local disks"));
    assert_eq!(none.read("fstab"), "");

    let one = Machine::new();
    disk(&one, 1);
    // The same disk by another name.
    let twin = "disks/nvme-Amazon_EC2_NVMe_Instance_Storage_AWS01-ns-1";
    symlink(one.at("dev/nvme1n1"), one.at(twin)).expect("a link");
    assert_eq!(one.run("scratch").code, 0);
    assert!(
        one.read("calls").contains(&format!("mkfs.xfs -L mlscratch {}/dev/nvme1n1", one.root()))
    );
    assert!(!one.read("calls").contains("mdadm"));
    let line = format!("LABEL=mlscratch {}/scratch xfs defaults,noatime,nofail 0 2\n", one.root());
    assert_eq!(one.read("fstab"), line);
    assert!(one.read("calls").contains(&format!("mount {}/scratch", one.root())));
    // At the next boot it is found again, and no entry is written twice.
    one.write("calls", "");
    one.tool("blkid", "echo /dev/nvme1n1");
    assert_eq!(one.run("scratch").code, 0);
    assert!(!one.read("calls").contains("mkfs"));
    assert_eq!(one.read("fstab"), line);

    let many = Machine::new();
    (1..=3).for_each(|at| disk(&many, at));
    many.tool("lsblk", "case $3 in *nvme2n1) echo 'ext4 /data' ;; esac");
    assert_eq!(many.run("scratch").code, 0);
    let raid = format!(
        "mdadm --create /dev/md/mlinfra --run --level=0 --name=mlinfra --raid-devices=2 \
         {0}/dev/nvme1n1 {0}/dev/nvme3n1",
        many.root()
    );
    assert!(many.read("calls").contains(&raid), "{}", many.read("calls"));
    assert!(many.read("calls").contains("mkfs.xfs -L mlscratch /dev/md/mlinfra"));

    let full = Machine::new();
    disk(&full, 1);
    full.tool("lsblk", "echo 'ext4 /data'");
    assert_eq!(full.run("scratch").last(), "no local disk is free");
    assert!(!full.read("calls").contains("mkfs"));

    let dlami = Machine::new();
    fs::create_dir_all(dlami.at("dlami/nvme")).expect("a folder");
    disk(&dlami, 1);
    dlami.tool("mountpoint", "case $2 in */dlami/nvme) exit 0 ;; *) exit 1 ;; esac");
    assert_eq!(dlami.run("scratch").code, 0);
    assert!(!dlami.read("calls").contains("mkfs"));
    let bind = format!("{0}/dlami/nvme {0}/scratch none bind,nofail", dlami.root());
    assert!(dlami.read("fstab").starts_with(&bind), "{}", dlami.read("fstab"));
}

#[test]
fn mounts_stand_in_fstab_and_only_a_blank_volume_gets_a_file_system() {
    let machine = Machine::new();
    let root = machine.root();
    let list = |lines: &[[&str; 4]]| {
        let line = |words: &[&str; 4]| format!("{}\n", words.join("\t"));
        machine.write("etc/mounts", &lines.iter().map(line).collect::<String>());
    };
    executable(&machine.at("lib/imds"), "#!/bin/sh\necho i-1\n");
    let (data, fsx, home) =
        (format!("{root}/my data"), format!("{root}/fsx"), format!("{root}/home"));
    list(&[
        ["s3", "acme-data", &data, "ro"],
        ["s3", "s3://acme-out/runs/", &home, "rw"],
        ["lustre", "fs-1", &fsx, "rw"],
        ["efs", "fs-2", &home, "rw"],
    ]);
    let name = "printf 'fs-1.fsx.us-east-1.amazonaws.com\\tabc\\n'";
    machine
        .tool("aws", &format!("case $1 in fsx) {name} ;; *) echo 'in use' >&2; exit 254 ;; esac"));
    assert_eq!(machine.run("mounts").code, 0);
    let expected = format!(
        "s3://acme-data {root}/my\\040data mount-s3 _netdev,nofail,ro,nosuid,nodev,allow-other 0 0\n\
         s3://acme-out/runs/ {home} mount-s3 _netdev,nofail,rw,nosuid,nodev,allow-other,allow-delete,allow-overwrite 0 0\n\
         fs-1.fsx.us-east-1.amazonaws.com@tcp:/abc {fsx} lustre _netdev,nofail,rw,noatime,flock 0 0\n\
         fs-2:/ {home} efs _netdev,nofail,rw,tls,noresvport 0 0\n"
    );
    assert_eq!(machine.read("fstab"), expected);
    assert!(machine.read("calls").contains(&format!("mount {data}\n")));
    // Again: nothing is written twice.
    assert_eq!(machine.run("mounts").code, 0);
    assert_eq!(machine.read("fstab"), expected);

    list(&[["ebs", "vol-0abc", &home, "rw"]]);
    let said = machine.run("mounts");
    assert_eq!((said.code, said.last()), (1, "volume vol-0abc is not attached: in use"));
    let call = "aws ec2 attach-volume --region us-east-1 --volume-id vol-0abc --instance-id i-1";
    assert_eq!(machine.read("calls").matches(call).count(), 2, "{}", machine.read("calls"));
    machine.write("calls", "");
    machine.write("dev/nvme5n1", "");
    let name = "disks/nvme-Amazon_Elastic_Block_Store_vol0abc";
    symlink(machine.at("dev/nvme5n1"), machine.at(name)).expect("a link");
    machine.tool("blkid", "case $4 in UUID) echo 1234 ;; esac");
    machine.write("fstab", "");
    assert_eq!(machine.run("mounts").code, 0);
    assert!(machine.read("calls").contains(&format!("mkfs.ext4 -q {root}/dev/nvme5n1")));
    assert_eq!(machine.read("fstab"), format!("UUID=1234 {home} ext4 nofail,noatime,rw 0 0\n"));
    machine.write("calls", "");
    machine.tool("blkid", "case $4 in UUID) echo 1234 ;; TYPE) echo xfs ;; esac");
    machine.write("fstab", "");
    assert_eq!(machine.run("mounts").code, 0);
    assert!(!machine.read("calls").contains("mkfs"), "{}", machine.read("calls"));
    assert_eq!(machine.read("fstab"), format!("UUID=1234 {home} xfs nofail,noatime,rw 0 0\n"));

    machine.tool("mount", "exit 32");
    let said = machine.run("mounts");
    assert_eq!(
        (said.code, said.last()),
        (1, &*format!("ebs vol-0abc cannot be mounted at {home}"))
    );
    list(&[["tape", "x", &home, "rw"]]);
    assert_eq!(machine.run("mounts").code, 1);
}

/// What `mlinfra apply` writes for a service.
fn service(machine: &Machine, more: &str) {
    machine.write(
        "etc/service",
        &format!(
            "image=''\nuser=''\ncommand=('true')\nenv=()\nsecrets=()\nfolders=()\nports=('5000')\n\
             health_path=''\nhealth_port=5000\nhealth_command=()\ninterval=10\ntimeout=5\n\
             retries=2\ngrace=0\n{more}"
        ),
    );
}

#[test]
fn a_container_gets_its_words_its_secrets_and_its_folders() {
    let machine = Machine::new();
    let root = machine.root();
    service(
        &machine,
        "image='123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:v1'\n\
         command=('serve' 'a b' '$(reboot)')\nenv=('COLOR=dark blue')\n\
         secrets=('PASSWORD=ssm:/s/p' 'KEY=secretsmanager:s/k')\nfolders=('/data')\n",
    );
    machine.tool(
        "aws",
        "case $1 in ssm) echo hunter2 ;; secretsmanager) printf 'two\\nlines\\n' ;; *) echo t ;; esac",
    );
    // As the real one does: whoever does not read the password breaks the pipe.
    let inside = "if [ \"$1\" = login ]; then cat >/dev/null; fi; \
                  if [ \"$1\" = run ]; then printf '%s|%s|%s\\n' \"$COLOR\" \"$PASSWORD\" \"$KEY\"; \
                  for word in \"$@\"; do echo \"<$word>\"; done; fi";
    machine.tool("docker", inside);
    let said = machine.run("service run");
    assert_eq!(said.code, 0, "{}", said.text);
    assert!(said.text.contains("dark blue|hunter2|two\nlines\n"), "{}", said.text);
    for word in
        ["<--network>\n<host>", "<--env>\n<PASSWORD>", "<a b>\n<$(reboot)>", "</data:/data>"]
    {
        assert!(said.text.contains(word), "{word}: {}", said.text);
    }
    let calls = machine.read("calls");
    assert!(calls.contains("aws ecr get-login-password --region eu-west-1"), "{calls}");
    assert!(!calls.contains("hunter2"), "a secret stands in no list of processes: {calls}");
    machine.tool("aws", "exit 254");
    let said = machine.run("service run");
    assert_eq!(
        (said.code, said.last()),
        (1, "the secret for PASSWORD cannot be read from ssm:/s/p")
    );

    service(&machine, &format!("command=('{root}/bin/serve' 'a b')\n"));
    machine.tool("serve", "echo \"<$1>\"");
    assert_eq!(machine.run("service run").last(), "<a b>");
}

#[test]
fn health_is_asked_for_as_it_was_declared_and_said_when_it_changes() {
    let machine = Machine::new();
    machine.write("run/x", "");
    let bad = |text: &str| (1, format!("not healthy after 0 s: {text}"));
    let start = || {
        let said = machine.run("health start");
        (said.code, said.last().to_owned())
    };
    service(&machine, "health_path='/up'\n");
    for (answer, reason) in [
        ("exit 7", "nobody answers on port 5000"),
        ("exit 28", "/up on port 5000 took too long"),
        ("printf 503", "/up on port 5000 answers 503"),
    ] {
        machine.tool("curl", answer);
        assert_eq!(start(), bad(reason));
    }
    machine.tool("curl", "printf 302");
    machine.tool("systemctl", "");
    assert_eq!(start(), (0, "healthy".to_owned()));
    assert!(machine.read("calls").contains("systemctl start mlinfra-health.timer"));
    assert!(machine.read("calls").contains("http://127.0.0.1:5000/up"));

    service(&machine, "image=web\nhealth_command=(probe 'a b')\n");
    machine.tool("docker", "echo not yet; exit 3");
    assert_eq!(start(), bad("probe ended with 3: not yet"));
    assert!(machine.read("calls").contains("docker exec mlinfra-service probe a b"));
    service(&machine, "ports=('1')\n");
    assert_eq!(start(), bad("nobody answers on port 1"));

    // It counts, says so once, starts the service again, and says when that has helped.
    machine.tool("systemctl", "[ \"$1\" != is-active ]");
    service(&machine, "health_path='/up'\n");
    machine.tool("curl", "exit 7");
    machine.write("calls", "");
    for _ in 0..4 {
        assert_eq!(machine.run("health watch").code, 0);
    }
    let calls = machine.read("calls");
    let state = "tag mlinfra:state=unhealthy mlinfra:reason=health: nobody answers on port 5000";
    assert_eq!(calls.matches(state).count(), 1, "{calls}");
    assert_eq!(calls.matches("restart --no-block mlinfra-service").count(), 2, "{calls}");
    machine.tool("curl", "printf 200");
    machine.run("health watch");
    assert!(machine.read("calls").contains("tag mlinfra:state=ready"), "{}", machine.read("calls"));
    machine.write("calls", "");
    machine.run("health watch");
    assert!(!machine.read("calls").contains("tag "), "{}", machine.read("calls"));
}

#[test]
fn an_agent_in_s3_is_fetched_by_the_cli_that_the_image_may_not_have() {
    let binary = "#!/bin/sh\nexit 0\n";
    let sum = mlinfra::kinds::walk::sha256(binary);
    let url = "s3://acme-tools/mlinfra";
    let machine = Machine::new();
    let root = machine.root();
    for step in ["containers", "efa", "mounts", "scratch", "setup"] {
        drop(fs::remove_file(machine.at("lib").join(step)));
    }
    machine.write("shelf", binary);
    let settings = format!(
        "MLINFRA_STACK=s\nMLINFRA_AGENT_URL={url}\nMLINFRA_AGENT_SHA256={sum}\n\
         MLINFRA_AGENT_AT={root}/mlinfra\n"
    );
    machine.write("etc/env", &settings);
    // The CLI is not there before it is installed; then the right takes its time.
    let aws = format!(
        "#!/bin/bash\necho \"aws $*\" >>{root}/calls\n\
         if [ ! -e {root}/late ]; then touch {root}/late; echo AccessDenied >&2; exit 1; fi\n\
         cp {root}/shelf \"${{@: -1}}\"\n"
    );
    executable(&machine.at("shelved"), &aws);
    let install = format!("#!/bin/sh\necho cli >>{root}/calls\ncp {root}/shelved {root}/bin/aws\n");
    executable(&machine.at("lib/cli"), &install);
    machine.tool("systemctl", "case $1 in is-active) exit 3 ;; esac");
    machine.tool("chmod", "exec /usr/bin/chmod \"$@\"");
    let said = machine.run("boot");
    assert_eq!((said.code, machine.read("run/boot").as_str()), (0, "ready\n\n"), "{}", said.text);
    assert_eq!(machine.read("mlinfra"), binary);
    let calls = machine.read("calls");
    assert_eq!(calls.matches(&format!("aws s3 cp --quiet {url} ")).count(), 2, "{calls}");
    assert!(calls.find("cli") < calls.find("aws"), "{calls}");
    assert!(calls.contains("systemctl enable --now mlinfra-node"), "{calls}");

    // It is there: nothing is fetched. Another one that cannot be had is said.
    machine.write("calls", "");
    assert_eq!(machine.run("boot").code, 0);
    assert!(!machine.read("calls").contains("aws"));
    machine.write("etc/env", &settings.replace(&sum, &"0".repeat(64)));
    fs::remove_file(machine.at("shelf")).expect("it goes");
    assert_eq!(machine.run("boot").code, 1);
    let reason = format!("unhealthy\nagent: the agent cannot be fetched from {url}\n");
    assert_eq!(machine.read("run/boot"), reason);
    assert_eq!(machine.read("mlinfra"), binary);
}

#[test]
fn a_set_up_that_is_fetched_runs_once_it_is_what_was_asked_for() {
    let script = "#!/bin/bash\necho \"set up in $PWD\" >>\"$0.ran\"\n";
    let sum = mlinfra::kinds::walk::sha256(script);
    let machine = Machine::new();
    for step in ["agent", "containers", "efa", "mounts", "scratch"] {
        fs::remove_file(machine.at("lib").join(step)).expect("a step");
    }
    let far = fs::read_to_string(machine.at("lib/far")).expect("our script");
    executable(&machine.at("lib/setup"), &far);
    let arn = "arn:aws:s3:::llm-setup-train/mlinfra/setup";
    machine.write("etc/setup", &format!("{arn}\n{sum}\n"));
    machine.write("shelf", script);
    let copy = format!(
        "[ ! -e {0}/deny ] || {{ echo 'AccessDenied' >&2; exit 1; }}\ncp {0}/shelf \"${{@: -1}}\"",
        machine.root()
    );
    machine.tool("aws", &copy);
    machine.tool("chmod", "exec /usr/bin/chmod \"$@\"");
    machine.write("deny", "");
    let reason =
        |machine: &Machine| machine.read("run/boot").lines().nth(1).unwrap_or_default().to_owned();
    let said = machine.run("boot");
    assert_eq!(
        (said.code, machine.read("run/boot").starts_with("unhealthy")),
        (1, true),
        "{}",
        said.text
    );
    let from = "s3://llm-setup-train/mlinfra/setup";
    assert_eq!(reason(&machine), format!("setup: it cannot be fetched from {from}"));
    assert_eq!(machine.read("calls").matches(&format!("aws s3 cp --quiet {from} ")).count(), 2);

    // Something else stands there.
    fs::remove_file(machine.at("deny")).expect("it goes");
    machine.write("shelf", "#!/bin/bash\nreboot\n");
    let said = machine.run("boot");
    assert_eq!(said.code, 1, "{}", said.text);
    assert!(reason(&machine).starts_with("setup: its checksum is "), "{}", reason(&machine));
    assert!(!machine.at("keep/setup").exists() && !machine.read("calls").contains("reboot"));

    machine.write("shelf", script);
    let said = machine.run("boot");
    assert_eq!((said.code, machine.read("run/boot").as_str()), (0, "ready\n\n"), "{}", said.text);
    assert_eq!(machine.read("keep/setup.ran").lines().count(), 1);
    let left = fs::read_dir(machine.at("keep")).expect("a folder").count();
    assert_eq!(left, 3, "the script, its trace, and that it is done");
    // It is kept: nothing is fetched again.
    let before = machine.read("calls").matches("aws s3 cp").count();
    fs::remove_file(machine.at("keep/setup-done")).expect("it goes");
    machine.write("deny", "");
    assert_eq!(machine.run("boot").code, 0);
    assert_eq!(machine.read("calls").matches("aws s3 cp").count(), before);
    assert_eq!(machine.read("keep/setup.ran").lines().count(), 2);
}
