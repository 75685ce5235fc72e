//! The address of an object: which block of the configuration it belongs to, and
//! which part of that block it is.

use std::fmt;

/// A name in the configuration: `[a-z][a-z0-9_-]*`, at most 40 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// Longest name that still leaves room for stack, account and region in a bucket's name.
    pub const MAX: usize = 40;

    /// Checks a name.
    pub fn new(text: &str) -> Result<Self, BadAddress> {
        let mut chars = text.chars();
        let starts = chars.next().is_some_and(|c| c.is_ascii_lowercase());
        let rest = chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c));
        if starts && rest && text.len() <= Self::MAX {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadAddress(format!(
                "`{text}` is not a name: a lower-case letter, then up to {} of a-z 0-9 _ -",
                Self::MAX - 1
            )))
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The kinds of block that become cloud objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Block {
    /// `bucket "x" {}`
    Bucket,
    /// `network "x" {}`
    Network,
    /// `queue "x" {}`
    Queue,
    /// `volume "x" {}`
    Volume,
    /// `filesystem "x" {}`
    Filesystem,
    /// `cluster "x" {}`
    Cluster,
    /// `service "x" {}`
    Service,
}

impl Block {
    /// All of them, in the order in which documents list them.
    pub const ALL: [Self; 7] = [
        Self::Bucket,
        Self::Network,
        Self::Queue,
        Self::Volume,
        Self::Filesystem,
        Self::Cluster,
        Self::Service,
    ];

    /// The word that opens the block.
    pub fn word(self) -> &'static str {
        match self {
            Self::Bucket => "bucket",
            Self::Network => "network",
            Self::Queue => "queue",
            Self::Volume => "volume",
            Self::Filesystem => "filesystem",
            Self::Cluster => "cluster",
            Self::Service => "service",
        }
    }

    /// The block that a word opens.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|block| block.word() == word)
    }
}

/// The key of one instance of a repeated block or module. The number 0 (`count`) and the
/// text "0" (`for_each`) are different keys, in every form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// `[0]`: its place under `count`.
    Index(u32),
    /// `["eu"]`: its key under `for_each`.
    Name(String),
}

/// One module on the way to a block: `module.team["eu"]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Module {
    /// The label of the `module` block.
    pub name: Name,
    /// Its key when the module is repeated.
    pub key: Option<Key>,
}

/// One object of a block that becomes several: `cluster.train/profile`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Part(pub String);

/// Where an object is declared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// Modules from the outside in.
    pub module: Vec<Module>,
    /// The kind of block.
    pub block: Block,
    /// The block's label.
    pub name: Name,
    /// Its key when the block is repeated.
    pub key: Option<Key>,
    /// The object within the block; none for the block itself.
    pub part: Option<Part>,
}

/// Why a text is no address or name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadAddress(pub String);

impl Address {
    /// The address of a top-level block.
    pub fn block(block: Block, name: Name) -> Self {
        Self { module: Vec::new(), block, name, key: None, part: None }
    }

    /// The same block, one of its objects.
    pub fn with_part(&self, part: &str) -> Self {
        Self { part: Some(Part(part.to_owned())), ..self.clone() }
    }

    /// The block that this object belongs to.
    pub fn owner(&self) -> Self {
        Self { part: None, ..self.clone() }
    }
}
