//! What the files declare: every block, variable, local and output, by word and name.

use hcl_edit::structure::{Block, Structure};

use crate::model::{Block as Kind, Name, Problem, Source, Span};

use super::builtin::{LOCALS, LOOKUPS, OUTPUT, VARIABLE};
use super::eval::Eval;
use super::graph::{Graph, Node, What};
use super::load::Loader;
use super::schema::BlockSchema;
use super::{body, codes, nearest};

/// What can be read of the stack: `stack.env`.
const FACTS: [&str; 3] = ["env", "name", "region"];

impl<'a> Loader<'a> {
    /// Declares everything that stands at the top of the files.
    pub(super) fn declare(&mut self) -> Graph<'a> {
        let schemas = self.world.schema();
        let mut words = vec!["var", "local", "module", "stack"];
        words.extend(schemas.iter().filter(|s| referable(s)).map(|s| s.word));
        let mut graph = Graph::new(words);
        let files = self.files;
        for (file, (source, _, body)) in files.iter().enumerate() {
            for structure in body {
                match structure {
                    Structure::Attribute(attribute) => {
                        let range = hcl_edit::Span::span(&attribute.key).unwrap_or(0..0);
                        let name = attribute.key.value().as_str();
                        self.problems.push(
                            Problem::error(
                                codes::UNKNOWN_ATTRIBUTE,
                                format!("attribute {name:?} stands outside of a block"),
                            )
                            .at(&Span { source: *source, range }, "not in a block")
                            .help("values of variables stand in a --var-file, others in `locals`"),
                        );
                    }
                    Structure::Block(block) => self.declare_block(&mut graph, file, block),
                }
            }
        }
        let stack = graph.nodes.iter().find(|node| node.word == "stack");
        let nowhere = Span { source: Source(0), range: 0..0 };
        let (span, file) = stack.map_or((nowhere, 0), |node| (node.span.clone(), node.file));
        for name in FACTS {
            let span = span.clone();
            self.add(&mut graph, Node { what: What::Fact, word: "stack", name, span, file }, true);
        }
        graph
    }

    fn declare_block(&mut self, graph: &mut Graph<'a>, file: usize, block: &'a Block) {
        let Some(eval) = self.eval(file, graph) else { return };
        let word = block.ident.value().as_str();
        let span = body::header(&eval, block);
        let schema = match self.table(&eval, block) {
            Ok(schema) => schema,
            Err(problem) => {
                self.problems.push(*problem);
                return;
            }
        };
        let inside = ["variable", "output", "locals", "module", "lookup", "moved"];
        let fits = inside.contains(&word) || Kind::from_word(word).is_some();
        if !self.path.is_empty() && !fits {
            let text = format!("a module has no {word} block");
            let help = "it stands in the files of the stack that uses the module; move it there";
            let problem = Problem::error(codes::STACK, text).at(&span, "in a module");
            self.problems.push(problem.help(help));
            return;
        }
        if word == "lookup" {
            let name = block.labels.get(1).map_or("", |label| label.as_str());
            let what = What::Block(block, schema);
            self.add(graph, Node { what, word: schema.word, name, span, file }, true);
            return;
        }
        let label = match body::top_label(&eval, block, schema) {
            Ok(label) => label,
            Err(problem) => {
                self.problems.push(*problem);
                return;
            }
        };
        if word == "locals" {
            self.declare_locals(graph, file, block);
            return;
        }
        let name =
            if label.is_some() { block.labels.first().map_or("", |l| l.as_str()) } else { "" };
        let (what, first) = match word {
            "variable" => (What::Variable(block), "var"),
            "output" => (What::Output(block), "output"),
            "module" => (What::Module(block), "module"),
            _ => (What::Block(block, schema), schema.word),
        };
        // Outputs are declared under a word that no reference can start with.
        let unique = label.is_some();
        let node = Node { what, word: first, name, span, file };
        self.add(graph, node, unique && word != "stack");
    }

    /// The table of a block.
    fn table(&self, eval: &Eval<'_>, block: &Block) -> Result<&'static BlockSchema, Box<Problem>> {
        let schemas = self.world.schema();
        match block.ident.value().as_str() {
            "variable" => Ok(&VARIABLE),
            "output" => Ok(&OUTPUT),
            "locals" => Ok(&LOCALS),
            "lookup" => self.lookup(eval, block),
            word => schemas
                .iter()
                .find(|schema| schema.word == word)
                .ok_or_else(|| Box::new(unknown_block(word, &eval.span(&block.ident), schemas))),
        }
    }

    /// The table of a lookup, by its first label.
    fn lookup(&self, eval: &Eval<'_>, block: &Block) -> Result<&'static BlockSchema, Box<Problem>> {
        let span = body::header(eval, block);
        let error = |text: String, label: &str| {
            Box::new(Problem::error(codes::LABEL, text).at(&span, label))
        };
        let [kind, name] = block.labels.as_slice() else {
            let text = "`lookup` needs two labels: a kind and a name".to_owned();
            let help = "write lookup \"vpc\" \"shared\" { … }, and read lookup.vpc.shared.id";
            return Err(Box::new(error(text, "").help(help)));
        };
        Name::new(name.as_str()).map_err(|bad| error(bad.to_string(), "not a name"))?;
        let kind = kind.as_str();
        let schemas = self.world.schema().iter();
        let found =
            schemas.into_iter().find(|schema| schema.word.strip_prefix("lookup ") == Some(kind));
        found.ok_or_else(|| {
            let text = format!("nothing of the kind {kind:?} can be looked up");
            let help = nearest::help(kind, "known are", &LOOKUPS);
            Box::new(error(text, "not known").help(help))
        })
    }

    fn declare_locals(&mut self, graph: &mut Graph<'a>, file: usize, block: &'a Block) {
        for structure in &block.body {
            let Some(eval) = self.eval(file, graph) else { return };
            match structure {
                Structure::Attribute(attribute) => {
                    let node = Node {
                        what: What::Local(&attribute.value),
                        word: "local",
                        name: attribute.key.value().as_str(),
                        span: eval.span(&attribute.key),
                        file,
                    };
                    self.add(graph, node, true);
                }
                Structure::Block(inner) => {
                    let word = inner.ident.value().as_str();
                    let problem =
                        Problem::error(codes::UNKNOWN_BLOCK, format!("unknown block {word:?}"))
                            .at(&eval.span(&inner.ident), "`locals` holds attributes only")
                            .help(format!("write it with `=`: {word} = {{ … }}"));
                    self.problems.push(problem);
                }
            }
        }
    }

    fn add(&mut self, graph: &mut Graph<'a>, node: Node<'a>, referable: bool) {
        let (span, title) = (node.span.clone(), node.title());
        if let Err(first) = graph.declare(node, referable) {
            let problem = Problem::error(codes::DUPLICATE, format!("{title} is declared twice"))
                .at(&span, "again here");
            self.problems.push(match graph.nodes.get(first) {
                Some(first) => problem.at(&first.span, "first here"),
                None => problem,
            });
        }
    }
}

fn referable(schema: &BlockSchema) -> bool {
    schema.label.is_some() && !matches!(schema.word, "stack" | "variable" | "output" | "module")
}

fn unknown_block(word: &str, span: &Span, schemas: &[BlockSchema]) -> Problem {
    let mut names: Vec<&str> =
        schemas.iter().filter_map(|schema| schema.word.split(' ').next()).collect();
    names.extend(["variable", "output", "locals"]);
    names.sort_unstable();
    names.dedup();
    let help = match word {
        "resource" | "data" | "provider" | "terraform" => {
            format!("this is not Terraform: blocks are {}", names.join(", "))
        }
        _ => nearest::help(word, "known blocks", &names),
    };
    Problem::error(codes::UNKNOWN_BLOCK, format!("unknown block {word:?}"))
        .at(span, "not known")
        .help(help)
}
