//! Where a cluster is told how much work there is, as plain data.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use crate::lang::{Evaluated, Value};
use crate::model::Problem;

use super::super::expansion::{Expansion, plain};
use super::endpoint::Endpoint;
use super::job::{Fits, job};
use super::settings::{Job, Source};
use super::sources::{COMMON, Kind, Running, SOURCES};

/// All sources of a cluster.
pub(super) fn all(
    x: &mut Expansion<'_>,
    (cluster, block): (&Evaluated, &Evaluated),
    fits: Fits,
) -> Vec<Source> {
    let written: Vec<(&Evaluated, &Kind)> =
        block.blocks.iter().filter_map(|inner| Some((inner, kind_of(inner)?))).collect();
    let queue = block.attr("queue").or_else(|| {
        let unsaid = written.is_empty() && block.attr("queue").is_none();
        cluster.attr("queue").filter(|_| unsaid)
    });
    let mut sources: Vec<Source> =
        queue.and_then(|queue| of_queue(x, queue, fits)).into_iter().collect();
    for (inner, kind) in &written {
        sources.extend(one(x, inner, kind, fits));
    }
    if queue.is_none() && written.is_empty() {
        let text = "nothing says how much work there is".to_owned();
        let help = "write queue = queue.NAME, or a source such as\n\
                    source \"prometheus\" { … }";
        x.problem(block, text, help);
    }
    let mut names = BTreeSet::new();
    for source in &sources {
        if !names.insert(source.name.clone()) {
            let text = format!("two sources are called {:?}", source.name);
            x.problem(
                block,
                text,
                "give each a `name` of its own, by which metrics tell them apart",
            );
        }
    }
    sources
}

/// What a block is, if it is a source.
pub(super) fn kind_of(block: &Evaluated) -> Option<&'static Kind> {
    SOURCES.iter().find(|kind| kind.schema.word == block.word)
}

/// The queue of the stack that an attribute names.
fn of_queue(x: &mut Expansion<'_>, queue: &Value, fits: Fits) -> Option<Source> {
    let block = queue.block()?;
    let name = block.address.to_string();
    let job = queue_job(queue);
    fit(x, queue, job, fits);
    let settings = queue_settings(queue);
    let (kind, timeout, most, tells_running) = ("sqs", 5, 1_000_000, true);
    Some(Source { kind, name, job, timeout, most, tells_running, settings })
}

/// The shape that a queue declares. What is wrong in it is told at the queue.
fn queue_job(queue: &Value) -> Job {
    let Some(written) = queue.block().and_then(|block| block.exports.get("job")) else {
        return Job::default();
    };
    let number = |name: &str| written.get(name).and_then(Value::as_u64);
    let small = |name: &str| number(name).and_then(|it| u32::try_from(it).ok());
    let flag = |name: &str| written.get(name).and_then(Value::as_bool);
    let nodes = small("nodes").unwrap_or(1).max(1);
    let priority = written.get("priority").and_then(Value::as_number);
    Job {
        gpus: small("gpus").unwrap_or(0),
        nodes,
        gang: flag("gang").unwrap_or(nodes > 1),
        priority: priority.and_then(|it| i32::try_from(it).ok()).unwrap_or(0),
        preemptible: flag("preemptible").unwrap_or(false),
    }
}

fn queue_settings(queue: &Value) -> Map<String, Json> {
    let exports = queue.block().map(|block| &block.exports);
    let read = |name: &str| exports?.get(name)?.as_str().map(Json::from);
    let part = |name: &str| read(name).map(|value| (name.to_owned(), value));
    part("url").into_iter().collect()
}

fn one(x: &mut Expansion<'_>, block: &Evaluated, kind: &Kind, fits: Fits) -> Option<Source> {
    let before = x.problems.len();
    x.problems.extend(together(block, kind));
    x.problems.extend(contents(block, kind));
    let written = block.attr("job");
    let job = match (written, block.attr("queue")) {
        (Some(value), _) => job(x, value),
        (None, Some(queue)) => queue_job(queue),
        (None, None) => Job::default(),
    };
    if let Some(value) = written.or(block.attr("queue")) {
        fit(x, value, job, fits);
    }
    let timeout = x.seconds(block, "timeout", 5, 1..=60);
    let most = x.integer(block, "most", 1_000_000, 1..=10_000_000);
    // Of what is unknown under `validate` nothing can be made.
    let unknown = block.attributes.values().any(Value::holds_unknown);
    if x.problems.len() > before || unknown {
        return None;
    }
    let label = kind.schema.word.rsplit(' ').next().unwrap_or_default();
    let name = block.attr("name").and_then(Value::as_str).unwrap_or(label).to_owned();
    let (tells_running, settings) = (tells_running(block, kind), settings(block));
    Some(Source { kind: label, name, job, timeout, most, tells_running, settings })
}

/// Whether it says what runs, too.
pub(super) fn tells_running(block: &Evaluated, kind: &Kind) -> bool {
    match kind.running {
        Running::Told => true,
        Running::With(names) => names.iter().any(|name| block.attr(name).is_some()),
        Running::Said => block.attr("tells_running").and_then(Value::as_bool).unwrap_or(false),
    }
}

fn settings(block: &Evaluated) -> Map<String, Json> {
    let own = |(name, value): (&'static str, &Value)| {
        if COMMON.contains(&name) || value.is_null() {
            return None;
        }
        Some((name.to_owned(), plain(value)))
    };
    let mut all: Map<String, Json> = block.attributes.iter().filter_map(own).collect();
    if let Some(queue) = block.attr("queue") {
        all.remove("queue");
        all.append(&mut queue_settings(queue));
    }
    all
}

