//! Answers of Prometheus' HTTP API (<https://prometheus.io/docs/prometheus/latest/querying/api/>).

use serde_json::{Map, Value as Json};

use crate::model::Moment;

use super::trouble::{Trouble, What};
use super::work::{Bounds, Reading, Row, number};

/// What a query came to; none where the answer is not Prometheus'.
pub(super) fn read(body: &[u8], bounds: &Bounds, now: Moment) -> Option<Result<Reading, Trouble>> {
    let found: Json = serde_json::from_slice(body).ok()?;
    match found.get("status")?.as_str()? {
        "success" => Some(result(found.get("data")?, bounds, now)),
        _ => {
            let text = found.get("error").and_then(Json::as_str).unwrap_or("no reason given");
            Some(Err(Trouble::new(What::Answer, format!("Prometheus refused the query: {text}"))))
        }
    }
}

fn result(data: &Json, bounds: &Bounds, now: Moment) -> Result<Reading, Trouble> {
    let kind = data.get("resultType").and_then(Json::as_str).unwrap_or_default();
    let result = data.get("result").unwrap_or(&Json::Null);
    let answer = |text: &str| Trouble::new(What::Answer, text);
    match kind {
        "scalar" => Reading::depth(bounds, value(result)?, 0.0),
        "vector" => {
            let series = result.as_array().map(Vec::as_slice).unwrap_or_default();
            if series.is_empty() {
                // A target that is gone looks the same as a queue that is empty.
                let text = "no series matches the query; write `… or vector(0)` where that means \
                            that nothing waits";
                return Err(answer(text));
            }
            let rows = series.iter().map(|one| row(one, bounds, now));
            Reading::rows(bounds, rows.collect::<Result<Vec<_>, _>>()?)
        }
        _ => Err(answer(&format!("the query gives a {kind:?}, and not a number or a vector"))),
    }
}

fn value(sample: &Json) -> Result<f64, Trouble> {
    number("the sample", sample.get(1).unwrap_or(&Json::Null))
}

/// Labels that say what the jobs of a series need; all others mean something else here.
const LABELS: [&str; 5] = ["gpus", "nodes", "gang", "priority", "preemptible"];

fn row(series: &Json, bounds: &Bounds, now: Moment) -> Result<Row, Trouble> {
    let metric = series.get("metric").and_then(Json::as_object);
    let label = |name: &str| metric.and_then(|all| all.get(name));
    let known = LABELS.iter().filter_map(|name| Some(((*name).to_owned(), label(name)?.clone())));
    let object = Json::Object(known.collect::<Map<_, _>>());
    let count = bounds.number(value(series.get("value").unwrap_or(&Json::Null))?)?;
    let running = label("state").and_then(Json::as_str) == Some("running");
    Ok(Row { count, running, ..Row::read(bounds, &object, now)? })
}

/// A text as a part of a URL.
pub(super) fn escape(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    text.bytes().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::Shape;
    use crate::stack;

    const BOUNDS: Bounds = Bounds {
        job: stack::Job { gpus: 8, nodes: 1, gang: false, priority: 0, preemptible: false },
        most: 1000,
        gpus: Some(8),
        nodes: 16,
    };

    fn told(body: &str) -> Option<Result<Reading, Trouble>> {
        read(body.as_bytes(), &BOUNDS, Moment(0))
    }

    fn data(kind: &str, result: &str) -> Result<Reading, Trouble> {
        let data = format!(r#"{{"resultType":"{kind}","result":{result}}}"#);
        told(&format!(r#"{{"status":"success","data":{data}}}"#)).expect("Prometheus' own words")
    }

    #[test]
    fn numbers_and_vectors_are_jobs() {
        let scalar = data("scalar", r#"[1,"3"]"#).expect("a reading");
        assert_eq!(
            (scalar.work.waiting[0].count, scalar.work.waiting[0].shape),
            (3, Shape::single(8))
        );
        let vector = r#"[{"metric":{"queue":"a"},"value":[1,"2"]},
            {"metric":{"gpus":"4","nodes":"2","instance":"x"},"value":[1.5,"5"]},
            {"metric":{"state":"running"},"value":[1,"7"]},{"metric":{},"value":[1,"0"]}]"#;
        let work = data("vector", vector).expect("a reading").work;
        let waiting: Vec<_> = work.waiting.iter().map(|job| (job.count, job.shape)).collect();
        assert_eq!(waiting[..2], [(2, Shape::single(8)), (5, Shape::gang(4, 2))]);
        assert_eq!((work.running.len(), work.running[0].count), (1, 7));
    }

    #[test]
    fn no_series_and_no_number_are_no_answer() {
        for (kind, result, what) in [
            ("vector", "[]", What::Answer),
            ("matrix", "[]", What::Answer),
            ("string", r#"[1,"x"]"#, What::Answer),
            ("scalar", r#"[1,"NaN"]"#, What::Absurd),
            ("scalar", r#"[1,"+Inf"]"#, What::Absurd),
            ("vector", r#"[{"metric":{},"value":[1,"-1"]}]"#, What::Absurd),
            ("vector", r#"[{"metric":{"gpus":"many"},"value":[1,"1"]}]"#, What::Answer),
            ("vector", r#"[{"metric":{}}]"#, What::Answer),
        ] {
            let trouble = data(kind, result).expect_err("no answer");
            assert_eq!(trouble.what, what, "{kind} {result}: {trouble}");
        }
        let refused = told(r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#);
        let text = refused.expect("its words").expect_err("an error").text;
        assert_eq!(text, "Prometheus refused the query: parse error");
        for stranger in ["", "<html>", "3", r#"{"depth":3}"#] {
            assert!(told(stranger).is_none(), "{stranger}");
        }
    }

    #[test]
    fn a_query_is_one_part_of_a_url() {
        assert_eq!(escape("sum(x{a=\"b\"}) or é"), "sum%28x%7Ba%3D%22b%22%7D%29%20or%20%C3%A9");
    }
}
