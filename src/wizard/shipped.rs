//! The stacks that every binary carries: what stands in `stacks/`.

/// A stack that one can start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shipped {
    /// Its folder's name.
    pub name: &'static str,
    /// Its files by name, without the page about it.
    pub files: &'static [(&'static str, &'static str)],
}

/// All of them. A test holds this table to the folder.
pub const SHIPPED: &[Shipped] = &[
    Shipped {
        name: "gpu-cluster",
        files: &[("main.hcl", include_str!("../../stacks/gpu-cluster/main.hcl"))],
    },
    Shipped {
        name: "llm-pretrain",
        files: &[("main.hcl", include_str!("../../stacks/llm-pretrain/main.hcl"))],
    },
    Shipped {
        name: "notebook",
        files: &[("main.hcl", include_str!("../../stacks/notebook/main.hcl"))],
    },
    Shipped {
        name: "spot-sweep",
        files: &[("main.hcl", include_str!("../../stacks/spot-sweep/main.hcl"))],
    },
];

impl Shipped {
    /// The one of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        SHIPPED.iter().find(|stack| stack.name == name)
    }

    /// What it says of itself in its first line.
    pub fn says(&self) -> String {
        let text = self.files.first().map(|(_, text)| *text).unwrap_or_default();
        let lines = text.lines().map_while(|line| line.strip_prefix('#'));
        let words: Vec<&str> = lines.map(str::trim).take_while(|line| !line.is_empty()).collect();
        let words = words.join(" ");
        let end = words.find([':', '.']).unwrap_or(words.len());
        words[..end].to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    use super::*;

    fn collect(root: &Path, folder: &str, out: &mut BTreeMap<String, String>) {
        for entry in std::fs::read_dir(root.join(folder)).expect("a folder").flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            if entry.path().is_dir() {
                collect(root, &path, out);
            } else if !path.ends_with(".md") {
                out.insert(path, std::fs::read_to_string(entry.path()).expect("text"));
            }
        }
    }

    #[test]
    fn every_stack_of_the_folder_is_carried_whole() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("stacks");
        let folders = std::fs::read_dir(&root).expect("stacks/").flatten();
        let names: BTreeSet<String> = folders
            .filter(|entry| entry.path().is_dir())
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        let carried: BTreeSet<String> = SHIPPED.iter().map(|it| it.name.to_owned()).collect();
        assert_eq!(carried, names, "src/wizard/shipped.rs has a row for each folder of stacks/");
        for stack in SHIPPED {
            let mut there = BTreeMap::new();
            collect(&root.join(stack.name), "", &mut there);
            let here: BTreeMap<String, String> =
                stack.files.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect();
            assert_eq!(here, there, "{}", stack.name);
            assert!(!stack.says().is_empty(), "{}: its first line says what it is", stack.name);
        }
    }
}
