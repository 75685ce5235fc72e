//! Rows of a query as jobs, or as one number.

use serde_json::Value as Json;

use crate::model::Moment;

use super::trouble::{Trouble, What};
use super::work::{Bounds, Reading, Row, brief};

/// A query whose rows are JSON objects by the names of their columns. One more row than is
/// believed is enough to know that there are too many.
pub(super) fn wrap(query: &str, most: u32) -> String {
    let query = query.trim().trim_end_matches(';');
    // The line break ends a comment on the query's last line.
    let limit = u64::from(most) + 1;
    format!("select row_to_json(it)::text from ({query}\n) as it limit {limit}")
}

/// What the rows say.
pub(super) fn read(rows: &[String], bounds: &Bounds, now: Moment) -> Result<Reading, Trouble> {
    let parse = |row: &String| serde_json::from_str::<Json>(row);
    let found = rows.iter().map(parse).collect::<Result<Vec<_>, _>>();
    let found = found.map_err(|error| Trouble::new(What::Answer, format!("a row: {error}")))?;
    if let [Json::Object(only)] = found.as_slice()
        && only.len() == 1
        && let Some((name, value)) = only.iter().next()
        && !["gpus", "nodes", "id"].contains(&name.as_str())
    {
        return match value {
            Json::Number(_) | Json::String(_) => Reading::json(bounds, value, now),
            Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => {
                let text = format!(
                    "the query gives {}, and not a number; write coalesce(…, 0) where null means \
                     that nothing waits",
                    brief(value)
                );
                Err(Trouble::new(What::Answer, text))
            }
        };
    }
    // Rows without a single column that is known here are something else than jobs.
    let known = ["gpus", "nodes", "count", "id"];
    let strange = found.iter().find(|row| !known.iter().any(|name| row.get(name).is_some()));
    if let Some(strange) = strange {
        let names: Vec<String> = strange
            .as_object()
            .into_iter()
            .flatten()
            .take(8)
            .map(|(name, _)| format!("{name:?}"))
            .collect();
        let text = format!(
            "the query gives rows of {}, and no column `gpus`, `nodes`, `count` or `id`",
            names.join(", ")
        );
        return Err(Trouble::new(What::Answer, text));
    }
    let rows = found.iter().map(|row| Row::read(bounds, row, now));
    Reading::rows(bounds, rows.collect::<Result<Vec<_>, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack;

    const BOUNDS: Bounds = Bounds {
        job: stack::Job { gpus: 1, nodes: 1, gang: false, priority: 0, preemptible: false },
        most: 10,
        gpus: Some(8),
        nodes: 16,
    };

    fn told(rows: &[&str]) -> Result<Vec<u32>, What> {
        let rows: Vec<String> = rows.iter().map(|row| (*row).to_owned()).collect();
        let reading = read(&rows, &BOUNDS, Moment(0)).map_err(|trouble| trouble.what)?;
        Ok(reading.work.waiting.iter().map(|job| job.count * (1 + job.shape.gpus)).collect())
    }

    #[test]
    fn one_number_counts_and_rows_are_jobs() {
        assert_eq!(told(&[r#"{"count":3}"#]), Ok(vec![6]));
        assert_eq!(told(&[r#"{"?column?":0}"#]), Ok(vec![]));
        assert_eq!(told(&[r#"{"gpus":3}"#]), Ok(vec![4]));
        assert_eq!(told(&[r#"{"gpus":3,"count":2}"#, r#"{"id":"a"}"#]), Ok(vec![8, 2]));
        assert_eq!(told(&[]), Ok(vec![]));
    }

    #[test]
    fn what_is_neither_is_refused() {
        assert_eq!(told(&[r#"{"sum":null}"#]), Err(What::Answer));
        assert_eq!(told(&[r#"{"n":"NaN"}"#]), Err(What::Absurd));
        assert_eq!(told(&[r#"{"n":-1}"#]), Err(What::Absurd));
        assert_eq!(told(&[r#"{"n":true}"#]), Err(What::Answer));
        assert_eq!(told(&[r#"{"a":1,"b":2}"#]), Err(What::Answer));
        assert_eq!(told(&[r#"{"id":1}"#; 11]), Err(What::Absurd));
    }

    #[test]
    fn a_query_is_wrapped_whole() {
        let wrapped = wrap(" select 1; -- one\n ;\n", 10);
        assert_eq!(
            wrapped,
            "select row_to_json(it)::text from (select 1; -- one\n \n) as it limit 11"
        );
        assert!(wrap("select 1 -- one", 1).contains("-- one\n)"));
    }
}
