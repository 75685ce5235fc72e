//! From files to evaluated blocks.

use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use hcl_edit::structure::{Block, Body};

use crate::model::{Address, Block as Kind, Module, Name, Problem, Sources, Span};

use super::body::{self, Problems, Subject};
use super::builtin::OUTPUT;
use super::deep::on_large_stack;
use super::eval::{Context, Eval};
use super::folder;
use super::graph::{Graph, Node, What};
use super::limits;
use super::parse::Parsed;
use super::read::ReadFile;
use super::rules::Inside;
use super::schema::BlockSchema;
use super::snapshot::Variable;
use super::value::{BlockValue, Data, Value};
use super::vars::Vars;
use super::{Evaluated, File, Loaded, Output, World, codes, convert, nearest, tidy, variable};

/// Reads and evaluates a whole configuration. Problems of all files are reported together; what
/// depends on something wrong is left out without a problem of its own.
pub fn load(
    files: &[File],
    vars: &Vars,
    world: &dyn World,
    reader: Option<&dyn ReadFile>,
) -> Loaded {
    match on_large_stack(|| Ok(run(files, vars, world, reader))) {
        Ok(loaded) => loaded,
        Err(problem) => Loaded {
            sources: Sources::default(),
            stack: None,
            blocks: Vec::new(),
            outputs: Vec::new(),
            variables: Vec::new(),
            problems: vec![problem],
        },
    }
}

fn run(files: &[File], vars: &Vars, world: &dyn World, reader: Option<&dyn ReadFile>) -> Loaded {
    let context = Context::new(reader, Sources::default());
    let mut problems = Vec::new();
    let mut bodies = Vec::new();
    for file in files {
        match folder::parse_file(&context, &file.name, &file.text) {
            Ok(parsed) => bodies.push(parsed),
            Err(problem) => problems.push(*problem),
        }
    }
    let broken = !problems.is_empty();
    let mut loader = Loader { problems, ..Loader::new(&context, vars, world, &bodies) };
    // Names of a file that could not be parsed would all be missing; one problem is enough.
    if !broken {
        loader.evaluate();
    }
    let Loader { problems, stack, blocks, outputs, variables, .. } = loader;
    let problems = tidy(problems);
    let order = |span: &Span| (span.source, span.range.start);
    let mut blocks = blocks;
    blocks.sort_by_key(|block| order(&block.span));
    let mut outputs = outputs;
    outputs.sort_by_key(|output| order(&output.span));
    drop(bodies);
    let sources = context.sources.into_inner();
    let stack = stack.map(Rc::unwrap_or_clone);
    Loaded { sources, stack, blocks, outputs, variables, problems }
}

pub(super) struct Loader<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) vars: &'a Vars,
    pub(super) world: &'a dyn World,
    pub(super) files: &'a [Parsed],
    pub(super) problems: Problems,
    pub(super) stack: Option<Rc<Evaluated>>,
    pub(super) blocks: Vec<Evaluated>,
    pub(super) outputs: Vec<Output>,
    pub(super) variables: Vec<Variable>,
    /// The modules around it.
    pub(super) path: Vec<Module>,
    /// The environment; empty when there is none.
    pub(super) env: Value,
    /// The folder of its files, from the stack's folder on.
    pub(super) folder: &'a str,
    /// The folders of the modules around it.
    pub(super) chain: Vec<String>,
    /// What has to stand before every block in it.
    pub(super) after: Vec<Address>,
    /// Which of `blocks` come from a module.
    pub(super) inside: BTreeMap<String, Range<usize>>,
}

impl<'a> Loader<'a> {
    pub(super) fn new(
        context: &'a Context<'a>,
        vars: &'a Vars,
        world: &'a dyn World,
        files: &'a [Parsed],
    ) -> Self {
        Self {
            context,
            vars,
            world,
            files,
            problems: Vec::new(),
            stack: None,
            blocks: Vec::new(),
            outputs: Vec::new(),
            variables: Vec::new(),
            path: Vec::new(),
            env: match vars.env() {
                Some(env) => env.into(),
                None if vars.missing_is_unknown() => Value::unknown(),
                None => "".into(),
            },
            folder: "",
            chain: Vec::new(),
            after: Vec::new(),
            inside: BTreeMap::new(),
        }
    }

    /// The addresses of the blocks in each module, for a block that says `depends_on`.
    pub(super) fn inside(&self, block: &Block) -> Inside {
        if !block.body.has_attribute("depends_on") {
            return Inside::default();
        }
        let addresses = |range: &Range<usize>| {
            let blocks = self.blocks.get(range.clone()).unwrap_or_default();
            blocks.iter().filter_map(|block| block.address.clone()).collect()
        };
        let blocks = self.inside.iter().map(|(name, range)| (name.clone(), addresses(range)));
        Inside { depth: self.path.len(), blocks: blocks.collect() }
    }

