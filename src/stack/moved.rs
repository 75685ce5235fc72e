//! `moved`: a block that has another name or module now. What it stands for stays, and is
//! only tagged anew.
//!
//! Names in the cloud are computed from addresses and cannot change. So an object that moves
//! keeps its name: the tag `mlinfra:named` says from which address it was computed, and names
//! are computed from that from then on ([`super::Pins::origins`]), with or without the
//! `moved` block.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::cloud::{Observed, Seen};
use crate::kinds::Spec;
use crate::lang::schema::{Attribute, BlockSchema, Type};
use crate::lang::{Evaluated, Loaded, Value};
use crate::model::{Address, Block, CloudId, Module, Name, Place, Problem, StackName, tags};

use super::wrong::wrong_place;

/// The table of the block.
pub const SCHEMA: BlockSchema = BlockSchema {
    word: "moved",
    label: None,
    repeats: true,
    attributes: &[
        Attribute::new(
            "from",
            Type::Address,
            "The address that it had: a block, one instance \
             of it, or a module.",
        )
        .required(),
        Attribute::new("to", Type::Address, "The address that it has now.").required(),
    ],
    blocks: &[],
    exports: &[],
    doc: "A block or module that has another name now. Its objects are tagged anew and stay as \
          they are, under the names that they have in the cloud. In the folder of a module \
          addresses begin there, and every instance of it moves.",
};

/// From where to where.
type Pairs = Vec<(Place, Place)>;

/// What has another address now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moves {
    /// By the block that moves, without its key.
    blocks: BTreeMap<Address, Pairs>,
    /// By the module that moves, without its key.
    modules: BTreeMap<(Vec<Module>, Name), Pairs>,
    /// How many there are.
    count: usize,
}

impl Moves {
    /// The `moved` blocks of a configuration.
    pub fn of(loaded: &Loaded) -> Self {
        let mut moves = Self::default();
        for (_, from, to) in blocks(loaded) {
            moves.count += 1;
            match (stem(&from), from.module.split_last()) {
                (Some(stem), _) => moves.blocks.entry(stem).or_default().push((from, to)),
                (None, Some((last, outer))) => {
                    let module = (outer.to_vec(), last.name.clone());
                    moves.modules.entry(module).or_default().push((from, to));
                }
                // A place is a block or a module.
                (None, None) => {}
            }
        }
        moves
    }

    /// Nothing has moved.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Where an object belongs now, by one move after the other; none where it is.
    pub fn target(&self, address: &Address) -> Option<Address> {
        let mut at = address.clone();
        // Circles were refused when the configuration was checked.
        for _ in 0..=self.count {
            match self.step(&at) {
                Some(next) if next != at => at = next,
                Some(_) | None => break,
            }
        }
        (at != *address).then_some(at)
    }

    /// Where one move takes an object: of its block, or else of the innermost module around it
    /// that moves, since a move of an outer one leads away from what is said of the inner ones.
    fn step(&self, at: &Address) -> Option<Address> {
        let apply = |moves: &Pairs| moves.iter().find_map(|(f, t)| f.at(t, at));
        let stem = Address { key: None, part: None, ..at.clone() };
        if let Some(next) = self.blocks.get(&stem).and_then(apply) {
            return Some(next);
        }
        if self.modules.is_empty() {
            return None;
        }
        (0..at.module.len()).rev().find_map(|depth| {
            let module = (at.module[..depth].to_vec(), at.module[depth].name.clone());
            self.modules.get(&module).and_then(apply)
        })
    }

    /// The cloud with every object at the address that it belongs to now, and where those
    /// that move stand until then.
    pub fn relocate<'o>(
        &self,
        stack: &StackName,
        observed: &'o Observed,
    ) -> (Cow<'o, Observed>, BTreeMap<CloudId, Address>) {
        if self.is_empty() {
            return (Cow::Borrowed(observed), BTreeMap::new());
        }
        let moving = observed.live.iter().filter(|(_, live)| live.is_usable());
        let moving: BTreeMap<CloudId, (Address, Address)> = moving
            .filter_map(|(id, live)| {
                let from = &live.owner.address;
                Some((id.clone(), (from.clone(), self.target(from)?)))
            })
            .collect();
        if moving.is_empty() {
            return (Cow::Borrowed(observed), BTreeMap::new());
        }
        let mut seen = observed.clone();
        let mut former = BTreeMap::new();
        for (id, (from, to)) in moving {
            let Some(live) = seen.live.get_mut(&id) else { continue };
            live.owner.named.get_or_insert_with(|| from.clone());
            if let Seen::Spec(spec) = &mut live.seen {
                rename(spec, &tags::name(stack, &from), tags::name(stack, &to));
            }
            live.owner.address = to;
            former.insert(id, from);
        }
        (Cow::Owned(seen), former)
    }
}

/// The name for consoles says the address, and moves along when it is ours.
fn rename(spec: &mut Spec, old: &str, new: String) {
    let mut fields = spec.fields();
    let name = fields.get_mut("tags").and_then(|tags| tags.get_mut(tags::NAME));
    if let Some(name) = name
        && name.as_str() == Some(old)
    {
        *name = new.into();
        if let Ok(renamed) = spec.kind().read(fields) {
            *spec = renamed;
        }
    }
}

