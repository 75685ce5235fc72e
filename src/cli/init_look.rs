//! What `init` finds out between its questions: the account, what the region offers, where
//! the draft can run at what price, which quotas are in its way, what it costs.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::cloud::{Ask, Observed};
use crate::kinds::Home;
use crate::lang::File;
use crate::ledger::Ledger;
use crate::model::{AccountId, Money, Region};
use crate::plan::Selection;
use crate::plan::cost::When;
use crate::show::{self};
use crate::sim::ACCOUNT;
use crate::wizard::{self, Account, Answers, Around, Draft, Fits, Note, Outside, Scene, Starting};

use super::args::Global;
use super::cache;
use super::connect::{self, Session};
use super::halt::Halt;
use super::init_files as files;
use super::init_ledger;
use super::init_next::Ends;
use super::init_notes::{fallback, quota, told, unasked};
use super::terminal::Terminal;
use super::{doctor_quota, load, validate};

/// Where the account is asked for when no region is named yet: every account has it.
const FIRST: &str = "us-east-1";

/// Looks around.
pub struct Look<'a> {
    global: &'a Global,
    terminal: &'a Terminal,
    /// The folder of the stack.
    dir: PathBuf,
    /// The stack that it starts from, and its name.
    pub starting: Option<(&'static str, &'a Starting)>,
    /// Somebody can be asked.
    asks: bool,
    /// They have left.
    left: Rc<Cell<bool>>,
    /// The profile that was last asked for its account.
    profile: Option<Option<String>>,
}

/// Nothing came of it because somebody did not wait.
struct Interrupted;

impl<'a> Look<'a> {
    pub fn new(
        (global, terminal): (&'a Global, &'a Terminal),
        dir: &Path,
        starting: Option<(&'static str, &'a Starting)>,
        (asks, left): (bool, Rc<Cell<bool>>),
    ) -> Self {
        Self { global, terminal, dir: dir.to_owned(), starting, asks, left, profile: None }
    }

    /// The flags that the answers stand for.
    pub fn global(&self, scene: Scene<'_>) -> Global {
        let mut global = self.global.clone();
        if scene.is_sandbox() && load::sandbox(&global).is_none() {
            global.sandbox = Some("1".to_owned());
        }
        if let Some(profile) = scene.answers.get("profile") {
            global.profile = Some(profile.clone());
        }
        global
    }

    /// The files that the answers make.
    pub fn drafts(&self, scene: Scene<'_>) -> Vec<Draft> {
        match self.starting {
            Some((_, starting)) => starting.drafts(scene),
            None => wizard::drafts(scene),
        }
    }

    /// The draft with the cloud that it is for.
    pub async fn session(&self, scene: Scene<'_>) -> Result<Session, Halt> {
        let files = self.files(scene);
        let load = |account: Option<AccountId>| load::drafted(self.global, files.clone(), account);
        let region = Region::from(scene.get("region"));
        connect::session_of(&self.global(scene), Some(region), None, &load).await
    }

    /// What the draft comes to, in its cloud where that can be reached; or what is wrong with it.
    pub async fn ends(&self, scene: Scene<'_>, reachable: bool) -> Result<Ends, Halt> {
        let desired = if reachable {
            let session = self.session(scene).await?;
            session.desired(&Observed::default(), false).map_err(|found| session.halt(found))?
        } else {
            let stack = load::drafted(self.global, self.files(scene), None)?;
            let tables = cache::read(self.global, &stack.config.region).tables;
            let found = validate::assumed(&stack, &tables);
            found.map_err(|found| Halt::of(found, &stack.loaded.sources))?
        };
        Ok(Ends::of(&desired))
    }

    /// The files that hold its configuration.
    fn files(&self, scene: Scene<'_>) -> Vec<File> {
        let configs = self.drafts(scene).into_iter().filter(|it| crate::lang::is_config(&it.name));
        configs.map(|it| File { name: it.name, text: it.text }).collect()
    }

    /// Does something that may take a while; an interrupt ends it.
    fn wait<T>(&self, global: &Global, work: impl Future<Output = T>) -> Result<T, Interrupted> {
        let Ok(runtime) = connect::runtime(global) else { return Err(Interrupted) };
        let done = runtime.block_on(async {
            tokio::select! {
                biased;
                _ = tokio::signal::ctrl_c() => None,
                done = work => Some(done),
            }
        });
        if done.is_none() {
            self.left.set(true);
        }
        done.ok_or(Interrupted)
    }

