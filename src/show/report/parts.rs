//! What comments and pages have in common: the sentences at their top, and the changes by block.

use std::collections::BTreeSet;

use super::Report;
use super::graph;
use crate::plan::cost::When;
use crate::show::card;
use crate::show::cost;
use crate::show::crowd;
use crate::show::entry::Card;
use crate::show::item;
use crate::show::outputs;
use crate::show::plan;
use crate::show::screen::Screen;

/// What is folded within a page is folded to this.
pub(super) const SCREEN: Screen = Screen { width: 100, ..Screen::PLAIN };

/// The changes of a block, or of many that are alike.
pub(super) struct Section {
    /// The block.
    pub name: String,
    /// How much of what: `3 create, 1 delete`.
    pub counts: String,
    /// Their signs.
    pub signs: String,
    /// What it costs, where that is known by block.
    pub cost: Option<String>,
    /// The changes.
    pub cards: Vec<Card>,
}

/// All changes, and a note where many are told as one.
pub(super) fn sections(report: &Report<'_>) -> (Vec<Section>, Option<String>) {
    let items = item::items(report.plan);
    if crowd::is_one(&items, &SCREEN) {
        let (cards, note) = crowd::cards(&items);
        let one = |card: Card| {
            let name = card.address().to_owned();
            section(name, None, vec![card])
        };
        let note = note.replace("-v shows each one", "`mlinfra plan -v` shows each one");
        return (cards.into_iter().map(one).collect(), Some(note));
    }
    let costs = report.bill.map(cost::by_block).unwrap_or_default();
    let each = card::blocks(&items, false).into_iter().map(|(owner, cards)| {
        let cost = costs.get(&owner).and_then(cost::column).map(|(_, text)| text);
        section(owner.to_string(), cost, cards)
    });
    (each.collect(), None)
}

fn section(name: String, cost: Option<String>, cards: Vec<Card>) -> Section {
    let counts = graph::counts(cards.iter().map(|card| (card.symbol(), card.number())));
    let mut signs: Vec<&str> = counts.keys().map(|symbol| symbol.mark()).collect();
    // Several kinds of changes have one sign: what is launched, and what is made.
    let mut told = BTreeSet::new();
    signs.retain(|sign| told.insert(*sign));
    let (signs, counts) = (signs.join(" "), graph::words(&counts));
    Section { name, counts, signs, cost, cards }
}

/// `Plan: 3 to add, …`, or that there is nothing to do.
pub(super) fn totals(report: &Report<'_>) -> String {
    match (report.plan.is_empty(), report.destroy) {
        (true, true) => "The stack owns nothing: there is nothing to destroy.".to_owned(),
        (true, false) => "No changes. The cloud matches the configuration.".to_owned(),
        (false, _) => plan::totals(item::sums(report.plan)),
    }
}

/// What it costs before and after, in a line; nothing where nothing is known.
pub(super) fn price(report: &Report<'_>) -> Option<String> {
    let bill = report.bill.filter(|bill| !bill.is_empty())?;
    Some(cost::line(bill))
}

/// The most that it may come to; nothing where that is what it costs anyway.
pub(super) fn ceiling(report: &Report<'_>) -> Option<String> {
    let bill = report.bill?;
    let most = bill.sum(When::Ceiling);
    (most != bill.sum(When::After)).then(|| cost::at_most(most))
}

/// How outputs change, as text.
pub(super) fn outputs(report: &Report<'_>) -> String {
    outputs::text_of_changes(report.plan, report.former, &SCREEN)
}
