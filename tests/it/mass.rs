//! Many nodes that fail at once: that is no bad machine, and nothing is done about it but to say so.

use mlinfra::cloud::Cloud;
use mlinfra::kinds::{Action, KindName};
use mlinfra::model::tags;
use mlinfra::plan::spared;
use mlinfra::sim::Settings;
use mlinfra::stack::Desired;

use crate::lab::Lab;

async fn ten(health: &str) -> (Lab, Desired) {
    let text = format!(
        "stack \"s\" {{ region = \"us-east-1\" }}\nnetwork \"n\" {{}}\n\
         cluster \"c\" {{\n network = network.n\n instance_type = \"c7i.large\"\n nodes = 10\n\
         {health}\n}}\n"
    );
    let lab = Lab::new(Settings::default());
    let desired = lab.desired(&text).await;
    assert!(lab.apply(&desired).await.expect("an apply").1.is_converged());
    (lab, desired)
}

/// So many of the nodes say that they have failed.
fn fail(lab: &Lab, count: usize) {
    let all = lab.region.snapshot().into_iter().filter(|it| it.kind == KindName::Node);
    for (at, node) in all.filter(|it| it.phase.stands()).enumerate() {
        let state = if at < count { "unhealthy" } else { "ready" };
        for (key, value) in [(tags::STATE, state), (tags::REASON, "check: Xid 79")] {
            lab.region.foreign_tag(node.id.as_str(), key, Some(value)).expect("a tag");
        }
    }
}

/// What a plan quarantines, ends and launches; and what is told of instead.
async fn seen(lab: &Lab, desired: &Desired) -> ([usize; 3], Vec<(usize, usize)>) {
    let plan = lab.plan(desired).await.expect("a plan");
    let mut out = [0; 3];
    for step in &plan.steps {
        match &step.action {
            Action::Quarantine { nodes, .. } => out[0] += nodes.len(),
            Action::Terminate { nodes, .. } => out[1] += nodes.len(),
            Action::Launch { count, .. } => out[2] += *count as usize,
            other => panic!("{other:?}"),
        }
    }
    let observed = lab.region.observe(&lab.scope(desired)).await;
    let told = spared(desired, &observed, &plan);
    (out, told.iter().map(|one| (one.failed.len(), one.most)).collect())
}

#[tokio::test(start_paused = true)]
async fn what_fails_in_numbers_is_left_alone_and_told() {
    let (lab, desired) = ten("").await;
    fail(&lab, 3);
    assert_eq!(seen(&lab, &desired).await, ([0, 0, 0], vec![(3, 2)]));
    assert!(lab.apply(&desired).await.expect("an apply").1.is_converged());
    // Fewer are a matter of machines.
    fail(&lab, 2);
    assert_eq!(seen(&lab, &desired).await, ([2, 0, 2], vec![]));
    assert!(lab.apply(&desired).await.expect("an apply").1.is_converged());
    assert_eq!(seen(&lab, &desired).await, ([0, 0, 0], vec![]));

    for (share, failed, does) in [
        ("3", 3, [2, 1, 3]),
        ("\"3\"", 4, [0, 0, 0]),
        ("\"21%\"", 3, [2, 1, 3]),
        ("\"100%\"", 10, [2, 8, 10]),
        ("1", 2, [0, 0, 0]),
    ] {
        let (lab, desired) = ten(&format!("health {{\n max_unhealthy = {share}\n}}")).await;
        fail(&lab, failed);
        assert_eq!(seen(&lab, &desired).await.0, does, "{share}");
    }
}

/// Another template, or a smaller number, moves them all the same: those that have failed first.
#[tokio::test(start_paused = true)]
async fn what_is_left_alone_still_follows_the_configuration() {
    let (lab, desired) = ten("").await;
    fail(&lab, 3);
    let fewer = lab.desired_after(
        "stack \"s\" { region = \"us-east-1\" }\nnetwork \"n\" {}\ncluster \"c\" {\n \
         network = network.n\n instance_type = \"c7i.large\"\n nodes = 7\n}\n",
        &desired,
    );
    let fewer = fewer.await;
    assert_eq!(seen(&lab, &fewer).await, ([0, 3, 0], vec![]));
    assert!(lab.apply(&fewer).await.expect("an apply").1.is_converged());
    let left = lab.region.snapshot().into_iter().filter(|it| it.kind == KindName::Node);
    let left: Vec<_> = left.filter(|it| it.phase.stands()).collect();
    let ready = |tag: Option<&String>| tag.is_some_and(|state| state == "ready");
    assert_eq!(left.len(), 7);
    assert!(left.iter().all(|it| ready(it.tags.get(tags::STATE))), "{left:?}");
}
