//! The cases of the contract.
#![allow(missing_docs, clippy::expect_used)]

use std::collections::BTreeMap;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use mlinfra::cloud::{Ask, Call, Class, Launch, Live, Make, Owner, Phase};
use mlinfra::kinds::{Idempotence, KindName, Node, Spec, Tags};
use mlinfra::model::{Address, CloudId, Link, StackName, TemplateId, Token};
use serde_json::json;

use crate::contract::{Outcome, Stage, Wrong, must};
use crate::sample;

/// What runs a case.
pub type Run = Box<dyn for<'a> Fn(&'a Stage<'a>) -> BoxFuture<'a, Outcome> + Send + Sync>;

/// One named case.
pub struct Case {
    pub name: String,
    pub run: Run,
}

macro_rules! case {
    ($name:expr, |$stage:ident| $body:expr) => {
        Case { name: $name.to_string(), run: Box::new(move |$stage| $body.boxed()) }
    };
}

/// All of them.
pub fn cases() -> Vec<Case> {
    let mut out = vec![
        case!("facts", |stage| facts(stage)),
        case!("a link must lead somewhere", |stage| dangling(stage)),
        case!("subnets do not overlap", |stage| overlap(stage)),
        case!("only the own stack shows", |stage| strangers(stage)),
        case!("a refresh keeps its budget", |stage| budget(stage)),
        case!("what is hidden is reported", |stage| hidden(stage)),
        case!("a full bucket stays", |stage| full(stage)),
        case!("a role with policies stays", |stage| role_parts(stage)),
        case!("an attached gateway stays", |stage| attached(stage)),
        case!("a lone address is released", |stage| address_alone(stage)),
        case!("nodes live and die", |stage| nodes(stage)),
        case!("a launch is replayed", |stage| relaunch(stage)),
        case!("a launch of nothing real is refused", |stage| ghost(stage)),
        case!("a used placement group stays", |stage| crowded(stage)),
        case!("a file system with targets stays", |stage| targets(stage)),
        case!("what grew stays so", |stage| growth(stage)),
        case!("everything goes in reverse", |stage| demolition(stage)),
    ];
    for kind in KindName::ALL.iter().copied().filter(|kind| *kind != KindName::Node) {
        out.push(case!(format!("life: {kind}"), |stage| life(stage, kind)));
        out.push(case!(format!("tags: {kind}"), |stage| tags(stage, kind)));
        out.push(case!(format!("gone: {kind}"), |stage| gone(stage, kind)));
        match kind.traits().idempotence {
            Idempotence::Token => {
                out.push(case!(format!("replay: {kind}"), |stage| replay(stage, kind)));
            }
            Idempotence::Name => {
                out.push(case!(format!("names: {kind}"), |stage| names(stage, kind)));
            }
            Idempotence::Tag => {
                out.push(case!(format!("repeat: {kind}"), |stage| repeat(stage, kind)));
            }
        }
    }
    let used = [
        ("network.main/vpc", "network.main/subnet-0"),
        ("network.main/subnet-0", "network.main/nat"),
        ("network.main/address", "network.main/nat"),
        ("network.main/storage", "cluster.train/group"),
        ("cluster.train/role", "cluster.train/profile"),
        ("network.main/subnet-2", "filesystem.home"),
    ];
    for (what, by) in used {
        out.push(case!(format!("in use: {what}"), |stage| in_use(stage, what, by)));
    }
    out
}

/// The address of the last sample of a kind.
fn of(stage: &Stage<'_>, kind: KindName) -> Address {
    let stack = sample::stack(&stage.place);
    let found = stack.into_iter().rev().find(|(_, spec)| spec.kind() == kind);
    found.expect("every kind has a sample").0
}

/// Builds what a kind needs; gives the address and the wired sample of it, not yet made.
async fn before(stage: &Stage<'_>, kind: KindName) -> Result<(Address, Spec), Wrong> {
    let address = of(stage, kind);
    let stack = sample::stack(&stage.place);
    let at = stack.iter().position(|(other, _)| *other == address).expect("its place");
    if let Some((previous, _)) = at.checked_sub(1).map(|at| &stack[at]) {
        stage.build(|other, _| other == previous).await?;
    }
    Ok((address.clone(), stage.wired(&stack[at].1)))
}

