//! The jobs in the answer of `squeue --json`, whose form changes with Slurm's version: numbers
//! are numbers up to 22.05 and objects since 23.02, states are a word up to 23.02 and a list
//! since 23.11 (<https://slurm.schedmd.com/openapi_release_notes.html>).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value as Json;

use crate::fleet::Shape;
use crate::model::Moment;

use super::trouble::{Trouble, What, one_line};
use super::work::{Bounds, Reading, Row, brief};

#[derive(Deserialize)]
struct Answer {
    jobs: Option<Vec<Told>>,
    #[serde(default)]
    errors: Vec<Json>,
}

/// A job, as far as it concerns us.
#[derive(Deserialize)]
#[serde(default)]
struct Told {
    job_id: Json,
    job_state: Json,
    state_reason: String,
    partition: String,
    priority: Json,
    submit_time: Json,
    node_count: Json,
    tasks: Json,
    array_task_id: Json,
    array_task_string: Json,
    array_max_tasks: Json,
    array_job_id: Json,
    tres_req_str: Option<String>,
    tres_per_node: Option<String>,
    tres_per_job: Option<String>,
    tres_per_task: Option<String>,
}

impl Default for Told {
    fn default() -> Self {
        Self {
            job_id: Json::Null,
            job_state: Json::Null,
            state_reason: String::new(),
            partition: String::new(),
            priority: Json::Null,
            submit_time: Json::Null,
            node_count: Json::Null,
            tasks: Json::Null,
            array_task_id: Json::Null,
            array_task_string: Json::Null,
            array_max_tasks: Json::Null,
            array_job_id: Json::Null,
            tres_req_str: None,
            tres_per_node: None,
            tres_per_job: None,
            tres_per_task: None,
        }
    }
}

/// Reasons for which a job waits for nodes and nothing else
/// (<https://slurm.schedmd.com/job_reason_codes.html>). Of a reason that is not known here, more
/// nodes may be no help: such jobs are told of and do not count.
const FOR_NODES: [&str; 9] = [
    "",
    "None",
    "Resources",
    "Priority",
    "NodeDown",
    "Cleaning",
    "Prolog",
    "ReqNodeNotAvail",
    "Nodes_required_for_job_are_DOWN",
];

/// What a job does, by its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waits,
    Runs,
    Over,
}

/// All jobs of some partitions; of all where none is named.
pub(super) fn read(
    bytes: &[u8],
    partitions: &[String],
    bounds: &Bounds,
    now: Moment,
) -> Result<Reading, Trouble> {
    let answer: Answer = serde_json::from_slice(bytes).map_err(|error| {
        let text = format!("what squeue printed is not its JSON: {error}");
        Trouble::new(What::Answer, text)
    })?;
    if let Some(error) = answer.errors.first() {
        let text = error.get("error").or(error.get("description")).unwrap_or(error);
        let text = text.as_str().map_or_else(|| text.to_string(), str::to_owned);
        return Err(Trouble::new(What::Answer, format!("squeue: {text}")));
    }
    let Some(jobs) = answer.jobs else {
        return Err(Trouble::new(What::Answer, "squeue told of no list of jobs"));
    };
    let here = |job: &&Told| {
        partitions.is_empty()
            || job.partition.split(',').any(|it| partitions.iter().any(|p| p == it))
    };
    let out = tasks_out(&jobs);
    let (mut rows, mut other) = (Vec::new(), BTreeMap::<String, u64>::new());
    for job in jobs.iter().filter(here) {
        let state = job.state()?;
        if state == State::Over {
            continue;
        }
        let row = job.row(state == State::Runs, &out, bounds, now)?;
        if state == State::Waits && !job.waits_for_nodes() {
            *other.entry(one_line(&job.state_reason)).or_default() += u64::from(row.count);
        } else if row.count > 0 {
            rows.push(row);
        }
    }
    let mut reading = Reading::rows(bounds, rows)?;
    let told = other.into_iter().take(10).map(|(why, count)| match count {
        1 => format!("1 job waits for another reason: {why}"),
        _ => format!("{count} jobs wait for another reason: {why}"),
    });
    reading.held.extend(told);
    Ok(reading)
}

