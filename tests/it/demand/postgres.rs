//! `source "postgres"` against Debian's PostgreSQL.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use mlinfra::demand::What;
use mlinfra::fleet::{Demand, Shape};
use mlinfra::model::Moment;

use super::peer::{INSTALL, Peer, certificates, free_port, program, run};
use super::{Around, NOW, known, told, trouble};

struct Postgres {
    peer: Peer,
    port: u16,
    folder: tempfile::TempDir,
}

/// Where Debian keeps the programs of the newest version.
fn bin(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.map(|entry| entry.path().join("bin").join(name)).filter(|it| it.exists());
    newest.max().unwrap_or_else(|| panic!("{name} is not installed; {INSTALL}"))
}

/// PostgreSQL does not run as root.
fn unprivileged(program: &Path) -> Command {
    let root = run(Command::new("id").arg("-u")).trim() == "0";
    if !root {
        return Command::new(program);
    }
    let mut command = Command::new(self::program("runuser"));
    command.args(["-u", "postgres", "--"]).arg(program);
    command
}

impl Postgres {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, port) = (folder.path(), free_port());
        certificates(path);
        std::fs::write(path.join("pw"), "hunter2\n").expect("a file");
        let open = |mode| std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(path, open(0o755)).expect("a folder for all");
        let home = path.join("home");
        std::fs::create_dir(&home).expect("a folder");
        std::fs::set_permissions(&home, open(0o777)).expect("a folder for all");
        let data = home.join("data");
        let mut init = unprivileged(&bin("initdb"));
        init.current_dir(&home).arg("-D").arg(&data).arg("--pwfile").arg(path.join("pw"));
        run(init.args(["-U", "ops", "-A", "scram-sha-256", "--no-sync"]));
        // The key must be its own.
        for name in ["cert.pem", "key.pem"] {
            std::fs::copy(path.join(name), data.join(name)).expect("a copy");
        }
        let owner = format!("--reference={}", data.display());
        run(Command::new("chown").arg(owner).args([data.join("cert.pem"), data.join("key.pem")]));
        std::fs::set_permissions(data.join("key.pem"), open(0o600)).expect("a private key");
        let mut command = unprivileged(&bin("postgres"));
        command.current_dir(&home).arg("-D").arg(&data).arg("-k").arg(&home);
        command.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-c", "ssl=on"]);
        command.args([
            "-c",
            "ssl_cert_file=cert.pem",
            "-c",
            "ssl_key_file=key.pem",
            "-c",
            "fsync=off",
        ]);
        let mut peer = Peer::start(path, "postgres", &mut command);
        peer.listens(port).await;
        let postgres = Self { peer, port, folder };
        // Somebody listens before anybody may come in.
        super::until("PostgreSQL lets us in", async || postgres.psql("select 1").is_ok()).await;
        postgres.say("create table jobs (id int, gpus int, nodes int, state text, at timestamptz)");
        postgres
    }

    fn psql(&self, sql: &str) -> Result<(), String> {
        let mut command = Command::new(bin("psql"));
        command.env("PGPASSWORD", "hunter2").args([
            "-h",
            "127.0.0.1",
            "-U",
            "ops",
            "-d",
            "postgres",
        ]);
        let output = command.args(["-p", &self.port.to_string(), "-c", sql]).output();
        let output = output.unwrap_or_else(|bad| panic!("psql: {bad}; {INSTALL}"));
        match output.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    fn say(&self, sql: &str) {
        self.psql(sql).expect("a good statement");
    }

    fn source(&self, query: &str) -> String {
        format!(
            "source \"postgres\" {{\n url = \"postgresql://ops@127.0.0.1:{}/postgres\"\n \
             password_env = \"PW\"\n timeout = \"2s\"\n job = {{ gpus = 2 }}\n query = {query:?}\n}}",
            self.port
        )
    }
}