async fn life(stage: &Stage<'_>, kind: KindName) -> Outcome {
    let (address, want) = before(stage, kind).await?;
    let owner = stage.owner(&address);
    let id = stage.create(&address, &want).await?;
    if let Some(computed) = want.computed_id(stage.home()) {
        must(id == computed, format!("its id is {id}, and {computed} was computed"))?;
    }
    let failed = |live: &Live| match live.is_usable() && !live.holds_data {
        true => Ok(()),
        false => Err(format!("it is {:?}, holding data: {}", live.phase, live.holds_data)),
    };
    stage.shows("new", &id, failed).await?;
    stage.is("as born", &id, &want.born(), &owner).await?;
    stage.edit(&id, &want.born(), &want).await?;
    stage.reaches(kind, &id, &Phase::Ready).await?;
    stage.is("completed", &id, &want, &owner).await?;
    stage.edit(&id, &want, &want.born()).await.or_else(|_| excuse(kind))?;
    stage.edit(&id, &want.born(), &want).await.or_else(|_| excuse(kind))?;
    stage.is("taken apart and completed again", &id, &want, &owner).await
}

/// What is attached once need not be attachable elsewhere.
fn excuse(kind: KindName) -> Outcome {
    must(!kind.traits().attach.is_empty(), "its edits cannot be taken back")
}

async fn tags(stage: &Stage<'_>, kind: KindName) -> Outcome {
    let (address, want) = before(stage, kind).await?;
    let id = stage.create(&address, &want).await?;
    let (born, owner) = (want.born(), stage.owner(&address));
    let tagged = |tags: &[(&str, &str)]| {
        let mut fields = born.fields();
        let tags: Tags = tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        fields.insert("tags".to_owned(), serde_json::to_value(tags).expect("tags"));
        kind.read(fields).expect("a spec")
    };
    let (first, second) = (tagged(&[("team", "vision"), ("cost", "1")]), tagged(&[]));
    stage.edit(&id, &born, &first).await?;
    stage.is("tagged", &id, &first, &owner).await?;
    stage.edit(&id, &first, &second).await?;
    stage.is("untagged", &id, &second, &owner).await
}

async fn gone(stage: &Stage<'_>, kind: KindName) -> Outcome {
    let (address, want) = before(stage, kind).await?;
    let id = stage.create(&address, &want).await?;
    stage.reaches(kind, &id, &Phase::Ready).await?;
    stage.delete(&id, &want.born()).await?;
    must(!stage.observe().await.live.contains_key(&id), "it still shows")?;
    match stage.act(&Call::Delete { id, was: want }).await {
        Ok(_) => Ok(()),
        Err(failure) if failure.class == Class::Gone => Ok(()),
        Err(failure) => Err(Wrong::Adapter(format!("deleted twice: {failure}"))),
    }
}

async fn replay(stage: &Stage<'_>, kind: KindName) -> Outcome {
    let (address, want) = before(stage, kind).await?;
    let first = stage.create(&address, &want).await?;
    let again = stage.create(&address, &want).await?;
    must(first == again, format!("the same token made {first} and {again}"))?;
    let mut fields = want.fields();
    fields.insert("tags".to_owned(), serde_json::json!({"other": "request"}));
    let other = Make { spec: kind.read(fields).expect("a spec"), owner: stage.owner(&address) };
    let class = stage.refusal(&Call::Create(other)).await?;
    must(class == Class::Mismatch, format!("the same token with another request: {class:?}"))
}

async fn names(stage: &Stage<'_>, kind: KindName) -> Outcome {
    let (address, want) = before(stage, kind).await?;
    let id = stage.create(&address, &want).await?;
    let mut owner = stage.owner(&address);
    owner.token = Token::from("another");
    let class = stage.refusal(&Call::Create(Make { spec: want.clone(), owner })).await?;
    must(class == Class::Exists, format!("a name that is taken: {class:?}"))?;
    stage.is("after the clash", &id, &want.born(), &stage.owner(&address)).await
}

async fn repeat(stage: &Stage<'_>, kind: KindName) -> Outcome {
    let (address, want) = before(stage, kind).await?;
    if want.claim().is_some() {
        return Ok(()); // Another case is about what only one can hold.
    }
    let first = stage.create(&address, &want).await?;
    let second = stage.create(&address, &want).await?;
    must(first != second, "a repeat gave the same id; then it should be declared a token")?;
    stage.is("the second", &second, &want.born(), &stage.owner(&address)).await
}

