//! `source "redis"` against Debian's Redis.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use mlinfra::demand::What;
use mlinfra::fleet::{Demand, Shape};
use mlinfra::model::Moment;

use super::peer::{Peer, certificates, free_port, program, run};
use super::{Around, NOW, known, told, trouble};

struct Redis {
    peer: Peer,
    port: u16,
    tls: u16,
    folder: tempfile::TempDir,
}

impl Redis {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        certificates(folder.path());
        let (port, tls) = (free_port(), free_port());
        let mut command = Command::new(program("redis-server"));
        command.current_dir(folder.path()).args([
            "--bind",
            "127.0.0.1",
            "--port",
            &port.to_string(),
            "--tls-port",
            &tls.to_string(),
            "--tls-cert-file",
            "cert.pem",
            "--tls-key-file",
            "key.pem",
            "--tls-ca-cert-file",
            "ca.pem",
            "--tls-auth-clients",
            "no",
            "--save",
            "",
            "--appendonly",
            "no",
            "--requirepass",
            "hunter2",
        ]);
        let mut peer = Peer::start(folder.path(), "redis", &mut command);
        peer.listens(tls).await;
        let redis = Self { peer, port, tls, folder };
        redis.say("USER", &["ACL", "SETUSER", "poor", "on", ">hunter2", "+ping", "~*"]);
        redis
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn say(&self, _: &str, words: &[&str]) {
        let mut command = Command::new(program("redis-cli"));
        command.env("REDISCLI_AUTH", "hunter2").args(["-e", "-p", &self.port.to_string()]);
        run(command.args(words));
    }

    fn source(&self, rest: &str) -> String {
        format!(
            "source \"redis\" {{\n url = \"redis://127.0.0.1:{}\"\n password_env = \"PW\"\n \
             job = {{ gpus = 4, nodes = 2 }}\n timeout = \"2s\"\n {rest}\n}}",
            self.port
        )
    }

    fn encrypted(&self, host: &str, rest: &str) -> String {
        format!(
            "source \"redis\" {{\n url = \"rediss://{host}:{}/0\"\n password_file = \"pw\"\n \
             list = \"jobs\"\n timeout = \"2s\"\n {rest}\n}}",
            self.tls
        )
    }
}

#[tokio::test]
#[ignore = "starts redis-server"]
async fn lists_and_streams_of_redis_are_depths() {
    let redis = Redis::start().await;
    let around = Around::folder(redis.path()).with("PW", "hunter2");
    let lists = redis.source("list = \"jobs\"\n running = \"busy\"");
    assert_eq!(known(&around.look(&lists).await), (vec![], 0));
    redis.say("", &["RPUSH", "jobs", "a", "b", "c"]);
    redis.say("", &["RPUSH", "busy", "d"]);
    assert_eq!(known(&around.look(&lists).await), (vec![(3, Shape::gang(4, 2))], 1));

    let stream = redis.source("stream = \"events\"\n group = \"workers\"");
    let absent = around.trouble(&stream).await;
    told(&absent, What::Answer, "no such key");
    redis.say("", &["XGROUP", "CREATE", "events", "workers", "0", "MKSTREAM"]);
    for _ in 0..5 {
        redis.say("", &["XADD", "events", "*", "job", "x"]);
    }
    redis.say("", &["XREADGROUP", "GROUP", "workers", "w", "COUNT", "2", "STREAMS", "events", ">"]);
    assert_eq!(known(&around.look(&stream).await), (vec![(3, Shape::gang(4, 2))], 2));
    let nobody = around.trouble(&redis.source("stream = \"events\"\n group = \"nobody\"")).await;
    told(&nobody, What::Answer, "has no group \"nobody\"; its groups are: \"workers\"");
    // From its middle something goes: Redis no longer knows.
    redis.say("", &["XADD", "events", "99999999999999-1", "job", "x"]);
    redis.say("", &["XADD", "events", "99999999999999-2", "job", "x"]);
    redis.say("", &["XDEL", "events", "99999999999999-1"]);
    told(&around.trouble(&stream).await, What::Answer, "cannot tell how far");
    // Nothing was taken.
    assert_eq!(known(&around.look(&lists).await).0, [(3, Shape::gang(4, 2))]);
}

