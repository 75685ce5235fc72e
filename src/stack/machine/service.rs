//! What the machine of a service runs, and how it is told whether that is healthy.

use crate::lang::schema::{Attribute, BlockSchema, Type};
use crate::lang::{Evaluated, Value};
use crate::stack::expansion::Expansion;

use super::Script;

/// What both ways to run something have.
const COMMAND: Attribute =
    Attribute::new("command", Type::List(&Type::String), "The words of the command.");
const ENV: Attribute =
    Attribute::new("env", Type::Map(&Type::String), "Its environment; readable for many.").or("{}");
const SECRETS: Attribute = Attribute::new(
    "secrets",
    Type::Map(&Type::String),
    "More of its environment, by where the machine reads it when the service starts: \
     `\"ssm:/llm/password\"` (Parameter Store) or `\"secretsmanager:llm/password\"`, a name or an \
     ARN of this account. The machine may read these and no others.",
)
.or("{}");

/// A container.
pub(in crate::stack) const CONTAINER: BlockSchema = BlockSchema {
    word: "container",
    label: None,
    repeats: false,
    attributes: &[
        Attribute::new(
            "image",
            Type::String,
            "What to run, such as `ghcr.io/mlflow/mlflow:v3.1.0`. An image of this account's ECR \
             is pulled with the machine's own rights.",
        )
        .required(),
        Attribute { doc: "Its arguments, instead of the image's own.", ..COMMAND }
            .or("the image's own"),
        ENV,
        SECRETS,
    ],
    blocks: &[],
    exports: &[],
    doc: "The container that a service runs. It shares the machine's network, so that it listens \
          on `ports` itself and has the machine's rights, sees the folders that the machine \
          mounts, and gets NVIDIA GPUs where there are some.",
};

/// A command.
pub(in crate::stack) const UNIT: BlockSchema = BlockSchema {
    word: "unit",
    label: None,
    repeats: false,
    attributes: &[
        COMMAND.required(),
        Attribute::new("user", Type::String, "Who runs it.").or("\"root\""),
        ENV,
        SECRETS,
    ],
    blocks: &[],
    exports: &[],
    doc: "A command that a service runs as a systemd unit, on what the image or `setup` has \
          installed.",
};

/// How it is told whether a service is healthy.
pub(in crate::stack) const HEALTH: BlockSchema = BlockSchema {
    word: "health",
    label: None,
    repeats: false,
    attributes: &[
        Attribute::new(
            "http",
            Type::String,
            "A path that must answer with less than 400, such as `\"/health\"`.",
        ),
        Attribute::new("port", Type::Integer, "Where.").or("the first of `ports`"),
        Attribute::new(
            "command",
            Type::List(&Type::String),
            "A command that must end with 0; in the container where there is one.",
        ),
        Attribute::new("interval", Type::Duration, "How often it is asked; 5s to 1h.")
            .or("\"10s\""),
        Attribute::new("timeout", Type::Duration, "How long an answer may take; 1s to 5m.")
            .or("\"5s\""),
        Attribute::new(
            "retries",
            Type::Integer,
            "How often in a row it may fail; then it counts as unhealthy, and is started again.",
        )
        .or("3"),
        Attribute::new(
            "grace",
            Type::Duration,
            "How long it may take to become healthy, from its start; 10s to 2h.",
        )
        .or("\"10m\""),
    ],
    blocks: &[],
    exports: &[],
    doc: "The machine itself asks whether its service is healthy and says so by the tag \
          `mlinfra:state`. Without `http` and `command` all `ports` must take connections.",
};

const RUN: Script = ("service", include_str!("service.sh"));
const HEALTHY: Script = ("health", include_str!("health.sh"));
const SERVICE: &str = include_str!("mlinfra-service.service");
const ASKING: &str = include_str!("mlinfra-health.service");

