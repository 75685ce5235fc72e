//! What `status` and `top` show, gathered from the cloud, the ledger and the autoscaler's memory.

use std::collections::BTreeMap;

use crate::cloud::{Observed, Phase};
use crate::kinds::Plan;
use crate::ledger::{Apply, Ledger, history};
use crate::model::{Address, Clock as _, Money, Severity};
use crate::plan::cost::{Bill, When};
use crate::plan::{Misled, Selection, cost::Sum, misled};
use crate::serve::autoscale::{Kept, Pause};
use crate::show::nodes::{self, NodeRow};
use crate::show::overview::{Cluster, Happened, Last, Node, Pending, Scaled, Spend, Trouble, View};
use crate::show::screen::Screen;
use crate::show::{self};
use crate::stack::Desired;

use super::args::{Global, VarArgs};
use super::connect::{self, Session};
use super::halt::Halt;
use super::nodes::prices as node_prices;
use super::{autoscale, plan, tell};

/// Applies that are looked at for what happened last.
const APPLIES: usize = 10;
/// Events that are kept.
const EVENTS: usize = 100;
/// An autoscaler that has not looked for so long does not look any more: it does so every few
/// seconds, and at the latest when a decision asks for it.
const SILENT: i64 = 15 * 60 * 1000;

/// Looks at a stack.
pub async fn look(global: &Global, vars: &VarArgs) -> Result<View, Halt> {
    let session = connect::session(global, vars).await?;
    let mut ledger = session.read_ledger().await?;
    let observed = session.observe(&mut ledger, false).await?;
    let whole = Selection::default();
    let planned = session.priced_plan(&ledger, &observed, false, &whole);
    let desired = session.desired(&observed, false).map_err(|found| session.halt(found))?;
    let applies = history::last(&*session.read_store()?, &ledger, APPLIES).await?;
    let mut view = View {
        stack: session.stack.config.stack.to_string(),
        region: session.facts.home.region.to_string(),
        account: session.facts.home.account.to_string(),
        simulated: session.world.is_some(),
        at: session.side.now(),
        last: applies.last().map(last),
        events: applies.iter().map(applied).collect(),
        problems: seen(&session, (&observed, &ledger), &misled(&desired, &observed)),
        ..View::default()
    };
    match &planned {
        Ok((plan, bill)) => {
            view.spend = Some(spend(&session, bill));
            view.pending = match plan.is_empty() {
                true => Pending::Nothing,
                false if is_applied(&session, applies.last()) => {
                    Pending::Differs(show::plan::in_short(plan))
                }
                false => Pending::Changes(show::plan::in_short(plan)),
            };
            view.problems.extend(judged(&session, plan, bill));
        }
        Err(halt) => view.problems.extend(halt.problems.iter().map(trouble)),
    }
    if planned.is_ok() {
        view.problems.extend(unseen(&observed));
    }
    let rows = nodes::rows(&observed, node_prices(&session));
    view.nodes = rows.iter().map(node).collect();
    view.clusters = clusters(&desired, &rows);
    scaled(&session, &desired, &mut view).await?;
    finish(&mut view, &applies);
    Ok(view)
}

/// Whether the last apply was of this very configuration, all of it, and came to its end.
fn is_applied(session: &Session, last: Option<&Apply>) -> bool {
    last.is_some_and(|apply| {
        let whole = apply.targets.is_empty() && apply.outcome == "converged";
        whole && apply.config.as_deref() == Some(session.stack.snapshot.digest().as_str())
    })
}

/// The newest events first, and the gravest problems.
fn finish(view: &mut View, applies: &[Apply]) {
    if let Some(apply) = applies.last().filter(|apply| apply.outcome != "converged") {
        let text = match apply.ended {
            Some(_) => format!("apply {} ended as {}", apply.number, apply.outcome),
            None => format!("apply {} has not ended: it runs, or has died", apply.number),
        };
        let help = format!("`mlinfra history show {}` tells what was done", apply.number);
        view.problems.push(Trouble { grave: false, text, help });
    }
    view.events.sort_by_key(|event| std::cmp::Reverse(event.at));
    view.events.truncate(EVENTS);
    view.problems.sort_by_key(|problem| !problem.grave);
    let mut told = std::collections::BTreeSet::new();
    view.problems.retain(|problem| told.insert(problem.text.clone()));
}

