//! Traces of jobs: what the columns are, and what is refused, with the line.

use std::collections::BTreeMap;

use super::unit::SECOND;

/// A job that was once submitted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Job {
    /// Milliseconds since the first job's submission.
    pub submit: i64,
    /// Milliseconds that it ran.
    pub duration: i64,
    /// Accelerators, of all its nodes together.
    pub gpus: u32,
    /// Nodes that it was spread over; 0 where that was not said.
    pub nodes: u32,
    /// Higher goes first.
    pub priority: i32,
    /// Where it waited, by its place in the trace's list.
    pub queue: u32,
}

impl Job {
    /// How many nodes it takes whole: a job of one node that is not larger than a node shares
    /// it, and takes 0.
    pub fn whole_nodes(&self, gpus: u32) -> u32 {
        let least = self.gpus.div_ceil(gpus.max(1));
        match self.nodes {
            0 | 1 if self.gpus <= gpus => 0,
            nodes => least.max(nodes),
        }
    }
}

/// A trace, in order of submission.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// Its jobs.
    pub jobs: Vec<Job>,
    /// The queues that it names.
    pub queues: Vec<String>,
    /// Rows without accelerators or without duration, which are left out.
    pub left_out: usize,
}

/// A row, or a whole file, that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    /// Its line in the file; 0 when it is of the whole file.
    pub line: u64,
    /// What is wrong.
    pub why: String,
    /// What to do.
    pub help: String,
}

impl BadRow {
    fn new(line: u64, why: impl Into<String>, help: impl Into<String>) -> Self {
        Self { line, why: why.into(), help: help.into() }
    }
}

/// The columns.
const SUBMIT: &str = "submit_s";
const DURATION: &str = "duration_s";
const GPUS: &str = "gpus";
const NODES: &str = "nodes";
const PRIORITY: &str = "priority";
const QUEUE: &str = "queue";
const KNOWN: [&str; 6] = [SUBMIT, DURATION, GPUS, NODES, PRIORITY, QUEUE];
const HEADER: &str = "the first line names the columns: submit_s,duration_s,gpus and, where known, nodes,priority,queue";

/// A year is what no job runs; a century what no trace spans.
const LONGEST: f64 = 366.0 * 86_400.0;
const LATEST: f64 = 100.0 * LONGEST;
/// No job has more accelerators than that: it is more than any cluster that was built.
const LARGEST: f64 = 1_000_000.0;
/// So many bad rows are told, and no more.
const TOLD: usize = 10;

impl Trace {
    /// Reads CSV with the columns `submit_s,duration_s,gpus` and perhaps `nodes`, `priority` and
    /// `queue`, in any order; others are passed over. Rows may come in any order.
    ///
    /// # Errors
    ///
    /// The first ten rows that cannot be read.
    pub fn read(bytes: &[u8]) -> Result<Self, Vec<BadRow>> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
        let line = |at: Option<&csv::Position>| line(bytes, at);
        let header = reader.headers().map_err(|error| vec![of_csv(&error, &line)])?.clone();
        let columns = columns(&header).map_err(|bad| vec![bad])?;
        let mut trace = Self::default();
        let mut bad = Vec::new();
        let mut names = BTreeMap::new();
        for record in reader.records() {
            let record = record.map_err(|error| of_csv(&error, &line));
            match record.and_then(|it| row(&it, &columns, &line)) {
                Ok(Row { job, queue }) if job.gpus > 0 && job.duration > 0 => {
                    let next = names.len() as u32;
                    let queue = *names.entry(queue).or_insert(next);
                    trace.jobs.push(Job { queue, ..job });
                }
                Ok(_) => trace.left_out += 1,
                Err(row) => bad.push(row),
            }
            if bad.len() >= TOLD {
                break;
            }
        }
        if !bad.is_empty() {
            return Err(bad);
        }
        let mut queues: Vec<(String, u32)> = names.into_iter().collect();
        queues.sort_by_key(|(_, at)| *at);
        trace.queues = queues.into_iter().map(|(name, _)| name).collect();
        trace.settle().map_err(|bad| vec![bad])
    }

    /// Puts the jobs in order and begins with the first.
    fn settle(mut self) -> Result<Self, BadRow> {
        // By duration and size too, so that the order of the rows makes no difference.
        self.jobs.sort();
        let Some(first) = self.jobs.first().map(|job| job.submit) else {
            let why = match self.left_out {
                0 => "the trace has no jobs".to_owned(),
                left => format!("all {left} rows have no accelerators, or no duration"),
            };
            return Err(BadRow::new(0, why, format!("{HEADER}; then one line for each job")));
        };
        self.jobs.iter_mut().for_each(|job| job.submit -= first);
        Ok(self)
    }

    /// Accelerator-hours that its jobs ran.
    pub fn gpu_hours(&self) -> f64 {
        let all = self.jobs.iter().map(|job| job.duration as f64 * f64::from(job.gpus));
        all.sum::<f64>() / 3_600_000.0
    }
}

