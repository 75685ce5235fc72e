//! Completions, asked for in each shell as a person asks for them: at a prompt, with the tab key.

use std::path::Path;
use std::process::Command;

use rexpect::session::{PtySession, spawn_command};
use tempfile::TempDir;

const WAIT: u64 = 60_000;

/// A folder with the program's script for a shell.
fn script(shell: &str) -> (TempDir, String) {
    let home = tempfile::tempdir().expect("a folder");
    let done = mlinfra().args(["completions", shell]).output().expect("it runs");
    assert!(done.status.success(), "{done:?}");
    // zsh finds a script by its name, which is that of the command behind an underscore.
    let file = home.path().join(if shell == "zsh" { "_mlinfra" } else { "mlinfra" });
    std::fs::write(&file, done.stdout).expect("written");
    let file = file.to_str().expect("a path").to_owned();
    (home, file)
}

fn mlinfra() -> Command {
    Command::new(env!("CARGO_BIN_EXE_mlinfra"))
}

/// Where a shell finds programs, this one first.
fn path() -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_mlinfra")).parent().expect("its folder");
    let others = std::env::var("PATH").expect("a search path");
    format!("{}:{others}", program.display())
}

/// A shell at a terminal that has read nothing of its user's, and finds the program.
fn shell(name: &str, args: &[&str], home: &Path) -> PtySession {
    let mut command = Command::new(name);
    command
        .args(args)
        .env_clear()
        .env("PATH", path())
        .env("HOME", home)
        .env("TERM", "dumb")
        .env("PS1", "at your service> ");
    spawn_command(command, Some(WAIT)).unwrap_or_else(|why| panic!("{name} starts: {why}"))
}

/// The terminal comes without echo, and what is not echoed bash does not draw either. A prompt
/// alone says nothing: a line that is longer than the terminal is drawn again, with it.
fn set_up(shell: &mut PtySession, line: &str) {
    shell.exp_string("service> ").expect("a prompt");
    shell.send_line(&format!("stty echo; {line}; echo are yo''u ready")).expect("sent");
    shell.exp_string("are you ready").expect("it is set up");
    shell.exp_string("service> ").expect("a prompt");
}

/// What stands behind a beginning is completed, and what may follow is listed.
fn asks(shell: &mut PtySession) {
    for (typed, said) in [
        ("mlinfra pl\t", "mlinfra plan "),
        ("mlinfra autoscale simu\t", "mlinfra autoscale simulate "),
        ("mlinfra plan --format htm\t", "mlinfra plan --format html "),
        ("mlinfra diff-\t", "mlinfra diff-env "),
    ] {
        shell.send(typed).expect("typed");
        shell.flush().expect("sent");
        shell.exp_string(said).unwrap_or_else(|why| panic!("{typed:?}: {why}"));
        // Away with it, to a fresh prompt.
        shell.send_control('c').expect("sent");
        shell.exp_string("service> ").expect("a prompt");
    }
    shell.send_line("exit").expect("sent");
    shell.exp_eof().expect("it ends");
}

#[test]
#[ignore = "needs bash at a terminal: run `make test`"]
fn bash_completes_at_its_prompt() {
    let (home, script) = script("bash");
    let mut bash = shell("bash", &["--norc", "--noprofile", "-i"], home.path());
    set_up(&mut bash, &format!("bind 'set show-all-if-ambiguous on'; . '{script}'"));
    asks(&mut bash);
}

#[test]
#[ignore = "needs zsh: run `make test`"]
fn zsh_completes_at_its_prompt() {
    let (home, _) = script("zsh");
    let mut zsh = shell("zsh", &["-f", "-i"], home.path());
    set_up(&mut zsh, "fpath=($HOME $fpath); autoload -Uz compinit; compinit -u -D");
    asks(&mut zsh);
}

/// fish tells what it would complete, so that no terminal need be drawn.
#[test]
#[ignore = "needs fish: run `make test`"]
fn fish_completes_with_a_word_on_each() {
    let (home, script) = script("fish");
    let asks = |line: &str| -> Vec<String> {
        let done = Command::new("fish")
            .args(["--no-config", "-c", &format!("source '{script}'; complete -C '{line}'")])
            .env("HOME", home.path())
            .env("PATH", path())
            .output()
            .expect("fish starts");
        assert!(done.status.success() && done.stderr.is_empty(), "{done:?}");
        String::from_utf8(done.stdout).expect("text").lines().map(str::to_owned).collect()
    };
    let plan = asks("mlinfra pl");
    assert!(plan.len() == 1 && plan[0].starts_with("plan\tShow what apply would do"), "{plan:?}");
    assert!(asks("mlinfra autoscale s").iter().any(|it| it.starts_with("simulate\t")));
    assert_eq!(asks("mlinfra plan --format h"), ["html"]);
}
