//! From a folder to a configuration.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cloud::Facts;
use crate::lang::{self, File, Folder, LOCK_FILE, Loaded, Lock, Recorder, Snapshot, Vars};
use crate::model::{AccountId, Problem, Region, Severity};
use crate::stack::{self, Config, Origins, Words};

use super::args::{Global, VarArgs};
use super::environment;
use super::halt::Halt;
use super::machine::env;

/// The simulated world's folder, beside the stack.
const SANDBOX: &str = ".mlinfra-sandbox";

/// A configuration without problems.
pub struct Stack {
    /// Its folder.
    pub dir: PathBuf,
    /// Its blocks.
    pub loaded: Loaded,
    /// Its `stack` block.
    pub config: Config,
    /// All that it was made of, to be written down.
    pub snapshot: Snapshot,
    /// Warnings.
    pub warnings: Vec<Problem>,
    /// The images that are pinned.
    pub lock: Lock,
    texts: Vec<File>,
    vars: Vars,
    facts: Option<Arc<Facts>>,
}

impl Stack {
    /// The same configuration, now that it is known what was looked up.
    pub fn informed(self, facts: Facts) -> Result<Self, Halt> {
        let facts = Some(Arc::new(facts));
        let account = facts.as_ref().map(|facts| facts.home.account.clone());
        let words = Words { account, facts: facts.clone(), ..Words::default() };
        let mut loaded = lang::load(&self.texts, &self.vars, &words, Some(&self.snapshot));
        if loaded.problems.is_empty() {
            loaded.problems = stack::check(&loaded);
        }
        match stack::config(&loaded) {
            Some(config) if loaded.problems.iter().all(|one| one.severity != Severity::Error) => {
                let warnings = loaded.problems.clone();
                Ok(Self { loaded, config, warnings, facts, ..self })
            }
            Some(_) | None => Err(Halt::of(loaded.problems.clone(), &loaded.sources)),
        }
    }

    /// Whether anything in it is looked up.
    pub fn looks_up(&self) -> bool {
        self.loaded.blocks.iter().any(|block| block.word.starts_with("lookup "))
    }

    /// The same configuration with names computed as what lives is named.
    pub fn renamed(&self, account: &AccountId, origins: &Arc<Origins>) -> Loaded {
        let (origins, facts) = (Arc::clone(origins), self.facts.clone());
        let words = Words { account: Some(account.clone()), origins, facts };
        lang::load(&self.texts, &self.vars, &words, Some(&self.snapshot))
    }
}

/// The folder to work in.
pub fn folder(global: &Global) -> PathBuf {
    global.chdir.clone().unwrap_or_else(|| PathBuf::from("."))
}

/// The folder of the simulated world, when one is wanted.
pub fn sandbox(global: &Global) -> Option<PathBuf> {
    match global.sandbox.as_deref() {
        None | Some("" | "0" | "false") => None,
        Some("1" | "true") => Some(folder(global).join(SANDBOX)),
        Some(path) => Some(PathBuf::from(path)),
    }
}

/// Whether it is the simulated region, and its clock jumps to whatever is waited for: it does
/// unless MLINFRA_SANDBOX_CLOCK=real.
pub fn hurries(global: &Global) -> bool {
    sandbox(global).is_some() && env("MLINFRA_SANDBOX_CLOCK").as_deref() != Some("real")
}

/// Reads a text file, with the problems that people have.
pub fn read(path: &Path) -> Result<String, Halt> {
    let name = path.display();
    let bytes = bytes(path)?;
    String::from_utf8(bytes).map_err(|error| {
        let head = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = head.split(|byte| *byte == b'\n').count();
        let help = "save it as UTF-8";
        Halt::one("F002", format!("{name} is not UTF-8, from line {line} on"), help)
    })
}

/// Reads a file, with the problems that people have.
pub fn bytes(path: &Path) -> Result<Vec<u8>, Halt> {
    fs::read(path).map_err(|error| unread("file", path, &error, "check the path"))
}

/// Why something cannot be read, without the operating system's numbers where all is clear.
fn unread(kind: &str, path: &Path, error: &std::io::Error, absent: &str) -> Halt {
    let name = path.display();
    let (text, help) = match error.kind() {
        ErrorKind::NotFound => (format!("there is no {kind} {name}"), absent),
        ErrorKind::NotADirectory => (format!("{name} is no folder"), absent),
        ErrorKind::IsADirectory => (format!("{name} is a folder"), absent),
        ErrorKind::PermissionDenied => {
            (format!("{name} may not be read"), "ask its owner for the right to read it")
        }
        _ => (format!("cannot read {name}: {error}"), ""),
    };
    Halt::one("F001", text, help)
}

