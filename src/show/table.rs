//! Tables: columns where they fit, and otherwise, or read aloud, a fact a line.

use super::fold::{Page, Row};
use super::screen::{Ink, Screen, Untrusted};

/// A row of a table: its ink, and a text for each column.
pub(super) type Line = (Ink, Vec<String>);

/// A table under construction.
pub(super) struct Table<'a> {
    /// What stands above each column; nothing above a column that speaks for itself.
    pub heads: &'a [&'a str],
    /// Columns of numbers.
    pub right: &'a [usize],
    /// Where it starts.
    pub indent: usize,
    /// Columns that are left out.
    pub out: &'a [usize],
}

/// How wide each column is; none for one that is left out.
pub(super) type Wides = Vec<Option<usize>>;

impl Table<'_> {
    /// Writes it.
    pub(super) fn write(&self, page: &mut Page, screen: &Screen, lines: &[Line]) {
        let clean = |text: &String| Untrusted(text).to_string();
        let lines: Vec<Line> =
            lines.iter().map(|(ink, cells)| (*ink, cells.iter().map(clean).collect())).collect();
        let Some(wides) = self.lay_out(screen, &lines) else {
            return self.facts(page, screen, &lines);
        };
        self.head(page, &wides);
        for line in &lines {
            self.row(page, line, &wides);
        }
    }

    /// How wide its columns are, if they fit and are looked at.
    pub(super) fn lay_out(&self, screen: &Screen, lines: &[Line]) -> Option<Wides> {
        let shown = |at: usize| !self.out.contains(&at);
        let wide = |at: usize| shown(at).then(|| self.wide(at, lines));
        let wides: Wides = (0..self.heads.len()).map(wide).collect();
        let columns = wides.iter().flatten().count();
        let all = self.indent + wides.iter().flatten().sum::<usize>() + 2 * columns.max(1) - 2;
        (!screen.plain && all <= screen.width).then_some(wides)
    }

    /// What stands above its columns.
    pub(super) fn head(&self, page: &mut Page, wides: &Wides) {
        if self.heads.iter().any(|head| !head.is_empty()) {
            let heads = self.heads.iter().map(|head| (*head).to_owned()).collect();
            self.row(page, &(Ink::Dim, heads), wides);
        }
    }

    /// One of its rows.
    pub(super) fn row(&self, page: &mut Page, (ink, cells): &Line, wides: &Wides) {
        page.row(&Row::at(self.indent).code(*ink, &self.line(cells, wides)));
    }

    fn wide(&self, at: usize, lines: &[Line]) -> usize {
        let cells = lines.iter().filter_map(|(_, cells)| Some(cells.get(at)?.chars().count()));
        cells.chain(self.heads.get(at).map(|head| head.chars().count())).max().unwrap_or(0)
    }

    fn line(&self, cells: &[String], wides: &Wides) -> String {
        let each = cells.iter().zip(wides).enumerate().filter_map(|(at, (cell, wide))| {
            let wide = (*wide)?;
            Some(match self.right.contains(&at) {
                true => format!("{cell:>wide$}"),
                false => format!("{cell:<wide$}"),
            })
        });
        each.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    }

    /// A row without columns: the first one names it; the others follow by their names.
    pub(super) fn facts(&self, page: &mut Page, screen: &Screen, lines: &[Line]) {
        for (ink, cells) in lines {
            let Some((first, rest)) = cells.split_first() else { continue };
            page.row(&Row::at(self.indent).words(*ink, first.trim_start()));
            let facts: Vec<String> = rest
                .iter()
                .zip(self.heads.iter().skip(1))
                .filter(|(cell, _)| !cell.is_empty())
                .map(|(cell, head)| match head.trim() {
                    "" => cell.clone(),
                    "$/H" => dollars(cell, "an hour"),
                    "$/GPU-H" => dollars(cell, "an hour for a GPU"),
                    "$/MONTH" => dollars(cell, "a month"),
                    head => format!("{} {cell}", head.to_lowercase()),
                })
                .collect();
            if screen.plain {
                for fact in facts {
                    page.row(&Row::at(self.indent).words(Ink::Plain, fact));
                }
            } else {
                page.row(&Row::at(self.indent + 4).list(Ink::Plain, &facts));
            }
        }
    }
}

/// `$1.00 an hour`; `an hour: by use` for what is no sum.
fn dollars(cell: &str, time: &str) -> String {
    if cell.starts_with('$') { format!("{cell} {time}") } else { format!("{time}: {cell}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(screen: Screen) -> String {
        let mut page = Page::new(screen);
        let table = Table { heads: &["NAME", "NODES", "$/H"], right: &[1, 2], indent: 2, out: &[] };
        let line = |cells: [&str; 3]| (Ink::Plain, cells.map(str::to_owned).to_vec());
        table.write(&mut page, &screen, &[line(["train", "16", "$1.00"]), line(["b\n", "2", ""])]);
        page.finish()
    }

    #[test]
    fn columns_or_lists_or_facts() {
        let wide = "  NAME   NODES    $/H\n  train     16  $1.00\n  b\\n        2\n";
        assert_eq!(written(Screen::PLAIN), wide);
        let narrow =
            "  train\n      nodes 16,\n      $1.00 an\n      hour\n  b\\n\n      nodes 2\n";
        assert_eq!(
            written(Screen { width: 18, ..Screen::PLAIN }),
            narrow.replace("16, $", "16,\n      $")
        );
        let plain = "train\nnodes 16\n$1.00 an hour\nb\\n\nnodes 2\n";
        assert_eq!(written(Screen { plain: true, ..Screen::PLAIN }), plain);
    }
}
