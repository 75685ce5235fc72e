//! From a draft to steps in a safe order.

use std::collections::{BTreeMap, BTreeSet};

use crate::cloud::Observed;
use crate::kinds::walk::{FoundTarget, links};
use crate::kinds::{Action, KindName, Spec, Step, Why};
use crate::model::{Address, CloudId, Link};
use crate::stack::{Desired, Fleet};

use super::{Draft, Refusal, order};

/// The steps being ordered, with the indexes that the rules ask.
struct Board<'a> {
    desired: &'a Desired,
    steps: Vec<(Address, Action, Why)>,
    needs: Vec<BTreeSet<usize>>,
    /// The step that makes or changes what is declared at an address.
    making: BTreeMap<Address, usize>,
    /// The step that tags what stays at an address.
    tagging: BTreeMap<Address, usize>,
    /// The step that launches or terminates nodes at an address.
    nodes: BTreeMap<Address, Vec<usize>>,
    /// The step that deletes an object, or terminates a node.
    ending: BTreeMap<CloudId, usize>,
}

/// Orders the draft's steps.
pub(super) fn arrange(
    desired: &Desired,
    mut draft: Draft<'_>,
    observed: &Observed,
) -> Result<Vec<Step>, Refusal> {
    let mut board = Board::new(desired, &mut draft);
    board.birth();
    board.launches();
    if !draft.doomed.is_empty() || !board.ending.is_empty() {
        board.death(&draft, observed);
    }
    let names: Vec<&Address> = board.steps.iter().map(|(address, ..)| address).collect();
    let needs: Vec<Vec<usize>> =
        board.needs.iter().map(|needs| needs.iter().copied().collect()).collect();
    let order = order::renumber(&needs, &names)?;
    let mut place = vec![0; order.len()];
    for (new, old) in order.iter().enumerate() {
        place[*old] = new;
    }
    let mut steps: Vec<Option<(Address, Action, Why)>> =
        board.steps.into_iter().map(Some).collect();
    let sorted = order.iter().filter_map(|old| {
        let (address, action, why) = steps[*old].take()?;
        let mut needs: Vec<usize> = needs[*old].iter().map(|need| place[*need]).collect();
        needs.sort_unstable();
        Some(Step { address, action, why, needs })
    });
    // A step is large: no room for more of them than there are.
    let mut out = Vec::with_capacity(order.len());
    out.extend(sorted);
    Ok(out)
}

impl<'a> Board<'a> {
    fn new(desired: &'a Desired, draft: &mut Draft<'_>) -> Self {
        let mut steps = std::mem::take(&mut draft.steps);
        for (id, (live, why)) in &draft.doomed {
            // A blind object was refused before: every doomed one has a spec.
            let Some(was) = live.spec().cloned() else { continue };
            let empty_first = live.holds_data;
            let action = Action::Delete { id: id.clone(), was, empty_first };
            steps.push((live.owner.address.clone(), action, why.clone()));
        }
        let mut board = Self {
            desired,
            needs: vec![BTreeSet::new(); steps.len()],
            making: BTreeMap::new(),
            tagging: BTreeMap::new(),
            nodes: BTreeMap::new(),
            ending: BTreeMap::new(),
            steps,
        };
        for (at, (address, action, _)) in board.steps.iter().enumerate() {
            match action {
                Action::Create { .. } | Action::Update { .. } => {
                    board.making.insert(address.clone(), at);
                }
                Action::Move { .. } | Action::Adopt { .. } => {
                    board.tagging.insert(address.clone(), at);
                }
                // It stays, and nothing of the stack depends on whose it is.
                Action::Forget { .. } => {}
                Action::Delete { id, .. } => {
                    board.ending.insert(id.clone(), at);
                }
                Action::Launch { .. } | Action::Quarantine { .. } | Action::Point { .. } => {
                    board.nodes.entry(address.clone()).or_default().push(at);
                }
                Action::Terminate { nodes, .. } => {
                    board.nodes.entry(address.clone()).or_default().push(at);
                    board.ending.extend(nodes.iter().map(|node| (node.clone(), at)));
                }
            }
        }
        board
    }

    fn need(&mut self, step: usize, first: usize) {
        if step != first {
            self.needs[step].insert(first);
        }
    }

    fn need_made(&mut self, step: usize, address: &Address) {
        if let Some(first) = self.making.get(address).copied() {
            self.need(step, first);
        }
    }

