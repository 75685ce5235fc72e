//! The sessions in `tests/scripts/`: what a person types and what they read.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use trycmd::TestCases;
use trycmd::schema::Bin;

/// The binary under test.
pub const MLINFRA: &str = env!("CARGO_BIN_EXE_mlinfra");

/// What every session's environment says, so that nothing of the machine shows.
pub const ENVIRONMENT: [(&str, &str); 12] = [
    ("NO_COLOR", "1"),
    ("COLUMNS", "80"),
    ("LC_ALL", "C.UTF-8"),
    ("MLINFRA_SANDBOX", "1"),
    ("MLINFRA_INPUT", "0"),
    ("MLINFRA_LOG", ""),
    ("CLICOLOR_FORCE", ""),
    ("AWS_PROFILE", ""),
    ("AWS_REGION", ""),
    ("AWS_ACCESS_KEY_ID", ""),
    ("AWS_SECRET_ACCESS_KEY", ""),
    ("AWS_ENDPOINT_URL", ""),
];

/// What sessions use beside it.
const TOOLS: [&str; 7] = ["cat", "cp", "flock", "ls", "mv", "rm", "sh"];

/// A PATH on which scripts find the binary under test.
pub fn path() -> String {
    let folder = Path::new(MLINFRA).parent().expect("a folder");
    format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default())
}

#[test]
fn sessions_read_as_they_are_written_down() {
    let cases = TestCases::new();
    for (name, value) in ENVIRONMENT {
        cases.env(name, value);
    }
    cases.env("PATH", path());
    cases.register_bin("mlinfra", Bin::Path(MLINFRA.into()));
    for tool in TOOLS {
        cases.register_bin(tool, Bin::Path(Path::new("/usr/bin").join(tool)));
    }
    cases.case("tests/scripts/*.trycmd");
    cases.case("tests/scripts/bad/*.trycmd");
    // What the manual types, and reads.
    cases.case("docs/*.md");
}

/// A folder of one's own to type commands in.
struct Desk(tempfile::TempDir);

