//! Nodes that have failed: which of them are kept to be looked at, which end at once, and what
//! decisions learn from each. Pure.
//!
//! Decisions know nodes by their states; the mark that says until when a node is kept, and why,
//! is the same tag as in clusters of a fixed size, so that `mlinfra nodes` and the console tell
//! of both in the same words.

use std::collections::BTreeMap;

use crate::cloud::{Checks, Condition, Observed};
use crate::fleet::{self, Alert, Attempt, Decision, NodeId, Outcome, State, Turn, TurnTo, TurnWhy};
use crate::kinds::Care;
use crate::model::CloudId;

use super::view::Watch;

/// What becomes of nodes that have failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aside {
    /// They are kept, for these reasons.
    pub keep: BTreeMap<CloudId, String>,
    /// They end at once, for these.
    pub end: BTreeMap<CloudId, String>,
}

impl Aside {
    /// Tells of it in the decision: what it gives up and is kept goes later, and what it did not
    /// know to have failed turns, too.
    pub fn tell(&self, decision: &mut Decision) {
        let kept = self.keep.iter().map(|found| (found, TurnTo::Quarantine));
        let gone = self.end.iter().map(|found| (found, TurnTo::Terminate));
        for ((id, how), to) in kept.chain(gone) {
            let node = NodeId::from(id.as_str());
            decision.turns.retain(|turn| turn.node != node);
            let why = TurnWhy::Unhealthy { how: how.clone() };
            decision.turns.push(Turn { node, to, why });
        }
    }
}

/// Nodes that serve no more since the cloud's checks of their machines fail.
pub fn impaired((fleet, observed): (&fleet::Fleet, &Observed)) -> Vec<Alert> {
    let lost = fleet.nodes.iter().filter(|node| node.state == State::Lost);
    let alert = |node: &fleet::Node| {
        let condition = observed.conditions.get(&CloudId::from(node.id.as_str()))?;
        let Some(Checks::Bad(what)) = &condition.checks else { return None };
        Some(Alert::Impaired { node: node.id.clone(), what: what.clone() })
    };
    lost.filter_map(alert).collect()
}

/// Nodes whose own word has just become that they have failed: they have never served. Each is
/// told once, by its launch, so that a node that was launched later and serves closes the book.
pub fn news(
    before: &Watch,
    (fleet, observed): (&fleet::Fleet, &Observed),
    first: u64,
) -> Vec<Attempt> {
    let failed = fleet.nodes.iter().filter(|node| {
        let id = CloudId::from(node.id.as_str());
        node.state == State::Quarantined && before.never_served(&id) && !is_kept(observed, &id)
    });
    let attempt = |(number, node): (u64, &fleet::Node)| Attempt {
        number,
        batch: node.batch,
        offer: node.offer.clone(),
        at: node.launched_at,
        outcome: Outcome::Failed { count: 1 },
    };
    (first..).zip(failed).map(attempt).collect()
}

fn is_kept(observed: &Observed, id: &CloudId) -> bool {
    observed.conditions.get(id).is_some_and(|it| it.quarantine.is_some())
}

/// Who is kept, of those that say themselves that they have failed and those that a decision
/// gives up because they never came to serve: as many as the cluster keeps, the others end. What
/// still has a job is ended by nobody.
pub fn aside(
    care: Care,
    (fleet, observed): (&fleet::Fleet, &Observed),
    decision: &Decision,
) -> Aside {
    let mut out = Aside::default();
    if fleet.blind.is_some() {
        return out;
    }
    let known = |id: &CloudId| observed.conditions.get(id).cloned().unwrap_or_default();
    let kept = fleet.nodes.iter().filter(|node| is_kept(observed, &node.id.as_str().into()));
    let most = usize::try_from(care.keep).unwrap_or(usize::MAX);
    let mut room = if care.quarantine == 0 { 0 } else { most.saturating_sub(kept.count()) };
    let late = late(fleet, decision);
    for node in &fleet.nodes {
        let id = CloudId::from(node.id.as_str());
        let condition = known(&id);
        let says = node.state == State::Quarantined && condition.quarantine.is_none();
        let how = match late.get(&node.id) {
            Some(minutes) => {
                format!("not ready for {minutes} minutes: {}", condition.last_word())
            }
            None if says => how(&condition),
            None => continue,
        };
        if room > 0 {
            room -= 1;
            out.keep.insert(id, how);
        } else if !condition.is_busy() {
            out.end.insert(id, how);
        }
    }
    out
}

fn how(condition: &Condition) -> String {
    condition.reason.clone().unwrap_or_else(|| "it says that it is unhealthy".to_owned())
}

