//! A decision of the autoscaler in plain words: the same on the command line, in the service's
//! log and on its page. Every reason has words here, so that a new one breaks this file.

use std::time::Duration;

use super::fold::{self, count};
use super::screen::Untrusted;
use super::words::{nodes, span};
use crate::fleet::{
    Against, Alert, Considered, Decision, Fate, Heard, Launch, LaunchReason, NodeId, NotLess,
    NotMore, OfferKey, Rule, Seconds, Shape, Sums, Turn, TurnTo, TurnWhy, Unheard,
};
use crate::model::Moment;

/// Names of nodes that are shown of many.
const NAMES: usize = 3;
/// Fates and offers that are shown of many.
const SHOWN: usize = 20;

/// Everything that a decision says, a line each, what matters most first: what is done, what a
/// person should know of, the numbers, why no more and no fewer nodes, what becomes of the jobs,
/// what is thought of the offers.
pub fn explain(decision: &Decision) -> Vec<String> {
    let Decision { launches: _, turns: _, sums: _, heard: _, waiting, left_out, .. } = decision;
    let Decision { not_more, not_less, considered, alerts, wake, .. } = decision;
    let mut lines = actions(decision);
    if lines.is_empty() {
        lines.push("nothing is done".to_owned());
    }
    lines.extend(alerts.iter().map(|it| format!("attention: {}", alert(it))));
    lines.extend(numbers(decision));
    lines.extend(not_more.iter().map(|it| format!("no more nodes: {}", more(it))));
    lines.extend(not_less.iter().map(|it| format!("no fewer nodes: {}", less(it))));
    lines.extend(some(waiting, fate, "group of jobs", "groups of jobs"));
    lines.extend(left_out.iter().map(|it| format!("left out: {}", Untrusted(it))));
    lines.extend(some(considered, offer, "offer", "offers"));
    lines.extend(wake.map(|at| format!("looks again at {} at the latest", when(at))));
    lines
}

/// What a decision does, a line each; nothing where it does nothing.
pub fn actions(decision: &Decision) -> Vec<String> {
    let mut groups: Vec<(TurnTo, String, Vec<&NodeId>)> = Vec::new();
    for Turn { node, to, why } in &decision.turns {
        let why = turn_why(why);
        match groups.iter_mut().find(|group| (group.0, &group.1) == (*to, &why)) {
            Some(group) => group.2.push(node),
            None => groups.push((*to, why, vec![node])),
        }
    }
    let turns = groups.iter().map(|(to, why, ids)| format!("{} {}: {why}", verb(*to), names(ids)));
    turns.chain(decision.launches.iter().map(launch)).collect()
}

fn some<T>(all: &[T], words: fn(&T) -> String, one: &str, many: &str) -> Vec<String> {
    let mut lines: Vec<String> = all.iter().take(SHOWN).map(words).collect();
    let over = all.len().saturating_sub(SHOWN);
    if over > 0 {
        lines.push(format!("and {} more", count(over, one, many)));
    }
    lines
}

fn number(count: u32) -> String {
    nodes(usize::try_from(count).unwrap_or(usize::MAX))
}

fn jobs(number: u32) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX), "job", "jobs")
}

fn gpus(number: u64) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX), "GPU", "GPUs")
}

