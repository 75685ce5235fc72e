//! Where the work is read from, by which the number of nodes follows it.

use super::super::question::Question;
use super::check::{some, url};

pub(super) fn questions() -> Vec<Question> {
    let mut out = vec![engine()];
    out.extend(details());
    out
}

fn engine() -> Question {
    Question::new(
        "engine",
        "Where does the work come from?",
        "By it the number of nodes follows the work; or it is fixed.",
    )
    .help(
        "`sqs` makes a queue in this stack; your code sends a message for each job. The others \
         are read where they are already, and nothing is written to them. docs/sources.md says \
         all about each. The service that resizes is `mlinfra autoscale run`.",
    )
    .either(&[
        ("none", "nowhere: a fixed number of nodes"),
        ("sqs", "a queue that this stack makes"),
        ("slurm", "jobs that wait in Slurm"),
        ("redis", "a list in Redis"),
        ("postgres", "a query of PostgreSQL"),
        ("prometheus", "a query of Prometheus"),
        ("http", "JSON that a URL answers with"),
        ("program", "what a program of yours prints"),
    ])
    .or("none")
}

/// A question about one engine.
struct Detail {
    engine: &'static str,
    key: &'static str,
    title: &'static str,
    line: &'static str,
    help: &'static str,
    /// What an empty line answers; without it, it has to be given.
    default: Option<&'static str>,
    check: fn(&str) -> Result<String, String>,
}

const DETAILS: &[Detail] = &[
    Detail {
        engine: "slurm",
        key: "slurm_ssh",
        title: "Where does squeue run?",
        line: "A host as ssh knows it, such as ops@head; `here` for this machine.",
        help: "`squeue --json` is run there by ssh, which must ask for no password.",
        default: Some("here"),
        check: host,
    },
    Detail {
        engine: "redis",
        key: "redis_url",
        title: "Where is Redis?",
        line: "Such as rediss://host:6379/0.",
        help: "rediss:// is encrypted, redis:// is not. No password stands in it.",
        default: None,
        check: |text| url(text, &["rediss", "redis"]),
    },
    Detail {
        engine: "redis",
        key: "redis_list",
        title: "Which list holds the jobs?",
        line: "The key of the list.",
        help: "Its length is the number of jobs that wait. Streams are written by hand.",
        default: Some("jobs"),
        check: |text| some(text, "the key of a list"),
    },
    Detail {
        engine: "postgres",
        key: "postgres_url",
        title: "Where is PostgreSQL?",
        line: "Such as postgresql://user@host/db.",
        help: "TLS with a checked certificate, unless the host is this machine.",
        default: None,
        check: |text| url(text, &["postgresql", "postgres"]),
    },
    Detail {
        engine: "postgres",
        key: "postgres_query",
        title: "Which query counts the jobs?",
        line: "One row with one number.",
        help: "Or a row for each job with columns such as gpus and nodes: docs/sources.md.",
        default: Some("select count(*) from jobs where state = 'queued'"),
        check: |text| some(text, "a query"),
    },
    Detail {
        engine: "prometheus",
        key: "prometheus_url",
        title: "Where is Prometheus?",
        line: "Such as https://prometheus:9090.",
        help: "Its HTTP API is asked; a token is named in the file by hand: docs/sources.md.",
        default: None,
        check: |text| url(text, &["https", "http"]),
    },
    Detail {
        engine: "prometheus",
        key: "prometheus_query",
        title: "Which query counts the jobs?",
        line: "An instant query.",
        help: "No series at all is an error and not a zero: end it with `or vector(0)`.",
        default: Some("sum(jobs_queued) or vector(0)"),
        check: |text| some(text, "a query"),
    },
    Detail {
        engine: "http",
        key: "http_url",
        title: "Which URL answers?",
        line: "A number, or a list of jobs, as JSON.",
        help: "It is fetched with GET; docs/sources.md has the shape of a job.",
        default: None,
        check: |text| url(text, &["https", "http"]),
    },
    Detail {
        engine: "program",
        key: "program",
        title: "Which program prints it?",
        line: "With its arguments, without a shell.",
        help: "It runs in the folder of the stack and prints a number or JSON.",
        default: Some("./jobs-waiting"),
        check: |text| some(text, "a program"),
    },
];

fn host(text: &str) -> Result<String, String> {
    match text.contains(char::is_whitespace) || text.starts_with('-') {
        true => Err(format!("{text:?} is no host: write user@host, or here")),
        false => some(text, "a host, or here"),
    }
}

fn details() -> impl Iterator<Item = Question> {
    DETAILS.iter().map(|it| {
        Question::new(it.key, it.title, it.line)
            .help(it.help)
            .default(|_| it.default.map(str::to_owned))
            .required_when(|_| it.default.is_none())
            .check(|text, _| (it.check)(text))
            .when(|scene| scene.is("engine", it.engine))
    })
}
