//! The tags that own: every object carries them from the call that creates it.

/// Which stack owns the object.
pub const STACK: &str = "mlinfra:stack";
/// Which address of that stack it is ([`super::Address::to_tag`]).
pub const ADDRESS: &str = "mlinfra:address";
/// How many times the address has been replaced, from 1.
pub const GENERATION: &str = "mlinfra:generation";
/// The token of the intent that made it: a lost answer is found by it.
pub const INTENT: &str = "mlinfra:intent";
/// On nodes: the launch template they were started from.
pub const TEMPLATE: &str = "mlinfra:template";
/// On nodes: the batch (one launch call) they belong to.
pub const BATCH: &str = "mlinfra:batch";
/// On launch templates: the image's name as the author wrote it.
pub const IMAGE: &str = "mlinfra:image";
/// On buckets: `false` when the author allows the contents to be deleted.
pub const PRECIOUS: &str = "mlinfra:precious";

/// True for keys that mlinfra or AWS manage: they are never part of a diff.
pub fn is_reserved(key: &str) -> bool {
    key.starts_with("mlinfra:") || key.starts_with("aws:")
}
