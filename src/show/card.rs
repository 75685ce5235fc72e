//! What a plan says about one object, or about several that are alike.

use serde_json::{Map, Value};

use super::diff::Diff;
pub(super) use super::entry::Card;
use super::fold::{Row, count};
use super::item::{Act, Doomed, Item, Symbol};
pub(super) use super::node_rows::BODY;
use super::node_rows::{offers as on_offers, quarantined, terminated};
use super::reason;
use super::screen::Ink;
use super::{value, words};
use crate::kinds::{KindName, Spec};
use crate::model::{Address, CloudId};

/// Nodes that a move names.
const MOVED: usize = 3;

/// The items of each block, those together that are alike.
pub(super) fn groups<'i>(
    items: &'i [Item<'i>],
    verbose: bool,
) -> Vec<(Address, Vec<Vec<&'i Item<'i>>>)> {
    let mut out: Vec<(Address, Vec<Vec<&'i Item<'i>>>)> = Vec::new();
    for item in items {
        let owner = block(item.address);
        match out.last_mut() {
            Some((last, groups)) if *last == owner => insert(groups, item, verbose),
            Some(_) | None => out.push((owner, vec![vec![item]])),
        }
    }
    out
}

/// The cards of each block.
pub(super) fn blocks(items: &[Item<'_>], verbose: bool) -> Vec<(Address, Vec<Card>)> {
    groups(items, verbose)
        .into_iter()
        .map(|(owner, groups)| {
            let mut cards: Vec<Card> =
                groups.iter().filter_map(|group| card(group, verbose)).collect();
            if !verbose {
                shorten(&mut cards);
            }
            (owner, cards)
        })
        .collect()
}

/// Nodes that are renewed in waves are launched on the same offers each time.
fn shorten(cards: &mut [Card]) {
    let mut seen: Option<(String, Vec<Row>)> = None;
    for card in cards {
        // The first row says why.
        let Some((_, said)) = card.rows.split_first() else { continue };
        if card.symbol != Symbol::Launch {
            continue;
        }
        let mine = (card.address.clone(), said.to_vec());
        if seen.as_ref() == Some(&mine) {
            card.rows.truncate(1);
            card.rows.push(Row::at(BODY).words(Ink::Dim, "as the launch above"));
        } else {
            seen = Some(mine);
        }
    }
}

fn insert<'a>(groups: &mut Vec<Vec<&'a Item<'a>>>, item: &'a Item<'a>, verbose: bool) {
    let mine = if verbose { None } else { likeness(item) };
    let alike = |group: &&mut Vec<&Item<'_>>| mine.is_some() && likeness(group[0]) == mine;
    match groups.iter_mut().find(alike) {
        Some(group) => group.push(item),
        None => groups.push(vec![item]),
    }
}

/// Items with the same likeness are printed as one; none for what always stands alone.
fn likeness(item: &Item<'_>) -> Option<String> {
    let (kind, what) = match &item.act {
        Act::Create { spec, generation } => {
            let mut fields = value::common(&spec.fields());
            fields.remove("tags");
            (spec.kind(), format!("{generation} {}", Value::Object(fields)))
        }
        Act::Update { was, spec, .. } => (spec.kind(), diff_text(was, spec)),
        Act::Delete(Doomed { id: _, was, empty_first }) => (was.kind(), empty_first.to_string()),
        Act::Replace { order: _, spec, generation, old } => {
            let diffs: Vec<String> = old.iter().map(|old| diff_text(old.was, spec)).collect();
            (spec.kind(), format!("{generation} {}", diffs.join("\n")))
        }
        Act::Move { kind: _, ids: _, from } => {
            let owner = Address { key: None, part: None, ..(*from).clone() };
            return Some(format!("moved from {owner}"));
        }
        Act::Forget { .. } => return Some("forgotten".to_owned()),
        Act::Launch { .. }
        | Act::Quarantine { .. }
        | Act::Terminate { .. }
        | Act::Point { .. }
        | Act::Adopt { .. } => {
            return None;
        }
    };
    let (symbol, stem) = (item.act.symbol().mark(), value::stem(item.address));
    let whys: Vec<_> = item.whys.iter().map(|why| reason::why(why)).collect();
    Some(format!("{symbol} {kind} {stem} {whys:?} {what}"))
}

fn diff_text(was: &Spec, spec: &Spec) -> String {
    let rows = Diff::of(&value::general(&was.fields()), &value::general(&spec.fields()), &[], 0);
    rows.iter().map(Row::text).collect::<Vec<_>>().join("\n")
}

