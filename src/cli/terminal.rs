//! The terminal: what it can show, and the only place that writes to it.

use std::io::{BufWriter, IsTerminal, Write};

use serde_json::Value;
use tracing_subscriber::EnvFilter;

use crate::model::{Problem, Sources};
use crate::show::event_json;
use crate::show::problem;
use crate::show::screen::Screen;

use super::args::Global;
use super::halt::Halt;
use super::hints;
use super::machine::{env, stamp};

/// Where output goes.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    /// What standard output can show.
    pub screen: Screen,
    /// What standard error can show.
    pub errors: Screen,
    /// Standard output is a terminal.
    pub live: bool,
    /// Somebody can be asked.
    pub asks: bool,
    /// What stands on standard error can be drawn over.
    pub draws: bool,
    /// JSON is wanted.
    pub json: bool,
    /// `--sandbox` was typed: what is proposed wants it, too.
    pub sandbox: bool,
}

impl Terminal {
    /// Looks at the streams and the environment.
    pub fn detect(global: &Global) -> Self {
        let forced = env("CLICOLOR_FORCE").is_some_and(|value| value != "0");
        let dumb = env("TERM").as_deref() == Some("dumb");
        let forbidden = global.no_color || env("NO_COLOR").is_some() || dumb;
        let colour = |terminal: bool| !forbidden && (terminal || forced);
        let live = std::io::stdout().is_terminal();
        let plain = global.plain;
        let width = if plain { usize::MAX } else { width() };
        let verbose = global.verbose > 0;
        // Lines are made for so many columns; narrower ones would fold them.
        let roomy = terminal_size().is_none_or(|(_, columns)| columns >= NARROWEST);
        Self {
            screen: Screen { width, colour: colour(live) && !global.json, verbose, plain },
            errors: Screen {
                width,
                colour: colour(std::io::stderr().is_terminal()),
                verbose,
                plain,
            },
            // What moves is read again and again.
            live: live && !global.json && !plain && roomy && !forbidden_live(),
            asks: std::io::stdin().is_terminal()
                && !global.no_input
                && env("MLINFRA_INPUT").as_deref() != Some("0"),
            draws: std::io::stderr().is_terminal() && !plain && roomy && !dumb,
            json: global.json,
            // Where the environment says so, every command hears it.
            sandbox: global.sandbox.as_deref() == Some("1")
                && env("MLINFRA_SANDBOX").is_none_or(|text| text.is_empty()),
        }
    }

    /// Sets up `tracing`: MLINFRA_LOG, or -v. Logs go to standard error.
    pub fn trace(&self, global: &Global) {
        let level = match global.verbose {
            0 | 1 => "off",
            2 => "mlinfra=info",
            _ => "debug",
        };
        let wanted = env("MLINFRA_LOG").unwrap_or_else(|| level.to_owned());
        let filter = EnvFilter::try_new(&wanted).unwrap_or_else(|_| EnvFilter::new("mlinfra=info"));
        let builder =
            tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
        // A second subscriber is only refused in tests that run commands in one process.
        let _ = if global.json {
            builder.json().try_init()
        } else {
            builder.with_ansi(self.errors.colour).try_init()
        };
    }

    /// Writes to standard output.
    pub fn print(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        // A reader that has gone away (`| head`) is no problem of ours.
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    /// Writes one JSON document.
    pub fn json(&self, value: &Value) {
        let mut out = BufWriter::new(std::io::stdout().lock());
        // As with print: a reader that has gone away is no problem of ours.
        let written = serde_json::to_writer_pretty(&mut out, value).map_err(std::io::Error::from);
        let _ = written.and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush());
    }

    /// Writes one line of JSON.
    pub fn json_line(&self, value: &Value) {
        self.print(&format!("{value}\n"));
    }

    /// Begins a stream of events.
    pub fn announce(&self) {
        if self.json {
            self.json_line(&event_json::version(env!("CARGO_PKG_VERSION"), &stamp()));
        }
    }

    /// Our own words, with what is proposed in them as it has to be typed.
    pub fn hinted(&self, text: &str) -> String {
        if self.sandbox { hints::with_sandbox(text) } else { text.to_owned() }
    }

    /// Writes to standard error.
    pub fn say(&self, text: &str) {
        let mut out = std::io::stderr().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    /// Shows problems, wherever they came from.
    pub fn problems(&self, problems: &[Problem], sources: &Sources) {
        for (at, found) in problems.iter().enumerate() {
            if at > 0 && !self.json {
                self.say("\n");
            }
            if self.json {
                let stamp = stamp();
                self.json_line(&event_json::diagnostic(&problem::json(found, sources), &stamp));
            } else {
                let Screen { colour, width, .. } = self.errors;
                let text = problem::text(found, sources, colour, width);
                self.say(&format!("{}\n", self.hinted(text.trim_end())));
            }
        }
    }

    /// Shows why a command stops, and returns its exit code.
    pub fn halt(&self, halt: &Halt) -> u8 {
        self.problems(&halt.problems, &halt.sources);
        halt.code
    }
}

/// Columns that everything is made to fit.
const NARROWEST: usize = 40;

/// Terminals that cannot move the cursor get plain lines.
fn forbidden_live() -> bool {
    env("TERM").as_deref() == Some("dumb") || env("CI").is_some()
}

fn width() -> usize {
    let told = env("COLUMNS").and_then(|text| text.parse().ok());
    let asked = || {
        let (_, columns) = terminal_size()?;
        Some(columns)
    };
    let found: usize = told.or_else(asked).unwrap_or(80);
    found.clamp(NARROWEST, 160)
}

fn terminal_size() -> Option<(usize, usize)> {
    let term = dialoguer::console::Term::stdout();
    let (rows, columns) = term.size_checked()?;
    Some((rows.into(), columns.into()))
}
