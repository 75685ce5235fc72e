//! A plan as text. Whoever knows Terraform's plans reads this one without a manual.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::card;
use super::cost;
use super::crowd;
use super::entry;
use super::fold::{Page, Row, count};
use super::item::{self, Item, Sums, Symbol};
use super::outputs;
use super::screen::{Ink, Screen};
use crate::kinds::Plan;
use crate::model::Address;
use crate::plan::Selection;
use crate::plan::cost::Bill;

/// The plan for people.
pub fn text(plan: &Plan, screen: &Screen) -> String {
    text_after(plan, (None, None), screen)
}

/// The plan for people, who also see what it costs, block by block, and how it changes the
/// outputs of the last apply.
pub fn text_after(
    plan: &Plan,
    (bill, former): (Option<&Bill>, Option<&BTreeMap<String, Value>>),
    screen: &Screen,
) -> String {
    let Plan { base: _, steps, unchanged, outputs } = plan;
    let mut page = Page::new(*screen);
    if steps.is_empty() {
        nothing(&mut page, *unchanged);
        if let Some(former) = former {
            outputs::alone(&mut page, outputs, former);
        }
        return page.finish();
    }
    let items = item::items(plan);
    legend(&mut page, &items);
    if crowd::is_one(&items, screen) {
        folded(&mut page, &items, screen);
    } else {
        let costs = bill.map(cost::by_block).unwrap_or_default();
        each(&mut page, &items, &costs, screen);
    }
    outputs::section(&mut page, outputs, former);
    page.gap();
    page.row(&Row::at(0).words(Ink::Bold, totals(item::sums(plan))));
    if *unchanged > 0 {
        let words = format!("{} unchanged.", count(*unchanged, "object is", "objects are"));
        page.row(&Row::at(0).words(Ink::Dim, words));
    }
    page.finish()
}

/// The blocks above whose changes their costs stand.
pub fn headed(plan: &Plan, screen: &Screen) -> BTreeSet<Address> {
    let items = item::items(plan);
    match crowd::is_one(&items, screen) {
        true => BTreeSet::new(),
        false => items.iter().map(|item| card::block(item.address)).collect(),
    }
}

/// Every change, or those that are alike within a block, under their blocks.
fn each(page: &mut Page, items: &[Item<'_>], costs: &cost::Blocks, screen: &Screen) {
    let blocks = card::blocks(items, screen.verbose);
    let column = entry::column(&blocks, screen);
    for (owner, cards) in &blocks {
        page.gap();
        let price = costs.get(owner).and_then(cost::column);
        let priced = |row: Row| match &price {
            Some((ink, text)) => row.right(*ink, text),
            None => row,
        };
        let alone = entry::speaks_for_itself(owner, cards);
        if !alone {
            page.row(&priced(Row::at(0).words(Ink::Bold, owner.to_string())));
        }
        for card in cards {
            let heading = card.heading(column);
            page.row(&if alone { priced(heading) } else { heading });
            page.rows(card.rows());
        }
    }
}

/// What is alike anywhere, once.
fn folded(page: &mut Page, items: &[Item<'_>], screen: &Screen) {
    let (cards, words) = crowd::cards(items);
    let blocks = [((), cards)];
    let column = entry::column(&blocks, screen);
    for card in blocks.iter().flat_map(|(_, cards)| cards) {
        page.gap();
        page.row(&card.heading(column));
        page.rows(card.rows());
    }
    page.gap();
    page.row(&Row::at(0).words(Ink::Dim, words));
}

/// What a plan does, in a line.
pub fn in_short(plan: &Plan) -> String {
    totals(item::sums(plan))
}

/// An empty plan of which only a part was asked for: nothing is said about the rest.
pub fn nothing_for(
    selection: &Selection,
    plan: &Plan,
    former: &BTreeMap<String, Value>,
    screen: &Screen,
) -> String {
    let mut page = Page::new(*screen);
    let words = if selection.refresh_only {
        "Nothing is to be changed in the cloud."
    } else {
        "No changes for what is targeted."
    };
    page.row(&Row::at(0).words(Ink::Bold, words));
    outputs::alone(&mut page, &plan.outputs, former);
    page.finish()
}

fn nothing(page: &mut Page, unchanged: usize) {
    let words = "No changes. The cloud matches the configuration.";
    let number = format!(" ({})", count(unchanged, "object", "objects"));
    page.row(&Row::at(0).words(Ink::Bold, words).words(Ink::Plain, number));
}

fn legend(page: &mut Page, items: &[Item<'_>]) {
    if page.is_plain() {
        page.row(&Row::at(0).words(Ink::Plain, "mlinfra will do what follows."));
        return;
    }
    page.row(&Row::at(0).words(Ink::Plain, "mlinfra will do what follows. The signs mean:"));
    for symbol in Symbol::ALL {
        if items.iter().any(|item| item.act.symbol() == symbol) {
            page.row(&entry::sign(symbol).words(Ink::Plain, symbol.words()));
        }
    }
}

/// `Plan: 12 to add, 1 to change, 2 to delete; launch 4 nodes.`
pub(super) fn totals(sums: Sums) -> String {
    let Sums { add, change, delete, launch, quarantine, terminate, moved, adopted, forgotten } =
        sums;
    let mut out = format!("Plan: {add} to add, {change} to change, {delete} to delete");
    let more = [
        ("launch", launch, ["node", "nodes"]),
        ("quarantine", quarantine, ["node", "nodes"]),
        ("terminate", terminate, ["node", "nodes"]),
        ("move", moved, ["object", "objects"]),
        ("adopt", adopted, ["object", "objects"]),
        ("forget", forgotten, ["object", "objects"]),
    ];
    let more: Vec<String> = more
        .into_iter()
        .filter(|(_, number, _)| *number > 0)
        .map(|(verb, number, [one, many])| format!("{verb} {}", count(number, one, many)))
        .collect();
    if !more.is_empty() {
        out.push_str("; ");
        out.push_str(&more.join(", "));
    }
    out.push('.');
    out
}
