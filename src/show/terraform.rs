//! Our objects under the names that Terraform's readers expect.
//!
//! Terraform's addresses are `TYPE.NAME` or `TYPE.NAME[INDEX]` behind the path of modules.
//! Ours name a block and a part of it, so each part becomes a resource of its own:
//!
//! | ours | Terraform's |
//! |---|---|
//! | `bucket.data` | `mlinfra_bucket.data` |
//! | `bucket.data["eu"]` | `mlinfra_bucket.data["eu"]` |
//! | `network.main/private-a` | `mlinfra_subnet.network_main_private-a` |
//! | `queue.jobs/dead-letter` | `mlinfra_queue.queue_jobs_dead-letter` |
//! | `cluster.train[2]/profile` | `mlinfra_instance_profile.cluster_train_profile[2]` |
//! | a node of `cluster.train/nodes` | `mlinfra_node.cluster_train_nodes["i-0abc"]` |
//! | a node that is yet to be launched | `mlinfra_node.cluster_train_nodes["1/0"]`: its batch, its number |
//!
//! No two of ours share one of theirs: words of blocks and of parts hold no `_`, a name in
//! the short form never begins with a block's word and `_`, one in the long form always does.

use serde_json::{Map, Value, json};

use super::value;
use crate::kinds::KindName;
use crate::model::{Address, Block, Key};

/// The version of Terraform whose shapes these are; readers look at it.
pub const VERSION: &str = "1.11.4";
/// The provider that resources name. Only a name: nothing is asked there.
pub const PROVIDER: &str = "registry.mlinfra.dev/mlinfra/mlinfra";
/// The same within the document.
pub const PROVIDER_KEY: &str = "mlinfra";

/// One resource in Terraform's sense.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Named<'a> {
    /// Where it is declared.
    pub address: &'a Address,
    /// What it is.
    pub kind: KindName,
    /// Which of the nodes at that address.
    pub node: Option<String>,
}

impl<'a> Named<'a> {
    /// An object that is alone at its address.
    pub(super) fn new(address: &'a Address, kind: KindName) -> Self {
        Self { address, kind, node: None }
    }

    /// One of the nodes at an address.
    pub(super) fn node(address: &'a Address, node: impl Into<String>) -> Self {
        Self { address, kind: KindName::Node, node: Some(node.into()) }
    }

    /// `mlinfra_subnet`
    pub(super) fn ty(&self) -> String {
        format!("mlinfra_{}", self.kind.word())
    }

    /// The resource's name: of the block, or of the block and a part of it.
    pub(super) fn name(&self) -> String {
        let Address { module: _, block, name, key: _, part } = self.address;
        let (word, label) = (block.word(), name.as_str());
        let long = |block: &Block| label.starts_with(&format!("{}_", block.word()));
        match part {
            Some(part) => format!("{word}_{label}_{}", part.0),
            None if word == self.kind.word() && !Block::ALL.iter().any(long) => label.to_owned(),
            None => format!("{word}_{label}_"),
        }
    }

    /// What tells repeated resources apart.
    pub(super) fn index(&self) -> Option<Value> {
        match (&self.address.key, &self.node) {
            (Some(Key::Index(index)), Some(node)) => Some(json!(format!("{index}/{node}"))),
            (Some(Key::Name(name)), Some(node)) => Some(json!(format!("{name}/{node}"))),
            (None, Some(node)) => Some(json!(node)),
            (Some(key), None) => Some(value::key(key)),
            (None, None) => None,
        }
    }

    /// The modules around it, from the outside in: `module.team["eu"]`.
    pub(super) fn modules(&self) -> Vec<String> {
        self.address.module.iter().map(ToString::to_string).collect()
    }

    /// The address of the innermost of them; empty at the top.
    pub(super) fn module(&self) -> String {
        self.modules().join(".")
    }

    /// `TYPE.NAME`
    pub(super) fn plain(&self) -> String {
        format!("{}.{}", self.ty(), self.name())
    }

    /// `TYPE.NAME[INDEX]`
    pub(super) fn local(&self) -> String {
        let index = self.index().map_or_else(String::new, |index| format!("[{index}]"));
        format!("{}{index}", self.plain())
    }

    /// The whole address.
    pub(super) fn full(&self) -> String {
        within(&self.module(), &self.local())
    }

