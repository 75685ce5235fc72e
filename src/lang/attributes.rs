//! What is written in a block, by name: few values each, in very many blocks.

use super::value::Value;

/// Values by name. A tree would take a kilobyte for the two or three that blocks have.
#[derive(Clone, Debug, Default)]
pub struct Attributes(Vec<(&'static str, Value)>);

impl Attributes {
    /// None yet, with room for some.
    pub fn with_capacity(some: usize) -> Self {
        Self(Vec::with_capacity(some))
    }

    fn find(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| (*known).cmp(name))
    }

    /// One of them.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.find(name).ok().map(|at| &self.0[at].1)
    }

    /// Whether there is one of this name.
    pub fn contains_key(&self, name: &str) -> bool {
        self.find(name).is_ok()
    }

    /// Adds one, in the place of its former value.
    pub fn insert(&mut self, name: &'static str, value: Value) {
        match self.find(name) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.0.insert(at, (name, value)),
        }
    }

    /// All of them, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }

    /// Their values.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.0.iter().map(|(_, value)| value)
    }

    /// Their values, to change them.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        self.0.iter_mut().map(|(_, value)| value)
    }
}
