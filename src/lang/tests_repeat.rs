//! `for_each`, `count`, `depends_on` and `lifecycle`.

use super::testing::{line, load_text, load_with_stack, problems};
use super::{Loaded, Value, Vars};

/// The addresses of all blocks.
fn addresses(loaded: &Loaded) -> Vec<String> {
    assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
    loaded.blocks.iter().filter_map(|block| Some(block.address.as_ref()?.to_string())).collect()
}

/// One output, as JSON-like text.
fn output(text: &str) -> String {
    let loaded = load_with_stack(text);
    let said: Vec<String> = loaded.problems.iter().map(|problem| line(problem, &loaded)).collect();
    assert!(said.is_empty(), "{said:?}");
    loaded.outputs.first().map(|output| output.value.describe()).unwrap_or_default()
}

/// The only problem of a text.
fn problem(text: &str) -> String {
    let found = problems(text);
    assert_eq!(found.len(), 1, "{found:#?}");
    found.into_iter().next().unwrap_or_default()
}

#[test]
fn maps_objects_and_sets_name_instances() {
    for (expr, keys) in [
        ("{ eu = 1, us = 2 }", vec!["eu", "us"]),
        ("tomap({ us = \"x\", eu = \"y\" })", vec!["eu", "us"]),
        ("toset([\"us\", \"eu\", \"us\"])", vec!["eu", "us"]),
        ("[\"eu\"]", vec!["eu"]),
        ("{ for x in [\"a b\", \"0\"] : x => upper(x) }", vec!["0", "a b"]),
        ("{}", vec![]),
        ("toset([])", vec![]),
    ] {
        let loaded = load_with_stack(&format!("bucket \"x\" {{\n  for_each = {expr}\n}}\n"));
        let expect: Vec<String> = keys.iter().map(|key| format!("bucket.x[{key:?}]")).collect();
        assert_eq!(addresses(&loaded), expect, "{expr}");
    }
}

#[test]
fn the_body_reads_each_and_count() {
    let loaded = load_with_stack(
        "bucket \"x\" {\n  for_each = { eu = \"b\", us = \"a\" }\n  \
         note = \"${each.key}-${each.value}\"\n}\n\
         bucket \"n\" {\n  count = \"2\"\n  note = \"n${count.index + 1}\"\n  \
         expire {\n    after = \"${count.index + 3}d\"\n  }\n}\n",
    );
    assert_eq!(
        addresses(&loaded),
        ["bucket.x[\"eu\"]", "bucket.x[\"us\"]", "bucket.n[0]", "bucket.n[1]"]
    );
    let notes: Vec<&str> =
        loaded.blocks.iter().filter_map(|block| block.attr("note")?.as_str()).collect();
    assert_eq!(notes, ["eu-b", "us-a", "n1", "n2"]);
    let inner = loaded.blocks[3].blocks[0].attr("after").and_then(Value::as_str);
    assert_eq!(inner, Some("4d"));
}

const TWO: &str = "bucket \"x\" {\n  for_each = { eu = 1, us = 2 }\n}\n\
                   bucket \"n\" {\n  count = 3\n}\nbucket \"one\" {}\n\
                   network \"main\" {\n  for_each = toset([\"eu\"])\n  cidr = \"10.0.0.0/16\"\n}\n";

#[test]
fn instances_are_referred_to_by_key_place_splat_and_whole() {
    for (expr, value) in [
        ("bucket.x[\"eu\"].name", "\"t-x\""),
        ("bucket.n[2].name", "\"t-n\""),
        ("bucket.n[*].name", "[\"t-n\", \"t-n\", \"t-n\"]"),
        ("bucket.n.*.name", "[\"t-n\", \"t-n\", \"t-n\"]"),
        ("length(bucket.n)", "3"),
        ("keys(bucket.x)", "[\"eu\", \"us\"]"),
        ("[for k, b in bucket.x : \"${k}=${b.name}\"]", "[\"eu=t-x\", \"us=t-x\"]"),
        ("values(bucket.x)[*].name", "[\"t-x\", \"t-x\"]"),
        ("bucket.one[*].name", "[\"t-one\"]"),
        ("try(bucket.x[\"asia\"].name, \"none\")", "\"none\""),
        ("one(bucket.one[*].name)", "\"t-one\""),
    ] {
        assert_eq!(
            output(&format!("{TWO}output \"o\" {{\n  value = {expr}\n}}\n")),
            value,
            "{expr}"
        );
    }
    let text = format!(
        "{TWO}cluster \"c\" {{\n  network = network.main[\"eu\"]\n  mount \"/a\" {{\n    \
         from = bucket.n[1]\n  }}\n}}\n"
    );
    let loaded = load_with_stack(&text);
    assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
    let cluster = loaded.blocks.iter().find(|block| block.word == "cluster").expect("a cluster");
    let at = |value: Option<&Value>| value.and_then(Value::address).map(ToString::to_string);
    assert_eq!(at(cluster.attr("network")).as_deref(), Some("network.main[\"eu\"]"));
    assert_eq!(at(cluster.blocks[0].attr("from")).as_deref(), Some("bucket.n[1]"));
}