fn names(ids: &[&NodeId]) -> String {
    let shown: Vec<&str> = ids.iter().take(NAMES).map(|id| id.as_str()).collect();
    let more = match ids.len().saturating_sub(NAMES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{} ({}{more})", nodes(ids.len()), shown.join(", "))
}

/// `2026-11-28 09:30:00 UTC`
fn when(at: Moment) -> String {
    at.to_string().replace('T', " ").replace('Z', " UTC")
}

/// Exact below two minutes; whole minutes above, so that what is alike reads alike.
fn long(Seconds(seconds): Seconds) -> String {
    let shown = if seconds < 120 { seconds } else { seconds - seconds % 60 };
    match (shown, shown % 60) {
        (0..120, _) => format!("{shown} s"),
        (120..3600, 0) => format!("{} minutes", shown / 60),
        (120.., _) => span(Duration::from_secs(u64::from(shown))),
    }
}

/// `launches 2 nodes for 3 jobs with 16 GPUs, in one place or not at all: on a, else b`
fn launch(launch: &Launch) -> String {
    let Launch { batch: _, count, whole, offers, reason } = launch;
    let whole = if *whole && *count > 1 { ", in one place or not at all" } else { "" };
    let offers = match offers.as_slice() {
        [] => String::new(),
        [only] => format!(": on {only}"),
        [first, second] => format!(": on {first}, else {second}"),
        [first, second, more @ ..] => {
            let more = fold::count(more.len(), "offer", "offers");
            format!(": on {first}, else {second}, else {more} more")
        }
    };
    format!("launches {} for {}{whole}{offers}", number(*count), launch_reason(reason))
}

/// What a launch is for: `3 jobs with 16 GPUs`.
pub fn launch_reason(reason: &LaunchReason) -> String {
    match reason {
        LaunchReason::Gang { job: Some(job), shape: it, have: _ } => {
            format!("the job {job} of {}", shape(*it))
        }
        LaunchReason::Gang { job: None, shape: it, have: _ } => format!("a job of {}", shape(*it)),
        LaunchReason::Jobs { jobs: number, gpus: 0 } => jobs(*number),
        LaunchReason::Jobs { jobs: number, gpus: all } => {
            format!("{} with {}", jobs(*number), gpus(*all))
        }
        LaunchReason::HeadRoom => "whoever comes next".to_owned(),
        LaunchReason::Minimum => "the minimum".to_owned(),
        LaunchReason::Probe => "a probe: whether launches work again".to_owned(),
    }
}

fn shape(shape: Shape) -> String {
    let Shape { gpus: each, nodes, gang: _ } = shape;
    let of = if each == 0 { "a whole node".to_owned() } else { gpus(u64::from(each)) };
    match (nodes, each) {
        (0 | 1, _) => of,
        (more, 0) => number(more),
        (more, _) => format!("{} with {of} each", number(more)),
    }
}

fn verb(to: TurnTo) -> &'static str {
    match to {
        TurnTo::Cordon => "takes out of service",
        TurnTo::Uncordon => "puts back into service",
        TurnTo::Drain => "drains",
        TurnTo::Terminate => "ends",
        TurnTo::Quarantine => "quarantines",
    }
}

fn turn_why(why: &TurnWhy) -> String {
    match why {
        TurnWhy::Idle { idle } => format!("without work for {}", long(*idle)),
        TurnWhy::StillIdle => "out of service, and no work has come since".to_owned(),
        TurnWhy::WorkCame => "work came for nodes on their way out".to_owned(),
        TurnWhy::AboveMax => "more than the maximum, and without work".to_owned(),
        TurnWhy::AboveBudget => "more than the budget allows, and without work".to_owned(),
        TurnWhy::Unhealthy { how } => Untrusted(how).to_string(),
        TurnWhy::TimedOut { after } => format!("stuck on the way for {}", long(*after)),
        TurnWhy::Interrupted { deadline } => {
            format!("interrupted: the cloud ends it at {}", when(*deadline))
        }
        TurnWhy::Lost { silent } => format!("silent for {}", long(*silent)),
        TurnWhy::Lingers { after } => {
            format!("still there {} after the order to go", long(*after))
        }
    }
}

/// The numbers behind a decision, a line each.
pub fn numbers(decision: &Decision) -> Vec<String> {
    let sums = &decision.sums;
    let Sums { serving, busy, coming, going, missing, head_room, min, max, target, .. } = *sums;
    let Sums { jobs_waiting, gpus_waiting, gpus_free, per_hour, this_month, .. } = *sums;
    let told = if sums.unheard > 0 { " as far as can be told" } else { "" };
    let takes = if serving == 1 { "takes" } else { "take" };
    let kept = if head_room > 0 { format!(", {head_room} spare") } else { String::new() };
    let wants = if jobs_waiting == 1 { "waits and wants" } else { "wait and want" };
    let all = if gpus_waiting > 0 { gpus(gpus_waiting) } else { "room".to_owned() };
    let short = if missing > 0 { format!("; {} short", number(missing)) } else { String::new() };
    let known = match &decision.heard {
        Heard::All => "",
        Heard::Partly { .. } | Heard::Nothing { .. } => ", as far as is known",
    };
    let waits = match (jobs_waiting, &decision.heard) {
        (0, Heard::Nothing { .. }) => None,
        (0, _) => Some(format!("no job waits{known}")),
        (1.., _) => Some(format!("{} {wants} {all}{known}{short}", jobs(jobs_waiting))),
    };
    let problem = demand_problem(&decision.heard);
    let demand = problem.into_iter().chain(waits);
    let fleet = format!(
        "{} {takes} jobs, {busy} of them busy{told}; {coming} coming, {going} going; {} free",
        number(serving),
        gpus(gpus_free)
    );
    let rest = [
        format!("wanted: {} (minimum {min}, maximum {max}{kept})", number(target)),
        format!("cost: {per_hour} an hour, {this_month} this month"),
    ];
    [fleet].into_iter().chain(demand).chain(rest).collect()
}

