//! What is checked of a whole configuration before any cloud is asked.

use crate::catalog::{self, Catalog};
use crate::lang::nearest::nearest;
use crate::lang::{Evaluated, Loaded, Value};
use crate::model::{Problem, Severity, tags};

use super::wrong::wrong;
use super::{adopt, autoscale, backend, budget, forget, lookup, moved, need};

/// Problems of the `stack` block, and secrets where there may be none.
pub fn check(loaded: &Loaded) -> Vec<Problem> {
    let mut problems = Vec::new();
    if let Some(stack) = &loaded.stack {
        secrets(stack, &mut problems);
        region(stack, &mut problems);
        account(stack, &mut problems);
        problems.extend(bad_tags(stack));
        backend::check(stack, &mut problems);
        budget::check(stack, &mut problems);
    }
    problems.extend(moved::check(loaded));
    problems.extend(adopt::check(loaded));
    problems.extend(forget::check(loaded));
    problems.extend(autoscale::check(loaded));
    for block in &loaded.blocks {
        secrets(block, &mut problems);
        deferred(block, &mut problems);
        lookup::check(block, &mut problems);
        types(block, &mut problems);
        problems.extend(undriven(block));
    }
    problems
}

/// A written image without any driver, on machines with accelerators, where no set-up can bring
/// one: every node would fail its boot check.
fn undriven(block: &Evaluated) -> Option<Problem> {
    let value = block.attr("image")?;
    let image = value.as_str().filter(|image| catalog::image_lacks_driver(image))?;
    if block.attr("setup").is_some() {
        return None;
    }
    let has = need::candidates(block, Catalog::shipped()).accelerated()?;
    let text = format!("{image} has no driver for {has}: nodes would fail their boot check");
    let help = "leave `image` away, write dlami-base or dlami-pytorch (dlami-neuron for Trainium\n\
                and Inferentia), or a `setup` that installs the driver";
    Some(doubt(value, text, help))
}

/// What stands in a block ends up in the cloud, in plans and in the ledger, for everybody
/// with a right to read them.
fn secrets(block: &Evaluated, problems: &mut Vec<Problem>) {
    for (name, value) in block.attributes.iter() {
        if value.holds_sensitive() {
            let text = format!("{name} would hold a secret, readable for many");
            let help = "keep it in AWS Secrets Manager, from which a node fetches it; or\n\
                        write nonsensitive(…) when it is no secret";
            problems.push(Problem::error("S002", text).help(help).at(&block.span, ""));
        }
    }
    block.blocks.iter().for_each(|inner| secrets(inner, problems));
}

/// Places that take a text with ids in it that apply fills in.
const TAKE_IDS: [(&str, &str); 2] = [("cluster", "setup"), ("service", "setup")];

/// Everywhere else an id would be left out without a word.
fn deferred(block: &Evaluated, problems: &mut Vec<Problem>) {
    for (name, value) in block.attributes.iter() {
        if !TAKE_IDS.contains(&(block.word, name)) && value.any(&Value::is_deferred) {
            let text = format!("{name} is known only after apply");
            let help = "use a name, an ARN or a variable instead; these are known when planning";
            problems.push(wrong(value, text, help));
        }
    }
    block.blocks.iter().for_each(|inner| deferred(inner, problems));
}

fn region(stack: &Evaluated, problems: &mut Vec<Problem>) {
    let Some((value, name)) = written(stack, "region") else { return };
    if let Some((text, help)) = catalog::region_slip(name) {
        problems.push(wrong(value, text, &help));
    } else if let Some(help) = catalog::region_doubt(name) {
        problems.push(doubt(value, format!("{name:?} is no region that is known here"), &help));
    }
}

/// What may be right all the same: AWS has more than any table.
fn doubt(value: &Value, text: String, help: &str) -> Problem {
    Problem { severity: Severity::Warning, ..wrong(value, text, help) }
}

