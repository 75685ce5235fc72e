//! The steps of a plan as a person counts them: a replacement is one thing, although
//! it is a Create now and a Delete at the end.

use std::collections::BTreeMap;

use super::screen::Ink;
use crate::kinds::{Action, KindName, Node, Offer, Plan, Spec, StepId, Tags, Why};
use crate::model::{Address, CloudId, Link, TemplateId};

/// What happens to one object, or to some nodes.
#[derive(Clone, Debug)]
pub(super) struct Item<'a> {
    /// Where it is, or was, declared.
    pub address: &'a Address,
    /// What happens.
    pub act: Act<'a>,
    /// Why: the reasons of its steps.
    pub whys: Vec<&'a Why>,
    /// The steps behind it, in the plan's order.
    pub steps: Vec<StepId>,
}

/// [`Action`], with replacements joined.
#[derive(Clone, Debug)]
pub(super) enum Act<'a> {
    Create {
        spec: &'a Spec,
        generation: u32,
    },
    Update {
        id: &'a CloudId,
        was: &'a Spec,
        spec: &'a Spec,
    },
    Delete(Doomed<'a>),
    Replace {
        order: Order,
        spec: &'a Spec,
        generation: u32,
        old: Vec<Doomed<'a>>,
    },
    Launch {
        batch: u32,
        count: u32,
        template: &'a Link<TemplateId>,
        offers: &'a [Offer],
        tags: &'a Tags,
    },
    Quarantine {
        nodes: &'a [CloudId],
        was: &'a [Node],
        reasons: &'a [String],
        seconds: u32,
    },
    Terminate {
        nodes: &'a [CloudId],
        was: &'a [Node],
    },
    Point {
        name: &'a str,
        ttl: u32,
        was: &'a [String],
    },
    Move {
        kind: KindName,
        ids: &'a [CloudId],
        from: &'a Address,
    },
    Adopt {
        id: &'a CloudId,
        spec: &'a Spec,
    },
    Forget {
        id: &'a CloudId,
        was: &'a Spec,
    },
}

/// Which half of a replacement comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// What cannot coexist with its successor goes first.
    DeleteFirst,
    /// The successor is there before the old one goes.
    CreateFirst,
}

/// An object that goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Doomed<'a> {
    /// Which.
    pub id: &'a CloudId,
    /// What it is.
    pub was: &'a Spec,
    /// Its contents go with it.
    pub empty_first: bool,
}

/// Everything that the plan does, by address.
pub(super) fn items(plan: &Plan) -> Vec<Item<'_>> {
    let mut by_address: BTreeMap<&Address, Vec<Item<'_>>> = BTreeMap::new();
    for (id, step) in plan.steps.iter().enumerate() {
        let item = Item {
            address: &step.address,
            act: act(&step.action),
            whys: vec![&step.why],
            steps: vec![id],
        };
        by_address.entry(&step.address).or_default().push(item);
    }
    by_address.into_values().flat_map(join).collect()
}

fn act(action: &Action) -> Act<'_> {
    match action {
        Action::Create { spec, generation, named: _ } => {
            Act::Create { spec, generation: *generation }
        }
        Action::Update { id, was, spec, fields: _ } => Act::Update { id, was, spec },
        Action::Delete { id, was, empty_first } => {
            Act::Delete(Doomed { id, was, empty_first: *empty_first })
        }
        Action::Launch { batch, count, gang: _, template, offers, tags, care: _ } => {
            Act::Launch { batch: *batch, count: *count, template, offers, tags }
        }
        Action::Quarantine { nodes, was, reasons, seconds } => {
            Act::Quarantine { nodes, was, reasons, seconds: *seconds }
        }
        Action::Terminate { nodes, was, drain: _, once: _ } => Act::Terminate { nodes, was },
        Action::Point { name, ttl, was, .. } => Act::Point { name, ttl: *ttl, was },
        Action::Move { kind, ids, from, tags: _ } => Act::Move { kind: *kind, ids, from },
        Action::Adopt { id, spec } => Act::Adopt { id, spec },
        Action::Forget { id, was } => Act::Forget { id, was },
    }
}

