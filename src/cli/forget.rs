//! `mlinfra forget`

use super::apply::{self, Goal};
use super::args::{ForgetArgs, Global};
use super::halt::Halt;
use super::hand::{self, Hand};
use super::terminal::Terminal;

pub fn run(global: &Global, terminal: &Terminal, args: &ForgetArgs) -> Result<u8, Halt> {
    let hand = Hand::Forget(hand::place(&args.address)?);
    apply::by_hand(global, terminal, &args.apply, (Goal::Forget, Some(hand)))
}
