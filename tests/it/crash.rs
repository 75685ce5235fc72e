//! Every moment at which a process can die: before and after each cloud call and each
//! write to the ledger, of applying, changing, replacing and destroying the quickstart,
//! in a region that shows nothing for twenty seconds. After each death the next apply
//! must end with nothing doubled, nothing left over, and an empty plan.

use std::collections::BTreeSet;
use std::time::Duration;

use mlinfra::apply::{NoApply, Trouble};
use mlinfra::cloud::Phase;
use mlinfra::kinds::{Action, KindName, Spec, Step, Subnet, Tags};
use mlinfra::ledger::MemoryStore;
use mlinfra::model::{CloudId, Link, StackName, Zone};
use mlinfra::sim::Settings;
use mlinfra::stack::Desired;

use crate::bucket::{Bucket, Fault};
use crate::far;
use crate::lab::{Death, Lab};

const QUICKSTART: &str = include_str!("../../examples/quickstart/main.hcl");

fn hidden() -> Settings {
    Settings { visibility_ms: 20_000, ..Settings::default() }
}

async fn quickstart(edits: &[(&str, &str)]) -> Desired {
    let mut text = QUICKSTART.to_owned();
    for (from, to) in edits {
        assert!(text.contains(from), "{from:?} is in the quickstart");
        text = text.replace(from, to);
    }
    Lab::new(hidden()).desired(&text).await
}

#[derive(Default)]
struct Tally {
    moments: usize,
    applies: [usize; 3],
}

/// Dies at every moment of going from `before` to `after`, in labs of one kind.
async fn enumerate(lab: fn(Settings) -> Lab, before: Option<&Desired>, after: &Desired) -> Tally {
    enumerate_then(lab, before, after, after).await
}

/// The same, and what is wanted after the death is `then`.
async fn enumerate_then(
    lab: fn(Settings) -> Lab,
    before: Option<&Desired>,
    after: &Desired,
    then: &Desired,
) -> Tally {
    let mut tally = Tally::default();
    for moment in 0.. {
        let lab = lab(hidden());
        if let Some(before) = before {
            let (_, ended) = lab.apply(before).await.expect("an apply");
            assert!(ended.is_converged(), "the scenario's start: {ended:?}");
        }
        let death = Death::at(moment);
        if let Some(result) = lab.mortal_apply(after, &death).await {
            let (plan, ended) = result.expect("an apply");
            assert!(ended.is_converged(), "undisturbed: {plan:#?} {ended:#?}");
            assert_eq!(lab.wrongs(after), Vec::<String>::new(), "undisturbed");
            tally.moments = death.moments();
            return tally;
        }
        lab.store.break_locks();
        let applies = recover(&lab, then, moment).await;
        tally.applies[applies] += 1;
    }
    tally
}

/// Applies until nothing is left to do, and looks for what is wrong.
async fn recover(lab: &Lab, after: &Desired, moment: usize) -> usize {
    let mut applies = 0;
    loop {
        applies += 1;
        let (plan, ended) = lab.apply(after).await.expect("an apply after a death");
        if ended.is_converged() {
            break;
        }
        assert!(applies < 2, "death at {moment}: not converged: {plan:#?} {ended:#?}");
    }
    assert_eq!(lab.wrongs(after), Vec::<String>::new(), "death at moment {moment}");
    assert_eq!(lab.doubled(), BTreeSet::new(), "death at moment {moment}");
    let plan = lab.plan(after).await.expect("a plan");
    assert!(plan.is_empty(), "death at moment {moment}: {plan:#?}");
    applies
}

fn report(name: &str, tally: &Tally) {
    println!(
        "{name}: died at {} moments; converged in one apply {} times, in two {} times; \
         0 orphans, 0 duplicates",
        tally.moments, tally.applies[1], tally.applies[2]
    );
    assert!(tally.moments > 20, "the scenario has moments to die at");
}

#[tokio::test(start_paused = true)]
async fn dying_while_creating() {
    report("create", &enumerate(Lab::new, None, &quickstart(&[]).await).await);
}

#[tokio::test(start_paused = true)]
async fn dying_while_changing() {
    let before = quickstart(&[]).await;
    // In place, another content of the template (so other nodes), and more nodes.
    let after = quickstart(&[
        ("bucket \"datasets\" {}", "bucket \"datasets\" {\n  versioning = false\n}"),
        ("\"30m\"", "\"45m\""),
        ("resnet", "gpt"),
        ("default     = 2", "default     = 3"),
    ])
    .await;
    report("change", &enumerate(Lab::new, Some(&before), &after).await);
}

#[tokio::test(start_paused = true)]
async fn dying_while_replacing() {
    let before = quickstart(&[]).await;
    let after = quickstart(&[("10.20.0.0/16", "10.30.0.0/16")]).await;
    report("replace", &enumerate(Lab::new, Some(&before), &after).await);
}

