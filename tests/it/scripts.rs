//! The sessions in `tests/scripts/`: what a person types and what they read.

use std::path::Path;

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
const TOOLS: [&str; 6] = ["cat", "cp", "ls", "mv", "rm", "sh"];

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
}