/// How many tasks of each array stand on lines of their own: they run, or are about to.
fn tasks_out(jobs: &[Told]) -> BTreeMap<u64, u64> {
    let mut out = BTreeMap::new();
    for job in jobs.iter().filter(|job| number(&job.array_task_id).is_some()) {
        if let (Some(array), Ok(State::Runs | State::Waits)) = (job.array(), job.state()) {
            *out.entry(array).or_default() += 1;
        }
    }
    out
}

impl Told {
    fn array(&self) -> Option<u64> {
        number(&self.array_job_id).filter(|id| *id > 0)
    }

    fn state(&self) -> Result<State, Trouble> {
        let words: Vec<&str> = match &self.job_state {
            Json::String(word) => vec![word],
            Json::Array(words) => words.iter().filter_map(Json::as_str).collect(),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Object(_) => Vec::new(),
        };
        let any = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
        // Nodes that are powered up for a job are not there yet.
        if any(&["REQUEUE_HOLD", "SPECIAL_EXIT"]) {
            Ok(State::Over)
        } else if any(&["PENDING", "CONFIGURING", "POWER_UP_NODE", "REQUEUED"]) {
            Ok(State::Waits)
        } else if any(&[
            "RUNNING",
            "SUSPENDED",
            "COMPLETING",
            "STAGE_OUT",
            "RESIZING",
            "SIGNALING",
            "STOPPED",
        ]) {
            Ok(State::Runs)
        } else if words.is_empty() {
            let text = format!("the state of a job is {}", brief(&self.job_state));
            Err(Trouble::new(What::Answer, text))
        } else {
            Ok(State::Over)
        }
    }

    fn waits_for_nodes(&self) -> bool {
        // Some reasons go on after a comma with the names of nodes.
        let reason = self.state_reason.split(',').next().unwrap_or_default().trim();
        FOR_NODES.contains(&reason)
    }

    fn row(
        &self,
        running: bool,
        arrays: &BTreeMap<u64, u64>,
        bounds: &Bounds,
        now: Moment,
    ) -> Result<Row, Trouble> {
        let id = number(&self.job_id);
        let name = id.map_or_else(|| "a job".to_owned(), |id| format!("job {id}"));
        let absurd = |text: String| Trouble::new(What::Absurd, format!("{name}: {text}"));
        let nodes = number(&self.node_count).unwrap_or(1).max(1);
        let nodes =
            u32::try_from(nodes).map_err(|_| absurd(format!("{nodes} is no number of nodes")))?;
        let plain = bounds.plain();
        let gpus = match self.gpus(u64::from(nodes)) {
            Some(gpus) => {
                u32::try_from(gpus).map_err(|_| absurd(format!("{gpus} is no number of GPUs")))?
            }
            None => plain.shape.gpus,
        };
        let count = if running { 1 } else { self.tasks_left(arrays) };
        Ok(Row {
            id: id.map(|id| id.to_string()),
            count: u32::try_from(count).map_err(|_| absurd(format!("has {count} tasks")))?,
            shape: Shape { gpus, nodes, gang: nodes > 1 },
            priority: self.priority(),
            preemptible: plain.preemptible,
            submitted_at: number(&self.submit_time).filter(|it| *it > 0).and_then(|seconds| {
                let millis = i64::try_from(seconds).ok()?.checked_mul(1000)?;
                Some(Moment(millis.min(now.0)))
            }),
            running,
        })
    }

    /// Slurm counts up to 2³², and starts high: shifted, the order stays and it fits.
    fn priority(&self) -> i32 {
        let found = number(&self.priority).unwrap_or(0).min(u64::from(u32::MAX));
        let shifted = i64::try_from(found).unwrap_or(0) + i64::from(i32::MIN);
        i32::try_from(shifted).unwrap_or(i32::MAX)
    }

