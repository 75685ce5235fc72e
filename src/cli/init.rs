//! `mlinfra init`: questions, files, a plan, and what to do next.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde_json::json;

use crate::model::{Problem, Region, Sources};
use crate::show::init as show;
use crate::wizard::{
    self, Answers, Around, Asker, Choice, Ended, Given, Lack, Note, Posed, Profile, Question,
    SHIPPED, Scene, Shipped,
};

use super::args::{Global, PlanArgs, SelectArgs, VarArgs};
use super::halt::Halt;
use super::init_args::InitArgs;
use super::init_choose;
use super::init_files as files;
use super::init_ledger::{self, Made};
use super::init_look::Look;
use super::init_next;
use super::init_person::{Nobody, Person};
use super::machine::env;
use super::plan_args::FormatArgs;
use super::terminal::Terminal;
use super::{DONE, INTERRUPTED, PROBLEM, connect, load, plan, signing};

pub fn run(global: &Global, terminal: &Terminal, args: &InitArgs) -> Result<u8, Halt> {
    if args.list {
        return Ok(list(terminal));
    }
    let asks = terminal.asks && !args.non_interactive && !terminal.json;
    let dir = load::folder(global);
    let left = Rc::new(Cell::new(false));
    hear_interrupts(global)?;
    let mut asker: Box<dyn Asker> = match asks {
        true => Box::new(Person::new(terminal, Rc::clone(&left))),
        false => Box::new(Nobody::new(terminal)),
    };
    let mut given = Given { firm: firm(args)?, resumed: Answers::new() };
    let chosen = match (resume(asks.then_some(&dir), asker.as_mut()), &args.from) {
        (None, from) => from.clone(),
        (Some(mut kept), from) => {
            let was = kept.remove("from");
            given.resumed = if from.is_some() && *from != was { Answers::new() } else { kept };
            from.clone().or(was)
        }
    };
    if left.get() {
        return Ok(gone(terminal, &dir));
    }
    let starting = chosen.as_deref().map(named).transpose()?;
    let starting = starting.map(|shipped| (shipped, wizard::starting(shipped)));
    let questions = match &starting {
        Some((_, starting)) => starting.questions(),
        None => wizard::questions(),
    };
    known(&given.firm, &questions)?;
    let names = names(starting.as_ref().map(|(shipped, _)| *shipped));
    let existing = files::existing(&dir, &names)?;
    if !existing.is_empty() && !asks && !args.force {
        return Err(files::taken(&existing));
    }
    let mut around = surroundings(global, &dir);
    around.existing = if args.force { Vec::new() } else { existing.clone() };
    let start = starting.as_ref().map(|(shipped, starting)| (shipped.name, starting));
    let mut look = Look::new((global, terminal), &dir, start, (asks, Rc::clone(&left)));
    if asks {
        welcome(terminal);
    }
    let ended = wizard::walk(&questions, &mut around, &given, asker.as_mut(), &mut look);
    if left.get() {
        return Ok(gone(terminal, &dir));
    }
    match ended {
        Ended::Done(answers) => {
            let finish = Finish { terminal, dir: &dir, look: &look, asks, yes: args.yes };
            finish.run(Scene { answers: &answers, around: &around }, &existing)
        }
        Ended::Stopped(_) => {
            terminal.say("\nNothing was written.\n");
            Ok(PROBLEM)
        }
        Ended::Left => Ok(gone(terminal, &dir)),
        Ended::Lacks(lacks) => Err(lacking(&lacks)),
    }
}

/// From now on an interrupt is heard instead of ending the process: a prompt returns, and
/// whatever is waited for is given up.
fn hear_interrupts(global: &Global) -> Result<(), Halt> {
    let runtime = connect::runtime(global)?;
    let listen = async {
        let heard = tokio::signal::ctrl_c();
        // The first look at it is what installs the handler.
        drop(tokio::time::timeout(std::time::Duration::ZERO, heard).await);
    };
    runtime.block_on(listen);
    Ok(())
}

/// All is written, and a plan changes nothing: an interrupt may end the process again.
#[expect(
    clippy::disallowed_methods,
    reason = "the handler that was installed cannot be taken away"
)]
fn end_at_an_interrupt(terminal: Terminal) {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        if runtime.is_ok_and(|runtime| runtime.block_on(tokio::signal::ctrl_c()).is_ok()) {
            terminal.say("\nThe files are written; mlinfra plan shows what they come to.\n");
            std::process::exit(i32::from(INTERRUPTED));
        }
    });
}

