//! The files of `init`: what is there, what is kept of answers, what is written.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use crate::wizard::{self, Answers, Draft};

use super::halt::Halt;
use super::load;

/// Where answers are kept until the end, beside the stack.
const KEPT: &str = ".mlinfra/init.hcl";

/// Files of a folder that drafts would replace; a stack in other files is a problem.
pub fn existing(dir: &Path, names: &[String]) -> Result<Vec<String>, Halt> {
    if !dir.exists() {
        return Ok(Vec::new());
    }
    let strangers: Vec<String> = load::files(dir)?
        .iter()
        .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .filter(|name| !names.contains(name))
        .collect();
    if !strangers.is_empty() {
        let text = format!("there is configuration here already: {}", strangers.join(", "));
        let help = "files of one folder are one stack; write the new one elsewhere: mlinfra init \
                    -C NEW";
        return Err(Halt::one("I004", text, help));
    }
    Ok(names.iter().filter(|name| dir.join(name).exists()).cloned().collect())
}

/// Why nothing is written where nobody can be asked.
pub fn taken(existing: &[String]) -> Halt {
    let text = format!("these files are here already: {}", existing.join(", "));
    let help = "--force replaces them; mlinfra init -C NEW writes into another folder. A stack \
                that is here needs no init: mlinfra plan";
    Halt::one("I004", text, help)
}

/// What was answered when an earlier run was left; none that could be read.
pub fn kept(dir: &Path) -> Option<Answers> {
    let text = fs::read_to_string(dir.join(KEPT)).ok()?;
    wizard::parse(KEPT, &text).ok().filter(|answers| !answers.is_empty())
}

/// Keeps answers. Who cannot write there loses them, and nothing else.
pub fn keep(dir: &Path, answers: &Answers) {
    let path = dir.join(KEPT);
    let Some(folder) = path.parent() else { return };
    if fs::create_dir_all(folder).is_ok() {
        drop(replace(&path, &wizard::keep(answers)));
    }
}

/// Whether there are any, for the last word.
pub fn is_kept(dir: &Path) -> bool {
    dir.join(KEPT).exists()
}

/// Forgets them. The folder goes, too, when nothing else is in it.
pub fn forget(dir: &Path) {
    let path = dir.join(KEPT);
    drop(fs::remove_file(&path));
    if let Some(folder) = path.parent() {
        drop(fs::remove_dir(folder));
    }
}

/// A `.gitignore` with what is missing in the one that is there.
pub fn gitignore(dir: &Path) -> Option<Draft> {
    match fs::read_to_string(dir.join(".gitignore")) {
        Ok(text) => wizard::gitignore(Some(&text)),
        Err(error) if error.kind() == ErrorKind::NotFound => wizard::gitignore(None),
        // What cannot be read is not replaced.
        Err(_) => None,
    }
}

/// Writes all files or, when one cannot be written, none. What came to be there since the
/// answers were given is not replaced unless that was said.
pub fn write(dir: &Path, drafts: &[Draft], replaced: &[String]) -> Result<(), Halt> {
    let bad = |path: &Path, error: &std::io::Error| {
        let text = format!("{} cannot be written: {error}", path.display());
        Halt::one("I006", text, "nothing was written; give yourself the right to, or use -C DIR")
    };
    fs::create_dir_all(dir).map_err(|error| bad(dir, &error))?;
    let mut ready: Vec<(NamedTempFile, PathBuf, bool)> = Vec::new();
    for Draft { name, text } in drafts {
        let path = dir.join(name);
        let folder = path.parent().unwrap_or(dir);
        let temp = fs::create_dir_all(folder).and_then(|()| temporary(folder, text));
        let over = name == ".gitignore" || replaced.contains(name);
        if !over && path.exists() {
            return Err(taken(std::slice::from_ref(name)));
        }
        ready.push((temp.map_err(|error| bad(&path, &error))?, path, over));
    }
    for (temp, path, over) in ready {
        let done = if over { temp.persist(&path) } else { temp.persist_noclobber(&path) };
        done.map_err(|error| bad(&path, &error.error))?;
    }
    Ok(())
}

fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    temporary(folder, text)?.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// A file beside where it will be, readable like any other, with its text on disk.
fn temporary(folder: &Path, text: &str) -> std::io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    builder.prefix(".init-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(fs::Permissions::from_mode(0o644));
    }
    let mut temp = builder.tempfile_in(folder)?;
    temp.write_all(text.as_bytes())?;
    temp.as_file().sync_all()?;
    Ok(temp)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(name: &str, text: &str) -> Draft {
        Draft { name: name.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn nothing_is_replaced_that_nobody_spoke_of() {
        let dir = tempfile::tempdir().expect("a folder");
        let at = |name: &str| dir.path().join(name);
        fs::write(at("variables.hcl"), "mine").expect("a file");
        let drafts = [draft("main.hcl", "a"), draft("variables.hcl", "b")];
        let halt = write(dir.path(), &drafts, &[]).expect_err("it is there");
        assert_eq!(halt.problems[0].summary, "these files are here already: variables.hcl");
        assert!(!at("main.hcl").exists(), "all or none");
        write(dir.path(), &drafts, &["variables.hcl".to_owned()]).expect("written");
        assert_eq!(fs::read_to_string(at("variables.hcl")).expect("text"), "b");
        assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 2, "nothing is left over");
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("file");
        fs::write(&file, "").expect("a file");
        let halt = write(&file.join("stack"), &[draft("main.hcl", "a")], &[]).expect_err("no");
        assert_eq!(halt.problems[0].code, "I006");
    }

    #[test]
    fn a_stack_in_other_files_is_left_alone() {
        let dir = tempfile::tempdir().expect("a folder");
        let names = ["main.hcl".to_owned()];
        assert_eq!(existing(dir.path(), &names).expect("none"), Vec::<String>::new());
        assert!(existing(&dir.path().join("new"), &names).expect("none").is_empty());
        fs::write(dir.path().join("main.hcl"), "").expect("a file");
        assert_eq!(existing(dir.path(), &names).expect("one"), names);
        fs::write(dir.path().join("other.hcl"), "").expect("a file");
        let halt = existing(dir.path(), &names).expect_err("two stacks");
        assert_eq!(halt.problems[0].summary, "there is configuration here already: other.hcl");
    }

    #[test]
    fn answers_are_kept_and_forgotten() {
        let dir = tempfile::tempdir().expect("a folder");
        assert_eq!(kept(dir.path()), None);
        let answers = Answers::from([("gpu".to_owned(), "H100".to_owned())]);
        keep(dir.path(), &answers);
        assert_eq!(kept(dir.path()), Some(answers));
        forget(dir.path());
        assert!(!dir.path().join(".mlinfra").exists());
        fs::create_dir(dir.path().join(".mlinfra")).expect("a folder");
        fs::write(dir.path().join(KEPT), "gpu = [").expect("a file");
        assert_eq!(kept(dir.path()), None, "what cannot be read is nothing");
    }
}