    pub(super) fn eval<'s>(&self, file: usize, scope: &'s Graph<'_>) -> Option<Eval<'s>>
    where
        'a: 's,
    {
        let (source, text, _) = self.files.get(file)?;
        let eval = Eval::bare(self.context, scope, (*source, text));
        Some(Eval { folder: self.folder, ..eval })
    }

    fn evaluate(&mut self) {
        if self.files.iter().map(|(_, _, body)| count(body)).sum::<usize>() > limits::BLOCKS {
            self.problems.push(
                Problem::error(codes::LIMIT, format!("more than {} blocks", limits::BLOCKS))
                    .help("split the configuration into several stacks"),
            );
            return;
        }
        let graph = self.declare();
        let order = graph.order(&mut self.problems);
        self.first_stack(&graph, &order);
        self.settle_all(&graph, &order);
        self.superfluous(&graph);
        self.variables = graph.nodes.iter().filter_map(|node| variable_of(&graph, node)).collect();
    }

    /// Finds the stack block and evaluates it with what it needs, before everything else.
    fn first_stack(&mut self, graph: &Graph<'a>, order: &[usize]) {
        let stacks: Vec<usize> = (0..graph.nodes.len())
            .filter(|place| {
                graph.nodes.get(*place).is_some_and(|node| {
                    node.word == "stack" && matches!(node.what, What::Block(..))
                })
            })
            .collect();
        let [place] = stacks.as_slice() else {
            let mut problem = match stacks.as_slice() {
                [] => Problem::error(codes::STACK, "there is no stack block")
                    .help("add: stack \"name\" { region = \"us-east-1\" }"),
                _ => Problem::error(codes::STACK, "there is more than one stack block")
                    .help("one folder is one stack; move the other to a folder of its own"),
            };
            // The last one is the one that was added.
            for place in stacks.iter().rev() {
                if let Some(node) = graph.nodes.get(*place) {
                    problem = problem.at(&node.span, "a stack block");
                }
                graph.settle(*place, None);
            }
            // A stack block whose label is wrong has its own problem already.
            if !stacks.is_empty() || !self.problems.iter().any(about_stack) {
                self.problems.push(problem);
            }
            return;
        };
        if let Some((other, span)) = graph.block_needed(*place) {
            let title = other.title();
            self.problems.push(
                Problem::error(codes::STACK, format!("the stack block depends on {title}"))
                    .at(&span, "used here")
                    .help("its values are needed before any resource; use variables or literals"),
            );
            graph.settle(*place, None);
            return;
        }
        let needed = graph.reach(*place);
        for place in order.iter().filter(|place| needed.contains(place)) {
            self.settle(graph, *place);
        }
    }

    /// Evaluates the inside of a module.
    pub(super) fn settle_all(&mut self, graph: &Graph<'a>, order: &[usize]) {
        for place in order {
            self.settle(graph, *place);
        }
        self.rules(graph);
    }

    fn settle(&mut self, graph: &Graph<'a>, place: usize) {
        if !graph.is_settled(place) {
            let value = self.node(graph, place);
            graph.settle(place, value);
        }
    }

    /// The value of one node; none when it has a problem.
    fn node(&mut self, graph: &Graph<'a>, place: usize) -> Option<Value> {
        let node = graph.nodes.get(place)?;
        let eval = self.eval(node.file, graph)?;
        // Every arm puts them back.
        let mut problems = std::mem::take(&mut self.problems);
        let value = match node.what {
            What::Variable(block) => variable::value(&eval, block, self.vars, &mut problems),
            What::Local(expr) => {
                let value = eval.value(expr).and_then(|value| {
                    body::too_deep(&value, &node.span)?;
                    Ok(value)
                });
                body::or_report(value, &mut problems)
            }
            What::Output(block) => {
                let output = output(&eval, block, self.path.is_empty(), &mut problems);
                self.outputs.extend(output);
                None
            }
            What::Fact => self.fact(node.name),
            What::Module(block) => {
                self.problems = problems;
                return self.module(graph, place, block);
            }
            What::Block(block, schema) if Kind::from_word(schema.word).is_some() => {
                self.problems = problems;
                return self.resource(graph, place, (block, schema));
            }
            What::Block(block, schema) => {
                let subject = Subject::inner(schema, label_of(node));
                let mut checked = body::check(&eval, block, subject, &mut problems);
                self.problems = problems;
                if node.word == "moved" {
                    self.outwards(&mut checked.block);
                }
                return self.plain(node, checked, schema);
            }
        };
        self.problems = problems;
        value
    }

