//! What a source said, as jobs: read with suspicion, since a wrong number costs a fleet.

use serde_json::Value as Json;

use crate::fleet::{Job, Shape, Work};
use crate::model::Moment;
use crate::stack;

use super::trouble::{Trouble, What, one_line};

/// What is believed of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// What a job needs where the source does not say.
    pub job: stack::Job,
    /// More jobs than this are not believed.
    pub most: u32,
    /// The most accelerators that a node of the cluster has; none where that is not known.
    pub gpus: Option<u32>,
    /// The most nodes that the cluster has.
    pub nodes: u32,
}

/// What a source said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// Jobs that this cluster can run.
    pub work: Work,
    /// Jobs that it cannot, and why, in words.
    pub refused: Vec<String>,
    /// Jobs that wait for something else than nodes, in words. They do not count.
    pub held: Vec<String>,
    /// Since when the oldest waits, where that is known.
    pub oldest: Option<Moment>,
}

/// So many of those that were refused are told one by one.
const TOLD: usize = 10;

/// One job, or several alike, as a source tells of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub id: Option<String>,
    pub count: u32,
    pub shape: Shape,
    pub priority: i32,
    pub preemptible: bool,
    pub submitted_at: Option<Moment>,
    pub running: bool,
}

fn absurd(text: impl AsRef<str>) -> Trouble {
    Trouble::new(What::Absurd, text)
}

impl Bounds {
    /// What its source declares for every job.
    pub(super) fn plain(&self) -> Row {
        let stack::Job { gpus, nodes, gang, priority, preemptible } = self.job;
        let shape = Shape { gpus, nodes, gang };
        let (id, submitted_at, running) = (None, None, false);
        Row { id, count: 1, shape, priority, preemptible, submitted_at, running }
    }

    /// Why a job can never run here, if so.
    fn misfit(&self, shape: Shape) -> Option<String> {
        if let Some(gpus) = self.gpus.filter(|gpus| shape.gpus > *gpus) {
            return Some(format!(
                "needs {} accelerators on a node, and nodes have {gpus}",
                shape.gpus
            ));
        }
        (shape.is_gang() && shape.nodes > self.nodes)
            .then(|| format!("needs {} nodes, and the cluster has {}", shape.nodes, self.nodes))
    }

    /// A number of jobs that can be true.
    pub(super) fn number(&self, found: f64) -> Result<u32, Trouble> {
        if !found.is_finite() || found < 0.0 {
            return Err(absurd(format!("{found} is no number of jobs")));
        }
        // Averages have fractions. Half a job needs a node like a whole one.
        let whole = found.ceil();
        if whole > f64::from(self.most) {
            let most = self.most;
            return Err(absurd(format!("{whole} jobs are more than the {most} that are believed")));
        }
        // In range, as just seen.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Ok(whole as u32)
    }
}

impl Reading {
    /// A plain queue: so many jobs wait and so many run, all of the declared shape.
    pub(super) fn depth(bounds: &Bounds, waiting: f64, running: f64) -> Result<Self, Trouble> {
        let of = |count: u32, running| Row { count, running, ..bounds.plain() };
        let rows = [of(bounds.number(waiting)?, false), of(bounds.number(running)?, true)];
        Self::rows(bounds, rows.into_iter().filter(|row| row.count > 0))
    }

    /// Jobs one by one.
    pub(super) fn rows(
        bounds: &Bounds,
        rows: impl IntoIterator<Item = Row>,
    ) -> Result<Self, Trouble> {
        let mut reading = Self::default();
        let (mut total, mut refused) = (0_u64, 0_usize);
        for row in rows {
            total += u64::from(row.count);
            if total > u64::from(bounds.most) {
                let most = bounds.most;
                return Err(absurd(format!("more jobs than the {most} that are believed")));
            }
            // What runs has found its nodes.
            let misfit = bounds.misfit(row.shape).filter(|_| !row.running);
            if let Some(why) = misfit {
                refused += 1;
                if refused <= TOLD {
                    let id = row.id.as_deref().unwrap_or("a job");
                    reading.refused.push(one_line(&format!("{id} {why}")));
                }
                continue;
            }
            reading.add(row);
        }
        if refused > TOLD {
            reading.refused.push(format!("and {} more", refused - TOLD));
        }
        Ok(reading)
    }

    fn add(&mut self, row: Row) {
        let Row { id, count, shape, priority, preemptible, submitted_at, running } = row;
        if !running && let Some(at) = submitted_at {
            self.oldest = Some(self.oldest.map_or(at, |oldest| oldest.min(at)));
        }
        let id = id.map(Into::into);
        let job = Job { id, count, shape, priority, preemptible, submitted_at, queue: None };
        if running { self.work.running.push(job) } else { self.work.waiting.push(job) }
    }

