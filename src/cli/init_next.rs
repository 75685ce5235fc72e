//! What to do once `init` has written a stack.

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

/// The three next commands.
pub fn commands<'a>(global: &Global, scene: Scene<'_>) -> Vec<(String, &'a str)> {
    let flags = flags(global);
    let command = |verb: &str| format!("mlinfra {verb}{flags}");
    let scaled = !matches!(scene.get("engine"), "" | "none");
    let run = (command("autoscale run"), "launch nodes when work waits, end them when none does");
    if scene.is_sandbox() {
        let nodes = (command("nodes"), "see what runs, and what it would cost");
        return vec![
            (command("apply"), "make it in the simulated region"),
            if scaled { run } else { nodes },
            (command("destroy"), "take it away again"),
        ];
    }
    if scene.account().is_none() {
        return vec![
            ("aws sso login".to_owned(), "sign in, or set keys"),
            (command("doctor"), "whether rights, quotas and images are there"),
            (command("plan"), "what would be made, and what it costs"),
        ];
    }
    vec![
        (command("doctor"), "whether rights, quotas and images are there"),
        (command("apply"), "make it, after one more question"),
        if scaled { run } else { (command("destroy"), "take it away again") },
    ]
}
