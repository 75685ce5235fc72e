//! What the stack owns now: what `mlinfra show` prints.

use std::collections::BTreeMap;

use super::screen::{Screen, Untrusted};
use super::value;
use crate::cloud::{Live, Observed, Phase, Seen};
use crate::model::{Address, CloudId};

/// For people: every object with its values; unchanged since the cloud was asked.
pub fn text(observed: &Observed, screen: &Screen) -> String {
    let Observed {
        live,
        blind,
        unreadable,
        strays: _,
        conditions: _,
        unjudged: _,
        interrupted: _,
        at: _,
    } = observed;
    let mut out = String::new();
    let mut blocks: BTreeMap<Address, Vec<(&CloudId, &Live)>> = BTreeMap::new();
    for (id, object) in live {
        blocks.entry(object.owner.address.owner()).or_default().push((id, object));
    }
    if live.is_empty() && blind.is_empty() && unreadable.is_empty() {
        out.push_str("The stack owns nothing.\n");
    }
    for (owner, mut objects) in blocks {
        objects.sort_by_key(|(id, live)| (live.owner.address.clone(), (*id).clone()));
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&format!("{owner}\n"));
        for (id, live) in objects {
            object(&mut out, id, live, screen);
        }
    }
    if screen.plain {
        // Nothing is set in for an ear.
        out = out.lines().flat_map(|line| [line.trim_start(), "\n"]).collect();
    }
    for (kind, why) in blind {
        out.push_str(&format!("Could not list any {}: {}\n", kind.title(), Untrusted(why)));
    }
    for (id, why) in unreadable {
        out.push_str(&format!(
            "Cannot tell what {} is: {}\n",
            Untrusted(id.as_str()),
            Untrusted(why)
        ));
    }
    out
}

fn object(out: &mut String, id: &CloudId, live: &Live, screen: &Screen) {
    let Live { kind, owner, seen, phase, holds_data, batch: _ } = live;
    let state = match phase {
        Phase::Ready => String::new(),
        Phase::Pending => ", being made".to_owned(),
        Phase::Leaving => ", being deleted".to_owned(),
        Phase::Failed(text) => format!(", failed: {}", Untrusted(text)),
        Phase::Gone => ", gone".to_owned(),
    };
    let data = if *holds_data { ", holds data" } else { "" };
    let part = owner.address.part.as_ref().map_or("", |part| part.0.as_str());
    // What has no part is the block itself.
    let name = match part {
        "" => String::new(),
        part if screen.plain => format!("{part}: "),
        part => format!("{part:<16} "),
    };
    out.push_str(&format!("  {name}{} {}{state}{data}\n", kind.title(), Untrusted(id.short())));
    match seen {
        Seen::Blind(why) => out.push_str(&format!("      could not be read: {}\n", Untrusted(why))),
        Seen::Spec(spec) => {
            for (name, field) in spec.fields() {
                if name == "tags" && !screen.verbose {
                    continue;
                }
                let text = value::inline(&field);
                let line = format!("      {name} = {}", Untrusted(&text));
                let width = screen.width.max(20);
                let cut: String = if screen.verbose || line.chars().count() <= width {
                    line
                } else {
                    line.chars().take(width - 1).chain(['…']).collect()
                };
                out.push_str(&cut);
                out.push('\n');
            }
        }
    }
}
