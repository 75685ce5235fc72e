//! `mlinfra schema`

use crate::show::schema;
use crate::stack::BLOCKS;

use super::DONE;
use super::args::SchemaArgs;
use super::halt::Halt;
use super::terminal::Terminal;

#[expect(clippy::unnecessary_wraps, reason = "all commands look alike")]
pub fn run(terminal: &Terminal, args: &SchemaArgs) -> Result<u8, Halt> {
    if args.markdown {
        terminal.print(&schema::markdown(BLOCKS));
    } else {
        terminal.json(&schema::json(BLOCKS));
    }
    Ok(DONE)
}
