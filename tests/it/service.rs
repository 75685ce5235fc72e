//! Services: a name leads to healthy machines alone, whatever is changed, fails or dies.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mlinfra::cloud::{Cloud as _, Phase};
use mlinfra::kinds::{Action, KindName, Plan, Spec};
use mlinfra::model::{StackName, tags};
use mlinfra::sim::{ObjectView, Region, Settings};
use mlinfra::stack::Desired;

use crate::lab::Lab;

const STACK: &str = r#"
stack "s" { region = "us-east-1" }
network "n" { zones = ["a"] }
bucket "b" {}
service "web" {
  network       = network.n
  instance_type = "t3.large"
  ports         = [80, 5000]
  nodes         = 2
  container {
    image   = "ghcr.io/acme/web:v1"
    secrets = { PASSWORD = "ssm:/s/password" }
  }
  mount "/data" { from = bucket.b }
}
"#;

fn standing(region: &Region, kind: KindName) -> Vec<ObjectView> {
    let all = region.snapshot().into_iter();
    all.filter(|it| it.kind == kind && it.phase.stands()).collect()
}

/// The addresses that a name leads to; none when there is no such record.
fn leads(region: &Region, name: &str) -> Option<Vec<String>> {
    standing(region, KindName::HostedZone).into_iter().find_map(|zone| {
        let Spec::HostedZone(zone) = zone.spec else { return None };
        let record = zone.records.into_iter().find(|record| record.ask == format!("A {name}"))?;
        Some(record.values)
    })
}

/// Verbs of the steps about machines and their name, in order.
fn about_machines(plan: &Plan) -> Vec<String> {
    let word = |action: &Action| match action {
        Action::Launch { count, .. } => Some(format!("launch {count}")),
        Action::Terminate { nodes, drain, .. } => {
            assert!(!drain, "nobody waits for jobs of a service");
            Some(format!("terminate {}", nodes.len()))
        }
        Action::Point { with, .. } => Some(format!("point +{}", with.len())),
        _ => None,
    };
    plan.steps.iter().filter_map(|step| word(&step.action)).collect()
}

async fn fresh(settings: Settings, text: &str) -> (Lab, Desired) {
    let lab = Lab::new(settings);
    let desired = lab.desired(text).await;
    let (_, ended) = lab.apply(&desired).await.expect("an apply");
    assert!(ended.is_converged(), "{ended:?}");
    (lab, desired)
}

async fn apply(lab: &Lab, text: &str, before: &Desired) -> (Desired, Plan, bool) {
    let desired = lab.desired_after(text, before).await;
    let (plan, ended) = lab.apply(&desired).await.expect("an apply");
    (desired, plan, ended.is_converged())
}

#[tokio::test(start_paused = true)]
async fn a_name_leads_to_all_machines_and_nothing_else_is_open() {
    let (lab, desired) = fresh(Settings::default(), STACK).await;
    let found = leads(&lab.region, "web.s.internal").expect("a record");
    assert_eq!(found.len(), 2, "{found:?}");
    let group = standing(&lab.region, KindName::SecurityGroup);
    let Spec::SecurityGroup(group) = &group[0].spec else { panic!("no group") };
    let open: BTreeSet<_> = group.ingress.iter().filter_map(|rule| rule.ports).collect();
    assert_eq!(open, BTreeSet::from([(80, 80), (5000, 5000)]));
    let role = standing(&lab.region, KindName::Role);
    let Spec::Role(role) = &role[0].spec else { panic!("no role") };
    let policy = role.policies[0].document.known().expect("known");
    let parameter = "arn:aws:ssm:us-east-1:000000000000:parameter/s/password";
    assert_eq!(policy.matches(parameter).count(), 2, "to read and to decrypt: {policy}");
    assert!(!policy.contains("secretsmanager"), "{policy}");
    assert_eq!(lab.wrongs(&desired), Vec::<String>::new());

    let nothing = Desired::nothing(StackName::from("s"));
    assert!(lab.apply(&nothing).await.expect("an apply").1.is_converged());
    assert_eq!(lab.region.snapshot().iter().filter(|it| it.phase.stands()).count(), 0);
}

