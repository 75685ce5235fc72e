//! A card as it is written: the sign and the address, the title in a column, the rows below.

use super::fold::{Row, count};
use super::item::Symbol;
use super::node_rows::BODY;
use super::screen::{Ink, Screen};
use crate::model::Address;

/// What is printed of one item, or of several that are alike.
#[derive(Debug)]
pub(super) struct Card {
    /// What happens.
    pub symbol: Symbol,
    /// The address, or its stem when there are several.
    pub address: String,
    /// What it is.
    pub title: String,
    /// Its name, dimmed.
    pub dim: String,
    /// How many objects it tells of.
    pub number: usize,
    /// What else there is to say.
    pub rows: Vec<Row>,
}

/// The sign, right-aligned in three columns.
pub(super) fn sign(symbol: Symbol) -> Row {
    let mark = symbol.mark();
    Row::marked(3 - mark.len(), symbol.ink(), mark).spoken(symbol.verb())
}

/// Where titles start: behind the longest address, but not beyond the middle.
pub(super) fn column<T>(blocks: &[(T, Vec<Card>)], screen: &Screen) -> usize {
    if screen.plain {
        return 0;
    }
    let width = screen.width;
    let cards = blocks.iter().flat_map(|(_, cards)| cards);
    let longest = cards.map(|card| card.address.chars().count()).max().unwrap_or(0);
    longest.min((width / 2).saturating_sub(BODY))
}

/// True when a heading above the only card of a block would say the same again.
pub(super) fn speaks_for_itself(owner: &Address, cards: &[Card]) -> bool {
    matches!(cards, [only] if only.address == owner.to_string())
}

impl Card {
    /// True when there is nothing to say beyond what it is.
    pub(super) fn is_bare(&self) -> bool {
        self.rows.is_empty()
    }

    /// Keeps the first rows, and says so.
    pub(super) fn shorten(&mut self, most: usize) {
        if self.rows.len() > most {
            let gone = self.rows.len() + 1 - most;
            self.rows.truncate(most - 1);
            let text = count(gone, "more line", "more lines");
            self.rows.push(Row::at(BODY).words(Ink::Dim, format!("... {text}")));
        }
    }

    /// The same as the example of a group: under another address and title, behind rows
    /// of the group's own.
    #[must_use]
    pub(super) fn standing_for(
        self,
        (address, number): (String, usize),
        title: String,
        mut rows: Vec<Row>,
    ) -> Self {
        rows.extend(self.rows);
        Self { address, title, dim: String::new(), number, rows, ..self }
    }

    /// Its heading: what is done to which object, with the title starting in a column; without
    /// columns the sign is read as a word.
    pub(super) fn heading(&self, column: usize) -> Row {
        let Self { symbol, address, title, dim, number: _, rows: _ } = self;
        if column == 0 {
            let row = sign(*symbol).words(Ink::Bold, format!("{address}  "));
            return row.words(Ink::Plain, self.title());
        }
        let mut row = sign(*symbol)
            .hang(BODY)
            .words(Ink::Bold, format!("{address:column$}"))
            .words(Ink::Plain, "  ")
            .solid(Ink::Plain, title);
        if !dim.is_empty() {
            row = row.words(Ink::Plain, " ").words(Ink::Dim, dim);
        }
        row
    }

    /// What there is to say below that.
    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// How many objects it tells of.
    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// What happens.
    pub(super) fn symbol(&self) -> Symbol {
        self.symbol
    }

    /// Where.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// To what, and its name. What happens is said by the symbol.
    pub(super) fn title(&self) -> String {
        let verb = format!("{} ", self.symbol.verb());
        let title = self.title.strip_prefix(&verb).unwrap_or(&self.title);
        format!("{title} {}", self.dim).trim_end().to_owned()
    }
}
