//! What a fleet's decision comes to: marks on nodes, then ends and launches.

use serde_json::json;

use crate::cloud::Class;
use crate::kinds::{Change, KindName, Plan, Tags};
use crate::ledger::{Entry, Site, StoreError, Who};
use crate::model::{CloudId, tags};

use super::execute::Outcome;
use super::hands::{Hands, Trouble};
use super::make::Wanted;

/// What a node is told by its tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// Take jobs again.
    Uncordon,
    /// Take no more jobs, and stay.
    Cordon,
    /// Finish what you have, and power off.
    Drain,
}

impl Mark {
    fn change(self) -> Change {
        let mark = |value: &str| json!(Tags::from([(tags::DRAIN.to_owned(), value.to_owned())]));
        match self {
            Self::Uncordon => Change::Remove(mark("")),
            Self::Cordon => Change::Add(mark(tags::CORDON)),
            Self::Drain => Change::Add(mark("true")),
        }
    }
}

impl Hands<'_> {
    /// Closes what an earlier action on the fleet may have begun, once it cannot be on its way
    /// any more: what it has made is found by its tag, and what it has not is not made now.
    /// Until then the decision's own memory counts it.
    pub async fn tidy(&self) -> Result<(), Trouble> {
        let quiet = i64::try_from(self.patience.quiet.as_millis()).unwrap_or(i64::MAX);
        let open: Vec<_> = {
            let journal = self.journal.lock().await;
            let old = journal.ledger.open_intents().map(|(_, making)| making.clone());
            old.filter(|making| self.now().since(making.at) >= quiet).collect()
        };
        for making in open {
            match self.resolve(&making.call, making.at, Wanted::No).await {
                Ok(_) => {}
                Err(Trouble::Failed(failure)) if failure.is_definitive() => {}
                Err(trouble) => return Err(trouble),
            }
        }
        Ok(())
    }

    /// Carries out marks and a plan of launches and ends, and writes down how it went.
    pub async fn obey(
        &self,
        marks: &[(Mark, Vec<CloudId>)],
        plan: &Plan,
        who: Who,
    ) -> Result<Outcome, Trouble> {
        let steps = plan.steps.len() + marks.len();
        let (at, names) = (self.now(), std::collections::BTreeSet::new());
        let (targets, site) = (Vec::new(), Some(Site::of(&self.scope)));
        let begin = Entry::Begin { at, who, steps, names, plan: None, config: None, targets, site };
        self.note(begin).await?;
        for (mark, nodes) in marks {
            for node in nodes {
                match self.tag(0, KindName::Node, node, mark.change()).await {
                    // It has gone by itself.
                    Err(Trouble::Failed(failure)) if failure.class == Class::Gone => {}
                    Ok(()) => {}
                    Err(trouble) => return Err(trouble),
                }
            }
        }
        let outcome = self.execute(plan).await;
        if let Some(error) = outcome.ledger.clone() {
            return Err(error.into());
        }
        let text = if outcome.is_complete() { "converged" } else { "failed" };
        self.close_book(text).await?;
        Ok(outcome)
    }

    async fn close_book(&self, outcome: &str) -> Result<(), StoreError> {
        let outputs = serde_json::Map::new();
        let mut journal = self.journal.lock().await;
        let end = Entry::End { at: self.now(), outcome: outcome.to_owned(), outputs };
        journal.append(end).await?;
        journal.finish(self.now()).await
    }
}
