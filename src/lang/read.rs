//! Reading files for `file()` and its like: inside the stack's folder and nowhere else.

use std::io::Read as _;
use std::path::{Component, Path};

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::limits;

/// Reads a file that the configuration names. What is returned as an error is shown as it is.
pub trait ReadFile: Sync {
    /// The bytes of a file, by its path from the stack's folder.
    fn read(&self, path: &str) -> Result<Vec<u8>, String>;
}

/// The stack's folder. Nothing outside of it can be read, whatever the path says and wherever
/// symbolic links lead: a configuration under review must not be able to show the reviewer's keys.
#[derive(Debug)]
pub struct Folder {
    dir: Dir,
}

impl Folder {
    /// Opens a folder.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        Ok(Self { dir: Dir::open_ambient_dir(path, ambient_authority())? })
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
