//! Ten journeys through `init` at a pseudo-terminal, by people who have never seen it. What it
//! wrote is valid, in the standard form, plans, and applies in the simulated region.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rexpect::session::{PtySession, spawn_command};

/// The binary under test.
const MLINFRA: &str = env!("CARGO_BIN_EXE_mlinfra");
/// Milliseconds that a debug build may take for anything on a busy machine.
const PATIENCE: u64 = 60_000;

/// A folder to write a stack in, and a home without anything in it.
pub struct Desk {
    root: tempfile::TempDir,
    /// What its commands find in their environment.
    environment: Vec<(String, String)>,
}

impl Desk {
    pub fn new() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let desk = Self { root, environment: Vec::new() };
        std::fs::create_dir(desk.stack()).expect("a folder");
        std::fs::create_dir(desk.home()).expect("a folder");
        desk
    }

    pub fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    pub fn stack(&self) -> PathBuf {
        self.root.path().join("my-stack")
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.stack().join(name)).unwrap_or_default()
    }

    pub fn has(&self, name: &str) -> bool {
        self.stack().join(name).exists()
    }

    /// Nothing of this machine shows.
    fn bare(&self, command: &mut Command) {
        for (name, _) in std::env::vars() {
            if name.starts_with("AWS_") || name.starts_with("MLINFRA_") {
                command.env_remove(name);
            }
        }
        for name in ["NO_COLOR", "COLUMNS", "CI", "CLICOLOR_FORCE"] {
            command.env_remove(name);
        }
        command.env("AWS_EC2_METADATA_DISABLED", "true").env("TERM", "xterm");
        command
            .envs(self.environment.iter().cloned())
            .env("HOME", self.home())
            .env("LC_ALL", "C.UTF-8");
        command.current_dir(self.stack());
    }

    /// A command without a terminal.
    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(MLINFRA);
        self.bare(&mut command);
        command.args(args).stdin(Stdio::null()).output().expect("it runs")
    }

    /// The same, which must end with this code; what it said.
    pub fn code(&self, code: i32, args: &[&str]) -> String {
        let output = self.run(args);
        let said = [&output.stdout, &output.stderr].map(|it| String::from_utf8_lossy(it));
        let said = said.concat();
        assert_eq!(output.status.code(), Some(code), "{args:?}\n{said}");
        said
    }

    /// What was written does what it should.
    fn holds(&self) {
        self.code(0, &["fmt", "--check"]);
        self.code(0, &["validate"]);
        self.code(2, &["plan", "--sandbox", "--detailed-exitcode"]);
        self.code(0, &["apply", "--sandbox", "--yes"]);
        self.code(0, &["plan", "--sandbox", "--detailed-exitcode"]);
        assert!(!self.has(".mlinfra/init.hcl"), "answers are kept no longer");
        let ignored = self.text(".gitignore");
        assert!(ignored.contains(".mlinfra/\n"), "{ignored}");
    }

    pub fn sit(&self, args: &str) -> Person {
        self.sit_at(80, "NO_COLOR=1", args)
    }

    /// Somebody at a terminal of so many columns.
    fn sit_at(&self, columns: usize, environment: &str, args: &str) -> Person {
        let mut command = Command::new("sh");
        self.bare(&mut command);
        let line = format!("stty cols {columns} rows 50; {environment} exec {MLINFRA} init {args}");
        command.args(["-c", &line]);
        let session = spawn_command(command, Some(PATIENCE)).expect("a terminal");
        Person { session, seen: String::new() }
    }
}

/// The arrow keys, as a terminal sends them.
pub const DOWN: &str = "\u{1b}[B";
pub const UP: &str = "\u{1b}[A";

/// Somebody at a terminal.
pub struct Person {
    session: PtySession,
    /// All that stood on the screen, a character for each byte, as rexpect reads.
    seen: String,
}

/// A text as rexpect reads it.
fn bytewise(text: &str) -> String {
    text.bytes().map(char::from).collect()
}

impl Person {
    /// All that stood on the screen.
    fn screen(&self) -> String {
        let bytes = self.seen.chars().map(|c| u8::try_from(u32::from(c)).expect("a byte"));
        String::from_utf8_lossy(&bytes.collect::<Vec<u8>>()).into_owned()
    }

