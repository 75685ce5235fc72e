//! What the autoscaler's service answers, over real sockets.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mlinfra::serve::autoscale::Board;
use mlinfra::serve::autoscale::http::{Access, Limits, Server, Token, start_within};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::board::{BEGAN, HOSTILE, board, look};

const SECRET: &str = "c0ffee00c0ffee00";

/// A server until it is dropped.
pub struct Running {
    pub at: SocketAddr,
    server: Option<Server>,
    stop: CancellationToken,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
        self.server.take().expect("a server").wait();
    }
}

pub fn run(board: &Arc<Board>, port: u16, token: Option<&str>, limits: Limits) -> Running {
    let token = token.map(|it| Token::new(it).expect("a token"));
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("a port");
    let access = Access::new(listener.local_addr().expect("it"), token, None).expect("access");
    let stop = CancellationToken::new();
    let server = start_within(listener, Arc::clone(board), access, stop.clone(), limits);
    let server = server.expect("a server");
    Running { at: server.address(), server: Some(server), stop }
}

fn plain(board: &Arc<Board>) -> Running {
    run(board, 0, None, Limits::default())
}

struct Answer {
    code: u16,
    head: String,
    body: String,
}

/// Sends exactly this and reads to the end.
fn send(at: SocketAddr, text: &str) -> Answer {
    let mut stream = TcpStream::connect(at).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
    stream.write_all(text.as_bytes()).expect("sent");
    let mut all = Vec::new();
    stream.read_to_end(&mut all).expect("read");
    let all = String::from_utf8(all).expect("text");
    let (head, body) = all.split_once("\r\n\r\n").unwrap_or((&all, ""));
    let code = head.get(9..12).and_then(|it| it.parse().ok()).unwrap_or(0);
    Answer { code, head: head.to_lowercase(), body: body.to_owned() }
}

fn ask(at: SocketAddr, method: &str, path: &str, more: &str) -> Answer {
    let host = if more.to_lowercase().contains("host:") { "" } else { "Host: localhost\r\n" };
    send(at, &format!("{method} {path} HTTP/1.1\r\n{host}Connection: close\r\n{more}\r\n"))
}

pub fn get(at: SocketAddr, path: &str) -> String {
    let answer = ask(at, "GET", path, "");
    assert_eq!(answer.code, 200, "{path}: {}", answer.body);
    answer.body
}

fn json(at: SocketAddr, path: &str) -> Value {
    serde_json::from_str(&get(at, path)).expect("JSON")
}

#[test]
fn every_path_answers_and_says_how_it_is_to_be_taken() {
    let server = plain(&board(200));
    let paths = [
        ("/", "text/html"),
        ("/page.js", "text/javascript"),
        ("/page.css", "text/css"),
        ("/uplot.js", "text/javascript"),
        ("/uplot.css", "text/css"),
        ("/licence", "text/plain"),
        ("/metrics", "text/plain; version=0.0.4"),
        ("/status", "application/json"),
        ("/healthz", "text/plain"),
        ("/readyz", "text/plain"),
    ];
    for (path, kind) in paths {
        let whole = ask(server.at, "GET", path, "");
        assert_eq!(whole.code, 200, "{path}: {}", whole.body);
        assert!(whole.head.contains(&format!("\r\ncontent-type: {kind}")), "{}", whole.head);
        for wanted in [
            "content-security-policy: default-src 'none'; script-src 'self'",
            "x-content-type-options: nosniff",
            "x-frame-options: deny",
            "cache-control: no-store",
            "referrer-policy: no-referrer",
            "cross-origin-resource-policy: same-origin",
        ] {
            assert!(whole.head.contains(wanted), "{path}: {}", whole.head);
        }
        let head = ask(server.at, "HEAD", path, "");
        assert_eq!((head.code, head.body.as_str()), (200, ""), "{path}");
    }
    let page = get(server.at, "/");
    for outside in ["http://", "https://", "style=", "onclick"] {
        let found = page.replace("http://www.w3.org/2000/svg", "").contains(outside);
        assert!(!found, "{outside}");
    }
}