async fn in_use(stage: &Stage<'_>, what: &str, by: &str) -> Outcome {
    stage.build_to(by).await?;
    let (id, was) = (stage.id(what), stage.sample(what));
    let class = stage.refusal(&Call::Delete { id: id.clone(), was: was.clone() }).await?;
    must(class == Class::InUse, format!("deleting what is used: {class:?}"))?;
    stage.is("after the refusal", &id, &was, &stage.owner(&sample::at(what))).await
}

async fn facts(stage: &Stage<'_>) -> Outcome {
    let kind = stage.place.instance_type.clone();
    let ask = Ask {
        images: [stage.place.image.to_string(), "no-such-image".to_owned()].into(),
        instance_types: [kind.clone(), "x9.nonsense".to_owned()].into(),
        ..Ask::default()
    };
    let facts = stage.cloud.facts(&ask).await?;
    must(facts.home == *stage.home(), "another home than the caller's")?;
    must(facts.home.account.as_str().len() == 12, "an account has twelve digits")?;
    must(facts.zones.len() > 1 && facts.zones.is_sorted(), "zones in order")?;
    must(facts.images.len() == 1, format!("images: {:?}", facts.images))?;
    let zones = facts.offerings.get(&kind);
    must(zones.is_some_and(|zones| !zones.is_empty()), format!("{kind} is offered nowhere"))?;
    must(facts.offerings.contains_key("x9.nonsense"), "every type that was asked for is answered")
}

async fn dangling(stage: &Stage<'_>) -> Outcome {
    stage.build_to("network.main/vpc").await?;
    stage.delete(&stage.id("network.main/vpc"), &stage.sample("network.main/vpc")).await?;
    let address = sample::at("network.main/subnet-0");
    let spec = stage.sample("network.main/subnet-0");
    let call = Call::Create(Make { spec, owner: stage.owner(&address) });
    let class = stage.refusal(&call).await?;
    let fits = matches!(class, Class::Gone | Class::Settling);
    must(fits, format!("a link to nothing: {class:?}"))
}

async fn overlap(stage: &Stage<'_>) -> Outcome {
    stage.build_to("network.main/subnet-0").await?;
    let (address, spec) =
        (sample::at("network.main/subnet-1"), stage.sample("network.main/subnet-0"));
    let call = Call::Create(Make { spec, owner: stage.owner(&address) });
    let class = stage.refusal(&call).await?;
    must(class == Class::Exists, format!("addresses that are taken: {class:?}"))
}

async fn strangers(stage: &Stage<'_>) -> Outcome {
    stage.build_to("network.main/subnet-0").await?;
    let mut theirs = Vec::new();
    for name in ["other", "contract-2"] {
        let address = sample::at("network.main/address");
        let owner = Owner {
            stack: StackName::from(name),
            token: Token::from(name),
            ..stage.owner(&address)
        };
        let spec = sample::address().into();
        theirs.extend(stage.act(&Call::Create(Make { spec, owner })).await?.ids);
    }
    for id in &theirs {
        stage.reaches(KindName::ElasticIp, id, &Phase::Ready).await?;
    }
    let seen = stage.observe().await;
    must(seen.blind.is_empty() && seen.unreadable.is_empty(), format!("{seen:?}"))?;
    must(seen.live.len() == 2, format!("{:?} instead of the two of this stack", seen.live.keys()))
}

async fn budget(stage: &Stage<'_>) -> Outcome {
    stage.build(|_, _| true).await?;
    let sum = || stage.cloud.calls().values().map(|row| row.calls).sum::<u64>();
    let before = sum();
    let seen = stage.observe().await;
    let cost = |kind: KindName, owned: u64| {
        let budget = kind.traits().budget;
        u64::from(budget.list) + owned * u64::from(budget.detail)
    };
    let owned = |kind| seen.live.values().filter(|live| live.kind == kind).count() as u64;
    let allowed: u64 = KindName::ALL.iter().map(|kind| cost(*kind, owned(*kind))).sum();
    let spent = sum() - before;
    must(spent > 0 && spent <= allowed, format!("{spent} calls where {allowed} are allowed"))
}