    /// Whose the credentials are.
    fn account(&mut self, answers: &Answers, around: &mut Around) -> Vec<Note> {
        let profile = answers.get("profile").cloned();
        if self.profile.as_ref() == Some(&profile) {
            return Vec::new();
        }
        let global = self.global(Scene { answers, around });
        let named = around.named_region(answers.get("profile").map(String::as_str));
        let region = Region::from(named.unwrap_or(FIRST));
        if around.sandbox {
            return vec![Note::Good(
                "The simulated region: no account is needed, and nothing is billed.".to_owned(),
            )];
        }
        if self.asks {
            self.terminal.say("Looking for an AWS account…\n");
        }
        let Ok(met) = self.wait(&global, connect::meet(&global, &region)) else {
            return Vec::new();
        };
        self.profile = Some(profile);
        match met {
            Ok((_, caller)) => {
                let (id, arn) = (caller.home.account.to_string(), caller.arn);
                let note = Note::Good(format!("AWS account {id}, as {arn}"));
                around.account = Account::Found { id, arn };
                vec![note]
            }
            Err(halt) => {
                let why = halt.problems.first().map(|one| one.summary.clone()).unwrap_or_default();
                around.account = Account::Missing(why.clone());
                vec![Note::Warning(format!("no AWS account can be reached: {why}"))]
            }
        }
    }

    /// Whether there is a cloud that can be asked.
    fn can_ask(scene: Scene<'_>) -> bool {
        scene.is_sandbox() || scene.account().is_some()
    }

    /// What the region offers.
    fn offered(&self, answers: &Answers, around: &mut Around) -> Vec<Note> {
        let scene = Scene { answers, around };
        let (global, region) = (self.global(scene), Region::from(scene.get("region")));
        let can_ask = Self::can_ask(scene);
        around.tables = cache::read(&global, &region).tables;
        around.offered = None;
        if !can_ask {
            return Vec::new();
        }
        let types = around.tables.types().filter(|found| found.accelerator.is_some());
        let ask = Ask {
            instance_types: types.map(|found| found.name.clone()).collect(),
            ..Ask::default()
        };
        let work = async {
            let side = connect::side(&global, &region).await?;
            Ok::<_, Halt>(side.cloud().facts(&ask).await?)
        };
        match self.wait(&global, work) {
            Ok(Ok(facts)) => {
                let here = facts.offerings.iter().filter(|(_, zones)| !zones.is_empty());
                let here: BTreeSet<String> = here.map(|(name, _)| name.clone()).collect();
                let note = format!(
                    "{region}: {} zones, {} of {} instance types with GPUs",
                    facts.zones.len(),
                    here.len(),
                    ask.instance_types.len()
                );
                around.offered = Some(here);
                vec![Note::Good(note)]
            }
            Ok(Err(halt)) => vec![unasked(&region, &halt)],
            Err(Interrupted) => Vec::new(),
        }
    }

    /// Where the draft can run, what is refused and why, and which quotas are in its way.
    fn fits(&self, answers: &Answers, around: &mut Around) -> Vec<Note> {
        around.fits = None;
        let scene = Scene { answers, around };
        if !Self::can_ask(scene) {
            let text = "Offers and prices are shown by `mlinfra offers` once you have signed in.";
            return vec![Note::Plain(text.to_owned())];
        }
        let global = self.global(scene);
        let screen = self.terminal.errors;
        let work = async {
            let session = self.session(scene).await?;
            let observed = Observed::default();
            let desired =
                session.desired(&observed, false).map_err(|problems| session.halt(problems))?;
            let mut notes = Vec::new();
            let mut fits = Fits::default();
            for fleet in desired.fleets.values() {
                notes.push(Note::Page(show::init::offers(&session.tables, fleet, &screen)));
                fits.offers += fleet.offers.len();
                fits.price = fleet.offers.first().and_then(|offer| offer.price);
                fits.fallback = fallback(&fleet.offers);
                fits.why = fleet.rejected.first().map(|it| format!("{}: {}", it.what, it.why));
                let named: BTreeSet<&str> =
                    fleet.offers.iter().map(|offer| offer.instance_type.as_str()).collect();
                let strange = named.into_iter().filter(|name| session.tables.get(name).is_none());
                notes.extend(strange.map(|name| {
                    let text = "no table has it: is it written as AWS writes it?";
                    Note::Warning(format!("{name}: {text}"))
                }));
            }
            let quotas = doctor_quota::quotas(&session, &desired, &observed).await;
            notes.extend(quotas.iter().map(quota));
            Ok::<_, Halt>((notes, fits))
        };
        match self.wait(&global, work) {
            Ok(Ok((notes, fits))) => {
                around.fits = Some(fits);
                notes
            }
            Ok(Err(halt)) => {
                around.fits = Some(Fits::default());
                told(&halt)
            }
            Err(Interrupted) => Vec::new(),
        }
    }

