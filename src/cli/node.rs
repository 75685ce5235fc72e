//! `mlinfra node`: the agent that runs on a node, and jobs under it.

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use tokio::process::Command;
use tokio::runtime::{Builder, Runtime};

use crate::serve::node::decide::OnRebalance;
use crate::serve::node::imds::Imds;
use crate::serve::node::watch::Watch;
use crate::serve::node::{Agent, Itself, Tagger, Word, jobs};

use super::DONE;
use super::halt::Halt;
use super::machine;
use super::node_args::{NodeArgs, NodeCommand, NodePlace, Rebalance};
use super::terminal::Terminal;

/// The clock of a node is the wall's, also beside a simulated region.
fn runtime() -> Result<Runtime, Halt> {
    let built = Builder::new_current_thread().enable_all().build();
    built.map_err(|error| Halt::one("X002", format!("cannot start: {error}"), ""))
}

pub fn run(terminal: &Terminal, args: &NodeArgs) -> Result<u8, Halt> {
    match &args.command {
        Some(NodeCommand::Run { place, name, words }) => {
            work(terminal, place, (name.as_deref(), words))
        }
        None => attend(terminal, args),
    }
}

fn work(
    terminal: &Terminal,
    place: &NodePlace,
    (name, words): (Option<&str>, &[String]),
) -> Result<u8, Halt> {
    let ended = runtime()?.block_on(jobs::work(&place.dir, name, words));
    let code = ended.map_err(|error| {
        let help = format!("check the command, and that {} can be written", place.dir.display());
        Halt::one("N001", format!("the job did not run: {error}"), help)
    })?;
    if code == jobs::TRY_ELSEWHERE && place.dir.join("closed").exists() {
        terminal.say("mlinfra node: no job may begin here any more; run it elsewhere\n");
    }
    Ok(code)
}

fn attend(terminal: &Terminal, args: &NodeArgs) -> Result<u8, Halt> {
    let imds = Imds::at(&args.metadata).ok_or_else(|| {
        let text = format!("{:?} is no metadata service", args.metadata);
        Halt::one("N002", text, "write it as http://ADDRESS or http://ADDRESS:PORT")
    })?;
    for (flag, every) in [("--every", args.every), ("--check-every", args.check_every)] {
        if !(0.01..=3600.0).contains(&every) {
            let text = format!("an agent cannot look every {every} seconds");
            return Err(Halt::one("N002", text, format!("{flag} takes 0.01 to 3600")));
        }
    }
    let tagger = tagger(args.tag_with.clone())?;
    let say = |text: &str| terminal.say(&format!("mlinfra node: {text}\n"));
    let agent = Agent {
        imds,
        dir: args.place.dir.clone(),
        every: Duration::from_secs_f64(args.every),
        power_off: args.power_off.clone(),
        on_rebalance: match args.on_rebalance {
            Rebalance::Terminate => OnRebalance::Terminate,
            Rebalance::Note => OnRebalance::Note,
        },
        watch: Watch {
            program: args.check.clone(),
            every: Duration::from_secs_f64(args.check_every),
        },
        now: machine::wall,
        tagger: tagger.as_ref(),
        say: &say,
    };
    let ended = runtime()?.block_on(agent.run());
    ended.map_err(|error| Halt::one("X002", format!("cannot start: {error}"), ""))?;
    Ok(DONE)
}

fn tagger(program: Option<PathBuf>) -> Result<Box<dyn Tagger>, Halt> {
    if let Some(program) = program {
        return Ok(Box::new(Program(program)));
    }
    #[cfg(feature = "aws")]
    return Ok(Box::new(Api::default()));
    #[cfg(not(feature = "aws"))]
    Err(Halt::one(
        "X003",
        "this mlinfra was built without the AWS adapter",
        "tag by a program (--tag-with), or build with the feature `aws`",
    ))
}

/// Tags by a program.
struct Program(PathBuf);

#[async_trait]
impl Tagger for Program {
    async fn tag(&self, _itself: &Itself, word: &Word) -> Result<(), String> {
        let mut command = Command::new(&self.0);
        command.args(word.tags().map(|(key, value)| format!("{key}={value}")));
        // A call that is given up must not tag later.
        let done = command.kill_on_drop(true).status().await;
        match done.map_err(|error| format!("{}: {error}", self.0.display()))? {
            status if status.success() => Ok(()),
            status => Err(format!("{}: {status}", self.0.display())),
        }
    }
}

/// Tags by AWS's API.
#[cfg(feature = "aws")]
#[derive(Default)]
struct Api(tokio::sync::OnceCell<crate::aws::Aws>);

#[cfg(feature = "aws")]
#[async_trait]
impl Tagger for Api {
    async fn tag(&self, itself: &Itself, word: &Word) -> Result<(), String> {
        let region = crate::model::Region::from(itself.region.as_str());
        let connect = || crate::aws::Aws::connect(crate::aws::Connect::to(region));
        let aws = self.0.get_or_try_init(connect).await.map_err(|failure| failure.to_string())?;
        aws.tag_instance(&itself.id, &word.tags()).await.map_err(|failure| failure.to_string())
    }
}
