//! `source "prometheus"` against Debian's Prometheus, which scrapes a page of the test.

use std::process::Command;

use mlinfra::demand::What;
use mlinfra::fleet::{Demand, Shape};
use mlinfra::model::Moment;

use super::peer::{Peer, certificates, free_port, program};
use super::web::{Page, Web};
use super::{Around, NOW, known, told, trouble, until};

const METRICS: &str = "# TYPE jobs_waiting gauge\njobs_waiting{queue=\"a\"} 3\n\
                       jobs_waiting{queue=\"b\",gpus=\"4\",nodes=\"2\"} 5\njobs_busy 2\njobs_bad NaN\n";

/// The password `hunter2`, as `web.config.file` has it (bcrypt).
const HASH: &str = "$2b$04$tjfD7tkyYwmXQL3ze8YfOeLbkrf5SETzMo/RKq9vba5vDf7eRU8dW";

struct Prometheus {
    peer: Peer,
    port: u16,
    folder: tempfile::TempDir,
    _web: Web,
}

impl Prometheus {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, port) = (folder.path(), free_port());
        certificates(path);
        let web = Web::serve(Page::text(METRICS)).await;
        let config = format!(
            "global: {{ scrape_interval: 1s }}\nscrape_configs:\n- job_name: test\n  \
             static_configs: [{{ targets: [\"127.0.0.1:{}\"] }}]\n",
            web.port
        );
        let guard = format!(
            "tls_server_config: {{ cert_file: cert.pem, key_file: key.pem }}\n\
             basic_auth_users: {{ ops: \"{HASH}\" }}\n"
        );
        std::fs::write(path.join("p.yml"), config).expect("a file");
        std::fs::write(path.join("web.yml"), guard).expect("a file");
        let mut command = Command::new(program("prometheus"));
        command.current_dir(path).args(["--config.file=p.yml", "--storage.tsdb.path=data"]);
        command.args(["--web.config.file=web.yml", "--web.route-prefix=/prom"]);
        command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
        let mut peer = Peer::start(path, "prometheus", &mut command);
        peer.listens(port).await;
        Self { peer, port, folder, _web: web }
    }

    fn source(&self, query: &str, rest: &str) -> String {
        format!(
            "source \"prometheus\" {{\n url = \"https://localhost:{}/prom/\"\n user = \"ops\"\n \
             password_env = \"PW\"\n ca_file = \"ca.pem\"\n timeout = \"2s\"\n \
             job = {{ gpus = 8 }}\n query = {query:?}\n {rest}\n}}",
            self.port
        )
    }
}

#[tokio::test]
#[ignore = "starts prometheus"]
async fn queries_of_prometheus_are_jobs_and_everything_else_is_trouble() {
    let prometheus = Prometheus::start().await;
    let around =
        Around::folder(prometheus.folder.path()).with("PW", "hunter2").with("BAD", "hunter2x");
    let waiting = prometheus.source("jobs_waiting", "");
    until("the page was scraped", async || {
        matches!(around.look(&waiting).await.demand, Demand::Known { .. })
    })
    .await;
    let (mut jobs, running) = known(&around.look(&waiting).await);
    jobs.sort_unstable();
    assert_eq!((jobs, running), (vec![(3, Shape::single(8)), (5, Shape::gang(4, 2))], 0));
    let sum = prometheus.source("sum(jobs_waiting) or vector(0)", "");
    assert_eq!(known(&around.look(&sum).await).0, [(8, Shape::single(8))]);
    let scalar = prometheus.source("scalar(sum(jobs_waiting)) / 3", "");
    assert_eq!(known(&around.look(&scalar).await).0, [(3, Shape::single(8))]);
    let busy =
        prometheus.source("label_replace(jobs_busy, \"state\", \"running\", \"\", \"\")", "");
    assert_eq!(known(&around.look(&busy).await), (vec![], 2));

    for (query, what, part) in [
        ("nothing_like_it", What::Answer, "no series matches the query"),
        ("jobs_bad", What::Absurd, "NaN is no number of jobs"),
        ("0 - jobs_busy", What::Absurd, "-2 is no number of jobs"),
        ("jobs_busy / 0", What::Absurd, "inf is no number of jobs"),
        ("jobs_busy * 1e9", What::Absurd, "more than the 1000000"),
        ("jobs_waiting[5m]", What::Answer, "\"matrix\", and not a number or a vector"),
        ("jobs_waiting{", What::Answer, "Prometheus refused the query: "),
    ] {
        told(&around.trouble(&prometheus.source(query, "")).await, what, part);
    }
    told(&around.trouble(&waiting.replace("\"PW\"", "\"BAD\"")).await, What::Denied, "HTTP 401");
    let trusted = waiting.replace("ca.pem", "other.pem");
    told(&around.trouble(&trusted).await, What::Unreachable, "invalid peer certificate");
    let plain = waiting.replace("https", "http");
    told(&around.trouble(&plain).await, What::Answer, "HTTP 400");

    let watch = around.open(&waiting).expect("a source");
    assert_eq!(known(&watch.look(NOW).await).0.len(), 2);
    prometheus.peer.signal("-STOP");
    told(&trouble(watch.look(Moment(NOW.0 + 10_000)).await), What::Timeout, "within 2 s");
    prometheus.peer.kill();
    let answer = watch.look(Moment(NOW.0 + 20_000)).await;
    assert!(matches!(answer.demand, Demand::Stale { .. }), "{answer:?}");
    told(&trouble(answer), What::Unreachable, "cannot be reached");
}
