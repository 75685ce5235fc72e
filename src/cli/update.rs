//! `mlinfra update`

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use crate::catalog::{image_query, is_parameter};
use crate::cloud::{Ask, Facts, Observed};
use crate::lang::{LOCK_FILE, Lock, Pin};
use crate::model::{Address, Clock, Place, Problem, Region, Sources};
use crate::show::update::{self as show, Moved};
use crate::stack;

use super::DONE;
use super::args::{Global, UpdateArgs};
use super::cache;
use super::connect::{self, Session};
use super::halt::Halt;
use super::terminal::Terminal;

pub fn run(global: &Global, terminal: &Terminal, args: &UpdateArgs) -> Result<u8, Halt> {
    let runtime = connect::runtime(global)?;
    runtime.block_on(async {
        let session = connect::session(global, &args.vars).await?;
        let region = &session.facts.home.region;
        let names = wanted(&session, &args.images)?;
        let ask = Ask { images: names.clone(), at: session.side.now(), ..Ask::default() };
        let facts = session.side.cloud().facts(&ask).await?;
        let all = moved(&session, &names, &facts)?;
        let changed = all.iter().any(Moved::differs);
        if changed && !args.dry_run {
            let mut lock = session.stack.lock.clone();
            for one in all.iter().filter(|one| one.differs()) {
                lock.images.insert((one.image.clone(), region.clone()), one.after.clone());
            }
            write(&session.stack.dir, &lock)?;
        }
        let written = changed && !args.dry_run;
        if global.json {
            terminal.json(&show::json(region, &all, written));
        } else {
            terminal.print(&show::text(region, &all, written, &terminal.screen));
        }
        Ok(DONE)
    })
}

/// The images that are meant: all that clusters name, or those of the names and addresses.
fn wanted(session: &Session, told: &[String]) -> Result<BTreeSet<String>, Halt> {
    let known = stack::images(&session.stack.loaded, &session.pins(&Observed::default()));
    if told.is_empty() {
        return Ok(known.into_iter().map(|(_, image)| image).collect());
    }
    let mut out = BTreeSet::new();
    for word in told {
        let place = word.parse::<Place>().ok();
        let fits = |(address, image): &&(Address, String)| {
            image == word || place.as_ref().is_some_and(|place| place.covers(address))
        };
        let found: Vec<_> = known.iter().filter(fits).map(|(_, image)| image.clone()).collect();
        if found.is_empty() {
            let names: BTreeSet<&str> = known.iter().map(|(_, image)| image.as_str()).collect();
            let names: Vec<&str> = names.into_iter().collect();
            let help = match names.as_slice() {
                [] => "the stack names no images".to_owned(),
                names => format!("it names {}", names.join(", ")),
            };
            let text =
                format!("{word:?} is neither an image nor a block of the stack that has one");
            return Err(Halt::one("S006", text, help));
        }
        out.extend(found);
    }
    Ok(out)
}

/// Each pin as it is and as it will be.
fn moved(session: &Session, names: &BTreeSet<String>, facts: &Facts) -> Result<Vec<Moved>, Halt> {
    let region = &session.facts.home.region;
    let (mut out, mut problems) = (Vec::new(), Vec::new());
    for image in names {
        let before = session.stack.lock.image(image, region).cloned();
        let Some(id) = facts.images.get(image) else {
            problems.push(absent(image, region));
            continue;
        };
        let name = facts.image_names.get(id).cloned().unwrap_or_default();
        let new = Pin { id: id.clone(), name, from: from(image), pinned: cache::today() };
        let after = before.clone().filter(|before| before.id == *id).unwrap_or(new);
        out.push(Moved { image: image.clone(), before, after });
    }
    if problems.is_empty() { Ok(out) } else { Err(Halt::of(problems, &Sources::default())) }
}

fn absent(image: &str, region: &Region) -> Problem {
    let text = format!("there is no image {image:?} in {region}, and no pin was moved");
    let help = "write dlami-base, dlami-pytorch, dlami-neuron, ubuntu-24.04, al2023, an SSM\n\
                parameter that holds an image's id, or the name of an image of yours";
    Problem::error("S001", text).help(help)
}

/// How an image is found: a parameter, or owners and a pattern of names.
fn from(image: &str) -> String {
    if is_parameter(image) {
        return image.to_owned();
    }
    let query = image_query(image);
    format!("{}: {}", query.owners.join(" or "), query.name)
}

/// Writes the file as a whole or not at all.
fn write(dir: &Path, lock: &Lock) -> Result<(), Halt> {
    let path = dir.join(LOCK_FILE);
    let bad = |error: std::io::Error| {
        let text = format!("{} cannot be written: {error}", path.display());
        Halt::one("F007", text, "nothing was changed; the stack's folder must be writable for you")
    };
    let mut new =
        tempfile::Builder::new().prefix(".mlinfra-lock-").tempfile_in(dir).map_err(bad)?;
    new.write_all(lock.text().as_bytes()).map_err(bad)?;
    new.as_file().sync_all().map_err(bad)?;
    share(new.as_file()).map_err(bad)?;
    new.persist(&path).map_err(|error| bad(error.error))?;
    File::open(dir).and_then(|folder| folder.sync_all()).map_err(bad)
}

/// A temporary file is for its owner only; source is for everybody who works on it.
#[cfg(unix)]
fn share(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn share(_file: &File) -> std::io::Result<()> {
    Ok(())
}
