//! Whether nodes come up: what is waited for, and what is done about those that fail.
//!
//! A failure is written down before the node is marked, and the mark names the node: whoever
//! dies in between finds the same node failed again, and counts it once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use crate::cloud::{Class, Condition, Failure, Health, Left, Phase};
use crate::kinds::{Care, Change, KindName, Node, StepId, Tags};
use crate::ledger::{Booted, Boots, Entry};
use crate::model::{Address, CloudId, Link, TemplateId, tags};

use super::Event;
use super::hands::{Hands, Trouble};
use super::order::{Order, nodes_of};

/// Nodes and how they have failed.
pub(super) type Failed = BTreeMap<CloudId, String>;

/// The longest pause between two looks.
const PAUSE: Duration = Duration::from_secs(15);
/// A tag takes 256 characters.
const LONGEST: usize = 200;

/// How nodes have come up; those that serve are in neither.
#[derive(Default)]
pub(super) struct Up {
    /// They have ended by themselves.
    pub lost: BTreeMap<CloudId, String>,
    /// They run and will never serve.
    pub failed: Failed,
}

impl Hands<'_> {
    /// Waits until nodes serve: one question for all of them at a time.
    pub(super) async fn all_up(
        &self,
        at: StepId,
        nodes: &[CloudId],
        care: Care,
    ) -> Result<Up, Trouble> {
        let limit = match care.boot {
            0 => KindName::Node.traits().ready_within,
            boot => boot,
        };
        let limit = Duration::from_secs(limit.into());
        let (begun, mut wait) = (Instant::now(), Duration::from_secs(1));
        let mut open: BTreeSet<CloudId> = nodes.iter().cloned().collect();
        let mut seen: BTreeMap<CloudId, Condition> = BTreeMap::new();
        let mut up = Up::default();
        while !open.is_empty() {
            let asked: Vec<CloudId> = open.iter().cloned().collect();
            let mut found = match self.cloud.conditions(&asked).await {
                Ok(found) => found,
                Err(failure) if failure.class.may_pass() || failure.class == Class::Gone => {
                    BTreeMap::new()
                }
                // Only the question was refused: what it was asked about stands.
                Err(failure) => {
                    return Err(Trouble::Failed(Failure { left: Left::Something, ..failure }));
                }
            };
            for id in asked {
                let known = found.remove(&id).filter(|(phase, _)| *phase != Phase::Gone);
                match (known, seen.contains_key(&id)) {
                    // Not visible yet.
                    (None, false) => {}
                    (None, true) => drop((open.remove(&id), up.lost.insert(id, ended()))),
                    (Some((phase, condition)), _) => {
                        seen.insert(id.clone(), condition);
                        if up.takes(&id, &phase, (&seen, care)) {
                            open.remove(&id);
                        }
                    }
                }
            }
            if open.is_empty() {
                break;
            }
            if begun.elapsed() >= limit {
                return up.late(open, &seen, care);
            }
            let what = format!("waiting for {} to become ready", nodes_of(open.len()));
            self.tell(Event::Waiting { step: at, what });
            self.pause(wait).await?;
            wait = (wait * 2).min(PAUSE);
        }
        Ok(up)
    }

    /// Nodes that were launched by an earlier run serve before those whose place they take end.
    pub(super) async fn successors(&self, at: StepId, nodes: &[CloudId]) -> Result<(), Trouble> {
        if nodes.is_empty() {
            return Ok(());
        }
        let Up { lost, failed } = self.all_up(at, nodes, Care::default()).await?;
        let Some((id, how)) = lost.iter().chain(&failed).next() else { return Ok(()) };
        let text = format!("{} was to take their place: {how}", id.short());
        let failure = Failure::new(Class::Settling, Left::Nothing, "node", "NotReady", text);
        Err(Trouble::Failed(failure))
    }

    /// Refuses to launch where too many have failed in a row.
    pub(super) async fn may_launch(&self, order: &Order<'_>) -> Result<(), Trouble> {
        let template = TemplateId(order.template.0.clone());
        let journal = self.journal.lock().await;
        let boots = journal.ledger.boots.get(order.address);
        match boots.filter(|boots| boots.template == template && boots.stop()) {
            Some(boots) => Err(Trouble::Failed(stopped(boots))),
            None => Ok(()),
        }
    }

    /// Writes down how nodes came up, in the order of their launch, where that is news.
    pub(super) async fn remember(
        &self,
        order: &Order<'_>,
        came: &[&CloudId],
        failed: &Failed,
    ) -> Result<(), Trouble> {
        let known = self.journal.lock().await.ledger.boots.contains_key(order.address);
        if failed.is_empty() && (!known || came.is_empty()) {
            return Ok(());
        }
        let one = |id: &&CloudId| Booted { node: (*id).clone(), failed: failed.get(*id).cloned() };
        let (at, address) = (self.now(), order.address.clone());
        let template = TemplateId(order.template.0.clone());
        let nodes = came.iter().map(one).collect();
        Ok(self.note(Entry::Booted { at, address, template, nodes }).await?)
    }

    /// Marks nodes that a plan has found failed.
    pub(super) async fn quarantine(
        &self,
        at: StepId,
        (address, was): (&Address, &[Node]),
        (nodes, reasons): (&[CloudId], &[String]),
        seconds: u32,
    ) -> Result<(), Trouble> {
        let failed = nodes.iter().cloned().zip(reasons.iter().cloned()).collect();
        self.note_failed(address, was, &failed).await?;
        self.mark(at, &failed, seconds).await
    }

    /// The same of nodes that a plan has found failed.
    async fn note_failed(
        &self,
        address: &Address,
        was: &[Node],
        failed: &Failed,
    ) -> Result<(), Trouble> {
        let Some(template) = was.first().and_then(|node| Link::id(&node.template)).cloned() else {
            return Ok(());
        };
        let (at, address) = (self.now(), address.clone());
        let one =
            |(id, how): (&CloudId, &String)| Booted { node: id.clone(), failed: Some(how.clone()) };
        let nodes = failed.iter().map(one).collect();
        Ok(self.note(Entry::Booted { at, address, template, nodes }).await?)
    }

    /// Keeps as many of the nodes that failed as are kept, and ends the others.
    pub(super) async fn set_aside(
        &self,
        at: StepId,
        (address, care): (&Address, Care),
        failed: &Failed,
    ) -> Result<(), Trouble> {
        let observed = self.look().await;
        let kept = observed.live.iter().filter(|(id, live)| {
            let condition = observed.conditions.get(*id);
            live.owner.address == *address && condition.is_some_and(|it| it.quarantine.is_some())
        });
        let most = usize::try_from(care.keep).unwrap_or(usize::MAX);
        let room = if care.quarantine == 0 { 0 } else { most.saturating_sub(kept.count()) };
        let keep: Failed = failed.iter().take(room).map(|(a, b)| (a.clone(), b.clone())).collect();
        self.mark(at, &keep, care.quarantine).await?;
        let rest: Vec<CloudId> = failed.keys().skip(room).cloned().collect();
        if rest.is_empty() {
            return Ok(());
        }
        for id in &rest {
            let how = failed.get(id).map(String::as_str).unwrap_or_default();
            let what = format!("node {} has failed and is ended: {how}", id.short());
            self.tell(Event::Waiting { step: at, what });
        }
        self.end(at, &rest).await
    }

    /// Marks nodes, so that they are kept for so many seconds and count no more.
    pub(super) async fn mark(
        &self,
        at: StepId,
        failed: &Failed,
        seconds: u32,
    ) -> Result<(), Trouble> {
        let until = self.now().plus(seconds);
        for (id, how) in failed {
            let mark = Tags::from([
                (tags::QUARANTINE.to_owned(), until.to_string()),
                (tags::QUARANTINE_REASON.to_owned(), plain(how)),
            ]);
            let what = format!(
                "node {} has failed and is kept until {until} to be looked at: {how}",
                id.short()
            );
            self.tell(Event::Waiting { step: at, what });
            match self.tag(at, KindName::Node, id, Change::Add(json!(mark))).await {
                // It has ended by itself.
                Err(Trouble::Failed(failure)) if failure.class == Class::Gone => {}
                Err(trouble) => return Err(trouble),
                Ok(()) => {}
            }
        }
        Ok(())
    }

    /// Nodes may be launched again, however many have failed.
    pub async fn retry(&self) -> Result<(), crate::ledger::StoreError> {
        let at = self.now();
        let mut journal = self.journal.lock().await;
        if journal.ledger.boots.is_empty() {
            return Ok(());
        }
        journal.stage(Entry::Retry { at }).await?;
        journal.flush().await
    }
}

