//! Signals to the autoscaler: it ends soon whatever its sources do, at once when told twice, and
//! reads its stack again without letting go of what it has when the new one is wrong.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use super::bench::{Bench, Clock, Running};

const STACK: &str = r#"
stack "signals" {
  region = "us-east-1"
}

network "main" {
  zones = ["a"]
}

cluster "train" {
  network       = network.main
  instance_type = "g5.xlarge"
  nodes         = { min = 0, max = 4 }

  autoscale {
    source "program" {
      command = ["sh", "./depth.sh"]
      timeout = "60s"
    }
  }

  agent {
    url    = "https://example.com/mlinfra"
    sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
  }
}
"#;
/// Kubernetes and systemd kill whoever takes longer, by what the examples say.
const SOON: Duration = Duration::from_secs(20);

/// An applied stack whose source is that shell script.
fn bench(depth: &str) -> Bench {
    let bench = Bench::new();
    fs::write(bench.path("main.hcl"), STACK).unwrap();
    fs::write(bench.path("depth.sh"), depth).unwrap();
    assert_eq!(bench.run(&["apply", "--yes"]).code, Some(0));
    bench
}

fn until(what: &str, mut is: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// How it ended, and how soon.
fn ends(running: Running, within: Duration) -> Option<i32> {
    let began = Instant::now();
    let done = running.end();
    assert!(began.elapsed() < within, "{:?}: {done:#?}", began.elapsed());
    done.code
}

#[test]
fn a_source_that_hangs_holds_nobody_up() {
    let bench = bench("touch asked; sleep 600");
    let asked = bench.path("asked");
    for (args, code) in [
        (&["autoscale", "run", "--no-listen"][..], 0),
        (&["autoscale", "once"][..], 130),
        (&["autoscale", "once", "--dry-run"][..], 130),
    ] {
        let running = bench.start(args, Clock::Jumps);
        until("the source is asked", || asked.exists());
        running.signal("TERM");
        assert_eq!(ends(running, SOON), Some(code), "{args:?}");
        fs::remove_file(&asked).unwrap();
        let status = bench.run(&["autoscale", "status"]).out;
        assert!(status.contains("Nobody leads"), "the lead is given back: {status}");
    }
}

/// The call that starts nodes takes two minutes here; whoever looks next finds what it did.
#[test]
fn the_second_signal_ends_at_once_and_what_was_begun_is_found() {
    let mlinfra = env!("CARGO_BIN_EXE_mlinfra");
    let bench = bench(&format!("{mlinfra} sandbox set latency_ms 60000 >&2; touch asked; echo 2"));
    let running = bench.start(&["autoscale", "run", "--no-listen"], Clock::Real);
    until("the source is asked", || bench.path("asked").exists());
    std::thread::sleep(Duration::from_secs(2));
    running.signal("TERM");
    std::thread::sleep(Duration::from_secs(1));
    let alive = Path::new("/proc").join(running.pid().to_string()).join("exe");
    assert!(fs::read_link(&alive).is_ok(), "it finishes what it has begun");
    running.signal("TERM");
    assert_eq!(ends(running, Duration::from_secs(3)), Some(130));
    fs::write(bench.path("depth.sh"), "echo 2").unwrap();
    bench.set("latency_ms", "50");
    for _ in 0..3 {
        assert_eq!(bench.run(&["autoscale", "once"]).code, Some(0));
    }
    let nodes = bench.objects().into_iter().filter(|(name, _)| name.contains("/nodes"));
    assert_eq!(nodes.map(|(_, count)| count).sum::<usize>(), 2);
}

/// The code and the body of an answer.
fn get(at: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(at).unwrap();
    let ask = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(ask.as_bytes()).unwrap();
    let mut all = String::new();
    stream.read_to_string(&mut all).unwrap();
    let (head, body) = all.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), body.to_owned())
}