fn trouble(problem: &crate::model::Problem) -> Trouble {
    Trouble {
        grave: problem.severity == Severity::Error,
        text: problem.summary.clone(),
        help: problem.help.clone(),
    }
}

/// What could not be listed, where a plan can do without.
fn unseen(observed: &Observed) -> Vec<Trouble> {
    let each = observed.blind.iter().map(|(kind, why)| Trouble {
        grave: true,
        text: format!("{} could not be listed: {why}", kind.title()),
        help: "nothing is known of them; `mlinfra doctor` names the right that is missing"
            .to_owned(),
    });
    each.collect()
}

/// What is wrong by what the cloud and the ledger say.
fn seen(
    session: &Session,
    (observed, ledger): (&Observed, &Ledger),
    misled: &[Misled],
) -> Vec<Trouble> {
    let stopped = tell::stopped(ledger, false);
    let grave = stopped.iter().map(|one| Trouble { grave: true, ..trouble(one) });
    let mut out: Vec<Trouble> = grave.collect();
    out.extend(plan::unfinished(ledger).iter().map(trouble));
    let rows = nodes::rows(observed, node_prices(session));
    out.extend(misled.iter().map(|one| Trouble {
        grave: true,
        text: one.words(),
        help: Misled::HELP.to_owned(),
    }));
    let told = |row: &NodeRow<'_>| misled.iter().any(|one| one.node.as_ref() == Some(row.id));
    for row in rows.iter().filter(|row| !told(row)) {
        let ill = matches!(row.live.phase, Phase::Failed(_)) || row.state() == "unhealthy";
        let Some(why) = row.reason().filter(|_| ill) else { continue };
        out.push(Trouble {
            grave: true,
            text: format!("{} of {} is {}: {why}", row.id.short(), row.cluster(), row.state()),
            help: "`mlinfra apply`, or the autoscaler, replaces it".to_owned(),
        });
    }
    let wide = Screen { width: usize::MAX, ..Screen::PLAIN };
    let notes = show::node_notes::text(observed, &wide);
    let notes = notes.lines().filter_map(|line| line.strip_prefix("Note: "));
    out.extend(notes.map(|text| Trouble {
        grave: false,
        text: text.to_owned(),
        help: String::new(),
    }));
    out
}

/// What the guard rails say.
fn judged(session: &Session, plan: &Plan, bill: &Bill) -> Vec<Trouble> {
    let config = &session.stack.config;
    let mut out: Vec<Trouble> = session.judge(plan, bill).iter().map(trouble).collect();
    let now = bill.sum(When::Before);
    if let Some(budget) = &config.budget {
        for (limit, cost, time) in [
            (&budget.per_hour, now.per_hour(), "an hour"),
            (&budget.per_month, now.per_month(), "a month"),
        ] {
            let Some(limit) = limit.as_ref().filter(|limit| cost > limit.usd) else { continue };
            let text = format!("what runs costs {cost} {time}, and the budget is {}", limit.usd);
            let help = "`mlinfra cost` says what for".to_owned();
            out.push(Trouble { grave: true, text, help });
        }
    }
    out
}

fn spend(session: &Session, bill: &Bill) -> Spend {
    let (now, most) = (bill.sum(When::Before), bill.sum(When::Ceiling));
    let budget = session.stack.config.budget.as_ref();
    let mut blocks: Vec<(String, Money, Money)> = bill
        .blocks()
        .iter()
        .map(|(owner, lines)| {
            let sum: Sum = lines.iter().map(|line| line.sum(When::Before)).sum();
            (owner.to_string(), sum.per_hour(), sum.per_month())
        })
        .filter(|(_, hour, _)| *hour > Money::ZERO)
        .collect();
    blocks.sort_by_key(|one| std::cmp::Reverse(one.1));
    Spend {
        per_hour: now.per_hour(),
        per_month: now.per_month(),
        ceiling: most.per_hour(),
        unpriced: now.unknown,
        budget_per_hour: budget.and_then(|it| it.per_hour.as_ref()).map(|it| it.usd),
        budget_per_month: budget.and_then(|it| it.per_month.as_ref()).map(|it| it.usd),
        blocks,
    }
}

