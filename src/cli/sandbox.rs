//! `mlinfra sandbox`

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::kinds::{KindName, Spec, Tags};
use crate::model::Region as RegionName;
use crate::show::sandbox as show;
use crate::sim::{KEYS, Region};

use super::DONE;
use super::args::{Global, SandboxArgs, SandboxCommand, VarArgs};
use super::connect;
use super::halt::Halt;
use super::load::{self, Missing};
use super::store::BUCKETS;
use super::terminal::Terminal;

pub fn run(global: &Global, terminal: &Terminal, args: &SandboxArgs) -> Result<u8, Halt> {
    let default = load::folder(global).join(".mlinfra-sandbox");
    let folder: PathBuf = load::sandbox(global).unwrap_or(default);
    if let SandboxCommand::Reset = args.command {
        Region::reset(&folder)?;
        empty(&folder.join(BUCKETS))?;
        terminal.print("The simulated region is empty again.\n");
        return Ok(DONE);
    }
    let runtime = connect::runtime(global)?;
    runtime.block_on(async {
        let region = Region::open(&folder, region(global, args))?;
        act(global, terminal, &args.command, &region)
    })
}

/// Ledgers that were kept in the simulated S3 go with the rest of the world.
fn empty(buckets: &Path) -> Result<(), Halt> {
    match std::fs::remove_dir_all(buckets) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Halt::one("X001", format!("{}: {error}", buckets.display()), ""))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The region to look at: as told, or the stack's, or AWS's first.
fn region(global: &Global, args: &SandboxArgs) -> RegionName {
    let stack = || load::load(global, &VarArgs::default(), None, Missing::Unknown).ok();
    match &args.region {
        Some(name) => RegionName::from(name.as_str()),
        None => stack().map_or_else(|| "us-east-1".into(), |stack| stack.config.region),
    }
}

/// An object from its fields; tags stand among them.
fn spec(kind: &str, fields: &str, tags: &[String]) -> Result<Spec, Halt> {
    let bad = |text: String| Halt::one("X004", text, "`mlinfra show --json` shows such fields");
    let Some(kind) = KindName::ALL.iter().find(|known| known.word() == kind) else {
        let known: Vec<&str> = KindName::ALL.iter().map(|kind| kind.word()).collect();
        return Err(bad(format!("{kind:?} is no kind; known are {}", known.join(", "))));
    };
    let mut fields: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(fields).map_err(|error| bad(format!("no JSON object: {error}")))?;
    let pair =
        |tag: &String| tag.split_once('=').map(|(key, value)| (key.to_owned(), value.into()));
    fields.insert(
        "tags".to_owned(),
        serde_json::Value::Object(tags.iter().filter_map(pair).collect()),
    );
    kind.read(fields).map_err(|error| bad(format!("no {kind}: {error}")))
}

fn act(
    global: &Global,
    terminal: &Terminal,
    command: &SandboxCommand,
    region: &Region,
) -> Result<u8, Halt> {
    let done = match command {
        SandboxCommand::Status => {
            let status = region.status();
            if global.json {
                terminal.json(&show::json(&status));
            } else {
                terminal.print(&show::text(&status, &KEYS, &terminal.screen));
            }
            return Ok(DONE);
        }
        SandboxCommand::Reset => String::new(),
        SandboxCommand::Set { key, value } => {
            region.set(key, value)?;
            format!("{key} is now {value}.\n")
        }
        SandboxCommand::Edit { object, field, value } => {
            let value = serde_json::from_str(value).map_err(|error| {
                let help = "quote text for JSON and for the shell: '\"Enabled\"'";
                Halt::one("X004", format!("the value is not JSON: {error}"), help)
            })?;
            let id = region.foreign_edit(object, field, value)?;
            format!("A stranger has changed {field} of {}.\n", id.short())
        }
        SandboxCommand::Tag { object, key, value } => {
            let id = region.foreign_tag(object, key, value.as_deref())?;
            format!("A stranger has changed the tag {key} of {}.\n", id.short())
        }
        SandboxCommand::Fail { object, text } => {
            let id = region.foreign_fail(object, text)?;
            format!("The cloud has given up {}.\n", id.short())
        }
        SandboxCommand::Create { kind, fields, tags } => {
            let id = region.foreign_create(&spec(kind, fields, tags)?, Tags::new())?;
            format!("A stranger has made {id}.\n")
        }
        SandboxCommand::Delete { object } => {
            let id = region.foreign_delete(object)?;
            format!("A stranger has deleted {}.\n", id.short())
        }
        SandboxCommand::Put { bucket, count } => {
            let id = region.put_objects(bucket, *count)?;
            let objects = if *count == 1 { "object" } else { "objects" };
            format!("{} holds {count} more {objects}.\n", id.short())
        }
        SandboxCommand::Take { from, count } => {
            let (id, left) = region.take_objects(from, *count)?;
            format!("{} holds {left} now.\n", id.short())
        }
    };
    terminal.print(&done);
    Ok(DONE)
}
