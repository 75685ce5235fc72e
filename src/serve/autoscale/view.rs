//! A cluster's nodes as the decision wants to see them, from what the cloud shows. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::catalog::Catalog;
use crate::cloud::{Announced, Condition, Live, Notice, Observed, Phase};
use crate::fleet::{self, Attempt, JobId, NodeId, OfferKey, State};
use crate::kinds::{KindName, Node, Spec};
use crate::model::{Address, CloudId, Link, Moment, tags};
use crate::stack;

/// Numbers of launch calls between two batches: a batch is several calls where offers run dry,
/// and each call has a number of its own.
pub const CALLS_PER_BATCH: u32 = 256;

/// Since when each node has been in its state. The cloud does not tell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Watch(BTreeMap<CloudId, (State, Moment)>);

impl Watch {
    /// Since when, by what was seen before and is seen now.
    fn since(&self, id: &CloudId, state: State, first: Moment, now: Moment) -> Moment {
        match self.0.get(id) {
            Some((before, since)) if *before == state => *since,
            // What comes has come since it was asked for; what works may have begun just now.
            None if state.is_coming() => first,
            Some(_) | None => now,
        }
    }

    /// It was on its way when it was last seen, or never seen.
    pub fn never_served(&self, id: &CloudId) -> bool {
        self.0.get(id).is_none_or(|(state, _)| state.is_coming())
    }
}

/// What is looked at, and by what measure.
pub struct View<'a> {
    /// The address of the nodes.
    pub address: &'a Address,
    /// What the stack says of them.
    pub wanted: &'a stack::Fleet,
    /// The launch template that they should be of, once it is there.
    pub template: Option<&'a CloudId>,
    /// Where nodes can be had.
    pub offers: &'a [fleet::Offer],
    /// What came of launch calls.
    pub attempts: &'a [Attempt],
    /// Hardware as it is known in the region.
    pub catalog: &'a Catalog,
    /// When.
    pub now: Moment,
}

impl View<'_> {
    /// The fleet.
    pub fn of(&self, observed: &Observed, watch: &mut Watch) -> fleet::Fleet {
        let mine = observed
            .live
            .iter()
            .filter(|(_, live)| live.kind == KindName::Node && live.owner.address == *self.address);
        let mut seen = fleet::Fleet {
            attempts: self.attempts.to_vec(),
            blind: blind(observed),
            ..fleet::Fleet::default()
        };
        let mut kept = Watch::default();
        for (id, live) in mine {
            let condition = observed.conditions.get(id).cloned().unwrap_or_default();
            let before = watch.0.get(id).map(|(state, _)| *state);
            let Some(state) = state(live, &condition, (before, self.now)) else { continue };
            let launched_at = condition.launched.unwrap_or(self.now);
            let since = match &condition.quarantine {
                Some(kept) => self.kept_since(kept.until),
                None => watch.since(id, state, launched_at, self.now),
            };
            kept.0.insert(id.clone(), (state, since));
            let batch = live.batch.unwrap_or(0);
            seen.last_batch = seen.last_batch.max(u64::from(batch / CALLS_PER_BATCH));
            let Some(Spec::Node(node)) = live.spec() else {
                let why = format!("{id} could not be read");
                seen.blind.get_or_insert(why);
                continue;
            };
            let mut node = self.node(id, node, (state, since, launched_at), batch);
            // Its agent says whether it works, not on how much of it.
            if condition.state.as_deref() == Some("busy") {
                (node.free, node.jobs) = (0, vec![JobId::from("?")]);
            }
            node.unheard = !condition.tells_of_jobs();
            seen.nodes.push(node);
        }
        *watch = kept;
        seen
    }

    /// Its mark says until when it is kept: for as long as a decision keeps what has failed. A
    /// mark without a time is a person's, who takes it away.
    fn kept_since(&self, until: Option<Moment>) -> Moment {
        let kept = i64::from(self.wanted.care.quarantine) * 1000;
        until.map_or(self.now, |until| Moment(until.0.saturating_sub(kept)))
    }

    fn node(
        &self,
        id: &CloudId,
        node: &Node,
        (state, since, launched_at): (State, Moment, Moment),
        batch: u32,
    ) -> fleet::Node {
        let offer = OfferKey::from(node.key());
        let known = self.offers.iter().find(|it| it.key == offer);
        let gpus = known.map_or_else(|| self.catalog.gpus(&node.instance_type), |it| it.gpus);
        let template = Link::id(&node.template).map(|it| it.as_str());
        let current = template.is_some() && template == self.template.map(CloudId::as_str);
        fleet::Node {
            id: NodeId::from(id.as_str()),
            state,
            since,
            batch: u64::from(batch / CALLS_PER_BATCH),
            offer,
            zone: node.zone.clone(),
            market: node.market,
            price: known.and_then(|it| it.launch.price),
            launched_at,
            gpus,
            free: gpus,
            jobs: Vec::new(),
            heard_at: None,
            // Nobody but the autoscaler writes that mark.
            own_mark: state == State::Cordoned,
            outdated: !current || !self.wanted.admits(node),
            unheard: false,
        }
    }
}

