//! Renewing nodes that work: no job is killed, and there are never too few of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mlinfra::cloud::{Cloud, Phase};
use mlinfra::kinds::KindName;
use mlinfra::model::{CloudId, tags};
use mlinfra::plan::{Jobs, jobs};
use mlinfra::sim::{ObjectView, Region, Settings};
use mlinfra::stack::Desired;

use crate::dice::Dice;
use crate::lab::Lab;

const STACK: &str = r#"
stack "r" { region = "us-east-1" }
network "n" { cidr = "10.0.0.0/16" }
cluster "c" {
  network       = network.n
  instance_type = "g5.xlarge"
  nodes         = 200
  image         = "ubuntu-24.04"
}
"#;

fn nodes(region: &Region) -> Vec<ObjectView> {
    region.snapshot().into_iter().filter(|it| it.kind == KindName::Node).collect()
}

/// What the agents of all nodes do, as seen from outside.
#[derive(Default)]
struct Yard {
    /// When the job of each node ends, in milliseconds of the region.
    jobs: BTreeMap<CloudId, u64>,
    finished: usize,
    killed: Vec<CloudId>,
    fewest: usize,
    most: usize,
}

impl Yard {
    /// One look of every agent: jobs end, and who is not to go takes the next one.
    fn tick(&mut self, region: &Region, dice: &mut Dice) {
        let now = region.now();
        let all = nodes(region);
        let up: Vec<&ObjectView> = all.iter().filter(|it| it.phase == Phase::Ready).collect();
        let standing = all.iter().filter(|it| it.phase.stands()).count();
        (self.fewest, self.most) = (self.fewest.min(up.len()), self.most.max(standing));
        let stands: BTreeSet<&CloudId> =
            all.iter().filter(|it| it.phase.stands()).map(|it| &it.id).collect();
        let gone: Vec<CloudId> =
            self.jobs.keys().filter(|id| !stands.contains(id)).cloned().collect();
        for id in gone {
            self.jobs.remove(&id);
            self.killed.push(id);
        }
        for node in up {
            if self.jobs.get(&node.id).is_some_and(|end| *end <= now) {
                self.jobs.remove(&node.id);
                self.finished += 1;
                say(region, node, "idle");
            }
            let leaves = node.tags.contains_key(tags::DRAIN);
            if !leaves && !self.jobs.contains_key(&node.id) {
                let length = 60_000 + dice.roll(840_000);
                self.jobs.insert(node.id.clone(), now + length);
                say(region, node, "busy");
            }
        }
    }
}

fn say(region: &Region, node: &ObjectView, state: &str) {
    region.foreign_tag(node.id.as_str(), tags::STATE, Some(state)).expect("a tag");
}

async fn roll(more: &str) -> (Yard, bool) {
    let mut settings = Settings::default();
    for (key, value) in [("latency_ms", "10"), ("boot_seconds", "60")] {
        settings.set(key, value).expect("a setting");
    }
    let lab = Lab::new(settings);
    let text = STACK.replace("nodes  ", &format!("{more}\n  nodes  "));
    let old = lab.desired(&text).await;
    assert!(lab.apply(&old).await.expect("an apply").1.is_converged());
    let new = text.replace("ubuntu-24.04", "al2023");
    let new = lab.desired_after(&new, &old).await;
    let done = Arc::new(AtomicBool::new(false));
    let (region, stop) = (lab.region.clone(), Arc::clone(&done));
    let agents = tokio::spawn(async move {
        let mut dice = Dice(7);
        let mut yard = Yard { fewest: usize::MAX, ..Yard::default() };
        while !stop.load(Ordering::SeqCst) {
            yard.tick(&region, &mut dice);
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
        yard
    });
    let (_, ended) = lab.apply(&new).await.expect("an apply");
    done.store(true, Ordering::SeqCst);
    let yard = agents.await.expect("the agents");
    assert!(lab.doubled().is_empty());
    assert_eq!(lab.wrongs(&new), Vec::<String>::new());
    let empty = lab.plan(&new).await.expect("a plan").is_empty();
    (yard, ended.is_converged() && empty)
}

/// Two hundred nodes change their image with a job on each.
#[tokio::test(start_paused = true)]
async fn two_hundred_busy_nodes_change_their_image_and_no_job_dies() {
    let (yard, converged) = roll("").await;
    println!(
        "{} jobs ended by themselves, {} were killed; {} to {} nodes at any time",
        yard.finished,
        yard.killed.len(),
        yard.fewest,
        yard.most
    );
    assert!(converged);
    assert_eq!(yard.killed, Vec::<CloudId>::new());
    assert!(yard.finished >= 200, "{}", yard.finished);
    assert!(yard.fewest >= 200 && yard.most <= 220, "{} to {}", yard.fewest, yard.most);
}

/// Where no more may run than are wanted, as many are missing as is allowed.
#[tokio::test(start_paused = true)]
async fn without_surge_only_so_many_nodes_are_missing() {
    let (yard, converged) = roll("rolling {\n max_unavailable = 50\n }").await;
    assert!(converged);
    assert_eq!(yard.killed, Vec::<CloudId>::new());
    assert!(yard.fewest >= 150 && yard.most <= 200, "{} to {}", yard.fewest, yard.most);
}

/// The first nodes that stand, all of which say this.
async fn four(lab: &Lab, more: &str, state: Option<&str>) -> (String, Desired, BTreeSet<CloudId>) {
    let text = STACK.replace("200", "4").replace("nodes  ", &format!("{more}\n  nodes  "));
    let desired = lab.desired(&text).await;
    lab.apply(&desired).await.expect("an apply");
    let first = nodes(&lab.region);
    for node in first.iter().filter(|_| state.is_some()) {
        say(&lab.region, node, state.unwrap_or_default());
    }
    (text, desired, first.into_iter().map(|it| it.id).collect())
}

async fn told(lab: &Lab, desired: &Desired) -> Vec<Jobs> {
    let plan = lab.plan(desired).await.expect("a plan");
    let observed = lab.region.observe(&lab.scope(desired)).await;
    jobs(&plan, &observed).into_values().collect()
}

fn standing(lab: &Lab, first: &BTreeSet<CloudId>) -> BTreeSet<CloudId> {
    let stands = nodes(&lab.region).into_iter().filter(|it| it.phase.stands());
    stands.map(|it| it.id).filter(|id| first.contains(id)).collect()
}

const AGENT: &str = r#"agent {
    url    = "https://example.com/mlinfra"
    sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
  }"#;