fn node(row: &NodeRow<'_>) -> Node {
    let of = |text: fn(&crate::kinds::Node) -> String| {
        row.node.map_or_else(|| "unknown".to_owned(), text)
    };
    Node {
        id: row.id.short().to_owned(),
        cluster: row.cluster(),
        state: row.state().to_owned(),
        instance_type: of(|node| node.instance_type.clone()),
        zone: of(|node| node.zone.to_string()),
        market: of(|node| node.market.word().to_owned()),
        launched: row.condition.launched,
        per_hour: row.price,
        job: row.job().map(str::to_owned),
        reason: row.reason().map(str::to_owned),
    }
}

/// Clusters that are declared, and those of which nodes are left.
fn clusters(desired: &Desired, rows: &[NodeRow<'_>]) -> Vec<Cluster> {
    let declared = desired.fleets.iter().map(|(address, fleet)| {
        let name = address.owner().to_string();
        let (least, most) = (fleet.count, fleet.most);
        (name.clone(), Cluster { name, least, most, ..Cluster::default() })
    });
    let mut all: BTreeMap<String, Cluster> = declared.collect();
    for row in rows {
        let name = row.cluster();
        let cluster =
            all.entry(name.clone()).or_insert_with(|| Cluster { name, ..Cluster::default() });
        *cluster.states.entry(row.state().to_owned()).or_default() += 1;
        match row.price {
            Some(price) => cluster.per_hour = cluster.per_hour + price,
            None => cluster.unpriced += 1,
        }
    }
    all.into_values().collect()
}

/// What the autoscaler has written down.
async fn scaled(session: &Session, desired: &Desired, view: &mut View) -> Result<(), Halt> {
    let now = view.at;
    for (address, fleet) in &desired.fleets {
        if !fleet.is_scaled() {
            continue;
        }
        let name = address.owner().to_string();
        let (kept, pause) = kept(session, address).await?;
        let pause = pause.as_ref().map(autoscale::pause_words);
        let sums = kept.last.as_ref().map(|(_, decision)| decision.sums).unwrap_or_default();
        let at = kept.last.as_ref().map(|(at, _)| *at);
        let silent = at.is_some_and(|at| now.since(at) > SILENT);
        if silent && pause.is_none() {
            let text = format!("the autoscaler has not looked at {name} for a quarter of an hour");
            let help = "`mlinfra autoscale run`, or `once` from a timer, looks at it".to_owned();
            view.problems.push(Trouble { grave: false, text, help });
        }
        for (_, decision) in kept.last.iter().filter(|_| !silent) {
            let lines = show::decision::explain(decision);
            let alerts = lines.iter().filter_map(|line| line.strip_prefix("attention: "));
            view.problems.extend(alerts.map(|text| Trouble {
                grave: false,
                text: format!("{name}: {text}"),
                help: format!("`mlinfra autoscale explain {name}` says more"),
            }));
        }
        for (at, decision) in &kept.log {
            let lines = show::decision::actions(decision);
            view.events.extend(lines.into_iter().map(|text| Happened {
                at: *at,
                of: name.clone(),
                text,
            }));
        }
        if let Some(cluster) = view.clusters.iter_mut().find(|it| it.name == name) {
            cluster.scaled = Some(Scaled {
                at,
                jobs_waiting: sums.jobs_waiting,
                gpus_waiting: sums.gpus_waiting,
                target: sums.target,
                pause,
            });
        }
    }
    Ok(())
}

async fn kept(session: &Session, nodes: &Address) -> Result<(Kept, Option<Pause>), Halt> {
    if !session.has_fleet_store(nodes) {
        return Ok((Kept::default(), None));
    }
    let store = session.fleet_store(nodes)?;
    let (kept, _) = Kept::read(&*store).await?;
    Ok((kept, Pause::read(&*store, session.side.now()).await?))
}

fn last(apply: &Apply) -> Last {
    Last {
        number: apply.number,
        verb: apply.who.verb.clone(),
        outcome: show::history::outcome(apply).to_owned(),
        began: apply.began,
        ended: apply.ended,
        who: apply.who.user.clone(),
    }
}

fn applied(apply: &Apply) -> Happened {
    // A verb may hold a number itself: `rollback to 1`.
    let what = match apply.who.verb.contains(' ') {
        true => format!("apply {} ({})", apply.number, apply.who.verb),
        false => format!("{} {}", apply.who.verb, apply.number),
    };
    let text = format!(
        "{what}: {}, {} of {} steps done",
        show::history::outcome(apply),
        apply.done.iter().filter(|done| done.failure.is_none()).count(),
        apply.steps
    );
    Happened { at: apply.ended.unwrap_or(apply.began), of: "stack".to_owned(), text }
}