/// Whether a type may be meant for one that is known. Of those with accelerators all are known
/// that there were when the table was made; of the others there are many more.
fn are_alike(name: &str, near: &str) -> bool {
    let known = Catalog::shipped().get(near);
    let letters = |text: &str| text.chars().take_while(char::is_ascii_alphabetic).count();
    known.is_some_and(|it| it.accelerator.is_some())
        && strsim::damerau_levenshtein(name, near) == 1
        && name[..letters(name)] == near[..letters(near)]
}

/// Instance types that a block names: what AWS calls none so, and what is nearly one that is known.
fn types(block: &Evaluated, problems: &mut Vec<Problem>) {
    let list = block.attr("instance_types").and_then(Value::as_list).unwrap_or_default();
    for value in block.attr("instance_type").into_iter().chain(list) {
        let Some(name) = value.as_str() else { continue };
        let known = Catalog::shipped();
        if known.get(name).is_some() {
            continue;
        }
        let near = nearest(name, known.types().map(|it| it.name.as_str()));
        if !catalog::is_type_name(name) {
            let help = match near {
                Some(near) => format!("did you mean {near:?}?"),
                None => "write it as AWS does, such as \"p5.48xlarge\"".to_owned(),
            };
            problems.push(wrong(value, format!("{name:?} is no instance type"), &help));
        } else if let Some(near) = near.filter(|near| are_alike(name, near)) {
            let text = format!("{name:?} is no instance type that is known here");
            let help = format!("did you mean {near:?}? AWS has more types, and may have this one");
            problems.push(doubt(value, text, &help));
        }
    }
}

fn account(stack: &Evaluated, problems: &mut Vec<Problem>) {
    let Some((value, digits)) = written(stack, "account") else { return };
    if digits.len() != 12 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        let text = format!("{digits:?} is no AWS account");
        problems.push(wrong(value, text, "write its twelve digits in quotes"));
    }
}

fn written<'a>(stack: &'a Evaluated, name: &str) -> Option<(&'a Value, &'a str)> {
    let value = stack.attr(name)?;
    Some((value, value.as_str()?))
}

