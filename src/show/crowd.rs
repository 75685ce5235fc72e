//! Plans that do more than anybody reads: what is alike is told once, with its number.
//!
//! The short form of a plan stays short: changes are grouped by what happens to which
//! kind of object and where, and where that gives too many groups, more coarsely. Every
//! group shows its first members and one of them as an example. `-v` shows each change.

use std::collections::BTreeMap;

use super::card::{self, BODY, Card};
use super::fold::{Row, count};
use super::item::{Act, Item, Symbol};
use super::reason;
use super::screen::{Ink, Screen};
use super::value;
use crate::kinds::{KindName, Spec, differing};
use crate::model::{Address, Block, Name, Part};

/// A plan with more changes than this is folded.
const MANY: usize = 100;
/// Groups that are shown one by one.
const GROUPS: usize = 16;
/// Members of a group that are named.
const NAMED: usize = 3;
/// Rows that an example may take.
const ROWS: usize = 6;

/// Whether a plan is to be folded.
pub(super) fn is_one(items: &[Item<'_>], screen: &Screen) -> bool {
    !screen.verbose && items.len() > MANY
}

/// What the members of a group have in common. The order is that of printing: what goes
/// stands last, next to the totals.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Like<'a> {
    symbol: Symbol,
    kind: KindName,
    module: Option<Vec<&'a Name>>,
    block: Option<Block>,
    name: Option<&'a Name>,
    part: Option<String>,
    /// Reasons, and fields that change.
    note: Option<String>,
}

/// How coarse the groups are: each level leaves one more thing out.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Level {
    module: bool,
    name: bool,
    part: bool,
    note: bool,
}

/// From fine to coarse.
const LEVELS: [Level; 6] = [
    Level { module: true, name: true, part: true, note: true },
    Level { module: false, name: true, part: true, note: true },
    Level { module: true, name: false, part: true, note: true },
    Level { module: false, name: false, part: true, note: true },
    Level { module: false, name: false, part: false, note: true },
    Level { module: false, name: false, part: false, note: false },
];

type Groups<'a, 'i> = BTreeMap<Like<'a>, Vec<&'i Item<'a>>>;

/// One card for each group, and what is to be said below them.
pub(super) fn cards(items: &[Item<'_>]) -> (Vec<Card>, String) {
    let groups = groups(items);
    let (all, shown) = (groups.len(), groups.len().min(GROUPS));
    // Where even the coarsest groups are too many, the largest stand for all.
    let mut sizes: Vec<usize> = groups.values().map(Vec::len).collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    let least = sizes.get(GROUPS.saturating_sub(1)).copied().unwrap_or(0);
    let mut left = items.len();
    let mut cards = Vec::new();
    for group in groups.values().filter(|group| group.len() >= least).take(shown) {
        left -= group.len();
        cards.extend(card(group));
    }
    let mut text = format!("{} changes in {}", items.len(), count(all, "group", "groups"));
    if left > 0 {
        text.push_str(&format!(", {left} of them not shown"));
    }
    text.push_str("; -v shows each one.");
    (cards, text)
}

/// The finest groups of which there are few enough.
fn groups<'a, 'i>(items: &'i [Item<'a>]) -> Groups<'a, 'i> {
    let mut groups = Groups::new();
    for (at, level) in LEVELS.into_iter().enumerate() {
        groups.clear();
        let last = at + 1 == LEVELS.len();
        let all = items.iter().all(|item| {
            groups.entry(like(item, level)).or_default().push(item);
            last || groups.len() <= GROUPS
        });
        if all {
            break;
        }
    }
    groups
}

fn like<'a>(item: &Item<'a>, level: Level) -> Like<'a> {
    let Address { module, block, name, key: _, part } = item.address;
    let part = part.as_ref().map(|Part(part)| value::part_stem(part));
    Like {
        symbol: item.act.symbol(),
        kind: kind(&item.act),
        module: level.module.then(|| module.iter().map(|module| &module.name).collect()),
        block: level.part.then_some(*block),
        name: level.name.then_some(name),
        part: part.filter(|_| level.part),
        note: level.note.then(|| note(item)),
    }
}

fn kind(act: &Act<'_>) -> KindName {
    match act {
        Act::Create { spec, .. }
        | Act::Update { spec, .. }
        | Act::Replace { spec, .. }
        | Act::Adopt { spec, .. }
        | Act::Forget { was: spec, .. } => spec.kind(),
        Act::Delete(doomed) => doomed.was.kind(),
        Act::Move { kind, .. } => *kind,
        Act::Launch { .. } | Act::Quarantine { .. } | Act::Terminate { .. } => KindName::Node,
        Act::Point { .. } => KindName::HostedZone,
    }
}