    /// JSON: a number of jobs, or a list of them.
    pub(super) fn json(bounds: &Bounds, found: &Json, now: Moment) -> Result<Self, Trouble> {
        match found {
            Json::Array(items) => {
                let row = |(at, item): (usize, &Json)| {
                    Row::read(bounds, item, now).map_err(|bad| Trouble {
                        text: one_line(&format!("job {at} of the list: {bad}")),
                        ..bad
                    })
                };
                let rows: Vec<Row> = items.iter().enumerate().map(row).collect::<Result<_, _>>()?;
                Self::rows(bounds, rows)
            }
            Json::Number(_) | Json::String(_) => Self::depth(bounds, number("it", found)?, 0.0),
            Json::Null | Json::Bool(_) | Json::Object(_) => {
                let text = format!("found {}, and not a number or a list of jobs", brief(found));
                Err(Trouble::new(What::Answer, text))
            }
        }
    }
}

impl Row {
    /// A job as an object. Attributes that mean nothing here are passed over.
    pub(super) fn read(bounds: &Bounds, found: &Json, now: Moment) -> Result<Self, Trouble> {
        let Json::Object(map) = found else {
            let text = format!("found {}, and not an object", brief(found));
            return Err(Trouble::new(What::Answer, text));
        };
        let part = |name: &str| map.get(name).filter(|part| !part.is_null());
        let small = |name: &str, default: u32| match part(name) {
            Some(value) => bounds.whole(name, number(name, value)?),
            None => Ok(default),
        };
        let flag = |name: &str, default| part(name).map_or(Ok(default), |it| truth(name, it));
        let plain = bounds.plain();
        let nodes = small("nodes", plain.shape.nodes)?.max(1);
        let gang = if part("nodes").is_some() { nodes > 1 } else { plain.shape.gang };
        let shape =
            Shape { gpus: small("gpus", plain.shape.gpus)?, nodes, gang: flag("gang", gang)? };
        Ok(Self {
            id: part("id").map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned)),
            count: match part("count") {
                Some(value) => bounds.number(number("count", value)?)?,
                None => 1,
            },
            shape,
            priority: match part("priority") {
                Some(value) => rank(number("priority", value)?)?,
                None => plain.priority,
            },
            preemptible: flag("preemptible", plain.preemptible)?,
            submitted_at: part("submitted_at").map(|it| moment(it, now)).transpose()?,
            running: flag("running", false)?,
        })
    }
}