/// A name that is pointed again and again is told once.
fn once(items: Vec<Item<'_>>) -> Vec<Item<'_>> {
    let mut out: Vec<Item<'_>> = Vec::with_capacity(items.len());
    for item in items {
        let is_point = |item: &Item<'_>| matches!(item.act, Act::Point { .. });
        match out.iter_mut().find(|other| is_point(other)) {
            Some(first) if is_point(&item) => first.steps.extend(item.steps),
            Some(_) | None => out.push(item),
        }
    }
    out
}

/// Joins the Create of an address with its Deletes.
fn join(items: Vec<Item<'_>>) -> Vec<Item<'_>> {
    let items = once(items);
    let made = items.iter().find_map(|item| match item.act {
        Act::Create { spec, generation } => Some((spec, generation)),
        Act::Update { .. }
        | Act::Delete(_)
        | Act::Replace { .. }
        | Act::Launch { .. }
        | Act::Point { .. }
        | Act::Quarantine { .. }
        | Act::Terminate { .. }
        | Act::Move { .. }
        | Act::Adopt { .. }
        | Act::Forget { .. } => None,
    });
    let (halves, mut out): (Vec<_>, Vec<_>) = items.into_iter().partition(|item| match item.act {
        Act::Create { .. } | Act::Delete(_) => true,
        Act::Update { .. }
        | Act::Replace { .. }
        | Act::Launch { .. }
        | Act::Point { .. }
        | Act::Quarantine { .. }
        | Act::Terminate { .. }
        | Act::Move { .. }
        | Act::Adopt { .. }
        | Act::Forget { .. } => false,
    });
    let old: Vec<Doomed<'_>> = halves.iter().filter_map(Item::doomed).collect();
    match (made, halves.first()) {
        (Some((spec, generation)), Some(first)) if !old.is_empty() => {
            let order =
                if first.doomed().is_some() { Order::DeleteFirst } else { Order::CreateFirst };
            // The cloud's failure is a reason for both halves, and is told once.
            let mut whys: Vec<&Why> = Vec::new();
            for why in halves.iter().flat_map(|half| &half.whys) {
                if !whys.contains(why) {
                    whys.push(why);
                }
            }
            out.insert(
                0,
                Item {
                    address: first.address,
                    act: Act::Replace { order, spec, generation, old },
                    whys,
                    steps: halves.iter().flat_map(|half| half.steps.clone()).collect(),
                },
            );
            out
        }
        (Some(_) | None, Some(_) | None) => halves.into_iter().chain(out).collect(),
    }
}

impl<'a> Item<'a> {
    fn doomed(&self) -> Option<Doomed<'a>> {
        match self.act {
            Act::Delete(doomed) => Some(doomed),
            Act::Create { .. }
            | Act::Update { .. }
            | Act::Replace { .. }
            | Act::Launch { .. }
            | Act::Point { .. }
            | Act::Quarantine { .. }
            | Act::Terminate { .. }
            | Act::Move { .. }
            | Act::Adopt { .. }
            | Act::Forget { .. } => None,
        }
    }

    /// The fields that force a replacement.
    pub(super) fn forced(&self) -> &'a [String] {
        for why in &self.whys {
            if let Why::Replaces { ids: _, fields } = why {
                return fields;
            }
        }
        &[]
    }
}

/// The sign in front of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Symbol {
    Create,
    Update,
    Delete,
    DeleteCreate,
    CreateDelete,
    Launch,
    Quarantine,
    Terminate,
    Move,
    Adopt,
    Forget,
}

impl Symbol {
    /// In the order of the legend.
    pub(super) const ALL: [Self; 11] = [
        Self::Create,
        Self::Update,
        Self::Delete,
        Self::DeleteCreate,
        Self::CreateDelete,
        Self::Launch,
        Self::Quarantine,
        Self::Terminate,
        Self::Move,
        Self::Adopt,
        Self::Forget,
    ];

