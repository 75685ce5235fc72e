//! `mlinfra logs`: what a node has written to its console, or what its service says.

use crate::model::{Block, Clock, CloudId};
use crate::show::nodes as table;
use crate::show::screen::Untrusted;

use super::args::{Global, LogsArgs};
use super::connect::Side;
use super::halt::Halt;
use super::terminal::Terminal;
use super::{DONE, connect, nodes, ssh};

/// How much of a journal is shown.
const LINES: u32 = 500;

pub fn run(global: &Global, terminal: &Terminal, args: &LogsArgs) -> Result<u8, Halt> {
    let runtime = connect::runtime(global)?;
    let found = runtime.block_on(nodes::find(global, &args.which))?;
    let serves = found.row().is_some_and(|row| row.live.owner.address.block == Block::Service);
    if args.print || (serves && !args.console && !global.json) {
        return journal(global, terminal, &found, (serves, args.print));
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

/// What a service, or the container that it runs, has said of late: journald has it on the
/// machine, and Systems Manager reads it there.
fn journal(
    global: &Global,
    terminal: &Terminal,
    found: &nodes::Found,
    (serves, print): (bool, bool),
) -> Result<u8, Halt> {
    if !serves {
        let text = format!("{} runs no service", found.id.short());
        return Err(Halt::one("S006", text, "`mlinfra logs` without --print shows its console"));
    }
    let region = found.session.facts.home.region.to_string();
    let mut words = ssh::session(found.id.short(), &region, global.profile.as_deref());
    words.extend(["--document-name", "AWS-StartNonInteractiveCommand"].map(str::to_owned));
    let command = format!("journalctl --no-pager --unit mlinfra-service --lines {LINES}");
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
