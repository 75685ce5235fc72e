//! `mlinfra forget`

use super::apply::go;
use super::args::{ForgetArgs, Global};
use super::halt::Halt;
use super::hand::{self, Hand};
use super::order::Order;
use super::terminal::Terminal;

pub fn run(global: &Global, terminal: &Terminal, args: &ForgetArgs) -> Result<u8, Halt> {
    let hand = Hand::Forget(hand::place(&args.address)?);
    go(global, terminal, &args.run, &Order::by_hand(hand))
}
