//! `lookup`: what exists already and belongs to somebody else. It is read, never changed.
//!
//! A lookup is asked before the rest is evaluated; until then, and under `validate`, nothing
//! is known of it.

use std::collections::BTreeMap;

use crate::cloud::{Facts, Lookup, Match};
use crate::lang::schema::{Attribute, BlockSchema, Export, Type};
use crate::lang::{Data, Evaluated, Loaded, Value};
use crate::model::Problem;

use super::expansion::map;
use super::names::Here;
use super::wrong::wrong;

const LABEL: Option<&str> = Some("the name by which other blocks refer to it");

const TAGS: Attribute =
    Attribute::new("tags", Type::Map(&Type::String), "Tags that it has, with these values.");

/// A table of what can be looked up.
const fn table(
    word: &'static str,
    attributes: &'static [Attribute],
    exports: &'static [Export],
    doc: &'static str,
) -> BlockSchema {
    BlockSchema { word, label: LABEL, repeats: true, attributes, blocks: &[], exports, doc }
}

pub(super) const VPC: BlockSchema = table(
    "lookup vpc",
    &[Attribute::new("id", Type::String, "Its id."), TAGS],
    &[Export { name: "id", doc: "Its id." }, Export { name: "cidr", doc: "Its addresses." }],
    "A VPC that exists, found by id or tags.",
);

pub(super) const SUBNETS: BlockSchema = table(
    "lookup subnets",
    &[Attribute::new("vpc", Type::String, "The VPC's id.").required(), TAGS],
    &[
        Export { name: "vpc", doc: "The VPC's id." },
        Export { name: "ids", doc: "Their ids, by zone." },
        Export { name: "zones", doc: "The id of the first subnet in each zone, by zone." },
    ],
    "Subnets that exist in a VPC. A cluster runs in them: `subnets = lookup.subnets.<name>`.",
);

pub(super) const BUCKET: BlockSchema = table(
    "lookup bucket",
    &[Attribute::new("name", Type::String, "Its name in S3.").required()],
    &[
        Export { name: "name", doc: "Its name in S3." },
        Export { name: "arn", doc: "Its ARN." },
        Export { name: "region", doc: "The region that it is in." },
    ],
    "A bucket that exists. A cluster reads it: `read = [lookup.bucket.<name>]`.",
);

pub(super) const IMAGE: BlockSchema = table(
    "lookup image",
    &[
        Attribute::new(
            "parameter",
            Type::String,
            "An SSM parameter whose value is the image's id, such as \
             `/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-6.1-x86_64`. Either this or \
             `name` is written. A cluster whose image is the id that was found gets new nodes when \
             the parameter changes; one whose `image` is the parameter itself keeps its own.",
        ),
        Attribute::new("name", Type::String, "A pattern of names: `team-gpu-*`."),
        Attribute::new("owner", Type::String, "Beside `name`: an account, `self` or `amazon`.")
            .or("\"self\""),
    ],
    &[Export { name: "id", doc: "Its id." }, Export { name: "name", doc: "Its name." }],
    "The image that an SSM parameter names, or the newest one whose name fits a pattern.",
);

pub(super) const ZONES: BlockSchema = table(
    "lookup zones",
    &[],
    &[
        Export { name: "names", doc: "Their names, such as `us-east-1a`." },
        Export { name: "letters", doc: "Their letters, as `zones` takes them." },
    ],
    "The zones of the region that are open to the account.",
);

pub(super) const ACCOUNT: BlockSchema = table(
    "lookup account",
    &[],
    &[Export { name: "id", doc: "Its twelve digits." }],
    "The account that the credentials belong to.",
);

/// The question that a block asks; none when it asks none, or not all of it is known yet.
pub(super) fn question(block: &Evaluated) -> Option<Lookup> {
    let known = block.attributes.values().all(|value| !value.holds_unknown());
    let text = |name: &str| block.attr(name).and_then(Value::as_str).map(str::to_owned);
    let tags = map(block.attr("tags"));
    match block.word.strip_prefix("lookup ").filter(|_| known)? {
        "vpc" => Some(Lookup::Vpc { id: text("id"), tags }),
        "subnets" => Some(Lookup::Subnets { vpc: text("vpc")?, tags }),
        "bucket" => Some(Lookup::Bucket { name: text("name")? }),
        "image" => match (text("parameter"), text("name")) {
            (Some(name), None) => Some(Lookup::Parameter { name }),
            (None, Some(name)) => {
                let owner = text("owner").unwrap_or_else(|| "self".to_owned());
                Some(Lookup::Image { owner, name })
            }
            (_, _) => None,
        },
        _ => None,
    }
}

/// What can be said of it before any cloud is asked.
pub(super) fn check(block: &Evaluated, problems: &mut Vec<Problem>) {
    if block.word != IMAGE.word {
        return;
    }
    let help = "write parameter = \"/aws/service/…\", or name = \"team-gpu-*\" and its owner";
    let wrong_by = |text: &str, at: &str| {
        Problem::error("S001", text).help(help).at(block.place(at), String::new())
    };
    let has = |name: &str| block.attr(name).is_some();
    match (has("parameter"), has("name"), has("owner")) {
        (false, false, _) => {
            let text = "an image is looked up by an SSM parameter or by a name";
            problems.push(wrong_by(text, ""));
        }
        (true, true, _) => {
            let text = "an image is looked up by an SSM parameter or by a name, not by both";
            problems.push(wrong_by(text, "name"));
        }
        (true, false, true) => {
            let text = "an image that an SSM parameter names needs no owner";
            problems.push(wrong_by(text, "owner"));
        }
        (true, false, false) | (false, true, _) => {}
    }
    let Some(value) = block.attr("parameter") else { return };
    let fine = |b: u8| b.is_ascii_alphanumeric() || b"/._-:".contains(&b);
    if let Some(text) = value.as_str()
        && (text.is_empty() || text.len() > 2048 || !text.bytes().all(fine))
    {
        let help = "it has letters, digits and `/._-`, and a version after `:` where one is meant";
        problems.push(wrong(value, format!("{text:?} is no name of an SSM parameter"), help));
    }
}