/// What is not known of the demand, if anything is not.
pub fn demand_problem(heard: &Heard) -> Option<String> {
    match heard {
        Heard::All => None,
        Heard::Partly { since, why } => Some(format!(
            "not all of the demand is known, since {}: {}",
            when(*since),
            Untrusted(why)
        )),
        Heard::Nothing { since, why } => {
            Some(format!("the demand is not known, since {}: {}", when(*since), Untrusted(why)))
        }
    }
}

/// Why no more nodes are asked for.
pub fn more(why: &NotMore) -> String {
    match why {
        NotMore::Enough => "all that is wanted is there or comes".to_owned(),
        NotMore::Max { max } => format!("the maximum is {max}"),
        NotMore::HourlyBudget { budget, would_be } => {
            format!("{would_be} an hour is paid already, and the budget is {budget}")
        }
        NotMore::StackBudget { budget, would_be } => {
            format!("{would_be} an hour is paid for the stack already, and its budget is {budget}")
        }
        NotMore::MonthlyBudget { budget, would_be } => {
            format!("this month would come to {would_be}, and its budget is {budget}")
        }
        NotMore::NoPrice => "a budget must hold, and no offer has a known price".to_owned(),
        NotMore::Rate { per_minute } => {
            format!("at most {} may be asked for in a minute", number(*per_minute))
        }
        NotMore::CircuitOpen { probe_at } => {
            format!("launches failed one after the other; one node is tried at {}", when(*probe_at))
        }
        NotMore::NoOffer { retry_at: Some(at) } => {
            format!("every offer was refused lately; tried again at {}", when(*at))
        }
        NotMore::NoOffer { retry_at: None } => "no offer can be tried".to_owned(),
        NotMore::TooLarge { shape: it } => {
            format!("no node of any offer is large enough for {}", shape(*it))
        }
        NotMore::NotKnown => "nothing is known of the demand".to_owned(),
        NotMore::Blind => "not all nodes could be observed".to_owned(),
        NotMore::Paused => "paused".to_owned(),
        NotMore::Broken => "what would have been decided breaks a rule".to_owned(),
    }
}

/// Why no more nodes go.
pub fn less(why: &NotLess) -> String {
    match why {
        NotLess::NoneIdle => "none is without work".to_owned(),
        NotLess::NotIdleEnough { nodes, until } => format!(
            "{} without work, but not for long enough; the first at {}",
            number(*nodes),
            when(*until)
        ),
        NotLess::Nominated { nodes } => format!("{} kept for jobs that wait", number(*nodes)),
        NotLess::Min { min } => format!("the minimum is {min}"),
        NotLess::HeadRoom { nodes } => format!("{} kept for whoever comes next", number(*nodes)),
        NotLess::Stabilising { until } => {
            format!("more were wanted a moment ago; kept until {}", when(*until))
        }
        NotLess::Rate { until } => {
            format!("as many have begun to go as may at once; the next at {}", when(*until))
        }
        NotLess::NotKnown => "the demand is not known, or not all of it".to_owned(),
        NotLess::Unheard { nodes, because } => unheard(*nodes, *because),
        NotLess::ZeroNotConfirmed { seen, of } => {
            format!("the demand fell to nothing, seen {seen} of {of} times")
        }
        NotLess::Blind => "not all nodes could be observed".to_owned(),
        NotLess::Paused => "paused".to_owned(),
        NotLess::Broken => "what would have been decided breaks a rule".to_owned(),
    }
}