/// At every moment of a change the name leads to machines that run and are healthy.
#[tokio::test(start_paused = true)]
async fn successors_are_healthy_before_the_name_leads_to_them_and_predecessors_end() {
    let (lab, old) = fresh(Settings::default(), STACK).await;
    let first = leads(&lab.region, "web.s.internal").expect("a record");
    let done = Arc::new(AtomicBool::new(false));
    let (region, stop) = (lab.region.clone(), Arc::clone(&done));
    let watch = tokio::spawn(async move {
        let (mut looks, mut bad) = (0, Vec::new());
        while !stop.load(Ordering::SeqCst) {
            let healthy = standing(&region, KindName::Node)
                .iter()
                .filter(|it| {
                    it.phase == Phase::Ready
                        && it.tags.get(tags::STATE).is_some_and(|it| it == "ready")
                })
                .count();
            let names = leads(&region, "web.s.internal").map_or(0, |all| all.len());
            looks += 1;
            if healthy < 2 || names != 2 {
                bad.push(format!("{healthy} healthy machines, {names} addresses"));
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        (looks, bad)
    });
    let (new, plan, converged) = apply(&lab, &STACK.replace("web:v1", "web:v2"), &old).await;
    done.store(true, Ordering::SeqCst);
    let (looks, bad) = watch.await.expect("it watched");
    assert!(converged && looks > 50, "{looks}");
    assert_eq!(bad, Vec::<String>::new());
    assert_eq!(about_machines(&plan), ["launch 2", "point +0", "terminate 2"]);
    let second = leads(&lab.region, "web.s.internal").expect("a record");
    assert!(second.iter().all(|address| !first.contains(address)), "{first:?} {second:?}");
    assert_eq!(lab.wrongs(&new), Vec::<String>::new());
}

/// One at a time, the name leads to those that are left of the old ones as well.
#[tokio::test(start_paused = true)]
async fn while_machines_are_renewed_one_by_one_the_name_leads_to_old_and_new() {
    let text = STACK.replace("nodes         = 2", "nodes = 2\n  rolling {\n surge = 1\n }");
    let (lab, old) = fresh(Settings::default(), &text).await;
    let (_, plan, converged) = apply(&lab, &text.replace("web:v1", "web:v2"), &old).await;
    assert!(converged);
    let steps = ["launch 1", "point +1", "terminate 1", "launch 1", "point +0", "terminate 1"];
    assert_eq!(about_machines(&plan), steps);
}

#[tokio::test(start_paused = true)]
async fn an_unhealthy_successor_changes_nothing_and_going_back_launches_nothing() {
    let mut settings = Settings::default();
    settings.set("sick", "web:broken").expect("a setting");
    let (lab, old) = fresh(settings, STACK).await;
    let led = leads(&lab.region, "web.s.internal");
    let broken = STACK.replace("web:v1", "web:broken");
    let (tried, _, converged) = apply(&lab, &broken, &old).await;
    assert!(!converged);
    assert_eq!(leads(&lab.region, "web.s.internal"), led, "the name has not moved");
    assert_eq!(standing(&lab.region, KindName::Node).len(), 4);

    // Again and again: those that serve nobody make room, and the old ones stay.
    let (tried, plan, converged) = apply(&lab, &broken, &tried).await;
    assert!(!converged);
    assert_eq!(about_machines(&plan)[0], "terminate 2");
    assert_eq!(standing(&lab.region, KindName::Node).len(), 4);
    assert_eq!(leads(&lab.region, "web.s.internal"), led);

    // As it was: the machines that still serve are those that are wanted.
    let (back, plan, converged) = apply(&lab, STACK, &tried).await;
    assert!(converged);
    assert_eq!(about_machines(&plan), ["terminate 2"]);
    assert_eq!(leads(&lab.region, "web.s.internal"), led);
    assert_eq!(lab.wrongs(&back), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_fell_ill_or_vanished_is_replaced_and_a_record_that_was_changed_is_mended() {
    let (lab, desired) = fresh(Settings::default(), STACK).await;
    let nodes = standing(&lab.region, KindName::Node);
    lab.region.foreign_tag(nodes[0].id.as_str(), tags::STATE, Some("unhealthy")).expect("a tag");
    let (plan, ended) = lab.apply(&desired).await.expect("an apply");
    assert!(ended.is_converged());
    assert_eq!(about_machines(&plan), ["launch 1", "point +0", "terminate 1"]);
    let ids: BTreeSet<_> =
        standing(&lab.region, KindName::Node).into_iter().map(|it| it.id).collect();
    assert!(ids.len() == 2 && !ids.contains(&nodes[0].id) && ids.contains(&nodes[1].id));

    lab.region.foreign_delete(nodes[1].id.as_str()).expect("deleted");
    tokio::time::sleep(Duration::from_secs(60)).await;
    let (plan, ended) = lab.apply(&desired).await.expect("an apply");
    assert!(ended.is_converged());
    assert_eq!(about_machines(&plan), ["launch 1", "point +0"]);

    let zone = standing(&lab.region, KindName::HostedZone)[0].id.clone();
    let foreign = serde_json::json!([
        { "ask": "A web.s.internal", "ttl": 10, "values": ["10.9.9.9"] },
        { "ask": "TXT web.s.internal", "ttl": 60, "values": ["\"x\""] },
    ]);
    lab.region.foreign_edit(zone.as_str(), "records", foreign).expect("changed");
    let (plan, ended) = lab.apply(&desired).await.expect("an apply");
    assert!(ended.is_converged());
    assert_eq!(about_machines(&plan), ["point +0"]);
    assert_eq!(plan.steps.len(), 2, "and the record of a stranger goes");
    assert_eq!(lab.wrongs(&desired), Vec::<String>::new());
}

/// A machine that is alone with its disk ends before its successor starts.
#[tokio::test(start_paused = true)]
async fn with_a_volume_the_successor_waits() {
    let text = STACK
        .replace("nodes         = 2", "zones = [\"a\"]")
        .replace("bucket \"b\" {}", "volume \"v\" {\n  size = \"10GiB\"\n  zone = \"a\"\n}")
        .replace("bucket.b", "volume.v");
    let (lab, old) = fresh(Settings::default(), &text).await;
    let (_, plan, converged) = apply(&lab, &text.replace("web:v1", "web:v2"), &old).await;
    assert!(converged);
    assert_eq!(about_machines(&plan), ["terminate 1", "launch 1", "point +0"]);
}

#[tokio::test(start_paused = true)]
async fn services_of_a_network_share_a_zone_and_leave_it_one_by_one() {
    let second = STACK[STACK.find("service").expect("it")..].replace("\"web\"", "\"api\"");
    let both = format!("{STACK}{second}");
    let (lab, old) = fresh(Settings::default(), &both).await;
    assert_eq!(standing(&lab.region, KindName::HostedZone).len(), 1);
    assert!(leads(&lab.region, "api.s.internal").is_some());
    // The name goes first, then whom it led to.
    let (old, plan, converged) = apply(&lab, STACK, &old).await;
    assert!(converged);
    let at = |found: &dyn Fn(&Action) -> bool| {
        plan.steps.iter().position(|step| found(&step.action)).expect("a step")
    };
    let change = at(&|action| matches!(action, Action::Update { spec: Spec::HostedZone(_), .. }));
    let end = at(&|action| matches!(action, Action::Terminate { .. }));
    assert!(plan.steps[end].needs.contains(&change), "{:?}", plan.steps[end]);
    assert_eq!(leads(&lab.region, "api.s.internal"), None);
    assert!(leads(&lab.region, "web.s.internal").is_some());
    // The zone goes with its last service.
    let (_, _, converged) = apply(&lab, &STACK[..STACK.find("service").expect("it")], &old).await;
    assert!(converged && standing(&lab.region, KindName::HostedZone).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_service_that_moves_keeps_its_name_and_its_machines() {
    let (lab, old) = fresh(Settings::default(), STACK).await;
    let led = leads(&lab.region, "web.s.internal");
    let moved = STACK.replace("\"web\"", "\"site\"")
        + "moved {\n  from = service.web\n  to = service.site\n}\n";
    let (new, plan, converged) = apply(&lab, &moved, &old).await;
    assert!(converged);
    assert_eq!(about_machines(&plan), Vec::<String>::new());
    assert_eq!(leads(&lab.region, "web.s.internal"), led);
    assert_eq!(lab.wrongs(&new), Vec::<String>::new());
}

/// The zones in which machines stand, sorted.
fn zones(region: &Region) -> Vec<String> {
    let zone = |it: ObjectView| match it.spec {
        Spec::Node(node) => node.zone.to_string(),
        other => panic!("{other:?}"),
    };
    let mut all: Vec<String> = standing(region, KindName::Node).into_iter().map(zone).collect();
    all.sort();
    all
}

/// One zone that fails does not take all machines of a service, before a roll and after it; where
/// a zone has no capacity its machine stands beside another.
#[tokio::test(start_paused = true)]
async fn machines_of_a_service_stand_in_several_zones() {
    let wide = STACK.replace("network \"n\" { zones = [\"a\"] }", "network \"n\" {}");
    let all = |letters: &[&str]| -> Vec<String> {
        letters.iter().map(|letter| format!("us-east-1{letter}")).collect()
    };
    let (lab, old) = fresh(Settings::default(), &wide).await;
    assert_eq!(zones(&lab.region), all(&["a", "b"]));
    assert_eq!(leads(&lab.region, "web.s.internal").expect("a record").len(), 2);
    // Successors are spread like their predecessors, and the name moves once.
    let (old, plan, converged) = apply(&lab, &wide.replace("web:v1", "web:v2"), &old).await;
    assert!(converged);
    assert_eq!(about_machines(&plan), ["launch 1", "launch 1", "point +0", "terminate 2"]);
    assert_eq!(zones(&lab.region), all(&["a", "b"]));
    // One that is lost comes back where it was missing.
    let gone = standing(&lab.region, KindName::Node)
        .into_iter()
        .find(|it| matches!(&it.spec, Spec::Node(node) if node.zone.as_str() == "us-east-1b"));
    lab.region.foreign_delete(gone.expect("it").id.as_str()).expect("deleted");
    tokio::time::sleep(Duration::from_secs(60)).await;
    let three = wide.replace("web:v1", "web:v2").replace("nodes         = 2", "nodes = 4");
    let (_, _, converged) = apply(&lab, &three, &old).await;
    assert!(converged);
    let found: BTreeSet<String> = zones(&lab.region).into_iter().collect();
    assert!(zones(&lab.region).len() == 4 && found.len() >= 3, "{found:?}");

    let mut settings = Settings::default();
    settings.set("capacity.t3.large@us-east-1b", "0").expect("a setting");
    let two = wide.replace("network \"n\" {}", "network \"n\" { zones = [\"a\", \"b\"] }");
    let (lab, _) = fresh(settings, &two).await;
    assert_eq!(zones(&lab.region), all(&["a", "a"]));
}

/// Between two applies nobody leads a name away from a machine that has fallen ill: it is told.
#[tokio::test(start_paused = true)]
async fn a_name_that_leads_to_an_ill_machine_is_told_until_an_apply_mends_it() {
    let (lab, desired) = fresh(Settings::default(), STACK).await;
    let told = async || {
        let observed = lab.region.observe(&lab.scope(&desired)).await;
        let all = mlinfra::plan::misled(&desired, &observed);
        all.iter().map(mlinfra::plan::Misled::words).collect::<Vec<_>>()
    };
    assert_eq!(told().await, Vec::<String>::new());
    let nodes = standing(&lab.region, KindName::Node);
    let id = nodes[0].id.as_str();
    lab.region.foreign_tag(id, tags::STATE, Some("unhealthy")).expect("a tag");
    lab.region.foreign_tag(id, tags::REASON, Some("health: nobody answers")).expect("a tag");
    let [ill] = &told().await[..] else { panic!("{:?}", told().await) };
    let start = format!("web.s.internal leads to {id} (10.");
    assert!(ill.starts_with(&start) && ill.ends_with("): health: nobody answers"), "{ill}");
    lab.region.foreign_delete(nodes[1].id.as_str()).expect("deleted");
    tokio::time::sleep(Duration::from_secs(60)).await;
    let all = told().await;
    assert_eq!(all.len(), 2, "{all:?}");
    assert!(
        all[1].ends_with("no machine of the service has that address")
            || all[0].ends_with("that address")
    );
    let (_, ended) = lab.apply(&desired).await.expect("an apply");
    assert!(ended.is_converged());
    assert_eq!(told().await, Vec::<String>::new());
}
