//! The tables of `source` blocks, one for each kind, and what goes with what in them.
//!
//! One more kind is a table and a row here, a line in `autoscale`'s blocks, and a file in
//! `demand/`.

use crate::lang::schema::{Attribute, BlockSchema, Type};

use super::job::JOB;

/// A kind of source: its table, and what the table cannot say.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// The table.
    pub schema: BlockSchema,
    /// What its addresses may begin with; those that are not encrypted last.
    pub schemes: &'static [&'static str],
    /// Of each of these exactly one is written.
    pub one_of: &'static [&'static [&'static str]],
    /// Of each of these at most one is written.
    pub at_most_one: &'static [&'static [&'static str]],
    /// The first is written only with the second.
    pub with: &'static [(&'static str, &'static str)],
    /// Whether it says what runs, too.
    pub running: Running,
}

/// Whether a source says what runs, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Running {
    /// It does.
    Told,
    /// It does where one of these is written.
    With(&'static [&'static str]),
    /// Only the author knows, and writes `tells_running`.
    Said,
}

/// All of them.
pub const SOURCES: &[Kind] = &[
    Kind {
        one_of: &[&["queue", "url"]],
        schemes: &["https"],
        running: Running::Told,
        ..plain(SQS)
    },
    Kind {
        schemes: &["rediss", "redis"],
        one_of: &[&["list", "stream"]],
        with: &[("group", "stream"), ("stream", "group"), ("running", "list")],
        running: Running::With(&["running", "stream"]),
        ..plain(REDIS)
    },
    Kind { schemes: &["postgresql", "postgres"], ..plain(POSTGRES) },
    Kind { schemes: &["https", "http"], at_most_one: WAYS_IN, ..plain(PROMETHEUS) },
    Kind { running: Running::Told, ..plain(SLURM) },
    Kind { schemes: &["https", "http"], at_most_one: WAYS_IN, ..plain(HTTP) },
    plain(PROGRAM),
];

const WAYS_IN: &[&[&str]] = &[&["token_env", "token_file", "password_env", "password_file"]];

const fn plain(schema: BlockSchema) -> Kind {
    Kind {
        schema,
        schemes: &[],
        one_of: &[],
        at_most_one: &[&["password_env", "password_file"]],
        with: &[],
        running: Running::Said,
    }
}

/// What every source has.
pub(super) const COMMON: &[&str] = &["name", "job", "timeout", "most", "tells_running"];

/// A table: what the source itself has, and what all have.
macro_rules! source {
    ($word:literal, $doc:expr, [$($own:expr),* $(,)?]) => {
        BlockSchema {
            word: concat!("source ", $word),
            label: None,
            repeats: true,
            attributes: &[
                $($own,)*
                Attribute::new("name", Type::String, "What it is called in metrics and messages.")
                    .or(concat!("\"", $word, "\"")),
                Attribute::new(
                    "job",
                    JOB,
                    "What one job needs, where the source does not say: `{ gpus = 8, nodes = 2 }` is \
                     eight accelerators on each of two nodes, which start together; `gang = false` \
                     makes two jobs of it. Also `priority` and `preemptible`.",
                )
                .or("a whole node"),
                Attribute::new("timeout", Type::Duration, "How long it may take to answer; 1s to 60s.")
                    .or("\"5s\""),
                Attribute::new(
                    "most",
                    Type::Integer,
                    "More jobs than this are not believed; up to 10000000.",
                )
                .or("1000000"),
            ],
            blocks: &[],
            exports: &[],
            doc: $doc,
        }
    };
}

const PASSWORD_ENV: Attribute = Attribute::new(
    "password_env",
    Type::String,
    "The name of the environment variable that holds the password.",
);
const PASSWORD_FILE: Attribute =
    Attribute::new("password_file", Type::String, "The file that holds the password.");
const TOKEN_ENV: Attribute = Attribute::new(
    "token_env",
    Type::String,
    "The name of the environment variable that holds a bearer token.",
);
const TOKEN_FILE: Attribute =
    Attribute::new("token_file", Type::String, "The file that holds a bearer token.");
const CA_FILE: Attribute = Attribute::new(
    "ca_file",
    Type::String,
    "Certificates in PEM that are trusted instead of the machine's.",
);
const CLEARTEXT: Attribute = Attribute::new(
    "cleartext",
    Type::Bool,
    "Credentials may travel without encryption to another machine.",
)
.or("false");
const USER: Attribute = Attribute::new("user", Type::String, "Who asks.");
const POINTER: Attribute = Attribute::new(
    "pointer",
    Type::String,
    "Where in the JSON the number or the list of jobs stands, as a JSON pointer (RFC 6901), such as \
     `/queue/depth`.",
)
.or("\"\": all of it");

const TELLS_RUNNING: Attribute = Attribute::new(
    "tells_running",
    Type::Bool,
    "It counts or lists jobs that run, too, so that 0 or an empty answer means that nothing runs \
     either. Nodes without an `agent` go only then.",
)
.or("false");