#[test]
fn what_is_not_meant_is_turned_away() {
    let server = plain(&board(1));
    let at = server.at;
    assert_eq!(ask(at, "GET", "/etc/passwd", "").code, 404);
    assert_eq!(ask(at, "GET", "/../status", "").code, 404);
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"] {
        let answer = ask(at, method, "/status", "");
        assert_eq!(answer.code, 405, "{method}");
        assert!(answer.head.contains("allow: get, head"), "{}", answer.head);
    }
    assert_eq!(ask(at, "GET", "/", "Content-Length: 3\r\n").code, 413);
    assert_eq!(ask(at, "GET", "/", "Transfer-Encoding: chunked\r\n").code, 413);
    assert_eq!(ask(at, "GET", "/", "Host: evil.example\r\n").code, 403);
    assert_eq!(ask(at, "GET", "/healthz", "Host: evil.example:80\r\n").code, 403);
    assert_eq!(ask(at, "GET", "/", &format!("X: {}\r\n", "y".repeat(20_000))).code, 431);
    let many: String = (0..100).map(|n| format!("X{n}: y\r\n")).collect();
    assert_eq!(ask(at, "GET", "/", &many).code, 431);
    assert_eq!(send(at, "\u{16}\u{3}\u{1} what\r\n\r\n").code, 400);
    assert_eq!(get(at, "/healthz"), "ok\n");
}

#[test]
fn a_token_opens_everything_and_probes_learn_a_word_without() {
    let board = board(3);
    let server = run(&board, 0, Some(SECRET), Limits::default());
    let at = server.at;
    for path in ["/", "/status", "/metrics", "/page.js", "/nothing"] {
        let answer = ask(at, "GET", path, "");
        assert_eq!(answer.code, 401, "{path}");
        assert!(answer.head.contains("www-authenticate: basic realm=\"mlinfra\""));
        assert!(!answer.body.contains("llm"), "{path}: {}", answer.body);
    }
    let bearer = format!("Authorization: Bearer {SECRET}\r\n");
    assert_eq!(ask(at, "GET", "/status", &bearer).code, 200);
    // As a browser sends the password that it was given: `me:` and the token.
    let basic = "Authorization: Basic bWU6YzBmZmVlMDBjMGZmZWUwMA==\r\n";
    assert_eq!(ask(at, "GET", "/", basic).code, 200);
    assert_eq!(ask(at, "GET", "/", "Authorization: Bearer c0ffee00c0ffee01\r\n").code, 401);
    assert_eq!(ask(at, "GET", "/healthz", "").body, "ok\n");
    board.write(|status| status.problem = Some("secret: main.hcl".to_owned()));
    let (closed, open) = (ask(at, "GET", "/readyz", ""), ask(at, "GET", "/readyz", &bearer));
    assert_eq!((closed.code, closed.body.as_str()), (503, "no\n"));
    assert_eq!((open.code, open.body.as_str()), (503, "secret: main.hcl\n"));
}

