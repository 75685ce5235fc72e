//! One cell of the matrix: a copy of a world, one apply that meets one fault, and what
//! must be true afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use mlinfra::apply::{Convergence, Ended, Event, Hands, NoApply, Patience, Start, converge};
use mlinfra::aws::{Aws, Connect};
use mlinfra::catalog::Tables;
use mlinfra::cloud::{Cloud, Observed, Scope};
use mlinfra::kinds::{Home, Plan};
use mlinfra::ledger::{Journal, Ledger, MemoryStore};
use mlinfra::model::{Address, Clock, Moment, Region, tags};
use mlinfra::plan::plan;
use mlinfra::show::events::Progress;
use mlinfra::show::screen::Screen;
use mlinfra::stack::Desired;
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::class::{Class, Fault};
use super::wire::{Request, Wire, ask};
use crate::aws_stage::home;
use crate::moto::{credentials, peers};
use crate::seam;

/// The emulator from which all worlds are copied; it ends with this value, and they
/// with it.
pub struct Root {
    process: Child,
    pub world: World,
}

impl Drop for Root {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Root {
    pub fn start() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peer/emulator.py");
        let mut process = Command::new(peers().join("bin/python"))
            .args([script, "0"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts; `make peers` installs what it needs");
        let mut port = String::new();
        let mut lines = BufReader::new(process.stdout.take().expect("its output"));
        lines.read_line(&mut port).expect("its port");
        let world = World { port: port.trim().parse().expect("a port") };
        // Nobody runs the machines there: this says of those of services that they are well.
        ask(world.port, "/_emulator/boot");
        Self { process, world }
    }
}

/// A region that the emulator plays.
#[derive(Debug)]
pub struct World {
    pub port: u16,
}

/// An object, as the emulator itself sees it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object {
    pub kind: String,
    pub id: String,
    /// The address in its tags, if it is ours.
    pub address: Option<String>,
}

impl World {
    /// Another world in which everything is the same.
    pub fn copy(&self) -> Copy {
        let port = ask(self.port, "/_emulator/copy").as_u64().expect("a port");
        Copy(Self { port: u16::try_from(port).expect("a port") })
    }

    /// Everything in the account, read past every API.
    pub fn inventory(&self) -> BTreeSet<Object> {
        let all = ask(self.port, "/_emulator/inventory");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let read = |one: &Value| Object {
            kind: text(&one["kind"]),
            id: text(&one["id"]),
            address: (one["tags"][tags::STACK] == "faults")
                .then(|| text(&one["tags"][tags::ADDRESS])),
        };
        all.as_array().expect("a list").iter().map(read).collect()
    }

    /// Somebody's request.
    fn form(&self, text: &str) -> String {
        let (port, body) = (self.port, text.as_bytes().to_vec());
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let request = Request {
            method: "POST".to_owned(),
            path: "/".to_owned(),
            headers: vec![
                pair("content-type", "application/x-www-form-urlencoded"),
                pair("authorization", "AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/ec2/aws4"),
            ],
            body,
            ..Request::default()
        };
        let answer = request.send(port).expect("an answer");
        assert!(answer.is_success(), "{text}: {}", answer.text());
        answer.text()
    }

    fn id_at(&self, address: &str) -> String {
        let at = |object: &Object| object.address.as_deref() == Some(address);
        self.inventory().into_iter().find(at).expect("it stands").id
    }

    /// A subnet is hung on a table that is not ours.
    pub fn take_subnet(&self) {
        let (vpc, subnet) = (self.id_at("network.main/vpc"), self.id_at("network.main/private-a"));
        let ec2 = |text: String| self.form(&format!("{text}&Version=2016-11-15"));
        let inside = |text: &str, name: &str| {
            let tail = text.split(&format!("<{name}>")).nth(1).expect("it is there");
            tail.split('<').next().unwrap_or_default().to_owned()
        };
        let table = ec2(format!("Action=CreateRouteTable&VpcId={vpc}"));
        let table = inside(&table, "routeTableId");
        let filter = "Filter.1.Name=association.subnet-id&Filter.1.Value.1";
        let found = ec2(format!("Action=DescribeRouteTables&{filter}={subnet}"));
        let tail = found.split("<routeTableAssociationId>");
        let ids = tail.skip(1).filter(|part| part.contains(&subnet));
        let id = ids.last().and_then(|part| part.split('<').next()).expect("an association");
        ec2(format!("Action=ReplaceRouteTableAssociation&AssociationId={id}&RouteTableId={table}"));
    }

