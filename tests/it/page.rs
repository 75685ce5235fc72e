//! The autoscaler's page, driven in a real browser; metrics and shipped files before their
//! judges.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use mlinfra::serve::autoscale::http::Limits;

use crate::board::{board, look};
use crate::http::{get, run};

fn peers() -> PathBuf {
    std::env::var_os("MLINFRA_PEERS").map(PathBuf::from).expect("MLINFRA_PEERS is set")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
#[ignore = "needs a browser: run `make test`"]
fn the_page_shows_what_the_service_says_and_survives_it() {
    let board = board(295);
    let mut server = Some(run(&board, 0, None, Limits::default()));
    let at = server.as_ref().expect("it").at;
    let shots = tempfile::tempdir().expect("a folder");
    let keep = std::env::var_os("MLINFRA_SCREENSHOTS").map(PathBuf::from);
    let mut browser = Command::new(peers().join("bin/python"))
        .arg(root().join("tests/peer/page.py"))
        .arg(format!("http://{at}/"))
        .arg(keep.as_deref().unwrap_or(shots.path()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts");
    let mut answers = browser.stdin.take().expect("its input");
    let mut said = String::new();
    let mut looks = 295;
    for line in BufReader::new(browser.stdout.take().expect("its output")).lines() {
        let line = line.expect("text");
        println!("{line}");
        said += &(line.clone() + "\n");
        let Some(what) = line.strip_prefix("do: ") else { continue };
        match what {
            "look" => {
                board.write(|status| look(status, looks));
                looks += 1;
            }
            "stop" => drop(server.take()),
            "start" => server = Some(run(&board, at.port(), None, Limits::default())),
            other => panic!("{other}"),
        }
        writeln!(answers, "done").expect("answered");
    }
    assert!(browser.wait().expect("it ends").success(), "{said}");
    assert!(said.contains("page: all of it holds"), "{said}");
    assert_eq!(looks, 297);
}

#[test]
#[ignore = "needs promtool: run `make test`"]
fn prometheus_finds_nothing_to_say_against_the_metrics() {
    let server = run(&board(300), 0, None, Limits::default());
    let mut judge = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool starts");
    let text = get(server.at, "/metrics");
    judge.stdin.take().expect("its input").write_all(text.as_bytes()).expect("sent");
    let output = judge.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.trim().is_empty(), "{said}\n{text}");
}

#[test]
#[ignore = "needs judges of manifests, units and rules: run `make test`"]
fn what_is_shipped_for_the_autoscaler_is_sound() {
    let output = Command::new(peers().join("bin/python"))
        .arg(root().join("tests/peer/shipped.py"))
        .arg(env!("CARGO_BIN_EXE_mlinfra"))
        .arg(peers())
        .output()
        .expect("Python starts");
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("shipped: all of it holds"), "{said}");
}

/// Every metric that an alert asks for is one that the service tells.
#[test]
fn alerts_ask_for_metrics_that_there_are() {
    let server = run(&board(300), 0, None, Limits::default());
    let metrics = get(server.at, "/metrics");
    let rules = fs::read_to_string(root().join("examples/autoscale/alerts.yaml")).expect("rules");
    let words = rules.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let asked: Vec<&str> = words.filter(|it| it.starts_with("mlinfra_autoscaler_")).collect();
    assert!(asked.len() > 15, "{asked:?}");
    for name in asked {
        assert!(metrics.contains(&format!("# TYPE {name} ")), "{name} is not in\n{metrics}");
    }
}
