//! `status` for programs; `mlinfra schema status` says what stands where.

use serde_json::{Value, json};

use super::{Cluster, Happened, Last, Node, Pending, Scaled, Spend, Trouble, View};

/// The stack as it is now.
pub fn json(view: &View) -> Value {
    let View { stack, region, account, simulated, at, problems, clusters, nodes, .. } = view;
    let View { spend, pending, last, events, .. } = view;
    json!({
        "format_version": "1.0",
        "stack": stack,
        "region": region,
        "account": account,
        "simulated": simulated,
        "at": at.to_string(),
        "problems": problems.iter().map(trouble).collect::<Vec<_>>(),
        "clusters": clusters.iter().map(cluster).collect::<Vec<_>>(),
        "nodes": nodes.iter().map(node).collect::<Vec<_>>(),
        "spend": spend.as_ref().map(self::spend),
        "pending": match pending {
            Pending::Unknown => json!({ "known": false, "changes": null }),
            Pending::Nothing => json!({ "known": true, "changes": null }),
            Pending::Changes(text) | Pending::Differs(text) => {
                json!({ "known": true, "changes": text })
            }
        },
        "drift": "not looked for",
        "last_apply": last.as_ref().map(self::last),
        "events": events.iter().map(event).collect::<Vec<_>>(),
    })
}

fn trouble(one: &Trouble) -> Value {
    let Trouble { grave, text, help } = one;
    json!({ "grave": grave, "text": text, "help": help })
}

fn cluster(one: &Cluster) -> Value {
    let Cluster { name, least, most, states, per_hour, unpriced, scaled } = one;
    json!({
        "name": name, "min": least, "max": most, "nodes": states, "usd_per_hour": per_hour,
        "nodes_without_price": unpriced,
        "autoscaler": scaled.as_ref().map(|Scaled { at, jobs_waiting, gpus_waiting, target, pause }| {
            json!({ "looked_at": at.map(|at| at.to_string()), "jobs_waiting": jobs_waiting,
                "gpus_waiting": gpus_waiting, "target": target, "pause": pause })
        }),
    })
}

fn node(one: &Node) -> Value {
    let Node { id, cluster, state, instance_type, zone, market, launched, per_hour, job, reason } =
        one;
    json!({
        "id": id, "cluster": cluster, "state": state, "instance_type": instance_type, "zone": zone,
        "market": market, "launched_at": launched.map(|at| at.to_string()),
        "usd_per_hour": per_hour, "job": job, "reason": reason,
    })
}

fn spend(one: &Spend) -> Value {
    let Spend { per_hour, per_month, ceiling, unpriced, .. } = one;
    let Spend { budget_per_hour, budget_per_month, blocks, .. } = one;
    let blocks = blocks.iter().map(|(name, hour, month)| {
        json!({ "block": name, "usd_per_hour": hour, "usd_per_month": month })
    });
    json!({
        "currency": "USD", "usd_per_hour": per_hour, "usd_per_month": per_month,
        "ceiling_usd_per_hour": ceiling, "without_price": unpriced,
        "budget_usd_per_hour": budget_per_hour, "budget_usd_per_month": budget_per_month,
        "blocks": blocks.collect::<Vec<_>>(),
    })
}

fn last(one: &Last) -> Value {
    let Last { number, verb, outcome, began, ended, who } = one;
    json!({ "number": number, "verb": verb, "outcome": outcome, "began": began.to_string(),
        "ended": ended.map(|at| at.to_string()), "user": who })
}

fn event(one: &Happened) -> Value {
    let Happened { at, of, text } = one;
    json!({ "at": at.to_string(), "of": of, "text": text })
}
