//! The address of an object: which block of the configuration it belongs to, and
//! which part of that block it is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

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
    /// `cluster "x" {}`
    Cluster,
}

impl Block {
    /// All of them, in the order in which documents list them.
    pub const ALL: [Self; 4] = [Self::Bucket, Self::Network, Self::Queue, Self::Cluster];

    /// The word that opens the block.
    pub fn word(self) -> &'static str {
        match self {
            Self::Bucket => "bucket",
            Self::Network => "network",
            Self::Queue => "queue",
            Self::Cluster => "cluster",
        }
    }

    /// The block that a word opens.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|block| block.word() == word)
    }
}

/// The key of one instance of a repeated block (`for_each`, `count`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub String);

/// One object of a block that becomes several: `cluster.train/profile`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Part(pub String);

/// Where an object is declared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// Modules from the outside in.
    pub module: Vec<Name>,
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

    /// The form that fits a tag value of every service: S3 and SQS allow only
    /// letters, digits, spaces and `+ - = . _ : / @`, so a key stands behind `=`
    /// and its other bytes are written as `@XX`.
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/tagging-managing.html>)
    pub fn to_tag(&self) -> String {
        let mut out = String::new();
        for module in &self.module {
            out.push_str("module.");
            out.push_str(module.as_str());
            out.push('.');
        }
        out.push_str(self.block.word());
        out.push('.');
        out.push_str(self.name.as_str());
        if let Some(key) = &self.key {
            out.push('=');
            for byte in key.0.bytes() {
                if byte.is_ascii_alphanumeric() || b"_-.".contains(&byte) {
                    out.push(char::from(byte));
                } else {
                    out.push_str(&format!("@{byte:02X}"));
                }
            }
        }
        if let Some(part) = &self.part {
            out.push('/');
            out.push_str(&part.0);
        }
        out
    }

    /// Reads what [`Address::to_tag`] wrote.
    pub fn from_tag(text: &str) -> Result<Self, BadAddress> {
        let bad = || BadAddress(format!("`{text}` is not an address such as bucket.data"));
        let (head, part) = match text.split_once('/') {
            Some((head, part)) if !part.is_empty() => (head, Some(Part(part.to_owned()))),
            Some(_) => return Err(bad()),
            None => (text, None),
        };
        let (path, key) = match head.split_once('=') {
            Some((path, key)) => (path, Some(Key(unescape(key).ok_or_else(bad)?))),
            None => (head, None),
        };
        let mut words = path.split('.').peekable();
        let mut module = Vec::new();
        while words.peek() == Some(&"module") {
            words.next();
            module.push(Name::new(words.next().ok_or_else(bad)?)?);
        }
        let block = words.next().and_then(Block::from_word).ok_or_else(bad)?;
        let name = Name::new(words.next().ok_or_else(bad)?)?;
        if words.next().is_some() {
            return Err(bad());
        }
        Ok(Self { module, block, name, key, part })
    }
}

fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'@' {
            let hex = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(hex, 16).ok()?);
            rest = tail.get(2..)?;
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for module in &self.module {
            write!(f, "module.{module}.")?;
        }
        write!(f, "{}.{}", self.block.word(), self.name)?;
        if let Some(Key(key)) = &self.key {
            match key.parse::<u32>() {
                Ok(index) => write!(f, "[{index}]")?,
                Err(_) => write!(f, "[{key:?}]")?,
            }
        }
        match &self.part {
            Some(Part(part)) => write!(f, "/{part}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let (Some(open), Some(close)) = (text.find('['), text.rfind(']')) else {
            return Self::from_tag(text);
        };
        let bad = || BadAddress(format!("`{text}` is not an address such as bucket.data[\"eu\"]"));
        let key = text.get(open + 1..close).ok_or_else(bad)?;
        let mut address = Self::from_tag(&format!("{}{}", &text[..open], &text[close + 1..]))?;
        address.key = Some(Key(key.trim_matches('"').to_owned()));
        Ok(address)
    }
}

impl Serialize for Address {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.to_tag())
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Self::from_tag(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tag_form_and_text_form_come_back() {
        let mut address: Address = "cluster.train/profile".parse().expect("an address");
        assert_eq!(address.to_string(), "cluster.train/profile");
        address.key = Some(Key("eu west/\"1\"".to_owned()));
        address.module = vec![Name::new("base").expect("a name")];
        let tag = address.to_tag();
        assert_eq!(tag, "module.base.cluster.train=eu@20west@2F@221@22/profile");
        assert_eq!(Address::from_tag(&tag), Ok(address));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["", "bucket", "bucket.", "nope.x", "bucket.a.b", "bucket.a/", "bucket.A"] {
            assert!(Address::from_tag(text).is_err(), "{text}");
        }
    }
}