#[tokio::test(start_paused = true)]
async fn dying_while_moving() {
    let before = quickstart(&[]).await;
    let mut text = QUICKSTART.to_owned();
    for (block, from, to) in
        [("network", "main", "base"), ("bucket", "datasets", "corpus"), ("cluster", "train", "gpu")]
    {
        text = text.replace(&format!("{block} \"{from}\""), &format!("{block} \"{to}\""));
        text = text.replace(&format!("{block}.{from}"), &format!("{block}.{to}"));
        text.push_str(&format!("moved {{\n  from = {block}.{from}\n  to = {block}.{to}\n}}\n"));
    }
    let lab = Lab::new(hidden());
    lab.apply(&before).await.expect("an apply");
    let after = lab.desired_after(&text, &before).await;
    assert!(!after.moves.is_empty());
    let plan = lab.plan(&after).await.expect("a plan");
    let moves = |step: &Step| matches!(step.action, Action::Move { .. });
    assert!(plan.steps.iter().all(moves), "nothing but moves: {plan:#?}");
    let tally = enumerate(Lab::new, Some(&before), &after).await;
    report("move", &tally);
}

/// The successor of a machine, its name, its end.
#[tokio::test(start_paused = true)]
async fn dying_while_a_name_is_led_to_successors() {
    let text = "stack \"s\" {\n  region = \"us-east-1\"\n}\nnetwork \"n\" {\n  zones = [\"a\"]\n  \
                nat = \"none\"\n}\nservice \"web\" {\n  network = network.n\n  \
                instance_type = \"t3.large\"\n  ports = [80]\n  container {\n    \
                image = \"acme/web:v1\"\n  }\n}\n";
    let of = |text: String| async move { Lab::new(hidden()).desired(&text).await };
    let (before, after) = (of(text.to_owned()).await, of(text.replace(":v1", ":v2")).await);
    report("serve", &enumerate(Lab::new, None, &before).await);
    report("serve anew", &enumerate(Lab::new, Some(&before), &after).await);
}

#[tokio::test(start_paused = true)]
async fn dying_while_a_long_set_up_comes_changes_and_goes() {
    let lab = Lab::new(hidden());
    let long = async |seed| lab.desired(&far::stack(&far::long(seed), "1")).await;
    let (first, second) = (long(1).await, long(2).await);
    let short = lab.desired(&far::stack("\"echo\"", "1")).await;
    report("make a long set-up", &enumerate(Lab::new, Some(&short), &first).await);
    report("change it", &enumerate(Lab::new, Some(&first), &second).await);
    report("make it short", &enumerate(Lab::new, Some(&first), &short).await);
}

#[tokio::test(start_paused = true)]
async fn dying_while_destroying() {
    let nothing = Desired::nothing(StackName::from("quickstart"));
    report("destroy", &enumerate(Lab::new, Some(&quickstart(&[]).await), &nothing).await);
}

/// What was being deleted in that moment stands in no record, and the region goes on showing it:
/// an apply that builds on it would fail.
#[tokio::test(start_paused = true)]
async fn dying_while_destroying_what_is_wanted_again() {
    let whole = quickstart(&[]).await;
    let nothing = Desired::nothing(StackName::from("quickstart"));
    let tally = enumerate_then(Lab::new, Some(&whole), &nothing, &whole).await;
    report("destroy, and make again", &tally);
    assert_eq!(tally.applies[2], 0, "one apply is enough");
}

/// The same with a ledger in a bucket: then a process also dies while it probes, takes and
/// renews its lock, fences off whoever died before, and lets go.
#[tokio::test(start_paused = true)]
async fn dying_with_a_ledger_in_a_bucket() {
    let lab = Lab::with_bucket;
    let whole = quickstart(&[]).await;
    let other = quickstart(&[("10.20.0.0/16", "10.30.0.0/16"), ("resnet", "gpt")]).await;
    let nothing = Desired::nothing(StackName::from("quickstart"));
    report("create, in a bucket", &enumerate(lab, None, &whole).await);
    report("replace, in a bucket", &enumerate(lab, Some(&whole), &other).await);
    report("destroy, in a bucket", &enumerate(lab, Some(&whole), &nothing).await);
}

/// A bucket that refuses everything from some call on, as one that is full, gone or forbidden
/// does: the apply stops and says so, and the next one makes exactly what is missing.
#[tokio::test(start_paused = true)]
async fn dying_of_a_bucket_that_refuses_from_any_call_on() {
    let whole = quickstart(&[]).await;
    let (mut calls, mut applies) = (0, [0; 3]);
    for at in 0.. {
        let mut lab = Lab::with_bucket(hidden());
        let bucket = Bucket::default();
        let refuses = move |n: usize, _: &'static str, _: &str| (n >= at).then_some(Fault::Refused);
        lab.bucket = Some(bucket.scripted(refuses));
        let ended = lab.apply(&whole).await;
        lab.bucket = Some(bucket);
        match ended {
            Ok((_, ended)) if ended.is_converged() => break,
            Err(NoApply::Ledger(error) | NoApply::Trouble(Trouble::Ledger(error))) => {
                assert!(error.to_string().contains("AccessDenied"), "call {at}: {error}");
            }
            other => panic!("call {at}: {other:?}"),
        }
        applies[recover(&lab, &whole, at).await] += 1;
        calls += 1;
    }
    println!(
        "a bucket that refuses from any of {calls} calls on: converged in one apply {} times, in \
         two {} times; 0 orphans, 0 duplicates",
        applies[1], applies[2]
    );
    assert!(calls > 60, "{calls}");
}