/// Why not all nodes can be seen.
fn blind(observed: &Observed) -> Option<String> {
    let unread = observed.unreadable.iter().map(|(id, why)| format!("{id}: {why}"));
    observed.blind.get(&KindName::Node).cloned().or_else(|| unread.into_iter().next())
}

/// What a node is doing, by the cloud's word while it comes and goes, else by its own; none
/// when it is gone. A machine that runs and says nothing is still booting: nobody can send it
/// a job.
fn state(
    live: &Live,
    condition: &Condition,
    (before, now): (Option<State>, Moment),
) -> Option<State> {
    let own = condition.state.as_deref();
    match &live.phase {
        Phase::Gone | Phase::Failed(_) => return None,
        Phase::Leaving => return Some(State::Terminating),
        Phase::Pending => return Some(State::Pending),
        Phase::Ready => {}
    }
    if let Some(deadline) = interruption(condition, (before, now)) {
        return Some(State::Interrupting { deadline });
    }
    if condition.quarantine.is_some() {
        return Some(State::Quarantined);
    }
    Some(match (condition.mark.as_deref(), own) {
        (Some(tags::CORDON), _) => State::Cordoned,
        (Some(_), _) => State::Draining,
        // What cannot be reached takes no job, whatever it said last; it may have one.
        (None, Some("ready" | "idle" | "busy")) if condition.is_impaired() => State::Lost,
        (None, Some("ready")) => State::Ready,
        (None, Some("idle")) => State::Idle,
        (None, Some("unhealthy")) => State::Quarantined,
        (None, Some("busy")) => State::Busy,
        (None, _) => State::Booting,
    })
}

/// When the cloud takes it away: as its agent was told, as the cloud has announced it, or as its
/// Capacity Block ends.
fn interruption(condition: &Condition, (before, now): (Option<State>, Moment)) -> Option<Moment> {
    let reason = condition.reason.as_deref().unwrap_or_default();
    let told = Notice::all(reason).find_map(|notice| notice.ends_at());
    // Of spot the cloud says no time: it is two minutes after its word, which is first heard now.
    let soon = match before {
        Some(State::Interrupting { deadline }) => deadline,
        Some(_) | None => now.plus(SPOT),
    };
    let announced = condition.announced.iter().filter_map(|one| match one {
        Announced::Retirement { at } => Some(Moment::read(at).unwrap_or(soon)),
        Announced::Interruption { .. } => Some(soon),
        Announced::Maintenance { .. } => None,
    });
    told.or_else(|| announced.min()).or_else(|| condition.block_closes(now))
}

/// Seconds from a spot interruption's notice to its end
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html>).
const SPOT: u32 = 120;

#[cfg(test)]
mod tests {
    use super::super::testing::{World, nodes};
    use super::*;
    use crate::cloud::{Checks, Quarantine};

    fn look(world: &World, watch: &mut Watch, now: i64) -> fleet::Fleet {
        let template = CloudId::from("lt-2");
        let (address, template) = (nodes(), Some(&template));
        let wanted = &world.fleet;
        let (offers, attempts, now) = (&[][..], &[][..], Moment(now));
        let catalog = Catalog::shipped();
        View { address: &address, wanted, template, offers, attempts, catalog, now }
            .of(&world.observed, watch)
    }