impl Up {
    /// Takes in a node that is seen; says whether it is known now how it came up.
    fn takes(
        &mut self,
        id: &CloudId,
        phase: &Phase,
        (seen, care): (&BTreeMap<CloudId, Condition>, Care),
    ) -> bool {
        let health = match phase {
            Phase::Failed(text) => {
                self.lost.insert(id.clone(), text.clone());
                return true;
            }
            Phase::Leaving => {
                self.lost.insert(id.clone(), ended());
                return true;
            }
            Phase::Ready if care.boot == 0 => return true,
            Phase::Pending | Phase::Ready | Phase::Gone => {
                seen.get(id).map(|condition| condition.health(phase))
            }
        };
        match health {
            Some(Health::Serving) => true,
            Some(Health::Failed(how) | Health::Impaired(how)) => {
                self.failed.insert(id.clone(), how);
                true
            }
            Some(Health::Starting) | None => false,
        }
    }

    /// Time is up: who was seen and does not serve has failed.
    fn late(
        mut self,
        open: BTreeSet<CloudId>,
        seen: &BTreeMap<CloudId, Condition>,
        care: Care,
    ) -> Result<Self, Trouble> {
        let unseen = open.iter().filter(|id| !seen.contains_key(*id)).count();
        if unseen > 0 {
            let text = format!("{} not to be seen within {} s", nodes_of(unseen), care.boot);
            let failure = Failure::new(Class::Settling, Left::Something, "node", "NotReady", text);
            return Err(Trouble::Failed(failure));
        }
        for id in open {
            let said = seen.get(&id).map(Condition::last_word).unwrap_or_default();
            self.failed.insert(id, format!("not ready within {}: {said}", span(care.boot)));
        }
        Ok(self)
    }
}