/// The configuration files of a folder, in the order of their names.
pub fn files(dir: &Path) -> Result<Vec<PathBuf>, Halt> {
    let entries = fs::read_dir(dir)
        .map_err(|error| unread("folder", dir, &error, "name the stack's folder with -C"))?;
    let is_config = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        name.is_some_and(|name| lang::is_config(&name)) && path.is_file()
    };
    let mut files: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(is_config).collect();
    files.sort();
    Ok(files)
}

/// Values of variables, the strongest last: the process's environment, the stack's
/// environment, files, flags.
fn variables(dir: &Path, env: Option<&str>, args: &VarArgs) -> Result<Vars, Halt> {
    let mut vars = Vars::new();
    for (name, value) in exported() {
        vars.set_text(&name, &value, &format!("MLINFRA_VAR_{name}"));
    }
    if let Some(env) = env {
        vars.extend(var_file(&environment::file(dir, env)?)?);
        vars.set_env(env);
    }
    for file in &args.var_files {
        let path = if file.is_absolute() || file.exists() { file.clone() } else { dir.join(file) };
        vars.extend(var_file(&path)?);
    }
    for pair in &args.vars {
        let Some((name, value)) = pair.split_once('=') else {
            let help = "write --var name=value";
            return Err(Halt::one("F003", format!("--var {pair:?} has no `=`"), help));
        };
        vars.set_text(name.trim(), value, "--var");
    }
    Ok(vars)
}

fn var_file(path: &Path) -> Result<Vars, Halt> {
    let text = read(path)?;
    let name = path.strip_prefix("./").unwrap_or(path).display().to_string();
    lang::parse_var_file(&name, &text).map_err(|problems| {
        let mut sources = crate::model::Sources::default();
        sources.add(&name, &text);
        Halt::of(problems, &sources)
    })
}

fn exported() -> Vec<(String, String)> {
    let named = |(name, value): (String, String)| {
        Some((name.strip_prefix("MLINFRA_VAR_")?.to_owned(), value))
    };
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter_map(named)
        .collect()
}

/// How sure the values of variables have to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// A variable without value is a problem.
    Refused,
    /// It is unknown, which is enough to check the rest.
    Unknown,
}

/// A guess at the stack's region, before anything is evaluated; what cannot be read is
/// reported by whoever loads it.
pub fn peek(global: &Global) -> Option<Region> {
    let texts: Result<Vec<String>, Halt> =
        files(&folder(global)).ok()?.iter().map(|path| read(path)).collect();
    lang::peek_region(texts.ok()?.iter().map(String::as_str)).map(Region::from)
}

/// Loads the configuration of a folder.
pub fn load(
    global: &Global,
    args: &VarArgs,
    account: Option<AccountId>,
    missing: Missing,
) -> Result<Stack, Halt> {
    let dir = folder(global);
    let env = environment::chosen(global, &dir, missing == Missing::Refused)?;
    let vars = variables(&dir, env.as_deref(), args)?;
    from_folder(dir, vars, account, missing)
}

/// One of two environments that are compared, under the name of the stack alone.
pub fn compared(global: &Global, args: &VarArgs, env: &str) -> Result<Stack, Halt> {
    let dir = folder(global);
    let mut vars = variables(&dir, Some(env), args)?;
    vars.one_name();
    from_folder(dir, vars, None, Missing::Unknown)
}

fn from_folder(
    dir: PathBuf,
    vars: Vars,
    account: Option<AccountId>,
    missing: Missing,
) -> Result<Stack, Halt> {
    let mut files = Vec::new();
    for path in self::files(&dir)? {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        files.push(File { name, text: read(&path)? });
    }
    if files.is_empty() {
        let help = "`mlinfra init` writes a stack; -C names another folder";
        return Err(Halt::one("F004", format!("no .hcl file in {}", dir.display()), help));
    }
    let reader = Folder::open(&dir).ok();
    let reader = reader.as_ref().map(|folder| folder as &dyn lang::ReadFile);
    let lock = optional(&dir.join(LOCK_FILE))?;
    evaluate(Texts { dir, files, vars, reader, lock }, account, missing)
}

/// Loads a configuration that is not written yet.
pub fn drafted(
    global: &Global,
    files: Vec<File>,
    account: Option<AccountId>,
) -> Result<Stack, Halt> {
    let dir = folder(global);
    let lock = optional(&dir.join(LOCK_FILE))?;
    evaluate(Texts { dir, files, vars: Vars::new(), reader: None, lock }, account, Missing::Refused)
}