    /// GPUs on each node, by whichever way the job asked for them.
    fn gpus(&self, nodes: u64) -> Option<u64> {
        let of = |text: &Option<String>| text.as_deref().and_then(gpus_in);
        let spread = |total: u64| total.div_ceil(nodes);
        let tasks = number(&self.tasks).unwrap_or(1).max(1);
        [
            of(&self.tres_per_node),
            of(&self.tres_per_job).map(spread),
            of(&self.tres_per_task).map(|each| spread(each.saturating_mul(tasks))),
            of(&self.tres_req_str).map(spread),
        ]
        .into_iter()
        .flatten()
        .max()
    }

    /// How many jobs one line stands for: a job array that waits is one line for all its tasks,
    /// of which no more than a limit may run at once.
    fn tasks_left(&self, arrays: &BTreeMap<u64, u64>) -> u64 {
        let text = match &self.array_task_string {
            Json::String(text) if !text.is_empty() => text,
            _ => return 1,
        };
        if number(&self.array_task_id).is_some() {
            return 1;
        }
        let (tasks, limit) = tasks(text);
        let limit = number(&self.array_max_tasks).filter(|limit| *limit > 0).or(limit);
        let busy = self.array().and_then(|id| arrays.get(&id)).copied().unwrap_or(0);
        limit.map_or(tasks, |limit| tasks.min(limit.saturating_sub(busy)))
    }
}

/// A number in any of Slurm's forms; none where it is not set.
fn number(found: &Json) -> Option<u64> {
    match found {
        Json::Number(number) => number.as_u64(),
        Json::String(text) => text.parse().ok(),
        Json::Object(map) => {
            let set = map.get("set").and_then(Json::as_bool).unwrap_or(true);
            map.get("number").and_then(Json::as_u64).filter(|_| set)
        }
        Json::Null | Json::Bool(_) | Json::Array(_) => None,
    }
}

/// GPUs in a list of resources: `gres:gpu:8`, `gres/gpu:h100:8`, `gpu`, `cpu=4,gres/gpu=16`.
fn gpus_in(text: &str) -> Option<u64> {
    let mut total = None;
    for one in text.split(',') {
        let name = one.trim().trim_start_matches("gres:").trim_start_matches("gres/");
        let Some(rest) = name.strip_prefix("gpu") else { continue };
        // `gpumem` and the like are something else; a kind may stand in between.
        if !rest.is_empty() && !rest.starts_with([':', '=', '(']) {
            continue;
        }
        let rest = rest.split('(').next().unwrap_or_default();
        let last = rest.rsplit([':', '=']).next().unwrap_or_default();
        let count = if last.is_empty() { Some(1) } else { last.parse::<u64>().ok() };
        // `gpu:h100` without a number is one of them.
        let count = count.unwrap_or(1);
        // Slurm lists the sum and the kinds it is made of: `gres/gpu=8,gres/gpu:h100=8`.
        let is_sum = rest.starts_with('=');
        total = Some(match total {
            Some((sum, true)) if !is_sum => (sum, true),
            Some((_, false)) | None if is_sum => (count, true),
            Some((sum, _)) => (sum.saturating_add(count), is_sum),
            None => (count, is_sum),
        });
    }
    total.map(|(sum, _)| sum)
}

