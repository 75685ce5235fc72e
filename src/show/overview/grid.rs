//! Columns on a screen that cannot be folded: what is too wide is cut.

use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use crate::show::fold::cut;
use crate::show::screen::Untrusted;

/// No column is cut to less.
const LEAST: usize = 6;

/// Lines of a table, its heads first.
pub(super) fn grid<'a>(
    heads: &[&str],
    rows: &[Vec<String>],
    right: &[usize],
    width: usize,
) -> Vec<Line<'a>> {
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(|cell| Untrusted(cell).to_string()).collect())
        .collect();
    let wide = |at: usize| {
        let cells = rows.iter().filter_map(|row| Some(row.get(at)?.chars().count()));
        cells.chain([heads[at].chars().count()]).max().unwrap_or(0)
    };
    let mut wides: Vec<usize> = (0..heads.len()).map(wide).collect();
    let gaps = 2 * heads.len().saturating_sub(1);
    let mut over = (wides.iter().sum::<usize>() + gaps).saturating_sub(width);
    // Names and numbers tell rows apart: they are cut last, and the rest from the right.
    let texts = (1..heads.len()).rev().filter(|at| !right.contains(at));
    for at in texts.chain(0..heads.len()) {
        let cut = over.min(wides[at].saturating_sub(LEAST));
        (wides[at], over) = (wides[at] - cut, over - cut);
    }
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let each = cells.zip(&wides).enumerate().map(|(at, (cell, wide))| {
            let cell = cut(cell, *wide);
            if right.contains(&at) { format!("{cell:>wide$}") } else { format!("{cell:<wide$}") }
        });
        each.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let head = line(&mut heads.iter().copied());
    let mut out = vec![Line::from(Span::styled(head, Modifier::DIM))];
    out.extend(rows.iter().map(|row| Line::from(line(&mut row.iter().map(String::as_str)))));
    out
}