    /// The bucket that would keep the ledger.
    fn bucket(&self, answers: &Answers, around: &mut Around) {
        let scene = Scene { answers, around };
        let account = match (scene.is_sandbox(), scene.account()) {
            (true, _) => load::sandbox(&self.global(scene)).map(|_| AccountId::from(ACCOUNT)),
            (false, found) => found.map(AccountId::from),
        };
        let region = Region::from(scene.get("region"));
        around.ledger_bucket = account.map(|account| init_ledger::name(&Home { account, region }));
    }

    /// What the draft costs with all of its nodes.
    fn bill(&self, answers: &Answers, around: &mut Around) -> Vec<Note> {
        around.most_per_hour = None;
        let scene = Scene { answers, around };
        if !Self::can_ask(scene) {
            return Vec::new();
        }
        let global = self.global(scene);
        let work = async {
            let session = self.session(scene).await?;
            let (nothing, whole) = (Observed::default(), Selection::default());
            let (_, bill) = session.priced_plan(&Ledger::default(), &nothing, false, &whole)?;
            Ok::<_, Halt>((bill.sum(When::Floor), bill.sum(When::Ceiling)))
        };
        let Ok(Ok((least, most))) = self.wait(&global, work) else { return Vec::new() };
        let (least_usd, most_usd) = (least.per_hour(), most.per_hour());
        if !most.is_whole() {
            let least = match most_usd == Money::ZERO {
                true => String::new(),
                false => format!(": at least {most_usd} an hour"),
            };
            let text = format!(
                "some prices of this region are not known{least}; `mlinfra catalog refresh` asks \
                 AWS for them"
            );
            return vec![Note::Warning(text)];
        }
        around.most_per_hour = Some(most_usd);
        let from = if least_usd == most_usd { String::new() } else { format!("{least_usd} to ") };
        let (range, month) = (format!("{from}{most_usd} an hour"), most.per_month());
        vec![Note::Plain(format!("All together: {range}, at most {month} in a month of 730 h."))]
    }

    /// The files, and what else writing them does.
    fn preview(&self, answers: &Answers, around: &mut Around) -> Vec<Note> {
        let mut notes = Vec::new();
        if self.starting.is_some() {
            // A stack that is made from nothing has shown this on the way.
            notes.extend(self.fits(answers, around));
            notes.extend(self.bill(answers, around));
        }
        let scene = Scene { answers, around };
        if self.asks {
            let mut drafts = self.drafts(scene);
            drafts.extend(files::gitignore(&self.dir));
            notes.push(Note::Page(show::init::drafts(&drafts, &self.terminal.errors)));
        }
        if Self::can_ask(scene) {
            let global = self.global(scene);
            let work = async {
                let session = self.session(scene).await?;
                let observed = session.observe(&mut Ledger::default(), false).await?;
                session.desired(&observed, false).map_err(|problems| session.halt(problems))?;
                Ok::<_, Halt>(observed.live.len())
            };
            match self.wait(&global, work) {
                Ok(Ok(0)) | Err(Interrupted) => {}
                Ok(Ok(live)) => notes.push(Note::Warning(format!(
                    "a stack {} owns {live} objects there already, and they would become this \
                     one's: its plan may delete them. Go back for another name unless you mean it",
                    scene.get("name")
                ))),
                Ok(Err(halt)) => {
                    let new: Vec<Note> =
                        told(&halt).into_iter().filter(|note| !notes.contains(note)).collect();
                    notes.extend(new);
                }
            }
        }
        if scene.is("ledger", "bucket")
            && let Some(bucket) = &scene.around.ledger_bucket
        {
            let text = format!("\n`yes` also makes s3://{bucket}, unless it is there already.");
            notes.push(Note::Plain(text));
        }
        notes
    }
}

impl Outside for Look<'_> {
    fn look(&mut self, key: &str, answers: &Answers, around: &mut Around) -> Vec<Note> {
        if self.left.get() {
            return Vec::new();
        }
        match key {
            "cloud" => self.account(answers, around),
            "gpu" => self.offered(answers, around),
            "anyway" => self.fits(answers, around),
            "ledger" => {
                self.bucket(answers, around);
                Vec::new()
            }
            "budget" => self.bill(answers, around),
            "write" => self.preview(answers, around),
            _ => Vec::new(),
        }
    }

    fn keep(&mut self, answers: &Answers) {
        let mut all = answers.clone();
        if let Some((name, _)) = self.starting {
            all.insert("from".to_owned(), name.to_owned());
        }
        // The last word is asked for again, whatever it was.
        all.remove("write");
        files::keep(&self.dir, &all);
    }
}