#[tokio::test]
#[ignore = "starts redis-server"]
async fn what_redis_refuses_is_told_without_the_password() {
    let redis = Redis::start().await;
    redis.say("", &["SET", "jobs", "a text"]);
    let around = Around::folder(redis.path()).with("PW", "hunter2").with("BAD", "hunter2x");
    let list = redis.source("list = \"jobs\"");
    told(&around.trouble(&list).await, What::Answer, "WRONGTYPE");
    let bad = around.trouble(&list.replace("\"PW\"", "\"BAD\"")).await;
    told(&bad, What::Denied, "Redis: ");
    let none = around.trouble(&list.replace("password_env = \"PW\"", "")).await;
    told(&none, What::Denied, "NOAUTH");
    let unset = around.trouble(&list.replace("\"PW\"", "\"UNSET\"")).await;
    told(&unset, What::Setup, "the environment variable UNSET with its credential is not set");
    let poor = around.trouble(&redis.source("list = \"jobs\"\n user = \"poor\"")).await;
    told(&poor, What::Denied, "no permissions");
    let far = list.replace("127.0.0.1", "10.0.0.1");
    told(&around.trouble(&far).await, What::Setup, "would travel to 10.0.0.1");
}

#[tokio::test]
#[ignore = "starts redis-server"]
async fn redis_is_believed_only_with_a_certificate_for_its_name() {
    let redis = Redis::start().await;
    std::fs::write(redis.path().join("pw"), "hunter2\n").expect("a file");
    redis.say("", &["RPUSH", "jobs", "a"]);
    let around = Around::folder(redis.path());
    let trusted = redis.encrypted("localhost", "ca_file = \"ca.pem\"");
    assert_eq!(known(&around.look(&trusted).await).0.len(), 1);
    for (host, rest) in [
        ("localhost", ""),
        ("localhost", "ca_file = \"other.pem\""),
        // The certificate is for localhost and 127.0.0.1.
        ("127.0.0.2", "ca_file = \"ca.pem\""),
    ] {
        let trouble = around.trouble(&redis.encrypted(host, rest)).await;
        let part = if host == "localhost" { "invalid peer certificate" } else { "Redis: " };
        told(&trouble, What::Unreachable, part);
    }
    let missing = around.trouble(&redis.encrypted("localhost", "ca_file = \"none.pem\"")).await;
    told(&missing, What::Setup, "none.pem cannot be read: No such file");
}

#[tokio::test]
#[ignore = "starts redis-server"]
async fn a_redis_that_hangs_or_goes_makes_what_is_known_stale() {
    let redis = Redis::start().await;
    redis.say("", &["RPUSH", "jobs", "a", "b"]);
    let around = Around::folder(redis.path()).with("PW", "hunter2");
    let watch = around.open(&redis.source("list = \"jobs\"")).expect("a source");
    assert_eq!(known(&watch.look(NOW).await).0[0].0, 2);
    redis.peer.signal("-STOP");
    let begin = std::time::Instant::now();
    let answer = watch.look(Moment(NOW.0 + 10_000)).await;
    assert!(begin.elapsed() < Duration::from_secs(4), "{:?}", begin.elapsed());
    let Demand::Stale { work, age, .. } = &answer.demand else { panic!("{answer:?}") };
    assert_eq!((work.waiting[0].count, age.0), (2, 10));
    told(&trouble(answer), What::Timeout, "no answer within 2 s");
    redis.peer.signal("-CONT");
    assert_eq!(known(&watch.look(Moment(NOW.0 + 20_000)).await).0[0].0, 2);
    redis.peer.kill();
    let answer = watch.look(Moment(NOW.0 + 30_000)).await;
    told(&trouble(answer), What::Unreachable, "Redis: ");
    let answer = watch.look(Moment(NOW.0 + 3_000_000)).await;
    assert!(matches!(answer.demand, Demand::Error { .. }), "{answer:?}");
}