    /// Waits until something is said.
    pub fn hears(&mut self, text: &str) -> &mut Self {
        let wanted = bytewise(text);
        match self.session.exp_string(&wanted) {
            Ok(before) => self.seen.push_str(&(before + &wanted)),
            Err(error) => panic!("{text:?} was not said: {error}\n{}", self.screen()),
        }
        self
    }

    /// Waits until a question is asked, and types a line.
    pub fn says(&mut self, key: &str, line: &str) -> &mut Self {
        let prompt = format!("[\r\n]{key}( \\[[^\r\n]*\\])?: ");
        match self.session.exp_regex(&prompt) {
            Ok((before, prompt)) => self.seen.push_str(&(before + &prompt)),
            Err(error) => panic!("{key} was not asked for: {error}\n{}", self.screen()),
        }
        self.session.send_line(line).expect("it reads");
        self
    }

    /// Enter at each of these questions.
    pub fn takes(&mut self, keys: &[&str]) -> &mut Self {
        for key in keys {
            self.says(key, "");
        }
        self
    }

    /// Types a line without waiting.
    pub fn says_now(&mut self, line: &str) -> &mut Self {
        self.session.send_line(line).expect("it reads");
        self
    }

    /// Waits until there is a list to choose from, presses keys, and takes what they point at.
    pub fn presses(&mut self, key: &str, keys: &str) -> &mut Self {
        self.hears(&format!("{key} ["));
        self.session.send(keys).expect("it reads");
        self.says_now("")
    }

    /// Ctrl-C.
    pub fn leaves(&mut self) -> &mut Self {
        self.session.send_control('c').expect("it reads");
        self
    }

    fn interrupts(&mut self, key: &str) -> &mut Self {
        self.hears(&format!("{key} [")).leaves()
    }

    /// Waits for the end; the exit code.
    pub fn ends(&mut self) -> i32 {
        self.seen.push_str(&self.session.exp_eof().expect("an end"));
        match self.session.process().wait() {
            Ok(rexpect::process::WaitStatus::Exited(_, code)) => code,
            other => panic!("{other:?}\n{}", self.screen()),
        }
    }
}

/// The questions from the work to the budget, where all defaults are taken.
const REST: [&str; 8] =
    ["capacity", "max_price", "datasets", "checkpoints", "scratch", "access", "ledger", "budget"];

#[test]
fn without_credentials_the_simulated_region_does() {
    let desk = Desk::new();
    let mut person = desk.sit("");
    person.hears("no AWS account can be reached");
    person.takes(&["cloud", "name", "region", "gpu", "gpus", "engine", "nodes"]).takes(&REST);
    person.hears("── main.hcl").hears("cluster \"train\"").takes(&["write"]);
    person.hears("written: main.hcl, variables.hcl, .gitignore").hears("Plan: ").hears("Cost: ");
    person.hears("Next:").hears("mlinfra apply --sandbox");
    assert_eq!(person.ends(), 0);
    assert!(desk.text("main.hcl").contains("stack \"my-stack\" {"));
    desk.holds();
}

#[test]
fn a_wrong_region_is_named_and_another_is_a_step_back() {
    let desk = Desk::new();
    // H100 stands in zones that only us-east-1 has.
    for rule in ["offer.p5.48xlarge", "offer.p5.4xlarge"] {
        desk.code(0, &["sandbox", "--sandbox", "--region", "us-east-1", "set", rule, "d,e"]);
    }
    let mut person = desk.sit("--sandbox");
    person.takes(&["name"]).says("region", "eu-wset-1").hears("did you mean eu-west-1?");
    person.says("region", "eu-west-1").hears("eu-west-1: 3 zones, 75 of 77");
    person.says("gpu", "H100").hears("no: \"H100\" is none of them");
    person.says("gpu", "<").says("region", "us-east-1").says("gpu", "H100");
    person.takes(&["gpus", "engine", "nodes", "capacity"]).hears("zones d e");
    person.takes(&REST[1..]).takes(&["write"]);
    assert_eq!(person.ends(), 0);
    desk.holds();
}

