//! Letting nodes finish what they do before they end.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use crate::cloud::{Class, Condition};
use crate::kinds::{Change, KindName, StepId, Tags};
use crate::model::{CloudId, tags};

use super::Event;
use super::hands::{Hands, Trouble};

/// How long after the mark a node may still take a job that it had not seen the mark for: its
/// agent looks every few seconds, and instance metadata shows a new tag within a minute.
const HEARD: Duration = Duration::from_secs(90);
/// How often it is looked whether jobs have ended.
const PAUSE: Duration = Duration::from_secs(15);

impl Hands<'_> {
    /// Marks nodes, so that they take no more jobs, and waits until those that say that they are
    /// busy have ended theirs, however long that takes. A node without an agent says nothing:
    /// nobody knows of a job on it, and it is not waited for, which the plan has told.
    pub(super) async fn drain(&self, at: StepId, nodes: &[CloudId]) -> Result<(), Trouble> {
        let mut told = self.tell_themselves(nodes).await;
        if told.is_empty() {
            return Ok(());
        }
        for node in &told {
            let mark = Tags::from([(tags::DRAIN.to_owned(), "true".to_owned())]);
            match self.tag(at, KindName::Node, node, Change::Add(json!(mark))).await {
                // It has powered off by itself.
                Err(Trouble::Failed(failure)) if failure.class == Class::Gone => {}
                Err(trouble) => return Err(trouble),
                Ok(()) => {}
            }
        }
        let marked = Instant::now();
        loop {
            let observed = self.look().await;
            // What is gone has nothing left to finish; what could not be seen may have.
            let blind = observed.blind.contains_key(&KindName::Node);
            told.retain(|node| blind || observed.live.contains_key(node));
            let busy = |node: &&CloudId| {
                let condition = observed.conditions.get(*node);
                blind || condition.is_some_and(Condition::is_busy)
            };
            let busy = told.iter().filter(busy).count();
            if busy == 0 && (told.is_empty() || marked.elapsed() >= HEARD) {
                return Ok(());
            }
            let what = match busy {
                0 => "waiting for nodes to take note that they are to go".to_owned(),
                1 => "waiting for the job on 1 node to end".to_owned(),
                many => format!("waiting for the jobs on {many} nodes to end"),
            };
            self.tell(Event::Waiting { step: at, what });
            self.pause(PAUSE).await?;
        }
    }

    /// Those of the nodes that have an agent; all of them where that cannot be seen.
    async fn tell_themselves(&self, nodes: &[CloudId]) -> BTreeSet<CloudId> {
        let observed = self.look().await;
        let blind = observed.blind.contains_key(&KindName::Node);
        let state = |node: &&CloudId| {
            let condition = observed.conditions.get(*node);
            let speaks = |it: &Condition| {
                // One that is unhealthy has closed its door already: only a job counts. The boot
                // of a node without an agent says `ready`, and then nobody says anything.
                it.is_busy() || (it.is_healthy() && it.tells_of_jobs())
            };
            blind || condition.is_some_and(speaks)
        };
        nodes.iter().filter(state).cloned().collect()
    }
}
