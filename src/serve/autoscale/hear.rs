//! What the sources said beside their numbers, told in the decision: that one is silent, or says
//! what cannot be true, or has jobs that no node can run.

use crate::demand::{Answer, What};
use crate::fleet::{Against, Alert, Decision, Demand, Heard, Offer, QueueId};
use crate::model::Moment;

/// Tells it in a decision that was taken now. `before` is what was heard at the last look.
pub fn hear(decision: &mut Decision, answer: &Answer, before: Option<&Heard>, now: Moment) {
    let since = before.and_then(Heard::since).unwrap_or(now);
    decision.heard = match &answer.demand {
        Demand::Known { .. } => Heard::All,
        Demand::Stale { why, .. } => Heard::Partly { since, why: why.clone() },
        Demand::Error { why, .. } => Heard::Nothing { since, why: why.clone() },
    };
    for report in &answer.reports {
        let name = &report.name;
        if let Some(trouble) = report.trouble.as_ref().filter(|it| it.what == What::Absurd) {
            decision.alerts.push(Alert::Absurd { what: format!("{name}: {trouble}") });
        }
        if !report.refused.is_empty() {
            let (source, what) = (QueueId::from(name.as_str()), report.refused.join("; "));
            decision.alerts.push(Alert::Misfit { source, what });
        }
        decision.left_out.extend(report.held.iter().map(|what| format!("{name}: {what}")));
    }
}

/// Offers whose nodes no job that waits could use.
pub fn too_small(decision: &mut Decision, demand: &Demand, offers: &[Offer]) {
    let waiting = demand.work().map_or(&[][..], |work| &work.waiting);
    let Some(least) = waiting.iter().map(|job| job.shape.gpus).min() else { return };
    for it in decision.considered.iter_mut().filter(|it| it.against.is_none()) {
        let offer = offers.iter().find(|offer| offer.key == it.offer);
        if offer.is_some_and(|offer| offer.gpus.max(1) < least) {
            it.against = Some(Against::TooSmall);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demand::{Report, Trouble};
    use crate::fleet::{Considered, Job, Seconds, Shape, Work};
    use crate::kinds;
    use crate::model::{Link, Zone};

    fn report(name: &str, trouble: Option<Trouble>) -> Report {
        Report {
            name: name.to_owned(),
            kind: "program",
            age: None,
            waiting: 0,
            running: 0,
            oldest: None,
            refused: Vec::new(),
            held: Vec::new(),
            trouble,
        }
    }

    #[test]
    fn silence_is_told_with_its_beginning_until_it_ends() {
        let error = Demand::Error { age: None, why: "q: no answer".to_owned() };
        let work = Work::default();
        let stale = Demand::Stale { work, age: Seconds(60), why: "q: no answer".to_owned() };
        let mut before = None;
        let mut look = |demand: &Demand, now: i64| {
            let mut decision = Decision::default();
            let answer = Answer::from(demand.clone());
            hear(&mut decision, &answer, before.as_ref(), Moment(now));
            before = Some(decision.heard.clone());
            decision.heard
        };
        let why = "q: no answer".to_owned();
        let since = |at| Heard::Nothing { since: Moment(at), why: why.clone() };
        assert_eq!(look(&error, 10), since(10));
        assert_eq!(look(&error, 20), since(10));
        let partly = Heard::Partly { since: Moment(10), why: why.clone() };
        assert_eq!(look(&stale, 30), partly);
        assert_eq!(look(&Demand::known(Work::default()), 40), Heard::All);
        assert_eq!(look(&error, 50), since(50));
    }

    #[test]
    fn what_cannot_be_true_and_what_fits_nowhere_are_told() {
        let absurd = Trouble::new(What::Absurd, "-5 is no number of jobs");
        let silent = Trouble::new(What::Timeout, "no answer within 5 s");
        let refused = vec!["big needs 16".to_owned(), "wide needs 9".to_owned()];
        let held = vec!["1 job waits for another reason: Dependency".to_owned()];
        let third = Report { refused, held, ..report("c", None) };
        let reports = vec![report("a", Some(absurd)), report("b", Some(silent)), third];
        let demand = Demand::known(Work::default());
        let mut decision = Decision::default();
        hear(&mut decision, &Answer { demand, reports }, None, Moment(1));
        let what = "big needs 16; wide needs 9".to_owned();
        assert_eq!(
            decision.alerts,
            [
                Alert::Absurd { what: "a: -5 is no number of jobs".to_owned() },
                Alert::Misfit { source: "c".into(), what },
            ]
        );
        assert_eq!(decision.left_out, ["c: 1 job waits for another reason: Dependency"]);
    }

    #[test]
    fn offers_of_nodes_too_small_for_all_that_waits_are_said_to_be() {
        let offer = |kind: &str, gpus| {
            let subnet = Link::Id("subnet-1".into());
            Offer::new(kinds::Offer::plain(kind, Zone::from("a"), subnet), gpus)
        };
        let offers = [offer("g5.xlarge", 1), offer("p5.48xlarge", 8), offer("m5.large", 0)];
        let told = |gpus: &[u32]| {
            let seen =
                |it: &Offer| Considered { offer: it.key.clone(), per_gpu: None, against: None };
            let considered = offers.iter().map(seen).collect();
            let mut decision = Decision { considered, ..Decision::default() };
            let waiting = gpus.iter().map(|gpus| Job::depth(1, Shape::single(*gpus))).collect();
            let demand = Demand::known(Work { waiting, ..Work::default() });
            too_small(&mut decision, &demand, &offers);
            decision.considered.iter().map(|it| it.against.is_some()).collect::<Vec<_>>()
        };
        assert_eq!(told(&[4, 2]), [true, false, true]);
        assert_eq!(told(&[4, 1]), [false, false, false]);
        assert_eq!(told(&[0]), [false, false, false], "a whole node of whatever kind");
        assert_eq!(told(&[]), [false, false, false]);
    }
}
