//! `mlinfra status`

use crate::show::overview;

use super::args::{Global, StatusArgs};
use super::halt::Halt;
use super::terminal::Terminal;
use super::{DONE, connect, overview as looks};

pub fn run(global: &Global, terminal: &Terminal, args: &StatusArgs) -> Result<u8, Halt> {
    connect::runtime(global)?.block_on(async {
        let view = looks::look(global, &args.vars).await?;
        if global.json {
            terminal.json(&overview::json(&view));
        } else {
            terminal.print(&terminal.hinted(&overview::text(&view, &terminal.screen)));
        }
        Ok(DONE)
    })
}
