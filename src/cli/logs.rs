//! `mlinfra logs`: what a node has written to its console.

use crate::model::{Clock, CloudId};
use crate::show::nodes as table;
use crate::show::screen::Untrusted;

use super::args::{Global, LogsArgs};
use super::connect::Side;
use super::halt::Halt;
use super::terminal::Terminal;
use super::{DONE, connect, nodes};

pub fn run(global: &Global, terminal: &Terminal, args: &LogsArgs) -> Result<u8, Halt> {
    let runtime = connect::runtime(global)?;
    runtime.block_on(async {
        let found = nodes::find(global, &args.which).await?;
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
                terminal.print(&table::text(&rows, found.session.side.now(), &terminal.screen));
                terminal.print(none(&found.session.side));
            }
        }
        Ok(DONE)
    })
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
