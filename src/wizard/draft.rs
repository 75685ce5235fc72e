//! The files that are written.

/// A file before it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Its name in the stack's folder.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// What git must not see: the ledger holds ids and history, the simulated world is a toy.
const IGNORED: [&str; 2] = [".mlinfra/", ".mlinfra-sandbox/"];

/// A `.gitignore` with what is missing in it; none where nothing is.
pub fn gitignore(existing: Option<&str>) -> Option<Draft> {
    let text = existing.unwrap_or_default();
    let has = |wanted: &str| text.lines().any(|line| line.trim().trim_start_matches('/') == wanted);
    let missing: Vec<&str> = IGNORED.into_iter().filter(|wanted| !has(wanted)).collect();
    if missing.is_empty() {
        return None;
    }
    let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    let text =
        format!("{text}{gap}# What mlinfra keeps beside the stack.\n{}\n", missing.join("\n"));
    Some(Draft { name: ".gitignore".to_owned(), text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ignored_already_is_not_written_twice() {
        let text = gitignore(None).expect("a file").text;
        assert_eq!(text, "# What mlinfra keeps beside the stack.\n.mlinfra/\n.mlinfra-sandbox/\n");
        assert_eq!(gitignore(Some(&text)), None);
        let more = gitignore(Some("target\n/.mlinfra/")).expect("a file").text;
        let wanted =
            "target\n/.mlinfra/\n# What mlinfra keeps beside the stack.\n.mlinfra-sandbox/\n";
        assert_eq!(more, wanted);
    }
}
