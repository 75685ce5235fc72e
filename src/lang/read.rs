//! Reading files for `file()` and its like: inside the stack's folder and nowhere else.

use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::limits;
use super::lock::LOCK_FILE;

/// Reads a file that the configuration names. What is returned as an error is shown as it is.
pub trait ReadFile: Sync {
    /// The bytes of a file, by its path from the stack's folder.
    fn read(&self, path: &str) -> Result<Vec<u8>, String>;

    /// The names of the configuration files in a folder, sorted.
    fn list(&self, folder: &str) -> Result<Vec<String>, String>;

    /// The name of a file as people find it from where they are.
    fn shown(&self, path: &str) -> String {
        path.to_owned()
    }
}

/// Files with this ending hold values of variables, for `--var-file`.
const VAR_FILES: &str = ".vars.hcl";

/// True for the name of a file that holds configuration.
pub fn is_config(name: &str) -> bool {
    name.ends_with(".hcl") && !name.ends_with(VAR_FILES) && name != LOCK_FILE
}

/// The stack's folder. Nothing outside of it can be read, whatever the path says and wherever
/// symbolic links lead: a configuration under review must not be able to show the reviewer's keys.
#[derive(Debug)]
pub struct Folder {
    dir: Dir,
    shown: PathBuf,
}

impl Folder {
    /// Opens a folder.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        let dir = Dir::open_ambient_dir(path, ambient_authority())?;
        Ok(Self { dir, shown: path.strip_prefix("./").unwrap_or(path).to_owned() })
    }
}

impl ReadFile for Folder {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let wanted = Path::new(path);
        if path.is_empty() {
            return Err("the path is empty".to_owned());
        }
        if wanted.is_absolute() || path.starts_with('~') || path.starts_with('\\') {
            return Err(format!(
                "{path:?} is not a path in the stack's folder; only files there can be read"
            ));
        }
        if outside(wanted) {
            return Err(format!("{path:?} leads out of the stack's folder"));
        }
        let file = self.dir.open(wanted).map_err(|error| explain(path, &error))?;
        let about = file.metadata().map_err(|error| explain(path, &error))?;
        if about.is_dir() {
            return Err(format!("{path:?} is a folder"));
        }
        if !about.is_file() {
            return Err(format!("{path:?} is not a regular file"));
        }
        let most = u64::try_from(limits::READ_BYTES).unwrap_or(u64::MAX);
        let mut bytes = Vec::new();
        file.take(most + 1).read_to_end(&mut bytes).map_err(|error| explain(path, &error))?;
        if bytes.len() > limits::READ_BYTES {
            return Err(format!("{path:?} is larger than 4 MiB"));
        }
        Ok(bytes)
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, String> {
        let error = |error: &std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                format!("there is no folder {folder:?} in the stack's folder")
            }
            std::io::ErrorKind::NotADirectory => format!("{folder:?} is no folder"),
            _ => explain(folder, error),
        };
        let mut names = Vec::new();
        for entry in self.dir.read_dir(folder).map_err(|found| error(&found))? {
            let entry = entry.map_err(|found| error(&found))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_config(&name) && !folder {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    fn shown(&self, path: &str) -> String {
        let path = self.shown.join(path);
        path.strip_prefix("./").unwrap_or(&path).display().to_string()
    }
}

/// True when `..` leads above the folder at any point of the path.
fn outside(path: &Path) -> bool {
    let mut depth = 0_i64;
    for part in path.components() {
        match part {
            Component::ParentDir => depth -= 1,
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return true,
        }
        if depth < 0 {
            return true;
        }
    }
    false
}

fn explain(path: &str, error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => format!("there is no file {path:?} in the stack's folder"),
        // cap-std refuses links that leave the folder with this kind.
        std::io::ErrorKind::PermissionDenied => {
            format!("{path:?} may not be read, or leads out of the stack's folder by a link")
        }
        _ => format!("{path:?} cannot be read: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_in_the_folder_are_read() {
        let outer = tempfile::tempdir().expect("a folder");
        std::fs::write(outer.path().join("secret"), "x").expect("written");
        let root = outer.path().join("stack");
        std::fs::create_dir_all(root.join("sub")).expect("made");
        std::fs::write(root.join("sub/a.txt"), "hello").expect("written");
        std::fs::write(root.join("big"), vec![0_u8; limits::READ_BYTES + 1]).expect("written");
        let folder = Folder::open(&root).expect("opened");
        assert_eq!(folder.read("sub/a.txt"), Ok(b"hello".to_vec()));
        assert_eq!(folder.read("./sub/../sub/a.txt"), Ok(b"hello".to_vec()));
        let error = |path: &str| folder.read(path).expect_err(path);
        assert!(error("../secret").contains("leads out"), "{}", error("../secret"));
        assert!(error("sub/../../secret").contains("leads out"));
        assert!(error("/etc/passwd").contains("not a path in the stack's folder"));
        assert!(error("~/.aws/credentials").contains("not a path"));
        assert!(error("nope").contains("there is no file"));
        assert!(error("sub").contains("is a folder"));
        assert!(error("big").contains("4 MiB"));
        assert!(error("").contains("empty"));
        std::fs::write(root.join("sub/z.hcl"), "").expect("written");
        std::fs::write(root.join("sub/b.hcl"), "").expect("written");
        std::fs::write(root.join("sub/prod.vars.hcl"), "").expect("written");
        std::fs::create_dir_all(root.join("sub/c.hcl")).expect("made");
        assert_eq!(folder.list("sub"), Ok(vec!["b.hcl".to_owned(), "z.hcl".to_owned()]));
        let error = |path: &str| folder.list(path).expect_err(path);
        assert!(error("nope").contains("there is no folder"));
        assert!(error("big").contains("is no folder"), "{}", error("big"));
        assert!(!error("../stack").is_empty() && !error("/etc").is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn links_out_of_the_folder_are_refused() {
        let outer = tempfile::tempdir().expect("a folder");
        std::fs::write(outer.path().join("secret"), "x").expect("written");
        let root = outer.path().join("stack");
        std::fs::create_dir_all(&root).expect("made");
        std::os::unix::fs::symlink("../secret", root.join("relative")).expect("linked");
        std::os::unix::fs::symlink(outer.path().join("secret"), root.join("absolute"))
            .expect("linked");
        std::os::unix::fs::symlink("..", root.join("up")).expect("linked");
        let folder = Folder::open(&root).expect("opened");
        for path in ["relative", "absolute", "up/secret"] {
            let error = folder.read(path).expect_err(path);
            assert!(error.contains("leads out") || error.contains("cannot be read"), "{error}");
        }
    }
}