fn welcome(terminal: &Terminal) {
    let arrows = match init_choose::points(terminal) {
        true => "The arrow keys choose, or type the answer. ",
        false => "",
    };
    let text = format!(
        "A stack in a few questions. {arrows}Enter takes what stands in brackets; `?` explains; \
         `<` goes back; Ctrl-C leaves and keeps the answers. Nothing runs, and nothing is billed, \
         before `mlinfra apply`."
    );
    terminal.say(&show::note(&Note::Plain(text), &terminal.errors));
}

/// They have left.
fn gone(terminal: &Terminal, dir: &Path) -> u8 {
    terminal.say(match files::is_kept(dir) {
        true => "\nLeft, and nothing was written. The answers are kept: mlinfra init goes on.\n",
        false => "\nLeft, and nothing was written.\n",
    });
    INTERRUPTED
}

/// What there is to start from, and to answer.
fn list(terminal: &Terminal) -> u8 {
    let questions = wizard::questions();
    if terminal.json {
        let stacks: Vec<_> = SHIPPED
            .iter()
            .map(|stack| json!({ "name": stack.name, "says": stack.says() }))
            .collect();
        let asked: Vec<_> = questions
            .iter()
            .map(|it| json!({ "key": it.key, "question": it.title, "says": it.line }))
            .collect();
        terminal.json(&json!({ "format_version": "1.0", "stacks": stacks, "questions": asked }));
    } else {
        terminal.print(&show::stacks(SHIPPED, &terminal.screen));
        terminal.print(&show::keys(&questions, &terminal.screen));
    }
    DONE
}

/// Answers of the file and of flags, the strongest last.
fn firm(args: &InitArgs) -> Result<Answers, Halt> {
    let mut out = Answers::new();
    if let Some(path) = &args.answers {
        let (text, name) = (load::read(path)?, path.display().to_string());
        let found = wizard::parse(&name, &text).map_err(|problems| {
            let mut sources = Sources::default();
            sources.add(&name, &text);
            Halt::of(problems, &sources)
        })?;
        out.extend(found);
    }
    for pair in &args.set {
        let (key, value) =
            wizard::set(pair).map_err(|bad| Halt::of(vec![bad], &Sources::default()))?;
        out.insert(key, value);
    }
    out.extend(args.flags().map(|(key, value)| (key.to_owned(), value.clone())));
    Ok(out)
}

/// Whether every answer has a question.
fn known(answers: &Answers, questions: &[Question]) -> Result<(), Halt> {
    let lacks = wizard::strangers(answers, questions);
    if lacks.is_empty() { Ok(()) } else { Err(lacking(&lacks)) }
}

fn named(name: &str) -> Result<&'static Shipped, Halt> {
    let help = || {
        let names: Vec<&str> = SHIPPED.iter().map(|stack| stack.name).collect();
        format!("there are {}", names.join(", "))
    };
    let text = format!("there is no stack {name:?} to start from");
    Shipped::named(name).ok_or_else(|| Halt::one("I005", text, help()))
}

/// What would be written.
fn names(from: Option<&Shipped>) -> Vec<String> {
    match from {
        Some(shipped) => shipped.files.iter().map(|(name, _)| (*name).to_owned()).collect(),
        None => vec!["main.hcl".to_owned(), "variables.hcl".to_owned()],
    }
}

/// Answers of an earlier run that was left, when somebody wants to go on from there.
fn resume(dir: Option<&PathBuf>, asker: &mut dyn Asker) -> Option<Answers> {
    let dir = dir?;
    let kept = files::kept(dir)?;
    let choice = |word: &str, says: &str| Choice { word: word.to_owned(), says: says.to_owned() };
    let posed = Posed {
        key: "resume".to_owned(),
        title: format!("Go on where you left off? {} answers are kept.", kept.len()),
        line: "They can be gone back to as if you had just given them.".to_owned(),
        help: "`yes` takes the answers that were kept and asks the next question; `no` forgets \
               them and begins anew."
            .to_owned(),
        default: Some("yes".to_owned()),
        choices: vec![choice("yes", "take them and go on"), choice("no", "begin anew")],
        back: false,
    };
    loop {
        match asker.line(&posed)?.trim().to_lowercase().as_str() {
            "" | "1" | "y" | "yes" => {
                asker.took(&posed.key, "yes");
                return Some(kept);
            }
            "2" | "n" | "no" => {
                asker.took(&posed.key, "no");
                files::forget(dir);
                return None;
            }
            "?" | "help" => asker.tell(&Note::Help(posed.help.clone())),
            _ => asker.tell(&Note::Bad("write yes or no".to_owned())),
        }
    }
}

