//! `mlinfra destroy`

use super::apply::go;
use super::args::{DestroyArgs, Global};
use super::halt::Halt;
use super::order::Order;
use super::select;
use super::terminal::Terminal;

pub fn run(global: &Global, terminal: &Terminal, args: &DestroyArgs) -> Result<u8, Halt> {
    terminal.announce();
    let selection = select::targets(&args.targets)?;
    go(global, terminal, &args.run, &Order::destroy(selection))
}
