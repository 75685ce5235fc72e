//! Walks through all questions, by somebody who answers from a list.

use std::collections::VecDeque;

use super::*;
use crate::model::Money;

/// Answers line by line; leaves at the end of the list.
struct Script {
    lines: VecDeque<&'static str>,
    asked: Vec<String>,
    told: Vec<Note>,
    there: bool,
}

impl Script {
    fn of(lines: &[&'static str]) -> Self {
        let lines = lines.iter().copied().collect();
        Self { lines, asked: Vec::new(), told: Vec::new(), there: true }
    }

    fn nobody() -> Self {
        Self { there: false, ..Self::of(&[]) }
    }

    fn bad(&self) -> Vec<&str> {
        fn bad(note: &Note) -> Option<&str> {
            match note {
                Note::Bad(text) => Some(text.as_str()),
                Note::Good(_) | Note::Plain(_) | Note::Warning(_) | Note::Help(_) => None,
                Note::Given(..) | Note::Page(_) => None,
            }
        }
        self.told.iter().filter_map(bad).collect()
    }
}

impl Asker for Script {
    fn line(&mut self, posed: &Posed) -> Option<String> {
        self.asked.push(posed.key.clone());
        self.lines.pop_front().map(str::to_owned)
    }

    fn tell(&mut self, note: &Note) {
        self.told.push(note.clone());
    }

    fn is_there(&self) -> bool {
        self.there
    }
}

/// A world in which everything fits, for $2 an hour and node.
#[derive(Default)]
struct World {
    nothing_fits: bool,
    kept: Vec<Answers>,
}

impl Outside for World {
    fn look(&mut self, key: &str, answers: &Answers, around: &mut Around) -> Vec<Note> {
        match key {
            "anyway" => {
                let offers = if self.nothing_fits { 0 } else { 3 };
                let price = Some(Money::new(2.into())).filter(|_| offers > 0);
                around.fits = Some(Fits { offers, price, ..Fits::default() });
            }
            "budget" => {
                let nodes = Scene { answers, around }.most_nodes();
                around.most_per_hour = Some(Money::new(2.into()) * nodes);
            }
            "ledger" => around.ledger_bucket = Some("the-bucket-an".to_owned()),
            _ => {}
        }
        Vec::new()
    }

