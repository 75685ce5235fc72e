//! What a stack costs, for people: beside a plan, after an apply, as a table.

use std::collections::{BTreeMap, BTreeSet};

use super::fold::{Page, Row, count};
use super::screen::{Ink, Screen};
use super::table::{self, Table};
use crate::model::{Address, Money};
use crate::plan::cost::{Bill, Line, Origin, Sum, When};

/// Blocks that a plan names when their costs change; the rest is one line.
const BLOCKS: usize = 12;
/// Names in a list of what is not counted.
const NAMES: usize = 8;

/// What each block costs before a plan and after it, all of its instances together.
pub(super) type Blocks = BTreeMap<Address, Blocked>;

/// What a block costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Blocked {
    /// Before the plan.
    pub before: Sum,
    /// After it.
    pub after: Sum,
    /// Something in it was paid already.
    pub prepaid: bool,
}

/// What each block costs.
pub(super) fn by_block(bill: &Bill) -> Blocks {
    let mut out = Blocks::new();
    for line in &bill.lines {
        let owner = Address { key: None, part: None, ..line.address.clone() };
        let block = out.entry(owner).or_default();
        block.before = block.before + line.sum(When::Before);
        block.after = block.after + line.sum(When::After);
        block.prepaid |= line.rate.prepaid;
    }
    out
}

/// What stands in the column of costs; nothing for what costs nothing.
pub(super) fn column(block: &Blocked) -> Option<(Ink, String)> {
    let Blocked { before, after, prepaid } = *block;
    if before == Sum::default() && after == Sum::default() {
        return prepaid.then(|| (Ink::Dim, "paid already".to_owned()));
    }
    let ink = if before == after { Ink::Dim } else { Ink::Plain };
    Some((ink, format!("{}/h  {}/month", hours(before, after), months(before, after))))
}

/// `$1.00 -> $2.00`, by the hour.
pub(super) fn hours(before: Sum, after: Sum) -> String {
    change(before, after, Sum::per_hour)
}

/// The same, by the month.
pub(super) fn months(before: Sum, after: Sum) -> String {
    change(before, after, Sum::per_month)
}

/// What a plan does to the bill. Of blocks that are headed the plan itself has told.
pub fn plan(bill: &Bill, headed: &BTreeSet<Address>, screen: &Screen) -> String {
    let mut page = Page::new(*screen);
    if bill.is_empty() {
        return page.finish();
    }
    let after = bill.sum(When::After);
    page.row(&Row::at(0).words(Ink::Bold, line(bill)));
    if is_by_use(bill) {
        return page.finish();
    }
    blocks(&mut page, bill, headed, screen);
    let ceiling = bill.sum(When::Ceiling);
    if ceiling != after {
        page.row(&Row::at(2).hang(4).words(Ink::Plain, at_most(ceiling)));
    }
    notes(&mut page, bill);
    page.finish()
}

/// The same in one line.
pub fn line(bill: &Bill) -> String {
    let (before, after) = (bill.sum(When::Before), bill.sum(When::After));
    let hour = change(before, after, Sum::per_hour);
    let month = change(before, after, Sum::per_month);
    if is_by_use(bill) {
        return format!("Cost: {USED}.");
    }
    format!("Cost: {hour}/h, {month} in a month of 730 h.")
}

const USED: &str = "only what is used, nothing by the hour";

/// Nothing in it costs anything by its mere existence.
fn is_by_use(bill: &Bill) -> bool {
    When::ALL.into_iter().all(|when| bill.sum(when) == Sum::default())
}

/// What it costs from now on.
pub fn from_now_on(bill: &Bill, screen: &Screen) -> String {
    let mut page = Page::new(*screen);
    if bill.is_empty() {
        return page.finish();
    }
    let (now, ceiling) = (bill.sum(When::After), bill.sum(When::Ceiling));
    let (hour, month) = (money(now, Sum::per_hour), money(now, Sum::per_month));
    let text = match is_by_use(bill) {
        true => format!("From now on it costs {USED}."),
        false => format!("From now on it costs {hour}/h, {month} in a month of 730 h."),
    };
    page.row(&Row::at(0).words(Ink::Plain, text));
    each_now(&mut page, bill, screen);
    if ceiling != now {
        page.row(&Row::at(0).words(Ink::Plain, at_most(ceiling)));
    }
    page.finish()
}

