//! `module` blocks: a folder of configuration, evaluated as a whole for every instance.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use hcl_edit::expr::Expression;
use hcl_edit::structure::{Block, Structure};

use crate::model::{Address, Key, Module, Name, Place, Problem, Span};

use super::body::{self, Problems};
use super::builtin::{EVERY, MODULE};
use super::eval::{Env, Eval};
use super::folder;
use super::graph::{Graph, What};
use super::load::Loader;
use super::parse::Parsed;
use super::repeat::{self, Repeat};
use super::value::{Data, Value};
use super::vars::Vars;
use super::{codes, limits, nearest, rules};

/// A `module` block, whose instances are evaluated.
struct Call<'c> {
    /// Its name and place among its like, without a key.
    step: Module,
    folder: String,
    files: Rc<Vec<Parsed>>,
    inputs: Vec<(&'c str, &'c Expression)>,
    /// What stands before everything in it.
    after: Vec<Address>,
    span: Span,
}

impl<'a> Loader<'a> {
    /// Evaluates every instance of a module. Its value is the object of its outputs, or a map
    /// or list of such objects.
    pub(super) fn module(
        &mut self,
        graph: &Graph<'a>,
        place: usize,
        block: &'a Block,
    ) -> Option<Value> {
        let node = graph.nodes.get(place)?;
        let eval = self.eval(node.file, graph)?;
        let repeat = repeat::read(&eval, block, &mut self.problems);
        let first = self.blocks.len();
        let value = match self.call(&eval, node.name, block) {
            Some(call) => self.instances(&eval, &call, repeat),
            None => None,
        };
        self.inside.insert(node.name.to_owned(), first..self.blocks.len());
        Some(value.unwrap_or_else(Value::unknown).from_span(node.span.clone()))
    }

    /// Reads everything in the block that is the same for all instances.
    fn call<'c>(&mut self, eval: &Eval<'_>, name: &str, block: &'c Block) -> Option<Call<'c>> {
        let span = body::header(eval, block);
        let before = self.problems.len();
        let after = self.order_of(eval, block);
        let mut inputs = Vec::new();
        let mut source = None;
        for structure in &block.body {
            match structure {
                Structure::Attribute(written) => match written.key.value().as_str() {
                    "source" => source = Some(written),
                    word if EVERY.contains(&word) => {}
                    word => inputs.push((word, &written.value)),
                },
                Structure::Block(inner) => {
                    let word = inner.ident.value().as_str();
                    let text = format!("unknown block {word:?}");
                    let problem = Problem::error(codes::UNKNOWN_BLOCK, text);
                    self.problems.push(
                        problem
                            .at(&eval.span(&inner.ident), "`module` holds attributes only")
                            .help("write `lifecycle` in the blocks of the module's folder"),
                    );
                }
            }
        }
        let Some(source) = source else {
            let problem = Problem::error(codes::MISSING, "module needs \"source\"");
            let help = "source = \"./modules/team\": a folder inside the stack's own";
            self.problems.push(problem.at(&span, "missing here").help(help));
            return None;
        };
        let read = folder::source(eval, source, self.folder).and_then(|folder| {
            let place = eval.span(&source.value);
            self.acyclic(&folder, &place)?;
            Ok((folder::files(self.context, &folder, &place)?, folder))
        });
        match read {
            Ok((files, folder)) if self.problems.len() == before => {
                let step = Module { name: Name::new(name).ok()?, key: None };
                Some(Call { step, folder, files, inputs, after, span })
            }
            Ok(_) => None,
            Err(problem) => {
                self.problems.push(*problem);
                None
            }
        }
    }

    /// What stands before everything in the module.
    fn order_of(&mut self, eval: &Eval<'_>, block: &Block) -> Vec<Address> {
        let inside = self.inside(block);
        let mut after = rules::after(eval, block, &inside, &mut self.problems);
        after.extend(self.after.iter().cloned());
        after
    }

    /// A module says where its blocks were and are from its own folder on; the stack knows them
    /// by the modules around them.
    pub(super) fn outwards(&self, block: &mut super::Evaluated) {
        if self.path.is_empty() {
            return;
        }
        for value in block.attributes.values_mut() {
            if let Some(Ok(place)) = value.as_str().map(str::parse::<Place>) {
                value.data = Data::String(place.within(&self.path).to_string());
            }
        }
    }

    /// A folder must not use itself, nor modules be nested more deeply than any real ones.
    fn acyclic(&self, folder: &str, span: &Span) -> Result<(), Box<Problem>> {
        let error = |text: String| Box::new(Problem::error(codes::MODULE, text).at(span, "here"));
        if let Some(at) = self.chain.iter().position(|outer| outer == folder) {
            let shown = |folder: &String| format!("./{folder}");
            let mut circle: Vec<String> = self.chain[at..].iter().map(shown).collect();
            circle.push(format!("./{folder}"));
            return Err(error(format!("a module uses itself: {}", circle.join(" -> "))));
        }
        if self.chain.len() >= limits::MODULES {
            return Err(error(format!("modules are nested more than {} deep", limits::MODULES)));
        }
        Ok(())
    }

