//! What a service that looks every ten seconds asks the cloud: everything once, and from then on
//! only what comes and goes while it runs: nodes, and what they are launched from and into; and
//! every minute what the cloud itself says of nodes: its checks, and what it has announced.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::Mutex;

use crate::cloud::{Announced, Checks, Cloud, Condition, Observed, Phase, Scope};
use crate::kinds::KindName;
use crate::model::{CloudId, Moment};

/// Nodes, and what a launch refers to. All else stands as it did: an apply that changes it
/// changes these as well, or nothing that a fleet can see.
const OFTEN: [KindName; 4] =
    [KindName::Node, KindName::LaunchTemplate, KindName::Subnet, KindName::PlacementGroup];
/// The cloud's own word is asked for again when the last one is so old, in milliseconds: with looks
/// every ten seconds none is older than a minute.
const OLD: i64 = 50_000;

/// Looks at a stack again and again. It is thrown away when the stack is read again, so that all
/// of it is seen every few minutes.
#[derive(Debug, Default)]
pub struct Glance(Mutex<(Option<Observed>, Word)>);

/// What the cloud itself has said of nodes, and when it was last asked.
#[derive(Debug, Default)]
struct Word {
    asked: Option<Moment>,
    told: BTreeMap<CloudId, (Option<Checks>, Vec<Announced>)>,
}

impl Word {
    fn is_old(&self, now: Moment) -> bool {
        self.asked.is_none_or(|asked| now.since(asked) >= OLD)
    }

    /// Takes in what was just said of all nodes. That spot takes one back is said only where all of a
    /// stack is looked at, and is never taken back: it stays.
    fn hear<'a>(&mut self, all: impl Iterator<Item = (&'a CloudId, &'a Condition)>, now: Moment) {
        let before = std::mem::take(&mut self.told);
        let word = |(id, it): (&CloudId, &Condition)| {
            let mut announced = it.announced.clone();
            let known = before.get(id).into_iter().flat_map(|(_, announced)| announced);
            let spot = |one: &&Announced| matches!(one, Announced::Interruption { .. });
            for one in known.filter(spot) {
                if !announced.contains(one) {
                    announced.push(one.clone());
                }
            }
            (id.clone(), (it.checks.clone(), announced))
        };
        (self.asked, self.told) = (Some(now), all.map(word).collect());
    }

    /// Puts it beside what nodes say of themselves.
    fn put(&self, observed: &mut Observed) {
        for (id, condition) in &mut observed.conditions {
            let known = self.told.get(id).cloned();
            let (checks, announced) = known.unwrap_or_default();
            (condition.checks, condition.announced) = (checks, announced);
        }
    }
}

impl Glance {
    /// What the cloud shows of the stack.
    pub async fn look(&self, cloud: &dyn Cloud, scope: &Scope, now: Moment) -> Observed {
        let mut before = self.0.lock().await;
        let (before, word) = &mut *before;
        let Some(before) = before else {
            let all = cloud.observe(scope).await;
            word.hear(all.conditions.iter(), now);
            // What could not be seen is asked for again, and not taken for what it was.
            if all.blind.is_empty() && all.unreadable.is_empty() {
                *before = Some(all.clone());
            }
            return all;
        };
        let often = BTreeSet::from(OFTEN);
        let mut seen = before.renewed(&often, cloud.glance(scope, &often).await);
        let running =
            |id: &&CloudId| seen.live.get(*id).is_some_and(|live| live.phase == Phase::Ready);
        let running: Vec<CloudId> = seen.conditions.keys().filter(running).cloned().collect();
        if word.is_old(now) && !running.is_empty() {
            match cloud.conditions(&running).await {
                Ok(told) => word.hear(told.iter().map(|(id, (_, it))| (id, it)), now),
                // What was said before still counts; it is asked for at the next look.
                Err(failure) => seen.unjudged = Some(failure.to_string()),
            }
        }
        word.put(&mut seen);
        seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(checks: Checks) -> Condition {
        Condition { checks: Some(checks), ..Condition::default() }
    }

    #[test]
    fn the_cloud_s_word_is_asked_for_every_minute_and_replaces_what_it_said_before() {
        let mut word = Word::default();
        assert!(word.is_old(Moment(0)));
        let id = CloudId::from("i-1");
        let at = "2026-12-12T00:00:00Z".to_owned();
        let mut bad = condition(Checks::Bad("system".to_owned()));
        bad.announced = vec![Announced::Retirement { at }];
        word.hear([(&id, &bad)].into_iter(), Moment(1000));
        assert!(!word.is_old(Moment(50_999)) && word.is_old(Moment(51_000)));
        let mut seen = Observed::default();
        seen.conditions.insert(id.clone(), Condition::default());
        seen.conditions.insert("i-2".into(), condition(Checks::Good));
        for _ in 0..3 {
            word.put(&mut seen);
            let it = &seen.conditions[&id];
            assert_eq!((&it.checks, &it.announced), (&bad.checks, &bad.announced), "told once");
        }
        assert_eq!(seen.conditions[&CloudId::from("i-2")].checks, None, "nobody has said that");
        let good = condition(Checks::Good);
        word.hear([(&id, &good)].into_iter(), Moment(61_000));
        word.put(&mut seen);
        assert_eq!(seen.conditions[&id], good);
        let what = "marked-for-termination".to_owned();
        let taken = Condition { announced: vec![Announced::Interruption { what }], ..good.clone() };
        word.hear([(&id, &taken)].into_iter(), Moment(121_000));
        for _ in 0..2 {
            word.hear([(&id, &good)].into_iter(), Moment(181_000));
            word.put(&mut seen);
            assert_eq!(seen.conditions[&id], taken, "nobody takes that back");
        }
    }
}