/// What each block costs, the dearest first, where that is more than one line says.
fn each_now(page: &mut Page, bill: &Bill, screen: &Screen) {
    let mut blocks: Vec<_> = by_block(bill).into_iter().collect();
    blocks.retain(|(_, block)| block.after != Sum::default());
    blocks.sort_by_key(|(_, block)| std::cmp::Reverse(block.after.per_month()));
    let shown = if screen.verbose { blocks.len() } else { blocks.len().min(BLOCKS) };
    if shown < 2 {
        return;
    }
    let lines: Vec<_> = blocks[..shown]
        .iter()
        .map(|(owner, block)| {
            let (hour, month) =
                (cell(block.after, Sum::per_hour), cell(block.after, Sum::per_month));
            (Ink::Plain, vec![owner.to_string(), format!("{hour}/h"), format!("{month}/month")])
        })
        .collect();
    Table { heads: &["", "", ""], right: &[1, 2], indent: 2, out: &[] }.write(page, screen, &lines);
    if blocks.len() > shown {
        let more = count(blocks.len() - shown, "block", "blocks");
        page.row(&Row::at(2).words(Ink::Dim, format!("and {more} that cost less (-v names them)")));
    }
}

pub(super) fn at_most(ceiling: Sum) -> String {
    format!(
        "With every cluster at its most nodes: {}/h, {} in a month.",
        money(ceiling, Sum::per_hour),
        money(ceiling, Sum::per_month)
    )
}

/// A sum; one with unknown parts says so.
fn money(sum: Sum, of: fn(Sum) -> Money) -> String {
    let known = of(sum);
    match sum.is_whole() {
        true => known.to_string(),
        false if known == Money::ZERO => "unknown".to_owned(),
        false => format!("at least {known}"),
    }
}

fn change(before: Sum, after: Sum, of: fn(Sum) -> Money) -> String {
    let (was, is) = (money(before, of), money(after, of));
    if was == is { is } else { format!("{was} -> {is}") }
}

fn add(lines: &[&Line], when: When) -> Sum {
    lines.iter().map(|line| line.sum(when)).sum()
}

/// The blocks whose costs change, the largest change first.
fn blocks(page: &mut Page, bill: &Bill, headed: &BTreeSet<Address>, screen: &Screen) {
    let all = bill.blocks();
    let mut changed: Vec<(&Address, Sum, Sum)> = all
        .iter()
        .map(|(owner, lines)| (owner, add(lines, When::Before), add(lines, When::After)))
        .filter(|(_, before, after)| before != after)
        .filter(|(owner, ..)| !headed.contains(&Address { key: None, ..(*owner).clone() }))
        .collect();
    let size = |(_, before, after): &(&Address, Sum, Sum)| {
        (after.per_month().dollars() - before.per_month().dollars()).abs()
    };
    changed.sort_by_key(|one| std::cmp::Reverse(size(one)));
    let shown = if screen.verbose { changed.len() } else { changed.len().min(BLOCKS) };
    let rows: Vec<[String; 3]> = changed[..shown]
        .iter()
        .map(|(owner, before, after)| {
            let hour = format!("{}/h", change(*before, *after, Sum::per_hour));
            let month = format!("{}/month", change(*before, *after, Sum::per_month));
            [owner.to_string(), hour, month]
        })
        .collect();
    let wide = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let (first, second) = (wide(0), wide(1));
    let fits = !screen.plain && first + second + wide(2) + 6 <= screen.width;
    for [owner, hour, month] in &rows {
        if fits {
            let text = format!("{owner:<first$}  {hour:<second$}  {month}");
            page.row(&Row::at(2).code(Ink::Plain, &text));
        } else {
            page.row(&Row::at(2).words(Ink::Plain, owner));
            page.row(&Row::at(4).words(Ink::Plain, format!("{hour}, {month}")));
        }
    }
    let more = changed.len() - shown;
    if more > 0 {
        let text = format!("and {} (-v names them)", count(more, "block more", "blocks more"));
        page.row(&Row::at(2).words(Ink::Dim, text));
    }
}

/// What is not in the figures, and where they are from, by itself.
pub(super) fn notes_of(bill: &Bill, screen: &Screen) -> String {
    let mut page = Page::new(Screen { width: usize::MAX, ..*screen });
    notes(&mut page, bill);
    page.finish()
}

/// What is not in the figures, and where they are from.
fn notes(page: &mut Page, bill: &Bill) {
    let verbose = page.is_verbose();
    let counts = |line: &&Line| line.before > 0 || line.ceiling > 0;
    let mut unknown = Vec::new();
    let mut used: BTreeMap<&String, Vec<String>> = BTreeMap::new();
    for line in bill.lines.iter().filter(counts) {
        let owner = line.address.owner();
        for what in &line.rate.unknown {
            unknown.push(format!("{what} ({owner})"));
        }
        if let Some(what) = &line.rate.by_use {
            used.entry(what).or_default().push(owner.to_string());
        }
    }
    if let Some(text) = list(unknown, verbose) {
        let text = format!(
            "Unknown prices, not counted: {text}. `mlinfra catalog refresh` asks AWS for them."
        );
        page.row(&Row::at(2).hang(4).words(Ink::Warn, text));
    }
    let used: Vec<String> = used
        .into_iter()
        .filter_map(|(what, owners)| Some(format!("{what} of {}", list(owners, verbose)?)))
        .collect();
    if !used.is_empty() {
        let text = format!("By use, not counted: {}.", used.join("; "));
        page.row(&Row::at(2).hang(4).words(Ink::Dim, text));
    }
    let from: Vec<String> = origins(bill, verbose);
    if !from.is_empty() {
        let text = format!("List prices without taxes: {}.", from.join("; "));
        page.row(&Row::at(2).hang(4).words(Ink::Dim, text));
    }
}