    /// The sign.
    pub(super) fn mark(self) -> &'static str {
        match self {
            Self::Create | Self::Launch => "+",
            Self::Update => "~",
            Self::Quarantine => "!",
            Self::Delete | Self::Terminate => "-",
            Self::DeleteCreate => "-/+",
            Self::CreateDelete => "+/-",
            Self::Move => "->",
            Self::Adopt => "in",
            Self::Forget => "out",
        }
    }

    /// The sign in words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update in-place",
            Self::Delete => "delete",
            Self::DeleteCreate => "delete and then create replacement",
            Self::CreateDelete => "create replacement and then delete",
            Self::Launch => "launch nodes",
            Self::Quarantine => "quarantine nodes: they count no more, and are kept for a while",
            Self::Terminate => "terminate nodes",
            Self::Move => "move to another address; the object stays as it is",
            Self::Adopt => "adopt into the stack",
            Self::Forget => "forget; the object stays and is nobody's",
        }
    }

    /// In a word.
    pub(super) fn verb(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "change",
            Self::Delete => "delete",
            Self::DeleteCreate | Self::CreateDelete => "replace",
            Self::Launch => "launch",
            Self::Quarantine => "quarantine",
            Self::Terminate => "terminate",
            Self::Move => "move",
            Self::Adopt => "adopt",
            Self::Forget => "forget",
        }
    }

    /// Its colour.
    pub(super) fn ink(self) -> Ink {
        match self {
            Self::Create | Self::Launch => Ink::Add,
            Self::Update => Ink::Change,
            Self::Delete | Self::Terminate | Self::DeleteCreate => Ink::Remove,
            Self::Move | Self::Adopt => Ink::Change,
            Self::CreateDelete | Self::Forget | Self::Quarantine => Ink::Warn,
        }
    }
}

impl Act<'_> {
    /// The sign for it.
    pub(super) fn symbol(&self) -> Symbol {
        match self {
            Self::Create { .. } => Symbol::Create,
            Self::Update { .. } => Symbol::Update,
            Self::Delete(_) => Symbol::Delete,
            Self::Replace { order: Order::DeleteFirst, .. } => Symbol::DeleteCreate,
            Self::Replace { order: Order::CreateFirst, .. } => Symbol::CreateDelete,
            Self::Launch { .. } => Symbol::Launch,
            Self::Quarantine { .. } => Symbol::Quarantine,
            Self::Terminate { .. } => Symbol::Terminate,
            Self::Point { was, .. } => match was.is_empty() {
                true => Symbol::Create,
                false => Symbol::Update,
            },
            Self::Move { .. } => Symbol::Move,
            Self::Adopt { .. } => Symbol::Adopt,
            Self::Forget { .. } => Symbol::Forget,
        }
    }
}

/// How much a plan does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub add: usize,
    pub change: usize,
    pub delete: usize,
    pub launch: usize,
    pub quarantine: usize,
    pub terminate: usize,
    pub moved: usize,
    pub adopted: usize,
    pub forgotten: usize,
}

/// Counts a plan; a replacement counts as one to add and one to delete.
pub(super) fn sums(plan: &Plan) -> Sums {
    plan.steps.iter().fold(Sums::default(), |sums, step| sums.with(&step.action))
}

impl Sums {
    /// With one more action.
    #[must_use]
    pub(super) fn with(mut self, action: &Action) -> Self {
        match action {
            Action::Create { .. } => self.add += 1,
            Action::Update { .. } => self.change += 1,
            Action::Delete { .. } => self.delete += 1,
            Action::Launch { count, .. } => {
                self.launch += usize::try_from(*count).unwrap_or(usize::MAX);
            }
            Action::Quarantine { nodes, .. } => self.quarantine += nodes.len(),
            Action::Terminate { nodes, .. } => self.terminate += nodes.len(),
            Action::Point { was, .. } if was.is_empty() => self.add += 1,
            Action::Point { .. } => self.change += 1,
            Action::Move { ids, .. } => self.moved += ids.len(),
            Action::Adopt { .. } => self.adopted += 1,
            Action::Forget { .. } => self.forgotten += 1,
        }
        self
    }
}
