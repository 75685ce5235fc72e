//! Commands within our own words, as they have to be typed.

/// Commands that ask no cloud, and the one that is the simulated region's own.
const WITHOUT: [&str; 8] =
    ["completions", "explain", "fmt", "man", "node", "sandbox", "schema", "version"];

/// Gives every command that stands in backticks the flag of the simulated region.
pub fn with_sandbox(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, part) in text.split('`').enumerate() {
        if at > 0 {
            out.push('`');
        }
        out.push_str(part);
        if at % 2 == 1 && wants(part) {
            out.push_str(" --sandbox");
        }
    }
    out
}

fn wants(command: &str) -> bool {
    let mut words = command.split_whitespace();
    words.next() == Some("mlinfra")
        && words.next().is_some_and(|verb| !WITHOUT.contains(&verb))
        && !command.contains("--sandbox")
        // What stands behind `--` is another program's.
        && !command.contains(" -- ")
}

#[cfg(test)]
mod tests {
    use super::with_sandbox;

    #[test]
    fn a_command_that_is_proposed_gets_the_flag_that_was_typed() {
        for (text, wanted) in [
            ("run `mlinfra apply` first", "run `mlinfra apply --sandbox` first"),
            ("`mlinfra plan --out FILE`", "`mlinfra plan --out FILE --sandbox`"),
            ("`mlinfra sandbox reset`, `aws x`", "`mlinfra sandbox reset`, `aws x`"),
            ("`mlinfra apply --sandbox` and mlinfra", "`mlinfra apply --sandbox` and mlinfra"),
            ("`mlinfra ssh x -- ls`; `mlinfra`", "`mlinfra ssh x -- ls`; `mlinfra`"),
            ("one ` only: mlinfra plan", "one ` only: mlinfra plan"),
        ] {
            assert_eq!(with_sandbox(text), wanted);
        }
    }
}
