//! `mlinfra doctor`: whether a stack can be applied, found out without changing anything.

use crate::cloud::Observed;
use crate::ledger::Ledger;
use crate::model::Problem;
use crate::show::doctor::{self as show, Check, Report, Status};
use crate::stack::{self, Desired};

use super::args::{Global, VarArgs};
use super::connect::{self, Session};
use super::doctor_checks as checks;
use super::doctor_limits;
use super::doctor_quota;
use super::halt::Halt;
use super::load::{self, Missing, Stack};
use super::terminal::Terminal;
use super::{DONE, PROBLEM};

pub fn run(global: &Global, terminal: &Terminal, args: &VarArgs) -> Result<u8, Halt> {
    let runtime = connect::runtime(global)?;
    runtime.block_on(async {
        // A configuration with mistakes is told as by every other command.
        let stack = load::load(global, args, None, Missing::Refused)?;
        let report = match connect::session(global, args).await {
            Ok(session) => examine(&session).await,
            Err(halt) => unreachable_cloud(&stack, halt),
        };
        if global.json {
            terminal.json(&show::json(&report));
        } else {
            terminal.print(&show::text(&report, &terminal.screen));
        }
        Ok(if report.is_well() { DONE } else { PROBLEM })
    })
}

/// Without a connection nothing else can be looked at.
fn unreachable_cloud(stack: &Stack, halt: Halt) -> Report {
    Report {
        stack: stack.config.stack.to_string(),
        region: stack.config.region.clone(),
        checks: halt.problems.into_iter().map(|one| failed("connection", one)).collect(),
        policy: None,
    }
}

/// A problem as a finding.
fn failed(name: &'static str, problem: Problem) -> Check {
    let Problem { summary, detail, help, .. } = problem;
    let detail = if detail.is_empty() { String::new() } else { format!(" ({detail})") };
    Check::new(name, Status::Failed, format!("{summary}{detail}")).help(help.replace('\n', " "))
}

async fn examine(session: &Session) -> Report {
    let cloud = session.side.cloud();
    let mut found = Vec::new();
    let pulse = cloud.pulse().await;
    found.extend(checks::credentials(session, pulse));
    found.push(checks::clock(session, pulse));
    found.push(checks::region(session));
    let (mut ledger, trouble) = match session.read_ledger().await {
        Ok(ledger) => (ledger, None),
        Err(halt) => (Ledger::default(), halt.problems.into_iter().next()),
    };
    let observed = match session.observe(&mut ledger, false).await {
        Ok(observed) => observed,
        Err(halt) => {
            found.extend(halt.problems.into_iter().map(|one| failed("reading", one)));
            Observed::default()
        }
    };
    found.extend(checks::reading(&observed));
    let desired = wanted(session, &observed, &mut found);
    let permits = stack::permits(&desired);
    let actions = permits.keys().cloned().collect();
    let told = cloud.permissions(&actions).await;
    let (judged, policy) = checks::permissions(&permits, &told);
    found.extend(judged);
    found.extend(checks::images(session));
    found.extend(checks::zones(session, &desired));
    found.extend(checks::capacity(&desired));
    found.extend(checks::services(&desired, &observed));
    found.extend(doctor_quota::quotas(session, &desired, &observed).await);
    found.extend(doctor_limits::limits(session, &desired, &observed).await);
    found.push(match trouble {
        Some(problem) => failed("ledger", problem),
        None => checks::ledger(session).await,
    });
    found.push(checks::endpoints(&cloud.calls()));
    Report {
        stack: session.stack.config.stack.to_string(),
        region: session.facts.home.region.clone(),
        checks: found,
        policy,
    }
}

/// What the stack wants; where that cannot be said in this region, why.
fn wanted(session: &Session, observed: &Observed, found: &mut Vec<Check>) -> Desired {
    match session.desired(observed, false) {
        Ok(desired) => desired,
        Err(problems) => {
            found.extend(problems.into_iter().map(|one| failed("stack", one)));
            Desired::empty(session.stack.config.stack.clone())
        }
    }
}