/// Nodes that say nothing are not waited for, whatever runs there, and every plan that ends them
/// says so; of those with an agent it says nothing.
#[tokio::test(start_paused = true)]
async fn jobs_of_nodes_that_do_not_say_so_are_not_seen() {
    for (from, to) in [("ubuntu-24.04", "al2023"), ("= 4", "= 2")] {
        let lab = Lab::new(Settings::default());
        let (text, old, first) = four(&lab, "", None).await;
        let new = lab.desired_after(&text.replace(from, to), &old).await;
        let ends = if to == "= 2" { 2 } else { 4 };
        let found = told(&lab, &new).await;
        let unheard: BTreeSet<CloudId> =
            found.iter().flat_map(|jobs| jobs.unheard.clone()).collect();
        assert_eq!((found.len(), unheard.len()), (1, ends), "{to}: {found:?}");
        assert!(found.iter().all(|jobs| jobs.cut.is_empty()), "{to}: {found:?}");
        let begun = tokio::time::Instant::now();
        assert!(lab.apply(&new).await.expect("an apply").1.is_converged());
        assert!(begun.elapsed() < Duration::from_secs(1200), "{to}: {:?}", begun.elapsed());
        let left = standing(&lab, &first);
        assert_eq!(left, first.difference(&unheard).cloned().collect(), "{to}");

        let lab = Lab::new(Settings::default());
        let (text, old, _) = four(&lab, AGENT, Some("idle")).await;
        let new = lab.desired_after(&text.replace(from, to), &old).await;
        assert_eq!(told(&lab, &new).await, [], "{to}");
    }
}

/// Fewer nodes: those that do nothing go, and where all work it waits; a block that was removed
/// waits as well. To destroy waits for nobody, and says whose job that ends.
#[tokio::test(start_paused = true)]
async fn a_smaller_cluster_waits_for_jobs_and_destroy_names_them() {
    let lab = Lab::new(Settings::default());
    let (text, old, first) = four(&lab, AGENT, Some("busy")).await;
    let idle: BTreeSet<CloudId> = first.iter().take(2).cloned().collect();
    for node in nodes(&lab.region).iter().filter(|it| idle.contains(&it.id)) {
        say(&lab.region, node, "idle");
    }
    let two = lab.desired_after(&text.replace("= 4", "= 2"), &old).await;
    assert!(lab.apply(&two).await.expect("an apply").1.is_converged());
    let busy: BTreeSet<CloudId> = first.difference(&idle).cloned().collect();
    assert_eq!(standing(&lab, &first), busy);

    let one = lab.desired_after(&text.replace("= 4", "= 1"), &two).await;
    let without = text.split("cluster").next().expect("the rest");
    let none = lab.desired_after(without, &two).await;
    for fewer in [&one, &none] {
        assert_eq!(told(&lab, fewer).await, []);
        let apply = lab.apply(fewer);
        drop(tokio::time::timeout(Duration::from_secs(3600), apply).await);
        assert_eq!(standing(&lab, &first), busy);
    }
    let job = busy.first().expect("a node");
    lab.region.foreign_tag(job.as_str(), tags::JOB, Some("train-17")).expect("a tag");
    let found = told(&lab, &Desired::nothing(old.stack.clone())).await;
    let [Jobs { unheard, cut }] = found.as_slice() else { panic!("{found:?}") };
    assert!(unheard.is_empty(), "{unheard:?}");
    assert_eq!(cut.keys().cloned().collect::<BTreeSet<_>>(), busy);
    assert_eq!(cut[job].as_deref(), Some("train-17"));
}

/// What cannot be seen is not taken for idle: whichever list of nodes fails, no job ends.
#[tokio::test(start_paused = true)]
async fn nodes_that_cannot_be_seen_are_not_taken_for_idle() {
    for nth in 1..=8 {
        let lab = Lab::new(Settings::default());
        let all_at_once = "rolling {\n max_unavailable = 4\n }\n  nodes  ";
        let text = STACK.replace("200", "4").replace("nodes  ", all_at_once);
        let old = lab.desired(&text).await;
        lab.apply(&old).await.expect("an apply");
        let first = nodes(&lab.region);
        for node in &first {
            say(&lab.region, node, "busy");
        }
        let new = lab.desired_after(&text.replace("ubuntu-24.04", "al2023"), &old).await;
        let fault = format!("deny@ec2:DescribeInstances#{nth}");
        lab.region.set("faults", &fault).expect("a setting");
        // Jobs that go on for ever: an apply waits for them as long.
        let apply = lab.apply(&new);
        drop(tokio::time::timeout(Duration::from_secs(900), apply).await);
        let stands =
            |id: &CloudId| nodes(&lab.region).iter().any(|it| it.id == *id && it.phase.stands());
        let alive = first.iter().filter(|it| stands(&it.id)).count();
        assert_eq!(alive, 4, "the list that failed was number {nth}");
    }
}
