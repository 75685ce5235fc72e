//! `mlinfra catalog`

use std::path::Path;

use crate::catalog::{AcceleratorNeed, InstanceType, Need, Tables};
#[cfg(feature = "aws")]
use crate::model::Clock;
use crate::model::{Region, Sources};
use crate::show::catalog::{self as show, View};

use super::DONE;
use super::args::Global;
use super::cache::{self, Kept};
use super::catalog_args::{CatalogArgs, CatalogCommand, RegionArg};
use super::connect::{self, Side};
use super::halt::Halt;
use super::load;
use super::terminal::Terminal;

/// The region where nobody names one and no stack is there to have one.
const FIRST: &str = "us-east-1";

pub fn run(global: &Global, terminal: &Terminal, args: &CatalogArgs) -> Result<u8, Halt> {
    match &args.command {
        CatalogCommand::Show { name, accelerator, at } => {
            let region = region(global, at);
            show_types(global, terminal, &region, (name.as_deref(), accelerator.as_deref()))
        }
        CatalogCommand::Refresh { at } => refresh(global, terminal, &region(global, at)),
        CatalogCommand::Clear { at } => clear(global, terminal, at),
    }
}

/// As told, or the stack's, or AWS's first.
fn region(global: &Global, at: &RegionArg) -> Region {
    let told = at.region.as_deref().map(Region::from);
    told.or_else(|| load::peek(global)).unwrap_or_else(|| FIRST.into())
}

fn show_types(
    global: &Global,
    terminal: &Terminal,
    region: &Region,
    (name, accelerator): (Option<&str>, Option<&str>),
) -> Result<u8, Halt> {
    let Kept { tables, warning } = cache::read(global, region);
    let found = find(&tables, name, accelerator)?;
    let days = tables.fresh().and_then(|fresh| cache::age(&fresh.day));
    let view = View { tables: &tables, region, days };
    if global.json {
        terminal.json(&show::json(&view, &found));
        return Ok(DONE);
    }
    terminal.problems(warning.as_slice(), &Sources::default());
    match (name, found.as_slice()) {
        (Some(_), [one]) => terminal.print(&show::one(&view, one, &terminal.screen)),
        (_, many) => terminal.print(&show::many(&view, many, &terminal.screen)),
    }
    Ok(DONE)
}

/// The types that are meant: by name, by need, or all that have accelerators.
fn find<'a>(
    tables: &'a Tables,
    name: Option<&str>,
    accelerator: Option<&str>,
) -> Result<Vec<&'a InstanceType>, Halt> {
    if let Some(name) = name {
        let found = tables.get(name).ok_or_else(|| unknown(tables, name))?;
        return Ok(vec![found]);
    }
    let Some(text) = accelerator else {
        return Ok(tables.types().filter(|it| it.accelerator.is_some()).collect());
    };
    // Without a number any number of them will do.
    let wanted = AcceleratorNeed::read(text).map_err(|bad| {
        let help = "write it as in a cluster: H100:8, or H100 for any number of them";
        Halt::one("K004", bad.to_string(), help)
    })?;
    let need = Need { accelerators: vec![wanted], ..Need::default() };
    let found: Vec<_> = tables.types().filter(|it| need.rank(it).is_ok()).collect();
    if found.is_empty() {
        let help = "`mlinfra catalog show` lists every type with accelerators";
        return Err(Halt::one("K004", format!("no type has {text:?}"), help));
    }
    Ok(found)
}

fn unknown(tables: &Tables, name: &str) -> Halt {
    let family = name.split('.').next().unwrap_or_default();
    let of = |it: &&InstanceType| it.name.split('.').next() == Some(family);
    let like: Vec<&str> = tables.types().filter(of).map(|it| it.name.as_str()).collect();
    let help = match like.as_slice() {
        [] => "`mlinfra catalog refresh` asks the region for all of its types".to_owned(),
        like => format!("of its family there are {}", like.join(", ")),
    };
    Halt::one("K004", format!("the catalogue has no instance type {name:?}"), help)
}

fn refresh(global: &Global, terminal: &Terminal, region: &Region) -> Result<u8, Halt> {
    let runtime = connect::runtime(global)?;
    runtime.block_on(async {
        let side = connect::side(global, region).await?;
        let day = cache::today();
        let fresh = match &side {
            Side::Sandbox(sandbox) => sandbox.survey(&day).await?,
            #[cfg(feature = "aws")]
            Side::Aws(aws) => aws.survey(&day, side.now().0 / 1000).await?,
        };
        let before = cache::read(global, region).tables;
        let path = cache::write(global, &fresh)?;
        if global.json {
            let tables = Tables::with(fresh);
            let found: Vec<_> = tables.types().collect();
            let view = View { tables: &tables, region, days: Some(0) };
            terminal.json(&show::json(&view, &found));
        } else {
            terminal.print(&show::refreshed(&before, &fresh, &shown(&path), &terminal.screen));
        }
        Ok(DONE)
    })
}

fn shown(path: &Path) -> String {
    path.strip_prefix("./").unwrap_or(path).display().to_string()
}

fn clear(global: &Global, terminal: &Terminal, at: &RegionArg) -> Result<u8, Halt> {
    let region = at.region.as_deref().map(Region::from);
    let gone = cache::clear(global, region.as_ref())?;
    if global.json {
        let paths: Vec<String> = gone.iter().map(|path| path.display().to_string()).collect();
        terminal.json(&serde_json::json!({ "format_version": "1.0", "removed": paths }));
    } else if gone.is_empty() {
        terminal.print("There was nothing to take away: the tables in this mlinfra hold.\n");
    } else {
        let lines: Vec<String> =
            gone.iter().map(|path| format!("Took {} away.\n", shown(path))).collect();
        terminal.print(&lines.concat());
    }
    Ok(DONE)
}
