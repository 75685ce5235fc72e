//! What to do once `init` has written a stack.

use std::collections::BTreeSet;

use crate::kinds::KindName;
use crate::stack::{Desired, Fleet};
use crate::wizard::Scene;

use super::args::Global;
use super::load;

/// Flags that every further command needs.
fn flags(global: &Global) -> String {
    let mut out = String::new();
    if let Some(dir) = &global.chdir {
        out.push_str(&format!(" -C {}", dir.display()));
    }
    match global.sandbox.as_deref() {
        Some("1" | "true") => out.push_str(" --sandbox"),
        Some(path) if load::sandbox(global).is_some() => {
            out.push_str(&format!(" --sandbox={path}"));
        }
        Some(_) | None => {}
    }
    if let Some(profile) = global.profile.as_ref().filter(|name| *name != "default") {
        out.push_str(&format!(" --profile {profile}"));
    }
    out
}

/// What decides on what is next.
#[derive(Debug, Default)]
pub struct Ends {
    /// A cluster follows its work.
    scaled: bool,
    /// Blocks whose data nobody could look at, which `destroy` does not delete.
    kept: BTreeSet<String>,
}

impl Ends {
    /// Of a stack.
    pub fn of(desired: &Desired) -> Self {
        // What holds data that nobody can look at; an empty bucket goes, whatever its block says.
        let opaque = [KindName::EfsFileSystem, KindName::LustreFileSystem, KindName::Volume];
        let kept = desired.specs.iter();
        let kept = kept.filter(|(_, spec)| opaque.contains(&spec.kind()) && spec.is_precious());
        Self {
            scaled: desired.fleets.values().any(Fleet::is_scaled),
            kept: kept.map(|(address, _)| address.owner().to_string()).collect(),
        }
    }

    /// What `destroy` does, and what it wants before.
    fn destroy(&self) -> String {
        if self.kept.is_empty() {
            return "take it away again".to_owned();
        }
        let blocks: Vec<&str> = self.kept.iter().map(String::as_str).collect();
        format!(
            "take it away again, once `precious = false` was applied to what keeps data: {}",
            blocks.join(", ")
        )
    }
}

/// The three next commands.
pub fn commands(global: &Global, scene: Scene<'_>, ends: &Ends) -> Vec<(String, String)> {
    let flags = flags(global);
    let next = |verb: &str, says: &str| (format!("mlinfra {verb}{flags}"), says.to_owned());
    let run = next("autoscale run", "launch nodes when work waits, end them when none does");
    let destroy = next("destroy", &ends.destroy());
    if scene.is_sandbox() {
        let nodes = next("nodes", "see what runs, and what it would cost");
        return vec![
            next("apply", "make it in the simulated region"),
            if ends.scaled { run } else { nodes },
            destroy,
        ];
    }
    if scene.account().is_none() {
        return vec![
            ("aws sso login".to_owned(), "sign in, or set keys".to_owned()),
            next("doctor", "whether rights, quotas and images are there"),
            next("plan", "what would be made, and what it costs"),
        ];
    }
    vec![
        next("doctor", "whether rights, quotas and images are there"),
        next("apply", "make it, after one more question"),
        if ends.scaled { run } else { destroy },
    ]
}
