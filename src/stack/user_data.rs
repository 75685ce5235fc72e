//! What a node runs at its first boot.

use crate::kinds::walk;
use crate::lang::{Evaluated, Value};
use crate::model::{Piece, Text};

use super::expansion::Expansion;
use super::mounts;

/// EC2's limit for user data, before base64
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html>).
const LONGEST: usize = 16_384;

/// The script: an environment file for jobs, then the author's own set-up.
pub(super) fn script(x: &mut Expansion<'_>, block: &Evaluated) -> Text {
    let mut head = String::from("#!/bin/bash\nset -euo pipefail\nmkdir -p /etc/mlinfra\n");
    head.push_str("cat > /etc/mlinfra/env <<'MLINFRA_ENV'\n");
    for (name, value) in environment(x, block) {
        head.push_str(&format!("{name}={value}\n"));
    }
    head.push_str("MLINFRA_ENV\n");
    let mut all = vec![Piece::Plain(head)];
    let table = pieces(mounts::table(x, block));
    if !table.is_empty() {
        let plain = |text: &str| Piece::Plain(text.to_owned());
        all.push(plain("cat > /etc/mlinfra/mounts <<'MLINFRA_MOUNTS'\n"));
        all.extend(table);
        all.push(plain("MLINFRA_MOUNTS\n"));
    }
    let Some(setup) = block.attr("setup") else { return walk::render(all, &|_| None) };
    all.push(Piece::Plain("set -a; . /etc/mlinfra/env; set +a\n".to_owned()));
    all.extend(setup.text().map(pieces).unwrap_or_default());
    let length = all.iter().map(length).sum::<usize>();
    let problem =
        format!("with it a node's user data is {length} bytes long, and EC2 takes {LONGEST}");
    let help = "put the long part into a bucket and fetch it from there";
    x.check(setup, (length > LONGEST).then_some(problem), help);
    walk::render(all, &|_| None)
}

fn pieces(text: Text) -> Vec<Piece> {
    match text {
        Text::Known(text) if text.is_empty() => Vec::new(),
        Text::Known(text) => vec![Piece::Plain(text)],
        Text::Deferred(pieces) => pieces,
    }
}

/// An id has at most 32 characters where it is not an ARN.
fn length(piece: &Piece) -> usize {
    match piece {
        Piece::Plain(text) => text.len(),
        Piece::Id(_) => 32,
        Piece::Encoded(_, inner) => inner.iter().map(length).sum(),
    }
}

impl Expansion<'_> {
    /// Tags of a cluster are readable on its nodes, which allows fewer characters in keys
    /// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/work-with-tags-in-IMDS.html>).
    pub(super) fn instance_tags(&mut self, block: &Evaluated) {
        let fine =
            |key: &str| key.chars().all(|c| c.is_ascii_alphanumeric() || "+-=.,_:@".contains(c));
        let problem = |key: &str| format!("tag {key:?} cannot stand on nodes");
        let help = "keys of tags that nodes read hold letters, digits and +-=.,_:@ only";
        let own = block.attr("tags").and_then(Value::as_map).into_iter().flatten();
        for (key, value) in own.filter(|(key, _)| !fine(key)) {
            self.check(value, Some(problem(key)), help);
        }
        let of_stack: Vec<String> =
            self.here.tags.keys().filter(|key| !fine(key)).cloned().collect();
        for key in of_stack {
            self.problem(block, format!("the stack's {}", problem(&key)), help);
        }
    }
}

/// Names that the node's environment file mentions.
fn environment(x: &Expansion<'_>, block: &Evaluated) -> Vec<(String, String)> {
    let mut out = vec![
        ("MLINFRA_STACK".to_owned(), x.here.stack.to_string()),
        ("AWS_REGION".to_owned(), x.here.home.region.to_string()),
    ];
    if let Some(address) = &block.address {
        // A shell reads this file: only this form has no quotes, spaces or dollars. And another
        // text would be another template, and other nodes: it stays when the cluster moves.
        let cluster = x.here.origin(&address.with_part("template")).owner();
        out.push(("MLINFRA_CLUSTER".to_owned(), cluster.to_tag()));
    }
    let queue = block.attr("queue").and_then(Value::block);
    if let Some(url) = queue.and_then(|queue| queue.exports.get("url")?.as_str()) {
        out.push(("MLINFRA_QUEUE_URL".to_owned(), url.to_owned()));
    }
    out
}
