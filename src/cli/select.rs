//! `--target`, `--replace`, `--refresh-only`.

use std::collections::BTreeSet;
use std::str::FromStr;

use crate::model::{BadAddress, Problem};
use crate::plan::Selection;
use crate::show::terraform;

use super::args::SelectArgs;
use super::halt::Halt;

/// What was asked for.
pub fn of(args: &SelectArgs) -> Result<Selection, Halt> {
    let SelectArgs { targets, replace, refresh_only } = args;
    let replace = addresses("--replace", replace)?;
    Ok(Selection { replace, refresh_only: *refresh_only, ..self::targets(targets)? })
}

/// Only these.
pub fn targets(texts: &[String]) -> Result<Selection, Halt> {
    Ok(Selection { targets: addresses("--target", texts)?, ..Selection::default() })
}

fn addresses<T: FromStr<Err = BadAddress> + Ord>(
    flag: &str,
    texts: &[String],
) -> Result<BTreeSet<T>, Halt> {
    let read = |text: &String| {
        let text = terraform::ours(text).unwrap_or_else(|| text.clone());
        text.parse().map_err(|bad: BadAddress| {
            let help = "an address is `bucket.data`, `bucket.data[\"eu\"]`, `network.main/vpc`; \
                        a plan shows them";
            Halt::one("P007", format!("{flag}: {bad}"), help)
        })
    };
    texts.iter().map(read).collect()
}

/// That a plan is not the whole one.
pub fn part(selection: &Selection) -> Vec<Problem> {
    if selection.targets.is_empty() {
        return Vec::new();
    }
    let all: Vec<String> = selection.targets.iter().map(ToString::to_string).collect();
    let text = format!("this is a part of the plan: {} and what it needs", all.join(", "));
    let help = "use --target for exceptions; `mlinfra plan` without it shows all there is to do";
    vec![Problem::warning("P008", text).help(help)]
}