    fn instances(
        &mut self,
        eval: &Eval<'_>,
        call: &Call<'_>,
        repeat: Option<Repeat>,
    ) -> Option<Value> {
        let files = Rc::clone(&call.files);
        let nothing = Vars::new();
        let mut inner = self.inner(&files, &nothing, call, None);
        let mut graph = inner.declare();
        let order = graph.order(&mut inner.problems);
        inputs(&graph, call, &mut inner.problems);
        let broken = !inner.problems.is_empty();
        self.problems.append(&mut inner.problems);
        let mut once = |this: &mut Self, eval: &Eval<'_>, key: Option<Key>| {
            graph.reset();
            this.instance_of(eval, call, (&graph, &order), key).filter(|_| !broken)
        };
        match repeat? {
            Repeat::Once => once(self, eval, None),
            Repeat::Each(entries) => {
                let mut out = BTreeMap::new();
                for (key, value) in entries {
                    let each = repeat::each(&key, value);
                    let env = Env { name: "each", value: &each, outer: None };
                    let eval = Eval { env: Some(&env), ..*eval };
                    let value = once(self, &eval, Some(Key::Name(key.clone())))?;
                    out.insert(key, value);
                }
                Some(Data::Map(out).into())
            }
            Repeat::Count(count) => {
                let mut out = Vec::new();
                for index in 0..count {
                    let number = repeat::count(index);
                    let env = Env { name: "count", value: &number, outer: None };
                    let eval = Eval { env: Some(&env), ..*eval };
                    out.push(once(self, &eval, Some(Key::Index(index)))?);
                }
                Some(out.into())
            }
            Repeat::Unknown(word) => {
                let unknown = repeat::unknown(word);
                let env = Env { name: word, value: &unknown, outer: None };
                let eval = Eval { env: Some(&env), ..*eval };
                let before = self.blocks.len();
                once(self, &eval, None);
                self.blocks.truncate(before);
                None
            }
        }
    }

    /// The loader of what is inside of a module.
    fn inner<'c>(
        &self,
        files: &'c [Parsed],
        vars: &'c Vars,
        call: &'c Call<'_>,
        key: Option<Key>,
    ) -> Loader<'c>
    where
        'a: 'c,
    {
        let mut path = self.path.clone();
        path.push(Module { key, ..call.step.clone() });
        let mut chain = self.chain.clone();
        chain.push(call.folder.clone());
        Loader {
            stack: self.stack.clone(),
            env: self.env.clone(),
            path,
            chain,
            folder: &call.folder,
            after: call.after.clone(),
            ..Loader::new(self.context, vars, self.world, files)
        }
    }

    /// One instance: the object of its outputs; none when it has a problem.
    fn instance_of(
        &mut self,
        eval: &Eval<'_>,
        call: &Call<'_>,
        (graph, order): (&Graph<'_>, &[usize]),
        key: Option<Key>,
    ) -> Option<Value> {
        if let Err(spent) = self.context.budget.block() {
            self.problems.push(spent.problem().at(&call.span, "while evaluating this"));
            return None;
        }
        let from = Module { key: key.clone(), ..call.step.clone() }.to_string();
        let mut vars = Vars::new();
        // What is missing was told once for all instances.
        vars.unknown_when_missing();
        let before = self.problems.len();
        for (name, expr) in &call.inputs {
            let value = eval.value(expr).and_then(|value| {
                body::too_deep(&value, &eval.span(*expr))?;
                Ok(value)
            });
            if let Some(value) = body::or_report(value, &mut self.problems) {
                vars.set_value(name, value, &from);
            }
        }
        if vars.iter().count() < call.inputs.len() {
            return None;
        }
        let mut inner = self.inner(&call.files, &vars, call, key);
        inner.settle_all(graph, order);
        let Loader { mut problems, mut blocks, outputs, path, .. } = inner;
        for problem in problems.iter_mut().filter(|problem| problem.detail.is_empty()) {
            let path: Vec<String> = path.iter().map(ToString::to_string).collect();
            problem.detail = format!("in {}", path.join("."));
        }
        self.problems.append(&mut problems);
        self.blocks.append(&mut blocks);
        if self.problems.len() > before {
            return None;
        }
        let outputs = outputs.into_iter().map(|output| (output.name, output.value)).collect();
        Some(Data::Object(outputs).into())
    }
}

/// Compares what is given with what the module declares.
fn inputs(graph: &Graph<'_>, call: &Call<'_>, problems: &mut Problems) {
    let given: BTreeSet<&str> = call.inputs.iter().map(|(name, _)| *name).collect();
    let mut declared = Vec::new();
    for node in &graph.nodes {
        let What::Variable(block) = node.what else { continue };
        declared.push(node.name);
        if !given.contains(node.name) && !block.body.has_attribute("default") {
            let name = &call.step.name;
            let text = format!("module {:?} needs {:?}", name.as_str(), node.name);
            problems.push(
                Problem::error(codes::MISSING, text)
                    .at(&call.span, "not given here")
                    .at(&node.span, "declared here, without a default")
                    .help(format!("write {} = … in the module block", node.name)),
            );
        }
    }
    for (name, expr) in &call.inputs {
        if declared.contains(name) {
            continue;
        }
        let source = call.span.source;
        let range = hcl_edit::Span::span(*expr).unwrap_or(0..0);
        let text = format!("the module has no variable {name:?}");
        let help = match nearest::nearest(name, declared.iter().copied().chain(EVERY)) {
            Some(near) => format!("did you mean {near:?}?"),
            None => match nearest::list("it declares", &declared) {
                list if list.is_empty() => "it declares none".to_owned(),
                list => list,
            },
        };
        problems.push(
            Problem::error(codes::VARIABLE_UNKNOWN, text)
                .at(&Span { source, range }, format!("given to {}", MODULE.word))
                .help(help),
        );
    }
}