fn ended() -> String {
    "terminated".to_owned()
}

/// `15 minutes`, or seconds where they are no whole minutes.
fn span(seconds: u32) -> String {
    match (seconds / 60, seconds % 60) {
        (1, 0) => "1 minute".to_owned(),
        (minutes, 0) => format!("{minutes} minutes"),
        (_, _) => format!("{seconds} s"),
    }
}

/// What a tag takes: letters and a few signs.
fn plain(text: &str) -> String {
    let fine = |c: char| if c.is_ascii_alphanumeric() || "_.:/+@=-".contains(c) { c } else { ' ' };
    let all: String = text.chars().map(fine).collect();
    let words: Vec<&str> = all.split_whitespace().collect();
    words.join(" ").chars().take(LONGEST).collect()
}

/// Too many have failed in a row.
fn stopped(boots: &Boots) -> Failure {
    let text = format!(
        "the last {} nodes have failed, and no more are launched: {}",
        boots.failed.len(),
        boots.words()
    );
    Failure::new(Class::Invalid, Left::Nothing, "node", BOOTS, text)
}

/// Some fail each time.
pub(super) fn again_and_again(rounds: u32) -> Failure {
    let text = format!("nodes have failed in each of {rounds} launches");
    Failure::new(Class::Invalid, Left::Something, "node", BOOTS, text)
}

/// The code of a launch that nodes which fail have stopped.
pub const BOOTS: &str = "NodesFail";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_take_letters_and_a_few_signs() {
        assert_eq!(plain("check: 7 of 8 GPUs\u{1b}[31m\n"), "check: 7 of 8 GPUs 31m");
        assert_eq!(plain(&"x".repeat(300)).len(), 200);
        assert_eq!([span(900), span(60), span(61)], ["15 minutes", "1 minute", "61 s"]);
    }
}
