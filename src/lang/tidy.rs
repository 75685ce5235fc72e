//! Problems as people read them: in order, once each, and not too many.

use crate::model::Problem;

use super::{codes, limits};

/// By file and place, without repetitions, and not more than a person reads.
pub fn tidy(mut problems: Vec<Problem>) -> Vec<Problem> {
    let place = |problem: &Problem| {
        problem.labels.first().map(|label| (label.span.source, label.span.range.start))
    };
    problems.sort_by_key(place);
    // The instances of a block have the same problem one by one.
    problems.dedup_by(|next, first| {
        let same = (next.code, &next.summary, &next.labels, &next.help)
            == (first.code, &first.summary, &first.labels, &first.help);
        if same && next.detail != first.detail && first.detail.starts_with("in ") {
            let (base, more) = first.detail.split_once(" and ").unwrap_or((&first.detail, "0"));
            let more = more.split(' ').next().and_then(|more| more.parse().ok()).unwrap_or(0_u32);
            first.detail = format!("{base} and {} more", more + 1);
        }
        same
    });
    if problems.len() > limits::PROBLEMS {
        let more = problems.len() - limits::PROBLEMS;
        problems.truncate(limits::PROBLEMS);
        problems.push(
            Problem::error(codes::LIMIT, format!("and {more} more problems"))
                .help("mend the first ones; the others may go with them"),
        );
    }
    problems
}
