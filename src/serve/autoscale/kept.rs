//! What the service keeps between two looks at a fleet, in the fleet's own ledger: the memory of
//! its decisions, and what it did last. Everything is replaced at once, and only by whoever has
//! read the version that stands there: of two services that decide at the same time one loses,
//! and has done nothing.

use serde::{Deserialize, Serialize};

use crate::fleet::{Attempt, Decision, Launch, Memory};
use crate::ledger::{Store, StoreError, Version};
use crate::model::Moment;

use super::view::Watch;

/// The key in the store.
const KEY: &str = "fleet";
/// The key of a pause.
const PAUSE: &str = "pause";
/// Of this format.
const FORMAT: u32 = 1;
/// Attempts that are kept: the decision learns from each once.
const ATTEMPTS: usize = 100;
/// Decisions that did something, and are kept for people.
const LOG: usize = 100;
/// Jobs and offers of a decision that are kept for people.
const SHOWN: usize = 20;
/// Nodes of a decision that are kept for people. So a log of decisions over ten thousand nodes
/// stays in the megabytes.
const NODES: usize = 100;

/// What is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    format: u32,
    /// The decisions' own.
    pub memory: Memory,
    /// Since when nodes are in their states.
    pub watch: Watch,
    /// What came of launch calls.
    pub attempts: Vec<Attempt>,
    /// The number of the next one.
    pub next_attempt: u64,
    /// The last decision, and when it was taken.
    pub last: Option<(Moment, Decision)>,
    /// The last ones that did something, oldest first.
    pub log: Vec<(Moment, Decision)>,
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            format: FORMAT,
            memory: Memory::default(),
            watch: Watch::default(),
            attempts: Vec::new(),
            next_attempt: 1,
            last: None,
            log: Vec::new(),
        }
    }
}

impl Kept {
    /// Whether anything is: somebody has resized the fleet.
    pub async fn is_there(store: &dyn Store) -> Result<bool, StoreError> {
        Ok(store.get(KEY).await?.is_some())
    }

    /// What is kept, and which version it is. What cannot be read is an error: to decide without
    /// the memory would launch what was launched already.
    pub async fn read(store: &dyn Store) -> Result<(Self, Option<Version>), StoreError> {
        let Some(blob) = store.get(KEY).await? else { return Ok((Self::default(), None)) };
        let corrupt = |problem: String| StoreError::Corrupt { place: KEY.to_owned(), problem };
        let kept: Self = serde_json::from_slice(&blob.bytes).map_err(|error| {
            corrupt(format!("{error}; move it away to begin with an empty memory"))
        })?;
        if kept.format != FORMAT {
            return Err(corrupt(format!("it is of format {}, this mlinfra reads 1", kept.format)));
        }
        Ok((kept, Some(blob.version)))
    }

    /// Replaces exactly what was read.
    pub async fn write(
        &self,
        store: &dyn Store,
        version: Option<&Version>,
    ) -> Result<Version, StoreError> {
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        match version {
            None => store.create_new(KEY, &bytes).await,
            Some(version) => store.replace_if(KEY, &bytes, version).await,
        }
    }

    /// Takes note of a decision.
    pub fn decided(&mut self, at: Moment, decision: &Decision) {
        let shown = shown(decision);
        if !decision.is_hold() {
            self.log.push((at, shown.clone()));
            let over = self.log.len().saturating_sub(LOG);
            self.log.drain(..over);
        }
        self.last = Some((at, shown));
    }

    /// Takes note of what came of launch calls.
    pub fn attempted(&mut self, found: Vec<Attempt>) {
        self.next_attempt = found.last().map_or(self.next_attempt, |it| it.number + 1);
        self.attempts.extend(found);
        let over = self.attempts.len().saturating_sub(ATTEMPTS);
        self.attempts.drain(..over);
    }
}

/// A decision as it is kept for people: of a hundred thousand jobs and ten thousand nodes the
/// first ones.
pub fn shown(decision: &Decision) -> Decision {
    fn first<T: Clone>(all: &[T], count: usize) -> Vec<T> {
        all.iter().take(count).cloned().collect()
    }
    let Decision { launches, turns, sums, waiting, not_more, not_less, .. } = decision;
    let Decision { considered, alerts, wake, heard, left_out, .. } = decision;
    let launches = launches.iter().take(SHOWN).map(|launch| Launch {
        offers: first(&launch.offers, SHOWN),
        reason: launch.reason.clone(),
        ..*launch
    });
    Decision {
        launches: launches.collect(),
        turns: first(turns, NODES),
        sums: *sums,
        waiting: first(waiting, SHOWN),
        not_more: first(not_more, SHOWN),
        not_less: first(not_less, SHOWN),
        considered: first(considered, SHOWN),
        alerts: first(alerts, SHOWN),
        wake: *wake,
        heard: heard.clone(),
        left_out: first(left_out, SHOWN),
    }
}

