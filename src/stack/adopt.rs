//! `adopt`: an object that exists, made by hand or by another tool, becomes the stack's.

use std::collections::BTreeSet;

use crate::lang::schema::{Attribute, BlockSchema, Type};
use crate::lang::{Evaluated, Loaded, Value};
use crate::model::{Address, Place, Problem};

use super::desired::{Adoption, Desired};
use super::expansion::{Expansion, flag};
use super::moved::Declared;
use super::wrong::wrong_place;

/// The table of the block.
pub const SCHEMA: BlockSchema = BlockSchema {
    word: "adopt",
    label: None,
    repeats: true,
    attributes: &[
        Attribute::new(
            "address",
            Type::Address,
            "Where it is declared: a block, or one object of it such as `\"network.main/vpc\"`.",
        )
        .required(),
        Attribute::new("id", Type::String, "Its id, name or ARN in the cloud.").required(),
        Attribute::new(
            "replace",
            Type::Bool,
            "Let a successor take its place when it differs in what cannot change in place.",
        )
        .or("false"),
    ],
    blocks: &[],
    exports: &[],
    doc: "An object that exists becomes the stack's. What differs from the configuration is \
          changed in place. Once it is done the block may go.",
};

fn blocks(loaded: &Loaded) -> impl Iterator<Item = (&Evaluated, Place)> {
    let adopt = loaded.blocks.iter().filter(|block| block.word == SCHEMA.word);
    adopt.filter_map(|block| {
        let place = block.attr("address").and_then(Value::as_str)?.parse().ok()?;
        Some((block, place))
    })
}

/// Adoptions that cannot be meant.
pub(super) fn check(loaded: &Loaded) -> Vec<Problem> {
    let declared = Declared::of(loaded);
    let (mut places, mut ids) = (BTreeSet::new(), BTreeSet::new());
    let mut problems = Vec::new();
    for (block, place) in blocks(loaded) {
        let id = block.attr("id").and_then(Value::as_str).unwrap_or_default();
        if !place.is_module() && !declared.holds(&place) {
            let text = format!("{place} is to be adopted and is not declared");
            let help = "declare the block, so that it is known what the object shall be";
            problems.push(wrong_place(block, "address", text, help));
        } else if !places.insert(place.clone()) {
            let text = format!("{place} is adopted twice");
            problems.push(wrong_place(
                block,
                "address",
                text,
                "keep one of the two `adopt` blocks",
            ));
        } else if !ids.insert(id) {
            let text = format!("{id} is adopted twice");
            problems.push(wrong_place(block, "id", text, "an object has one address"));
        }
    }
    problems
}

/// Adds what is to be adopted to what is wanted.
pub(super) fn expand(x: &mut Expansion<'_>, loaded: &Loaded) {
    for (block, place) in blocks(loaded) {
        let id = block.attr("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        let adoption = Adoption { id, replace: flag(block, "replace", false) };
        if let Err((text, help)) = x.desired.adopts(&place, adoption) {
            x.problems.push(wrong_place(block, "address", text, &help));
        }
    }
}

impl Desired {
    /// Adds something to be adopted; says what is wrong with its place, and what to do.
    pub fn adopts(&mut self, place: &Place, adoption: Adoption) -> Result<(), (String, String)> {
        let found: Vec<&Address> = match place.address() {
            Some(address) if self.specs.contains_key(&address) => {
                self.adopt.insert(address, adoption);
                return Ok(());
            }
            Some(_) | None => self.specs.keys().filter(|address| place.holds(address)).collect(),
        };
        match found.as_slice() {
            [only] => {
                let address = (*only).clone();
                self.adopt.insert(address, adoption);
                Ok(())
            }
            [] => {
                let help = "declare it, so that it is known what the object shall be".to_owned();
                Err((format!("{place} is to be adopted and is not declared"), help))
            }
            several => {
                let some: Vec<String> = several.iter().take(6).map(ToString::to_string).collect();
                let more = if several.len() > 6 { ", …" } else { "" };
                let help = format!("name one of them: {}{more}", some.join(", "));
                Err((format!("{place} becomes {} objects", several.len()), help))
            }
        }
    }
}