fn address(running: &Running) -> String {
    let said = running.wait_for("answers at http://");
    said.split("http://").nth(1).unwrap().trim_end_matches('/').to_owned()
}

fn status(at: &str) -> serde_json::Value {
    serde_json::from_str(&get(at, "/status").1).unwrap()
}

#[test]
fn a_stack_that_is_wrong_leaves_the_old_one_in_force_until_it_is_mended() {
    let bench = bench("cat depth");
    fs::write(bench.path("depth"), "0").unwrap();
    let args = ["autoscale", "run", "--listen", "127.0.0.1:0", "--every", "1"];
    let running = bench.start(&args, Clock::Jumps);
    let at = address(&running);
    until("it is ready", || get(&at, "/readyz").0 == 200);
    fs::write(bench.path("main.hcl"), STACK.replace("max = 4", "max = four")).unwrap();
    running.signal("HUP");
    running.wait_for("the stack as it is now is not used");
    let (code, why) = get(&at, "/readyz");
    assert_eq!(code, 503, "{why}");
    assert!(why.contains("four"), "{why}");
    assert!(status(&at)["unread"].as_str().unwrap().contains("four"), "{}", status(&at));
    // Nobody has to wait for that: nodes come as before.
    fs::write(bench.path("depth"), "1").unwrap();
    running.wait_for("launches 1 node");
    fs::write(bench.path("main.hcl"), STACK.replace("max = 4", "max = 3")).unwrap();
    running.signal("HUP");
    running.wait_for("the stack was read again");
    until("it is ready again", || get(&at, "/readyz").0 == 200);
    assert_eq!(status(&at)["unread"], serde_json::Value::Null);
    until("the new one counts", || status(&at)["clusters"]["cluster.train"]["sums"]["max"] == 3);
    running.signal("TERM");
    assert_eq!(ends(running, SOON), Some(0));
}

/// An hour may pass between two looks of this one; whoever hands in work rings for the next.
#[test]
fn whoever_rings_need_not_wait_for_the_next_look() {
    let bench = bench("date +%s%N >> asked; cat depth");
    fs::write(bench.path("depth"), "0").unwrap();
    let args = ["autoscale", "run", "--no-listen", "--every", "3600"];
    let running = bench.start(&args, Clock::Real);
    let looks = || fs::read_to_string(bench.path("asked")).unwrap_or_default().lines().count();
    // What fell to nothing is looked at again until that is sure; then nothing is to be done.
    let mut before = 0;
    until("it sleeps", || {
        std::thread::sleep(Duration::from_secs(12));
        std::mem::replace(&mut before, looks()) == looks() && before > 0
    });
    fs::write(bench.path("depth"), "1").unwrap();
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(looks(), before, "it does not look by itself");
    // Ten rings at once are one or two looks: a look costs calls.
    for _ in 0..10 {
        running.signal("USR1");
    }
    running.wait_for("launches 1 node");
    assert!(looks() - before <= 2, "{}", looks() - before);
    running.signal("TERM");
    assert_eq!(ends(running, SOON), Some(0));
}

/// Whoever comes to look after a restart sees what was done before it.
#[test]
fn a_service_that_was_killed_and_begun_anew_tells_what_it_did_before() {
    let bench = bench("echo 2");
    let args = ["autoscale", "run", "--listen", "127.0.0.1:0", "--every", "1"];
    let first = bench.start(&args, Clock::Jumps);
    first.wait_for("launches 2 nodes");
    first.signal("KILL");
    first.end();
    let second = bench.start(&args, Clock::Jumps);
    let at = address(&second);
    until("it knows of it", || status(&at)["clusters"]["cluster.train"]["log"][0].is_object());
    let log = status(&at)["clusters"]["cluster.train"]["log"].clone();
    let told = log[0]["words"][0].as_str().unwrap_or_default();
    assert!(told.starts_with("launches 2 nodes"), "{log}");
    second.signal("TERM");
    assert_eq!(ends(second, SOON), Some(0));
}
