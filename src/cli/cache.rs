//! Where fresh tables of regions are kept: under the user's cache, or in the simulated world,
//! whose prices must never be taken for AWS's. A file that cannot be used is said and ignored.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use crate::catalog::{Fresh, Tables};
use crate::model::{Moment, Problem, Region};

use super::args::Global;
use super::halt::Halt;
use super::load;
use super::machine::{env, wall};

/// From this age on, in days, prices are said to be old.
pub const OLD: i64 = 30;

/// What is known of a region.
#[derive(Default)]
pub struct Kept {
    /// The tables that hold.
    pub tables: Tables,
    /// Why they may be wrong.
    pub warning: Option<Problem>,
}

/// The folder; none where the machine has no place for it.
fn folder(global: &Global) -> Option<PathBuf> {
    if let Some(world) = load::sandbox(global) {
        return Some(world.join("catalog"));
    }
    let own = env("MLINFRA_CACHE_DIR").map(PathBuf::from);
    // Both are to be absolute, and are to be ignored where they are not.
    let absolute = |path: PathBuf| path.is_absolute().then_some(path);
    let shared = || env("XDG_CACHE_HOME").map(PathBuf::from).and_then(absolute);
    let home = || env("HOME").map(|home| PathBuf::from(home).join(".cache")).and_then(absolute);
    let base = own.or_else(|| Some(shared().or_else(home)?.join("mlinfra")))?;
    Some(base.join("catalog"))
}

/// A region's file. A region is a plain word: anything else would lead somewhere.
fn file(folder: &Path, region: &Region) -> Option<PathBuf> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let name = region.as_str();
    (!name.is_empty() && name.chars().all(plain)).then(|| folder.join(format!("{name}.txt")))
}

/// Reads what is kept of a region.
pub fn read(global: &Global, region: &Region) -> Kept {
    let Some(path) = folder(global).and_then(|folder| file(&folder, region)) else {
        return Kept::default();
    };
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Kept::default(),
        Err(error) => return ignored(&path, &error.to_string()),
    };
    match Fresh::read(&text, region) {
        Ok(fresh) => {
            let warning = age(&fresh.day).filter(|days| *days > OLD).map(|days| old(region, days));
            Kept { tables: Tables::with(fresh), warning }
        }
        Err(why) => ignored(&path, &why.to_string()),
    }
}

fn ignored(path: &Path, why: &str) -> Kept {
    let shown = path.strip_prefix("./").unwrap_or(path).display();
    let text = format!("{shown} is not used: {why}");
    let help = "the tables in the binary hold; `mlinfra catalog refresh` writes the file anew";
    Kept { warning: Some(Problem::warning("K001", text).help(help)), ..Kept::default() }
}

fn old(region: &Region, days: i64) -> Problem {
    let text = format!("the prices of {region} are {days} days old");
    Problem::warning("K002", text).help("`mlinfra catalog refresh` asks AWS for today's")
}

/// Today, as days are written.
pub fn today() -> String {
    day_of(wall()).map_or_else(String::new, |day| day.to_string())
}

fn day_of(at: Moment) -> Option<Date> {
    let stamp = jiff::Timestamp::from_millisecond(at.0).ok()?;
    Some(jiff::tz::Offset::UTC.to_datetime(stamp).date())
}

/// How many days ago a day was.
pub fn age(day: &str) -> Option<i64> {
    let then: Date = day.parse().ok()?;
    Some(i64::from(day_of(wall())?.since(then).ok()?.get_days()))
}

/// Writes what a region told, as a whole or not at all.
pub fn write(global: &Global, fresh: &Fresh) -> Result<PathBuf, Halt> {
    let Some(folder) = folder(global) else {
        let text = "there is no place for the catalogue: neither XDG_CACHE_HOME nor HOME is set";
        return Err(Halt::one("K003", text, "set MLINFRA_CACHE_DIR to a folder"));
    };
    let Some(path) = file(&folder, &fresh.region) else {
        let text = format!("{:?} is no region", fresh.region.as_str());
        return Err(Halt::one("K003", text, "write it like us-east-1"));
    };
    let bad = |error: std::io::Error| {
        let text = format!("the catalogue cannot be written to {}: {error}", path.display());
        Halt::one("K003", text, "MLINFRA_CACHE_DIR names another folder")
    };
    fs::create_dir_all(&folder).map_err(bad)?;
    let mut new = tempfile::Builder::new().prefix(".catalog-").tempfile_in(&folder).map_err(bad)?;
    new.write_all(fresh.text().as_bytes()).map_err(bad)?;
    new.as_file().sync_all().map_err(bad)?;
    new.persist(&path).map_err(|error| bad(error.error))?;
    File::open(&folder).and_then(|folder| folder.sync_all()).map_err(bad)?;
    Ok(path)
}

/// Takes away what is kept of a region, or of all; the files that were there.
pub fn clear(global: &Global, region: Option<&Region>) -> Result<Vec<PathBuf>, Halt> {
    let Some(folder) = folder(global) else { return Ok(Vec::new()) };
    let all = match region {
        Some(region) => file(&folder, region).into_iter().collect(),
        None => list(&folder),
    };
    let mut gone = Vec::new();
    for path in all {
        match fs::remove_file(&path) {
            Ok(()) => gone.push(path),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                let text = format!("{} cannot be taken away: {error}", path.display());
                return Err(Halt::one("K003", text, "take it away yourself"));
            }
        }
    }
    Ok(gone)
}

/// The files of regions.
fn list(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_one = |path: &PathBuf| path.extension().is_some_and(|end| end == "txt");
    let mut all: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_one).collect();
    all.sort();
    all
}
