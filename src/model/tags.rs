//! The tags that own: every object carries them from the call that creates it.

use super::{Address, StackName};

/// Which stack owns the object.
pub const STACK: &str = "mlinfra:stack";
/// Which address of that stack it is ([`super::Address::to_tag`]).
pub const ADDRESS: &str = "mlinfra:address";
/// How many times the address has been replaced, from 1.
pub const GENERATION: &str = "mlinfra:generation";
/// The token of the intent that made it: a lost answer is found by it.
pub const INTENT: &str = "mlinfra:intent";
/// The address by which its name was computed, on an object that has moved since: names do
/// not change, and by this tag the name is still known.
pub const NAMED: &str = "mlinfra:named";
/// The tags that make an object a stack's; without them it is nobody's.
pub const OWNING: [&str; 5] = [STACK, ADDRESS, GENERATION, INTENT, NAMED];
/// On nodes: the launch template they were started from.
pub const TEMPLATE: &str = "mlinfra:template";
/// On nodes: the batch (one launch call) they belong to.
pub const BATCH: &str = "mlinfra:batch";
/// On nodes: accelerators and EFA devices that they must have, such as `nvidia=8 efa=32`.
pub const EXPECT: &str = "mlinfra:expect";
/// On nodes in a Capacity Block: when it ends. The node reads it from its own metadata.
pub const ENDS: &str = "mlinfra:ends";
/// On nodes, written by themselves: `booting`, `ready`, `busy`, `idle` or `unhealthy`.
pub const STATE: &str = "mlinfra:state";
/// On nodes, written by themselves: why they are in that state.
pub const REASON: &str = "mlinfra:reason";
/// On nodes, written by themselves: which job they work on.
pub const JOB: &str = "mlinfra:job";
/// On nodes: `report` where their own word says whether they can serve; otherwise EC2's status
/// checks do.
pub const GATE: &str = "mlinfra:gate";
/// What [`GATE`] says of a node with an agent.
pub const REPORT: &str = "report";
/// On nodes that have failed: until when they are kept to be looked at.
pub const QUARANTINE: &str = "mlinfra:quarantine";
/// On nodes that have failed: how.
pub const QUARANTINE_REASON: &str = "mlinfra:quarantine-reason";
/// On nodes: whoever sets it wants the node to finish its job and power off.
pub const DRAIN: &str = "mlinfra:drain";
/// A value of [`DRAIN`]: take no more jobs, and stay for now.
pub const CORDON: &str = "cordon";
/// On launch templates: the image's name as the author wrote it.
pub const IMAGE: &str = "mlinfra:image";
/// On what holds data: `false` when the author allows that to be deleted.
pub const PRECIOUS: &str = "mlinfra:precious";
/// On what is encrypted with a KMS key that the author chose: AWS names its own key in the same
/// place, and nobody could tell the two apart.
pub const KMS_KEY: &str = "mlinfra:kms-key";

/// What consoles show; ours unless the author says otherwise.
pub const NAME: &str = "Name";

/// The name for consoles of what stands at an address.
pub fn name(stack: &StackName, address: &Address) -> String {
    format!("{stack}/{}", address.to_tag())
}

/// True for keys that mlinfra or AWS manage: they are never part of a diff.
pub fn is_reserved(key: &str) -> bool {
    key.starts_with("mlinfra:") || key.starts_with("aws:")
}
