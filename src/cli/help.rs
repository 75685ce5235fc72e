//! What `mlinfra --help` says: one screen, with what a newcomer needs first.

/// Commands by what they are for. A test holds it to the commands that there are.
pub const TEXT: &str = "\
GPU training clusters and storage on AWS: declared in HCL, planned against the
actual cloud, applied so that nothing is made twice and nothing is left over.

Usage: mlinfra [OPTIONS] COMMAND      `mlinfra help COMMAND` says more of each

First:
  init       Write a stack by answering questions; --sandbox needs no account
  validate   Check the configuration, without asking the cloud
  plan       Show what apply would do, and what that costs
  apply      Plan, ask, and change the cloud accordingly
  destroy    Delete everything that the stack owns

Then:
  changes   show output fmt drift history rollback adopt forget diff-env
  clusters  status top nodes offers cost doctor ssh logs autoscale node
  tools     explain ledger update catalog sandbox schema man completions version

Everywhere: -C DIR, --env NAME, --profile NAME, --sandbox[=DIR], --json, -v,
  --no-color, --plain, --no-input, -h, -V. Terraform's single dashes work too.

Exit codes: 0 done, 1 a problem, 2 changes are present, 3 formatting differs,
  130 interrupted. mlinfra sends nothing to anybody but the cloud.
";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::TEXT;
    use crate::cli::args::Cli;

    #[test]
    fn the_overview_names_every_command_and_fits_one_screen() {
        let words: Vec<&str> = TEXT.split_whitespace().collect();
        for command in Cli::command().get_subcommands() {
            assert!(words.contains(&command.get_name()), "{} is missing", command.get_name());
        }
        // A screen of 24 lines, with the prompt before and the one after.
        assert!(TEXT.lines().count() <= 22, "{} lines", TEXT.lines().count());
        assert!(TEXT.lines().all(|line| line.len() <= 80));
        let first = TEXT.split("First:").nth(1).and_then(|rest| rest.split("Then:").next());
        let first: Vec<&str> = first
            .expect("two parts")
            .lines()
            .filter_map(|line| line.split_whitespace().next())
            .collect();
        assert_eq!(first, ["init", "validate", "plan", "apply", "destroy"]);
    }
}
