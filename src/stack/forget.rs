//! `forget`: what a block stood for stays in the cloud, and is no longer the stack's.

use crate::lang::schema::{Attribute, BlockSchema, Type};
use crate::lang::{Evaluated, Loaded, Value};
use crate::model::{Place, Problem};

use super::moved::Declared;
use super::wrong::wrong_place;

/// The table of the block.
pub const SCHEMA: BlockSchema = BlockSchema {
    word: "forget",
    label: None,
    repeats: true,
    attributes: &[Attribute::new(
        "address",
        Type::Address,
        "Where it was declared: a block, one instance of it, one object of it, or a module.",
    )
    .required()],
    blocks: &[],
    exports: &[],
    doc: "What a block that has gone stood for stays in the cloud: its tags go, nothing else. \
          Once it is done this block may go too.",
};

fn blocks(loaded: &Loaded) -> impl Iterator<Item = (&Evaluated, Place)> {
    let forget = loaded.blocks.iter().filter(|block| block.word == SCHEMA.word);
    forget.filter_map(|block| {
        let place = block.attr("address").and_then(Value::as_str)?.parse().ok()?;
        Some((block, place))
    })
}

/// Places whose objects are no longer the stack's.
pub fn forgotten(loaded: &Loaded) -> Vec<Place> {
    blocks(loaded).map(|(_, place)| place).collect()
}

/// What is declared is wanted, and cannot be forgotten.
pub(super) fn check(loaded: &Loaded) -> Vec<Problem> {
    let declared = Declared::of(loaded);
    let found = blocks(loaded).filter(|(_, place)| declared.holds(place));
    let problem = |(block, place): (&Evaluated, Place)| {
        let text = format!("{place} is to be forgotten and is still declared");
        wrong_place(block, "address", text, "remove its block, or this `forget`")
    };
    found.map(problem).collect()
}