#[tokio::test]
#[ignore = "starts PostgreSQL"]
async fn numbers_and_rows_of_postgresql_are_jobs() {
    let postgres = Postgres::start().await;
    let around = Around::folder(postgres.folder.path()).with("PW", "hunter2");
    let count = postgres.source("select count(*) from jobs where state = 'queued' -- all of them;");
    assert_eq!(known(&around.look(&count).await), (vec![], 0));
    postgres.say(
        "insert into jobs values (1, 8, 4, 'queued', '2026-01-01'), (2, 1, 1, 'queued', now()), \
         (3, 4, 1, 'running', now()), (4, 16, 1, 'queued', now())",
    );
    assert_eq!(known(&around.look(&count).await), (vec![(3, Shape::single(2))], 0));
    let rows = postgres.source(
        "select id, gpus, nodes, at as submitted_at, state = 'running' as running from jobs order by id;",
    );
    let answer = around.look(&rows).await;
    assert_eq!(known(&answer), (vec![(1, Shape::gang(8, 4)), (1, Shape::single(1))], 1));
    let report = &answer.reports[0];
    assert_eq!(report.refused, ["4 needs 16 accelerators on a node, and nodes have 8"]);
    assert_eq!(report.oldest, Some(Moment(1_767_225_600_000)));
}

#[tokio::test]
#[ignore = "starts PostgreSQL"]
async fn what_postgresql_refuses_is_told_without_the_password() {
    let postgres = Postgres::start().await;
    let around =
        Around::folder(postgres.folder.path()).with("PW", "hunter2").with("BAD", "hunter2x");
    let bad = postgres.source("select 1").replace("\"PW\"", "\"BAD\"");
    told(&around.trouble(&bad).await, What::Denied, "password authentication failed");
    let none = postgres.source("select 1").replace("password_env = \"PW\"", "");
    told(&around.trouble(&none).await, What::Denied, "password missing");
    for (query, what, part) in [
        ("select nonsense", What::Answer, "column \"nonsense\" does not exist (42703)"),
        ("select sum(gpus) from jobs", What::Answer, "write coalesce(…, 0)"),
        ("select 'NaN'::float8", What::Absurd, "NaN is no number of jobs"),
        ("select -1", What::Absurd, "-1 is no number of jobs"),
        ("select 2000000", What::Absurd, "2000000 jobs are more than the 1000000"),
        ("select 'many'", What::Answer, "\"many\", and not a number"),
        ("select 1 as a, 2 as b", What::Answer, "rows of \"a\", \"b\", and no column `gpus`"),
        ("select 1; delete from jobs", What::Answer, "syntax error"),
        ("insert into jobs values (9) returning id", What::Answer, "syntax error"),
        ("select nextval('taken')", What::Answer, "in a read-only transaction (25006)"),
        ("select pg_sleep(60)", What::Timeout, ""),
    ] {
        let _ = postgres.psql("create sequence if not exists taken");
        told(&around.trouble(&postgres.source(query)).await, what, part);
    }
    // No question outlives who asked it.
    super::until("the query has ended", async || {
        let waits = "select 1/(case when count(*) = 0 then 1 else 0 end) from pg_stat_activity \
                     where application_name = 'mlinfra'";
        postgres.psql(waits).is_ok()
    })
    .await;
}

#[tokio::test]
#[ignore = "starts PostgreSQL"]
async fn postgresql_is_believed_only_with_a_certificate_for_its_name() {
    let postgres = Postgres::start().await;
    let around = Around::folder(postgres.folder.path()).with("PW", "hunter2");
    let with = |host: &str, ca: &str| {
        let source = postgres.source("select 3").replace("127.0.0.1", host);
        source.replace("timeout", &format!("ca_file = {ca:?}\n timeout"))
    };
    assert_eq!(known(&around.look(&with("localhost", "ca.pem")).await).0[0].0, 3);
    let other = around.trouble(&with("localhost", "other.pem")).await;
    told(&other, What::Unreachable, "invalid peer certificate");
}

#[tokio::test]
#[ignore = "starts PostgreSQL"]
async fn a_postgresql_that_hangs_or_goes_makes_what_is_known_stale() {
    let postgres = Postgres::start().await;
    let around = Around::folder(postgres.folder.path()).with("PW", "hunter2");
    let watch = around.open(&postgres.source("select 3")).expect("a source");
    assert_eq!(known(&watch.look(NOW).await).0[0].0, 3);
    postgres.peer.signal("-STOP");
    let begin = std::time::Instant::now();
    let answer = watch.look(Moment(NOW.0 + 10_000)).await;
    assert!(begin.elapsed() < Duration::from_secs(4), "{:?}", begin.elapsed());
    assert!(matches!(answer.demand, Demand::Stale { .. }), "{answer:?}");
    told(&trouble(answer), What::Timeout, "no answer within 2 s");
    postgres.peer.kill();
    let answer = watch.look(Moment(NOW.0 + 20_000)).await;
    told(&trouble(answer), What::Unreachable, "PostgreSQL: ");
}
