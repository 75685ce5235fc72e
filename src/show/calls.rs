//! The table behind `--timings`: which API was called how often, and what it took.

use super::fold::{Page, Row, count};
use super::screen::{Ink, Screen, Untrusted};
use crate::cloud::{CallCount, CallCounts};

/// The table, what took longest first.
pub fn text(counts: &CallCounts, screen: &Screen) -> String {
    let mut page = Page::new(*screen);
    if counts.is_empty() {
        page.row(&Row::at(0).words(Ink::Plain, "No API calls."));
        return page.finish();
    }
    let mut rows: Vec<(String, CallCount)> =
        counts.iter().map(|(api, count)| (Untrusted(api).to_string(), *count)).collect();
    rows.sort_by(|(_, a), (_, b)| b.seconds.total_cmp(&a.seconds));
    let wide = rows.iter().map(|(api, _)| api.chars().count()).max().unwrap_or(0).max(5);
    let heading = format!("{:wide$}  {:>6}  {:>8}  {:>8}", "API", "calls", "total", "each");
    page.row(&Row::at(0).solid(Ink::Bold, heading));
    let mut sum = CallCount::default();
    for (api, count) in &rows {
        page.row(&Row::at(0).code(Ink::Plain, &line(api, *count, wide)));
        sum.calls += count.calls;
        sum.seconds += count.seconds;
    }
    page.row(&Row::at(0).code(Ink::Bold, &line("total", sum, wide)));
    let note = format!(
        "{} of {}. Calls run side by side: their times add up to more than passed.",
        count(usize::try_from(sum.calls).unwrap_or(usize::MAX), "call", "calls"),
        count(rows.len(), "API", "APIs"),
    );
    page.row(&Row::at(0).words(Ink::Dim, note));
    page.finish()
}

fn line(api: &str, count: CallCount, wide: usize) -> String {
    let CallCount { calls, seconds } = count;
    // A table of a few thousand calls: no precision is lost that anybody sees.
    #[allow(clippy::cast_precision_loss)]
    let each = if calls == 0 { 0.0 } else { seconds / calls as f64 };
    format!("{api:wide$}  {calls:>6}  {seconds:>7.2}s  {each:>7.2}s")
}

/// The same for machines.
pub fn json(counts: &CallCounts) -> serde_json::Value {
    let each = counts.iter().map(|(api, CallCount { calls, seconds })| {
        (api.clone(), serde_json::json!({ "calls": calls, "seconds": seconds }))
    });
    serde_json::Value::Object(each.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_took_longest_comes_first() {
        let counts = CallCounts::from([
            ("ec2:DescribeVpcs".to_owned(), CallCount { calls: 1, seconds: 0.25 }),
            ("s3:GetBucketPolicy".to_owned(), CallCount { calls: 12, seconds: 1.5 }),
        ]);
        let wanted = "\
API                  calls     total      each
s3:GetBucketPolicy      12     1.50s     0.12s
ec2:DescribeVpcs         1     0.25s     0.25s
total                   13     1.75s     0.13s
13 calls of 2 APIs. Calls run side by side: their times add up to more than
passed.
";
        assert_eq!(text(&counts, &Screen::PLAIN), wanted);
        assert_eq!(text(&CallCounts::new(), &Screen::PLAIN), "No API calls.\n");
        assert_eq!(
            json(&counts)["ec2:DescribeVpcs"],
            serde_json::json!({"calls": 1, "seconds": 0.25})
        );
    }
}