/// How many tasks `0-99:2,200%10` are, and how many may run at once.
fn tasks(text: &str) -> (u64, Option<u64>) {
    let (ranges, limit) = match text.split_once('%') {
        Some((ranges, limit)) => (ranges, limit.parse().ok()),
        None => (text, None),
    };
    let one = |range: &str| {
        let (range, step) = match range.split_once(':') {
            Some((range, step)) => (range, step.parse::<u64>().unwrap_or(1).max(1)),
            None => (range, 1),
        };
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        let ends = (from.parse::<u64>().ok(), to.parse::<u64>().ok());
        match ends {
            (Some(from), Some(to)) if to >= from => ((to - from) / step).saturating_add(1),
            // What is cut off or strange is at least one.
            (_, _) => 1,
        }
    };
    let ranges = ranges.trim_matches(['[', ']']);
    let each = ranges.split(',').filter(|it| !it.trim().is_empty()).map(one);
    let sum = each.fold(0_u64, u64::saturating_add);
    (sum.max(1), limit)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::stack;

    const NOW: Moment = Moment(1_900_000_000_000);
    const BOUNDS: Bounds = Bounds {
        job: stack::Job { gpus: 0, nodes: 1, gang: false, priority: 0, preemptible: false },
        most: 1000,
        gpus: Some(8),
        nodes: 16,
    };

    fn told(answer: &Json) -> Result<Reading, Trouble> {
        read(answer.to_string().as_bytes(), &[], &BOUNDS, NOW)
    }

    fn jobs(reading: &Reading) -> Vec<(u32, Shape)> {
        reading.work.waiting.iter().map(|job| (job.count, job.shape)).collect()
    }

    /// The numbers of 23.02 and later.
    fn set(number: u64) -> Json {
        json!({ "set": true, "infinite": false, "number": number })
    }

    #[test]
    fn the_answer_of_slurm_22_05_is_read() {
        let bytes = include_bytes!("squeue/v22.json");
        let reading = read(bytes, &[], &BOUNDS, NOW).expect("a reading");
        assert_eq!(
            jobs(&reading),
            [
                (1, Shape::gang(8, 2)),
                (1, Shape::single(4)),
                (1, Shape::single(2)),
                (22, Shape::single(1)),
                (1, Shape::single(4)),
                (1, Shape::single(2)),
                (1, Shape::single(2)),
                // Ten at a time, of which three are out.
                (7, Shape::single(2)),
            ]
        );
        let told = [
            "1 job waits for another reason: Dependency",
            "1 job waits for another reason: JobHeldUser",
        ];
        assert_eq!(reading.held, told);
        assert_eq!(reading.oldest, Some(Moment(1_795_824_248_000)));
        let first = &reading.work.waiting[0];
        assert_eq!(first.id.as_ref().map(|id| id.as_str()), Some("1"));
        assert!(reading.work.waiting.iter().all(|job| job.priority <= first.priority));
        let none = read(bytes, &["other".to_owned()], &BOUNDS, NOW).expect("a reading");
        assert_eq!(none, Reading::default());
    }

    #[test]
    fn the_forms_of_later_versions_are_read_alike() {
        // 23.02: numbers are objects. 23.11: states are lists, and times objects. 24.05: the
        // resources of a node begin with gres/.
        let job = |state: Json, gpus: &str, time: Json| {
            json!({ "jobs": [{ "job_id": 7, "job_state": state, "state_reason": "Resources",
                "partition": "a,train", "priority": set(4_294_901_759), "submit_time": time,
                "node_count": set(2), "tasks": set(2), "array_job_id": set(0),
                "array_task_id": { "set": false, "infinite": false, "number": 0 },
                "array_task_string": "", "array_max_tasks": set(0), "tres_per_node": gpus,
                "tres_req_str": "cpu=16,mem=8G,node=2,billing=16,gres/gpu=16,gres/gpu:h100=16" }],
                "warnings": [], "errors": [] })
        };
        for answer in [
            job(json!("PENDING"), "gres:gpu:8", json!(1_800_000_000)),
            job(json!(["PENDING"]), "gres:gpu:h100:8", set(1_800_000_000)),
            job(json!(["PENDING", "REQUEUED"]), "gres/gpu:h100:8", set(1_800_000_000)),
            job(json!(["RUNNING", "CONFIGURING"]), "", set(1_800_000_000)),
        ] {
            let reading = told(&answer).expect("a reading");
            assert_eq!(jobs(&reading), [(1, Shape::gang(8, 2))], "{answer}");
            assert_eq!(reading.oldest, Some(Moment(1_800_000_000_000)), "{answer}");
            assert_eq!(reading.work.waiting[0].priority, 2_147_418_111);
        }
        let runs = told(&job(json!(["RUNNING"]), "gres/gpu:8", set(1))).expect("a reading");
        assert_eq!((jobs(&runs), runs.work.running.len()), (vec![], 1));
        let over = told(&job(json!(["COMPLETED"]), "gres/gpu:8", set(1))).expect("a reading");
        assert_eq!(over, Reading::default());
    }

    #[test]
    fn only_reasons_that_nodes_can_mend_count() {
        let job = |reason: &str| {
            let job = json!({ "job_id": 1, "job_state": "PENDING", "state_reason": reason });
            let reading = told(&json!({ "jobs": [job] })).expect("a reading");
            (reading.work.waiting.len(), reading.held.len())
        };
        for reason in [
            "None",
            "Resources",
            "Priority",
            "ReqNodeNotAvail, UnavailableNodes:a",
            "Nodes_required_for_job_are_DOWN,_DRAINED_or_reserved_for_jobs_in_higher_priority_partitions",
        ] {
            assert_eq!(job(reason), (1, 0), "{reason}");
        }
        for reason in [
            "Dependency",
            "JobHeldAdmin",
            "QOSMaxGRESPerUser",
            "PartitionTimeLimit",
            "BeginTime",
            "BadConstraints",
            "SomethingNew\u{1b}[2J",
        ] {
            assert_eq!(job(reason), (0, 1), "{reason}");
        }
    }

    #[test]
    fn gpus_are_found_however_they_were_asked_for() {
        for (text, gpus) in [
            ("gres:gpu:8", Some(8)),
            ("gres/gpu:h100-80:1", Some(1)),
            ("gres:gpu:a40", Some(1)),
            ("gres/gpu", Some(1)),
            ("gres/gpu=2", Some(2)),
            ("gpu:8(IDX:0-7)", Some(8)),
            ("gres:gpu:a:2,gres:gpu:b:3", Some(5)),
            ("cpu=4,gres/gpu=16,gres/gpu:h100=16", Some(16)),
            ("cpu=4,gres/gpu:h100=16,gres/gpu=16", Some(16)),
            ("gres:gpumem:80G", None),
            ("gres:craynetwork:1", None),
            ("cpu=4,mem=8G", None),
            ("", None),
        ] {
            assert_eq!(gpus_in(text), gpus, "{text}");
        }
    }

    #[test]
    fn tasks_of_arrays_are_counted() {
        for (text, count) in [
            ("0-99", (100, None)),
            ("0-99:2%10", (50, Some(10))),
            ("1,3,5-7", (5, None)),
            ("[4]", (1, None)),
            ("0-18446744073709551615", (u64::MAX, None)),
            ("x,1-", (2, None)),
        ] {
            assert_eq!(tasks(text), count, "{text}");
        }
    }

    #[test]
    fn what_is_no_answer_of_squeue_or_cannot_be_true_is_refused() {
        for (answer, what) in [
            (json!({}), What::Answer),
            (json!([]), What::Answer),
            (json!({ "jobs": null }), What::Answer),
            (
                json!({ "jobs": [], "errors": [{ "error": "no controller", "errno": 1 }] }),
                What::Answer,
            ),
            (json!({ "jobs": [{ "job_id": 1 }] }), What::Answer),
            (json!({ "jobs": [{ "job_state": 3 }] }), What::Answer),
            (json!({ "jobs": [{ "job_state": "PENDING", "node_count": u64::MAX }] }), What::Absurd),
            (
                json!({ "jobs": [{ "job_state": "PENDING", "tres_per_node": "gpu:99999999999" }] }),
                What::Absurd,
            ),
            (
                json!({ "jobs": [{ "job_state": "PENDING", "array_task_string": "0-99999999999" }] }),
                What::Absurd,
            ),
            (
                json!({ "jobs": [{ "job_state": "PENDING", "array_task_string": "0-9999" }] }),
                What::Absurd,
            ),
        ] {
            let trouble = told(&answer).expect_err("no reading");
            assert_eq!(trouble.what, what, "{answer}: {trouble}");
        }
        assert!(read(b"slurm_load_jobs error", &[], &BOUNDS, NOW).is_err());
    }
}