    /// What every document says first about a resource.
    pub(super) fn head(&self) -> Map<String, Value> {
        let mut out = Map::new();
        out.insert("address".to_owned(), json!(self.full()));
        out.insert("mode".to_owned(), json!("managed"));
        out.insert("type".to_owned(), json!(self.ty()));
        out.insert("name".to_owned(), json!(self.name()));
        if let Some(index) = self.index() {
            out.insert("index".to_owned(), index);
        }
        out.insert("provider_name".to_owned(), json!(PROVIDER));
        out
    }

    /// What every line of a stream says about a resource.
    pub(super) fn line(&self) -> Value {
        json!({
            "addr": self.full(),
            "module": self.module(),
            "resource": self.local(),
            "implied_provider": PROVIDER_KEY,
            "resource_type": self.ty(),
            "resource_name": self.name(),
            "resource_key": self.index(),
        })
    }
}

/// Our address of a resource, from Terraform's: who reads one in a document can write it on the
/// command line. None for what is no such address.
pub fn ours(text: &str) -> Option<String> {
    let at = text.find("mlinfra_").filter(|at| *at == 0 || text[..*at].ends_with('.'))?;
    let (modules, rest) = text.split_at(at);
    let (kind, rest) = rest.strip_prefix("mlinfra_")?.split_once('.')?;
    let (name, index) = rest.split_at(rest.find('[').unwrap_or(rest.len()));
    let long = Block::ALL.into_iter().find_map(|block| {
        let rest = name.strip_prefix(block.word())?.strip_prefix('_')?;
        let (label, part) = rest.rsplit_once('_')?;
        Some((block, label, part))
    });
    let (block, label, part) = match long {
        Some(found) => found,
        None => (Block::from_word(kind)?, name, ""),
    };
    // The index of a node is its own, not its block's key.
    let key = if kind == KindName::Node.word() { "" } else { index };
    let part = if part.is_empty() { String::new() } else { format!("/{part}") };
    Some(format!("{modules}{}.{label}{key}{part}", block.word()))
}

fn within(module: &str, local: &str) -> String {
    if module.is_empty() { local.to_owned() } else { format!("{module}.{local}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_terraform_s_and_no_two_are_alike() {
        let cases = [
            ("bucket.data", KindName::Bucket, "mlinfra_bucket.data"),
            ("bucket.data=eu", KindName::Bucket, r#"mlinfra_bucket.data["eu"]"#),
            ("bucket.data=2", KindName::Bucket, "mlinfra_bucket.data[2]"),
            ("bucket.network_x", KindName::Bucket, "mlinfra_bucket.bucket_network_x_"),
            ("queue.jobs", KindName::Queue, "mlinfra_queue.jobs"),
            ("queue.jobs/dead-letter", KindName::Queue, "mlinfra_queue.queue_jobs_dead-letter"),
            ("queue.jobs_dead-letter", KindName::Queue, "mlinfra_queue.jobs_dead-letter"),
            (
                "module.base=eu.module.in.cluster.train=2/profile",
                KindName::InstanceProfile,
                r#"module.base["eu"].module.in.mlinfra_instance_profile.cluster_train_profile[2]"#,
            ),
            ("cluster.train/role", KindName::Role, "mlinfra_role.cluster_train_role"),
        ];
        let mut seen = std::collections::BTreeSet::new();
        for (tag, kind, wanted) in cases {
            let address = Address::from_tag(tag).expect("an address");
            let found = Named::new(&address, kind).full();
            assert_eq!(found, wanted);
            assert_eq!(ours(&found).expect("ours").parse(), Ok(address));
            assert!(seen.insert(found));
        }
    }

    #[test]
    fn nodes_are_told_apart_by_their_id() {
        let address = Address::from_tag("cluster.train=eu/nodes").expect("an address");
        let node = Named::node(&address, "i-1");
        assert_eq!(node.full(), r#"mlinfra_node.cluster_train_nodes["eu/i-1"]"#);
        assert_eq!(node.line()["resource_key"], "eu/i-1");
        assert_eq!(node.head()["index"], "eu/i-1");
        assert_eq!(ours(&node.full()).as_deref(), Some("cluster.train/nodes"));
        for text in
            ["", "bucket.data", "aws_vpc.main", "mlinfra_", "mlinfra_vpc.x", "xmlinfra_vpc.x"]
        {
            assert_eq!(ours(text), None, "{text}");
        }
    }
}