#[test]
fn wrong_references_say_what_there_is() {
    for (expr, words) in [
        ("bucket.x.name", "bucket.x is repeated by for_each: write bucket.x[\"eu\"].name for one"),
        ("bucket.x[\"asia\"].name", "bucket.x has no instance \"asia\""),
        ("bucket.x[\"eux\"].name", "did you mean \"eu\"?"),
        ("bucket.n.name", "bucket.n is repeated by count: write bucket.n[*].name for all"),
        ("bucket.n[3].name", "the list has 3 elements, counted from 0"),
        ("bucket.one[0].name", "bucket.one is not repeated by count or for_each"),
        ("bucket.x[\"eu\"].nope", "bucket.x[\"eu\"] has no attribute \"nope\""),
        ("each.key", "`each` has a value only in a block with for_each"),
        ("count.index", "`count` has a value only in a block with count"),
    ] {
        let found = problem(&format!("{TWO}output \"o\" {{\n  value = {expr}\n}}\n"));
        assert!(found.contains(words), "{expr}: {found}");
    }
    let cluster = |network: &str| format!("{TWO}cluster \"c\" {{\n  network = {network}\n}}\n");
    let found = problem(&cluster("network.main"));
    assert!(found.contains("it is repeated: name one, such as network.main[\"eu\"]"), "{found}");
    let found = problem("bucket \"x\" {\n  count = 1\n  note = each.key\n}\n");
    assert!(found.contains("`each` has a value only in a block with for_each"), "{found}");
    let found = problem("bucket \"x\" {\n  for_each = { (each.key) = 1 }\n}\n");
    assert!(found.contains("`each` has a value only in a block with for_each"), "{found}");
    let found = problem("bucket \"x\" {\n  for_each = toset([\"a\"])\n  note = each.valu\n}\n");
    assert!(
        found.contains("has no attribute \"valu\"") && found.contains("did you mean"),
        "{found}"
    );
}

#[test]
fn what_names_no_instances_is_refused() {
    let secret = "variable \"s\" {\n  default = \"hunter2\"\n  sensitive = true\n}\n";
    for (attributes, words) in [
        ("for_each = 3", "L037 for_each takes a map, an object or a set of texts"),
        ("for_each = \"eu\"", "toset([\"a\", \"b\"])"),
        ("for_each = null", "this is null"),
        ("for_each = true", "this is the bool true"),
        ("for_each = [1, 2]", "L037 for_each over a set takes texts"),
        ("for_each = [\"a\", \"a\"]", "L037 for_each has the key \"a\" twice"),
        ("for_each = { \"\" = 1 }", "L037 a key of for_each is empty"),
        ("for_each = bucket.other", "this is the block bucket.other"),
        ("for_each = bucket.other.id", "L022 for_each is known only after apply"),
        ("for_each = toset([bucket.other.id])", "L022 a key of for_each is known only after apply"),
        ("for_each = toset([var.s])", "L037 for_each would show a sensitive value"),
        ("for_each = { (var.s) = 1 }", "L037 for_each would show a sensitive value"),
        ("for_each = sensitive({ a = 1 })", "L037 for_each would show a sensitive value"),
        ("count = \"x\"", "L037 count takes a whole number from 0"),
        ("count = -1", "L037 count takes a whole number from 0"),
        ("count = 1.5", "this is the number 1.5"),
        ("count = null", "this is null"),
        ("count = [1]", "for one instance per entry of a map or set use for_each"),
        ("count = 1000000", "L037 count is larger than 100000"),
        ("count = bucket.other.id", "L022 count is known only after apply"),
        ("count = length(var.s)", "L037 count would show a sensitive value"),
        ("count = 1\n  for_each = {}", "L037 for_each and count stand in one block"),
        ("count = length(bucket.x)", "L021 a circle of references"),
        ("foreach = {}", "did you mean \"for_each\"?"),
    ] {
        let found = problem(&format!(
            "{secret}bucket \"other\" {{}}\nbucket \"x\" {{\n  {attributes}\n}}\n"
        ));
        assert!(found.contains(words), "{attributes}: {found}");
        assert!(!found.contains("hunter2"), "{found}");
    }
}