/// Loads a configuration that was written down. What was given then holds; what is given
/// now is for what could not be written down, its sensitive variables.
pub fn written(
    global: &Global,
    args: &VarArgs,
    snapshot: &Snapshot,
    account: Option<AccountId>,
) -> Result<Stack, Halt> {
    let env = environment::same(global, snapshot)?;
    let now = variables(&folder(global), env, args)?.only(&snapshot.withheld);
    rewritten(global, snapshot, now, account)
}

/// Sensitive variables that had a value then and have none now.
pub fn ungiven(global: &Global, args: &VarArgs, snapshot: &Snapshot) -> Result<Vec<String>, Halt> {
    let now = variables(&folder(global), snapshot.env.as_deref(), args)?;
    let withheld = snapshot.withheld.iter();
    Ok(withheld.filter(|name| now.get(name).is_none()).cloned().collect())
}

/// The same, but what is given now wins: to find out whether that makes a difference.
pub fn written_over(
    global: &Global,
    args: &VarArgs,
    snapshot: &Snapshot,
    account: Option<AccountId>,
) -> Result<Stack, Halt> {
    let env = environment::same(global, snapshot)?;
    let now = variables(&folder(global), env, args)?;
    rewritten(global, snapshot, now, account)
}

fn rewritten(
    global: &Global,
    snapshot: &Snapshot,
    now: Vars,
    account: Option<AccountId>,
) -> Result<Stack, Halt> {
    let mut vars = snapshot.vars("the configuration as it was").map_err(|problem| {
        Halt::one("F005", format!("the configuration that was kept is damaged: {problem}"), "")
    })?;
    vars.extend(now);
    let dir = folder(global);
    let (files, lock) = (snapshot.files(), snapshot.lock.clone());
    let texts = Texts { dir, files, vars, reader: Some(snapshot), lock };
    evaluate(texts, account, Missing::Refused)
}

/// Reads a text file that need not be there.
fn optional(path: &Path) -> Result<Option<String>, Halt> {
    if path.try_exists().unwrap_or(true) { read(path).map(Some) } else { Ok(None) }
}

/// The pins of a lock file.
fn locked(dir: &Path, text: Option<&str>) -> Result<Lock, Halt> {
    let Some(text) = text else { return Ok(Lock::default()) };
    let path = dir.join(LOCK_FILE);
    let name = path.strip_prefix("./").unwrap_or(&path).display().to_string();
    Lock::read(&name, text).map_err(|problems| {
        let mut sources = crate::model::Sources::default();
        sources.add(&name, text);
        Halt::of(problems, &sources)
    })
}

/// A configuration before it is evaluated.
struct Texts<'a> {
    dir: PathBuf,
    files: Vec<File>,
    vars: Vars,
    reader: Option<&'a dyn lang::ReadFile>,
    lock: Option<String>,
}

fn evaluate(texts: Texts<'_>, account: Option<AccountId>, missing: Missing) -> Result<Stack, Halt> {
    let Texts { dir, files, mut vars, reader, lock } = texts;
    let pins = locked(&dir, lock.as_deref())?;
    if missing == Missing::Unknown {
        vars.unknown_when_missing();
    }
    let recorder = Recorder::new(reader);
    let texts: Vec<File> = files.iter().map(|file| shown(&dir, file)).collect();
    let words = Words { account, ..Words::default() };
    let mut loaded = lang::load(&texts, &vars, &words, Some(&recorder));
    if loaded.problems.is_empty() {
        loaded.problems = stack::check(&loaded);
    }
    let bad = loaded.problems.iter().any(|problem| problem.severity == Severity::Error);
    match stack::config(&loaded) {
        Some(config) if !bad => {
            let warnings = loaded.problems.clone();
            let snapshot = Snapshot { lock, ..Snapshot::of(&files, &recorder, &vars, &loaded) };
            let facts = None;
            Ok(Stack { dir, config, warnings, lock: pins, snapshot, loaded, texts, vars, facts })
        }
        Some(_) | None => Err(Halt::of(loaded.problems.clone(), &loaded.sources)),
    }
}

/// A file under the name by which people find it from where they are.
fn shown(dir: &Path, file: &File) -> File {
    let path = dir.join(&file.name);
    let name = path.strip_prefix("./").unwrap_or(&path).display().to_string();
    File { name, text: file.text.clone() }
}
