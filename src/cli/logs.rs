//! `mlinfra logs`: what a node has written to its console, or what its service says.

use crate::model::{Block, Clock, CloudId};
use crate::show::nodes as table;
use crate::show::screen::Untrusted;

use super::args::{Global, LogsArgs};
use super::connect::Side;
use super::halt::Halt;
use super::terminal::Terminal;
use super::{DONE, connect, nodes, ssh};

/// The unit of a service.
const SERVICE: &str = "mlinfra-service";

/// How much of a journal is shown.
const LINES: u32 = 500;

pub fn run(global: &Global, terminal: &Terminal, args: &LogsArgs) -> Result<u8, Halt> {
    let runtime = connect::runtime(global)?;
    let found = runtime.block_on(nodes::find(global, &args.which))?;
    let serves = found.row().is_some_and(|row| row.live.owner.address.block == Block::Service);
    let own = serves.then_some(SERVICE).filter(|_| !args.console && !global.json);
    match args.unit.as_deref().or(own) {
        Some(unit) => return journal(global, terminal, &found, (unit, args.print)),
        None if args.print => {
            let text = format!("{} runs no service", found.id.short());
            let help = "without --print its console is shown; --unit names a unit of systemd";
            return Err(Halt::one("S006", text, help));
        }
        None => {}
    }
    runtime.block_on(async {
        let console = console(&found.session.side, &found.id).await?;
        if global.json {
            terminal.json(&serde_json::json!({
                "format_version": "1.0",
                "node": found.row().map(|row| table::json(&row, found.session.side.now())),
                "console": console,
            }));
            return Ok(DONE);
        }
        match console {
            Some(text) => {
                for line in text.lines() {
                    terminal.print(&format!("{}\n", Untrusted(line.trim_end())));
                }
            }
            None => {
                let rows: Vec<_> = found.row().into_iter().collect();
                terminal.print(&table::text(
                    &rows,
                    &[],
                    found.session.side.now(),
                    &terminal.screen,
                ));
                terminal.print(none(&found.session.side));
            }
        }
        Ok(DONE)
    })
}

/// What a unit, such as a service or the container that it runs, has said of late: journald has it on the
/// machine, and Systems Manager reads it there.
fn journal(
    global: &Global,
    terminal: &Terminal,
    found: &nodes::Found,
    (unit, print): (&str, bool),
) -> Result<u8, Halt> {
    let fine = |c: char| c.is_ascii_alphanumeric() || "-_.@:\\".contains(c);
    if unit.is_empty() || unit.starts_with('-') || !unit.chars().all(fine) {
        let text = format!("{unit:?} is no unit of systemd");
        return Err(Halt::one("S006", text, "write a name such as mlinfra-node or docker.service"));
    }
    let region = found.session.facts.home.region.to_string();
    let mut words = ssh::session(found.id.short(), &region, global.profile.as_deref());
    words.extend(["--document-name", "AWS-StartNonInteractiveCommand"].map(str::to_owned));
    let command = format!("journalctl --no-pager --unit {unit} --lines {LINES}");
    let parameters = serde_json::json!({ "command": [command] });
    words.extend(["--parameters".to_owned(), parameters.to_string()]);
    if print {
        terminal.print(&format!("{}\n", ssh::line(&words)));
        return Ok(DONE);
    }
    match found.session.side {
        Side::Sandbox(_) => {
            let text = "a simulated machine has no journal";
            Err(Halt::one("X003", text, "--print shows the command for a real one"))
        }
        #[cfg(feature = "aws")]
        Side::Aws(_) => ssh::call(&words),
    }
}

#[cfg_attr(not(feature = "aws"), allow(clippy::unused_async))]
async fn console(side: &Side, _id: &CloudId) -> Result<Option<String>, Halt> {
    match side {
        Side::Sandbox(_) => Ok(None),
        #[cfg(feature = "aws")]
        Side::Aws(aws) => Ok(aws.console(_id).await?),
    }
}

/// Why there is no text.
fn none(side: &Side) -> &'static str {
    match side {
        Side::Sandbox(_) => "A simulated node has no console.\n",
        #[cfg(feature = "aws")]
        Side::Aws(_) => "Its console is empty so far: AWS shows it some minutes after the boot.\n",
    }
}