    /// What links to an object, or follows it, comes after it.
    fn birth(&mut self) {
        let desired = self.desired;
        let followed: BTreeSet<KindName> =
            KindName::ALL.iter().flat_map(|kind| kind.traits().follows).copied().collect();
        let mut by_kind: BTreeMap<(Address, KindName), Vec<&Address>> = BTreeMap::new();
        for (address, spec) in &desired.specs {
            if followed.contains(&spec.kind()) {
                by_kind.entry((address.owner(), spec.kind())).or_default().push(address);
            }
        }
        for (address, spec) in &desired.specs {
            let Some(at) = self.making.get(address).copied() else { continue };
            if let Some(first) = self.tagging.get(address).copied() {
                self.need(at, first);
            }
            for to in declared_links(spec) {
                self.need_made(at, &to);
            }
            for to in desired.after.get(address).into_iter().flatten() {
                self.need_made(at, to);
            }
            for kind in spec.kind().traits().follows {
                for to in by_kind.get(&(address.owner(), *kind)).into_iter().flatten() {
                    self.need_made(at, to);
                }
            }
        }
    }

    /// The steps of a fleet come one after the other, as they were drawn up; its launches come
    /// after its template, its subnets, and what they were told to wait for.
    fn launches(&mut self) {
        for (address, steps) in self.nodes.clone() {
            let Some(fleet) = self.desired.fleets.get(&address) else {
                self.led_away(&steps);
                continue;
            };
            for pair in steps.windows(2) {
                self.need(pair[1], pair[0]);
            }
            for at in steps {
                if matches!(self.steps[at].1, Action::Launch { .. }) {
                    self.launch(at, &address, fleet);
                }
                if let (Action::Point { .. }, Some(published)) =
                    (&self.steps[at].1, &fleet.published)
                {
                    self.need_made(at, &published.zone);
                }
            }
        }
    }

    /// Nodes of what is no longer declared end after names have stopped leading to them.
    fn led_away(&mut self, steps: &[usize]) {
        let is_change = |(_, action, _): &(Address, Action, Why)| match action {
            Action::Update { spec: Spec::HostedZone(_), fields, .. } => {
                fields.iter().any(|field| field == "records")
            }
            Action::Update { .. }
            | Action::Create { .. }
            | Action::Delete { .. }
            | Action::Launch { .. }
            | Action::Quarantine { .. }
            | Action::Terminate { .. }
            | Action::Point { .. }
            | Action::Move { .. }
            | Action::Adopt { .. }
            | Action::Forget { .. } => false,
        };
        let changes: Vec<usize> =
            (0..self.steps.len()).filter(|at| is_change(&self.steps[*at])).collect();
        for (at, first) in steps.iter().flat_map(|at| changes.iter().map(|first| (*at, *first))) {
            self.need(at, first);
        }
    }

    fn launch(&mut self, at: usize, address: &Address, fleet: &Fleet) {
        self.need_made(at, &fleet.template);
        for offer in &fleet.offers {
            if let Link::To(to) = &offer.subnet {
                self.need_made(at, to);
            }
            if let Some(Link::To(to)) = &offer.placement {
                self.need_made(at, to);
            }
        }
        let desired = self.desired;
        for to in desired.after.get(address).into_iter().flatten() {
            self.need_made(at, to);
        }
    }

    fn death(&mut self, draft: &Draft<'_>, observed: &Observed) {
        let users = users(observed);
        let early = self.early(draft, &users);
        let (empty, none) = (BTreeSet::new(), Vec::new());
        let mut followers: BTreeMap<(Address, KindName), Vec<&CloudId>> = BTreeMap::new();
        for (id, (live, _)) in &draft.doomed {
            for kind in live.kind.traits().follows {
                followers.entry((live.owner.address.owner(), *kind)).or_default().push(id);
            }
        }
        for (id, (live, _)) in &draft.doomed {
            let Some(at) = self.ending.get(id).copied() else { continue };
            let is_early = early.contains(id);
            for user in users.get(id).unwrap_or(&empty) {
                match self.ending.get(user).copied() {
                    Some(end) => self.need(at, end),
                    None if is_early => {}
                    // It stays, and moves off first.
                    None => {
                        if let Some(live) = observed.live.get(user) {
                            self.need_made(at, &live.owner.address);
                        }
                    }
                }
            }
            // Adopted first, so that it stays the stack's until it is gone.
            if let Some(first) = self.tagging.get(&live.owner.address).copied() {
                self.need(at, first);
            }
            if !is_early {
                self.need_made(at, &live.owner.address);
            }
            for follower in followers.get(&(live.owner.address.owner(), live.kind)).unwrap_or(&none)
            {
                if let Some(end) = self.ending.get(*follower).copied() {
                    self.need(at, end);
                }
            }
        }
        self.early_before_births(draft, &early);
        if self.desired.destroy {
            self.in_reverse(draft);
        }
    }