/// What tells changes of one sort apart: why, which fields, and whether data goes.
fn note(item: &Item<'_>) -> String {
    let mut words: Vec<String> = item.whys.iter().filter_map(|why| reason::why(why)).collect();
    let mut fields = |was: &Spec, spec: &Spec| words.extend(differing(was, spec));
    match &item.act {
        Act::Update { was, spec, .. } => fields(was, spec),
        Act::Delete(doomed) if doomed.empty_first => words.push("contents".to_owned()),
        Act::Replace { old, .. } if old.iter().any(|old| old.empty_first) => {
            words.push("contents".to_owned());
        }
        Act::Create { .. }
        | Act::Delete(_)
        | Act::Replace { .. }
        | Act::Launch { .. }
        | Act::Point { .. }
        | Act::Quarantine { .. }
        | Act::Terminate { .. }
        | Act::Move { .. }
        | Act::Adopt { .. }
        | Act::Forget { .. } => {}
    }
    words.join(", ")
}

fn card(group: &[&Item<'_>]) -> Option<Card> {
    let (first, rest) = group.split_first()?;
    let mut card = card::card(&[*first], false)?;
    if rest.is_empty() {
        card.shorten(ROWS);
        return Some(card);
    }
    card.shorten(ROWS - 1);
    let title = match &first.act {
        Act::Launch { .. } => format!("launch {}", nodes(group)),
        Act::Quarantine { .. } => format!("quarantine {}", nodes(group)),
        Act::Terminate { .. } => format!("terminate {}", nodes(group)),
        Act::Create { .. }
        | Act::Update { .. }
        | Act::Delete(_)
        | Act::Replace { .. }
        | Act::Point { .. }
        | Act::Move { .. }
        | Act::Adopt { .. }
        | Act::Forget { .. } => {
            format!("{} × {}", kind(&first.act).title(), group.len())
        }
    };
    let named = group.iter().take(NAMED).map(|item| item.address.to_string());
    let mut members = named.collect::<Vec<_>>().join(", ");
    if group.len() > NAMED {
        members.push_str(&format!(" and {} more", group.len() - NAMED));
    }
    let mut rows = vec![Row::at(BODY).words(Ink::Plain, members)];
    if !card.is_bare() {
        let example = format!("for example {}:", first.address);
        rows.push(Row::at(BODY).words(Ink::Dim, example));
    }
    Some(card.standing_for((pattern(group), group.len()), title, rows))
}

fn nodes(group: &[&Item<'_>]) -> String {
    let number = group.iter().map(|item| match &item.act {
        Act::Launch { count, .. } => usize::try_from(*count).unwrap_or(usize::MAX),
        Act::Quarantine { nodes, .. } | Act::Terminate { nodes, .. } => nodes.len(),
        Act::Create { .. }
        | Act::Update { .. }
        | Act::Delete(_)
        | Act::Replace { .. }
        | Act::Point { .. }
        | Act::Move { .. }
        | Act::Adopt { .. }
        | Act::Forget { .. } => 0,
    });
    count(number.sum(), "node", "nodes")
}

/// The addresses of all members, with stars for what tells them apart.
fn pattern(group: &[&Item<'_>]) -> String {
    let same = |part: &dyn Fn(&Address) -> String| {
        let mut parts = group.iter().map(|item| part(item.address));
        let first = parts.next().unwrap_or_default();
        if parts.all(|part| part == first) { first } else { "*".to_owned() }
    };
    let modules = |keys: bool| {
        same(&|a| {
            let shown = a.module.iter().map(|module| match (&module.key, keys) {
                (Some(_), true) | (None, _) => format!("{module}."),
                (Some(_), false) => format!("module.{}[*].", module.name),
            });
            shown.collect()
        })
    };
    let module = match (modules(true), modules(false)) {
        (exact, _) if exact != "*" => exact,
        (_, stem) if stem != "*" => stem,
        _ => "module.*.".to_owned(),
    };
    let block = same(&|a| a.block.word().to_owned());
    let name = same(&|a| a.name.to_string());
    let key =
        if name != "*" && group.iter().any(|item| item.address.key.is_some()) { "[*]" } else { "" };
    let part = |a: &Address| a.part.as_ref().map_or(String::new(), |Part(part)| format!("/{part}"));
    let part = match same(&part).as_str() {
        "*" => "/*".to_owned(),
        part => part.to_owned(),
    };
    format!("{module}{block}.{name}{key}{part}")
}