    /// A template gets another version, which becomes its default.
    pub fn new_version(&self) {
        let id = self.id_at("cluster.train/template");
        let ec2 = |text: String| self.form(&format!("{text}&Version=2016-11-15"));
        ec2(format!(
            "Action=CreateLaunchTemplateVersion&LaunchTemplateId={id}&SourceVersion=1\
             &LaunchTemplateData.InstanceType=m5.large"
        ));
        ec2(format!("Action=ModifyLaunchTemplate&LaunchTemplateId={id}&SetDefaultVersion=2"));
    }

    /// A target of a file system gets other groups.
    pub fn open_targets(&self) {
        ask(self.port, "/_emulator/open_targets");
    }

    /// The bucket gets two objects.
    pub fn fill(&self) {
        let bucket = self.id_at("bucket.data");
        for name in ["one", "two"] {
            let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
            let request = Request {
                method: "PUT".to_owned(),
                path: format!("/{bucket}/{name}"),
                headers: vec![pair(
                    "authorization",
                    "AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/s3/aws4_request",
                )],
                body: b"data".to_vec(),
                ..Request::default()
            };
            assert!(request.send(self.port).expect("an answer").is_success());
        }
    }

    async fn connect(&self, wire: &Wire) -> Aws {
        let options = Connect {
            path_style: true,
            endpoint: Some(format!("http://127.0.0.1:{}", self.port)),
            credentials: Some(credentials()),
            http: Some(seam::client(wire.clone())),
            ..Connect::to(Region::from("us-east-1"))
        };
        Aws::connect(options).await.expect("the emulator's account")
    }

    /// What the whole stack needs to know of the region.
    pub fn facts(&self, ask: &mlinfra::cloud::Ask) -> mlinfra::cloud::Facts {
        let wire = Wire::to(self.port, None);
        runtime().block_on(async { self.connect(&wire).await.facts(ask).await.expect("facts") })
    }
}

/// A world that ends with this value.
pub struct Copy(pub World);

impl Drop for Copy {
    fn drop(&mut self) {
        ask(self.0.port, "/_emulator/exit");
    }
}

/// A runtime whose clock moves only while nobody works.
pub fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().start_paused(true).build().expect("a runtime")
}

/// The runtime's clock.
struct Virtual(Instant);

impl Clock for Virtual {
    fn now(&self) -> Moment {
        Moment(1_790_000_000_000 + i64::try_from(self.0.elapsed().as_millis()).expect("a time"))
    }
}

/// What somebody at a terminal would have seen, and how it went.
pub struct Run {
    pub ended: Ended,
    pub plan: Plan,
    /// What was said of each step that failed.
    pub said: BTreeMap<usize, String>,
    pub took: Duration,
}

/// One cell on its way.
pub struct Cell<'a> {
    pub world: &'a World,
    pub store: MemoryStore,
    pub begun: Instant,
}

impl<'a> Cell<'a> {
    pub fn new(world: &'a World) -> Self {
        Self { world, store: MemoryStore::default(), begun: Instant::now() }
    }

    /// One apply.
    pub async fn apply(&self, desired: &Desired, wire: &Wire) -> Result<Run, NoApply> {
        let aws = self.world.connect(wire).await;
        let (clock, begun) = (Virtual(self.begun), Instant::now());
        let events: Mutex<Vec<Event>> = Mutex::default();
        let listener = |event: Event| events.lock().expect("events").push(event);
        let journal = Journal::open(&self.store, "faults").await.expect("a ledger");
        let hands = Hands {
            cloud: &aws,
            scope: scope(desired),
            clock: &clock,
            journal: tokio::sync::Mutex::new(journal),
            listener: &listener,
            stop: CancellationToken::new(),
            patience: Patience::default(),
            tables: Tables::default(),
        };
        let task = Convergence {
            wanted: &|address: &Address| {
                desired.specs.contains_key(address) || desired.fleets.contains_key(address)
            },
            planner: &|observed: &Observed, ledger: &Ledger| plan(desired, ledger, observed),
            start: Start { names: desired.names.clone(), ..Start::default() },
        };
        let (plan, ended) = converge(&hands, task).await?;
        drop(hands);
        let events = events.into_inner().expect("events");
        let said = said(&plan, &events);
        Ok(Run { ended, plan, said, took: begun.elapsed() })
    }