/// Where each column is in a row.
type Columns = BTreeMap<&'static str, usize>;

fn columns(header: &csv::StringRecord) -> Result<Columns, BadRow> {
    let mut found = Columns::new();
    for (at, name) in header.iter().enumerate() {
        let known = KNOWN.iter().find(|known| name.eq_ignore_ascii_case(known));
        if let Some(name) = known.filter(|name| found.insert(**name, at).is_some()) {
            return Err(BadRow::new(1, format!("the column {name} is there twice"), "keep one"));
        }
    }
    let missing: Vec<&str> =
        [SUBMIT, DURATION, GPUS].into_iter().filter(|name| !found.contains_key(name)).collect();
    if missing.is_empty() {
        return Ok(found);
    }
    let line = u64::from(!header.is_empty());
    let why = match header.len() {
        0 => "the file is empty".to_owned(),
        1.. => format!("there is no column {}", missing.join(", and no column ")),
    };
    Err(BadRow::new(line, why, HEADER))
}

/// A line of the file.
struct Row {
    job: Job,
    queue: String,
}

/// Tells the line of a position.
type Lines<'a> = dyn Fn(Option<&csv::Position>) -> u64 + 'a;

/// The line of a position. A record's own stands before the line ends that precede it.
fn line(bytes: &[u8], at: Option<&csv::Position>) -> u64 {
    let Some(at) = at.and_then(|at| usize::try_from(at.byte()).ok()) else { return 0 };
    let ends = |byte: &&u8| matches!(**byte, b'\r' | b'\n');
    let skipped = bytes.iter().skip(at).take_while(ends).count();
    let before = bytes.iter().take(at + skipped);
    1 + before.filter(|byte| **byte == b'\n').count() as u64
}

fn row(record: &csv::StringRecord, columns: &Columns, lines: &Lines<'_>) -> Result<Row, BadRow> {
    let text = |name: &str| columns.get(name).and_then(|at| record.get(*at)).unwrap_or_default();
    let wrong = |why: String, name| BadRow::new(lines(record.position()), why, helped(name));
    let number = |name: &'static str, range: std::ops::RangeInclusive<f64>| {
        let text = text(name);
        let (least, most) = (*range.start(), *range.end());
        match text.parse::<f64>() {
            Ok(value) if range.contains(&value) => Ok(value),
            Ok(value) if value.is_finite() => {
                let why = format!("{name} is {text:?}, which is not from {least} to {most}");
                Err(wrong(why, name))
            }
            Ok(_) | Err(_) => Err(wrong(format!("{name} is {text:?}, which is no number"), name)),
        }
    };
    let whole = |name: &'static str, range: std::ops::RangeInclusive<f64>| {
        let value = number(name, range)?;
        if value.fract() == 0.0 {
            return Ok(value);
        }
        let why = format!("{name} is {:?}, which is not a whole number", text(name));
        Err(wrong(why, name))
    };
    let submit = number(SUBMIT, -LATEST..=LATEST)?;
    let duration = number(DURATION, 0.0..=LONGEST)?;
    let gpus = whole(GPUS, 0.0..=LARGEST)? as u32;
    let nodes = if text(NODES).is_empty() { 0.0 } else { whole(NODES, 0.0..=LARGEST)? };
    let level = f64::from(i32::MAX);
    let priority = if text(PRIORITY).is_empty() { 0.0 } else { whole(PRIORITY, -level..=level)? };
    let millis = |seconds: f64| (seconds * SECOND as f64).round() as i64;
    let job = Job {
        submit: millis(submit),
        duration: millis(duration),
        gpus,
        nodes: nodes as u32,
        priority: priority as i32,
        queue: 0,
    };
    Ok(Row { job, queue: text(QUEUE).to_owned() })
}

fn helped(column: &str) -> &'static str {
    match column {
        SUBMIT => "write when the job was submitted, in seconds from any moment on",
        DURATION => "write how long the job ran, in seconds; leave out what has not ended",
        GPUS => "write how many accelerators the job had, on all its nodes together",
        NODES => "write over how many nodes the job was spread, or leave the field empty",
        _ => "write a whole number, or leave the field empty",
    }
}

fn of_csv(error: &csv::Error, lines: &Lines<'_>) -> BadRow {
    let line = lines(error.position());
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            let why = format!("the row has {len} fields, the header {expected_len}");
            BadRow::new(line, why, "write a value, or an empty one, for each column")
        }
        csv::ErrorKind::Utf8 { .. } => {
            BadRow::new(line, "the row is not UTF-8", "save the file as UTF-8")
        }
        _ => BadRow::new(line, format!("the row cannot be read: {error}"), HEADER),
    }
}