    /// Keeps a block that becomes no cloud object, and gives what is read from it.
    fn plain(
        &mut self,
        node: &Node<'_>,
        checked: body::Checked,
        schema: &'static BlockSchema,
    ) -> Option<Value> {
        if node.word == "stack" {
            let mut block = checked.block;
            self.name_env(&mut block);
            self.stack = checked.complete.then(|| Rc::new(block));
            return None;
        }
        let exports = match &self.stack {
            Some(stack) if checked.complete => self.world.exports(stack, &checked.block),
            Some(_) | None => body::unknown_exports(schema),
        };
        let span = checked.block.span.clone();
        if checked.complete {
            self.blocks.push(checked.block);
        }
        let value = match (node.word, Name::new(node.name)) {
            // A bucket is referred to as such: `read = [lookup.bucket.x]`.
            ("lookup bucket", Ok(name)) => {
                let address = Address::block(Kind::Bucket, name);
                let word = Kind::Bucket.word();
                Data::Block(BlockValue { address, word, exports, found: true }.into())
            }
            (_, Ok(_) | Err(_)) => Data::Object(exports),
        };
        Some(Value::from(value).from_span(span))
    }

    /// The rules of all variables, which may refer to anything.
    fn rules(&mut self, graph: &Graph<'a>) {
        let mut problems = std::mem::take(&mut self.problems);
        for node in &graph.nodes {
            let What::Variable(block) = node.what else { continue };
            let Some(eval) = self.eval(node.file, graph) else { continue };
            let from = self.vars.get(node.name).map(|input| input.from.as_str());
            let known = matches!(
                super::eval::Scope::find(graph, "var", node.name),
                super::eval::Found::Value(_)
            );
            variable::rules(&eval, block, from, known, &mut problems);
        }
        self.problems = problems;
    }

    /// Values for variables that nobody declares.
    fn superfluous(&mut self, graph: &Graph<'a>) {
        let names = super::eval::Scope::names(graph, "var");
        for (name, input) in self.vars.iter() {
            if names.contains(&name) || input.may_be_superfluous() {
                continue;
            }
            let problem = Problem::error(
                codes::VARIABLE_UNKNOWN,
                format!("there is no variable {} (given by {})", convert::quoted(name), input.from),
            );
            let help = nearest::help(name, "declared", &names);
            self.problems.push(if help.is_empty() {
                problem.help(format!("declare it: variable {name:?} {{}}"))
            } else {
                problem.help(help)
            });
        }
    }
}

/// A variable's name and value, if it has one.
fn variable_of(graph: &Graph<'_>, node: &Node<'_>) -> Option<Variable> {
    let What::Variable(_) = node.what else { return None };
    match super::eval::Scope::find(graph, "var", node.name) {
        super::eval::Found::Value(value) => {
            Some(Variable { name: node.name.to_owned(), value: value.clone() })
        }
        super::eval::Found::Failed | super::eval::Found::NoName | super::eval::Found::NoWord => {
            None
        }
    }
}

fn label_of(node: &Node<'_>) -> Option<String> {
    (!node.name.is_empty()).then(|| node.name.to_owned())
}

fn about_stack(problem: &Problem) -> bool {
    problem.code == codes::LABEL && problem.summary.contains("stack")
}

fn count(body: &Body) -> usize {
    body.blocks().map(|block| 1 + count(&block.body)).sum()
}

/// What a module gives out may be sensitive; whoever shows it says so.
fn output(eval: &Eval<'_>, block: &Block, shown: bool, problems: &mut Problems) -> Option<Output> {
    let name = block.labels.first()?.as_str().to_owned();
    let subject = Subject::inner(&OUTPUT, Some(name.clone()));
    let checked = body::check(eval, block, subject, problems);
    if !checked.complete {
        return None;
    }
    let found = checked.block;
    let sensitive = found.attr("sensitive").and_then(Value::as_bool) == Some(true);
    let value = found.attributes.get("value").cloned().unwrap_or_else(Value::null);
    if shown && value.holds_sensitive() && !sensitive {
        let place = value.origin.unwrap_or(found.span);
        problems.push(
            Problem::error(
                codes::SENSITIVE_OUTPUT,
                format!("output {name:?} would show a sensitive value"),
            )
            .at(&place, "made from something sensitive")
            .help("add `sensitive = true`, or nonsensitive(…) when it gives no secret away"),
        );
        return None;
    }
    let description = found.attr("description").and_then(Value::as_str).map(str::to_owned);
    Some(Output { name, value: value.marked(sensitive), description, sensitive, span: found.span })
}