    #[test]
    fn the_cloud_s_word_counts_while_a_node_comes_and_goes_and_its_own_in_between() {
        let mark = |text: &str| Condition { mark: Some(text.to_owned()), ..Condition::default() };
        let says = |text: &str| Condition { state: Some(text.to_owned()), ..Condition::default() };
        let reason = "cordoned, spot interruption at 2026-11-24T12:02:00Z".to_owned();
        let spot = Condition { reason: Some(reason), ..says("busy") };
        let kept = Quarantine { until: Some(Moment(3_610_000)), reason: String::new() };
        let kept = Condition { quarantine: Some(kept), ..says("idle") };
        let deadline = Moment(1_795_521_720_000);
        // A Capacity Block that ends in so many minutes, ten of which are left to whoever runs.
        let now = Moment(3_600_000);
        let block = |minutes: u32| Condition { ends: Some(now.plus(minutes * 60)), ..says("busy") };
        let taken = now.plus(600);
        let cases = [
            (Phase::Pending, says("ready"), Some(State::Pending)),
            (Phase::Leaving, says("busy"), Some(State::Terminating)),
            (Phase::Gone, says("busy"), None),
            (Phase::Failed("x".to_owned()), says("busy"), None),
            (Phase::Ready, Condition::default(), Some(State::Booting)),
            (Phase::Ready, says("booting"), Some(State::Booting)),
            (Phase::Ready, says("no such word"), Some(State::Booting)),
            (Phase::Ready, says("ready"), Some(State::Ready)),
            (Phase::Ready, says("busy"), Some(State::Busy)),
            (Phase::Ready, says("idle"), Some(State::Idle)),
            (Phase::Ready, says("unhealthy"), Some(State::Quarantined)),
            (Phase::Ready, kept, Some(State::Quarantined)),
            (Phase::Ready, mark(tags::CORDON), Some(State::Cordoned)),
            (Phase::Ready, mark("true"), Some(State::Draining)),
            (Phase::Ready, spot, Some(State::Interrupting { deadline })),
            (Phase::Ready, block(41), Some(State::Busy)),
            (Phase::Ready, block(40), Some(State::Interrupting { deadline: taken })),
        ];
        let mut world = World::new();
        world.node("i-1", Phase::Ready, None);
        for (phase, condition, want) in cases {
            let live = world.observed.live.get_mut(&CloudId::from("i-1")).expect("it");
            live.phase = phase.clone();
            assert_eq!(state(live, &condition, (None, now)), want, "{phase:?} {condition:?}");
        }
    }

    #[test]
    fn what_the_cloud_says_of_a_machine_outweighs_its_own_word() {
        let mut world = World::new();
        world.node("i-1", Phase::Ready, None);
        let live = &world.observed.live[&CloudId::from("i-1")];
        let now = Moment(1_795_521_720_000);
        let says = |text: &str| Condition { state: Some(text.to_owned()), ..Condition::default() };
        let with = |text: &str, one: Announced| Condition { announced: vec![one], ..says(text) };
        let ill = |text: &str| Condition {
            checks: Some(Checks::Bad("EC2's system check fails".to_owned())),
            ..says(text)
        };
        let see = |condition: &Condition, before| state(live, condition, (before, now));
        for word in ["ready", "idle", "busy"] {
            assert_eq!(see(&ill(word), None), Some(State::Lost), "{word}");
        }
        assert_eq!(see(&ill("booting"), None), Some(State::Booting), "its boot has its own limit");
        assert_eq!(see(&ill("unhealthy"), None), Some(State::Quarantined));
        let at = "2026-12-08T12:00:00Z".to_owned();
        let deadline = Moment::read(&at).expect("a time");
        let retired = with("idle", Announced::Retirement { at });
        assert_eq!(see(&retired, None), Some(State::Interrupting { deadline }));
        let reboot = Announced::Maintenance { what: "system-reboot".to_owned(), at: String::new() };
        assert_eq!(see(&with("idle", reboot), None), Some(State::Idle), "it stays");
        // The cloud says no time of spot: two minutes from its first word, however often it is
        // heard.
        let taken = with("busy", Announced::Interruption { what: "marked".to_owned() });
        let first = State::Interrupting { deadline: now.plus(120) };
        assert_eq!(see(&taken, Some(State::Busy)), Some(first));
        let before = State::Interrupting { deadline: now.plus(30) };
        assert_eq!(see(&taken, Some(before)), Some(before));
    }