/// Problems of the tags of a block.
pub(super) fn bad_tags(block: &Evaluated) -> Vec<Problem> {
    let tags = block.attr("tags").and_then(Value::as_map).into_iter().flatten();
    let bad = |(key, value): (&String, &Value)| {
        let text = value.as_str().unwrap_or_default();
        if tags::is_reserved(key) {
            let help = "keys that begin with `aws:` or `mlinfra:` are taken; choose another";
            return Some(wrong(value, format!("tag {key:?} is reserved"), help));
        }
        let fits = !key.is_empty() && key.chars().count() <= 128 && text.chars().count() <= 256;
        let help = "a key has 1 to 128 characters, a value up to 256";
        (!fits).then(|| wrong(value, format!("tag {key:?} is too long, or empty"), help))
    };
    tags.filter_map(bad).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::{self, File, Vars};
    use crate::stack::Words;

    fn found(text: &str) -> Vec<String> {
        let file = File { name: "main.hcl".to_owned(), text: text.to_owned() };
        let loaded = lang::load(&[file], &Vars::new(), &Words::default(), None);
        assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
        check(&loaded).into_iter().map(|problem| problem.summary).collect()
    }

    #[test]
    fn accelerators_without_a_driver_are_told_of_unless_a_set_up_may_bring_one() {
        let with = |body: &str| {
            found(&format!(
                "stack \"s\" {{ region = \"us-east-1\" }}\nnetwork \"n\" {{}}\n\
                            cluster \"c\" {{\n network = network.n\n nodes = 1\n{body}\n}}"
            ))
        };
        let (gpu, cpu) = ("instance_type = \"g5.xlarge\"", "instance_type = \"c7i.large\"");
        let (ubuntu, setup) = ("image = \"ubuntu-24.04\"", "setup = \"apt-get …\"");
        let found = with(&format!("{gpu}\n{ubuntu}"));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("ubuntu-24.04 has no driver for 1 × A10G"), "{found:?}");
        let by_need = with("accelerators = \"Trainium:1\"\nimage = \"al2023\"");
        assert!(by_need[0].starts_with("al2023 has no driver for "), "{by_need:?}");
        for fine in [
            format!("{gpu}\n{ubuntu}\n{setup}"),
            format!("{cpu}\n{ubuntu}"),
            format!("{gpu}\nimage = \"ami-0abc123\""),
            gpu.to_owned(),
        ] {
            assert_eq!(with(&fine), [""; 0], "{fine}");
        }
    }

    #[test]
    fn regions_of_every_partition_are_names() {
        for name in ["us-east-1", "ap-southeast-5", "us-gov-west-1", "cn-north-1"] {
            assert!(found(&format!("stack \"s\" {{ region = {name:?} }}")).is_empty(), "{name}");
        }
        for name in ["US East", "us-east", "us-east-1a", "us--1", "", "us_east_1"] {
            let found = found(&format!("stack \"s\" {{ region = {name:?} }}"));
            assert_eq!(found.len(), 1, "{name}");
        }
    }

    #[test]
    fn what_is_nearly_a_name_is_told_with_the_name() {
        let told = |region: &str, types: &str| {
            let text = format!(
                "stack \"s\" {{ region = {region:?} }}\nnetwork \"n\" {{}}\ncluster \"c\" {{\n  network \
                 = network.n\n  nodes = 1\n  {types}\n}}\n"
            );
            let file = File { name: "main.hcl".to_owned(), text };
            let loaded = lang::load(&[file], &Vars::new(), &Words::default(), None);
            assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
            let said = |it: Problem| (it.severity == Severity::Error, it.summary, it.help);
            check(&loaded).into_iter().map(said).collect::<Vec<_>>()
        };
        let good = "instance_type = \"p5.48xlarge\"";
        assert_eq!(told("us-east-1", good), []);
        assert_eq!(
            told("us-east-1", "instance_types = [\"c5.4xlarge\", \"u7in-16tb.224xlarge\"]"),
            []
        );
        let [(true, text, help)] = &told("us-eats-1", good)[..] else { panic!("an error") };
        assert_eq!(text, "there is no region \"us-eats-1\"");
        assert_eq!(help, "did you mean us-east-1?");
        let [(false, text, help)] = &told("us-west-3", good)[..] else { panic!("a warning") };
        assert_eq!(text, "\"us-west-3\" is no region that is known here");
        assert!(help.starts_with("did you mean us-west-1?"), "{help}");
        let [(true, text, help)] = &told("us-east-1", "instance_type = \"p5.48xlrge\"")[..] else {
            panic!("an error")
        };
        assert_eq!(text, "\"p5.48xlrge\" is no instance type");
        assert_eq!(help, "did you mean \"p5.48xlarge\"?");
        let [(false, _, help)] = &told("us-east-1", "instance_types = [\"p9.48xlarge\"]")[..]
        else {
            panic!("a warning")
        };
        assert!(help.starts_with("did you mean \"p5.48xlarge\"?"), "{help}");
    }

    #[test]
    fn no_secret_enters_a_spec() {
        let head = "stack \"s\" { region = \"us-east-1\" }\n";
        for body in [
            "bucket \"b\" { tags = { a = sensitive(\"x\") } }",
            "bucket \"b\" { name = \"s-${sensitive(\"x\")}\" }",
            "queue \"q\" { max_receives = sensitive(3) }",
            "network \"n\" { zones = [sensitive(\"a\")] }",
            "bucket \"b\" {\n expire {\n after = sensitive(\"3d\")\n }\n}",
        ] {
            let found = found(&format!("{head}{body}\n"));
            assert!(found.iter().any(|text| text.contains("a secret")), "{body}: {found:?}");
        }
    }
}
