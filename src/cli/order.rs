//! What a command that changes the cloud is to do.

use crate::lang::Snapshot;
use crate::model::StackName;
use crate::plan::Selection;
use crate::plan::saved::Saved;
use crate::stack::Backend;

use super::args::{Global, RunArgs};
use super::connect::{self, Session};
use super::halt::Halt;
use super::hand::Hand;
use super::{load, planfile};

/// What is to be done.
pub struct Order {
    /// What is wanted in the end.
    pub goal: Goal,
    /// The parts.
    pub selection: Selection,
    /// Nodes are launched again where too many had failed.
    pub retry: bool,
    /// A plan that was made before.
    pub saved: Option<Saved>,
    /// What is wanted beside the configuration.
    hand: Option<Hand>,
    /// The configuration of an earlier apply, instead of the files.
    written: Option<Written>,
}

/// An earlier apply.
pub struct Written {
    /// Its number.
    pub number: u64,
    /// Its configuration.
    pub snapshot: Snapshot,
    /// What the stack is called now, and must have been then.
    pub stack: StackName,
    /// Where the ledger is now, wherever it was then: it has taken all along.
    pub backend: Option<Backend>,
}

impl Order {
    /// The configuration, or parts of it.
    pub fn apply(selection: Selection) -> Self {
        Self::to(Goal::Stack, selection)
    }

    /// Nothing of the stack stays, or nothing of parts of it.
    pub fn destroy(selection: Selection) -> Self {
        Self::to(Goal::Nothing, selection)
    }

    /// One or the other.
    pub fn of(destroy: bool, selection: Selection) -> Self {
        if destroy { Self::destroy(selection) } else { Self::apply(selection) }
    }

    /// Nothing is wanted.
    pub fn is_destroy(&self) -> bool {
        self.goal == Goal::Nothing
    }

    /// Whether it is about what the stack is made of, and not one object or the outputs.
    pub fn is_about_all(&self) -> bool {
        match self.goal {
            Goal::Stack | Goal::Nothing | Goal::Rollback => !self.selection.refresh_only,
            Goal::Adopt | Goal::Forget => false,
        }
    }

    /// Whether the guard rails have a say: an end breaks none, and a hand does one thing.
    pub fn is_judged(&self) -> bool {
        self.is_about_all() && !self.is_destroy()
    }

    /// What was planned before.
    pub fn saved(saved: Saved) -> Self {
        let goal = if saved.destroy { Goal::Nothing } else { Goal::Stack };
        Self { saved: Some(saved.clone()), ..Self::to(goal, saved.selection) }
    }

    /// An object more, or some less, and nothing else.
    pub fn by_hand(hand: Hand) -> Self {
        let goal = match hand {
            Hand::Adopt(..) => Goal::Adopt,
            Hand::Forget(_) => Goal::Forget,
        };
        Self { hand: Some(hand), ..Self::to(goal, Selection::default()) }
    }

    /// The stack as it was.
    pub fn rollback(written: Written) -> Self {
        Self { written: Some(written), ..Self::to(Goal::Rollback, Selection::default()) }
    }

    fn to(goal: Goal, selection: Selection) -> Self {
        Self { goal, selection, retry: false, saved: None, hand: None, written: None }
    }

    /// As the history and the lock have it.
    pub fn verb(&self) -> String {
        match &self.written {
            Some(written) => format!("rollback to {}", written.number),
            None => self.goal.verb().to_owned(),
        }
    }

    /// The configuration that it means, and its cloud.
    pub async fn session(&self, global: &Global, args: &RunArgs) -> Result<Session, Halt> {
        if let Some(saved) = &self.saved {
            return planfile::session(global, &args.vars, saved).await;
        }
        let Some(Written { number, snapshot, stack, backend }) = &self.written else {
            let session = connect::session(global, &args.vars).await?;
            return Ok(Session { hand: self.hand.clone(), ..session });
        };
        let ungiven = load::ungiven(global, &args.vars, snapshot)?;
        if !ungiven.is_empty() {
            let names = ungiven.join(", ");
            let text = format!("sensitive values of apply {number} were not kept: {names}");
            let flags: Vec<String> = ungiven.iter().map(|name| format!("--var {name}=…")).collect();
            let help = format!("give them again: {}", flags.join(" "));
            return Err(Halt::one("H005", text, help));
        }
        let mut session = connect::session_as_written(global, &args.vars, snapshot, None).await?;
        let then = &session.stack.config.stack;
        if then != stack {
            let text = format!("the stack was called {then} at apply {number}, and is {stack} now");
            let help = "its objects carry that name: give the stack its former name first";
            return Err(Halt::one("H004", text, help));
        }
        session.stack.config.backend = backend.clone();
        Ok(session)
    }
}

/// What is wanted in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// The configuration.
    Stack,
    /// Nothing.
    Nothing,
    /// One object more than before.
    Adopt,
    /// Some objects less, which stay in the cloud.
    Forget,
    /// The configuration of an earlier apply.
    Rollback,
}

impl Goal {
    /// The command's word.
    pub fn verb(self) -> &'static str {
        match self {
            Self::Stack => "apply",
            Self::Nothing => "destroy",
            Self::Adopt => "adopt",
            Self::Forget => "forget",
            Self::Rollback => "rollback",
        }
    }

    /// What is asked before it is done.
    pub fn question(self) -> &'static str {
        match self {
            Self::Stack | Self::Rollback => "perform these actions",
            Self::Adopt => "make it the stack's",
            Self::Forget => "make it nobody's",
            Self::Nothing => "delete all of this; there is no way back",
        }
    }
}

impl Order {
    /// Why an apply that changes nothing is written down all the same.
    pub fn renews(&self) -> &'static str {
        match self.goal {
            Goal::Nothing => "The ledger holds that something is left: that is mended now.\n",
            Goal::Stack | Goal::Adopt | Goal::Forget | Goal::Rollback => {
                "The ledger does not hold what the last apply left: it is written down now.\n"
            }
        }
    }

    /// What an empty plan says. Of a part it says nothing about the rest.
    pub fn done(&self) -> String {
        let targets: Vec<String> = self.selection.targets.iter().map(ToString::to_string).collect();
        if self.selection.refresh_only {
            return "What the cloud shows was taken over into the ledger. Nothing was changed in the \
                    cloud.\n"
                .to_owned();
        }
        if !targets.is_empty() {
            return format!(
                "Nothing is left to do for {}.\nThe rest of the stack was left alone: `mlinfra plan` \
                 shows it.\n",
                targets.join(", ")
            );
        }
        match self.goal {
            Goal::Stack => "A new plan is empty: the cloud matches the configuration.\n",
            Goal::Nothing => "A new plan is empty: nothing of the stack is left.\n",
            Goal::Adopt => "It is the stack's now, and `mlinfra plan` judges it as such.\n",
            Goal::Forget => "It is nobody's now, and stays as it is.\n",
            Goal::Rollback => {
                "A new plan is empty: the cloud is as the configuration was then.\n\
                 The files in this folder are as before, and the next apply follows them.\n"
            }
        }
        .to_owned()
    }
}