/// The check can fail: a process that loses its ledger with its life makes things twice
/// while the cloud hides them, although the next apply cleans up.
#[tokio::test(start_paused = true)]
async fn without_its_ledger_a_death_makes_doubles() {
    let after = quickstart(&[]).await;
    let mut doubled = 0;
    for moment in (0..).step_by(7) {
        let mut lab = Lab::new(hidden());
        if lab.mortal_apply(&after, &Death::at(moment)).await.is_some() {
            break;
        }
        lab.store = MemoryStore::default();
        // It may also fail: a name that is taken by what it cannot see.
        let _ = lab.apply(&after).await;
        doubled += usize::from(!lab.doubled().is_empty());
    }
    println!("without a ledger: doubles after {doubled} deaths");
    assert!(doubled > 0);
}

const HEIR: &str = "stack \"heir\" {\n  region = \"us-east-1\"\n}\n\nnetwork \"main\" {\n  \
                    cidr  = \"10.9.0.0/16\"\n  zones = [\"a\"]\n  nat   = \"none\"\n}\n";

/// A VPC as `HEIR` wants it, but for its addresses.
fn vpc(cidr: &str) -> Spec {
    let fields = serde_json::json!({
        "cidr": cidr, "dns_support": true, "dns_hostnames": true, "tags": {}
    });
    KindName::Vpc.read(fields.as_object().expect("fields").clone()).expect("a VPC")
}

/// A death at every moment of an apply of `HEIR` and what else a world of one's own wants;
/// `left` is what must not be there in the end.
async fn heirs(name: &str, world: impl AsyncFn(&Lab) -> (String, CloudId)) {
    let mut tally = Tally::default();
    for moment in 0.. {
        let lab = Lab::new(hidden());
        let (adopt, id) = world(&lab).await;
        let after = lab.desired(&format!("{HEIR}{adopt}")).await;
        let death = Death::at(moment);
        let lived = match lab.mortal_apply(&after, &death).await {
            Some(result) => {
                let (plan, ended) = result.expect("an apply");
                assert!(ended.is_converged(), "undisturbed: {plan:#?} {ended:#?}");
                true
            }
            None => {
                lab.store.break_locks();
                tally.applies[recover(&lab, &after, moment).await] += 1;
                false
            }
        };
        let left = lab.region.snapshot().into_iter().find(|object| object.id == id);
        let left = left.filter(|object| !matches!(object.phase, Phase::Leaving | Phase::Gone));
        assert!(left.is_none(), "death at moment {moment}: left behind: {left:#?}");
        if lived {
            tally.moments = death.moments();
            break;
        }
    }
    report(name, &tally);
}

fn adopt(part: &str, id: &CloudId, replace: bool) -> String {
    format!(
        "adopt {{\n  address = \"network.main/{part}\"\n  id = \"{id}\"\n  replace = {replace}\n}}\n"
    )
}

/// What is adopted and cannot stay is the stack's until it is gone: whoever dies before its end
/// must not leave it behind as nobody's.
#[tokio::test(start_paused = true)]
async fn dying_while_a_successor_takes_the_place_of_what_is_adopted() {
    let world = async |lab: &Lab| {
        let id = lab.region.foreign_create(&vpc("10.1.0.0/16"), Tags::new()).expect("a VPC");
        tokio::time::sleep(Duration::from_secs(60)).await;
        (adopt("vpc", &id, true), id)
    };
    heirs("adopt with a successor", world).await;
}

/// The same where both cannot be there at once, so that what is adopted goes first.
#[tokio::test(start_paused = true)]
async fn dying_while_what_is_adopted_makes_way_for_its_successor() {
    let world = async |lab: &Lab| {
        let region = &lab.region;
        let home = region.foreign_create(&vpc("10.9.0.0/16"), Tags::new()).expect("a VPC");
        let wanted = lab.desired(HEIR).await;
        let mut subnets = wanted.specs.iter().filter_map(|(address, spec)| match spec {
            Spec::Subnet(subnet) => Some((address, subnet)),
            _ => None,
        });
        let (address, subnet) = subnets.next().expect("a subnet");
        // The same addresses in another zone.
        let (vpc, zone) = (Link::Id(home.to_string().as_str().into()), Zone::from("us-east-1b"));
        let by_hand = Subnet { vpc, zone, ..subnet.clone() };
        let id = region.foreign_create(&by_hand.into(), Tags::new()).expect("a subnet");
        tokio::time::sleep(Duration::from_secs(60)).await;
        let part = address.part.as_ref().expect("a part of the network").0.clone();
        (adopt("vpc", &home, false) + &adopt(&part, &id, true), id)
    };
    heirs("adopt where the predecessor goes first", world).await;
}
