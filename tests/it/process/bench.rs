//! A folder with the quickstart and a simulated region, and the binary to run in it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

const MLINFRA: &str = env!("CARGO_BIN_EXE_mlinfra");
/// Longer than anything here takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// Whether time jumps to whatever is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    Jumps,
    Real,
}

/// Where the ledger is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// In `.mlinfra/`, beside the stack.
    Folder,
    /// In a bucket of the simulated world, with a lock that lasts a second.
    Bucket,
}

/// The bucket's block.
const BACKEND: &str =
    "  backend \"s3\" {\n    bucket = \"acme-mlinfra\"\n    lease  = \"1s\"\n  }\n";

/// How a process ended.
#[derive(Debug)]
pub struct Done {
    /// None when a signal ended it.
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// The folder. At its end no process of it may be left, and it is removed.
pub struct Bench {
    folder: TempDir,
    pub kept: Kept,
}

impl Bench {
    pub fn new() -> Self {
        Self::with(Kept::Folder)
    }

    pub fn with(kept: Kept) -> Self {
        let folder = TempDir::with_prefix("mlinfra-process-").unwrap();
        let text = include_str!("../../../examples/quickstart/main.hcl");
        let head = "stack \"quickstart\" {\n";
        assert!(text.contains(head), "the quickstart has a stack");
        let text = match kept {
            Kept::Folder => text.to_owned(),
            Kept::Bucket => text.replacen(head, &format!("{head}{BACKEND}"), 1),
        };
        fs::write(folder.path().join("main.hcl"), text).unwrap();
        Self { folder, kept }
    }

    /// The folder of the ledger.
    pub fn ledger(&self) -> &'static str {
        match self.kept {
            Kept::Folder => ".mlinfra",
            Kept::Bucket => ".mlinfra-sandbox/buckets/acme-mlinfra/mlinfra/quickstart",
        }
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    fn command(&self, program: &str, clock: Clock) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("MLINFRA_SANDBOX", "1").env("MLINFRA", MLINFRA).env("USER", "ana");
        if clock == Clock::Real {
            command.env("MLINFRA_SANDBOX_CLOCK", "real");
        }
        command
    }

    pub fn start(&self, args: &[&str], clock: Clock) -> Running {
        let mut command = self.command(MLINFRA, clock);
        Running::of(command.args(args).stdin(Stdio::null()))
    }

    pub fn run(&self, args: &[&str]) -> Done {
        self.run_with(args, Stdio::null())
    }

    pub fn run_with(&self, args: &[&str], input: Stdio) -> Done {
        Running::of(self.command(MLINFRA, Clock::Jumps).args(args).stdin(input)).end()
    }

    pub fn shell(&self, script: &str) -> Done {
        let mut command = self.command("bash", Clock::Jumps);
        Running::of(command.args(["-c", script]).stdin(Stdio::null())).end()
    }

    /// Changes a rule of the simulated region.
    pub fn set(&self, key: &str, value: &str) {
        let done = self.run(&["sandbox", "set", key, value]);
        assert_eq!(done.code, Some(0), "{done:#?}");
    }

    fn json(&self, args: &[&str]) -> Value {
        let done = self.run(args);
        assert_eq!(done.code, Some(0), "{done:#?}");
        serde_json::from_str(&done.out).unwrap()
    }

    /// How many objects stand at each address, by kind; those that leave do not count.
    pub fn objects(&self) -> BTreeMap<String, usize> {
        let shown = self.json(&["show", "--json"]);
        let mut found = BTreeMap::new();
        let root = &shown["values"]["root_module"];
        for object in root["resources"].as_array().into_iter().flatten() {
            let own = &object["mlinfra"];
            if own["phase"] != "leaving" {
                let name = format!("{} {}", own["address"], object["type"]);
                *found.entry(name).or_insert(0) += 1;
            }
        }
        found
    }

    /// How many objects the region holds, of whomever, and how many of them are being made
    /// or deleted.
    pub fn region(&self) -> (u64, u64) {
        let status = self.json(&["sandbox", "status", "--json"]);
        let stacks = status["objects"].as_object().unwrap().values();
        let kinds = stacks.flat_map(|stacks| stacks.as_object().unwrap().values());
        let counts = kinds.flat_map(|kinds| kinds.as_object().unwrap().values());
        (counts.map(|count| count.as_u64().unwrap()).sum(), status["moving"].as_u64().unwrap())
    }

    /// How many more objects the region holds than `show` knows, whatever their tags say.
    /// What is being made or deleted is not counted: it may be known or not.
    pub fn orphans(&self) -> u64 {
        let (all, moving) = self.region();
        (all - moving).saturating_sub(self.objects().values().sum::<usize>() as u64)
    }

    /// Every file below a folder with its text; the simulated region is the cloud's.
    pub fn tree(&self, below: &str) -> BTreeMap<PathBuf, String> {
        let mut found = BTreeMap::new();
        let mut todo = vec![self.path(below)];
        while let Some(path) = todo.pop() {
            if path.ends_with(".mlinfra-sandbox") {
                continue;
            }
            if path.is_dir() {
                todo.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
                found.insert(path, String::new());
            } else {
                found
                    .insert(path.clone(), String::from_utf8_lossy(&fs::read(path).unwrap()).into());
            }
        }
        found
    }

    /// Processes whose working folder is this one.
    fn processes(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
        let here = |entry: &fs::DirEntry| {
            fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd == self.folder.path())
        };
        let found = entries.flatten().filter(here);
        found
            .map(|entry| fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default())
            .collect()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.processes(), Vec::<String>::new(), "no process is left behind");
        }
    }
}

type Shared = Arc<Mutex<String>>;

/// A process. One that is dropped before its end is killed, and waited for.
pub struct Running {
    child: Child,
    /// Of both outputs.
    lines: Receiver<String>,
    /// Standard output and standard error so far.
    texts: [Shared; 2],
    readers: Option<[JoinHandle<()>; 2]>,
}

/// Reads an output to its end, and passes on every line.
fn reader(
    output: impl Read + Send + 'static,
    seen: &Shared,
    told: Sender<String>,
) -> JoinHandle<()> {
    let seen = Arc::clone(seen);
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            seen.lock().unwrap().push_str(&format!("{line}\n"));
            // Nobody may be waiting for it any more.
            let _ = told.send(line);
        }
    })
}

impl Running {
    fn of(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (told, lines) = channel();
        let texts = [Shared::default(), Shared::default()];
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let readers = [reader(stdout, &texts[0], told.clone()), reader(stderr, &texts[1], told)];
        Self { child, lines, texts, readers: Some(readers) }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it says something; the line.
    pub fn wait_for(&self, text: &str) -> String {
        loop {
            match self.lines.recv_timeout(LIMIT) {
                Ok(line) if line.contains(text) => return line,
                Ok(_) => {}
                Err(why @ (RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected)) => {
                    panic!("{why}: it never said {text:?}: {}", self.texts[0].lock().unwrap())
                }
            }
        }
    }

    /// Sends a signal, such as `INT`.
    pub fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    pub fn end(mut self) -> Done {
        // Input that is open is left open until the end: nobody writes to it.
        let input = self.child.stdin.take();
        let code = self.child.wait().unwrap().code();
        drop(input);
        for reader in self.readers.take().into_iter().flatten() {
            reader.join().unwrap();
        }
        let [out, err] = self.texts.each_ref().map(|text| text.lock().unwrap().clone());
        Done { code, out, err }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // After its end both fail, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
