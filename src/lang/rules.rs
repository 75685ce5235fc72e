//! `depends_on` and `lifecycle`: what holds for all instances of a block.

use std::collections::BTreeMap;

use hcl_edit::expr::{Expression, TraversalOperator};
use hcl_edit::structure::{Attribute, Block, Structure};

use crate::model::{Address, Key, Problem, Span};

use super::body::{self, Problems, Subject, or_report};
use super::builtin::LIFECYCLE;
use super::codes;
use super::eval::Eval;
use super::value::{Data, Value};

/// What holds for all instances of a block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Its objects are never deleted or replaced.
    pub precious: bool,
    /// The author says that they may be: `precious = false`.
    pub expendable: bool,
    /// Fields whose differences are left alone, and where they are named.
    pub ignore: Vec<(String, Span)>,
    /// Blocks that stand before it.
    pub after: Vec<Address>,
}

/// The blocks in a module, for `depends_on = [module.x]`.
#[derive(Default)]
pub(crate) struct Inside {
    /// How many modules stand around the block that asks.
    pub(crate) depth: usize,
    /// By the module's name.
    pub(crate) blocks: BTreeMap<String, Vec<Address>>,
}

/// Reads both.
pub(crate) fn read(
    eval: &Eval<'_>,
    block: &Block,
    inside: &Inside,
    problems: &mut Problems,
) -> Rules {
    let after = after(eval, block, inside, problems);
    let mut rules = Rules { after, ..Rules::default() };
    let mut first: Option<Span> = None;
    for structure in &block.body {
        let Structure::Block(inner) = structure else { continue };
        if inner.ident.value().as_str() != LIFECYCLE.word {
            continue;
        }
        let span = body::header(eval, inner);
        if let Some(first) = &first {
            let summary = "`lifecycle` stands more than once";
            let problem = Problem::error(codes::BLOCK_COUNT, summary);
            problems.push(problem.at(&span, "again here").at(first, "first here"));
            continue;
        }
        first = Some(span);
        lifecycle(eval, inner, &mut rules, problems);
    }
    rules
}

/// Reads `depends_on`.
pub(crate) fn after(
    eval: &Eval<'_>,
    block: &Block,
    inside: &Inside,
    problems: &mut Problems,
) -> Vec<Address> {
    let written = block.body.get_attribute("depends_on");
    written.map(|written| depends_on(eval, written, inside, problems)).unwrap_or_default()
}

fn lifecycle(eval: &Eval<'_>, block: &Block, rules: &mut Rules, problems: &mut Problems) {
    if let Err(problem) = body::label(eval, block, &LIFECYCLE) {
        problems.push(*problem);
        return;
    }
    // Terraform's users write the names without quotes.
    let bare = block.body.get_attribute("ignore").and_then(|written| words(eval, written));
    let mut block = block.clone();
    if let Some(bare) = bare {
        rules.ignore = bare;
        block.body.remove_attribute("ignore");
    }
    let checked = body::check(eval, &block, Subject::inner(&LIFECYCLE, None), problems).block;
    let precious = checked.attr("precious").and_then(Value::as_bool);
    rules.precious = precious == Some(true);
    rules.expendable = precious == Some(false);
    for item in checked.attr("ignore").and_then(Value::as_list).unwrap_or_default() {
        if let Some(name) = item.as_str() {
            let place = item.origin.clone().unwrap_or_else(|| checked.place("ignore").clone());
            rules.ignore.push((name.to_owned(), place));
        }
    }
}

/// `[tags, policy]`
fn words(eval: &Eval<'_>, written: &Attribute) -> Option<Vec<(String, Span)>> {
    let Expression::Array(items) = &written.value else { return None };
    let word = |item: &Expression| match item {
        Expression::Variable(word) => Some((word.value().to_string(), eval.span(item))),
        _ => None,
    };
    items.iter().map(word).collect()
}

fn depends_on(
    eval: &Eval<'_>,
    written: &Attribute,
    inside: &Inside,
    problems: &mut Problems,
) -> Vec<Address> {
    let span = eval.span(&written.value);
    let Expression::Array(items) = &written.value else {
        problems.push(
            Problem::error(codes::TYPE, "depends_on takes a list of blocks and modules")
                .at(&span, "not a list")
                .help("write depends_on = [bucket.data, module.base]"),
        );
        return Vec::new();
    };
    let mut after = Vec::new();
    for item in items {
        if let Some(found) = module(item, inside) {
            after.extend(found);
            continue;
        }
        let Some(value) = or_report(eval.value(item), problems) else { continue };
        if !addresses(&value, &mut after) {
            let problem = Problem::error(codes::TYPE, "depends_on names blocks and modules");
            problems.push(
                problem
                    .at(&eval.span(item), format!("this is {}", value.brief()))
                    .help("write the block itself: bucket.data, not bucket.data.name"),
            );
        }
    }
    after.sort();
    after.dedup();
    after
}

/// The blocks in `module.x` or `module.x["eu"]`; none for any other expression.
fn module(item: &Expression, inside: &Inside) -> Option<Vec<Address>> {
    let Expression::Traversal(traversal) = item else { return None };
    let Expression::Variable(word) = &traversal.expr else { return None };
    let operators: Vec<&TraversalOperator> =
        traversal.operators.iter().map(|operator| operator.value()).collect();
    let (name, index) = match operators.as_slice() {
        [TraversalOperator::GetAttr(name)] => (name, None),
        [TraversalOperator::GetAttr(name), TraversalOperator::Index(index)] => (name, Some(index)),
        _ => return None,
    };
    if word.value().as_str() != "module" {
        return None;
    }
    let mut found = inside.blocks.get(name.value().as_str())?.clone();
    let key = match index {
        Some(Expression::String(text)) => Some(Key::Name(text.value().clone())),
        Some(Expression::Number(number)) => {
            number.value().as_u64().and_then(|number| u32::try_from(number).ok()).map(Key::Index)
        }
        Some(_) | None => None,
    };
    if key.is_some() {
        found.retain(|address| {
            address.module.get(inside.depth).is_some_and(|module| module.key == key)
        });
    }
    Some(found)
}

/// The addresses of the blocks that a value holds; false when it is something else.
fn addresses(value: &Value, out: &mut Vec<Address>) -> bool {
    match &value.data {
        Data::Block(block) => {
            if block.found {
                return false;
            }
            out.push(block.address.clone());
            true
        }
        Data::List(items) => items.iter().all(|item| addresses(item, out)),
        Data::Map(items) => items.values().all(|item| addresses(item, out)),
        Data::Unknown(unknown) => unknown.pieces.is_empty(),
        Data::Null | Data::Bool(_) | Data::Number(_) | Data::String(_) | Data::Object(_) => false,
    }
}
