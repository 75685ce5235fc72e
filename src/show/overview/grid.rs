//! Columns on a screen that cannot be folded: texts that are too wide are cut, numbers never.

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
    // Names tell rows apart: they are cut last, and the rest from the right.
    let texts = || (1..heads.len()).rev().filter(|at| !right.contains(at));
    for at in texts().chain([0]) {
        let cut = over.min(wides[at].saturating_sub(LEAST));
        (wides[at], over) = (wides[at] - cut, over - cut);
    }
    // A part of a number is another number: a column of texts goes instead.
    let mut shown: Vec<usize> = (0..heads.len()).collect();
    for at in texts() {
        if over > 0 {
            over = over.saturating_sub(wides[at] + 2);
            shown.retain(|one| *one != at);
        }
    }
    let line = |cells: &[&str]| {
        let each = shown.iter().map(|at| {
            let (wide, cell) = (wides[*at], cut(cells.get(*at).copied().unwrap_or(""), wides[*at]));
            if right.contains(at) { format!("{cell:>wide$}") } else { format!("{cell:<wide$}") }
        });
        each.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut out = vec![Line::from(Span::styled(line(heads), Modifier::DIM))];
    out.extend(rows.iter().map(|row| {
        let cells: Vec<&str> = row.iter().map(String::as_str).collect();
        Line::from(line(&cells))
    }));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_whole_however_narrow_it_is() {
        let heads = ["CLUSTER", "NODES", "WANTED", "STATES", "QUEUE", "$/H"];
        let row =
            ["cluster.pretrain", "128", "0 to 256", "120 busy, 8 idle", "12 jobs", "$7,045.12"];
        let rows = vec![row.map(str::to_owned).to_vec()];
        for width in [40, 60, 100] {
            let lines = grid(&heads, &rows, &[1, 2, 5], width);
            let text: Vec<String> = lines.iter().map(ToString::to_string).collect();
            assert!(text.iter().all(|line| line.chars().count() <= width), "{width}: {text:?}");
            for number in ["128", "0 to 256", "$7,045.12"] {
                assert!(text[1].contains(number), "{width}: {text:?}");
            }
        }
    }
}