fn blocks(loaded: &Loaded) -> impl Iterator<Item = (&Evaluated, Place, Place)> {
    let moved = loaded.blocks.iter().filter(|block| block.word == SCHEMA.word);
    moved.filter_map(|block| {
        let place = |name: &str| block.attr(name).and_then(Value::as_str)?.parse().ok();
        Some((block, place("from")?, place("to")?))
    })
}

/// A block without its key; none for a module.
fn stem(place: &Place) -> Option<Address> {
    let (module, found) = (place.module.clone(), place.block.as_ref()?);
    Some(Address { module, block: found.block, name: found.name.clone(), key: None, part: None })
}

/// Blocks that are declared, by their address without a key.
pub(super) struct Declared<'a>(BTreeMap<Address, Vec<&'a Address>>);

impl<'a> Declared<'a> {
    pub(super) fn of(loaded: &'a Loaded) -> Self {
        let mut all: BTreeMap<Address, Vec<&Address>> = BTreeMap::new();
        for address in loaded.blocks.iter().filter_map(|block| block.address.as_ref()) {
            all.entry(Address { key: None, ..address.clone() }).or_default().push(address);
        }
        Self(all)
    }

    /// Whether a block at a place fits.
    pub(super) fn any(&self, place: &Place, fits: impl Fn(&Address) -> bool) -> bool {
        match stem(place) {
            Some(stem) => self.0.get(&stem).into_iter().flatten().any(|address| fits(address)),
            None => self.inside(place).any(|address| fits(address)),
        }
    }

    /// The blocks in all instances of a module. They stand side by side, because addresses are
    /// sorted by their modules first.
    fn inside(&self, place: &Place) -> impl Iterator<Item = &&'a Address> {
        let name = Name::new("a").ok();
        let first = place.module.split_last().zip(name).map(|((last, outer), least)| {
            let whole = Module { name: last.name.clone(), key: None };
            let module = outer.iter().cloned().chain([whole]).collect();
            Address { module, ..Address::block(Block::Bucket, least) }
        });
        let within = |address: &Address| {
            let around = place.module.split_last();
            around.is_some_and(|(last, outer)| {
                let inner = address.module.strip_prefix(outer).and_then(<[Module]>::first);
                inner.is_some_and(|module| module.name == last.name)
            })
        };
        let range = first.map(|first| self.0.range(first..));
        let blocks = range.into_iter().flatten().take_while(move |(stem, _)| within(stem));
        blocks.flat_map(|(_, blocks)| blocks)
    }

    /// Whether a place is in a block, or a block in it; which objects a block becomes is not
    /// known yet.
    pub(super) fn holds(&self, place: &Place) -> bool {
        let part = place.block.as_ref().and_then(|found| found.part.clone());
        self.any(place, |block| place.holds(&Address { part: part.clone(), ..block.clone() }))
    }
}

/// Moves that cannot be meant.
pub(super) fn check(loaded: &Loaded) -> Vec<Problem> {
    let declared = Declared::of(loaded);
    let all: Vec<(&Evaluated, Place, Place)> = blocks(loaded).collect();
    let mut next: BTreeMap<&Place, &Place> = BTreeMap::new();
    let mut problems = Vec::new();
    for (block, from, to) in &all {
        if next.insert(from, to).is_some() {
            let help = "keep one of the two `moved` blocks";
            problems.push(wrong_place(block, "from", format!("{from} moves twice"), help));
        }
    }
    for (block, from, to) in &all {
        if let Some(text) = misfit(from, to) {
            let help = "a block moves as a whole, to a block of its own kind; a module to a module";
            problems.push(wrong_place(block, "to", text, help));
        } else if circles(&next, from) {
            let help = "the last of a chain of moves is a block that is declared";
            problems.push(wrong_place(block, "to", format!("{from} moves in a circle"), help));
        } else if declared.any(from, |address| from.at(to, address).is_some()) {
            let text = format!("{from} has moved to {to} and is still declared");
            problems.push(wrong_place(
                block,
                "from",
                text,
                "rename the block, or remove this `moved`",
            ));
        } else if !next.contains_key(to) && !declared.any(to, |address| to.holds(address)) {
            let text = format!("{from} has moved to {to}, which is not declared");
            let help = "correct the address, or remove this `moved` when that block is gone too";
            problems.push(wrong_place(block, "to", text, help));
        }
    }
    problems
}

/// Why one cannot become the other.
fn misfit(from: &Place, to: &Place) -> Option<String> {
    let fits = match (&from.block, &to.block) {
        (Some(a), Some(b)) => a.block == b.block && a.part.is_none() && b.part.is_none(),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    };
    (!fits).then(|| format!("{from} cannot become {to}"))
}

/// Whether moves lead from a place back to it.
fn circles(next: &BTreeMap<&Place, &Place>, start: &Place) -> bool {
    let mut at = start;
    for _ in 0..=next.len() {
        match next.get(at) {
            Some(to) if *to == start => return true,
            Some(to) => at = to,
            None => return false,
        }
    }
    // A circle that does not come back here is reported where it does.
    false
}