/// Nodes that go, now or in a while.
fn ending(act: &Act<'_>, rows: &mut Vec<Row>) -> Option<String> {
    if let Act::Quarantine { nodes, was, reasons, seconds } = act {
        *rows = quarantined((nodes, was), reasons, *seconds);
        return Some(format!("quarantine {}", words::nodes(nodes.len())));
    }
    let Act::Terminate { nodes, was } = act else { return None };
    rows.extend(terminated(nodes, was));
    Some(format!("terminate {}", words::nodes(nodes.len())))
}

fn reasons(item: &Item<'_>) -> Vec<Row> {
    item.whys.iter().filter_map(|why| reason::why(why)).map(note).collect()
}

pub(super) fn card(group: &[&Item<'_>], verbose: bool) -> Option<Card> {
    let (item, rest) = group.split_first()?;
    if let Some(card) = tagged(group) {
        return Some(card);
    }
    let mut rows = reasons(item);
    let (title, dim) = match &item.act {
        Act::Create { spec, generation } => {
            if *generation > 1 {
                rows.push(note(format!("generation {generation} of this address")));
            }
            let fields = spec.fields();
            let fields = if rest.is_empty() { fields } else { value::common(&fields) };
            rows.extend(created(&fields, verbose));
            (spec.kind().title().to_owned(), String::new())
        }
        Act::Update { id, was, spec } => {
            rows.extend(diff(was, spec, &[], !rest.is_empty()));
            (spec.kind().title().to_owned(), id.short().to_owned())
        }
        Act::Delete(doomed) => {
            rows.extend(contents(doomed));
            (doomed.was.kind().title().to_owned(), doomed.id.short().to_owned())
        }
        Act::Replace { order: _, spec, generation: _, old } => {
            rows = replaced(item, spec, old, !rest.is_empty());
            let ids: Vec<&str> = old.iter().map(|old| old.id.short()).collect();
            (spec.kind().title().to_owned(), ids.join(", "))
        }
        Act::Launch { batch, count: number, template, offers, tags } => {
            rows.push(dim("template", &serde_json::json!(template)));
            rows.extend(on_offers(offers, verbose));
            if verbose {
                rows.push(dim("batch", &serde_json::json!(batch)));
                rows.push(dim("tags", &serde_json::json!(tags)));
            }
            (format!("launch {}", words::nodes(*number as usize)), String::new())
        }
        Act::Point { name, ttl, was } => {
            rows.extend(led(was, verbose.then_some(*ttl)));
            (format!("lead {name} to them"), String::new())
        }
        Act::Quarantine { .. } | Act::Terminate { .. } => {
            let title = ending(&item.act, &mut rows)?;
            (title, String::new())
        }
        // These have cards of their own.
        Act::Move { .. } | Act::Adopt { .. } | Act::Forget { .. } => return None,
    };
    let (symbol, number) = (item.act.symbol(), group.len());
    if rest.is_empty() {
        return Some(Card { symbol, address: item.address.to_string(), title, dim, number, rows });
    }
    rows.insert(0, members(group));
    let (title, dim) = (format!("{title} × {}", group.len()), String::new());
    Some(Card { symbol, address: value::stem(item.address), title, dim, number, rows })
}

fn dim(name: &str, value: &serde_json::Value) -> Row {
    Row::at(BODY).words(Ink::Dim, format!("{name} = {}", value::inline(value)))
}

/// Where a name leads now, and for how long an answer may be kept.
fn led(was: &[String], ttl: Option<u32>) -> Vec<Row> {
    let now = (!was.is_empty()).then(|| format!("leads to {} now", was.join(", ")));
    let texts = now.into_iter().chain(ttl.map(|ttl| format!("ttl = {ttl}")));
    texts.map(|text| Row::at(BODY).words(Ink::Dim, text)).collect()
}

/// Objects of which nothing but the tags changes; none for others.
fn tagged(group: &[&Item<'_>]) -> Option<Card> {
    let (item, rest) = group.split_first()?;
    let (spec, id, says) = match &item.act {
        Act::Move { kind, ids, from } => return Some(moved(group, *kind, ids, from)),
        Act::Forget { .. } if !rest.is_empty() => {
            let says = "stay as they are, and are no longer the stack's";
            return Some(together(group, Symbol::Forget, says));
        }
        Act::Adopt { id, spec } => (spec, id, "exists, and becomes the stack's"),
        Act::Forget { id, was } => (was, id, "stays as it is, and is no longer the stack's"),
        Act::Create { .. }
        | Act::Update { .. }
        | Act::Delete(_)
        | Act::Replace { .. }
        | Act::Launch { .. }
        | Act::Point { .. }
        | Act::Quarantine { .. }
        | Act::Terminate { .. } => return None,
    };
    let (symbol, address) = (item.act.symbol(), item.address.to_string());
    let (title, dim) = (spec.kind().title().to_owned(), id.short().to_owned());
    Some(Card { symbol, address, title, dim, number: 1, rows: vec![note(says)] })
}

/// `# has moved: bucket.a -> bucket.b`. Objects of one block move together, whatever they are.
fn moved(group: &[&Item<'_>], kind: KindName, ids: &[CloudId], from: &Address) -> Card {
    let (symbol, to) = (Symbol::Move, group[0].address);
    if group.len() == 1 {
        let shorts: Vec<&str> = ids.iter().take(MOVED).map(CloudId::short).collect();
        let more = if ids.len() > MOVED { ", …" } else { "" };
        let title = match (kind, ids.len()) {
            (KindName::Node, number) => count(number, "node", "nodes"),
            (kind, _) => kind.title().to_owned(),
        };
        let dim = format!("{}{more}", shorts.join(", "));
        let rows = vec![note(format!("has moved: {from} -> {to}"))];
        return Card { symbol, address: to.to_string(), title, dim, number: 1, rows };
    }
    together(group, symbol, &format!("have moved: {} -> {}", block(from), block(to)))
}

/// The block of an object, whichever of its instances.
pub(super) fn block(address: &Address) -> Address {
    Address { key: None, part: None, ..address.clone() }
}

/// Objects of one block with which the same happens, whatever they are.
fn together(group: &[&Item<'_>], symbol: Symbol, says: &str) -> Card {
    let (address, title) = (block(group[0].address), format!("object × {}", group.len()));
    let rows = vec![note(says), members(group)];
    let (dim, number) = (String::new(), group.len());
    Card { symbol, address: address.to_string(), title, dim, number, rows }
}

fn note(text: impl AsRef<str>) -> Row {
    Row::at(BODY).hang(BODY + 2).words(Ink::Dim, format!("# {}", text.as_ref()))
}

/// What tells the members of a group apart: key, part, or both.
fn members(group: &[&Item<'_>]) -> Row {
    let names: Vec<String> = group
        .iter()
        .map(|item| {
            let text = item.address.to_string();
            match (&item.address.key, text.split_once('/')) {
                (None, Some((_, part))) => part.to_owned(),
                (None, None) => text,
                (Some(_), _) => {
                    let owner = Address { key: None, part: None, ..item.address.clone() };
                    text.strip_prefix(&owner.to_string()).unwrap_or(&text).to_owned()
                }
            }
        })
        .collect();
    Row::at(BODY).list(Ink::Plain, &names)
}

/// The fields of something new: a paragraph, or one per line with everything.
fn created(fields: &Map<String, Value>, verbose: bool) -> Vec<Row> {
    if !verbose {
        let mut fields = fields.clone();
        fields.remove("tags");
        let pairs = value::pairs(&fields);
        return if pairs.is_empty() {
            Vec::new()
        } else {
            vec![Row::at(BODY).list(Ink::Dim, &pairs)]
        };
    }
    let shown = || fields.iter().filter(|(_, value)| !value::is_blank(value));
    let wide = shown().map(|(key, _)| key.chars().count()).max().unwrap_or(0);
    let mut rows = Vec::new();
    for (key, field) in shown() {
        let row = Row::at(BODY).hang(BODY + 4).words(Ink::Plain, format!("{key:wide$} = "));
        rows.push(row.list(Ink::Plain, &[value::inline(field)]));
        for line in value::long(field).iter().flat_map(|text| text.lines()) {
            rows.push(Row::marked(BODY + 4, Ink::Add, "+").code(Ink::Add, line));
        }
    }
    rows
}

fn diff(was: &Spec, spec: &Spec, forced: &[String], many: bool) -> Vec<Row> {
    let (was, spec) = (was.fields(), spec.fields());
    if many {
        Diff::of(&value::general(&was), &value::general(&spec), forced, BODY)
    } else {
        Diff::of(&was, &spec, forced, BODY)
    }
}

fn contents(doomed: &Doomed<'_>) -> Option<Row> {
    let words = "# its contents are deleted with it";
    doomed.empty_first.then(|| Row::at(BODY).words(Ink::Warn, words))
}

/// The successor's reasons, and what differs from what it succeeds.
fn replaced(item: &Item<'_>, spec: &Spec, old: &[Doomed<'_>], many: bool) -> Vec<Row> {
    let says = item.whys.iter().filter_map(|why| reason::why_replaced(why));
    let mut rows: Vec<Row> = says.map(note).collect();
    for (i, doomed) in old.iter().enumerate() {
        if old.len() > 1 {
            rows.push(note(format!("in place of {}", doomed.id.short())));
        }
        rows.extend(contents(doomed));
        // Successors of several are compared with the first alone, which is enough to see why.
        if i == 0 && doomed.was.kind() == spec.kind() {
            rows.extend(diff(doomed.was, spec, item.forced(), many));
        }
    }
    rows
}