#[test]
fn the_body_is_checked_although_its_instances_are_not_known() {
    let mut vars = Vars::new();
    vars.unknown_when_missing();
    let stack = super::testing::STACK_TEXT;
    let head = "variable \"m\" {}\n";
    let fine = format!(
        "{stack}{head}bucket \"x\" {{\n  for_each = var.m\n  note = each.value.a\n}}\n\
         bucket \"n\" {{\n  count = var.m\n  note = \"${{count.index}}\"\n}}\n\
         output \"o\" {{\n  value = [bucket.x[\"a\"].name, bucket.n[7].name]\n}}\n"
    );
    let loaded = load_text(&fine, &vars);
    assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
    let wrong = format!("{stack}{head}bucket \"x\" {{\n  for_each = var.m\n  nott = 1\n}}\n");
    assert_eq!(load_text(&wrong, &vars).problems.len(), 1);
    // A wrong for_each hides no other problem of the block.
    let both = "bucket \"x\" {\n  for_each = 3\n  nott = each.key\n}\n";
    assert_eq!(problems(both).len(), 2);
}

#[test]
fn a_problem_of_all_instances_is_told_once() {
    let found = problem("bucket \"x\" {\n  count = 1000\n  note = [count.index]\n}\n");
    assert!(found.contains("note has the wrong type"), "{found}");
    let loaded = load_with_stack("bucket \"x\" {\n  count = 9\n  note = [1]\n}\n");
    assert_eq!(loaded.problems[0].detail, "in bucket.x[0]");
}

#[test]
fn depends_on_names_blocks() {
    let text = format!(
        "{TWO}bucket \"last\" {{\n  depends_on = [bucket.one, bucket.x, bucket.n[1], \
         bucket.n[*]]\n}}\n"
    );
    let loaded = load_with_stack(&text);
    let last = loaded.blocks.iter().find(|block| block.label.as_deref() == Some("last"));
    let rules = last.and_then(|block| block.rules.clone()).expect("rules");
    let after: Vec<String> = rules.after.iter().map(ToString::to_string).collect();
    let all = [
        "bucket.n[0]",
        "bucket.n[1]",
        "bucket.n[2]",
        "bucket.one",
        "bucket.x[\"eu\"]",
        "bucket.x[\"us\"]",
    ];
    assert_eq!(after, all);
    for (value, words) in [
        ("[bucket.one.name]", "write the block itself: bucket.data, not bucket.data.name"),
        ("bucket.one", "depends_on takes a list of blocks and modules"),
        ("[\"bucket.one\"]", "this is the string"),
        ("[bucket.nope]", "L020"),
        ("[bucket.last]", "L021"),
        ("[3]", "this is the number 3"),
    ] {
        let text = format!("{TWO}bucket \"last\" {{\n  depends_on = {value}\n}}\n");
        let found = problem(&text);
        assert!(found.contains(words), "{value}: {found}");
    }
    let circle = "bucket \"a\" {\n  depends_on = [bucket.b]\n}\nbucket \"b\" {\n  depends_on = [bucket.a]\n}\n";
    assert!(problem(circle).contains("bucket.a -> bucket.b -> bucket.a"));
}

#[test]
fn lifecycle_is_read() {
    let rules = |inner: &str| {
        let text = format!("bucket \"x\" {{\n  lifecycle {{\n    {inner}\n  }}\n}}\n");
        let loaded = load_with_stack(&text);
        assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
        let rules = loaded.blocks[0].rules.clone().expect("rules");
        let ignore: Vec<String> = rules.ignore.iter().map(|(name, _)| name.clone()).collect();
        (rules.precious, ignore.join(","))
    };
    assert_eq!(rules("precious = true"), (true, String::new()));
    assert_eq!(rules("precious = false"), (false, String::new()));
    assert_eq!(rules("ignore = [\"tags\", \"policy\"]"), (false, "tags,policy".to_owned()));
    assert_eq!(rules("ignore = [tags, policy]"), (false, "tags,policy".to_owned()));
    for (inner, words) in [
        ("precius = true", "did you mean \"precious\"?"),
        ("ignore = \"tags\"", "a list of one is written [value]"),
        ("precious = \"x\"", "true or false"),
        ("prevent_destroy = true", "L012"),
    ] {
        let found = problem(&format!("bucket \"x\" {{\n  lifecycle {{\n    {inner}\n  }}\n}}\n"));
        assert!(found.contains(words), "{inner}: {found}");
    }
    let twice = "bucket \"x\" {\n  lifecycle {}\n  lifecycle {}\n}\n";
    assert!(problem(twice).contains("stands more than once"));
}

#[test]
fn bombs_end_early() {
    let text = "bucket \"a\" {\n  count = 100000\n}\nbucket \"b\" {\n  count = 100000\n}\n\
                bucket \"c\" {\n  count = 100000\n}\n";
    assert!(problem(text).contains("more than 200,000 blocks"), "{}", problem(text));
    let text = "bucket \"a\" {\n  count = 3000\n}\nbucket \"b\" {\n  count = 3000\n  \
                any = [for x in bucket.a : x.name]\n}\n";
    assert!(problem(text).contains("steps"), "{}", problem(text));
}