#[test]
fn a_quota_that_is_too_small_says_how_to_raise_it() {
    let desk = Desk::new();
    let rule = "vcpus.L-417A185B";
    desk.code(0, &["sandbox", "--sandbox", "--region", "us-east-1", "set", rule, "192"]);
    let mut person = desk.sit("--sandbox --region us-east-1 --gpu H100 --gpus 8");
    person.takes(&["name", "engine"]).says("nodes", "4").takes(&["gang", "capacity"]);
    person.hears("warning: Running On-Demand P instances: 192 vCPU, 0 in");
    person.hears("aws service-quotas request-service-quota-increase");
    person.says("max_price", "<").says("capacity", "<").says("gang", "<").says("nodes", "1");
    person.says("capacity", "").hears("✓ Running On-Demand P instances: 192 vCPU");
    person.takes(&REST[1..]).takes(&["write"]);
    assert_eq!(person.ends(), 0);
    desk.holds();
}

#[test]
fn files_that_are_there_stay_unless_somebody_says_so() {
    let desk = Desk::new();
    std::fs::write(desk.stack().join("main.hcl"), "# mine\n").expect("a file");
    std::fs::write(desk.stack().join(".gitignore"), "target\n").expect("a file");
    let mut person = desk.sit("--sandbox");
    person.hears("May the files that are here be replaced?").takes(&["overwrite"]);
    person.hears("Nothing was written.");
    assert_eq!((person.ends(), desk.text("main.hcl").as_str()), (1, "# mine\n"));
    let said = desk.code(1, &["init", "--sandbox", "--gpu", "T4"]);
    assert!(said.contains("these files are here already: main.hcl"), "{said}");
    let mut person = desk.sit("--sandbox");
    person.says("overwrite", "yes").takes(&["name", "region", "gpu", "gpus", "engine", "nodes"]);
    person.takes(&REST).says("write", "no").hears("Nothing was written.");
    assert_eq!((person.ends(), desk.text("main.hcl").as_str()), (1, "# mine\n"));
    let mut person = desk.sit("--sandbox --force");
    person.says("resume", "yes").hears("budget = ").takes(&["write"]);
    assert_eq!(person.ends(), 0);
    assert!(desk.text(".gitignore").starts_with("target\n"), "what was there stays");
    desk.holds();
}

#[test]
fn who_was_interrupted_goes_on_where_they_left() {
    let desk = Desk::new();
    let mut person = desk.sit("--sandbox");
    person.says("name", "llm").says("region", "us-west-2").says("gpu", "L4").interrupts("gpus");
    person.hears("Left, and nothing was written. The answers are kept");
    assert_eq!(person.ends(), 130);
    assert!(!desk.has("main.hcl"));
    let kept = desk.text(".mlinfra/init.hcl");
    assert!(kept.contains("gpu    = \"L4\"") && kept.contains("name   = \"llm\""), "{kept}");
    let mut person = desk.sit("--sandbox");
    person.hears("Go on where you left off? 3 answers are kept.").takes(&["resume"]);
    person.hears("gpu = L4").says("gpus", "4").takes(&["engine", "nodes"]).takes(&REST);
    person.takes(&["write"]);
    assert_eq!(person.ends(), 0);
    let text = desk.text("main.hcl");
    assert!(text.contains("stack \"llm\"") && text.contains("\"L4:4\""), "{text}");
    desk.holds();
}

#[test]
fn one_can_go_back_change_ones_mind_and_ask_why() {
    let desk = Desk::new();
    let mut person = desk.sit("--sandbox");
    person.says("name", "<").hears("This is the first question.").says("name", "a");
    person.takes(&["region"]).says("gpu", "?").hears("Small models and experiments fit on A10G");
    person.says("gpu", "memory").says("gpu_memory", "40").says("gpus", "8");
    person.says("engine", "sqs").says("min", "1").says("max", "3").says("gang", "back");
    person.says("max", "<").says("min", "<").says("engine", "none").says("nodes", "2");
    person.says("gang", "no").says("capacity", "spot-first");
    person.says("max_price", "<").says("capacity", "on-demand");
    // The default left room for what may be fallen back to: $21.96 on demand, and a half.
    assert!(person.screen().contains("max_price [32.94]: "), "{}", person.screen());
    person.takes(&REST[1..4]).says("scratch", "lustre");
    person.takes(&["lustre_size", "access", "ledger", "budget"]).says("write", "<");
    person.says("budget", "900").takes(&["write"]);
    assert_eq!(person.ends(), 0);
    let text = desk.text("main.hcl");
    assert!(!text.contains("autoscale {") && !text.contains("queue"), "{text}");
    assert!(text.contains("memory = \">=37GiB\", count = 8"), "{text}");
    assert!(desk.text("variables.hcl").contains("default     = 900"));
    desk.holds();
}

