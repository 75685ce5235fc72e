//! Environments: `env/NAME.hcl` beside the stack holds values of variables.

use std::fs;
use std::path::{Path, PathBuf};

use crate::lang::Snapshot;

use super::args::Global;
use super::halt::Halt;
use super::machine::env;

/// The folder of the environments.
const FOLDER: &str = "env";

/// The environment that was named, by flag or MLINFRA_ENV. Where there are environments one
/// has to be named, unless nothing is asked of the cloud: a stack that is applied under no
/// name by mistake would stand beside the others.
pub fn chosen(global: &Global, dir: &Path, needed: bool) -> Result<Option<String>, Halt> {
    if let Some(name) = global.env.clone().or_else(|| env("MLINFRA_ENV")) {
        return Ok(Some(name).filter(|name| !name.is_empty()));
    }
    let known = names(dir);
    if known.is_empty() || !needed {
        return Ok(None);
    }
    let first = known.first().cloned().unwrap_or_default();
    let help = format!(
        "name one: --env {first}, or MLINFRA_ENV={first}; `--env=` is the stack without any"
    );
    let text = format!("the stack has environments, and none is named: {}", known.join(", "));
    Err(Halt::one("F006", text, help))
}

/// The environment of a configuration that was written down; no other may be named.
pub fn same<'s>(global: &Global, snapshot: &'s Snapshot) -> Result<Option<&'s str>, Halt> {
    let was = snapshot.env.as_deref().unwrap_or_default();
    match global.env.as_deref() {
        Some(named) if named != was => {
            let said = |name: &str| match name {
                "" => "no environment".to_owned(),
                name => format!("environment {name:?}"),
            };
            let text = format!("it was written down for {}, not {}", said(was), said(named));
            Err(Halt::one("F006", text, "leave `--env` away: the configuration says it"))
        }
        Some(_) | None => Ok(snapshot.env.as_deref()),
    }
}

/// The file of an environment.
pub fn file(dir: &Path, name: &str) -> Result<PathBuf, Halt> {
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let known = names(dir);
    if known.iter().any(|known| known == name) && name.chars().all(fine) {
        return Ok(dir.join(FOLDER).join(format!("{name}.hcl")));
    }
    if !name.chars().all(fine) {
        let help = "it is part of names in the cloud: use a-z, 0-9 and -";
        return Err(Halt::one("F006", format!("{name:?} is no name of an environment"), help));
    }
    let help = match known.is_empty() {
        true => format!("write env/{name}.hcl with a line `name = value` for each variable"),
        false => format!("there are {}", known.join(", ")),
    };
    Err(Halt::one("F006", format!("there is no environment {name:?}"), help))
}

/// All environments of a stack.
fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir.join(FOLDER)).into_iter().flatten().flatten();
    let name = |entry: fs::DirEntry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        Some(name.strip_suffix(".hcl")?.to_owned())
    };
    let mut names: Vec<String> = entries.filter_map(name).collect();
    names.sort();
    names
}
