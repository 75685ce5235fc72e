//! Parts of plans: a targeted plan is a subset of the whole plan, closed under what its steps
//! need, and carrying it out leaves nothing to do for what was targeted.

use std::collections::BTreeSet;

use mlinfra::apply::{Convergence, Ended, Start, converge};
use mlinfra::cloud::{Cloud, Observed};
use mlinfra::kinds::{Action, Plan, Step, Why};
use mlinfra::ledger::{Journal, Ledger};
use mlinfra::model::{Address, Place, StackName};
use mlinfra::plan::{Refusal, Selection, plan_for};
use mlinfra::sim::Settings;
use mlinfra::stack::Desired;

use crate::hands::hands;
use crate::lab::{Lab, SimClock};

const QUICKSTART: &str = include_str!("../../examples/quickstart/main.hcl");

async fn lab_with(before: Option<&Desired>) -> Lab {
    let lab = Lab::new(Settings::default());
    if let Some(before) = before {
        assert!(lab.apply(before).await.expect("an apply").1.is_converged());
    }
    lab
}

async fn planned(lab: &Lab, desired: &Desired, selection: &Selection) -> Result<Plan, Refusal> {
    let mut observed = lab.region.observe(&lab.scope(desired)).await;
    let mut journal = Journal::open(&lab.store, "reader").await.expect("a ledger");
    journal.ledger.reconcile(&mut observed);
    plan_for(desired, &journal.ledger, &observed, selection)
}

async fn applied(lab: &Lab, desired: &Desired, selection: &Selection) -> Ended {
    let clock = SimClock(lab.region.clone());
    let journal = Journal::open(&lab.store, "lab").await.expect("a ledger");
    let hands = hands(&lab.region, &clock, lab.scope(desired), journal);
    let begun = std::sync::atomic::AtomicBool::new(false);
    let planner = |observed: &Observed, ledger: &Ledger| {
        let first = !begun.swap(true, std::sync::atomic::Ordering::SeqCst);
        let asked = if first { selection.clone() } else { selection.afterwards() };
        plan_for(desired, ledger, observed, &asked)
    };
    let task = Convergence {
        wanted: &|_: &Address| true,
        planner: &planner,
        start: Start { names: desired.names.clone(), ..Start::default() },
    };
    converge(&hands, task).await.expect("an apply").1
}

fn targets(texts: &[&str]) -> Selection {
    let targets = texts.iter().map(|text| text.parse::<Place>().expect("a target")).collect();
    Selection { targets, ..Selection::default() }
}

/// A step, and what it needs, without numbers. Why a step of a destroy is there is told
/// otherwise of a part.
fn told(plan: &Plan) -> Vec<(String, BTreeSet<String>)> {
    let name = |step: &Step| format!("{} {:?}", step.address, step.action);
    let needs = |step: &Step| step.needs.iter().map(|need| name(&plan.steps[*need])).collect();
    plan.steps.iter().map(|step| (name(step), needs(step))).collect()
}

/// The worlds that are gone between: nothing → all, small → other, all → nothing.
async fn worlds() -> Vec<(Option<Desired>, Desired)> {
    let lab = Lab::new(Settings::default());
    let all = lab.desired(QUICKSTART).await;
    let moved = QUICKSTART
        .replace("10.20.0.0/16", "10.30.0.0/16")
        .replace("default     = 2", "default     = 3")
        .replace("visibility_timeout = \"30m\"", "fifo = true");
    let other = lab.desired(&moved).await;
    let nothing = Desired::nothing(StackName::from("quickstart"));
    vec![(None, all.clone()), (Some(all.clone()), other), (Some(all), nothing)]
}

#[tokio::test(start_paused = true)]
async fn a_targeted_plan_is_a_closed_subset_of_the_whole() {
    let mut counted = 0;
    for (before, after) in worlds().await {
        let lab = lab_with(before.as_ref()).await;
        let whole = planned(&lab, &after, &Selection::default()).await.expect("a plan");
        let all: std::collections::BTreeMap<_, _> = told(&whole).into_iter().collect();
        let addresses: BTreeSet<String> = whole
            .steps
            .iter()
            .flat_map(|s| [s.address.to_string(), s.address.owner().to_string()])
            .collect();
        for address in &addresses {
            let part = planned(&lab, &after, &targets(&[address])).await.expect("a plan");
            let target: Place = address.parse().expect("a target");
            let told = told(&part);
            let inside: BTreeSet<&String> = told.iter().map(|(name, _)| name).collect();
            for (name, needs) in &told {
                assert_eq!(all.get(name), Some(needs), "{address}: {name}");
                assert!(needs.iter().all(|need| inside.contains(need)), "{address}: {name}");
            }
            for (at, step) in part.steps.iter().enumerate() {
                assert!(step.needs.iter().all(|need| *need < at), "{address}: {}", step.address);
            }
            let wanted = whole.steps.iter().filter(|step| target.covers(&step.address)).count();
            let found = part.steps.iter().filter(|step| target.covers(&step.address)).count();
            assert_eq!(found, wanted, "{address}");
            // Nothing is there that neither was asked for nor is needed.
            let needed: BTreeSet<usize> =
                part.steps.iter().flat_map(|step| step.needs.clone()).collect();
            for (at, step) in part.steps.iter().enumerate() {
                let asked = target.covers(&step.address);
                assert!(asked || needed.contains(&at), "{address}: {}", step.address);
            }
            counted += 1;
        }
    }
    assert!(counted > 60, "{counted}");
}