    /// When everything goes, what was told to come after something goes before it.
    fn in_reverse(&mut self, draft: &Draft<'_>) {
        let desired = self.desired;
        if desired.after.is_empty() {
            return;
        }
        let mut ends: BTreeMap<&Address, Vec<usize>> = BTreeMap::new();
        for (id, (live, _)) in &draft.doomed {
            if let Some(end) = self.ending.get(id) {
                ends.entry(&live.owner.address).or_default().push(*end);
            }
        }
        for (address, steps) in &self.nodes {
            ends.entry(address).or_default().extend(steps);
        }
        let mut needs = Vec::new();
        for (later, firsts) in &desired.after {
            for first in firsts {
                for end in ends.get(first).into_iter().flatten() {
                    needs.extend(ends.get(later).into_iter().flatten().map(|late| (*end, *late)));
                }
            }
        }
        for (end, late) in needs {
            self.need(end, late);
        }
    }

    /// Doomed objects that cannot coexist with their successor, and all that stands on
    /// them: they go before anything is made in their place.
    fn early(
        &self,
        draft: &Draft<'_>,
        users: &BTreeMap<CloudId, BTreeSet<CloudId>>,
    ) -> BTreeSet<CloudId> {
        let claims: BTreeSet<String> = self.claims().into_keys().collect();
        let mut todo: Vec<CloudId> = draft
            .doomed
            .iter()
            .filter(|(_, (live, _))| {
                live.spec().and_then(Spec::claim).is_some_and(|claim| claims.contains(&claim))
            })
            .map(|(id, _)| id.clone())
            .collect();
        let mut early = BTreeSet::new();
        while let Some(id) = todo.pop() {
            let doomed = |user: &&CloudId| draft.doomed.contains_key(*user);
            let on_it = users.get(&id).into_iter().flatten().filter(doomed).cloned();
            if early.insert(id.clone()) {
                todo.extend(on_it);
            }
        }
        early
    }

    fn claims(&self) -> BTreeMap<String, usize> {
        self.steps
            .iter()
            .enumerate()
            .filter_map(|(at, (_, action, _))| match action {
                Action::Create { spec, .. } => spec.claim().map(|claim| (claim, at)),
                Action::Update { .. }
                | Action::Delete { .. }
                | Action::Launch { .. }
                | Action::Quarantine { .. }
                | Action::Terminate { .. }
                | Action::Point { .. }
                | Action::Move { .. }
                | Action::Adopt { .. }
                | Action::Forget { .. } => None,
            })
            .collect()
    }

    fn early_before_births(&mut self, draft: &Draft<'_>, early: &BTreeSet<CloudId>) {
        let claims = self.claims();
        for id in early {
            let claim = draft.doomed.get(id).and_then(|(live, _)| live.spec()?.claim());
            if let (Some(create), Some(end)) =
                (claim.and_then(|claim| claims.get(&claim)).copied(), self.ending.get(id).copied())
            {
                self.need(create, end);
            }
        }
    }
}

/// The addresses that a declared spec links to.
fn declared_links(spec: &Spec) -> impl Iterator<Item = Address> {
    links(spec).into_iter().filter_map(|found| match found.target {
        FoundTarget::Address(address) => Some(address),
        FoundTarget::Id(_) => None,
    })
}

/// Who links to an object.
fn users(observed: &Observed) -> BTreeMap<CloudId, BTreeSet<CloudId>> {
    let mut users: BTreeMap<CloudId, BTreeSet<CloudId>> = BTreeMap::new();
    for (id, live) in &observed.live {
        for found in live.spec().map(links).unwrap_or_default() {
            if let FoundTarget::Id(to) = found.target {
                users.entry(to).or_default().insert(id.clone());
            }
        }
    }
    users
}