/// What the machine tells: profiles, region, keys, the folder's name.
fn surroundings(global: &Global, dir: &Path) -> Around {
    let home = env("HOME").map(PathBuf::from).unwrap_or_default();
    let sandbox = load::sandbox(global).is_some();
    let mut profiles = signing::profiles();
    let profile = global.profile.clone().or_else(|| env("AWS_PROFILE"));
    // Keys in the environment win over profiles, unless a flag names one.
    if env("AWS_ACCESS_KEY_ID").is_some() && global.profile.is_none() {
        profiles = Vec::<Profile>::new();
    }
    let keys = ["id_ed25519.pub", "id_ecdsa.pub", "id_rsa.pub"].into_iter().filter_map(|name| {
        let text = std::fs::read_to_string(home.join(".ssh").join(name)).ok()?;
        text.lines().next().map(str::to_owned)
    });
    let full = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    let folder = full.file_name().map(|name| name.to_string_lossy().into_owned());
    Around {
        sandbox,
        profiles,
        profile,
        region: env("AWS_REGION").or_else(|| env("AWS_DEFAULT_REGION")),
        folder: folder.unwrap_or_default(),
        keys: keys.collect(),
        ..Around::default()
    }
}

/// Everything that lacks, at once, each with its flag.
fn lacking(lacks: &[Lack]) -> Halt {
    let problem = |lack: &Lack| match &lack.wrong {
        None => {
            let flag = show::flag(lack);
            let help = match lack.choices.as_slice() {
                [] => format!("give it with {flag}"),
                choices => format!("give it with {flag}: {}", choices.join(", ")),
            };
            Problem::error("I001", format!("no answer: {} ({})", lack.title, lack.key)).help(help)
        }
        Some(wrong) => Problem::error("I003", format!("{}: {wrong}", lack.key)),
    };
    Halt::of(lacks.iter().map(problem).collect(), &Sources::default())
}

/// All is answered.
struct Finish<'a> {
    terminal: &'a Terminal,
    dir: &'a Path,
    look: &'a Look<'a>,
    asks: bool,
    yes: bool,
}

impl Finish<'_> {
    fn run(&self, scene: Scene<'_>, existing: &[String]) -> Result<u8, Halt> {
        let global = self.look.global(scene);
        let mut drafts = self.look.drafts(scene);
        let reachable = scene.is_sandbox() || scene.account().is_some();
        let runtime = connect::runtime(&global)?;
        // What does not load is not written.
        let ends = runtime.block_on(self.look.ends(scene, reachable))?;
        if scene.is("ledger", "bucket") {
            self.ledger(&global, scene)?;
        }
        drafts.extend(files::gitignore(self.dir));
        files::write(self.dir, &drafts, existing)?;
        files::forget(self.dir);
        let names: Vec<&str> = drafts.iter().map(|draft| draft.name.as_str()).collect();
        self.say(&Note::Good(format!("written: {}", names.join(", "))));
        let code = if reachable { self.plan(&global)? } else { DONE };
        if !self.terminal.json {
            let commands = init_next::commands(&global, scene, &ends);
            self.terminal.print(&show::next(&commands, &self.terminal.screen));
        }
        Ok(code)
    }

    fn say(&self, note: &Note) {
        if !self.terminal.json {
            self.terminal.say(&show::note(note, &self.terminal.errors));
        }
    }

    /// The bucket of the ledger: whoever answers has said yes to it with the files.
    fn ledger(&self, global: &Global, scene: Scene<'_>) -> Result<(), Halt> {
        let region = Region::from(scene.get("region"));
        let bucket = scene.around.ledger_bucket.clone().unwrap_or_default();
        let runtime = connect::runtime(global)?;
        if !self.asks && !self.yes && !runtime.block_on(init_ledger::is_there(global, &region))? {
            let text = format!("the bucket of the ledger, {bucket}, is not there as it should be");
            let help = "--yes makes it; --set ledger=local keeps the ledger beside the files";
            return Err(Halt::one("I007", text, help));
        }
        let made = runtime.block_on(init_ledger::make(global, &region))?;
        let how = "private, encrypted, versioned, TLS only";
        self.say(&Note::Good(match made {
            Made::New => format!("made s3://{bucket}: {how}"),
            Made::Mended => format!("s3://{bucket} was there, and is mended: {how}"),
            Made::Already => format!("s3://{bucket} is there: {how}"),
        }));
        Ok(())
    }

    fn plan(&self, global: &Global) -> Result<u8, Halt> {
        end_at_an_interrupt(*self.terminal);
        if !self.terminal.json {
            self.terminal.print("\n");
        }
        let args = PlanArgs {
            vars: VarArgs::default(),
            select: SelectArgs::default(),
            out: None,
            expires: "24h".to_owned(),
            detailed_exitcode: false,
            timings: false,
            destroy: false,
            shown: FormatArgs::default(),
        };
        plan::run(global, self.terminal, &args)
    }
}
