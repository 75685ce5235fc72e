//! The simulated region: what `mlinfra sandbox status` prints.

use std::time::Duration;

use serde_json::{Value, json};

use super::fold::{Page, Row};
use super::screen::{Ink, Screen};
use super::words::span;
use crate::sim::Status;

/// For people.
pub fn text(status: &Status, keys: &[(&str, &str)], screen: &Screen) -> String {
    let Status { now_ms, settings, objects, moving } = status;
    let time = span(Duration::from_millis(*now_ms));
    let mut out = format!("Simulated time: {time} since the world began\n\nObjects\n");
    if objects.is_empty() {
        out.push_str("  none\n");
    }
    for (region, stacks) in objects {
        for (stack, kinds) in stacks {
            let whose = if stack.is_empty() { "of no stack" } else { stack };
            out.push_str(&format!("  {region}, {whose}\n"));
            for (kind, count) in kinds {
                out.push_str(&format!("    {count:>6}  {}\n", kind.title()));
            }
        }
    }
    if *moving > 0 {
        out.push_str(&format!("  {moving} of them are being made or deleted\n"));
    }
    out.push_str("\nRules\n");
    for (key, value) in settings {
        out.push_str(&format!("  {key} = {value}\n"));
    }
    out.push_str("\nRules that can be set (mlinfra sandbox set KEY VALUE)\n");
    let mut page = Page::new(*screen);
    for (key, value) in keys {
        page.row(&Row::at(2).solid(Ink::Plain, key));
        page.row(&Row::at(6).words(Ink::Plain, value));
    }
    out.push_str(&page.finish());
    out
}

/// For machines.
pub fn json(status: &Status) -> Value {
    let Status { now_ms, settings, objects, moving } = status;
    let settings: serde_json::Map<String, Value> =
        settings.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
    json!({ "now_ms": now_ms, "settings": settings, "objects": objects, "moving": moving })
}