    /// What somebody else, with a ledger of nobody, would still do.
    pub async fn left(&self, desired: &Desired) -> Result<Plan, String> {
        let aws = self.world.connect(&Wire::to(self.world.port, None)).await;
        let observed = aws.observe(&scope(desired)).await;
        plan(desired, &Ledger::default(), &observed).map_err(|refusal| refusal.to_string())
    }
}

fn scope(desired: &Desired) -> Scope {
    let home: Home = home();
    Scope { stack: desired.stack.clone(), home, names: desired.names.clone() }
}

/// What a terminal would show of steps that failed.
fn said(plan: &Plan, events: &[Event]) -> BTreeMap<usize, String> {
    let mut progress = Progress::new(plan, Screen { width: usize::MAX, ..Screen::PLAIN });
    let mut said = BTreeMap::new();
    for event in events {
        let text = progress.hear(event, Duration::ZERO);
        if let (Event::Failed { step, .. }, Some(text)) = (event, text) {
            said.insert(*step, text.text);
        }
    }
    said
}

/// What is wrong with a world that should hold exactly what is desired, beside what was
/// there from the first.
pub fn wrongs(world: &World, desired: &Desired, first: &BTreeSet<Object>) -> Vec<String> {
    let mut standing: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrongs = Vec::new();
    for object in world.inventory().difference(first) {
        match &object.address {
            Some(address) => *standing.entry(address.clone()).or_default() += 1,
            None => wrongs.push(format!("{} {} belongs to nobody", object.kind, object.id)),
        }
    }
    let specs = desired.specs.keys().map(|address| (address.to_tag(), 1));
    let fleets = desired.fleets.iter().map(|(at, fleet)| (at.to_tag(), fleet.count as usize));
    for (address, count) in specs.chain(fleets) {
        let found = standing.remove(&address).unwrap_or(0);
        if found != count {
            wrongs.push(format!("{address}: {found} instead of {count}"));
        }
    }
    wrongs.extend(standing.keys().map(|address| format!("{address}: an orphan")));
    wrongs
}

/// How a cell ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// In the same apply.
    Converged,
    /// It stopped, said why, and the next apply converged.
    Stopped,
}

/// Plays one cell; what is wrong with it, if anything.
pub async fn play(
    world: &World,
    desired: &Desired,
    fault: &Fault,
    first: &BTreeSet<Object>,
) -> Result<End, String> {
    let cell = Cell::new(world);
    let wire = Wire::to(world.port, Some(fault.clone()));
    let before = world.inventory();
    let run = cell.apply(desired, &wire).await.map_err(|no| format!("no apply: {no:?}"))?;
    if wire.hits() == 0 && fault.class != Class::ExistsByStranger {
        return Err("the fault never struck".to_owned());
    }
    if !wire.doubled().is_empty() {
        return Err(format!("made twice: {:?}", wire.doubled()));
    }
    let end = if run.ended.is_converged() {
        End::Converged
    } else {
        super::words::check(&run, &before, world)?;
        ask(world.port, "/_emulator/remove_strangers");
        let calm = wire.calmed();
        let next = cell.apply(desired, &calm).await.map_err(|no| format!("no apply: {no:?}"))?;
        if !next.ended.is_converged() {
            return Err(format!("the next apply did not converge: {:?}", next.said));
        }
        if !calm.doubled().is_empty() {
            return Err(format!("made twice in the next apply: {:?}", calm.doubled()));
        }
        End::Stopped
    };
    let left = cell.left(desired).await?;
    if !left.is_empty() {
        return Err(format!("a new plan is not empty: {:#?}", left.steps));
    }
    let wrongs = wrongs(world, desired, first);
    if !wrongs.is_empty() {
        return Err(wrongs.join("; "));
    }
    // A removal that is told that there is nothing to remove is done; if that was not so,
    // the plan after the apply says what is left.
    let told_wrong = matches!(fault.class, Class::NotFound(_)) && fault.op.is_removal();
    match (fault.class.is_lasting() || told_wrong, end) {
        (false, End::Stopped) => {
            let said: Vec<_> = run.said.values().cloned().collect();
            Err(format!("it would have passed, but it stopped: {}", said.join("")))
        }
        (_, end) => Ok(end),
    }
}
