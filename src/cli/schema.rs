//! `mlinfra schema`

use serde_json::json;

use crate::show::schema;
use crate::show::schemas::{self, FORMATS};
use crate::stack::BLOCKS;

use super::DONE;
use super::args::{Global, SchemaArgs};
use super::halt::Halt;
use super::terminal::Terminal;

/// The format that people write and mlinfra reads.
const LANGUAGE: &str = "language";

pub fn run(global: &Global, terminal: &Terminal, args: &SchemaArgs) -> Result<u8, Halt> {
    let SchemaArgs { name, markdown, list } = args;
    if *list {
        terminal.print(&all(global.json));
    } else if *markdown {
        terminal.print(&schema::markdown(BLOCKS));
    } else if name == LANGUAGE {
        terminal.json(&schema::json(BLOCKS));
    } else if let Some(format) = schemas::format(name) {
        terminal.print(format.schema);
    } else {
        let help = "`mlinfra schema --list` names all that there is a schema of";
        return Err(Halt::one("O004", format!("there is no schema of {name:?}"), help));
    }
    Ok(DONE)
}

fn all(as_json: bool) -> String {
    let language = (LANGUAGE, "a configuration in HCL's JSON form");
    let formats = FORMATS.iter().map(|format| (format.name, format.about));
    let all: Vec<(&str, &str)> = std::iter::once(language).chain(formats).collect();
    if as_json {
        let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
        return format!("{}\n", json!(names));
    }
    let wide = all.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    all.iter().map(|(name, about)| format!("{name:<wide$} {about}\n")).collect()
}