    #[test]
    fn a_node_is_busy_by_its_word_whatever_it_was_told() {
        let mut world = World::new();
        world.node("i-1", Phase::Ready, Some("busy"));
        world.node("i-2", Phase::Ready, Some("idle"));
        for id in ["i-1", "i-2"] {
            let condition = world.observed.conditions.get_mut(&CloudId::from(id)).expect("it");
            condition.mark = Some(tags::CORDON.to_owned());
        }
        let fleet = look(&world, &mut Watch::default(), 5000);
        let busy: Vec<bool> = fleet.nodes.iter().map(fleet::Node::is_busy).collect();
        assert_eq!(busy, [true, false]);
        let node = &fleet.nodes[0];
        assert_eq!((node.gpus, node.free, node.batch, node.outdated), (8, 0, 3, false));
        assert_eq!((fleet.last_batch, node.launched_at), (3, Moment(1000)));
        assert_eq!(node.offer.as_str(), "p5.48xlarge/us-east-1a/on-demand");
    }

    /// A boot says `ready` with or without an agent: it is no word on jobs.
    #[test]
    fn only_an_agent_or_a_word_on_jobs_says_whether_a_node_works() {
        let mut world = World::new();
        for (id, state) in [("i-1", "ready"), ("i-2", "ready"), ("i-3", "idle"), ("i-4", "busy")] {
            world.node(id, Phase::Ready, Some(state));
        }
        let agent = world.observed.conditions.get_mut(&CloudId::from("i-2"));
        agent.expect("it").reports = true;
        let fleet = look(&world, &mut Watch::default(), 5000);
        let unheard: Vec<bool> = fleet.nodes.iter().map(|node| node.unheard).collect();
        assert_eq!(unheard, [true, false, false, false]);
    }

    #[test]
    fn a_state_begins_when_it_is_first_seen_and_a_launch_when_it_was_asked_for() {
        let (mut world, mut watch) = (World::new(), Watch::default());
        world.node("i-1", Phase::Pending, None);
        let since = |world: &World, watch: &mut Watch, now| look(world, watch, now).nodes[0].since;
        assert_eq!(since(&world, &mut watch, 5000), Moment(1000));
        world.node("i-1", Phase::Ready, Some("ready"));
        assert_eq!(since(&world, &mut watch, 6000), Moment(6000));
        assert_eq!(since(&world, &mut watch, 9000), Moment(6000));
        // A service that has forgotten everything must not take an old node for one that is idle
        // since long.
        assert_eq!(since(&world, &mut Watch::default(), 9000), Moment(9000));
        world.observed.live.clear();
        look(&world, &mut watch, 9500);
        assert_eq!(watch, Watch::default(), "what is gone is forgotten");
    }

    /// The time of a mark is what a person reads: the decision goes by it, and leaves alone what
    /// a person has marked without one.
    #[test]
    fn a_node_is_kept_for_as_long_as_its_mark_says() {
        let mut world = World::new();
        world.node("i-1", Phase::Ready, Some("unhealthy"));
        for (until, since) in [(Some(Moment(3_610_000)), Moment(10_000)), (None, Moment(9000))] {
            let condition = world.observed.conditions.get_mut(&CloudId::from("i-1"));
            let kept = Quarantine { until, reason: String::new() };
            condition.expect("it").quarantine = Some(kept);
            let fleet = look(&world, &mut Watch::default(), 9000);
            assert_eq!((fleet.nodes[0].state, fleet.nodes[0].since), (State::Quarantined, since));
        }
    }

    #[test]
    fn what_cannot_be_seen_makes_the_fleet_blind() {
        let mut world = World::new();
        assert_eq!(look(&world, &mut Watch::default(), 1).blind, None);
        world.observed.unreadable.insert(CloudId::from("i-9"), "odd tags".to_owned());
        let blind = look(&world, &mut Watch::default(), 1).blind;
        assert_eq!(blind.as_deref(), Some("i-9: odd tags"));
        world.observed.blind.insert(KindName::Node, "refused".to_owned());
        assert_eq!(look(&world, &mut Watch::default(), 1).blind.as_deref(), Some("refused"));
    }

    #[test]
    fn another_template_makes_a_node_outdated() {
        let mut world = World::new();
        world.node("i-1", Phase::Ready, Some("idle"));
        world.fleet.types.insert("p5e.48xlarge".to_owned());
        assert!(look(&world, &mut Watch::default(), 1).nodes[0].outdated);
        let (address, wanted, now) = (nodes(), &World::new().fleet, Moment(1));
        let catalog = Catalog::shipped();
        let (address, template, offers, attempts) = (&address, None, &[][..], &[][..]);
        let view = View { address, wanted, template, offers, attempts, catalog, now };
        assert!(view.of(&world.observed, &mut Watch::default()).nodes[0].outdated);
    }
}
