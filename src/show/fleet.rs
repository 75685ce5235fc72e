//! What there is to say of a cluster that is resized.

use super::fold::{Page, Row};
use super::screen::{Ink, Screen};
use crate::model::Moment;

/// A cluster's name, when it was looked at, and what there is to say of it, a line each.
pub fn text(name: &str, at: Option<Moment>, lines: &[String], screen: &Screen) -> String {
    let mut page = Page::new(*screen);
    let at = at.map_or_else(String::new, |at| format!(", {at}"));
    page.row(&Row::at(0).words(Ink::Plain, format!("{name}{at}")));
    for line in lines {
        page.row(&Row::at(2).hang(4).words(Ink::Plain, line));
    }
    page.finish()
}
