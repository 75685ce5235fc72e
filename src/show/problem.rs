//! temporary
use crate::model::{Problem, Sources};
/// t
pub fn text(p: &Problem, _s: &Sources, _c: bool, _w: usize) -> String {
    format!("{p:?}\n")
}
/// j
pub fn json(p: &Problem, _s: &Sources) -> serde_json::Value {
    serde_json::json!({"summary": p.summary})
}