/// What comes to a machine with its service.
#[derive(Clone)]
pub(super) struct Service {
    /// `/etc/mlinfra/service`.
    pub settings: String,
    pub scripts: [Script; 2],
    /// Name and content.
    pub units: [(&'static str, String); 3],
    pub in_container: bool,
}

/// Seconds from the launch of a machine until it must be healthy: its boot comes first.
pub(in crate::stack) fn patience(x: &mut Expansion<'_>, block: &Evaluated) -> u32 {
    const BOOT: u32 = 900;
    let health = block.nested("health").next();
    BOOT + health.map_or(600, |health| x.seconds(health, "grace", 600, 10..=7200))
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let all = value.and_then(Value::as_list).unwrap_or_default();
    all.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect()
}

/// A word as a shell reads it back.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

fn array(name: &str, words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    format!("{name}=({})\n", words.join(" "))
}

/// `NAME=value` pairs; says which names are none.
fn pairs(x: &mut Expansion<'_>, block: &Evaluated, attribute: &str) -> Vec<String> {
    let mut out = Vec::new();
    for (name, value) in block.attr(attribute).and_then(Value::as_map).into_iter().flatten() {
        let first = |c: char| c.is_ascii_alphabetic() || c == '_';
        let rest = |c: char| first(c) || c.is_ascii_digit();
        let fine = name.starts_with(first) && name.chars().all(rest);
        let problem = format!("{name:?} is no name of an environment variable");
        x.check(value, (!fine).then_some(problem), "names hold letters, digits and _");
        let Some(text) = value.as_str() else { continue };
        let nul = text.contains('\0').then(|| format!("{name} holds a zero byte"));
        x.check(value, nul, "a variable of the environment cannot");
        out.push(format!("{name}={text}"));
    }
    out
}

/// Where a secret is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::stack) enum Secret {
    /// The name of a parameter, with its slash.
    Parameter(String),
    /// A name or an ARN.
    Manager(String),
}

impl Secret {
    /// Reads a reference.
    fn read(text: &str) -> Option<Self> {
        let (store, name) = text.split_once(':')?;
        let fine = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-:!".contains(c);
        if name.is_empty() || name.len() > 1024 || !name.chars().all(fine) {
            return None;
        }
        match store {
            "ssm" => Some(Self::Parameter(name.to_owned())),
            "secretsmanager" => Some(Self::Manager(name.to_owned())),
            _ => None,
        }
    }
}

/// The block that says what runs.
pub(in crate::stack) fn run(block: &Evaluated) -> Option<&Evaluated> {
    block.nested("container").chain(block.nested("unit")).next()
}

/// The secrets that a service reads.
pub(in crate::stack) fn secrets(block: &Evaluated) -> Vec<Secret> {
    let all = run(block).and_then(|run| run.attr("secrets")).and_then(Value::as_map);
    let read = |(_, value): (&String, &Value)| Secret::read(value.as_str()?);
    all.into_iter().flatten().filter_map(read).collect()
}

fn check_secrets(x: &mut Expansion<'_>, run: &Evaluated) {
    for (name, value) in run.attr("secrets").and_then(Value::as_map).into_iter().flatten() {
        let Some(text) = value.as_str() else { continue };
        let bad = Secret::read(text).is_none();
        // What was written there may be the secret itself.
        let problem = bad.then(|| format!("{name} does not say where its secret is kept"));
        if let Some(problem) = problem {
            let help = "write \"ssm:/path/of/parameter\" or \"secretsmanager:name-of-secret\"";
            x.problem(run, problem, help);
        }
    }
}

/// What a service's block asks of its machines.
pub(super) fn of(x: &mut Expansion<'_>, block: &Evaluated) -> Option<Service> {
    let (container, unit) = (block.nested("container").next(), block.nested("unit").next());
    let help = "write a `container` with an `image`, or a `unit` with a `command`";
    let run = match (container, unit) {
        (Some(run), None) | (None, Some(run)) => run,
        (None, None) => {
            x.problem(block, "a service must say what it runs".to_owned(), help);
            return None;
        }
        (Some(_), Some(unit)) => {
            x.problem(unit, "a service runs a container or a unit, not both".to_owned(), help);
            return None;
        }
    };
    check_secrets(x, run);
    let mut settings = String::new();
    let text = |name: &str| run.attr(name).and_then(Value::as_str).unwrap_or_default();
    check_image(x, run);
    settings.push_str(&format!("image={}\n", quoted(text("image"))));
    settings.push_str(&format!("user={}\n", quoted(text("user"))));
    let command = texts(run.attr("command"));
    if let (true, Some(value)) = (unit.is_some() && command.is_empty(), run.attr("command")) {
        let known = !value.holds_unknown();
        x.check(value, known.then(|| "a command has words".to_owned()), "write [\"/opt/app/run\"]");
    }
    settings.push_str(&array("command", &command));
    for name in ["env", "secrets"] {
        let all = pairs(x, run, name);
        settings.push_str(&array(name, &all));
    }
    let folders: Vec<String> =
        block.nested("mount").filter_map(|mount| mount.label.clone()).collect();
    settings.push_str(&array("folders", &folders));
    let interval = health(x, block, &mut settings);
    let timer = format!(
        "[Unit]\nDescription=Whether the service of mlinfra is healthy, now and then\n\n[Timer]\n\
         OnActiveSec={interval}\nOnUnitInactiveSec={interval}\nAccuracySec=1\n"
    );
    Some(Service {
        settings,
        scripts: [RUN, HEALTHY],
        units: [
            ("mlinfra-service.service", SERVICE.to_owned()),
            ("mlinfra-health.service", ASKING.to_owned()),
            ("mlinfra-health.timer", timer),
        ],
        in_container: container.is_some(),
    })
}

fn check_image(x: &mut Expansion<'_>, run: &Evaluated) {
    let Some(value) = run.attr("image") else { return };
    let Some(text) = value.as_str() else { return };
    let fine = |c: char| c.is_ascii_alphanumeric() || "/:._-@".contains(c);
    let good = text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(fine);
    let problem = format!("{text:?} is no image of a container");
    x.check(value, (!good).then_some(problem), "write it as `docker pull` takes it");
}

/// Adds how its health is asked; gives the seconds between two questions.
fn health(x: &mut Expansion<'_>, block: &Evaluated, settings: &mut String) -> u32 {
    let ports: Vec<String> = block
        .attr("ports")
        .and_then(Value::as_list)
        .unwrap_or_default()
        .iter()
        .filter_map(|port| port.as_u64().map(|port| port.to_string()))
        .collect();
    let written = block.nested("health").next();
    let (mut path, mut port, mut command) = (String::new(), None, Vec::new());
    let mut times = [10, 5, 3, 600];
    if let Some(health) = written {
        path = health.attr("http").and_then(Value::as_str).unwrap_or_default().to_owned();
        let given = health.attr("port").is_some();
        port = given.then(|| x.integer(health, "port", 0, 1..=65_535).to_string());
        command = texts(health.attr("command"));
        times = [
            x.seconds(health, "interval", 10, 5..=3600),
            x.seconds(health, "timeout", 5, 1..=300),
            x.integer(health, "retries", 3, 1..=100),
            x.seconds(health, "grace", 600, 10..=7200),
        ];
        check_health(x, health, &ports);
    }
    let [interval, timeout, retries, grace] = times;
    let port = port.or_else(|| ports.first().cloned()).unwrap_or_default();
    settings.push_str(&array("ports", &ports));
    settings.push_str(&format!("health_path={}\nhealth_port={port}\n", quoted(&path)));
    settings.push_str(&array("health_command", &command));
    settings.push_str(&format!(
        "interval={interval}\ntimeout={timeout}\nretries={retries}\ngrace={grace}\n"
    ));
    interval
}

fn check_health(x: &mut Expansion<'_>, health: &Evaluated, ports: &[String]) {
    let path = health.attr("http");
    if let Some(value) = path
        && let Some(text) = value.as_str()
    {
        let fine = |c: char| c.is_ascii_graphic() && !"\"'\\`$<>{}".contains(c);
        let good = text.starts_with('/') && text.chars().all(fine);
        let problem = format!("{text:?} is no path");
        x.check(value, (!good).then_some(problem), "write one that begins with /");
        let nowhere = health.attr("port").is_none() && ports.is_empty();
        let problem = nowhere.then(|| "nobody knows on which port".to_owned());
        x.check(value, problem, "write `port` here, or `ports` in the service");
    }
    if let (Some(_), Some(command)) = (path, health.attr("command")) {
        let text = "`http` and `command` exclude each other".to_owned();
        x.check(command, Some(text), "ask for one of them");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_words() {
        let words = ["a b", "it's", "$(reboot)", "", "x\ny"].map(str::to_owned);
        assert_eq!(array("c", &words), "c=('a b' 'it'\\''s' '$(reboot)' '' 'x\ny')\n");
    }

    #[test]
    fn a_secret_is_named_and_never_written() {
        let parameter = Secret::Parameter("/llm/password".to_owned());
        assert_eq!(Secret::read("ssm:/llm/password"), Some(parameter));
        let arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf";
        let read = Secret::read(&format!("secretsmanager:{arn}"));
        assert_eq!(read, Some(Secret::Manager(arn.to_owned())));
        for bad in ["hunter2", "ssm:", "ssm:a b", "vault:x", "ssm:/a$(x)", ""] {
            assert_eq!(Secret::read(bad), None, "{bad}");
        }
    }
}
