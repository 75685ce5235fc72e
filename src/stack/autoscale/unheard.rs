//! Clusters that are resized, whose nodes have no agent: what that means for their nodes is said
//! before anything is applied.

use crate::lang::{Evaluated, Loaded, Value};
use crate::model::Problem;

use super::SCHEMA;
use super::source::{kind_of, tells_running};
use super::sources::Kind;

/// One warning for each cluster that is written so.
pub fn check(loaded: &Loaded) -> Vec<Problem> {
    let mut found: Vec<Problem> = Vec::new();
    for block in &loaded.blocks {
        let Some(problem) = problem(block) else { continue };
        // Of those that `for_each` makes of one block, the first.
        if !found.iter().any(|it| it.labels == problem.labels) {
            found.push(problem);
        }
    }
    found
}

fn problem(cluster: &Evaluated) -> Option<Problem> {
    if cluster.word != "cluster" || cluster.nested("agent").next().is_some() {
        return None;
    }
    let scaled = cluster.nested(SCHEMA.word).next()?;
    let nodes = cluster.attr("nodes").filter(|nodes| nodes.as_map().is_some())?;
    let bound = |name: &str| nodes.get(name).and_then(Value::as_u64);
    // It never has another number of nodes.
    if bound("max").is_some_and(|max| bound("min") == Some(max)) {
        return None;
    }
    let address = cluster.address.as_ref()?;
    let label = |kind: &Kind| kind.schema.word.rsplit(' ').next().unwrap_or_default();
    let sources: Vec<(&str, bool)> = scaled
        .blocks
        .iter()
        .filter_map(|it| kind_of(it).map(|kind| (label(kind), tells_running(it, kind))))
        .collect();
    let silent = sources.iter().filter(|(_, tells)| !tells);
    let silent: Vec<String> = silent.map(|(kind, _)| format!("source \"{kind}\"")).collect();
    let messages = sources.is_empty()
        || scaled.attr("queue").is_some()
        || sources.iter().any(|(kind, _)| *kind == "sqs");
    let (text, detail) = match silent.as_slice() {
        [] => (
            "its nodes go only while nothing at all waits or runs",
            "Nobody says which of them work, so one job that waits or runs keeps all of them.",
        ),
        [_, ..] => (
            "its nodes never go by themselves",
            "Nobody says which of them work, and its sources do not say what runs.",
        ),
    };
    let detail = match (silent.as_slice(), messages) {
        ([], true) => format!(
            "{detail}\nA message counts as running until its worker deletes it: whoever does that \
             before\nthe job is done leaves its node to be ended."
        ),
        ([], false) => detail.to_owned(),
        ([_, ..], _) => format!("{detail}\nSilent about that: {}.", silent.join(", ")),
    };
    let help = match silent.as_slice() {
        [] => "write an `agent`, and start jobs with `mlinfra node run` (docs/clusters.md)",
        [_, ..] => {
            "write an `agent`, and start jobs with `mlinfra node run` (docs/clusters.md);\n\
             or, where the source does say what runs, tells_running = true"
        }
    };
    let text = format!("{address} has no `agent`: {text}");
    Some(Problem::warning("S007", text).detail(detail).help(help).at(&scaled.span, ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::{self, File, Vars};
    use crate::stack::Words;

    /// What is said of a cluster whose `autoscale` block, and what stands beside it, is that.
    fn told(autoscale: &str, beside: &str) -> Vec<(String, String)> {
        let text = format!(
            "stack \"s\" {{\n  region = \"us-east-1\"\n}}\nnetwork \"n\" {{}}\nqueue \"q\" {{}}\n\
             cluster \"c\" {{\n  network = network.n\n  instance_type = \"g5.xlarge\"\n  {beside}\n  \
             autoscale {{\n    {autoscale}\n  }}\n}}\n"
        );
        let file = File { name: "main.hcl".to_owned(), text };
        let loaded = lang::load(&[file], &Vars::new(), &Words::default(), None);
        assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
        let said = |it: Problem| (it.summary, it.detail);
        check(&loaded).into_iter().map(said).collect()
    }

    #[test]
    fn what_no_agent_says_is_told_before_the_first_node_comes() {
        const RANGE: &str = "nodes = { min = 0, max = 4 }";
        const NEVER: &str = "cluster.c has no `agent`: its nodes never go by themselves";
        const ONLY: &str =
            "cluster.c has no `agent`: its nodes go only while nothing at all waits or runs";
        let program = "source \"program\" {\n command = [\"./depth\"]\n}";
        let list = "source \"redis\" {\n url = \"redis://localhost\"\n list = \"jobs\"\n}";
        let one = |autoscale: &str| match &told(autoscale, RANGE)[..] {
            [(text, detail)] => (text.clone(), detail.clone()),
            other => panic!("{autoscale}: {other:?}"),
        };
        for autoscale in [
            "queue = queue.q".to_owned(),
            "source \"slurm\" {}".to_owned(),
            program.replace("\n}", "\n tells_running = true\n}"),
            list.replace("\n}", "\n running = \"taken\"\n}"),
        ] {
            let (text, detail) = one(&autoscale);
            assert_eq!(text, ONLY, "{autoscale}");
            assert_eq!(detail.contains("deletes"), autoscale.starts_with("queue"), "{detail}");
        }
        for autoscale in [program.to_owned(), list.to_owned(), format!("queue = queue.q\n{list}")] {
            assert_eq!(one(&autoscale).0, NEVER, "{autoscale}");
        }
        assert!(one(list).1.ends_with("Silent about that: source \"redis\"."));
        let agent = format!(
            "{RANGE}\n agent {{\n url = \"https://example.com/m\"\n sha256 = \"{}\"\n }}",
            "0".repeat(64)
        );
        assert_eq!(told(list, &agent), [], "an agent says it");
        assert_eq!(told(list, "nodes = { min = 2, max = 2 }"), [], "none of them ever goes");
    }
}
