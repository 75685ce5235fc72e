//! What the wizard writes, whatever is answered: in the standard form, without problems, and
//! with a plan in the simulated region.

use mlinfra::lang::{self, File, Vars};
use mlinfra::model::Money;
use mlinfra::sim::Settings;
use mlinfra::stack::{self, Words};
use mlinfra::wizard::{
    Answers, Around, Asker, Ended, Fits, Given, Note, Outside, Posed, Scene, drafts, questions,
    walk,
};

use crate::lab::Lab;

struct Nobody;

impl Asker for Nobody {
    fn line(&mut self, _: &Posed) -> Option<String> {
        None
    }
    fn tell(&mut self, _: &Note) {}
    fn is_there(&self) -> bool {
        false
    }
}

/// Everything fits.
struct World;

impl Outside for World {
    fn look(&mut self, _: &str, _: &Answers, around: &mut Around) -> Vec<Note> {
        let price = Some(Money::new(1.into()));
        around.fits = Some(Fits { offers: 1, price, ..Fits::default() });
        around.most_per_hour = Some(Money::new(4000.into()));
        around.ledger_bucket = Some("mlinfra-ledger-000000000000-us-east-1-an".to_owned());
        Vec::new()
    }
    fn keep(&mut self, _: &Answers) {}
}

const SSH: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0123456789abcdefghijklmnopqrstuvwxyz \
                   \"me\" ${at} %{home}";

/// Answers that exclude nothing; for each question every kind of them.
const WAYS: &[(&str, &[&str])] = &[
    ("gpu", &["A10G", "H100", "memory", "A100-80GB", "Trainium"]),
    ("engine", &["none", "sqs", "slurm", "redis", "postgres", "prometheus", "http", "program"]),
    ("size", &["1", "3"]),
    ("gang", &["yes", "no"]),
    ("capacity", &["on-demand", "spot-first", "spot"]),
    ("max_price", &["none", "999"]),
    ("datasets", &["yes", "no"]),
    ("checkpoints", &["yes", "no"]),
    ("scratch", &["none", "lustre"]),
    ("access", &["ssm", "key"]),
    ("ssh_from", &["none", "10.8.0.0/16"]),
    ("ledger", &["local", "bucket"]),
    ("budget", &["none", "1000"]),
];

/// The n-th of all combinations, so spread that every pair of answers comes early.
fn combination(n: usize) -> Answers {
    let mut state = n as u64;
    let mut out = Answers::from([
        ("name".to_owned(), format!("stack-{n}")),
        ("region".to_owned(), "us-east-1".to_owned()),
    ]);
    for (key, words) in WAYS {
        // Knuth's generator (MMIX).
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let word = words[(state >> 33) as usize % words.len()];
        out.insert((*key).to_owned(), word.to_owned());
    }
    settle(out)
}

/// Without the answers to what is not asked then.
fn settle(mut all: Answers) -> Answers {
    let size = all.remove("size").expect("a size");
    let engine = all["engine"].clone();
    let sizes = if engine == "none" { vec!["nodes"] } else { vec!["min", "max"] };
    all.extend(sizes.into_iter().map(|key| (key.to_owned(), size.clone())));
    if size == "1" {
        all.remove("gang");
    }
    if all["access"] == "key" {
        all.insert("ssh_key".to_owned(), SSH.to_owned());
    } else {
        all.remove("ssh_from");
    }
    let url = match engine.as_str() {
        "redis" => Some(("redis_url", "rediss://host:6379/0")),
        "postgres" => Some(("postgres_url", "postgresql://me@host/jobs")),
        "prometheus" => Some(("prometheus_url", "https://prometheus:9090")),
        "http" => Some(("http_url", "https://host/jobs.json")),
        _ => None,
    };
    all.extend(url.map(|(key, value)| (key.to_owned(), value.to_owned())));
    all
}

#[tokio::test(start_paused = true)]
async fn whatever_is_answered_the_stack_is_valid_and_plans() {
    let mut seen = std::collections::BTreeSet::new();
    for n in 0..160 {
        let firm = combination(n);
        seen.extend(firm.iter().map(|(key, value)| format!("{key}={value}")));
        let mut around = Around { sandbox: true, ..Around::default() };
        let given = Given { firm: firm.clone(), resumed: Answers::new() };
        let ended = walk(&questions(), &mut around, &given, &mut Nobody, &mut World);
        let Ended::Done(answers) = ended else { panic!("{firm:?}\n{ended:?}") };
        let drafts = drafts(Scene { answers: &answers, around: &around });
        let whole: String = drafts.iter().map(|draft| draft.text.as_str()).collect();
        for draft in &drafts {
            assert_eq!(lang::fmt(&draft.text).as_ref(), Ok(&draft.text), "{firm:?}");
            assert!(draft.text.lines().all(|line| line.len() <= 140), "{}", draft.text);
        }
        let file =
            |it: &mlinfra::wizard::Draft| File { name: it.name.clone(), text: it.text.clone() };
        let files: Vec<File> = drafts.iter().map(file).collect();
        let loaded = lang::load(&files, &Vars::new(), &Words::default(), None);
        assert!(loaded.problems.is_empty(), "{firm:?}\n{:#?}\n{whole}", loaded.problems);
        // Whoever wants an agent must bring the binary, of which nobody has been asked: a plan says
        // what it means that there is none.
        let mut found = stack::check(&loaded);
        found.retain(|problem| problem.code != "S007");
        assert_eq!(found, [], "{firm:?}\n{whole}");
        let lab = Lab::new(Settings::default());
        let desired = lab.desired(&whole).await;
        let plan = lab.plan(&desired).await.unwrap_or_else(|no| panic!("{firm:?}\n{no}\n{whole}"));
        assert!(plan.steps.len() > 15, "{firm:?}: {} steps", plan.steps.len());
        let fleet = desired.fleets.values().next().expect("a cluster");
        assert_eq!(fleet.gang, answers.get("gang").map_or(fleet.gang, |it| it == "yes"));
    }
    let kinds: usize = WAYS.iter().filter(|(key, _)| *key != "size").map(|(_, it)| it.len()).sum();
    assert!(seen.len() > kinds, "every answer was given: {}", seen.len());
}