/// Nodes that a decision gives up while they boot, and for how many minutes they have.
fn late<'a>(fleet: &fleet::Fleet, decision: &'a Decision) -> BTreeMap<&'a NodeId, u32> {
    let boots =
        |id: &NodeId| fleet.nodes.iter().any(|node| node.id == *id && node.state == State::Booting);
    let turns = decision.turns.iter().filter(|turn| turn.to == TurnTo::Terminate);
    let timed = turns.filter_map(|turn| {
        let TurnWhy::TimedOut { after } = &turn.why else { return None };
        boots(&turn.node).then_some((&turn.node, after.0 / 60))
    });
    timed.collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{World, nodes};
    use super::super::view::View;
    use super::*;
    use crate::catalog::Catalog;
    use crate::cloud::{Phase, Quarantine};
    use crate::fleet::Seconds;
    use crate::model::Moment;

    fn look(world: &World, watch: &mut Watch) -> fleet::Fleet {
        let (address, template) = (nodes(), CloudId::from("lt-2"));
        let (address, template, catalog) = (&address, Some(&template), Catalog::shipped());
        let (offers, attempts, now) = (&[][..], &[][..], Moment(9000));
        let wanted = &world.fleet;
        View { address, wanted, template, offers, attempts, catalog, now }
            .of(&world.observed, watch)
    }

    fn ids(some: &BTreeMap<CloudId, String>) -> Vec<&str> {
        some.keys().map(CloudId::as_str).collect()
    }

    #[test]
    fn as_many_are_kept_as_the_cluster_keeps_and_the_rest_end() {
        let mut world = World::new();
        for id in ["i-1", "i-2", "i-3", "i-4"] {
            world.node(id, Phase::Ready, Some("unhealthy"));
        }
        world.node("i-5", Phase::Ready, Some("idle"));
        let of = |world: &mut World, id: &str, change: &dyn Fn(&mut Condition)| {
            change(world.observed.conditions.get_mut(&CloudId::from(id)).expect("it"));
        };
        of(&mut world, "i-1", &|it| {
            it.quarantine = Some(Quarantine { until: None, reason: String::new() });
        });
        of(&mut world, "i-2", &|it| it.reason = Some("check: 7 of 8 GPUs".to_owned()));
        of(&mut world, "i-3", &|it| it.job = Some("train-17".to_owned()));
        let mut watch = Watch::default();
        let fleet = look(&world, &mut watch);
        let decision = Decision::default();
        let care = Care { keep: 2, ..Care::default() };
        let found = aside(care, (&fleet, &world.observed), &decision);
        // One is kept already; a job is ended by nobody.
        let want = BTreeMap::from([("i-2".into(), "check: 7 of 8 GPUs".to_owned())]);
        assert_eq!((found.keep, ids(&found.end)), (want, vec!["i-4"]));
        let none = aside(Care { quarantine: 0, ..care }, (&fleet, &world.observed), &decision);
        assert_eq!((none.keep.len(), ids(&none.end)), (0, vec!["i-2", "i-4"]));
        let blind = fleet::Fleet { blind: Some("x".to_owned()), ..fleet };
        assert_eq!(aside(care, (&blind, &world.observed), &decision), Aside::default());
    }

    #[test]
    fn one_that_never_comes_up_is_kept_in_place_of_its_end() {
        let mut world = World::new();
        world.node("i-1", Phase::Ready, Some("booting"));
        let fleet = look(&world, &mut Watch::default());
        let why = TurnWhy::TimedOut { after: Seconds(1200) };
        let turn = fleet::Turn { node: "i-1".into(), to: TurnTo::Terminate, why };
        let decision = Decision { turns: vec![turn], ..Decision::default() };
        let found = aside(Care::default(), (&fleet, &world.observed), &decision);
        let how = "not ready for 20 minutes: it last said booting".to_owned();
        assert_eq!(found.keep, BTreeMap::from([("i-1".into(), how.clone())]));
        let mut told = decision;
        found.tell(&mut told);
        let why = TurnWhy::Unhealthy { how };
        assert_eq!(told.turns, [Turn { node: "i-1".into(), to: TurnTo::Quarantine, why }]);
    }

    #[test]
    fn a_failure_is_learned_from_once_and_only_of_nodes_that_never_served() {
        let mut world = World::new();
        let mut watch = Watch::default();
        world.node("i-1", Phase::Ready, Some("booting"));
        world.node("i-2", Phase::Ready, Some("idle"));
        look(&world, &mut watch);
        for id in ["i-1", "i-2"] {
            world.node(id, Phase::Ready, Some("unhealthy"));
        }
        let before = watch.clone();
        let fleet = look(&world, &mut watch);
        let found = news(&before, (&fleet, &world.observed), 7);
        let [one] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((one.number, one.at, one.batch), (7, Moment(1000), 3));
        assert_eq!(one.outcome, Outcome::Failed { count: 1 });
        let again = look(&world, &mut watch.clone());
        assert_eq!(news(&watch, (&again, &world.observed), 8), []);
    }
}
