//! A block of the configuration against its schema.

use std::collections::BTreeMap;

use hcl_edit::Span as _;
use hcl_edit::structure::{Attribute as Written, Block, BlockLabel, Body, Structure};

use crate::model::{Address, Block as Word, Name, Problem, Span};

use super::attributes::Attributes;
use super::builtin::{EVERY, LIFECYCLE};
use super::conform::conform;
use super::eval::{Eval, Stop};
use super::place::place;
use super::schema::{Attribute, BlockSchema, Type};
use super::value::Value;
use super::{Evaluated, codes, limits, nearest};

/// What came of checking: the block, and whether all of it is right.
pub(crate) struct Checked {
    pub(crate) block: Evaluated,
    pub(crate) complete: bool,
}

/// What a block is checked against, and what it is called.
pub(crate) struct Subject {
    schema: &'static BlockSchema,
    label: Option<String>,
    address: Option<Address>,
}

impl Subject {
    /// A block within another, or one that becomes no cloud object.
    pub(crate) fn inner(schema: &'static BlockSchema, label: Option<String>) -> Self {
        Self { schema, label, address: None }
    }

    /// An instance of a block that becomes cloud objects.
    pub(crate) fn top(schema: &'static BlockSchema, address: Address) -> Self {
        let label = Some(address.name.as_str().to_owned());
        Self { schema, label, address: Some(address) }
    }

    /// True for what stands in every block of that sort and is read elsewhere.
    fn is_meta(&self, structure: &Structure) -> bool {
        self.address.is_some()
            && match structure {
                Structure::Attribute(written) => EVERY.contains(&written.key.value().as_str()),
                Structure::Block(inner) => inner.ident.value().as_str() == LIFECYCLE.word,
            }
    }
}

/// What is read of a block of which nothing is known.
pub(crate) fn unknown_exports(schema: &BlockSchema) -> BTreeMap<String, Value> {
    schema.exports.iter().map(|export| (export.name.to_owned(), Value::unknown())).collect()
}

/// Where problems go.
pub(crate) type Problems = Vec<Problem>;

/// The word and labels of a block.
pub(crate) fn header(eval: &Eval<'_>, block: &Block) -> Span {
    let start = block.ident.span().unwrap_or(0..0);
    let last = block.labels.last().and_then(BlockLabel::span);
    Span { source: eval.source, range: start.start..last.map_or(start.end, |last| last.end) }
}

/// The one label that a block takes, or none. A problem when there is another number of them.
pub(crate) fn label<'b>(
    eval: &Eval<'_>,
    block: &'b Block,
    schema: &BlockSchema,
) -> Result<Option<&'b str>, Box<Problem>> {
    let span = header(eval, block);
    let word = schema.word;
    match (schema.label, block.labels.as_slice()) {
        (None, []) => Ok(None),
        (Some(_), [label]) => Ok(Some(label.as_str())),
        (None, [first, ..]) => Err(Box::new(
            Problem::error(codes::LABEL, format!("`{word}` takes no label"))
                .at(&eval.span(first), "remove this")
                .help(format!("write {word} {{ … }}")),
        )),
        (Some(meaning), []) => Err(Box::new(
            Problem::error(codes::LABEL, format!("`{word}` needs a label"))
                .at(&span, "no label")
                .help(format!("write {word} \"name\" {{ … }}: {meaning}")),
        )),
        (Some(_), [_, second, ..]) => Err(Box::new(
            Problem::error(codes::LABEL, format!("`{word}` takes one label"))
                .at(&eval.span(second), "one too many")
                .help(format!("write {word} \"name\" {{ … }}")),
        )),
    }
}

/// Checks the label of a block at the top.
pub(crate) fn top_label(
    eval: &Eval<'_>,
    block: &Block,
    schema: &BlockSchema,
) -> Result<Option<String>, Box<Problem>> {
    let Some(text) = label(eval, block, schema)? else {
        return Ok(None);
    };
    let wrong = match schema.word {
        "stack" if !is_stack_name(text) => Some(format!(
            "{text:?} is not a stack's name: a lower-case letter, then up to 29 of a-z 0-9 -"
        )),
        "variable" | "output" if !is_identifier(text) => {
            Some(format!("{text:?} is not a name: a letter or _, then letters, digits, _ and -"))
        }
        "stack" | "variable" | "output" => None,
        word if word == "module" || Word::from_word(word).is_some() => {
            Name::new(text).err().map(|bad| bad.to_string())
        }
        _ if text.is_empty() || text.chars().any(char::is_control) => {
            Some("a label is not empty and holds no control characters".to_owned())
        }
        _ => None,
    };
    let Some(wrong) = wrong else {
        return Ok(Some(text.to_owned()));
    };
    let place = block.labels.first().map_or_else(|| header(eval, block), |l| eval.span(l));
    Err(Box::new(Problem::error(codes::LABEL, wrong.replace('`', "\"")).at(&place, "not a name")))
}

