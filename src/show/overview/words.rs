//! The words that `status` and `top` share.

use super::{Cluster, Last, Node, Pending, Scaled, Spend, View};
use crate::model::{Moment, Money};
pub(super) use crate::show::history::when;
use crate::show::words::age;

/// `2026-11-24 09:30`
fn minute(at: Moment) -> String {
    when(at).chars().take(16).collect()
}

/// The first line.
pub(super) fn title(view: &View) -> String {
    let View { stack, region, account, simulated, at, .. } = view;
    let (of, at) = (format!("{stack} in {region}"), minute(*at));
    match simulated {
        // Its clock began in 1970, and runs only while something is done there.
        true => format!("{of}, account {account}, {at} of simulated time"),
        false => format!("{of}, account {account}, {at} UTC"),
    }
}

/// `2`, or `0 to 16`
pub(super) fn wanted(cluster: &Cluster) -> String {
    match (cluster.least, cluster.most) {
        (least, most) if least == most => least.to_string(),
        (least, most) => format!("{least} to {most}"),
    }
}

/// `3 busy, 1 running`; `none` of none.
pub(super) fn states(cluster: &Cluster) -> String {
    let each = cluster.states.iter().map(|(state, number)| format!("{number} {state}"));
    let all = each.collect::<Vec<_>>().join(", ");
    if all.is_empty() { "none".to_owned() } else { all }
}

/// Milliseconds for which what was seen is as good as new.
const FRESH: i64 = 60_000;

/// What waits, and how old that knowledge is.
pub(super) fn queue(cluster: &Cluster, now: Moment) -> String {
    let Some(Scaled { at, jobs_waiting, gpus_waiting, .. }) = &cluster.scaled else {
        return "-".to_owned();
    };
    let Some(at) = at else { return "not looked at yet".to_owned() };
    let jobs = match jobs_waiting {
        1 => "1 job".to_owned(),
        jobs => format!("{jobs} jobs"),
    };
    let gpus = if *gpus_waiting > 0 { format!(", {gpus_waiting} GPUs") } else { String::new() };
    // What is a few seconds old is as good as new.
    let old = now.since(*at) > FRESH;
    let old = if old { format!(" ({} ago)", age(*at, now)) } else { String::new() };
    format!("{jobs}{gpus}{old}")
}

/// `$9.80`, with a word where a part of it is not known.
pub(super) fn priced(sum: Money, unpriced: u32) -> String {
    match unpriced {
        0 => sum.to_string(),
        _ if sum == Money::ZERO => "unknown".to_owned(),
        _ => format!("{sum} + ?"),
    }
}

/// What it costs, and what it may cost.
pub(super) fn spend(view: &View) -> Vec<String> {
    let Some(spend) = &view.spend else {
        return vec!["Spend: not known, since no plan can be made.".to_owned()];
    };
    let Spend { per_hour, per_month, ceiling, unpriced, .. } = spend;
    let hour = priced(*per_hour, *unpriced);
    let mut out = vec![format!("Spend: {hour}/h, {per_month} in a month of 730 h.")];
    for (limit, now, time) in [
        (spend.budget_per_hour, *per_hour, "an hour"),
        (spend.budget_per_month, *per_month, "a month"),
    ] {
        let Some(limit) = limit else { continue };
        let share = now.ratio(limit) * 100.0;
        out.push(format!("Budget: {limit} {time}, of which {share:.0}% is used."));
    }
    if ceiling > per_hour {
        out.push(format!("With every cluster at its most nodes: {ceiling}/h."));
    }
    out
}

/// How the last apply went.
pub(super) fn last(view: &View) -> String {
    let Some(Last { number, verb, outcome, began, ended, who }) = &view.last else {
        return "Last apply: none yet.".to_owned();
    };
    let at = ended.unwrap_or(*began);
    let ago = age(at, view.at);
    format!("Last apply: number {number} ({verb}), {outcome}, {ago} ago by {who}.")
}

/// What the configuration asks for, and that nobody has looked for drift.
pub(super) fn rest(view: &View) -> [String; 2] {
    let pending = match &view.pending {
        Pending::Changes(text) => format!("Configuration: not applied. {text}"),
        // `top` cuts its lines: what is to be done has to stand within eighty columns.
        Pending::Differs(text) => format!("Configuration: applied, but drifted. {text}"),
        Pending::Nothing => "Configuration: applied, nothing is to be done.".to_owned(),
        Pending::Unknown => "Configuration: not compared, since no plan can be made.".to_owned(),
    };
    [pending, "Drift: not looked for here; `mlinfra drift` does.".to_owned()]
}

/// The cells of a node: id, state, type, zone, market, age, price, job.
pub(super) fn node(node: &Node, now: Moment) -> [String; 8] {
    let Node { id, state, instance_type, zone, market, launched, per_hour, job, .. } = node;
    [
        id.clone(),
        state.clone(),
        instance_type.clone(),
        zone.clone(),
        market.clone(),
        launched.map_or_else(|| "unknown".to_owned(), |at| age(at, now)),
        per_hour.map_or_else(|| "unknown".to_owned(), |price| price.to_string()),
        job.clone().unwrap_or_default(),
    ]
}

/// What stands above those.
pub(super) const NODE: [&str; 8] = ["NODE", "STATE", "TYPE", "ZONE", "MARKET", "AGE", "$/H", "JOB"];
/// What stands above clusters.
pub(super) const CLUSTER: [&str; 6] = ["CLUSTER", "NODES", "WANTED", "STATES", "QUEUE", "$/H"];

/// The cells of a cluster.
pub(super) fn cluster(cluster: &Cluster, now: Moment) -> [String; 6] {
    [
        cluster.name.clone(),
        cluster.states.values().sum::<u32>().to_string(),
        wanted(cluster),
        states(cluster),
        queue(cluster, now),
        priced(cluster.per_hour, cluster.unpriced),
    ]
}