/// What can be read from it.
pub(super) fn exports(
    here: &Here,
    block: &Evaluated,
    facts: Option<&Facts>,
) -> BTreeMap<String, Value> {
    let schema = [VPC, SUBNETS, BUCKET, IMAGE, ZONES, ACCOUNT];
    let exports = schema.iter().find(|schema| schema.word == block.word);
    let unknown = exports.into_iter().flat_map(|schema| schema.exports);
    let mut out: BTreeMap<String, Value> =
        unknown.map(|export| (export.name.to_owned(), Value::unknown())).collect();
    let Some(facts) = facts else { return out };
    let list =
        |texts: Vec<String>| Value::from(texts.into_iter().map(Value::from).collect::<Vec<_>>());
    match block.word {
        "lookup zones" => {
            let letters = facts.zones.iter().filter_map(|zone| zone.letter()).map(String::from);
            out.insert("letters".to_owned(), list(letters.collect()));
            let names = facts.zones.iter().map(ToString::to_string).collect();
            out.insert("names".to_owned(), list(names));
        }
        "lookup account" => {
            out.insert("id".to_owned(), facts.home.account.as_str().into());
        }
        _ => {}
    }
    let found = question(block).and_then(|question| facts.lookups.get(&question));
    match (block.word, found.map(Vec::as_slice)) {
        ("lookup subnets", Some(found)) => subnets(&mut out, found),
        (_, Some([one])) => {
            out.extend(one.iter().map(|(name, value)| (name.clone(), value.as_str().into())));
            if let ("lookup bucket", Some(name)) = (block.word, one.get("name")) {
                out.insert("arn".to_owned(), here.home.arn("s3", name).into());
            }
        }
        (_, Some(_) | None) => {}
    }
    out
}

fn subnets(out: &mut BTreeMap<String, Value>, found: &[Match]) {
    let field = |one: &Match, name: &str| one.get(name).cloned().unwrap_or_default();
    let mut sorted: Vec<(String, String)> =
        found.iter().map(|one| (field(one, "zone"), field(one, "id"))).collect();
    sorted.sort();
    let ids = sorted.iter().map(|(_, id)| Value::from(id.as_str())).collect::<Vec<_>>();
    let mut zones = BTreeMap::new();
    for (zone, id) in sorted {
        zones.entry(zone).or_insert_with(|| Value::from(id));
    }
    out.insert("ids".to_owned(), ids.into());
    out.insert("zones".to_owned(), Data::Map(zones).into());
    if let Some(first) = found.first() {
        out.insert("vpc".to_owned(), field(first, "vpc").into());
    }
}

/// Lookups that found nothing, or more than one.
pub(super) fn problems(loaded: &Loaded, facts: &Facts) -> Vec<Problem> {
    let mut problems = Vec::new();
    for block in &loaded.blocks {
        let Some(found) = question(block).and_then(|question| facts.lookups.get(&question)) else {
            continue;
        };
        if let Some(parameter) = block.attr("parameter").and_then(Value::as_str) {
            problems.extend(unnamed(block, parameter, found, facts));
            continue;
        }
        let what = block.word.strip_prefix("lookup ").unwrap_or(block.word);
        let ids: Vec<&str> =
            found.iter().filter_map(|one| one.get("id").map(String::as_str)).collect();
        let problem = match (what, found.len()) {
            (_, 0) => {
                let title = match what {
                    "vpc" => "VPC",
                    "subnets" => "subnet",
                    what => what,
                };
                let text = format!("no {title} in {} fits", facts.home.region);
                Problem::error("S005", text).help("it has to exist, visible to these credentials")
            }
            ("subnets", _) | (_, 1) => continue,
            (_, number) => {
                let text = format!("{number} of them fit, and a lookup of a {what} means one");
                let help = format!("name its id or more of its tags; found: {}", ids.join(", "));
                Problem::error("S005", text).help(help)
            }
        };
        problems.push(problem.at(&block.span, ""));
    }
    problems
}

/// An SSM parameter that names no image.
fn unnamed(block: &Evaluated, name: &str, found: &[Match], facts: &Facts) -> Option<Problem> {
    let region = &facts.home.region;
    let field = |field: &str| found.first().and_then(|one| one.get(field));
    let (text, help) = match (found, field("id"), field("name")) {
        (_, Some(_), Some(_)) => return None,
        ([], _, _) => (
            format!("there is no SSM parameter {name:?} in {region}"),
            format!(
                "check its name and the region; this has to show it:\n\
                 aws ssm get-parameter --region {region} --name {name}"
            ),
        ),
        (_, None, _) => (
            format!("the SSM parameter {name:?} names no image"),
            "its value has to be an AMI's id and nothing else; the names of such parameters \
             often\nend in /ami-id or /image_id"
                .to_owned(),
        ),
        (_, Some(id), None) => (
            format!("the SSM parameter {name:?} names {id}, which is not to be seen in {region}"),
            "the image was deregistered, is another region's, or is not shared with this account"
                .to_owned(),
        ),
    };
    Some(Problem::error("S005", text).help(help).at(block.place("parameter"), ""))
}