#[test]
fn without_a_terminal_everything_that_lacks_is_named_at_once() {
    let desk = Desk::new();
    let said = desk.code(1, &["init"]);
    for flag in ["--sandbox or --set cloud=aws", "--region …", "--gpu …: T4, ", "--nodes …"] {
        assert!(said.contains(&format!("give it with {flag}")), "{flag}\n{said}");
    }
    assert!(!desk.has("main.hcl") && !desk.has(".mlinfra"));
    // At a terminal too, when it is told not to ask.
    let mut person = desk.sit("--non-interactive --sandbox");
    assert_eq!(person.hears("no answer: How many nodes?").ends(), 1);
    let file = "# what we always take\nregion = \"us-east-1\"\ngpu = \"H100\"\ngpus = 8\nnodes = 2\n\
                engine = \"none\"\ndatasets = false\n";
    std::fs::write(desk.root.path().join("answers.hcl"), file).expect("a file");
    let args = ["init", "--sandbox", "--answers", "../answers.hcl", "--nodes", "3", "--set"];
    let said = desk.code(0, &[&args[..], &["ledger=bucket", "--yes"]].concat());
    let bucket = "mlinfra-ledger-000000000000-us-east-1-an";
    assert!(said.contains(&format!("made s3://{bucket}: private, encrypted")), "{said}");
    let text = desk.text("main.hcl");
    assert!(!text.contains("bucket \"datasets\"") && text.contains(bucket), "{text}");
    assert!(desk.text("variables.hcl").contains("default     = 3"));
    desk.holds();
}

/// What is between two colours, and nothing else that a terminal obeys.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        out.push_str(&rest[..at]);
        let tail = &rest[at + 1..];
        let end = tail.find(|c: char| c.is_ascii_alphabetic()).map_or(tail.len(), |end| end + 1);
        rest = &tail[end..];
    }
    out + rest
}

#[test]
fn forty_columns_are_enough() {
    let desk = Desk::new();
    let mut person = desk.sit_at(40, "NO_COLOR=1", "--sandbox");
    person.takes(&["name", "region"]).says("gpu", "?").says("gpu", "H100").says("gpus", "8");
    person.says("engine", "nonsense").takes(&["engine", "nodes"]).takes(&REST);
    person.hears("── main.hcl");
    let wide: Vec<String> = plain(&person.screen())
        .lines()
        // A line is written anew when its answer stands.
        .filter_map(|line| Some(line.trim_end().rsplit('\r').next()?.to_owned()))
        .filter(|line| line.chars().count() > 40 && !line.contains("s3://"))
        .collect();
    assert_eq!(wide, Vec::<String>::new());
    person.takes(&["write"]);
    assert_eq!(person.ends(), 0);
    desk.holds();
}

#[test]
fn without_colour_nothing_is_lost() {
    let colours = |text: &str| {
        let ends = |tail: &str| tail.find(|c: char| c.is_ascii_alphabetic());
        let codes = text.split("\u{1b}[").skip(1);
        codes.filter(|tail| ends(tail).is_some_and(|end| tail[end..].starts_with('m'))).count()
    };
    let walk = |environment: &str| {
        let desk = Desk::new();
        let mut person = desk.sit_at(80, environment, "--sandbox");
        person.takes(&["name"]).says("region", "nowhere");
        person.takes(&["region", "gpu", "gpus", "engine", "nodes"]).takes(&REST).takes(&["write"]);
        assert_eq!(person.ends(), 0);
        desk.holds();
        person.screen()
    };
    let (bare, coloured) = (walk("NO_COLOR=1"), walk(""));
    assert_eq!(colours(&bare), 0, "{bare:?}");
    assert!(colours(&coloured) > 50, "{}", colours(&coloured));
    for sign in ["✗ no: \"nowhere\" is no region", "✓ us-east-1: 6 zones", "›  3  A10G"] {
        assert!(bare.contains(sign) && plain(&coloured).contains(sign), "{sign}");
    }
}