fn is_stack_name(text: &str) -> bool {
    text.len() <= limits::STACK_NAME
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

fn is_identifier(text: &str) -> bool {
    text.len() <= 128
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
}

/// Evaluates and checks a block with everything in it.
pub(crate) fn check(
    eval: &Eval<'_>,
    block: &Block,
    subject: Subject,
    problems: &mut Problems,
) -> Checked {
    let span = header(eval, block);
    let before = problems.len();
    let schema = subject.schema;
    let mut out = Evaluated {
        word: schema.word,
        address: None,
        label: None,
        attributes: Attributes::with_capacity(block.body.attributes().count()),
        blocks: Vec::new(),
        rules: None,
        span,
    };
    let mut complete = true;
    for structure in &block.body {
        if subject.is_meta(structure) {
            continue;
        }
        match structure {
            Structure::Attribute(written) => {
                let found = or_report(attribute(eval, written, schema), problems);
                complete &= found.is_some();
                if let Some((name, value)) = found {
                    out.attributes.insert(name, value);
                }
            }
            Structure::Block(inner) => {
                complete &= nested(eval, inner, schema, &mut out, problems);
            }
        }
    }
    required(&block.body, schema, &out, problems);
    (out.address, out.label) = (subject.address, subject.label);
    Checked { block: out, complete: complete && problems.len() == before }
}

/// What an evaluation came to; none when it stopped, once that is reported.
pub(crate) fn or_report<T>(outcome: Result<T, Stop>, problems: &mut Problems) -> Option<T> {
    match outcome {
        Ok(found) => return Some(found),
        Err(Stop::Problem(problem) | Stop::Limit(problem)) => problems.push(*problem),
        Err(Stop::Reported) => {}
    }
    None
}

fn attribute(
    eval: &Eval<'_>,
    written: &Written,
    schema: &'static BlockSchema,
) -> Result<(&'static str, Value), Stop> {
    let name = written.key.value().as_str();
    let Some(known) = schema.attributes.iter().find(|known| known.name == name) else {
        return Err(unknown_attribute(eval, written, schema).into());
    };
    if known.ty == Type::Address {
        return Ok((known.name, place(eval, &written.value, name)?));
    }
    let value = eval.value(&written.value)?;
    let span = eval.span(&written.value);
    too_deep(&value, &span)?;
    let value = conform(value, &known.ty).map_err(|wrong| wrong.problem(name, &span))?;
    // Where anything may stand, null may.
    if value.is_null() && known.required && known.ty != Type::Any {
        return Err(missing(known, schema.word, &span, "its value is null").into());
    }
    Ok((known.name, value))
}

/// Refuses values that are nested more deeply than any real one.
pub(crate) fn too_deep(value: &Value, span: &Span) -> Result<(), Stop> {
    if value.depth() <= limits::DEPTH {
        return Ok(());
    }
    let summary = format!("a value is nested more than {} levels deep", limits::DEPTH);
    Err(Stop::Limit(Box::new(Problem::error(codes::LIMIT, summary).at(span, "made here"))))
}

/// Attributes that were written elsewhere once, by block and name, and where they stand now.
const MOVED: &[(&str, &str, &str)] = &[(
    "autoscale",
    "boot_timeout",
    "write it in the cluster's `health` block: health { boot_timeout = \"30m\" }",
)];

pub(crate) fn unknown_attribute(
    eval: &Eval<'_>,
    written: &Written,
    schema: &BlockSchema,
) -> Problem {
    let name = written.key.value().as_str();
    let key = eval.span(&written.key);
    let problem = Problem::error(codes::UNKNOWN_ATTRIBUTE, format!("unknown attribute {name:?}"));
    if schema.blocks.iter().any(|block| block.word.split(' ').next() == Some(name)) {
        return problem
            .at(&key, "this is a block")
            .help(format!("write it without `=`: {name} {{ … }}"));
    }
    let names: Vec<&str> = schema.attributes.iter().map(|known| known.name).collect();
    let problem = problem.at(&key, format!("not an attribute of {}", schema.word));
    if let Some((.., help)) = MOVED.iter().find(|(word, it, _)| (*word, *it) == (schema.word, name))
    {
        return problem.help(*help);
    }
    let every = EVERY.into_iter().filter(|_| Word::from_word(schema.word).is_some());
    match nearest::nearest(name, names.iter().copied().chain(every)) {
        Some(near) => problem.help(format!("did you mean {near:?}?")),
        None => problem.help(nearest::list("known attributes", &names)),
    }
}

fn missing(attribute: &Attribute, word: &str, span: &Span, said: &str) -> Problem {
    Problem::error(codes::MISSING, format!("{word} needs {:?}", attribute.name))
        .at(span, said)
        .help(format!("{} = …: {}", attribute.name, attribute.doc))
}

fn required(body: &Body, schema: &'static BlockSchema, out: &Evaluated, problems: &mut Problems) {
    for attribute in schema.attributes.iter().filter(|attribute| attribute.required) {
        // One that is there but wrong has its problem already.
        if !out.attributes.contains_key(attribute.name) && !body.has_attribute(attribute.name) {
            problems.push(missing(attribute, schema.word, &out.span, "missing here"));
        }
    }
}

/// A block within a block; false when something in it is wrong.
fn nested(
    eval: &Eval<'_>,
    inner: &Block,
    outer: &'static BlockSchema,
    out: &mut Evaluated,
    problems: &mut Problems,
) -> bool {
    let word = inner.ident.value().as_str();
    let span = header(eval, inner);
    let (schema, label) = match sort_of(eval, inner, outer) {
        Ok(found) => found,
        Err(problem) => {
            problems.push(*problem);
            return false;
        }
    };
    let twin = out.blocks.iter().find(|other| other.word == word && other.label == label);
    if let Some(first) = twin.filter(|_| !schema.repeats || label.is_some()) {
        let summary = match &label {
            Some(label) => format!("`{word} {label:?}` stands twice"),
            None => format!("`{word}` stands more than once"),
        };
        problems.push(
            Problem::error(codes::BLOCK_COUNT, summary)
                .at(&span, "again here")
                .at(&first.span, "first here")
                .help("keep one of them"),
        );
        return false;
    }
    if !schema.repeats
        && let Some(first) = out.blocks.iter().find(|other| other.word == word)
    {
        problems.push(
            Problem::error(codes::BLOCK_COUNT, format!("`{word}` stands more than once"))
                .at(&span, "again here")
                .at(&first.span, "first here"),
        );
        return false;
    }
    let checked = check(eval, inner, Subject::inner(schema, label), problems);
    out.blocks.push(checked.block);
    checked.complete
}

/// The table and the label of a block within a block. A word of two parts, `source redis`, is
/// written with the second as the label: `source "redis"`.
fn sort_of(
    eval: &Eval<'_>,
    inner: &Block,
    outer: &'static BlockSchema,
) -> Result<(&'static BlockSchema, Option<String>), Box<Problem>> {
    let word = inner.ident.value().as_str();
    if let Some(schema) = outer.blocks.iter().find(|schema| schema.word == word) {
        return Ok((schema, label(eval, inner, schema)?.map(str::to_owned)));
    }
    let part = |schema: &&'static BlockSchema| schema.word.split_once(' ');
    let kinds: Vec<(&str, &'static BlockSchema)> = outer
        .blocks
        .iter()
        .filter_map(|schema| part(&schema).filter(|it| it.0 == word).map(|it| (it.1, schema)))
        .collect();
    if kinds.is_empty() {
        return Err(Box::new(unknown_nested(eval, inner, outer)));
    }
    let names: Vec<&str> = kinds.iter().map(|(kind, _)| *kind).collect();
    let [label] = inner.labels.as_slice() else {
        let said = format!("`{word}` needs one label: its kind");
        let problem = Problem::error(codes::LABEL, said).at(&header(eval, inner), "");
        return Err(Box::new(problem.help(nearest::list("kinds", &names))));
    };
    match kinds.iter().find(|(kind, _)| *kind == label.as_str()) {
        Some((_, schema)) => Ok((schema, None)),
        None => {
            let said = format!("there is no {word} of the kind {:?}", label.as_str());
            let problem = Problem::error(codes::LABEL, said).at(&eval.span(label), "");
            Err(Box::new(problem.help(nearest::help(label.as_str(), "kinds", &names))))
        }
    }
}

fn unknown_nested(eval: &Eval<'_>, inner: &Block, outer: &BlockSchema) -> Problem {
    let word = inner.ident.value().as_str();
    let span = eval.span(&inner.ident);
    let problem = Problem::error(codes::UNKNOWN_BLOCK, format!("unknown block {word:?}"));
    if outer.attributes.iter().any(|attribute| attribute.name == word) {
        return problem
            .at(&span, "this is an attribute")
            .help(format!("write it with `=`: {word} = …"));
    }
    let first = |block: &BlockSchema| block.word.split(' ').next().unwrap_or_default();
    let mut names: Vec<&str> = outer.blocks.iter().map(first).collect();
    names.dedup();
    let help = match names.is_empty() {
        true => format!("`{}` holds attributes only", outer.word),
        false => nearest::help(word, "known blocks", &names),
    };
    problem.at(&span, format!("not a block of {}", outer.word)).help(help)
}
