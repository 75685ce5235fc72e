//! `mlinfra fmt`

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use similar::TextDiff;

use crate::lang;
use crate::model::Sources;

use super::args::{FmtArgs, Global};
use super::halt::Halt;
use super::load;
use super::terminal::Terminal;
use super::{DIFFERS, DONE, PROBLEM};

pub fn run(global: &Global, terminal: &Terminal, args: &FmtArgs) -> Result<u8, Halt> {
    if args.files.iter().any(|file| file == Path::new("-")) {
        return from_stdin(terminal, args);
    }
    let files = if args.files.is_empty() {
        every(&load::folder(global), args.recursive)?
    } else {
        args.files.clone()
    };
    let (mut differs, mut broken) = (false, false);
    for path in files {
        let old = load::read(&path)?;
        let name = path.strip_prefix("./").unwrap_or(&path).display().to_string();
        match formatted(&name, &old) {
            Ok(new) if new == old => {}
            Ok(new) => {
                terminal.print(&format!("{name}\n"));
                show(terminal, args, &name, &old, &new);
                if args.check {
                    differs = true;
                } else {
                    write(&path, &new)?;
                }
            }
            // The other files are still brought into form.
            Err(halt) => {
                terminal.halt(&halt);
                broken = true;
            }
        }
    }
    Ok(match (broken, differs) {
        (true, _) => PROBLEM,
        (false, true) => DIFFERS,
        (false, false) => DONE,
    })
}

/// Every .hcl file, those with values of variables too. Hidden folders hold no configuration.
fn every(dir: &Path, recursive: bool) -> Result<Vec<PathBuf>, Halt> {
    let mut files = load::files(dir)?;
    let entries = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    files.extend(entries.filter(|path| path.to_string_lossy().ends_with(".vars.hcl")));
    files.sort();
    if recursive {
        let entries = fs::read_dir(dir).into_iter().flatten().flatten();
        let folders = entries.filter(|entry| {
            let hidden = entry.file_name().to_string_lossy().starts_with('.');
            // A link to a folder could lead around in a circle.
            !hidden && entry.file_type().is_ok_and(|kind| kind.is_dir())
        });
        let mut folders: Vec<PathBuf> = folders.map(|entry| entry.path()).collect();
        folders.sort();
        for folder in folders {
            files.extend(every(&folder, recursive)?);
        }
    }
    Ok(files)
}

fn formatted(name: &str, text: &str) -> Result<String, Halt> {
    lang::fmt(text).map_err(|problems| {
        let mut sources = Sources::default();
        sources.add(name, text);
        Halt::of(problems, &sources)
    })
}

fn from_stdin(terminal: &Terminal, args: &FmtArgs) -> Result<u8, Halt> {
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| Halt::one("F001", format!("cannot read standard input: {error}"), ""))?;
    let new = formatted("<stdin>", &text)?;
    if args.diff {
        show(terminal, args, "<stdin>", &text, &new);
    } else if !args.check {
        terminal.print(&new);
    }
    Ok(if args.check && new != text { DIFFERS } else { DONE })
}

fn show(terminal: &Terminal, args: &FmtArgs, name: &str, old: &str, new: &str) {
    if args.diff {
        let diff = TextDiff::from_lines(old, new);
        let text =
            diff.unified_diff().header(&format!("old/{name}"), &format!("new/{name}")).to_string();
        terminal.print(&text);
    }
}

/// Replaces a file as a whole: a crash leaves the old text or the new.
fn write(path: &Path, text: &str) -> Result<(), Halt> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let fail = |error: std::io::Error| {
        Halt::one(
            "F005",
            format!("cannot write {}: {error}", path.display()),
            "nothing was changed in it",
        )
    };
    let mode = fs::metadata(path).map_err(fail)?.permissions();
    let temp = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new("."))).map_err(fail)?;
    fs::write(temp.path(), text).map_err(fail)?;
    fs::set_permissions(temp.path(), mode).map_err(fail)?;
    temp.persist(path).map_err(|error| fail(error.error))?;
    Ok(())
}