impl Bounds {
    /// A count of GPUs or nodes: what no machine has was never meant.
    fn whole(&self, name: &str, found: f64) -> Result<u32, Trouble> {
        const HIGHEST: f64 = 1_000_000.0;
        if found.fract() != 0.0 || !(0.0..=HIGHEST).contains(&found) {
            return Err(absurd(format!("{found} is no number of {name}")));
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Ok(found as u32)
    }
}

/// Priorities are compared and nothing else; those out of range are the highest or lowest.
fn rank(found: f64) -> Result<i32, Trouble> {
    if found.is_nan() {
        return Err(absurd("NaN is no priority"));
    }
    #[allow(clippy::cast_possible_truncation)]
    Ok(found.clamp(f64::from(i32::MIN), f64::from(i32::MAX)) as i32)
}

/// A number, or text that is one: labels and many programs have nothing else.
pub(super) fn number(name: &str, found: &Json) -> Result<f64, Trouble> {
    let read = match found {
        Json::Number(number) => number.as_f64(),
        Json::String(text) => text.trim().parse().ok(),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    };
    read.ok_or_else(|| {
        Trouble::new(What::Answer, format!("{name} is {}, and not a number", brief(found)))
    })
}

fn truth(name: &str, found: &Json) -> Result<bool, Trouble> {
    match (found, found.as_str()) {
        (Json::Bool(truth), _) => Ok(*truth),
        (_, Some("true" | "1" | "yes")) => Ok(true),
        (_, Some("false" | "0" | "no" | "")) => Ok(false),
        (_, _) => {
            let text = format!("{name} is {}, and not true or false", brief(found));
            Err(Trouble::new(What::Answer, text))
        }
    }
}

/// Seconds since 1970, or a time as RFC 3339 has it. What is yet to come is now: clocks differ.
pub(super) fn moment(found: &Json, now: Moment) -> Result<Moment, Trouble> {
    let bad = || {
        let text = format!("submitted_at is {}, and not a time", brief(found));
        Trouble::new(What::Answer, text)
    };
    let stamp = found.as_str().map(|text| text.trim().parse::<jiff::Timestamp>());
    let millis = match stamp {
        Some(Ok(stamp)) => stamp.as_millisecond(),
        Some(Err(_)) | None => {
            let seconds = number("submitted_at", found).map_err(|_| bad())?;
            // Up to the year 9999.
            if !(0.0..=253_402_300_799.0).contains(&seconds) {
                return Err(bad());
            }
            #[allow(clippy::cast_possible_truncation)]
            let millis = (seconds * 1000.0) as i64;
            millis
        }
    };
    Ok(Moment(millis.min(now.0)))
}

/// JSON in a few characters.
pub(super) fn brief(found: &Json) -> String {
    match found {
        Json::Null => "null".to_owned(),
        Json::Array(items) => format!("a list of {}", items.len()),
        Json::Object(_) => "an object".to_owned(),
        Json::Bool(_) | Json::Number(_) => found.to_string(),
        Json::String(text) => {
            let short: String = text.chars().take(40).collect();
            format!("{short:?}")
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Moment = Moment(1_800_000_000_000);

    fn bounds() -> Bounds {
        let job = stack::Job { gpus: 8, nodes: 2, gang: true, priority: 1, preemptible: true };
        Bounds { job, most: 1000, gpus: Some(8), nodes: 16 }
    }

    fn read(found: &Json) -> Result<Reading, Trouble> {
        Reading::json(&bounds(), found, NOW)
    }

    #[test]
    fn a_number_counts_jobs_of_the_declared_shape() {
        for found in [json!(3), json!("3"), json!(" 3\n"), json!(2.2), json!(3.0)] {
            let reading = read(&found).expect("a reading");
            let [job] = reading.work.waiting.as_slice() else { panic!("{reading:?}") };
            assert_eq!((job.count, job.shape, job.priority), (3, Shape::gang(8, 2), 1), "{found}");
            assert!(job.preemptible && reading.work.running.is_empty());
        }
        assert_eq!(read(&json!(0)).expect("nothing"), Reading::default());
    }

    #[test]
    fn jobs_are_read_one_by_one() {
        let found = json!([
            { "id": "a", "gpus": 4, "nodes": 1, "submitted_at": "2026-11-27T10:00:00Z", "x": [] },
            { "id": 7, "gpus": "2", "count": 3, "priority": "-5", "running": true, "gang": false },
            { "nodes": 4, "submitted_at": 1_700_000_000.5, "preemptible": "false" },
        ]);
        let Reading { work, refused, held: _, oldest } = read(&found).expect("a reading");
        assert_eq!((work.waiting.len(), work.running.len(), refused.len()), (2, 1, 0));
        let (first, last, running) = (&work.waiting[0], &work.waiting[1], &work.running[0]);
        assert_eq!(first.shape, Shape { gpus: 4, nodes: 1, gang: false });
        assert_eq!(last.shape, Shape::gang(8, 4));
        assert!(first.preemptible && !last.preemptible);
        assert_eq!((running.count, running.priority), (3, -5));
        assert_eq!(running.id.as_ref().map(|id| id.as_str()), Some("7"));
        assert_eq!(oldest, Some(Moment(1_700_000_000_500)));
    }

    #[test]
    fn what_cannot_be_true_is_refused() {
        for (found, what) in [
            (json!(-1), What::Absurd),
            (json!("NaN"), What::Absurd),
            (json!("inf"), What::Absurd),
            (json!(1001), What::Absurd),
            (json!(1e300), What::Absurd),
            (json!("many"), What::Answer),
            (json!(""), What::Answer),
            (json!(null), What::Answer),
            (json!(true), What::Answer),
            (json!({ "depth": 3 }), What::Answer),
            (json!([3]), What::Answer),
            (json!([{ "gpus": -1 }]), What::Absurd),
            (json!([{ "gpus": 1.5 }]), What::Absurd),
            (json!([{ "gpus": 1e12 }]), What::Absurd),
            (json!([{ "gpus": [] }]), What::Answer),
            (json!([{ "gpus": 1, "count": -2 }]), What::Absurd),
            (json!([{ "count": 600 }, { "count": 600 }]), What::Absurd),
            (json!([{ "priority": "NaN" }]), What::Absurd),
            (json!([{ "gang": "perhaps" }]), What::Answer),
            (json!([{ "submitted_at": "yesterday" }]), What::Answer),
            (json!([{ "submitted_at": -1 }]), What::Answer),
        ] {
            let trouble = read(&found).expect_err("nothing to believe");
            assert_eq!(trouble.what, what, "{found}: {trouble}");
        }
    }

    #[test]
    fn jobs_that_fit_no_node_are_left_out_and_told() {
        let found = json!([{ "id": "big", "gpus": 16 }, { "id": "wide", "gpus": 8, "nodes": 17 },
                           { "gpus": 8, "nodes": 17, "gang": false }, { "gpus": 8, "nodes": 16 }]);
        let reading = read(&found).expect("a reading");
        assert_eq!(reading.work.waiting.len(), 2);
        assert_eq!(
            reading.refused,
            [
                "big needs 16 accelerators on a node, and nodes have 8",
                "wide needs 17 nodes, and the cluster has 16",
            ]
        );
        let runs = read(&json!([{ "gpus": 16, "running": true }])).expect("a reading");
        assert_eq!((runs.work.running.len(), runs.refused.len()), (1, 0), "it has found a node");
        let many = Json::Array(vec![json!({ "gpus": 9, "nodes": 1 }); 12]);
        let refused = read(&many).expect("a reading").refused;
        assert_eq!((refused.len(), refused.last().map(String::as_str)), (11, Some("and 2 more")));
    }

    #[test]
    fn a_job_from_the_future_was_handed_in_now() {
        let reading = read(&json!([{ "submitted_at": 4_000_000_000_u32 }])).expect("a reading");
        assert_eq!(reading.oldest, Some(NOW));
    }
}