fn unheard(nodes: u32, because: Unheard) -> String {
    let why = match because {
        Unheard::Work => "some job waits or runs, and it may be theirs",
        Unheard::NotTold => "not every source says what runs, so they never go by themselves",
        Unheard::NotKnown => "the demand is not known, or not all of it",
    };
    let have = if nodes == 1 { "has" } else { "have" };
    format!("{} {have} no agent that says whether they work: {why}", number(nodes))
}

/// What becomes of jobs that wait.
pub fn fate(fate: &Fate) -> String {
    let Fate { shape: it, priority, first, jobs: all, on_free, on_coming, launched, held } = fate;
    let name = first.as_ref().map_or_else(String::new, |job| match all {
        0 | 1 => format!(" ({job})"),
        2.. => format!(" ({job} and more)"),
    });
    let priority = if *priority == 0 { String::new() } else { format!(", priority {priority}") };
    let mut parts = Vec::new();
    let mut part = |number: u32, words: &str| {
        if number > 0 {
            parts.push(format!("{number} {words}"));
        }
    };
    part(*on_free, "on free nodes");
    part(*on_coming, "on nodes that are coming");
    part(*launched, "on nodes that are launched now");
    let rest = all.saturating_sub(on_free.saturating_add(*on_coming).saturating_add(*launched));
    if rest > 0 || parts.is_empty() {
        let why = held.as_ref().map_or_else(|| "nothing yet".to_owned(), more);
        parts.push(format!("{rest} held: {why}"));
    }
    let asks = if *all == 1 { "asks" } else { "ask" };
    let each = if *all == 1 { "" } else { " each" };
    format!("{}{name} {asks} for {}{each}{priority}: {}", jobs(*all), shape(*it), parts.join(", "))
}

fn offer(considered: &Considered) -> String {
    let Considered { offer, per_gpu, against } = considered;
    let price = per_gpu.map_or_else(String::new, |price| format!(", {price} per used GPU-hour"));
    let verdict = against.as_ref().map_or_else(|| "can be tried".to_owned(), against_words);
    format!("offer {offer}{price}: {verdict}")
}

fn against_words(against: &Against) -> String {
    match against {
        Against::Refused { until } => format!("refused lately; tried again at {}", when(*until)),
        Against::Quota => "a quota forbids it".to_owned(),
        Against::TooSmall => "its nodes are too small for any job that waits".to_owned(),
        Against::Full => "its reservation has no room".to_owned(),
    }
}

/// What a person should know of.
pub fn alert(alert: &Alert) -> String {
    match alert {
        Alert::Invariant { rule, what } => format!(
            "a decision would have broken the rule that {} ({what}) and was not taken; \
             this is a defect of mlinfra",
            rule_words(*rule)
        ),
        Alert::CircuitOpen { failures } => {
            format!("{failures} launches failed one after the other; only single nodes are tried")
        }
        Alert::Blocked { why } => format!("the cloud refuses the request itself: {why}"),
        Alert::Quota { offer, why } => quota(offer, why),
        Alert::Lingers { node } => format!("{node} was told to go and does not"),
        Alert::Silent { node } => format!("nothing is heard of {node}, which may still have jobs"),
        Alert::Impaired { node, what } => format!("{node} gets no jobs: {}", Untrusted(what)),
        Alert::Absurd { what } => {
            format!("a number that nobody can mean was not believed: {}", Untrusted(what))
        }
        Alert::Misfit { source, what } => format!(
            "{} has jobs that can never start here: {}",
            Untrusted(source.as_str()),
            Untrusted(what)
        ),
        Alert::ClockWentBack => "the clock stands before what has been decided already".to_owned(),
        Alert::BudgetReached => "a budget is used up".to_owned(),
        Alert::BadSchedule { cron, why } => format!("the schedule {cron:?} cannot be read: {why}"),
    }
}

fn quota(offer: &OfferKey, why: &str) -> String {
    format!("a quota is reached on {offer}; have it raised: {why}")
}

fn rule_words(rule: Rule) -> &'static str {
    match rule {
        Rule::Max => "there are never more nodes than the maximum",
        Rule::Budget => "no budget is exceeded",
        Rule::Busy => "no node with a job is ended",
        Rule::Known => "nothing goes because of what is not known",
        Rule::Gang => "the nodes of a job come together or not at all",
        Rule::Slot => "no batch is launched twice",
        Rule::Once => "a node is told one thing at a time",
        Rule::Reversal => "a node does not go back and forth without end",
    }
}