/// Whether a job can ever run here.
fn fit(x: &mut Expansion<'_>, value: &Value, job: Job, fits: Fits) {
    let most = fits.most;
    if let Some(gpus) = fits.gpus.filter(|gpus| job.gpus > *gpus) {
        let text = format!(
            "a job needs {} accelerators on a node, and no node has more than {gpus}",
            job.gpus
        );
        let help = "nobody would ever start it; give it more nodes with fewer each, or the cluster \
                    another type";
        x.check(value, Some(text), help);
    }
    if job.gang && job.nodes > most {
        let text =
            format!("a job needs {} nodes at once, and the cluster has at most {most}", job.nodes);
        x.check(
            value,
            Some(text),
            "nobody would ever start it; raise `max` of the cluster's `nodes`",
        );
    }
}

/// What must, may and must not stand together.
fn together(block: &Evaluated, kind: &Kind) -> Vec<Problem> {
    let mut found = Vec::new();
    let word = kind.schema.word;
    let has = |name: &&&str| block.attr(name).is_some();
    let quoted = |names: &[&str]| {
        names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ")
    };
    let mut say = |text: String, help: String| {
        found.push(Problem::error("S001", text).help(help).at(&block.span, ""));
    };
    for names in kind.one_of {
        let written: Vec<&&str> = names.iter().filter(has).collect();
        if written.len() != 1 {
            let how =
                names.iter().map(|name| format!("{name} = …")).collect::<Vec<_>>().join(" or ");
            let how = format!("write {how}");
            let many = if written.is_empty() { "neither is" } else { "more than one is" };
            say(format!("{word} needs {}, and {many} written", quoted(names)), how);
        }
    }
    for names in kind.at_most_one {
        let written: Vec<&str> = names.iter().filter(has).copied().collect();
        if written.len() > 1 {
            say(
                format!("{} exclude each other", quoted(&written).replace(" or ", " and ")),
                "keep one of them".to_owned(),
            );
        }
    }
    for (one, other) in kind.with {
        if block.attr(one).is_some() && block.attr(other).is_none() {
            say(format!("`{one}` needs `{other}`"), format!("write {other} = \"…\" beside it"));
        }
    }
    found
}

/// What the values say.
fn contents(block: &Evaluated, kind: &Kind) -> Vec<Problem> {
    let mut found = Vec::new();
    for (name, value) in block.attributes.iter() {
        let Some(wrong) = bad(name, value, kind) else { continue };
        let problem = Problem::error("S001", format!("{name} {}", wrong.text)).help(wrong.help);
        // A line that may hold a password is never drawn.
        let at = if wrong.hidden { &block.span } else { block.place(name) };
        found.push(problem.at(at, ""));
    }
    found
}

struct Bad {
    text: String,
    help: String,
    hidden: bool,
}

fn bad(name: &str, value: &Value, kind: &Kind) -> Option<Bad> {
    let say = |text: String, help: &str| Some(Bad { text, help: help.to_owned(), hidden: false });
    if let Some(items) = value.as_list() {
        let empty = items.iter().any(|item| item.as_str().is_some_and(str::is_empty));
        return (items.is_empty() || empty).then(|| Bad {
            text: "is empty, or has an empty part".to_owned(),
            help: "name at least one, each with a text".to_owned(),
            hidden: false,
        });
    }
    let text = value.as_str()?;
    if text.chars().any(|c| c.is_control() && !"\n\t".contains(c)) {
        return say("holds a control character".to_owned(), "remove it");
    }
    match name {
        "url" => bad_url(text, kind),
        "pointer" if !text.is_empty() && !text.starts_with('/') => {
            say(format!("{text:?} is no JSON pointer"), "begin it with a slash: \"/queue/depth\"")
        }
        "pointer" => None,
        _ if text.trim().is_empty() => {
            say("is empty".to_owned(), "write something, or leave it out")
        }
        "ssh" | "squeue" if text.starts_with('-') || text.contains(char::is_whitespace) => {
            say(format!("{text:?} is more than a name"), "write a name alone, without options")
        }
        _ if name.ends_with("_env") && !is_variable(text) => say(
            format!("{text:?} is no name of an environment variable"),
            "write its name and not what it holds: letters, digits and _",
        )
        // Who mistakes it writes the secret itself.
        .map(|bad| Bad {
            text: "is no name of an environment variable".to_owned(),
            hidden: true,
            ..bad
        }),
        _ => None,
    }
}

fn is_variable(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn bad_url(text: &str, kind: &Kind) -> Option<Bad> {
    let examples: Vec<String> = kind.schemes.iter().map(|it| format!("{it}://")).collect();
    let begin = format!(
        "write {}host…, with the credentials in a variable or a file, such as\n\
                         password_env = \"QUEUE_PASSWORD\"",
        examples.join("host… or ")
    );
    let wrong = match Endpoint::read(text) {
        Ok(found) if kind.schemes.contains(&found.scheme.as_str()) => return None,
        Ok(found) => format!("begins with {}://, which this source does not speak", found.scheme),
        Err(wrong) => wrong,
    };
    Some(Bad { text: wrong, help: begin, hidden: true })
}

/// What a source's own table may hold, by kind: what its reader must know.
pub fn own_settings() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let own = |kind: &Kind| {
        let names = kind.schema.attributes.iter().map(|attribute| attribute.name);
        names.filter(|name| !COMMON.contains(name)).collect()
    };
    let label = |kind: &Kind| kind.schema.word.rsplit(' ').next().unwrap_or_default();
    SOURCES.iter().map(|kind| (label(kind), own(kind))).collect()
}