#[tokio::test(start_paused = true)]
async fn after_each_part_nothing_is_left_for_it_and_the_rest_converges() {
    for (before, after) in worlds().await {
        for target in ["bucket.datasets", "network.main/vpc", "queue.training", "cluster.train"] {
            let lab = lab_with(before.as_ref()).await;
            let ended = applied(&lab, &after, &targets(&[target])).await;
            assert!(ended.is_converged(), "{target}: {ended:#?}");
            let left = planned(&lab, &after, &targets(&[target])).await.expect("a plan");
            assert_eq!(left.steps, [], "{target}");
            let (_, ended) = lab.apply(&after).await.expect("an apply");
            assert!(ended.is_converged(), "{target}, then all: {ended:#?}");
            assert_eq!(lab.wrongs(&after), Vec::<String>::new(), "{target}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_object_can_get_a_successor() {
    let lab = Lab::new(Settings::default());
    let all = lab.desired(QUICKSTART).await;
    assert!(lab.apply(&all).await.expect("an apply").1.is_converged());
    let mut together = 0;
    for address in all.specs.keys().chain(all.fleets.keys()) {
        let mut selection =
            Selection { replace: BTreeSet::from([address.clone()]), ..Selection::default() };
        // Nothing is taken from under what stays: that is named, and goes along.
        while let Err(Refusal::Used { users, .. }) = planned(&lab, &all, &selection).await {
            let asked = selection.replace.len();
            selection.replace.extend(users);
            assert!(selection.replace.len() > asked, "{address}");
            together += 1;
        }
        // A gateway goes only after every address behind it, and those come only after it.
        if let Err(Refusal::Cycle(_)) = planned(&lab, &all, &selection).await {
            assert_eq!(address.to_string(), "network.main/gateway");
            continue;
        }
        let ids = |lab: &Lab| -> BTreeSet<String> {
            let found = lab.objects("quickstart").remove(&address.to_tag()).unwrap_or_default();
            found.into_iter().map(|object| format!("{} {:?}", object.id, object.tags)).collect()
        };
        let plan = planned(&lab, &all, &selection).await.expect("a plan");
        let asked = plan.steps.iter().filter(|step| step.why == Why::Requested);
        assert!(asked.clone().any(|step| step.address == *address));
        assert!(asked.clone().all(|step| selection.replace.contains(&step.address)));
        let deletes =
            |action: &Action| matches!(action, Action::Delete { .. } | Action::Terminate { .. });
        assert!(plan.steps.iter().any(|s| s.address == *address && deletes(&s.action)));
        let before = ids(&lab);
        let ended = applied(&lab, &all, &selection).await;
        assert!(ended.is_converged(), "{address}: {ended:#?}");
        assert!(before.is_disjoint(&ids(&lab)), "{address}");
        assert_eq!(lab.wrongs(&all), Vec::<String>::new(), "{address}");
    }
    assert!(together > 0, "something stands on something");
}

#[tokio::test(start_paused = true)]
async fn what_names_nothing_or_too_much_is_refused() {
    let lab = Lab::new(Settings::default());
    let all = lab.desired(QUICKSTART).await;
    assert!(lab.apply(&all).await.expect("an apply").1.is_converged());
    let observed = lab.region.observe(&lab.scope(&all)).await;
    let check = |selection: &Selection| selection.check(&all, &observed);
    let replace = |text: &str| Selection {
        replace: BTreeSet::from([text.parse().expect("an address")]),
        ..Selection::default()
    };
    assert_eq!(check(&targets(&["bucket.datasets", "network.main"])), Ok(()));
    assert_eq!(check(&replace("cluster.train/nodes")), Ok(()));
    assert!(matches!(check(&targets(&["bucket.dataset"])), Err(Refusal::Absent { like, .. })
        if like.first().is_some_and(|first| first == "bucket.datasets")));
    assert!(matches!(check(&replace("bucket.x")), Err(Refusal::Absent { .. })));
    assert!(matches!(check(&replace("network.main")), Err(Refusal::Several { parts, .. })
        if parts.contains(&"network.main/vpc".to_owned())));
}
