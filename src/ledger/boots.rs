//! How the nodes of a fleet have come up of late: after too many that failed in a row, no more
//! are launched until somebody has done something about it.

use serde::{Deserialize, Serialize};

use crate::model::{CloudId, TemplateId};

/// So many failures in a row are no bad luck: were even one machine in ten bad, five in a row
/// would be one case in a hundred thousand.
const STOP: usize = 5;

/// Nodes of one fleet that failed since the last one that could serve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boots {
    /// The template that they came from: another one starts anew.
    pub template: TemplateId,
    /// Which, and how; the first of them first.
    pub failed: Vec<Failed>,
}

/// A node that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// Which.
    pub node: CloudId,
    /// How.
    pub how: String,
}

/// How a node has come up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booted {
    /// Which.
    pub node: CloudId,
    /// How it has failed; none when it can serve.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

impl Boots {
    /// Of a template of which nothing is known.
    pub fn of(template: &TemplateId) -> Self {
        Self { template: template.clone(), failed: Vec::new() }
    }

    /// Takes in how nodes have come up, in the order of their launch. Who dies after it has
    /// written that down writes it down again: a node counts once.
    pub(super) fn take(&mut self, nodes: &[Booted]) {
        for Booted { node, failed } in nodes {
            match failed {
                None => self.failed.clear(),
                Some(_) if self.failed.iter().any(|known| known.node == *node) => {}
                Some(how) => {
                    let (node, how) = (node.clone(), how.clone());
                    self.failed.push(Failed { node, how });
                    // What the last ones said tells enough.
                    let surplus = self.failed.len().saturating_sub(STOP);
                    self.failed.drain(..surplus);
                }
            }
        }
    }

    /// No more are to be launched.
    pub fn stop(&self) -> bool {
        self.failed.len() >= STOP
    }

    /// What they said, each reason once with the nodes that gave it.
    pub fn words(&self) -> String {
        let mut hows: Vec<(&str, Vec<&str>)> = Vec::new();
        for Failed { node, how } in &self.failed {
            match hows.iter_mut().find(|(known, _)| known == how) {
                Some((_, nodes)) => nodes.push(node.short()),
                None => hows.push((how, vec![node.short()])),
            }
        }
        let each = hows.iter().map(|(how, nodes)| format!("{how} ({})", nodes.join(", ")));
        each.collect::<Vec<_>>().join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn booted(node: &str, failed: Option<&str>) -> Booted {
        Booted { node: node.into(), failed: failed.map(str::to_owned) }
    }

    #[test]
    fn five_in_a_row_stop_and_one_that_serves_starts_anew() {
        let mut boots = Boots::of(&"lt-1".into());
        let bad = |n: u32| booted(&format!("i-{n}"), Some("check: 7 of 8 GPUs"));
        boots.take(&[bad(1), bad(2), bad(3), bad(4)]);
        assert!(!boots.stop());
        // The same news twice.
        boots.take(&[bad(4)]);
        assert!(!boots.stop());
        boots.take(&[booted("i-5", Some("setup: took too long"))]);
        assert!(boots.stop());
        assert_eq!(
            boots.words(),
            "check: 7 of 8 GPUs (i-1, i-2, i-3, i-4); setup: took too long (i-5)"
        );
        boots.take(&[bad(6)]);
        assert_eq!(boots.failed.len(), 5);
        boots.take(&[booted("i-7", None), bad(8)]);
        assert_eq!(boots.failed.len(), 1);
    }
}
