//! The shape of the language: one table per block, which drives checking,
//! `mlinfra schema` and the reference documents. The tables themselves stand in
//! `stack/`, one file per block.

/// The type of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Text.
    String,
    /// A decimal number.
    Number,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Bool,
    /// An amount of time: `"90s"`, `"10m"`, `"12h"`, `"14d"`.
    Duration,
    /// An amount of storage: `"200GiB"`, `"4800GiB"`, `"2TiB"`.
    Size,
    /// A block of the named word, by reference: `network.main`.
    Reference(&'static str),
    /// Any of these texts.
    OneOf(&'static [&'static str]),
    /// A list.
    List(&'static Type),
    /// Text by name.
    Map(&'static Type),
    /// Any of several shapes, such as a number or an object.
    Either(&'static [Type]),
    /// An object with these attributes.
    Object(&'static [Attribute]),
    /// A place in the configuration, written and not evaluated: `bucket.a`,
    /// `module.m.bucket.a["x"]`, `module.m`, `"network.main/vpc"`.
    Address,
    /// A type expression of a variable (`type = list(string)`).
    TypeExpression,
    /// Anything.
    Any,
}

/// One attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub ty: Type,
    /// Must be written.
    pub required: bool,
    /// What holds when it is not written, as HCL; documentation only.
    pub default: Option<&'static str>,
    /// What it means, in one or two sentences.
    pub doc: &'static str,
}

impl Attribute {
    /// An attribute that may be left out.
    pub const fn new(name: &'static str, ty: Type, doc: &'static str) -> Self {
        Self { name, ty, required: false, default: None, doc }
    }

    /// What holds when it is left out.
    #[must_use]
    pub const fn or(self, default: &'static str) -> Self {
        Self { default: Some(default), ..self }
    }

    /// Must be written.
    #[must_use]
    pub const fn required(self) -> Self {
        Self { required: true, ..self }
    }
}

/// What other expressions can read from a block: `bucket.data.name`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Export {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub doc: &'static str,
}

/// One kind of block, at the top or within another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockSchema {
    /// The word that opens it.
    pub word: &'static str,
    /// What its label means; none when it takes no label.
    pub label: Option<&'static str>,
    /// May stand more than once (with different labels where it takes one).
    pub repeats: bool,
    /// Attributes that may stand in it.
    pub attributes: &'static [Attribute],
    /// Blocks that may stand in it.
    pub blocks: &'static [BlockSchema],
    /// What can be read from it.
    pub exports: &'static [Export],
    /// What it declares, in one or two sentences.
    pub doc: &'static str,
}
