//! The budget: what would run at once must fit into it, and whoever could grow past it is
//! warned. A price that nobody knows fits into no budget, and that is said.

use super::{Rail, Subject};
use crate::model::{Money, Problem};
use crate::plan::cost::{Bill, Sum, When};
use crate::stack::Limit;

/// The `budget` block of the stack.
pub(super) struct Budgeted;

/// What of a sum a limit is about.
type Figure = fn(Sum) -> Money;

/// Names of unknown prices in a warning.
const NAMES: usize = 5;

impl Rail for Budgeted {
    fn judge(&self, subject: Subject<'_>) -> Vec<Problem> {
        let Some(budget) = &subject.config.budget else { return Vec::new() };
        let bill = subject.bill;
        let limits: [(&Option<Limit>, Figure, &str); 2] = [
            (&budget.per_hour, Sum::per_hour, "an hour"),
            (&budget.per_month, Sum::per_month, "a month"),
        ];
        let mut found = Vec::new();
        for (limit, of, time) in limits {
            let Some(limit) = limit else { continue };
            found.extend(against(bill, limit, of, time));
        }
        let limit = budget.per_hour.as_ref().or(budget.per_month.as_ref());
        if let (Some(limit), false) = (limit, bill.sum(When::Ceiling).is_whole()) {
            found.push(unknown(bill, limit));
        }
        found
    }
}

fn against(bill: &Bill, limit: &Limit, of: Figure, time: &str) -> Option<Problem> {
    let at = |when| of(bill.sum(when));
    let (floor, ceiling, most) = (at(When::Floor), at(When::Ceiling), limit.usd);
    let label = format!("{most} {time}");
    if floor > most {
        // Whoever comes down may come down, even if that is not far enough yet.
        let falls = at(When::After) < at(When::Before);
        let text = format!("what would run at once costs {floor} {time}, above the budget");
        let problem = match falls {
            true => Problem::warning("G001", text).help(
                "the plan lowers the costs, so it may be applied; the next one that does not is \
                 refused",
            ),
            false => Problem::error("G001", text).help(
                "take fewer or cheaper nodes (`mlinfra cost` shows what costs what), or raise the\n\
                 budget; nothing was changed",
            ),
        };
        return Some(problem.at(&limit.span, label));
    }
    (ceiling > most).then(|| {
        let text = format!(
            "with every cluster at its most nodes the stack would cost {ceiling} {time}, above the \
             budget"
        );
        let help = "lower `max` of its clusters, or know that they stop growing at the budget";
        Problem::warning("G002", text).help(help).at(&limit.span, label)
    })
}

/// What the budget cannot be judged for.
fn unknown(bill: &Bill, limit: &Limit) -> Problem {
    let lines = bill.lines.iter().filter(|line| line.ceiling > 0);
    let mut names: Vec<String> = lines
        .flat_map(|line| {
            let owner = line.address.owner();
            line.rate.unknown.iter().map(move |what| format!("{what} ({owner})"))
        })
        .collect();
    names.dedup();
    let more = names.len().saturating_sub(NAMES);
    names.truncate(NAMES);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    let text = "the budget cannot be judged: prices of some parts are not known";
    let help = "they come on top of what is counted: leave room for them in the budget";
    Problem::warning("G003", text).detail(names.join("\n")).help(help).at(&limit.span, "")
}