/// Names without repetitions, not too many of them.
fn list(mut names: Vec<String>, verbose: bool) -> Option<String> {
    names.sort();
    names.dedup();
    let shown = if verbose { names.len() } else { names.len().min(NAMES) };
    let more = names.len() - shown;
    names.truncate(shown);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    (!names.is_empty()).then(|| names.join(", "))
}

/// The days of the prices, and whose they are.
fn origins(bill: &Bill, verbose: bool) -> Vec<String> {
    let words = |Origin { day, source }: &Origin| {
        let source = if verbose { source.as_str() } else { site(source) };
        match day {
            Some(day) => format!("{day} from {source}"),
            None => format!("{source}, just now"),
        }
    };
    let mut out: Vec<String> = bill.origins().into_iter().map(words).collect();
    out.dedup();
    out
}

/// Whose page it is: of a repository its owner and name, else the host.
fn site(source: &str) -> &str {
    let Some(rest) = source.strip_prefix("https://") else { return source };
    let segments = if rest.starts_with("github.com/") { 3 } else { 1 };
    let end = rest.match_indices('/').nth(segments - 1).map_or(rest.len(), |(at, _)| at);
    &rest[..end]
}

/// Everything that is paid for, and what comes of it.
pub fn table(bill: &Bill, screen: &Screen) -> String {
    let mut page = Page::new(*screen);
    if bill.is_empty() {
        page.row(&Row::at(0).words(Ink::Plain, "The stack has nothing that costs anything."));
        return page.finish();
    }
    let blocks = bill.blocks();
    let mut rows: Vec<table::Line> = Vec::new();
    for (owner, lines) in &blocks {
        let sum = |when| add(lines, when);
        let (hour, month) =
            (cell(sum(When::After), Sum::per_hour), cell(sum(When::After), Sum::per_month));
        let sum = vec![owner.to_string(), String::new(), String::new(), hour, month];
        rows.push((Ink::Bold, sum));
        rows.extend(lines.iter().map(|line| (Ink::Plain, cells(line).to_vec())));
    }
    let heads = ["", "NOW", "THEN", "$/H", "$/MONTH"];
    Table { heads: &heads, right: &[1, 2, 3, 4], indent: 0, out: &[] }
        .write(&mut page, screen, &rows);
    page.gap();
    forecast(&mut page, bill);
    notes(&mut page, bill);
    page.finish()
}

fn cell(sum: Sum, of: fn(Sum) -> Money) -> String {
    let text = money(sum, of);
    text.strip_prefix("at least ").map_or(text.clone(), |known| format!("{known} + ?"))
}

fn cells(line: &Line) -> [String; 5] {
    let Line { what, rate, before, after, .. } = line;
    let sum = line.sum(When::After);
    let (hour, month) = if rate.prepaid {
        ("prepaid".to_owned(), "prepaid".to_owned())
    } else if rate.by_use.is_some() && rate.origins.is_empty() && rate.unknown.is_empty() {
        ("by use".to_owned(), "by use".to_owned())
    } else {
        (cell(sum, Sum::per_hour), cell(sum, Sum::per_month))
    };
    [format!("  {what}"), before.to_string(), after.to_string(), hour, month]
}

/// Today, once everything is applied, and with all clusters at their largest.
fn forecast(page: &mut Page, bill: &Bill) {
    let rows = [
        ("Today", When::Before),
        ("As configured", When::After),
        ("With every cluster at its fewest nodes", When::Floor),
        ("With every cluster at its most nodes", When::Ceiling),
    ];
    let after = bill.sum(When::After);
    for (words, when) in rows {
        let sum = bill.sum(when);
        if matches!(when, When::Floor | When::Ceiling) && sum == after {
            continue;
        }
        let (hour, month) = (money(sum, Sum::per_hour), money(sum, Sum::per_month));
        let text = format!("{words}: {hour}/h, {month} in a month of 730 h.");
        page.row(&Row::at(0).hang(2).words(Ink::Bold, text));
    }
}
