//! Floor 2: HCL text to evaluated blocks.
//!
//! hcl-edit parses and keeps the place of everything; evaluation, types and problems are ours.
//! [`load`] takes the files of a stack, the values of its variables and a [`World`], which says
//! what blocks there are and what can be read from them, and gives evaluated blocks with all
//! problems together. Nothing here reads a clock, an environment or a network; files are read
//! only through [`ReadFile`].

mod attributes;
mod body;
mod builtin;
pub mod codes;
mod conform;
mod convert;
mod decimal;
mod declare;
mod deep;
mod eval;
mod fmt;
mod folder;
mod functions;
mod graph;
mod identity;
mod instance;
mod json;
mod limits;
mod load;
mod lock;
mod module;
pub(crate) mod nearest;
mod parse;
mod peek;
mod place;
mod read;
mod refs;
mod repeat;
mod rules;
mod scan;
pub mod schema;
mod snapshot;
mod syntax;
mod tidy;
mod types;
mod units;
mod value;
mod variable;
mod vars;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_hostile;
#[cfg(test)]
mod tests_module;
#[cfg(test)]
mod tests_repeat;
#[cfg(test)]
mod tests_schema;
#[cfg(test)]
mod tests_syntax;
#[cfg(test)]
mod tests_variables;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{Address, Problem, Sources, Span};

pub use attributes::Attributes;
pub use builtin::{LIFECYCLE, LOCALS, META, MODULE, OUTPUT, VALIDATION, VARIABLE};
pub use decimal::number_text;
pub use fmt::fmt;
pub use functions::{Function, all as functions};
pub use json::from_json;
pub use load::load;
pub use lock::{LOCK_FILE, Lock, Pin};
pub use peek::peek_region;
pub use read::{Folder, ReadFile, is_config};
pub use rules::Rules;
pub use schema::BlockSchema;
pub use snapshot::{Given, Recorder, Snapshot, Variable};
pub use tidy::tidy;
pub use units::{duration, size};
pub use value::{BlockValue, Data, Unknown, Value};
pub use vars::{VarData, VarInput, Vars, parse_var_file};

/// A file of the configuration, already read.
#[derive(Clone, Debug)]
pub struct File {
    /// The name that is shown to people.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// What blocks there are and what can be read from them. `stack/` implements it.
pub trait World: Sync {
    /// Every block that may stand at the top, `stack` included.
    fn schema(&self) -> &'static [BlockSchema];

    /// What other expressions read from a block. Called once per block without problems, with
    /// the evaluated `stack` block.
    fn exports(&self, stack: &Evaluated, block: &Evaluated) -> BTreeMap<String, Value>;
}

/// What became of a configuration. `blocks` and `outputs` hold what has no problem, in the order
/// in which they stand.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Every file, for drawing problems.
    pub sources: Sources,
    /// The stack block.
    pub stack: Option<Evaluated>,
    /// All other blocks.
    pub blocks: Vec<Evaluated>,
    /// The outputs.
    pub outputs: Vec<Output>,
    /// The variables, as they stand.
    pub variables: Vec<Variable>,
    /// What is wrong, by file and place.
    pub problems: Vec<Problem>,
}

/// A block whose values are known and fit its schema.
#[derive(Clone, Debug)]
pub struct Evaluated {
    /// The word that opens it.
    pub word: &'static str,
    /// Its address, when it becomes cloud objects.
    pub address: Option<Address>,
    /// Its label.
    pub label: Option<String>,
    /// Its attributes as far as they are written; null when written so.
    pub attributes: Attributes,
    /// The blocks in it, as they stand.
    pub blocks: Vec<Evaluated>,
    /// What holds for all instances of it, when it becomes cloud objects.
    pub rules: Option<Arc<Rules>>,
    /// Its word and label.
    pub span: Span,
}

impl Evaluated {
    /// An attribute; none when absent or null.
    pub fn attr(&self, name: &str) -> Option<&Value> {
        self.attributes.get(name).filter(|value| !value.is_null())
    }

    /// The blocks in it that a word opens.
    pub fn nested<'b>(&'b self, word: &'b str) -> impl Iterator<Item = &'b Evaluated> {
        self.blocks.iter().filter(move |block| block.word == word)
    }

    /// Where an attribute's value stands, or the block's header when it is not written.
    pub fn place(&self, name: &str) -> &Span {
        self.attributes.get(name).and_then(|value| value.origin.as_ref()).unwrap_or(&self.span)
    }
}

/// An output.
#[derive(Clone, Debug)]
pub struct Output {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Value,
    /// What it is.
    pub description: Option<String>,
    /// Shown only on demand.
    pub sensitive: bool,
    /// Its header.
    pub span: Span,
}
