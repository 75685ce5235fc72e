//! `mlinfra adopt`

use crate::stack::Adoption;

use super::apply::go;
use super::args::{AdoptArgs, Global};
use super::halt::Halt;
use super::hand::{self, Hand};
use super::order::Order;
use super::terminal::Terminal;

pub fn run(global: &Global, terminal: &Terminal, args: &AdoptArgs) -> Result<u8, Halt> {
    let adoption = Adoption { id: args.id.clone(), replace: false };
    let hand = Hand::Adopt(hand::place(&args.address)?, adoption);
    go(global, terminal, &args.run, &Order::by_hand(hand))
}
