//! What IAM roles and instance profiles share.

use std::collections::BTreeSet;

use aws_sdk_iam::types::Tag;

use super::failure;
use crate::cloud::{Failure, Scope};
use crate::kinds::{KindName, Tags, canonical_json};
use crate::model::Text;

/// IAM is global: the path says which region and stack an object belongs to.
pub fn path(scope: &Scope) -> String {
    format!("/mlinfra/{}/{}/", scope.home.region, scope.stack)
}

/// Names that the author chose, under whatever path.
pub fn chosen(scope: &Scope, kind: KindName, found: &BTreeSet<String>) -> Vec<String> {
    let of_kind = scope.names.iter().filter(|(other, _)| *other == kind);
    of_kind.map(|(_, name)| name.clone()).filter(|name| !found.contains(name)).collect()
}

/// Tags as a map.
pub fn tags_of(found: Vec<Tag>) -> Tags {
    found.into_iter().map(|tag| (tag.key, tag.value)).collect()
}

/// Tags as the wire wants them.
pub fn wire_tags(api: &str, from: &Tags) -> Result<Vec<Tag>, Failure> {
    from.iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect::<Result<_, _>>()
        .map_err(|bad| failure::invalid(api, bad.to_string()))
}

/// IAM returns documents as URL-encoded JSON.
pub fn document(encoded: &str) -> Text {
    let text = url_decode(encoded);
    Text::Known(canonical_json(&text).unwrap_or(text))
}

fn url_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let byte = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (first, byte) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            (_, _) => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Every page of an IAM list.
macro_rules! marked {
    ($aws:expr, $api:literal, $request:expr, |$page:ident| $items:expr) => {{
        let mut all = Vec::new();
        let mut marker: Option<String> = None;
        loop {
            let $page = $aws.send($api, $request.set_marker(marker.take()).send()).await?;
            let next = $page.marker.clone().filter(|_| $page.is_truncated);
            all.extend($items);
            match next {
                Some(next) => marker = Some(next),
                None => break,
            }
        }
        all
    }};
}
pub(super) use marked;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_decoded_and_canonical() {
        let text = document("%7B%22b%22%3A%201%2C%20%22a%22%3A%20%22x%2By%22%7D");
        assert_eq!(text.known(), Some(r#"{"a":"x+y","b":1}"#));
        assert_eq!(url_decode("100%"), "100%");
    }
}
