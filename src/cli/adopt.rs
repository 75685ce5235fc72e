//! `mlinfra adopt`

use crate::stack::Adoption;

use super::apply::{self, Goal};
use super::args::{AdoptArgs, Global};
use super::halt::Halt;
use super::hand::{self, Hand};
use super::terminal::Terminal;

pub fn run(global: &Global, terminal: &Terminal, args: &AdoptArgs) -> Result<u8, Halt> {
    let adoption = Adoption { id: args.id.clone(), replace: false };
    let hand = Hand::Adopt(hand::place(&args.address)?, adoption);
    apply::by_hand(global, terminal, &args.apply, (Goal::Adopt, Some(hand)))
}
