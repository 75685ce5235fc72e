//! Where the work is read from, by which the number of nodes follows it.

use super::super::question::{Question, Scene};
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

fn is(engine: &'static str) -> impl Fn(Scene<'_>) -> bool {
    move |scene| scene.is("engine", engine)
}

fn details() -> Vec<Question> {
    vec![
        Question::new(
            "slurm_ssh",
            "Where does squeue run?",
            "A host as ssh knows it, such as ops@head; `here` for this machine.",
        )
        .help("`squeue --json` is run there by ssh, which must ask for no password.")
        .or("here")
        .check(|text, _| match text.contains(char::is_whitespace) || text.starts_with('-') {
            true => Err(format!("{text:?} is no host: write user@host, or here")),
            false => some(text, "a host, or here"),
        })
        .when(is("slurm")),
        Question::new("redis_url", "Where is Redis?", "Such as rediss://host:6379/0.")
            .help("rediss:// is encrypted, redis:// is not. No password stands in it.")
            .required()
            .check(|text, _| url(text, &["rediss", "redis"]))
            .when(is("redis")),
        Question::new("redis_list", "Which list holds the jobs?", "The key of the list.")
            .help("Its length is the number of jobs that wait. Streams are written by hand.")
            .or("jobs")
            .check(|text, _| some(text, "the key of a list"))
            .when(is("redis")),
        Question::new("postgres_url", "Where is PostgreSQL?", "Such as postgresql://user@host/db.")
            .help("TLS with a checked certificate, unless the host is this machine.")
            .required()
            .check(|text, _| url(text, &["postgresql", "postgres"]))
            .when(is("postgres")),
        Question::new("postgres_query", "Which query counts the jobs?", "One row with one number.")
            .help("Or a row for each job with columns such as gpus and nodes: docs/sources.md.")
            .or("select count(*) from jobs where state = 'queued'")
            .check(|text, _| some(text, "a query"))
            .when(is("postgres")),
        Question::new("prometheus_url", "Where is Prometheus?", "Such as https://prometheus:9090.")
            .help("Its HTTP API is asked; a token is named in the file by hand: docs/sources.md.")
            .required()
            .check(|text, _| url(text, &["https", "http"]))
            .when(is("prometheus")),
        Question::new("prometheus_query", "Which query counts the jobs?", "An instant query.")
            .help("No series at all is an error and not a zero: end it with `or vector(0)`.")
            .or("sum(jobs_queued) or vector(0)")
            .check(|text, _| some(text, "a query"))
            .when(is("prometheus")),
        Question::new("http_url", "Which URL answers?", "A number, or a list of jobs, as JSON.")
            .help("It is fetched with GET; docs/sources.md has the shape of a job.")
            .required()
            .check(|text, _| url(text, &["https", "http"]))
            .when(is("http")),
        Question::new(
            "program",
            "Which program prints it?",
            "With its arguments, without a shell.",
        )
        .help("It runs in the folder of the stack and prints a number or JSON.")
        .or("./jobs-waiting")
        .check(|text, _| some(text, "a program"))
        .when(is("program")),
    ]
}