#[test]
fn the_document_says_what_the_board_says_and_only_what_is_new() {
    let board = board(200);
    let server = plain(&board);
    let whole = json(server.at, "/status");
    assert_eq!(whole["format_version"], "1.0");
    assert_eq!((&whole["stack"], &whole["leader"]), (&"llm".into(), &true.into()));
    assert_eq!(whole["looked_ago_s"], 0);
    assert_eq!(whole["unhealthy"], Value::Null);
    let train = &whole["clusters"]["cluster.train"];
    assert_eq!(train["sums"]["busy"], 12);
    assert_eq!(train["samples"].as_array().map(Vec::len), Some(200));
    assert_eq!(train["log"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        train["log"][0]["words"][0],
        "launches 4 nodes for 6 jobs with 24 GPUs: on p5.48xlarge/us-east-1a/on-demand"
    );
    assert_eq!((&train["log"][0]["acts"], &train["acts"]), (&1.into(), &0.into()));
    assert_eq!(train["words"][0], "nothing is done");
    assert_eq!(whole["clusters"]["cluster.video"]["demand_problem"], HOSTILE);

    let last = BEGAN + 199 * 10_000;
    let part = json(server.at, &format!("/status?after={}", last - 30_000));
    let train = &part["clusters"]["cluster.train"];
    assert_eq!(train["samples"].as_array().map(Vec::len), Some(3));
    assert_eq!(train["log"].as_array().map(Vec::len), Some(0));
    board.write(|status| look(status, 200));
    let part = json(server.at, &format!("/status?x&after={last}"));
    assert_eq!(part["clusters"]["cluster.train"]["samples"].as_array().map(Vec::len), Some(1));
    let odd = json(server.at, "/status?after=x");
    assert_eq!(odd["clusters"]["cluster.train"]["samples"].as_array().map(Vec::len), Some(201));
}

#[test]
fn whoever_is_slow_makes_place_for_others() {
    let short = Duration::from_millis(300);
    let limits = Limits { connections: 1, head: short, whole: short * 2, ..Limits::default() };
    let server = run(&board(1), 0, None, limits);
    let began = Instant::now();
    let mut slow = TcpStream::connect(server.at).expect("a connection");
    slow.write_all(b"GET / HT").expect("a part");
    // Waits for the slow one's place.
    assert_eq!(get(server.at, "/healthz"), "ok\n");
    assert!(began.elapsed() >= short, "{:?}", began.elapsed());
    let mut rest = Vec::new();
    // Closed, or cut off, without an answer.
    let _ = slow.read_to_end(&mut rest);
    assert!(!String::from_utf8_lossy(&rest).contains("200 OK"));
    // Somebody who keeps a connection open without a word.
    let _idle = TcpStream::connect(server.at).expect("a connection");
    assert_eq!(get(server.at, "/healthz"), "ok\n");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[test]
fn it_ends_at_once_and_gives_its_port_back() {
    let board = board(1);
    let server = plain(&board);
    let at = server.at;
    let mut open = TcpStream::connect(at).expect("a connection");
    open.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("sent");
    let mut some = [0; 12];
    open.read_exact(&mut some).expect("an answer");
    let _half = TcpStream::connect(at).expect("a connection");
    let began = Instant::now();
    drop(server);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert!(TcpStream::connect(at).is_err());
    let again = run(&board, at.port(), None, Limits::default());
    assert_eq!(get(again.at, "/healthz"), "ok\n");
    let url = again.server.as_ref().map(Server::url);
    assert_eq!(url, Some(format!("http://{at}/")));
}

#[test]
fn metrics_count_what_has_happened() {
    let board = board(300);
    let server = plain(&board);
    let text = get(server.at, "/metrics");
    let train = r#"cluster="cluster.train""#;
    let video = r#"cluster="cluster.video",queue="redis",source="redis""#;
    let place = r#"type="p5.48xlarge",az="us-east-1a",capacity="on-demand""#;
    for line in [
        format!(r#"queue_depth{{{train},queue="queue.jobs",source="sqs"}} 0"#),
        format!(r#"queue_oldest_job_age_seconds{{{train},queue="queue.jobs",source="sqs"}} 45"#),
        format!(r#"nodes{{{train},state="busy",{place}}} 6"#),
        format!(r#"limit_nodes{{{train},bound="max"}} 12"#),
        format!(r#"scale_events_total{{{train},direction="up",reason="jobs",result="done"}} 4"#),
        format!(r#"scale_events_total{{{train},direction="up",reason="jobs",result="failed"}} 8"#),
        format!(
            r#"scale_events_total{{{train},direction="down",reason="still_idle",result="done"}} 3"#
        ),
        format!(r#"decisions_total{{{train},action="launch",reason="jobs"}} 2"#),
        format!(r#"decisions_total{{{train},action="cordon",reason="idle"}} 3"#),
        format!(r#"launch_attempts_total{{{train},result="no_capacity",{place}}} 1"#),
        format!(r#"launch_attempts_total{{{train},result="started",{place}}} 1"#),
        format!("launch_duration_seconds_count{{{train}}} 12"),
        format!(r#"launch_phase_seconds_count{{{train},phase="booting"}} 12"#),
        format!("decision_duration_seconds_count{{{train}}} 300"),
        format!("jobs_killed_total{{{train}}} 0"),
        format!("hourly_cost_dollars{{{train}}} 495"),
        format!("budget_remaining_dollars{{{train}}} 7501"),
        format!("ice_cooldowns{{{train}}} 1"),
        format!(
            r#"source_errors_total{{{train},queue="queue.jobs",source="sqs",error="timeout"}} 0"#
        ),
        format!(r#"source_staleness_seconds{{{train},queue="queue.jobs",source="sqs"}} 0"#),
        format!(r#"source_errors_total{{{video},error="unreachable"}} 1"#),
        format!("source_staleness_seconds{{{video}}} 75"),
        format!(r#"interruptions_total{{{train},kind="spot",outcome="cut_off"}} 0"#),
        "paused{cluster=\"cluster.video\"} 1".to_owned(),
        format!(r#"health_failures_total{{{train},check="watch",xid="79"}} 1"#),
        "orphans 0".to_owned(),
        "leader 1".to_owned(),
        "lease_epoch 7".to_owned(),
        "looks_total{result=\"failed\"} 1".to_owned(),
    ] {
        assert!(text.contains(&format!("\nmlinfra_autoscaler_{line}\n")), "{line}\n{text}");
    }
    assert!(text.starts_with("# HELP mlinfra_build_info The mlinfra that runs.\n"), "{text}");
    // 120 looks with 4 nodes, 140 with 12 and 9 with 9, ten seconds each: 55 dollars an hour.
    let cost = text.lines().find_map(|it| {
        it.strip_prefix("mlinfra_autoscaler_cost_dollars_total{cluster=\"cluster.train\"} ")
    });
    let cost: f64 = cost.and_then(|it| it.parse().ok()).expect("a cost");
    let wanted = (120.0 * 4.0 + 140.0 * 12.0 + 9.0 * 9.0) * 10.0 / 3600.0 * 55.0;
    assert!((cost - wanted).abs() < 1e-6, "{cost} and not {wanted}");
    assert!(text.contains("\nmlinfra_autoscaler_saved_vs_on_demand_dollars_total{cluster="));
    // Whoever does not lead has nothing to tell of clusters, and knows nothing of them.
    board.write(|status| status.leader = Some(false));
    let text = get(server.at, "/metrics");
    assert!(text.contains("\nmlinfra_autoscaler_leader 0\n") && !text.contains("cluster="));
    board.write(|status| status.leader = None);
    assert!(!get(server.at, "/metrics").contains("mlinfra_autoscaler_leader"));
}

/// Certificates of clients, by a client that knows nothing of mlinfra.
#[cfg(feature = "tls")]
#[test]
#[ignore = "needs Python and openssl: run `make test`"]
fn without_a_certificate_nobody_is_let_in() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    use mlinfra::serve::autoscale::http::{Refused, Tls, start};

    let folder = tempfile::tempdir().expect("a folder");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peer/mtls.py");
    let mut client = Command::new("python3")
        .args([script.as_ref(), folder.path()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts");
    let mut said = BufReader::new(client.stdout.take().expect("its output"));
    let mut line = String::new();
    said.read_line(&mut line).expect("text");
    assert_eq!(line, "made\n");

    let file = |name: &str| folder.path().join(name);
    let clients = Some(file("ours.pem"));
    let tls = Tls { certificate: file("server.pem"), key: file("server.key"), clients };
    let listener = TcpListener::bind("0.0.0.0:0").expect("a port");
    let at = listener.local_addr().expect("it");
    let open = Tls { clients: None, ..tls.clone() };
    assert_eq!(Access::new(at, None, Some(&open)).err(), Some(Refused::Open(at)));
    let missing = Tls { key: file("none.key"), ..tls.clone() };
    let why = Access::new(at, None, Some(&missing)).err().expect("refused").to_string();
    assert!(why.contains("none.key") && why.contains("No such file"), "{why}");
    let swapped = Tls { certificate: file("server.key"), ..tls.clone() };
    let why = Access::new(at, None, Some(&swapped)).err().expect("refused").to_string();
    assert!(why.ends_with("server.key: there is no certificate in it"), "{why}");
    let other = Tls { key: file("friend.key"), ..tls.clone() };
    let why = Access::new(at, None, Some(&other)).err().expect("refused").to_string();
    assert!(why.starts_with("TLS with this certificate and key does not work"), "{why}");

    let stop = CancellationToken::new();
    let access = Access::new(at, None, Some(&tls)).expect("access");
    let server = start(listener, board(3), access, stop.clone()).expect("a server");
    writeln!(client.stdin.take().expect("its input"), "{}", at.port()).expect("told");
    let mut rest = String::new();
    said.read_to_string(&mut rest).expect("text");
    println!("{rest}");
    assert!(client.wait().expect("it ends").success());
    assert!(rest.ends_with("mtls: all of it holds\n"), "{rest}");
    stop.cancel();
    server.wait();
}
