//! What the tests of the wire share: an object's life, step by step.

use std::collections::BTreeMap;
use std::sync::Mutex;

use mlinfra::aws::Aws;
use mlinfra::cloud::{
    Call, Class, Cloud, Failure, Live, Make, Observed, Owner, Phase, Reply, Scope,
};
use mlinfra::kinds::{Change, Edit, Home, Spec, differing, dismantle, edits};
use mlinfra::model::{AccountId, Address, CloudId, Region, StackName, Token};

use crate::moto::Moto;

/// A server, the adapter in front of it, and a stack.
pub struct Stage {
    pub moto: Moto,
    pub aws: Aws,
    pub scope: Scope,
    minted: Mutex<u32>,
}

impl Stage {
    pub async fn new() -> Self {
        let moto = Moto::start().await;
        let aws = moto.aws().await;
        let scope = Scope {
            stack: StackName::from("llm"),
            home: home(),
            names: std::collections::BTreeSet::new(),
        };
        Self { moto, aws, scope, minted: Mutex::new(0) }
    }

    /// An owner with a token of its own.
    pub fn owner(&self, address: &str) -> Owner {
        let mut minted = self.minted.lock().expect("no panic under the lock");
        *minted += 1;
        Owner {
            stack: self.scope.stack.clone(),
            address: Address::from_tag(address).expect("an address"),
            generation: 1,
            token: Token(format!("token-{:04}", *minted)),
            named: None,
        }
    }

    pub async fn act(&self, call: Call) -> Result<Reply, Failure> {
        self.aws.act(&call).await
    }

    pub async fn create(&self, spec: &Spec, owner: &Owner) -> Result<CloudId, Failure> {
        let make = Make { spec: spec.born(), owner: owner.clone() };
        let reply = self.act(Call::Create(make)).await?;
        Ok(reply.ids.into_iter().next().expect("the id of what was made"))
    }

    /// Creates it as it is born and completes it.
    pub async fn make(&self, address: &str, want: impl Into<Spec>) -> CloudId {
        let (want, owner) = (want.into(), self.owner(address));
        let id = self.create(&want, &owner).await.expect("it is created");
        self.turn(&id, &want.born(), &want).await;
        id
    }

    /// Sends the edits that turn one into the other.
    pub async fn turn(&self, id: &CloudId, have: &Spec, want: &Spec) {
        for edit in edits(have, want) {
            self.edit(id, want, edit).await;
        }
    }

    /// Sends one edit twice: a repeat counts as success.
    pub async fn edit(&self, id: &CloudId, spec: &Spec, edit: Edit) {
        // moto breaks down when a role is taken out of a profile twice.
        let twice = !(edit.field == "roles" && matches!(edit.change, Change::Remove(_)));
        for _ in 0..1 + u32::from(twice) {
            let call = Call::Edit { kind: spec.kind(), id: id.clone(), edit: edit.clone() };
            self.act(call).await.unwrap_or_else(|bad| panic!("{edit:?}: {bad}"));
        }
    }

    pub async fn observe(&self) -> Observed {
        let observed = self.aws.observe(&self.scope).await;
        assert_eq!(observed.blind, BTreeMap::new());
        assert_eq!(observed.unreadable, BTreeMap::new());
        observed
    }

    pub async fn live(&self, id: &CloudId) -> Live {
        let observed = self.observe().await;
        let ids: Vec<_> = observed.live.keys().collect();
        observed.live.get(id).cloned().unwrap_or_else(|| panic!("{id} is not in {ids:?}"))
    }

    /// It is what is wanted, save for fields in which moto is known to be wrong.
    pub async fn is(&self, id: &CloudId, want: &Spec, wrong: &[&str]) {
        let live = self.live(id).await;
        let seen = live.spec().unwrap_or_else(|| panic!("blind: {:?}", live.seen));
        let mut fields = differing(seen, want);
        fields.retain(|field| !wrong.contains(&field.as_str()));
        assert_eq!(fields, Vec::<String>::new(), "\nseen {seen:#?}\nwant {want:#?}");
    }

    /// A life: made, seen, changed step by step and seen each time.
    pub async fn life(&self, address: &str, stages: &[Spec], wrong: &[&str]) -> CloudId {
        let id = self.make(address, stages[0].clone()).await;
        self.is(&id, &stages[0], wrong).await;
        for pair in stages.windows(2) {
            self.turn(&id, &pair[0], &pair[1]).await;
            self.is(&id, &pair[1], wrong).await;
        }
        id
    }

    /// Its end: dismantled, deleted, deleted again, seen no more.
    pub async fn end(&self, id: &CloudId, was: &Spec) {
        for edit in dismantle(was) {
            self.edit(id, was, edit).await;
        }
        for _ in 0..2 {
            let call = Call::Delete { id: id.clone(), was: was.clone() };
            self.act(call).await.unwrap_or_else(|bad| panic!("delete {id}: {bad}"));
        }
        let live = self.observe().await.live;
        let left = live.get(id).filter(|live| live.phase != Phase::Leaving);
        assert_eq!(left, None);
        let phase = self.aws.phase(was.kind(), id).await.expect("a phase");
        assert!(matches!(phase, Phase::Gone | Phase::Leaving), "{phase:?}");
    }

    /// Creating again: the same intent is the same object, another one is refused.
    pub async fn only_once(&self, id: &CloudId, want: &Spec, owner: &Owner) {
        assert_eq!(self.create(want, owner).await.as_ref(), Ok(id));
        let address = owner.address.to_tag();
        let other = self.create(want, &self.owner(&address)).await.expect_err("it is taken");
        assert_eq!(other.class, Class::Exists, "{other}");
    }
}

pub fn home() -> Home {
    Home { account: AccountId::from("123456789012"), region: Region::from("us-east-1") }
}