async fn hidden(stage: &Stage<'_>) -> Outcome {
    stage.build_to("network.main/subnet-0").await?;
    let vpc = stage.id("network.main/vpc");
    stage.shows("before", &vpc, |_| Ok(())).await?;
    if !stage.harness.hide(KindName::Subnet).await {
        return Err(Wrong::CannotTell);
    }
    let seen = stage.observe().await;
    let blind: Vec<_> = seen.blind.keys().collect();
    must(blind == [&KindName::Subnet], format!("blind: {:?}", seen.blind))?;
    must(seen.live.keys().eq([&vpc]), format!("seen: {:?}", seen.live.keys()))
}

async fn full(stage: &Stage<'_>) -> Outcome {
    let (address, want) = before(stage, KindName::Bucket).await?;
    let id = stage.create(&address, &want).await?;
    if !stage.harness.fill(&id, 3).await {
        return Err(Wrong::CannotTell);
    }
    let holds = |live: &Live| live.holds_data.then_some(()).ok_or(String::new());
    stage.shows("holding data", &id, holds).await?;
    let delete = Call::Delete { id: id.clone(), was: want.born() };
    let class = stage.refusal(&delete).await?;
    must(class == Class::InUse, format!("a bucket that holds data: {class:?}"))?;
    while stage.act(&Call::Empty { id: id.clone() }).await?.more {}
    stage.delete(&id, &want.born()).await
}

async fn role_parts(stage: &Stage<'_>) -> Outcome {
    stage.build_to("cluster.train/role").await?;
    let (id, was) = (stage.id("cluster.train/role"), stage.sample("cluster.train/role"));
    let class = stage.refusal(&Call::Delete { id: id.clone(), was: was.clone() }).await?;
    must(class == Class::InUse, format!("a role with policies: {class:?}"))?;
    stage.delete(&id, &was).await
}

async fn targets(stage: &Stage<'_>) -> Outcome {
    stage.build_to("filesystem.home").await?;
    let (id, was) = (stage.id("filesystem.home"), stage.sample("filesystem.home"));
    let class = stage.refusal(&Call::Delete { id: id.clone(), was: was.clone() }).await?;
    must(class == Class::InUse, format!("a file system with targets: {class:?}"))?;
    stage.delete(&id, &was).await
}

/// Every field of storage that changes in place, one after the other, back where it can be.
async fn growth(stage: &Stage<'_>) -> Outcome {
    stage.build_to("filesystem.scratch/association").await?;
    let ways = [
        (
            "volume.state",
            "provisioned",
            json!({"size": 200, "volume_type": "io2", "iops": 9000,
            "throughput": null}),
        ),
        ("volume.state", "precious", json!(false)),
        ("filesystem.home", "throughput", json!({"mode": "provisioned", "provisioned": 64})),
        ("filesystem.home", "infrequent_after", json!(90)),
        ("filesystem.home", "infrequent_after", json!(null)),
        ("filesystem.home", "precious", json!(false)),
        ("filesystem.scratch", "size", json!(2400)),
        ("filesystem.scratch", "throughput", json!(500)),
        ("filesystem.scratch", "compression", json!("NONE")),
        ("filesystem.scratch", "precious", json!(true)),
        ("filesystem.scratch/association", "events", json!({"import": [], "export": ["NEW"]})),
    ];
    let mut now: BTreeMap<&str, Spec> = BTreeMap::new();
    for (address, field, value) in ways {
        let have = now.remove(address).unwrap_or_else(|| stage.sample(address));
        let mut fields = have.fields();
        fields.insert(field.to_owned(), value);
        let want = have.kind().read(fields).expect("a spec");
        let id = stage.id(address);
        stage.edit(&id, &have, &want).await?;
        stage.reaches(want.kind(), &id, &Phase::Ready).await?;
        stage.is(field, &id, &want, &stage.owner(&sample::at(address))).await?;
        now.insert(address, want);
    }
    Ok(())
}

async fn attached(stage: &Stage<'_>) -> Outcome {
    stage.build_to("network.main/gateway").await?;
    let (id, was) = (stage.id("network.main/gateway"), stage.sample("network.main/gateway"));
    let class = stage.refusal(&Call::Delete { id: id.clone(), was: was.clone() }).await?;
    must(class == Class::InUse, format!("an attached gateway: {class:?}"))?;
    stage.delete(&id, &was).await
}

async fn address_alone(stage: &Stage<'_>) -> Outcome {
    let address = sample::at("network.main/address");
    let id = stage.create(&address, &sample::address().into()).await?;
    stage.reaches(KindName::ElasticIp, &id, &Phase::Ready).await?;
    stage.delete(&id, &sample::address().into()).await
}

