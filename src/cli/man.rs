//! `mlinfra man`: manual pages, made from the same table as the help.

use std::fs;
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_mangen::Man;

use super::DONE;
use super::args::{Cli, ManArgs};
use super::halt::Halt;
use super::terminal::Terminal;

pub fn run(terminal: &Terminal, args: &ManArgs) -> Result<u8, Halt> {
    // Options of all commands reach those below when the whole is built.
    let mut command = Cli::command().term_width(80);
    command.build();
    let mut all = Vec::new();
    walk(&mut all, &command, "mlinfra");
    if args.markdown {
        terminal.print(&markdown(all));
        return Ok(DONE);
    }
    let Some(dir) = &args.dir else { return main_page(terminal, command) };
    let bad = |path: &Path, error: &std::io::Error| {
        let text = format!("cannot write {}: {error}", path.display());
        Halt::one("F005", text, "name a folder that you may write to")
    };
    fs::create_dir_all(dir).map_err(|error| bad(dir, &error))?;
    let count = all.len();
    for (name, command) in all {
        let title = name.replace(' ', "-");
        let path = dir.join(format!("{title}.1"));
        let mut page = Vec::new();
        let man = Man::new(command).title(title.to_uppercase());
        man.render(&mut page).map_err(|error| bad(&path, &error))?;
        fs::write(&path, page).map_err(|error| bad(&path, &error))?;
    }
    terminal.say(&format!("{count} pages in {}\n", dir.display()));
    Ok(DONE)
}

/// As roff, which `man -l -` shows; as text where a person would read the roff.
fn main_page(terminal: &Terminal, mut command: Command) -> Result<u8, Halt> {
    if terminal.live {
        terminal.print(&command.render_long_help().to_string());
        return Ok(DONE);
    }
    let mut page = Vec::new();
    let man = Man::new(command).title("MLINFRA");
    man.render(&mut page).map_err(|error| Halt::one("F005", error.to_string(), ""))?;
    terminal.print(&String::from_utf8_lossy(&page));
    Ok(DONE)
}

/// A command and those below it, by what is typed.
fn walk(all: &mut Vec<(String, Command)>, command: &Command, name: &str) {
    all.push((name.to_owned(), command.clone()));
    for one in command.get_subcommands().filter(|one| one.get_name() != "help") {
        walk(all, one, &format!("{name} {}", one.get_name()));
    }
}

/// One page with the help of every command.
fn markdown(all: Vec<(String, Command)>) -> String {
    let mut out = String::from(
        "# Commands\n\nMade by `mlinfra man --markdown` from the table that the program itself \
         reads.\nEvery command also takes the options of `mlinfra` itself.\n",
    );
    for (name, mut command) in all {
        let help = command.render_long_help().to_string();
        // What every command takes is said once, with the first.
        let own = match (name.as_str(), help.find("\nFor every command:")) {
            ("mlinfra", _) | (_, None) => help.as_str(),
            (_, Some(at)) => &help[..at],
        };
        out.push_str(&format!("\n## {name}\n\n```text\n{}\n```\n", own.trim_end()));
    }
    out
}
