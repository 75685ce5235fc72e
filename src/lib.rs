//! mlinfra: GPU training clusters and storage on AWS, declared in HCL, planned against
//! the actual cloud, applied so that nothing is made twice and nothing is left over.
//!
//! # The house
//!
//! A file imports only from rooms on lower floors; rooms on one floor do not know each
//! other. `tests/it/house.rs` holds the code to this map.
//!
//! | floor | room | what lives there |
//! |---|---|---|
//! | 9 | [`cli`] | one file per command; wires things together, reads environment and clock, adds hints |
//! | 8 | [`serve`] | what runs for as long as its machine does: the node agent |
//! | 7 | [`show`] | plans, events, problems, objects → text and JSON; pure |
//! | 6 | [`apply`] | the executor: intent → call → commit; retries, recovery |
//! | 5 | [`policy`] | verdicts on a finished plan, one file per guard rail: the budget; pure |
//! | 5 | `aws` | the AWS adapter, behind the feature `aws` |
//! | 5 | [`demand`] | how much work there is: one file per queue or engine that tells of it |
//! | 5 | [`sim`] | a simulated region behind the same port |
//! | 4 | [`plan`] | wanted + remembered + observed → plan, and what it costs; pure |
//! | 4 | [`fleet`] | waiting jobs + observed nodes + offers → what to launch and what to end, and why; pure |
//! | 4 | [`wizard`] | the questions of `init`, the answers, and the files that they make; pure |
//! | 3 | [`stack`] | blocks + facts → specs; the expert defaults |
//! | 3 | [`ledger`] | the memory of intent: records, journal, stores |
//! | 2 | [`lang`] | HCL text → evaluated blocks, all problems together |
//! | 2 | [`cloud`] | the port: calls, failures, what is observed |
//! | 2 | [`catalog`] | instance types and images, as data |
//! | 1 | [`kinds`] | one file per kind of cloud object; the vocabulary of plans |
//! | 0 | [`model`] | addresses, ids, links, problems, time |
//!
//! # The flow
//!
//! `plan`: HCL → `lang` → (+ facts) `stack` → desired; cloud → observed; store → ledger;
//! all three → `plan` → `show`. `apply`: the same, a question, `apply` → events → `show`;
//! then the cloud is observed again, and the new plan must be empty.
//!
//! # Invariants
//!
//! * Tags alone own. What does not carry the stack's tag is never touched; deleting every
//!   local file changes no plan. (`tests/it/walks.rs`, `tests/peer/roundtrip.py`)
//! * Before a call that makes something, the exact call and its token are durable; after
//!   it, the ids, before anything is read. Whatever dies when, nothing is made twice and
//!   nothing is left over. (`tests/it/crash.rs`)
//! * A plan leaves nothing to decide: every step holds the whole spec and the id it acts
//!   on. Apply fills in ids that earlier steps returned and walks down ordered offers.
//! * What could not be seen is not acted on.
//! * Time, randomness, the environment and the cloud are arguments. Only `cli` and `serve`
//!   ask the machine for them (`clippy.toml`).
//! * One [`cloud::Call`] is one mutating API call, so that every point at which a process
//!   can die exists in the simulated region too.
//! * Text that the cloud or a file supplied reaches a terminal only through
//!   [`show::screen::Untrusted`].
//!
//! # Where the house differs from its first drawing
//!
//! * The vocabulary of plans (`Step`, `Action`, `Why`, `Plan`) stands in [`kinds`], because
//!   actions hold specs, and specs stand there.
//! * Links need no list per kind: they are found by their shape in JSON
//!   ([`kinds::walk`]), so that none can be forgotten.
//! * What depends on the instance type (interfaces, placement group, market) stands in the
//!   offer and goes with the launch, so that another fallback type rolls no node.
//! * A launch template is never changed: another content is another template (a new
//!   generation), launched at version 1. So a replayed launch is exact, and a node is
//!   judged by the id of its template.
//! * A `setup` that is too long for user data is an object in a bucket of its cluster's own; its
//!   checksum stands in the template. The former object goes behind the last template that
//!   names it, so that no node boots in vain.
//! * CreateFleet is not used: RunInstances with a least number of one starts a part of what is
//!   wanted under one token, and an instant fleet cannot be found again without its id.
//! * Fleets stand beside specs in [`stack::Desired`]; their nodes are launched and
//!   terminated as batches and never planned one by one.
//! * An object that has moved keeps its name in the cloud, which was computed from its former
//!   address; the tag `mlinfra:named` says from which, so that no ledger is needed for it.
//! * The lock on S3 stays as an object without a holder when it is let go of: its epoch goes
//!   on, and no conditional delete is needed. Whoever takes over writes a fence and folds at
//!   once, since a writer frozen just before its own fold could bury its successor's
//!   records; an append counts only while the lock is still its own afterwards.
//! * Steps that run at once share one write to the journal; what a step has ended as may be
//!   written with the next one's intent. Intents and what they made stay ahead of the cloud.
//! * A module is evaluated as a whole: two modules cannot feed each other, even without a
//!   circle between single values.
//! * What a plan costs stands beside the plan (`plan::cost`) and not in its steps: a bill holds
//!   what stays, too. `policy` judges plan and bill; [`cli`] tells and obeys the verdict.
//! * A name that leads to a service's machines is a record, and so a field of its zone; its
//!   addresses are known only once the machines are. So it is pointed by a step of the fleet
//!   (`kinds::Action::Point`), between launch and end, and is left out of what the zone is
//!   compared by. Fixed addresses made ahead would tie a machine to a zone, and could not stand
//!   beside their successors. `CreateHostedZone` takes no tags: until the zone has them, the
//!   caller's reference and comment own.
//! * The ledger also keeps the names that authors chose, so that a bucket with a name of
//!   its own is still found after its block was removed.

pub mod apply;
#[cfg(feature = "aws")]
pub mod aws;
pub mod catalog;
pub mod cli;
pub mod cloud;
pub mod demand;
pub mod fleet;
pub mod kinds;
pub mod lang;
pub mod ledger;
pub mod model;
pub mod plan;
pub mod policy;
pub mod serve;
pub mod show;
pub mod sim;
pub mod stack;
pub mod wizard;