pub(super) const SQS: BlockSchema = source!(
    "sqs",
    "An SQS queue. Messages are counted and never received. What workers have in hand counts as \
     running.",
    [
        Attribute::new("queue", Type::Reference("queue"), "A queue of this stack: this, or `url`."),
        Attribute::new("url", Type::String, "The URL of any other queue."),
        Attribute::new(
            "oldest_age",
            Type::Bool,
            "Ask CloudWatch once a minute how old the oldest message is, which costs USD 0.43 a \
             month; without the right to it, it is done without.",
        )
        .or("true"),
    ]
);

pub(super) const REDIS: BlockSchema = source!(
    "redis",
    "A list, or what a consumer group has yet to read of a stream, in Redis or Valkey.",
    [
        Attribute::new(
            "url",
            Type::String,
            "`rediss://host:6379/0`, or `redis://…` without encryption; after the slash the number \
             of the database. No password stands in it.",
        )
        .required(),
        Attribute::new("list", Type::String, "The key of a list: this, or `stream`."),
        Attribute::new(
            "running",
            Type::String,
            "The key of the list to which workers move what they have taken.",
        ),
        Attribute::new("stream", Type::String, "The key of a stream, with `group`."),
        Attribute::new("group", Type::String, "The consumer group whose lag counts."),
        USER,
        PASSWORD_ENV,
        PASSWORD_FILE,
        CA_FILE,
        CLEARTEXT,
    ]
);

pub(super) const POSTGRES: BlockSchema = source!(
    "postgres",
    "What a query of a PostgreSQL database answers, in a transaction that can only read.",
    [
        Attribute::new(
            "url",
            Type::String,
            "`postgresql://user@host:5432/database`. TLS with a checked certificate, unless the \
             host is this machine. No password stands in it.",
        )
        .required(),
        Attribute::new(
            "query",
            Type::String,
            "One row with one number counts jobs of the shape of `job`. Otherwise each row is a job, \
             or `count` like it, by the names of its columns: `gpus`, `nodes`, `gang`, `count`, \
             `id`, `priority`, `preemptible`, `submitted_at`, `running`.",
        )
        .required(),
        PASSWORD_ENV,
        PASSWORD_FILE,
        CA_FILE,
        CLEARTEXT,
        TELLS_RUNNING,
    ]
);

pub(super) const PROMETHEUS: BlockSchema = source!(
    "prometheus",
    "What an instant query of PromQL answers. Series with the labels `gpus`, `nodes`, `priority` \
     or `state=\"running\"` count as jobs of that shape, the others of the shape of `job`. No series \
     at all is an error, and not a zero: write `… or vector(0)` where it is one.",
    [
        Attribute::new("url", Type::String, "Where Prometheus is: `https://prometheus:9090`.")
            .required(),
        Attribute::new("query", Type::String, "The query.").required(),
        USER,
        PASSWORD_ENV,
        PASSWORD_FILE,
        TOKEN_ENV,
        TOKEN_FILE,
        CA_FILE,
        CLEARTEXT,
        TELLS_RUNNING,
    ]
);

pub(super) const SLURM: BlockSchema = source!(
    "slurm",
    "What `squeue --json` tells: jobs that wait for nodes, with their GPUs, nodes and priority, \
     and jobs that run. Jobs that are held, depend on others or have reached a limit do not count.",
    [
        Attribute::new(
            "partitions",
            Type::List(&Type::String),
            "Only jobs that may run in one of these.",
        )
        .or("all"),
        Attribute::new(
            "ssh",
            Type::String,
            "Where `squeue` runs, as `ssh` knows it: `ops@head`. Keys are ssh's own matter; it must \
             ask nothing.",
        )
        .or("this machine"),
        Attribute::new("squeue", Type::String, "The program.").or("\"squeue\""),
    ]
);

pub(super) const HTTP: BlockSchema = source!(
    "http",
    "JSON over HTTP: a number, or a list of jobs as objects with `gpus`, `nodes`, `gang`, `count`, \
     `id`, `priority`, `preemptible`, `submitted_at`, `running`, all of which may be left out.",
    [
        Attribute::new("url", Type::String, "What is fetched, with GET.").required(),
        POINTER,
        USER,
        PASSWORD_ENV,
        PASSWORD_FILE,
        TOKEN_ENV,
        TOKEN_FILE,
        CA_FILE,
        CLEARTEXT,
        TELLS_RUNNING,
    ]
);

pub(super) const PROGRAM: BlockSchema = source!(
    "program",
    "What a program prints: a number, or JSON as of `source \"http\"`. It runs beside the service, \
     without a shell, in the folder of the stack. An exit code other than 0 is an error.",
    [
        Attribute::new("command", Type::List(&Type::String), "The program and its arguments.")
            .required(),
        POINTER,
        TELLS_RUNNING,
    ]
);
