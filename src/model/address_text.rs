//! How addresses are written and read: as people write them, and as tags hold them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::address::{Address, BadAddress, Block, Key, Module, Name, Part};

impl Address {
    /// The form that fits a tag value of every service: S3 and SQS allow only
    /// letters, digits, spaces and `+ - = . _ : / @`, so a key stands behind `=`
    /// and its other bytes are written as `@XX`.
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/tagging-managing.html>)
    pub fn to_tag(&self) -> String {
        let mut out = String::with_capacity(48);
        for module in &self.module {
            out.push_str("module.");
            out.push_str(module.name.as_str());
            // A dot ends a module's key here, so one in it is escaped.
            write_key(&mut out, module.key.as_ref(), b"_-");
            out.push('.');
        }
        out.push_str(self.block.word());
        out.push('.');
        out.push_str(self.name.as_str());
        write_key(&mut out, self.key.as_ref(), b"_-.");
        if let Some(part) = &self.part {
            out.push('/');
            out.push_str(&part.0);
        }
        out
    }

    /// Reads what [`Address::to_tag`] wrote.
    pub fn from_tag(text: &str) -> Result<Self, BadAddress> {
        read(text, Form::Tag)
    }
}

/// `=eu` or `=0`. A text of digits is told from a number by its escaped first digit.
fn write_key(out: &mut String, key: Option<&Key>, plain: &[u8]) {
    match key {
        None => {}
        Some(Key::Index(index)) => {
            out.push('=');
            out.push_str(&index.to_string());
        }
        Some(Key::Name(name)) => {
            out.push('=');
            let digits = is_digits(name);
            for (at, byte) in name.bytes().enumerate() {
                let fine = byte.is_ascii_alphanumeric() || plain.contains(&byte);
                if fine && !(digits && at == 0) {
                    out.push(char::from(byte));
                } else {
                    out.push_str(&format!("@{byte:02X}"));
                }
            }
        }
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Which form of an address is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As tags hold it: `bucket.data=eu`.
    Tag,
    /// As people write it, too: `bucket.data["eu"]`.
    Text,
}

fn read(text: &str, form: Form) -> Result<Address, BadAddress> {
    let bad = || BadAddress(format!("`{text}` is not an address such as bucket.data"));
    let mut rest = text;
    let mut module = Vec::new();
    while let Some(tail) = rest.strip_prefix("module.") {
        let name = Name::new(word(tail))?;
        rest = &tail[name.as_str().len()..];
        let (key, tail) = read_key(rest, ".", form).ok_or_else(bad)?;
        module.push(Module { name, key });
        rest = tail.strip_prefix('.').ok_or_else(bad)?;
    }
    let (kind, tail) = rest.split_once('.').ok_or_else(bad)?;
    let block = Block::from_word(kind).ok_or_else(bad)?;
    let name = Name::new(word(tail))?;
    let (key, rest) = read_key(&tail[name.as_str().len()..], "/", form).ok_or_else(bad)?;
    let part = match rest.strip_prefix('/') {
        Some(part) if !part.is_empty() => Some(Part(part.to_owned())),
        Some(_) => return Err(bad()),
        None if rest.is_empty() => None,
        None => return Err(bad()),
    };
    Ok(Address { module, block, name, key, part })
}

/// The characters up to what can follow a name.
fn word(text: &str) -> &str {
    &text[..text.find(['.', '=', '[', '/']).unwrap_or(text.len())]
}

/// A key, if there is one, and what follows it; none when it is no key.
fn read_key<'t>(text: &'t str, end: &str, form: Form) -> Option<(Option<Key>, &'t str)> {
    if let Some(tail) = text.strip_prefix('=') {
        let (key, rest) = tail.split_at(tail.find(end).unwrap_or(tail.len()));
        let name = || unescape(key).filter(|name| !name.is_empty());
        let key = if is_digits(key) { index(key)? } else { Key::Name(name()?) };
        return Some((Some(key), rest));
    }
    match text.strip_prefix('[') {
        Some(tail) if form == Form::Text => {
            let (key, rest) = bracketed(tail)?;
            Some((Some(key), rest))
        }
        Some(_) => None,
        None => Some((None, text)),
    }
}

/// `["eu"]`, `[0]`; also `[eu]`, because shells take quotes away.
fn bracketed(text: &str) -> Option<(Key, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        let (name, rest) = unquote(quoted).filter(|(name, _)| !name.is_empty())?;
        return Some((Key::Name(name), rest.strip_prefix(']')?));
    }
    let (inside, rest) = text.split_once(']')?;
    if is_digits(inside) {
        return Some((index(inside)?, rest));
    }
    let bare = inside.strip_prefix('\'').and_then(|name| name.strip_suffix('\''));
    let name = bare.unwrap_or(inside);
    let fine = !name.is_empty() && !name.contains(['"', '[']);
    fine.then(|| (Key::Name(name.to_owned()), rest))
}

