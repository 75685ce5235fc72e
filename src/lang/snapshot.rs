//! A configuration as it was read: enough to evaluate it again without its folder, for
//! saved plans and for going back to an earlier apply.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::read::{ReadFile, is_config};
use super::vars::{VarData, Vars};
use super::{File, Loaded, Value, from_json};

/// A configuration as it was read. Values of sensitive variables are not in it: whoever
/// uses it again gives them again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// Configuration files by their path from the stack's folder.
    pub files: BTreeMap<String, String>,
    /// What `file()` and its like read, by path, as base64.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reads: BTreeMap<String, String>,
    /// The values that were given for variables.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, Given>,
    /// Sensitive variables for which a value was given.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub withheld: BTreeSet<String>,
    /// The lock file, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<String>,
    /// The environment, when one was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
}

/// A value that was given for a variable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Given {
    /// As text: from a command line or the environment.
    Text(String),
    /// As a value: from a file.
    Value(serde_json::Value),
}

impl Snapshot {
    /// What was read and given for a configuration.
    pub fn of(files: &[File], reads: &Recorder<'_>, vars: &Vars, loaded: &Loaded) -> Self {
        let mut out = Self {
            files: files.iter().map(|file| (file.name.clone(), file.text.clone())).collect(),
            reads: reads.taken(),
            env: vars.env().map(str::to_owned),
            ..Self::default()
        };
        for variable in &loaded.variables {
            let Some(input) = vars.get(&variable.name) else { continue };
            if variable.value.holds_sensitive() {
                out.withheld.insert(variable.name.clone());
                continue;
            }
            let given = match &input.data {
                VarData::Text(text) => Given::Text(text.clone()),
                VarData::Value(value) => Given::Value(value.to_json()),
            };
            out.values.insert(variable.name.clone(), given);
        }
        out
    }

    /// The configuration files.
    pub fn files(&self) -> Vec<File> {
        let files = self.files.iter();
        files.map(|(name, text)| File { name: name.clone(), text: text.clone() }).collect()
    }

    /// The values, with `from` as the word for where they came from.
    pub fn vars(&self, from: &str) -> Result<Vars, String> {
        let mut vars = Vars::new();
        if let Some(env) = &self.env {
            vars.set_env(env);
        }
        for (name, given) in &self.values {
            match given {
                Given::Text(text) => vars.set_text(name, text, from),
                Given::Value(json) => vars.set_value(name, from_json(json)?, from),
            }
        }
        Ok(vars)
    }

    /// Its checksum: two configurations with the same one want the same.
    pub fn digest(&self) -> String {
        // A struct of ordered maps: serde cannot fail on it, and writes it one way only.
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl ReadFile for Snapshot {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let text = self.reads.get(path).ok_or_else(|| {
            format!("{path:?} was not read when this configuration was written down")
        })?;
        STANDARD.decode(text).map_err(|_| format!("{path:?} is damaged in what was written down"))
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, String> {
        // Every configuration file of a folder that was listed was read, too.
        let inside = |path: &String| {
            let name = path.strip_prefix(folder)?.strip_prefix('/')?;
            (!name.contains('/') && is_config(name)).then(|| name.to_owned())
        };
        Ok(self.reads.keys().filter_map(inside).collect())
    }
}

/// Passes reads on and remembers what they gave.
pub struct Recorder<'a> {
    inner: Option<&'a dyn ReadFile>,
    taken: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl<'a> Recorder<'a> {
    /// Remembers what `inner` reads; without one nothing can be read.
    pub fn new(inner: Option<&'a dyn ReadFile>) -> Self {
        Self { inner, taken: Mutex::default() }
    }

    fn taken(&self) -> BTreeMap<String, String> {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.iter().map(|(path, bytes)| (path.clone(), STANDARD.encode(bytes))).collect()
    }
}

impl ReadFile for Recorder<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let inner = self.inner.ok_or_else(|| "the stack's folder cannot be read".to_owned())?;
        let bytes = inner.read(path)?;
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.insert(path.to_owned(), bytes.clone());
        Ok(bytes)
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, String> {
        let inner = self.inner.ok_or_else(|| "the stack's folder cannot be read".to_owned())?;
        inner.list(folder)
    }

    fn shown(&self, path: &str) -> String {
        self.inner.map_or_else(|| path.to_owned(), |inner| inner.shown(path))
    }
}

/// A variable and its value.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value; marked when it is sensitive.
    pub value: Value,
}

#[cfg(test)]
mod tests {
    use super::super::testing::load_text;
    use super::*;

    const TEXT: &str = "stack \"s\" {\n  region = \"us-east-1\"\n}\n\
        variable \"plain\" {}\n\
        variable \"list\" {\n  type = list(number)\n}\n\
        variable \"secret\" {\n  sensitive = true\n}\n";

    fn given() -> Vars {
        let mut vars = Vars::new();
        vars.set_text("plain", "7", "--var");
        vars.set_value("list", from_json(&serde_json::json!([1, 2.5])).expect("a value"), "file");
        vars.set_text("secret", "hunter2", "--var");
        vars.set_text("else", "x", "MLINFRA_VAR_else");
        vars
    }

    fn taken() -> Snapshot {
        let loaded = load_text(TEXT, &given());
        assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
        let files = [File { name: "main.hcl".to_owned(), text: TEXT.to_owned() }];
        Snapshot::of(&files, &Recorder::new(None), &given(), &loaded)
    }

    #[test]
    fn what_was_given_comes_back_and_secrets_do_not() {
        let snapshot = taken();
        let text = serde_json::to_string(&snapshot).expect("JSON");
        assert!(!text.contains("hunter2"), "{text}");
        assert_eq!(snapshot.withheld, BTreeSet::from(["secret".to_owned()]));
        assert!(!snapshot.values.contains_key("else"), "nobody declares it");
        let back: Snapshot = serde_json::from_str(&text).expect("a snapshot");
        assert_eq!(back, snapshot);
        let mut vars = back.vars("the snapshot").expect("values");
        vars.set_text("secret", "hunter2", "--var");
        let again = load_text(&back.files()[0].text, &vars);
        assert!(again.problems.is_empty(), "{:?}", again.problems);
        let values: Vec<_> = again.variables.iter().map(|v| v.value.describe()).collect();
        assert_eq!(values, ["\"7\"", "[1, 2.5]", "(sensitive)"]);
    }

    #[test]
    fn another_value_is_another_digest() {
        let (one, mut other) = (taken(), taken());
        assert_eq!(one.digest(), other.digest());
        other.values.insert("plain".to_owned(), Given::Text("8".to_owned()));
        assert_ne!(one.digest(), other.digest());
    }

    #[test]
    fn reads_are_remembered() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("a"), b"\xff\x00").expect("written");
        let inner = super::super::Folder::open(folder.path()).expect("opened");
        let recorder = Recorder::new(Some(&inner));
        assert_eq!(recorder.read("a"), Ok(vec![255, 0]));
        let snapshot = Snapshot { reads: recorder.taken(), ..Snapshot::default() };
        assert_eq!(snapshot.read("a"), Ok(vec![255, 0]));
        assert!(snapshot.read("b").expect_err("never read").contains("was not read"));
    }
}
