//! Blocks that become cloud objects: one evaluation per instance.

use std::collections::BTreeMap;
use std::sync::Arc;

use hcl_edit::structure::Block;

use crate::model::{Address, Key, Name};

use super::body::{self, Subject};
use super::eval::{Env, Eval};
use super::graph::Graph;
use super::load::Loader;
use super::repeat::{self, Repeat};
use super::rules::{self, Rules};
use super::schema::BlockSchema;
use super::value::{BlockValue, Data, Value};

/// A block of the configuration, whose instances are evaluated.
struct Form<'f> {
    block: &'f Block,
    schema: &'static BlockSchema,
    /// Its address without a key.
    address: Address,
    rules: Arc<Rules>,
    /// Something refers to it.
    used: bool,
}

impl<'a> Loader<'a> {
    /// Evaluates every instance of a block. Its value is the block, a map of blocks under
    /// `for_each`, or a list of blocks under `count`.
    pub(super) fn resource(
        &mut self,
        graph: &Graph<'a>,
        place: usize,
        (block, schema): (&Block, &'static BlockSchema),
    ) -> Option<Value> {
        let node = graph.nodes.get(place)?;
        let eval = self.eval(node.file, graph)?;
        let kind = crate::model::Block::from_word(schema.word)?;
        let name = Name::new(node.name).ok()?;
        let module = self.path.clone();
        let address = Address { module, ..Address::block(kind, name) };
        let rules = self.rules_of(&eval, block);
        let repeat = repeat::read(&eval, block, &mut self.problems);
        let form = Form { block, schema, address, rules, used: graph.is_used(place) };
        let value = match repeat {
            Some(Repeat::Once) => self.instance(&eval, &form, None).0,
            Some(Repeat::Each(entries)) => self.each(&eval, &form, entries),
            Some(Repeat::Count(count)) => self.count(&eval, &form, count),
            // Its body is checked all the same, with nothing known of what differs.
            Some(Repeat::Unknown(word)) => self.idle(&eval, &form, word),
            None => self.idle(&eval, &form, if has_count(block) { "count" } else { "each" }),
        };
        Some(value.from_span(node.span.clone()))
    }

    fn rules_of(&mut self, eval: &Eval<'_>, block: &Block) -> Arc<Rules> {
        let inside = self.inside(block);
        let mut rules = rules::read(eval, block, &inside, &mut self.problems);
        rules.after.extend(self.after.iter().cloned());
        Arc::new(rules)
    }

    fn each(
        &mut self,
        eval: &Eval<'_>,
        form: &Form<'_>,
        entries: BTreeMap<String, Value>,
    ) -> Value {
        let mut out = BTreeMap::new();
        for (key, value) in entries {
            let each = repeat::each(&key, value);
            let env = Env { name: "each", value: &each, outer: None };
            let eval = Eval { env: Some(&env), ..*eval };
            let (value, fine) = self.instance(&eval, form, Some(Key::Name(key.clone())));
            if !fine {
                return Value::unknown();
            }
            out.insert(key, value);
        }
        Data::Map(out).into()
    }

    fn count(&mut self, eval: &Eval<'_>, form: &Form<'_>, count: u32) -> Value {
        let mut out = Vec::new();
        for index in 0..count {
            let number = repeat::count(index);
            let env = Env { name: "count", value: &number, outer: None };
            let eval = Eval { env: Some(&env), ..*eval };
            let (value, fine) = self.instance(&eval, form, Some(Key::Index(index)));
            if !fine {
                return Value::unknown();
            }
            out.push(value);
        }
        out.into()
    }

    /// Checks the body of a block whose instances are not known.
    fn idle(&mut self, eval: &Eval<'_>, form: &Form<'_>, word: &str) -> Value {
        let unknown = repeat::unknown(word);
        let env = Env { name: word, value: &unknown, outer: None };
        let eval = Eval { env: Some(&env), ..*eval };
        let subject = Subject::top(form.schema, form.address.clone());
        body::check(&eval, form.block, subject, &mut self.problems);
        Value::unknown()
    }

    /// One instance: what other expressions read of it, and whether it has no problem.
    fn instance(&mut self, eval: &Eval<'_>, form: &Form<'_>, key: Option<Key>) -> (Value, bool) {
        if let Err(spent) = self.context.budget.block() {
            let span = body::header(eval, form.block);
            self.problems.push(spent.problem().at(&span, "while evaluating this"));
            return (Value::unknown(), false);
        }
        let before = self.problems.len();
        let address = Address { key, ..form.address.clone() };
        let subject = Subject::top(form.schema, address.clone());
        let mut checked = body::check(eval, form.block, subject, &mut self.problems);
        // A reader who sees a line of a module or of a repeated block needs to know which.
        if address.key.is_some() || !address.module.is_empty() {
            for problem in self.problems.iter_mut().skip(before) {
                if problem.detail.is_empty() {
                    problem.detail = format!("in {address}");
                }
            }
        }
        checked.block.rules = Some(Arc::clone(&form.rules));
        let exports = match &self.stack {
            _ if !form.used => BTreeMap::new(),
            Some(stack) if checked.complete => self.world.exports(stack, &checked.block),
            // What refers to a block with a problem goes on as if nothing were known of it.
            Some(_) | None => body::unknown_exports(form.schema),
        };
        if checked.complete {
            self.blocks.push(checked.block);
        }
        let block = BlockValue { address, word: form.schema.word, exports, found: false };
        (Data::Block(block.into()).into(), checked.complete)
    }
}

fn has_count(block: &Block) -> bool {
    block.body.has_attribute("count") && !block.body.has_attribute("for_each")
}