async fn nodes(stage: &Stage<'_>) -> Outcome {
    stage.build(|_, _| true).await?;
    let launch = stage.launch(2);
    let ids = stage.act(&Call::Launch(launch.clone())).await?.ids;
    must(ids.len() == 2 && ids[0] != ids[1], format!("{ids:?} for two nodes"))?;
    let node = Node {
        template: Link::Id(launch.template.clone()),
        subnet: launch.offer.subnet.clone(),
        zone: launch.offer.zone.clone(),
        instance_type: launch.offer.instance_type.clone(),
        market: launch.offer.market,
        placement: launch.offer.placement.clone().filter(|_| stage.harness.tells_groups()),
        reservation: None,
    };
    for id in &ids {
        stage.is("launched", id, &node.clone().into(), &launch.owner).await?;
        let batch = |live: &Live| match live.batch {
            Some(3) => Ok(()),
            other => Err(format!("batch {other:?}")),
        };
        stage.shows("its batch", id, batch).await?;
        stage.reaches(KindName::Node, id, &Phase::Ready).await?;
    }
    stage.act(&Call::Terminate { ids: ids.clone() }).await?;
    stage.act(&Call::Terminate { ids: ids.clone() }).await?;
    for id in &ids {
        stage.reaches(KindName::Node, id, &Phase::Gone).await?;
    }
    let seen = stage.observe().await;
    must(!ids.iter().any(|id| seen.live.contains_key(id)), "terminated nodes still show")
}

async fn relaunch(stage: &Stage<'_>) -> Outcome {
    stage.build(|_, _| true).await?;
    let launch = stage.launch(2);
    let first = stage.act(&Call::Launch(launch.clone())).await?;
    let again = stage.act(&Call::Launch(launch.clone())).await?;
    let set = |ids: &[CloudId]| ids.iter().cloned().collect::<std::collections::BTreeSet<_>>();
    must(set(&first.ids) == set(&again.ids), format!("{first:?}, then {again:?}"))?;
    let other = Launch { count: 1, ..launch.clone() };
    let class = stage.refusal(&Call::Launch(other)).await?;
    must(class == Class::Mismatch, format!("the same token for another count: {class:?}"))?;
    stage.act(&Call::Terminate { ids: first.ids.clone() }).await?;
    for id in &first.ids {
        stage.reaches(KindName::Node, id, &Phase::Gone).await?;
    }
    let dead = stage.act(&Call::Launch(launch)).await?;
    must(set(&first.ids) == set(&dead.ids), "a replay does not raise the dead, nor make others")
}

async fn ghost(stage: &Stage<'_>) -> Outcome {
    stage.build(|_, _| true).await?;
    let mut launch = stage.launch(1);
    launch.template = TemplateId::from("lt-0123456789abcdef0");
    let class = stage.refusal(&Call::Launch(launch)).await?;
    let fits = matches!(class, Class::Gone | Class::Settling | Class::Invalid);
    must(fits, format!("a launch from a template that never was: {class:?}"))?;
    let unknown = CloudId::from("i-0123456789abcdef0");
    let class = stage.refusal(&Call::Terminate { ids: vec![unknown] }).await?;
    must(class == Class::Gone, format!("ending a node that never was: {class:?}"))
}

async fn crowded(stage: &Stage<'_>) -> Outcome {
    stage.build(|_, _| true).await?;
    let ids = stage.act(&Call::Launch(stage.launch(1))).await?.ids;
    let (id, was) = (stage.id("cluster.train/placement"), stage.sample("cluster.train/placement"));
    let class = stage.refusal(&Call::Delete { id: id.clone(), was: was.clone() }).await?;
    must(class == Class::InUse, format!("a placement group with a node: {class:?}"))?;
    stage.act(&Call::Terminate { ids }).await?;
    stage.delete(&id, &was).await
}

async fn demolition(stage: &Stage<'_>) -> Outcome {
    stage.build(|_, _| true).await?;
    let seen = stage.observe().await;
    must(seen.live.len() == sample::stack(&stage.place).len(), "not all of it shows")?;
    for (address, spec) in sample::stack(&stage.place).into_iter().rev() {
        let id = stage.id(&address.to_string());
        stage.delete(&id, &stage.wired(&spec)).await?;
    }
    let left = stage.observe().await;
    must(left.live.is_empty(), format!("left: {:?}", left.live.keys()))
}