#[test]
fn one_can_start_from_a_shipped_stack() {
    let desk = Desk::new();
    let said = desk.code(0, &["init", "--list"]);
    assert!(said.contains("gpu-cluster"), "{said}");
    let said = desk.code(1, &["init", "--from", "gpu-clustr"]);
    assert!(said.contains("there is no stack \"gpu-clustr\"") && said.contains("gpu-cluster"));
    let mut person = desk.sit("--sandbox --from gpu-cluster");
    person.takes(&["name", "region"]).says("instance_type", "p5.48xlarg").says("nodes", "many");
    person.hears("\"many\" is no number").says("nodes", "3").takes(&["cidr", "ledger"]);
    person
        .hears("is no instance type; did you mean \"p5.48xlarge\"?")
        .says("write", "<")
        .says("ledger", "<");
    person.says("cidr", "<").says("nodes", "<").says("instance_type", "p5.48xlarge");
    person.takes(&["nodes", "cidr", "ledger"]).hears("› p5.48xlarge  $55.04/h");
    person.hears("All together: $16").takes(&["write"]);
    assert_eq!(person.ends(), 0);
    let text = desk.text("main.hcl");
    assert!(text.contains("stack \"my-stack\" {") && text.contains("default     = 3"), "{text}");
    desk.holds();
    // Every one of them, by its defaults.
    for stack in mlinfra::wizard::SHIPPED {
        let desk = Desk::new();
        let args = ["init", "--sandbox", "--region", "us-east-1", "--from", stack.name];
        desk.code(0, &args);
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("stacks").join(stack.name);
        let shipped = std::fs::read_to_string(shipped.join("main.hcl")).expect("its main.hcl");
        let label = format!("stack \"{}\"", stack.name);
        assert_eq!(desk.text("main.hcl"), shipped.replace(&label, "stack \"my-stack\""));
        desk.holds();
    }
}

#[test]
fn answers_are_pointed_at_with_the_arrow_keys() {
    let desk = Desk::new();
    let mut person = desk.sit("--sandbox");
    person.hears("The arrow keys choose, or type the answer").takes(&["name", "region"]);
    // Down from the default is the next row; up from the first is the way back.
    person
        .presses("gpu", &DOWN.repeat(3))
        .hears("›  6  RTX-PRO-4500")
        .hears("✓ gpu = RTX-PRO-4500");
    person.presses("gpus", UP).hears("› < back").takes(&["gpu"]).hears("✓ gpu = RTX-PRO-4500");
    // What is typed is shown and wins; what was begun and given up does not count.
    person.presses("gpus", &format!("?\n{DOWN}")).hears("? ").hears("✓ gpus = 2");
    person.presses("engine", "sq").hears("✓ engine = sqs").takes(&["min", "max"]);
    person.presses("gang", &format!("ye{DOWN}")).hears("✓ gang = no").takes(&REST);
    person.hears("job                = { gpus = 2, nodes = 1 }").presses("write", &DOWN.repeat(2));
    person.says("budget", "none").takes(&["write"]);
    person.hears("Next:").hears("mlinfra autoscale run --sandbox");
    assert_eq!(person.ends(), 0);
    desk.holds();
}

#[test]
fn a_list_that_does_not_fit_or_cannot_be_drawn_is_answered_by_typing() {
    for (columns, term, args) in
        [(80, "dumb", "--sandbox"), (80, "xterm", "--sandbox --plain"), (59, "xterm", "--sandbox")]
    {
        let mut desk = Desk::new();
        desk.set("TERM", term);
        let mut person = desk.sit_at(columns, "NO_COLOR=1", args);
        person.hears("Enter takes").takes(&["name", "region"]);
        assert!(!person.screen().contains("arrow keys"), "{}", person.screen());
        person.says("gpu", "?").says("gpu", "<").takes(&["region"]).says("gpu", "l4");
        person.takes(&["gpus", "engine", "nodes"]).takes(&REST).takes(&["write"]).hears("Next:");
        assert_eq!(person.ends(), 0);
        if args.contains("--plain") {
            for said in ["3: A10G: ", "(default)", "<: back", "File main.hcl:"] {
                assert!(person.screen().contains(said), "{said}\n{}", person.screen());
            }
            let signs: Vec<char> =
                person.screen().chars().filter(|c| "›─✓✗│".contains(*c)).collect();
            assert_eq!(signs, Vec::<char>::new());
        }
    }
}
