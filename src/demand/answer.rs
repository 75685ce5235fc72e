//! Answers in JSON, and the part of them that is meant.

use serde_json::Value as Json;

use super::trouble::{Trouble, What};

/// JSON, of which a bare number is the shortest.
pub(super) fn json(bytes: &[u8]) -> Result<Json, Trouble> {
    serde_json::from_slice(bytes).map_err(|error| {
        let head: String = String::from_utf8_lossy(bytes).chars().take(60).collect();
        let text = match head.trim() {
            "" => "the answer is empty".to_owned(),
            head => format!("the answer is no JSON ({error}): {head:?}"),
        };
        Trouble::new(What::Answer, text)
    })
}

/// What a pointer points at.
pub(super) fn at<'j>(found: &'j Json, pointer: &str) -> Result<&'j Json, Trouble> {
    found.pointer(pointer).ok_or_else(|| {
        let names: Vec<String> = match found {
            Json::Object(map) => map.keys().take(8).map(|key| format!("{key:?}")).collect(),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => {
                Vec::new()
            }
        };
        let there = match names.is_empty() {
            true => String::new(),
            false => format!("; at the top there is {}", names.join(", ")),
        };
        Trouble::new(What::Answer, format!("nothing stands at {pointer:?}{there}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_json_or_not_there_is_told_in_short() {
        let told = |bytes: &[u8]| json(bytes).expect_err("no JSON").text;
        assert_eq!(told(b" \n"), "the answer is empty");
        assert!(told(b"<html>\x1b[2J").starts_with("the answer is no JSON (expected value"));
        assert!(!told(b"<html>\x1b[2J").contains('\x1b'));
        for nan in ["NaN", "Infinity", "-", "1e999", "3 4"] {
            assert!(json(nan.as_bytes()).is_err(), "{nan}");
        }
        let found = serde_json::json!({ "queue": { "depth": 3 } });
        assert_eq!(at(&found, "/queue/depth").expect("a number"), &serde_json::json!(3));
        let text = at(&found, "/queue/length").expect_err("nothing").text;
        assert_eq!(text, "nothing stands at \"/queue/length\"; at the top there is \"queue\"");
    }
}
