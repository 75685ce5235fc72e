//! `mlinfra destroy`

use super::apply::{Goal, go};
use super::args::{ApplyArgs, Global};
use super::halt::Halt;
use super::terminal::Terminal;

pub fn run(global: &Global, terminal: &Terminal, args: &ApplyArgs) -> Result<u8, Halt> {
    go(global, terminal, args, Goal::Nothing)
}