    fn keep(&mut self, answers: &Answers) {
        self.kept.push(answers.clone());
    }
}

fn sandbox() -> Around {
    Around { sandbox: true, folder: "llm".to_owned(), ..Around::default() }
}

fn answers(pairs: &[(&str, &str)]) -> Answers {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn go(script: &mut Script, around: &mut Around, given: &Given) -> Ended {
    walk(&questions(), around, given, script, &mut World::default())
}

/// All of the way by Enter, after the answers that are given.
fn done(firm: &[(&str, &str)], around: &mut Around) -> (Answers, Script) {
    let mut script = Script::of(&[""; 40]);
    let given = Given { firm: answers(firm), resumed: Answers::new() };
    match go(&mut script, around, &given) {
        Ended::Done(found) => (found, script),
        Ended::Stopped(_) | Ended::Left | Ended::Lacks(_) => panic!("{:?}", script.told),
    }
}

#[test]
fn every_question_explains_itself() {
    let all = questions();
    let keys: std::collections::BTreeSet<&str> = all.iter().map(|it| it.key.as_str()).collect();
    assert_eq!(keys.len(), all.len(), "keys are unique");
    for Question { key, title, line, help, .. } in &all {
        assert!(title.contains('?'), "{key}: {title}");
        assert!(!line.is_empty() && line.chars().count() <= 90, "{key}: {line}");
        assert!(help.len() > 40 && help.ends_with('.'), "{key}: {help}");
    }
}

#[test]
fn enter_all_the_way_makes_a_stack() {
    let (found, script) = done(&[], &mut sandbox());
    let wanted = answers(&[
        ("name", "llm"),
        ("region", "us-east-1"),
        ("gpu", "A10G"),
        ("gpus", "1"),
        ("engine", "none"),
        ("nodes", "1"),
        ("capacity", "on-demand"),
        ("max_price", "3"),
        ("datasets", "yes"),
        ("checkpoints", "yes"),
        ("scratch", "nvme"),
        ("access", "ssm"),
        ("ledger", "local"),
        ("budget", "2.4"),
        ("write", "yes"),
    ]);
    assert_eq!(found, wanted);
    let order = [
        "name",
        "region",
        "gpu",
        "gpus",
        "engine",
        "nodes",
        "capacity",
        "max_price",
        "datasets",
        "checkpoints",
        "scratch",
        "access",
        "ledger",
        "budget",
        "write",
    ];
    assert_eq!(script.asked, order);
    assert_eq!(script.bad(), Vec::<&str>::new());
}

/// Every question that has a place on one way.
const BY_A_LONG_WAY: [&str; 26] = [
    "overwrite",
    "profile",
    "cloud",
    "name",
    "region",
    "gpu",
    "gpu_memory",
    "gpus",
    "engine",
    "redis_url",
    "redis_list",
    "min",
    "max",
    "gang",
    "capacity",
    "max_price",
    "datasets",
    "checkpoints",
    "scratch",
    "lustre_size",
    "access",
    "ssh_key",
    "ssh_from",
    "ledger",
    "budget",
    "write",
];

#[test]
fn questions_are_asked_only_where_they_matter() {
    let mut around = Around { existing: vec!["main.hcl".to_owned()], ..Around::default() };
    around.profiles = profiles("[default]\n[profile b]\nregion = eu-west-1\n", "");
    let mut script = Script::of(&[
        "yes",
        "b",
        "aws",
        "",
        "",
        "memory",
        "40",
        "8",
        "redis",
        "rediss://h:1/0",
        "q",
        "1",
        "3",
        "yes",
        "spot",
        "none",
        "no",
        "no",
        "lustre",
        "2400",
        "key",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA",
        "10.8.1.0/16",
        "bucket",
        "none",
        "yes",
    ]);
    let ended = go(&mut script, &mut around, &Given::default());
    assert_eq!(script.asked, BY_A_LONG_WAY, "{:?}", script.told);
    let Ended::Done(found) = ended else { panic!("{ended:?}") };
    assert_eq!(found["region"], "eu-west-1", "the profile's region is the default");
    assert_eq!(found["ssh_from"], "10.8.0.0/16");
}

#[test]
fn one_can_go_back_and_what_was_said_is_proposed_again() {
    let mut script =
        Script::of(&["<", "other", "eu-west-1", "L4", "4", "back", "<", "H100", "", "<", "8", ""]);
    let mut world = World::default();
    let mut around = sandbox();
    let ended = walk(&questions(), &mut around, &Given::default(), &mut script, &mut world);
    assert_eq!(ended, Ended::Left);
    assert_eq!(script.told.first(), Some(&Note::Plain("This is the first question.".to_owned())));
    let order = [
        "name", "name", "region", "gpu", "gpus", "engine", "gpus", "gpu", "gpus", "engine", "gpus",
        "engine", "nodes",
    ];
    assert_eq!(script.asked, order);
    let last = world.kept.last().expect("kept");
    let wanted = [
        ("name", "other"),
        ("region", "eu-west-1"),
        ("gpu", "H100"),
        ("gpus", "8"),
        ("engine", "none"),
    ];
    assert_eq!(*last, answers(&wanted));
}

#[test]
fn another_answer_takes_away_what_hung_on_it() {
    let mut script = Script::of(&["", "", "T4", "1", "sqs", "2", "6", "<", "<", "<", "none", ""]);
    let mut world = World::default();
    walk(&questions(), &mut sandbox(), &Given::default(), &mut script, &mut world);
    let last = world.kept.last().expect("kept");
    assert!(!last.contains_key("min") && !last.contains_key("max"), "{last:?}");
    assert_eq!(last["nodes"], "1");
}

#[test]
fn help_is_said_and_the_question_stays() {
    let mut script = Script::of(&["?", "help"]);
    assert_eq!(go(&mut script, &mut sandbox(), &Given::default()), Ended::Left);
    assert_eq!(script.asked, ["name", "name", "name"]);
    assert!(script.told.iter().all(|note| matches!(note, Note::Help(_))), "{:?}", script.told);
}

/// What is said to a wrong answer, after these answers.
fn said(before: &[(&str, &str)], key: &str, wrong: &'static str) -> String {
    let mut around = sandbox();
    let mut firm = answers(before);
    firm.remove(key);
    let mut script = Script { lines: VecDeque::new(), ..Script::of(&[]) };
    // Enter up to the question, the wrong answer there, then leave.
    for question in questions() {
        World::default().look(&question.key, &firm, &mut around);
        if question.key == key {
            script.lines.push_back(wrong);
            break;
        }
        if !firm.contains_key(&question.key) {
            let scene = Scene { answers: &firm, around: &around };
            if (question.when)(scene) {
                script.lines.push_back("");
                let posed = question.posed(scene, None);
                firm.insert(question.key.clone(), posed.default.unwrap_or_default());
            }
        }
    }
    let given = Given { firm: answers(before), resumed: Answers::new() };
    go(&mut script, &mut sandbox(), &given);
    script.bad().first().map(ToString::to_string).unwrap_or_default()
}

/// Answers before, the question, a wrong answer, how what is said to it begins.
type Wrong = (&'static [(&'static str, &'static str)], &'static str, &'static str, &'static str);

const KEY: &[(&str, &str)] =
    &[("access", "key"), ("ssh_key", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA")];

const WRONG: &[Wrong] = &[
    (
        &[],
        "name",
        "My Stack",
        "\"My Stack\" is no stack's name: a lower-case letter, then up to 29 of a-z, 0-9 and -",
    ),
    (&[], "region", "eu-wset-1", "there is no region \"eu-wset-1\"; did you mean eu-west-1?"),
    (&[], "gpu", "H9", "\"H9\" is none of them: write T4, "),
    (&[], "gpus", "3000", "\"3000\" is none of them: write 1, 4 or 8"),
    (
        &[("gpu", "memory")],
        "gpu_memory",
        "1000",
        "no GPU in us-east-1 has 1000 GiB; the largest has 288",
    ),
    (&[("gpu", "memory")], "gpu_memory", "much", "\"much\" is no whole number: write 1 to 1024"),
    (
        &[],
        "engine",
        "kafka",
        "\"kafka\" is none of them: write none, sqs, slurm, redis, postgres, prometheus, http or program",
    ),
    (&[], "nodes", "0", "0 is out of range: write 1 to 1000"),
    (&[], "nodes", "-2", "\"-2\" is no whole number: write 1 to 1000"),
    (&[("engine", "sqs"), ("min", "3")], "max", "2", "2 is out of range: write 3 to 1000"),
    (
        &[("engine", "slurm")],
        "slurm_ssh",
        "-oProxy x",
        "\"-oProxy x\" is no host: write user@host, or here",
    ),
    (
        &[("engine", "redis")],
        "redis_url",
        "host",
        "\"host\" is no URL: write rediss:// or redis://host…",
    ),
    (&[("engine", "redis")], "redis_url", "", "\"\" is no URL: write rediss:// or redis://host…"),
    (
        &[("engine", "redis")],
        "redis_url",
        "http://x",
        "http:// is not read here: write rediss:// or redis://…",
    ),
    (
        &[("engine", "redis")],
        "redis_url",
        "redis://u:p@x",
        "a password does not belong in a file: leave it out; docs/sources.md says how it is read from a variable or a file",
    ),
    (&[], "capacity", "free", "\"free\" is none of them: write on-demand, spot-first or spot"),
    (
        &[],
        "max_price",
        "cheap",
        "\"cheap\" is no sum: write dollars an hour such as 12.50, or none",
    ),
    (&[], "max_price", "-1", "write dollars an hour, more than 0 and at most 1000000, or none"),
    (&[], "max_price", "1", "$1.00 is less than the best offer, $2.00: nothing would launch"),
    (&[], "datasets", "perhaps", "\"perhaps\" is none of them: write yes or no"),
    (&[], "scratch", "tape", "\"tape\" is none of them: write nvme, lustre or none"),
    (
        &[("scratch", "lustre")],
        "lustre_size",
        "1300",
        "FSx has no 1300 GiB: write 1200, 2400, 4800, …",
    ),
    (
        &[("access", "key")],
        "ssh_key",
        "mine",
        "that is no public key: paste the line of a .pub file, ssh-ed25519 AAAA…",
    ),
    (
        &[("access", "key")],
        "ssh_key",
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        "that is a private key: it stays where it is; write the .pub file's line",
    ),
    (KEY, "ssh_from", "0.0.0.0/0", "0.0.0.0/0 is everybody: name the addresses of a network"),
    (KEY, "ssh_from", "home", "\"home\" is no range: write one such as 10.8.0.0/16, or none"),
    (&[], "ledger", "tape", "\"tape\" is none of them: write local or bucket"),
    (&[], "budget", "all", "\"all\" is no sum: write dollars an hour such as 12.50, or none"),
    (&[], "write", "later", "\"later\" is none of them: write yes or no"),
    (&[], "name", "a\u{1b}[2J", "an answer is one line of text"),
];

#[test]
fn every_wrong_answer_is_told_what_would_be_right() {
    for (before, at, wrong, wanted) in WRONG {
        let found = said(before, at, wrong);
        assert!(found.starts_with(wanted), "{at} {wrong}\n found  {found}\n wanted {wanted}");
    }
}

#[test]
fn what_lacks_is_named_at_once_where_nobody_is() {
    let mut script = Script::nobody();
    let firm = answers(&[("engine", "redis"), ("capacity", "free"), ("lustre_size", "1200")]);
    let given = Given { firm, resumed: Answers::new() };
    let ended = go(&mut script, &mut Around::default(), &given);
    let Ended::Lacks(lacks) = ended else { panic!("{ended:?}") };
    let found: Vec<(&str, bool)> =
        lacks.iter().map(|lack| (lack.key.as_str(), lack.wrong.is_some())).collect();
    let wanted = [
        ("cloud", false),
        ("region", false),
        ("gpu", false),
        ("redis_url", false),
        ("max", false),
        ("capacity", true),
        ("lustre_size", true),
    ];
    assert_eq!(found, wanted);
    assert!(lacks[2].choices.contains(&"H100".to_owned()));
    assert_eq!(script.asked, Vec::<String>::new());
}

#[test]
fn nobody_needs_to_be_there_when_all_is_given() {
    let mut script = Script::nobody();
    let firm = answers(&[("region", "us-west-2"), ("gpu", "h100"), ("gpus", "8"), ("nodes", "4")]);
    let given = Given { firm, resumed: Answers::new() };
    let mut world = World::default();
    let ended = walk(&questions(), &mut sandbox(), &given, &mut script, &mut world);
    let Ended::Done(found) = ended else { panic!("{ended:?}") };
    assert_eq!((found["gpu"].as_str(), found["gang"].as_str()), ("H100", "yes"));
    assert_eq!(world.kept, Vec::<Answers>::new(), "nothing is kept of what can be repeated");
}

#[test]
fn a_run_that_was_left_goes_on_and_can_be_gone_back_in() {
    let resumed =
        answers(&[("name", "llm"), ("region", "us-east-1"), ("gpu", "T4"), ("gpus", "9")]);
    let given = Given { firm: Answers::new(), resumed };
    let mut script = Script::of(&["<", "L4", "8"]);
    let ended = go(&mut script, &mut sandbox(), &given);
    assert_eq!(ended, Ended::Left);
    // 9 is no number of T4: it is asked for again.
    assert_eq!(script.asked, ["gpus", "gpu", "gpus", "engine"]);
}

#[test]
fn a_given_answer_that_is_wrong_is_asked_for_when_somebody_is_there() {
    let (found, script) = done(&[("gpu", "H9"), ("nodes", "2")], &mut sandbox());
    assert_eq!((found["gpu"].as_str(), found["nodes"].as_str()), ("A10G", "2"));
    assert!(
        script.asked.contains(&"gpu".to_owned()) && !script.asked.contains(&"nodes".to_owned())
    );
    let (_, script) = done(&[("max", "2")], &mut sandbox());
    let warned =
        |note: &Note| matches!(note, Note::Warning(text) if text.starts_with("the answer max"));
    assert!(script.told.iter().any(warned), "{:?}", script.told);
}

#[test]
fn nothing_is_written_when_somebody_says_so_or_nothing_fits() {
    let mut around = Around { existing: vec!["main.hcl".to_owned()], ..sandbox() };
    let ended = go(&mut Script::of(&[""]), &mut around, &Given::default());
    assert_eq!(ended, Ended::Stopped("overwrite".to_owned()));
    let mut world = World { nothing_fits: true, ..World::default() };
    let mut script = Script::of(&[""; 12]);
    let ended = walk(&questions(), &mut sandbox(), &Given::default(), &mut script, &mut world);
    assert_eq!(ended, Ended::Stopped("anyway".to_owned()));
    let mut script = Script::of(&["", "", "", "", "", "", "", "yes"]);
    let ended = walk(&questions(), &mut sandbox(), &Given::default(), &mut script, &mut world);
    assert_eq!((ended, script.asked.last().map(String::as_str)), (Ended::Left, Some("max_price")));
}

#[test]
fn strangers_among_the_answers_are_named() {
    let lacks =
        strangers(&answers(&[("ndes", "2"), ("fruit", "red"), ("gpu", "T4")]), &questions());
    let said: Vec<&str> = lacks.iter().filter_map(|lack| lack.wrong.as_deref()).collect();
    let wanted = [
        "no question has this key; `mlinfra init --list` shows them",
        "no question has this key; did you mean nodes?",
    ];
    assert_eq!(said, wanted);
}

#[test]
fn an_account_brings_its_guard_rail_and_its_bucket() {
    let account = Account::Found { id: "123456789012".to_owned(), arn: "a".to_owned() };
    let mut around = Around { account, ..Around::default() };
    let (found, _) = done(&[("ledger", "bucket")], &mut around);
    assert_eq!(found["guard_account"], "yes");
    let drafts = drafts(Scene { answers: &found, around: &around });
    let text = &drafts[0].text;
    for part in ["account = \"123456789012\"", "bucket  = \"the-bucket-an\"", "mlinfra plan  "] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(!text.contains("--sandbox"));
}
