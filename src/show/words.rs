//! The verbs of steps, in the tenses that a run needs, and spans of time.

use std::time::Duration;

use super::fold::count;
use crate::kinds::{Action, KindName, Spec};
use crate::model::{CloudId, Moment};

/// The sign in front of a step.
pub(super) fn mark(action: &Action) -> &'static str {
    match action {
        Action::Create { .. } | Action::Launch { .. } => "+",
        Action::Quarantine { .. } => "!",
        Action::Point { was, .. } if was.is_empty() => "+",
        Action::Update { .. } | Action::Point { .. } => "~",
        Action::Delete { .. } | Action::Terminate { .. } => "-",
        Action::Move { .. } => "->",
        Action::Adopt { .. } => "in",
        Action::Forget { .. } => "out",
    }
}

/// `creating VPC`, `deleting subnet subnet-1`, `launching 4 nodes`.
pub(super) fn doing(action: &Action) -> String {
    match action {
        Action::Create { spec, generation: _, named: _ } => {
            format!("creating {}", spec.kind().title())
        }
        Action::Update { id, was: _, spec, fields: _ } => format!("changing {}", named(spec, id)),
        Action::Delete { id, was, empty_first: _ } => format!("deleting {}", named(was, id)),
        Action::Launch { count, .. } => {
            format!("launching {}", nodes(usize::try_from(*count).unwrap_or(usize::MAX)))
        }
        Action::Quarantine { nodes: ids, .. } => format!("quarantining {}", nodes(ids.len())),
        Action::Terminate { nodes: ids, .. } => format!("terminating {}", nodes(ids.len())),
        Action::Point { name, .. } => format!("pointing {name} at its nodes"),
        Action::Move { kind, ids, from, tags: _ } => {
            format!("moving {} from {from}", several(*kind, ids))
        }
        Action::Adopt { id, spec } => format!("adopting {}", named(spec, id)),
        Action::Forget { id, was } => format!("forgetting {}", named(was, id)),
    }
}

/// `created vpc-1`, `deleted`, `launched 4 nodes`.
pub(super) fn done(action: &Action, ids: &[CloudId]) -> String {
    let shorts = || ids.iter().map(CloudId::short).collect::<Vec<_>>().join(", ");
    match action {
        Action::Create { .. } if ids.is_empty() => "created".to_owned(),
        Action::Create { .. } => format!("created {}", shorts()),
        Action::Update { .. } => "changed".to_owned(),
        Action::Delete { .. } => "deleted".to_owned(),
        Action::Launch { .. } if ids.is_empty() => "launched".to_owned(),
        Action::Launch { .. } => format!("launched {}: {}", nodes(ids.len()), shorts()),
        Action::Quarantine { nodes: ids, .. } => format!("quarantined {}", nodes(ids.len())),
        Action::Terminate { nodes: ids, .. } => format!("terminated {}", nodes(ids.len())),
        Action::Point { name, .. } => format!("{name} leads to them"),
        Action::Move { .. } => "moved".to_owned(),
        Action::Adopt { .. } => "adopted".to_owned(),
        Action::Forget { .. } => "forgotten".to_owned(),
    }
}

/// What a step is about: `VPC`, or `4 nodes`.
pub(super) fn what(action: &Action) -> String {
    match action {
        Action::Create { spec, generation: _, named: _ }
        | Action::Update { id: _, was: _, spec, fields: _ }
        | Action::Delete { id: _, was: spec, empty_first: _ }
        | Action::Adopt { id: _, spec }
        | Action::Forget { id: _, was: spec } => spec.kind().title().to_owned(),
        Action::Launch { count, .. } => nodes(usize::try_from(*count).unwrap_or(usize::MAX)),
        Action::Quarantine { nodes: ids, .. } | Action::Terminate { nodes: ids, .. } => {
            nodes(ids.len())
        }
        Action::Point { name, .. } => name.clone(),
        Action::Move { kind, ids, from: _, tags: _ } => several(*kind, ids),
    }
}

fn several(kind: KindName, ids: &[CloudId]) -> String {
    if kind == KindName::Node { nodes(ids.len()) } else { kind.title().to_owned() }
}

fn named(spec: &Spec, id: &CloudId) -> String {
    format!("{} {}", spec.kind().title(), id.short())
}

/// `1 node`, `4 nodes`.
pub(super) fn nodes(number: usize) -> String {
    count(number, "node", "nodes")
}

/// `45s`, `12m`, `5h`, `3d`: how old something is.
pub(super) fn age(since: Moment, now: Moment) -> String {
    let seconds = (now.since(since) / 1000).max(0);
    match seconds {
        ..=119 => format!("{seconds}s"),
        120..=7199 => format!("{}m", seconds / 60),
        7200..=172_799 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// Why nothing happens yet: an earlier run was cut off.
pub(super) fn settling(wait: Duration) -> String {
    format!(
        "an earlier run was cut off: waiting {}, until the cloud no longer shows what it has deleted",
        span(wait)
    )
}

/// `2.1s`, `45s`, `3m05s`, `1h02m`.
pub(super) fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..10 => format!("{:.1}s", time.as_secs_f64()),
        10..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3600.. => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_time() {
        let shown = |millis| span(Duration::from_millis(millis));
        assert_eq!(shown(40), "0.0s");
        assert_eq!(shown(2_140), "2.1s");
        assert_eq!(shown(45_900), "45s");
        assert_eq!(shown(185_000), "3m05s");
        assert_eq!(shown(3_725_000), "1h02m");
    }
}