/// Somebody wants the fleet to be left as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    /// Who.
    pub who: String,
    /// Since when.
    pub at: Moment,
    /// Why, in that person's words.
    pub why: String,
    /// Until when; none for until somebody resumes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Moment>,
}

impl Pause {
    /// The pause that holds now.
    pub async fn read(store: &dyn Store, now: Moment) -> Result<Option<Self>, StoreError> {
        let Some(blob) = store.get(PAUSE).await? else { return Ok(None) };
        // Whoever cannot read it pauses: somebody meant to.
        let pause = serde_json::from_slice(&blob.bytes).unwrap_or_else(|_| Self {
            who: "a pause that cannot be read".to_owned(),
            at: now,
            why: String::new(),
            until: None,
        });
        let holds = pause.until.is_none_or(|until| now < until);
        Ok(Some(pause).filter(|_| holds))
    }

    /// Pauses, in place of a pause that is there.
    pub async fn write(&self, store: &dyn Store) -> Result<(), StoreError> {
        Self::clear(store).await?;
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        store.create_new(PAUSE, &bytes).await.map(|_| ())
    }

    /// Resumes.
    pub async fn clear(store: &dyn Store) -> Result<(), StoreError> {
        store.remove(PAUSE).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::{Alert, LaunchReason, Turn, TurnTo, TurnWhy};
    use crate::ledger::MemoryStore;

    #[tokio::test]
    async fn of_two_who_have_read_the_same_one_writes() {
        let store = MemoryStore::default();
        let (kept, version) = Kept::read(&store).await.expect("nothing");
        assert_eq!((&kept, &version), (&Kept::default(), &None));
        let first = kept.write(&store, None).await.expect("written");
        assert!(matches!(kept.write(&store, None).await, Err(StoreError::Exists(_))));
        let (mut kept, version) = Kept::read(&store).await.expect("it");
        assert_eq!(version.as_ref(), Some(&first));
        kept.next_attempt = 7;
        kept.write(&store, Some(&first)).await.expect("written");
        kept.next_attempt = 8;
        let late = kept.write(&store, Some(&first)).await;
        assert!(matches!(late, Err(StoreError::Lost(_))), "{late:?}");
        assert_eq!(Kept::read(&store).await.expect("it").0.next_attempt, 7);
    }

    #[test]
    fn what_is_kept_of_decisions_is_bounded_whatever_they_are_about() {
        let node = |at: u32| format!("i-{at:017x}").as_str().into();
        let turn = |at| Turn { node: node(at), to: TurnTo::Terminate, why: TurnWhy::StillIdle };
        let launch = |batch: u64| Launch {
            batch,
            count: 9,
            whole: true,
            offers: vec!["p5.48xlarge/us-east-1a/on-demand".into(); 500],
            reason: LaunchReason::HeadRoom,
        };
        let decision = Decision {
            turns: (0..10_000).map(turn).collect(),
            launches: (0..1000).map(launch).collect(),
            alerts: (0..10_000).map(|at| Alert::Silent { node: node(at) }).collect(),
            ..Decision::default()
        };
        let mut kept = Kept::default();
        for at in 0..1000 {
            kept.decided(Moment(at), &decision);
        }
        assert_eq!((kept.log.len(), kept.log[0].0), (LOG, Moment(900)), "the last hundred");
        assert_eq!(kept.log[0].1.turns[..], decision.turns[..NODES], "the first of their nodes");
        let bytes = serde_json::to_vec(&kept).expect("JSON").len();
        assert!(bytes < 5_000_000, "{bytes}");
    }

    #[tokio::test]
    async fn a_memory_that_cannot_be_read_is_no_empty_one() {
        let store = MemoryStore::default();
        store.create_new(KEY, b"{").await.expect("written");
        assert!(matches!(Kept::read(&store).await, Err(StoreError::Corrupt { .. })));
    }

    #[tokio::test]
    async fn a_pause_holds_until_its_end_and_when_it_cannot_be_read() {
        let (store, now) = (MemoryStore::default(), Moment(1000));
        let until = Some(Moment(2000));
        let pause = Pause { who: "ann@host".to_owned(), at: now, why: "upgrade".to_owned(), until };
        pause.write(&store).await.expect("written");
        pause.write(&store).await.expect("written again");
        assert_eq!(Pause::read(&store, now).await.expect("it"), Some(pause));
        assert_eq!(Pause::read(&store, Moment(2000)).await.expect("it"), None);
        Pause::clear(&store).await.expect("cleared");
        Pause::clear(&store).await.expect("cleared again");
        assert_eq!(Pause::read(&store, now).await.expect("it"), None);
        store.create_new(PAUSE, b"?").await.expect("written");
        assert!(Pause::read(&store, now).await.expect("it").is_some());
    }
}
