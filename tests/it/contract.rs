//! What every adapter of the port must do: one list of named cases, for the simulated
//! region and for AWS behind its SDK alike.
#![allow(missing_docs, clippy::expect_used, clippy::print_stdout)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use async_trait::async_trait;
use mlinfra::cloud::{
    Call, Class, Cloud, Failure, Launch, Live, Make, Observed, Owner, Phase, Reply, Scope,
};
use mlinfra::kinds::{Home, KindName, Offer, Spec, differing, dismantle, edits, walk};
use mlinfra::model::{Address, CloudId, ImageId, Link, StackName, TemplateId, Token};

use crate::contract_cases::cases;
use crate::sample::{self, Place};

/// How often a case looks before it gives up waiting.
const LOOKS: u32 = 400;

/// An account in which nothing is, and what a test can do to it besides the port.
#[async_trait]
pub trait Harness: Send + Sync {
    /// The adapter, with every right.
    fn cloud(&self) -> &dyn Cloud;

    /// Lets a moment pass between two looks.
    async fn pause(&self);

    /// Puts objects into a bucket; false when this account cannot.
    async fn fill(&self, bucket: &CloudId, objects: u32) -> bool;

    /// Takes the right to list a kind away; false when this account cannot.
    async fn hide(&self, kind: KindName) -> bool;

    /// An image that exists.
    fn image(&self) -> ImageId {
        ImageId::from("ami-12c6146b")
    }

    /// Whether a node says which placement group it stands in.
    fn tells_groups(&self) -> bool {
        true
    }

    /// An instance type that can be had.
    fn instance_type(&self) -> String {
        "p4d.24xlarge".to_owned()
    }
}

/// A case that is known to be wrong on an adapter, or rather on what stands behind it.
pub struct Skip {
    /// Its name; `names: *` skips all that begin so.
    pub case: &'static str,
    /// Why.
    pub why: &'static str,
}

impl Skip {
    fn covers(&self, name: &str) -> bool {
        self.case.strip_suffix('*').map_or(self.case == name, |start| name.starts_with(start))
    }
}

/// What a case finds wrong.
#[derive(Debug)]
pub enum Wrong {
    /// The adapter.
    Adapter(String),
    /// This account cannot show it.
    CannotTell,
}

impl From<Failure> for Wrong {
    fn from(failure: Failure) -> Self {
        Self::Adapter(failure.to_string())
    }
}

impl From<String> for Wrong {
    fn from(text: String) -> Self {
        Self::Adapter(text)
    }
}

pub type Outcome = Result<(), Wrong>;

/// Fails a case unless something holds.
pub fn must(holds: bool, text: impl Into<String>) -> Outcome {
    if holds { Ok(()) } else { Err(Wrong::Adapter(text.into())) }
}

