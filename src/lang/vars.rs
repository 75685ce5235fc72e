//! Values that are given for variables from outside.

use std::collections::{BTreeMap, BTreeSet};

use hcl_edit::Span as _;
use hcl_edit::structure::Structure;

use crate::model::{Problem, Sources, Span};

use super::eval::{Context, Empty, Eval, Stop};
use super::value::Value;
use super::{codes, parse};

/// A value given for a variable.
#[derive(Clone, Debug)]
pub struct VarInput {
    /// The value.
    pub data: VarData,
    /// Where it came from, for problems: `--var`, `prod.hcl:3`, `MLINFRA_VAR_x`.
    pub from: String,
}

/// How a value was given.
#[derive(Clone)]
pub enum VarData {
    /// Text from a command line or environment: taken as it is for strings, read as an
    /// expression for lists and objects.
    Text(String),
    /// A value from a file.
    Value(Value),
}

impl std::fmt::Debug for VarData {
    /// Whether the variable is sensitive is not known here, so nothing is shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VarData(…)")
    }
}

/// The values given for variables; what is set later wins.
#[derive(Clone, Debug, Default)]
pub struct Vars {
    inputs: BTreeMap<String, VarInput>,
    unknown_when_missing: bool,
    env: Option<String>,
    one_name: bool,
}

impl Vars {
    /// No values.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives a variable a value as text.
    pub fn set_text(&mut self, name: &str, text: &str, from: &str) {
        let data = VarData::Text(text.to_owned());
        self.inputs.insert(name.to_owned(), VarInput { data, from: from.to_owned() });
    }

    /// Gives a variable a value.
    pub fn set_value(&mut self, name: &str, value: Value, from: &str) {
        let data = VarData::Value(value);
        self.inputs.insert(name.to_owned(), VarInput { data, from: from.to_owned() });
    }

    /// Takes over the values of others, which win.
    pub fn extend(&mut self, others: Vars) {
        self.inputs.extend(others.inputs);
        self.unknown_when_missing |= others.unknown_when_missing;
        self.env = others.env.or(self.env.take());
    }

    /// Only the values of these.
    #[must_use]
    pub fn only(mut self, names: &BTreeSet<String>) -> Self {
        self.inputs.retain(|name, _| names.contains(name));
        self
    }

    /// A variable without value is unknown instead of a problem, as `validate` needs it.
    pub fn unknown_when_missing(&mut self) {
        self.unknown_when_missing = true;
    }

    /// Names the environment: `stack.env` reads it, and the stack's name ends in it, so that
    /// two environments never own each other's objects.
    pub fn set_env(&mut self, name: &str) {
        self.env = Some(name.to_owned());
    }

    /// The environment.
    pub fn env(&self) -> Option<&str> {
        self.env.as_deref()
    }

    /// Leaves the environment out of the stack's name, so that two can be compared.
    pub fn one_name(&mut self) {
        self.one_name = true;
    }

    pub(crate) fn names_env(&self) -> bool {
        !self.one_name
    }

    pub(crate) fn missing_is_unknown(&self) -> bool {
        self.unknown_when_missing
    }

    /// The value given for a variable.
    pub fn get(&self, name: &str) -> Option<&VarInput> {
        self.inputs.get(name)
    }

    /// Every value by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &VarInput)> {
        self.inputs.iter().map(|(name, input)| (name.as_str(), input))
    }
}

impl VarInput {
    /// Where the value stands, when it stands in a file of the configuration.
    pub(crate) fn place(&self) -> Option<&Span> {
        match &self.data {
            VarData::Value(value) if !value.holds_sensitive() => value.origin.as_ref(),
            VarData::Value(_) | VarData::Text(_) => None,
        }
    }

    /// Environments are shared between stacks, so a name that one does not know is no mistake.
    pub(crate) fn may_be_superfluous(&self) -> bool {
        self.from.starts_with("MLINFRA_VAR_")
    }
}

/// Reads a file of variable values: `name = value`, literal values only. The problems point into
/// the file as the first source, so draw them with `Sources` that hold this file alone.
pub fn parse_var_file(name: &str, text: &str) -> Result<Vars, Vec<Problem>> {
    let read = || Ok(read(name, parse::without_mark(text)));
    match super::deep::on_large_stack(read) {
        Ok(result) => result,
        Err(problem) => Err(vec![problem]),
    }
}

fn read(name: &str, text: &str) -> Result<Vars, Vec<Problem>> {
    let mut sources = Sources::default();
    let source = sources.add(name, text);
    let body = parse::body(text, source).map_err(|problem| vec![*problem])?;
    let context = Context::new(None, sources);
    let eval = Eval::bare(&context, &Empty, (source, text));
    let mut vars = Vars::new();
    let mut problems = Vec::new();
    for structure in &body {
        match structure {
            Structure::Attribute(attribute) => {
                let name_of = attribute.key.value().as_str();
                let start = attribute.key.span().map_or(0, |span| span.start);
                let line = text.get(..start).unwrap_or_default().matches('\n').count() + 1;
                match eval.value(&attribute.value) {
                    Ok(value) => {
                        vars.set_value(name_of, without_origin(value), &format!("{name}:{line}"));
                    }
                    Err(Stop::Problem(problem) | Stop::Limit(problem)) => problems.push(*problem),
                    Err(Stop::Reported) => {}
                }
            }
            Structure::Block(block) => {
                let range = block.ident.span().unwrap_or(0..0);
                problems.push(
                    Problem::error(
                        codes::VARIABLE_FILE,
                        "a file of variable values holds no blocks",
                    )
                    .at(&Span { source, range }, "a block")
                    .help("write `name = value`; blocks belong in the stack's own files"),
                );
            }
        }
    }
    if problems.is_empty() { Ok(vars) } else { Err(problems) }
}

/// Places in another set of sources would point at the wrong text.
fn without_origin(value: Value) -> Value {
    use super::value::Data;
    let data = match value.data {
        Data::List(items) => Data::List(items.into_iter().map(without_origin).collect()),
        Data::Map(map) => {
            Data::Map(map.into_iter().map(|(key, item)| (key, without_origin(item))).collect())
        }
        Data::Object(map) => {
            Data::Object(map.into_iter().map(|(key, item)| (key, without_origin(item))).collect())
        }
        Data::Unknown(_)
        | Data::Null
        | Data::Bool(_)
        | Data::Number(_)
        | Data::String(_)
        | Data::Block(_) => value.data,
    };
    Value { data, sensitive: value.sensitive, origin: None }
}