/// A number as it is written: without leading zeros, so that it has one form.
fn index(digits: &str) -> Option<Key> {
    let number = digits.parse::<u32>().ok()?;
    (digits == number.to_string()).then_some(Key::Index(number))
}

/// The text up to the closing quote, with its escapes undone, and what follows.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((out, &text[at + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => out.push('\n'),
                'r' => out.push('\r'),
                't' => out.push('\t'),
                '0' => out.push('\0'),
                'u' => {
                    let code = text[at + 2..].strip_prefix('{')?.split_once('}')?.0;
                    out.push(char::from_u32(u32::from_str_radix(code, 16).ok()?)?);
                    chars.nth(code.len() + 1)?;
                }
                c @ ('"' | '\\' | '\'') => out.push(c),
                _ => return None,
            },
            _ => out.push(c),
        }
    }
    None
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

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(index) => write!(f, "[{index}]"),
            Self::Name(name) => write!(f, "[{name:?}]"),
        }
    }
}

impl fmt::Display for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "module.{}", self.name)?;
        self.key.as_ref().map_or(Ok(()), |key| key.fmt(f))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for module in &self.module {
            write!(f, "{module}.")?;
        }
        write!(f, "{}.{}", self.block.word(), self.name)?;
        if let Some(key) = &self.key {
            key.fmt(f)?;
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
        read(text, Form::Text)
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

    fn name(text: &str) -> Name {
        Name::new(text).expect("a name")
    }

    #[test]
    fn tags_of_old_stay_as_they_are() {
        for tag in ["bucket.data", "cluster.train/profile", "network.main/private-a"] {
            let address = Address::from_tag(tag).expect("an address");
            assert_eq!((address.to_tag().as_str(), address.to_string().as_str()), (tag, tag));
        }
    }

    #[test]
    fn every_form_comes_back() {
        let keys = [
            None,
            Some(Key::Index(0)),
            Some(Key::Index(u32::MAX)),
            Some(Key::Name("0".to_owned())),
            Some(Key::Name("007".to_owned())),
            Some(Key::Name("99999999999".to_owned())),
            Some(Key::Name("eu west/\"1\"".to_owned())),
            Some(Key::Name("a.b.bucket.c=@]['\\".to_owned())),
            Some(Key::Name("Zürich\n\u{1b}\u{202e}\0'".to_owned())),
            Some(Key::Name("bucket.x/y".to_owned())),
        ];
        let allowed = |c: char| c.is_ascii_alphanumeric() || "+-=._:/@ ".contains(c);
        for key in &keys {
            for outer in &keys {
                let inner = Module { name: name("b"), key: key.clone() };
                for module in [vec![], vec![Module { name: name("a"), key: outer.clone() }, inner]]
                {
                    for part in [None, Some(Part("private-a".to_owned()))] {
                        let address = Address {
                            module: module.clone(),
                            block: Block::Bucket,
                            name: name("x"),
                            key: key.clone(),
                            part,
                        };
                        let tag = address.to_tag();
                        assert!(tag.chars().all(allowed), "{tag}");
                        assert_eq!(Address::from_tag(&tag).as_ref(), Ok(&address), "{tag}");
                        let text = address.to_string();
                        assert!(!text.chars().any(char::is_control), "{text}");
                        assert_eq!(text.parse::<Address>().as_ref(), Ok(&address), "{text}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_number_and_a_text_of_digits_are_different_keys() {
        let forms = |text: &str| {
            let address: Address = text.parse().expect("an address");
            (address.to_string(), address.to_tag())
        };
        let both = |text: &str, tag: &str| (text.to_owned(), tag.to_owned());
        assert_eq!(forms("bucket.x[0]"), both("bucket.x[0]", "bucket.x=0"));
        assert_eq!(forms("bucket.x[\"0\"]"), both("bucket.x[\"0\"]", "bucket.x=@30"));
        assert_eq!(
            forms("module.t[\"eu\"].bucket.x"),
            both("module.t[\"eu\"].bucket.x", "module.t=eu.bucket.x")
        );
        // As a shell leaves them.
        assert_eq!(forms("bucket.x[eu]").0, "bucket.x[\"eu\"]");
        assert_eq!(forms("bucket.x['eu']").0, "bucket.x[\"eu\"]");
        assert_eq!(forms("bucket.x=eu").0, "bucket.x[\"eu\"]");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "bucket",
            "bucket.",
            "nope.x",
            "bucket.a.b",
            "bucket.a/",
            "bucket.A",
            "module.a",
            "module.a.",
            "module.bucket.x",
            "bucket.a=@3",
            "bucket.a=007",
            "bucket.a[",
            "bucket.a[]",
            "bucket.a[\"\"]",
            "bucket.a=",
            "bucket.a[\"x\"",
            "bucket.a[\"x]",
            "bucket.a[\"\\q\"]",
            "bucket.a[0]x",
            "bucket.a[00]",
            "bucket.a[0][1]",
            "bucket[0].a",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
        assert!(Address::from_tag("bucket.a[0]").is_err());
    }
}