/// Runs every case, each in a new account, and panics with all that is wrong.
pub async fn suite<H: Harness>(skips: &[Skip], begin: impl AsyncFn() -> H) {
    let all = cases();
    let names: BTreeSet<_> = all.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), all.len(), "two cases have one name");
    for skip in skips {
        assert!(names.iter().any(|name| skip.covers(name)), "no case is called {}", skip.case);
    }
    let mut wrong = Vec::new();
    for case in &all {
        if let Some(skip) = skips.iter().find(|skip| skip.covers(&case.name)) {
            println!("skipped  {}: {}", case.name, skip.why);
            continue;
        }
        let harness = begin().await;
        let stage = Stage::new(&harness).await;
        let outcome = match &stage {
            Ok(stage) => (case.run)(stage).await,
            Err(failure) => Err(Wrong::Adapter(failure.to_string())),
        };
        match outcome {
            Ok(()) => println!("right    {}", case.name),
            Err(Wrong::CannotTell) => println!("skipped  {}: cannot be shown here", case.name),
            Err(Wrong::Adapter(text)) => {
                println!("WRONG    {}: {text}", case.name);
                wrong.push(format!("{}: {text}", case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), all.len(), wrong.join("\n"));
}

/// A case on its way.
pub struct Stage<'a> {
    pub harness: &'a dyn Harness,
    pub cloud: &'a dyn Cloud,
    pub place: Place,
    made: Mutex<BTreeMap<Address, CloudId>>,
}

impl<'a> Stage<'a> {
    async fn new(harness: &'a dyn Harness) -> Result<Self, Failure> {
        let cloud = harness.cloud();
        let place = Place {
            home: cloud.caller().await?.home,
            stack: "contract".to_owned(),
            image: harness.image(),
            instance_type: harness.instance_type(),
        };
        Ok(Self { harness, cloud, place, made: Mutex::default() })
    }

    /// The tags of what stands at an address.
    pub fn owner(&self, address: &Address) -> Owner {
        Owner {
            stack: StackName(self.place.stack.clone()),
            address: address.clone(),
            generation: 1,
            token: Token(format!("c0ffee-{}", address.to_tag().replace(['.', '/'], "-"))),
            named: None,
        }
    }

    pub fn home(&self) -> &Home {
        &self.place.home
    }

    /// The id of what was made at an address.
    pub fn id(&self, address: &str) -> CloudId {
        let address = sample::at(address);
        self.made.lock().expect("ids").get(&address).cloned().expect("it was made")
    }

    /// A sample with the ids of what was made.
    pub fn wired(&self, spec: &Spec) -> Spec {
        let made = self.made.lock().expect("ids");
        walk::settle(spec, &|address| made.get(address).cloned()).expect("a spec")
    }

    /// The wired sample at an address.
    pub fn sample(&self, address: &str) -> Spec {
        let address = sample::at(address);
        let stack = sample::stack(&self.place);
        let found = stack.into_iter().find(|(at, _)| *at == address).expect("a sample");
        self.wired(&found.1)
    }

    /// Sends a call until it is neither throttled nor too early.
    pub async fn act(&self, call: &Call) -> Result<Reply, Failure> {
        for _ in 0..LOOKS {
            match self.cloud.act(call).await {
                Err(failure) if failure.class.may_pass() => self.harness.pause().await,
                outcome => return outcome,
            }
        }
        self.cloud.act(call).await
    }

    /// The class with which a call is refused, once it is not too early for it.
    pub async fn refusal(&self, call: &Call) -> Result<Class, Wrong> {
        let mut last = Class::Settling;
        for _ in 0..LOOKS {
            match self.cloud.act(call).await {
                Ok(_) => return Err(Wrong::Adapter(format!("{} succeeded", call.words()))),
                Err(failure) if !failure.is_definitive() => {
                    return Err(Wrong::Adapter(format!("{failure} leaves it open what it did")));
                }
                Err(failure) => last = failure.class,
            }
            match last {
                Class::Settling | Class::Throttled => self.harness.pause().await,
                class => return Ok(class),
            }
        }
        Ok(last)
    }

    pub async fn observe(&self) -> Observed {
        let stack = StackName(self.place.stack.clone());
        let scope = Scope { stack, home: self.home().clone(), names: BTreeSet::new() };
        self.cloud.observe(&scope).await
    }

    /// Looks until something shows.
    pub async fn shows(
        &self,
        what: &str,
        id: &CloudId,
        test: impl Fn(&Live) -> Result<(), String>,
    ) -> Outcome {
        let mut last = "it never showed".to_owned();
        for _ in 0..LOOKS {
            let seen = self.observe().await;
            match seen.live.get(id).map(&test) {
                Some(Ok(())) => return Ok(()),
                Some(Err(why)) => last = why,
                None => last = format!("it never showed; unseen: {:?}", seen.blind),
            }
            self.harness.pause().await;
        }
        Err(Wrong::Adapter(format!("{id}, {what}: {last}")))
    }

    /// It shows, and is as wanted in every field.
    pub async fn is(&self, what: &str, id: &CloudId, want: &Spec, owner: &Owner) -> Outcome {
        let test = |live: &Live| {
            let have = live.spec().ok_or("its details cannot be read")?;
            let fields = differing(have, want);
            match (fields.is_empty(), live.owner == *owner) {
                (true, true) => Ok(()),
                (true, false) => Err(format!("owned by {:?}, not {owner:?}", live.owner)),
                (false, _) => {
                    let side = |spec: &Spec| {
                        let all = spec.fields();
                        fields.iter().map(|field| all[field].to_string()).collect::<Vec<_>>()
                    };
                    Err(format!("{fields:?} are {:?}, not {:?}", side(have), side(want)))
                }
            }
        };
        self.shows(what, id, test).await
    }

    /// Waits until it is in a phase.
    pub async fn reaches(&self, kind: KindName, id: &CloudId, want: &Phase) -> Outcome {
        let mut last = Phase::Gone;
        for _ in 0..LOOKS {
            match self.cloud.phase(kind, id).await {
                Ok(phase) if phase == *want => return Ok(()),
                Ok(phase) => last = phase,
                Err(failure) if failure.class.may_pass() => {}
                Err(failure) => return Err(failure.into()),
            }
            self.harness.pause().await;
        }
        Err(Wrong::Adapter(format!("{id} is {last:?}, never {want:?}")))
    }

    /// Makes an object as it is born.
    pub async fn create(&self, address: &Address, spec: &Spec) -> Result<CloudId, Wrong> {
        let make = Make { spec: spec.clone(), owner: self.owner(address) };
        let reply = self.act(&Call::Create(make)).await?;
        must(reply.ids.len() == 1, format!("{} ids for one object", reply.ids.len()))?;
        self.made.lock().expect("ids").insert(address.clone(), reply.ids[0].clone());
        Ok(reply.ids[0].clone())
    }

    /// Sends every edit between two specs.
    pub async fn edit(&self, id: &CloudId, have: &Spec, want: &Spec) -> Outcome {
        for edit in edits(have, want) {
            self.act(&Call::Edit { kind: want.kind(), id: id.clone(), edit }).await?;
        }
        Ok(())
    }

    /// Makes and completes the samples up to the last one that is asked for, ready for use.
    pub async fn build(&self, until: impl Fn(&Address, &Spec) -> bool) -> Outcome {
        let mut stack = sample::stack(&self.place);
        let last = stack.iter().rposition(|(address, spec)| until(address, spec));
        stack.truncate(last.map_or(0, |last| last + 1));
        for (address, spec) in stack {
            let spec = self.wired(&spec);
            let id = self.create(&address, &spec).await?;
            self.edit(&id, &spec.born(), &spec).await?;
            self.reaches(spec.kind(), &id, &Phase::Ready).await?;
        }
        Ok(())
    }

    /// Builds all that stands before an address, and it.
    pub async fn build_to(&self, address: &str) -> Outcome {
        let address = sample::at(address);
        self.build(|at, _| *at == address).await
    }

    /// Deletes an object, with what must come before.
    pub async fn delete(&self, id: &CloudId, was: &Spec) -> Outcome {
        for edit in dismantle(was) {
            self.act(&Call::Edit { kind: was.kind(), id: id.clone(), edit }).await?;
        }
        self.act(&Call::Delete { id: id.clone(), was: was.clone() }).await?;
        self.reaches(was.kind(), id, &Phase::Gone).await
    }

    /// A launch of the sample template in the private subnet of zone a.
    pub fn launch(&self, count: u32) -> Launch {
        let zone = sample::subnet(&self.place, 1).zone;
        let subnet = Link::Id(self.id("network.main/subnet-1").0.into());
        let group = Link::Id(self.id("cluster.train/placement").0.into());
        let offer = Offer::plain(&self.place.instance_type, zone, subnet);
        Launch {
            template: TemplateId(self.id("cluster.train/template").0),
            offer: Offer { placement: Some(group), ..offer },
            count,
            whole: true,
            batch: 3,
            owner: self.owner(&sample::at("cluster.train")),
            tags: sample::tags(),
        }
    }
}
