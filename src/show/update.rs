//! What `mlinfra update` does to the pins of images: old → new, for people and as JSON.

use serde_json::{Value, json};

use super::fold::{Page, Row};
use super::screen::{Ink, Screen};
use crate::lang::{LOCK_FILE, Pin};
use crate::model::Region;

/// The version of the document; a minor step only adds keys.
const FORMAT: &str = "1.0";

/// A pin before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The name that the configuration says.
    pub image: String,
    /// What it was pinned to.
    pub before: Option<Pin>,
    /// What it is pinned to now.
    pub after: Pin,
}

impl Moved {
    /// Whether the pin means another image now.
    pub fn differs(&self) -> bool {
        self.before.as_ref().is_none_or(|before| before.id != self.after.id)
    }
}

/// For people.
pub fn text(region: &Region, all: &[Moved], written: bool, screen: &Screen) -> String {
    let mut page = Page::new(*screen);
    if all.is_empty() {
        let text = "The stack names no images: there is nothing to pin.";
        page.row(&Row::at(0).words(Ink::Plain, text));
        return page.finish();
    }
    page.row(&Row::at(0).words(Ink::Bold, format!("Images in {region}:")));
    for Moved { image, before, after } in all {
        let called = if after.name.is_empty() { "" } else { ", " };
        let (ink, mark, text) = match before {
            None => (Ink::Add, "+", format!("pinned to {}{called}{}", after.id, after.name)),
            Some(before) if before.id == after.id => {
                let since = &before.pinned;
                (Ink::Dim, " ", format!("stays {}, pinned on {since}", after.id))
            }
            Some(before) => {
                (Ink::Change, "~", format!("{} -> {}{called}{}", before.id, after.id, after.name))
            }
        };
        page.row(&Row::marked(2, ink, mark).words(ink, format!("{image}: {text}")));
    }
    let end = match (written, all.iter().any(Moved::differs)) {
        (true, _) => {
            format!("Wrote {LOCK_FILE}: commit it. `mlinfra plan` shows what that changes.")
        }
        (false, true) => format!("Nothing was written to {LOCK_FILE}."),
        (false, false) => "Every pin is the newest image already.".to_owned(),
    };
    page.row(&Row::at(0).words(Ink::Plain, end));
    page.finish()
}

/// For machines.
pub fn json(region: &Region, all: &[Moved], written: bool) -> Value {
    let images: Vec<Value> = all
        .iter()
        .map(|moved| {
            let Moved { image, before, after } = moved;
            let Pin { id, name, from, pinned } = after;
            json!({
                "image": image,
                "before": before.as_ref().map(|before| &before.id),
                "after": id,
                "changed": moved.differs(),
                "name": name,
                "from": from,
                "pinned": pinned,
            })
        })
        .collect();
    json!({ "format_version": FORMAT, "region": region, "written": written, "images": images })
}
