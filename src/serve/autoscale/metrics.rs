//! `/metrics`: the board as Prometheus reads it.
//!
//! What belongs to a cluster is told by whoever leads, so that two services do not tell it
//! twice. What no look shows is absent, not 0.

use crate::demand::What;
use crate::model::{Moment, Money};

use super::exposition::{Exposition, Sample, count};
use super::labels::Place;
use super::queues::Queue;
use super::signs::Taken;
use super::status::{ClusterStatus, Pulse, Status};

/// One cluster of a leader.
type One<'a> = (&'a str, &'a ClusterStatus);

/// All metrics as text.
pub fn text(status: &Status, pulse: &Pulse) -> String {
    let mut out = Exposition::default();
    service(&mut out, status, pulse);
    let leads = status.leader == Some(true);
    let all = status.clusters.iter().filter(|_| leads);
    let all: Vec<One<'_>> = all.map(|(name, it)| (name.as_str(), it)).collect();
    demand(&mut out, &all);
    nodes(&mut out, &all);
    ends(&mut out, &all);
    decisions(&mut out, &all);
    launches(&mut out, &all);
    money(&mut out, &all);
    out.finish()
}

fn service(out: &mut Exposition, status: &Status, pulse: &Pulse) {
    let version =
        if status.version.is_empty() { env!("CARGO_PKG_VERSION") } else { status.version.as_str() };
    out.gauge("mlinfra_build_info", "The mlinfra that runs.", [(vec![("version", version)], 1.0)]);
    let leader = status.leader.map(|leads| (vec![], bit(leads)));
    out.gauge("mlinfra_autoscaler_leader", "1 where this service decides.", leader);
    let epoch = status.lease_epoch.map(|epoch| (vec![], count(epoch)));
    out.gauge("mlinfra_autoscaler_lease_epoch", "The number of the leader's lease.", epoch);
    let name = "mlinfra_autoscaler_looks_total";
    let failed = status.counts.failed;
    let ended = status.counts.ticks.saturating_sub(failed);
    let looks = [(vec![("result", "failed")], failed), (vec![("result", "ended")], ended)];
    let looks = looks.map(|(labels, number)| (labels, count(number)));
    out.counter(name, "Looks at all clusters since the service began.", looks);
    let ago = pulse.since_look.map(|it| (vec![], it.as_secs_f64()));
    out.gauge("mlinfra_autoscaler_look_age_seconds", "Time since the last look ended.", ago);
    let orphans = status.orphans.filter(|_| status.leader == Some(true));
    let orphans = orphans.map(|nodes| (vec![], count(nodes)));
    let help = "Nodes with the stack's tags that no cluster of it declares.";
    out.gauge("mlinfra_autoscaler_orphans", help, orphans);
    let problem = (vec![], bit(status.problem.is_some() || status.unread.is_some()));
    let help = "1 where the configuration or the cloud cannot be read.";
    out.gauge("mlinfra_autoscaler_problem", help, [problem]);
}