/// What a command said.
struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Desk {
    fn with(text: &str) -> Self {
        let desk = Self(tempfile::tempdir().expect("a folder"));
        desk.write("main.hcl", text);
        desk
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.path().join(name), text).expect("a file");
    }

    fn run(&self, args: &[&str]) -> Said {
        let mut command = Command::new(MLINFRA);
        command.current_dir(self.0.path()).args(args).stdin(Stdio::null()).envs(ENVIRONMENT);
        let output = command.output().expect("the binary runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        Said {
            code: output.status.code().expect("no signal ended it"),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    fn lines(&self, args: &[&str]) -> Vec<Value> {
        let said = self.run(args);
        let line = |line| serde_json::from_str(line).expect("a line of JSON");
        said.out.lines().map(line).collect()
    }

    fn json(&self, args: &[&str]) -> Value {
        let said = self.run(args);
        serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{}{}", said.out, said.err))
    }
}

const STORE: &str = "stack \"s\" {\n  region = \"us-east-1\"\n}\n\nbucket \"data\" {}\n";

#[test]
fn a_plan_as_json_is_the_stream_that_readers_of_terraform_s_expect() {
    let desk = Desk::with(&format!(
        "{STORE}\nqueue \"jobs\" {{}}\n\noutput \"url\" {{\n  value = queue.jobs.url\n}}\n"
    ));
    let told = |args: &[&str]| -> Vec<String> {
        let lines = desk.lines(args);
        let of = |line: &Value| {
            let change = &line["change"];
            format!("{} {}", change["resource"]["addr"], change["action"])
        };
        assert_eq!(lines[0]["type"], "version");
        lines.iter().filter(|line| line["type"] == "planned_change").map(of).collect()
    };
    let expect = [
        r#""mlinfra_bucket.data" "create""#,
        r#""mlinfra_queue.jobs" "create""#,
        r#""mlinfra_queue.queue_jobs_dead-letter" "create""#,
    ];
    assert_eq!(told(&["plan", "--json"]), expect);
    let lines = desk.lines(&["plan", "-json"]);
    let last: Vec<_> = lines.iter().rev().take(3).map(|line| line["type"].clone()).collect();
    assert_eq!(last, ["cost", "outputs", "change_summary"]);

    assert_eq!(desk.run(&["apply", "--yes"]).code, 0);
    assert_eq!(told(&["plan", "--json"]), [""; 0]);
    let destroy = told(&["plan", "--json", "--destroy"]);
    assert_eq!(destroy[0], r#""mlinfra_bucket.data" "delete""#);
}

#[test]
fn problems_as_json_say_where_and_what_to_do() {
    let desk = Desk::with(&format!("{STORE}\nqueue \"jobs\" {{\n  fifoo = true\n}}\n"));
    let report = desk.json(&["validate", "--json"]);
    assert_eq!(report["valid"], false);
    assert_eq!(report["error_count"], 1);
    let found = &report["diagnostics"][0];
    assert_eq!(found["severity"], "error");
    assert_eq!(found["code"], "L012");
    assert_eq!(found["summary"], "unknown attribute \"fifoo\"");
    assert_eq!(found["detail"], "did you mean \"fifo\"?");
    let start = serde_json::json!({ "line": 8, "column": 3, "byte": 73 });
    assert_eq!(found["range"]["filename"], "main.hcl");
    assert_eq!(found["range"]["start"], start);
    assert_eq!(found["snippet"]["code"], "  fifoo = true");
    assert_eq!(found["snippet"]["context"], "queue \"jobs\"");
}

#[test]
fn what_strangers_write_cannot_move_the_cursor() {
    let desk = Desk::with(STORE);
    assert_eq!(desk.run(&["apply", "--yes"]).code, 0);
    let tags = r#"{"note":"\u001b[2J\u001b]0;owned\u0007 \u202egnp.exe"}"#;
    let said = desk.run(&["sandbox", "edit", "bucket.data", "tags", tags]);
    assert_eq!(said.code, 0, "{}", said.err);
    for args in [&["plan"][..], &["show", "--verbose"], &["show", "--json"], &["apply", "--yes"]] {
        let Said { code, out, err } = desk.run(args);
        assert_eq!(code, 0, "{args:?}: {err}");
        let bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        // JSON readers see the characters, escaped as JSON does; the bytes are never raw.
        let json = args.contains(&"--json");
        let found = out.chars().chain(err.chars()).find(|c| bad(*c) && !(json && *c == '\u{202e}'));
        assert_eq!(found, None, "{args:?}: {out:?}");
    }
}

#[test]
fn plans_show_what_strangers_wrote_escaped() {
    let desk = Desk::with(STORE);
    assert_eq!(desk.run(&["apply", "--yes"]).code, 0);
    let tags = r#"{"note":"\u001b[2Jgone"}"#;
    assert_eq!(desk.run(&["sandbox", "edit", "bucket.data", "tags", tags]).code, 0);
    let plan = desk.run(&["plan"]).out;
    let expect = "  ~ bucket.data  bucket s-data-000000000000-us-east-1-an\n      + tags.Name: \
                  \"s/bucket.data\"\n      - tags.note: \"\\u{1b}[2Jgone\"\n";
    assert!(plan.contains(expect), "{plan}");
}

#[test]
fn no_configuration_is_too_deep_to_be_refused() {
    for (open, close) in [("[", "]"), ("(", ")"), ("{ a = ", " }"), ("upper(", ")"), ("!", "")] {
        for depth in [200, 20_000] {
            let value = format!("{}true{}", open.repeat(depth), close.repeat(depth));
            let desk = Desk::with(&format!("{STORE}\noutput \"x\" {{\n  value = {value}\n}}\n"));
            let said = desk.run(&["validate"]);
            assert_eq!(said.code, 1, "{open} {depth}: {}", said.err);
            assert!(said.err.starts_with("Error[L002]: "), "{open} {depth}: {}", head(&said.err));
            assert!(said.err.len() < 4000, "{open} {depth}: {} bytes", said.err.len());
        }
    }
}

#[test]
fn a_file_of_twenty_mebibytes_is_refused() {
    let line = "# a line of a file that no person has written by hand, over and over again\n";
    let desk = Desk::with(&format!("{STORE}{}", line.repeat(20 * 1024 * 1024 / line.len())));
    let said = desk.run(&["validate"]);
    let expect = "Error[L002]: the file is larger than 16 MiB (20 MiB)\n --> main.hcl:1:1\n";
    assert_eq!((said.code, said.err.starts_with(expect)), (1, true), "{}", head(&said.err));
}

#[test]
fn numbers_of_any_size_are_told_of() {
    let nines = "9".repeat(5000);
    let small = format!("0.{}1", "0".repeat(5000));
    for number in ["1e999", "1e-999", &nines, &small, "99999999999999999999 * 99999999999999999999"]
    {
        let desk = Desk::with(&format!("{STORE}\noutput \"x\" {{\n  value = {number}\n}}\n"));
        let said = desk.run(&["validate"]);
        let name: String = number.chars().take(20).collect();
        assert_eq!(said.code, 1, "{name}: {}", said.out);
        let known =
            ["Error[L032]: ", "Error[L031]: "].iter().any(|code| said.err.starts_with(code));
        assert!(known && said.err.len() < 8000, "{name}: {}", head(&said.err));
    }
}

#[test]
fn a_closed_pipe_is_no_problem() {
    let desk = Desk::with(STORE);
    let mut command = Command::new(MLINFRA);
    command.current_dir(desk.0.path()).args(["schema", "--markdown"]).envs(ENVIRONMENT);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

/// The first lines, for messages of tests.
fn head(text: &str) -> String {
    text.chars().take(600).collect()
}