fn demand(out: &mut Exposition, all: &[One<'_>]) {
    let queues: Vec<(&str, &str, &Queue, &ClusterStatus)> = all
        .iter()
        .flat_map(|(name, it)| {
            it.meters.queues.all.iter().map(|(queue, told)| (*name, queue.as_str(), told, *it))
        })
        .collect();
    let known = queues.iter().filter(|(_, _, it, _)| it.is_known());
    let depth = known
        .clone()
        .map(|(cluster, queue, it, _)| (labels(cluster, (queue, it.source)), count(it.jobs)));
    out.gauge("mlinfra_autoscaler_queue_depth", "Jobs that wait.", depth);
    let oldest = queues.iter().filter_map(|(cluster, queue, told, it)| {
        Some((labels(cluster, (queue, told.source)), seconds(it.at, told.oldest?)))
    });
    let help = "Age of the oldest job that waits, where the source tells.";
    out.gauge("mlinfra_autoscaler_queue_oldest_job_age_seconds", help, oldest);
    let gpus = known.flat_map(|(cluster, queue, it, _)| {
        [("waiting", it.waiting), ("running", it.running)].map(|(state, number)| {
            let mut labels = labels(cluster, (queue, it.source));
            labels.push(("state", state));
            (labels, count(number))
        })
    });
    out.gauge("mlinfra_autoscaler_demand_gpus", "GPUs that jobs ask for.", gpus);
    let errors = queues.iter().flat_map(|(cluster, queue, it, _)| {
        // From 0 on: a counter that begins at 1 has not increased for whoever asks.
        What::ALL.into_iter().map(|what| {
            let mut labels = labels(cluster, (queue, it.source));
            labels.push(("error", what.word()));
            (labels, count(it.errors.get(&what).copied().unwrap_or(0)))
        })
    });
    let help = "Looks at which a source gave no answer, by what went wrong.";
    out.counter("mlinfra_autoscaler_source_errors_total", help, errors);
    let age = queues.iter().filter_map(|(cluster, queue, it, _)| {
        Some((labels(cluster, (queue, it.source)), f64::from(it.age?)))
    });
    let help = "Time since a source last answered; absent where it has not for ten minutes.";
    out.gauge("mlinfra_autoscaler_source_staleness_seconds", help, age);
    let help = "GPUs of waiting jobs that are neither free nor coming nor asked for.";
    out.gauge("mlinfra_autoscaler_unmet_gpus", help, each(all, |it| Some(count(it.meters.unmet))));
}

fn nodes(out: &mut Exposition, all: &[One<'_>]) {
    let nodes = all.iter().flat_map(|(cluster, it)| {
        it.meters.nodes.iter().map(|((state, place), number)| {
            let mut labels = vec![("cluster", *cluster), ("state", *state)];
            labels.extend(places(place));
            (labels, count(*number))
        })
    });
    out.gauge("mlinfra_autoscaler_nodes", "Nodes by what they do.", nodes);
    let help = "Nodes that are wanted in all.";
    let target = each(all, |it| Some(f64::from(it.sums.target)));
    out.gauge("mlinfra_autoscaler_desired_nodes", help, target);
    let limits = all.iter().flat_map(|(cluster, it)| {
        [("min", it.sums.min), ("max", it.sums.max)].map(|(bound, number)| {
            (vec![("cluster", *cluster), ("bound", bound)], f64::from(number))
        })
    });
    out.gauge("mlinfra_autoscaler_limit_nodes", "Bounds as they are now.", limits);
    let help = "Free GPUs on nodes that have jobs.";
    let parts = each(all, |it| Some(count(it.meters.fragments)));
    out.gauge("mlinfra_autoscaler_fragmentation_gpus", help, parts);
    let help = "GPU-seconds with a job, since the service began.";
    let busy = each(all, |it| Some(it.meters.busy));
    out.counter("mlinfra_autoscaler_busy_gpu_seconds_total", help, busy);
    let help = "GPU-seconds without a job on nodes that take jobs, since the service began.";
    let idle = each(all, |it| Some(it.meters.idle));
    out.counter("mlinfra_autoscaler_idle_gpu_seconds_total", help, idle);
}

fn ends(out: &mut Exposition, all: &[One<'_>]) {
    let gone = all.iter().flat_map(|(cluster, it)| {
        Taken::ALL.into_iter().flat_map(move |kind| {
            super::meters::TAKEN.iter().map(move |outcome| {
                let number = it.meters.interruptions.get(&(kind, *outcome)).copied().unwrap_or(0);
                let labels =
                    vec![("cluster", *cluster), ("kind", kind.word()), ("outcome", *outcome)];
                (labels, count(number))
            })
        })
    });
    let help = "Nodes that the cloud was about to take away, and what came of it.";
    out.counter("mlinfra_autoscaler_interruptions_total", help, gone);
    let drains = all.iter().flat_map(|(cluster, it)| {
        // From 0 on: a counter that begins at 1 has not increased for whoever asks.
        super::meters::OUTCOMES.iter().map(|outcome| {
            let number = it.meters.drains.get(outcome).copied().unwrap_or(0);
            (vec![("cluster", *cluster), ("outcome", *outcome)], count(number))
        })
    });
    let help = "Nodes that were told to take no more jobs, and what came of it.";
    out.counter("mlinfra_autoscaler_drains_total", help, drains);
    let ill = all.iter().flat_map(|(cluster, it)| {
        it.meters.ill.iter().map(|(illness, number)| {
            let labels = vec![
                ("cluster", *cluster),
                ("check", illness.check),
                ("xid", illness.xid.as_str()),
            ];
            (labels, count(*number))
        })
    });
    let help = "Nodes that became unhealthy, by the check that failed.";
    out.counter("mlinfra_autoscaler_health_failures_total", help, ill);
    let help = "Jobs on nodes that were ended by a decision. Anything but 0 is a defect.";
    let killed = each(all, |it| Some(count(it.meters.killed)));
    out.counter("mlinfra_autoscaler_jobs_killed_total", help, killed);
}

fn decisions(out: &mut Exposition, all: &[One<'_>]) {
    let taken = all.iter().flat_map(|(cluster, it)| {
        it.meters.decisions.iter().map(|((action, reason), number)| {
            let labels =
                vec![("cluster", *cluster), ("action", *action), ("reason", reason.as_str())];
            (labels, count(*number))
        })
    });
    let help = "What was decided: once for a batch, a node that turns, or a look that holds.";
    out.counter("mlinfra_autoscaler_decisions_total", help, taken);
    let events = all.iter().flat_map(|(cluster, it)| {
        it.meters.events.iter().map(|((direction, reason, result), number)| {
            let labels = vec![
                ("cluster", *cluster),
                ("direction", *direction),
                ("reason", reason.as_str()),
                ("result", *result),
            ];
            (labels, count(*number))
        })
    });
    let help = "Nodes that were asked for and nodes that were ended.";
    out.counter("mlinfra_autoscaler_scale_events_total", help, events);
    let help = "How long decisions took.";
    let took = all.iter().map(|(cluster, it)| (vec![("cluster", *cluster)], &it.meters.deciding));
    out.histogram("mlinfra_autoscaler_decision_duration_seconds", help, took);
    let help = "Looks that came to nothing, by the cluster that they were at.";
    let blocked = each(all, |it| Some(count(it.meters.blocked)));
    out.counter("mlinfra_autoscaler_blocked_looks_total", help, blocked);
    let help = "When the cluster was last looked at with success.";
    let at = each(all, |it| (it.at != Moment::default()).then(|| seconds(it.at, Moment(0))));
    out.gauge("mlinfra_autoscaler_last_success_timestamp_seconds", help, at);
    let help = "1 where somebody has paused the cluster.";
    let paused = each(all, |it| Some(bit(it.pause.is_some())));
    out.gauge("mlinfra_autoscaler_paused", help, paused);
}

fn launches(out: &mut Exposition, all: &[One<'_>]) {
    let attempts = all.iter().flat_map(|(cluster, it)| {
        it.meters.attempts.iter().map(|((place, result), number)| {
            let mut labels = vec![("cluster", *cluster), ("result", *result)];
            labels.extend(places(place));
            (labels, count(*number))
        })
    });
    let help = "Launch calls, and what came of them.";
    out.counter("mlinfra_autoscaler_launch_attempts_total", help, attempts);
    let phases = all.iter().flat_map(|(cluster, it)| {
        let phases = it.meters.phases.iter();
        phases.map(|(phase, took)| (vec![("cluster", *cluster), ("phase", *phase)], took))
    });
    let help = "How long nodes stayed in each state on their way to take jobs.";
    out.histogram("mlinfra_autoscaler_launch_phase_seconds", help, phases);
    let help = "How long nodes took from the request until they took jobs.";
    let took = all.iter().map(|(cluster, it)| (vec![("cluster", *cluster)], &it.meters.launches));
    out.histogram("mlinfra_autoscaler_launch_duration_seconds", help, took);
    let help = "Offers that are not tried because they were refused lately.";
    let refused = each(all, |it| Some(count(it.meters.refused)));
    out.gauge("mlinfra_autoscaler_ice_cooldowns", help, refused);
    let help = "1 where launches failed so often that only single nodes are tried.";
    let circuit = each(all, |it| Some(bit(it.meters.circuit)));
    out.gauge("mlinfra_autoscaler_circuit_state", help, circuit);
}

fn money(out: &mut Exposition, all: &[One<'_>]) {
    let per_hour = each(all, |it| Some(dollars(it.sums.per_hour)));
    let help = "What all nodes cost per hour in US dollars, as far as their prices are known.";
    out.gauge("mlinfra_autoscaler_hourly_cost_dollars", help, per_hour);
    let help = "What nodes have cost in US dollars since the service began.";
    let cost = each(all, |it| Some(dollars(it.meters.cost)));
    out.counter("mlinfra_autoscaler_cost_dollars_total", help, cost);
    let help = "What nodes would have cost more on demand in US dollars, since the service began.";
    let saved = each(all, |it| Some(dollars(it.meters.saved)));
    out.counter("mlinfra_autoscaler_saved_vs_on_demand_dollars_total", help, saved);
    let help = "What is left of this month's budget in US dollars, where there is one.";
    let left = each(all, |it| it.meters.left.map(dollars));
    out.gauge("mlinfra_autoscaler_budget_remaining_dollars", help, left);
}

fn labels<'a>(
    cluster: &'a str,
    (queue, source): (&'a str, &'a str),
) -> Vec<(&'static str, &'a str)> {
    vec![("cluster", cluster), ("queue", queue), ("source", source)]
}

/// A sample for each cluster of which something is known.
fn each<'a>(
    all: &'a [One<'a>],
    value: impl Fn(&ClusterStatus) -> Option<f64> + 'a,
) -> impl Iterator<Item = Sample<'a>> {
    all.iter().filter_map(move |(cluster, it)| Some((vec![("cluster", *cluster)], value(it)?)))
}

fn places((instance, zone, market): &Place) -> [(&'static str, &str); 3] {
    [("type", instance.as_str()), ("az", zone.as_str()), ("capacity", *market)]
}

fn bit(set: bool) -> f64 {
    f64::from(u8::from(set))
}

fn seconds(at: Moment, since: Moment) -> f64 {
    count(u64::try_from(at.since(since)).unwrap_or(0)) / 1000.0
}

fn dollars(money: Money) -> f64 {
    money.dollars().try_into().unwrap_or(f64::NAN)
}
